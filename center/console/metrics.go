package console

import "github.com/prometheus/client_golang/prometheus"

// metrics are the console's figures.
type metrics struct {
	signIns *prometheus.CounterVec
	viewers prometheus.GaugeFunc
}

// What came of a sign-in.
const (
	signInRight   = "right"
	signInWrong   = "wrong"
	signInLimited = "limited"
)

func newMetrics(v *viewers) *metrics {
	m := &metrics{
		signIns: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "axlegate_center_console", Name: "sign_ins_total", Help: "Attempts to sign in, by what came of them.",
		}, []string{"result"}),
		viewers: prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: "axlegate_center_console", Name: "live_views", Help: "Live views that are open.",
		}, func() float64 { return float64(v.count()) }),
	}
	for _, r := range []string{signInRight, signInWrong, signInLimited} {
		m.signIns.WithLabelValues(r)
	}
	return m
}

func (m *metrics) signIn(result string) { m.signIns.WithLabelValues(result).Inc() }

// register gives the figures to a registry; nil is none.
func (m *metrics) register(r prometheus.Registerer) error {
	if r == nil {
		return nil
	}
	if err := r.Register(m.signIns); err != nil {
		return err
	}
	return r.Register(m.viewers)
}
