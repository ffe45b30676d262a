package record

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// ledger stands for a site: it commits what is handed on, at once or when it is told to.
type ledger struct {
	mu     sync.Mutex
	cursor wim.DeviceCursor
	ok     bool
	known  map[string]bool // by kind and name
	got    []wim.Reading
	stuck  bool // nothing is committed
	lose   int  // the next so many vehicles become a gap
}

func newLedger() *ledger { return &ledger{known: map[string]bool{}} }

func keyFor(kind Kind, id string) string { return string(rune('0'+kind)) + id }

func (l *ledger) After() (wim.DeviceCursor, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cursor, l.ok
}

func (l *ledger) Known(_ context.Context, kind Kind, id string) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.known[keyFor(kind, id)], nil
}

// emit is what the driver calls.
func (l *ledger) emit(r wim.Reading) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.got = append(l.got, r)
	if !l.stuck {
		l.commit(r)
	}
}

func (l *ledger) commit(r wim.Reading) {
	switch r.Kind {
	case wim.VehicleEnd:
		if l.lose > 0 {
			l.lose--
		} else {
			l.known[keyFor(Vehicle, r.Controller.ID)] = true
		}
	case wim.Retraction:
		l.known[keyFor(Retraction, r.Controller.ID)] = true
	case wim.Heartbeat:
	default:
		return
	}
	l.cursor, l.ok = wim.DeviceCursor{Device: "wim-1", Boot: r.Boot, Seq: r.Seq}, true
}

func (l *ledger) unstick() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stuck = false
	for _, r := range l.got {
		if r.Boot != l.cursor.Boot || r.Seq > l.cursor.Seq {
			l.commit(r)
		}
	}
}

// ids are the names of the vehicles that were handed on, a minus before those that were taken back.
func (l *ledger) ids() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for _, r := range l.got {
		switch r.Kind { //nolint:exhaustive // only these have a name
		case wim.VehicleEnd:
			out = append(out, r.Controller.ID)
		case wim.Retraction:
			out = append(out, "-"+r.Controller.ID)
		}
	}
	return out
}

func (l *ledger) count(k wim.ReadingKind) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.got {
		if r.Kind == k {
			n++
		}
	}
	return n
}

// run starts a driver over the ledger; stop ends it and waits.
func (l *ledger) run(t *testing.T, cfg Config) (s *Scale, stop func()) {
	t.Helper()
	cfg.Device, cfg.After, cfg.Known = "wim-1", l.After, l.Known
	if cfg.Poll == 0 {
		cfg.Poll = 5 * time.Millisecond
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, l.emit) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(20 * time.Second):
			t.Error("Run does not end with its context")
		}
	})
	t.Cleanup(stop)
	return s, stop
}

func until(t testing.TB, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(20 * time.Second)
	for !cond() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
