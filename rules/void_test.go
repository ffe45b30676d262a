package rules

import (
	"testing"

	"github.com/axlegate/axlegate/wim"
	"pgregory.net/rapid"
)

// A weighing that a flag voids still has its units and its opinions, and none of them grounds or alerts anything.
func TestAVoidWeighingNeverGroundsAFinding(t *testing.T) {
	all := sets(t)
	rapid.Check(t, func(t *rapid.T) {
		f := likely(t)
		spoilt := wim.Flag(0)
		for v := wim.Voiding; v != 0; v &= v - 1 {
			if rapid.IntRange(0, 4).Draw(t, "raised") == 0 {
				spoilt |= v & -v
			}
		}
		if spoilt == 0 {
			spoilt = wim.StopAndGo
		}
		f.Vehicle.Flags |= spoilt
		for _, s := range all {
			var v wim.Verdict
			s.Judge(f, &v)
			if v.Alerts() {
				t.Fatalf("%s alerts over a weighing with %v", s.ID(), spoilt.Names())
			}
			if len(v.Opinions) == 0 {
				t.Fatalf("%s has no opinion of a vehicle that passed", s.ID())
			}
			for _, o := range v.Opinions {
				if o.Standing != wim.Void || !o.Reasons.Has(wim.MeasurementVoid) {
					t.Fatalf("%s: %s has standing %s for %v over a weighing with %v", s.ID(), o.Competence, o.Standing, o.Reasons.Names(), spoilt.Names())
				}
			}
		}
	})
}

// A weight in doubt is a suspicion at most.
func TestADoubtfulWeightIsNoEvidence(t *testing.T) {
	all := sets(t)
	rapid.Check(t, func(t *rapid.T) {
		f := likely(t)
		f.Vehicle.Flags |= rapid.SampledFrom([]wim.Flag{wim.Imbalance, wim.SumMismatch, wim.LiftAxle, wim.DeviceClock}).Draw(t, "doubt")
		for _, s := range all {
			var v wim.Verdict
			s.Judge(f, &v)
			for _, o := range v.Opinions {
				if o.Standing == wim.Evidence {
					t.Fatalf("%s: %s has evidence with %v", s.ID(), o.Competence, f.Vehicle.Flags.Names())
				}
			}
		}
	})
}
