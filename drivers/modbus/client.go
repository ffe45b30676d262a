// Package modbus talks to Modbus slaves through github.com/goburrow/modbus and is the one place where that
// library's faults are worked around, so that a successor could take its place without a change elsewhere.
//
// It promises: an answer is the answer to what was asked, of the quantity that was asked; after any error
// the connection is new; a call ends within the time limit of its configuration. It never repeats a write by
// itself: the caller knows whether repeating is safe.
package modbus

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/goburrow/modbus"
)

// ErrException marks an answer by which the slave itself refused a request; the line is good.
var ErrException = errors.New("modbus exception")

// Limits of the protocol for one request.
const (
	maxRead  = 125
	maxWrite = 123
	maxBits  = 2000
)

// Config says which slave stands where.
type Config struct {
	Address string        // host:port
	Unit    uint8         // 0 means 1
	Timeout time.Duration // for one request; 0 means 500 ms
}

// Validate fills in defaults and says what is wrong.
func (c *Config) Validate() error {
	if c.Address == "" {
		return errors.New("modbus: an address host:port is needed")
	}
	if c.Unit == 0 {
		c.Unit = 1
	}
	if c.Timeout == 0 {
		c.Timeout = 500 * time.Millisecond
	}
	if c.Timeout < 0 {
		return fmt.Errorf("modbus %s: timeout %s", c.Address, c.Timeout)
	}
	return nil
}

// Client is one connection to one slave. Its methods may be called from any goroutine and take turns.
type Client struct {
	cfg Config

	mu      sync.Mutex // held for a whole request: the library is not safe for two at once
	handler *modbus.TCPClientHandler
	client  modbus.Client
	answers uint64
	errors  uint64
	opened  uint64
	open    bool
}

// New prepares a client; the first request connects.
func New(cfg Config) (*Client, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	h := modbus.NewTCPClientHandler(cfg.Address)
	h.SlaveId = cfg.Unit
	h.Timeout = cfg.Timeout
	// The library's own idle timer would close the connection in the middle of nothing; ours is kept alive
	// by the heartbeat polls, and closed by every error.
	h.IdleTimeout = 0
	return &Client{cfg: cfg, handler: h, client: modbus.NewClient(h)}, nil
}

// Counts are totals since New.
type Counts struct {
	Answers uint64 // good answers
	Errors  uint64 // requests that failed, exceptions included
	Opened  uint64 // connections made
}

// Counts reads the totals.
func (c *Client) Counts() Counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Counts{Answers: c.answers, Errors: c.errors, Opened: c.opened}
}

// Close ends the connection. A later request opens a new one.
func (c *Client) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.close()
}

func (c *Client) close() error {
	c.open = false
	return c.handler.Close()
}

// ReadInput reads n input registers (function 4).
func (c *Client) ReadInput(ctx context.Context, addr, n uint16) ([]uint16, error) {
	return c.registers(ctx, "read input registers", addr, n, c.client.ReadInputRegisters)
}

// ReadHolding reads n holding registers (function 3).
func (c *Client) ReadHolding(ctx context.Context, addr, n uint16) ([]uint16, error) {
	return c.registers(ctx, "read holding registers", addr, n, c.client.ReadHoldingRegisters)
}

// ReadDiscrete reads n discrete inputs (function 2).
func (c *Client) ReadDiscrete(ctx context.Context, addr, n uint16) ([]bool, error) {
	return c.bits(ctx, "read discrete inputs", addr, n, c.client.ReadDiscreteInputs)
}

// ReadCoils reads n coils (function 1).
func (c *Client) ReadCoils(ctx context.Context, addr, n uint16) ([]bool, error) {
	return c.bits(ctx, "read coils", addr, n, c.client.ReadCoils)
}

// WriteHolding writes holding registers in one request (function 16), so that they change together.
func (c *Client) WriteHolding(ctx context.Context, addr uint16, values []uint16) error {
	if len(values) == 0 || len(values) > maxWrite {
		return fmt.Errorf("modbus %s: write %d registers, want 1 to %d", c.cfg.Address, len(values), maxWrite)
	}
	raw := make([]byte, 0, 2*len(values))
	for _, v := range values {
		raw = binary.BigEndian.AppendUint16(raw, v)
	}
	return c.do(ctx, "write holding registers", addr, func() error {
		_, err := c.client.WriteMultipleRegisters(addr, uint16(len(values)), raw) // the library compares the echo
		return err
	})
}

// WriteCoil sets one coil (function 5).
func (c *Client) WriteCoil(ctx context.Context, addr uint16, on bool) error {
	var v uint16
	if on {
		v = 0xFF00
	}
	return c.do(ctx, "write coil", addr, func() error {
		_, err := c.client.WriteSingleCoil(addr, v) // the library compares the echo
		return err
	})
}

func (c *Client) registers(ctx context.Context, what string, addr, n uint16, read func(addr, n uint16) ([]byte, error)) ([]uint16, error) {
	if n == 0 || n > maxRead {
		return nil, fmt.Errorf("modbus %s: %s: %d registers, want 1 to %d", c.cfg.Address, what, n, maxRead)
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

func (c *Client) bits(ctx context.Context, what string, addr, n uint16, read func(addr, n uint16) ([]byte, error)) ([]bool, error) {
	if n == 0 || n > maxBits {
		return nil, fmt.Errorf("modbus %s: %s: %d bits, want 1 to %d", c.cfg.Address, what, n, maxBits)
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

// do runs one request. The library knows no context: a call that has begun lasts at most connecting and
// one timeout.
func (c *Client) do(ctx context.Context, what string, addr uint16, request func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if !c.open {
		if err := c.handler.Connect(); err != nil {
			c.errors++
			return fmt.Errorf("modbus %s: connect: %w; check the address and that the device has power", c.cfg.Address, err)
		}
		c.open = true
		c.opened++
	}
	err := request()
	if err == nil {
		c.answers++
		return nil
	}
	c.errors++
	var exception *modbus.ModbusError
	// The library also calls an answer to another function an exception; a real one has the top bit set.
	if errors.As(err, &exception) && exception.FunctionCode&0x80 != 0 {
		return fmt.Errorf("modbus %s unit %d: %s at %d: %w %d (%w)", c.cfg.Address, c.cfg.Unit, what, addr, ErrException, exception.ExceptionCode, err)
	}
	// The library keeps the connection after a timeout. The late answer would then wait in it and every
	// later answer be one behind, for ever. So: a new connection after every error.
	if cerr := c.close(); cerr != nil {
		err = errors.Join(err, cerr)
	}
	return fmt.Errorf("modbus %s unit %d: %s at %d: %w", c.cfg.Address, c.cfg.Unit, what, addr, err)
}
