package rules

import (
	"slices"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

func TestKenyasLimits(t *testing.T) {
	gross := func(c wim.Combination, n int, g wim.Kg) *wim.Facts {
		return with(lorry(wim.Train, 2, even(n, wim.Mm(n-1)*2400, g)...), combination(c))
	}
	rule(t, law(t, "ke"), []ruling{
		{"three articulated axles stand on 28 t", gross(wim.Articulated, 3, 28000), "ke-3-articulated", 0, 28000, wim.Compliant},
		{"the gross has no tolerance", gross(wim.Articulated, 3, 28001), "ke-3-articulated", 0, 28000, wim.Exceeded},
		{"six articulated axles have 50 t", gross(wim.Articulated, 6, 50001), "ke-6-articulated", 0, 50000, wim.Exceeded},
		{"six axles with a drawbar trailer have 52 t", gross(wim.Drawbar, 6, 52000), "ke-6-drawbar", 0, 52000, wim.Compliant},
		{"two axles have 18 t", lorry(wim.Rigid, 2, even(2, 4500, 18001)...), "ke-2-axles", 0, 18000, wim.Exceeded},
		{"three axles have 26 t", lorry(wim.Rigid, 3, even(3, 6000, 26001)...), "ke-3-axles", 0, 26000, wim.Exceeded},
		{"four axles have 30 t", lorry(wim.Rigid, 4, even(4, 7000, 30001)...), "ke-4-axles", 0, 30000, wim.Exceeded},
		{"a train of four axles stands on 36 t", gross(wim.Drawbar, 4, 36000), "ke-4-train", 0, 36000, wim.Compliant},
		{"a train of five axles stands on 44 t", gross(wim.Articulated, 5, 44000), "ke-5-train", 0, 44000, wim.Compliant},
		{"a steering axle has 8 t", lorry(wim.Rigid, 2, axle{0, 8401}, axle{4500, 6000}), "ke-single-steering", 1, 8000, wim.Exceeded},
		{"another single axle has 10 t", lorry(wim.Rigid, 2, axle{0, 6000}, axle{4500, 10000}), "ke-single", 2, 10000, wim.Compliant},
		{"axles 1.799 m apart are a tandem", truck(1799, 18901), "ke-tandem", 2, 18000, wim.Exceeded},
		{"axles 1.800 m apart are none", truck(1800, 18901), "ke-single", 3, 10000, wim.Compliant},
		{"seven axles have the Community's 56 t", gross(wim.RoadTrain, 7, 56001), "ke-7-axles", 0, 56000, wim.Exceeded},
		{"a tandem stands on 18 t", truck(1350, 18000), "ke-tandem", 2, 18000, wim.Compliant},
		{"a tandem has 5 % of tolerance", truck(1350, 18900), "ke-tandem", 2, 18000, wim.WithinTolerance},
		{"and is over by one kilogram more", truck(1350, 18901), "ke-tandem", 2, 18000, wim.Exceeded},
		{"three axles stand on 24 t", semi(3, 1350, 8000), "ke-triple", 3, 24000, wim.Compliant},
	})
}

func TestNothingOfKenyasSetGroundsADecision(t *testing.T) {
	o := opinion(t, judge(law(t, "ke"), truck(1350, 19500)), wim.RoadAdministration)
	if o.Outcome != wim.Exceeded || o.Standing != wim.Screening || !o.Reasons.Any(wim.LimitRecalled) {
		t.Errorf("%s, %s because of %v; want exceeded, screening because the limit is recalled", o.Outcome, o.Standing, o.Reasons)
	}
}

func TestKenyasLengths(t *testing.T) {
	s := law(t, "ke")
	for _, x := range []struct {
		name   string
		facts  *wim.Facts
		broken []string
	}{
		{"a truck of 12.5 m", with(sound(2, wim.Rigid, 9000), sized(12500, 2500, 4000)), nil},
		{"a longer truck", with(sound(2, wim.Rigid, 9000), sized(12501, 2500, 4000)), []string{"ke-length-rigid"}},
		{"a longer articulated vehicle than 17.4 m", with(sound(5, wim.Train, 9000), combination(wim.Articulated), sized(17401, 2500, 4000)), []string{"ke-length-articulated"}},
		{"a longer train than 22 m", with(sound(5, wim.Train, 9000), combination(wim.Drawbar), sized(22001, 2500, 4000)), []string{"ke-length-train"}},
		{"a train of 22 m", with(sound(5, wim.Train, 9000), combination(wim.Drawbar), sized(22000, 2500, 4000)), nil},
	} {
		if got := broken(judge(s, x.facts)); !slices.Equal(got, x.broken) {
			t.Errorf("%s: exceeded by %v, want %v", x.name, got, x.broken)
		}
	}
}
