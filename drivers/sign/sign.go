// Package sign directs drivers: message signs and warning lights on Modbus, by register profile.
//
// It promises: an order counts as shown only when it was read back from the device; orders reach the device
// whole, one after the other; every order carries a hold time, so that a dead host leaves none standing. It
// never decides what is shown and never writes a register that the profile does not name.
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
	if c.ReadBack < 0 || c.Period < 0 {
		return fmt.Errorf("sign %s: read back within %s, heartbeat every %s: want positive durations, or 0 for 1 s", c.Device, c.ReadBack, c.Period)
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
	// turn holds the one token: message and light of two orders must not mix. A channel, so that waiting for
	// it ends with the caller's context.
	turn chan struct{}

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
	s := &Sign{
		cfg: cfg, client: c, turn: make(chan struct{}, 1), log: cfg.Logger.With("device", cfg.Device, "address", cfg.Address),
		// Not 1: a host that starts again must not find its first order "shown" already.
		number: uint16(cfg.Now().UnixMilli()),
		health: wim.DeviceHealth{Device: cfg.Device, Since: wim.TimeOf(cfg.Now()), Reason: notYet},
	}
	s.turn <- struct{}{}
	return s, nil
}

// notYet is the reason of a sign that was neither reached nor tried.
const notYet = "not reached yet"

// display is what a sign shows.
type display struct {
	message, number uint16
	light           bool
}

func (d display) String() string {
	return fmt.Sprintf("message %d of order %d, light %t", d.message, d.number, d.light)
}

// Show writes an order and returns when the device shows it. plate may be empty; text beyond the sign's
// room is cut. hold is how long it stands, up to 1 h 49 min. The error says what is shown instead. Orders take
// turns: a later one waits until the one before is shown or given up.
func (s *Sign) Show(ctx context.Context, order wim.Order, plate string, hold time.Duration) error {
	msg, light, err := s.cfg.Profile.message(order)
	if err != nil {
		return fmt.Errorf("sign %s: %w", s.cfg.Device, err)
	}
	select {
	case <-ctx.Done():
		return fmt.Errorf("sign %s: %w", s.cfg.Device, ctx.Err())
	case <-s.turn:
	}
	defer func() { s.turn <- struct{}{} }()
	want := display{message: msg, number: s.next(), light: light}
	if err := s.write(ctx, want, plate, hold); err != nil {
		s.failed(ctx, err)
		return fmt.Errorf("sign %s: %w", s.cfg.Device, err)
	}
	return s.readBack(ctx, want)
}

// readBack waits until the device shows what is wanted.
func (s *Sign) readBack(ctx context.Context, want display) error {
	limit := time.NewTimer(s.cfg.ReadBack)
	defer limit.Stop()
	var seen *display
	for {
		now, err := s.read(ctx)
		if err == nil && now == want {
			return nil
		}
		if err == nil {
			seen = &now
		}
		select {
		case <-ctx.Done():
			err = errors.Join(ctx.Err(), err)
		case <-limit.C:
		case <-time.After(5 * time.Millisecond):
			continue
		}
		if err != nil {
			s.failed(ctx, err)
		}
		switch {
		case seen == nil:
			return fmt.Errorf("sign %s: asked for %s, but it was not read back: %w", s.cfg.Device, want, err)
		case err != nil:
			return fmt.Errorf("sign %s: asked for %s, last seen was %s: %w", s.cfg.Device, want, *seen, err)
		}
		return fmt.Errorf("sign %s: asked for %s; it shows %s; look at the sign, it may be under local control", s.cfg.Device, want, *seen)
	}
}

// failed takes note of a request that failed, unless it was the caller who left: that says nothing of the sign.
func (s *Sign) failed(ctx context.Context, err error) {
	if end, ok := ctx.Deadline(); ctx.Err() != nil || ok && !time.Now().Before(end) {
		return
	}
	s.down(err)
}

func (s *Sign) next() uint16 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.number++; s.number == 0 {
		s.number = 1
	}
	return s.number
}

func (s *Sign) write(ctx context.Context, want display, plate string, hold time.Duration) error {
	o := &s.cfg.Profile.Order
	first, last := s.cfg.Profile.span()
	regs := make([]uint16, last-first+1)
	put := func(addr int, v uint16) { regs[addr-first] = v }
	put(int(o.Message), want.message)
	put(int(o.Number), want.number)
	put(int(o.Hold), uint16(min(max(hold/(100*time.Millisecond), 1), 65535)))
	at, room := int(o.Plate), int(o.Plate)+int(o.PlateLength)
	for _, r := range plate {
		units := utf16.AppendRune(nil, r)
		if at+len(units) > room { // half a character is none
			break
		}
		for _, u := range units {
			put(at, u)
			at++
		}
	}
	if err := s.client.WriteHolding(ctx, uint16(first), regs); err != nil {
		return err
	}
	return s.client.WriteCoil(ctx, s.cfg.Profile.Light.Coil, want.light)
}

// read reads back what is shown and takes note of the heartbeat.
func (s *Sign) read(ctx context.Context) (display, error) {
	sh := &s.cfg.Profile.Shown
	first, last := s.cfg.Profile.shownSpan()
	regs, err := s.client.ReadInput(ctx, uint16(first), uint16(last-first+1))
	if err != nil {
		return display{}, err
	}
	bits, err := s.client.ReadDiscrete(ctx, s.cfg.Profile.Light.Shown, 1)
	if err != nil {
		return display{}, err
	}
	s.alive(regs[int(sh.Heartbeat)-first])
	return display{message: regs[int(sh.Message)-first], number: regs[int(sh.Number)-first], light: bits[0]}, nil
}

// Run keeps the line: it reads the heartbeat until ctx ends, so that a dead sign is known before a driver
// should see it, and then closes the connection. It never fails.
func (s *Sign) Run(ctx context.Context) error {
	t := time.NewTicker(s.cfg.Period)
	defer t.Stop()
	for {
		if _, err := s.read(ctx); err == nil {
			s.checkBeat()
		} else {
			s.failed(ctx, err)
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
	if s.health.Up || s.health.Reason == notYet {
		s.log.Warn("sign is down", "error", err)
	}
	if s.health.Up {
		s.health.Since = wim.TimeOf(s.cfg.Now())
	}
	s.health.Up, s.health.Reason = false, err.Error()
}
