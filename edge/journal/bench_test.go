package journal

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkAppend commits and syncs one record with its cursor and head; BenchmarkBareInsert is the floor: one
// row of the same size in a bare table under the same pragmas.
func BenchmarkAppend(b *testing.B) {
	j := fresh(b)
	ctx := b.Context()
	b.ReportAllocs()
	for seq := uint32(1); b.Loop(); seq++ {
		if _, err := j.Append(ctx, []Draft{passageDraft(7, seq)}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendGroupOf16(b *testing.B) {
	j := fresh(b)
	ctx := b.Context()
	b.ReportAllocs()
	for seq := uint32(1); b.Loop(); {
		var group []Draft
		for range 16 {
			group = append(group, passageDraft(7, seq))
			seq++
		}
		if _, err := j.Append(ctx, group); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBareInsert(b *testing.B) {
	j := fresh(b)
	row := mustAppend(b, j, passageDraft(7, 1))[0].Raw
	name, err := production().dsn(filepath.Join(b.TempDir(), "bare.db"), "journal_mode(WAL)", "synchronous(FULL)", "journal_size_limit(16777216)")
	if err != nil {
		b.Fatal(err)
	}
	db, err := sql.Open("sqlite", name)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(b.Context(), `CREATE TABLE bare (id INTEGER PRIMARY KEY, raw BLOB NOT NULL) STRICT`); err != nil {
		b.Fatal(err)
	}
	insert, err := db.PrepareContext(b.Context(), `INSERT INTO bare (raw) VALUES (?)`)
	if err != nil {
		b.Fatal(err)
	}
	defer insert.Close() //nolint:errcheck // closed with its database
	b.ReportAllocs()
	for b.Loop() {
		if _, err := insert.ExecContext(b.Context(), row); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpen opens a journal of 200,000 records as a crash leaves it, its log and what came since the last fold
// included. How many records there are does not matter, which is what it is there to show: wanted are 100 ms.
func BenchmarkOpen(b *testing.B) {
	j := fresh(b)
	seq := uint32(0)
	for range 400 {
		var group []Draft
		for range 500 {
			seq++
			group = append(group, passageDraft(7, seq))
		}
		if _, err := j.Append(b.Context(), group); err != nil {
			b.Fatal(err)
		}
	}
	for range 300 {
		seq++
		if _, err := j.Append(b.Context(), []Draft{passageDraft(7, seq)}); err != nil {
			b.Fatal(err)
		}
	}
	to := copyOf(b, j)
	log, err := os.ReadFile(to + "-wal")
	if err != nil {
		b.Fatal(err)
	}
	cfg := testConfig(to)
	for b.Loop() {
		again, err := Open(b.Context(), cfg)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := again.Close(); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(to+"-wal", log, 0o600); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
