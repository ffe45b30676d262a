package bench

import (
	"slices"
	"testing"
	"time"
)

// spread collects durations and reports their median and 99th centile.
type spread []time.Duration

func (s *spread) add(d time.Duration) { *s = append(*s, d) }

func (s spread) at(permille int) time.Duration {
	if len(s) == 0 {
		return 0
	}
	c := slices.Clone(s)
	slices.Sort(c)
	return c[min(len(c)-1, len(c)*permille/1000)]
}

// report prints ours, the peer's, and the ratio of the medians and of the 99th centiles.
func report(b *testing.B, ours, peer spread) {
	b.Helper()
	b.ReportMetric(0, "ns/op")
	us := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }
	b.ReportMetric(us(ours.at(500)), "µs-p50")
	b.ReportMetric(us(ours.at(990)), "µs-p99")
	b.ReportMetric(us(peer.at(500)), "peer-µs-p50")
	b.ReportMetric(us(peer.at(990)), "peer-µs-p99")
	if p := peer.at(500); p > 0 {
		b.ReportMetric(float64(ours.at(500))/float64(p), "ratio-p50")
	}
	if p := peer.at(990); p > 0 {
		b.ReportMetric(float64(ours.at(990))/float64(p), "ratio-p99")
	}
}
