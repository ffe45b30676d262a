package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/uplink"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// Store is what the intake writes to.
type Store interface {
	// StoreSegment stores what is new of a verified segment, durably. It may be repeated.
	StoreSegment(ctx context.Context, s store.Segment) (store.Result, error)
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
	// Signer is the centre's key, which sites pin.
	Signer *seal.Signer
	// SendReceipt publishes a receipt, retained. An error means that it may not have arrived.
	SendReceipt func(ctx context.Context, site string, jws []byte) error
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
	case c.Sites == nil:
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

// Intake takes messages of sites. Make it with New; Run sends again the receipts that did not get through.
type Intake struct {
	cfg  Config
	log  *slog.Logger
	desk *desk
	m    *metrics
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
	in := &Intake{cfg: cfg, log: cfg.Logger.With("part", "intake"), m: newMetrics()}
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
)

func reasons() []string {
	return []string{reasonMessage, reasonSite, reasonBundle, reasonSignature, reasonOther, reasonRecords}
}

// HandleMessage takes one message that came on site's topic. It returns nil once everything in it is either
// stored or set aside, so that the broker may forget it; an error means that the store could not take it and
// it must come again. The same message may come any number of times, and messages of different sites at once.
func (in *Intake) HandleMessage(ctx context.Context, site string, payload []byte) error {
	in.m.messages.Inc()
	name := wim.SiteID(site)
	keys, known := in.cfg.Sites(name)
	if !known || name.Valid() != nil {
		return in.setAside(ctx, name, reasonSite, payload, errors.New("no key is enrolled for it; add the site to the centre's configuration"))
	}
	bundles, err := uplink.Unpack(payload)
	if err != nil {
		return in.setAside(ctx, name, reasonMessage, payload, err)
	}
	results := map[wim.ChainID]store.Result{}
	var order []wim.ChainID
	for _, b := range bundles {
		chain, res, err := in.bundle(ctx, name, keys, b)
		if err != nil {
			in.m.failures.Inc()
			return err
		}
		if chain.IsZero() { // set aside
			continue
		}
		if _, again := results[chain]; !again {
			order = append(order, chain)
		}
		results[chain] = res
	}
	for _, chain := range order {
		in.desk.receipt(ctx, store.Head{Site: name, Chain: chain, Result: results[chain]})
	}
	return nil
}

// bundle verifies and stores one segment. A zero chain says that it was set aside.
func (in *Intake) bundle(ctx context.Context, site wim.SiteID, keys []*seal.Verifier, b []byte) (wim.ChainID, store.Result, error) {
	seg, reason, err := verify(site, keys, b)
	if err != nil {
		return wim.ChainID{}, store.Result{}, in.setAside(ctx, site, reason, b, err)
	}
	began := in.cfg.Now()
	res, err := in.cfg.Store.StoreSegment(ctx, seg)
	if errors.Is(err, store.ErrRefused) {
		return wim.ChainID{}, store.Result{}, in.setAside(ctx, site, reasonRecords, b, err)
	}
	if err != nil {
		return wim.ChainID{}, store.Result{}, fmt.Errorf("intake: %w", err)
	}
	in.m.seconds.Observe(in.cfg.Now().Sub(began).Seconds())
	in.m.segments.Inc()
	in.m.records.WithLabelValues("fresh").Add(float64(res.Fresh))
	in.m.records.WithLabelValues("duplicate").Add(float64(res.Duplicates))
	if res.Fork != nil {
		in.m.forks.Inc()
		in.log.Error("a chain holds other records than its site has; the site is told to start a new chain",
			"site", string(site), "chain", seg.Chain.String(), "seq", res.Fork.Seq, "held", res.Fork.Held.Short(), "sent", res.Fork.Sent.Short())
	}
	return seg.Chain, res, nil
}

// verify takes a bundle apart and believes only what is signed for the site.
func verify(site wim.SiteID, keys []*seal.Verifier, b []byte) (seg store.Segment, reason string, err error) {
	jws, raws, err := seal.ReadBundle(b)
	if err != nil {
		return seg, reasonBundle, err
	}
	s, key, err := seal.VerifySegment(jws, keys...)
	if err != nil {
		return seg, reasonSignature, err
	}
	if s.Site != site {
		return seg, reasonOther, fmt.Errorf("it is signed for site %s", s.Site)
	}
	records, err := seal.CheckRecords(s, raws)
	if err != nil {
		return seg, reasonRecords, err
	}
	seg = store.Segment{Site: s.Site, Chain: s.Chain, Key: key, JWS: jws, Records: make([]store.Stored, len(records))}
	for i, r := range records {
		seg.Records[i] = store.Stored{Seq: r.Seq, Digest: s.Digests[i], Prev: r.Prev, Kind: r.Kind, Time: r.Time, Raw: raws[i]}
	}
	return seg, "", nil
}

// setAside quarantines input. It returns an error only when the store cannot write.
func (in *Intake) setAside(ctx context.Context, site wim.SiteID, reason string, b []byte, why error) error {
	if site.Valid() != nil {
		site = ""
	}
	if err := in.cfg.Store.Quarantine(ctx, store.Item{Site: site, Reason: reason, Detail: why.Error(), Bytes: b}); err != nil {
		in.m.failures.Inc()
		return fmt.Errorf("intake: set aside: %w", err)
	}
	in.m.quarantined.WithLabelValues(reason).Inc()
	in.log.Warn("input of a site was set aside and not receipted", "site", string(site), "reason", reason, "bytes", len(b), "error", why)
	return nil
}

// Run sends the receipts of all chains once and from then on those that did not get through, until ctx ends.
func (in *Intake) Run(ctx context.Context) error { return in.desk.run(ctx) }

// Describe implements prometheus.Collector.
func (in *Intake) Describe(ch chan<- *prometheus.Desc) { in.m.Describe(ch) }

// Collect implements prometheus.Collector.
func (in *Intake) Collect(ch chan<- prometheus.Metric) { in.m.Collect(ch) }
