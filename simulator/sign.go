package simulator

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode/utf16"

	"github.com/simonvetter/modbus"

	"github.com/axlegate/axlegate/internal/freeport"
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

	server *modbus.ModbusServer
	shown  func(SignState) // told of each order and each switching of the light, nil for none

	mu    sync.Mutex // owns what follows
	reg   [signRegisters]uint16
	light bool
	until time.Time // the hold time's end
	since time.Time
	start time.Time
}

// newSign serves Modbus TCP at addr until stop; port 0 means any free one.
func newSign(ctx context.Context, addr string, log *slog.Logger) (*sign, error) {
	for try := 0; ; try++ {
		s := &sign{start: time.Now(), since: time.Now()}
		var err error
		if s.addr, err = freeAddr(ctx, addr); err != nil {
			return nil, err
		}
		s.server, err = modbus.NewServer(&modbus.ServerConfiguration{
			URL: "tcp://" + s.addr, Timeout: time.Minute, MaxClients: 8, Logger: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		}, s)
		if err != nil {
			return nil, fmt.Errorf("sign on %s: %w", s.addr, err)
		}
		err = s.server.Start()
		if err == nil {
			return s, nil
		}
		// Somebody may have taken the free port in between.
		if s.addr == addr || try == 8 {
			return nil, fmt.Errorf("sign on %s: %w", s.addr, err)
		}
	}
}

// stop ends the service and its connections.
func (s *sign) stop() error {
	if err := s.server.Stop(); err != nil {
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
	if int(r.Addr)+int(r.Quantity) > signRegisters {
		return nil, modbus.ErrIllegalDataAddress
	}
	regs, err := s.holding(r)
	if r.IsWrite && err == nil {
		s.tell()
	}
	return regs, err
}

func (s *sign) holding(r *modbus.HoldingRegistersRequest) ([]uint16, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	if r.IsWrite {
		next := s.reg
		copy(next[r.Addr:], r.Args)
		if next[0] > signEnter || next[1] == 0 {
			return nil, modbus.ErrIllegalDataValue
		}
		s.reg = next
		// Every order starts its time, also one with the number of the order before: none may stand for ever.
		s.since = time.Now()
		s.until = s.since.Add(s.hold())
	}
	return append([]uint16(nil), s.reg[r.Addr:r.Addr+r.Quantity]...), nil
}

// hold is the time of the last order.
func (s *sign) hold() time.Duration { return time.Duration(s.reg[2]) * 100 * time.Millisecond }

// tell reports what is shown, with the lock not held.
func (s *sign) tell() {
	if s.shown != nil {
		s.shown(s.state())
	}
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
	if r.Addr != 0 || r.Quantity != 1 {
		return nil, modbus.ErrIllegalDataAddress
	}
	bits := s.coil(r)
	if r.IsWrite {
		s.tell()
	}
	return bits, nil
}

func (s *sign) coil(r *modbus.CoilsRequest) []bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	if r.IsWrite {
		s.light = r.Args[0]
		// A light that comes after its order's end burns as long as the order was to stand, not for ever.
		if s.light && s.until.IsZero() {
			s.until = time.Now().Add(s.hold())
		}
	}
	return []bool{s.light}
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

// freeAddr picks a free port for an address on loopback that ends in ":0"; the Modbus server cannot tell which one it
// took, and after a simulated reboot it must find the same one again.
func freeAddr(ctx context.Context, addr string) (string, error) {
	if addr != "127.0.0.1:0" {
		return addr, nil
	}
	return freeport.Address(ctx)
}
