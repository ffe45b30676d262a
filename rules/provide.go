package rules

import (
	"github.com/axlegate/axlegate/wim"
)

// Provision is what the law provides for one finding that exceeds, as information for an officer. It decides nothing.
type Provision struct {
	Competence wim.Competence `json:"competence"`
	Limit      string         `json:"limit"`
	Band       string         `json:"band"`
	Article    string         `json:"article"`
	Assumes    string         `json:"assumes,omitempty"`
	Currency   string         `json:"currency,omitempty"`  // ISO 4217
	FineFrom   int64          `json:"fine_from,omitempty"` // hundredths of the currency; equal where the law leaves no range
	FineTo     int64          `json:"fine_to,omitempty"`
	Points     int            `json:"points,omitempty"`
	Detain     bool           `json:"detain,omitempty"` // the vehicle is held until the violation is removed
	Unload     bool           `json:"unload,omitempty"`
	Revoke     bool           `json:"revoke,omitempty"` // repeated, it may cost a permit or licence
	Text       Text           `json:"text,omitzero"`
}

// Consequences is what the law provides for a verdict as a whole.
type Consequences struct {
	Provisions []Provision `json:"provisions"`
	// Decides is the competence that decides the penalty where the site works as it does, empty where the set does not
	// say.
	Decides wim.Competence `json:"decides,omitempty"`
	// Single is the provision with the highest fine and OneAct the article by which one act has one fine, the higher:
	// the fines above are never added up.
	Single *Provision `json:"single,omitempty"`
	OneAct string     `json:"one_act,omitempty"`
	// Opens tells whether the excess of the competence that has a threshold for opening a case is above it.
	Opens bool `json:"opens_case,omitempty"`
}

// Provides gives what the law provides for a finding of this set; ok is false where it says nothing.
func (s *Set) Provides(f *wim.Finding) (p Provision, ok bool) {
	if f.Outcome != wim.Exceeded || f.Informs {
		return p, false
	}
	for i := range s.competences {
		c := &s.competences[i]
		if c.name != f.Competence {
			continue
		}
		for k := range c.limits {
			for r := range c.limits[k].rows {
				if x := &c.limits[k].rows[r]; x.id == f.Limit && x.ladder != nil {
					return x.ladder.provides(f)
				}
			}
		}
	}
	return p, false
}

func (l *ladder) provides(f *wim.Finding) (p Provision, ok bool) {
	for i := range l.steps {
		st := &l.steps[i]
		if st.band != f.Band || st.provides == nil {
			continue
		}
		x := st.provides
		p = Provision{
			Competence: f.Competence, Limit: f.Limit, Band: f.Band, Article: f.Article, Assumes: f.Assumes,
			Points: x.Points, Detain: x.Detain, Unload: x.Unload, Revoke: x.Revoke, Text: x.Text,
		}
		if x.Article != "" {
			p.Article = x.Article
		}
		if x.Fine != nil {
			p.Currency = x.Fine.Currency
			p.FineFrom, p.FineTo = x.Fine.of(int64(f.Excess))
		}
		return p, true
	}
	return p, false
}

// of gives the range that a fine has for an excess in kilograms, in hundredths of the currency.
func (f *FineFile) of(excess int64) (from, to int64) {
	unit := int64(100)
	if f.Hundredths {
		unit = 1
	}
	if f.Each == 0 {
		return int64(f.From) * unit, int64(f.To) * unit
	}
	per, err := grains(f.Per)
	if err != nil || per <= 0 {
		return 0, 0 // the loader has refused it
	}
	n := excess * grain / per
	if f.Rounding == "ceil" && excess*grain%per != 0 {
		n++
	}
	fine := int64(f.Base) + n*int64(f.Each)
	if f.Most > 0 {
		fine = min(fine, int64(f.Most))
	}
	return fine * unit, fine * unit
}

// Consequences gives what the law provides for a verdict of this set. Findings of branches have theirs too, each with
// what it assumes.
func (s *Set) Consequences(f *wim.Facts, v *wim.Verdict) Consequences {
	var out Consequences
	single := -1
	for i := range v.Findings {
		p, ok := s.Provides(&v.Findings[i])
		if !ok {
			continue
		}
		out.Provisions = append(out.Provisions, p)
		if p.FineTo > 0 && p.Assumes == "" && (single < 0 || p.FineTo > out.Provisions[single].FineTo) {
			single = len(out.Provisions) - 1
		}
	}
	if single >= 0 {
		out.Single = &out.Provisions[single]
	}
	if s.file.Penalties == nil {
		return out
	}
	p := s.file.Penalties
	out.OneAct = p.OneAct.Article
	for i := range p.Decides {
		if wim.StationMode(p.Decides[i].Station) == f.Station {
			out.Decides = wim.Competence(p.Decides[i].Competence)
		}
	}
	if o := p.CaseOpening; o != nil {
		least, err := grains(o.Excess)
		for i := range v.Findings {
			x := &v.Findings[i]
			out.Opens = out.Opens || err == nil && x.Outcome == wim.Exceeded && !x.Informs && x.Assumes == "" && x.Competence == wim.Competence(o.Competence) && int64(x.Excess) > least/grain
		}
	}
	return out
}
