package store_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/internal/testenv"
)

// place is where a store of one form lies, with a way past it for tests that tamper.
type place struct {
	t    *testing.T
	cfg  store.Config
	name string // what Audit takes
	db   *sql.DB
}

// onBoth runs a test on a new place of either form.
func onBoth(t *testing.T, try func(t *testing.T, p *place)) {
	t.Run("SQLite", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "center.db")
		try(t, newPlace(t, store.Config{Path: path}, "sqlite", path))
	})
	t.Run("PostgreSQL", func(t *testing.T) { try(t, newPostgres(t)) })
}

func newPostgres(t *testing.T) *place {
	t.Helper()
	return postgresAt(t, testenv.Postgres(t))
}

// postgresAt is the place of a database that is there.
func postgresAt(t *testing.T, url string) *place {
	t.Helper()
	return newPlace(t, store.Config{URL: url}, "pgx", url)
}

func newPlace(t *testing.T, cfg store.Config, driver, name string) *place {
	t.Helper()
	db, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return &place{t: t, cfg: cfg, name: name, db: db}
}

// open opens the store; it is closed when the test ends.
func (p *place) open(change ...func(*store.Config)) *store.Store {
	p.t.Helper()
	cfg := p.cfg
	for _, c := range change {
		c(&cfg)
	}
	s, err := store.Open(context.WithoutCancel(p.t.Context()), cfg)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		if err := s.Close(); err != nil {
			p.t.Error(err)
		}
	})
	return s
}

// tamper changes the database past the store and returns how many rows that were.
func (p *place) tamper(q string) int64 {
	p.t.Helper()
	res, err := p.db.ExecContext(p.t.Context(), q)
	if err != nil {
		p.t.Fatal(err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}

// sum reads a number past the store.
func (p *place) sum(q string) (n int64) {
	p.t.Helper()
	if err := p.db.QueryRowContext(p.t.Context(), q).Scan(&n); err != nil {
		p.t.Fatal(err)
	}
	return n
}

// audit proves the store and fails on any problem.
func (p *place) audit() store.Report {
	p.t.Helper()
	rep, err := store.Audit(p.t.Context(), p.name, nil)
	if err != nil || len(rep.Problems) > 0 {
		p.t.Errorf("audit: %v %v", err, rep.Problems)
	}
	return rep
}

// until polls a condition.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if done() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}
