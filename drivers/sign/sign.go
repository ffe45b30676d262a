// Package sign directs drivers: message signs and warning lights on Modbus, by register profile.
//
// It promises: an order counts as shown only when it was read back from the device; every order carries a
// hold time, so that a dead host leaves none standing. It never decides what is shown.
package sign

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
	"unicode/utf16"

	"github.com/axlegate/axlegate/drivers/modbus"
	"github.com/axlegate/axlegate/wim"
)

// Config says which sign stands where.
type Config struct {
	Device  string // its name in logs and metrics
	Address string // host:port
	Unit    uint8  // 0 means 1
	Profile Profile
	Timeout time.Duration // for one request; 0 means 500 ms
	// ReadBack is how long an order may take until it is shown; 0 means 1 s.
	ReadBack time.Duration
	// Period is how often the heartbeat is read; 0 means 1 s.
	Period time.Duration
	Logger *slog.Logger
	Now    func() time.Time
}

// Validate fills in defaults and says what is wrong.
func (c *Config) Validate() error {
	if c.Device == "" {
		return errors.New("sign: a device name is needed")
	}
	if err := c.Profile.Validate(); err != nil {
		return fmt.Errorf("sign %s: profile: %w", c.Device, err)
	}
	if c.ReadBack == 0 {
		c.ReadBack = time.Second
	}
	if c.Period == 0 {
		c.Period = time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return nil
}

// Sign is one sign.
type Sign struct {
	cfg    Config
	log    *slog.Logger
	client *modbus.Client

	mu     sync.Mutex // owns what follows
	number uint16
	beat   uint16
	beats  bool // beat is known
	still  int  // polls in which the heartbeat did not move
	health wim.DeviceHealth
}

// New prepares a sign; the first order or Run connects.
func New(cfg Config) (*Sign, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	c, err := modbus.New(modbus.Config{Address: cfg.Address, Unit: cfg.Unit, Timeout: cfg.Timeout})
	if err != nil {
		return nil, fmt.Errorf("sign %s: %w", cfg.Device, err)
	}
	return &Sign{
		cfg: cfg, client: c, log: cfg.Logger.With("device", cfg.Device, "address", cfg.Address),
		// Not 1: a host that starts again must not find its first order "shown" already.
		number: uint16(cfg.Now().UnixMilli()),
		health: wim.DeviceHealth{Device: cfg.Device, Since: wim.TimeOf(cfg.Now()), Reason: "not reached yet"},
	}, nil
}

// Show writes an order and returns when the device shows it. plate may be empty; text beyond the sign's
// room is cut. hold is how long it stands, up to 1 h 49 min. The error says what is shown instead.
func (s *Sign) Show(ctx context.Context, order wim.Order, plate string, hold time.Duration) error {
	msg, light, err := s.cfg.Profile.message(order)
	if err != nil {
		return fmt.Errorf("sign %s: %w", s.cfg.Device, err)
	}
	number := s.next()
	if err := s.write(ctx, msg, number, light, plate, hold); err != nil {
		s.down(err)
		return fmt.Errorf("sign %s: %w", s.cfg.Device, err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.ReadBack)
	defer cancel()
	for {
		shown, number2, burning, err := s.read(ctx)
		if err == nil && shown == msg && number2 == number && burning == light {
			return nil
		}
		select {
		case <-ctx.Done():
			if err != nil {
				s.down(err)
				return fmt.Errorf("sign %s: order written but not read back: %w", s.cfg.Device, err)
			}
			return fmt.Errorf("sign %s: asked for message %d of order %d, light %t; it shows message %d of order %d, light %t; look at the sign, it may be under local control",
				s.cfg.Device, msg, number, light, shown, number2, burning)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (s *Sign) next() uint16 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.number++; s.number == 0 {
		s.number = 1
	}
	return s.number
}

func (s *Sign) write(ctx context.Context, msg, number uint16, light bool, plate string, hold time.Duration) error {
	o := &s.cfg.Profile.Order
	first, last := s.cfg.Profile.span()
	regs := make([]uint16, last-first+1)
	put := func(addr uint16, v uint16) { regs[int(addr)-first] = v }
	put(o.Message, msg)
	put(o.Number, number)
	put(o.Hold, uint16(min(max(hold/(100*time.Millisecond), 1), 65535)))
	for i, u := range utf16.Encode([]rune(plate)) {
		if i >= int(o.PlateLength) {
			break
		}
		put(o.Plate+uint16(i), u)
	}
	if err := s.client.WriteHolding(ctx, uint16(first), regs); err != nil {
		return err
	}
	return s.client.WriteCoil(ctx, s.cfg.Profile.Light.Coil, light)
}

// read reads back what is shown and takes note of the heartbeat.
func (s *Sign) read(ctx context.Context) (msg, number uint16, burning bool, err error) {
	sh := &s.cfg.Profile.Shown
	first, last := s.cfg.Profile.shownSpan()
	regs, err := s.client.ReadInput(ctx, uint16(first), uint16(last-first+1))
	if err != nil {
		return 0, 0, false, err
	}
	bits, err := s.client.ReadDiscrete(ctx, s.cfg.Profile.Light.Shown, 1)
	if err != nil {
		return 0, 0, false, err
	}
	s.alive(regs[int(sh.Heartbeat)-first])
	return regs[int(sh.Message)-first], regs[int(sh.Number)-first], bits[0], nil
}

// Run keeps the line: it reads the heartbeat until ctx ends, so that a dead sign is known before a driver
// should see it, and then closes the connection. It never fails.
func (s *Sign) Run(ctx context.Context) error {
	t := time.NewTicker(s.cfg.Period)
	defer t.Stop()
	for {
		if _, _, _, err := s.read(ctx); err != nil && ctx.Err() == nil {
			s.down(err)
		} else {
			s.checkBeat()
		}
		select {
		case <-ctx.Done():
			return s.client.Close()
		case <-t.C:
		}
	}
}

// Health says how the sign is. It may be called from any goroutine.
func (s *Sign) Health() wim.DeviceHealth {
	n := s.client.Counts()
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.health
	h.Messages, h.Bad, h.Reconnects = n.Answers, n.Errors, n.Opened
	return h
}

func (s *Sign) alive(beat uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.beats || beat != s.beat {
		s.still = 0
	}
	s.beat, s.beats = beat, true
	if !s.health.Up && s.still == 0 {
		s.health.Up, s.health.Reason, s.health.Since = true, "", wim.TimeOf(s.cfg.Now())
		s.log.Info("sign is up")
	}
}

// checkBeat counts polls without a new heartbeat: a gateway may answer for a device that is dead.
func (s *Sign) checkBeat() {
	s.mu.Lock()
	s.still++
	dead := s.still > 3
	s.mu.Unlock()
	if dead {
		s.down(errors.New("it answers, but its heartbeat stands still; check the controller behind the gateway"))
	}
}

func (s *Sign) down(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.health.Up {
		s.log.Warn("sign is down", "error", err)
	}
	if s.health.Up || s.health.Reason == "" {
		s.health.Since = wim.TimeOf(s.cfg.Now())
	}
	s.health.Up, s.health.Reason = false, err.Error()
}
