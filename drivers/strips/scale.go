package strips

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"sync"
	"time"

	"github.com/axlegate/axlegate/wim"
)

const (
	dialTime  = 5 * time.Second
	redialMin = 100 * time.Millisecond
	redialMax = 5 * time.Second
)

// Config says which digitiser stands where.
type Config struct {
	Device  string // its name in cursors, gaps, logs and metrics
	Address string // host:port that its samples come from
	Array   Array
	// After says up to which message the device's messages have been taken into account, in this run or before; ok is false for a
	// device never seen.
	After func() (c wim.DeviceCursor, ok bool)
	// Silence is how long no block may come before the connection is made anew; 0 means 3 s.
	Silence time.Duration
	Logger  *slog.Logger
	Now     func() time.Time
}

// Scale weighs one lane with strips.
type Scale struct {
	cfg Config
	log *slog.Logger

	mu     sync.Mutex // owns health
	health wim.DeviceHealth

	// What follows is Run's own; it outlives one Run, so that a driver that is started again goes on.
	weigher *Weigher
	boot    uint32
	up      bool
	last    wim.Time // of the newest reading
	told    uint32   // number that the site knows of
	out     []wim.Reading
}

// New prepares a scale; Run connects.
func New(cfg Config) (*Scale, error) {
	if cfg.Device == "" || cfg.Address == "" || cfg.After == nil {
		return nil, errors.New("strips: a device, its address and what the site knows of it are needed")
	}
	if err := cfg.Array.Validate(); err != nil {
		return nil, fmt.Errorf("strips %s: %w", cfg.Device, err)
	}
	if cfg.Silence <= 0 {
		cfg.Silence = 3 * time.Second
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Scale{
		cfg: cfg, log: cfg.Logger.With("device", cfg.Device),
		health: wim.DeviceHealth{Device: cfg.Device, Reason: "the digitiser was not heard yet", Since: wim.TimeOf(cfg.Now())},
	}, nil
}

// Health says how the digitiser is. Its messages are blocks, its skipped bytes those of blocks that were not whole. It may be called from any
// goroutine.
func (s *Scale) Health() wim.DeviceHealth {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.health
}

// Run reads samples until ctx ends and calls emit for every reading, in order, from one goroutine.
func (s *Scale) Run(ctx context.Context, emit func(wim.Reading)) error {
	if s.weigher == nil {
		c, known := s.cfg.After()
		if c.Seq > math.MaxUint32/2 {
			c.Boot, c.Seq = c.Boot+1, 0
		}
		if known {
			c.Seq++ // what passed since is not known
		}
		s.boot, s.weigher = max(c.Boot, 1), NewWeigher(s.cfg.Array, c.Seq)
	}
	s.serve(ctx, emit)
	return nil
}

// serve connects again and again until ctx ends.
func (s *Scale) serve(ctx context.Context, emit func(wim.Reading)) {
	pause := redialMin
	for ctx.Err() == nil {
		heard, lost := s.connect(ctx, emit)
		s.weigher.Lost()
		if ctx.Err() != nil {
			break // a connection that ends because the driver is stopped is no failure
		}
		s.fall(lost, emit)
		if heard {
			pause = redialMin
		}
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
		}
		pause = min(2*pause, redialMax)
	}
}

// connect is one connection. heard tells whether samples came that could be weighed.
func (s *Scale) connect(ctx context.Context, emit func(wim.Reading)) (heard bool, err error) {
	d := net.Dialer{Timeout: dialTime}
	conn, err := d.DialContext(ctx, "tcp", s.cfg.Address)
	if err != nil {
		return false, fmt.Errorf("the digitiser cannot be reached: %w", err)
	}
	// Nothing is lost with an error of Close: nothing is ever written.
	defer conn.Close()                                      //nolint:errcheck // see above
	defer context.AfterFunc(ctx, func() { conn.Close() })() //nolint:errcheck // see above
	r := NewReader(conn)
	skipped := uint64(0)
	for {
		if err := conn.SetReadDeadline(time.Now().Add(s.cfg.Silence)); err != nil {
			return heard, err
		}
		b, err := r.Next()
		if err != nil {
			return heard, fmt.Errorf("the digitiser's samples ended: %w", err)
		}
		if s.out, err = s.weigher.Take(&b, s.out[:0]); err != nil {
			return heard, fmt.Errorf("the digitiser's samples are not weighed: %w", err)
		}
		if s.weigher.Header().Boot != 0 && !s.up {
			heard = true
			s.rise(emit)
		}
		if b.Lost {
			s.log.Warn("samples are missing; what stood on the strips is a gap")
		}
		s.count(func(h *wim.DeviceHealth) {
			h.Messages++
			h.Skipped += r.Skipped - skipped
			if b.Lost {
				h.Bad++
			}
		})
		skipped = r.Skipped
		s.hand(s.out, emit)
		if n := s.weigher.Number(); n != s.told {
			s.told = n
			if len(s.out) == 0 || s.out[len(s.out)-1].Seq != n {
				s.last = max(s.last, wim.TimeOf(s.cfg.Now()))
				emit(wim.Reading{Kind: wim.Heartbeat, Boot: s.boot, Seq: n, Arrival: s.last}) // the lane sees the hole at once
			}
		}
	}
}

// hand gives readings the site's times: as long before now as their samples lie before the last one.
func (s *Scale) hand(out []wim.Reading, emit func(wim.Reading)) {
	now := wim.TimeOf(s.cfg.Now())
	for i := range out {
		x := out[i]
		x.Boot = s.boot
		x.Arrival = max(now-wim.Time(s.weigher.Age(x.DeviceTime)), s.last)
		s.last = x.Arrival
		emit(x)
	}
}

func (s *Scale) count(what func(*wim.DeviceHealth)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	what(&s.health)
}

// rise says that samples come.
func (s *Scale) rise(emit func(wim.Reading)) {
	s.up = true
	at := wim.TimeOf(s.cfg.Now())
	s.count(func(h *wim.DeviceHealth) {
		h.Up, h.Reason, h.Since = true, "", at
		h.Reconnects++
	})
	emit(wim.Reading{Kind: wim.LinkUp, Arrival: at})
}

// fall says that none come.
func (s *Scale) fall(err error, emit func(wim.Reading)) {
	at := wim.TimeOf(s.cfg.Now())
	s.mu.Lock()
	told := s.health.Reason
	if s.up {
		s.health.Since = at
	}
	s.health.Up, s.health.Reason = false, err.Error()
	s.mu.Unlock()
	if s.up {
		s.up = false
		emit(wim.Reading{Kind: wim.LinkDown, Arrival: at})
	}
	if told != err.Error() {
		s.log.Warn("the digitiser is down, tried on", "err", err)
	}
}
