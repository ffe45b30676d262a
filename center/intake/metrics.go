package intake

import "github.com/prometheus/client_golang/prometheus"

// metrics are the intake's figures.
type metrics struct {
	messages    prometheus.Counter
	segments    prometheus.Counter
	forks       prometheus.Counter
	failures    prometheus.Counter
	paced       prometheus.Counter
	records     *prometheus.CounterVec
	quarantined *prometheus.CounterVec
	receipts    *prometheus.CounterVec
	pictures    *prometheus.CounterVec
	seconds     prometheus.Histogram
	commits     prometheus.Histogram
}

func newMetrics() *metrics {
	opts := func(name, help string) prometheus.CounterOpts {
		return prometheus.CounterOpts{Namespace: "axlegate_center_intake", Name: name, Help: help}
	}
	m := &metrics{
		messages:    prometheus.NewCounter(opts("messages_total", "Messages taken from sites, repeats included.")),
		segments:    prometheus.NewCounter(opts("segments_total", "Segments verified and handed to the store, repeats included.")),
		forks:       prometheus.NewCounter(opts("fork_segments_total", "Segments of a chain that holds other records than its site has.")),
		failures:    prometheus.NewCounter(opts("store_failures_total", "Batches of messages that the store could not take; they come again.")),
		paced:       prometheus.NewCounter(opts("paced_total", "Times a backlog waited a moment for the review, so that no alert waits behind it.")),
		records:     prometheus.NewCounterVec(opts("records_total", "Records by whether they were new."), []string{"result"}),
		quarantined: prometheus.NewCounterVec(opts("quarantined_total", "Input that was set aside and not receipted, by reason."), []string{"reason"}),
		receipts:    prometheus.NewCounterVec(opts("receipts_total", "Receipts by whether they got through."), []string{"result"}),
		pictures:    prometheus.NewCounterVec(opts("pictures_total", "Pictures handed in, by what became of them."), []string{"result"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "axlegate_center_intake", Name: "store_seconds", Help: "Time to store what a batch holds durably, waiting for others included.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5},
		}),
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "axlegate_center_intake", Name: "commit_segments", Help: "Segments stored by one transaction.",
			Buckets: []float64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024},
		}),
	}
	for _, r := range []string{"fresh", "duplicate"} {
		m.records.WithLabelValues(r)
	}
	for _, r := range reasons() {
		m.quarantined.WithLabelValues(r)
	}
	for _, r := range []string{"sent", "failed"} {
		m.receipts.WithLabelValues(r)
	}
	for _, r := range []string{"stored", "refused", "unauthorised", "failed"} {
		m.pictures.WithLabelValues(r)
	}
	return m
}

func (m *metrics) all() []prometheus.Collector {
	return []prometheus.Collector{m.messages, m.segments, m.forks, m.failures, m.paced, m.records, m.quarantined, m.receipts, m.pictures, m.seconds, m.commits}
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range m.all() {
		c.Describe(ch)
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	for _, c := range m.all() {
		c.Collect(ch)
	}
}
