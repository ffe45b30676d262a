package simulator

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/simonvetter/modbus"

	"github.com/axlegate/axlegate/internal/conf"
	"github.com/axlegate/axlegate/wim"
)

func putUpRing(t *testing.T) *ringScale {
	t.Helper()
	s, err := newRing(t.Context(), "127.0.0.1:0", stream(1, 1), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.pull(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func registers(t *testing.T, c *modbus.ModbusClient, addr, n uint16) []uint16 {
	t.Helper()
	regs, err := c.ReadRegisters(addr, n, modbus.INPUT_REGISTER)
	if err != nil {
		t.Fatal(err)
	}
	return regs
}

func TestTheRegistersOfARingAreThePages(t *testing.T) {
	s := putUpRing(t)
	c := dial(t, s.addr)
	s.mu.Lock()
	s.boot, s.start = 0x0A0B0C0D, time.Now().Add(-time.Hour)
	s.mu.Unlock()
	s.axle(0, 1, axle{Load: 6900, Left: 3400, Right: 3500}, 652, false)
	s.axle(0x0A0B0C0D, 2, axle{Load: 111200, Left: 3400, Right: 3500, Spacing: 70000}, 652, false)
	s.end(0x0A0B0C0D, &passage{speed: 652, length: 9800, total: 118100, indicated: make([]axle, 2)}, false)
	st := registers(t, c, 0, 8)
	if ms := uint32(st[4])<<16 | uint32(st[5]); ms < 3_600_000 || ms > 3_700_000 {
		t.Errorf("an hour after its start the clock says %d", ms)
	}
	st[4], st[5] = 0, 0
	if want := []uint16{0x0A0B, 0x0C0D, 0, 3, 0, 0, 1, 64}; !slices.Equal(st, want) {
		t.Errorf("state %04X, want %04X", st, want)
	}
	slots := registers(t, c, 16+16, 3*16)
	for i := range 3 {
		slots[16*i+4], slots[16*i+5] = 0, 0 // the clock
	}
	want := []uint16{
		0, 1, 1, 1, 0, 0, 0, 6900, 3400, 3500, 652, 0, 0, 0, 0, 1,
		0, 2, 1, 2, 0, 0, 1, 111200 - 65536, 3400, 3500, 652, 1, 70000 - 65536, 0, 0, 2,
		0, 3, 2, 2, 0, 0, 1, 118100 - 65536, 0xFFFF, 0xFFFF, 652, 0, 9800, 0, 0, 3,
	}
	if !slices.Equal(slots, want) {
		t.Errorf("slots\n%04X, want\n%04X", slots, want)
	}
	for range 62 {
		s.axle(0, 1, axle{Load: 5000}, 600, false)
	}
	if r := registers(t, c, 16+16, 16); r[1] != 65 || r[15] != 65 {
		t.Errorf("slot 1 holds event %d after 65 events", r[1])
	}
	if _, err := c.ReadRegisters(16, 125, modbus.HOLDING_REGISTER); !errors.Is(err, modbus.ErrIllegalFunction) {
		t.Errorf("holding registers: %v", err)
	}
	if _, err := c.ReadRegisters(1030, 20, modbus.INPUT_REGISTER); !errors.Is(err, modbus.ErrIllegalDataAddress) {
		t.Errorf("registers behind the ring: %v", err)
	}
}

func TestTheFaultsOfARing(t *testing.T) {
	s := putUpRing(t)
	c := dial(t, s.addr)
	for range 4 {
		s.axle(0, 1, axle{Load: 5000}, 600, false)
	}
	whole := registers(t, c, 32, 64)
	good := func() bool { return slices.Equal(registers(t, c, 32, 64), whole) }

	s.strike(Torn, 0)
	if r := registers(t, c, 32, 64); r[49] != 4+64 || r[63] != 4 || !slices.Equal(r[:48], whole[:48]) {
		t.Errorf("a slot in the making: %d", r)
	}
	if !good() {
		t.Error("it is in the making for ever")
	}
	s.strike(Garbage, 0)
	if good() {
		t.Error("garbage is as it was")
	}
	if !good() {
		t.Error("garbage for ever")
	}
	s.strike(WrongUnit, 200*time.Millisecond)
	if _, err := c.ReadRegisters(0, 8, modbus.INPUT_REGISTER); !errors.Is(err, modbus.ErrGWTargetFailedToRespond) {
		t.Errorf("another unit: %v", err)
	}
	until(t, "its own unit again", func() bool { _, err := c.ReadRegisters(0, 8, modbus.INPUT_REGISTER); return err == nil })
	for _, k := range []FaultKind{LateReply, Silence} {
		began := time.Now()
		s.strike(k, 100*time.Millisecond)
		if !good() || time.Since(began) < 100*time.Millisecond {
			t.Errorf("%s: answered after %s", k, time.Since(began))
		}
	}
	s.strike(Overrun, time.Hour)
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		_, _ = c.ReadRegisters(0, 8, modbus.INPUT_REGISTER) // that it returns is what counts
	}()
	for range 65 {
		select {
		case <-answered:
			t.Error("answered before the ring has gone round")
		default:
		}
		s.axle(0, 1, axle{Load: 5000}, 600, false)
	}
	<-answered
	s.strike(DropFrame, 0) // hits vehicles, not requests
	if m := s.axle(0, 1, axle{Load: 5000}, 600, true); m.whole || m.seq != 70 {
		t.Errorf("a dropped message: %+v", m)
	}
	if r := registers(t, c, 16+16*(70%64), 16); r[1] == 70 {
		t.Error("it is in the ring all the same")
	}
	boot, _ := s.numbers()
	s.restart()
	if m := s.end(boot, &passage{}, false); m.sent {
		t.Errorf("a vehicle of the old boot: %+v", m)
	}
	if r := registers(t, c, 16, 112); slices.ContainsFunc(r, func(v uint16) bool { return v != 0 }) {
		t.Error("the ring was not cleared")
	}
}

func TestARingThatIsPulledAnswersNobodyAndGoesOnWeighing(t *testing.T) {
	s := putUpRing(t)
	s.strike(Silence, time.Hour) // whoever waits must not hold up the pulling
	c := dial(t, s.addr)
	answered := make(chan error, 1)
	go func() {
		_, err := c.ReadRegisters(0, 8, modbus.INPUT_REGISTER)
		answered <- err
	}()
	for range 2 {
		if err := s.pull(); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-answered; err == nil {
		t.Error("answered while it was pulled")
	}
	s.strike(Silence, 0)
	s.axle(0, 1, axle{Load: 5000}, 600, false)
	for range 2 {
		if err := s.plug(); err != nil {
			t.Fatal(err)
		}
	}
	if r := registers(t, dial(t, s.addr), 0, 8); r[3] != 1 {
		t.Errorf("after the plug: %04X", r)
	}
}

// The whole traffic of a lane, read off the ring: what the truth says is what it holds.
func TestTheRingAgreesWithTheTruth(t *testing.T) {
	const vehicles = 30
	s := Scenario{Site: "t-1", Seed: 9, Control: "127.0.0.1:0", Traffic: Traffic{PerMinute: 1200, Vehicles: vehicles, Speedup: 1000, Overloaded: 300},
		Lanes: []Lane{{Lane: 1, ScaleModbus: "127.0.0.1:0"}},
		Faults: []Fault{{Lane: 1, After: 3, Every: 5, Kind: DropFrame}, {Lane: 1, After: 4, Every: 9, Kind: Torn},
			{Lane: 1, At: conf.Duration(time.Millisecond), Kind: LateReply, For: conf.Duration(time.Millisecond)}}}
	sim, truth := stand(t, s, nil)
	c := dial(t, sim.ScaleAddr(1))
	events := map[uint32][]uint16{}
	until(t, "the traffic to end", func() bool {
		r := registers(t, c, 2, 2)
		last := uint32(r[0])<<16 | uint32(r[1])
		for seq := last; seq > 0 && last-seq < ringSlots; seq-- {
			if slot := registers(t, c, uint16(16+16*(seq%64)), 16); events[seq] == nil && slot[1] == uint16(seq) && slot[15] == uint16(seq) {
				events[seq] = slot
			}
		}
		v := truth.vehicles(t)
		return len(v) == vehicles && v[vehicles-1].EndSeq <= last
	})
	lost := 0
	for _, v := range truth.vehicles(t) {
		missing := 0
		for seq := v.FirstSeq; seq <= v.EndSeq; seq++ {
			e := events[seq]
			switch {
			case e == nil:
				missing++
			case seq < v.EndSeq && (e[2] != 1 || e[3] != uint16(seq-v.FirstSeq+1)):
				t.Errorf("event %d of vehicle %+v is %d", seq, v, e)
			case seq == v.EndSeq && (e[2] != 2 || int(e[3]) != len(v.Axles) || wim.Kg(e[6])<<16|wim.Kg(e[7]) != v.Indicated):
				t.Errorf("the end of vehicle %+v is %d", v, e)
			}
		}
		if missing != v.LostFrames {
			t.Errorf("%d events of a vehicle are missing, the truth says %d: %+v", missing, v.LostFrames, v)
		}
		lost += missing
	}
	if lost < 5 || !strings.Contains(truth.String(), `"torn-ring"`) {
		t.Errorf("%d events lost; truth:\n%s", lost, truth)
	}
}
