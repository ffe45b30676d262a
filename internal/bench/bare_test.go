package bench

import (
	"database/sql"
	"net/url"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the peer's database driver
)

// bare is the floor under a commit: a row of as many bytes into a table of one column, with the same library and
// the same pragmas, synced too.
type bare struct {
	db *sql.DB
	st *sql.Stmt
}

func openBare(b *testing.B, path string) *bare {
	b.Helper()
	q := url.Values{"_pragma": {"journal_mode(WAL)", "synchronous(FULL)"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() }) //nolint:errcheck // the benchmark is over
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(b.Context(), `CREATE TABLE t (raw BLOB)`); err != nil {
		b.Fatal(err)
	}
	st, err := db.PrepareContext(b.Context(), `INSERT INTO t (raw) VALUES (?)`)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { st.Close() }) //nolint:errcheck // likewise
	return &bare{db: db, st: st}
}

// insert commits one row and says how long it took.
func (p *bare) insert(b *testing.B, raw []byte) time.Duration {
	b.Helper()
	at := time.Now()
	if _, err := p.st.ExecContext(b.Context(), raw); err != nil {
		b.Fatal(err)
	}
	return time.Since(at)
}
