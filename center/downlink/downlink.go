// Package downlink sends sites what they are to work by: it publishes each site's signed manifest, the whole of it,
// and gives parcels to the sites whose manifests name them.
//
// It promises that the newest manifest stands on a site's topic, retained, so that a site that was away for days
// finds it; that a manifest's serial rises whenever it says something else; and that no site is given a
// parcel that it was not sent. It never waits for a site: what came of a manifest is what the site seals.
package downlink

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// Store is what the downlink reads.
type Store interface {
	// Manifest is what a site is wanted to work by now. The serial is 0 where nothing was ever sent.
	Manifest(ctx context.Context, site wim.SiteID) (serial uint64, wanted []center.Wish, err error)
	// Assigned is the number of the newest assignment.
	Assigned(ctx context.Context) (int64, error)
	// ParcelFor gives the bytes of a parcel to a site whose manifest names it; center.ErrNotFound otherwise.
	ParcelFor(ctx context.Context, site wim.SiteID, d wim.Digest) ([]byte, error)
}

// Config says what a Downlink works with. Store, Sites, Keys, Signer and Publish are needed.
type Config struct {
	Store Store
	// Sites lists those that the centre knows.
	Sites func() []wim.SiteID
	// Keys gives the keys under which a site's grants must hold; ok is false for a site that is not known.
	Keys func(wim.SiteID) (keys []*seal.Verifier, ok bool)
	// Signer is the centre's key, which sites pin.
	Signer *seal.Signer
	// Publish puts a manifest on a site's topic, retained. An error means that it may not stand there; a site that
	// another centre serves is ErrElsewhere.
	Publish func(ctx context.Context, site string, jws []byte) error
	// Look is how often a look is taken at what was assigned; 0 means one second. Again is how often a manifest is
	// published though nothing changed, for a broker that has forgotten; 0 means two minutes.
	Look, Again time.Duration
	Now         func() time.Time // nil means time.Now
	Logger      *slog.Logger     // nil discards
}

// ErrElsewhere says that another centre serves the site.
var ErrElsewhere = errors.New("another centre serves the site")

// Downlink publishes manifests and hands out parcels. Make it with New, then Run it once.
type Downlink struct {
	cfg Config
	log *slog.Logger
	m   *metrics

	sent map[wim.SiteID]sent // owned by Run
}

type sent struct {
	serial uint64
	at     time.Time
}

// New makes a Downlink.
func New(cfg Config) (*Downlink, error) {
	if cfg.Store == nil || cfg.Sites == nil || cfg.Keys == nil || cfg.Signer == nil || cfg.Publish == nil {
		return nil, errors.New("downlink: store, sites, keys, signer and publish are needed")
	}
	if cfg.Look == 0 {
		cfg.Look = time.Second
	}
	if cfg.Again == 0 {
		cfg.Again = 2 * time.Minute
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Downlink{cfg: cfg, log: cfg.Logger.With("part", "downlink"), m: newMetrics(), sent: map[wim.SiteID]sent{}}, nil
}

// everyManifest is how often all manifests are looked at though nothing was assigned: a planned one comes due, a site
// moves to another region.
const everyManifest = 30 * time.Second

// Run publishes until ctx ends.
func (d *Downlink) Run(ctx context.Context) error {
	tick := time.NewTicker(d.cfg.Look)
	defer tick.Stop()
	var assigned int64 = -1
	var looked time.Time
	unsent := false
	for {
		last, err := d.cfg.Store.Assigned(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			d.m.failures.Inc()
			d.log.Warn("could not read what is to be sent down; it is tried again", "error", err)
		case err == nil && (last != assigned || unsent || time.Since(looked) >= min(everyManifest, d.cfg.Again)):
			unsent = !d.publishAll(ctx)
			assigned, looked = last, time.Now()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// publishAll publishes the manifests that are new or have stood long. It tells whether all that should stand do.
func (d *Downlink) publishAll(ctx context.Context) (all bool) {
	all = true
	for _, site := range d.cfg.Sites() {
		serial, wanted, err := d.cfg.Store.Manifest(ctx, site)
		if err != nil {
			if ctx.Err() == nil {
				d.m.failures.Inc()
				d.log.Warn("could not make a manifest; it is tried again", "site", string(site), "error", err)
			}
			all = false
			continue
		}
		before := d.sent[site]
		if serial == 0 || before.serial == serial && time.Since(before.at) < d.cfg.Again {
			continue
		}
		switch err := d.publish(ctx, site, serial, wanted); {
		case errors.Is(err, ErrElsewhere):
			delete(d.sent, site)
		case err != nil:
			all = false
			d.m.manifests.WithLabelValues("failed").Inc()
			d.log.Debug("a manifest did not get through; it is published again", "site", string(site), "serial", serial, "error", err)
		default:
			d.m.manifests.WithLabelValues("published").Inc()
			if before.serial != serial {
				d.log.Info("a manifest was published", "site", string(site), "serial", serial, "parcels", len(wanted))
			}
			d.sent[site] = sent{serial, time.Now()}
		}
	}
	return all
}

// publishTime bounds one Publish.
const publishTime = 10 * time.Second

func (d *Downlink) publish(ctx context.Context, site wim.SiteID, serial uint64, wanted []center.Wish) error {
	m := seal.Manifest{Site: site, Serial: serial, Time: wim.TimeOf(d.cfg.Now()), Parcels: make([]seal.Parcel, len(wanted))}
	for i, w := range wanted {
		m.Parcels[i] = seal.Parcel{Kind: w.Parcel.Kind, Name: w.Parcel.Name, Version: w.Parcel.Version, Digest: w.Parcel.Digest, Size: w.Parcel.Size, From: w.From}
	}
	jws, err := seal.SignManifest(d.cfg.Signer, m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, publishTime)
	defer cancel()
	return d.cfg.Publish(ctx, string(site), []byte(jws))
}

type metrics struct {
	manifests, parcels *prometheus.CounterVec
	failures           prometheus.Counter
}

func newMetrics() *metrics {
	return &metrics{
		manifests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "axlegate_center_manifests_total", Help: "Manifests given to the broker, by whether it took them."}, []string{"result"}),
		parcels:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "axlegate_center_parcels_total", Help: "Parcels asked for by sites, by what they were answered."}, []string{"result"}),
		failures:  prometheus.NewCounter(prometheus.CounterOpts{Name: "axlegate_center_downlink_failures_total", Help: "Looks at what is to be sent down that failed."}),
	}
}

// Describe implements prometheus.Collector.
func (d *Downlink) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(d, ch) }

// Collect implements prometheus.Collector.
func (d *Downlink) Collect(ch chan<- prometheus.Metric) {
	for _, c := range []prometheus.Collector{d.m.manifests, d.m.parcels, d.m.failures} {
		c.Collect(ch)
	}
}
