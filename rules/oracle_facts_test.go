package rules_test

import (
	"math/rand/v2"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// one draws one of several values, all alike.
func one[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// rare tells one time in n.
func rare(r *rand.Rand, n int) bool { return r.IntN(n) == 0 }

// about draws a figure at an edge or next to it: most mistakes live within a kilogram or millimetre.
func about[T wim.Kg | wim.Mm](r *rand.Rand, edge T) T {
	switch r.IntN(4) {
	case 0:
		return max(1, edge+T(r.IntN(3)-1))
	case 1:
		return max(1, edge+edge*T(r.IntN(201)-100)/1000)
	}
	return max(1, edge+T(r.IntN(41)-20))
}

// grown is what must be indicated so that about m is left after a deduction.
func grown(m wim.Kg, permille wim.Permille) wim.Kg {
	return wim.Kg(int64(m) * 1000 / int64(1000-permille))
}

func day(y int, m time.Month, d int) wim.Time {
	return wim.TimeOf(time.Date(y, m, d, 0, 0, 0, 0, time.FixedZone("", 8*3600)))
}

// weighed draws an instrument, and facts on a passage over it without a vehicle.
func weighed(r *rand.Rand) *wim.Facts {
	f := &wim.Facts{
		Time: day(2026, 3, 1), Clock: wim.ClockSynchronised, Purpose: wim.Enforcement,
		Road: wim.Road{Name: "G5", Class: "expressway"}, Instrument: wim.Instrument{ID: "scale-1"},
		Vehicle: wim.Vehicle{Lane: 1, Speed: 600},
	}
	if !rare(r, 5) {
		f.Instrument.Certificate = &wim.Certificate{
			Number: "T-1", Scheme: "JJG 907", Class: "5", ValidFrom: day(2026, 1, 1), ValidUntil: day(2027, 1, 1), Lanes: []wim.LaneID{1},
			SpeedMin: 50, SpeedMax: 1000, Min: 500, Max: 200000, Division: 20,
			MassError: one[wim.Permille](r, 0, 0, 7, 25, 50), AxleError: one[wim.Permille](r, 0, 0, 13, 40, 80),
		}
	}
	return f
}

// axles gives a vehicle axles at these distances, and loads that add up to its gross or nearly so.
func axles(r *rand.Rand, f *wim.Facts, gross wim.Kg, distances []wim.Mm) {
	v := &f.Vehicle
	n := len(distances) + 1
	v.Gross = gross
	for i := range n {
		a := wim.Axle{Index: uint8(i + 1), Load: gross / wim.Kg(n), Left: wim.NotMeasured, Right: wim.NotMeasured} //nolint:gosec // a vehicle's axles
		if i > 0 {
			a.Spacing = distances[i-1]
		}
		v.Axles = append(v.Axles, a)
	}
	for range 2 * n { // shift load from axle to axle
		from, to := r.IntN(n), r.IntN(n)
		m := wim.Kg(r.IntN(1500))
		if v.Axles[from].Load > m+1 {
			v.Axles[from].Load -= m
			v.Axles[to].Load += m
		}
	}
	for i := range v.Axles {
		v.AxleSum += v.Axles[i].Load
	}
}
