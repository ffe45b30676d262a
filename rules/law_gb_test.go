package rules

import (
	"testing"

	"github.com/axlegate/axlegate/wim"
)

func TestBritainsGroupsAtTheEdgesOfTheirBands(t *testing.T) {
	rule(t, law(t, "gb"), []ruling{
		{"a trailer's axles 0.999 m apart stand on 11 t", semi(2, 999, 5500), "gb-tandem-trailer-1000", 3, 11000, wim.Compliant},
		{"1.000 m belongs to the heavier band", semi(2, 1000, 8000), "gb-tandem-trailer-1300", 3, 16000, wim.Compliant},
		{"1.299 m is still of that band", semi(2, 1299, 8500), "gb-tandem-trailer-1300", 3, 16000, wim.Exceeded},
		{"1.300 m belongs to the heavier band", semi(2, 1300, 9000), "gb-tandem-trailer-1800", 3, 18000, wim.Compliant},
		{"three axles 1.300 m apart belong to the lighter band", semi(3, 1300, 7000), "gb-tridem-1300", 3, 21000, wim.Compliant},
		{"three axles 1.301 m apart have 24 t", semi(3, 1301, 8000), "gb-tridem-1400", 3, 24000, wim.Compliant},
		{"a motor vehicle's axles 1.300 m apart have 19 t with air suspension", with(truck(1300, 19000), drawn(2, wim.AirSuspension)), "gb-tandem-motor-1800-air", 2, 19000, wim.Compliant},
		{"a motor vehicle's axles 0.999 m apart have 11.5 t", with(truck(999, 12076), drawn(2, "")), "gb-tandem-motor-1000", 2, 11500, wim.Exceeded},
		{"a motor vehicle's axles 1.299 m apart have 16 t", with(truck(1299, 16801), drawn(2, "")), "gb-tandem-motor-1300", 2, 16000, wim.Exceeded},
		{"a motor vehicle's tandem that is not driven has 18 t", with(lorry(wim.Rigid, 4, axle{0, 9450}, axle{1300, 9451}, axle{4000, 5000}, axle{1300, 5000}), drawn(2, wim.AirSuspension)), "gb-tandem-motor-1800-free", 1, 18000, wim.Exceeded},
		{"a driven axle stands on 11.5 t", with(lorry(wim.Rigid, 2, axle{0, 5000}, axle{5000, 11500}), drawn(1, "")), "gb-single-driven", 2, 11500, wim.Compliant},
		{"an axle that is not driven stands on 10 t", semi(1, 0, 10000), "gb-single", 3, 10000, wim.Compliant},
		{"and 18 t without", with(truck(1300, 18901), drawn(2, wim.OtherSuspension)), "gb-tandem-motor-1800", 2, 18000, wim.Exceeded},
	})
}

func TestBritainsLeewayEndsAtATonne(t *testing.T) {
	train := func(n int, g wim.Kg) *wim.Facts { return lorry(wim.Train, 2, even(n, wim.Mm(n-1)*2400, g)...) }
	two := func(g wim.Kg) *wim.Facts { return lorry(wim.Rigid, 2, even(2, 5000, g)...) }
	air, other := drawn(1, wim.AirSuspension), drawn(1, wim.OtherSuspension)
	four := func(rear wim.Mm) *wim.Facts {
		f := train(4, 36000)
		f.Vehicle.Axles[3].Spacing = rear
		return with(f, combination(wim.Articulated))
	}
	rule(t, law(t, "gb"), []ruling{
		{"three axles stand on 26 t with air suspension", with(lorry(wim.Rigid, 3, even(3, 6000, 26000)...), air), "gb-3-axles-air", 0, 26000, wim.Compliant},
		{"three axles stand on 25 t without", with(lorry(wim.Rigid, 3, even(3, 6000, 25000)...), other), "gb-3-axles", 0, 25000, wim.Compliant},
		{"four axles stand on 32 t", lorry(wim.Rigid, 4, even(4, 7000, 32000)...), "gb-4-axles", 0, 32000, wim.Compliant},
		{"four articulated axles have 38 t with air suspension and a wide tandem", with(four(1800), air), "gb-4-articulated-air", 0, 38000, wim.Compliant},
		{"a closer tandem has 36 t", with(four(1799), air), "gb-4-articulated-air-close", 0, 36000, wim.Compliant},
		{"no air suspension has 36 t", with(four(1800), other), "gb-4-articulated", 0, 36000, wim.Compliant},
		{"four axles with a drawbar trailer have 36 t", with(train(4, 36000), combination(wim.Drawbar)), "gb-4-drawbar", 0, 36000, wim.Compliant},
		{"two axles stand on 18 t", two(18000), "gb-2-axles", 0, 18000, wim.Compliant},
		{"two axles have 5 %, which is less than a tonne", two(18900), "gb-2-axles", 0, 18000, wim.WithinTolerance},
		{"and are over by one kilogram more", two(18901), "gb-2-axles", 0, 18000, wim.Exceeded},
		{"five axles have less than a tonne, which is less than 5 %", train(5, 40999), "gb-5-axle-train", 0, 40000, wim.WithinTolerance},
		{"and are over by a whole tonne", train(5, 41000), "gb-5-axle-train", 0, 40000, wim.Exceeded},
		{"six axles have 44 t", train(6, 44999), "gb-6-axle-train", 0, 44000, wim.WithinTolerance},
		{"and are over by a whole tonne", train(6, 45000), "gb-6-axle-train", 0, 44000, wim.Exceeded},
	})
}

func TestBritainsFixedPenaltiesBeginAtTenAndFifteenPercent(t *testing.T) {
	s := law(t, "gb")
	for _, x := range []struct {
		gross wim.Kg
		band  string
	}{
		{19799, "under-10-percent"}, {19800, "10-15-percent"}, {20699, "10-15-percent"}, {20700, "15-percent-and-over"},
		{23399, "15-percent-and-over"}, {23400, "court"},
	} {
		f := findingBy(t, judge(s, lorry(wim.Rigid, 2, even(2, 5000, x.gross)...)), "gb-2-axles", 0)
		if f.Band != x.band {
			t.Errorf("%d kg: band %q, want %q", x.gross, f.Band, x.band)
		}
	}
}
