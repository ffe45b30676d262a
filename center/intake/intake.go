package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/uplink"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// Store is what the intake writes to.
type Store interface {
	// StoreSegments stores what is new of verified segments in one transaction, durably, all or nothing, and
	// returns for each what is held of its chain after it. It may be repeated.
	StoreSegments(ctx context.Context, segs []store.Segment) ([]store.Result, error)
	// Quarantine sets input aside that is not believed, within the store's bounds.
	Quarantine(ctx context.Context, it store.Item) error
	// Heads lists all chains, each site's current one last.
	Heads(ctx context.Context) ([]store.Head, error)
}

// Config says what an Intake works with. Store, Sites, Signer and SendReceipt are needed.
type Config struct {
	Store Store
	// Sites gives the keys that are enrolled for a site; ok is false for a site that is not known.
	Sites func(site wim.SiteID) (keys []*seal.Verifier, ok bool)
	// Keys, where not nil, is asked in place of Sites: keys that are enrolled, rotated and ended.
	Keys *Keyring
	// Signer is the centre's key, which sites pin.
	Signer *seal.Signer
	// SendReceipt publishes a receipt, retained. An error means that it may not have arrived.
	SendReceipt func(ctx context.Context, site string, jws []byte) error
	// Unreviewed tells how many records are stored and not yet reviewed; with it a backlog is taken in no faster than it is
	// reviewed. Nil never waits.
	Unreviewed func(ctx context.Context) (int64, error)
	// Retry is the pause before a receipt that did not get through is sent again; 0 means two seconds.
	Retry  time.Duration
	Logger *slog.Logger     // nil discards
	Now    func() time.Time // nil means time.Now
}

// Validate tells what is missing.
func (c *Config) Validate() error {
	switch {
	case c.Store == nil:
		return errors.New("intake: a store is needed")
	case c.Sites == nil && c.Keys == nil:
		return errors.New("intake: the sites' keys are needed")
	case c.Signer == nil:
		return errors.New("intake: the centre's key is needed")
	case c.SendReceipt == nil:
		return errors.New("intake: a way to send receipts is needed")
	case c.Retry < 0:
		return errors.New("intake: retry must not be negative")
	}
	return nil
}

// Intake takes messages of sites. Make it with New; Run sends the receipts.
type Intake struct {
	cfg  Config
	log  *slog.Logger
	gate *gate
	desk *desk
	m    *metrics
	crew chan struct{} // a token for each signature that is being checked, of whatever batch
}

// New makes an Intake.
func New(cfg Config) (*Intake, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Retry == 0 {
		cfg.Retry = 2 * time.Second
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	in := &Intake{cfg: cfg, log: cfg.Logger.With("part", "intake"), m: newMetrics(), crew: make(chan struct{}, runtime.GOMAXPROCS(0))}
	in.gate = newGate(cfg.Store, in.took)
	in.desk = newDesk(&in.cfg, in.m, in.log)
	return in, nil
}

// The reasons for which input is set aside.
const (
	reasonMessage   = "not-a-message"
	reasonSite      = "unknown-site"
	reasonBundle    = "not-a-bundle"
	reasonSignature = "signature"
	reasonOther     = "other-site"
	reasonRecords   = "records"
	reasonVersion   = "version"
)

func reasons() []string {
	return []string{reasonMessage, reasonSite, reasonBundle, reasonSignature, reasonOther, reasonRecords, reasonVersion}
}

// HandleMessage is HandleMessages for one.
func (in *Intake) HandleMessage(ctx context.Context, site string, payload []byte) error {
	return in.HandleMessages(ctx, []uplink.Message{{Site: site, Payload: payload}})
}

// HandleMessages takes messages in the order in which they came on their sites' topics. It returns nil once
// everything in them is either stored or set aside, so that the broker may forget them; an error means that the
// store could not take all of it and all of them must come again. The same message may come any number of times,
// and batches at once: what waits for the store is stored together. Receipts are sent by Run, later.
func (in *Intake) HandleMessages(ctx context.Context, batch []uplink.Message) error {
	in.m.messages.Add(float64(len(batch)))
	err := in.handle(ctx, in.open(ctx, batch))
	if err != nil && ctx.Err() == nil {
		in.m.failures.Inc()
	}
	return err
}

// handle stores what is believed, and then sets the rest aside.
func (in *Intake) handle(ctx context.Context, all []piece) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("intake: %w", err) // not every signature was checked
	}
	var good []*piece
	rotated := false
	for i := range all {
		if all[i].why == nil {
			good = append(good, &all[i])
			rotated = rotated || all[i].seg.Rotation != nil
		}
	}
	if err := in.storeAll(ctx, good); err != nil {
		return err
	}
	if err := in.storeAll(ctx, in.again(ctx, all, rotated)); err != nil {
		return err
	}
	for i := range all {
		if p := &all[i]; p.why != nil {
			if err := in.setAside(ctx, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// storeAll stores segments, as many at once as fit.
func (in *Intake) storeAll(ctx context.Context, good []*piece) error {
	for len(good) > 0 {
		n := in.gate.fitting(good)
		if err := in.store(ctx, good[:n]); err != nil {
			return err
		}
		good = good[n:]
	}
	return nil
}

// store stores segments and makes one receipt due for each of their chains, for the last that is held of it.
func (in *Intake) store(ctx context.Context, good []*piece) error {
	segs := make([]store.Segment, len(good))
	for i, p := range good {
		segs[i] = p.seg
	}
	in.pace(ctx, segs)
	began := in.cfg.Now()
	results, err := in.gate.store(ctx, segs)
	if err != nil {
		return fmt.Errorf("intake: %w", err)
	}
	in.m.seconds.Observe(in.cfg.Now().Sub(began).Seconds())
	type name struct {
		site  wim.SiteID
		chain wim.ChainID
	}
	last := map[name]int{}
	for i, r := range results {
		if r.refused != nil {
			good[i].reason, good[i].why = reasonRecords, r.refused
			continue
		}
		in.count(&segs[i], r.Result)
		last[name{segs[i].Site, segs[i].Chain}] = i
	}
	if slices.ContainsFunc(segs, func(s store.Segment) bool { return s.Rotation != nil || s.Ending != nil }) {
		if err := in.cfg.Keys.Refresh(ctx); err != nil {
			in.log.Warn("the keys of a site have changed and could not be read again; they are within seconds", "error", err)
		}
	}
	for i, r := range results {
		if at, ok := last[name{segs[i].Site, segs[i].Chain}]; ok && at == i {
			in.desk.receipt(store.Head{Site: segs[i].Site, Chain: segs[i].Chain, Result: r.Result})
		}
	}
	return nil
}

func (in *Intake) count(seg *store.Segment, res store.Result) {
	in.m.segments.Inc()
	in.m.records.WithLabelValues("fresh").Add(float64(res.Fresh))
	in.m.records.WithLabelValues("duplicate").Add(float64(res.Duplicates))
	if res.Fork != nil {
		in.m.forks.Inc()
		in.log.Error("a chain holds other records than its site has; the site is told to start a new chain",
			"site", string(seg.Site), "chain", seg.Chain.String(), "seq", res.Fork.Seq, "held", res.Fork.Held.Short(), "sent", res.Fork.Sent.Short())
	}
}

// took counts a transaction.
func (in *Intake) took(segments int) { in.m.commits.Observe(float64(segments)) }

// setAside quarantines input. It returns an error only when the store cannot write.
func (in *Intake) setAside(ctx context.Context, p *piece) error {
	site := p.site
	if site.Valid() != nil {
		site = ""
	}
	if err := in.cfg.Store.Quarantine(ctx, store.Item{Site: site, Reason: p.reason, Detail: p.why.Error(), Alarm: alarmFor(p.reason), Bytes: p.bytes}); err != nil {
		return fmt.Errorf("intake: set aside: %w", err)
	}
	in.m.quarantined.WithLabelValues(p.reason).Inc()
	in.log.Warn("input of a site was set aside and not receipted", "site", string(site), "reason", p.reason, "bytes", len(p.bytes), "error", p.why)
	return nil
}

// Run sends receipts until ctx ends: at first those of all chains, then each as it is made due, and again those
// that did not get through.
func (in *Intake) Run(ctx context.Context) error { return in.desk.run(ctx) }

// SetSlots tells of which slots the sites are receipted here, where several centres share them; without it all
// are. The chains of a slot that is new get their receipts again: whoever had it may have gone before it sent them.
func (in *Intake) SetSlots(slots []int) { in.desk.setSlots(slots) }

// Describe implements prometheus.Collector.
func (in *Intake) Describe(ch chan<- *prometheus.Desc) { in.m.Describe(ch) }

// Collect implements prometheus.Collector.
func (in *Intake) Collect(ch chan<- prometheus.Metric) { in.m.Collect(ch) }
