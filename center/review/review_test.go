package review

import (
	"context"
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/center/store/storetest"
	"github.com/axlegate/axlegate/configs"
	"github.com/axlegate/axlegate/rules"
	"github.com/axlegate/axlegate/wim"
)

// china is the shipped rule set.
func china(t testing.TB) *rules.Set {
	t.Helper()
	b, err := configs.Rules("cn-2016-62")
	if err != nil {
		t.Fatal(err)
	}
	s, err := rules.Load("cn-2016-62", b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func having(sets ...*rules.Set) func(wim.Digest) (*rules.Set, bool) {
	return func(d wim.Digest) (*rules.Set, bool) {
		for _, s := range sets {
			if s.Digest() == d {
				return s, true
			}
		}
		return nil, false
	}
}

// judged adds a passage of a truck with that gross mass, judged as a site would.
func judged(c *storetest.Chain, set *rules.Set, gross wim.Kg, change ...func(*wim.Passage)) wim.RecordRef {
	p := &wim.Passage{Source: wim.DeviceCursor{Device: "scale-1", Boot: 1, Seq: 1}, Facts: c.Facts(gross, "川A12345"), Reads: []wim.PlateRead{}}
	set.Judge(&p.Facts, &p.Verdict)
	for _, f := range change {
		f(p)
	}
	return c.Add(&wim.Record{Kind: wim.KindPassage, Passage: p})
}

func openStore(t testing.TB) *store.Store {
	t.Helper()
	s, err := store.OpenSQLite(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "c.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func put(t testing.TB, s *store.Store, seg store.Segment) {
	t.Helper()
	if _, err := s.StoreSegment(t.Context(), seg); err != nil {
		t.Fatal(err)
	}
}

// start runs a review and returns how to stop it, which waits.
func start(t testing.TB, cfg Config) (r *Review, stop func()) {
	t.Helper()
	r, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	return r, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// until looks after every change of the store, and now and then without one.
func until(t testing.TB, s *store.Store, what string, cond func() bool) {
	t.Helper()
	hint, cancel := s.Changed()
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond) // reviews that raise nothing give no hint
	defer tick.Stop()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	for !cond() {
		select {
		case <-hint:
		case <-tick.C:
		case <-limit.C:
			t.Fatalf("waited for %s", what)
		}
	}
}

func idle(t testing.TB, s *store.Store) func() bool {
	return func() bool {
		_, left, err := s.Waiting(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return left == 0
	}
}

func board(t testing.TB, s *store.Store) []center.Entry {
	t.Helper()
	e, _, err := s.Board(t.Context(), storetest.Viewer(wim.RoadAdministration), 100)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestAVerdictIsJudgedAgainAndRaisesWhatItCallsFor(t *testing.T) {
	set, s := china(t), openStore(t)
	c := storetest.NewChain(t, "north-1", 0)
	judged(c, set, 25_000)
	over := judged(c, set, 60_000)
	_, stop := start(t, Config{Store: s, Rules: having(set)})
	defer stop()
	put(t, s, c.All()) // after the review has begun to wait, or before: both must do
	until(t, s, "an alert", func() bool { return len(board(t, s)) == 1 })
	e := board(t, s)[0]
	if e.Matter.Opening != over || e.Rejudged != center.RejudgedSame || e.Alert.Outcome != wim.Exceeded {
		t.Errorf("%+v", e)
	}
	if a, err := s.Alarms(t.Context(), storetest.Overseer(), "north-1"); err != nil || len(a) != 0 {
		t.Errorf("%+v %v", a, err)
	}
	// And again, while it waits for a hint.
	judged(c, set, 61_000)
	put(t, s, c.Segment(4, 4))
	until(t, s, "a second alert", func() bool { return len(board(t, s)) == 2 })
}

func TestAVerdictThatDiffersIsAnAlarm(t *testing.T) {
	for _, x := range []struct {
		name   string
		change func(*wim.Passage)
	}{
		{"an outcome that was made milder", func(p *wim.Passage) { p.Verdict.Opinions[0].Outcome = wim.Compliant }},
		{"a figure of a finding", func(p *wim.Passage) { p.Verdict.Findings[0].Deducted++ }},
		{"a finding that is missing", func(p *wim.Passage) { p.Verdict.Findings = p.Verdict.Findings[1:] }},
		{"facts that were changed after judging", func(p *wim.Passage) { p.Facts.Vehicle.Gross = 30_000 }},
	} {
		t.Run(x.name, func(t *testing.T) {
			set, s := china(t), openStore(t)
			c := storetest.NewChain(t, "north-1", 0)
			judged(c, set, 60_000, x.change)
			put(t, s, c.All())
			_, stop := start(t, Config{Store: s, Rules: having(set)})
			defer stop()
			until(t, s, "the review", idle(t, s))
			a, err := s.Alarms(t.Context(), storetest.Overseer(), "north-1")
			if err != nil || len(a) != 1 || a[0].Kind != center.AlarmVerdict || a[0].Detail == "" {
				t.Errorf("%+v %v", a, err)
			}
		})
	}
}

func TestASetThatComesLaterSettlesWhatWasPending(t *testing.T) {
	set, s := china(t), openStore(t)
	c := storetest.NewChain(t, "north-1", 0)
	for range 5 {
		judged(c, set, 60_000)
	}
	judged(c, set, 60_000, func(p *wim.Passage) { p.Verdict.Judge = "0" }) // by a judge that is gone
	put(t, s, c.All())
	_, stop := start(t, Config{Store: s, Rules: having(), Batch: 2})
	until(t, s, "the review", idle(t, s))
	stop()
	count := func(want center.Rejudged) (n int) {
		for _, e := range board(t, s) {
			if e.Rejudged == want {
				n++
			}
		}
		return n
	}
	if n := count(center.RejudgedPending); n != 6 {
		t.Fatalf("%d pending; an unknown set must not hold up an alert", n)
	}
	_, stop = start(t, Config{Store: s, Rules: having(set), Batch: 2})
	defer stop()
	until(t, s, "five settled verdicts", func() bool { return count(center.RejudgedSame) == 5 })
	if n := count(center.RejudgedPending); n != 1 {
		t.Errorf("%d of another judge's version", n)
	}
}

func TestAVerdictOfAnotherJudgeIsPendingAndNoAlarm(t *testing.T) {
	set, s := china(t), openStore(t)
	c := storetest.NewChain(t, "north-1", 0)
	judged(c, set, 60_000, func(p *wim.Passage) { p.Verdict.Judge = "0" })
	put(t, s, c.All())
	_, stop := start(t, Config{Store: s, Rules: having(set)})
	defer stop()
	until(t, s, "the review", idle(t, s))
	if e := board(t, s); len(e) != 1 || e[0].Rejudged != center.RejudgedPending {
		t.Errorf("%+v", e)
	}
	if a, err := s.Alarms(t.Context(), storetest.Overseer(), "north-1"); err != nil || len(a) != 0 {
		t.Errorf("%+v %v", a, err)
	}
}

// flaky fails every operation once in a while.
type flaky struct {
	*store.Store
	reads, writes atomic.Int64
}

var errFlaky = errors.New("store is away")

func (f *flaky) Unreviewed(ctx context.Context, limit int) ([]center.Received, error) {
	if f.reads.Add(1)%3 == 1 {
		return nil, errFlaky
	}
	return f.Store.Unreviewed(ctx, limit)
}

func (f *flaky) Review(ctx context.Context, b []center.Reviewed) (center.Effect, error) {
	switch f.writes.Add(1) % 3 {
	case 0:
		return center.Effect{}, errFlaky // not kept
	case 1:
		if _, err := f.Store.Review(ctx, b); err != nil {
			return center.Effect{}, err
		}
		return center.Effect{}, errFlaky // kept, but the answer was lost
	}
	return f.Store.Review(ctx, b)
}

func TestAStoreThatComesAndGoesDoublesNothing(t *testing.T) {
	set, s := china(t), openStore(t)
	c := storetest.NewChain(t, "north-1", 0)
	for range 20 {
		judged(c, set, 60_000)
	}
	put(t, s, c.All())
	r, stop := start(t, Config{Store: &flaky{Store: s}, Rules: having(set), Batch: 3, Idle: time.Millisecond})
	until(t, s, "the review", idle(t, s))
	stop()
	if n := len(board(t, s)); n != 20 {
		t.Errorf("%d alerts", n)
	}
	if ev, err := s.EventsAfter(t.Context(), storetest.Viewer(wim.RoadAdministration), 0, 100); err != nil || len(ev) != 20 {
		t.Errorf("%d events, %v", len(ev), err)
	}
	reg := prometheus.NewPedanticRegistry()
	if err := reg.Register(r); err != nil {
		t.Fatal(err)
	}
	if _, err := reg.Gather(); err != nil {
		t.Error(err)
	}
}

func TestWhatCannotBeReadIsPassedOver(t *testing.T) {
	r, err := New(Config{Store: &flaky{}, Rules: having()})
	if err != nil {
		t.Fatal(err)
	}
	got := r.review(&center.Received{Intake: 7, Ref: wim.RecordRef{Site: "north-1", Seq: 3}, Raw: []byte("{}")})
	if got.Detail == "" || got.Rejudged != "" || got.Record == nil || got.Intake != 7 {
		t.Errorf("%+v", got)
	}
}

func TestConfigThatCannotWork(t *testing.T) {
	for _, c := range []struct {
		name string
		cfg  Config
	}{
		{"no store", Config{Rules: having()}},
		{"no rules", Config{Store: &flaky{}}},
		{"a negative batch", Config{Store: &flaky{}, Rules: having(), Batch: -1}},
	} {
		if _, err := New(c.cfg); err == nil {
			t.Errorf("%s is accepted", c.name)
		}
	}
}
