package rules

import (
	"testing"

	"github.com/axlegate/axlegate/wim"
)

func TestSouthAfricasAxleUnits(t *testing.T) {
	truckOf := func(steer, both wim.Kg) *wim.Facts {
		return with(lorry(wim.Rigid, 3, axle{0, steer}, axle{5000, both / 2}, axle{1350, both - both/2}), tyres(wim.SingleTyres, wim.DualTyres))
	}
	single := func(rear wim.Kg, tyre wim.Tyres) *wim.Facts {
		return with(lorry(wim.Rigid, 2, axle{0, 5000}, axle{5000, rear}), tyres(wim.SingleTyres, tyre))
	}
	rule(t, law(t, "za"), []ruling{
		{"a steering axle stands on 7.7 t", truckOf(7700, 16000), "za-single-steering", 1, 7700, wim.Compliant},
		{"a steering axle has 5 % of tolerance", truckOf(8085, 16000), "za-single-steering", 1, 7700, wim.WithinTolerance},
		{"and is over by one kilogram more", truckOf(8086, 16000), "za-single-steering", 1, 7700, wim.Exceeded},
		{"an axle of two tyres has 8 t", single(8401, wim.SingleTyres), "za-single-2-tyres", 2, 8000, wim.Exceeded},
		{"an axle of four tyres stands on 9 t", single(9000, wim.DualTyres), "za-single-4-tyres", 2, 9000, wim.Compliant},
		{"a unit of two axles stands on 18 t", truckOf(7000, 18000), "za-unit-2", 2, 18000, wim.Compliant},
		{"a unit of two axles is over by one kilogram more than 5 %", truckOf(7000, 18901), "za-unit-2", 2, 18000, wim.Exceeded},
		{"a unit of three axles stands on 24 t", semi(3, 1350, 8000), "za-unit-3", 3, 24000, wim.Compliant},
	})
}

func TestSouthAfricasGross(t *testing.T) {
	// 7.7 + 18 + 24 = 49.7 t by the units.
	train := func(last wim.Kg) *wim.Facts {
		return with(lorry(wim.Train, 3, axle{0, 7000}, axle{3500, 9000}, axle{1350, 9000}, axle{6000, 8000}, axle{1350, 8000}, axle{1350, last}), tyres(wim.SingleTyres, wim.DualTyres))
	}
	long := func(g wim.Kg) *wim.Facts {
		return with(lorry(wim.Train, 2, even(7, 21000, g)...), tyres(wim.SingleTyres, wim.DualTyres))
	}
	rule(t, law(t, "za"), []ruling{
		{"the units' sum stands", train(8700), "za-axle-sum", 0, 49700, wim.Compliant},
		{"the units' sum has 2 % of tolerance", train(9694), "za-axle-sum", 0, 49700, wim.WithinTolerance},
		{"and is exceeded by one kilogram more", train(9695), "za-axle-sum", 0, 49700, wim.Exceeded},
		{"no train has more than 56 t", long(56000), "za-gross", 0, 56000, wim.Compliant},
		{"56 t have 2 % of tolerance", long(57120), "za-gross", 0, 56000, wim.WithinTolerance},
		{"and are exceeded by one kilogram more", long(57121), "za-gross", 0, 56000, wim.Exceeded},
	})
}

func TestSouthAfricasBridgeFormulaRoundsTheDistanceUp(t *testing.T) {
	s := law(t, "za")
	// Two units of two axles, 4.7 m or a little more from first to last.
	pairs := func(between wim.Mm, g wim.Kg) *wim.Facts {
		q := g / 4
		return lorry(wim.Rigid, 4, axle{0, q}, axle{1350, q}, axle{between, q}, axle{1350, g - 3*q})
	}
	rule(t, s, []ruling{
		{"4.700 m are 4.7 m", pairs(2000, 27870), "za-bridge", 1, 27870, wim.Compliant},
		{"4.700 m are over by one kilogram", pairs(2000, 27871), "za-bridge", 1, 27870, wim.Exceeded},
		{"4.701 m are 4.8 m", pairs(2001, 28080), "za-bridge", 1, 28080, wim.Compliant},
		{"4.800 m are 4.8 m", pairs(2100, 28081), "za-bridge", 1, 28080, wim.Exceeded},
	})
	t.Run("an axle unit is not split", func(t *testing.T) {
		for _, l := range s.Explain(pairs(2000, 27871)).Limits {
			if l.Limit == "za-bridge" && (l.First%2 == 0 || l.Last%2 == 1) {
				t.Errorf("axles %d to %d were looked at", l.First, l.Last)
			}
		}
	})
}

func TestSouthAfricasRegisteredMassIsOfATruckAlone(t *testing.T) {
	s := law(t, "za")
	licence := truckLicence()
	for _, x := range []struct {
		gross   wim.Kg
		outcome wim.Outcome
	}{
		{18000, wim.Compliant}, {18001, wim.Exceeded},
	} {
		f := with(lorry(wim.Rigid, 2, even(2, 5000, x.gross)...), licensed(licence))
		if o := opinion(t, judge(s, f), wim.TrafficPolice); o.Outcome != x.outcome {
			t.Errorf("%d kg: %s, want %s", x.gross, o.Outcome, x.outcome)
		}
	}
	if o := opinion(t, judge(s, with(lorry(wim.Train, 2, even(5, 12000, 40000)...), licensed(licence))), wim.TrafficPolice); o.Outcome != wim.NotApplicable {
		t.Errorf("a train: %s, want not applicable", o.Outcome)
	}
}
