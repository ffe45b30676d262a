package modbus

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/simonvetter/modbus"
)

func shared(t *testing.T, cfg Config) *Bus {
	t.Helper()
	cfg.Timeout = 400 * time.Millisecond // long enough for a busy machine
	b, err := NewBus(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func TestASilentSlaveDoesNotStopTheOthersOnItsLine(t *testing.T) {
	line := newBus(t, func(_ int, req []byte) []byte {
		if req[0] == 9 {
			return nil
		}
		return frameOf(req, uint16(req[0]))
	})
	b := shared(t, Config{Line: line.path, Baud: 115200, Parity: None})
	one, two, dead := b.Slave(1), b.Slave(2), b.Slave(9)
	rested := false
	for range 50 {
		for _, c := range []*Client{one, two} {
			if got, err := c.ReadHolding(t.Context(), 0, 1); err != nil || got[0] != uint16(c.unit) {
				t.Fatalf("unit %d: %v, %v", c.unit, got, err)
			}
		}
		_, err := dead.ReadHolding(t.Context(), 0, 1)
		if err == nil {
			t.Fatal("a silent slave answered")
		}
		rested = rested || strings.Contains(err.Error(), "in a row, tried again in")
	}
	if !rested {
		t.Error("the silent slave was asked every time")
	}
	if n := two.Counts(); n.Answers != 50 || n.Errors != 0 {
		t.Errorf("%+v", n)
	}
}

func TestSlavesThatFailHaveTogetherAnEighthOfTheTime(t *testing.T) {
	b := shared(t, Config{Address: "127.0.0.1:1"})
	now := time.Unix(1_000_000, 0)
	b.Slave(1)
	if d := b.spent(now, time.Second); d != 0 || b.rest(now) > 0 {
		t.Errorf("a slave that is alone takes nobody's time: %s, %s", d, b.rest(now))
	}
	b.Slave(2)
	b.failing = 3
	// Three that fail and cost 500 ms each: one is tried every 4 s, each of them every 12 s.
	if d := b.spent(now, 500*time.Millisecond); d != 12*time.Second || b.rest(now) != 3500*time.Millisecond {
		t.Errorf("it waits %s, all wait %s", d, b.rest(now))
	}
}

// Every failing slave gets its turn, however often another asks.
func TestPropertyNoFailingSlaveKeepsAnotherFromBeingTried(t *testing.T) {
	b := shared(t, Config{Address: "127.0.0.1:1"})
	b.slaves.Store(5)
	b.failing = 5
	now := time.Unix(1_000_000, 0)
	var retry [5]time.Time
	tried := [5]int{}
	var busy time.Duration
	start := now
	for range 100_000 {
		now = now.Add(10 * time.Millisecond)
		for i := range retry { // the first always asks first
			if now.Before(retry[i]) || b.rest(now) > 0 {
				continue
			}
			now = now.Add(500 * time.Millisecond)
			busy += 500 * time.Millisecond
			tried[i]++
			retry[i] = now.Add(b.spent(now, 500*time.Millisecond))
		}
	}
	for i, n := range tried {
		if n < tried[0]*9/10 || n == 0 {
			t.Errorf("slave %d was tried %d times, the first %d", i, n, tried[0])
		}
	}
	if part := float64(busy) / float64(now.Sub(start)); part > 1.0/share {
		t.Errorf("they had %.3f of the time", part)
	}
}

func TestALateAnswerOfAnotherSlaveIsThrownAway(t *testing.T) {
	var late []byte
	line := newBus(t, func(_ int, req []byte) []byte {
		if req[0] == 9 {
			late = frameOf(req, 999)
			return nil
		}
		return append(late, frameOf(req, 1)...)
	})
	b := shared(t, Config{Line: line.path, Baud: 115200, Parity: None})
	one, slow := b.Slave(1), b.Slave(9)
	if _, err := slow.ReadHolding(t.Context(), 0, 1); err == nil {
		t.Fatal("silence was taken for an answer")
	}
	if got, err := one.ReadHolding(t.Context(), 0, 1); err != nil || got[0] != 1 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestALateAnswerOfTheSameSlaveThatComesNowIsThrownAwayToo(t *testing.T) {
	late := make(chan []byte, 1)
	line := newBus(t, func(n int, req []byte) []byte {
		if n == 0 {
			late <- frameOf(req, 111)
			return nil
		}
		return frameOf(req, 222)
	})
	c := shared(t, Config{Line: line.path, Baud: 115200, Parity: None}).Slave(1)
	if _, err := c.ReadHolding(t.Context(), 0, 1); err == nil {
		t.Fatal("silence was taken for an answer")
	}
	wrote := make(chan error, 1)
	go func() { // while the next request waits for it
		_, err := line.master.Write(<-late)
		wrote <- err
	}()
	if got, err := c.ReadHolding(t.Context(), 0, 1); err != nil || got[0] != 222 {
		t.Errorf("%v, %v", got, err)
	}
	if err := <-wrote; err != nil {
		t.Error(err)
	}
}

func TestWhoHasNoTimeToLetALateAnswerPassDoesNotAsk(t *testing.T) {
	line := newBus(t, func(n int, req []byte) []byte {
		if n == 0 {
			return nil
		}
		return frameOf(req, 222)
	})
	c := shared(t, Config{Line: line.path, Baud: 115200, Parity: None}).Slave(1)
	if _, err := c.ReadHolding(t.Context(), 0, 1); err == nil {
		t.Fatal("silence was taken for an answer")
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.ReadHolding(short, 0, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	line.mu.Lock()
	asked := line.n
	line.mu.Unlock()
	if asked != 1 {
		t.Errorf("it was asked %d times", asked)
	}
	// That is no failure of the slave: the next call does not have to wait for a pause.
	if got, err := c.ReadHolding(t.Context(), 0, 1); err != nil || got[0] != 222 {
		t.Errorf("%v, %v", got, err)
	}
}

// units answers with the unit that was asked, behind a gateway.
type units struct{ slave }

func (u *units) HandleInputRegisters(r *modbus.InputRegistersRequest) ([]uint16, error) {
	if r.UnitId == 9 {
		return nil, modbus.ErrGWTargetFailedToRespond
	}
	return []uint16{uint16(r.UnitId)}, nil
}

func TestSlavesBehindAGatewayShareItsConnection(t *testing.T) {
	addr := freePort(t)
	srv, err := modbus.NewServer(&modbus.ServerConfiguration{URL: "tcp://" + addr}, &units{})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Stop() }) //nolint:errcheck // the test is over
	b := shared(t, Config{Address: addr})
	var opened uint64
	for _, unit := range []uint8{0, 1, 2, 255} {
		c := b.Slave(unit)
		if got, err := c.ReadInput(t.Context(), 0, 1); err != nil || got[0] != uint16(unit) {
			t.Errorf("unit %d: %v, %v", unit, got, err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		opened += c.Counts().Opened
	}
	if _, err := b.Slave(9).ReadInput(t.Context(), 0, 1); !errors.Is(err, ErrException) {
		t.Errorf("a slave that the gateway does not find: %v", err)
	}
	if opened != 1 {
		t.Errorf("%d connections", opened)
	}
}
