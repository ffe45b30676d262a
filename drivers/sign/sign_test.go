package sign

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/simonvetter/modbus"

	"github.com/axlegate/axlegate/internal/freeport"
	"github.com/axlegate/axlegate/wim"
)

// device is a sign of docs/devices/sign.md, played by another Modbus library than the driver's.
type device struct {
	mu    sync.Mutex
	reg   [13]uint16
	light bool
	stuck bool // under local control: takes orders, shows none
	dead  bool // heartbeat stands still
	beat  uint16
}

func (d *device) HandleCoils(r *modbus.CoilsRequest) ([]bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r.IsWrite {
		d.light = r.Args[0]
	}
	return []bool{d.light}, nil
}

func (d *device) HandleDiscreteInputs(*modbus.DiscreteInputsRequest) ([]bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return []bool{d.light && !d.stuck}, nil
}

func (d *device) HandleHoldingRegisters(r *modbus.HoldingRegistersRequest) ([]uint16, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if int(r.Addr)+int(r.Quantity) > len(d.reg) {
		return nil, modbus.ErrIllegalDataAddress
	}
	if r.IsWrite {
		copy(d.reg[r.Addr:], r.Args)
	}
	return d.reg[r.Addr : r.Addr+r.Quantity], nil
}

func (d *device) HandleInputRegisters(r *modbus.InputRegistersRequest) ([]uint16, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.dead {
		d.beat++
	}
	all := []uint16{d.reg[0], d.reg[1], d.beat}
	if d.stuck {
		all[0], all[1] = 0, 0
	}
	if int(r.Addr)+int(r.Quantity) > len(all) {
		return nil, modbus.ErrIllegalDataAddress
	}
	return all[r.Addr : r.Addr+r.Quantity], nil
}

func (d *device) set(f func(*device)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f(d)
}

func profile(t *testing.T) Profile {
	t.Helper()
	b, err := os.ReadFile("../../configs/devices/sign-modbus-tcp.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := LoadProfile("sign-modbus-tcp.yaml", b)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func serve(t *testing.T) (*device, *Sign) {
	t.Helper()
	addr, err := freeport.Address(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d := &device{}
	srv, err := modbus.NewServer(&modbus.ServerConfiguration{URL: "tcp://" + addr}, d)
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Stop() }) //nolint:errcheck // the test is over
	s, err := New(Config{Device: "sign-1", Address: addr, Profile: profile(t), ReadBack: 500 * time.Millisecond, Period: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return d, s
}

func TestAnOrderIsShownWithItsPlateAndLight(t *testing.T) {
	d, s := serve(t)
	if err := s.Show(t.Context(), wim.OrderEnter, "川A12345", 8*time.Second); err != nil {
		t.Fatal(err)
	}
	d.set(func(d *device) {
		plate := strings.TrimRight(string(utf16.Decode(d.reg[3:13])), "\x00")
		if d.reg[0] != 2 || d.reg[2] != 80 || plate != "川A12345" || !d.light {
			t.Errorf("registers %v, plate %q, light %t", d.reg, plate, d.light)
		}
	})
	var first uint16
	d.set(func(d *device) { first = d.reg[1] })
	if err := s.Show(t.Context(), wim.OrderProceed, "", time.Second); err != nil {
		t.Fatal(err)
	}
	d.set(func(d *device) {
		if d.reg[0] != 1 || d.reg[3] != 0 || d.light || d.reg[1] != first+1 {
			t.Errorf("cleared for the next vehicle: %v, light %t", d.reg, d.light)
		}
	})
}

func TestAnOrderThatIsNotShownIsAnError(t *testing.T) {
	d, s := serve(t)
	d.set(func(d *device) { d.stuck = true })
	err := s.Show(t.Context(), wim.OrderEnter, "", time.Second)
	if err == nil || !strings.Contains(err.Error(), "it shows message 0") {
		t.Errorf("error %v", err)
	}
	if err := s.Show(t.Context(), wim.Order("dance"), "", time.Second); err == nil {
		t.Error("an order without a message was shown")
	}
}

func TestACallerWhoLeavesSaysNothingOfTheSign(t *testing.T) {
	d, s := serve(t)
	if err := s.Show(t.Context(), wim.OrderProceed, "", time.Second); err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Show(gone, wim.OrderEnter, "", time.Second); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	d.set(func(d *device) { d.stuck = true })
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Show(short, wim.OrderEnter, "", time.Second); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	if h := s.Health(); !h.Up {
		t.Errorf("health %+v", h)
	}
}

func TestOrdersGivenAtOnceDoNotMix(t *testing.T) {
	_, s := serve(t)
	errs := make(chan error, 20)
	for i := range cap(errs) {
		order := wim.OrderProceed
		if i%2 == 0 {
			order = wim.OrderEnter // the one with the light
		}
		go func() { errs <- s.Show(t.Context(), order, "", time.Minute) }()
	}
	for range cap(errs) {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func TestAPlateIsCutBetweenCharacters(t *testing.T) {
	d, s := serve(t)
	if err := s.Show(t.Context(), wim.OrderEnter, "123456789\U00020BB7", time.Second); err != nil {
		t.Fatal(err)
	}
	d.set(func(d *device) {
		if d.reg[11] != '9' || d.reg[12] != 0 {
			t.Errorf("registers %x", d.reg)
		}
	})
}

func TestADeadSignIsKnown(t *testing.T) {
	d, s := serve(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	until(t, "the sign to be up", func() bool { return s.Health().Up })
	d.set(func(d *device) { d.dead = true })
	until(t, "the heartbeat to be missed", func() bool {
		h := s.Health()
		return !h.Up && strings.Contains(h.Reason, "heartbeat stands still")
	})
	d.set(func(d *device) { d.dead = false })
	until(t, "the sign to be up again", func() bool { return s.Health().Up })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestASignThatIsNotThere(t *testing.T) {
	s, err := New(Config{Device: "sign-1", Address: "127.0.0.1:1", Profile: profile(t)})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Show(t.Context(), wim.OrderEnter, "", time.Second); err == nil || !strings.Contains(err.Error(), "check the address") {
		t.Errorf("error %v", err)
	}
	if h := s.Health(); h.Up || h.Reason == "" {
		t.Errorf("health %+v", h)
	}
}

func TestAProfileWithAMistakeIsRefused(t *testing.T) {
	good, err := os.ReadFile("../../configs/devices/sign-modbus-tcp.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, from, to, want string }{
		{"another kind", "kind: sign", "kind: scale", "want sign"},
		{"an unknown key", "  coil: 0", "  coils: 0", "did you mean"},
		{"two messages with one number", "proceed: 1", "proceed: 2", "one number"},
		{"a register used twice", "hold: 2 ", "hold: 4 ", "register 4 is used twice"},
		{"registers between that are somebody else's", "plate: 3 ", "plate: 20 ", "would be overwritten"},
		{"registers beyond the last", "plate: 3 ", "plate: 65530 ", "do not fit one request"},
		{"an order too long for one request", "plate: 3 ", "plate: 300 ", "do not fit one request"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(string(good), c.from, c.to, 1)
			if text == string(good) {
				t.Fatal("the case changes nothing")
			}
			if _, err := LoadProfile("p.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func until(t *testing.T, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
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
