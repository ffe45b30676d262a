package indicator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/axlegate/axlegate/drivers/modbus"
	"github.com/axlegate/axlegate/wim"
)

// ErrNoCommand marks a command that the instrument's profile has no register for.
var ErrNoCommand = errors.New("the profile has no register for it")

// Config says which instrument stands where.
type Config struct {
	Device  string // its name in logs and metrics
	Address string // host:port of Modbus TCP
	// Line is the path of a serial line with Modbus RTU, instead of Address.
	Line   string
	Baud   int           // of the line; 0 means 19200
	Parity modbus.Parity // of the line; empty means even
	Unit   uint8         // 0 means the profile's on Modbus TCP, and 1 where it has none
	// Bus is what the instrument shares with others, instead of Address and Line. The time limit of a request is the
	// bus's then. Whoever made it closes it.
	Bus     *modbus.Bus
	Profile Profile
	// Silence is how long an instrument may fail to answer, or its heartbeat stand still, before it is down; 0
	// means 2 s.
	Silence time.Duration
	Logger  *slog.Logger
	Now     func() time.Time
}

// Validate fills in defaults and says what is wrong.
func (c *Config) Validate() error {
	if c.Device == "" || c.Address == "" && c.Line == "" && c.Bus == nil {
		return errors.New("indicator: a device and an address, a line or a bus are needed")
	}
	if c.Bus != nil && (c.Address != "" || c.Line != "") {
		return fmt.Errorf("indicator %s: a bus has its own address or line", c.Device)
	}
	if err := c.Profile.check(); err != nil {
		return fmt.Errorf("indicator %s: profile: %w", c.Device, err)
	}
	if c.Silence < 0 {
		return fmt.Errorf("indicator %s: silence of %s: want a positive duration, or 0 for 2 s", c.Device, c.Silence)
	}
	if c.Silence == 0 {
		c.Silence = 2 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return nil
}

// Indicator is one static instrument.
type Indicator struct {
	cfg    Config
	lay    layout
	bus    *modbus.Bus
	client *modbus.Client
	at     string // address, line or unit, for errors
	log    *slog.Logger

	mu     sync.Mutex // owns health and bad
	health wim.DeviceHealth
	bad    uint64 // answers that were no indication

	// What follows is Run's own.
	heard time.Time // last reading that was good
	moved time.Time // when the heartbeat was last seen to move
	pulse uint32    // what it was
}

// New prepares an instrument; Run connects.
func New(cfg Config) (*Indicator, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	unit, bus := cfg.Unit, cfg.Bus
	if unit == 0 {
		unit = 1
		if p := cfg.Profile.Unit; p != nil && cfg.Address != "" {
			unit = *p
		}
	}
	if bus == nil {
		var err error
		bus, err = modbus.NewBus(modbus.Config{Address: cfg.Address, Line: cfg.Line, Baud: cfg.Baud, Parity: cfg.Parity, Timeout: cfg.Profile.Timeout.Std()})
		if err != nil {
			return nil, err
		}
	}
	at := cmp.Or(cfg.Address, cfg.Line, fmt.Sprintf("unit %d", unit))
	return &Indicator{
		cfg: cfg, lay: newLayout(cfg.Profile), bus: bus, client: bus.Slave(unit), at: at, log: cfg.Logger.With("device", cfg.Device, "at", at),
		health: wim.DeviceHealth{Device: cfg.Device, Reason: "the instrument was not asked yet", Since: wim.TimeOf(cfg.Now())},
	}, nil
}

// Health says how the instrument is. Its messages are indications, its bad ones requests that failed and answers
// that were none. It may be called from any goroutine.
func (d *Indicator) Health() wim.DeviceHealth {
	d.mu.Lock()
	defer d.mu.Unlock()
	h := d.health
	h.Bad = d.bad + d.client.Counts().Errors
	return h
}

// Run reads the instrument until ctx ends and calls emit for every indication, in order, from one goroutine. An
// instrument that is lost is told in Health and asked on. Run itself fails never.
func (d *Indicator) Run(ctx context.Context, emit func(wim.Indication)) error {
	defer d.Close() //nolint:errcheck // what was written was answered
	d.heard, d.moved = d.cfg.Now(), d.cfg.Now()
	t := time.NewTimer(0)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		in, err := d.Read(ctx)
		if ctx.Err() != nil {
			return nil // a request that ends because the driver is stopped is no failure
		}
		d.settle(err)
		if err == nil {
			emit(in)
		}
		t.Reset(d.lay.Poll.Std())
	}
}

// Close ends the connection, unless it is shared; a later request opens a new one. Run does it at its end.
func (d *Indicator) Close() error {
	if d.cfg.Bus != nil {
		return nil
	}
	return d.bus.Close()
}

// Read asks the instrument once. It must not be called while Run runs.
func (d *Indicator) Read(ctx context.Context) (wim.Indication, error) {
	regs, err := d.read(ctx, d.lay.first, d.lay.count)
	arrival := d.cfg.Now()
	if err != nil {
		return wim.Indication{}, err
	}
	if err := d.alive(ctx, regs, arrival); err != nil {
		return wim.Indication{}, err
	}
	in, err := d.lay.indication(regs)
	if err != nil {
		d.mu.Lock()
		d.bad++
		d.mu.Unlock()
		return wim.Indication{}, fmt.Errorf("indicator %s: %w; check the profile %s: addresses, type, word order", d.at, err, d.lay.Name)
	}
	in.Arrival = wim.TimeOf(arrival)
	return in, nil
}

// alive looks at the heartbeat, which tells an instrument whose weighing has stopped from a load at rest.
func (d *Indicator) alive(ctx context.Context, regs []uint16, at time.Time) error {
	if !d.lay.beating {
		return nil
	}
	h := d.lay.Heartbeat
	var pulse uint32
	if d.lay.apart {
		beat, err := d.read(ctx, d.lay.beat, uint16(size(h.Type)))
		if err != nil {
			return err
		}
		for _, v := range beat {
			pulse = pulse<<16 | uint32(v) // that it moves is all that counts
		}
	} else {
		pulse = d.lay.raw(regs, h.At, h.Type)
	}
	if pulse != d.pulse || d.moved.IsZero() || at.Before(d.moved) {
		d.pulse, d.moved = pulse, at
		return nil
	}
	if at.Sub(d.moved) > d.cfg.Silence {
		return fmt.Errorf("indicator %s: it answers, but its heartbeat stands still at %d; start it again", d.at, pulse)
	}
	return nil
}

func (d *Indicator) read(ctx context.Context, addr, n uint16) ([]uint16, error) {
	if d.lay.Function == 3 {
		return d.client.ReadHolding(ctx, addr, n)
	}
	return d.client.ReadInput(ctx, addr, n)
}

// Zero sets the instrument to zero: its indication changes for everyone who reads it. It returns ErrNoCommand where
// the profile has no register for it. That the write was answered does not tell that the instrument obeyed: it may
// refuse while the load moves; the next indications tell. It may be called from any goroutine.
func (d *Indicator) Zero(ctx context.Context) error {
	return d.command(ctx, "zero", d.lay.Commands.Zero)
}

// Tare takes the present load as tare; as Zero otherwise.
func (d *Indicator) Tare(ctx context.Context) error {
	return d.command(ctx, "tare", d.lay.Commands.Tare)
}

func (d *Indicator) command(ctx context.Context, what string, c *Command) error {
	if c == nil {
		return fmt.Errorf("indicator %s: %s: %w: %s", d.at, what, ErrNoCommand, d.lay.Name)
	}
	addr := d.lay.Base + c.At
	if err := d.client.WriteHolding(ctx, addr, c.Values); err != nil {
		return fmt.Errorf("indicator %s: %s: %w", d.at, what, err)
	}
	if len(c.Then) > 0 {
		if err := d.client.WriteHolding(ctx, addr, c.Then); err != nil {
			return fmt.Errorf("indicator %s: %s was sent, but not taken back: %w; the next one may not be seen", d.at, what, err)
		}
	}
	d.log.Info("told the instrument", "command", what)
	return nil
}

// settle draws the consequence of a reading.
func (d *Indicator) settle(err error) {
	now := d.cfg.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil {
		d.heard = now
		d.health.Messages++
		if !d.health.Up {
			d.health.Up, d.health.Reason, d.health.Since = true, "", wim.TimeOf(now)
			d.health.Reconnects++
		}
		return
	}
	if now.Before(d.heard) { // the clock was set back; start the watchdog anew
		d.heard = now
	}
	told := d.health.Reason
	lost := d.health.Up && now.Sub(d.heard) > d.cfg.Silence
	if lost {
		d.health.Up, d.health.Since = false, wim.TimeOf(now)
	}
	if !d.health.Up {
		d.health.Reason = err.Error()
	}
	if lost || !d.health.Up && told == "" {
		d.log.Warn("indicator is down, asked on", "error", err)
	}
}
