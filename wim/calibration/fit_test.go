package calibration

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/accuracy"
)

// run is a pass of a truck of 40 t on a scale whose sides weigh so many permille of the truth.
func run(speed wim.DeciKmh, t wim.DeciKelvin, left, right float64) Pass {
	p := Pass{Time: 1, Speed: speed, Temperature: t, True: Wheels{40_000, 20_000, 20_000}}
	p.Told.Left, p.Told.Right = wim.Kg(math.Round(20*left)), wim.Kg(math.Round(20*right))
	p.Told.Gross = p.Told.Left + p.Told.Right
	return p
}

func TestFactorsUndoWhatTheScaleErsBy(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var passes []Pass
	for range 10 {
		n := func() float64 { return 4 * r.NormFloat64() }
		passes = append(passes,
			run(400, 2800, 950+n(), 1020+n()), run(700, 2800, 930+n(), 1000+n()),
			run(400, 3000, 900+n(), 970+n()), run(700, 3000, 880+n(), 950+n()))
	}
	passes = append(passes, run(1200, 2800, 1000, 1000), run(400, 0, 1000, 1000)) // in no band
	f, err := Fit(passes, Bands{Speeds: []wim.DeciKmh{300, 600, 900}, Temperatures: []wim.DeciKelvin{2731, 2931, 3131}})
	if err != nil {
		t.Fatal(err)
	}
	c := Calibration{Format: Format, Version: "1", Device: "s", Cells: f.Cells}
	if err := c.Valid(); err != nil {
		t.Fatal(err)
	}
	if len(f.Cells) != 8 || f.Unused != 2 {
		t.Fatalf("%d cells, %d unused", len(f.Cells), f.Unused)
	}
	for _, x := range []struct {
		s    Sensor
		v    wim.DeciKmh
		t    wim.DeciKelvin
		want float64
	}{{Left, 400, 2800, 1 / .95}, {Right, 400, 2800, 1 / 1.02}, {Left, 700, 3000, 1 / .88}, {Right, 700, 3000, 1 / .95}} {
		got, ok := c.Of(x.s, x.v, x.t)
		if d := float64(got)/1e6 - x.want; !ok || math.Abs(d) > 0.005 {
			t.Errorf("%s at %d and %d: %d, want %.4f", x.s, x.v, x.t, got, x.want)
		}
	}
	var before, after float64
	for i := range f.Before {
		if math.IsNaN(f.After[i]) {
			continue
		}
		before, after = max(before, math.Abs(f.Before[i])), max(after, math.Abs(f.After[i]))
	}
	if before < 5 || after > 1.5 || !math.IsNaN(f.After[40]) || !math.IsNaN(f.After[41]) {
		t.Errorf("largest error %.2f before and %.2f after", before, after)
	}
}

func TestAfterIsToldByTheOtherPassesAlone(t *testing.T) {
	// Two passes are right and one weighs a tenth too little: what the others say of it is that it stays so.
	f, err := Fit([]Pass{run(500, 0, 1000, 1000), run(500, 0, 1000, 1000), run(500, 0, 900, 900)}, Bands{Speeds: []wim.DeciKmh{0, 1000}})
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(f.After[2]+10) > 1e-9 || f.Cells[0].Uncertainty < 100_000 {
		t.Errorf("after %v, uncertainty %d", f.After, f.Cells[0].Uncertainty)
	}
}

func TestAScaleThatTellsNoWheelsHasOneFactor(t *testing.T) {
	passes := []Pass{run(500, 0, 950, 950), run(500, 0, 950, 950), run(500, 0, 950, 950)}
	passes[1].Told.Left = 0
	f, err := Fit(passes, Bands{Speeds: []wim.DeciKmh{0, 1000}})
	if err != nil || len(f.Cells) != 1 || f.Cells[0].Sensor != Whole || math.Abs(float64(f.Cells[0].Factor)-1e6/.95) > 1 {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestWhatCannotBeFittedIsRefused(t *testing.T) {
	ok := []Pass{run(500, 0, 950, 950), run(500, 0, 950, 950), run(500, 0, 950, 950)}
	half := []Pass{run(500, 0, 400, 400), run(500, 0, 400, 400), run(500, 0, 400, 400)}
	speeds := []wim.DeciKmh{0, 1000}
	for name, c := range map[string]struct {
		p []Pass
		b Bands
	}{
		"no pass":                   {nil, Bands{Speeds: speeds}},
		"a pass without mass":       {[]Pass{{}}, Bands{Speeds: speeds}},
		"too few in a band":         {ok[:2], Bands{Speeds: speeds}},
		"a scale at less than half": {half, Bands{Speeds: speeds}},
		"no bands":                  {ok, Bands{}},
		"bands that fall":           {ok, Bands{Speeds: []wim.DeciKmh{900, 300}}},
		"one edge of temperature":   {ok, Bands{Speeds: speeds, Temperatures: []wim.DeciKelvin{2700}}},
		"a temperature unknown":     {ok, Bands{Speeds: speeds, Temperatures: []wim.DeciKelvin{0, 2700}}},
	} {
		if _, err := Fit(c.p, c.b); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestAnyFitIsAValidCalibration(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var passes []Pass
		for range rapid.IntRange(1, 40).Draw(t, "passes") {
			passes = append(passes, run(wim.DeciKmh(rapid.IntRange(0, 1500).Draw(t, "speed")), wim.DeciKelvin(rapid.IntRange(0, 3300).Draw(t, "temperature")),
				rapid.Float64Range(600, 1500).Draw(t, "left"), rapid.Float64Range(600, 1500).Draw(t, "right")))
		}
		f, err := Fit(passes, Bands{Speeds: []wim.DeciKmh{0, 500, 1000, 1501}, Temperatures: []wim.DeciKelvin{1, 2731, 3301}})
		if err != nil {
			return
		}
		c := Calibration{Format: Format, Version: "1", Device: "s", Cells: f.Cells}
		if err := c.Valid(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestAVoidPassIsNoPass(t *testing.T) {
	truth := &accuracy.Truth{Gross: 20_000, Axles: []accuracy.TrueAxle{{Load: 8000, Left: 4000, Right: 4000}, {Load: 12_000, Left: 6000, Right: 6000, Spacing: 4000}}}
	f := wim.Facts{Time: 5, Vehicle: truth.Vehicle()}
	if p, ok := PassOf(truth, &f); !ok || p.True != p.Told || p.True.Left != 10_000 || p.Time != 5 {
		t.Errorf("%+v %v", p, ok)
	}
	for name, change := range map[string]func(*wim.Vehicle){
		"void":          func(v *wim.Vehicle) { v.Flags = wim.Acceleration },
		"no indication": func(v *wim.Vehicle) { v.Gross = 0 },
		"another count": func(v *wim.Vehicle) { v.Axles = v.Axles[:1] },
	} {
		f := wim.Facts{Vehicle: truth.Vehicle()}
		change(&f.Vehicle)
		if _, ok := PassOf(truth, &f); ok {
			t.Errorf("%s is a pass", name)
		}
	}
	f.Vehicle.Axles[0].Left = wim.NotMeasured
	if p, ok := PassOf(truth, &f); !ok || p.Told.Left != 0 || p.True.Left != 0 {
		t.Errorf("%+v %v", p, ok)
	}
}
