package bench

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/wim"
)

// backlogSize is how many records wait in these benches; AXLEGATE_BACKLOG sets another number.
func backlogSize(b *testing.B) int {
	b.Helper()
	text := os.Getenv("AXLEGATE_BACKLOG")
	if text == "" {
		return 1_000_000
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		b.Fatalf("AXLEGATE_BACKLOG is %q, want a number of records", text)
	}
	return n
}

// backlog fills a journal with passages of a six-axle train that no receipt covers. urgent of them, evenly spread,
// are alerts.
func backlog(b *testing.B, path, key string, n int) {
	b.Helper()
	j, err := journal.Open(b.Context(), journal.Config{Path: path, Site: "bench-1", Key: key})
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := j.Close(); err != nil {
			b.Error(err)
		}
	}()
	set, f := ruleSet(b), sixAxles()
	f.Vehicle.Gross = 30_000 // nobody waits for it
	var v wim.Verdict
	set.Judge(f, &v)
	v.Opinions = v.Opinions[:0]
	began := time.Now()
	drafts := make([]journal.Draft, 0, 512)
	for seq := uint32(1); seq < uint32(n); seq++ { // the chain start is one
		src := wim.DeviceCursor{Device: "scale-1", Boot: 7, Seq: seq}
		drafts = append(drafts, journal.Draft{Kind: wim.KindPassage, Lane: 1, Time: f.Time, Clock: wim.ClockSynchronised,
			Passage: &wim.Passage{Source: src, Facts: *f, Verdict: v}, Cursors: []wim.DeviceCursor{src}})
		if len(drafts) == cap(drafts) || seq == uint32(n)-1 {
			if _, err := j.Append(b.Context(), drafts); err != nil {
				b.Fatal(err)
			}
			drafts = drafts[:0]
		}
	}
	st, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("a backlog of %d records, %d bytes each on the disk, made in %s", n, st.Size()/int64(n), time.Since(began).Round(time.Second))
}

// BenchmarkBacklogRead reads a backlog in pieces as the sender does.
func BenchmarkBacklogRead(b *testing.B) {
	path := filepath.Join(b.TempDir(), "journal.db")
	n := backlogSize(b)
	backlog(b, path, "k", n)
	j, err := journal.Open(b.Context(), journal.Config{Path: path, Site: "bench-1", Key: "k"})
	if err != nil {
		b.Fatal(err)
	}
	defer j.Close() //nolint:errcheck // only read
	records, bytes := 0, 0
	for b.Loop() {
		for seq := uint64(0); ; {
			got, err := j.After(b.Context(), j.Chain(), seq, 64, 128<<10)
			if err != nil {
				b.Fatal(err)
			}
			if len(got) == 0 {
				break
			}
			for i := range got {
				bytes += len(got[i].Raw)
			}
			records += len(got)
			seq = got[len(got)-1].Seq
		}
	}
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(bytes)/float64(records), "bytes/record")
}
