package edge

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// fakeSizer measures what the test says.
type fakeSizer struct {
	mu   sync.Mutex
	emit func(wim.Dimensions)
}

func (f *fakeSizer) Run(ctx context.Context, emit func(wim.Dimensions)) error {
	f.mu.Lock()
	f.emit = emit
	f.mu.Unlock()
	<-ctx.Done()
	f.mu.Lock()
	f.emit = nil
	f.mu.Unlock()
	return nil
}

func (f *fakeSizer) measures(d wim.Dimensions) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.emit == nil {
		return false
	}
	if d.Arrival == 0 {
		d.Arrival = wim.TimeOf(time.Now())
	}
	f.emit(d)
	return true
}

func seconds(s float64) wim.Time { return wim.Time(s * 1e9) }

func TestASizeBelongsToTheOneVehicleThatItCanMean(t *testing.T) {
	at := func(s float64, length wim.Mm) wim.Dimensions {
		return wim.Dimensions{Arrival: seconds(s), Length: length, Width: 2500, Height: wim.Mm(s * 100)}
	}
	for name, c := range map[string]struct {
		waiting []wim.Dimensions
		height  wim.Mm // 0 for none
		left    int
		dropped int
	}{
		"measured in front of the scale":                {[]wim.Dimensions{at(98, 12_000)}, 9800, 0, 0},
		"measured while it is on the scale":             {[]wim.Dimensions{at(100.4, 12_000)}, 10_040, 0, 0},
		"measured behind the scale":                     {[]wim.Dimensions{at(103, 12_000)}, 10_300, 0, 0},
		"too early: it was another's":                   {[]wim.Dimensions{at(96, 12_000)}, 0, 0, 1},
		"too late: it will be another's":                {[]wim.Dimensions{at(105, 12_000)}, 0, 1, 0},
		"a length that this vehicle cannot have":        {[]wim.Dimensions{at(100, 19_000)}, 0, 1, 0},
		"two that it may mean":                          {[]wim.Dimensions{at(99, 12_000), at(100, 12_300)}, 0, 2, 0},
		"two of which one fits":                         {[]wim.Dimensions{at(99, 5_000), at(100, 12_300)}, 10_000, 0, 1},
		"the next vehicle's behind it":                  {[]wim.Dimensions{at(100, 12_300), at(101, 5_000)}, 10_000, 1, 0},
		"a unit that tells no length":                   {[]wim.Dimensions{at(100, 0)}, 10_000, 0, 0},
		"one of long ago and one of its own":            {[]wim.Dimensions{at(50, 12_000), at(100, 12_000)}, 10_000, 0, 1},
		"none":                                          {nil, 0, 0, 0},
		"a length that differs as estimates may differ": {[]wim.Dimensions{at(100, 16_900)}, 10_000, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := sizes{cfg: &SizerConfig{Before: 3 * time.Second, After: 3 * time.Second}, waiting: c.waiting}
			d, ok, dropped := s.of(seconds(100), seconds(101), 12_000)
			if ok != (c.height != 0) || d.Height != c.height || len(s.waiting) != c.left || dropped != c.dropped {
				t.Errorf("%+v %v, %d left, %d dropped", d, ok, len(s.waiting), dropped)
			}
		})
	}
}

func TestACertificateCountsOnlyInItsTimeAndForWhatTheUnitMeasured(t *testing.T) {
	c := &SizerConfig{Device: "laser-1", Error: 60, Certificate: "L-1", From: 10, Until: 20}
	for name, x := range map[string]struct {
		d     wim.Dimensions
		end   wim.Time
		error wim.Mm
	}{
		"in force":            {wim.Dimensions{Length: 12_000, Width: 2500, Height: 4000}, 15, 60},
		"on its first moment": {wim.Dimensions{Length: 12_000}, 10, 60},
		"over":                {wim.Dimensions{Length: 12_000, Width: 2500, Height: 4000}, 20, 0},
		"not yet in force":    {wim.Dimensions{Length: 12_000, Width: 2500, Height: 4000}, 9, 0},
		"without a length":    {wim.Dimensions{Width: 2500, Height: 4000}, 15, 0},
	} {
		v := wim.Vehicle{End: x.end, Length: 11_000, SizeError: 99}
		c.put(&x.d, &v)
		if v.SizeError != x.error || (v.Sizer.Certificate != "") != (x.error != 0) || v.Width != x.d.Width || v.Length != max(x.d.Length, 11_000) {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

func TestWhatALaserUnitMeasuresIsJudgedAndSealed(t *testing.T) {
	r := newRig(t)
	unit := &fakeSizer{}
	r.change = func(c *Config) {
		c.Lanes[0].Sizer = &SizerConfig{Device: "laser-1", Sizer: unit, Before: 20 * time.Second, After: 20 * time.Second, Error: 60, Certificate: "L-1", Until: 1 << 62}
	}
	newest := func(n int) *wim.Record {
		t.Helper()
		r.tells(n)
		recs := r.records()
		return recs[len(recs)-1]
	}
	r.start()
	eventually(t, "the unit to run", func() bool {
		return unit.measures(wim.Dimensions{Event: "e-1", Length: 12_100, Width: 2550, Height: 4100})
	})
	r.push(r.scale.vehicle(2, 9000)...)
	p := newest(1).Passage
	if p == nil || p.Facts.Vehicle.Height != 4100 || p.Facts.Vehicle.Width != 2550 || p.Facts.Vehicle.Length != 12_100 || p.Facts.Vehicle.SizeError != 60 ||
		*p.Facts.Vehicle.Sizer != (wim.Sizer{Device: "laser-1", Event: "e-1", Certificate: "L-1"}) {
		t.Fatalf("%+v", p)
	}
	// One that stands behind the scale measures after the vehicle's end.
	r.push(r.scale.vehicle(3, 12000)...)
	r.tells(2)
	eventually(t, "a size behind the scale", func() bool {
		return unit.measures(wim.Dimensions{Event: "e-2", Length: 12_200, Width: 2500, Height: 4300})
	})
	s := newest(3).Supplement
	if s == nil || s.Cause != wim.SupplementSize || s.Facts.Vehicle.Height != 4300 || s.Facts.Vehicle.Sizer.Event != "e-2" || s.Facts.Vehicle.Gross != 12000 {
		t.Fatalf("%+v", s)
	}
	// And only one: a further size is of nobody.
	unit.measures(wim.Dimensions{Event: "e-3", Length: 12_200, Height: 4400})
	r.push(r.scale.vehicle(2, 8000)...)
	if p := newest(4).Passage; p == nil || p.Facts.Vehicle.Sizer == nil || p.Facts.Vehicle.Sizer.Event != "e-3" {
		t.Fatalf("%+v", p)
	}
}
