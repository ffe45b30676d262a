// Package scaletest is the contract that every axle scale's driver must pass, whatever its line: what was
// noted is what is read, garbage makes nothing and costs nothing whole, a line that is pulled is found again,
// a device that starts anew is followed, and two devices know nothing of each other.
//
// It is for tests only. A driver's own test hands it a rig: the driver with a device at the other end of a
// real line.
package scaletest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/axlegate/axlegate/wim"
)

// Scale is the driver under test.
type Scale interface {
	Run(ctx context.Context, emit func(wim.Reading)) error
	Health() wim.DeviceHealth
}

// Device is the other end of the line.
type Device interface {
	// Note numbers an axle or a vehicle end and sends it, or keeps it for whoever asks. It returns the reading
	// as the driver should hand it on, less its arrival.
	Note(wim.Reading) wim.Reading
	// Disturb does to the line what lines do: bytes that are no message, or an answer that is none. It costs
	// no message that is whole.
	Disturb()
	// Pull takes the device off its line, Plug puts it back. It goes on noting meanwhile.
	Pull()
	Plug()
	// Restart draws a new boot and begins to number anew.
	Restart()
}

// Rig is a driver with its device. The device is on its line and has noted nothing.
type Rig struct {
	Scale  Scale
	Device Device
	// Keeps is how many messages the device keeps for a driver that is away; 0 for one that only sends.
	Keeps int
}

// patience bounds every wait.
const patience = 30 * time.Second

// Run runs the contract. open makes a new rig each time; it takes everything down with the test.
func Run(t *testing.T, open func(t testing.TB) Rig) {
	t.Run("what is noted is what is read, numbered and in order", func(t *testing.T) {
		r := begin(t, open(t))
		r.vehicle(5)
		r.vehicle(2)
		r.arrived()
		r.check()
		if k := r.seen()[0].Kind; k != wim.LinkUp {
			r.t.Errorf("first came kind %d, want LinkUp", k)
		}
	})
	t.Run("garbage makes no reading and costs none that is whole", func(t *testing.T) {
		r := begin(t, open(t))
		for n := range 6 {
			r.Device.Disturb()
			r.vehicle(2 + n%3)
		}
		r.arrived()
		r.check()
		r.whole()
		r.until("the garbage to be counted", func() bool { h := r.Scale.Health(); return h.Bad+h.Skipped > 0 })
	})
	t.Run("a cable that is pulled and plugged in again", func(t *testing.T) {
		r := begin(t, open(t))
		r.Device.Pull()
		r.until("the driver to say that the line is gone", func() bool { return r.kinds(wim.LinkDown) == 1 && !r.Scale.Health().Up })
		if r.Scale.Health().Reason == "" {
			t.Error("a line is gone for no reason")
		}
		r.vehicle(3)
		r.Device.Plug()
		r.reach()
		r.check()
		if r.Keeps > 0 {
			r.whole()
		}
		if up, down := r.kinds(wim.LinkUp), r.kinds(wim.LinkDown); up != 2 || down != 1 {
			t.Errorf("the line went up %d times and down %d times", up, down)
		}
		if h := r.Scale.Health(); !h.Up || h.Reconnects != 2 {
			t.Errorf("afterwards %+v", h)
		}
	})
	t.Run("a device that starts anew is followed", func(t *testing.T) {
		r := begin(t, open(t))
		r.vehicle(3)
		r.arrived()
		r.Device.Restart()
		r.vehicle(2)
		r.arrived()
		r.check()
		r.whole()
	})
	t.Run("a dead device costs the other nothing", func(t *testing.T) {
		a, b := begin(t, open(t)), begin(t, open(t))
		a.Device.Pull()
		for range 5 {
			b.vehicle(2)
			b.arrived()
		}
		a.until("the dead one to be down", func() bool { return !a.Scale.Health().Up })
		b.vehicle(2)
		b.arrived()
		b.whole()
		a.check()
		if b.kinds(wim.LinkDown) != 0 || !b.Scale.Health().Up {
			t.Errorf("the living one: %+v", b.Scale.Health())
		}
	})
	t.Run("a driver ends with its context while its device is dead", func(t *testing.T) {
		r := begin(t, open(t))
		r.Device.Pull()
		r.stop()
		r.check()
	})
	t.Run("whatever happens nothing is invented, doubled or out of order", func(t *testing.T) { property(t, open) })
}

func property(t *testing.T, open func(t testing.TB) Rig) {
	script := rapid.SliceOfN(rapid.SampledFrom([]string{"vehicle", "vehicle", "vehicle", "disturb", "pull", "plug", "restart"}), 4, 14)
	// Each script waits for a real line; a few scripts of many steps say more than many short ones.
	for n := range 6 {
		steps := script.Example(n + 1)
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Log(steps)
			r := begin(t, open(t))
			in, missed := true, 0
			for i, s := range steps {
				switch s {
				case "vehicle":
					r.vehicle(2 + i%4)
				case "disturb":
					r.Device.Disturb()
				case "pull":
					if in {
						r.Device.Pull()
						in = false
					}
				case "plug":
					if !in {
						r.Device.Plug()
						in = true
					}
				case "restart":
					r.Device.Restart()
					missed++
				}
			}
			if !in {
				r.Device.Plug()
			}
			r.reach()
			r.check()
			if r.Keeps > 0 && missed == 0 {
				r.whole()
			}
		})
	}
}

// rig is a Rig that runs.
type rig struct {
	Rig
	t    testing.TB
	stop func()

	mu    sync.Mutex
	got   []wim.Reading
	noted []wim.Reading
}

// begin starts the driver and waits until it has read the device once.
func begin(t testing.TB, open Rig) *rig {
	t.Helper()
	r := &rig{Rig: open, t: t}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- r.Scale.Run(ctx, func(x wim.Reading) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.got = append(r.got, x)
		})
	}()
	r.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(patience):
			t.Error("Run does not end with its context")
		}
	})
	t.Cleanup(r.stop)
	r.reach()
	return r
}

func (r *rig) seen() []wim.Reading {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]wim.Reading(nil), r.got...)
}

func (r *rig) kinds(k wim.ReadingKind) (n int) {
	for _, x := range r.seen() {
		if x.Kind == k {
			n++
		}
	}
	return n
}

func (r *rig) until(what string, cond func() bool) {
	r.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(patience)
	for !cond() {
		select {
		case <-tick.C:
		case <-limit:
			r.t.Fatalf("waited in vain for %s", what)
		}
	}
}

// note lets the device note an event.
func (r *rig) note(x wim.Reading) wim.Reading {
	x = r.Device.Note(x)
	r.noted = append(r.noted, x)
	return x
}

// vehicle lets a vehicle with so many axles pass.
func (r *rig) vehicle(axles int) {
	var gross wim.Kg
	for i := range axles {
		load := wim.Kg(5000 + 257*i + len(r.noted))
		gross += load
		a := wim.Axle{Index: uint8(i + 1), Load: load, Left: load / 2, Right: load - load/2, Speed: 602, Spacing: wim.Mm(1300 * i)}
		if i == 1 {
			a.Left, a.Right, a.Flags = wim.NotMeasured, wim.NotMeasured, wim.OffScale|wim.Reverse
		}
		r.note(wim.Reading{Kind: wim.AxleReading, Axle: a})
	}
	r.note(wim.Reading{Kind: wim.VehicleEnd, Gross: gross, AxleCount: uint8(axles), Speed: 602, Length: 9000, Flags: wim.Tailgating})
}

// has tells whether a noted message was handed on.
func (r *rig) has(want wim.Reading) bool {
	for _, x := range r.seen() {
		if x.Boot == want.Boot && x.Seq == want.Seq && x.Kind == want.Kind {
			return true
		}
	}
	return false
}

// arrived waits for the newest message.
func (r *rig) arrived() {
	r.t.Helper()
	want := r.noted[len(r.noted)-1]
	r.until(fmt.Sprintf("message %d of boot %d", want.Seq, want.Boot), func() bool { return r.has(want) })
}

// reach notes vehicles until the driver reads one: what was sent before it opened the line may be gone.
func (r *rig) reach() {
	r.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(patience)
	for {
		x := r.note(wim.Reading{Kind: wim.VehicleEnd, Gross: 18000, AxleCount: 2, Speed: 600, Length: 9000})
		for range 10 {
			if r.has(x) {
				return
			}
			select {
			case <-tick.C:
			case <-limit:
				r.t.Fatal("the driver does not reach the device")
			}
		}
	}
}

// check holds what was read against what was noted: nothing else, nothing twice, nothing out of order, and
// no heartbeat that knows more than the device.
func (r *rig) check() {
	r.t.Helper()
	type name struct{ boot, seq uint32 }
	noted, order, last := map[name]wim.Reading{}, map[name]int{}, map[uint32]uint32{}
	for i, x := range r.noted {
		noted[name{x.Boot, x.Seq}], order[name{x.Boot, x.Seq}], last[x.Boot] = x, i, x.Seq
	}
	at, before := -1, wim.Time(0)
	for _, x := range r.seen() {
		if x.Arrival == 0 {
			r.t.Errorf("without an arrival: %+v", x)
		}
		switch x.Kind {
		case wim.LinkUp, wim.LinkDown:
			continue
		case wim.Heartbeat:
			if x.Seq > last[x.Boot] {
				r.t.Errorf("a heartbeat of boot %d knows message %d, the newest is %d", x.Boot, x.Seq, last[x.Boot])
			}
			continue
		case wim.AxleReading, wim.VehicleEnd, wim.LoopOn, wim.LoopOff, wim.Retraction:
		}
		n := name{x.Boot, x.Seq}
		want, ok := noted[n]
		if !ok {
			r.t.Errorf("invented: %+v", x)
			continue
		}
		if order[n] <= at {
			r.t.Errorf("doubled or out of order: %+v", x)
		}
		if x.Arrival < before {
			r.t.Errorf("arrived before the message before it: %+v", x)
		}
		at, before = order[n], x.Arrival
		x.Arrival, want.Arrival = 0, 0
		if x != want {
			r.t.Errorf("have %+v, want %+v", x, want)
		}
	}
}

// whole checks that everything that was noted since the first message that was read was read too.
func (r *rig) whole() {
	r.t.Helper()
	begun := false
	for _, x := range r.noted {
		switch {
		case r.has(x):
			begun = true
		case begun:
			r.t.Errorf("lost: %+v", x)
		}
	}
}
