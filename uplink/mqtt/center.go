package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/axlegate/axlegate/uplink"
)

// CenterConfig is what a Center needs.
type CenterConfig struct {
	// Broker is tls://host:port, or on this machine tcp://127.0.0.1:port.
	Broker             string
	Username, Password string
	// TLS says whom to trust; nil trusts the system's authorities.
	TLS *tls.Config
	// Slots are the slots that this centre serves, each on a connection of its own. No other centre may serve
	// them at the same time: the two would throw each other out.
	Slots []int
	// Leased says that the slots come and go by SetSlots instead, because several centres share them. Slots must
	// be empty then. A connection that ended is opened again only after the slots were set once more: another
	// centre that took the slot over may have ended it.
	Leased bool
	// Logger takes what an operator should know; nil discards it.
	Logger *slog.Logger
	// OnMessages is given all messages of a slot that wait, at most MaxBatch of MaxBatchBytes together, in the
	// order in which they came; one batch after another within a slot, slots side by side. The broker is told to
	// forget them only when it returned nil; an error ends the slot's connection, so that the broker sends all of
	// them again later. It may call SendReceipt. The same message may come twice. The payloads are its to keep,
	// the slice is not.
	OnMessages func(ctx context.Context, batch []uplink.Message) error
	// OnStatus is given the newest status of a site (see uplink.DecodeStatus) by the same worker as its messages;
	// what was overtaken before it could be given, and wills that came late, are left out. The retained one comes
	// again on every connection.
	OnStatus func(site string, payload []byte)
	// OnAsk is given each question of a site, in the connection's own goroutine: it must only enqueue. Questions
	// are asked for with QoS 0: one that is lost is asked again. nil for a centre that answers none.
	OnAsk func(site string, jws []byte)
	// RetryMin and RetryMax bound the waits between connections; zero is 250 ms and 15 s.
	RetryMin, RetryMax time.Duration
}

// Validate tells whether a centre could connect so.
func (c CenterConfig) Validate() error {
	if _, err := parseAddress(c.Broker, c.TLS); err != nil {
		return err
	}
	if c.OnMessages == nil {
		return errors.New("uplink of a centre: nobody takes the messages")
	}
	if c.Username == "" {
		return errors.New("uplink of a centre: no user name")
	}
	switch {
	case c.Leased && len(c.Slots) > 0:
		return errors.New("uplink of a centre: slots that are leased are not configured as well; leave the slots out")
	case !c.Leased && len(c.Slots) == 0:
		return errors.New("uplink of a centre: no slots to serve")
	}
	return checkSlots(c.Slots)
}

func checkSlots(slots []int) error {
	var seen [uplink.Slots]bool
	for _, n := range slots {
		if n < 0 || n >= uplink.Slots || seen[n] {
			return fmt.Errorf("uplink of a centre: slot %d is given twice, or is not in 0 to %d", n, uplink.Slots-1)
		}
		seen[n] = true
	}
	return nil
}

// CenterStats are counters over all slots since NewCenter, for metrics.
type CenterStats struct {
	Connected      int    // slots with a connection
	Connections    uint64 // epochs that came up
	ConnectFailed  uint64 // attempts that did not
	Lost           uint64 // epochs that ended other than by stopping, for whatever reason
	Messages       uint64 // taken by OnMessages and acknowledged
	Batches        uint64 // in which they were taken
	Failed         uint64 // batches not taken by OnMessages: the connection was ended so that they come again
	Repeated       uint64 // sent again by the broker while the first copy still waited here
	Malformed      uint64 // topic, status or QoS not of this protocol, acknowledged and dropped
	Statuses       uint64 // read, not counting late wills
	StaleStatuses  uint64 // late wills
	Overflows      uint64 // connections ended because the broker sent more than fits
	Receipts       uint64 // acknowledged by the broker
	ReceiptsFailed uint64
}

type centerCounters struct {
	connections, connectFailed, lost, messages, batches, failed, repeated, malformed atomic.Uint64
	statuses, stale, overflows, receipts, receiptsFailed                             atomic.Uint64
}

// Center is the intake's end of the uplink. Make it with NewCenter, then Run it once.
//
// Its sessions are kept by the broker, because a message that a site published while the intake was away
// is held only for a stored session.
type Center struct {
	cfg     CenterConfig
	log     *slog.Logger
	started atomic.Bool
	ready   chan struct{}
	lost    chan struct{} // one token when a leased slot's connection ended
	n       centerCounters

	mu      sync.Mutex
	slots   map[int]*slot // guarded by mu; those that are served
	leaving map[int]*slot // guarded by mu; given up, and perhaps still at work
	given   bool          // guarded by mu; slots were configured or set
	start   func(*slot)   // guarded by mu; nil while not running
}

// NewCenter makes the intake's end. What is wrong with its configuration is told by Validate, and by Run.
func NewCenter(cfg CenterConfig) *Center {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.RetryMin <= 0 {
		cfg.RetryMin = defaultCenterRetryMin
	}
	c := &Center{
		cfg: cfg, log: cfg.Logger.With("part", "uplink"), ready: make(chan struct{}), lost: make(chan struct{}, 1),
		slots: map[int]*slot{}, leaving: map[int]*slot{}, given: !cfg.Leased,
	}
	for _, n := range cfg.Slots {
		c.slots[n] = newSlot(c, n)
	}
	return c
}

// Ready is closed the first time that every slot which is served here has subscribed: from then on the broker
// keeps what their sites publish.
func (c *Center) Ready() <-chan struct{} { return c.ready }

// Stats returns the counters.
func (c *Center) Stats() CenterStats {
	s := CenterStats{
		Connections: c.n.connections.Load(), ConnectFailed: c.n.connectFailed.Load(), Lost: c.n.lost.Load(),
		Messages: c.n.messages.Load(), Batches: c.n.batches.Load(), Failed: c.n.failed.Load(), Repeated: c.n.repeated.Load(), Malformed: c.n.malformed.Load(),
		Statuses: c.n.statuses.Load(), StaleStatuses: c.n.stale.Load(), Overflows: c.n.overflows.Load(),
		Receipts: c.n.receipts.Load(), ReceiptsFailed: c.n.receiptsFailed.Load(),
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, sl := range c.slots {
		if sl.current() != nil {
			s.Connected++
		}
	}
	return s
}

// ErrElsewhere says that another centre serves the site's slot.
var ErrElsewhere = errors.New("is not served here")

// SendReceipt publishes a receipt, retained, on the connection of the site's slot and waits for the broker's
// acknowledgement. ErrLost says that it may not have arrived there; the next receipt covers it.
func (c *Center) SendReceipt(ctx context.Context, site string, jws []byte) error {
	err := c.sendReceipt(ctx, site, jws)
	if err != nil {
		c.n.receiptsFailed.Add(1)
		return fmt.Errorf("receipt for %s: %w", site, err)
	}
	c.n.receipts.Add(1)
	return nil
}

func (c *Center) sendReceipt(ctx context.Context, site string, jws []byte) error {
	return c.publish(ctx, site, uplink.Receipts, jws, true)
}

// PublishDown publishes the manifest of a site, retained, as SendReceipt does a receipt.
func (c *Center) PublishDown(ctx context.Context, site string, jws []byte) error {
	if err := c.publish(ctx, site, uplink.Down, jws, true); err != nil {
		return fmt.Errorf("manifest for %s: %w", site, err)
	}
	return nil
}

// PublishAnswer sends an answer to a site. It is not kept for one that is away.
func (c *Center) PublishAnswer(ctx context.Context, site string, jws []byte) error {
	if err := c.publish(ctx, site, uplink.Answers, jws, false); err != nil {
		return fmt.Errorf("answer for %s: %w", site, err)
	}
	return nil
}

// publish sends on the connection of the site's slot.
func (c *Center) publish(ctx context.Context, site string, channel uplink.Channel, jws []byte, retained bool) error {
	if len(jws) == 0 {
		return errors.New("empty: it would erase the retained one")
	}
	c.mu.Lock()
	sl, ok := c.slots[uplink.Slot(site)]
	c.mu.Unlock()
	if !ok {
		return fmt.Errorf("slot %d %w", uplink.Slot(site), ErrElsewhere)
	}
	e := sl.current()
	if e == nil {
		return fmt.Errorf("%w: not connected", ErrLost)
	}
	return e.publish(ctx, uplink.Topic(site, channel), jws, retained)
}

// Run keeps the connections until ctx ends and then returns nil. A configuration that can never work is an
// error at once.
func (c *Center) Run(ctx context.Context) error {
	if c.started.Swap(true) {
		return errors.New("uplink: centre run twice")
	}
	if err := c.cfg.Validate(); err != nil {
		return err
	}
	address, err := parseAddress(c.cfg.Broker, c.cfg.TLS)
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	c.mu.Lock()
	c.start = func(sl *slot) { all.Go(func() { sl.run(ctx, address) }) }
	for _, sl := range c.slots {
		c.start(sl)
	}
	c.mu.Unlock()
	<-ctx.Done()
	c.mu.Lock()
	c.start = nil // nothing joins what is waited for
	c.mu.Unlock()
	all.Wait()
	return nil
}

// becomeReady is called with mu held whenever what it looks at has changed.
func (c *Center) becomeReady() {
	select {
	case <-c.ready:
		return
	default:
	}
	if !c.given {
		return
	}
	for _, sl := range c.slots {
		if !sl.once {
			return
		}
	}
	close(c.ready)
}

// subscribed notes a slot's first subscription.
func (c *Center) subscribed(s *slot) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.once = true
	c.becomeReady()
}
