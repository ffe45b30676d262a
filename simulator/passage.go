package simulator

import (
	"math/rand/v2"

	"github.com/axlegate/axlegate/wim"
)

// passage is one vehicle on its way over the scale: what is true, and what the instrument will indicate.
type passage struct {
	vehicle   *Vehicle
	speed     wim.DeciKmh
	length    wim.Mm
	axles     []axle // true loads
	gross     wim.Kg
	indicated []axle
	total     wim.Kg // indicated gross
}

type axle struct {
	Load    wim.Kg `json:"load_kg"`
	Left    wim.Kg `json:"left_kg"`
	Right   wim.Kg `json:"right_kg"`
	Spacing wim.Mm `json:"spacing_mm"`
}

// newPassage draws which vehicle comes, how it is loaded and what the scale makes of it.
func newPassage(r *rand.Rand, fleet []Vehicle, t *Traffic) passage {
	v := &fleet[r.IntN(len(fleet))]
	p := passage{speed: wim.DeciKmh(clamp(r.NormFloat64(), 2.5)*80 + 620)}
	var cargo float64
	switch n := r.IntN(1000); {
	case n < int(t.Overloaded):
		cargo = float64(max(v.capacity, v.road)) * (1.08 + 0.5*r.Float64())
	case n >= 1000-int(t.OverLimit):
		v = withPapers(r, fleet, papersAbove)
		cargo = along(v.road, v.capacity, 0.4+0.5*r.Float64())
	case n >= 1000-int(t.OverLimit+t.OverloadedOnly):
		v = withPapers(r, fleet, papersBelow)
		cargo = along(v.capacity, v.road, 0.4+0.5*r.Float64())
	case n < int(t.Overloaded)+220:
		cargo = float64(min(v.capacity, v.road)) * 0.03 * r.Float64() // empty
	default:
		cargo = float64(min(v.capacity, v.road)) * (0.72 + clamp(r.NormFloat64(), 2)*0.12)
	}
	p.vehicle = v
	errShare := float64(t.AxleError) / 1000
	for i, k := range v.kerb {
		a := axle{Load: k + wim.Kg(cargo*float64(v.cargo[i])/1000)}
		if i > 0 {
			a.Spacing = v.Spacings[i-1]
			p.length += a.Spacing
		}
		a.Left, a.Right = split(r, a.Load, 0.015)
		p.axles = append(p.axles, a)
		p.gross += a.Load

		// The scale errs by axle, and weighs in divisions; its total is the sum of what it indicates. The tails
		// are cut so that at 20 ‰ it stays within ±5 %, what class 5 allows in service.
		w := a
		w.Load = round(wim.Kg(float64(a.Load)*(1+clamp(r.NormFloat64(), 2.2)*errShare)), t.Division)
		w.Left, w.Right = split(r, w.Load, 0.02)
		p.indicated = append(p.indicated, w)
		p.total += w.Load
	}
	p.length += 1400 + wim.Mm(r.IntN(1200)) // overhangs
	return p
}

// withPapers draws one of the vehicles whose licences stand to the road's limit in a certain way.
func withPapers(r *rand.Rand, fleet []Vehicle, kind int) *Vehicle {
	return &fleet[paperKinds*r.IntN((len(fleet)+paperKinds-1-kind)/paperKinds)+kind]
}

// along is the mass that lies a share of the way from low to high.
func along(low, high wim.Kg, share float64) float64 {
	return float64(low) + float64(high-low)*share
}

func split(r *rand.Rand, load wim.Kg, scatter float64) (left, right wim.Kg) {
	left = wim.Kg(float64(load) * (0.5 + clamp(r.NormFloat64(), 2)*scatter))
	return left, load - left
}

func round(v, d wim.Kg) wim.Kg { return (v + d/2) / d * d }
