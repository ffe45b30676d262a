package rules

import (
	"math"

	"github.com/axlegate/axlegate/wim"
)

// plan is how every vehicle of one shape is judged.
type plan struct {
	shape shape
	made  makeup
	parts []part // one for each competence
}

// part is one competence's part of a plan.
type part struct {
	steps   []comparison
	inForce bool // some limit is law on that day
}

// deed is what a step weighs or measures, and against what.
type deed uint8

const (
	doLimit  deed = iota // the whole limit at length: it depends on more than the shape
	doGross              // gross against the plan's figure
	doAxles              // some axles against the plan's figure
	doLength             // a size against the plan's figure
	doWidth
	doHeight
	doPostedGross // against the sign
	doPostedAxle
	doPostedLength
	doPostedWidth
	doPostedHeight
	doCargo // against the licences
	doTowed
	doLicence
)

// comparison is one quantity against what is permitted.
type comparison struct {
	does        deed
	first, last uint8 // axles, from 0
	counts      bool  // it has a part in the opinion
	plain       bool  // nothing has to be asked but the figures: no tolerance, and nothing that a set presumes lowers them
	limit       *limit
	ladder      *ladder
	tolerance   *tolerance // that the law has on such a day at such a station, nil for none
	low, high   int64      // what the plan permits, in the strictest and the most lenient of the cases that are possible
	lawful      int64      // the most lenient, were nothing presumed that no statute does; high where nothing is
	shown       forms
	asked       *asked
}

// forms are the findings that a comparison may come to, complete but for masses and sizes: kept to, within tolerance,
// exceeded without a step of the ladder, and by each step that may be the last one reached.
type forms []wim.Finding

const (
	formKept = iota
	formWithin
	formExceeded
)

// asked is what a comparison falls back on where the cases that are possible disagree, or a permit has to be looked at.
type asked struct {
	subject subject
	choice  choice
	sum     *sum // of a limit on the sum of axle loads, which has neither of the above
	// What is shown of a sum whose bounds disagree, and the input that is open.
	least, most forms
	open        string
}

// formed gives all forms of a finding; presumed is what an excess has for a reason.
func formed(f wim.Finding, l *ladder, presumed wim.Reason) forms {
	f.Outcome = wim.Compliant
	all := forms{f}
	f.Outcome = wim.WithinTolerance
	all = append(all, f)
	f.Outcome = wim.Exceeded
	f.Reasons |= presumed
	all = append(all, f)
	if l == nil {
		return all
	}
	for n := range l.steps {
		x := f
		l.mark(&x, n+1)
		all = append(all, x)
	}
	return all
}

// lay makes the plan for vehicles like this one.
func (j *judgement) lay(key shape) *plan {
	p := &plan{shape: key, parts: make([]part, len(j.set.competences))}
	k := *j
	k.made = &p.made
	if k.set.perAxle {
		k.makeUp(&p.made)
	}
	for i := range k.set.competences {
		c := &k.set.competences[i]
		waives := false
		for x := range c.limits {
			waives = waives || c.limits[x].within > 0
		}
		for x := range c.limits {
			l := &c.limits[x]
			if !l.anyInForce(k.f.Time) {
				continue
			}
			p.parts[i].inForce = p.parts[i].inForce || !l.informs
			steps, ok := k.steps(c, l)
			// What waives a limit is what the gross limits come to, which only judging at length notes.
			if !ok || waives && (l.basis == onGross || l.basis == onAxleSum || l.within > 0) {
				steps = []comparison{{does: doLimit, limit: l}}
			}
			p.parts[i].steps = append(p.parts[i].steps, steps...)
		}
	}
	return p
}

// fixed tells whether a shape says all that the limit's rows ask.
func (l *limit) fixed() bool {
	for i := range l.rows {
		if r := &l.rows[i]; r.capped || r.formula.kind != noFormula || !r.span.contains(reach{0, math.MaxInt32}) {
			return false
		}
	}
	return true
}

// steps gives a limit's comparisons; ok is false for one that has to be judged at length.
func (j *judgement) steps(c *competence, l *limit) (all []comparison, ok bool) {
	given := j.given()
	switch l.basis {
	case onGross:
		s, known := j.whole(l)
		if !known {
			return nil, false
		}
		return j.choosing(nil, c, l, doGross, &s, 0, 0)
	case onAxle:
		for i := range j.made.n {
			var s subject
			j.part(&s, i, i)
			if all, ok = j.choosing(all, c, l, doAxles, &s, uint8(i+1), 0); !ok {
				return nil, false
			}
		}
		return all, true
	case onGroup:
		for g := range j.made.groups {
			first, last := int(j.made.first[g]), j.made.last(g)
			if j.made.doubtful[g] {
				return nil, false
			}
			var s subject
			j.part(&s, first, last)
			if all, ok = j.choosing(all, c, l, doAxles, &s, uint8(first+1), lastOf(first, last)); !ok {
				return nil, false
			}
		}
		return all, true
	case onAxleSum:
		return j.adding(c, l)
	case onLength, onWidth, onHeight:
		if given&(1<<(l.basis-onLength)) == 0 {
			return nil, true
		}
		s := j.sized()
		return j.choosing(nil, c, l, doLength+deed(l.basis-onLength), &s, 0, 0)
	case postedGross, postedAxle, postedLength, postedWidth, postedHeight:
		return j.posted(c, l, given)
	case ratedLoad:
		return j.licensed(c, l, doCargo)
	case licenceGross:
		if j.config == wim.Train || !l.rows[0].axles.has(uint8(len(j.f.Vehicle.Axles))) {
			return nil, true
		}
		return j.licensed(c, l, doLicence)
	case towedMass:
		if j.config == wim.Rigid {
			return nil, true
		}
		return j.licensed(c, l, doTowed)
	case onRun:
	}
	return nil, false
}

// posted gives the comparisons with a sign, none where it stands not.
func (j *judgement) posted(c *competence, l *limit, given uint64) ([]comparison, bool) {
	const signs = 3 // the sizes come before them
	sign := uint64(1) << (signs + l.basis - postedGross)
	size := uint64(1)
	if l.basis.sized() {
		size = 1 << (l.basis - postedLength)
	}
	if given&sign == 0 || l.basis.sized() && given&size == 0 {
		return nil, true
	}
	r := &l.rows[0]
	s := j.comparison(l, r, doPostedGross+deed(l.basis-postedGross))
	f := finding(c, l, r)
	if l.basis != postedAxle {
		s.shown = formed(f, r.ladder, 0)
		return []comparison{s}, true
	}
	var all []comparison
	for i := range j.f.Vehicle.Axles {
		f.Index = uint8(i + 1) //nolint:gosec // at most planAxles
		s.first, s.last = uint8(i), uint8(i)
		s.shown = formed(f, r.ladder, 0)
		all = append(all, s)
	}
	return all, true
}

// licensed gives a comparison with a licence; what it says is looked up for each vehicle.
func (j *judgement) licensed(c *competence, l *limit, d deed) ([]comparison, bool) {
	r := &l.rows[0]
	s := j.comparison(l, r, d)
	s.shown = formed(finding(c, l, r), r.ladder, 0)
	return []comparison{s}, j.config != wim.ConfigurationUnknown
}

// adding gives the comparison with the sum of what the groups may carry.
func (j *judgement) adding(c *competence, l *limit) ([]comparison, bool) {
	if !j.made.spaced || !c.limits[l.of].fixed() {
		return nil, false
	}
	x := j.sum(c, l)
	if x.open != "" {
		return nil, false
	}
	r := &l.rows[0]
	s := j.comparison(l, r, doGross)
	s.low, s.high, s.lawful = x.low, x.high, x.high
	f := finding(c, l, r)
	f.Reasons |= x.reasons
	s.shown = formed(f, r.ladder, j.presumptions(&c.limits[l.of], 0, 0))
	s.asked = &asked{sum: &x, open: x.why()}
	f.Reasons |= wim.InputMissing
	f.Assumes = assumesLeast
	s.asked.least = formed(f, r.ladder, 0)
	f.Assumes = assumesMost
	s.asked.most = formed(f, r.ladder, 0)
	return []comparison{s}, true
}

// choosing adds the comparison with the rows that may be the subject's, axles first to last from 1.
func (j *judgement) choosing(all []comparison, c *competence, l *limit, d deed, of *subject, first, last uint8) ([]comparison, bool) {
	if !l.fixed() {
		return nil, false
	}
	ch := *j.choose(l, of)
	switch {
	case ch.lenient == nil && l.only:
		return all, true
	case ch.lenient == nil || ch.uncovered || ch.unlimited != "":
		return nil, false
	}
	s := j.comparison(l, ch.lenient, d)
	s.low, s.high = ch.low, ch.high
	s.lawful = ch.high - int64(of.adjust.high) + int64(of.open)
	if first > 0 {
		s.first, s.last = first-1, max(first, last)-1
	}
	f := finding(c, l, ch.lenient)
	f.Index, f.Last = first, last
	if ch.low != ch.high {
		f.Assumes = ch.lenient.supposed(ch.told)
	}
	s.shown = formed(f, ch.lenient.ladder, j.presumptions(l, first, last))
	s.plain = s.plain && s.lawful == s.high
	s.asked = &asked{subject: *of, choice: ch}
	return append(all, s), true
}

// comparison is one with what a row permits.
func (j *judgement) comparison(l *limit, r *row, d deed) comparison {
	x := l.tolerance(j.f)
	return comparison{does: d, counts: !l.informs, plain: x == nil, limit: l, ladder: r.ladder, tolerance: x}
}

// finding is what every form of a finding by a row has.
func finding(c *competence, l *limit, r *row) wim.Finding {
	return wim.Finding{Competence: c.name, Limit: r.id, Article: r.article, Scope: l.scope, Reasons: r.reason, Informs: l.informs}
}
