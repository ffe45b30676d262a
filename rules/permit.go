package rules

import "github.com/axlegate/axlegate/wim"

// permission is what the permits of the drawing vehicle's plate come to; looked for once a judgement.
type permission struct {
	looked bool
	by     *wim.Permit // the one that covers the vehicle, or else the first
	breach string      // what it is not kept in, empty where it covers
}

// What a permit may not be kept in: Order 62 Art. 47 takes any of them as transport without a permit.
const (
	breachTime    = "time"
	breachRoute   = "route"
	breachTrailer = "trailer"
	breachAxles   = "axles"
	breachGross   = "gross"
	breachAxle    = "axle-load"
	breachLength  = "length"
	breachWidth   = "width"
	breachHeight  = "height"
)

// look finds the permit that covers the vehicle.
func (j *judgement) look() *permission {
	p := &j.permit
	if p.looked {
		return p
	}
	p.looked = true
	for i := range j.f.Permits {
		x := &j.f.Permits[i]
		if len(j.f.Units) == 0 || x.Plate != j.f.Units[0].Plate {
			continue // another vehicle's
		}
		breach := j.breachOf(x)
		if p.by == nil || breach == "" {
			p.by, p.breach = x, breach
		}
		if breach == "" {
			break
		}
	}
	return p
}

// breachOf tells what of a permit is not kept. Masses and sizes are held against it after their deduction.
func (j *judgement) breachOf(p *wim.Permit) string {
	v := &j.f.Vehicle
	size := func(measured, permitted wim.Mm) bool {
		e := v.SizeError
		if e <= 0 {
			e = mm(j.set.uncertifiedSize)
		}
		return permitted > 0 && measured-e > permitted
	}
	switch {
	case j.f.Time < p.ValidFrom || j.f.Time >= p.ValidUntil:
		return breachTime
	case !onRoute(p, j.f.Road.Name):
		return breachRoute
	case p.Trailer != "" && (len(j.f.Units) < 2 || j.f.Units[1].Plate != p.Trailer):
		return breachTrailer
	case p.Axles > 0 && len(v.Axles) != int(p.Axles):
		return breachAxles
	case p.Gross > 0 && j.gross-j.taken > int64(p.Gross):
		return breachGross
	case size(v.Length, p.Length):
		return breachLength
	case size(v.Width, p.Width):
		return breachWidth
	case size(v.Height, p.Height):
		return breachHeight
	}
	if p.Axle > 0 {
		for i := range v.Axles {
			if left, _ := v.Axles[i].Load.Deduct(j.axleErr); left > p.Axle {
				return breachAxle
			}
		}
	}
	return ""
}

func onRoute(p *wim.Permit, road string) bool {
	if len(p.Roads) == 0 {
		return true
	}
	for _, r := range p.Roads {
		if r == road {
			return true
		}
	}
	return false
}

// raises gives what a permit allows of a limit's quantity over so many axles, 0 where it says nothing of it.
func raises(p *wim.Permit, b basis, axles int64) int64 {
	switch b {
	case onGross, onAxleSum:
		return int64(p.Gross)
	case onAxle:
		return int64(p.Axle)
	case onGroup, onRun:
		return int64(p.Axle) * axles
	case onLength:
		return int64(p.Length)
	case onWidth:
		return int64(p.Width)
	case onHeight:
		return int64(p.Height)
	case postedGross, postedAxle, postedLength, postedWidth, postedHeight, ratedLoad, licenceGross, towedMass:
	}
	return 0
}

// permitted settles a limit that would be exceeded and that a permit raises; false where none does.
func (j *judgement) permitted(c *competence, l *limit, base, measured, taken int64, first, last uint8, t *tally) bool {
	if !l.permit || len(j.f.Permits) == 0 {
		return false
	}
	p := j.look()
	if p.by == nil || p.breach != "" {
		return false
	}
	axles := int64(1)
	if last > first {
		axles = int64(last-first) + 1
	}
	high := raises(p.by, l.basis, axles)
	if high <= base {
		return false
	}
	w := j.weigh(l, measured, taken, high)
	if w.found == exceeded {
		return false
	}
	var r *row
	for i := range l.rows {
		if l.rows[i].inForce(j.f.Time) {
			r = &l.rows[i]
			break
		}
	}
	f := j.show(c, l, r, measured, taken, high, w)
	f.Limit, f.Article, f.Index, f.Last, f.Permit = l.id, l.permitArticle, first, last, p.by.Number
	f.Reasons = 0
	if j.f.Vehicle.Flags.Has(wim.PlateUncertain) {
		f.Reasons |= wim.PlateDoubtful
	}
	j.settle(w.found, f, t)
	return true
}

// breach names, on a finding that exceeds, the permit that does not cover it.
func (j *judgement) breach(f *wim.Finding, l *limit) {
	if !l.permit || len(j.f.Permits) == 0 {
		return
	}
	if p := j.look(); p.by != nil {
		f.Permit, f.Breach = p.by.Number, p.breach
	}
}
