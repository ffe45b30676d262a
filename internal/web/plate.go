package web

import (
	"html/template"
	"strings"
	"unicode/utf8"

	"github.com/axlegate/axlegate/wim"
)

// Plate is a plate as a chip in the plate's own colours. Colour and a trailer's place are told in words too.
func (w *Words) Plate(text string, color wim.PlateColor) template.HTML {
	var b strings.Builder
	if text == "" {
		b.WriteString(`<span class="plate plate-none">`)
		b.WriteString(template.HTMLEscapeString(w.T("plate.unread")))
		b.WriteString(`</span>`)
		return template.HTML(b.String()) // every part is escaped above
	}
	b.WriteString(`<span class="plate `)
	b.WriteString(plateClass(color))
	b.WriteString(`" title="`)
	b.WriteString(template.HTMLEscapeString(w.Color(color)))
	b.WriteString(`">`)
	b.WriteString(template.HTMLEscapeString(PlateText(text)))
	b.WriteString(`</span>`)
	return template.HTML(b.String()) // every part is escaped above
}

// PlainPlate is a plate as a chip where its colours are not known.
func (w *Words) PlainPlate(text string) template.HTML {
	if text == "" {
		return w.Plate("", "")
	}
	return template.HTML(`<span class="plate plate-plain">` + template.HTMLEscapeString(PlateText(text)) + `</span>`) // escaped
}

func plateClass(c wim.PlateColor) string {
	switch c {
	case wim.Yellow, wim.Blue, wim.Green, wim.YellowGreen, wim.White, wim.Black:
		return "plate-" + string(c)
	}
	return "plate-unknown"
}

// PlateText sets the dot after province and office of a Chinese plate, as it stands on the metal.
func PlateText(s string) string {
	first, n := utf8.DecodeRuneInString(s)
	if first < 0x4e00 || first > 0x9fff || len(s) < n+2 {
		return s
	}
	if c := s[n]; c < 'A' || c > 'Z' {
		return s
	}
	return s[:n+1] + "·" + s[n+1:]
}

// Plates are the plates of all units, drawing vehicle first; a train whose trailer was not read shows it.
func (w *Words) Plates(f *wim.Facts) []template.HTML {
	var out []template.HTML
	for i := range f.Units {
		out = append(out, w.Plate(f.Units[i].Plate, f.Units[i].Color))
	}
	if len(out) == 0 {
		out = append(out, w.Plate("", ""))
	}
	if f.Vehicle.Flags.Has(wim.TrailerUnread) && len(out) == 1 {
		out = append(out, w.Plate("", ""))
	}
	return out
}
