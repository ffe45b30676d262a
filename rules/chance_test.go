package rules

import (
	"math"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

func TestTheTableIsTheNormalDistribution(t *testing.T) {
	for z := range int64(100) {
		want := 500 * (1 + math.Erf(float64(min(z, 70))/zSteps/math.Sqrt2))
		if got := normal(z); math.Abs(float64(got)-want) > 0.5 {
			t.Errorf("%d steps: %d, want %.1f", z, got, want)
		}
	}
}

func TestTheChanceThatAValueIsAbove(t *testing.T) {
	for _, c := range []struct {
		name string
		f    wim.Finding
		want wim.Permille
	}{
		{"exactly on the limit it is even", wim.Finding{Measured: 49000, Deducted: 2450, Permitted: 49000}, 500},
		{"one deduction above is two deviations", wim.Finding{Measured: 51450, Deducted: 2450, Permitted: 49000}, 977},
		{"one deduction below likewise", wim.Finding{Measured: 46550, Deducted: 2450, Permitted: 49000}, 23},
		{"without a deduction it is certain", wim.Finding{Measured: 49001, Permitted: 49000}, 1000},
		{"and so is its opposite", wim.Finding{Measured: 49000, Permitted: 49000}, 0},
		{"of a size too", wim.Finding{Size: wim.Size{Measured: 2600, Deducted: 50, Permitted: 2550}}, 977},
	} {
		if got := Chance(&c.f); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}
