package rules

import (
	"github.com/axlegate/axlegate/wim"
	"testing"
)

func real6() *wim.Facts {
	f := with(sound(6, wim.Train, 52000), massError(50), licensed(tractorLicence(), trailerLicence()))
	sp := []wim.Mm{0, 3300, 1350, 6500, 1310, 1310}
	for i := range f.Vehicle.Axles {
		f.Vehicle.Axles[i].Spacing = sp[i]
	}
	f.Vehicle.Combination, f.Vehicle.Lead = wim.Articulated, 3
	return f
}
func BenchmarkNew(b *testing.B) {
	s := load(b, "..", "configs", "rules", "cn.yaml")
	f := real6()
	var v wim.Verdict
	b.ReportAllocs()
	for b.Loop() {
		s.Judge(f, &v)
	}
	b.Log(len(v.Findings))
}
