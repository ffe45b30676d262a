package calibration

import (
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/axlegate/axlegate/wim"
)

// fleet draws articulated vehicles as a scale that errs by left and right weighs them.
type fleet struct {
	r           *rand.Rand
	left, right float64
	n           wim.Time
}

func (f *fleet) next(t wim.DeciKelvin, flags wim.Flag) *wim.Vehicle {
	f.n++
	v := &wim.Vehicle{Combination: wim.Articulated, Configuration: wim.Train, Sure: true, Temperature: t, Flags: flags, Gross: 40_000}
	for i := range 6 {
		load := 6000 + 1500*f.r.Float64()
		if i == 0 {
			load = 5810 + 500*f.r.NormFloat64()
		}
		a := wim.Axle{Index: uint8(i + 1), Left: wim.Kg(load / 2 * f.left), Right: wim.Kg(load / 2 * f.right)}
		a.Load = a.Left + a.Right
		v.Axles = append(v.Axles, a)
	}
	return v
}

func looks(w *Watch, f *fleet, n int, t wim.DeciKelvin, flags wim.Flag) (out []Drift) {
	for range n {
		out = append(out, w.Take(f.next(t, flags), f.n)...)
	}
	return out
}

func last(list []Drift, k DriftKind) (d Drift) {
	for _, x := range list {
		if x.Kind == k {
			d = x
		}
	}
	return d
}

func newFleet() *fleet { return &fleet{r: rand.New(rand.NewPCG(7, 7)), left: 1, right: 1} }

func TestAScaleThatStaysIsLeftAlone(t *testing.T) {
	w, f := NewWatch(WatchConfig{}), newFleet()
	list := looks(w, f, 10_000, 2931, 0)
	if len(list) != 30 {
		t.Fatalf("%d looks at 10000 vehicles, want 30", len(list))
	}
	for _, d := range list {
		if d.Alarm || d.Proposed != 0 || d.N != DefaultWindow || d.To <= d.From {
			t.Errorf("%+v", d)
		}
	}
}

func TestAScaleThatDriftsRaisesAnAlarmAndProposesOneStep(t *testing.T) {
	w, f := NewWatch(WatchConfig{}), newFleet()
	looks(w, f, 1000, 2931, 0)
	f.left, f.right = 0.97, 0.97
	d := last(looks(w, f, 1000, 2931, 0), DriftSteering)
	if !d.Alarm || d.Off > -20_000 || d.Off < -40_000 || d.Proposed != One+DefaultStep {
		t.Errorf("3 %% too light: %+v", d)
	}
	f.left, f.right = 1.02, 1.02
	if d := last(looks(w, f, 1000, 2931, 0), DriftSteering); !d.Alarm || d.Proposed != One-DefaultStep {
		t.Errorf("2 %% too heavy: %+v", d)
	}
	f.left, f.right = 1, 1
	if d := last(looks(w, f, 1000, 2931, 0), DriftSteering); d.Alarm {
		t.Errorf("right again: %+v", d)
	}
}

func TestADriftWithinChanceIsNone(t *testing.T) {
	w, f := NewWatch(WatchConfig{Window: 20, Alarm: 1}), newFleet()
	looks(w, f, 20, 2931, 0)
	if d := last(looks(w, f, 20, 2931, 0), DriftSteering); d.Alarm || d.Uncertainty < 20_000 {
		t.Errorf("twenty vehicles say nothing of a few percent: %+v", d)
	}
}

func TestEachBandOfTemperaturesHasItsOwnReference(t *testing.T) {
	w, f := NewWatch(WatchConfig{}), newFleet()
	looks(w, f, 1000, 2731, 0)
	f.left, f.right = 1.05, 1.05 // the sensor is warmer and says more
	if d := last(looks(w, f, 1000, 3031, 0), DriftSteering); d.Alarm || d.Bin != 3000 {
		t.Errorf("%+v", d)
	}
	if d := last(looks(w, f, 1000, 2731, 0), DriftSteering); !d.Alarm || d.Bin != 2700 {
		t.Errorf("%+v", d)
	}
}

func TestOneSideThatFailsIsSeenBetweenTheSides(t *testing.T) {
	w, f := NewWatch(WatchConfig{}), newFleet()
	looks(w, f, 1000, 0, 0)
	f.left = 0.9
	if d := last(looks(w, f, 1000, 0, 0), DriftSides); !d.Alarm || d.Off > -20_000 {
		t.Errorf("%+v", d)
	}
}

func TestMissedStripsAreCounted(t *testing.T) {
	w, f := NewWatch(WatchConfig{}), newFleet()
	list := looks(w, f, 980, 0, 0)
	list = append(list, looks(w, f, 20, 0, wim.MissedAxle)...)
	if d := last(list, DriftMissed); d.Alarm || d.Off != 20_000 {
		t.Errorf("20 of 1000: %+v", d)
	}
	list = append(looks(w, f, 979, 0, 0), looks(w, f, 21, 0, wim.OffScale)...)
	if d := last(list, DriftMissed); !d.Alarm || d.Off != 21_000 {
		t.Errorf("21 of 1000: %+v", d)
	}
}

func TestVoidAndStrangeVehiclesSayNothingOfTheLoads(t *testing.T) {
	w, f := NewWatch(WatchConfig{Window: 2}), newFleet()
	for _, change := range []func(*wim.Vehicle){
		func(v *wim.Vehicle) { v.Flags = wim.Acceleration },
		func(v *wim.Vehicle) { v.Flags = wim.SumMismatch },
		func(v *wim.Vehicle) { v.Combination = wim.Drawbar; v.Axles[1].Left = wim.NotMeasured },
		func(v *wim.Vehicle) { v.Sure = false; v.Axles[1].Left = wim.NotMeasured },
		func(v *wim.Vehicle) { v.Axles = v.Axles[:0] },
	} {
		for range 3 {
			v := f.next(0, 0)
			change(v)
			for _, d := range w.Take(v, f.n) {
				if d.Kind != DriftMissed {
					t.Errorf("%+v", d)
				}
			}
		}
	}
}

func TestAProposalIsNeverMoreThanAStep(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		step := PPM(rapid.Int32Range(1, 50_000).Draw(t, "step"))
		w, f := NewWatch(WatchConfig{Window: 30, Step: step, Alarm: 1}), newFleet()
		for range rapid.IntRange(2, 6).Draw(t, "windows") {
			f.left = rapid.Float64Range(0.2, 5).Draw(t, "left")
			f.right = f.left
			for _, d := range looks(w, f, 30, wim.DeciKelvin(rapid.IntRange(-10, 4000).Draw(t, "temperature")), 0) {
				if d.Proposed != 0 && (d.Proposed < One-step || d.Proposed > One+step || !d.Alarm) {
					t.Fatalf("%+v with a step of %d", d, step)
				}
			}
		}
	})
}
