package rules

import (
	"slices"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

// brazilian is a train of one steering axle and further groups of axles 1.30 m apart on dual tyres, 4 m from one
// another; loads are those of each axle of a group.
func brazilian(steer wim.Kg, groups ...[]wim.Kg) *wim.Facts {
	all := []axle{{0, steer}}
	for _, g := range groups {
		for i, load := range g {
			a := axle{1300, load}
			if i == 0 {
				a.spacing = 4000
			}
			all = append(all, a)
		}
	}
	return with(lorry(wim.Train, 0, all...), tyres(wim.SingleTyres, wim.DualTyres))
}

func TestBrazilsAxlesAndGroupsAtTheEdgesOfTheirBands(t *testing.T) {
	pair := func(spacing wim.Mm, both wim.Kg, a, b wim.Tyres) *wim.Facts {
		return with(lorry(wim.Rigid, 3, axle{0, 4000}, axle{4000, both / 2}, axle{spacing, both - both/2}), tyres(wim.SingleTyres, a, b))
	}
	steered := func(both wim.Kg) *wim.Facts {
		return with(lorry(wim.Rigid, 4, axle{0, both / 2}, axle{1800, both - both/2}, axle{4000, 5000}, axle{1300, 5000}), tyres(wim.SingleTyres, wim.SingleTyres, wim.DualTyres))
	}
	dual, single := wim.DualTyres, wim.SingleTyres
	rule(t, law(t, "br"), []ruling{
		{"an axle on two tyres stands on 6 t", brazilian(6000, []wim.Kg{5000}), "br-single-2-tyres", 1, 6000, wim.Compliant},
		{"an axle on two tyres has 12.5 % of tolerance", brazilian(6750, []wim.Kg{5000}), "br-single-2-tyres", 1, 6000, wim.WithinTolerance},
		{"and is over by one kilogram more", brazilian(6751, []wim.Kg{5000}), "br-single-2-tyres", 1, 6000, wim.Exceeded},
		{"an axle on dual tyres stands on 10 t", brazilian(5000, []wim.Kg{10000}), "br-single-dual", 2, 10000, wim.Compliant},
		{"a tandem 1.201 m apart stands on 17 t", pair(1201, 17000, dual, dual), "br-tandem-dual", 2, 17000, wim.Compliant},
		{"a tandem 2.400 m apart has 17 t and its tolerance", pair(2400, 19125, dual, dual), "br-tandem-dual", 2, 17000, wim.WithinTolerance},
		{"and is over by one kilogram more", pair(2400, 19126, dual, dual), "br-tandem-dual", 2, 17000, wim.Exceeded},
		{"axles 2.401 m apart are no tandem", pair(2401, 20000, dual, dual), "br-single-dual", 3, 10000, wim.Compliant},
		{"axles 1.200 m apart are none either", pair(1200, 20000, dual, dual), "br-single-dual", 3, 10000, wim.Compliant},
		{"one axle on dual and one on single tyres have 13.5 t", pair(1300, 13501, dual, single), "br-tandem-mixed", 2, 13500, wim.WithinTolerance},
		{"two steering axles have 12 t", steered(13501), "br-double-steering", 1, 12000, wim.Exceeded},
		{"wide tyres are taken as dual ones", pair(2500, 20000, wim.WideTyres, wim.WideTyres), "br-single-wide", 3, 10000, wim.Compliant},
		{"in a tandem too", pair(1300, 17000, wim.WideTyres, wim.WideTyres), "br-tandem-wide", 2, 17000, wim.Compliant},
		{"three axles stand on 25.5 t", brazilian(6000, []wim.Kg{8500, 8500, 8500}), "br-tridem", 2, 25500, wim.Compliant},
	})
}

func TestBrazilWaivesAxlesWhereTheGrossIsWithin50Tonnes(t *testing.T) {
	s := law(t, "br")
	ten := []wim.Kg{10000, 5000}
	for _, x := range []struct {
		name    string
		facts   *wim.Facts
		outcome wim.Outcome
		broken  []string
	}{
		{
			// 2S2: 6 + 10 + 17 = 33 t. The tandem weighs 19.2 t, more than 17 t and its tolerance.
			"a train within 33 t whose tandem is too heavy", brazilian(5000, []wim.Kg{8000}, []wim.Kg{9600, 9600}), wim.Compliant, nil,
		},
		{
			"the same train with its gross over and within the tolerance", brazilian(5400, []wim.Kg{10000}, []wim.Kg{9600, 9600}), wim.WithinTolerance, nil,
		},
		{
			"the same train beyond the tolerance of its gross", brazilian(6000, []wim.Kg{10000}, []wim.Kg{9600, 9600}), wim.Exceeded, []string{"br-axle-sum", "br-tandem-dual"},
		},
		{
			// 6 + 17 + 17 + 17 = 57 t is more than 50 t, so its axles count although the gross does not exceed.
			"a train whose regulatory gross is above 50 t", brazilian(5000, []wim.Kg{9600, 9600}, ten, ten), wim.Exceeded, []string{"br-tandem-dual"},
		},
	} {
		t.Run(x.name, func(t *testing.T) {
			v := judge(s, x.facts)
			if o := opinion(t, v, wim.RoadAdministration); o.Outcome != x.outcome || !slices.Equal(broken(v), x.broken) {
				t.Errorf("%s by %v, want %s by %v", o.Outcome, broken(v), x.outcome, x.broken)
			}
		})
	}
	t.Run("a regulatory gross of 50 t is waived and one above it is not", func(t *testing.T) {
		// 6 + 10 + 17 + 17 = 50 t, and 6 + 10 + 10 + 25.5 = 51.5 t.
		heavy := []wim.Kg{9600, 9600}
		if got := broken(judge(s, brazilian(5000, []wim.Kg{8000}, heavy, []wim.Kg{8000, 8000}))); len(got) != 0 {
			t.Errorf("exceeded by %v", got)
		}
		if got := broken(judge(s, brazilian(5000, []wim.Kg{11300}, []wim.Kg{8000}, []wim.Kg{8000, 8000, 8000}))); !slices.Equal(got, []string{"br-single-dual"}) {
			t.Errorf("exceeded by %v, want the axle of 11.3 t", got)
		}
	})
	t.Run("what is waived is shown all the same", func(t *testing.T) {
		v := judge(s, brazilian(5000, []wim.Kg{8000}, []wim.Kg{9600, 9600}))
		if f := findingBy(t, v, "br-tandem-dual", 3); !f.Informs || f.Outcome != wim.Exceeded {
			t.Errorf("%+v", f)
		}
	})
}

func TestBrazilsGrossIsTheSumOfTheAxlesUpToItsCap(t *testing.T) {
	rule(t, law(t, "br"), []ruling{
		{"2S3 is 41.5 t", brazilian(6000, []wim.Kg{9000}, []wim.Kg{8500, 8500, 8500}), "br-axle-sum", 0, 41500, wim.Compliant},
		{"3S2 is 40 t", brazilian(6000, []wim.Kg{8500, 8500}, []wim.Kg{8500, 8500}), "br-axle-sum", 0, 40000, wim.Compliant},
		{"3S3 is 48.5 t", brazilian(6000, []wim.Kg{8500, 8500}, []wim.Kg{8500, 8500, 8500}), "br-axle-sum", 0, 48500, wim.Compliant},
		{"3S3 has 5 % of tolerance", brazilian(8425, []wim.Kg{8500, 8500}, []wim.Kg{8500, 8500, 8500}), "br-axle-sum", 0, 48500, wim.WithinTolerance},
		{"and is over by one kilogram more", brazilian(8426, []wim.Kg{8500, 8500}, []wim.Kg{8500, 8500, 8500}), "br-axle-sum", 0, 48500, wim.Exceeded},
		{"no train has more than 57 t", brazilian(6000, []wim.Kg{9000, 9000}, []wim.Kg{9000, 9000}, []wim.Kg{9000, 9000}), "br-gross-train", 0, 57000, wim.Exceeded},
		{"no truck has more than 29 t", with(lorry(wim.Rigid, 4, even(4, 6000, 30451)...), tyres(wim.DualTyres)), "br-gross-rigid", 0, 29000, wim.Exceeded},
	})
}

func TestBrazilCountsTheExcessFromWhatIsTolerated(t *testing.T) {
	s := law(t, "br")
	for _, x := range []struct {
		over wim.Kg
		band string
	}{
		{1, "to-600"}, {600, "to-600"}, {601, "to-800"}, {800, "to-800"}, {801, "to-1000"}, {1001, "to-3000"}, {3001, "to-5000"}, {5000, "to-5000"}, {5001, "over-5000"},
	} {
		f := with(lorry(wim.Rigid, 4, even(4, 6000, 30450+x.over)...), tyres(wim.DualTyres))
		got := findingBy(t, judge(s, f), "br-gross-rigid", 0)
		if got.Excess != x.over || got.Tolerance != 1450 || got.Band != x.band {
			t.Errorf("%d kg over what is tolerated: excess %d, tolerance %d, band %q; want band %q", x.over, got.Excess, got.Tolerance, got.Band, x.band)
		}
	}
}

func TestBrazilsSizes(t *testing.T) {
	s := law(t, "br")
	for _, x := range []struct {
		name   string
		facts  *wim.Facts
		broken []string
	}{
		{"a truck of 14 m, 2.60 m and 4.40 m", with(sound(2, wim.Rigid, 9000), sized(14000, 2600, 4400)), nil},
		{"a longer, wider and higher truck", with(sound(2, wim.Rigid, 9000), sized(14001, 2601, 4401)), []string{"br-length-rigid", "br-width", "br-height"}},
		{"an articulated vehicle of 18.60 m", with(sound(5, wim.Train, 9000), combination(wim.Articulated), sized(18600, 2500, 4000)), nil},
		{"a longer one", with(sound(5, wim.Train, 9000), combination(wim.Articulated), sized(18601, 2500, 4000)), []string{"br-length-articulated"}},
		{"a train of more units of 19.80 m", with(sound(7, wim.Train, 9000), combination(wim.RoadTrain), sized(19800, 2500, 4000)), nil},
		{"a longer one", with(sound(7, wim.Train, 9000), combination(wim.RoadTrain), sized(19801, 2500, 4000)), []string{"br-length-train"}},
	} {
		if got := broken(judge(s, x.facts)); !slices.Equal(got, x.broken) {
			t.Errorf("%s: exceeded by %v, want %v", x.name, got, x.broken)
		}
	}
}
