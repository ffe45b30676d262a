package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/internal/testenv"
	"github.com/axlegate/axlegate/wim"
)

// sender makes loose segments of 600-byte records, one chain after another, as 64 sites at once would send
// them. The store does not read records, so they need not be readable.
type sender struct {
	each int
	seq  [64]uint64
	prev [64]wim.Digest
	raw  [600]byte
}

func (x *sender) batch() []store.Segment {
	segs := make([]store.Segment, 64)
	for i := range segs {
		s := store.Segment{Site: wim.SiteID(fmt.Sprintf("site-%d", i)), Chain: wim.ChainID{byte(i + 1)}, Key: "k", JWS: string(make256('j'))}
		for range x.each {
			x.seq[i]++
			raw := make([]byte, len(x.raw))
			copy(raw, fmt.Sprintf("%d %d ", i, x.seq[i]))
			r := store.Stored{Seq: x.seq[i], Prev: x.prev[i], Digest: wim.DigestOf(raw), Kind: "noise", Raw: raw}
			s.Records, x.prev[i] = append(s.Records, r), r.Digest
		}
		segs[i] = s
	}
	return segs
}

func make256(c byte) []byte {
	b := make([]byte, 256)
	for i := range b {
		b[i] = c
	}
	return b
}

func BenchmarkStoreSegments(b *testing.B) {
	for _, d := range []struct {
		name string
		open func(b *testing.B) *store.Store
	}{
		{"postgres", func(b *testing.B) *store.Store {
			s, err := store.OpenPostgres(b.Context(), store.Config{URL: testenv.Postgres(b)})
			if err != nil {
				b.Fatal(err)
			}
			return s
		}},
		{"sqlite", func(b *testing.B) *store.Store {
			s, err := store.OpenSQLite(b.Context(), store.Config{Path: filepath.Join(b.TempDir(), "c.db")})
			if err != nil {
				b.Fatal(err)
			}
			return s
		}},
	} {
		for _, each := range []int{1, 16} {
			b.Run(fmt.Sprintf("%s/64 segments of %d", d.name, each), func(b *testing.B) {
				s := d.open(b)
				defer s.Close() //nolint:errcheck // a benchmark's scratch store
				x := &sender{each: each}
				records := 0
				for b.Loop() {
					b.StopTimer()
					segs := x.batch()
					b.StartTimer()
					if _, err := s.StoreSegments(b.Context(), segs); err != nil {
						b.Fatal(err)
					}
					records += 64 * each
				}
				b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
			})
		}
	}
}

// BenchmarkStoreSegmentsIntoAFullStore shows that the cost does not grow with what is held already.
func BenchmarkStoreSegmentsIntoAFullStore(b *testing.B) {
	url := testenv.Postgres(b)
	s, err := store.OpenPostgres(b.Context(), store.Config{URL: url})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // a benchmark's scratch store
	x := &sender{each: 16}
	store := func() {
		if _, err := s.StoreSegments(b.Context(), x.batch()); err != nil {
			b.Fatal(err)
		}
	}
	for range 16 { // so that plans are made while the store is small
		store()
	}
	c, err := pgx.Connect(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close(context.WithoutCancel(b.Context())) //nolint:errcheck // a benchmark's scratch database
	held := 0
	for _, more := range []int{0, 100_000, 400_000} {
		// In chains of others.
		if _, err := c.Exec(b.Context(), `WITH r AS (SELECT id + 1000 AS id, g FROM chain, generate_series($1::bigint / 64 + 1, ($1::bigint + $2::bigint) / 64) g),
			n AS (UPDATE counter SET value = value + (SELECT count(*) FROM r) WHERE name = 'intake' RETURNING value),
			l AS (INSERT INTO ledger SELECT id, g, decode(md5(g::text) || md5(id::text), 'hex') FROM r)
			INSERT INTO record SELECT n.value - row_number() OVER () + 1, id, g, decode(md5(g::text) || md5(id::text), 'hex'), decode(md5(g::text) || md5(id::text), 'hex'),
				'noise', 0, 0, decode(repeat(md5(g::text), 37), 'hex') FROM r, n`, held, more); err != nil {
			b.Fatal(err)
		}
		held += more
		b.Run(fmt.Sprintf("%d records held", held), func(b *testing.B) {
			records := 0
			for b.Loop() {
				b.StopTimer()
				segs := x.batch()
				b.StartTimer()
				if _, err := s.StoreSegments(b.Context(), segs); err != nil {
					b.Fatal(err)
				}
				records += 64 * 16
			}
			b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// BenchmarkBareCopy is the peer of the one above: as many rows of 600 bytes, copied into a table with one index.
func BenchmarkBareCopy(b *testing.B) {
	c, err := pgx.Connect(b.Context(), testenv.Postgres(b))
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close(context.WithoutCancel(b.Context())) //nolint:errcheck // a benchmark's scratch database
	if _, err := c.Exec(b.Context(), `CREATE TABLE bare (id BIGINT PRIMARY KEY, raw BYTEA NOT NULL)`); err != nil {
		b.Fatal(err)
	}
	id, raw := int64(0), make([]byte, 600)
	for b.Loop() {
		_, err := c.CopyFrom(b.Context(), pgx.Identifier{"bare"}, []string{"id", "raw"}, pgx.CopyFromSlice(1024, func(int) ([]any, error) {
			id++
			return []any{id, raw}, nil
		}))
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(id)/b.Elapsed().Seconds(), "records/s")
}
