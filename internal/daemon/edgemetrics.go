package daemon

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/axlegate/axlegate/edge"
	"github.com/axlegate/axlegate/uplink/mqtt"
	"github.com/axlegate/axlegate/wim"
)

// edgeMetrics is what the wiring knows of a site beside what the site itself counts.
type edgeMetrics struct {
	lanes []edge.LaneConfig
	link  func() mqtt.SiteStats
	clock func() wim.ClockState

	validUntil, synchronised, connected, connections, connectFailed, lost described
}

func newEdgeMetrics(lanes []edge.LaneConfig, link func() mqtt.SiteStats, clock func() wim.ClockState) *edgeMetrics {
	return &edgeMetrics{
		lanes: lanes, link: link, clock: clock,
		validUntil: gaugeOf("axlegate_edge_instrument_valid_until_timestamp_seconds",
			"When the verification certificate of a lane's instrument ends, in Unix time; absent without a certificate.", "lane", "device"),
		synchronised:  gaugeOf("axlegate_edge_clock_synchronised", "1 while a time service keeps the clock; without it no weighing is evidence."),
		connected:     gaugeOf("axlegate_edge_link_connected", "1 while the site has a connection to the broker."),
		connections:   counterOf("axlegate_edge_link_connections_total", "Connections to the broker that came up."),
		connectFailed: counterOf("axlegate_edge_link_connect_failures_total", "Attempts to connect to the broker that failed."),
		lost:          counterOf("axlegate_edge_link_connections_lost_total", "Connections to the broker that ended unasked."),
	}
}

// Describe implements prometheus.Collector.
func (m *edgeMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []described{m.validUntil, m.synchronised, m.connected, m.connections, m.connectFailed, m.lost} {
		out <- d.desc
	}
}

// Collect reads them.
func (m *edgeMetrics) Collect(out chan<- prometheus.Metric) {
	for i := range m.lanes {
		l := &m.lanes[i]
		if c := l.Instrument.Certificate; c != nil {
			m.validUntil.say(out, seconds(c.ValidUntil), strconv.Itoa(int(l.Lane)), l.Device)
		}
	}
	m.synchronised.say(out, truth(m.clock() == wim.ClockSynchronised))
	l := m.link()
	m.connected.say(out, truth(l.Connected))
	m.connections.say(out, float64(l.Connections))
	m.connectFailed.say(out, float64(l.ConnectFailed))
	m.lost.say(out, float64(l.Lost))
}

// edgeHealth serves a site's health, and all metrics of the daemon instead of the site's alone.
func edgeHealth(site *edge.Site, reg *prometheus.Registry) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", site.Handler())
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	return mux
}
