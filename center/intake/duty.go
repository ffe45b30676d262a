package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/axlegate/axlegate/uplink"
)

// DefaultTTL is how long a lease lasts where nothing else is said.
const DefaultTTL = 15 * time.Second

// goodbye bounds what is done after the end: to finish what is in work, and to give the leases back.
const goodbye = 5 * time.Second

// Leases shares slots out among the centres that are there. Its time is its own, never the callers'.
type Leases interface {
	// Lease renews what a holder has of the slots 0 to slots-1, takes free ones up to its fair share, and returns
	// what it may work on until ttl after the call began.
	Lease(ctx context.Context, holder string, slots int, ttl time.Duration) (held []int, err error)
	// Release gives back at once what a holder has, who no longer works on it.
	Release(ctx context.Context, holder string) error
}

// Link serves slots that come and go.
type Link interface {
	// SetSlots says which slots are served from now on and confirms those that are served already. left is
	// closed when those that are not named any more have finished their work.
	SetSlots(slots []int) (left <-chan struct{}, err error)
	// Lost gets a token when a slot's connection has ended, which waits to be confirmed.
	Lost() <-chan struct{}
}

// DutyConfig says what a Duty works with. Leases, Link and Holder are needed.
type DutyConfig struct {
	Leases Leases
	Link   Link
	Intake *Intake // is told of the slots as well; nil tells nobody
	// Holder names this centre; no other may have the name.
	Holder string
	// TTL is how long a lease lasts, so how long the sites of a centre that died wait for another; 0 means
	// DefaultTTL. A third of it passes between two renewals.
	TTL    time.Duration
	Logger *slog.Logger // nil discards
}

// Validate tells what is missing.
func (c *DutyConfig) Validate() error {
	switch {
	case c.Leases == nil:
		return errors.New("duty: leases are needed")
	case c.Link == nil:
		return errors.New("duty: a link is needed")
	case c.Holder == "":
		return errors.New("duty: the holder needs a name")
	case c.TTL < 0:
		return errors.New("duty: the time to live must not be negative")
	}
	return nil
}

// Duty holds the slots that this centre serves while several share the work. Who loses the database for a whole
// time to live gives all of them up, because another may have them by then. Two centres that believe for a moment
// to have the same slot do no harm, since the store keeps everything once; they only throw each other out.
type Duty struct {
	cfg DutyConfig
	log *slog.Logger

	mu   sync.Mutex
	held []int // guarded by mu; in order
}

// NewDuty makes a Duty.
func NewDuty(cfg DutyConfig) (*Duty, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.TTL == 0 {
		cfg.TTL = DefaultTTL
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Intake != nil {
		cfg.Intake.SetSlots(nil) // it is not to receipt what others serve
	}
	return &Duty{cfg: cfg, log: cfg.Logger.With("part", "duty", "holder", cfg.Holder)}, nil
}

// Held returns the slots that are served here, in order.
func (d *Duty) Held() []int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.held)
}

// Run holds slots until ctx ends; then it gives them up, waits for what is in work and gives the leases back.
func (d *Duty) Run(ctx context.Context) error {
	var ends time.Time // of the leases
	failing := false
	for ctx.Err() == nil {
		pause := d.cfg.TTL / 3
		began := time.Now()
		held, err := d.ask(ctx, ends)
		switch {
		case ctx.Err() != nil:
		case err == nil:
			ends = began.Add(d.cfg.TTL)
			failing = false
			if err := d.set(held); err != nil {
				return err
			}
		default:
			if !failing {
				d.log.Warn("the leases of the slots could not be renewed; they are given up when the time to live has passed", "error", err)
			}
			failing = true
			pause = d.cfg.TTL / 12
			if !time.Now().Before(ends) {
				if err := d.set(nil); err != nil {
					return err
				}
			} else {
				pause = min(pause, time.Until(ends))
			}
		}
		d.rest(ctx, pause)
	}
	return d.leave(context.WithoutCancel(ctx))
}

// ask renews. It does not wait beyond the end of what is held.
func (d *Duty) ask(ctx context.Context, ends time.Time) ([]int, error) {
	limit := d.cfg.TTL / 3
	if left := time.Until(ends); left > 0 {
		limit = min(limit, left)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	held, err := d.cfg.Leases.Lease(ctx, d.cfg.Holder, uplink.Slots, d.cfg.TTL)
	if err == nil && ctx.Err() != nil {
		return nil, ctx.Err() // an answer that came too late
	}
	slices.Sort(held)
	return held, err
}

// rest waits until it is time to renew, or a slot asks whether it is still held.
func (d *Duty) rest(ctx context.Context, pause time.Duration) {
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-d.cfg.Link.Lost():
	}
}

// set makes the link and the intake serve what is held.
func (d *Duty) set(held []int) error {
	_, err := d.serve(held)
	return err
}

func (d *Duty) serve(held []int) (left <-chan struct{}, err error) {
	if left, err = d.cfg.Link.SetSlots(held); err != nil {
		return nil, fmt.Errorf("duty: %w", err)
	}
	d.mu.Lock()
	before := d.held
	d.held = held
	d.mu.Unlock()
	if !slices.Equal(before, held) {
		d.log.Info("slots changed hands", "before", before, "now", held)
		if d.cfg.Intake != nil {
			d.cfg.Intake.SetSlots(held)
		}
	}
	return left, nil
}

func (d *Duty) leave(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, goodbye)
	defer cancel()
	left, err := d.serve(nil)
	if err != nil {
		return err
	}
	select {
	case <-left:
	case <-ctx.Done():
	}
	if err := d.cfg.Leases.Release(ctx, d.cfg.Holder); err != nil {
		d.log.Warn("the leases were not given back; others take the slots over when they have run out", "error", err)
	}
	return nil
}
