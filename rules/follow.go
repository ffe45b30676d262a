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
	if len(units) == 0 || j.config == wim.Train && len(units) < 2 {
		j.limit(c, s.limit, t)
		return
	}
	j.mass(c, s, max(j.gross-kerb, 0), j.taken, rated, rated, t)
}

// mass compares a mass with what is permitted in the strictest and in the most lenient case.
func (j *judgement) mass(c *competence, s *comparison, measured, taken, low, high int64, t *tally) {
	w := weighed{found: compliant}
	if measured > low {
		var plain bool
		if w, plain = j.compare(s, measured, taken, low, high); !plain {
			j.fallBack(c, s, measured, taken, t)
			return
		}
	}
	f := j.slot()
	*f = s.shown
	f.Measured, f.Deducted, f.Permitted = kg(measured), kg(taken), kg(high)
	if w.found != compliant {
		f.Excess, f.Tolerance = kg(w.excess), kg(w.tolerance)
		j.heavier(s, f, &w, measured-taken, high)
	}
	if s.counts {
		t.add(w.found, f.Reasons, "")
	}
}

// length compares a size.
func (j *judgement) length(c *competence, s *comparison, size wim.Mm, low, high int64, t *tally) {
	measured, taken := int64(size), int64(j.f.Vehicle.SizeError)
	j.weak = 0
	if taken <= 0 {
		taken, j.weak = j.set.uncertifiedSize, wim.SizeNotCertified
	}
	taken = min(taken, measured)
	w := weighed{found: compliant}
	if measured > low {
		var plain bool
		if w, plain = j.compare(s, measured, taken, low, high); !plain {
			j.fallBack(c, s, measured, taken, t)
			j.weak = 0
			return
		}
	}
	f := j.slot()
	*f = s.shown
	f.Size.Measured, f.Size.Deducted, f.Size.Permitted = wim.Mm(measured), mm(taken), mm(high)
	if w.found != compliant {
		f.Size.Excess = mm(w.excess)
		j.heavier(s, f, &w, measured-taken, high)
	}
	if s.counts {
		t.add(w.found, f.Reasons, "")
	}
	j.weak = 0
}

// compare weighs what is above the strictest case; plain is false where the cases disagree or a permit has to be looked at.
func (j *judgement) compare(s *comparison, measured, taken, low, high int64) (w weighed, plain bool) {
	w = j.weigh(s.limit, measured, taken, high)
	if low != high && j.weigh(s.limit, measured, taken, low).found != w.found {
		return w, false
	}
	return w, w.found != exceeded || !s.limit.permit || len(j.f.Permits) == 0
}

// fallBack judges at length by the cases that the plan knows.
func (j *judgement) fallBack(c *competence, s *comparison, measured, taken int64, t *tally) {
	j.quiet, j.waiver = s.limit.informs, ""
	if s.asked.sum != nil {
		j.summed(c, s.limit, s.asked.sum, t)
		return
	}
	j.chosen(c, s.limit, &s.asked.subject, &s.asked.choice, measured, taken, s.shown.Index, s.shown.Last, t)
}

// heavier writes into a finding that it is above its limit: within tolerance or exceeded.
func (j *judgement) heavier(s *comparison, f *wim.Finding, w *weighed, net, permitted int64) {
	f.Outcome = w.found.outcome()
	f.Reasons |= w.reasons
	if w.found != exceeded {
		return
	}
	f.Ratio = kg(w.excess).Of(kg(permitted))
	f.Reasons |= j.weak | s.presumed
	if j.presumed {
		f.Reasons |= wim.KindPresumed
	}
	if s.asked != nil && s.lawful != s.high && j.weigh(s.limit, net, 0, s.lawful).found != exceeded {
		f.Reasons |= wim.InputPresumed // what the set presumes of the axles lowers the limit so far
	}
	if s.row.ladder != nil {
		s.row.ladder.grade(f, net, w.excess, permitted)
	}
}
