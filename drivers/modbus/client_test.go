package modbus

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/simonvetter/modbus"

	"github.com/axlegate/axlegate/internal/freeport"
)

// slave is a real Modbus TCP server of another maker.
type slave struct {
	holding [64]uint16
	coil    bool
}

func (s *slave) HandleCoils(r *modbus.CoilsRequest) ([]bool, error) {
	if r.IsWrite {
		s.coil = r.Args[0]
	}
	return []bool{s.coil}, nil
}
func (s *slave) HandleDiscreteInputs(*modbus.DiscreteInputsRequest) ([]bool, error) {
	return []bool{true, false, true}, nil
}
func (s *slave) HandleHoldingRegisters(r *modbus.HoldingRegistersRequest) ([]uint16, error) {
	if int(r.Addr)+int(r.Quantity) > len(s.holding) {
		return nil, modbus.ErrIllegalDataAddress
	}
	if r.IsWrite {
		copy(s.holding[r.Addr:], r.Args)
	}
	return s.holding[r.Addr : r.Addr+r.Quantity], nil
}
func (s *slave) HandleInputRegisters(r *modbus.InputRegistersRequest) ([]uint16, error) {
	return make([]uint16, r.Quantity), nil
}

func freePort(t *testing.T) string {
	t.Helper()
	addr, err := freeport.Address(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

func client(t *testing.T, addr string) *Client {
	t.Helper()
	c, err := New(Config{Address: addr, Timeout: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func TestARealSlaveIsReadAndWritten(t *testing.T) {
	addr := freePort(t)
	srv, err := modbus.NewServer(&modbus.ServerConfiguration{URL: "tcp://" + addr}, &slave{})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Stop() }) //nolint:errcheck // the test is over
	c, ctx := client(t, addr), t.Context()
	if err := c.WriteHolding(ctx, 3, []uint16{7, 8, 9}); err != nil {
		t.Fatal(err)
	}
	if got, err := c.ReadHolding(ctx, 2, 4); err != nil || !reflect.DeepEqual(got, []uint16{0, 7, 8, 9}) {
		t.Errorf("%v, %v", got, err)
	}
	if err := c.WriteCoil(ctx, 0, true); err != nil {
		t.Fatal(err)
	}
	if got, err := c.ReadCoils(ctx, 0, 1); err != nil || !got[0] {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := c.ReadDiscrete(ctx, 0, 3); err != nil || !reflect.DeepEqual(got, []bool{true, false, true}) {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := c.ReadInput(ctx, 0, 2); err != nil || len(got) != 2 {
		t.Errorf("%v, %v", got, err)
	}
	_, err = c.ReadHolding(ctx, 60, 10)
	if !errors.Is(err, ErrException) {
		t.Errorf("an address that there is not: %v", err)
	}
	if code, ok := Exception(err); !ok || code != 2 {
		t.Errorf("exception %d, %v", code, ok)
	}
	if _, ok := Exception(context.Canceled); ok {
		t.Error("an error of another kind is called an exception")
	}
	if n := c.Counts(); n.Opened != 1 || n.Errors != 1 {
		t.Errorf("an exception must not cost the connection: %+v", n)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := c.ReadInput(gone, 0, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled call: %v", err)
	}
}

// stub answers every request on a raw socket as reply says; nil means silence.
func stub(t *testing.T, reply func(conn, request int, req []byte) []byte) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() }) //nolint:errcheck // the test is over
	var conns atomic.Int32
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func(n int) {
				defer c.Close() //nolint:errcheck // the peer may be gone
				for i := 0; ; i++ {
					head := make([]byte, 7)
					if _, err := io.ReadFull(c, head); err != nil {
						return
					}
					body := make([]byte, binary.BigEndian.Uint16(head[4:])-1)
					if _, err := io.ReadFull(c, body); err != nil {
						return
					}
					if r := reply(n, i, append(head, body...)); r != nil {
						if _, err := c.Write(r); err != nil {
							return
						}
					}
				}
			}(int(conns.Add(1)) - 1)
		}
	}()
	return l.Addr().String()
}

// answer builds a register answer to req with the given values.
func answer(req []byte, values ...uint16) []byte {
	b := append([]byte(nil), req[:8]...)
	b = append(b, byte(2*len(values)))
	for _, v := range values {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	binary.BigEndian.PutUint16(b[4:], uint16(len(b)-6))
	return b
}

// The library stays one answer behind for ever after a timeout; this is what closing on every error is for.
func TestALateAnswerIsNeverTakenForTheNext(t *testing.T) {
	var first []byte // touched by the first connection only
	addr := stub(t, func(conn, n int, req []byte) []byte {
		switch {
		case conn > 0:
			return answer(req, 222)
		case n == 0:
			first = req
			return nil // beyond the timeout
		}
		return append(answer(first, 111), answer(req, 222)...)
	})
	c := client(t, addr)
	if _, err := c.ReadInput(t.Context(), 0, 1); err == nil {
		t.Fatal("silence was taken for an answer")
	}
	for i := range 3 {
		if got, err := c.ReadInput(t.Context(), 0, 1); err != nil || got[0] != 222 {
			t.Errorf("call %d after the timeout: %v, %v", i, got, err)
		}
	}
	if n := c.Counts(); n.Opened != 2 {
		t.Errorf("connections: %+v", n)
	}
}

func TestAnAnswerMustFitWhatWasAsked(t *testing.T) {
	for _, c := range []struct {
		name  string
		reply func(req []byte) []byte
		want  string
	}{
		{"fewer registers", func(r []byte) []byte { return answer(r, 1) }, "asked 2 registers"},
		{"more registers", func(r []byte) []byte { return answer(r, 1, 2, 3) }, "asked 2 registers"},
		{"another transaction", func(r []byte) []byte { a := answer(r, 1, 2); a[0] ^= 1; return a }, "transaction"},
		{"another unit", func(r []byte) []byte { a := answer(r, 1, 2); a[6] = 9; return a }, "unit"},
		{"another function", func(r []byte) []byte { a := answer(r, 1, 2); a[7] = 3; return a }, "function"},
		{"a refusal of another function", func(r []byte) []byte {
			return append(append([]byte(nil), r[:4]...), 0, 3, r[6], 0x83, 2)
		}, "function '131'"},
		{"a refusal without a code", func(r []byte) []byte { return append(append([]byte(nil), r[:4]...), 0, 2, r[6], 0x84) }, "function '132'"},
		{"an answer without a body", func(r []byte) []byte { return append(append([]byte(nil), r[:4]...), 0, 1, r[6]) }, "length"},
		{"a length of zero", func(r []byte) []byte { a := answer(r, 1, 2); a[4], a[5] = 0, 0; return a }, "zero"},
		{"nothing", func([]byte) []byte { return nil }, "timeout"},
	} {
		t.Run(c.name, func(t *testing.T) {
			addr := stub(t, func(conn, _ int, req []byte) []byte {
				if conn == 0 {
					return c.reply(req)
				}
				return answer(req, 5, 6)
			})
			cl := client(t, addr)
			_, err := cl.ReadInput(t.Context(), 0, 2)
			if err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, ErrException) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if got, err := cl.ReadInput(t.Context(), 0, 2); err != nil || got[1] != 6 {
				t.Errorf("the next call: %v, %v", got, err)
			}
		})
	}
}

// held is a slave that answers nothing until it is let go.
func held(t *testing.T) (c *Client, asked <-chan struct{}, release func()) {
	t.Helper()
	in, out := make(chan struct{}, 16), make(chan struct{})
	addr := stub(t, func(_, _ int, req []byte) []byte {
		in <- struct{}{}
		<-out
		return answer(req, 7)
	})
	c, err := New(Config{Address: addr, Timeout: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	release = sync.OnceFunc(func() { close(out) })
	t.Cleanup(func() {
		release()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c, in, release
}

func TestASlowSlaveHoldsUpNobodyWhoIsLeaving(t *testing.T) {
	c, asked, release := held(t)
	first := make(chan error, 1)
	go func() {
		_, err := c.ReadInput(t.Context(), 0, 1)
		first <- err
	}()
	<-asked
	if n := c.Counts(); n.Opened != 1 || n.Answers != 0 {
		t.Errorf("counts while a request is on its way: %+v", n)
	}
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.ReadInput(short, 0, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting for its turn: %v", err)
	}
	select {
	case err := <-first:
		t.Fatalf("the first request ended: %v", err)
	default:
	}
	release()
	if err := <-first; err != nil {
		t.Error(err)
	}
}

func TestARequestEndsWithItsCallersDeadline(t *testing.T) {
	c, _, release := held(t)
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := c.ReadInput(short, 0, 1)
		ended <- err
	}()
	select {
	case err := <-ended:
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the request goes on without its caller")
	}
	release()
	// A caller without patience is no failure of the slave: the next call is not held back.
	for range 3 {
		if got, err := c.ReadInput(t.Context(), 0, 1); err != nil || got[0] != 7 {
			t.Errorf("%v, %v", got, err)
		}
	}
}

func TestASlaveThatKeepsFailingIsTriedWithPausesAndFoundAgain(t *testing.T) {
	addr := freePort(t)
	c := client(t, addr)
	limit := time.Now().Add(20 * time.Second)
	for {
		before := c.Counts().Errors
		_, err := c.ReadInput(t.Context(), 0, 1)
		if err == nil || !strings.Contains(err.Error(), "check the address") {
			t.Fatalf("nobody is there, and the error is %v", err)
		}
		if c.Counts().Errors == before {
			if !strings.Contains(err.Error(), "in a row, tried again in") {
				t.Errorf("a call that did not try says %v", err)
			}
			break
		}
		if time.Now().After(limit) {
			t.Fatal("every call tried to connect")
		}
	}
	srv, err := modbus.NewServer(&modbus.ServerConfiguration{URL: "tcp://" + addr}, &slave{})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Stop() }) //nolint:errcheck // the test is over
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err = c.ReadInput(t.Context(), 0, 1); err == nil {
			break
		}
		if time.Now().After(limit) {
			t.Fatalf("it came back and is not found: %v", err)
		}
		<-tick.C
	}
}

func TestRequestsOutsideTheProtocolAreNotSent(t *testing.T) {
	c := client(t, "127.0.0.1:1")
	if _, err := c.ReadInput(t.Context(), 0, 126); err == nil {
		t.Error("126 registers were asked")
	}
	if err := c.WriteHolding(t.Context(), 0, nil); err == nil {
		t.Error("nothing was written")
	}
	if n := c.Counts(); n.Opened != 0 {
		t.Errorf("%+v", n)
	}
	if _, err := c.ReadInput(t.Context(), 0, 1); err == nil || !strings.Contains(err.Error(), "check the address") {
		t.Errorf("nobody there: %v", err)
	}
}
