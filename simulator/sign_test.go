package simulator

import (
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/simonvetter/modbus"

	"github.com/axlegate/axlegate/wim"
)

// dial is a host's line to a sign.
func dial(t *testing.T, addr string) *modbus.ModbusClient {
	t.Helper()
	c, err := modbus.NewClient(&modbus.ClientConfiguration{URL: "tcp://" + addr, Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func TestNoOrderAndNoLightStandsForEver(t *testing.T) {
	s, err := newSign(t.Context(), "127.0.0.1:0", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
	c := dial(t, s.addr)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	dark := func() bool { st := s.state(); return st.Message == "blank" && !st.Light && st.Plate == "" }

	must(c.WriteRegisters(0, []uint16{signEnter, 9, 1, '川'}))
	must(c.WriteCoil(0, true))
	until(t, "the sign to blank itself", dark)
	// The number of the order before: an order all the same.
	must(c.WriteRegisters(0, []uint16{signProceed, 9, 1, '川'}))
	until(t, "it to blank itself again", dark)
	must(c.WriteCoil(0, true))
	until(t, "a light without an order to go out", dark)
}

func TestAnOrderIsReadBackUntilItsTimeIsOver(t *testing.T) {
	var mu sync.Mutex
	var shown []SignState
	s := Scenario{Site: "t-1", Seed: 1, Lanes: []Lane{{Lane: 3, Scale: "a", Sign: "127.0.0.1:0"}}}
	sim, _ := stand(t, s, func(lane wim.LaneID, st SignState) {
		mu.Lock()
		defer mu.Unlock()
		if lane == 3 && !st.Since.IsZero() {
			st.Since = time.Time{}
			shown = append(shown, st)
		}
	})
	c := dial(t, sim.SignAddr(3))
	if err := c.WriteRegisters(0, []uint16{signEnter, 65535, 600, '川', 'A', '1', '2', '3', '4', '挂', 0, 0, 0}); err != nil {
		t.Fatal(err)
	}
	if err := c.WriteCoil(0, true); err != nil {
		t.Fatal(err)
	}
	regs, err := c.ReadRegisters(0, 3, modbus.INPUT_REGISTER)
	if err != nil || regs[0] != signEnter || regs[1] != 65535 {
		t.Errorf("input registers %v, %v", regs, err)
	}
	if lit, err := c.ReadDiscreteInput(0); err != nil || !lit {
		t.Errorf("light %v, %v", lit, err)
	}
	until(t, "a heartbeat", func() bool {
		again, err := c.ReadRegisters(0, 3, modbus.INPUT_REGISTER)
		return err == nil && again[2] != regs[2]
	})
	want := []SignState{{Message: "enter", Number: 65535, Plate: "川A1234挂"}, {Message: "enter", Number: 65535, Plate: "川A1234挂", Light: true}}
	mu.Lock()
	defer mu.Unlock()
	if len(shown) != 2 || shown[0] != want[0] || shown[1] != want[1] {
		t.Errorf("told %+v, want %+v", shown, want)
	}
}

func TestASignRefusesWhatItsPageDoesNotHave(t *testing.T) {
	s := Scenario{Site: "t-1", Seed: 1, Lanes: []Lane{{Lane: 1, Scale: "a", Sign: "127.0.0.1:0"}}}
	sim, _ := stand(t, s, func(_ wim.LaneID, st SignState) { t.Errorf("it shows %+v", st) })
	c := dial(t, sim.SignAddr(1))
	for _, x := range []struct {
		name string
		do   func() error
		want error
	}{
		{"a message without a meaning", func() error { return c.WriteRegisters(0, []uint16{3, 1, 10}) }, modbus.ErrIllegalDataValue},
		{"an order without a number", func() error { return c.WriteRegisters(0, []uint16{1, 0, 10}) }, modbus.ErrIllegalDataValue},
		{"a plate that is too long", func() error { return c.WriteRegisters(0, make([]uint16, 14)) }, modbus.ErrIllegalDataAddress},
		{"a second light", func() error { return c.WriteCoil(1, true) }, modbus.ErrIllegalDataAddress},
		{"an input register that is none", func() error { _, err := c.ReadRegister(3, modbus.INPUT_REGISTER); return err }, modbus.ErrIllegalDataAddress},
		{"a discrete input that is none", func() error { _, err := c.ReadDiscreteInput(1); return err }, modbus.ErrIllegalDataAddress},
	} {
		t.Run(x.name, func(t *testing.T) {
			if err := x.do(); !errors.Is(err, x.want) {
				t.Errorf("error %v, want %v", err, x.want)
			}
		})
	}
	if st, _ := sim.Sign(1); st.Message != "blank" || st.Number != 0 || st.Light {
		t.Errorf("after all that it shows %+v", st)
	}
}

func TestTwoSignsCannotShareAnAddress(t *testing.T) {
	s, err := newSign(t.Context(), "127.0.0.1:0", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
	if _, err := newSign(t.Context(), s.addr, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a second sign took the address")
	}
}
