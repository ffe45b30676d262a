package contact

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	server "github.com/simonvetter/modbus"

	"github.com/axlegate/axlegate/drivers/modbus"
	"github.com/axlegate/axlegate/internal/freeport"
)

// module is one with eight inputs.
type module struct{ inputs [8]atomic.Bool }

func (m *module) HandleDiscreteInputs(r *server.DiscreteInputsRequest) (out []bool, err error) {
	for i := range r.Quantity {
		if int(r.Addr+i) >= len(m.inputs) {
			return nil, server.ErrIllegalDataAddress
		}
		out = append(out, m.inputs[r.Addr+i].Load())
	}
	return out, nil
}

func (*module) HandleCoils(*server.CoilsRequest) ([]bool, error) {
	return nil, server.ErrIllegalFunction
}

func (*module) HandleHoldingRegisters(*server.HoldingRegistersRequest) ([]uint16, error) {
	return nil, server.ErrIllegalFunction
}

func (*module) HandleInputRegisters(*server.InputRegistersRequest) ([]uint16, error) {
	return nil, server.ErrIllegalFunction
}

type watched struct {
	c   *Contact
	mu  sync.Mutex
	got []bool
}

func watch(t *testing.T, cfg Config) *watched {
	t.Helper()
	cfg.Device, cfg.Every = "door-1", 2*time.Millisecond
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w := &watched{c: c}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- c.Run(ctx, func(active bool) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.got = append(w.got, active)
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *watched) until(t *testing.T, want ...bool) {
	t.Helper()
	w.reach(t, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return slices.Equal(w.got, want)
	})
}

func (w *watched) reach(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never came; told %v, %+v", w.got, w.c.Health())
		}
	}
}

func TestAContactInAFileIsToldWhenItChanges(t *testing.T) {
	for _, inverted := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "value")
		write := func(text string) {
			t.Helper()
			if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(path+".new", path); err != nil {
				t.Fatal(err)
			}
		}
		w := watch(t, Config{File: path, Inverted: inverted})
		w.reach(t, func() bool { h := w.c.Health(); return !h.Up && strings.Contains(h.Reason, "no such file") })
		write("0\n")
		w.until(t, inverted)
		write("1\n")
		w.until(t, inverted, !inverted)
		write("open?")
		w.reach(t, func() bool { return strings.Contains(w.c.Health().Reason, "want 0 or 1") })
		write("1")
		w.reach(t, func() bool { return w.c.Health().Up })
		write("0")
		w.until(t, inverted, !inverted, inverted) // what could not be read was no change
	}
}

func TestAnInputOfAModuleIsToldWhenItChanges(t *testing.T) {
	address, err := freeport.Address(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m := &module{}
	s, err := server.NewServer(&server.ServerConfiguration{URL: "tcp://" + address, MaxClients: 4}, m)
	if err == nil {
		err = s.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop() //nolint:errcheck // taken down with the test
	bus, err := modbus.New(modbus.Config{Address: address, Unit: 1})
	if err != nil {
		t.Fatal(err)
	}
	w := watch(t, Config{Bus: bus, Input: 3})
	w.until(t, false)
	m.inputs[2].Store(true) // another's
	m.inputs[3].Store(true)
	w.until(t, false, true)
	m.inputs[3].Store(false)
	w.until(t, false, true, false)
}

func TestAContactThatCannotBeIsRefused(t *testing.T) {
	for _, c := range []Config{{}, {Device: "x"}, {Device: "x", File: "a", Every: -1}} {
		if _, err := New(c); err == nil {
			t.Errorf("%+v was taken", c)
		}
	}
}
