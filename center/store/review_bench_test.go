package store_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/center/store/storetest"
	"github.com/axlegate/axlegate/internal/testenv"
	"github.com/axlegate/axlegate/wim"
)

// BenchmarkReview takes note of passages of which one in a hundred exceeds a limit, in batches as the review
// reads them.
func BenchmarkReview(b *testing.B) {
	const size = 256
	for _, d := range []struct {
		name string
		cfg  func(b *testing.B) store.Config
	}{
		{"postgres", func(b *testing.B) store.Config { return store.Config{URL: testenv.Postgres(b)} }},
		{"sqlite", func(b *testing.B) store.Config { return store.Config{Path: filepath.Join(b.TempDir(), "c.db")} }},
	} {
		b.Run(d.name, func(b *testing.B) {
			s, err := store.Open(b.Context(), d.cfg(b))
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close() //nolint:errcheck // a benchmark's scratch store
			turn, records := 0, 0
			for b.Loop() {
				b.StopTimer()
				turn++
				c := storetest.NewChain(b, wim.SiteID(fmt.Sprintf("site-%d", turn)), 0)
				for i := range size - 1 {
					if i%100 == 0 {
						c.Exceeded("川A12345")
					} else {
						c.Quiet(1)
					}
				}
				if _, err := s.StoreSegment(b.Context(), c.All()); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				list, err := s.Unreviewed(b.Context(), size)
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				batch := storetest.Reviewed(b, list, center.RejudgedSame)
				b.StartTimer()
				if _, err := s.Review(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
				records += len(batch)
			}
			b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
		})
	}
}
