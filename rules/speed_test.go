package rules

import (
	"testing"

	"github.com/axlegate/axlegate/wim"
)

// BenchmarkSet judges a registered six-axle truck by each shipped set, every finding shown.
func BenchmarkSet(b *testing.B) {
	f := with(road6(52000), massError(50))
	f.Vehicle.Height, f.Vehicle.Width, f.Vehicle.Length, f.Vehicle.SizeError = 3900, 2500, 16200, 20
	for _, name := range []string{"cn", "cn-2016-62"} {
		b.Run(name, func(b *testing.B) {
			s := load(b, "..", "configs", "rules", name+".yaml")
			var v wim.Verdict
			b.ReportAllocs()
			for b.Loop() {
				s.Judge(f, &v)
			}
			b.ReportMetric(float64(len(v.Findings)), "findings")
		})
	}
}
