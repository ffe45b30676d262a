package bench

import (
	"fmt"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

const (
	loadSites  = 10
	loadRate   = 50 // records a second of each site
	loadAlerts = 10 // one record in so many exceeds a limit
	loadTime   = 8 * time.Second
	// loadBound is what an officer may be kept waiting, by our own promise.
	loadBound = 250 * time.Millisecond
)

// BenchmarkFiveHundredRecordsToBothConsoles measures, while ten sites send fifty records a second each, of which
// one in ten alerts both authorities, from the sealing of such a record until its row is on the live stream of each
// authority. Segments close as at an edge: at once when someone waits, otherwise after a second or 64 records.
// The peer is our promise of 250 ms at the 99th centile; the ratio printed is ours to it.
func BenchmarkFiveHundredRecordsToBothConsoles(b *testing.B) {
	set := ruleSet(b)
	c := newCentre(b, set, loadSites)
	defer c.stop()
	boards := map[string]<-chan seen{"road": c.board("road"), "police": c.board("police")}
	for b.Loop() {
		l := load{c: c, sealed: map[string]time.Time{}}
		var senders, readers sync.WaitGroup
		waits := map[string]*spread{}
		done := make(chan struct{})
		for name, events := range boards {
			s := &spread{}
			waits[name] = s
			readers.Go(func() { l.read(events, s, done) })
		}
		for n := range loadSites {
			senders.Go(func() { l.send(b, n) })
		}
		senders.Wait()
		time.AfterFunc(30*time.Second, func() { close(done) })
		readers.Wait()
		for name, s := range waits {
			if len(*s) != len(l.sealed) {
				b.Fatalf("%s saw %d of %d alerts", name, len(*s), len(l.sealed))
			}
			b.ReportMetric(float64(s.at(500).Microseconds())/1000, name+"-ms-p50")
			b.ReportMetric(float64(s.at(990).Microseconds())/1000, name+"-ms-p99")
			b.ReportMetric(float64(s.at(990))/float64(loadBound), name+"-p99-of-bound")
		}
		b.ReportMetric(float64(l.records)/loadTime.Seconds(), "records/s")
		b.ReportMetric(0, "ns/op")
	}
}

// load is what one run has sent.
type load struct {
	c *centre

	mu      sync.Mutex
	sealed  map[string]time.Time // of each alerting record, by the digits of its plate
	records int
	ended   int // sites
}

var benchPlate = regexp.MustCompile(`川A·([0-9]{5})`)

func (l *load) send(b *testing.B, n int) {
	set, light, heavy := ruleSet(b), sixAxles(), sixAxles()
	for i := range light.Vehicle.Axles {
		a := &light.Vehicle.Axles[i]
		a.Load, a.Left, a.Right = a.Load/2, a.Left/2, a.Right/2
	}
	light.Vehicle.Gross, light.Vehicle.AxleSum = 30500, 30500
	wim.Classify(&light.Vehicle)
	w := newWriter(b, l.c.key, siteName(n))
	var wait []seal.Sealed
	flush := func() {
		if len(wait) == 0 {
			return
		}
		if err := l.c.sites[n].Publish(b.Context(), w.segment(wait...)); err != nil {
			b.Error(err)
		}
		wait = wait[:0]
	}
	wait = append(wait, w.start())
	tick := time.NewTicker(time.Second / loadRate)
	defer tick.Stop()
	began, flushed := time.Now(), time.Now()
	for i := 0; time.Since(began) < loadTime; i++ {
		<-tick.C
		f, alerts := light, i%loadAlerts == n
		if alerts {
			f = heavy
		}
		digits := fmt.Sprintf("%d%04d", n, i)
		f.Units[0].Plate, f.Units[0].Registration.Plate = "川A"+digits, "川A"+digits
		var v wim.Verdict
		set.Judge(f, &v)
		if v.Alerts() != alerts {
			b.Errorf("record %d: alerts %v", i, v.Alerts())
		}
		at := time.Now()
		wait = append(wait, w.passage(f, &v))
		l.mu.Lock()
		l.records++
		if alerts {
			l.sealed[digits] = at
		}
		l.mu.Unlock()
		if alerts || len(wait) == 64 || time.Since(flushed) >= time.Second {
			flush()
			flushed = time.Now()
		}
	}
	flush()
	l.mu.Lock()
	l.ended++
	l.mu.Unlock()
}

// read takes alerts until all that were sent have arrived, or done.
func (l *load) read(events <-chan seen, waits *spread, done <-chan struct{}) {
	got := map[string]bool{}
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		select {
		case e := <-events:
			m := benchPlate.FindStringSubmatch(e.text)
			l.mu.Lock()
			if m != nil && !got[m[1]] {
				if at, ok := l.sealed[m[1]]; ok {
					got[m[1]] = true
					waits.add(e.at.Sub(at))
				}
			}
			l.mu.Unlock()
		case <-poll.C:
			l.mu.Lock()
			all := l.ended == loadSites && len(got) == len(l.sealed)
			l.mu.Unlock()
			if all {
				return
			}
		case <-done:
			return
		}
	}
}
