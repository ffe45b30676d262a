package review

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/rules"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// Store is what the review reads and writes.
type Store interface {
	// Unreviewed gives up to limit records that are next, in the order in which they must be reviewed.
	Unreviewed(ctx context.Context, limit int) ([]center.Received, error)
	// Unjudged gives up to limit reviewed records after an intake number whose judging is pending and known now.
	Unjudged(ctx context.Context, known func(center.Judging) bool, after int64, limit int) ([]center.Received, error)
	// Unread gives up to limit reviewed records that an earlier build kept unread and that known says can be read now.
	Unread(ctx context.Context, known func(kind wim.RecordKind, format int) bool, limit int) ([]center.Received, error)
	// Review writes what records call for and the cursor, all or nothing. It may be repeated.
	Review(ctx context.Context, batch []center.Reviewed) (center.Effect, error)
	// StoredHint gives a hint that records may have been stored.
	StoredHint() (hint <-chan struct{}, cancel func())
}

// Config says what a Review works with. Store and Rules are needed.
type Config struct {
	Store Store
	// Rules gives a compiled rule set by its digest; ok is false for one that the centre does not have.
	Rules func(wim.Digest) (set *rules.Set, ok bool)
	// Batch is how many records are written in one transaction; 0 means 128.
	Batch int
	// Idle is the longest time between two looks without a hint, and the pause after a failure; 0 means two
	// seconds.
	Idle   time.Duration
	Logger *slog.Logger // nil discards
}

// Validate tells what is missing.
func (c *Config) Validate() error {
	switch {
	case c.Store == nil:
		return errors.New("review: a store is needed")
	case c.Rules == nil:
		return errors.New("review: the rule sets are needed")
	case c.Batch < 0 || c.Idle < 0:
		return errors.New("review: batch and idle must not be negative")
	}
	return nil
}

// Review judges again and raises matters. Make it with New, then Run it once.
type Review struct {
	cfg Config
	log *slog.Logger
	m   *metrics

	verdict wim.Verdict // reused by judge; owned by Run
}

// New makes a Review.
func New(cfg Config) (*Review, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Batch == 0 {
		cfg.Batch = 128
	}
	if cfg.Idle == 0 {
		cfg.Idle = 2 * time.Second
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Review{cfg: cfg, log: cfg.Logger.With("part", "review"), m: newMetrics()}, nil
}

// Run reviews what is stored, first settling verdicts that could not be judged before, until ctx ends. A
// store that cannot be read or written is tried again.
func (v *Review) Run(ctx context.Context) error {
	hint, cancel := v.cfg.Store.StoredHint()
	defer cancel()
	settled := false
	for {
		var err error
		if !settled {
			settled, err = v.settle(ctx)
		}
		if err == nil {
			err = v.catchUp(ctx)
		}
		if ctx.Err() != nil {
			return nil
		}
		wake := hint
		if err != nil {
			v.m.failures.Inc()
			v.log.Error("review is held up; it goes on by itself", "error", err)
			wake = nil // a hint does not shorten the pause after a failure
		}
		t := time.NewTimer(v.cfg.Idle)
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-wake:
		case <-t.C:
		}
		t.Stop()
	}
}

// catchUp reviews batch by batch until nothing is left.
func (v *Review) catchUp(ctx context.Context) error {
	for {
		list, err := v.cfg.Store.Unreviewed(ctx, v.cfg.Batch)
		if err != nil || len(list) == 0 {
			return err
		}
		if err := v.write(ctx, list); err != nil {
			return err
		}
	}
}

// settle goes through everything that an earlier build could not read, then through everything whose judging was pending
// and is known now.
func (v *Review) settle(ctx context.Context) (done bool, err error) {
	known := func(j center.Judging) bool {
		_, ok := v.cfg.Rules(j.Rules)
		return ok && j.Judge == rules.Version
	}
	readable := func(k wim.RecordKind, format int) bool { return !seal.Opaque(&wim.Record{Kind: k, Format: format}) }
	for {
		list, err := v.cfg.Store.Unread(ctx, readable, v.cfg.Batch)
		if err != nil {
			return false, err
		}
		if len(list) == 0 {
			break
		}
		if err := v.write(ctx, list); err != nil {
			return false, err
		}
	}
	for {
		// What a round settles is no longer pending, so each round starts from the first.
		list, err := v.cfg.Store.Unjudged(ctx, known, 0, v.cfg.Batch)
		if err != nil || len(list) == 0 {
			return err == nil, err
		}
		if err := v.write(ctx, list); err != nil {
			return false, err
		}
	}
}

func (v *Review) write(ctx context.Context, list []center.Received) error {
	batch := make([]center.Reviewed, len(list))
	for i := range list {
		batch[i] = v.review(&list[i])
	}
	e, err := v.cfg.Store.Review(ctx, batch)
	if err != nil {
		return err
	}
	for i := range batch {
		v.m.rejudged(batch[i].Rejudged)
	}
	v.m.effect(e)
	return nil
}

// review decodes one record and judges it again.
func (v *Review) review(r *center.Received) center.Reviewed {
	out := center.Reviewed{Received: *r}
	if seal.IsTombstone(r.Raw) {
		out.Record = &wim.Record{Site: r.Ref.Site, Chain: r.Ref.Chain, Seq: r.Ref.Seq, Kind: wim.KindTombstone}
		if t, err := seal.PeekTombstone(r.Raw); err == nil { // the intake has verified it
			out.Detail = t.Reason
		}
		v.log.Warn("a site could not send a record; a tombstone stands in its place", "site", string(r.Ref.Site), "chain", r.Ref.Chain.String(), "seq", r.Ref.Seq, "reason", out.Detail)
		return out
	}
	rec, err := seal.Open(r.Raw)
	if err != nil {
		// The intake has opened it, so an earlier or later build did. It is kept, and this build says so.
		v.log.Error("a stored record cannot be read by this build", "site", string(r.Ref.Site), "chain", r.Ref.Chain.String(), "seq", r.Ref.Seq, "error", err)
		out.Record = &wim.Record{Site: r.Ref.Site, Chain: r.Ref.Chain, Seq: r.Ref.Seq}
		out.Detail = err.Error()
		return out
	}
	out.Record = rec
	if seal.Opaque(rec) {
		v.log.Warn("a record is kept unread until this program is upgraded", "site", string(r.Ref.Site), "seq", r.Ref.Seq, "kind", string(rec.Kind), "format", rec.Format)
		out.Opaque = true
		return out
	}
	if a, ok := center.AccountOf(r.Ref, rec); ok {
		out.Rejudged, out.Detail = v.judge(a.Facts, a.Verdict)
		if out.Rejudged == center.RejudgedDiffers {
			v.log.Error("a verdict differs from the one judged again here with the same rule set and judge", "site", string(r.Ref.Site),
				"chain", r.Ref.Chain.String(), "seq", r.Ref.Seq, "detail", out.Detail)
		}
	}
	return out
}

// judge repeats a verdict where the same set and the same judge are at hand.
func (v *Review) judge(f *wim.Facts, want *wim.Verdict) (center.Rejudged, string) {
	set, ok := v.cfg.Rules(want.Rules)
	if !ok || want.Judge != rules.Version {
		return center.RejudgedPending, ""
	}
	set.Judge(f, &v.verdict)
	if v.verdict.Equal(want) {
		return center.RejudgedSame, ""
	}
	return center.RejudgedDiffers, difference(want, &v.verdict)
}

// difference says in short how the site's verdict and ours differ.
func difference(site, ours *wim.Verdict) string {
	for i := range ours.Opinions {
		o := &ours.Opinions[i]
		s, ok := site.Of(o.Competence)
		if !ok || s != *o {
			return fmt.Sprintf("%s: the site found %s (%s), judged again it is %s (%s)", o.Competence, s.Outcome, s.Standing, o.Outcome, o.Standing)
		}
	}
	return fmt.Sprintf("the site has %d opinions and %d findings, judged again there are %d and %d, or one of them differs in its figures",
		len(site.Opinions), len(site.Findings), len(ours.Opinions), len(ours.Findings))
}

// Describe implements prometheus.Collector.
func (v *Review) Describe(ch chan<- *prometheus.Desc) { v.m.Describe(ch) }

// Collect implements prometheus.Collector.
func (v *Review) Collect(ch chan<- prometheus.Metric) { v.m.Collect(ch) }
