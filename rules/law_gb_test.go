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
		{"and 18 t without", with(truck(1300, 18901), drawn(2, wim.OtherSuspension)), "gb-tandem-motor-1800", 2, 18000, wim.Exceeded},
	})
}

func TestBritainsLeewayEndsAtATonne(t *testing.T) {
	train := func(n int, g wim.Kg) *wim.Facts { return lorry(wim.Train, 2, even(n, wim.Mm(n-1)*2400, g)...) }
	two := func(g wim.Kg) *wim.Facts { return lorry(wim.Rigid, 2, even(2, 5000, g)...) }
	rule(t, law(t, "gb"), []ruling{
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
