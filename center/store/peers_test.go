package store_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/center/store/storetest"
	"github.com/axlegate/axlegate/wim"
)

func hinted(c <-chan struct{}) func() bool {
	return func() bool {
		select {
		case <-c:
			return true
		default:
			return false
		}
	}
}

func TestCentresHearOfWhatOthersWrite(t *testing.T) {
	p := newPostgres(t)
	a, b := p.open(), p.open()
	stored, cancel := b.StoredHint()
	defer cancel()
	changed, cancelChanged := b.Changed()
	defer cancelChanged()
	c := storetest.NewChain(t, "north-1", 0)
	keys, cancelKeys := b.KeysHint()
	defer cancelKeys()
	hear := func() {
		t.Helper()
		c.Exceeded("川A12345")
		put(t, a, c.Segment(len(c.Records), len(c.Records)))
		until(t, "b hears of the record", hinted(stored))
		review(t, a)
		until(t, "b hears of the events", hinted(changed))
	}
	put(t, a, c.All())
	hear()
	c.Quiet(1)
	seg := c.Segment(len(c.Records), len(c.Records))
	seg.Ending = &store.Ending{Old: "old", Chain: c.ID, Seq: 1}
	put(t, a, seg)
	until(t, "b hears that a key has ended", hinted(keys))
	// The connections are cut: what was said in between is found when they are made again.
	p.tamper(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	until(t, "a writes again", func() bool { _, err := a.Heads(t.Context()); return err == nil })
	hear()
}

// Several centres review at once, each with a store of its own on one database: every record is reviewed
// once, nothing is doubled, and whoever reads "after id" while they write misses no event.
func TestCentresReviewTogetherWithoutDoubleWork(t *testing.T) {
	p := newPostgres(t)
	const records, centres = 60, 3
	c := storetest.NewChain(t, "north-1", 0)
	for range records - 1 {
		c.Exceeded("川A12345")
	}
	var all, readers sync.WaitGroup
	var opened, raised atomic.Int64
	stores := make([]*store.Store, centres)
	for i := range stores {
		stores[i] = p.open()
	}
	var next atomic.Int64
	for i, s := range stores {
		all.Go(func() { // stores
			for {
				n := int(next.Add(1))
				if n > records {
					return
				}
				if _, err := s.StoreSegment(t.Context(), c.Segment(n, n)); err != nil {
					t.Error(err)
					return
				}
			}
		})
		all.Go(func() { // reviews
			for {
				list, err := s.Unreviewed(t.Context(), 1+i*3)
				if err != nil {
					t.Error(err)
					return
				}
				if len(list) == 0 {
					if _, left, err := s.Waiting(t.Context()); err != nil || left == 0 && next.Load() > records+centres-1 {
						return
					}
					time.Sleep(time.Millisecond)
					continue
				}
				e, err := s.Review(t.Context(), storetest.Reviewed(t, list, center.RejudgedSame))
				if err != nil {
					t.Error(err)
					return
				}
				opened.Add(int64(e.Opened))
				raised.Add(int64(e.Raised))
			}
		})
	}
	seen := make([]int64, centres)
	stop := make(chan struct{})
	for i, s := range stores {
		readers.Go(func() {
			for done := false; !done; {
				select {
				case <-stop:
					done = true // and once more
				default:
				}
				ev, err := s.EventsAfter(t.Context(), storetest.Viewer(wim.RoadAdministration), seen[i], 7)
				if err != nil {
					t.Error(err)
					return
				}
				for _, e := range ev {
					if e.ID != seen[i]+1 {
						t.Errorf("centre %d: event %d after %d", i, e.ID, seen[i])
					}
					seen[i] = e.ID
				}
				if len(ev) > 0 {
					done = false
				}
			}
		})
	}
	all.Wait()
	close(stop)
	readers.Wait()
	if opened.Load() != records-1 || raised.Load() != records-1 {
		t.Errorf("%d matters, %d alerts for %d passages", opened.Load(), raised.Load(), records-1)
	}
	for i, n := range seen {
		if n != records-1 {
			t.Errorf("centre %d saw %d events", i, n)
		}
	}
	rep := p.audit()
	if rep.Chains[0].Seq != records || rep.Events != records-1 {
		t.Errorf("%+v", rep)
	}
}

// Whatever pieces a chain comes in, in whatever order, however often and at whichever of two centres: what is
// held is the chain, once.
func TestSegmentsInAnyOrderAtTwoCentresMakeOneChain(t *testing.T) {
	p := newPostgres(t)
	a, b := p.open(), p.open()
	n := 0
	rapid.Check(t, func(t2 *rapid.T) {
		n++
		c := storetest.NewChain(t, wim.SiteID(fmt.Sprintf("site-%d", n)), 0).Quiet(rapid.IntRange(0, 20).Draw(t2, "records"))
		last := len(c.Records)
		type piece struct{ from, to int }
		var pieces []piece
		for from := 1; from <= last; {
			to := min(from+rapid.IntRange(0, 5).Draw(t2, "more"), last)
			pieces = append(pieces, piece{from, to})
			if rapid.Bool().Draw(t2, "again") {
				pieces = append(pieces, piece{max(1, from-2), to})
			}
			from = to + 1
		}
		pieces = rapid.Permutation(pieces).Draw(t2, "order")
		// Both centres work through them, in batches, at once.
		var work [2][][]store.Segment
		for len(pieces) > 0 {
			k := rapid.IntRange(1, len(pieces)).Draw(t2, "batch")
			var segs []store.Segment
			for _, x := range pieces[:k] {
				segs = append(segs, c.Segment(x.from, x.to))
			}
			at := rapid.IntRange(0, 1).Draw(t2, "centre")
			work[at], pieces = append(work[at], segs), pieces[k:]
		}
		var all sync.WaitGroup
		var fresh atomic.Int64
		for i, s := range []*store.Store{a, b} {
			all.Go(func() {
				for _, segs := range work[i] {
					res, err := s.StoreSegments(t.Context(), segs)
					if err != nil {
						t.Error(err)
						return
					}
					for _, r := range res {
						fresh.Add(int64(r.Fresh))
						if r.Fork != nil {
							t.Errorf("a fork: %+v", r.Fork)
						}
					}
				}
			})
		}
		all.Wait()
		r := put(t, a, c.Segment(last, last))[0]
		if int(fresh.Load()) != last || r.Seq != uint64(last) || r.Digest != c.Records[last-1].Digest {
			t2.Fatalf("%d fresh of %d, head %d", fresh.Load(), last, r.Seq)
		}
	})
	p.audit()
}

func TestTwoCentresThatStartAtOnceMakeOneSchema(t *testing.T) {
	p := newPostgres(t)
	var all sync.WaitGroup
	stores := make([]*store.Store, 4)
	for i := range stores {
		all.Go(func() { stores[i] = p.open() })
	}
	all.Wait()
	for _, s := range stores {
		if s == nil || s.Epoch() != stores[0].Epoch() {
			t.Errorf("epochs differ")
		}
	}
	if _, err := store.Open(t.Context(), p.cfg); err != nil {
		t.Error(err)
	}
	p.tamper(`INSERT INTO schema_version (version, applied) VALUES (99, 0)`)
	if _, err := store.Open(t.Context(), p.cfg); err == nil || !strings.Contains(err.Error(), "schema version 99") {
		t.Errorf("a later build's database: %v", err)
	}
}

func TestADatabaseOfSomethingElseIsRefused(t *testing.T) {
	p := newPostgres(t)
	p.tamper(`CREATE TABLE cake (x INTEGER)`)
	if _, err := store.Open(t.Context(), p.cfg); err == nil || !strings.Contains(err.Error(), "something else") {
		t.Errorf("%v", err)
	}
}
