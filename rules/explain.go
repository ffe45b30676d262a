package rules

import "github.com/axlegate/axlegate/wim"

// Explanation is what Explain tells of one judgement: every limit that was considered, case by case.
type Explanation struct {
	Configuration wim.Configuration `json:"configuration"`
	Evidence      Evidence          `json:"evidence"` // from what it was told
	Verdict       wim.Verdict       `json:"verdict"`
	Limits        []Considered      `json:"limits"`
}

// Evidence is what a vehicle's configuration was told from.
type Evidence string

// The evidence, in the order in which it is looked for.
const (
	BySpacings Evidence = "spacings" // of the axles, where they leave no doubt
	ByPlates   Evidence = "plates"   // a trailer's plate behind a truck's
	ByLicence  Evidence = "licence"  // the licence has as many axles as passed, or fewer
	ByNothing  Evidence = "nothing"
)

// Considered is one limit asked about one subject.
type Considered struct {
	Competence wim.Competence `json:"competence"`
	Limit      string         `json:"limit"`
	Scope      wim.ScopeKind  `json:"scope"`
	First      uint8          `json:"first,omitempty"` // axles of the subject, 0 for the vehicle
	Last       uint8          `json:"last,omitempty"`
	Measured   int64          `json:"measured"` // kilograms, or millimetres of a size
	Deducted   int64          `json:"deducted"`
	Known      []string       `json:"known"` // what is known of the subject, "tyres=dual"; an open input has its alternatives
	Cases      []Case         `json:"cases"`
}

// Case is one row of a limit and whether it may be the subject's.
type Case struct {
	Row       string `json:"row"`
	Article   string `json:"article"`
	Permitted int64  `json:"permitted"`     // 0 where the case does not apply
	Applies   string `json:"applies"`       // "yes", "maybe", "no"
	Why       string `json:"why,omitempty"` // the input by which it does not apply
}

// Explain judges as Judge does, never by a plan, and tells what was considered. It allocates.
func (s *Set) Explain(f *wim.Facts) *Explanation {
	e := &Explanation{}
	var j judgement
	e.Verdict.RuleSet, e.Verdict.Rules, e.Verdict.Judge = s.id, s.digest, Version
	j.tell = e
	j.set, j.f, j.v, j.common = s, f, &e.Verdict, commonReasons(f)
	j.read()
	j.atLength()
	e.Configuration, e.Evidence = configuration(f, j.lead)
	return e
}

// considered notes one limit and its cases.
func (e *Explanation) considered(j *judgement, c *competence, l *limit, s *subject, measured, taken int64, first, last uint8) {
	x := Considered{
		Competence: c.name, Limit: l.id, Scope: l.basis.scope(), First: first, Last: last, Measured: measured, Deducted: taken,
		Known: known(s, l.asks),
	}
	for i := range l.rows {
		r := &l.rows[i]
		k := Case{Row: r.id, Article: r.article, Applies: "no"}
		switch {
		case !r.inForce(j.f.Time):
			k.Why = "date"
		case !r.axles.has(s.axles):
			k.Why = whyAxles
		case !r.spacing.meets(s.spacing), !r.span.has(s.span):
			k.Why = whySpacing
		case r.roads&j.road == 0:
			k.Why = whyRoad
		case !possible(s.word, r.deny):
			for f := fieldConfig; f < fieldRoad; f++ {
				if s.word&f.of()&^r.deny == 0 {
					k.Why = f.why()
					break
				}
			}
		default:
			k.Applies, k.Permitted = "maybe", j.value(r, s)+int64(s.adjust.high)
			if s.word&r.deny == 0 && r.roads&j.road == j.road && r.spacing.contains(s.spacing) {
				k.Applies = "yes"
			}
		}
		x.Cases = append(x.Cases, k)
	}
	e.Limits = append(e.Limits, x)
}

// markNames names the values, in the order of their bits.
func markNames() [26]string {
	return [26]string{
		"configuration=rigid", "configuration=articulated", "configuration=drawbar", "configuration=centre-axle", "configuration=road-train",
		"drive-axles=1", "drive-axles=2", "drive-axles=3", "drive-axles=4", "drive-axles=5", "drive-axles=6", "drive-axles=7", "drive-axles=8",
		"suspension=air", "suspension=other", "tyres=single", "tyres=dual", "tyres=wide", "driven=yes", "driven=no", "unit=motor", "unit=trailer", "steering=yes", "steering=no", "tandems=yes", "tandems=no",
	}
}

// known lists what is known of the inputs that a limit asks.
func known(s *subject, asks uint16) []string {
	var out []string
	names := markNames()
	for f := fieldConfig; f < fieldRoad; f++ {
		if asks&(1<<f) == 0 {
			continue
		}
		all, have := f.of(), s.word&f.of()
		if have == all {
			out = append(out, f.why()+"=?")
			continue
		}
		text := ""
		for b := range names {
			if have&(1<<b) != 0 {
				if text != "" {
					text += "|"
				}
				text += names[b]
			}
		}
		out = append(out, text)
	}
	return out
}
