package edge

import (
	"context"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/axlegate/axlegate/wim"
)

// metrics are the numbers of one site. They lie in a registry of their own, so that several sites can live in
// one process.
type metrics struct {
	registry *prometheus.Registry

	passages, gaps, dropped, plates, orders, sizes *prometheus.CounterVec
	supplements, drifts                            *prometheus.CounterVec
	drift                                          *prometheus.GaugeVec
	judge                                          prometheus.Observer
	order, shown                                   *prometheus.HistogramVec

	commit, commitRecords            prometheus.Observer
	held                             prometheus.Gauge
	lost, poison, asks, transactions *prometheus.CounterVec
	diskGaps                         prometheus.Counter
	published, receipts, pictures    *prometheus.CounterVec
	publishedBytes, resends          prometheus.Counter
	overtook, forks, lostAtCenter    prometheus.Counter
	deviceRestarts                   *prometheus.CounterVec
}

// laneMetrics are the same with the lane filled in.
type laneMetrics struct {
	passages, gaps, dropped, plates, orders, sizes *prometheus.CounterVec
	supplements                                    prometheus.Counter
	drifts                                         *prometheus.CounterVec
	drift                                          *prometheus.GaugeVec
	judge, order, shown                            prometheus.Observer
}

func newMetrics() *metrics {
	m := &metrics{registry: prometheus.NewRegistry()}
	name := func(n, help string) prometheus.CounterOpts {
		return prometheus.CounterOpts{Namespace: "axlegate", Subsystem: "edge", Name: n, Help: help}
	}
	vec := func(n, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(name(n, help), labels)
		m.registry.MustRegister(c)
		return c
	}
	counter := func(n, help string) prometheus.Counter {
		c := prometheus.NewCounter(name(n, help))
		m.registry.MustRegister(c)
		return c
	}
	histogram := func(n, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "axlegate", Subsystem: "edge", Name: n, Help: help, Buckets: buckets}, labels)
		m.registry.MustRegister(h)
		return h
	}
	fast := prometheus.ExponentialBuckets(1e-6, 4, 12)   // 1 µs to 4 s
	medium := prometheus.ExponentialBuckets(1e-4, 2, 16) // 0.1 ms to 3 s

	m.passages = vec("passages_total", "Vehicles recorded, by the weightiest outcome and its standing.", "lane", "outcome", "standing")
	m.supplements = vec("supplements_total", "Late plates, and licences that the centre told or staff keyed, recorded.", "lane")
	m.gaps = vec("gaps_total", "Gaps in the messages of a scale.", "lane", "cause")
	m.dropped = vec("readings_dropped_total", "Readings not taken in. What is numbered shows as a gap, except repeats.", "lane", "reason")
	m.plates = vec("plates_total", "Plate reads, by what became of them.", "lane", "result")
	m.sizes = vec("sizes_total", "Sizes of vehicles that laser units measured, by what became of them.", "lane", "result")
	m.orders = vec("orders_total", "Orders given to the sign, by what became of them.", "lane", "order", "result")
	m.judge = histogram("judge_seconds", "Time to judge one passage.", fast).WithLabelValues()
	m.order = histogram("order_seconds", "From the arrival of the vehicle's end to the order handed to the sign.", medium, "lane")
	m.shown = histogram("sign_seconds", "From the order handed to the sign until it is read back.", medium, "lane")
	m.commit = histogram("commit_seconds", "Time to commit and sync one batch of records.", medium).WithLabelValues()
	m.commitRecords = histogram("commit_records", "Records in one commit.", prometheus.ExponentialBuckets(1, 2, 8)).WithLabelValues()
	m.held = prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "axlegate", Subsystem: "edge", Name: "held_groups", Help: "Groups of records held in memory because the journal cannot be written."})
	m.registry.MustRegister(m.held)
	m.drifts = vec("drift_alarms_total", "Looks at a scale that found it off its reference, by what was looked at.", "lane", "kind")
	m.drift = prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "axlegate", Subsystem: "edge", Name: "drift_ratio",
		Help: "How far a scale lay off its reference at the last look, as a ratio; for missed axles and wheels their share."}, []string{"lane", "kind"})
	m.registry.MustRegister(m.drift)
	m.lost = vec("lost_total", "Records that could neither be written nor held; passages are named by a gap.", "kind")
	m.diskGaps = counter("disk_gaps_total", "Gaps sealed after the journal could not be written.")
	m.asks = vec("asks_total", "Questions to the centre what a vehicle is registered for, by what became of them.", "result")
	m.transactions = vec("transactions_total", "Transactions of toll and checkpoint systems, by what became of them; linked ones are counted as committed too.", "system", "result")
	m.poison = vec("poison_total", "Records or segments that can never be sealed or sent.", "kind")
	m.published = vec("messages_total", "Messages given to the broker.", "result")
	m.publishedBytes = counter("message_bytes_total", "Bytes of messages the broker took.")
	m.receipts = vec("receipts_total", "Receipts of the centre, by what became of them.", "result")
	m.resends = counter("resends_total", "Times the sender started again because no receipt came.")
	m.overtook = counter("overtaking_total", "Records sent ahead of a backlog because someone waits for them.")
	m.forks = counter("forks_total", "New chains started because the centre held other records under this chain's name.")
	m.lostAtCenter = counter("lost_at_center_total", "Records that a restored centre no longer holds and the site has pruned.")
	m.pictures = vec("pictures_total", "Pictures, by what became of them.", "result")
	m.deviceRestarts = vec("device_restarts_total", "Times a driver ended by itself and was started again.", "device")
	// From 0 on: increase() does not see a series that begins at 1, and an alert asks for these.
	for _, k := range []wim.RecordKind{wim.KindPassage, wim.KindSupplement, wim.KindGap, wim.KindTransaction} {
		m.poison.WithLabelValues(string(k))
	}
	m.poison.WithLabelValues("segment")
	m.poison.WithLabelValues("record")
	m.receipts.WithLabelValues("refused")
	m.receipts.WithLabelValues("old-epoch")
	for _, result := range []string{"not-stored", pictureDropped, pictureDroppedFinding} {
		m.pictures.WithLabelValues(result)
	}
	m.lost.WithLabelValues(string(wim.KindPassage))
	m.lost.WithLabelValues(string(wim.KindSupplement))
	return m
}

func (m *metrics) lane(id wim.LaneID) *laneMetrics {
	l := prometheus.Labels{"lane": strconv.Itoa(int(id))}
	return &laneMetrics{
		passages: m.passages.MustCurryWith(l), gaps: m.gaps.MustCurryWith(l), dropped: m.dropped.MustCurryWith(l), plates: m.plates.MustCurryWith(l),
		orders: m.orders.MustCurryWith(l), sizes: m.sizes.MustCurryWith(l), supplements: m.supplements.With(l), drifts: m.drifts.MustCurryWith(l), drift: m.drift.MustCurryWith(l), judge: m.judge, order: m.order.With(l), shown: m.shown.With(l),
	}
}

// scraped reads devices and journal when the metrics are asked for.
type scraped struct {
	site *Site

	up, state, messages, skipped, reconnects, unreceipted, oldest, stranded, waiting, refused, failSafe, steps, behind, reserve, reserveSize, free, cameraOffset *prometheus.Desc
}

func newScraped(s *Site) *scraped {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName("axlegate", "edge", name), help, labels, nil)
	}
	return &scraped{
		site:         s,
		up:           desc("device_up", "1 while the driver reaches its device.", "device"),
		state:        desc("device_state", "1 for the state that the device is in: live, connecting, degraded, silent or failed.", "device", "state"),
		messages:     desc("device_messages_total", "Frames, events or answers of the device.", "device", "result"),
		skipped:      desc("device_skipped_bytes_total", "Bytes thrown away to find the next good frame.", "device"),
		reconnects:   desc("device_reconnects_total", "Times the line to the device was opened again.", "device"),
		unreceipted:  desc("unreceipted_records", "Records of the active chain that no receipt covers."),
		oldest:       desc("oldest_unreceipted_seconds", "Age of the oldest record that no receipt covers."),
		stranded:     desc("stranded_records", "Records of chains before a fork that no receipt covers; a person must settle them."),
		waiting:      desc("pictures_waiting", "Pictures not yet handed in."),
		refused:      desc("pictures_set_aside", "Pictures that the centre refused for good or that are missing."),
		steps:        desc("clock_steps_total", "Times the system clock was set while the site ran."),
		behind:       desc("clock_behind_seconds", "How far the system clock lies behind a time that has certainly passed."),
		reserve:      desc("reserve_bytes", "What the reserve for a full disk still holds."),
		reserveSize:  desc("reserve_size_bytes", "What the reserve for a full disk holds when it is whole."),
		free:         desc("disk_free_bytes", "What is free on the disk of the journal."),
		cameraOffset: desc("camera_clock_offset_seconds", "How far a camera's clock trails the site's, by the median of the latest prompt reads; absent until four were compared.", "device"),
		failSafe:     desc("fail_safe", "1 while the journal cannot be written and no orders are given."),
	}
}

// Describe names the metrics.
func (c *scraped) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.up, c.state, c.messages, c.skipped, c.reconnects, c.unreceipted, c.oldest, c.stranded, c.waiting, c.refused, c.failSafe, c.steps, c.behind, c.reserve, c.reserveSize, c.free, c.cameraOffset} {
		out <- d
	}
}

// Collect reads them.
func (c *scraped) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, v uint64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	truth := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	for _, d := range c.site.devices() {
		if !d.reports {
			continue
		}
		h := d.health
		gauge(c.up, truth(h.Up), d.name)
		for _, st := range []DeviceState{DeviceLive, DeviceConnecting, DeviceDegraded, DeviceSilent, DeviceFailed} {
			gauge(c.state, truth(d.state == st), d.name, string(st))
		}
		counter(c.messages, h.Messages, d.name, "good")
		counter(c.messages, h.Bad, d.name, "bad")
		counter(c.skipped, h.Skipped, d.name)
		counter(c.reconnects, h.Reconnects, d.name)
	}
	for _, l := range c.site.lanes {
		l.cameraOffsets(func(device string, d time.Duration) { gauge(c.cameraOffset, d.Seconds(), device) })
	}
	counter(c.steps, c.site.cfg.Timekeeper.Steps())
	gauge(c.behind, c.site.cfg.Timekeeper.Behind().Seconds())
	gauge(c.reserve, float64(c.site.cfg.Disk.Reserve.Left()))
	gauge(c.reserveSize, float64(c.site.cfg.Disk.Reserve.Size()))
	if n, err := c.site.cfg.Journal.Free(); err == nil {
		gauge(c.free, float64(n))
	}
	gauge(c.failSafe, truth(c.site.recorder.failSafe.Load()))
	gauge(c.stranded, float64(c.site.cfg.Journal.Stranded()))
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second) // a scrape brings no context
	defer cancel()
	if n, oldest, err := c.site.cfg.Journal.Waiting(ctx); err == nil {
		gauge(c.unreceipted, float64(n))
		age := 0.0
		if oldest != 0 {
			age = max(c.site.cfg.Now().Sub(oldest.Std()).Seconds(), 0)
		}
		gauge(c.oldest, age)
	} else {
		out <- prometheus.NewInvalidMetric(c.unreceipted, err)
	}
	if w, r, err := c.site.cfg.Journal.PicturesWaiting(ctx); err == nil {
		gauge(c.waiting, float64(w))
		gauge(c.refused, float64(r))
	} else {
		out <- prometheus.NewInvalidMetric(c.waiting, err)
	}
}
