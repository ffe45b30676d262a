package store_test

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/center/store/storetest"
	"github.com/axlegate/axlegate/wim"
)

func TestWhatStoodInAnothersWayIsTriedAgainWithinBounds(t *testing.T) {
	for _, code := range []string{"40001", "40P01"} {
		for _, x := range []struct {
			name  string
			fails int
			ok    bool
		}{{"three times", 3, true}, {"for ever", 1000, false}} {
			t.Run(code+" "+x.name, func(t *testing.T) {
				p := newPostgres(t)
				s := p.open()
				n := 0
				s.OnCommit(func(q *sql.Tx) error {
					if n++; n <= x.fails {
						return errors.Join(&pgconn.PgError{Code: code}, q.Rollback())
					}
					return q.Commit()
				})
				c := storetest.NewChain(t, "north-1", 0).Quiet(3)
				r, err := s.StoreSegment(t.Context(), c.All())
				if (err == nil) != x.ok || x.ok && (r.Fresh != 4 || n != 4) || n > 20 {
					t.Errorf("%+v %v after %d turns", r, err, n)
				}
			})
		}
	}
}

// Two transactions that hold what the other wants: PostgreSQL ends one, and it goes through on its next turn.
func TestADeadlockIsSeenByNobody(t *testing.T) {
	p := newPostgres(t)
	s := p.open()
	for _, site := range []string{"a", "b"} {
		if err := s.Quarantine(t.Context(), store.Item{Site: wim.SiteID(site), Reason: "x", Bytes: []byte(site)}); err != nil {
			t.Fatal(err)
		}
	}
	// A stranger holds b's alarm and then wants a's; this store looks into a's alarms and then into b's, held
	// by a trigger until the stranger has begun.
	p.tamper(`CREATE FUNCTION meet() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM 1 FROM alarm WHERE site = 'b' FOR UPDATE; RETURN OLD; END $$`)
	p.tamper(`CREATE TRIGGER meet BEFORE DELETE ON alarm FOR EACH ROW WHEN (OLD.site = 'a') EXECUTE FUNCTION meet()`)
	other, err := p.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.ExecContext(t.Context(), `SELECT 1 FROM alarm WHERE site = 'b' FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	// The stranger is never the victim: it waits longer before it looks for a deadlock.
	if _, err := other.ExecContext(t.Context(), `SET LOCAL deadlock_timeout = '1h'`); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		if err := lookInto(t, s, "a"); err != nil {
			t.Errorf("it was not tried again: %v", err)
		}
	})
	until(t, "the store waits for the stranger", func() bool {
		return p.sum(`SELECT count(*) FROM pg_locks WHERE NOT granted`) > 0
	})
	all.Go(func() {
		if _, err := other.ExecContext(t.Context(), `UPDATE alarm SET count = count + 1 WHERE site = 'a'`); err != nil {
			t.Error(err)
		}
		if err := other.Commit(); err != nil {
			t.Error(err)
		}
	})
	all.Wait()
	if n := p.sum(`SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`); n == 0 {
		until(t, "the deadlock is counted", func() bool {
			return p.sum(`SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`) > 0
		})
	}
	if got := alarms(t, s, "a"); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

func lookInto(t *testing.T, s *store.Store, site wim.SiteID) error {
	t.Helper()
	return s.LookedInto(t.Context(), storetest.Overseer(), site)
}

func TestTheTrailOnlyGrowsInBothForms(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		s := p.open()
		putOfficer(t, s, center.Officer{Login: "wang", Role: center.Enforcer, Competence: wim.RoadAdministration, Hash: "h"})
		statements := []string{`UPDATE trail SET login = 'li'`, `DELETE FROM trail`}
		if p.cfg.URL != "" {
			statements = append(statements, `TRUNCATE trail`)
		}
		for _, q := range statements {
			if _, err := p.db.ExecContext(t.Context(), q); err == nil || !strings.Contains(err.Error(), "append only") {
				t.Errorf("%s: %v", q, err)
			}
		}
	})
}

func TestCentresThatMeetANewMonthAtOnceMakeItOnce(t *testing.T) {
	p := newPostgres(t)
	var clock calendar
	clock.set(2026, time.March, 31)
	const centres = 4
	var stores [centres]*store.Store
	var chains [centres]*storetest.Chain
	for i := range stores {
		stores[i] = p.open(func(c *store.Config) { c.Now = clock.now })
		chains[i] = storetest.NewChain(t, wim.SiteID(fmt.Sprintf("site-%d", i)), 0).Quiet(4)
	}
	for turn, m := range []time.Month{time.March, time.April, time.July, time.August, time.December} {
		clock.set(2026, m, 1)
		var all sync.WaitGroup
		for i, s := range stores {
			seg := chains[i].Segment(turn+1, turn+1)
			all.Go(func() {
				if _, err := s.StoreSegments(t.Context(), []store.Segment{seg}); err != nil {
					t.Errorf("%s: %v", m, err)
				}
			})
		}
		all.Wait()
	}
	if n := p.sum(`SELECT count(*) FROM pg_inherits WHERE inhparent = 'record'::regclass`); n != 8 {
		t.Errorf("%d partitions of record, want those of March to May, July to September, December and January", n)
	}
	if rep := p.audit(); rep.Records != 5*centres {
		t.Errorf("%+v", rep)
	}
}

func TestAStoreThatIsClosedLeavesNoConnection(t *testing.T) {
	p := newPostgres(t)
	s, err := store.Open(t.Context(), p.cfg)
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, storetest.NewChain(t, "north-1", 0).Quiet(3).All())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	until(t, "nobody but this test is connected", func() bool {
		return p.sum(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`) == 0
	})
}

// What a reader sees does not change while it reads.
func TestAReaderHasOneView(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		s := p.open()
		c := storetest.NewChain(t, "north-1", 0)
		for range 40 {
			c.Exceeded("川A12345")
		}
		done := make(chan struct{})
		var all sync.WaitGroup
		all.Go(func() {
			defer close(done)
			for i := range c.Records {
				if _, err := s.StoreSegment(t.Context(), c.Segment(i+1, i+1)); err != nil {
					t.Error(err)
				}
				review(t, s)
			}
		})
		for running := true; running; {
			select {
			case <-done:
				running = false
			default:
			}
			// Every matter here has one alert and one event: what one statement reads fits what the next does.
			e, last, err := s.Board(t.Context(), storetest.Viewer(wim.RoadAdministration), 1000)
			if err != nil || int64(len(e)) != last {
				t.Fatalf("%d entries, last event %d, %v", len(e), last, err)
			}
		}
		all.Wait()
	})
}
