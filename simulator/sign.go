package simulator

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
	"unicode/utf16"

	"github.com/simonvetter/modbus"
)

// Messages of the sign; docs/devices/sign.md.
const (
	signBlank = iota
	signProceed
	signEnter
	signRegisters = 13
)

// SignState is what a sign shows.
type SignState struct {
	Message string    `json:"message"` // blank, proceed, enter
	Number  uint16    `json:"number"`
	Plate   string    `json:"plate"`
	Light   bool      `json:"light"`
	Since   time.Time `json:"since"`
}

// sign is a message sign with a warning light.
type sign struct {
	addr string

	mu    sync.Mutex // owns what follows
	reg   [signRegisters]uint16
	light bool
	until time.Time // the hold time's end
	since time.Time
	start time.Time
	shown func(SignState) // called for each new order, nil for none
}

func newSign(addr string) *sign { return &sign{addr: addr, start: time.Now(), since: time.Now()} }

// run serves Modbus TCP until ctx ends.
func (s *sign) run(ctx context.Context) error {
	srv, err := modbus.NewServer(&modbus.ServerConfiguration{URL: "tcp://" + s.addr, Timeout: time.Minute, MaxClients: 8}, s)
	if err != nil {
		return fmt.Errorf("sign on %s: %w", s.addr, err)
	}
	if err := srv.Start(); err != nil {
		return fmt.Errorf("sign on %s: %w", s.addr, err)
	}
	<-ctx.Done()
	if err := srv.Stop(); err != nil {
		return fmt.Errorf("sign on %s: %w", s.addr, err)
	}
	return nil
}

// expire blanks the sign when its order's time is over. The caller holds mu.
func (s *sign) expire() {
	if !s.until.IsZero() && time.Now().After(s.until) {
		s.until = time.Time{}
		s.reg[0], s.light, s.since = signBlank, false, time.Now()
		clear(s.reg[3:])
	}
}

func (s *sign) state() SignState {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	return s.snapshot()
}

func (s *sign) snapshot() SignState {
	words := [...]string{"blank", "proceed", "enter"}
	m := "unknown"
	if int(s.reg[0]) < len(words) {
		m = words[s.reg[0]]
	}
	return SignState{Message: m, Number: s.reg[1], Plate: strings.TrimRight(string(utf16.Decode(s.reg[3:])), "\x00"), Light: s.light, Since: s.since}
}

// HandleHoldingRegisters takes an order.
func (s *sign) HandleHoldingRegisters(r *modbus.HoldingRegistersRequest) ([]uint16, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	if int(r.Addr)+int(r.Quantity) > signRegisters {
		return nil, modbus.ErrIllegalDataAddress
	}
	if r.IsWrite {
		before := s.reg[1]
		copy(s.reg[r.Addr:], r.Args)
		if s.reg[1] != before {
			s.since = time.Now()
			s.until = s.since.Add(time.Duration(s.reg[2]) * 100 * time.Millisecond)
			if s.shown != nil {
				s.shown(s.snapshot())
			}
		}
	}
	return append([]uint16(nil), s.reg[r.Addr:r.Addr+r.Quantity]...), nil
}

// HandleInputRegisters tells what is shown.
func (s *sign) HandleInputRegisters(r *modbus.InputRegistersRequest) ([]uint16, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	all := [...]uint16{s.reg[0], s.reg[1], uint16(time.Since(s.start) / (100 * time.Millisecond))}
	if int(r.Addr)+int(r.Quantity) > len(all) {
		return nil, modbus.ErrIllegalDataAddress
	}
	return append([]uint16(nil), all[r.Addr:r.Addr+r.Quantity]...), nil
}

// HandleCoils switches the light.
func (s *sign) HandleCoils(r *modbus.CoilsRequest) ([]bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	if r.Addr != 0 || r.Quantity != 1 {
		return nil, modbus.ErrIllegalDataAddress
	}
	if r.IsWrite {
		s.light = r.Args[0]
	}
	return []bool{s.light}, nil
}

// HandleDiscreteInputs tells whether the light burns.
func (s *sign) HandleDiscreteInputs(r *modbus.DiscreteInputsRequest) ([]bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	if r.Addr != 0 || r.Quantity != 1 {
		return nil, modbus.ErrIllegalDataAddress
	}
	return []bool{s.light}, nil
}

// freeAddr picks a free port on loopback for an address that ends in ":0"; the Modbus server cannot tell
// which one it took.
func freeAddr(ctx context.Context, addr string) (string, error) {
	if !strings.HasSuffix(addr, ":0") {
		return addr, nil
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return l.Addr().String(), l.Close()
}
