package rules

import "github.com/axlegate/axlegate/wim"

// byAxles judges the gross mass by the number of axles and how the vehicle is made up.
func (j *judgement) byAxles(c *competence, l *limit, t *tally) {
	if j.gross == 0 {
		j.unknown(whyGross, t)
		return
	}
	s, known := j.whole(l)
	if !known {
		j.unknown(whySpacing, t)
		return
	}
	j.decide(c, l, &s, j.gross, j.taken, 0, 0, t)
}

// whole is the subject of a gross limit; known is false where a distance is not that it asks.
func (j *judgement) whole(l *limit) (s subject, known bool) {
	axles := j.f.Vehicle.Axles
	s = subject{word: j.word, axles: uint8(min(len(axles), 255))}
	if len(axles) <= 2 {
		s.word = s.word&^markConfig | markRigid // no train has so few
		if j.config == wim.Train {
			s.word = j.word
		}
	}
	if l.asks&(1<<fieldSpacing) != 0 && !j.spread(&s) {
		return s, false
	}
	if len(l.adjusts) > 0 {
		s.adjust, s.open = j.adjusted(l)
	}
	return s, true
}

// sized is the subject of a limit on a size.
func (j *judgement) sized() subject {
	return subject{word: j.word, axles: uint8(min(len(j.f.Vehicle.Axles), 255))}
}

// spread gives the whole vehicle its distances, from first to last axle and of the last two; false where one is not known.
func (j *judgement) spread(s *subject) bool {
	axles := j.f.Vehicle.Axles
	span, last := int64(0), wim.Mm(0)
	for i := 1; i < len(axles); i++ {
		if last = axles[i].Spacing; last <= 0 {
			return false
		}
		span += int64(last)
	}
	s.span, s.spacing = mmOf(span), reach{int32(last), int32(last)}
	return true
}

// adjusted adds up what the axles change of a gross limit, in the strictest and in the most lenient case; open is the most
// lenient were nothing presumed but by statute.
func (j *judgement) adjusted(l *limit) (sum reach, open int32) {
	m := j.made
	for i := range m.n {
		at := m.at(i)
		maybe := at
		if m.word[i]&markUnit == markUnit {
			maybe |= posMotor | posTrailer
		}
		if m.doubtful[m.group[i]] {
			maybe |= posGrouped | posAlone
		}
		for k := range l.adjusts {
			a := &l.adjusts[k]
			w := m.word[i]
			if maybe&a.where == 0 || w&a.tyres == 0 || a.need != 0 && w&a.need == 0 {
				continue
			}
			by := int32(a.by)
			sure := at&a.where != 0 && a.fits(w)
			if sure || by < 0 {
				sum.low += by
			}
			if sure || by > 0 {
				sum.high += by
			}
			if sure && a.fits(w|m.guessed[i]) || by > 0 {
				open += by
			}
		}
	}
	return sum, open
}

// fits tells whether an adjustment surely is for such an axle.
func (a *adjustment) fits(w mark) bool {
	return w&markTyres&^a.tyres == 0 && (a.need == 0 || w&fieldOf(a.need)&^a.need == 0)
}

// size judges length, width or height against the rows or the sign.
func (j *judgement) size(c *competence, l *limit, t *tally) {
	v, p := &j.f.Vehicle, &j.f.Road.Posted
	var measured, posted wim.Mm
	switch l.basis { //nolint:exhaustive // the others are no sizes
	case onLength, postedLength:
		measured, posted = v.Length, p.Length
	case onWidth, postedWidth:
		measured, posted = v.Width, p.Width
	case onHeight, postedHeight:
		measured, posted = v.Height, p.Height
	}
	if measured <= 0 || l.basis >= postedLength && posted <= 0 {
		return // most sites measure no size; that is no missing input but no measurement
	}
	taken, weak := int64(v.SizeError), wim.Reason(0)
	if v.SizeError <= 0 {
		taken, weak = j.set.uncertifiedSize, wim.SizeNotCertified
	}
	taken = min(taken, int64(measured))
	j.weak = weak
	if l.basis >= postedLength {
		j.settleBy(c, l, int64(measured), taken, int64(posted), 0, t)
	} else {
		s := j.sized()
		j.decide(c, l, &s, int64(measured), taken, 0, 0, t)
	}
	j.weak = 0
}

// postedGross judges the gross mass against the sign at the road.
func (j *judgement) postedGross(c *competence, l *limit, t *tally) {
	posted := int64(j.f.Road.Posted.Gross)
	switch {
	case posted <= 0:
	case j.gross == 0:
		j.unknown(whyGross, t)
	default:
		j.settleBy(c, l, j.gross, j.taken, posted, 0, t)
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
		j.unknown(whyAxles, t)
	}
	for i := range axles {
		load := axles[i].Load
		if load < 0 {
			j.unknown(whyAxles, t)
			continue
		}
		_, taken := load.Deduct(j.axleErr)
		j.settleBy(c, l, int64(load), int64(taken), posted, uint8(min(i+1, 255)), t)
	}
}

// settleBy judges by a limit of one case whose permitted value the facts give.
func (j *judgement) settleBy(c *competence, l *limit, measured, taken, permitted int64, axle uint8, t *tally) {
	w := j.weigh(l, measured, taken, permitted)
	f := j.show(c, l, &l.rows[0], measured, taken, permitted, w)
	f.Index = axle
	j.settle(w.found, f, t)
}
