package rules

import (
	"testing"

	"github.com/axlegate/axlegate/wim"
)

// busiest are facts that make every limit of the shipped set speak.
func busiest() *wim.Facts {
	return with(sound(6, wim.Train, 58400), massError(50), licensed(tractorLicence(), trailerLicence()), func(f *wim.Facts) {
		f.Road.Posted = wim.PostedLimit{Gross: 40000, Axle: 9000, Sign: "K1"}
	})
}

func TestJudgingAllocatesNothing(t *testing.T) {
	s := china(t)
	for name, f := range map[string]*wim.Facts{
		"every limit":         busiest(),
		"branches":            with(sound(3, "", 26000), unsure),
		"an unregistered one": sound(6, wim.Train, 58400),
		"a bus":               with(sound(2, wim.Rigid, 18000), kind(wim.Bus)),
	} {
		var v wim.Verdict
		if n := testing.AllocsPerRun(200, func() { s.Judge(f, &v) }); n != 0 {
			t.Errorf("%s: %v allocations a verdict, want none", name, n)
		}
	}
}

func BenchmarkJudge(b *testing.B) {
	s := china(b)
	for _, c := range []struct {
		name  string
		facts *wim.Facts
	}{{"first-order", sound(6, wim.Train, 58400)}, {"every-limit", busiest()}} {
		b.Run(c.name, func(b *testing.B) {
			var v wim.Verdict
			b.ReportAllocs()
			for b.Loop() {
				s.Judge(c.facts, &v)
			}
		})
	}
}
