package edge

import (
	"testing"

	"github.com/axlegate/axlegate/wim"
)

func TestAScaleThatMissesAxlesRaisesADriftAlarm(t *testing.T) {
	r := newRig(t)
	r.built = func(s *Site) { // its goroutine does not run yet
		for range 1000 {
			s.lanes[0].watchDrift(&wim.Vehicle{Flags: wim.MissedAxle})
		}
	}
	r.start()
	families, err := r.site.m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == "kind" && l.GetValue() == "missed" {
					found[f.GetName()] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
				}
			}
		}
	}
	if found["axlegate_edge_drift_alarms_total"] != 1 || found["axlegate_edge_drift_ratio"] != 1 {
		t.Errorf("%v, want one alarm and a ratio of one", found)
	}
}
