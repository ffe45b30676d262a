package edge

import (
	"testing"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// vehicles are those that were recorded so far on a lane.
func (r *rig) vehicles(lane wim.LaneID) (out []wim.Vehicle) {
	r.t.Helper()
	for _, rec := range r.records() {
		if rec.Passage != nil && rec.Passage.Facts.Vehicle.Lane == lane {
			out = append(out, rec.Passage.Facts.Vehicle)
		}
	}
	return out
}

func TestWhoStraddlesTwoLanesIsFlaggedByBoth(t *testing.T) {
	r := newRig(t)
	other := &fakeScale{boot: 9}
	r.change = func(c *Config) {
		c.Lanes[0].Beside = []wim.LaneID{2}
		c.Lanes = append(c.Lanes, LaneConfig{Lane: 2, Device: "scale-2", Scale: other, Beside: []wim.LaneID{1}})
	}
	r.start()
	eventually(t, "the other scale is listened to", other.running)
	// A lane hears of the axles beside it unless its own vehicle has ended before, which is chance here; so it is tried again.
	n := 0
	attempt := func() bool {
		at := wim.TimeOf(time.Now())
		for i := range uint8(2) {
			for k, f := range []*fakeScale{r.scale, other} {
				x := f.axle(i+1, 4000)
				x.Arrival = at.Add(time.Duration(i) * 200 * time.Millisecond)
				x.Axle.Left, x.Axle.Right = wim.Kg(4000*k), wim.Kg(4000*(1-k))
				f.push(x)
			}
		}
		for _, f := range []*fakeScale{r.scale, other} {
			f.push(f.end(2, 8000))
		}
		n++
		eventually(t, "both passages are recorded", func() bool { return len(r.vehicles(1)) == n && len(r.vehicles(2)) == n })
		return r.vehicles(1)[n-1].Flags.Has(wim.Straddling) && r.vehicles(2)[n-1].Flags.Has(wim.Straddling)
	}
	eventually(t, "both lanes flag it", attempt)
}

func TestMessagesThatANetworkReordersMakeOneVehicle(t *testing.T) {
	r := newRig(t)
	r.change = func(c *Config) { c.Lanes[0].Reorder = time.Second }
	r.start()
	r.push(r.scale.vehicle(2, 9000)...)
	x := r.scale.vehicle(3, 21000)
	r.push(x[0], x[3], x[2], x[1])
	eventually(t, "both passages are recorded", func() bool { return len(r.vehicles(1)) == 2 })
	if v := r.vehicles(1)[1]; v.Flags&^wim.TrailerUnread != 0 || len(v.Axles) != 3 || v.Gross != 21000 {
		t.Errorf("%+v", v)
	}
	y := r.scale.vehicle(2, 9000)
	r.push(y[0], y[2]) // one is lost: when the window is over the rest goes on
	eventually(t, "the vehicle with a hole is recorded", func() bool { return len(r.vehicles(1)) == 3 })
	if v := r.vehicles(1)[2]; !v.Flags.Has(wim.DeviceGap) || len(v.Axles) != 1 {
		t.Errorf("%+v", v)
	}
}

func TestALaneBesideThatIsNotThereIsRefused(t *testing.T) {
	for _, c := range []LaneConfig{{Beside: []wim.LaneID{1}}, {Beside: []wim.LaneID{5}}, {Reorder: -1}, {Reorder: time.Hour}} {
		c.Lane, c.Device, c.Scale = 1, "s", &fakeScale{}
		r := newRig(t)
		r.start()
		cfg := r.site.cfg
		cfg.Lanes = []LaneConfig{c}
		if _, err := New(cfg); err == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
}

// noon is a thermometer that always reads the same.
type noon struct{}

func (noon) Temperature() wim.DeciKelvin { return 2981 }

func TestTheTemperatureIsTheScalesOrElseTheThermometers(t *testing.T) {
	r := newRig(t)
	r.change = func(c *Config) {
		c.Lanes[0].Thermometer = noon{}
		c.Lanes[0].Instrument.Certificate = &wim.Certificate{Number: "1", Division: 50}
	}
	r.start()
	r.push(r.scale.vehicle(2, 9000)...)
	x := r.scale.vehicle(2, 9020)
	x[2].Temperature = 2700
	r.push(x...)
	eventually(t, "both passages are recorded", func() bool { return len(r.vehicles(1)) == 2 })
	v := r.vehicles(1)
	if v[0].Temperature != 2981 || v[1].Temperature != 2700 {
		t.Errorf("temperatures %d and %d, want 2981 and 2700", v[0].Temperature, v[1].Temperature)
	}
	if v[0].Flags.Has(wim.OffDivision) || !v[1].Flags.Has(wim.OffDivision) {
		t.Errorf("flags %v and %v: 9020 kg lies between two divisions of 50", v[0].Flags.Names(), v[1].Flags.Names())
	}
}
