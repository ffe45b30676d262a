package store_test

import (
	"testing"

	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/center/store/storetest"
	"github.com/axlegate/axlegate/internal/testenv"
)

// restore puts a dump into a database, in place of what that holds.
func restore(t *testing.T, server *testenv.PostgresInstance, file, url string) {
	t.Helper()
	postgresAt(t, url).tamper(`DROP SCHEMA public CASCADE; CREATE SCHEMA public`)
	server.Restore(t, file, url)
}

func TestACentreThatJoinsOthersKeepsTheirEpoch(t *testing.T) {
	p := newPostgres(t)
	a := p.open()
	first := a.Epoch()
	b, err := store.Open(t.Context(), p.cfg)
	if err != nil {
		t.Fatal(err)
	}
	c := storetest.NewChain(t, "north-1", 0).Quiet(3)
	if r := put(t, b, c.All()); b.Epoch() != first || r[0].Epoch != first {
		t.Errorf("epoch %d, the second centre's %d, its receipts' %d", first, b.Epoch(), r[0].Epoch)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = p.open()
	if b.Epoch() != first {
		t.Errorf("epoch %d, and %d after the second centre came back", first, b.Epoch())
	}
	// Once all have left, the next one begins a new epoch.
	for _, s := range []*store.Store{a, b} {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if s := p.open(); s.Epoch() <= first {
		t.Errorf("epoch %d, then %d", first, s.Epoch())
	}
}

func TestARestoredDumpHasAHigherEpochAndLowerHeads(t *testing.T) {
	server := testenv.NewPostgres(t)
	p := postgresAt(t, server.Database(t))
	a := p.open()
	c := storetest.NewChain(t, "north-1", 0).Quiet(9)
	put(t, a, c.Segment(1, 4))
	file, copied := t.TempDir()+"/dump", server.Database(t)
	server.Dump(t, p.cfg.URL, file)
	before := put(t, a, c.Segment(5, 10))[0]
	server.Restore(t, file, copied)
	r := postgresAt(t, copied)
	s := r.open()
	heads, err := s.Heads(t.Context())
	if err != nil || len(heads) != 1 || heads[0].Seq != 4 || heads[0].Epoch <= before.Epoch {
		t.Fatalf("%+v %v, before %+v", heads, err, before)
	}
	if got := put(t, s, c.Segment(5, 10))[0]; got.Seq != 10 || got.Fresh != 6 || got.Epoch != heads[0].Epoch {
		t.Errorf("%+v", got)
	}
	r.audit()
}

// A database that is restored under centres that run, into the same name, has a new epoch with the first
// thing that any of them tells.
func TestADumpRestoredUnderRunningCentresHasAHigherEpoch(t *testing.T) {
	server := testenv.NewPostgres(t)
	p := postgresAt(t, server.Database(t))
	one, two := p.open(), p.open()
	c := storetest.NewChain(t, "north-1", 0).Quiet(9)
	put(t, one, c.Segment(1, 4))
	file := t.TempDir() + "/dump"
	server.Dump(t, p.cfg.URL, file)
	before := put(t, one, c.Segment(5, 8))[0]
	restore(t, server, file, p.cfg.URL)
	heads, err := two.Heads(t.Context())
	if err != nil || len(heads) != 1 || heads[0].Seq != 4 || heads[0].Epoch <= before.Epoch {
		t.Errorf("%+v %v, before %+v", heads, err, before)
	}
	if got := put(t, one, c.Segment(5, 10))[0]; got.Epoch != heads[0].Epoch || got.Fresh != 6 || got.Seq != 10 {
		t.Errorf("%+v", got)
	}
	p.audit()
}

func TestAServerThatStartsAgainBeginsANewEpochForAll(t *testing.T) {
	server := testenv.NewPostgres(t)
	p := postgresAt(t, server.Database(t))
	a, b := p.open(), p.open()
	c := storetest.NewChain(t, "north-1", 0).Quiet(9)
	before := put(t, a, c.Segment(1, 4))[0]
	server.Kill(t)
	server.Start(t)
	r := put(t, a, c.Segment(5, 6))[0]
	if r.Epoch <= before.Epoch || r.Seq != 6 {
		t.Errorf("%+v, before %+v", r, before)
	}
	if heads, err := b.Heads(t.Context()); err != nil || heads[0].Epoch < r.Epoch {
		t.Errorf("%+v %v", heads, err)
	}
	// Once the centres have found each other again, the epoch stays.
	var last uint64
	until(t, "the epoch stays", func() bool {
		heads, err := b.Heads(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		same := heads[0].Epoch == last && p.sum(`SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock' AND granted
			AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`) == 2
		last = heads[0].Epoch
		return same
	})
	p.audit()
}
