package rules

import (
	"testing"

	"github.com/axlegate/axlegate/wim"
)

func TestIndiasAxlesAndGroups(t *testing.T) {
	air, other := drawn(1, wim.AirSuspension), drawn(1, wim.OtherSuspension)
	steel := func(rear wim.Kg, tyre wim.Tyres, licence func(*wim.Facts)) *wim.Facts {
		return with(lorry(wim.Rigid, 2, axle{0, 5000}, axle{4000, rear}), tyres(wim.SingleTyres, tyre), licence)
	}
	tandem := func(spacing wim.Mm, both wim.Kg) *wim.Facts {
		return with(truck(spacing, both), tyres(wim.SingleTyres, wim.DualTyres), other)
	}
	tri := func(spacing wim.Mm, each wim.Kg) *wim.Facts {
		return with(lorry(wim.Rigid, 4, axle{0, 5000}, axle{4000, each}, axle{spacing, each}, axle{spacing, each}), tyres(wim.SingleTyres, wim.DualTyres), other)
	}
	rule(t, law(t, "in"), []ruling{
		{"an axle of two tyres stands on 7.5 t", steel(7500, wim.SingleTyres, other), "in-single-2-tyres", 2, 7500, wim.Compliant},
		{"an axle of two tyres is over by one kilogram", steel(7501, wim.SingleTyres, other), "in-single-2-tyres", 2, 7500, wim.Exceeded},
		{"wide tyres are two tyres", steel(7501, wim.WideTyres, other), "in-single-2-tyres", 2, 7500, wim.Exceeded},
		{"an axle of four tyres stands on 11.5 t", steel(11500, wim.DualTyres, other), "in-single-4-tyres", 2, 11500, wim.Compliant},
		{"an axle of four tyres is over by one kilogram", steel(11501, wim.DualTyres, other), "in-single-4-tyres", 2, 11500, wim.Exceeded},
		{"on air springs it has a tonne more", steel(12500, wim.DualTyres, air), "in-single-4-tyres-air", 2, 12500, wim.Compliant},
		{"and is over by one kilogram", steel(12501, wim.DualTyres, air), "in-single-4-tyres-air", 2, 12500, wim.Exceeded},
		{"a tandem 1.799 m apart stands on 21 t", tandem(1799, 21000), "in-tandem", 2, 21000, wim.Compliant},
		{"a tandem 1.799 m apart is over by one kilogram", tandem(1799, 21001), "in-tandem", 2, 21000, wim.Exceeded},
		{"axles 1.800 m apart are no tandem", tandem(1800, 23000), "in-single-4-tyres", 3, 11500, wim.Compliant},
		{"a tandem on air springs has two tonnes more", with(truck(1350, 23001), air), "in-tandem-air", 2, 23000, wim.Exceeded},
		{"three axles less than 3 m from first to last stand on 27 t", tri(1499, 9000), "in-tri-axle", 2, 27000, wim.Compliant},
		{"three axles less than 3 m from first to last are over by three kilograms", tri(1499, 9001), "in-tri-axle", 2, 27000, wim.Exceeded},
		{"three axles on air springs have three tonnes more", with(tri(1350, 10001), air), "in-tri-axle-air", 2, 30000, wim.Exceeded},
		{"three axles 3 m from first to last are a tandem and one", tri(1500, 10500), "in-tandem", 2, 21000, wim.Compliant},
	})
}

func TestIndiasGrossIsTheSumOfTheAxlesUpToItsCap(t *testing.T) {
	other := drawn(1, wim.OtherSuspension)
	of := func(c wim.Configuration, lead uint8, axles ...axle) *wim.Facts {
		return with(lorry(c, lead, axles...), tyres(wim.SingleTyres, wim.DualTyres), other)
	}
	two := func(g wim.Kg) *wim.Facts { return of(wim.Rigid, 2, axle{0, 7500}, axle{4000, g - 7500}) }
	// Steering axle and tandem: 7.5 + 21 = 28.5 t.
	three := func(g wim.Kg) *wim.Facts {
		return of(wim.Rigid, 3, axle{0, 7500}, axle{4000, 10500}, axle{1350, g - 18000})
	}
	train := func(g wim.Kg) *wim.Facts {
		return of(wim.Train, 3, axle{0, 7500}, axle{4000, 10500}, axle{1350, 10500}, axle{6000, 9000}, axle{1350, 9000}, axle{1350, g - 46500})
	}
	eight := func(g wim.Kg) *wim.Facts { return of(wim.Rigid, 5, even(5, 12000, g)...) }
	rule(t, law(t, "in"), []ruling{
		{"two axles stand on the annex's 18.5 t, less than their sum", two(18500), "in-2-axles", 0, 18500, wim.Compliant},
		{"two axles have 5 % of tolerance", two(19425), "in-2-axles", 0, 18500, wim.WithinTolerance},
		{"and are over by one kilogram more", two(19426), "in-2-axles", 0, 18500, wim.Exceeded},
		{"three axles stand on the sum of a single axle and a tandem", three(28500), "in-axle-sum", 0, 28500, wim.Compliant},
		{"the sum has 5 % of tolerance", three(29925), "in-axle-sum", 0, 28500, wim.WithinTolerance},
		{"and is exceeded by one kilogram more", three(29926), "in-axle-sum", 0, 28500, wim.Exceeded},
		{"a train stands on 55 t although its axles may carry more", train(55000), "in-train", 0, 55000, wim.Compliant},
		{"a train beyond the tolerance", train(57751), "in-train", 0, 55000, wim.Exceeded},
		{"a truck stands on 49 t", eight(49000), "in-rigid", 0, 49000, wim.Compliant},
		{"a truck beyond the tolerance", eight(51451), "in-rigid", 0, 49000, wim.Exceeded},
	})
}

func TestIndiasSuspensionThatIsNotKnownDecidesBetweenTwoLimits(t *testing.T) {
	s := law(t, "in")
	for _, x := range []struct {
		both    wim.Kg
		outcome wim.Outcome
	}{
		{21000, wim.Compliant}, {21001, wim.Unknown}, {23000, wim.Unknown}, {23001, wim.Exceeded},
	} {
		f := with(truck(1350, x.both), tyres(wim.SingleTyres, wim.DualTyres))
		if o := opinion(t, judge(s, f), wim.RoadAdministration); o.Outcome != x.outcome {
			t.Errorf("%d kg: %s, want %s", x.both, o.Outcome, x.outcome)
		}
	}
}
