package serial

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	port "go.bug.st/serial"

	"github.com/axlegate/axlegate/wim"
)

// Pauses between attempts to open a lost line.
const (
	firstPause = 250 * time.Millisecond
	lastPause  = 5 * time.Second
	readWait   = 200 * time.Millisecond // how long one read waits before the watchdog is looked at
)

// Config says which scale stands on which line.
type Config struct {
	Device string // its name in cursors, gaps, logs and metrics
	// Path of the line, best one that survives a replug: /dev/serial/by-id/… or by-path. Links are followed
	// anew at every opening.
	Path string
	// Address is host:port of a terminal server that hands the line on as it is over TCP, instead of Path.
	Address string
	// Open opens a line of another kind, instead of Path: a Read of it gives no bytes and no error after a short while in which none
	// came. nil for none.
	Open    func(ctx context.Context) (io.ReadCloser, error)
	Baud    int           // 0 means 115200
	Dialect string        // "af1", which is also what empty means
	Silence time.Duration // a line silent for so long is dead; 0 means 5 s
	Logger  *slog.Logger
	Now     func() time.Time
}

// Validate fills in defaults and says what is wrong.
func (c *Config) Validate() error {
	ways := 0
	for _, set := range []bool{c.Path != "", c.Address != "", c.Open != nil} {
		if set {
			ways++
		}
	}
	if c.Device == "" || ways != 1 {
		return errors.New("serial scale: device, and one of path and address are needed")
	}
	if _, _, err := net.SplitHostPort(c.Address); c.Address != "" && err != nil {
		return fmt.Errorf("serial scale %s: address %q: want host:port of a terminal server", c.Device, c.Address)
	}
	if c.Address != "" && c.Baud != 0 {
		return fmt.Errorf("serial scale %s: its speed is a setting of the terminal server at %s, not of this program", c.Device, c.Address)
	}
	if c.Dialect == "" {
		c.Dialect = "af1"
	}
	if c.Dialect != "af1" {
		return fmt.Errorf("serial scale %s: dialect %q is not known; there is: af1", c.Device, c.Dialect)
	}
	if c.Baud == 0 {
		c.Baud = 115200
	}
	if c.Baud < 300 {
		return fmt.Errorf("serial scale %s: baud %d", c.Device, c.Baud)
	}
	if c.Silence < 0 {
		return fmt.Errorf("serial scale %s: silence of %s: want a positive duration, or 0 for 5 s", c.Device, c.Silence)
	}
	if c.Silence == 0 {
		c.Silence = 5 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return nil
}

// Scale is one scale on one line.
type Scale struct {
	cfg Config
	at  string // its line, in words
	log *slog.Logger

	mu     sync.Mutex
	health wim.DeviceHealth
}

// New prepares a scale; Run opens the line.
func New(cfg Config) (*Scale, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	at := cmp.Or(cfg.Path, cfg.Address, cfg.Device)
	return &Scale{
		cfg: cfg, at: at, log: cfg.Logger.With("device", cfg.Device, "at", at),
		health: wim.DeviceHealth{Device: cfg.Device, Reason: "the line was not opened yet", Since: wim.TimeOf(cfg.Now())},
	}, nil
}

// Health says how the line is. It may be called from any goroutine.
func (s *Scale) Health() wim.DeviceHealth {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.health
}

// Run reads the scale until ctx ends and calls emit for every reading, in order, from one goroutine. LinkUp
// comes before the first good frame of a line: an open port alone is no scale. A lost line is told once as
// LinkDown and opened again; Run itself fails never.
func (s *Scale) Run(ctx context.Context, emit func(wim.Reading)) error {
	pause := firstPause
	for {
		was := s.Health()
		err := s.session(ctx, emit)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // a line that ends because the driver is stopped is not lost
		}
		now := s.Health()
		if now.Up {
			emit(wim.Reading{Kind: wim.LinkDown, Arrival: wim.TimeOf(s.cfg.Now())})
			pause = firstPause
		}
		s.down(err)
		if now.Up || was.Reason != s.Health().Reason {
			s.log.Warn("scale is down, trying again", "error", err)
		}
		// Jitter keeps devices that fell together from coming back together.
		t := time.NewTimer(pause/2 + rand.N(pause/2+1))
		select {
		case <-ctx.Done():
		case <-t.C:
		}
		t.Stop()
		pause = min(2*pause, lastPause)
	}
}

// session opens the line and reads it until it is lost.
func (s *Scale) session(ctx context.Context, emit func(wim.Reading)) (err error) {
	p, err := s.open(ctx)
	if err != nil {
		return err
	}
	// Closed after every error too: until then the kernel keeps the name, and an adapter that comes back
	// would get another.
	defer func() { err = errors.Join(err, p.Close()) }()
	return s.read(ctx, p, emit)
}

func (s *Scale) read(ctx context.Context, p io.Reader, emit func(wim.Reading)) error {
	var d af1
	defer func() { s.account(&d) }()
	buf := make([]byte, 512)
	up := false
	heard := s.cfg.Now()
	var arrival wim.Time
	out := func(r wim.Reading) {
		if !up {
			up = true
			s.up()
			emit(wim.Reading{Kind: wim.LinkUp, Arrival: arrival})
		}
		r.Arrival = arrival
		emit(r)
	}
	for ctx.Err() == nil {
		// The library reports a timeout as no bytes and no error.
		n, err := p.Read(buf)
		if err != nil {
			return fmt.Errorf("%s: line lost: %w; check the cable", s.at, err)
		}
		now := s.cfg.Now()
		arrival = wim.TimeOf(now)
		d.feed(buf[:n], out)
		progress := d.good > 0
		s.account(&d)
		if progress {
			heard = now
		} else if now.Sub(heard) > s.cfg.Silence || now.Before(heard) {
			if now.Before(heard) { // the clock was set back; start the watchdog anew
				heard = now
				continue
			}
			return fmt.Errorf("%s: no good frame for %s; check the cable, the scale's power and its line settings", s.at, s.cfg.Silence)
		}
	}
	return nil
}

func (s *Scale) open(ctx context.Context) (io.ReadCloser, error) {
	switch {
	case s.cfg.Open != nil:
		return s.cfg.Open(ctx)
	case s.cfg.Address != "":
		return dial(ctx, s.cfg.Address, readWait)
	}
	return openPort(s.cfg.Path, &port.Mode{BaudRate: s.cfg.Baud, DataBits: 8, Parity: port.NoParity, StopBits: port.OneStopBit}, readWait)
}

// account moves the decoder's counts into the health, so that they survive a lost line.
func (s *Scale) account(d *af1) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.health.Messages += d.good
	s.health.Bad += d.bad
	s.health.Skipped += d.skipped
	d.good, d.bad, d.skipped = 0, 0, 0
}

func (s *Scale) up() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.health.Up, s.health.Reason, s.health.Since = true, "", wim.TimeOf(s.cfg.Now())
	s.health.Reconnects++
}

func (s *Scale) down(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.health.Up {
		s.health.Since = wim.TimeOf(s.cfg.Now())
	}
	s.health.Up = false
	if err != nil {
		s.health.Reason = err.Error()
	}
}
