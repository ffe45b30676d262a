package record

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/axlegate/axlegate/drivers/inbox"
	"github.com/axlegate/axlegate/drivers/page"
	"github.com/axlegate/axlegate/wim"
)

// tries is how often a record is handed on that the site takes into account without committing it, before it is given up: its
// gap is sealed by then.
const tries = 3

// ahead is how far a controller's clock may be before the site's until its time is not believed.
const ahead = 2 * time.Second

// Config says which controller stands where. Exactly one of Address, Folder and Listen is set.
type Config struct {
	Device string // its name in cursors, gaps, logs and metrics
	Page   Page
	// Lane is the controller's own name of this lane: records of others are passed over. It is set where the page has a lane.
	Lane string

	Address string // host:port of a TCP connection
	Folder  string // that files are put in

	// Listen is host:port to which the controller pushes messages by HTTP POST, to the path /Secret. TLS is nil for a port on
	// loopback, or a line of its own.
	Listen string
	Secret string
	TLS    *tls.Config

	// After says up to which message the device's messages have been taken into account, in this run or before; ok is false
	// for a device never seen.
	After func() (c wim.DeviceCursor, ok bool)
	// Known tells whether the site has committed the record of that kind, Vehicle or Retraction, and name.
	Known func(ctx context.Context, kind Kind, id string) (bool, error)

	Poll   time.Duration // between two looks at a folder; 0 means 1 s
	Logger *slog.Logger
	Now    func() time.Time
}

// Validate fills in defaults and says what is wrong.
func (c *Config) Validate() error {
	ways := 0
	for _, w := range []string{c.Address, c.Folder, c.Listen} {
		if w != "" {
			ways++
		}
	}
	switch {
	case c.Device == "" || c.After == nil || c.Known == nil:
		return errors.New("record: a device and what the site knows of it are needed")
	case ways != 1:
		return fmt.Errorf("record %s: want one of an address, a folder and a port to listen on", c.Device)
	case c.Address != "" && c.Page.Stream.Frame == "":
		return fmt.Errorf("record %s: the page %s has no stream, so it cannot be read from an address", c.Device, c.Page.Name)
	case c.Folder != "" && c.Page.Files == "":
		return fmt.Errorf("record %s: the page %s has no files, so it cannot be read from a folder", c.Device, c.Page.Name)
	case (c.Page.Lane == "") != (c.Lane == ""):
		return fmt.Errorf("record %s: the lane's code is needed if and only if the page %s has a lane", c.Device, c.Page.Name)
	case (c.Listen == "") != (c.Secret == ""):
		return fmt.Errorf("record %s: a port to listen on and a secret path go together", c.Device)
	}
	if m := c.Page.mistake(); m != nil {
		return fmt.Errorf("record %s: page: %s: %s", c.Device, m.Path, m.Msg)
	}
	if c.Poll <= 0 {
		c.Poll = time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return nil
}

// Scale is one controller's lane.
type Scale struct {
	cfg Config
	log *slog.Logger

	mu     sync.Mutex // owns health
	health wim.DeviceHealth

	// What follows is Run's own; it outlives one Run, so that a driver that is started again goes on.
	numbered bool // boot and seq are set
	boot     uint32
	seq      uint32 // the last number that was used
	up       bool
}

// New prepares a scale; Run connects.
func New(cfg Config) (*Scale, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Scale{
		cfg: cfg, log: cfg.Logger.With("device", cfg.Device),
		health: wim.DeviceHealth{Device: cfg.Device, Reason: "the controller was not heard yet", Since: wim.TimeOf(cfg.Now())},
	}, nil
}

// Health says how the controller is. Its messages are records that were committed, its bad ones records that were refused and
// messages that could not be read, its skipped ones repeats and records of other lanes. It may be called from any goroutine.
func (s *Scale) Health() wim.DeviceHealth {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.health
}

// Run takes records until ctx ends and calls emit for every reading, in order, from one goroutine. One record at a time is
// handed on: the next one follows when the site has committed it. An error is one that trying again does not mend.
func (s *Scale) Run(ctx context.Context, emit func(wim.Reading)) error {
	switch {
	case s.cfg.Address != "":
		s.runStream(ctx, emit)
		return nil
	case s.cfg.Folder != "":
		in := &inbox.Folder{Dir: s.cfg.Folder, Files: s.cfg.Page.Files, Lines: s.cfg.Page.Format == page.CSV, Poll: s.cfg.Poll, Watch: s.watch(emit),
			Take: func(ctx context.Context, message []byte) error { return s.message(ctx, message, emit) }}
		in.Run(ctx)
		return nil
	default:
		in := &inbox.Push{Listen: s.cfg.Listen, Secret: s.cfg.Secret, TLS: s.cfg.TLS, Watch: s.watch(emit), Take: func(ctx context.Context, message []byte) error {
			err := s.message(ctx, message, emit)
			var refused *inbox.Refused
			if errors.As(err, &refused) {
				return nil // the controller need not know: a gap stands for it
			}
			return err
		}}
		return in.Run(ctx)
	}
}

func (s *Scale) watch(emit func(wim.Reading)) inbox.Watch {
	return inbox.Watch{Up: func() { s.rise(emit) }, Down: func(err error) { s.fall(err, emit) }, Bad: s.bad, Log: s.log, Now: s.cfg.Now}
}

// message takes the records of one message, as inbox.Take.
func (s *Scale) message(ctx context.Context, message []byte, emit func(wim.Reading)) error {
	var why []error
	var fatal error
	err := s.cfg.Page.Decode(message, func(r Record, refused *Refusal) error {
		err := s.take(ctx, &r, refused, emit)
		var bad *Refusal
		switch {
		case errors.As(err, &bad):
			why = append(why, err)
		case errors.Is(err, errElsewhere):
			why = append(why, fmt.Errorf("record %s: %w; give each lane a folder of its own", r.Controller.ID, err))
		case err != nil:
			fatal = err
			return err
		}
		return nil
	})
	switch {
	case fatal != nil:
		return fatal
	case err != nil:
		return &inbox.Unreadable{Err: err}
	case len(why) > 0:
		return &inbox.Refused{Err: errors.Join(why...)}
	}
	return nil
}

func (s *Scale) now() wim.Time { return wim.TimeOf(s.cfg.Now()) }

// rise says that the controller, or its folder, is there.
func (s *Scale) rise(emit func(wim.Reading)) {
	if s.up {
		return
	}
	s.up = true
	at := s.now()
	s.mu.Lock()
	s.health.Up, s.health.Reason, s.health.Since = true, "", at
	s.health.Reconnects++
	s.mu.Unlock()
	emit(wim.Reading{Kind: wim.LinkUp, Arrival: at})
}

// fall says that it is gone.
func (s *Scale) fall(err error, emit func(wim.Reading)) {
	at := s.now()
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
		s.log.Warn("the controller is down, tried on", "err", err)
	}
}

func (s *Scale) count(what func(*wim.DeviceHealth)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	what(&s.health)
}

func (s *Scale) bad(msg string, err error) {
	s.count(func(h *wim.DeviceHealth) { h.Bad++ })
	s.log.Warn(msg, "err", err)
}

// number gives the next message's number.
func (s *Scale) number() (boot, seq uint32) {
	if !s.numbered {
		c, _ := s.cfg.After()
		s.numbered, s.boot, s.seq = true, max(c.Boot, 1), c.Seq
	}
	if s.seq == math.MaxUint32 {
		s.boot, s.seq = s.boot+1, 0
	}
	s.seq++
	return s.boot, s.seq
}

// errElsewhere says that a record is of another lane.
var errElsewhere = errors.New("the record is of another lane")

// take hands one record on and returns when the site has committed it, or the gap that stands for one that is refused. The
// error is errElsewhere, a *Refusal, or that of ctx.
func (s *Scale) take(ctx context.Context, r *Record, refused *Refusal, emit func(wim.Reading)) error {
	lane := r.Lane
	if refused != nil {
		lane = refused.Lane
	}
	if lane != "" && lane != s.cfg.Lane {
		s.count(func(h *wim.DeviceHealth) { h.Skipped++ })
		return errElsewhere
	}
	if refused != nil {
		s.bad("a record is refused; its place becomes a gap", refused)
		boot, seq := s.number()
		emit(wim.Reading{Kind: wim.Heartbeat, Boot: boot, Seq: seq, Arrival: s.now()}) // the lane sees the hole at once
		if err := s.passed(ctx, seq); err != nil {
			return err
		}
		return refused
	}
	if r.Kind == Nothing {
		return nil
	}
	for range tries {
		known, err := s.known(ctx, r)
		switch {
		case err != nil:
			return err
		case known:
			s.count(func(h *wim.DeviceHealth) { h.Skipped++ })
			return nil
		}
		if err := s.passed(ctx, s.emit(r, emit)); err != nil {
			return err
		}
		if known, err = s.known(ctx, r); err != nil {
			return err
		} else if known {
			s.count(func(h *wim.DeviceHealth) { h.Messages++ })
			return nil
		}
	}
	s.bad("the site could not commit a record; its messages are in a gap", errors.New(r.Controller.ID))
	return &Refusal{ID: r.Controller.ID, Lane: r.Lane, Err: errors.New("the site took it into account as a gap")}
}

// emit hands the readings of a record on and returns the last one's number.
func (s *Scale) emit(r *Record, emit func(wim.Reading)) uint32 {
	now := s.now()
	at, flags := r.At, r.Flags
	if at == 0 {
		at = now
	}
	if at > now.Add(ahead) {
		at, flags = now, flags|wim.DeviceClock
	}
	told := r.Controller
	if r.Kind == Retraction {
		boot, seq := s.number()
		emit(wim.Reading{Kind: wim.Retraction, Boot: boot, Seq: seq, Arrival: now, Controller: &told})
		return seq
	}
	for _, x := range r.Axles {
		boot, seq := s.number()
		emit(wim.Reading{Kind: wim.AxleReading, Boot: boot, Seq: seq, Arrival: at, Axle: x})
	}
	boot, seq := s.number()
	emit(wim.Reading{Kind: wim.VehicleEnd, Boot: boot, Seq: seq, Arrival: at, Gross: r.Gross, AxleCount: r.Count, Speed: r.Speed, Length: r.Length,
		Flags: flags, Controller: &told})
	return seq
}

// passed waits until the site has taken the message of that number into account.
func (s *Scale) passed(ctx context.Context, seq uint32) error {
	pause := time.Millisecond
	for {
		if c, ok := s.cfg.After(); ok && c.Boot == s.boot && c.Seq >= seq {
			return nil
		}
		if rest(ctx, pause); ctx.Err() != nil {
			return ctx.Err()
		}
		pause = min(2*pause, 50*time.Millisecond)
	}
}

// known asks the site until it can tell.
func (s *Scale) known(ctx context.Context, r *Record) (bool, error) {
	for {
		known, err := s.cfg.Known(ctx, r.Kind, r.Controller.ID)
		if err == nil {
			return known, nil
		}
		s.log.Warn("whether a record is known cannot be told at present; asked again", "id", r.Controller.ID, "err", err)
		if rest(ctx, time.Second); ctx.Err() != nil {
			return false, ctx.Err()
		}
	}
}

// rest pauses until ctx ends.
func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
