package rules

import (
	"slices"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

func TestAustraliasGroupsByTheirOutermostAxles(t *testing.T) {
	dual := tyres(wim.SingleTyres, wim.DualTyres)
	two := func(spacing wim.Mm, both wim.Kg) *wim.Facts {
		return with(lorry(wim.Rigid, 3, axle{0, 5000}, axle{5000, both / 2}, axle{spacing, both - both/2}), dual)
	}
	rear := func(spacing wim.Mm, both wim.Kg, a, b wim.Tyres) *wim.Facts {
		return with(two(spacing, both), tyres(wim.SingleTyres, a, b))
	}
	lone := func(load wim.Kg, a wim.Tyres) *wim.Facts {
		return with(lorry(wim.Rigid, 2, axle{0, 5000}, axle{5000, load}), tyres(wim.SingleTyres, a))
	}
	three := func(spacing wim.Mm, each wim.Kg) *wim.Facts { return with(semi(3, spacing, each), dual) }
	rule(t, law(t, "au"), []ruling{
		{"a steer axle stands on 6 t", lorry(wim.Rigid, 2, axle{0, 6000}, axle{5000, 5000}), "au-steer", 1, 6000, wim.Compliant},
		{"a steer axle is over by one kilogram", lorry(wim.Rigid, 2, axle{0, 6001}, axle{5000, 5000}), "au-steer", 1, 6000, wim.Exceeded},
		{"two axles 0.999 m apart are one single axle", two(999, 9001), "au-close-dual", 2, 9000, wim.Exceeded},
		{"two axles 1.000 m apart are a tandem", two(1000, 16500), "au-tandem-dual", 2, 16500, wim.Compliant},
		{"two axles 2.000 m apart are a tandem", two(2000, 16501), "au-tandem-dual", 2, 16500, wim.Exceeded},
		{"two axles 2.001 m apart are single axles", two(2001, 18000), "au-single-dual", 3, 9000, wim.Compliant},
		{"three axles within 3.200 m are a tri-axle group", three(1600, 6666), "au-tri-axle", 3, 20000, wim.Compliant},
		{"three axles within 3.200 m are over", three(1600, 6667), "au-tri-axle", 3, 20000, wim.Exceeded},
		{"three axles over 3.201 m are a tandem and one", three(1601, 8251), "au-tandem-dual", 3, 16500, wim.Exceeded},
		{"three axles on single tyres have 15 t", with(semi(3, 1300, 5001), tyres(wim.SingleTyres)), "au-tri-axle-single", 3, 15000, wim.Exceeded},
		{"an axle on single tyres has 6.7 t", lone(6701, wim.SingleTyres), "au-single", 2, 6700, wim.Exceeded},
		{"an axle on wide tyres has 7 t", lone(7001, wim.WideTyres), "au-single-wide", 2, 7000, wim.Exceeded},
		{"two close axles on single tyres have 6.7 t", rear(900, 6701, wim.SingleTyres, wim.SingleTyres), "au-close", 2, 6700, wim.Exceeded},
		{"two close axles on wide tyres have 7 t", rear(900, 7001, wim.WideTyres, wim.WideTyres), "au-close-wide", 2, 7000, wim.Exceeded},
		{"a tandem with one axle on dual tyres has 13 t", rear(1300, 13001, wim.DualTyres, wim.SingleTyres), "au-tandem-6-tyre", 2, 13000, wim.Exceeded},
		{"a tandem on wide tyres is taken as on dual ones", rear(1300, 16501, wim.WideTyres, wim.WideTyres), "au-tandem-wide", 2, 16500, wim.Exceeded},
		{"two close steering axles are one", lorry(wim.Rigid, 4, axle{0, 3000}, axle{900, 3001}, axle{4000, 6000}, axle{1300, 6000}), "au-close-steer", 1, 6000, wim.Exceeded},
		{"two steering axles have 11 t", lorry(wim.Rigid, 4, axle{0, 5500}, axle{1800, 5501}, axle{4000, 6000}, axle{1300, 6000}), "au-twin-steer", 1, 11000, wim.Exceeded},
	})
}

func TestAustraliasArticulatedTotalSaysNothingOfOtherVehicles(t *testing.T) {
	s := law(t, "au")
	loads := []axle{{0, 5800}, {3500, 8200}, {1300, 8200}, {6000, 6600}, {1300, 6600}, {1300, 6600}}
	of := func(more wim.Kg, c wim.Combination) *wim.Facts {
		all := slices.Clone(loads)
		all[3].load += more
		return with(lorry(wim.Train, 3, all...), combination(c), tyres(wim.SingleTyres, wim.DualTyres))
	}
	rule(t, s, []ruling{
		{"six axles stand below 42.5 t", of(0, wim.Articulated), "au-articulated-gross", 0, 42500, wim.Compliant},
		{"six axles are over by one kilogram", of(501, wim.Articulated), "au-articulated-gross", 0, 42500, wim.Exceeded},
	})
	for _, x := range []struct {
		name  string
		facts *wim.Facts
	}{
		{"a road train", of(501, wim.RoadTrain)},
		{"a truck of five axles", lorry(wim.Rigid, 5, even(5, 12000, 30000)...)},
	} {
		for _, f := range judge(s, x.facts).Findings {
			if f.Limit == "au-articulated-gross" {
				t.Errorf("%s: %+v", x.name, f)
			}
		}
	}
}
