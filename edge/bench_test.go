package edge

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/rules"
	"github.com/axlegate/axlegate/wim"
)

// orderedSign tells when an order arrives.
type orderedSign struct{ got chan struct{} }

func (s *orderedSign) Show(context.Context, wim.Order, string, time.Duration) error {
	s.got <- struct{}{}
	return nil
}

// BenchmarkVehicleEndToOrder takes the time from the emission of a vehicle end, six axles before it, to the
// order in the sign's hand: queue, assemble, classify, identify, judge with the shipped rule set, box. The
// record is committed meanwhile.
func BenchmarkVehicleEndToOrder(b *testing.B) {
	text, err := os.ReadFile(filepath.Join("..", "configs", "rules", "cn-2016-62.yaml"))
	if err != nil {
		b.Fatal(err)
	}
	set, err := rules.Load("cn-2016-62.yaml", text)
	if err != nil {
		b.Fatal(err)
	}
	sign := &orderedSign{got: make(chan struct{}, 1)}
	r := newRig(b)
	r.center.mute = true
	r.table = table(b)
	r.change = func(c *Config) {
		c.Rules, c.Logger = set, slog.New(slog.DiscardHandler)
		c.Lanes[0].Sign = sign
		c.Sender.Linger, c.Sender.Resend = time.Hour, time.Hour
	}
	r.start()
	vehicles := func() []wim.Reading { return trainReadings(r.scale) }
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		v := vehicles()
		r.push(v[:len(v)-1]...)
		eventually(b, "the axles are taken in", func() bool { return len(r.site.lanes[0].readings) == 0 })
		b.StartTimer()
		r.push(v[len(v)-1])
		<-sign.got
	}
}

// BenchmarkMatch closes a vehicle with two plates among the bounded number that may wait.
func BenchmarkMatch(b *testing.B) {
	cfg := PlateConfig{Before: 3 * time.Second, After: 3 * time.Second, Late: time.Minute, Sure: 800}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		m := newMatcher(cfg)
		m.arrived(arrivedPlate{read: wim.PlateRead{Camera: "c", Event: "1", End: wim.Front, Text: "A", Arrival: at(10)}})
		m.arrived(arrivedPlate{read: wim.PlateRead{Camera: "d", Event: "2", End: wim.Rear, Text: "A挂", Arrival: at(10.5)}})
		m.closed(&passed{name: &wim.RecordRef{}, start: at(9.8), end: at(10.8)})
	}
}

// BenchmarkRecorderBatch is what one passage costs the recorder when lanes are quiet: one record, one sync.
func BenchmarkRecorderBatch(b *testing.B) {
	j, err := journal.Open(b.Context(), journal.Config{Path: filepath.Join(b.TempDir(), "journal.db"), Site: testSite, Key: "k"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := j.Close(); err != nil {
			b.Error(err)
		}
	})
	rec := newRecorder(&Config{Journal: j, Logger: slog.New(slog.DiscardHandler), Now: time.Now, Clock: SystemClock}, &pictureStore{}, newMetrics(), func() {})
	b.ReportAllocs()
	for seq := uint32(1); b.Loop(); seq++ {
		src := wim.DeviceCursor{Device: "scale-1", Boot: 7, Seq: seq}
		rec.commit(b.Context(), []group{{drafts: []journal.Draft{{Kind: wim.KindPassage, Lane: 1, Time: 1, Cursors: []wim.DeviceCursor{src},
			Passage: &wim.Passage{Source: src, Facts: wim.Facts{Vehicle: wim.Vehicle{Lane: 1, Gross: 9000}}}}}}})
	}
}
