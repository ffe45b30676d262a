package bench

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/wim"
)

// BenchmarkRecordCommitted measures one passage sealed, chained and committed with its cursor, synced to the
// disk. The peer is a bare insert of as many bytes into a table of one column, with the same library and the
// same pragmas, synced too.
func BenchmarkRecordCommitted(b *testing.B) {
	dir := b.TempDir()
	j, err := journal.Open(b.Context(), journal.Config{Path: filepath.Join(dir, "journal.db"), Site: "bench-1", Key: "k"})
	if err != nil {
		b.Fatal(err)
	}
	set, f := ruleSet(b), sixAxles()
	var v wim.Verdict
	set.Judge(f, &v)
	size := 0
	var ours spread
	seq := uint32(0)
	for b.Loop() {
		seq++
		src := wim.DeviceCursor{Device: "scale-1", Boot: 7, Seq: seq}
		d := journal.Draft{Kind: wim.KindPassage, Lane: 1, Time: f.Time, Clock: wim.ClockSynchronised,
			Passage: &wim.Passage{Source: src, Facts: *f, Verdict: v}, Cursors: []wim.DeviceCursor{src}}
		at := time.Now()
		out, err := j.Append(b.Context(), []journal.Draft{d})
		if err != nil {
			b.Fatal(err)
		}
		ours.add(time.Since(at))
		size = len(out[0].Raw)
	}
	b.StopTimer()
	if err := j.Close(); err != nil {
		b.Error(err)
	}
	report(b, ours, bareInserts(b, filepath.Join(dir, "bare.db"), size, max(len(ours), 200)))
}
