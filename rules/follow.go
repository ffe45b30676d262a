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
	t.close(p.inForce)
}

// axleMass is what a step's axles weigh, and what the instrument's error takes off.
func (j *judgement) axleMass(s *comparison) (measured, taken int64) {
	for i := s.first; i <= s.last; i++ {
		measured += int64(j.f.Vehicle.Axles[i].Load)
	}
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

// mass compares a mass with what is permitted in the strictest and in the most lenient case.
func (j *judgement) mass(c *competence, s *comparison, measured, taken, low, high int64, t *tally) {
	if measured > low {
		j.above(c, s, measured, taken, low, high, t)
		return
	}
	j.put(&s.shown, measured, taken, high)
	if s.counts {
		t.add(compliant, s.shown.Reasons, "")
	}
}

// put shows a mass in the place of the next finding.
func (j *judgement) put(shown *wim.Finding, measured, taken, permitted int64) *wim.Finding {
	f := j.slot()
	*f = *shown
	// What has a plan is below planMass, and so is what it may carry.
	f.Measured, f.Deducted, f.Permitted = wim.Kg(measured), wim.Kg(taken), wim.Kg(permitted) //nolint:gosec // see above
	return f
}

// above compares a mass that is more than the strictest case permits.
func (j *judgement) above(c *competence, s *comparison, measured, taken, low, high int64, t *tally) {
	net := measured - taken
	w := s.weigh(measured, net, high)
	if low != high {
		if x := s.weigh(measured, net, low); x.found != w.found {
			j.disagree(c, s, measured, taken, &x, &w, t)
			return
		}
	}
	if w.found == exceeded && j.mayBePermitted(s) {
		j.fallBack(c, s, measured, taken, t)
		return
	}
	f := j.put(&s.shown, measured, taken, high)
	j.heavier(s, f, &w, net, high)
	if w.found == exceeded {
		j.doubt(s, f, net)
	}
	if s.counts {
		t.add(w.found, f.Reasons, "")
	}
}

// disagree shows a mass of which the possible cases say different things.
func (j *judgement) disagree(c *competence, s *comparison, measured, taken int64, strict, lenient *weighed, t *tally) {
	if s.asked.sum == nil || strict.found != exceeded || j.mayBePermitted(s) {
		j.fallBack(c, s, measured, taken, t)
		return
	}
	j.heavier(s, j.put(&s.asked.least, measured, taken, s.low), strict, measured-taken, s.low)
	j.heavier(s, j.put(&s.asked.most, measured, taken, s.high), lenient, measured-taken, s.high)
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
	net := measured - taken
	w := weighed{found: compliant}
	if measured > low {
		w = s.weigh(measured, net, high)
		if low != high && s.weigh(measured, net, low).found != w.found || w.found == exceeded && j.mayBePermitted(s) {
			j.weak = weak
			j.fallBack(c, s, measured, taken, t)
			j.weak = 0
			return
		}
	}
	f := j.slot()
	*f = s.shown
	f.Size = wim.Size{Measured: size, Deducted: mm(taken), Permitted: mm(high)}
	if w.found != compliant {
		j.heavier(s, f, &w, net, high)
		f.Size.Excess, f.Excess, f.Tolerance = mm(w.excess), 0, 0
	}
	if w.found == exceeded {
		f.Reasons |= weak
		j.doubt(s, f, net)
	}
	if s.counts {
		t.add(w.found, f.Reasons, "")
	}
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
	j.chosen(c, s.limit, &s.asked.subject, &s.asked.choice, measured, taken, s.shown.Index, s.shown.Last, t)
}

// heavier writes into a finding what was weighed.
func (j *judgement) heavier(s *comparison, f *wim.Finding, w *weighed, net, permitted int64) {
	f.Tolerance = wim.Kg(w.tolerance) //nolint:gosec // below planMass
	f.Reasons |= w.reasons
	switch w.found { //nolint:exhaustive // nothing else is weighed
	case withinTolerance:
		f.Outcome = wim.WithinTolerance
	case exceeded:
		f.Outcome = wim.Exceeded
		f.Excess = wim.Kg(w.excess)              //nolint:gosec // below planMass
		f.Ratio = f.Excess.Of(wim.Kg(permitted)) //nolint:gosec // likewise
		if j.presumed {
			f.Reasons |= wim.KindPresumed
		}
		if s.ladder != nil {
			s.ladder.grade(f, net, w.excess, permitted)
		}
	}
}

// doubt adds to an excess what was presumed of the axles.
func (j *judgement) doubt(s *comparison, f *wim.Finding, net int64) {
	f.Reasons |= s.presumed
	if s.asked != nil && s.lawful != s.high && s.weigh(net, net, s.lawful).found != exceeded {
		f.Reasons |= wim.InputPresumed // what the set presumes of the axles lowers the limit so far
	}
}
