// Package modbus talks to Modbus slaves through github.com/goburrow/modbus and is the one place where that
// library's faults are worked around, so that a successor could take its place without a change elsewhere.
//
// A slave stands at a TCP address or on a serial line (RTU), alone or with others on one Bus.
//
// It promises: an answer is the answer to what was asked, of the quantity that was asked; after any error but
// the slave's own refusal the connection is new; a slave that keeps failing is tried with growing pauses, and on a
// bus all that fail have together at most an eighth of its time. A call whose turn has come ends within its
// context's deadline and, without one, within three time limits of the configuration: connecting, letting a late
// answer of the slave pass, and one request. It never repeats a write by itself: the caller knows whether
// repeating is safe.
package modbus

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"time"

	"github.com/goburrow/modbus"
)

// ErrException marks an answer by which the slave itself refused a request; the line is good.
var ErrException = errors.New("modbus exception")

// Exception is the code by which a slave refused a request, or a gateway in its place (10 and 11: it did not reach the
// slave); ok is false for any other error.
func Exception(err error) (code byte, ok bool) {
	var e *modbus.ModbusError
	if !errors.Is(err, ErrException) || !errors.As(err, &e) {
		return 0, false
	}
	return e.ExceptionCode, true
}

// Limits of the protocol for one request.
const (
	maxRead  = 125
	maxWrite = 123
	maxBits  = 2000
)

// Pauses before a slave that failed twice in a row is tried again. The first failure costs no pause: the line
// may only have been closed by its other end.
const (
	firstPause = 250 * time.Millisecond
	lastPause  = 2 * time.Second
)

// function is a function code of the protocol.
type function byte

const (
	readCoils    function = 1
	readDiscrete function = 2
	readHolding  function = 3
	readInput    function = 4
	writeCoil    function = 5
	writeHolding function = 16
)

// exceptionMark is set in the answer's function code when the slave refuses.
const exceptionMark = 0x80

func (f function) String() string {
	switch f {
	case readCoils:
		return "read coils"
	case readDiscrete:
		return "read discrete inputs"
	case readHolding:
		return "read holding registers"
	case readInput:
		return "read input registers"
	case writeCoil:
		return "write coil"
	case writeHolding:
		return "write holding registers"
	}
	return fmt.Sprintf("function %d", byte(f))
}

// Parity of a serial line.
type Parity string

// The parities.
const (
	None Parity = "none"
	Even Parity = "even"
	Odd  Parity = "odd"
)

// Config says which slave stands where: at an address or on a serial line.
type Config struct {
	Address string        // host:port of a Modbus TCP server
	Line    string        // path of a serial line with Modbus RTU, instead of Address
	Baud    int           // of the line; 0 means 19200
	Parity  Parity        // of the line; empty means even, as the protocol has it
	Unit    uint8         // 0 means 1
	Timeout time.Duration // for one request; 0 means 500 ms
}

// Validate fills in defaults and says what is wrong.
func (c *Config) Validate() error {
	if (c.Address == "") == (c.Line == "") {
		return errors.New("modbus: want one of an address host:port and a serial line")
	}
	if c.Address != "" && (c.Baud != 0 || c.Parity != "") {
		return fmt.Errorf("modbus %s: baud and parity belong to a serial line", c.Address)
	}
	if c.Line != "" {
		if c.Baud == 0 {
			c.Baud = 19200
		}
		if c.Parity == "" {
			c.Parity = Even
		}
		if c.Baud < 300 {
			return fmt.Errorf("modbus %s: baud %d", c.Line, c.Baud)
		}
		if c.Parity != None && c.Parity != Even && c.Parity != Odd {
			return fmt.Errorf("modbus %s: parity %q, want none, even or odd", c.Line, c.Parity)
		}
	}
	if c.Unit == 0 {
		c.Unit = 1
	}
	if c.Timeout == 0 {
		c.Timeout = 500 * time.Millisecond
	}
	if c.Timeout < 0 {
		return fmt.Errorf("modbus %s: timeout %s", c.name(), c.Timeout)
	}
	return nil
}

// name is where the slave stands, for errors.
func (c *Config) name() string { return cmp.Or(c.Address, c.Line) }

// transport is what a bus's connection is made of.
type transport interface {
	modbus.ClientHandler
	Connect() error
	Close() error
	limit(d time.Duration, end time.Time) // for the next step, connecting or a request, and the caller's end, zero for none
	address(unit uint8)                   // of the next request
}

// tcp is the library's own transport.
type tcp struct{ *modbus.TCPClientHandler }

func newTCP(cfg *Config) tcp {
	h := modbus.NewTCPClientHandler(cfg.Address)
	// The library's own idle timer would close the connection in the middle of nothing; ours is kept alive
	// by the heartbeat polls, and closed by every error.
	h.IdleTimeout = 0
	return tcp{h}
}

func (t tcp) limit(d time.Duration, _ time.Time) { t.Timeout = d }

func (t tcp) address(unit uint8) { t.SlaveId = unit }

// Client is one slave. Its methods may be called from any goroutine and take turns with those of the other slaves
// on its bus.
type Client struct {
	bus  *Bus
	unit uint8
	own  bool // the bus is this slave's alone

	// Owned by whoever has the bus's turn.
	failed int       // requests in a row that got no answer
	last   error     // why the newest of them failed
	retry  time.Time // not tried before

	answers atomic.Uint64
	errors  atomic.Uint64
	opened  atomic.Uint64
}

// New prepares a client of a slave that is alone; the first request connects.
func New(cfg Config) (*Client, error) {
	b, err := NewBus(cfg)
	if err != nil {
		return nil, err
	}
	c := b.Slave(b.cfg.Unit)
	c.own = true
	return c, nil
}

// Counts are totals since the client was made.
type Counts struct {
	Answers uint64 // good answers
	Errors  uint64 // requests that failed, exceptions included
	Opened  uint64 // connections made for a request of this slave
}

// Counts reads the totals. It never waits for a request.
func (c *Client) Counts() Counts {
	return Counts{Answers: c.answers.Load(), Errors: c.errors.Load(), Opened: c.opened.Load()}
}

// Close ends the connection of a slave that is alone, after the request that is on its way; a later request opens a
// new one. With others on a bus it does nothing: the bus is closed as a whole.
func (c *Client) Close() error {
	if !c.own {
		return nil
	}
	return c.bus.Close()
}

// ReadInput reads n input registers (function 4).
func (c *Client) ReadInput(ctx context.Context, addr, n uint16) ([]uint16, error) {
	return c.registers(ctx, readInput, addr, n, c.bus.client.ReadInputRegisters)
}

// ReadHolding reads n holding registers (function 3).
func (c *Client) ReadHolding(ctx context.Context, addr, n uint16) ([]uint16, error) {
	return c.registers(ctx, readHolding, addr, n, c.bus.client.ReadHoldingRegisters)
}

// ReadDiscrete reads n discrete inputs (function 2).
func (c *Client) ReadDiscrete(ctx context.Context, addr, n uint16) ([]bool, error) {
	return c.bits(ctx, readDiscrete, addr, n, c.bus.client.ReadDiscreteInputs)
}

// ReadCoils reads n coils (function 1).
func (c *Client) ReadCoils(ctx context.Context, addr, n uint16) ([]bool, error) {
	return c.bits(ctx, readCoils, addr, n, c.bus.client.ReadCoils)
}

// WriteHolding writes holding registers in one request (function 16), so that they change together.
func (c *Client) WriteHolding(ctx context.Context, addr uint16, values []uint16) error {
	if len(values) == 0 || len(values) > maxWrite {
		return fmt.Errorf("modbus %s: write %d registers, want 1 to %d", c.bus.cfg.name(), len(values), maxWrite)
	}
	raw := make([]byte, 0, 2*len(values))
	for _, v := range values {
		raw = binary.BigEndian.AppendUint16(raw, v)
	}
	return c.do(ctx, writeHolding, addr, func() error {
		_, err := c.bus.client.WriteMultipleRegisters(addr, uint16(len(values)), raw) // the library compares the echo
		return err
	})
}

// WriteCoil sets one coil (function 5).
func (c *Client) WriteCoil(ctx context.Context, addr uint16, on bool) error {
	var v uint16
	if on {
		v = 0xFF00
	}
	return c.do(ctx, writeCoil, addr, func() error {
		_, err := c.bus.client.WriteSingleCoil(addr, v) // the library compares the echo
		return err
	})
}

func (c *Client) registers(ctx context.Context, what function, addr, n uint16, read func(addr, n uint16) ([]byte, error)) ([]uint16, error) {
	if n == 0 || n > maxRead {
		return nil, fmt.Errorf("modbus %s: %s: %d registers, want 1 to %d", c.bus.cfg.name(), what, n, maxRead)
	}
	out := make([]uint16, n)
	err := c.do(ctx, what, addr, func() error {
		b, err := read(addr, n)
		if err != nil {
			return err
		}
		// The library compares the answer's length with its own byte count only, never with the quantity.
		if len(b) != 2*int(n) {
			return fmt.Errorf("asked %d registers, got %d bytes", n, len(b))
		}
		for i := range out {
			out[i] = binary.BigEndian.Uint16(b[2*i:])
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (c *Client) bits(ctx context.Context, what function, addr, n uint16, read func(addr, n uint16) ([]byte, error)) ([]bool, error) {
	if n == 0 || n > maxBits {
		return nil, fmt.Errorf("modbus %s: %s: %d bits, want 1 to %d", c.bus.cfg.name(), what, n, maxBits)
	}
	out := make([]bool, n)
	err := c.do(ctx, what, addr, func() error {
		b, err := read(addr, n)
		if err != nil {
			return err
		}
		if len(b) != (int(n)+7)/8 {
			return fmt.Errorf("asked %d bits, got %d bytes", n, len(b))
		}
		for i := range out {
			out[i] = b[i/8]&(1<<(i%8)) != 0
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// do runs one request when its turn has come.
func (c *Client) do(ctx context.Context, what function, addr uint16, request func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b := c.bus
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-b.turn:
	}
	defer func() { b.turn <- struct{}{} }()
	start := time.Now()
	if c.failed > 0 {
		if wait := max(c.retry.Sub(start), b.rest(start)); wait > 0 {
			return fmt.Errorf("modbus %s unit %d: failed %d times in a row, tried again in %s: %w", b.cfg.name(), c.unit, c.failed, wait.Round(time.Millisecond), c.last)
		}
	}
	err := c.attempt(ctx, what, addr, request)
	switch {
	case err == nil || errors.Is(err, ErrException):
		if c.failed > 0 {
			b.failing--
		}
		c.failed, c.last, c.retry = 0, nil, time.Time{}
		return err
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded), b.given < b.cfg.Timeout && isTimeout(err):
		// The caller's patience ended, not the slave's time: that is no failure of the slave.
		return fmt.Errorf("%w: %w", cmp.Or(ctx.Err(), context.DeadlineExceeded), err)
	}
	if c.failed == 0 {
		b.failing++
	}
	c.failed++
	c.last = err
	now := time.Now()
	if c.failed > 1 {
		pause := min(firstPause<<min(c.failed-2, 8), lastPause)
		pause = pause/2 + rand.N(pause/2+1) // slaves that fell together do not come back together
		c.retry = now.Add(max(pause, b.spent(now, now.Sub(start))))
	}
	return err
}

// attempt connects if need be and asks once.
func (c *Client) attempt(ctx context.Context, what function, addr uint16, request func() error) error {
	b := c.bus
	if err := b.limit(ctx); err != nil {
		return err
	}
	if !b.open {
		if err := b.handler.Connect(); err != nil {
			c.errors.Add(1)
			return fmt.Errorf("modbus %s: connect: %w; check the address or the cable, and that the device has power", b.cfg.name(), err)
		}
		b.open = true
		c.opened.Add(1)
		if err := b.limit(ctx); err != nil {
			return err
		}
	}
	b.handler.address(c.unit)
	err := request()
	if err == nil {
		c.answers.Add(1)
		return nil
	}
	c.errors.Add(1)
	var exception *modbus.ModbusError
	// The library calls every answer to another function an exception. A real one is to this function, has the
	// top bit set and a code.
	if errors.As(err, &exception) && exception.FunctionCode == byte(what)|exceptionMark && exception.ExceptionCode != 0 {
		return fmt.Errorf("modbus %s unit %d: %s at %d: %w %d (%w)", b.cfg.name(), c.unit, what, addr, ErrException, exception.ExceptionCode, err)
	}
	// The library keeps the connection after a timeout. The late answer would then wait in it and every
	// later answer be one behind, for ever. So: a new connection after every error.
	if cerr := b.close(); cerr != nil {
		err = errors.Join(err, cerr)
	}
	return fmt.Errorf("modbus %s unit %d: %s at %d: %w", b.cfg.name(), c.unit, what, addr, err)
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}
