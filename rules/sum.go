package rules

import "github.com/axlegate/axlegate/wim"

// axleSum judges the gross mass against the sum of what the groups may carry.
func (j *judgement) axleSum(c *competence, l *limit, t *tally) {
	if j.gross == 0 {
		j.unknown(whyGross, t)
		return
	}
	if !j.counted(t) {
		return
	}
	if !j.made.spaced {
		j.unknown(whySpacing, t)
		return
	}
	x := j.sum(c, l)
	if x.open != "" {
		j.unknown(x.open, t)
		return
	}
	j.summed(c, l, &x, t)
}

// sum is what the groups may carry together.
type sum struct {
	high, low int64
	told      uint16 // fields in which the rows differ that may be the groups'
	reasons   wim.Reason
	open      string // why there is none, empty for one that is known
}

// sum adds up what the groups may carry.
func (j *judgement) sum(c *competence, l *limit) (x sum) {
	of := &c.limits[l.of]
	for g := range j.made.groups {
		var s subject
		j.part(&s, int(j.made.first[g]), j.made.last(g))
		ch := j.choose(of, &s)
		switch {
		case ch.lenient == nil:
			return sum{open: whyAxles}
		case ch.unlimited != "":
			return sum{open: ch.unlimited} // of one of the groups the limit may say nothing
		}
		x.high, x.low = x.high+ch.high, x.low+ch.low
		x.told |= ch.told
		x.reasons |= ch.lenient.reason
	}
	return x
}

// summed judges the gross mass against a sum that is known.
func (j *judgement) summed(c *competence, l *limit, x *sum, t *tally) {
	r := &l.rows[0]
	j.limited(x.low, x.high)
	best := j.weigh(l, j.gross, j.taken, x.high)
	worst := j.weigh(l, j.gross, j.taken, x.low)
	if best.found == worst.found || worst.found != exceeded {
		if best.found == exceeded && j.permitted(c, l, r, x.high, j.gross, j.taken, 0, 0, t) {
			return
		}
		f := j.show(c, l, r, j.gross, j.taken, x.high, best)
		f.Reasons |= x.reasons
		if best.found == exceeded {
			j.breach(f, l, x.high)
			f.Reasons |= j.presumptions(&c.limits[l.of], 0, 0)
			j.byGross.over = true
		}
		j.settle(best.found, f, t)
		return
	}
	if j.permitted(c, l, r, x.low, j.gross, j.taken, 0, 0, t) {
		return
	}
	for _, b := range [2]struct {
		permitted int64
		assumes   string
	}{{x.low, assumesLeast}, {x.high, assumesMost}} {
		f := j.check(c, l, r, j.gross, j.taken, b.permitted)
		f.Assumes = b.assumes
		f.Reasons |= x.reasons | wim.InputMissing
	}
	j.unknown(x.why(), t)
}

// The branches of a sum of which some axles' limits are open.
const (
	assumesLeast = "least-axle-limits"
	assumesMost  = "most-axle-limits"
)

// why names the input that leaves a sum open.
func (x *sum) why() string {
	for f := fieldConfig; f < fields; f++ {
		if x.told&(1<<f) != 0 {
			return f.why()
		}
	}
	return whySpacing
}
