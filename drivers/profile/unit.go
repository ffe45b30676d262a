package profile

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/axlegate/axlegate/drivers/inbox"
	"github.com/axlegate/axlegate/wim"
)

const (
	dialTime  = 5 * time.Second
	redialMin = 250 * time.Millisecond
	redialMax = 5 * time.Second
	longLine  = 64 << 10 // bytes
)

// Config says which unit it is and how its messages come. Exactly one of Address and Listen is set.
type Config struct {
	Device string // its name in records, logs and metrics
	Page   Page
	Code   string // how the unit calls the lane; empty where it looks at one lane only

	Address string // host:port that its messages come from, a line each

	// Listen is host:port to which it pushes messages by HTTP POST, to the path /Secret. TLS is nil for a port on loopback, or a line of
	// its own.
	Listen string
	Secret string
	TLS    *tls.Config

	// Silence is how long no line may come before the connection is made anew, for a unit that says regularly that it lives; 0: it may
	// be silent for ever.
	Silence time.Duration
	Logger  *slog.Logger
	Now     func() time.Time
}

// Unit is one laser unit.
type Unit struct {
	cfg Config
	log *slog.Logger

	mu     sync.Mutex // owns health
	health wim.DeviceHealth
}

// New prepares a unit; Run connects or listens.
func New(cfg Config) (*Unit, error) {
	switch {
	case cfg.Device == "":
		return nil, errors.New("profile: a device is needed")
	case (cfg.Address == "") == (cfg.Listen == ""):
		return nil, fmt.Errorf("profile %s: want one of an address to connect to and a port to listen on", cfg.Device)
	case (cfg.Listen == "") != (cfg.Secret == ""):
		return nil, fmt.Errorf("profile %s: a port to listen on and a secret path go together", cfg.Device)
	case cfg.Page.Lane == "" && cfg.Code != "":
		return nil, fmt.Errorf("profile %s: the page %s tells no lane, so there is none that is called %q", cfg.Device, cfg.Page.Name, cfg.Code)
	case cfg.Silence < 0:
		return nil, fmt.Errorf("profile %s: silence of %s: want a positive duration, or 0 for none", cfg.Device, cfg.Silence)
	}
	if m := cfg.Page.mistake(); m != nil {
		return nil, fmt.Errorf("profile %s: page: %s: %s", cfg.Device, m.Path, m.Msg)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Unit{cfg: cfg, log: cfg.Logger.With("device", cfg.Device),
		health: wim.DeviceHealth{Device: cfg.Device, Reason: "the unit was not heard yet", Since: wim.TimeOf(cfg.Now())}}, nil
}

// Health says how the unit is. Its messages are sizes and signs of life, its bad ones those that could not be read. It may be called
// from any goroutine.
func (u *Unit) Health() wim.DeviceHealth {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.health
}

// Run hands sizes on until ctx ends, in order and from one goroutine. An error is one that trying again does not mend.
func (u *Unit) Run(ctx context.Context, emit func(wim.Dimensions)) error {
	if u.cfg.Listen != "" {
		p := &inbox.Push{Listen: u.cfg.Listen, Secret: u.cfg.Secret, TLS: u.cfg.TLS,
			Watch: inbox.Watch{Up: u.rise, Down: u.fall, Bad: func(string, error) {}, Log: u.log, Now: u.cfg.Now},
			Take: func(_ context.Context, message []byte) error {
				if err := u.message(message, emit); err != nil {
					return &inbox.Unreadable{Err: err}
				}
				return nil
			}}
		return p.Run(ctx)
	}
	u.serve(ctx, emit)
	return nil
}

// serve connects again and again until ctx ends.
func (u *Unit) serve(ctx context.Context, emit func(wim.Dimensions)) {
	pause := redialMin
	for ctx.Err() == nil {
		heard, err := u.connect(ctx, emit)
		if ctx.Err() != nil {
			break
		}
		u.fall(err)
		if heard {
			pause = redialMin
		}
		t := time.NewTimer(pause/2 + rand.N(pause/2+1))
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
		}
		pause = min(2*pause, redialMax)
	}
}

// connect is one connection; heard tells whether a message came that could be read.
func (u *Unit) connect(ctx context.Context, emit func(wim.Dimensions)) (heard bool, err error) {
	d := net.Dialer{Timeout: dialTime, KeepAlive: 5 * time.Second}
	conn, err := d.DialContext(ctx, "tcp", u.cfg.Address)
	if err != nil {
		return false, fmt.Errorf("the unit cannot be reached: %w", err)
	}
	// Nothing is lost with an error of Close: nothing is ever written.
	defer conn.Close()                                      //nolint:errcheck // see above
	defer context.AfterFunc(ctx, func() { conn.Close() })() //nolint:errcheck // see above
	u.rise()
	in := bufio.NewReaderSize(conn, longLine)
	for first := true; ; first = false {
		if u.cfg.Silence > 0 {
			if err := conn.SetReadDeadline(time.Now().Add(u.cfg.Silence)); err != nil {
				return heard, err
			}
		}
		line, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return heard, fmt.Errorf("a line of the unit is longer than %d bytes; is it the page of this unit?", longLine)
		case err != nil:
			return heard, fmt.Errorf("the unit's line ended: %w", err)
		}
		if err := u.message(line, emit); err != nil {
			if first {
				continue // it may have begun in the middle of a message
			}
			u.log.Warn("a message of the unit cannot be read", "err", err)
			continue
		}
		heard = true
	}
}

// message takes one message.
func (u *Unit) message(message []byte, emit func(wim.Dimensions)) error {
	at := wim.TimeOf(u.cfg.Now())
	var sizes []wim.Dimensions
	alive, err := u.cfg.Page.Decode(message, u.cfg.Code, func(s wim.Dimensions) {
		s.Arrival = at
		sizes = append(sizes, s)
	})
	u.mu.Lock()
	if err != nil {
		u.health.Bad++
	}
	u.health.Messages += uint64(alive + len(sizes)) //nolint:gosec // not below 0
	u.mu.Unlock()
	for _, s := range sizes {
		emit(s)
	}
	return err
}

func (u *Unit) rise() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.health.Up {
		u.health.Up, u.health.Reason, u.health.Since = true, "", wim.TimeOf(u.cfg.Now())
		u.health.Reconnects++
	}
}

func (u *Unit) fall(err error) {
	u.mu.Lock()
	told := u.health.Reason
	if u.health.Up {
		u.health.Since = wim.TimeOf(u.cfg.Now())
	}
	u.health.Up, u.health.Reason = false, err.Error()
	u.mu.Unlock()
	if told != err.Error() {
		u.log.Warn("the unit is down, tried on", "err", err)
	}
}
