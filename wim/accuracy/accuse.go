package accuracy

import (
	"cmp"
	"slices"

	"github.com/axlegate/axlegate/wim"
)

// Case is one vehicle before one authority: what the law says of its true masses, and what was found.
type Case struct {
	Competence wim.Competence
	// Gross restricts the case to limits on the gross mass; otherwise it is all that the authority judges by mass.
	Gross bool
	True  wim.Outcome
	// Load is the true mass against the limit, for the limit that it comes nearest to or exceeds most; 0 where no
	// limit was checked.
	Load wim.Permille
	// Found is what was found, empty where nothing was recorded.
	Found    wim.Outcome
	Standing wim.Standing
}

// Cases pairs the verdict on the true masses, with nothing deducted, with the verdict that was recorded; nil where none
// was. Both must be of the same rule set.
func Cases(truth, found *wim.Verdict) []Case {
	out := make([]Case, 0, 2*len(truth.Opinions))
	for _, o := range truth.Opinions {
		c := Case{Competence: o.Competence, True: o.Outcome, Load: loadOf(truth, o.Competence, false)}
		g := Case{Competence: o.Competence, Gross: true, True: grossOf(truth, o), Load: loadOf(truth, o.Competence, true)}
		if found != nil {
			if f, ok := found.Of(o.Competence); ok {
				c.Found, c.Standing = f.Outcome, f.Standing
				// Without a finding on gross mass, as where none was indicated, nothing was decided about it.
				g.Found, g.Standing = cmp.Or(grossOf(found, f), wim.Unknown), f.Standing
			}
		}
		out = append(out, c)
		if g.True != "" {
			out = append(out, g)
		}
	}
	return out
}

// counts tells whether a finding is about mass, and no mere information.
func counts(f *wim.Finding, c wim.Competence) bool {
	return f.Competence == c && !f.Informs && f.Permitted > 0
}

// loadOf is the largest true load in permille of its limit. Of branches on one quantity, the one that permits most
// counts: it is the one that a doubt may leave.
func loadOf(v *wim.Verdict, c wim.Competence, gross bool) wim.Permille {
	var most wim.Permille
	for i := range v.Findings {
		f := &v.Findings[i]
		if !counts(f, c) || gross && f.Scope != wim.ScopeGross {
			continue
		}
		load := f.Measured.Of(f.Permitted)
		if f.Assumes != "" {
			for j := range v.Findings {
				if o := &v.Findings[j]; counts(o, c) && o.Assumes != "" && o.Scope == f.Scope && o.Index == f.Index && o.Last == f.Last {
					load = min(load, o.Measured.Of(o.Permitted))
				}
			}
		}
		most = max(most, load)
	}
	return most
}

// grossOf is an opinion on the limits of gross mass alone, empty where none was checked. Branches that agree are as
// good as knowing; others leave it unknown, unless a limit that has no branches is exceeded.
func grossOf(v *wim.Verdict, o wim.Opinion) wim.Outcome {
	var sure, mildest, gravest wim.Outcome
	for i := range v.Findings {
		f := &v.Findings[i]
		if !counts(f, o.Competence) || f.Scope != wim.ScopeGross {
			continue
		}
		if f.Assumes == "" {
			sure = graver(sure, f.Outcome)
			continue
		}
		gravest = graver(gravest, f.Outcome)
		if mildest == "" || f.Outcome.Weight() < mildest.Weight() {
			mildest = f.Outcome
		}
	}
	if sure != wim.Exceeded && (gravest == wim.Exceeded) != (mildest == wim.Exceeded) {
		return wim.Unknown
	}
	return graver(sure, gravest)
}

func graver(a, b wim.Outcome) wim.Outcome {
	if b.Weight() > a.Weight() {
		return b
	}
	return a
}

// keepEdges and excessEdges bound the bands: of true loads that keep to the limit, in permille of it, and of true excess.
//
//nolint:gochecknoglobals // tables that are never written
var (
	keepEdges   = []wim.Permille{0, 500, 800, 900, 950, 960, 970, 980, 990}
	excessEdges = []wim.Permille{0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 150, 200, 300, 500, 1000}
)

// NearLimit is the load from which a vehicle that keeps to its limit counts as near it, in permille of the limit.
const NearLimit = wim.Permille(950)

// Band counts the vehicles of a band of loads.
type Band struct {
	// From is the lower edge in permille: of the limit where the vehicle keeps to it, else of excess above it. The upper
	// edge is the next band's From; of the last band, 1000 of the limit or none.
	From wim.Permille `json:"from_permille"`
	N    int          `json:"n"`
	// Accused were found to exceed, as evidence or as a suspicion; Evidence are those of them found as evidence. The
	// rest was not: WithinTolerance above the limit as indicated, but not after the deduction, Undecided where an input
	// was missing, Void where the weighing was void, Missed where there is no record.
	Accused         int `json:"accused"`
	Evidence        int `json:"accused_as_evidence"`
	WithinTolerance int `json:"within_tolerance"`
	Undecided       int `json:"undecided"`
	Void            int `json:"void"`
	Missed          int `json:"no_record"`
}

func (b *Band) add(c *Case) {
	b.N++
	switch {
	case c.Found == "":
		b.Missed++
	case c.Standing == wim.Void:
		b.Void++
	case c.Found == wim.Exceeded:
		b.Accused++
		if c.Standing == wim.Evidence {
			b.Evidence++
		}
	case c.Found == wim.WithinTolerance:
		b.WithinTolerance++
	case c.Found == wim.Unknown:
		b.Undecided++
	}
}

func (b *Band) join(o *Band) {
	b.N += o.N
	b.Accused += o.Accused
	b.Evidence += o.Evidence
	b.WithinTolerance += o.WithinTolerance
	b.Undecided += o.Undecided
	b.Void += o.Void
	b.Missed += o.Missed
}

// Share is a of n in percent, 0 of none.
func Share(a, n int) float64 { return share{n: n, good: a}.percent() }

// Accusation is how one authority's accusations stand to the truth, of one kind of vehicle or of all.
type Accusation struct {
	Competence wim.Competence `json:"competence"`
	Gross      bool           `json:"gross_mass_only"`
	Kind       string         `json:"kind,omitempty"` // empty for all
	// Keeping are the vehicles whose true masses keep to every limit, Near those of them from 95 percent of one on.
	Keeping Band `json:"keeping"`
	Near    Band `json:"near_limit"`
	// Exceeding are those whose true masses do not.
	Exceeding Band `json:"exceeding"`
	// Open are those of whom the law cannot tell even from the true masses, because an input is not known.
	Open Band `json:"open"`

	KeepBands   []Band `json:"keeping_by_load"`
	ExcessBands []Band `json:"exceeding_by_excess"`
}

func newAccusation(k accusationKey) *Accusation {
	a := &Accusation{Competence: k.competence, Gross: k.gross, Kind: k.kind, Near: Band{From: NearLimit}}
	for _, e := range keepEdges {
		a.KeepBands = append(a.KeepBands, Band{From: e})
	}
	for _, e := range excessEdges {
		a.ExcessBands = append(a.ExcessBands, Band{From: e})
	}
	return a
}

// From sums the exceeding vehicles from an excess on, in permille.
func (a *Accusation) From(excess wim.Permille) Band {
	out := Band{From: excess}
	for i := range a.ExcessBands {
		if b := &a.ExcessBands[i]; b.From >= excess {
			out.join(b)
		}
	}
	return out
}

func (a *Accusation) add(c *Case) {
	switch c.True {
	case wim.Compliant, wim.WithinTolerance:
		a.Keeping.add(c)
		bandOf(a.KeepBands, c.Load).add(c)
		if c.Load >= NearLimit {
			a.Near.add(c)
		}
	case wim.Exceeded:
		a.Exceeding.add(c)
		bandOf(a.ExcessBands, c.Load-1000).add(c)
	case wim.Unknown:
		a.Open.add(c)
	case wim.NotApplicable:
	}
}

// bandOf is the last band that begins at or below p.
func bandOf(bands []Band, p wim.Permille) *Band {
	i, found := slices.BinarySearchFunc(bands, p, func(b Band, p wim.Permille) int { return cmp.Compare(b.From, p) })
	if !found {
		i = max(0, i-1)
	}
	return &bands[i]
}

type accusationKey struct {
	competence wim.Competence
	gross      bool
	kind       string
}

func compareAccusation(a, b *Accusation) int {
	return cmp.Or(cmp.Compare(a.Competence, b.Competence), cmp.Compare(word(a.Gross), word(b.Gross)), cmp.Compare(a.Kind, b.Kind))
}

func word(b bool) int {
	if b {
		return 1
	}
	return 0
}
