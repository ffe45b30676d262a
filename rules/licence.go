package rules

import "github.com/axlegate/axlegate/wim"

// tractor tells whether a licence is a tractor's: it tows and carries nothing itself.
func tractor(r *wim.Registration) bool { return r.Rated <= 0 && r.Towed > 0 }

// cargo judges what is carried, gross less all kerb masses, against the rated loads of all units.
//
// A unit whose licence is not known makes a train's cargo unknown, with one exception: a trailer's kerb
// mass only lessens the cargo and its rated load only adds to what is permitted, so where nothing is
// exceeded with both taken as nothing, nothing is exceeded with any.
func (j *judgement) cargo(c *competence, l *limit, t *tally) {
	if j.gross == 0 {
		j.unknown(whyGross, t)
		return
	}
	if j.lead == nil || j.lead.Kerb <= 0 || j.lead.Rated <= 0 && !tractor(j.lead) {
		j.unknown(whyRegistration, t)
		return
	}
	r := &l.rows[0]
	hasAlone := j.config != wim.Train && !tractor(j.lead)
	var alone, train claim
	if hasAlone {
		alone = j.cargoOf(l, 1)
	}
	if j.config == wim.Rigid {
		if hasAlone {
			j.settle(alone.found, j.claim(c, l, r, &alone), t)
		}
		return
	}
	known := j.registered()
	train = j.cargoOf(l, known)
	complete := known == len(j.f.Units) && known > 1
	switch {
	case j.config == wim.Train && complete:
		j.settle(train.found, j.claim(c, l, r, &train), t)
	case train.found != exceeded && (!hasAlone || alone.found == train.found):
		// No branch accuses. With the trailer's kerb mass and rated load this can only be less.
		one, assumes := &train, ""
		switch {
		case !complete && j.config == wim.Train:
			assumes = assumesNoTrailer
		case j.config != wim.Train && hasAlone:
			one, assumes = &alone, assumesRigid
		case j.config != wim.Train:
			assumes = assumesTrain
		}
		f := j.claim(c, l, r, one)
		f.Assumes = assumes
		j.settle(one.found, f, t)
	case hasAlone && complete && alone.found == exceeded && train.found == exceeded:
		one, assumes := &alone, assumesRigid
		if train.excess <= alone.excess {
			one, assumes = &train, assumesTrain
		}
		f := j.claim(c, l, r, one)
		f.Assumes = assumes
		j.settle(one.found, f, t)
	default:
		j.cargoBranches(c, l, &alone, &train, hasAlone, complete, t)
	}
}

// claim is what was weighed and against what.
type claim struct {
	weighed

	measured, taken, permitted int64
}

// claim shows what was weighed.
func (j *judgement) claim(c *competence, l *limit, r *row, x *claim) *wim.Finding {
	return j.show(c, l, r, x.measured, x.taken, x.permitted, x.weighed)
}

// cargoBranches shows what can be computed and leaves the outcome open where a branch accuses.
func (j *judgement) cargoBranches(c *competence, l *limit, alone, train *claim, hasAlone, complete bool, t *tally) {
	r := &l.rows[0]
	accused := !complete // of what a trailer weighs and carries, nothing is known
	worst := compliant
	doubt, why := wim.InputMissing, whyRegistration
	if complete {
		doubt, why = doubt|wim.ConfigurationUnsure, whyConfiguration
	}
	if hasAlone {
		accused = accused || alone.found == exceeded
		worst = alone.found
		f := j.claim(c, l, r, alone)
		f.Assumes = assumesRigid
		f.Reasons |= doubt
	}
	if complete {
		accused = accused || train.found == exceeded
		if train.found > worst {
			worst = train.found
		}
		f := j.claim(c, l, r, train)
		f.Assumes = assumesTrain
		f.Reasons |= doubt
	}
	if accused {
		t.add(unknown, r.reason, why)
		return
	}
	t.add(worst, r.reason, "")
}

// registered counts the units from the front whose licences say what the cargo needs.
func (j *judgement) registered() int {
	for i := range j.f.Units {
		r := j.f.Units[i].Registration
		if r == nil || r.Kerb <= 0 || i > 0 && r.Rated <= 0 {
			return i
		}
	}
	return len(j.f.Units)
}

// cargoOf weighs the cargo with the first n units' licences.
func (j *judgement) cargoOf(l *limit, n int) claim {
	kerb, rated := int64(j.set.crew), int64(0)
	for i := range j.f.Units[:n] {
		r := j.f.Units[i].Registration
		kerb += int64(max(r.Kerb, 0))
		rated += int64(max(r.Rated, 0))
	}
	x := claim{measured: max(j.gross-kerb, 0), taken: j.taken, permitted: rated}
	x.weighed = j.weigh(l, x.measured, x.taken, rated)
	return x
}

// licence judges the gross mass of a truck alone against the maximum on its licence.
func (j *judgement) licence(c *competence, l *limit, t *tally) {
	r := &l.rows[0]
	if j.config == wim.Train || j.gross == 0 || j.lead == nil || j.lead.Gross <= 0 || !r.axles.has(uint8(min(len(j.f.Vehicle.Axles), 255))) {
		return
	}
	j.onlyIf(c, l, j.gross, int64(j.lead.Gross), wim.Rigid, t)
}

// towed judges what a tractor draws. A truck that carries and tows is left out: its own cargo cannot be
// told from the trailer's.
func (j *judgement) towed(c *competence, l *limit, t *tally) {
	if j.config == wim.Rigid || j.gross == 0 || j.lead == nil || !tractor(j.lead) || j.lead.Kerb <= 0 {
		return
	}
	j.onlyIf(c, l, max(j.gross-int64(j.lead.Kerb)-int64(j.set.crew), 0), int64(j.lead.Towed), wim.Train, t)
}

// onlyIf judges a quantity that exists in one configuration only: where that is not sure an excess leaves the
// outcome open.
func (j *judgement) onlyIf(c *competence, l *limit, measured, permitted int64, in wim.Configuration, t *tally) {
	w := j.weigh(l, measured, j.taken, permitted)
	f := j.show(c, l, &l.rows[0], measured, j.taken, permitted, w)
	if w.found == exceeded && !c.needsPlate && j.f.Vehicle.Flags.Has(wim.PlateUncertain) {
		f.Reasons |= wim.PlateDoubtful // the licence may be another vehicle's
	}
	if j.config == in {
		j.settle(w.found, f, t)
		return
	}
	f.Assumes = string(in)
	if w.found == exceeded {
		f.Reasons |= wim.InputMissing | wim.ConfigurationUnsure
		t.add(unknown, l.rows[0].reason, whyConfiguration)
		return
	}
	t.add(w.found, f.Reasons, "")
}
