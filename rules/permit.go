package rules

import "github.com/axlegate/axlegate/wim"

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

// kept tells whether a permit of the drawing vehicle covers the vehicle: breach names what it is not kept in, empty for
// nothing; open is true where something that it says could not be looked at. Masses and sizes are held against it after
// their deduction.
func (j *judgement) kept(p *wim.Permit) (breach string, open bool) {
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
		return breachTime, false
	case !onRoute(p, j.f.Road.Name):
		return breachRoute, false
	case p.Trailer != "" && (j.config == wim.Rigid || len(j.f.Units) > 1 && j.f.Units[1].Plate != "" && j.f.Units[1].Plate != p.Trailer):
		return breachTrailer, false
	case p.Axles > 0 && len(v.Axles) != int(p.Axles):
		return breachAxles, false
	case p.Gross > 0 && j.gross-j.taken > int64(p.Gross):
		return breachGross, false
	case size(v.Length, p.Length):
		return breachLength, false
	case size(v.Width, p.Width):
		return breachWidth, false
	case size(v.Height, p.Height):
		return breachHeight, false
	}
	// A trailer whose plate was not read, a gross or an axle that was not weighed, may keep to it or not.
	unread := len(j.f.Units) < 2 || j.f.Units[1].Plate == ""
	open = p.Trailer != "" && unread || p.Gross > 0 && j.gross == 0
	if p.Axle > 0 {
		for i := range v.Axles {
			if v.Axles[i].Load < 0 {
				open = true
			} else if left, _ := v.Axles[i].Load.Deduct(j.axleErr); left > p.Axle {
				return breachAxle, false
			}
		}
	}
	return "", open
}

// permission is the permit that bears on one limit.
type permission struct {
	by     *wim.Permit // nil for none
	high   int64       // what it permits, 0 where it raises nothing
	breach string      // why it raises nothing
	open   bool        // whether it is kept is not known
}

// look finds, among the permits of the drawing vehicle, the one that raises a limit the most: first among those that are
// kept, then among those that may be; else the first by number, with what it is not kept in. So the order in which they
// stand in the facts decides nothing.
func (j *judgement) look(b basis, base, axles int64) permission {
	var best permission
	for i := range j.f.Permits {
		x := &j.f.Permits[i]
		if len(j.f.Units) == 0 || x.Plate != j.f.Units[0].Plate {
			continue // another vehicle's
		}
		p := permission{by: x}
		if p.breach, p.open = j.kept(x); p.breach == "" {
			if p.high = raises(x, b, axles); p.high <= base {
				p.high, p.breach = 0, quantity(b)
			}
		}
		if best.by == nil || p.before(&best) {
			best = p
		}
	}
	return best
}

// before tells whether a permit bears on a limit rather than another.
func (p *permission) before(o *permission) bool {
	switch {
	case (p.high > 0) != (o.high > 0):
		return p.high > 0
	case p.high > 0 && p.open != o.open:
		return !p.open
	case p.high != o.high:
		return p.high > o.high
	}
	return p.by.Number < o.by.Number
}

// quantity names what a permit says nothing of.
func quantity(b basis) string {
	switch b { //nolint:exhaustive // the others cannot be raised
	case onAxle, onGroup, onRun:
		return breachAxle
	case onLength:
		return breachLength
	case onWidth:
		return breachWidth
	case onHeight:
		return breachHeight
	}
	return breachGross
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

// permitted settles a limit that would be exceeded and that a permit raises; false where none does. Where it is not
// known whether the permit is kept, both branches are shown and the outcome is Unknown.
func (j *judgement) permitted(c *competence, l *limit, r *row, base, measured, taken int64, first, last uint8, t *tally) bool {
	if !l.permit || len(j.f.Permits) == 0 {
		return false
	}
	p := j.look(l.basis, base, count(first, last))
	if p.high == 0 {
		return false
	}
	w := j.weigh(l, measured, taken, p.high)
	if w.found == exceeded {
		return false
	}
	if p.open {
		f := j.check(c, l, r, measured, taken, base)
		f.Index, f.Last, f.Assumes = first, last, assumesNoPermit
		f.Reasons |= wim.InputMissing
	}
	f := j.show(c, l, r, measured, taken, p.high, w)
	f.Limit, f.Article, f.Index, f.Last, f.Permit = l.id, l.permitArticle, first, last, p.by.Number
	f.Reasons = 0
	if j.f.Vehicle.Flags.Has(wim.PlateUncertain) {
		f.Reasons |= wim.PlateDoubtful
	}
	if p.open {
		f.Assumes = assumesPermit
		f.Reasons |= wim.InputMissing
		j.unknown(whyPermit, t)
		return true
	}
	j.settle(w.found, f, t)
	return true
}

// count is how many axles a finding is about, one for the whole vehicle.
func count(first, last uint8) int64 {
	if last > first {
		return int64(last-first) + 1
	}
	return 1
}

// The branches of a permit of which it is not known whether it is kept.
const (
	assumesPermit   = "permit-kept"
	assumesNoPermit = "permit-not-kept"
)

// breach names, on a finding that exceeds, the permit that does not cover it.
func (j *judgement) breach(f *wim.Finding, l *limit, base int64) {
	if !l.permit || len(j.f.Permits) == 0 {
		return
	}
	p := j.look(l.basis, base, count(f.Index, f.Last))
	if p.by == nil {
		return
	}
	f.Permit, f.Breach = p.by.Number, p.breach
	if p.high > 0 {
		f.Breach = quantity(l.basis) // it is above the permit's own figure
	}
}
