package toll

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/axlegate/axlegate/drivers/inbox"
	"github.com/axlegate/axlegate/drivers/page"
	"github.com/axlegate/axlegate/wim"
)

// Config says which system it is and how its messages come. Exactly one of Folder, Listen and Queue is set.
type Config struct {
	System string // its name in logs and metrics
	Page   Page

	Folder string // that files are put in

	// Listen is host:port to which the system pushes messages by HTTP POST, to the path /Secret. TLS is nil for a port on loopback, or
	// a line of its own.
	Listen string
	Secret string
	TLS    *tls.Config

	Queue Queue

	// Never is wrapped in the errors of a taker that are final: the transaction is refused and not handed on again.
	Never error

	Poll   time.Duration // between two looks at a folder; 0 means 1 s
	Logger *slog.Logger
	Now    func() time.Time
}

// Queue hands messages on, one at a time, until ctx ends; one for which take returns an error that is not final comes again.
type Queue interface {
	Run(ctx context.Context, watch inbox.Watch, take inbox.Take) error
}

// System is one toll or checkpoint system.
type System struct {
	cfg Config
	log *slog.Logger

	mu     sync.Mutex // owns health
	health wim.DeviceHealth
}

// New prepares a system; Run listens.
func New(cfg Config) (*System, error) {
	ways := 0
	for _, set := range []bool{cfg.Folder != "", cfg.Listen != "", cfg.Queue != nil} {
		if set {
			ways++
		}
	}
	switch {
	case cfg.System == "" || cfg.Never == nil:
		return nil, errors.New("toll: a system with a name, and what its taker refuses, are needed")
	case ways != 1:
		return nil, fmt.Errorf("toll %s: want one of a folder, a port to listen on and a queue", cfg.System)
	case cfg.Folder != "" && cfg.Page.Files == "":
		return nil, fmt.Errorf("toll %s: the page %s has no files, so it cannot be read from a folder", cfg.System, cfg.Page.Name)
	case (cfg.Listen == "") != (cfg.Secret == ""):
		return nil, fmt.Errorf("toll %s: a port to listen on and a secret path go together", cfg.System)
	}
	if m := cfg.Page.mistake(); m != nil {
		return nil, fmt.Errorf("toll %s: page: %s: %s", cfg.System, m.Path, m.Msg)
	}
	if cfg.Poll <= 0 {
		cfg.Poll = time.Second
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &System{
		cfg: cfg, log: cfg.Logger.With("system", cfg.System),
		health: wim.DeviceHealth{Device: cfg.System, Reason: "nothing was looked at yet", Since: wim.TimeOf(cfg.Now())},
	}, nil
}

// Health says how the way to the system is. Its messages are transactions that were committed, its bad ones those that were refused and
// messages that could not be read. It may be called from any goroutine.
func (s *System) Health() wim.DeviceHealth {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.health
}

// Run hands transactions on until ctx ends, one at a time and in order. take returns nil when one is committed, or was before. An error
// of Run is one that trying again does not mend.
func (s *System) Run(ctx context.Context, take func(context.Context, wim.Transaction) error) error {
	in := func(ctx context.Context, message []byte) error { return s.message(ctx, message, take) }
	watch := inbox.Watch{Up: s.rise, Down: s.fall, Bad: s.bad, Log: s.log, Now: s.cfg.Now}
	switch {
	case s.cfg.Folder != "":
		f := &inbox.Folder{Dir: s.cfg.Folder, Files: s.cfg.Page.Files, Lines: s.cfg.Page.Format == page.CSV, Poll: s.cfg.Poll, Take: in, Watch: watch}
		f.Run(ctx)
		return nil
	case s.cfg.Listen != "":
		p := &inbox.Push{Listen: s.cfg.Listen, Secret: s.cfg.Secret, TLS: s.cfg.TLS, Take: in, Watch: watch}
		return p.Run(ctx)
	default:
		return s.cfg.Queue.Run(ctx, watch, in)
	}
}

// message takes the transactions of one message, as inbox.Take.
func (s *System) message(ctx context.Context, message []byte, take func(context.Context, wim.Transaction) error) error {
	var why []error
	var later error
	err := s.cfg.Page.Decode(message, func(t wim.Transaction, refused *Refusal) error {
		if refused == nil {
			err := take(ctx, t)
			switch {
			case err == nil:
				s.count(func(h *wim.DeviceHealth) { h.Messages++ })
				return nil
			case !errors.Is(err, s.cfg.Never):
				later = err
				return err
			}
			refused = &Refusal{ID: t.ID, Err: err}
		}
		s.bad("a transaction is refused", refused)
		why = append(why, refused)
		return nil
	})
	switch {
	case later != nil:
		if ctx.Err() == nil {
			s.log.Warn("a transaction cannot be taken at present; its message comes again", "err", later)
		}
		return later
	case err != nil:
		return &inbox.Unreadable{Err: err}
	case len(why) > 0:
		return &inbox.Refused{Err: errors.Join(why...)}
	}
	return nil
}

func (s *System) count(what func(*wim.DeviceHealth)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	what(&s.health)
}

func (s *System) bad(msg string, err error) {
	s.count(func(h *wim.DeviceHealth) { h.Bad++ })
	s.log.Warn(msg, "err", err)
}

func (s *System) rise() {
	s.count(func(h *wim.DeviceHealth) {
		if !h.Up {
			h.Up, h.Reason, h.Since = true, "", wim.TimeOf(s.cfg.Now())
			h.Reconnects++
		}
	})
}

func (s *System) fall(err error) {
	s.mu.Lock()
	told := s.health.Reason
	if s.health.Up {
		s.health.Since = wim.TimeOf(s.cfg.Now())
	}
	s.health.Up, s.health.Reason = false, err.Error()
	s.mu.Unlock()
	if told != err.Error() {
		s.log.Warn("the way to the system is down, tried on", "err", err)
	}
}
