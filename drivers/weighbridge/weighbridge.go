package weighbridge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// Indicator is what shows the weight. Run reads it until ctx ends and calls emit for every indication, in order, from one goroutine.
type Indicator interface {
	Run(ctx context.Context, emit func(wim.Indication)) error
	Health() wim.DeviceHealth
}

// Config says which scale it is, and when a weight counts.
type Config struct {
	Bridge    string // its name in records, logs and metrics
	Indicator Indicator
	Steady    time.Duration // nothing may move for so long; 0 means 3 s
	Move      wim.Kg        // indications of a load at rest differ by no more; 0 means 20
	Least     wim.Kg        // below it nobody stands on the scale; 0 means 500
	Station   string        // stands in records
	Logger    *slog.Logger
	Now       func() time.Time
}

// Bridge is one static scale.
type Bridge struct {
	cfg      Config
	requests chan request

	mu      sync.Mutex // owns what follows
	shown   wim.Indication
	heard   time.Time // when it came, by the clock that nobody sets
	anchor  wim.Kg    // the load has been within Move of it
	since   time.Time // for so long
	weighed bool      // this load was weighed; it must leave the scale before another is
	last    *wim.Transaction
}

// request is a person's, waiting for its answer.
type request struct {
	w    Weighing
	done chan<- answer
}

type answer struct {
	t   wim.Transaction
	err error
}

// Weighing is which vehicle a person says stands on the scale.
type Weighing struct {
	Plate   string // normalised; needed
	Trailer string
	Color   wim.PlateColor
	By      string // the person's login
}

// Why a load cannot be weighed now.
var (
	ErrSilent    = errors.New("the indicator is not reached")
	ErrNoWeight  = errors.New("the indicator shows no weight that may be taken")
	ErrEmpty     = errors.New("nobody stands on the scale")
	ErrMoving    = errors.New("the load is not at rest")
	ErrTwice     = errors.New("this load was weighed already; it must leave the scale first")
	ErrNoPlate   = errors.New("a plate is needed")
	ErrNotAtWork = errors.New("the site does not record at present")
)

// stale is after what time without an indication the last one is no longer shown.
const stale = 2 * time.Second

// New prepares a bridge; Run reads it.
func New(cfg Config) (*Bridge, error) {
	switch {
	case cfg.Bridge == "" || cfg.Indicator == nil:
		return nil, errors.New("weighbridge: a name and an indicator are needed")
	case cfg.Steady < 0 || cfg.Steady > time.Minute:
		return nil, fmt.Errorf("weighbridge %s: a load at rest for %s: want at most 1m, or 0 for 3 s", cfg.Bridge, cfg.Steady)
	case cfg.Move < 0 || cfg.Least < 0:
		return nil, fmt.Errorf("weighbridge %s: masses below zero", cfg.Bridge)
	}
	if cfg.Steady == 0 {
		cfg.Steady = 3 * time.Second
	}
	if cfg.Move == 0 {
		cfg.Move = 20
	}
	if cfg.Least == 0 {
		cfg.Least = 500
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Bridge{cfg: cfg, requests: make(chan request)}, nil
}

// Name is the bridge's name.
func (b *Bridge) Name() string { return b.cfg.Bridge }

// Health is the indicator's, under the bridge's name.
func (b *Bridge) Health() wim.DeviceHealth {
	h := b.cfg.Indicator.Health()
	h.Device = b.cfg.Bridge
	return h
}

// Run reads the indicator and hands weighings on until ctx ends. take returns nil when one is committed.
func (b *Bridge) Run(ctx context.Context, take func(context.Context, wim.Transaction) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- b.cfg.Indicator.Run(ctx, b.indication) }()
	for {
		select {
		case err := <-ended:
			return err
		case r := <-b.requests:
			t, err := b.weigh(r.w)
			if err == nil {
				err = take(ctx, t)
			}
			if err == nil {
				b.mu.Lock()
				b.weighed, b.last = true, &t
				b.mu.Unlock()
			}
			r.done <- answer{t, err}
		}
	}
}

// indication takes in what the indicator shows.
func (b *Bridge) indication(in wim.Indication) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.shown = in
	usable := in.Tells.Has(wim.TellsGross) && !in.State.Any(wim.Unweighable|wim.Dynamic) && (!in.Knows.Has(wim.Stable) || in.State.Has(wim.Stable))
	if !usable || now.Sub(b.heard) > stale || max(in.Gross-b.anchor, b.anchor-in.Gross) > b.cfg.Move {
		b.anchor, b.since = in.Gross, now
	}
	if in.Tells.Has(wim.TellsGross) && in.Gross < b.cfg.Least && !in.State.Any(wim.Unweighable) {
		b.weighed = false
	}
	b.heard = now
}

// Shown is what the scale shows now.
type Shown struct {
	Gross wim.Kg
	Known bool             // Gross is of this moment
	Why   error            // why it cannot be weighed now; nil when it can
	Last  *wim.Transaction // the last weighing since the start, nil for none
}

// Shown tells what the scale shows now.
func (b *Bridge) Shown() Shown {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := Shown{Gross: b.shown.Gross, Why: b.why(), Last: b.last}
	s.Known = !errors.Is(s.Why, ErrSilent) && !errors.Is(s.Why, ErrNoWeight)
	return s
}

// why is called with mu held.
func (b *Bridge) why() error {
	now := time.Now()
	switch in := &b.shown; {
	case b.heard.IsZero() || now.Sub(b.heard) > stale:
		return ErrSilent
	case !in.Tells.Has(wim.TellsGross) || in.State.Any(wim.Unweighable):
		return ErrNoWeight
	case in.Gross < b.cfg.Least:
		return ErrEmpty
	case b.weighed:
		return ErrTwice
	case now.Sub(b.since) < b.cfg.Steady:
		return ErrMoving
	}
	return nil
}

// weigh makes the transaction of what stands on the scale now.
func (b *Bridge) weigh(w Weighing) (wim.Transaction, error) {
	if w.Plate == "" {
		return wim.Transaction{}, ErrNoPlate
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.why(); err != nil {
		return wim.Transaction{}, err
	}
	at := b.cfg.Now()
	t := wim.Transaction{System: b.cfg.Bridge, ID: at.UTC().Format("20060102T150405.000000000Z"), Type: wim.TransactionWeighing, Time: wim.TimeOf(at), Arrival: wim.TimeOf(at),
		Station: b.cfg.Station, Plate: w.Plate, Trailer: w.Trailer, Color: w.Color, Gross: b.shown.Gross, Scale: b.cfg.Bridge, By: w.By}
	return t, t.Valid()
}

// Weigh takes the weight of what stands on the scale for the vehicle that a person names, and returns when it is committed. Its errors are
// this package's, and those of the taker.
func (b *Bridge) Weigh(ctx context.Context, w Weighing) (wim.Transaction, error) {
	done := make(chan answer, 1)
	select {
	case b.requests <- request{w, done}:
	case <-ctx.Done():
		return wim.Transaction{}, ErrNotAtWork
	}
	select {
	case a := <-done:
		return a.t, a.err
	case <-ctx.Done():
		return wim.Transaction{}, ErrNotAtWork
	}
}
