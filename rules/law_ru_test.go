package rules

import (
	"testing"

	"github.com/axlegate/axlegate/wim"
)

func TestRussiasBandsCloseOnTheRight(t *testing.T) {
	s := law(t, "ru")
	dual := tyres(wim.SingleTyres, wim.DualTyres)
	two := func(spacing wim.Mm, both wim.Kg) *wim.Facts { return with(truck(spacing, both), dual, onRoadOf("axle-10")) }
	three := func(spacing wim.Mm, all wim.Kg) *wim.Facts {
		return with(lorry(wim.Rigid, 4, axle{0, 4000}, axle{4000, all / 3}, axle{spacing, all / 3}, axle{spacing, all - all/3*2}), dual, onRoadOf("axle-10"))
	}
	rule(t, s, []ruling{
		{"two axles 1.000 m apart are still of the first band", two(1000, 11221), "ru-two-1000-dual-road-10", 2, 11000, wim.Exceeded},
		{"1.001 m is of the second", two(1001, 14000), "ru-two-1300-dual-road-10", 2, 14000, wim.Compliant},
		{"1.300 m is still of the second", two(1300, 14281), "ru-two-1300-dual-road-10", 2, 14000, wim.Exceeded},
		{"1.301 m is of the third", two(1301, 16000), "ru-two-1800-dual-road-10", 2, 16000, wim.Compliant},
		{"1.800 m is still of the third", two(1800, 16321), "ru-two-1800-dual-road-10", 2, 16000, wim.Exceeded},
		{"1.801 m is of the fourth", two(1801, 18000), "ru-two-2500-dual-road-10", 2, 18000, wim.Compliant},
		{"2.500 m is still of the fourth", two(2500, 18361), "ru-two-2500-dual-road-10", 2, 18000, wim.Exceeded},
		{"2.501 m makes two single axles", two(2501, 20000), "ru-single-dual-road-10", 3, 10000, wim.Compliant},
		{"three axles 1.300 m apart are of the second band", three(1300, 19500), "ru-three-1300-dual-road-10", 2, 19500, wim.Compliant},
		{"three axles 1.301 m apart are of the third", three(1301, 22500), "ru-three-1800-dual-road-10", 2, 22500, wim.Compliant},
		{"three axles 1.801 m apart are of the fourth", three(1801, 23461), "ru-three-2500-dual-road-10", 2, 23000, wim.Exceeded},
	})
}

func TestRussiasLimitsAreTheRoads(t *testing.T) {
	s := law(t, "ru")
	tandem := func(both wim.Kg, class string, rear ...wim.Tyres) *wim.Facts {
		return with(truck(1350, both), tyres(append([]wim.Tyres{wim.SingleTyres}, rear...)...), onRoadOf(class))
	}
	rule(t, s, []ruling{
		{"a road of 6 t", tandem(11000, "axle-6", wim.DualTyres), "ru-two-1800-dual-road-6", 2, 11000, wim.Compliant},
		{"a road of 10 t", tandem(16000, "axle-10", wim.DualTyres), "ru-two-1800-dual-road-10", 2, 16000, wim.Compliant},
		{"a road of 11.5 t", tandem(18000, "axle-11.5", wim.DualTyres), "ru-two-1800-dual-road-11.5", 2, 18000, wim.Compliant},
		{"single tyres have less", tandem(15000, "axle-10", wim.SingleTyres), "ru-two-1800-single-road-10", 2, 15000, wim.Compliant},
		{"one axle on single tyres makes the group a single-tyred one", tandem(15301, "axle-10", wim.DualTyres, wim.SingleTyres), "ru-two-1800-single-road-10", 2, 15000, wim.Exceeded},
		{"wide tyres are single ones", tandem(15301, "axle-10", wim.WideTyres), "ru-two-1800-single-road-10", 2, 15000, wim.Exceeded},
		{"on a road whose class is not known only what exceeds every class is an excess", tandem(18361, "regional", wim.DualTyres), "ru-two-1800-dual-road-11.5", 2, 18000, wim.Exceeded},
	})
	o := opinion(t, judge(s, tandem(17000, "regional", wim.DualTyres)), wim.RoadAdministration)
	if o.Outcome != wim.Unknown || o.Why != "road" {
		t.Errorf("%s because of %q, want unknown because of the road", o.Outcome, o.Why)
	}
}

func TestRussiaLetsTwoPercentPassAndCountsFromTheLimit(t *testing.T) {
	s := law(t, "ru")
	for _, x := range []struct {
		gross   wim.Kg
		outcome wim.Outcome
		excess  wim.Kg
		band    string
	}{
		{40000, wim.Compliant, 0, ""},
		{40800, wim.WithinTolerance, 0, ""},
		{40801, wim.Exceeded, 801, "2-10-percent"},
		{44000, wim.Exceeded, 4000, "2-10-percent"},
		{44001, wim.Exceeded, 4001, "10-20-percent"},
		{48000, wim.Exceeded, 8000, "10-20-percent"},
		{48001, wim.Exceeded, 8001, "20-50-percent"},
		{60000, wim.Exceeded, 20000, "20-50-percent"},
		{60001, wim.Exceeded, 20001, "over-50-percent"},
	} {
		f := with(lorry(wim.Train, 2, even(5, 14000, x.gross)...), combination(wim.Articulated), onRoadOf("axle-11.5"))
		got := findingBy(t, judge(s, f), "ru-5-articulated", 0)
		if got.Outcome != x.outcome || got.Excess != x.excess || got.Band != x.band {
			t.Errorf("%d kg: %s, excess %d, band %q; want %s, %d, %q", x.gross, got.Outcome, got.Excess, got.Band, x.outcome, x.excess, x.band)
		}
	}
}
