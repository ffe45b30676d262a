package web

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/axlegate/axlegate/wim"
)

// Diagram is one vehicle from the side with what its axles and the whole weigh against the limits found.
type Diagram struct {
	// ID keeps the names inside one drawing apart from other drawings of the page: letters, digits, '-'.
	ID      string
	Facts   *wim.Facts
	Verdict *wim.Verdict
	// Competence is whose quantities are drawn beside the gross; empty draws all. Every limit on the gross
	// is marked, whoever it belongs to.
	Competence wim.Competence
}

// Diagram draws d as SVG without script or inline style. Every meaning of a colour is also a shape and a
// text, and the whole is told in words in its title and description.
func (w *Words) Diagram(d Diagram) template.HTML {
	p := &drawing{Words: w, Diagram: d, layout: newLayout(&d.Facts.Vehicle), id: safeID(d.ID)}
	p.open()
	p.body()
	p.road()
	p.columns()
	p.groups()
	p.bars()
	p.WriteString("</svg>")
	return template.HTML(p.String()) // texts go through text and attr, which escape; the rest are numbers
}

// drawing writes the SVG of one diagram from top to bottom.
type drawing struct {
	*Words
	Diagram
	layout
	strings.Builder
	id   string
	rows []row
}

func safeID(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '-'
	}, s)
}

func (p *drawing) f(format string, args ...any) { fmt.Fprintf(&p.Builder, format, args...) }

func (p *drawing) text(class, anchor string, x, y float64, s string) {
	p.f(`<text class="%s" text-anchor="%s" x="%.1f" y="%.1f">%s</text>`, class, anchor, x, y, template.HTMLEscapeString(s))
}

func (p *drawing) open() {
	v := &p.Facts.Vehicle
	p.quantities()
	height := barsTop + float64(len(p.rows))*rowHeight
	p.f(`<svg class="axles standing-%s" role="img" viewBox="0 0 %d %.0f" aria-labelledby="%s-t %s-d">`,
		p.standing(), width, height, p.id, p.id)
	p.f(`<title id="%s-t">%s</title>`, p.id, template.HTMLEscapeString(p.T("diagram.title", p.Vehicle(v), p.Kg(v.Gross))))
	p.f(`<desc id="%s-d">%s</desc>`, p.id, template.HTMLEscapeString(p.describe()))
	p.f(`<defs><pattern id="%s-h" class="axles-hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">`+
		`<rect width="7" height="7"/><line x1="0" y1="0" x2="0" y2="7"/></pattern></defs>`, p.id)
}

// standing is the competence's own, or the weakest of all where none is drawn first: a void weighing must
// not look like a sound one. What is neither evidence nor void is drawn as a suspicion.
func (p *drawing) standing() wim.Standing {
	opinions := p.Verdict.Opinions
	if o, ok := p.Verdict.Of(p.Competence); ok {
		opinions = []wim.Opinion{o}
	}
	s := wim.Evidence
	for _, o := range opinions {
		switch o.Standing {
		case wim.Void:
			return wim.Void
		case wim.Evidence:
		default:
			s = wim.Screening
		}
	}
	return s
}

func (p *drawing) describe() string {
	v := &p.Facts.Vehicle
	parts := make([]string, 0, len(v.Axles)+len(v.Groups)+len(p.Verdict.Findings))
	for i, a := range v.Axles {
		parts = append(parts, p.T("diagram.axle", i+1, p.Kg(a.Load)))
	}
	for i, g := range v.Groups {
		if g.Count > 1 {
			parts = append(parts, p.T("diagram.group", i+1, p.Kg(g.Load)))
		}
	}
	for i := range p.Verdict.Findings {
		f := &p.Verdict.Findings[i]
		end := p.T("diagram.not-exceeded")
		permitted, deducted, excess := p.Kg(f.Permitted), p.Kg(f.Deducted), p.Kg(f.Excess)
		if f.Size != (wim.Size{}) {
			permitted, deducted, excess = p.Length(f.Size.Permitted), p.Length(f.Size.Deducted), p.Length(f.Size.Excess)
		}
		if f.Outcome == wim.Exceeded {
			end = p.T("diagram.excess", excess)
		}
		parts = append(parts, p.T("diagram.finding", p.Scope(f), p.Or("competence", string(f.Competence)), permitted, deducted, end))
	}
	return strings.Join(parts, "; ")
}

// body draws the silhouette: cab and box of a truck, tractor and trailer of a train, and only an outline
// where the make-up is not known.
func (p *drawing) body() {
	p.f(`<g class="axles-body">`)
	for _, b := range p.boxes {
		p.f(`<rect class="axles-box" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="5"/>`, b.x0, bodyTop, b.x1-b.x0, chassis-bodyTop)
		for x := b.x0 + 46; x < b.x1-20; x += 46 {
			p.f(`<line class="axles-rib" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, x, bodyTop+9, x, chassis-9)
		}
	}
	for _, b := range p.frames {
		p.f(`<rect class="axles-frame" x="%.1f" y="%.1f" width="%.1f" height="9"/>`, b.x0, chassis, b.x1-b.x0)
	}
	if p.hasCab {
		x, c := p.front, p.cab
		p.f(`<path class="axles-cab" d="M%.1f %.1fL%.1f %.1fQ%.1f %.1f %.1f %.1fL%.1f %.1fV%.1fH%.1fZ"/>`,
			x, chassis+9, x+c*0.04, bodyTop+58, x+c*0.08, bodyTop+19, x+c*0.24, bodyTop+16, x+c, bodyTop+13, chassis+9, x)
		p.f(`<path class="axles-window" d="M%.1f %.1fL%.1f %.1fL%.1f %.1fV%.1fZ"/>`,
			x+c*0.12, bodyTop+55, x+c*0.19, bodyTop+28, x+c*0.66, bodyTop+27, bodyTop+55)
	}
	v := &p.Facts.Vehicle
	if n := len(p.boxes); n > 0 {
		b := p.boxes[n-1]
		p.text("axles-name", "middle", (b.x0+b.x1)/2, (bodyTop+chassis)/2+8, p.Vehicle(v))
	}
	for i, a := range v.Axles {
		p.f(`<g class="axles-wheel"><title>%s</title><circle cx="%.1f" cy="%.1f" r="%.1f"/><circle class="axles-hub" cx="%.1f" cy="%.1f" r="%.1f"/></g>`,
			template.HTMLEscapeString(p.axleTitle(i, &a)), p.x[i], roadY-p.wheel, p.wheel, p.x[i], roadY-p.wheel, p.wheel*0.42)
	}
	p.f(`</g>`)
}

func (p *drawing) axleTitle(i int, a *wim.Axle) string {
	s := p.T("diagram.axle", i+1, p.Kg(a.Load))
	if a.Left != wim.NotMeasured && a.Right != wim.NotMeasured {
		s += " (" + p.T("diagram.axle-parts", p.Kg(a.Left), p.Kg(a.Right)) + ")"
	}
	return s
}

func (p *drawing) road() {
	p.f(`<line class="axles-road" x1="16" y1="%.1f" x2="%d" y2="%.1f"/>`, roadY, width-16, roadY)
	if p.standing() == wim.Void {
		p.text("axles-void", "end", width-20, bodyTop+20, "✕ "+p.T("diagram.void"))
	}
}

// outcomeClass is the shape and colour class of an outcome; nothing found, and an outcome from a later
// version, draw neutral.
func outcomeClass(o wim.Outcome) string {
	if o.Weight() == 0 {
		return "found-none"
	}
	return "found-" + string(o)
}

// sign is the shape beside the colour of an outcome; within its limit a load needs none.
func sign(o wim.Outcome) string {
	switch o {
	case wim.Exceeded:
		return "▲"
	case wim.WithinTolerance:
		return "≈"
	case wim.Unknown:
		return "?"
	case wim.Compliant, wim.NotApplicable:
	}
	return ""
}

// find returns the finding on a scope that weighs most: exceeded by the most, the drawn competence first.
func (p *drawing) find(k wim.ScopeKind, index uint8) *wim.Finding {
	var best *wim.Finding
	for i := range p.Verdict.Findings {
		f := &p.Verdict.Findings[i]
		if f.Scope != k || f.Index != index {
			continue
		}
		if best == nil || f.Excess > best.Excess || f.Excess == best.Excess && f.Competence == p.Competence && best.Competence != p.Competence {
			best = f
		}
	}
	return best
}

// columns draws a column an axle, with the axle's own limit where one was checked.
func (p *drawing) columns() {
	v := &p.Facts.Vehicle
	top := wim.Kg(10000)
	for i, a := range v.Axles {
		top = max(top, a.Load)
		if f := p.find(wim.ScopeAxle, uint8(i+1)); f != nil {
			top = max(top, f.Permitted)
		}
	}
	px := func(m wim.Kg) float64 { return columnHeight * float64(max(m, 0)) / float64(top) }
	p.f(`<g class="axles-columns">`)
	for i, a := range v.Axles {
		f := p.find(wim.ScopeAxle, uint8(i+1))
		class, deducted := outcomeClass(""), wim.Kg(0)
		if f != nil {
			class, deducted = outcomeClass(f.Outcome), f.Deducted
		}
		x, h := p.x[i]-p.column/2, px(a.Load)
		p.f(`<g class="%s"><rect class="axles-load" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, class, x, columnBase-h, p.column, h)
		if deducted > 0 {
			p.f(`<rect class="axles-deducted" fill="url(#%s-h)" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, p.id, x, columnBase-h, p.column, px(deducted))
		}
		if f != nil {
			y := columnBase - px(f.Permitted)
			p.f(`<line class="axles-limit" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, x-6, y, x+p.column+6, y)
		}
		label := tonnes(a.Load)
		if f != nil {
			label = sign(f.Outcome) + label
		}
		p.f(`<text class="axles-kg" text-anchor="middle" x="%.1f" y="%.1f" font-size="%.0f">%s</text></g>`, p.x[i], columnBase+p.font+4, p.font, label)
	}
	p.f(`</g>`)
}

// groups draws a bracket under every axle group of two and more with its load.
func (p *drawing) groups() {
	v := &p.Facts.Vehicle
	p.f(`<g class="axles-groups">`)
	for _, g := range v.Groups {
		last := int(g.First) + int(g.Count) - 2
		if g.Count < 2 || g.First == 0 || last >= len(p.x) {
			continue
		}
		x0, x1 := p.x[g.First-1]-p.column/2, p.x[last]+p.column/2
		class, label := outcomeClass(""), "Σ "+p.Tonnes(g.Load)
		if f := p.find(wim.ScopeGroup, g.First); f != nil && int(f.Last) == last+1 {
			class = outcomeClass(f.Outcome)
			label = sign(f.Outcome) + " " + label + " / " + p.Limit(f.Permitted)
		}
		p.f(`<g class="%s"><path class="axles-bracket" d="M%.1f %.1fv7H%.1fv-7"/>`, class, x0, groupY, x1)
		p.text("axles-sum", "middle", (x0+x1)/2, groupY+25, label)
		p.f(`</g>`)
	}
	p.f(`</g>`)
}
