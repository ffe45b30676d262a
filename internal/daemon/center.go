package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/center/api"
	"github.com/axlegate/axlegate/center/console"
	"github.com/axlegate/axlegate/center/dossier"
	"github.com/axlegate/axlegate/center/downlink"
	"github.com/axlegate/axlegate/center/intake"
	"github.com/axlegate/axlegate/center/picture"
	"github.com/axlegate/axlegate/center/review"
	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/edge/parcel"
	"github.com/axlegate/axlegate/internal/conf"
	"github.com/axlegate/axlegate/rules"
	"github.com/axlegate/axlegate/uplink"
	"github.com/axlegate/axlegate/uplink/broker"
	"github.com/axlegate/axlegate/uplink/mqtt"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// centerParts is what a centre's configuration names, opened and checked but not started.
type centerParts struct {
	cfg      CenterConfig
	signer   *seal.Signer
	keys     map[wim.SiteID][]*seal.Verifier
	users    []broker.User // sites at the embedded broker
	password string        // at an external one
	postgres string        // connection string of the store; empty for SQLite
	sets     map[wim.Digest]*rules.Set
	officers []center.Officer
	regions  center.Map
	zone     *time.Location
	webTLS   *tls.Config
	mqttTLS  *tls.Config // of the embedded broker's listener, or how an external one is checked
}

// Center is a centre that listens but does not yet serve. Make it with NewCenter, then Run it once.
type Center struct {
	p        *centerParts
	log      *slog.Logger
	store    *store.Store
	pictures *picture.Folder
	web      net.Listener
	metrics  net.Listener
	ready    chan struct{}
}

// CheckCenter reads a configuration and everything that it names, without starting anything.
func CheckCenter(path string) error {
	cfg, err := LoadCenter(path)
	if err != nil {
		return err
	}
	_, err = openCenter(cfg)
	return err
}

// RunCenter runs the coordination service until ctx ends.
func RunCenter(ctx context.Context, cfg CenterConfig, log *slog.Logger) error {
	c, err := NewCenter(ctx, cfg, log)
	if err != nil {
		return err
	}
	return c.Run(ctx)
}

// NewCenter opens the store and the listeners.
func NewCenter(ctx context.Context, cfg CenterConfig, log *slog.Logger) (_ *Center, err error) {
	c := &Center{log: log, ready: make(chan struct{})}
	if c.p, err = openCenter(cfg); err != nil {
		return nil, err
	}
	data := cfg.path(cfg.Data)
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close())
		}
	}()
	pictures := filepath.Join(data, "pictures")
	if cfg.Pictures != "" {
		pictures = cfg.path(cfg.Pictures)
	}
	if c.pictures, err = picture.Open(pictures); err != nil {
		return nil, err
	}
	if c.store, err = store.Open(ctx, c.p.storeConfig(data, log)); err != nil {
		return nil, err
	}
	logins := make([]string, 0, len(c.p.officers))
	for _, o := range c.p.officers {
		if err := c.store.PutOfficer(ctx, "", o); err != nil {
			return nil, fmt.Errorf("officer %s: %w", o.Login, err)
		}
		logins = append(logins, o.Login)
	}
	// Who is no longer in the configuration can no longer sign in.
	if err := c.store.KeepOfficers(ctx, logins); err != nil {
		return nil, fmt.Errorf("officers: %w", err)
	}
	if err := c.store.SetRegions(ctx, cfg.siteRegions()); err != nil {
		return nil, fmt.Errorf("regions: %w", err)
	}
	if c.web, err = listen(ctx, "web.listen", cfg.Web.Listen); err != nil {
		return nil, err
	}
	if c.metrics, err = listen(ctx, "metrics_listen", cfg.Metrics); err != nil {
		return nil, err
	}
	warnOpen(log, "metrics_listen", cfg.Metrics)
	return c, nil
}

// Ready is closed when the centre takes messages from sites.
func (c *Center) Ready() <-chan struct{} { return c.ready }

// Store is the centre's store, for reading.
func (c *Center) Store() *store.Store { return c.store }

func (c *Center) close() error {
	var err error
	for _, l := range []net.Listener{c.web, c.metrics} {
		if l != nil {
			if cerr := l.Close(); cerr != nil && !errors.Is(cerr, net.ErrClosed) {
				err = errors.Join(err, cerr)
			}
		}
	}
	if c.store != nil {
		err = errors.Join(err, c.store.Close())
	}
	return err
}

// Run serves until ctx ends: pages first stop, then the intake, then the review, then the broker.
func (c *Center) Run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, c.close()) }()
	cfg := &c.p.cfg
	b, err := c.p.broker(c.log)
	if err != nil {
		return err
	}
	sets := &shelf{configured: c.p.sets, kept: c.store.RuleSet}
	rev, err := review.New(review.Config{Store: c.store, Rules: sets.find, Logger: c.log})
	if err != nil {
		return err
	}
	var link *mqtt.Center
	keys := intake.NewKeyring(c.store, c.p.keys)
	if err := keys.Refresh(ctx); err != nil {
		return err
	}
	in, err := intake.New(intake.Config{
		Store: c.store, Keys: keys, Signer: c.p.signer,
		SendReceipt: func(ctx context.Context, site string, jws []byte) error { return link.SendReceipt(ctx, site, jws) },
		Unreviewed: func(ctx context.Context) (int64, error) {
			_, n, err := c.store.Waiting(ctx)
			return n, err
		},
		Logger: c.log,
	})
	if err != nil {
		return err
	}
	down, err := downlink.New(downlink.Config{
		Store: c.store, Sites: c.p.sites, Keys: keys.Now, Signer: c.p.signer, Logger: c.log,
		Publish: func(ctx context.Context, site string, jws []byte) error {
			err := link.PublishDown(ctx, site, jws)
			if errors.Is(err, mqtt.ErrElsewhere) {
				return downlink.ErrElsewhere
			}
			return err
		},
	})
	if err != nil {
		return err
	}
	vehicles := &register{store: c.store, log: c.log}
	answers, err := downlink.NewAnswerer(downlink.AnswerConfig{
		Keys: keys.Now, Signer: c.p.signer, Register: vehicles, Logger: c.log,
		Publish: func(ctx context.Context, site string, jws []byte) error { return link.PublishAnswer(ctx, site, jws) },
	})
	if err != nil {
		return err
	}
	reg := newRegistry()
	proofs, err := c.dossiers()
	if err != nil {
		return err
	}
	pages, err := c.pages(reg, proofs)
	if err != nil {
		return err
	}
	programs, err := api.New(api.Config{Store: c.store, Pictures: c.pictures, Dossiers: proofs, Regions: c.p.regions, Version: Version, Logger: c.log})
	if err != nil {
		return err
	}
	reg.MustRegister(in, rev, down, answers)
	expiry(reg, "web", c.p.webTLS)
	if b.own != nil {
		expiry(reg, "broker", c.p.mqttTLS)
	}

	outer, stopOuter := context.WithCancel(context.WithoutCancel(ctx))
	defer stopOuter()
	lower, lctx := errgroup.WithContext(outer) // what the upper part needs until it has stopped
	lower.Go(func() error { return b.run(lctx) })
	if err := b.ready(lctx); err != nil {
		stopOuter()
		return errors.Join(err, lower.Wait())
	}
	// Only what several centres reach can be shared by them: an embedded broker has its own centre alone.
	shared := b.own == nil
	linkConfig := mqtt.CenterConfig{
		Broker: b.url(), Username: b.user, Password: b.password, TLS: b.tls, Leased: shared, Logger: c.log,
		OnMessages: in.HandleMessages,
		OnAsk:      answers.HandleAsk,
		OnStatus:   func(site string, payload []byte) { c.status(lctx, site, payload) },
	}
	if !shared {
		linkConfig.Slots = slots()
	}
	link = mqtt.NewCenter(linkConfig)
	reg.MustRegister(newCenterMetrics(c.store, link.Stats, b.stats))
	upper, uctx := errgroup.WithContext(ctx)
	upper.Go(func() error {
		return serve(uctx, c.web, c.mux(pages, programs, in, down, intake.NewEnroller(intake.EnrolConfig{Store: c.store, Keys: keys, Signer: c.p.signer, Logger: c.log})), c.p.webTLS, c.log)
	})
	upper.Go(func() error { return serve(uctx, c.metrics, c.health(reg), nil, c.log) })
	upper.Go(func() error { return link.Run(uctx) })
	upper.Go(func() error { return in.Run(uctx) })
	if shared {
		duty, err := intake.NewDuty(intake.DutyConfig{Leases: c.store, Link: link, Intake: in, Holder: cfg.instance(), Logger: c.log})
		if err != nil {
			stopOuter()
			return errors.Join(err, lower.Wait())
		}
		upper.Go(func() error { return duty.Run(uctx) })
	}
	upper.Go(func() error { return c.retain(uctx) })
	upper.Go(func() error { return rev.Run(uctx) })
	upper.Go(func() error { return down.Run(uctx) })
	upper.Go(func() error { return keys.Run(uctx) })
	upper.Go(func() error { return vehicles.run(uctx) })
	upper.Go(func() error { return answers.Run(uctx) })
	upper.Go(func() error {
		select {
		case <-link.Ready():
			close(c.ready)
			c.log.Info("centre takes messages", "boards", c.web.Addr().String(), "broker", b.url(), "sites", len(c.p.keys))
		case <-uctx.Done():
		}
		return nil
	})
	lower.Go(func() error { <-lctx.Done(); return nil })
	err = upper.Wait()
	stopOuter()
	err = errors.Join(err, lower.Wait())
	c.log.Info("centre stopped")
	return err
}

// retainEvery is how often what is older than the retention is looked for.
const retainEvery = 24 * time.Hour

// retain removes the bytes of records that are older than the configuration keeps them.
func (c *Center) retain(ctx context.Context) error {
	months := c.p.cfg.RetentionMonths
	if months == 0 {
		return nil
	}
	t := time.NewTicker(retainEvery)
	defer t.Stop()
	for {
		sum, err := c.store.Prune(ctx, time.Now().UTC().AddDate(0, -months, 0), "")
		switch {
		case ctx.Err() != nil:
			return nil // it was stopped while it worked; the next start goes on
		case err != nil:
			c.log.Error("old records were not removed; it is tried again tomorrow", "error", err)
		case sum.Removed+sum.Emptied > 0:
			c.log.Info("old records were removed; their digests stay", "removed", sum.Removed, "emptied", sum.Emptied, "kept for open matters", sum.Kept)
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// sites lists those that the configuration names, by name.
func (p *centerParts) sites() []wim.SiteID { return slices.Sorted(maps.Keys(p.keys)) }

func slots() []int {
	s := make([]int, uplink.Slots)
	for i := range s {
		s[i] = i
	}
	return s
}

func (c *Center) status(ctx context.Context, site string, payload []byte) {
	if err := c.store.SetStatus(ctx, wim.SiteID(site), payload); err != nil && ctx.Err() == nil {
		c.log.Warn("status of a site was not stored", "site", site, "error", err)
	}
}

func (c *Center) pages(reg *prometheus.Registry, proofs *dossier.Writer) (http.Handler, error) {
	names := map[wim.Competence]console.Name{}
	for _, a := range c.p.cfg.Authorities {
		names[a.Competence] = console.Name{Zh: a.Zh, En: a.En}
	}
	return console.New(console.Config{
		Store: c.store, Sessions: c.store.Sessions(), Pictures: c.pictures, Dossiers: proofs, Title: c.p.cfg.Title, Authorities: names, Regions: c.p.regions,
		CheckParcel: func(p center.Parcel, b []byte) error { return parcel.Check(p.Kind, p.Name, b) },
		Overdue:     c.p.cfg.Overdue.Std(), Unfinished: c.p.cfg.Unfinished.Std(), Location: c.p.zone, Secure: c.p.webTLS != nil, Logger: c.log, Metrics: reg,
	})
}

// mux keeps the ways in apart: a picture is PUT and a parcel fetched with a site's signature, programs bring a token,
// and all else needs an officer's session.
func (c *Center) mux(pages, programs http.Handler, in *intake.Intake, down *downlink.Downlink, enrol http.Handler) http.Handler {
	put, give := in.PictureHandler(c.pictures), down.Handler()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPut && strings.HasPrefix(r.URL.Path, "/pictures/"):
			put.ServeHTTP(w, r)
		case r.URL.Path == "/enrol":
			enrol.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, "/parcels/"):
			give.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, api.Prefix+"/"):
			programs.ServeHTTP(w, r)
		default:
			pages.ServeHTTP(w, r)
		}
	})
}

func (c *Center) health(reg *prometheus.Registry) http.Handler {
	m := http.NewServeMux()
	m.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{Registry: reg}))
	m.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "ok") //nolint:errcheck // the caller has gone
	})
	m.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		select {
		case <-c.ready:
			fmt.Fprintln(w, "ready") //nolint:errcheck // the caller has gone
		default:
			http.Error(w, "the intake has not reached the broker yet", http.StatusServiceUnavailable)
		}
	})
	return m
}

// storeConfig is the store in PostgreSQL where the configuration names a database, else a file in the data folder.
func (p *centerParts) storeConfig(data string, log *slog.Logger) store.Config {
	if p.postgres != "" {
		return store.Config{URL: p.postgres, Logger: log}
	}
	return store.Config{Path: filepath.Join(data, "center.db"), Logger: log}
}

func openCenter(cfg CenterConfig) (*centerParts, error) {
	p := &centerParts{cfg: cfg, keys: map[wim.SiteID][]*seal.Verifier{}, sets: map[wim.Digest]*rules.Set{}}
	var err error
	if p.regions, err = cfg.regions(); err != nil {
		return nil, err
	}
	if p.signer, err = seal.ReadSigner(cfg.path(cfg.Key)); err != nil {
		return nil, err
	}
	for _, s := range cfg.Sites {
		p.keys[s.Site] = nil // known, also without a key until one is enrolled
		for _, k := range s.Keys {
			v, err := seal.ReadVerifier(cfg.path(k))
			if err != nil {
				return nil, fmt.Errorf("site %s: %w", s.Site, err)
			}
			p.keys[s.Site] = append(p.keys[s.Site], v)
		}
		if cfg.Broker.External() {
			continue
		}
		pw, err := conf.Secret(cfg.path(s.PasswordFile))
		if err != nil {
			return nil, fmt.Errorf("site %s: %w", s.Site, err)
		}
		p.users = append(p.users, broker.User{Name: string(s.Site), Password: pw, Site: string(s.Site)})
	}
	if cfg.Store.PostgresFile != "" {
		if p.postgres, err = conf.Secret(cfg.path(cfg.Store.PostgresFile)); err != nil {
			return nil, fmt.Errorf("store: %w", err)
		}
	}
	for _, name := range cfg.Rules {
		set, err := ruleSet(cfg.dir, name)
		if err != nil {
			return nil, err
		}
		p.sets[set.Digest()] = set
	}
	for _, o := range cfg.Officers {
		hash, err := conf.Secret(cfg.path(o.HashFile))
		if err != nil {
			return nil, fmt.Errorf("officer %s: %w", o.Login, err)
		}
		p.officers = append(p.officers, o.officer(hash))
	}
	if p.zone, err = time.LoadLocation(cfg.Zone); err != nil {
		return nil, fmt.Errorf("zone: %w", err)
	}
	if p.webTLS, err = serverTLS("web.listen", cfg.Web.Listen, cfg.path(cfg.Web.CertFile), cfg.path(cfg.Web.KeyFile)); err != nil {
		return nil, err
	}
	return p, p.openBroker()
}
