package intake

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// sendTimeout bounds one publishing: a broker that does not answer must not hold up the intake.
const sendTimeout = 10 * time.Second

// desk hands receipts out. What a broker retains is the last one, so receipts of a site leave one at a time
// and never fall behind one that has left already.
type desk struct {
	cfg *Config
	m   *metrics
	log *slog.Logger

	mu    sync.Mutex
	sites map[wim.SiteID]*counter
	wake  chan struct{} // a receipt did not get through
}

// counter is where one site's receipts are handed out.
type counter struct {
	mu     sync.Mutex // held while a receipt is sent
	latest map[wim.ChainID]store.Head
	due    []wim.ChainID // not got through, in the order in which they should be sent
}

func newDesk(cfg *Config, m *metrics, log *slog.Logger) *desk {
	return &desk{cfg: cfg, m: m, log: log, sites: map[wim.SiteID]*counter{}, wake: make(chan struct{}, 1)}
}

func (d *desk) counter(site wim.SiteID) *counter {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.sites[site]
	if c == nil {
		c = &counter{latest: map[wim.ChainID]store.Head{}}
		d.sites[site] = c
	}
	return c
}

// receipt sends the receipt for what the store holds; when it does not get through it stays due.
func (d *desk) receipt(ctx context.Context, h store.Head) {
	c := d.counter(h.Site)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.take(h)
	if d.send(ctx, c, h.Chain) {
		return
	}
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// take notes what is held of a chain and makes it due, last.
func (c *counter) take(h store.Head) {
	if old, ok := c.latest[h.Chain]; !ok || h.Fork != nil || h.Seq > old.Seq {
		c.latest[h.Chain] = h
	}
	c.done(h.Chain)
	c.due = append(c.due, h.Chain)
}

func (c *counter) done(chain wim.ChainID) {
	c.due = slices.DeleteFunc(c.due, func(x wim.ChainID) bool { return x == chain })
}

// send signs and publishes the latest that is held of a chain. It tells whether it got through.
func (d *desk) send(ctx context.Context, c *counter, chain wim.ChainID) bool {
	h := c.latest[chain]
	jws, err := d.sign(h)
	if err == nil {
		sctx, cancel := context.WithTimeout(ctx, sendTimeout)
		err = d.cfg.SendReceipt(sctx, string(h.Site), []byte(jws))
		cancel()
	}
	if err != nil {
		d.m.receipts.WithLabelValues("failed").Inc()
		d.log.Debug("a receipt did not get through; it is sent again", "site", string(h.Site), "chain", chain.String(), "error", err)
		return false
	}
	d.m.receipts.WithLabelValues("sent").Inc()
	c.done(chain)
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

// run sends all receipts once, then those that are due.
func (d *desk) run(ctx context.Context) error {
	heads, err := d.cfg.Store.Heads(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it was stopped while it read
		}
		return fmt.Errorf("intake: %w", err)
	}
	for _, h := range heads {
		c := d.counter(h.Site)
		c.mu.Lock()
		c.take(h)
		c.mu.Unlock()
	}
	for {
		// Between tries the pause is full: the one that did not get through has just been tried.
		if d.sendDue(ctx) {
			t := time.NewTimer(d.cfg.Retry)
			select {
			case <-ctx.Done():
			case <-t.C:
			}
			t.Stop()
		} else {
			select {
			case <-ctx.Done():
			case <-d.wake:
			}
		}
		if ctx.Err() != nil {
			return nil //nolint:nilerr // a receipt that did not get through is sent at the next start
		}
	}
}

// sendDue tries every receipt that is due and tells whether any still is.
func (d *desk) sendDue(ctx context.Context) (left bool) {
	d.mu.Lock()
	all := make([]*counter, 0, len(d.sites))
	for _, c := range d.sites {
		all = append(all, c)
	}
	d.mu.Unlock()
	for _, c := range all {
		c.mu.Lock()
		for _, chain := range slices.Clone(c.due) {
			if ctx.Err() != nil || !d.send(ctx, c, chain) {
				break // the ones after it would overtake it
			}
		}
		left = left || len(c.due) > 0
		c.mu.Unlock()
	}
	return left
}
