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
	// Logger takes what an operator should know; nil discards it.
	Logger *slog.Logger
	// OnMessage is given each message of a site, one after another within a slot, slots side by side. The broker
	// is told to forget the message only when it returned nil; an error ends the slot's connection, so that the
	// broker sends the message again later. It may call SendReceipt. The same message may come twice.
	OnMessage func(ctx context.Context, site string, payload []byte) error
	// OnStatus is given the newest status of a site (see uplink.DecodeStatus) by the same worker as its messages;
	// what was overtaken before it could be given, and wills that came late, are left out. The retained one comes
	// again on every connection.
	OnStatus func(site string, payload []byte)
	// RetryMin and RetryMax bound the waits between connections; zero is 250 ms and 15 s.
	RetryMin, RetryMax time.Duration
}

// Validate tells whether a centre could connect so.
func (c CenterConfig) Validate() error {
	if _, err := parseAddress(c.Broker, c.TLS); err != nil {
		return err
	}
	if c.OnMessage == nil {
		return errors.New("uplink of a centre: nobody takes the messages")
	}
	if c.Username == "" {
		return errors.New("uplink of a centre: no user name")
	}
	if len(c.Slots) == 0 {
		return errors.New("uplink of a centre: no slots to serve")
	}
	seen := map[int]bool{}
	for _, n := range c.Slots {
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
	Messages       uint64 // taken by OnMessage and acknowledged
	Failed         uint64 // not taken by OnMessage: the connection was ended so that they come again
	Repeated       uint64 // sent again by the broker while the first copy still waited here
	Malformed      uint64 // topic, status or QoS not of this protocol, acknowledged and dropped
	Statuses       uint64 // read, not counting late wills
	StaleStatuses  uint64 // late wills
	Overflows      uint64 // connections ended because the broker sent more than fits
	Receipts       uint64 // acknowledged by the broker
	ReceiptsFailed uint64
}

type centerCounters struct {
	connections, connectFailed, lost, messages, failed, repeated, malformed atomic.Uint64
	statuses, stale, overflows, receipts, receiptsFailed                    atomic.Uint64
}

// Center is the intake's end of the uplink. Make it with NewCenter, then Run it once.
//
// Its sessions are kept by the broker, because a message that a site published while the intake was away
// is held only for a stored session.
type Center struct {
	cfg     CenterConfig
	log     *slog.Logger
	slots   map[int]*slot // fixed by NewCenter
	started atomic.Bool
	ready   chan struct{}
	missing atomic.Int64 // slots that have not subscribed yet
	n       centerCounters
}

// NewCenter makes the intake's end. What is wrong with its configuration is told by Validate, and by Run.
func NewCenter(cfg CenterConfig) *Center {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	c := &Center{cfg: cfg, log: cfg.Logger.With("part", "uplink"), slots: map[int]*slot{}, ready: make(chan struct{})}
	for _, n := range cfg.Slots {
		c.slots[n] = newSlot(c, n)
	}
	c.missing.Store(int64(len(c.slots)))
	return c
}

// Ready is closed when every slot has subscribed once: from then on the broker keeps what sites publish.
func (c *Center) Ready() <-chan struct{} { return c.ready }

// Stats returns the counters.
func (c *Center) Stats() CenterStats {
	s := CenterStats{
		Connections: c.n.connections.Load(), ConnectFailed: c.n.connectFailed.Load(), Lost: c.n.lost.Load(),
		Messages: c.n.messages.Load(), Failed: c.n.failed.Load(), Repeated: c.n.repeated.Load(), Malformed: c.n.malformed.Load(),
		Statuses: c.n.statuses.Load(), StaleStatuses: c.n.stale.Load(), Overflows: c.n.overflows.Load(),
		Receipts: c.n.receipts.Load(), ReceiptsFailed: c.n.receiptsFailed.Load(),
	}
	for _, sl := range c.slots {
		if sl.current() != nil {
			s.Connected++
		}
	}
	return s
}

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
	if len(jws) == 0 {
		return errors.New("empty: it would erase the retained one")
	}
	sl, ok := c.slots[uplink.Slot(site)]
	if !ok {
		return fmt.Errorf("slot %d is not served here", uplink.Slot(site))
	}
	e := sl.current()
	if e == nil {
		return fmt.Errorf("%w: not connected", ErrLost)
	}
	return e.publish(ctx, uplink.Topic(site, uplink.Receipts), jws, true)
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
	for _, sl := range c.slots {
		all.Go(func() { sl.run(ctx, address) })
	}
	all.Wait()
	return nil
}

// subscribed counts a slot's first subscription.
func (c *Center) subscribed() {
	if c.missing.Add(-1) == 0 {
		close(c.ready)
	}
}
