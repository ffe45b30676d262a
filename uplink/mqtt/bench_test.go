package mqtt_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/axlegate/axlegate/uplink/mqtt"
)

// spread are the times of single messages from Publish to OnMessages.
type spread []time.Duration

func (s spread) report(b *testing.B) {
	slices.Sort(s)
	for name, q := range map[string]int{"p50-µs": 50, "p99-µs": 99} {
		b.ReportMetric(float64(s[(len(s)-1)*q/100].Nanoseconds())/1e3, name)
	}
}

// measureBare sends n messages of size bytes one after another through a broker in this process and takes the
// time of each from Publish to the handler that does nothing: what any board's way from a site is held against.
func measureBare(tb testing.TB, n, size int) spread {
	tb.Helper()
	br, _ := startBroker(tb, "127.0.0.1:0", tb.TempDir(), "north-1")
	arrived := make(chan time.Time, 1)
	var expected uint64
	cfg := centerConfig(tb, br.Addr(), &inbox{}, "north-1")
	cfg.OnMessages = each(func(_ context.Context, _ string, p []byte) error {
		if got := binary.BigEndian.Uint64(p); got != expected {
			tb.Errorf("message %d where %d was expected", got, expected)
		}
		expected++
		arrived <- time.Now()
		return nil
	})
	startCenter(tb, cfg)
	var s *mqtt.Site
	s, _ = startSite(tb, siteConfig(tb, br.Addr(), "north-1"))
	payload := bytes.Repeat([]byte("x"), max(size, 8))
	out := make(spread, 0, n)
	for i := range n {
		payload := slices.Clone(payload)
		binary.BigEndian.PutUint64(payload, uint64(i))
		sent := time.Now()
		if err := s.Publish(tb.Context(), payload); err != nil {
			tb.Fatal(err)
		}
		out = append(out, receive(tb, "message", arrived).Sub(sent))
	}
	return out
}

func BenchmarkBarePublishToHandler(b *testing.B) {
	for name, size := range map[string]int{"1KiB": 1 << 10, "16KiB": 16 << 10} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(size))
			measureBare(b, b.N, size).report(b)
		})
	}
}

// BenchmarkPublishWindow is the throughput of one site that keeps its window full.
func BenchmarkPublishWindow(b *testing.B) {
	br, _ := startBroker(b, "127.0.0.1:0", b.TempDir(), "north-1")
	in := make(chan struct{}, 1024)
	cfg := centerConfig(b, br.Addr(), &inbox{}, "north-1")
	cfg.OnMessages = each(func(context.Context, string, []byte) error { in <- struct{}{}; return nil })
	startCenter(b, cfg)
	s, _ := startSite(b, siteConfig(b, br.Addr(), "north-1"))
	payload := make([]byte, 16<<10)
	b.SetBytes(int64(len(payload)))
	b.SetParallelism(16)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := s.Publish(b.Context(), payload); err != nil {
				b.Error(err)
				return
			}
		}
	})
	for range b.N {
		receive(b, "message", in)
	}
}
