package rules

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

// Both modes with 5 percent of 55 t: 55 000 x 1.05 is 57 750, and what is 55 000 without its own 5 percent is 57 894.7.
func TestARaisedLimitAndAReducedMassPartCompanyNearTheEdge(t *testing.T) {
	p := filepath.Join("..", "configs", "rules", "in.yaml")
	b, err := os.ReadFile(p)
	if err != nil {
		t.Fatal(err)
	}
	raised := law(t, "in")
	reduced, err := Load(p, []byte(strings.ReplaceAll(string(b), "mode: raise_limit", "mode: reduce_measured")))
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		name            string
		gross           wim.Kg
		raises, reduces wim.Outcome
	}{
		{"on the limit", 55000, wim.Compliant, wim.Compliant},
		{"one kilogram over it", 55001, wim.WithinTolerance, wim.WithinTolerance},
		{"on the raised limit", 57750, wim.WithinTolerance, wim.WithinTolerance},
		{"one kilogram over the raised limit", 57751, wim.Exceeded, wim.WithinTolerance},
		{"where the reduced mass is not yet over", 57894, wim.Exceeded, wim.WithinTolerance},
		{"where the reduced mass is over by a kilogram", 57896, wim.Exceeded, wim.Exceeded},
	} {
		t.Run(x.name, func(t *testing.T) {
			f := lorry(wim.Train, 3, even(8, 24000, x.gross)...)
			if got := findingBy(t, judge(raised, f), "in-train", 0); got.Outcome != x.raises {
				t.Errorf("raise_limit: %s, want %s", got.Outcome, x.raises)
			}
			if got := findingBy(t, judge(reduced, f), "in-train", 0); got.Outcome != x.reduces {
				t.Errorf("reduce_measured: %s, want %s", got.Outcome, x.reduces)
			}
		})
	}
}

// The instrument's error comes first, the law's tolerance after it, and a finding shows them apart.
func TestTheInstrumentsErrorComesBeforeTheTolerance(t *testing.T) {
	s := law(t, "ru")
	for _, x := range []struct {
		gross, taken, excess wim.Kg
		outcome              wim.Outcome
	}{
		{40000, 400, 0, wim.Compliant},
		{40404, 405, 0, wim.WithinTolerance},
		{41212, 413, 0, wim.WithinTolerance},
		{41214, 413, 801, wim.Exceeded},
	} {
		f := with(lorry(wim.Train, 2, even(5, 14000, x.gross)...), combination(wim.Articulated), massError(10))
		got := findingBy(t, judge(s, f), "ru-5-articulated", 0)
		if got.Outcome != x.outcome || got.Deducted != x.taken || got.Excess != x.excess {
			t.Errorf("%d kg: %s, %d kg taken off, excess %d; want %s, %d, %d", x.gross, got.Outcome, got.Deducted, got.Excess, x.outcome, x.taken, x.excess)
		}
	}
}
