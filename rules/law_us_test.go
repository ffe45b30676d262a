package rules

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

// feet is a length in feet as a scale tells it, in whole millimetres. Rounded up it would turn the formula's ties.
func feet(ft int64) wim.Mm { return wim.Mm(ft * 3048 / 10) }

// lb is the largest whole mass that is not above so many pounds.
func lb(n int64) wim.Kg { return wim.Kg(pounds(n)) }

// bridged is what the bridge formula's limit permits n axles over a span.
func bridged(t *testing.T, s *Set, n int, span wim.Mm) wim.Kg {
	t.Helper()
	e := s.Explain(lorry(wim.Train, 0, even(n, span, wim.Kg(n)*4000)...))
	for _, l := range e.Limits {
		if l.First != 1 || int(l.Last) != n || l.Limit != "us-bridge" && l.Limit != "us-tandem" {
			continue
		}
		for _, k := range l.Cases {
			if k.Applies == "yes" {
				return wim.Kg(k.Permitted)
			}
		}
	}
	t.Fatalf("nothing limits %d axles over %d mm", n, span)
	return 0
}

func TestBridgeFormulaGivesTheFederalTablesRows(t *testing.T) {
	s := law(t, "us")
	for _, row := range []struct {
		feet int64
		from int // axles of the first figure
		lb   []int64
	}{
		{8, 2, []int64{34000, 34000}},
		{9, 2, []int64{39000, 42500}},
		{10, 2, []int64{40000, 43500}},
		{16, 3, []int64{48000, 52500, 58000}},
		{20, 3, []int64{51000, 55500, 60500, 66000}},
		{24, 3, []int64{54000, 58000, 63000, 68500, 74000}},
		{32, 3, []int64{60000, 63500, 68000, 73000, 78500}},
		{36, 4, []int64{66000, 70500, 75500, 81000}},
		{43, 4, []int64{70500, 75000, 80000, 85000}},
		{51, 4, []int64{76000, 80000, 84500, 89500}},
		{57, 4, []int64{80000, 83500, 88000, 93000}},
	} {
		for i, want := range row.lb {
			if got := bridged(t, s, row.from+i, feet(row.feet)); got != lb(want) {
				t.Errorf("%d axles over %d ft may weigh %d kg, want %d lb = %d kg", row.from+i, row.feet, got, want, lb(want))
			}
		}
	}
}

func TestBridgeFormulaAtItsEdges(t *testing.T) {
	s := law(t, "us")
	for _, x := range []struct {
		name  string
		axles int
		span  wim.Mm
		lb    int64
	}{
		{"two axles 96 inches apart are still a tandem", 2, 2438, 34000},
		{"two axles just over 96 inches apart have the formula's value for 8 feet", 2, 2439, 38000},
		{"so have they just under 9 feet", 2, 2742, 38000},
		{"from 9 feet on they have the formula", 2, 2743, 39000},
		{"three axles within 96 inches are still a tandem", 3, 2438, 34000},
		{"three axles just over 96 inches have the formula's value for 8 feet", 3, 2439, 42000},
		{"so have they just under 9 feet", 3, 2742, 42000},
		{"from 9 feet on they have the formula", 3, 2743, 42500},
		{"two axles never carry more than 20,000 lb each", 2, feet(30), 40000},
		{"four axles never carry more than 20,000 lb each", 4, feet(80), 80000},
		{"an exact tie goes down for three axles", 3, feet(15), 47000},
		{"an exact tie goes down for five axles", 5, feet(30), 66500},
		{"four axles spread evenly over 36 feet are no two tandems", 4, 10972, 66000},
		{"five axles never carry more than 20,000 lb each", 5, feet(100), 100000},
		{"the formula goes beyond 80,000 lb", 7, feet(57), 93000},
	} {
		t.Run(x.name, func(t *testing.T) {
			if got := bridged(t, s, x.axles, x.span); got != lb(x.lb) {
				t.Errorf("%d kg, want %d lb = %d kg", got, x.lb, lb(x.lb))
			}
		})
	}
}

func TestTwoTandemsCarry34000PoundsEachFrom36FeetOn(t *testing.T) {
	s := law(t, "us")
	sets := func(span, spacing wim.Mm, each wim.Kg) *wim.Facts {
		return lorry(wim.Train, 0, axle{0, each}, axle{spacing, each}, axle{span - 2*spacing, each}, axle{spacing, each})
	}
	rule(t, s, []ruling{
		{"just under 36 feet the formula holds", sets(10971, 1300, 7490), "us-bridge-4", 1, lb(66000), wim.Exceeded},
		{"from 36 feet on they stand on 34,000 lb each", sets(10972, 1300, 7711), "us-two-tandems", 1, lb(68000), wim.Compliant},
		{"just under 39 feet they do", sets(11887, 1300, 7712), "us-two-tandems", 1, lb(68000), wim.Exceeded},
		{"from 39 feet on the formula gives as much", sets(11888, 1300, 7712), "us-bridge-4-39ft", 1, lb(68000), wim.Exceeded},
		{"axles 96 inches apart are a tandem", sets(10972, 2438, 7712), "us-two-tandems", 1, lb(68000), wim.Exceeded},
		{"axles more than 96 inches apart are none", sets(10972, 2439, 7490), "us-bridge-4-36ft", 1, lb(66000), wim.Exceeded},
		{"axles within 40 inches are one axle and no tandem", sets(10972, 1016, 7490), "us-bridge-4-36ft", 1, lb(66000), wim.Exceeded},
	})
}

func TestAStateThatRoundsTiesUpWritesItInItsSet(t *testing.T) {
	p := filepath.Join("..", "configs", "rules", "us.yaml")
	b, err := os.ReadFile(p)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Load(p, []byte(strings.ReplaceAll(string(b), "tie: down", "tie: up")))
	if err != nil {
		t.Fatal(err)
	}
	if got := bridged(t, s, 3, feet(15)); got != lb(47500) {
		t.Errorf("%d kg, want 47,500 lb", got)
	}
	if got := bridged(t, s, 5, feet(31)); got != bridged(t, law(t, "us"), 5, feet(31)) {
		t.Errorf("what is no tie moved: %d kg", got)
	}
}

func TestUnitedStatesAxlesAndGross(t *testing.T) {
	s := law(t, "us")
	single := func(load wim.Kg) *wim.Facts { return lorry(wim.Rigid, 2, axle{0, 4000}, axle{5000, load}) }
	pair := func(spacing wim.Mm, each wim.Kg) *wim.Facts {
		return lorry(wim.Rigid, 3, axle{0, 4000}, axle{5000, each}, axle{spacing, each})
	}
	gross := func(g wim.Kg) *wim.Facts { return lorry(wim.Train, 3, even(7, feet(65), g)...) }
	rule(t, s, []ruling{
		{"an axle stands on 20,000 lb", single(9071), "us-axle", 2, 9071, wim.Compliant},
		{"an axle is over by one kilogram", single(9072), "us-axle", 2, 9071, wim.Exceeded},
		{"two axles 40 inches apart are one axle", pair(1016, 4536), "us-close-axles", 2, 9071, wim.Exceeded},
		{"two axles 40 inches apart stand on 20,000 lb", with(pair(1016, 4535), func(f *wim.Facts) { f.Vehicle.Axles[2].Load = 4536 }), "us-close-axles", 2, 9071, wim.Compliant},
		{"two axles more than 40 inches apart are a tandem", pair(1017, 7711), "us-tandem", 2, 15422, wim.Compliant},
		{"a tandem is over by one kilogram", with(pair(1017, 7711), func(f *wim.Facts) { f.Vehicle.Axles[2].Load = 7712 }), "us-tandem", 2, 15422, wim.Exceeded},
		{"a tandem 96 inches apart is one", pair(2438, 7712), "us-tandem", 2, 15422, wim.Exceeded},
		{"a train stands on 80,000 lb", gross(36287), "us-gross", 0, 36287, wim.Compliant},
		{"a train over 80,000 lb exceeds although the formula permits more", gross(36288), "us-gross", 0, 36287, wim.Exceeded},
	})
	if got := broken(judge(s, gross(36288))); !slices.Equal(got, []string{"us-gross"}) {
		t.Errorf("exceeded by %v, want the gross limit alone", got)
	}
	if got := broken(judge(s, pair(1017, 4600))); len(got) != 0 {
		t.Errorf("axles over 40 inches apart are not one axle, yet exceeded by %v", got)
	}
	if got := broken(judge(s, pair(2439, 8000))); len(got) != 0 {
		t.Errorf("axles over 96 inches apart are no tandem, yet exceeded by %v", got)
	}
}

func TestUnitedStatesInnerGroupsOfABridge(t *testing.T) {
	s := law(t, "us")
	// A tractor of three axles with a semi-trailer of two, 51 ft in all; the four rear axles span inner millimetres.
	train := func(inner wim.Mm, each wim.Kg) *wim.Facts {
		return lorry(wim.Train, 3, axle{0, 5000}, axle{feet(51) - inner, each}, axle{1300, each}, axle{inner - 2600, each}, axle{1300, each})
	}
	t.Run("an inner group may exceed where the whole does not", func(t *testing.T) {
		v := judge(s, train(feet(35), 7700))
		f := findingBy(t, v, "us-bridge-4", 2)
		if f.Last != 5 || f.Outcome != wim.Exceeded || f.Permitted != lb(65500) || f.Measured != 30800 {
			t.Errorf("%+v", f)
		}
		if got := broken(v); !slices.Equal(got, []string{"us-bridge-4"}) {
			t.Errorf("exceeded by %v", got)
		}
	})
	t.Run("two tandems 36 feet apart carry 34,000 lb each", func(t *testing.T) {
		if got := broken(judge(s, train(feet(36), 7711))); len(got) != 0 {
			t.Errorf("exceeded by %v", got)
		}
	})
	t.Run("an instrument that does not tell the distances leaves the formula open", func(t *testing.T) {
		f := train(feet(36), 7000)
		f.Vehicle.Axles[3].Spacing = 0
		if o := opinion(t, judge(s, f), wim.RoadAdministration); o.Outcome != wim.Unknown || o.Why != "spacing" {
			t.Errorf("%s because of %s", o.Outcome, o.Why)
		}
	})
}

func TestUnitedStatesFiguresThatWereReadGroundADecision(t *testing.T) {
	s := law(t, "us")
	for _, x := range []struct {
		name     string
		facts    *wim.Facts
		standing wim.Standing
	}{
		{"20,000 lb of the statute", lorry(wim.Rigid, 2, axle{0, 4000}, axle{5000, 9100}), wim.Evidence},
		{"the table's 38,000 lb between 8 and 9 feet, read in a transcription", lorry(wim.Rigid, 3, axle{0, 4000}, axle{5000, 8700}, axle{2500, 8700}), wim.Screening},
	} {
		o := opinion(t, judge(s, x.facts), wim.RoadAdministration)
		if o.Outcome != wim.Exceeded || o.Standing != x.standing {
			t.Errorf("%s: %s, %s; want exceeded, %s", x.name, o.Outcome, o.Standing, x.standing)
		}
	}
}

func TestUnitedStatesShowsWhatIdleReductionEquipmentMayExplain(t *testing.T) {
	s := law(t, "us")
	for _, x := range []struct {
		gross wim.Kg
		band  string
	}{
		{36287, ""}, {36288, "up-to-550-lb"}, {36287 + 249, "up-to-550-lb"}, {36287 + 250, "over-550-lb"},
	} {
		if f := findingBy(t, judge(s, lorry(wim.Train, 3, even(7, feet(65), x.gross)...)), "us-gross", 0); f.Band != x.band {
			t.Errorf("%d kg: band %q, want %q", x.gross, f.Band, x.band)
		}
	}
}
