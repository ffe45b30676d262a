// Package scoresheet draws a score as one HTML file that stands alone: no script, no font and no picture from elsewhere,
// Chinese and English in one file, readable in the dark and in print.
//
// It shows what wim/accuracy worked out and works out nothing itself.
package scoresheet

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/axlegate/axlegate/internal/scoring"
	"github.com/axlegate/axlegate/internal/web"
	"github.com/axlegate/axlegate/wim/accuracy"
)

//go:embed *.html
var files embed.FS

// Head is what stands above a sheet.
type Head struct {
	Title string // what was scored, such as file names; may be empty
	Made  string // when, in words; may be empty
	Lang  web.Language
}

// Write draws a result.
func Write(w io.Writer, head Head, r *scoring.Result) error {
	c, err := web.NewCatalogue()
	if err != nil {
		return err
	}
	s := sheet{zh: c.Words(web.Chinese, nil), en: c.Words(web.English, nil)}
	t, err := template.New("sheet.html").Funcs(template.FuncMap{
		"t": both, "pct": pct, "share": accuracy.Share, "signed": func(x float64) string { return fmt.Sprintf("%+.2f", x) }, "dec": func(x float64) string { return fmt.Sprintf("%.2f", x) },
		"criterion": criterion, "quantity": quantity, "word": s.word, "histogram": histogram, "curve": curve, "speeds": speeds, "kinds": kinds, "rare": rare, "band": band,
		"deref": func(p *float64) string {
			if p == nil {
				return "–"
			}
			return pct(*p)
		},
	}).ParseFS(files, "sheet.html", "style.html")
	if err != nil {
		return fmt.Errorf("score sheet: %w", err)
	}
	return t.Execute(w, struct {
		Head
		*scoring.Result
		Overall []*accuracy.Accusation
	}{head, r, overall(r.Report)})
}

// overall are the accusations over all kinds of vehicle.
func overall(r *accuracy.Report) (out []*accuracy.Accusation) {
	for _, a := range r.Accusations {
		if a.Kind == "" {
			out = append(out, a)
		}
	}
	return out
}

type sheet struct{ zh, en *web.Words }

// word is a word of the catalogue in both languages.
func (s *sheet) word(prefix string, value any) template.HTML {
	v := fmt.Sprint(value)
	return both(s.zh.Or(prefix, v), s.en.Or(prefix, v))
}

// both is a text in both languages, of which the page shows one.
func both(zh, en string) template.HTML {
	e := template.HTMLEscapeString
	return template.HTML(`<span lang="zh">` + e(zh) + `</span><span lang="en">` + e(en) + `</span>`) //nolint:gosec // escaped above
}

func criterion(c accuracy.Criterion) template.HTML {
	zh, en := criterionWords(c)
	return both(zh, en)
}

func criterionWords(c accuracy.Criterion) (zh, en string) {
	switch c {
	case accuracy.Gross:
		return "总质量", "gross mass"
	case accuracy.Group:
		return "轴组", "axle group"
	case accuracy.SingleAxle:
		return "单轴", "single axle"
	case accuracy.AxleOfGroup:
		return "轴组中的轴", "axle of a group"
	}
	return c.String(), c.String()
}

func quantity(q string) template.HTML {
	for _, x := range [][3]string{
		{"wheel-load", "轮载荷", "wheel load"}, {"axle-load", "轴载荷", "axle load"}, {"axle-group", "轴组", "axle group"}, {"gross", "总质量", "gross mass"},
		{"speed", "车速", "speed"}, {"axle-spacing", "轴距", "axle spacing"},
	} {
		if x[0] == q {
			return both(x[1], x[2])
		}
	}
	return both(q, q)
}

// pct writes a share of a hundred.
func pct(p float64) string {
	if p > 99.9999 && p < 100 {
		return "> 99.9999 %"
	}
	if p > 0 && p < 0.01 || p > 99.99 && p < 100 {
		return fmt.Sprintf("%.4f %%", p)
	}
	return strings.TrimSuffix(fmt.Sprintf("%.2f", p), ".00") + " %"
}

// rare says how rare an event of a in n is, as people say it.
func rare(a, n int) string {
	switch {
	case n == 0:
		return "–"
	case a == 0:
		return fmt.Sprintf("0 / %d", n)
	}
	return fmt.Sprintf("1 : %.0f", float64(n)/float64(a))
}

// band names band i of a list.
func band(list []accuracy.Band, i int) string {
	from := float64(list[i].From) / 10
	if i+1 < len(list) {
		return fmt.Sprintf("%g–%g %%", from, float64(list[i+1].From)/10)
	}
	return fmt.Sprintf("≥ %g %%", from)
}
