package center

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/axlegate/axlegate/wim"
)

// Account is one sealed record of a journey that carries a verdict: the passage itself or a supplement.
type Account struct {
	Ref     wim.RecordRef
	Time    wim.Time // the site's clock when it was written
	Facts   *wim.Facts
	Verdict *wim.Verdict
	Reads   []wim.PlateRead // the reads that this record brought
}

// AccountOf takes the account out of a record; ok is false for a record that carries no verdict.
func AccountOf(ref wim.RecordRef, r *wim.Record) (a Account, ok bool) {
	switch {
	case r.Passage != nil:
		return Account{Ref: ref, Time: r.Time, Facts: &r.Passage.Facts, Verdict: &r.Passage.Verdict, Reads: r.Passage.Reads}, true
	case r.Supplement != nil:
		return Account{Ref: ref, Time: r.Time, Facts: &r.Supplement.Facts, Verdict: &r.Supplement.Verdict, Reads: r.Supplement.Reads}, true
	}
	return Account{}, false
}

// Void tells whether a verdict may be used for nothing at all: it has opinions, and all are void.
func Void(v *wim.Verdict) bool {
	for i := range v.Opinions {
		if v.Opinions[i].Standing != wim.Void {
			return false
		}
	}
	return len(v.Opinions) > 0
}

// Journey is one vehicle's way over one scale: its passage, what supplements have added, and what the centre
// has made of it so far.
type Journey struct {
	Passage     Account
	Supplements []Account // in any order
	Matter      *Matter   // nil when none was opened
	Alerts      []Alert   // of Matter, by id
}

// Ordered gives the accounts in the order in which the site wrote them, whatever order they arrived in: the
// passage, then its supplements by sequence. Supplements of another chain than the passage's come after those
// of its own, chain by chain in order of their first time.
func (j *Journey) Ordered() []Account {
	out := make([]Account, 0, 1+len(j.Supplements))
	out = append(out, j.Passage)
	out = append(out, j.Supplements...)
	began := map[wim.ChainID]wim.Time{}
	for _, a := range j.Supplements {
		if t, ok := began[a.Ref.Chain]; !ok || a.Time < t {
			began[a.Ref.Chain] = a.Time
		}
	}
	own := j.Passage.Ref.Chain
	slices.SortStableFunc(out[1:], func(a, b Account) int {
		switch {
		case a.Ref.Chain == b.Ref.Chain:
			return cmp.Compare(a.Ref.Seq, b.Ref.Seq)
		case a.Ref.Chain == own:
			return -1
		case b.Ref.Chain == own:
			return 1
		}
		return cmp.Or(cmp.Compare(began[a.Ref.Chain], began[b.Ref.Chain]), bytes.Compare(a.Ref.Chain[:], b.Ref.Chain[:]))
	})
	return out
}

// Decision is what a journey calls for. The store writes it; ids that are zero are given there.
type Decision struct {
	// Open says that Matter is new; Extend that an existing one has changed.
	Open, Extend bool
	Matter       Matter
	Raise        []Alert // new alerts, at most one per competence
	// Update are alerts that existed before: each gets a matter-extended event, and its outcome and standing
	// follow the latest account.
	Update []Alert
}

// Decide tells what a journey calls for, after the account that has just joined it. It is a pure function of
// what the journey holds, so the same accounts end in the same matter in whatever order they arrived.
//
// A matter is opened when any account finds a limit exceeded with a standing that is not void, and every
// competence that found it so is alerted, once and for ever: a later account may weaken what an alert rests
// on, never take the alert back. What the matter shows follows the latest account.
func Decide(j *Journey, now wim.Time) Decision {
	all := j.Ordered()
	latest := &all[len(all)-1]
	d := Decision{}
	if j.Matter != nil {
		d.Extend, d.Matter = true, *j.Matter
	} else {
		d.Matter = Matter{
			Opening: j.Passage.Ref, Site: j.Passage.Ref.Site, Lane: j.Passage.Facts.Vehicle.Lane, Passed: j.Passage.Facts.Time,
			Opened: now, State: Alerted,
		}
	}
	for _, a := range j.Alerts {
		a.follow(all)
		d.Update = append(d.Update, a)
	}
	for i := range all {
		for _, o := range all[i].Verdict.Opinions {
			if o.Outcome != wim.Exceeded || o.Standing == wim.Void || alerted(j.Alerts, o.Competence) || alerted(d.Raise, o.Competence) {
				continue
			}
			a := Alert{Matter: d.Matter.ID, Competence: o.Competence, Raised: now}
			a.follow(all)
			d.Raise = append(d.Raise, a)
		}
	}
	if j.Matter == nil && len(d.Raise) == 0 {
		return Decision{}
	}
	d.Open = j.Matter == nil
	d.Matter.Plates = plates(latest.Facts)
	d.Matter.Suspicion = suspicion(latest.Verdict)
	d.Matter.Gross, d.Matter.Axles = latest.Facts.Vehicle.Gross, len(latest.Facts.Vehicle.Axles)
	if s := d.Matter.State; len(d.Raise) > 0 && (s == Acknowledged || !s.Open()) {
		d.Matter.State = Alerted // somebody has not acknowledged yet; what is under way goes on
	}
	return d
}

// follow sets what an alert says from the accounts of its journey.
func (a *Alert) follow(all []Account) {
	a.Outcome, a.Standing = lastOpinion(all, a.Competence)
	a.Excess, a.Ratio = 0, 0
	if f := Lead(all[len(all)-1].Verdict, a.Competence); f != nil {
		a.Excess, a.Ratio = f.Excess, f.Ratio
	}
}

// Lead is a competence's finding that weighs most, nil when nothing is exceeded: the highest ratio.
func Lead(v *wim.Verdict, c wim.Competence) *wim.Finding {
	var lead *wim.Finding
	for i := range v.Findings {
		f := &v.Findings[i]
		if f.Competence == c && f.Outcome == wim.Exceeded && !f.Informs && (lead == nil || f.Ratio > lead.Ratio) {
			lead = f
		}
	}
	return lead
}

// lastOpinion is what the latest account that speaks of a competence says; alerts are only raised for
// competences of which one does.
func lastOpinion(all []Account, c wim.Competence) (outcome wim.Outcome, standing wim.Standing) {
	for i := range all {
		if o, ok := all[i].Verdict.Of(c); ok {
			outcome, standing = o.Outcome, o.Standing
		}
	}
	return outcome, standing
}

func alerted(alerts []Alert, c wim.Competence) bool {
	return slices.ContainsFunc(alerts, func(a Alert) bool { return a.Competence == c })
}

// suspicion tells whether nothing in a verdict may ground a decision: no exceeded opinion is evidence.
func suspicion(v *wim.Verdict) bool {
	return !slices.ContainsFunc(v.Opinions, func(o wim.Opinion) bool {
		return o.Outcome == wim.Exceeded && o.Standing == wim.Evidence
	})
}

// plates lists the plates that were read, the drawing vehicle's first.
func plates(f *wim.Facts) []string {
	var out []string
	for i := range f.Units {
		if p := f.Units[i].Plate; p != "" && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}
