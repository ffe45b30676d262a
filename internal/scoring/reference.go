// Package scoring holds sealed records against ground truth. It finds the true vehicle of each passage, has the law that the
// record names judge the true masses with nothing deducted, and hands both verdicts to wim/accuracy, which counts.
//
// So "compliant" and "exceeding" are what the law says of the masses that the vehicle truly brought, and a mistake of
// weighing, assembling, classifying or deducting shows as an accusation or a miss. A mistake in the law itself does
// not: both verdicts share it; the rule sets have oracles of their own.
package scoring

import (
	"math"

	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/accuracy"
)

// Reference are facts of the same passage as f, had a perfect and verified instrument weighed it. What f knows of the
// vehicle's units is kept where its plate is the true one; sizes, of which there is no truth, are as measured.
func Reference(f *wim.Facts, t *accuracy.Truth) wim.Facts {
	out := *f
	v := t.Vehicle()
	v.Lane, v.Start, v.End = f.Vehicle.Lane, f.Vehicle.Start, f.Vehicle.End
	v.Length, v.Width, v.Height, v.SizeError = f.Vehicle.Length, f.Vehicle.Width, f.Vehicle.Height, f.Vehicle.SizeError
	out.Vehicle = v
	out.Clock, out.Purpose = wim.ClockSynchronised, wim.Enforcement
	out.Instrument.Certificate = &wim.Certificate{Number: "truth", ValidUntil: math.MaxInt64, Lanes: []wim.LaneID{v.Lane}}
	out.Units = append([]wim.Unit(nil), f.Units...)
	for i := range out.Units {
		truly := t.Plates.Front
		if i > 0 {
			truly = t.Plates.Rear
		}
		if truly != "" && out.Units[i].Plate != truly {
			out.Units[i] = wim.Unit{Plate: truly, Kind: out.Units[i].Kind}
		}
	}
	return out
}
