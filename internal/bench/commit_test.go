package bench

import (
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/wim"
)

// committer makes drafts of six-axle vehicles and keeps them.
type committer struct {
	j   *journal.Journal
	f   *wim.Facts
	v   wim.Verdict
	seq uint32
}

func newCommitter(b *testing.B, dir string) *committer {
	b.Helper()
	j, err := journal.Open(b.Context(), journal.Config{Path: filepath.Join(dir, "journal.db"), Site: "bench-1", Key: "k"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := j.Close(); err != nil {
			b.Error(err)
		}
	})
	c := &committer{j: j, f: sixAxles()}
	ruleSet(b).Judge(c.f, &c.v)
	return c
}

func (c *committer) draft() journal.Draft {
	c.seq++
	src := wim.DeviceCursor{Device: "scale-1", Boot: 7, Seq: c.seq}
	return journal.Draft{Kind: wim.KindPassage, Lane: 1, Time: c.f.Time, Clock: wim.ClockSynchronised,
		Passage: &wim.Passage{Source: src, Facts: *c.f, Verdict: c.v}, Cursors: []wim.DeviceCursor{src}}
}

// BenchmarkRecordCommitted measures one passage sealed, chained and committed with its cursor, synced to the
// disk, in turns with the bare insert, so that what else the machine does befalls both alike. Wanted: at most 1.25
// times the bare insert's median.
func BenchmarkRecordCommitted(b *testing.B) {
	dir := b.TempDir()
	c, peer := newCommitter(b, dir), openBare(b, filepath.Join(dir, "bare.db"))
	var ours, theirs spread
	for b.Loop() {
		d := c.draft()
		at := time.Now()
		out, err := c.j.Append(b.Context(), []journal.Draft{d})
		if err != nil {
			b.Fatal(err)
		}
		ours.add(time.Since(at))
		theirs.add(peer.insert(b, out[0].Raw))
	}
	b.StopTimer()
	report(b, ours, theirs)
}

// lanes is how many lanes are busy at once, each waiting for its record before it goes on.
const lanes = 8

// BenchmarkEightLanesCommitted measures records of eight busy lanes that share commits, as the recorder lets them,
// beside as many bare inserts one after another. Wanted: at least twice as many a second.
func BenchmarkEightLanesCommitted(b *testing.B) {
	dir := b.TempDir()
	c, peer := newCommitter(b, dir), openBare(b, filepath.Join(dir, "bare.db"))
	raw := make([]byte, 3000)
	var ours, theirs time.Duration
	records, groups := 0, 0
	for b.Loop() {
		n, took := c.busy(b, 10*time.Millisecond)
		records += n
		groups++
		ours += took
		if n > 0 {
			at := time.Now()
			for range n / 4 { // a part of them, so that both take about as long
				peer.insert(b, raw)
			}
			theirs += time.Since(at) * 4
		}
	}
	b.StopTimer()
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(records)/ours.Seconds(), "records/s")
	b.ReportMetric(float64(records)/theirs.Seconds(), "peer-records/s")
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "ratio")
}

// busy lets the lanes hand in records for so long; what comes during one commit goes with the next.
func (c *committer) busy(b *testing.B, long time.Duration) (records int, took time.Duration) {
	b.Helper()
	type handed struct{ done chan struct{} }
	in := make(chan handed, lanes)
	var over atomic.Bool
	var wg sync.WaitGroup
	for range lanes {
		wg.Go(func() {
			done := make(chan struct{})
			for !over.Load() {
				in <- handed{done}
				<-done
			}
		})
	}
	go func() { wg.Wait(); close(in) }()
	at := time.Now()
	for h := range in {
		waiting := []handed{h}
		drafts := []journal.Draft{c.draft()}
		for more := true; more && len(waiting) < lanes; {
			select {
			case h, ok := <-in:
				if more = ok; ok {
					waiting, drafts = append(waiting, h), append(drafts, c.draft())
				}
			default:
				more = false
			}
		}
		if _, err := c.j.Append(b.Context(), drafts); err != nil {
			b.Fatal(err)
		}
		records += len(drafts)
		if time.Since(at) > long {
			over.Store(true)
		}
		for _, w := range waiting {
			w.done <- struct{}{}
		}
	}
	return records, time.Since(at)
}
