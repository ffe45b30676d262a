package parcel

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/axlegate/axlegate/edge"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// Site is what works by parcels; *edge.Site does.
type Site interface {
	// Adopt replaces what the site judges by between two vehicles and seals it; see edge.Site.
	Adopt(ctx context.Context, w *edge.Works, cause wim.ConfigurationCause, changed []wim.Change) error
	// Running tells whether it judges vehicles now; until it does nothing is changed.
	Running() bool
}

// Config says what a Depot works with. Dir, Site, Keys, Signer and Own are needed.
type Config struct {
	Dir     string // of the parcels and the state; made with mode 0700
	KeyFile string // that the parcels are encrypted under; empty means tables.key in Dir
	Site    wim.SiteID
	Keys    []*seal.Verifier    // the centre's, pinned
	Signer  func() *seal.Signer // the site's present one
	Base    string              // address of the centre; empty means that parcels cannot be fetched
	Client  *http.Client        // nil means one with a time limit
	// Own is what the site works by of itself: what no manifest names stays so.
	Own *edge.Works
	// Trial tells what is wrong with works before they are activated; nil asks nobody.
	Trial func(*edge.Works) error
	// Healthy tells what is wrong with the site since works were activated; nil asks nobody. It is asked until
	// Probation has passed; 0 means one minute.
	Healthy   func() error
	Probation time.Duration
	// Retry is the first pause after a parcel that could not be fetched; it doubles up to 64 times; 0 means five
	// seconds. Look is how often times are looked at; 0 means one second.
	Retry, Look time.Duration
	Now         func() time.Time // by which activation times are judged: a clock that was set ahead must not count; nil means time.Now
	GrantTime   func() time.Time // that grants carry; nil means Now
	Logger      *slog.Logger     // nil discards
}

// Depot keeps what the centre sends down and has the site work by it. Make it with Open, ask it for Begin before the site
// runs, then Run it once.
type Depot struct {
	cfg   Config
	log   *slog.Logger
	vault *vault
	m     *metrics
	news  chan []byte // manifests as they came, the newest only

	// owned by Run
	state    state
	partial  map[wim.Digest][]byte // of parcels that broke off
	retryAt  time.Time
	pause    time.Duration
	adopted  time.Time // when what is active was activated, zero when its probation has passed
	inactive string    // why what is due is not active, in words, for telling it once
}

// state is what outlives the process.
type state struct {
	Serial  uint64        `json:"serial"` // of the newest manifest that was believed
	Wanted  []seal.Parcel `json:"wanted"`
	Active  []seal.Parcel `json:"active"`
	Before  []seal.Parcel `json:"before"` // what was active before: where to go back to
	Refused []refusal     `json:"refused"`
	Said    []wim.Digest  `json:"said"` // that are sealed as scheduled
}

// refusal is a parcel that does not hold, or did not do well.
type refusal struct {
	Digest wim.Digest `json:"digest"`
	Reason string     `json:"reason"`
}

// Open opens the depot. A state that cannot be read is set aside: the next manifest brings everything again.
func Open(cfg Config) (*Depot, error) {
	if cfg.Dir == "" || cfg.Site.Valid() != nil || len(cfg.Keys) == 0 || cfg.Signer == nil || cfg.Own == nil {
		return nil, errors.New("parcels: a folder, a site, the centre's keys, the site's signer and what it works by of itself are needed")
	}
	if cfg.Client == nil {
		cfg.Client = &http.Client{Timeout: 5 * time.Minute}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.GrantTime == nil {
		cfg.GrantTime = cfg.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	cfg.Probation, cfg.Retry, cfg.Look = cmp.Or(cfg.Probation, time.Minute), cmp.Or(cfg.Retry, 5*time.Second), cmp.Or(cfg.Look, time.Second)
	cfg.KeyFile = cmp.Or(cfg.KeyFile, filepath.Join(cfg.Dir, "tables.key"))
	v, err := openVault(cfg.Dir, cfg.KeyFile)
	if err != nil {
		return nil, err
	}
	d := &Depot{cfg: cfg, log: cfg.Logger.With("part", "parcels"), vault: v, m: newMetrics(), news: make(chan []byte, 1), partial: map[wim.Digest][]byte{}, pause: cfg.Retry}
	b, err := os.ReadFile(d.statePath())
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("parcels: %w", err)
	default:
		if err := json.Unmarshal(b, &d.state); err != nil {
			d.log.Error("the state of what the centre sent down cannot be read and is set aside; the centre's next manifest brings it again", "file", d.statePath(), "err", err)
			d.state = state{}
			if err := os.Rename(d.statePath(), d.statePath()+".damaged"); err != nil {
				return nil, fmt.Errorf("parcels: %w", err)
			}
		}
	}
	return d, nil
}

func (d *Depot) statePath() string { return filepath.Join(d.cfg.Dir, "state.json") }

func (d *Depot) save() error {
	b, err := json.Marshal(&d.state)
	if err != nil {
		return err
	}
	return writeSynced(d.statePath(), b)
}

// Receive takes in a manifest as the link received it. It only enqueues; of several that wait the newest counts.
func (d *Depot) Receive(jws []byte) {
	for {
		select {
		case d.news <- jws:
			return
		default:
		}
		select {
		case <-d.news:
		default:
		}
	}
}

// Begin is what the site works by when it starts: what the last sealed record says, nil where nothing was sealed yet.
// Where that cannot be loaded any more it is what the site works by of itself, and the manifest is followed anew.
func (d *Depot) Begin(sealed *wim.SiteConfiguration) *edge.Works {
	candidates := [][]seal.Parcel{d.state.Active, d.state.Before, {}}
	if sealed != nil && !says(sealed, d.state.Active) && says(sealed, d.state.Before) {
		candidates[0], candidates[1] = candidates[1], candidates[0] // killed between the two
	}
	for _, c := range candidates {
		w, err := d.build(c)
		if err != nil {
			d.log.Error("what was active cannot be loaded any more", "err", err)
			d.forget(c)
			continue
		}
		if !slices.Equal(c, d.state.Active) {
			d.state.Active, d.state.Before = c, d.state.Active
		}
		return w
	}
	return d.cfg.Own
}

// says tells whether a sealed record names all these parcels as active, and no other that could have been sent.
func says(c *wim.SiteConfiguration, parcels []seal.Parcel) bool {
	for _, p := range parcels {
		if !slices.ContainsFunc(c.Active, func(x wim.Part) bool { return x.Kind == p.Kind && x.Name == p.Name && x.Digest == p.Digest }) {
			return false
		}
	}
	return true
}

// forget drops the files of parcels that cannot be loaded, so that they are fetched again.
func (d *Depot) forget(parcels []seal.Parcel) {
	for i := range parcels {
		if _, err := d.vault.get(parcels[i].Digest); err != nil {
			os.Remove(d.vault.path(parcels[i].Digest)) //nolint:errcheck // it may not be there
		}
	}
}

// build loads parcels over what the site works by of itself.
func (d *Depot) build(parcels []seal.Parcel) (*edge.Works, error) {
	w := *d.cfg.Own
	w.Active, w.Serial = slices.Clone(w.Active), d.state.Serial
	for i := range parcels {
		b, err := d.vault.get(parcels[i].Digest)
		if err != nil {
			return nil, err
		}
		if err := load(&w, &parcels[i], b); err != nil {
			return nil, err
		}
	}
	return &w, nil
}

// Run follows manifests until ctx ends.
func (d *Depot) Run(ctx context.Context, site Site) error {
	tick := time.NewTicker(d.cfg.Look)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case jws := <-d.news:
			d.take(jws)
		case <-tick.C:
		}
		if ctx.Err() != nil {
			return nil
		}
		if !site.Running() {
			continue
		}
		d.watch(ctx, site)
		d.follow(ctx, site)
	}
}

// take believes a manifest or not.
func (d *Depot) take(jws []byte) {
	m, err := seal.VerifyManifest(string(jws), d.cfg.Keys...)
	switch {
	case err != nil:
		d.m.manifests.WithLabelValues("refused").Inc()
		d.log.Warn("a manifest was refused; if the centre's key was changed, pin the new one", "err", err)
		return
	case m.Site != d.cfg.Site:
		d.m.manifests.WithLabelValues("refused").Inc()
		d.log.Error("a manifest for another site was refused", "site", m.Site)
		return
	case m.Serial < d.state.Serial:
		d.m.manifests.WithLabelValues("old").Inc()
		d.log.Warn("a manifest older than the one that is followed was refused", "serial", m.Serial, "followed", d.state.Serial)
		return
	case m.Serial == d.state.Serial:
		d.m.manifests.WithLabelValues("repeated").Inc()
		return
	}
	for _, p := range m.Parcels {
		if p.Size > maxParcel {
			d.m.manifests.WithLabelValues("refused").Inc()
			d.log.Error("a manifest names a parcel that is too large", "parcel", p.Name, "bytes", p.Size, "most", maxParcel)
			return
		}
	}
	// A new manifest that names a refused parcel again asks for another try.
	next := state{Serial: m.Serial, Wanted: m.Parcels, Active: d.state.Active, Before: d.state.Before}
	before := d.state
	d.state = next
	if err := d.save(); err != nil {
		d.state = before
		d.m.manifests.WithLabelValues("failed").Inc()
		d.log.Error("a manifest could not be kept; the broker gives it again", "err", err)
		return
	}
	d.m.manifests.WithLabelValues("taken").Inc()
	d.retryAt, d.pause, d.inactive = time.Time{}, d.cfg.Retry, ""
	d.log.Info("the centre sent a manifest", "serial", m.Serial, "parcels", len(m.Parcels))
}

// due is what should be active now, by place, of what holds: for each place the last that is due. Where that was
// refused, what was active before stays.
func (d *Depot) due() []seal.Parcel {
	now := wim.TimeOf(d.cfg.Now())
	best := map[string]seal.Parcel{}
	for _, p := range d.state.Wanted {
		if p.From > now || d.refused(p.Digest) != "" {
			continue
		}
		if b, ok := best[place(p.Kind, p.Name)]; !ok || p.From > b.From {
			best[place(p.Kind, p.Name)] = p
		}
	}
	for _, p := range d.state.Wanted {
		at := place(p.Kind, p.Name)
		if _, ok := best[at]; ok || p.From > now {
			continue
		}
		for _, a := range slices.Concat(d.state.Before, d.state.Active) { // what is active counts more
			if place(a.Kind, a.Name) == at && d.refused(a.Digest) == "" {
				best[at] = a
			}
		}
	}
	out := []seal.Parcel{}
	for _, p := range best {
		p.From = 0 // it has come
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b seal.Parcel) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name)) })
	return out
}

func (d *Depot) refused(x wim.Digest) string {
	for _, r := range d.state.Refused {
		if r.Digest == x {
			return cmp.Or(r.Reason, "refused")
		}
	}
	return ""
}

// follow fetches what is wanted and activates what is due.
func (d *Depot) follow(ctx context.Context, site Site) {
	if d.state.Serial == 0 || !d.fetchAll(ctx, site) {
		return
	}
	d.schedule(ctx, site)
	due := d.due()
	if slices.Equal(due, d.state.Active) {
		d.sweep()
		return
	}
	for i := range due {
		if !d.vault.has(due[i].Digest) {
			return // fetched later
		}
	}
	d.activate(ctx, site, due, wim.ConfiguredByManifest, "")
}

// fetchAll fetches what is not here and tries it. It tells whether all is here that can be had.
func (d *Depot) fetchAll(ctx context.Context, site Site) bool {
	if time.Now().Before(d.retryAt) {
		return false
	}
	for i := range d.state.Wanted {
		p := &d.state.Wanted[i]
		if d.vault.has(p.Digest) || d.refused(p.Digest) != "" {
			continue
		}
		if d.cfg.Base == "" {
			d.refuse(ctx, site, p, "the site's configuration names no address to fetch from (center.pictures)")
			continue
		}
		b, err := d.fetch(ctx, p, d.partial[p.Digest])
		if ctx.Err() != nil {
			return false
		}
		if err != nil {
			d.partial = map[wim.Digest][]byte{}
			if len(b) > 0 {
				d.partial[p.Digest] = b // one at a time
			}
			d.m.fetches.WithLabelValues("failed").Inc()
			if errors.Is(err, errUseless) {
				d.pause = 64 * d.cfg.Retry
			}
			d.retryAt = time.Now().Add(d.pause/2 + rand.N(d.pause))
			d.pause = min(2*d.pause, 64*d.cfg.Retry)
			d.log.Warn("a parcel could not be fetched; what is active stays, and it is tried again", "kind", p.Kind, "name", p.Name, "err", err)
			return false
		}
		delete(d.partial, p.Digest)
		d.pause = d.cfg.Retry
		if err := load(&edge.Works{}, p, b); err != nil {
			d.refuse(ctx, site, p, err.Error())
			continue
		}
		if err := d.vault.put(p.Digest, b); err != nil {
			d.m.fetches.WithLabelValues("not-kept").Inc()
			d.retryAt = time.Now().Add(d.pause)
			d.log.Error("a parcel could not be kept; it is fetched again", "kind", p.Kind, "name", p.Name, "err", err)
			return false
		}
		d.m.fetches.WithLabelValues("kept").Inc()
		d.log.Info("fetched a parcel", "kind", p.Kind, "name", p.Name, "version", p.Version, "digest", p.Digest.Short(), "bytes", len(b))
	}
	return true
}

const maxReason = 400

// refuse notes that a parcel does not hold, and seals that.
func (d *Depot) refuse(ctx context.Context, site Site, p *seal.Parcel, reason string) {
	if len(reason) > maxReason {
		reason = reason[:maxReason] + "…"
	}
	d.state.Refused = append(d.state.Refused, refusal{p.Digest, reason})
	d.m.fetches.WithLabelValues("refused").Inc()
	d.log.Error("a parcel of the centre was refused; what is active stays", "kind", p.Kind, "name", p.Name, "version", p.Version, "digest", p.Digest.Short(), "reason", reason)
	if err := d.save(); err != nil {
		d.log.Warn("could not note that a parcel was refused", "err", err)
	}
	d.say(ctx, site, []wim.Change{{Kind: p.Kind, Name: p.Name, From: d.activeAt(p), To: p.Digest, Outcome: wim.ChangeRefused, Reason: reason}})
}

// activeAt is the digest that is active in a parcel's place.
func (d *Depot) activeAt(p *seal.Parcel) wim.Digest {
	for _, a := range d.state.Active {
		if place(a.Kind, a.Name) == place(p.Kind, p.Name) {
			return a.Digest
		}
	}
	for _, a := range d.cfg.Own.Active {
		if place(a.Kind, a.Name) == place(p.Kind, p.Name) {
			return a.Digest
		}
	}
	return wim.Digest{}
}

// say seals what came of a manifest without a change of what is active.
func (d *Depot) say(ctx context.Context, site Site, changed []wim.Change) {
	w, err := d.build(d.state.Active)
	if err == nil {
		err = site.Adopt(ctx, w, wim.ConfiguredByManifest, changed)
	}
	if err != nil && ctx.Err() == nil {
		d.log.Warn("could not seal what came of a manifest", "err", err)
	}
}

// schedule seals once that what is to come is here.
func (d *Depot) schedule(ctx context.Context, site Site) {
	now := wim.TimeOf(d.cfg.Now())
	var changed []wim.Change
	for i := range d.state.Wanted {
		p := &d.state.Wanted[i]
		if p.From <= now || slices.Contains(d.state.Said, p.Digest) || d.refused(p.Digest) != "" || !d.vault.has(p.Digest) {
			continue
		}
		d.state.Said = append(d.state.Said, p.Digest)
		changed = append(changed, wim.Change{Kind: p.Kind, Name: p.Name, From: d.activeAt(p), To: p.Digest, Outcome: wim.ChangeScheduled})
	}
	if len(changed) == 0 {
		return
	}
	if err := d.save(); err != nil {
		d.log.Warn("could not note what is scheduled", "err", err)
	}
	d.say(ctx, site, changed)
}

// activate has the site work by parcels. What fails is refused, parcel by parcel where that can be told.
func (d *Depot) activate(ctx context.Context, site Site, due []seal.Parcel, cause wim.ConfigurationCause, reason string) {
	w, err := d.build(due)
	if err == nil && d.cfg.Trial != nil && cause != wim.ConfiguredByHealth {
		err = d.trial(w)
	}
	if err != nil {
		if d.inactive != err.Error() {
			d.inactive = err.Error()
			d.log.Error("what the centre sent down cannot be activated; what is active stays", "err", err)
		}
		for i := range due {
			if !slices.Contains(d.state.Active, due[i]) {
				d.refuse(ctx, site, &due[i], err.Error())
			}
		}
		return
	}
	changed := d.changes(due, cause, reason)
	before := d.state
	d.state.Before, d.state.Active = d.state.Active, due
	if err := d.save(); err != nil {
		d.state = before
		d.log.Error("what is to be activated could not be noted; it is tried again", "err", err)
		return
	}
	switch err := site.Adopt(ctx, w, cause, changed); {
	case errors.Is(err, edge.ErrNotRunning): // it stops; the next start does it
		d.state = before
		if err := d.save(); err != nil {
			d.log.Warn("could not note that nothing was activated; the next start finds it by the last sealed record", "err", err)
		}
		return
	case err != nil && ctx.Err() == nil:
		d.log.Warn("what the centre sent down is active, and its record waits for the disk", "err", err)
	}
	d.m.activations.WithLabelValues(string(cause)).Inc()
	d.m.active.Set(float64(d.state.Serial))
	d.adopted = time.Now()
	if cause == wim.ConfiguredByHealth {
		d.adopted = time.Time{}
	}
	for _, c := range changed {
		d.log.Info("the site works by something else from here on", "part", c.Kind, "name", c.Name, "from", c.From.Short(), "to", c.To.Short(), "outcome", c.Outcome, "reason", c.Reason)
	}
}

// trial asks whether works would do. A panic is an answer too.
func (d *Depot) trial(w *edge.Works) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it panics when it is tried: %v", p)
		}
	}()
	return d.cfg.Trial(w)
}

// changes is what activating due changes, as it is sealed.
func (d *Depot) changes(due []seal.Parcel, cause wim.ConfigurationCause, reason string) []wim.Change {
	outcome := wim.ChangeActivated
	if cause == wim.ConfiguredByHealth {
		outcome = wim.ChangeRolledBack
	}
	out := []wim.Change{}
	for i := range due {
		if from := d.activeAt(&due[i]); from != due[i].Digest {
			out = append(out, wim.Change{Kind: due[i].Kind, Name: due[i].Name, From: from, To: due[i].Digest, Outcome: outcome, Reason: reason})
		}
	}
	for _, a := range d.state.Active {
		gone := !slices.ContainsFunc(due, func(p seal.Parcel) bool { return place(p.Kind, p.Name) == place(a.Kind, a.Name) })
		if gone {
			var to wim.Digest
			for _, o := range d.cfg.Own.Active {
				if place(o.Kind, o.Name) == place(a.Kind, a.Name) {
					to = o.Digest
				}
			}
			out = append(out, wim.Change{Kind: a.Kind, Name: a.Name, From: a.Digest, To: to, Outcome: outcome, Reason: reason})
		}
	}
	return out
}

// watch takes back what does not do well within its probation.
func (d *Depot) watch(ctx context.Context, site Site) {
	if d.adopted.IsZero() || d.cfg.Healthy == nil {
		return
	}
	err := d.cfg.Healthy()
	switch {
	case err != nil:
		reason := err.Error()
		for _, p := range d.state.Active {
			if !slices.Contains(d.state.Before, p) {
				d.state.Refused = append(d.state.Refused, refusal{p.Digest, reason})
			}
		}
		d.log.Error("what was activated does not do well and is taken back", "reason", reason)
		d.activate(ctx, site, d.state.Before, wim.ConfiguredByHealth, reason)
	case time.Since(d.adopted) >= d.cfg.Probation:
		d.adopted = time.Time{}
	}
}

// sweep deletes parcels that are neither wanted nor active nor where to go back to.
func (d *Depot) sweep() {
	needed := map[wim.Digest]bool{}
	for _, list := range [][]seal.Parcel{d.state.Wanted, d.state.Active, d.state.Before} {
		for _, p := range list {
			needed[p.Digest] = true
		}
	}
	if err := d.vault.sweep(needed); err != nil {
		d.log.Warn("could not delete parcels that nobody needs any more", "err", err)
	}
}

type metrics struct {
	manifests, fetches, activations *prometheus.CounterVec
	active                          prometheus.Gauge
}

func newMetrics() *metrics {
	return &metrics{
		manifests:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "axlegate_edge_manifests_total", Help: "Manifests of the centre, by what became of them."}, []string{"result"}),
		fetches:     prometheus.NewCounterVec(prometheus.CounterOpts{Name: "axlegate_edge_parcels_total", Help: "Parcels of manifests, by what became of them."}, []string{"result"}),
		activations: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "axlegate_edge_activations_total", Help: "Times the site came to work by something else, by cause."}, []string{"cause"}),
		active:      prometheus.NewGauge(prometheus.GaugeOpts{Name: "axlegate_edge_manifest_active", Help: "Serial of the manifest that was activated last in this run."}),
	}
}

// Describe implements prometheus.Collector.
func (d *Depot) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(d, ch) }

// Collect implements prometheus.Collector.
func (d *Depot) Collect(ch chan<- prometheus.Metric) {
	for _, c := range []prometheus.Collector{d.m.manifests, d.m.fetches, d.m.activations, d.m.active} {
		c.Collect(ch)
	}
}
