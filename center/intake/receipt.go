package intake

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/uplink"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

const (
	// sendTimeout bounds one publishing: a broker that does not answer must not hold up the others.
	sendTimeout = 10 * time.Second
	// clerks is how many receipts are on their way at once, of different sites.
	clerks = 32
)

// desk hands receipts out, apart from the taking in. What a broker retains is the last one, so receipts of a site
// leave one at a time and never fall behind one that has left already. While one is on its way only the latest of
// each chain waits.
type desk struct {
	cfg *Config
	m   *metrics
	log *slog.Logger

	wake  chan struct{} // somebody is in the line
	again chan struct{} // a receipt did not get through, or a slot is new

	mu     sync.Mutex // guards all below, and the counters
	sites  map[wim.SiteID]*counter
	line   []*counter          // have something due and nobody at work on it
	failed []*counter          // did not get through; they join the line after a pause
	slots  *[uplink.Slots]bool // nil serves all
	fresh  [uplink.Slots]bool  // whose chains must be read and receipted
}

// counter is where one site's receipts are handed out.
type counter struct {
	slot   int
	busy   bool // in the line, failed, or with a clerk
	latest map[wim.ChainID]store.Head
	due    []wim.ChainID // in the order in which they should be sent
}

func newDesk(cfg *Config, m *metrics, log *slog.Logger) *desk {
	return &desk{cfg: cfg, m: m, log: log, sites: map[wim.SiteID]*counter{}, wake: make(chan struct{}, 1), again: make(chan struct{}, 1)}
}

// receipt makes due the receipt for what the store holds of a chain.
func (d *desk) receipt(h store.Head) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.sites[h.Site]
	if c == nil {
		c = &counter{slot: uplink.Slot(string(h.Site)), latest: map[wim.ChainID]store.Head{}}
		d.sites[h.Site] = c
	}
	if old, ok := c.latest[h.Chain]; !ok || h.Fork != nil || h.Seq > old.Seq || h.Epoch > old.Epoch {
		c.latest[h.Chain] = h
	}
	if d.slots != nil && !d.slots[c.slot] {
		return // whoever has the slot sends it
	}
	c.done(h.Chain)
	c.due = append(c.due, h.Chain)
	if !c.busy {
		c.busy = true
		d.line = append(d.line, c)
		signal(d.wake)
	}
}

func (c *counter) done(chain wim.ChainID) {
	c.due = slices.DeleteFunc(c.due, func(x wim.ChainID) bool { return x == chain })
}

func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// next takes the first of the line, nil when nobody is there.
func (d *desk) next() *counter {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.line) == 0 {
		return nil
	}
	c := d.line[0]
	if d.line = slices.Delete(d.line, 0, 1); len(d.line) > 0 {
		signal(d.wake) // one token may have stood for several
	}
	return c
}

// serve sends what is due at a counter until nothing is, or one does not get through: those behind it would
// overtake it.
func (d *desk) serve(ctx context.Context, c *counter) {
	for {
		d.mu.Lock()
		if len(c.due) == 0 {
			c.busy = false
			d.mu.Unlock()
			return
		}
		chain := c.due[0]
		h := c.latest[chain]
		c.due = slices.Delete(c.due, 0, 1) // what comes meanwhile makes it due once more
		d.mu.Unlock()
		if d.send(ctx, h) {
			continue
		}
		d.mu.Lock()
		if !slices.Contains(c.due, chain) && (d.slots == nil || d.slots[c.slot]) {
			c.due = slices.Insert(c.due, 0, chain)
		}
		d.failed = append(d.failed, c)
		d.mu.Unlock()
		signal(d.again)
		return
	}
}

// send signs and publishes. It tells whether it got through.
func (d *desk) send(ctx context.Context, h store.Head) bool {
	jws, err := d.sign(h)
	if err == nil {
		sctx, cancel := context.WithTimeout(ctx, sendTimeout)
		err = d.cfg.SendReceipt(sctx, string(h.Site), []byte(jws))
		cancel()
	}
	if err != nil {
		d.m.receipts.WithLabelValues("failed").Inc()
		d.log.Debug("a receipt did not get through; it is sent again", "site", string(h.Site), "chain", h.Chain.String(), "error", err)
		return false
	}
	d.m.receipts.WithLabelValues("sent").Inc()
	return true
}

func (d *desk) sign(h store.Head) (string, error) {
	r := seal.Receipt{Site: h.Site, Chain: h.Chain, Seq: h.Seq, Digest: h.Digest, Epoch: h.Epoch, Time: wim.TimeOf(d.cfg.Now())}
	if h.Fork != nil {
		r.Fork, r.Seq, r.Digest = true, h.Fork.Seq, h.Fork.Held
	}
	jws, err := seal.SignReceipt(d.cfg.Signer, r)
	if err != nil {
		return "", fmt.Errorf("receipt for %s: %w", h.Site, err)
	}
	return jws, nil
}

// setSlots says which slots' receipts are sent here.
func (d *desk) setSlots(slots []int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var serves [uplink.Slots]bool
	for _, n := range slots {
		if serves[n] = true; d.slots != nil && !d.slots[n] {
			d.fresh[n] = true
		}
	}
	if d.slots == nil { // the first time
		d.fresh = serves
	}
	d.slots = &serves
	for _, c := range d.sites {
		if !serves[c.slot] {
			c.due = nil
		}
	}
	for n := range d.fresh {
		d.fresh[n] = d.fresh[n] && serves[n]
	}
	signal(d.again)
}

// run sends the receipts of all chains, then those that are due.
func (d *desk) run(ctx context.Context) error {
	d.mu.Lock()
	if d.slots == nil {
		for n := range d.fresh {
			d.fresh[n] = true
		}
	}
	d.mu.Unlock()
	if err := d.read(ctx); err != nil {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it was stopped while it read
		}
		return err
	}
	var crew sync.WaitGroup
	for range clerks {
		crew.Go(func() { d.clerk(ctx) })
	}
	d.tryAgain(ctx)
	crew.Wait()
	return nil
}

func (d *desk) clerk(ctx context.Context) {
	for ctx.Err() == nil {
		if c := d.next(); c != nil {
			d.serve(ctx, c)
			continue
		}
		select {
		case <-ctx.Done():
		case <-d.wake:
		}
	}
}

// tryAgain brings back after a pause what did not get through, and reads the chains of slots that are new, until
// ctx ends. A receipt that has not got through by then is sent at the next start.
func (d *desk) tryAgain(ctx context.Context) {
	for ctx.Err() == nil {
		err := d.read(ctx)
		if err != nil && ctx.Err() == nil {
			d.log.Warn("the chains of slots that were taken over are not read yet; they are receipted when they are", "error", err)
		}
		if d.waiting() || err != nil {
			t := time.NewTimer(d.cfg.Retry)
			select {
			case <-ctx.Done():
			case <-t.C:
			}
			t.Stop()
			d.queue()
			continue
		}
		select {
		case <-ctx.Done():
		case <-d.again:
		}
	}
}

func (d *desk) waiting() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.failed) > 0
}

// queue puts those that failed at the end of the line.
func (d *desk) queue() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.line, d.failed = append(d.line, d.failed...), nil
	signal(d.wake)
}

// read makes due the receipts of all chains in slots that are new.
func (d *desk) read(ctx context.Context) error {
	d.mu.Lock()
	fresh := d.fresh
	d.mu.Unlock()
	if !slices.Contains(fresh[:], true) {
		return nil
	}
	heads, err := d.cfg.Store.Heads(ctx)
	if err != nil {
		return fmt.Errorf("intake: %w", err)
	}
	for _, h := range heads {
		if fresh[uplink.Slot(string(h.Site))] {
			d.receipt(h)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for n, was := range fresh {
		if was {
			d.fresh[n] = false
		}
	}
	return nil
}
