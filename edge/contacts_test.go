package edge

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

// fakeContact says what the test says.
type fakeContact struct {
	mu   sync.Mutex
	emit func(bool)
}

func (f *fakeContact) Run(ctx context.Context, emit func(bool)) error {
	f.mu.Lock()
	f.emit = emit
	f.mu.Unlock()
	<-ctx.Done()
	return nil
}

func (f *fakeContact) says(active bool) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.emit == nil {
		return false
	}
	f.emit(active)
	return true
}

func TestWhatContactsTellIsSealedAndActedOn(t *testing.T) {
	r := newRig(t)
	contacts := map[wim.EventKind]*fakeContact{}
	low := make(chan struct{})
	r.change = func(c *Config) {
		for _, k := range wim.EventKinds() {
			contacts[k] = &fakeContact{}
			c.Contacts = append(c.Contacts, ContactConfig{Device: string(k) + "-1", Contact: contacts[k], What: k})
		}
		c.PowerLow = func() { close(low) }
	}
	r.start()
	for _, k := range wim.EventKinds() {
		eventually(t, "the contact to run", func() bool { return contacts[k].says(false) })
	}
	events := func() (out []string) {
		for _, rec := range r.records() {
			if e := rec.Event; e != nil {
				word := " ends"
				if e.Active {
					word = " begins"
				}
				out = append(out, string(e.What)+word)
			}
		}
		return out
	}
	if got := events(); len(got) != 0 {
		t.Errorf("that nothing is amiss is no event: %v", got)
	}
	flagged := func(n int) bool {
		t.Helper()
		r.push(r.scale.vehicle(2, 9000)...)
		r.tells(n)
		recs := r.records()
		p := recs[len(recs)-1].Passage
		return p != nil && p.Facts.Vehicle.Flags.Has(wim.RoadSurface)
	}
	contacts[wim.EventDoor].says(true)
	contacts[wim.EventDoor].says(true) // once more is no change
	contacts[wim.EventSurface].says(true)
	if !flagged(3) {
		t.Error("a weighing on a covered scale is not flagged")
	}
	h := r.site.Health(t.Context())
	if todo := strings.Join(h.Todo, "\n"); h.State != StateDegraded || !strings.Contains(todo, "cabinet stands open (door-1)") || !strings.Contains(todo, "void until it is cleared") {
		t.Errorf("%s: %s", h.State, todo)
	}
	contacts[wim.EventSurface].says(false)
	if flagged(5) {
		t.Error("a cleared scale is still flagged")
	}
	contacts[wim.EventBattery].says(true)
	<-low
	r.stop()
	want := []string{"door begins", "surface begins", "surface ends", "battery-low begins"}
	if got := events(); strings.Join(got, ", ") != strings.Join(want, ", ") {
		t.Errorf("%v, want %v", got, want)
	}
}
