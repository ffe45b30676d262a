package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/center/store/storetest"
)

func open(b *testing.B) *store.Store {
	b.Helper()
	s, err := store.OpenSQLite(b.Context(), store.Config{Path: filepath.Join(b.TempDir(), "c.db")})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return s
}

func BenchmarkStoreSegmentOf64(b *testing.B) {
	s := open(b)
	seg := storetest.NewChain(b, "north-1", 0).Quiet(63).All()
	n := uint16(0)
	b.ReportAllocs()
	for b.Loop() {
		n++
		seg.Chain[0], seg.Chain[1] = byte(n>>8), byte(n) // as many chains as there are turns
		if _, err := s.StoreSegment(b.Context(), seg); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(64*b.N), "µs/record")
}

func BenchmarkStoreSegmentOf1(b *testing.B) {
	s := open(b)
	seg := storetest.NewChain(b, "north-1", 0).All()
	n := uint32(0)
	for b.Loop() {
		n++
		seg.Chain[0], seg.Chain[1], seg.Chain[2] = byte(n>>16), byte(n>>8), byte(n)
		if _, err := s.StoreSegment(b.Context(), seg); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWriteAndSync is the peer of the two above: as many bytes as one record has, appended and synced.
func BenchmarkWriteAndSync(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "f"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // a benchmark's scratch file
	raw := storetest.NewChain(b, "north-1", 0).Records[0].Raw
	for b.Loop() {
		if _, err := f.Write(raw); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReviewExceeded(b *testing.B) {
	s := open(b)
	c := storetest.NewChain(b, "north-1", 0)
	for b.Loop() {
		b.StopTimer()
		c.Exceeded("川A12345")
		if _, err := s.StoreSegment(b.Context(), c.Segment(len(c.Records), len(c.Records))); err != nil {
			b.Fatal(err)
		}
		list, err := s.Unreviewed(b.Context(), 10)
		if err != nil {
			b.Fatal(err)
		}
		batch := storetest.Reviewed(b, list, center.RejudgedSame)
		b.StartTimer()
		if _, err := s.Review(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
}
