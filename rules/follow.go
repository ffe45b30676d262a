package rules

import "github.com/axlegate/axlegate/wim"

// follow judges one competence by its part of a plan. A test holds it against judging at length.
func (j *judgement) follow(c *competence, p *part, t *tally) {
	v, sign := &j.f.Vehicle, &j.f.Road.Posted
	for k := range p.steps {
		s := &p.steps[k]
		switch s.does {
		case doLimit:
			j.limit(c, s.limit, t)
		case doGross:
			j.mass(c, s, j.gross, j.taken, s.low, s.high, t)
		case doAxles:
			measured, taken := j.axleMass(s)
			j.mass(c, s, measured, taken, s.low, s.high, t)
		case doLength:
			j.length(c, s, v.Length, s.low, s.high, t)
		case doWidth:
			j.length(c, s, v.Width, s.low, s.high, t)
		case doHeight:
			j.length(c, s, v.Height, s.low, s.high, t)
		case doPostedGross:
			j.mass(c, s, j.gross, j.taken, int64(sign.Gross), int64(sign.Gross), t)
		case doPostedAxle:
			measured, taken := j.axleMass(s)
			j.mass(c, s, measured, taken, int64(sign.Axle), int64(sign.Axle), t)
		case doPostedLength:
			j.length(c, s, v.Length, int64(sign.Length), int64(sign.Length), t)
		case doPostedWidth:
			j.length(c, s, v.Width, int64(sign.Width), int64(sign.Width), t)
		case doPostedHeight:
			j.length(c, s, v.Height, int64(sign.Height), int64(sign.Height), t)
		case doCargo:
			j.carried(c, s, t)
		case doTowed:
			if r := j.lead; r != nil && tractor(r) && r.Kerb > 0 {
				j.mass(c, s, max(j.gross-int64(r.Kerb)-int64(j.set.crew), 0), j.taken, int64(r.Towed), int64(r.Towed), t)
			}
		case doLicence:
			if r := j.lead; r != nil && r.Gross > 0 {
				j.mass(c, s, j.gross, j.taken, int64(r.Gross), int64(r.Gross), t)
			}
		}
	}
	if !p.inForce || t.found == nothing {
		t.close(p.inForce)
	}
}

// axleMass is what a comparison's axles weigh, and what the instrument's error takes off.
func (j *judgement) axleMass(s *comparison) (measured, taken int64) {
	measured = int64(j.before[s.last+1] - j.before[s.first])
	return measured, (measured*int64(j.axleErr) + 999) / 1000
}

// carried judges the cargo of a truck alone, or of a train of which every licence is known.
func (j *judgement) carried(c *competence, s *comparison, t *tally) {
	units := j.f.Units
	if j.config == wim.Rigid {
		units = units[:min(len(units), 1)]
	}
	kerb, rated := int64(j.set.crew), int64(0)
	for i := range units {
		r := units[i].Registration
		if r == nil || r.Kerb <= 0 || r.Rated <= 0 && (i > 0 || j.config == wim.Rigid || !tractor(r)) {
			units = nil
			break
		}
		kerb += int64(r.Kerb)
		rated += int64(max(r.Rated, 0))
	}
	if len(units) == 0 || j.config == wim.Train && len(units) < 2 || rated >= planMass {
		j.limit(c, s.limit, t)
		return
	}
	j.mass(c, s, max(j.gross-kerb, 0), j.taken, rated, rated, t)
}

// mass compares a mass with what is permitted in the strictest and in the most lenient case. Most of a judgement is here,
// so it calls nothing where one case is possible and nothing is to be looked at.
func (j *judgement) mass(c *competence, s *comparison, measured, taken, low, high int64, t *tally) {
	form, result := formKept, compliant
	var excess int64
	if measured > low {
		excess = measured - taken - high
		if !s.plain || low != high || excess > 0 && j.mayBePermitted(s) {
			j.above(c, s, measured, taken, low, high, t)
			return
		}
		form, result = formWithin, withinTolerance
		if excess > 0 {
			form, result = formExceeded+s.ladder.reached(measured-taken, excess, high), exceeded
		}
	}
	f := j.slot()
	*f = s.shown[form]
	// What has a plan is below planMass, and so is what it may carry.
	f.Measured, f.Deducted, f.Permitted = wim.Kg(measured), wim.Kg(taken), wim.Kg(high) //nolint:gosec // see above
	if excess > 0 {
		f.Excess = wim.Kg(excess) //nolint:gosec // see above
		f.Ratio = f.Excess.Of(f.Permitted)
		f.Reasons |= j.doubtful
	}
	if s.counts {
		t.add(result, f.Reasons, "")
	}
}

// above compares a mass that is more than the strictest case permits.
func (j *judgement) above(c *competence, s *comparison, measured, taken, low, high int64, t *tally) {
	net := measured - taken
	w := s.weigh(measured, net, high)
	if low != high {
		if x := s.weigh(measured, net, low); x.found != w.found {
			j.disagree(c, s, measured, taken, x, w, t)
			return
		}
	}
	if w.found == exceeded && j.mayBePermitted(s) {
		j.fallBack(c, s, measured, taken, t)
		return
	}
	f := j.enter(s, s.shown, measured, taken, high, w)
	if w.found == exceeded && s.lawful != s.high {
		j.doubt(s, f, net)
	}
	if s.counts {
		t.add(w.found, f.Reasons, "")
	}
}

// enter shows what a mass came to.
func (j *judgement) enter(s *comparison, shown forms, measured, taken, permitted int64, w weighed) *wim.Finding {
	f := j.slot()
	*f = shown[s.form(&w, measured-taken, permitted)]
	f.Measured, f.Deducted, f.Permitted = wim.Kg(measured), wim.Kg(taken), wim.Kg(permitted) //nolint:gosec // below planMass
	f.Excess, f.Tolerance = wim.Kg(w.excess), wim.Kg(w.tolerance)                            //nolint:gosec // likewise
	if w.found == exceeded {
		f.Ratio = f.Excess.Of(f.Permitted)
		w.reasons |= j.doubtful
	}
	f.Reasons |= w.reasons
	return f
}

// disagree shows a mass of which the possible cases say different things.
func (j *judgement) disagree(c *competence, s *comparison, measured, taken int64, strict, lenient weighed, t *tally) {
	if s.asked.sum == nil || strict.found != exceeded || j.mayBePermitted(s) {
		j.fallBack(c, s, measured, taken, t)
		return
	}
	j.enter(s, s.asked.least, measured, taken, s.low, strict)
	j.enter(s, s.asked.most, measured, taken, s.high, lenient)
	if s.counts {
		t.add(unknown, 0, s.asked.open)
	}
}

// length compares a size.
func (j *judgement) length(c *competence, s *comparison, size wim.Mm, low, high int64, t *tally) {
	measured, taken := int64(size), int64(j.f.Vehicle.SizeError)
	weak := wim.Reason(0)
	if taken <= 0 {
		taken, weak = j.set.uncertifiedSize, wim.SizeNotCertified
	}
	taken = min(taken, measured)
	w, form := weighed{found: compliant}, formKept
	if measured > low {
		w = s.weigh(measured, measured-taken, high)
		if low != high && s.weigh(measured, measured-taken, low).found != w.found || w.found == exceeded && j.mayBePermitted(s) {
			j.weak = weak
			j.fallBack(c, s, measured, taken, t)
			j.weak = 0
			return
		}
		form = s.form(&w, measured-taken, high)
	}
	f := j.slot()
	*f = s.shown[form]
	f.Size.Measured, f.Size.Deducted, f.Size.Permitted = size, mm(taken), mm(high)
	if form != formKept {
		f.Size.Excess = mm(w.excess)
		f.Reasons |= w.reasons
	}
	if form >= formExceeded {
		f.Ratio = kg(w.excess).Of(kg(high))
		f.Reasons |= weak | j.doubtful
	}
	if s.counts {
		t.add(w.found, f.Reasons, "")
	}
}

// form picks the form of what was weighed.
func (s *comparison) form(w *weighed, net, permitted int64) int {
	switch {
	case w.found == exceeded:
		return formExceeded + s.ladder.reached(net, w.excess, permitted)
	case w.found == withinTolerance:
		return formWithin
	}
	return formKept
}

// weigh compares, as judging at length does.
func (s *comparison) weigh(measured, net, permitted int64) weighed {
	over := net - permitted
	switch {
	case over > 0 && s.tolerance != nil:
		return s.tolerance.weigh(net, over, permitted)
	case over > 0:
		return weighed{found: exceeded, excess: over}
	case measured > permitted:
		return weighed{found: withinTolerance}
	}
	return weighed{found: compliant}
}

// mayBePermitted tells whether a permit has to be looked at before something is exceeded.
func (j *judgement) mayBePermitted(s *comparison) bool { return s.limit.permit && len(j.f.Permits) > 0 }

// fallBack judges at length by the cases that the plan knows.
func (j *judgement) fallBack(c *competence, s *comparison, measured, taken int64, t *tally) {
	j.quiet, j.waiver = s.limit.informs, ""
	if s.asked.sum != nil {
		j.summed(c, s.limit, s.asked.sum, t)
		return
	}
	j.chosen(c, s.limit, &s.asked.subject, &s.asked.choice, measured, taken, s.shown[formKept].Index, s.shown[formKept].Last, t)
}

// doubt adds to an excess that it is none without what the set presumes of the axles.
func (j *judgement) doubt(s *comparison, f *wim.Finding, net int64) {
	if s.weigh(net, net, s.lawful).found != exceeded {
		f.Reasons |= wim.InputPresumed
	}
}
