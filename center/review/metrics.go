package review

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/axlegate/axlegate/center"
)

// metrics are the review's figures.
type metrics struct {
	reviewed prometheus.Counter
	opened   prometheus.Counter
	raised   prometheus.Counter
	extended prometheus.Counter
	waiting  prometheus.Counter
	settled  prometheus.Counter
	failures prometheus.Counter
	verdicts *prometheus.CounterVec
}

func newMetrics() *metrics {
	opts := func(name, help string) prometheus.CounterOpts {
		return prometheus.CounterOpts{Namespace: "axlegate_center_review", Name: name, Help: help}
	}
	m := &metrics{
		reviewed: prometheus.NewCounter(opts("records_total", "Records reviewed.")),
		opened:   prometheus.NewCounter(opts("matters_opened_total", "Matters opened.")),
		raised:   prometheus.NewCounter(opts("alerts_raised_total", "Alerts raised.")),
		extended: prometheus.NewCounter(opts("matters_extended_total", "Matters that a supplement has changed.")),
		waiting:  prometheus.NewCounter(opts("supplements_waited_total", "Supplements that came before their passage.")),
		settled:  prometheus.NewCounter(opts("verdicts_settled_total", "Verdicts that were pending and could be judged again.")),
		failures: prometheus.NewCounter(opts("failures_total", "Rounds that the store could not read or write.")),
		verdicts: prometheus.NewCounterVec(opts("verdicts_total", "Verdicts judged again, by what came of it."), []string{"result"}),
	}
	for _, r := range []center.Rejudged{center.RejudgedSame, center.RejudgedDiffers, center.RejudgedPending} {
		m.verdicts.WithLabelValues(string(r))
	}
	return m
}

func (m *metrics) rejudged(r center.Rejudged) {
	if r != "" {
		m.verdicts.WithLabelValues(string(r)).Inc()
	}
}

func (m *metrics) effect(e center.Effect) {
	m.reviewed.Add(float64(e.Reviewed))
	m.opened.Add(float64(e.Opened))
	m.raised.Add(float64(e.Raised))
	m.extended.Add(float64(e.Extended))
	m.waiting.Add(float64(e.Waiting))
	m.settled.Add(float64(e.Settled))
}

func (m *metrics) all() []prometheus.Collector {
	return []prometheus.Collector{m.reviewed, m.opened, m.raised, m.extended, m.waiting, m.settled, m.failures, m.verdicts}
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
