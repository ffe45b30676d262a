package scoresheet

import (
	"fmt"
	"html/template"
	"math"
	"strings"

	"github.com/axlegate/axlegate/wim/accuracy"
)

// drawing collects the elements of one picture. Colours are classes, so that the page's theme holds for them.
type drawing struct {
	strings.Builder
	w, h float64
}

func (d *drawing) add(format string, args ...any) { fmt.Fprintf(&d.Builder, format, args...) }

func (d *drawing) line(class string, x1, y1, x2, y2 float64) {
	d.add(`<line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, class, x1, y1, x2, y2)
}

func (d *drawing) text(anchor string, x, y float64, s string) {
	d.add(`<text text-anchor="%s" x="%.1f" y="%.1f">%s</text>`, anchor, x, y, template.HTMLEscapeString(s))
}

// words is a text in both languages at one place.
func (d *drawing) words(anchor string, x, y float64, zh, en string) {
	for _, s := range [2][2]string{{"zh", zh}, {"en", en}} {
		d.add(`<text lang="%s" text-anchor="%s" x="%.1f" y="%.1f">%s</text>`, s[0], anchor, x, y, template.HTMLEscapeString(s[1]))
	}
}

// svg closes the picture. zh and en say what is to be seen, for who cannot see it.
func (d *drawing) svg(zh, en string) template.HTML {
	return template.HTML(fmt.Sprintf(`<svg viewBox="0 0 %.0f %.0f" role="img" aria-label="%s">%s</svg>`, //nolint:gosec // texts are escaped where they are added
		d.w, d.h, template.HTMLEscapeString(zh+" / "+en), d.String()))
}

// axes maps values to a picture's inner field.
type axes struct{ left, top, right, bottom, x0, x1, y0, y1 float64 }

func (a *axes) x(v float64) float64 {
	return a.left + (a.right-a.left)*(v-a.x0)/(a.x1-a.x0)
}

func (a *axes) y(v float64) float64 {
	return a.bottom - (a.bottom-a.top)*(v-a.y0)/(a.y1-a.y0)
}

// histogram draws the errors of one criterion with the tolerance that they reach.
func histogram(r *accuracy.Report, c accuracy.Criterion) template.HTML {
	h, f := &r.Shapes[c], &r.COST323.Fits[c]
	reach := 5.0
	for _, v := range []float64{math.Abs(f.Low), math.Abs(f.High), f.Tolerance} {
		reach = max(reach, math.Ceil(v/5)*5)
	}
	reach = min(reach, 30)
	most := 1
	for _, n := range h {
		most = max(most, n)
	}
	d := &drawing{w: 360, h: 190}
	a := &axes{left: 12, top: 22, right: 348, bottom: 150, x0: -reach, x1: reach, y0: 0, y1: float64(most)}
	for i, n := range h {
		x := h.Edge(i)
		if n == 0 || x < -reach || x >= reach {
			continue
		}
		y := a.y(float64(n))
		d.add(`<rect class="bar" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, a.x(x)+0.3, y, max(a.x(x+0.5)-a.x(x)-0.6, 0.6), a.bottom-y)
	}
	if !f.TooFew && f.Tolerance <= reach {
		for _, side := range []float64{-1, 1} {
			d.line("limit", a.x(side*f.Tolerance), a.top, a.x(side*f.Tolerance), a.bottom)
		}
	}
	d.line("zero", a.x(0), a.top, a.x(0), a.bottom)
	d.line("axis", a.left, a.bottom, a.right, a.bottom)
	for v := -reach; v <= reach; v += reach / 5 {
		d.text("middle", a.x(v), a.bottom+15, tick(v))
	}
	zh, en := criterionWords(c)
	d.words("start", a.left, 14, fmt.Sprintf("%s，n = %d", zh, f.N), fmt.Sprintf("%s, n = %d", en, f.N))
	d.words("middle", (a.left+a.right)/2, a.bottom+32, "误差，真值的 %", "error, % of the true value")
	return d.svg(zh+"误差分布", "distribution of errors, "+en)
}

// tick names a place on an axis that has two sides.
func tick(v float64) string {
	if v = math.Round(v*10) / 10; v != 0 {
		return fmt.Sprintf("%+g", v)
	}
	return "0"
}

// curve draws the share accused over the true load, for limits on the gross mass and for all.
func curve(r *accuracy.Report, a *accuracy.Accusation) template.HTML {
	d := &drawing{w: 720, h: 250}
	f := &axes{left: 44, top: 14, right: 706, bottom: 196, x0: 80, x1: 150, y0: 0, y1: 100}
	for v := 0.0; v <= 100; v += 25 {
		d.line("grid", f.left, f.y(v), f.right, f.y(v))
		d.text("end", f.left-6, f.y(v)+4, fmt.Sprintf("%.0f", v))
	}
	for v := 80.0; v <= 150; v += 10 {
		d.text("middle", f.x(v), f.bottom+16, fmt.Sprintf("%.0f", v))
	}
	d.line("axis", f.left, f.bottom, f.right, f.bottom)
	d.line("limit", f.x(100), f.top, f.x(100), f.bottom)
	d.words("middle", (f.left+f.right)/2, f.bottom+34, "真实质量，限值的 %", "true mass, % of the limit")
	d.words("start", f.left+4, f.top+2, "被指超限的占比，%", "share accused, %")
	for _, k := range r.Accusations {
		if k.Competence == a.Competence && k.Gross == a.Gross && k.Kind != "" {
			d.path("thin", f, k)
		}
	}
	d.path("thick", f, a)
	return d.svg("检出曲线", "detection curve")
}

// path draws one detection curve through the middles of its bands; a band with fewer than ten vehicles is left out.
func (d *drawing) path(class string, f *axes, a *accuracy.Accusation) {
	var at strings.Builder
	step := func(list []accuracy.Band, base, last float64) {
		for i := range list {
			from, to := float64(list[i].From)/10, last
			if i+1 < len(list) {
				to = float64(list[i+1].From) / 10
			}
			mid := base + (from+to)/2
			if list[i].N < 10 || mid < f.x0 || mid > f.x1 {
				continue
			}
			fmt.Fprintf(&at, "%.1f,%.1f ", f.x(mid), f.y(accuracy.Share(list[i].Accused, list[i].N)))
			if class == "thick" {
				d.add(`<circle class="dot" cx="%.1f" cy="%.1f" r="3"/>`, f.x(mid), f.y(accuracy.Share(list[i].Accused, list[i].N)))
			}
		}
	}
	step(a.KeepBands, 0, 100)
	step(a.ExcessBands, 100, 200)
	d.add(`<polyline class="%s" points="%s"><title>%s</title></polyline>`, class, strings.TrimSpace(at.String()), template.HTMLEscapeString(a.Kind))
}

// bars draws a mean with its deviation for each name.
func bars(names []string, list []accuracy.Named, zh, en string) template.HTML {
	reach := 1.0
	for _, s := range list {
		reach = max(reach, math.Ceil(math.Abs(s.Mean)+s.Deviation))
	}
	const row = 24.0
	d := &drawing{w: 720, h: row*float64(len(list)) + 44}
	f := &axes{left: 130, top: 6, right: 640, bottom: row*float64(len(list)) + 8, x0: -reach, x1: reach}
	for _, v := range []float64{-reach, -reach / 2, 0, reach / 2, reach} {
		d.line(map[bool]string{true: "zero", false: "grid"}[v == 0], f.x(v), f.top, f.x(v), f.bottom)
		d.text("middle", f.x(v), f.bottom+15, tick(v))
	}
	for i, s := range list {
		y := f.top + row*(float64(i)+0.5)
		d.text("end", f.left-10, y+4, names[i])
		d.line("range", f.x(s.Mean-s.Deviation), y, f.x(s.Mean+s.Deviation), y)
		d.add(`<circle class="dot" cx="%.1f" cy="%.1f" r="4"/>`, f.x(s.Mean), y)
		d.text("start", f.right+10, y+4, fmt.Sprintf("n = %d", s.N))
	}
	d.words("middle", (f.left+f.right)/2, f.bottom+31, "总质量误差的均值 ± 标准差，%", "mean ± deviation of the error of the gross mass, %")
	return d.svg(zh, en)
}

func speeds(r *accuracy.Report) template.HTML {
	var names []string
	var list []accuracy.Named
	for _, s := range r.Speeds {
		names, list = append(names, fmt.Sprintf("%d–%d km/h", s.From, s.From+10)), append(list, s.Named)
	}
	return bars(names, list, "按车速的误差", "error by speed")
}

func kinds(r *accuracy.Report) template.HTML {
	var names []string
	for _, s := range r.Kinds {
		names = append(names, s.Name)
	}
	return bars(names, r.Kinds, "按车型的误差", "error by kind of vehicle")
}
