package bench

import (
	"database/sql"
	"net/url"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the peer's database driver
)

func bareInserts(b *testing.B, path string, size, n int) spread {
	b.Helper()
	q := url.Values{"_pragma": {"journal_mode(WAL)", "synchronous(FULL)"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String())
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // the benchmark is over
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(b.Context(), `CREATE TABLE t (raw BLOB)`); err != nil {
		b.Fatal(err)
	}
	st, err := db.PrepareContext(b.Context(), `INSERT INTO t (raw) VALUES (?)`)
	if err != nil {
		b.Fatal(err)
	}
	defer st.Close() //nolint:errcheck // likewise
	raw := make([]byte, size)
	var s spread
	for range n {
		at := time.Now()
		if _, err := st.ExecContext(b.Context(), raw); err != nil {
			b.Fatal(err)
		}
		s.add(time.Since(at))
	}
	return s
}
