// Package calibration works out by how much a scale must be adjusted (校准), and watches whether it drifts.
//
// Calibration and verification (检定) are two things. A verification certificate lets a weight be evidence; a calibration entitles to
// nothing. Whoever adjusts a verified instrument leaves its weights suspicions until it is verified anew, so nothing
// here adjusts anything: it writes factors down, a person enters them, and the site's records name them.
//
// The package is pure. What it writes down is integers: factors in parts per million.
package calibration

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/axlegate/axlegate/wim"
)

// Format is the version of the file's fields.
const Format = 1

// PPM is a ratio in parts per million; a Factor of 1,000,000 changes nothing.
type PPM int32

// One is the factor that changes nothing.
const One PPM = 1_000_000

// The bounds of a factor: what lies beyond is a fault of the scale or of the test, not a calibration.
const (
	LeastFactor PPM = 500_000
	MostFactor  PPM = 2_000_000
)

// Sensor is a part of a scale that has a factor of its own.
type Sensor string

// The sensors.
const (
	Whole Sensor = "whole" // of a scale that does not tell wheels apart
	Left  Sensor = "left"
	Right Sensor = "right"
)

// Cell is the factor of one sensor in one band of speeds and one of temperatures.
type Cell struct {
	Sensor   Sensor      `json:"sensor"`
	SpeedMin wim.DeciKmh `json:"speed_min_dkmh"` // within
	SpeedMax wim.DeciKmh `json:"speed_max_dkmh"` // beyond
	// TemperatureMin and TemperatureMax bound the band likewise; both 0 where the temperature was not measured.
	TemperatureMin wim.DeciKelvin `json:"temperature_min_dk"`
	TemperatureMax wim.DeciKelvin `json:"temperature_max_dk"`
	// Factor is what an indication is multiplied by.
	Factor PPM `json:"factor_ppm"`
	// Uncertainty is half the width of the 95 % confidence interval of the factor, from the scatter of the passes alone.
	Uncertainty PPM `json:"uncertainty_ppm"`
	Passes      int `json:"passes"`
}

// Calibration is a whole set of factors for one scale.
type Calibration struct {
	Format  int         `json:"format"`
	Version string      `json:"version"` // as its maker counts
	Site    wim.SiteID  `json:"site"`
	Lane    wim.LaneID  `json:"lane"`
	Device  string      `json:"device"`
	From    wim.Time    `json:"from"` // first and last pass that it rests on
	To      wim.Time    `json:"to"`
	Cells   []Cell      `json:"cells"`
	Replace *wim.Digest `json:"replaces,omitempty"` // of the calibration that the passes were weighed under, where one was
}

// maxCells bounds a file.
const maxCells = 1000

// Parse reads a file and checks it; unknown keys are refused.
func Parse(b []byte) (*Calibration, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var c Calibration
	if err := d.Decode(&c); err != nil {
		return nil, fmt.Errorf("not a calibration: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("not a calibration: more than one value in the file")
	}
	return &c, c.Valid()
}

// Valid tells what cannot be.
func (c *Calibration) Valid() error {
	switch {
	case c.Format != Format:
		return fmt.Errorf("calibration of format %d: this build reads %d", c.Format, Format)
	case c.Version == "" || len(c.Version) > 100 || c.Device == "" || len(c.Device) > 100:
		return errors.New("calibration: version and device are needed, at most 100 bytes each")
	case len(c.Cells) == 0 || len(c.Cells) > maxCells:
		return fmt.Errorf("calibration with %d cells: want 1 to %d", len(c.Cells), maxCells)
	}
	for i := range c.Cells {
		x := &c.Cells[i]
		switch {
		case x.Sensor != Whole && x.Sensor != Left && x.Sensor != Right:
			return fmt.Errorf("cell %d: sensor %q: want whole, left or right", i+1, string(x.Sensor))
		case x.SpeedMin < 0 || x.SpeedMax <= x.SpeedMin:
			return fmt.Errorf("cell %d: speeds from %d to %d are no band", i+1, x.SpeedMin, x.SpeedMax)
		case (x.TemperatureMin != 0 || x.TemperatureMax != 0) && (x.TemperatureMin <= 0 || x.TemperatureMax <= x.TemperatureMin):
			return fmt.Errorf("cell %d: temperatures from %d to %d are no band", i+1, x.TemperatureMin, x.TemperatureMax)
		case x.Factor < LeastFactor || x.Factor > MostFactor:
			return fmt.Errorf("cell %d: factor of %d ppm: want %d to %d; beyond it is a fault, not a calibration", i+1, x.Factor, LeastFactor, MostFactor)
		case x.Passes < 1 || x.Uncertainty < 0:
			return fmt.Errorf("cell %d: passes and uncertainty cannot be negative or none", i+1)
		}
		for j := range c.Cells[:i] {
			if x.meets(&c.Cells[j]) {
				return fmt.Errorf("cells %d and %d have bands in common: which factor counts is not said", j+1, i+1)
			}
		}
	}
	return nil
}

// meets tells whether two cells give the same sensor two factors somewhere.
func (x *Cell) meets(o *Cell) bool {
	if x.Sensor != o.Sensor || x.SpeedMin >= o.SpeedMax || o.SpeedMin >= x.SpeedMax {
		return false
	}
	if x.TemperatureMin == 0 || o.TemperatureMin == 0 {
		return true
	}
	return x.TemperatureMin < o.TemperatureMax && o.TemperatureMin < x.TemperatureMax
}

// Of is the factor of a sensor at a speed and temperature; ok is false where the calibration has none: nothing is guessed from its
// neighbours.
func (c *Calibration) Of(s Sensor, v wim.DeciKmh, t wim.DeciKelvin) (f PPM, ok bool) {
	for i := range c.Cells {
		x := &c.Cells[i]
		if x.Sensor == s && v >= x.SpeedMin && v < x.SpeedMax && (x.TemperatureMin == 0 || t >= x.TemperatureMin && t < x.TemperatureMax) {
			return x.Factor, true
		}
	}
	return 0, false
}

// Times is a mass multiplied by a factor, rounded to the nearest kilogram; what is not measured stays so.
func (f PPM) Times(m wim.Kg) wim.Kg {
	if m <= 0 {
		return m
	}
	return wim.Kg(min((int64(m)*int64(f)+int64(One)/2)/int64(One), 1<<31-1))
}
