package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/axlegate/axlegate/uplink"
)

// SiteConfig is what a Site needs.
type SiteConfig struct {
	// Broker is tls://host:port, or on this machine tcp://127.0.0.1:port.
	Broker string
	// Site and Chain make the client id, so that no other site and no other journal of this site takes the
	// connection over. Chain is asked at each connection: a site that was told of a fork has another one then, and
	// two daemons under one name do not throw each other out for ever.
	Site               string
	Chain              func() string
	Username, Password string
	// TLS says whom to trust; nil trusts the system's authorities.
	TLS *tls.Config
	// BootID names this run of the daemon in the status.
	BootID string
	// Logger takes what an operator should know; nil discards it.
	Logger *slog.Logger
	// OnReceipt is given each receipt, in the connection's own goroutine: it must only enqueue. The retained
	// receipt comes again on every connection.
	OnReceipt func(jws []byte)
	// OnDown is given the manifest of what the site should work by, and OnAnswer each answer to an Ask; nil for a
	// site that takes nothing from the centre. Both are called as OnReceipt is. The manifest is retained and comes
	// again on every connection. A broker that does not grant these topics is a warning: records go up all the same.
	OnDown, OnAnswer func(jws []byte)
	// RetryMin and RetryMax bound the waits between connections; zero is 2 s and 15 s: many sites share a broker.
	RetryMin, RetryMax time.Duration
	// StatusEvery is how often the status is said again; zero is 10 s.
	StatusEvery time.Duration
}

// Validate tells whether a site could connect so.
func (c SiteConfig) Validate() error {
	if _, err := parseAddress(c.Broker, c.TLS); err != nil {
		return err
	}
	if c.Chain == nil {
		return errors.New("uplink of a site: no chain")
	}
	chain := c.Chain()
	for name, v := range map[string]string{"site": c.Site, "chain": chain, "boot id": c.BootID, "user name": c.Username} {
		if v == "" {
			return fmt.Errorf("uplink of a site: no %s", name)
		}
	}
	if strings.ContainsAny(c.Site+chain, "/+#.:*> \t\r\n") {
		return fmt.Errorf("uplink: site %q and chain %q may have letters, digits, '-' and '_' only", c.Site, chain)
	}
	return nil
}

// SiteStats are counters since NewSite, for metrics.
type SiteStats struct {
	Connected      bool
	Connections    uint64 // epochs that came up
	ConnectFailed  uint64 // attempts that did not
	Lost           uint64 // epochs that ended other than by stopping
	Published      uint64 // messages that the broker acknowledged
	PublishedBytes uint64
	PublishFailed  uint64 // messages that were refused, or whose acknowledgement did not come
	Receipts       uint64
}

// Site is a site's end of the uplink. Make it with NewSite, then Run it once.
//
// Its sessions are clean: nothing that the broker could keep for an absent site is of use, because receipts are
// retained and cumulative, and a clean session leaves nothing behind at the broker when a site is retired.
type Site struct {
	cfg     SiteConfig
	log     *slog.Logger
	topic   string
	up      chan struct{}
	started atomic.Bool

	mu    sync.Mutex
	epoch *epoch // guarded by mu; nil while not connected

	connections, connectFailed, lost                   atomic.Uint64
	published, publishedBytes, publishFailed, receipts atomic.Uint64
}

// NewSite makes a site's end. What is wrong with its configuration is told by Validate, and by Run.
func NewSite(cfg SiteConfig) *Site {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.StatusEvery <= 0 {
		cfg.StatusEvery = 10 * time.Second
	}
	return &Site{cfg: cfg, log: cfg.Logger.With("part", "uplink"), topic: uplink.Topic(cfg.Site, uplink.Segments), up: make(chan struct{}, 1)}
}

// Up gets one token per new connection, after the site's receipts are subscribed. A token that nobody took is
// not doubled.
func (s *Site) Up() <-chan struct{} { return s.up }

// Stats returns the counters.
func (s *Site) Stats() SiteStats {
	return SiteStats{
		Connected: s.current() != nil, Connections: s.connections.Load(), ConnectFailed: s.connectFailed.Load(), Lost: s.lost.Load(),
		Published: s.published.Load(), PublishedBytes: s.publishedBytes.Load(), PublishFailed: s.publishFailed.Load(), Receipts: s.receipts.Load(),
	}
}

// Publish sends one message of segments and waits for the broker's acknowledgement. It returns nil only when
// that came in the same connection; ErrLost when there is no connection or it ended first; ErrTooLarge when
// the payload can never be sent; and the error of ctx. At most uplink.Window messages are on the way at once,
// further callers wait. The payload must not change until Publish has returned nil or the connection ended.
func (s *Site) Publish(ctx context.Context, payload []byte) error {
	err := s.publish(ctx, payload)
	if err != nil {
		s.publishFailed.Add(1)
		return err
	}
	s.published.Add(1)
	s.publishedBytes.Add(uint64(len(payload)))
	return nil
}

func (s *Site) publish(ctx context.Context, payload []byte) error {
	e := s.current()
	if e == nil {
		if len(payload) > uplink.MaxMessage {
			return fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(payload), uplink.MaxMessage)
		}
		return fmt.Errorf("%w: not connected", ErrLost)
	}
	if err := e.publish(ctx, s.topic, payload, false); err != nil {
		return err
	}
	e.fruitful.Store(true)
	return nil
}

// Run keeps a connection until ctx ends, then publishes offline, disconnects and returns nil. A configuration
// that can never work is an error at once.
func (s *Site) Run(ctx context.Context) error {
	if s.started.Swap(true) {
		return errors.New("uplink: site run twice")
	}
	if err := s.cfg.Validate(); err != nil {
		return err
	}
	address, err := parseAddress(s.cfg.Broker, s.cfg.TLS)
	if err != nil {
		return err
	}
	pause := newBackoff(s.cfg.RetryMin, s.cfg.RetryMax)
	told := false // of the present trouble
	for n := uint64(1); ; n++ {
		e, err := s.connect(ctx, address, n)
		if err == nil {
			s.connections.Add(1)
			s.log.Info("uplink is up", "broker", address.host)
			told = false
			err = s.serve(ctx, e, n)
			e.slow(pause)
		} else if ctx.Err() == nil {
			s.connectFailed.Add(1)
		}
		if ctx.Err() != nil {
			return nil //nolint:nilerr // a connection that ends because the site is stopped is not lost
		}
		d := pause.next()
		if !told {
			s.log.Warn("uplink is down; records stay in the journal until it is back", "broker", address.host, "err", err, "next", d.Round(time.Millisecond))
			told = true
		} else {
			s.log.Debug("uplink is still down", "err", err, "next", d.Round(time.Millisecond))
		}
		if !wait(ctx, d) {
			return nil
		}
	}
}

// connect opens the n-th epoch of this run: receipts subscribed, status online.
func (s *Site) connect(ctx context.Context, a address, n uint64) (*epoch, error) {
	status := uplink.Topic(s.cfg.Site, uplink.Status)
	receipts := uplink.Topic(s.cfg.Site, uplink.Receipts)
	takers := map[string]func([]byte){
		uplink.Topic(s.cfg.Site, uplink.Down): s.cfg.OnDown, uplink.Topic(s.cfg.Site, uplink.Answers): s.cfg.OnAnswer,
	}
	e, err := open(ctx, session{
		address: a, clientID: s.cfg.Site + ":" + s.cfg.Chain(), username: s.cfg.Username, password: s.cfg.Password,
		clean: true, willTopic: status, will: s.status(uplink.Offline, n),
		handle: func(_ *epoch, m paho.Message) {
			if m.Topic() == receipts {
				s.receipts.Add(1)
				if s.cfg.OnReceipt != nil {
					s.cfg.OnReceipt(m.Payload())
				}
			} else if take := takers[m.Topic()]; take != nil {
				take(m.Payload())
			}
		},
	})
	if err != nil {
		return nil, err
	}
	if err = e.subscribe(ctx, map[string]byte{receipts: 1}); err == nil {
		err = s.say(ctx, answerTimeout, e, s.status(uplink.Online, n))
	}
	if err != nil {
		e.close()
		return nil, err
	}
	for topic, take := range takers {
		if take == nil {
			continue
		}
		if err := e.subscribe(ctx, map[string]byte{topic: 1}); err != nil && ctx.Err() == nil {
			s.log.Warn("the broker does not hand on what the centre sends down; give the site's user the right to read it", "topic", topic, "err", err)
		}
	}
	return e, nil
}

// Ask sends a signed question to the centre and waits for the broker's acknowledgement. The answer comes to
// OnAnswer, or not at all.
func (s *Site) Ask(ctx context.Context, jws []byte) error {
	e := s.current()
	if e == nil {
		return fmt.Errorf("ask: %w: not connected", ErrLost)
	}
	if err := e.publish(ctx, uplink.Topic(s.cfg.Site, uplink.Asks), jws, false); err != nil {
		return fmt.Errorf("ask: %w", err)
	}
	return nil
}

// serve holds the epoch open until it ends or ctx does, and says why it ended.
func (s *Site) serve(ctx context.Context, e *epoch, n uint64) error {
	s.set(e)
	select {
	case s.up <- struct{}{}:
	default:
	}
	// The status is repeated: a broker that keeps retained messages in the background may miss to give one to
	// an intake that subscribes at the same moment, and the site would stand as offline while it sends.
	repeat := time.NewTicker(s.cfg.StatusEvery)
	defer repeat.Stop()
	for live := true; live; {
		select {
		case <-repeat.C:
			if err := s.say(ctx, answerTimeout, e, s.status(uplink.Online, n)); err != nil && ctx.Err() == nil {
				s.log.Debug("could not repeat the status", "err", err)
			}
		case <-e.lost:
			live = false
		case <-ctx.Done():
			live = false
		}
	}
	s.set(nil)
	if ctx.Err() == nil {
		s.lost.Add(1)
	} else {
		last := context.WithoutCancel(ctx) // DISCONNECT cancels the will, so offline is said first
		if err := s.say(last, farewell, e, s.status(uplink.Offline, n)); err != nil {
			s.log.Warn("could not say offline; the broker says it when it misses the site", "err", err)
		}
	}
	err := e.reason()
	e.close()
	return err
}

func (s *Site) say(ctx context.Context, limit time.Duration, e *epoch, payload []byte) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := e.publish(ctx, uplink.Topic(s.cfg.Site, uplink.Status), payload, true); err != nil {
		return fmt.Errorf("publish the status: %w", err)
	}
	return nil
}

func (s *Site) status(state uplink.State, n uint64) []byte {
	return uplink.SiteStatus{State: state, Boot: s.cfg.BootID, Connection: n, Time: time.Now()}.Encode()
}

func (s *Site) current() *epoch {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.epoch
}

func (s *Site) set(e *epoch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch = e
}
