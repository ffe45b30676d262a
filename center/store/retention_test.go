package store_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/center/store/storetest"
	"github.com/axlegate/axlegate/wim"
)

// calendar is a clock that tests turn.
type calendar struct{ at atomic.Int64 }

func (c *calendar) set(year int, m time.Month, day int) {
	c.at.Store(time.Date(year, m, day, 12, 0, 0, 0, time.UTC).UnixNano())
}
func (c *calendar) now() time.Time { return time.Unix(0, c.at.Load()).UTC() }

func date(year int, m time.Month, day int) time.Time {
	return time.Date(year, m, day, 0, 0, 0, 0, time.UTC)
}

func put(t *testing.T, s *store.Store, segs ...store.Segment) []store.Result {
	t.Helper()
	r, err := s.StoreSegments(t.Context(), segs)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func review(t *testing.T, s *store.Store) center.Effect {
	t.Helper()
	e, err := storetest.Review(t, s, center.RejudgedSame)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func board(t *testing.T, s *store.Store) []center.Entry {
	t.Helper()
	e, _, err := s.Board(t.Context(), storetest.Viewer(wim.RoadAdministration), 100)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func entry(t *testing.T, s *store.Store, alert int64) (center.Entry, error) {
	t.Helper()
	return s.Entry(t.Context(), storetest.Viewer(wim.RoadAdministration), alert)
}

func prune(t *testing.T, s *store.Store, before time.Time) store.Pruned {
	t.Helper()
	p, err := s.Prune(t.Context(), before, "")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestRetentionTakesBytesAndLeavesDigestsAndOpenMatters(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		var clock calendar
		clock.set(2026, time.March, 3)
		s := p.open(func(c *store.Config) { c.Now = clock.now })
		c := storetest.NewChain(t, "north-1", 0).Quiet(5) // 1..6
		ended := c.Exceeded("川A00001")                    // 7
		c.Quiet(2)                                        // 8, 9
		c.Exceeded("川A00002")                             // 10 stays open
		put(t, s, c.Segment(1, 7), c.Segment(8, 10))
		review(t, s)
		// In April: more of the same, and a late supplement of March's open matter.
		clock.set(2026, time.April, 3)
		c.Quiet(4) // 11..14
		put(t, s, c.Segment(11, 14))
		review(t, s)
		if n := p.tamper(`UPDATE matter SET state = 'closed' WHERE plates LIKE '%00001%'`); n != 1 {
			t.Fatalf("%d matters closed", n)
		}
		if got := prune(t, s, date(2026, time.March, 31)); got.Months != nil {
			t.Errorf("March has not ended on its last day: %+v", got)
		}
		if err := s.Quarantine(t.Context(), store.Item{Site: "north-1", Reason: "x", Bytes: []byte("kept: it came in April")}); err != nil {
			t.Fatal(err)
		}
		got := prune(t, s, date(2026, time.April, 20))
		if !slices.Equal(got.Months, []string{"2026-03"}) || got.Removed != 8 || got.Emptied != 1 || got.Kept != 1 || got.Items != 0 {
			t.Errorf("%+v", got)
		}
		if got := prune(t, s, date(2026, time.April, 20)); got.Removed+got.Emptied != 0 {
			t.Errorf("again: %+v", got)
		}
		rep := p.audit()
		if rep.Records != 5 || rep.Pruned != 9 || rep.Chains[0].Seq != 14 || rep.Chains[0].Pruned != 9 {
			t.Errorf("%+v", rep)
		}
		// The open matter is whole; the ended one says what became of it.
		if e := board(t, s); len(e) != 1 || e[0].Matter.Plates[0] != "川A00002" {
			t.Errorf("%+v", e)
		}
		id := p.sum(`SELECT a.id FROM alert a JOIN matter m ON m.id = a.matter WHERE m.state = 'closed'`)
		if _, err := entry(t, s, id); !errors.Is(err, store.ErrPruned) || !errors.Is(err, center.ErrNotFound) {
			t.Errorf("an entry without its bytes: %v", err)
		}
		for _, x := range []struct {
			state  string
			pruned bool
			reads  int
		}{{"closed", true, 0}, {"alerted", false, 1}} {
			f, err := s.File(t.Context(), storetest.Viewer(wim.RoadAdministration), p.sum(`SELECT id FROM matter WHERE state = '`+x.state+`'`))
			if err != nil || f.Pruned != x.pruned || len(f.Accounts) != 1 || f.Accounts[0].Ref.Seq == 0 || len(f.Reads) != x.reads || len(f.Docket.Alerts) != 1 {
				t.Errorf("the file of a matter that is %s: %+v %v", x.state, f, err)
			}
		}
		if n := p.sum(`SELECT count(*) FROM segment WHERE jws = ''`); n != 1 {
			t.Errorf("%d segments without a signature, want that of the ended matter", n)
		}
		// What was removed is still held: it is known when it comes again, and another record under its name is a fork.
		if r := put(t, s, c.Segment(1, 7)); r[0].Duplicates != 7 || r[0].Fresh != 0 || r[0].Seq != 14 {
			t.Errorf("%+v", r[0])
		}
		if r := put(t, s, c.Split(2).Quiet(1).Segment(3, 3)); r[0].Fork == nil || r[0].Fork.Seq != 3 {
			t.Errorf("%+v", r[0])
		}
		// A supplement of a removed passage waits for nothing: it is alarmed.
		c.Supplement(wim.RecordRef{Site: c.Site, Chain: c.ID, Seq: 3, Digest: c.Records[2].Digest}, storetest.Verdict(storetest.Opinion(wim.RoadAdministration, wim.Exceeded, wim.Evidence)), "川A1")
		c.Supplement(ended, storetest.Verdict(storetest.Opinion(wim.RoadAdministration, wim.Exceeded, wim.Evidence)), "川A00001")
		put(t, s, c.Segment(15, 16))
		if e := review(t, s); e.Reviewed != 2 || e.Waiting != 0 || e.Opened+e.Extended != 0 {
			t.Errorf("%+v", e)
		}
		// Once the open matter has ended and its month is gone through again, its bytes go as well.
		p.tamper(`UPDATE matter SET state = 'dismissed' WHERE state <> 'closed'`)
		if got := prune(t, s, date(2026, time.April, 20)); got.Emptied != 1 || got.Removed != 0 || got.Kept != 0 {
			t.Errorf("after all have ended: %+v", got)
		}
		clock.set(2026, time.June, 3)
		if got := prune(t, s, date(2026, time.June, 1)); !slices.Equal(got.Months, []string{"2026-03", "2026-04"}) || got.Removed != 6 || got.Forks != 1 || got.Items != 1 {
			t.Errorf("%+v", got)
		}
		if rep := p.audit(); rep.Records != 0 || rep.Pruned != 16 || rep.Chains[0].Seq != 16 || rep.Chains[0].Forks != 1 {
			t.Errorf("%+v", rep)
		}
		// The chain goes on, and reviewing too.
		c.Exceeded("川A00003")
		put(t, s, c.Segment(17, 17))
		if e := review(t, s); e.Opened != 1 {
			t.Errorf("%+v", e)
		}
		p.audit()
	})
}

func TestRetentionKeepsWhatIsLinkedToAnOpenMatterAndTheLineOfAnEndedOnes(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		var clock calendar
		clock.set(2026, time.March, 3)
		s := p.open(func(c *store.Config) { c.Now = clock.now })
		c := storetest.NewChain(t, "north-1", 0).Quiet(1) // 1, 2
		quiet := c.Records[1]
		passed := wim.RecordRef{Site: "north-1", Chain: c.ID, Seq: 2, Digest: quiet.Digest}
		ended, open := c.Exceeded("川A00001"), c.Exceeded("川A00002") // 3, 4
		c.Transaction("ended", &ended)                              // 5
		c.Transaction("open", &open)                                // 6
		c.Transaction("of no matter", &passed)                      // 7
		c.Transaction("of none", nil)                               // 8
		put(t, s, c.All())
		review(t, s)
		clock.set(2026, time.April, 3)
		if n := p.tamper(`UPDATE matter SET state = 'closed' WHERE plates LIKE '%00001%'`); n != 1 {
			t.Fatalf("%d matters closed", n)
		}
		if got := prune(t, s, date(2026, time.April, 1)); got.Removed != 4 || got.Emptied != 2 || got.Kept != 2 {
			t.Errorf("%+v", got)
		}
		p.audit()
		for state, kept := range map[string]bool{"closed": false, "alerted": true} {
			f, err := s.File(t.Context(), storetest.Viewer(wim.RoadAdministration), p.sum(`SELECT id FROM matter WHERE state = '`+state+`'`))
			if err != nil || len(f.Linked) != 1 || f.Linked[0].Ref.Seq == 0 || (f.Linked[0].Transaction != nil) != kept {
				t.Errorf("the file of a matter that is %s: %+v %v", state, f.Linked, err)
			}
		}
	})
}

func TestRetentionLeavesWhatWasNotReviewedOrLiesBeyondAHole(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		var clock calendar
		clock.set(2026, time.March, 3)
		s := p.open(func(c *store.Config) { c.Now = clock.now })
		c := storetest.NewChain(t, "north-1", 0).Quiet(9)
		put(t, s, c.Segment(1, 2), c.Segment(7, 8))
		clock.set(2026, time.May, 3)
		if got := prune(t, s, date(2026, time.May, 1)); got.Months != nil {
			t.Errorf("not reviewed: %+v", got)
		}
		review(t, s)
		if got := prune(t, s, date(2026, time.May, 1)); got.Removed != 2 || got.Kept != 2 {
			t.Errorf("beyond a hole: %+v", got)
		}
		if r := put(t, s, c.Segment(3, 6)); r[0].Seq != 8 || r[0].Fork != nil {
			t.Errorf("the hole closes: %+v", r[0])
		}
		p.audit()
	})
}

func TestRetentionNeverTouchesTheMonthInWhichRecordsCome(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		var clock, behind calendar
		clock.set(2026, time.March, 3)
		behind.set(2026, time.March, 3)
		s := p.open(func(c *store.Config) { c.Now = clock.now })
		c := storetest.NewChain(t, "north-1", 0).Quiet(9)
		put(t, s, c.Segment(1, 2))
		review(t, s)
		if got := prune(t, s, date(2100, time.January, 1)); got.Months != nil {
			t.Errorf("whatever is asked for: %+v", got)
		}
		clock.set(2026, time.May, 3)
		if got := prune(t, s, date(2026, time.May, 3)); got.Removed != 2 {
			t.Errorf("%+v", got)
		}
		// A centre that believes it is March still gives numbers of May.
		if p.cfg.URL != "" {
			late := p.open(func(c *store.Config) { c.Now = behind.now })
			put(t, late, c.Segment(3, 4))
		} else {
			clock.set(2026, time.March, 4)
			put(t, s, c.Segment(3, 4))
		}
		clock.set(2026, time.May, 4)
		list, err := s.Unreviewed(t.Context(), 10)
		if may := int64((2026-1970)*12 + 4); err != nil || len(list) != 2 || list[0].Intake>>40 != may {
			t.Fatalf("%d records, not of May: %v", len(list), err)
		}
		if _, left, err := s.Waiting(t.Context()); err != nil || left != 2 {
			t.Errorf("%d left, %v", left, err)
		}
		if got := prune(t, s, date(2026, time.June, 1)); got.Months != nil {
			t.Errorf("%+v", got)
		}
		p.audit()
	})
}

func TestRetentionIsAuditedForWhatItDidNotTake(t *testing.T) {
	for _, x := range []struct{ name, change, want string }{
		{"a record that somebody else removed", `DELETE FROM record WHERE seq = 10`, "in the ledger"},
		{"bytes that somebody else removed", `UPDATE record SET raw = substr(raw, 1, 0) WHERE seq = 10`, "without their bytes"},
		{"a digest of a removed record", `UPDATE ledger SET digest = (SELECT digest FROM ledger WHERE seq = 1) WHERE seq = 9`, "links to"},
	} {
		t.Run(x.name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, p *place) {
				var clock calendar
				clock.set(2026, time.March, 3)
				s := p.open(func(c *store.Config) { c.Now = clock.now })
				c := storetest.NewChain(t, "north-1", 0).Quiet(8)
				c.Exceeded("川A00002") // 10
				put(t, s, c.All())
				review(t, s)
				clock.set(2026, time.April, 3)
				prune(t, s, date(2026, time.April, 1))
				p.audit()
				p.tamper(x.change)
				rep, err := store.Audit(t.Context(), p.name, nil)
				if err != nil || !strings.Contains(strings.Join(rep.Problems, "\n"), x.want) {
					t.Errorf("%v %v, want: %s", rep.Problems, err, x.want)
				}
			})
		})
	}
}

func TestIntakeNumbersRiseOverTheMonths(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		var clock calendar
		clock.set(2026, time.December, 30)
		s := p.open(func(c *store.Config) { c.Now = clock.now })
		c := storetest.NewChain(t, "north-1", 0).Quiet(9)
		from := 1
		for i, at := range []time.Time{date(2026, time.December, 31), date(2027, time.January, 1), date(2027, time.March, 1), date(2027, time.February, 1)} {
			clock.at.Store(at.UnixNano())
			put(t, s, c.Segment(from, from+1))
			from += 2
			if _, left, err := s.Waiting(t.Context()); err != nil || left != int64(2*(i+1)) {
				t.Errorf("%d left to review, %v", left, err)
			}
		}
		list, err := s.Unreviewed(t.Context(), 100)
		if err != nil || len(list) != 8 {
			t.Fatalf("%d %v", len(list), err)
		}
		for i := range list {
			if list[i].Ref.Seq != uint64(i+1) || i > 0 && list[i].Intake <= list[i-1].Intake {
				t.Errorf("%d: %+v", i, list[i].Ref)
			}
		}
		if e := review(t, s); e.Reviewed != 8 {
			t.Errorf("%+v", e)
		}
		p.audit()
	})
}

func TestAFileShrinksWhenRetentionHasBeenThroughIt(t *testing.T) {
	var clock calendar
	clock.set(2026, time.March, 3)
	path := t.TempDir() + "/c.db"
	p := newPlace(t, store.Config{Path: path}, "sqlite", path)
	s := p.open(func(c *store.Config) { c.Now = clock.now })
	c := storetest.NewChain(t, "north-1", 0).Quiet(511)
	put(t, s, c.All())
	review(t, s)
	size := func() int64 {
		st, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return st.Size()
	}
	if _, err := p.db.ExecContext(t.Context(), `PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		t.Fatal(err)
	}
	before := size()
	clock.set(2026, time.April, 3)
	prune(t, s, date(2026, time.April, 1))
	if after := size(); after > before/2 {
		t.Errorf("%d bytes, then %d", before, after)
	}
	p.audit()
}

func TestABoardWhoseOnlyAlertRetentionHasEmptiedIsEmpty(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		var clock calendar
		clock.set(2026, time.March, 3)
		s := p.open(func(c *store.Config) { c.Now = clock.now })
		c := storetest.NewChain(t, "north-1", 0)
		c.Exceeded("川A00001")
		c.Quiet(1)
		put(t, s, c.All())
		review(t, s)
		p.tamper(`UPDATE matter SET state = 'closed'`)
		clock.set(2026, time.April, 20)
		prune(t, s, date(2026, time.April, 1))
		e, last, err := s.Board(t.Context(), storetest.Viewer(wim.RoadAdministration), 1)
		if err != nil || len(e) != 0 || last != 1 {
			t.Errorf("%d entries, last event %d, %v", len(e), last, err)
		}
	})
}
