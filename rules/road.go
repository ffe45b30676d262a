package rules

import "github.com/axlegate/axlegate/wim"

// byAxles judges the gross mass against the table by axle count, configuration and drive axles. Rows that
// cannot be told apart are branches: where all agree that the mass is exceeded, or that it is not, the most
// lenient one is the finding; where they do not, all are shown and the outcome is Unknown.
func (j *judgement) byAxles(c *competence, t *tally) {
	n := min(len(j.f.Vehicle.Axles), 255)
	if j.gross == 0 {
		t.add(wim.Unknown, 0, whyGross)
		return
	}
	var lenient, strict *limit
	var known, rigid, train int // rows for this axle count; those that may apply, by configuration
	for i := range c.limits {
		l := &c.limits[i]
		if !j.row(l, uint8(n)) {
			continue
		}
		known++
		if !j.possible(l) {
			continue
		}
		if l.config == wim.Rigid {
			rigid++
		} else {
			train++
		}
		if lenient == nil || l.value > lenient.value {
			lenient = l
		}
		if strict == nil || l.value < strict.value {
			strict = l
		}
	}
	switch {
	case known == 0:
		t.add(wim.Unknown, 0, whyAxles)
		return
	case lenient == nil:
		t.add(wim.Unknown, 0, whyConfiguration)
		return
	}
	configs, drives := rigid > 0 && train > 0, rigid > 1 || train > 1
	best := j.check(c, lenient, j.gross, j.taken, int64(lenient.value))
	if configs || drives {
		worst := j.check(c, strict, j.gross, j.taken, int64(strict.value))
		if best.Outcome != worst.Outcome {
			j.branches(c, uint8(n), configs, drives, worst.Outcome, t)
			return
		}
		best.Assumes = lenient.assumes(configs, drives)
	} else if n > 2 && j.config == wim.ConfigurationUnknown && best.Outcome == wim.Exceeded {
		// The table knows this axle count as one configuration only; that it is that one is not sure.
		best.Assumes = lenient.assumesConfig
		best.Reasons |= wim.ConfigurationUnsure
	}
	j.settle(best, t)
}

// branches shows all rows that may apply, each with what it assumes.
func (j *judgement) branches(c *competence, n uint8, configs, drives bool, worst wim.Outcome, t *tally) {
	doubt, why := wim.InputMissing, whyDriveAxles
	if configs {
		doubt, why = doubt|wim.ConfigurationUnsure, whyConfiguration
	}
	outcome := wim.Unknown
	if worst != wim.Exceeded {
		outcome, why = worst, "" // no branch accuses: within tolerance in one, compliant in another
	}
	for i := range c.limits {
		l := &c.limits[i]
		if !j.row(l, n) || !j.possible(l) {
			continue
		}
		f := j.check(c, l, j.gross, j.taken, int64(l.value))
		f.Assumes = l.assumes(configs, drives)
		t.add(outcome, l.reason, why)
		f.Reasons |= doubt
		j.show(f)
	}
}

// row tells whether a limit is a row of the table in force for n axles.
func (j *judgement) row(l *limit, n uint8) bool {
	return l.basis == grossByAxles && l.inForce(j.f.Time) && l.axles.has(n)
}

// possible tells whether a row may be this vehicle's as far as is known.
func (j *judgement) possible(l *limit) bool {
	return (j.config == wim.ConfigurationUnknown || l.config == j.config) && (j.drive == 0 || l.drive.has(j.drive))
}

// assumes names what must be so for the limit to apply.
func (l *limit) assumes(configs, drives bool) string {
	switch {
	case configs && drives:
		return l.assumesBoth
	case configs:
		return l.assumesConfig
	}
	return l.assumesDrive
}

// postedGross judges the gross mass against the sign at the road.
func (j *judgement) postedGross(c *competence, l *limit, t *tally) {
	posted := int64(j.f.Road.Posted.Gross)
	switch {
	case posted <= 0:
	case j.gross == 0:
		t.add(wim.Unknown, 0, whyGross)
	default:
		j.settle(j.check(c, l, j.gross, j.taken, posted), t)
	}
}

// postedAxles judges every axle against the sign at the road.
func (j *judgement) postedAxles(c *competence, l *limit, t *tally) {
	posted := int64(j.f.Road.Posted.Axle)
	if posted <= 0 {
		return
	}
	axles := j.f.Vehicle.Axles
	if len(axles) == 0 {
		t.add(wim.Unknown, 0, whyAxles)
	}
	for i := range axles {
		load := axles[i].Load
		if load < 0 {
			t.add(wim.Unknown, 0, whyAxles)
			continue
		}
		_, taken := load.Deduct(j.axleErr)
		f := j.check(c, l, int64(load), int64(taken), posted)
		f.Index = uint8(min(i+1, 255))
		j.settle(f, t)
	}
}
