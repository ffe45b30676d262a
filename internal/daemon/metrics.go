package daemon

import (
	"crypto/tls"
	"crypto/x509"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// newRegistry is a registry with what every daemon says of itself.
func newRegistry() *prometheus.Registry {
	reg := prometheus.NewRegistry()
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "axlegate_build_info", Help: "Always 1; the labels name what runs.",
		ConstLabels: prometheus.Labels{"version": Version, "go_version": runtime.Version()},
	})
	build.Set(1)
	reg.MustRegister(build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return reg
}

// expiry tells when the certificate of a listener ends.
func expiry(reg *prometheus.Registry, listener string, t *tls.Config) {
	if t == nil || len(t.Certificates) == 0 {
		return
	}
	leaf := t.Certificates[0].Leaf
	if leaf == nil {
		var err error
		if leaf, err = x509.ParseCertificate(t.Certificates[0].Certificate[0]); err != nil {
			return // it was read when the listener was configured
		}
	}
	g := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "axlegate_tls_certificate_expiry_timestamp_seconds", Help: "When the certificate that a listener shows ends, in Unix time.",
		ConstLabels: prometheus.Labels{"listener": listener},
	})
	g.Set(float64(leaf.NotAfter.Unix()))
	reg.MustRegister(g)
}

// described is one metric that is read when the metrics are asked for.
type described struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
}

func gaugeOf(name, help string, labels ...string) described {
	return described{prometheus.NewDesc(name, help, labels, nil), prometheus.GaugeValue}
}

func counterOf(name, help string, labels ...string) described {
	return described{prometheus.NewDesc(name, help, labels, nil), prometheus.CounterValue}
}

func (d described) say(out chan<- prometheus.Metric, v float64, labels ...string) {
	out <- prometheus.MustNewConstMetric(d.desc, d.kind, v, labels...)
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
