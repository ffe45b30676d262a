package rules

import (
	"testing"

	"github.com/axlegate/axlegate/wim"
)

func TestRussiasBandsCloseOnTheRight(t *testing.T) {
	s := law(t, "ru")
	dual := tyres(wim.SingleTyres, wim.DualTyres)
	two := func(spacing wim.Mm, both wim.Kg) *wim.Facts {
		return with(truck(spacing, both), dual, onRoadOf("axle-10"))
	}
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

func TestRussiasTable(t *testing.T) {
	s := law(t, "ru")
	roads := []string{"axle-6", "axle-10", "axle-11.5"}
	for _, row := range []struct {
		axles    int
		from, to wim.Mm // the band's first and last distance
		single   [3]wim.Kg
		dual     [3]wim.Kg
	}{
		{1, 5000, 5000, [3]wim.Kg{5500, 9000, 10500}, [3]wim.Kg{6000, 10000, 11500}},
		{2, 700, 1000, [3]wim.Kg{8000, 10000, 11500}, [3]wim.Kg{9000, 11000, 12500}},
		{2, 1001, 1300, [3]wim.Kg{9000, 13000, 14000}, [3]wim.Kg{10000, 14000, 16000}},
		{2, 1301, 1800, [3]wim.Kg{10000, 15000, 17000}, [3]wim.Kg{11000, 16000, 18000}},
		{2, 1801, 2500, [3]wim.Kg{11000, 17000, 18000}, [3]wim.Kg{12000, 18000, 20000}},
		{3, 700, 1000, [3]wim.Kg{11000, 15000, 17000}, [3]wim.Kg{12000, 16500, 18000}},
		{3, 1001, 1300, [3]wim.Kg{12000, 18000, 20000}, [3]wim.Kg{13500, 19500, 21000}},
		{3, 1301, 1800, [3]wim.Kg{13500, 21000, 23500}, [3]wim.Kg{15000, 22500, 24000}},
		{3, 1801, 2500, [3]wim.Kg{15000, 22000, 25000}, [3]wim.Kg{16000, 23000, 26000}},
	} {
		for _, spacing := range []wim.Mm{row.from, row.to} {
			all := []axle{{0, 4000}, {6000, 3000}}
			for range row.axles - 1 {
				all = append(all, axle{spacing, 3000})
			}
			for i, class := range roads {
				for tyre, want := range map[wim.Tyres]wim.Kg{wim.SingleTyres: row.single[i], wim.WideTyres: row.single[i], wim.DualTyres: row.dual[i]} {
					v := judge(s, with(lorry(wim.Rigid, uint8(len(all)), all...), tyres(wim.SingleTyres, tyre), onRoadOf(class)))
					if got := groupAt(t, v, 2).Permitted; got != want {
						t.Errorf("%d axles %d mm apart on %s tyres, %s: %d kg, want %d", row.axles, spacing, tyre, class, got, want)
					}
				}
			}
		}
	}
}

// groupAt gives the finding about the axle or group that begins at an axle.
func groupAt(t *testing.T, v *wim.Verdict, first uint8) wim.Finding {
	t.Helper()
	for _, f := range v.Findings {
		if f.Scope == wim.ScopeGroup && f.Index == first {
			return f
		}
	}
	t.Fatalf("no finding about a group at axle %d in %+v", first, v.Findings)
	return wim.Finding{}
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

func TestRussiasGross(t *testing.T) {
	of := func(c wim.Configuration, n int, g wim.Kg) *wim.Facts {
		return with(lorry(c, 2, even(n, wim.Mm(n-1)*3000, g)...), combination(wim.Articulated))
	}
	rule(t, law(t, "ru"), []ruling{
		{"a truck of two axles", of(wim.Rigid, 2, 18000), "ru-2-axles", 0, 18000, wim.Compliant},
		{"a truck of three axles", of(wim.Rigid, 3, 25000), "ru-3-axles", 0, 25000, wim.Compliant},
		{"a truck of four axles", of(wim.Rigid, 4, 32000), "ru-4-axles", 0, 32000, wim.Compliant},
		{"a truck of five axles", of(wim.Rigid, 5, 35000), "ru-5-axles", 0, 35000, wim.Compliant},
		{"three articulated axles", of(wim.Train, 3, 28000), "ru-3-articulated", 0, 28000, wim.Compliant},
		{"four articulated axles", of(wim.Train, 4, 36000), "ru-4-articulated", 0, 36000, wim.Compliant},
		{"six articulated axles", of(wim.Train, 6, 44000), "ru-6-articulated", 0, 44000, wim.Compliant},
		{"more of them have no more", of(wim.Train, 7, 44881), "ru-6-articulated", 0, 44000, wim.Exceeded},
	})
}
