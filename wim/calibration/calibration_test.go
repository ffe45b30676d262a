package calibration

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/axlegate/axlegate/wim"
)

func good() *Calibration {
	return &Calibration{Format: Format, Version: "2026-1", Site: "north-1", Lane: 1, Device: "scale-1", Cells: []Cell{
		{Sensor: Left, SpeedMin: 300, SpeedMax: 600, TemperatureMin: 2731, TemperatureMax: 2831, Factor: 1_012_000, Uncertainty: 4000, Passes: 10},
		{Sensor: Left, SpeedMin: 600, SpeedMax: 900, TemperatureMin: 2731, TemperatureMax: 2831, Factor: 1_020_000, Uncertainty: 4000, Passes: 10},
		{Sensor: Right, SpeedMin: 300, SpeedMax: 600, Factor: 990_000, Passes: 10},
	}}
}

func TestACalibrationIsReadBackAndChecked(t *testing.T) {
	b, err := json.Marshal(good())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Parse(b); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Calibration){
		"another format":             func(c *Calibration) { c.Format = 2 },
		"no version":                 func(c *Calibration) { c.Version = "" },
		"no device":                  func(c *Calibration) { c.Device = "" },
		"no cells":                   func(c *Calibration) { c.Cells = nil },
		"too many cells":             func(c *Calibration) { c.Cells = make([]Cell, maxCells+1) },
		"an unknown sensor":          func(c *Calibration) { c.Cells[0].Sensor = "middle" },
		"no band of speeds":          func(c *Calibration) { c.Cells[0].SpeedMax = 300 },
		"half a band of temperature": func(c *Calibration) { c.Cells[0].TemperatureMax = 0 },
		"a factor that is a fault":   func(c *Calibration) { c.Cells[0].Factor = LeastFactor - 1 },
		"one that is another":        func(c *Calibration) { c.Cells[0].Factor = MostFactor + 1 },
		"no passes":                  func(c *Calibration) { c.Cells[0].Passes = 0 },
		"two factors at one speed":   func(c *Calibration) { c.Cells[1].SpeedMin = 599 },
		"one for all temperatures beside one for some": func(c *Calibration) {
			c.Cells[1].SpeedMin, c.Cells[1].TemperatureMin, c.Cells[1].TemperatureMax = 599, 0, 0
		},
	} {
		c := good()
		change(c)
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(b); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	for _, bad := range []string{"", "{}", string(b) + string(b), strings.Replace(string(b), `"version"`, `"moon":1,"version"`, 1)} {
		if _, err := Parse([]byte(bad)); err == nil {
			t.Errorf("%.40q is accepted", bad)
		}
	}
}

func TestAFactorIsFoundWhereItWasMeasuredAndNowhereElse(t *testing.T) {
	c := good()
	for _, x := range []struct {
		s    Sensor
		v    wim.DeciKmh
		t    wim.DeciKelvin
		want PPM
	}{
		{Left, 300, 2731, 1_012_000}, {Left, 599, 2830, 1_012_000}, {Left, 600, 2830, 1_020_000}, {Right, 300, 0, 990_000}, {Right, 300, 3000, 990_000},
		{Left, 299, 2731, 0}, {Left, 900, 2731, 0}, {Left, 300, 2831, 0}, {Left, 300, 0, 0}, {Whole, 300, 2731, 0},
	} {
		if f, ok := c.Of(x.s, x.v, x.t); f != x.want || ok != (x.want != 0) {
			t.Errorf("%s at %d and %d: %d %v, want %d", x.s, x.v, x.t, f, ok, x.want)
		}
	}
}

func TestAFactorOfOneChangesNothingAndNothingOverflows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := wim.Kg(rapid.Int32().Draw(t, "kg"))
		if One.Times(m) != m {
			t.Fatalf("%d becomes %d", m, One.Times(m))
		}
		f := PPM(rapid.Int32Range(int32(LeastFactor), int32(MostFactor)).Draw(t, "factor"))
		if got := f.Times(m); m <= 0 && got != m || m > 0 && got < 0 {
			t.Fatalf("%d times %d ppm is %d", m, f, got)
		}
	})
}

func FuzzACalibrationIsRefusedOrSound(f *testing.F) {
	b, err := json.Marshal(good())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := Parse(b); err == nil && c.Valid() != nil {
			t.Fatal("accepted and not valid")
		}
	})
}
