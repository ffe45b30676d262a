package rules

import (
	"math"
	"math/bits"
	"slices"
	"sync/atomic"

	"github.com/axlegate/axlegate/wim"
)

// Which cases of a law may be a vehicle's depends on how it is made up and not on what it weighs: on the number of its
// axles, on the bands that their distances lie in, on tyres, drive axles, configuration, road, station and day. Vehicles that are
// alike in all of these have one shape, and what is worked out for the first of them holds for every other. It is kept as
// a plan; what is left to do is to compare masses and sizes.

// shape is the key of a plan: first the axles, six bits each, then the vehicle.
type shape struct{ axles, whole uint64 }

const (
	axleBits   = 6
	planAxles  = 10             // vehicles of more axles have no plan
	planBands  = 1<<4 - 1       // of distances
	planReach  = 1 << 13        // mm: a law that tells longer distances of neighbours apart has no plans
	planMass   = 1 << 26        // kg or mm: what is larger is beyond all sense and has no plan
	planEpochs = 1<<10 - 1      // days on which something begins or ends
	planSlots  = 1 << 9         // plans that a set keeps; vehicles of rarer shapes are judged at length
	planProbes = 8              // slots that a shape may have
	markBits   = 26             // of a mark
	anyRoad    = math.MaxUint32 // the word of a road whose class the set does not know
)

// planner keeps a set's plans. A slot is written once: the set stays what it is for everybody who judges with it.
type planner struct {
	epochs []wim.Time // the days, in order
	bands  []uint8    // of a distance in mm, 0 where it is not known; the last one for longer ones
	axles  bool       // the axles are told apart
	slots  [planSlots]atomic.Pointer[plan]
}

// planned gives what finds a set's plans, nil for a set whose cases depend on more than a shape says.
func planned(s *Set) *planner {
	p := &planner{}
	cuts := []int32{int32(twinSteer)}
	cut := func(r reach) {
		cuts = append(cuts, r.low)
		if r.high < math.MaxInt32 {
			cuts = append(cuts, r.high+1)
		}
	}
	for _, g := range s.groups {
		if g.span != (reach{0, math.MaxInt32}) {
			return nil
		}
		cut(g.spacing)
	}
	if s.bridges < math.MaxInt32 {
		cuts = append(cuts, s.bridges+1)
	}
	p.axles = s.perAxle
	for i := range s.competences {
		for k := range s.competences[i].limits {
			l := &s.competences[i].limits[k]
			p.axles = p.axles || l.asks&(1<<fieldSpacing) != 0
			for r := range l.rows {
				cut(l.rows[r].spacing)
				p.epochs = append(p.epochs, l.rows[r].from, l.rows[r].until)
			}
			for _, t := range l.tolerances {
				p.epochs = append(p.epochs, t.from, t.until)
			}
		}
	}
	slices.Sort(p.epochs)
	p.epochs = slices.Compact(p.epochs)
	slices.Sort(cuts)
	cuts = slices.DeleteFunc(slices.Compact(cuts), func(c int32) bool { return c <= 1 })
	last := cuts[len(cuts)-1]
	if len(cuts) >= planBands || last >= planReach || len(p.epochs) > planEpochs {
		return nil
	}
	p.bands = make([]uint8, last+1)
	for d := 1; d < len(p.bands); d++ { // 0 is no distance
		p.bands[d] = 1
		for _, c := range cuts {
			if int32(d) >= c { //nolint:gosec // below planReach
				p.bands[d]++
			}
		}
	}
	return p
}

// shape reads what a plan depends on; ok is false for a vehicle that is to be judged at length. A plate in doubt is: it
// weakens one finding and not the next.
func (j *judgement) shape(p *planner) (key shape, ok bool) {
	f := j.f
	v := &f.Vehicle
	n := len(v.Axles)
	if f.Time == 0 || n == 0 || n > planAxles || v.Gross <= 0 || v.Gross >= planMass || v.Flags.Has(wim.PlateUncertain) {
		return key, false
	}
	loads := uint32(0) // all bits that are set in some load
	sum := wim.Kg(0)
	for i := range v.Axles {
		sum += v.Axles[i].Load
		j.before[i+1] = sum
		loads |= uint32(v.Axles[i].Load) //nolint:gosec // a negative one is too large
	}
	if loads >= planMass {
		return key, false
	}
	epoch := len(p.epochs)
	for epoch > 0 && f.Time < p.epochs[epoch-1] {
		epoch--
	}
	road := uint64(31)
	if j.road != anyRoad {
		road = uint64(bits.TrailingZeros32(j.road)) //nolint:gosec // not negative
	}
	if p.axles {
		key.axles = p.axlesOf(v.Axles)
	}
	key.whole = uint64(j.word) | uint64(n)<<markBits | uint64(j.leadAxles(n))<<(markBits+4) | uint64(min(j.drive, 15))<<(markBits+8) | //nolint:gosec // none is negative
		road<<(markBits+12) | j.given()<<(markBits+17) | stationBits(f.Station)<<(markBits+25) | uint64(epoch)<<(markBits+28)
	return key, true
}

// given are the sizes that were measured and the limits that are posted, a bit for each.
func (j *judgement) given() uint64 {
	v, p := &j.f.Vehicle, &j.f.Road.Posted
	return positive(int32(v.Length)) | positive(int32(v.Width))<<1 | positive(int32(v.Height))<<2 |
		positive(int32(p.Gross))<<3 | positive(int32(p.Axle))<<4 | positive(int32(p.Length))<<5 | positive(int32(p.Width))<<6 | positive(int32(p.Height))<<7
}

// positive gives 1 for what is above 0, without a branch.
func positive(n int32) uint64 { return uint64(uint32(-n&^n) >> 31) } //nolint:gosec // the sign bit is what is asked for

// plan gives the plan for a vehicle, nil where it is to be judged at length. The first vehicle of a shape pays for it.
func (j *judgement) plan() *plan {
	p := j.set.plans
	if p == nil {
		return nil
	}
	key, ok := j.shape(p)
	if !ok {
		return nil
	}
	h := (key.axles*0x9E3779B97F4A7C15 ^ key.whole) * 0xD6E8FEB86659FD93 >> 32
	for i := range uint64(planProbes) {
		slot := &p.slots[(h+i)%planSlots]
		x := slot.Load()
		if x == nil {
			x = j.lay(key)
			if !slot.CompareAndSwap(nil, x) {
				x = slot.Load()
			}
		}
		if x.shape == key {
			return x
		}
	}
	return nil
}

// axlesOf tells axles apart by the band of their distance and by their tyres; what is in front of the first is no distance.
func (p *planner) axlesOf(axles []wim.Axle) (all uint64) {
	for i := range axles {
		a := &axles[i]
		all = all<<axleBits | uint64(p.bands[min(uint(max(a.Spacing, 0)), uint(len(p.bands)-1))])<<2 | tyreBits(a.Tyres)
	}
	return all &^ (planBands << 2 << (axleBits * (len(axles) - 1)))
}

// stationBits tells the stations apart that a tolerance may be for.
func stationBits(m wim.StationMode) uint64 {
	switch m {
	case wim.JointStation:
		return 1
	case wim.OffSite:
		return 2
	case wim.MotorwayEntrance:
		return 3
	case wim.TollExit:
		return 4
	case wim.StationUnset:
	}
	return 0
}

func tyreBits(t wim.Tyres) uint64 {
	switch t {
	case wim.SingleTyres:
		return 1
	case wim.DualTyres:
		return 2
	case wim.WideTyres:
		return 3
	case wim.TyresUnknown:
	}
	return 0
}
