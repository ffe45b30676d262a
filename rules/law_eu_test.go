package rules

import (
	"slices"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

// semi is a tractor of two axles with a semi-trailer whose axles stand spacing apart and carry each as much.
func semi(n int, spacing wim.Mm, each wim.Kg) *wim.Facts {
	all := []axle{{0, 6000}, {3600, 8000}}
	for i := range n {
		a := axle{spacing, each}
		if i == 0 {
			a.spacing = 5500
		}
		all = append(all, a)
	}
	return lorry(wim.Train, 2, all...)
}

// truck is a rigid vehicle of three axles whose rear ones stand spacing apart and weigh both together.
func truck(spacing wim.Mm, both wim.Kg) *wim.Facts {
	return lorry(wim.Rigid, 3, axle{0, 6000}, axle{4000, both / 2}, axle{spacing, both - both/2})
}

func TestEuropesGroupsAtTheEdgesOfTheirBands(t *testing.T) {
	air, other := drawn(2, wim.AirSuspension), drawn(2, wim.OtherSuspension)
	rule(t, law(t, "eu"), []ruling{
		{"a trailer's axles 0.999 m apart stand on 11 t", semi(2, 999, 5500), "eu-tandem-trailer-1000", 3, 11000, wim.Compliant},
		{"a trailer's axles 0.999 m apart are over by two kilograms", semi(2, 999, 5501), "eu-tandem-trailer-1000", 3, 11000, wim.Exceeded},
		{"1.000 m belongs to the heavier band", semi(2, 1000, 8000), "eu-tandem-trailer-1300", 3, 16000, wim.Compliant},
		{"1.299 m is still of that band", semi(2, 1299, 8001), "eu-tandem-trailer-1300", 3, 16000, wim.Exceeded},
		{"1.300 m belongs to the heavier band", semi(2, 1300, 9000), "eu-tandem-trailer-1800", 3, 18000, wim.Compliant},
		{"1.799 m is still of that band", semi(2, 1799, 9001), "eu-tandem-trailer-1800", 3, 18000, wim.Exceeded},
		{"1.800 m makes two single axles", semi(2, 1800, 10000), "eu-single", 4, 10000, wim.Compliant},
		{"a single axle that is not driven is over by one kilogram", semi(2, 1800, 10001), "eu-single", 4, 10000, wim.Exceeded},
		{"three axles 1.300 m apart belong to the lighter band", semi(3, 1300, 7001), "eu-tridem-1300", 3, 21000, wim.Exceeded},
		{"three axles 1.301 m apart have 24 t", semi(3, 1301, 8000), "eu-tridem-1400", 3, 24000, wim.Compliant},
		{"three axles 1.400 m apart have 24 t", semi(3, 1400, 8001), "eu-tridem-1400", 3, 24000, wim.Exceeded},
		{"three axles 1.401 m apart have Czechia's 27 t", semi(3, 1401, 9001), "eu-tridem-1800", 3, 27000, wim.Exceeded},
		{"a motor vehicle's axles 0.999 m apart stand on 11.5 t", with(truck(999, 11500), air), "eu-tandem-motor-1000", 2, 11500, wim.Compliant},
		{"a motor vehicle's axles 1.000 m apart have 16 t", with(truck(1000, 16001), air), "eu-tandem-motor-1300", 2, 16000, wim.Exceeded},
		{"a motor vehicle's axles 1.299 m apart stand on 16 t", with(truck(1299, 16000), other), "eu-tandem-motor-1300", 2, 16000, wim.Compliant},
		{"with air suspension 1.300 m have 19 t", with(truck(1300, 19000), air), "eu-tandem-motor-1800-air", 2, 19000, wim.Compliant},
		{"with air suspension they are over by one kilogram", with(truck(1799, 19001), air), "eu-tandem-motor-1800-air", 2, 19000, wim.Exceeded},
		{"without it 1.300 m have 18 t", with(truck(1300, 18001), other), "eu-tandem-motor-1800", 2, 18000, wim.Exceeded},
		{"a motor vehicle's tandem that is not driven has 18 t", with(lorry(wim.Rigid, 4, axle{0, 9000}, axle{1300, 9001}, axle{4000, 5000}, axle{1300, 5000}), drawn(2, wim.AirSuspension)), "eu-tandem-motor-1800-free", 1, 18000, wim.Exceeded},
		{"a driven axle alone stands on 11.5 t", with(lorry(wim.Rigid, 2, axle{0, 6000}, axle{4000, 11500}), drawn(1, "")), "eu-single-driven", 2, 11500, wim.Compliant},
		{"a driven axle alone is over by one kilogram", with(lorry(wim.Rigid, 2, axle{0, 6000}, axle{4000, 11501}), drawn(1, "")), "eu-single-driven", 2, 11500, wim.Exceeded},
	})
}

func TestEuropesGrossMass(t *testing.T) {
	s := law(t, "eu")
	air, other := drawn(1, wim.AirSuspension), drawn(1, wim.OtherSuspension)
	articulated := combination(wim.Articulated)
	gross := func(c wim.Configuration, n int, g wim.Kg) *wim.Facts {
		return lorry(c, 2, even(n, wim.Mm(n-1)*2500, g)...)
	}
	four := func(rear wim.Mm, g wim.Kg) *wim.Facts {
		f := gross(wim.Train, 4, g)
		f.Vehicle.Axles[3].Spacing = rear
		return with(f, articulated)
	}
	rule(t, s, []ruling{
		{"two axles stand on 18 t", gross(wim.Rigid, 2, 18000), "eu-2-axles", 0, 18000, wim.Compliant},
		{"two axles are over by one kilogram", gross(wim.Rigid, 2, 18001), "eu-2-axles", 0, 18000, wim.Exceeded},
		{"three axles with air suspension stand on 26 t", with(gross(wim.Rigid, 3, 26000), air), "eu-3-axles-air", 0, 26000, wim.Compliant},
		{"three axles without it have 25 t", with(gross(wim.Rigid, 3, 25001), other), "eu-3-axles", 0, 25000, wim.Exceeded},
		{"four axles over 6.2 m have 5 t a metre", lorry(wim.Rigid, 4, even(4, 6200, 31001)...), "eu-4-axles", 0, 31000, wim.Exceeded},
		{"four axles over 6.4 m have 32 t", lorry(wim.Rigid, 4, even(4, 6400, 32000)...), "eu-4-axles", 0, 32000, wim.Compliant},
		{"four axles over 7 m have no more", lorry(wim.Rigid, 4, even(4, 7000, 32001)...), "eu-4-axles", 0, 32000, wim.Exceeded},
		{"an articulated vehicle of four axles has 38 t with air suspension and a wide tandem", with(four(1801, 38000), air), "eu-4-articulated-air", 0, 38000, wim.Compliant},
		{"1.800 m are not wide", with(four(1800, 36001), air), "eu-4-articulated-air-close", 0, 36000, wim.Exceeded},
		{"without air suspension it has 36 t", with(four(1801, 36001), other), "eu-4-articulated", 0, 36000, wim.Exceeded},
		{"a road train of four axles stands on 36 t", with(gross(wim.Train, 4, 36000), combination(wim.Drawbar)), "eu-4-road-train", 0, 36000, wim.Compliant},
		{"a train of five axles stands on 40 t", gross(wim.Train, 5, 40000), "eu-5-axle-train", 0, 40000, wim.Compliant},
		{"a train of six axles has no more", gross(wim.Train, 6, 40001), "eu-5-axle-train", 0, 40000, wim.Exceeded},
	})
	for _, f := range findings(judge(s, gross(wim.Train, 3, 60000)), wim.RoadAdministration) {
		if f.Scope == wim.ScopeGross {
			t.Errorf("Annex I says nothing of trains of three axles, yet %+v", f)
		}
	}
}

func TestEuropesConditionsThatAreNotKnownAreNotGuessed(t *testing.T) {
	s := law(t, "eu")
	for _, x := range []struct {
		name    string
		facts   *wim.Facts
		outcome wim.Outcome
		why     string
	}{
		{"under the lower limit the suspension decides nothing", truck(1300, 18000), wim.Compliant, ""},
		{"between 18 and 19 t it does", with(truck(1300, 18500), drawn(2, "")), wim.Unknown, "suspension"},
		{"over both limits it is exceeded whatever the suspension", truck(1300, 19500), wim.Exceeded, ""},
		{"between 10 and 11.5 t it decides which axle drives", lorry(wim.Rigid, 2, axle{0, 6000}, axle{4000, 11000}), wim.Unknown, "driven"},
		{"over 11.5 t it does not", lorry(wim.Rigid, 2, axle{0, 6000}, axle{4000, 11501}), wim.Exceeded, ""},
		{"between 16.50 and 18.75 m the kind of train decides", with(semi(3, 1350, 7000), sized(18000, 2500, 3900)), wim.Unknown, "configuration"},
		{"light axles are compliant whosever they are", with(semi(3, 1350, 7000), unsure), wim.Compliant, ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			o := opinion(t, judge(s, x.facts), wim.RoadAdministration)
			if o.Outcome != x.outcome || o.Why != x.why {
				t.Errorf("%s because of %q, want %s because of %q", o.Outcome, o.Why, x.outcome, x.why)
			}
		})
	}
}

func TestEuropesSizes(t *testing.T) {
	s := law(t, "eu")
	for _, x := range []struct {
		name   string
		facts  *wim.Facts
		broken []string
	}{
		{"a truck of 12 m, 2.60 m and 4 m stands on all limits", with(sound(2, wim.Rigid, 9000), sized(12000, 2600, 4000)), nil},
		{"a truck longer than 12 m", with(sound(2, wim.Rigid, 9000), sized(12001, 2500, 3900)), []string{"eu-length-rigid"}},
		{"an articulated vehicle longer than 16.50 m", with(sound(5, wim.Train, 9000), combination(wim.Articulated), sized(16501, 2500, 3900)), []string{"eu-length-articulated"}},
		{"a road train of 18.75 m", with(sound(5, wim.Train, 9000), combination(wim.Drawbar), sized(18750, 2500, 3900)), nil},
		{"a road train longer than 18.75 m", with(sound(5, wim.Train, 9000), combination(wim.CentreAxle), sized(18751, 2500, 3900)), []string{"eu-length-road-train"}},
		{"a train whose kind is not known and that is too long for any", with(sound(5, wim.Train, 9000), sized(18751, 2500, 3900)), []string{"eu-length-road-train"}},
		{"wider than any body may be", with(sound(2, wim.Rigid, 9000), sized(9000, 2601, 3900)), []string{"eu-width"}},
		{"higher than 4 m", with(sound(2, wim.Rigid, 9000), sized(9000, 2500, 4001)), []string{"eu-height"}},
	} {
		t.Run(x.name, func(t *testing.T) {
			if got := broken(judge(s, x.facts)); !slices.Equal(got, x.broken) {
				t.Errorf("exceeded by %v, want %v", got, x.broken)
			}
		})
	}
	t.Run("between 2.55 and 2.60 m the officer is told and nobody is accused", func(t *testing.T) {
		v := judge(s, with(sound(2, wim.Rigid, 9000), sized(9000, 2580, 3900)))
		if f := findingBy(t, v, "eu-width-plain", 0); !f.Informs || f.Outcome != wim.Exceeded || f.Size.Excess != 30 {
			t.Errorf("%+v", f)
		}
		if got := broken(v); len(got) != 0 {
			t.Errorf("exceeded by %v", got)
		}
	})
}

func TestEuropesBandsBeginAtFiveTenAndTwentyPercent(t *testing.T) {
	s := law(t, "eu")
	for _, x := range []struct {
		gross wim.Kg
		band  string
	}{
		{40001, "under-5-percent"}, {41999, "under-5-percent"}, {42000, "serious"}, {43999, "serious"},
		{44000, "very-serious"}, {47999, "very-serious"}, {48000, "most-serious"},
	} {
		v := judge(s, lorry(wim.Train, 2, even(5, 10000, x.gross)...))
		if f := findingBy(t, v, "eu-5-axle-train", 0); f.Band != x.band {
			t.Errorf("%d kg: band %q, want %q", x.gross, f.Band, x.band)
		}
	}
}

func TestEuropesFiguresGroundNoDecisionWhereTheyWereReadInASecondarySource(t *testing.T) {
	s := law(t, "eu")
	for _, x := range []struct {
		name     string
		facts    *wim.Facts
		standing wim.Standing
	}{
		{"16 t of a tandem, read in a statute", semi(2, 1200, 8100), wim.Evidence},
		{"40 t of a train, read in a publisher's table", lorry(wim.Train, 2, even(5, 12000, 40100)...), wim.Screening},
	} {
		o := opinion(t, judge(s, x.facts), wim.RoadAdministration)
		if o.Outcome != wim.Exceeded || o.Standing != x.standing {
			t.Errorf("%s: %s, %s; want exceeded, %s", x.name, o.Outcome, o.Standing, x.standing)
		}
	}
}
