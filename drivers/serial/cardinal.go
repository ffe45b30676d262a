package serial

import (
	"bytes"
	"strings"

	"github.com/axlegate/axlegate/wim"
)

func cardinal() []Dialect {
	d := Dialect{
		Name:  "cardinal",
		Title: "Cardinal 190 and 200, scoreboard output (SB-400, WinVRS)",
		Frame: "sign (space or -), six digits with the point among them, unit, G or N, status of two letters or spaces, CR; with or without spaces between",
		Check: noCheck, Source: "manuals of Cardinal 190 and 200",
		Units: []string{"KG"}, Tells: wim.TellsGross | wim.TellsNet,
		Knows: wim.Stable | wim.AtZero | wim.NetShown | wim.Overload | wim.Underload | wim.Faulty,
		Lacks: []string{"what stands in place of a weight that is not shown: such a frame is skipped"},
		find:  cardinalFrame, twice: true,
	}
	ask := d
	ask.Name, ask.Title = "cardinal-enq", "Cardinal 190 and 200, answer to ENQ"
	ask.Request = func(Options) []byte { return []byte{5} }
	ask.Lacks = append(ask.Lacks, "it answers only while its continuous output is off")
	return []Dialect{d, ask}
}

// cardinalFrame reads by words and not by columns: the manual prints the line both ways.
func cardinalFrame(b []byte, _ Options) found {
	const most = 18 // bytes, CR included
	if b[0] != ' ' && b[0] != '-' || len(b) > 1 && !digit(b[1]) && b[1] != '.' {
		return found{state: isNoStart}
	}
	end := bytes.IndexByte(b, '\r')
	for i, c := range b[:min(len(b), most)] {
		if i < 7 && i > 0 && !digit(c) && c != '.' || c != '\r' && (c < ' ' || c > '~') {
			return bad(i+1, "byte %d: %#02x %w", i, c, errLayout)
		}
		if c == '\r' {
			break
		}
	}
	switch {
	case end < 0 && len(b) < most:
		return found{state: isPartial}
	case end < 0 || end >= most:
		return bad(most, "no end within %d bytes", most)
	}
	size := end + 1
	digits := 7
	if bytes.IndexByte(b[1:min(8, end)], '.') >= 0 { // a point is a seventh character
		digits = 8
	}
	if end < digits+3 {
		return bad(size, "%q %w", b[:end], errLayout)
	}
	field, rest := b[1:digits], strings.TrimLeft(string(b[digits:end]), " ")
	if bytes.IndexByte(field, ' ') >= 0 || bytes.Count(field, []byte{'.'}) != digits-7 || len(rest) < 2 {
		return bad(size, "%q %w", b[:end], errLayout)
	}
	// Two letters of unit; one of a unit of one letter is followed by a space.
	v := said{unit: strings.TrimRight(rest[:2], " ")}
	rest = strings.TrimLeft(rest[2:], " ")
	if rest == "" || !v.mode(rest[0]) {
		return bad(size, "%q: no mode", b[:end])
	}
	switch strings.TrimSpace(rest[1:]) {
	case "":
		v.state |= wim.Stable
	case "CZ":
		v.state |= wim.Stable | wim.AtZero
	case "MO":
	case "OC":
		v.state |= wim.Overload
	case "BZ":
		v.state |= wim.Underload
	case "EE", "ee":
		v.state |= wim.Faulty
	default:
		return bad(size, "status %q %w", rest[1:], errLayout)
	}
	return v.signed(size, b[0], field)
}
