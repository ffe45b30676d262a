package rules

import (
	"cmp"
	"math"

	"github.com/axlegate/axlegate/wim"
)

// subject is what a limit's rows are asked about: the vehicle, an axle, a group or a run.
type subject struct {
	word    mark
	axles   uint8 // of the subject
	spacing reach // between neighbours, from the smallest to the largest
	span    int32 // first to last axle
	adjust  reach // what adjustments add, from the strictest to the most lenient
	open    int32 // the most lenient, were nothing presumed that no statute does
}

// choice is which rows may be the subject's and what they permit.
type choice struct {
	lenient, strict *row
	high, low       int64  // what they permit
	known           int    // rows for this number of axles that are in force
	told            uint16 // fields in which the possible rows differ
	uncovered       bool   // a configuration that is possible has no row
	unlimited       string // what must be otherwise for the limit to say nothing of the subject: an open input, empty for none
}

// choose looks for the rows of a limit that may be the subject's. One that surely applies is the only one.
func (j *judgement) choose(l *limit, s *subject) *choice {
	c := &j.choice
	if l.plain {
		*c = choice{}
		if r := &l.rows[0]; r.inForce(j.f.Time) {
			c.known, c.lenient, c.strict, c.high, c.low = 1, r, r, r.value, r.value
		}
		return c
	}
	*c = choice{}
	var first *row
	covered := mark(0)
	rows := l.by[min(int(s.axles), len(l.by)-1)]
	for i := range rows {
		r := rows[i]
		if !r.inForce(j.f.Time) || !r.axles.has(s.axles) {
			continue
		}
		c.known++
		if !r.spacing.meets(s.spacing) || !r.span.has(s.span) || r.roads&j.road == 0 {
			continue
		}
		sure := s.word&r.deny == 0
		if !sure && !possible(s.word, r.deny) {
			continue
		}
		covered |= ^r.deny
		v := j.value(r, s)
		if c.lenient == nil || v > c.high {
			c.lenient, c.high = r, v
		}
		if c.strict == nil || v < c.low {
			c.strict, c.low = r, v
		}
		if first == nil {
			first = r
		} else {
			c.told |= differ(first, r)
		}
		if sure && r.roads&j.road == j.road && r.spacing.contains(s.spacing) {
			break
		}
	}
	c.uncovered = s.word&markConfig&^covered != 0
	switch {
	case c.lenient == nil:
	case l.someRoads && j.road == math.MaxUint32:
		c.unlimited = whyRoad
	case s.word&markUnit&^covered != 0:
		c.unlimited = whyUnit
	case c.uncovered && l.only:
		c.unlimited = whyConfiguration
	}
	c.high = max(c.high+int64(s.adjust.high), 0)
	c.low = max(c.low+int64(s.adjust.low), 0)
	if s.adjust.low != s.adjust.high {
		c.told |= 1 << fieldTyres
	}
	return c
}

// differ gives the fields in which two rows have other cases.
func differ(a, b *row) uint16 {
	var out uint16
	d := a.deny ^ b.deny
	for f := fieldConfig; f < fieldRoad; f++ {
		if d&f.of() != 0 {
			out |= 1 << f
		}
	}
	if a.roads != b.roads {
		out |= 1 << fieldRoad
	}
	if a.spacing != b.spacing {
		out |= 1 << fieldSpacing
	}
	return out
}

// value is what a row permits the subject.
func (j *judgement) value(r *row, s *subject) int64 {
	v := r.value
	if r.formula.kind != noFormula {
		v = r.formula.of(int64(s.span), int64(s.axles))
	}
	if r.capped && j.lead != nil && j.lead.Gross > 0 && !j.f.Vehicle.Flags.Has(wim.PlateUncertain) {
		v = min(v, int64(j.lead.Gross))
	}
	return v
}

// of gives what a formula permits axles over a span in millimetres, in kilograms rounded down.
func (f *formula) of(span, axles int64) int64 {
	var v int64
	switch f.kind {
	case bridgeB:
		v = bridge(span, axles, f.tieUp)
	case linear:
		if f.roundUp > 0 {
			span = (span + f.roundUp - 1) / f.roundUp * f.roundUp
		}
		v = f.perMetre*span/1000 + f.plus
	case noFormula:
	}
	if f.each > 0 {
		v = min(v, f.each*axles/grain)
	}
	if f.most > 0 {
		v = min(v, f.most/grain)
	}
	return v
}

// bridge is Bridge Formula B of 23 USC 127(a)(2): W = 500 (LN/(N−1) + 12N + 36) pounds, L the span in feet, to the
// nearest 500 pounds; the statute does not say which way a tie goes. The result is in whole kilograms, rounded down.
func bridge(span, n int64, tieUp bool) int64 {
	if n < 2 {
		return math.MaxInt32
	}
	// In units of 500 lb: x = span·10·n / (3048·(n−1)) + 12n + 36, exactly.
	num, den := span*10*n, 3048*(n-1)
	whole, rest := num/den, num%den
	if 2*rest > den || tieUp && 2*rest == den {
		whole++
	}
	return pounds((whole + 12*n + 36) * 500)
}

// pounds gives the largest whole kilogram that is not above so many pounds: 1 lb = 0.45359237 kg exactly.
func pounds(lb int64) int64 { return lb * 45359237 / 100000000 }

// decide judges a subject by the rows that may be its. Where all agree that the mass is exceeded, or that it is not,
// the most lenient one is the finding; where they do not, all are shown and the outcome is Unknown.
func (j *judgement) decide(c *competence, l *limit, s *subject, measured, taken int64, first, last uint8, t *tally) {
	ch := j.choose(l, s)
	if j.tell != nil {
		j.tell.considered(j, c, l, s, measured, taken, first, last)
	}
	j.chosen(c, l, s, ch, measured, taken, first, last, t)
}

// chosen judges a subject whose rows are known.
func (j *judgement) chosen(c *competence, l *limit, s *subject, ch *choice, measured, taken int64, first, last uint8, t *tally) {
	switch {
	case ch.lenient == nil && l.only:
		return // the law limits some vehicles in this way, and this is none of them
	case ch.known == 0:
		j.unknown(whyAxles, t)
		return
	case ch.lenient == nil:
		j.unknown(nowhere(l), t)
		return
	}
	if l.basis == onGross {
		j.limited(ch.low, ch.high)
	}
	measured = max(measured, 0)
	best := j.weigh(l, measured, taken, ch.high)
	told := uint16(0)
	if ch.low != ch.high {
		worst := j.weigh(l, measured, taken, ch.low)
		if best.found != worst.found {
			if worst.found == exceeded && j.permitted(c, l, ch.strict, ch.low, measured, taken, first, last, t) {
				return
			}
			j.branches(c, l, s, ch, measured, taken, first, last, worst.found, t)
			return
		}
		told = ch.told
	}
	if best.found == exceeded && j.permitted(c, l, ch.lenient, ch.high, measured, taken, first, last, t) {
		return
	}
	f := j.show(c, l, ch.lenient, measured, taken, ch.high, best)
	f.Index, f.Last = first, last
	f.Assumes = ch.lenient.supposed(told)
	if why := cmp.Or(ch.unlimited, j.waiver); best.found == exceeded && why != "" {
		// In one of the cases that are possible the law says nothing of it.
		f.Reasons |= wim.InputMissing
		f.Assumes = ch.lenient.supposed(told | 1<<fieldConfig | 1<<fieldUnit)
		j.unknown(why, t)
		return
	}
	if best.found == exceeded {
		j.breach(f, l, ch.high)
		f.Reasons |= j.presumptions(l, first, last)
		if s.open != s.adjust.high && j.weigh(l, measured, taken, ch.high-int64(s.adjust.high)+int64(s.open)).found != exceeded {
			f.Reasons |= wim.InputPresumed // what the set presumes of the axles lowers the limit so far
		}
		if ch.uncovered {
			// The table knows this number of axles as other configurations only; that it is one of them is not sure.
			f.Reasons |= wim.ConfigurationUnsure
			f.Assumes = ch.lenient.supposed(told | 1<<fieldConfig)
		}
		j.byGross.over = j.byGross.over || l.basis == onGross
	}
	j.settle(best.found, f, t)
}

// nowhere names why no row fits.
func nowhere(l *limit) string {
	if l.basis == onGross && l.asks&(1<<fieldConfig) != 0 {
		return whyConfiguration
	}
	return whyAxles
}

// branches shows all rows that may apply, each with what it supposes.
func (j *judgement) branches(c *competence, l *limit, s *subject, ch *choice, measured, taken int64, first, last uint8, worst found, t *tally) {
	doubt, why := wim.InputMissing, ""
	for f := fieldConfig; f < fields; f++ {
		if ch.told&(1<<f) != 0 {
			why = f.why()
			break
		}
	}
	if ch.told&(1<<fieldConfig) != 0 {
		doubt |= wim.ConfigurationUnsure
	}
	outcome := unknown
	if worst != exceeded {
		outcome, why = worst, "" // no branch accuses: within tolerance in one, compliant in another
	}
	for i := range l.rows {
		r := &l.rows[i]
		if !r.axles.has(s.axles) || !r.inForce(j.f.Time) || !r.spacing.meets(s.spacing) || !r.span.has(s.span) ||
			r.roads&j.road == 0 || !possible(s.word, r.deny) {
			continue
		}
		v := j.value(r, s)
		j.branch(c, l, r, ch.told, measured, taken, max(v+int64(s.adjust.high), 0), first, last, doubt)
		if s.adjust.low != s.adjust.high {
			j.branch(c, l, r, ch.told, measured, taken, max(v+int64(s.adjust.low), 0), first, last, doubt)
			j.v.Findings[len(j.v.Findings)-1].Assumes = assumesSingleTyres
		}
		if !j.quiet {
			t.add(outcome, r.reason, why)
		}
	}
}

// assumesSingleTyres is the branch in which axles whose tyres are not known have one a side.
const assumesSingleTyres = "tyres=single"

func (j *judgement) branch(c *competence, l *limit, r *row, told uint16, measured, taken, permitted int64, first, last uint8, doubt wim.Reason) {
	f := j.check(c, l, r, measured, taken, permitted)
	f.Index, f.Last = first, last
	f.Assumes = r.supposed(told)
	f.Reasons |= doubt
}

// unknown counts an Unknown of a limit that has a part in the opinion.
func (j *judgement) unknown(why string, t *tally) {
	if !j.quiet {
		t.add(unknown, 0, why)
	}
}
