package daemon

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/uplink/broker"
	"github.com/axlegate/axlegate/uplink/mqtt"
	"github.com/axlegate/axlegate/wim"
)

// scrapeTime bounds what one scrape may ask of the store: one that is down must not hang the scrape.
const scrapeTime = 5 * time.Second

// overviewStore is what the centre's metrics ask of its store.
type overviewStore interface {
	Overview(ctx context.Context) (center.Overview, error)
}

// centerMetrics reads store, link and broker when the metrics are asked for.
type centerMetrics struct {
	store  overviewStore
	link   func() mqtt.CenterStats
	broker func() (broker.Stats, bool) // false for an external one

	up, siteOnline, siteHeard, siteBehind, siteUnread, siteForked, alarms described
	alertsOpen, alertOldest, unreviewed, waiting, quarantine              described

	connected, connections, connectFailed, lost, messages, failed, repeated, malformed, stale, overflows, receipts described
	stored, full, refused, restarts                                                                                described
}

func newCenterMetrics(s overviewStore, link func() mqtt.CenterStats, b func() (broker.Stats, bool)) *centerMetrics {
	return &centerMetrics{
		store: s, link: link, broker: b,

		up:         gaugeOf("axlegate_center_store_up", "1 while the store answers; without it the figures of sites and alerts are missing."),
		siteOnline: gaugeOf("axlegate_center_site_online", "1 while the broker says that the site is connected.", "site"),
		siteHeard:  gaugeOf("axlegate_center_site_heard_timestamp_seconds", "When the centre last stored a record of the site, in Unix time; 0 for never.", "site"),
		siteBehind: gaugeOf("axlegate_center_site_behind_records", "Records of the site's current chain that are held beyond a hole.", "site"),
		siteUnread: gaugeOf("axlegate_center_site_unread_records", "Records of a kind or format that only a later release reads.", "site"),
		siteForked: gaugeOf("axlegate_center_site_forked", "1 while the site's current chain holds other records than the site has.", "site"),
		alarms:     gaugeOf("axlegate_center_alarms", "Things about a site that a person has not looked into, by kind.", "site", "kind"),
		alertsOpen: gaugeOf("axlegate_center_alerts_unacknowledged", "Alerts that the authority has not acknowledged.", "competence"),
		alertOldest: gaugeOf("axlegate_center_alert_oldest_unacknowledged_timestamp_seconds",
			"When the oldest alert that the authority has not acknowledged was raised, in Unix time; absent when there is none.", "competence"),
		unreviewed: gaugeOf("axlegate_center_review_backlog_records", "Records stored and not reviewed yet."),
		waiting:    gaugeOf("axlegate_center_review_waiting_supplements", "Supplements whose passage is not here yet."),
		quarantine: gaugeOf("axlegate_center_quarantine_items", "Messages set aside because they could not be believed or read."),

		connected:     gaugeOf("axlegate_center_link_slots_connected", "Slots that this instance serves over a connection to the broker."),
		connections:   counterOf("axlegate_center_link_connections_total", "Connections to the broker that came up."),
		connectFailed: counterOf("axlegate_center_link_connect_failures_total", "Attempts to connect to the broker that failed."),
		lost:          counterOf("axlegate_center_link_connections_lost_total", "Connections to the broker that ended unasked."),
		messages:      counterOf("axlegate_center_link_messages_total", "Messages taken and acknowledged to the broker."),
		failed:        counterOf("axlegate_center_link_messages_failed_total", "Messages not taken, so that the broker sends them again."),
		repeated:      counterOf("axlegate_center_link_messages_repeated_total", "Messages that the broker sent again while the first copy waited."),
		malformed:     counterOf("axlegate_center_link_messages_malformed_total", "Messages that are not of this protocol, dropped."),
		stale:         counterOf("axlegate_center_link_statuses_stale_total", "Statuses that came late, such as a will after a reconnection."),
		overflows:     counterOf("axlegate_center_link_overflows_total", "Connections ended because the broker sent more than fits."),
		receipts:      counterOf("axlegate_center_link_receipts_total", "Receipts given to the broker, by whether it took them.", "result"),

		stored:   gaugeOf("axlegate_center_broker_stored_bytes", "Bytes that wait in the embedded broker."),
		full:     gaugeOf("axlegate_center_broker_full", "1 while sites are kept out because too much waits for the intake."),
		refused:  counterOf("axlegate_center_broker_refused_connections_total", "Connections that the embedded broker turned away."),
		restarts: counterOf("axlegate_center_broker_restarts_total", "Starts of the embedded broker after its store had failed."),
	}
}

// Describe implements prometheus.Collector.
func (m *centerMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []described{
		m.up, m.siteOnline, m.siteHeard, m.siteBehind, m.siteUnread, m.siteForked, m.alarms, m.alertsOpen, m.alertOldest, m.unreviewed, m.waiting, m.quarantine,
		m.connected, m.connections, m.connectFailed, m.lost, m.messages, m.failed, m.repeated, m.malformed, m.stale, m.overflows, m.receipts,
		m.stored, m.full, m.refused, m.restarts,
	} {
		out <- d.desc
	}
}

// Collect reads them.
func (m *centerMetrics) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime) // a scrape brings no context
	defer cancel()
	o, err := m.store.Overview(ctx)
	m.up.say(out, truth(err == nil))
	if err == nil {
		m.overview(out, &o)
	}
	l := m.link()
	m.connected.say(out, float64(l.Connected))
	for _, c := range []struct {
		d described
		v uint64
	}{
		{m.connections, l.Connections}, {m.connectFailed, l.ConnectFailed}, {m.lost, l.Lost}, {m.messages, l.Messages}, {m.failed, l.Failed},
		{m.repeated, l.Repeated}, {m.malformed, l.Malformed}, {m.stale, l.StaleStatuses}, {m.overflows, l.Overflows},
	} {
		c.d.say(out, float64(c.v))
	}
	m.receipts.say(out, float64(l.Receipts), "acknowledged")
	m.receipts.say(out, float64(l.ReceiptsFailed), "failed")
	if b, ok := m.broker(); ok {
		m.stored.say(out, float64(b.Stored))
		m.full.say(out, truth(b.Full))
		m.refused.say(out, float64(b.Refused))
		m.restarts.say(out, float64(b.Restarts))
	}
}

func (m *centerMetrics) overview(out chan<- prometheus.Metric, o *center.Overview) {
	for _, s := range o.Sites {
		site := string(s.Site)
		m.siteOnline.say(out, truth(s.Online), site)
		m.siteHeard.say(out, seconds(s.Heard), site)
		m.siteBehind.say(out, float64(s.Behind), site)
		m.siteUnread.say(out, float64(s.Unread), site)
		m.siteForked.say(out, truth(s.Forked), site)
	}
	for _, a := range o.Alarms {
		m.alarms.say(out, float64(a.Count), string(a.Site), string(a.Kind))
	}
	for _, a := range o.Open {
		m.alertsOpen.say(out, float64(a.Count), string(a.Competence))
		if a.Oldest != 0 {
			m.alertOldest.say(out, seconds(a.Oldest), string(a.Competence))
		}
	}
	m.unreviewed.say(out, float64(o.Unreviewed))
	m.waiting.say(out, float64(o.Waiting))
	m.quarantine.say(out, float64(o.Quarantined))
}

// seconds is an instant in Unix time, as Prometheus counts; 0 for unknown.
func seconds(t wim.Time) float64 { return float64(t) / float64(time.Second) }
