package web

import (
	"html/template"
	"sort"
	"strings"

	"github.com/axlegate/axlegate/wim"
)

// row is one bar: a quantity of the whole vehicle and the limits it was held against.
type row struct {
	scope    wim.ScopeKind
	measured wim.Kg
	limits   []*wim.Finding // rising by what is permitted
}

// quantities gathers the bars. Gross is always drawn, with every authority's limits on it; licence mass is
// the gross held against the licence, so it shares that bar. Other quantities are the competence's own.
func (p *drawing) quantities() {
	p.rows = []row{{scope: wim.ScopeGross, measured: p.Facts.Vehicle.Gross}}
	for _, k := range []wim.ScopeKind{wim.ScopeGross, wim.ScopeLicence, wim.ScopeCargo, wim.ScopeTowed} {
		for i := range p.Verdict.Findings {
			f := &p.Verdict.Findings[i]
			if f.Scope == k && (k == wim.ScopeGross || k == wim.ScopeLicence || p.Competence == "" || p.Competence == f.Competence) {
				p.rowOf(f)
			}
		}
	}
	for _, r := range p.rows {
		sort.SliceStable(r.limits, func(i, j int) bool { return r.limits[i].Permitted < r.limits[j].Permitted })
	}
}

func (p *drawing) rowOf(f *wim.Finding) {
	scope := f.Scope
	if scope == wim.ScopeLicence {
		scope = wim.ScopeGross
	}
	for i := range p.rows {
		r := &p.rows[i]
		if r.scope != scope || r.measured != f.Measured {
			continue
		}
		for _, have := range r.limits {
			if have.Permitted == f.Permitted && have.Competence == f.Competence {
				return // one mark serves both, e.g. two branches with the same limit
			}
		}
		r.limits = append(r.limits, f)
		return
	}
	p.rows = append(p.rows, row{scope: scope, measured: f.Measured, limits: []*wim.Finding{f}})
}

const (
	barLeft   = 206.0
	barRight  = 984.0
	barHeight = 24.0
)

// bars draws each quantity from zero: within its limit, beyond it, and the part deducted for the
// instrument's error, hatched; limits are marks with their own text.
func (p *drawing) bars() {
	for i := range p.rows {
		p.bar(&p.rows[i], barsTop+float64(i)*rowHeight+26)
	}
}

func (p *drawing) bar(r *row, y float64) {
	top := max(r.measured, 1000)
	deducted, worst, within := wim.Kg(0), wim.Outcome(""), wim.Kg(-1)
	excess := wim.Kg(0)
	for _, f := range r.limits {
		top = max(top, f.Permitted)
		deducted = max(deducted, f.Deducted)
		if f.Outcome.Weight() > worst.Weight() {
			worst = f.Outcome
		}
		if f.Outcome == wim.Exceeded && within < 0 {
			within = f.Permitted
		}
		excess = max(excess, f.Excess)
	}
	px := func(m wim.Kg) float64 {
		return (barRight - barLeft) * 0.94 * float64(max(m, 0)) / float64(top)
	}
	net := max(r.measured-deducted, 0)
	p.f(`<g class="axles-bar %s" data-scope="%s">`, outcomeClass(worst), template.HTMLEscapeString(string(r.scope)))
	p.text("axles-scope", "start", 16, y-7, strings.TrimSpace(p.Scope(&wim.Finding{Scope: r.scope})+" "+sign(worst)))
	p.text("axles-total", "start", 16, y+barHeight-1, p.Tonnes(r.measured))
	p.f(`<rect class="axles-track" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, barLeft, y, barRight-barLeft, barHeight)
	solid := net
	if within >= 0 {
		solid = min(net, within)
	}
	p.f(`<rect class="axles-within" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, barLeft, y, px(solid), barHeight)
	if within >= 0 && net > within {
		p.f(`<rect class="axles-excess" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, barLeft+px(within), y, px(net-within), barHeight)
		label, x, w := "▲ +"+p.Tonnes(excess), barLeft+px(within)+px(net-within)/2, px(net-within)
		if w >= 120 {
			p.text("axles-over", "middle", x, y+barHeight-6, label)
		} else {
			p.text("axles-over axles-over-beside", "end", barLeft+px(within)-8, y+barHeight-6, label)
		}
	}
	if deducted > 0 {
		p.f(`<rect class="axles-deducted" fill="url(#%s-h)" x="%.1f" y="%.1f" width="%.1f" height="%.1f"><title>%s</title></rect>`,
			p.id, barLeft+px(net), y, px(r.measured-net), barHeight, template.HTMLEscapeString(p.T("diagram.deducted", p.Kg(deducted))))
	}
	p.marks(r, y, px)
	p.f(`</g>`)
}

// marks draws the limits. Limits at the same mass share a mark, and labels that would run into each other
// are set one before the other.
func (p *drawing) marks(r *row, y float64, px func(wim.Kg) float64) {
	right := barRight + 8
	for i := len(r.limits) - 1; i >= 0; i-- { // from the right, so that each label may give way to the left
		f := r.limits[i]
		class, label := f.Outcome, p.limitName(f)
		for i > 0 && r.limits[i-1].Permitted == f.Permitted {
			i--
			o := r.limits[i]
			if name := p.limitName(o); name != label {
				label = name + " · " + label
			}
			if o.Outcome.Weight() > class.Weight() {
				class = o.Outcome
			}
		}
		label += " " + p.Limit(f.Permitted)
		x := barLeft + px(f.Permitted)
		p.f(`<g class="axles-mark %s"><path d="M%.1f %.1fv%.1f"/><path class="axles-flag" d="M%.1f %.1fl-6 -8h12z"/>`,
			outcomeClass(class), x, y-2, barHeight+6, x, y)
		at := min(x+10, right)
		p.text("axles-mark-text", "end", at, y-11, label)
		p.f(`</g>`)
		right = at - textWidth(label) - 14
	}
}

// limitName says whose limit it is; a posted one is known by the sign, not by the law behind it.
func (p *drawing) limitName(f *wim.Finding) string {
	if strings.HasPrefix(f.Limit, "posted") {
		return p.T("diagram.limit.posted")
	}
	return p.Or("diagram.limit", string(f.Competence))
}

// textWidth estimates how wide a mark's label is drawn: no browser is there to ask.
func textWidth(s string) float64 {
	w := 0.0
	for _, r := range s {
		switch {
		case r >= 0x2e80:
			w += 19
		case r == ' ' || r == '·':
			w += 6
		default:
			w += 11
		}
	}
	return w
}
