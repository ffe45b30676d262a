// Package thermometer reads a temperature sensor that the kernel keeps in a file: one on 1-Wire
// (/sys/bus/w1/devices/28-…/temperature), on I²C or SPI (hwmon temp1_input, iio in_temp_input). All write whole thousandths
// of a degree Celsius as text; recalled from the kernel's documentation of its sysfs interfaces, not read.
//
// It promises that a temperature is never older than Keep and never guessed: what cannot be read is not known.
package thermometer

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// Keep is how long a temperature counts after it was read; Every is how often it is read. A sensor on 1-Wire takes nearly a second.
const (
	Keep  = time.Minute
	Every = 10 * time.Second
)

// Thermometer reads one sensor. Run reads, Temperature tells; both may be called at once.
type Thermometer struct {
	path string
	last atomic.Pointer[reading]
}

type reading struct {
	t  wim.DeciKelvin
	at time.Time
}

// New returns a Thermometer that has read nothing.
func New(path string) *Thermometer { return &Thermometer{path: path} }

// Temperature is the last one that was read, 0 where none is known or the last is too old.
func (t *Thermometer) Temperature() wim.DeciKelvin {
	if r := t.last.Load(); r != nil && time.Since(r.at) < Keep {
		return r.t
	}
	return 0
}

// Run reads until ctx ends. An error of the sensor is told to fail, once until it is well again, and waited out.
func (t *Thermometer) Run(ctx context.Context, fail func(error)) {
	tick := time.NewTicker(Every)
	defer tick.Stop()
	failed := false
	for {
		err := t.read()
		if err != nil && !failed {
			fail(err)
		}
		failed = err != nil
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (t *Thermometer) read() error {
	f, err := os.Open(t.path)
	if err != nil {
		return fmt.Errorf("thermometer: %w; check weighing.thermometer", err)
	}
	defer f.Close() //nolint:errcheck // only read
	b, err := io.ReadAll(io.LimitReader(f, 64))
	if err != nil {
		return fmt.Errorf("thermometer %s: %w", t.path, err)
	}
	v, err := Parse(string(b))
	if err != nil {
		return fmt.Errorf("thermometer %s: %w", t.path, err)
	}
	t.last.Store(&reading{v, time.Now()})
	return nil
}

// Parse reads whole thousandths of a degree Celsius. 85 °C exactly is refused: it is what a 1-Wire sensor of the DS18B20 family says
// before it has measured (its power-on value; recalled).
func Parse(text string) (wim.DeciKelvin, error) {
	s := strings.TrimSpace(text)
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%q is no temperature in thousandths of a degree", s)
	}
	if n == 85_000 {
		return 0, fmt.Errorf("%d is what a sensor says before it has measured", n)
	}
	v := wim.DeciKelvinOf(n)
	if v == 0 {
		return 0, fmt.Errorf("%d thousandths of a degree is no temperature on a road", n)
	}
	return v, nil
}
