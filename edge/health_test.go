package edge

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// counted adds up all series of one counter.
func counted(t testing.TB, s *Site, name string) float64 {
	t.Helper()
	families, err := s.m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

func TestTheHealthPageSaysWhatIsDownAndWhatToDo(t *testing.T) {
	r := newRig(t)
	r.start()
	get := func(path string) (int, string) {
		w := httptest.NewRecorder()
		r.site.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		return w.Code, w.Body.String()
	}
	if code, body := get("/healthz"); code != 200 || body != "ok\n" {
		t.Errorf("%d %q", code, body)
	}
	var h Health
	code, body := get("/readyz")
	if err := json.Unmarshal([]byte(body), &h); err != nil || code != 200 || h.State != StateReady || len(h.Devices) != 1 || h.Journal.Head == 0 {
		t.Errorf("%d %s %v", code, body, err)
	}
	r.push(r.scale.vehicle(2, 9000)...)
	r.tells(1)
	eventually(t, "a receipt", func() bool { return counted(t, r.site, "axlegate_edge_receipts_total") > 0 })
	_, body = get("/metrics")
	for _, want := range []string{`axlegate_edge_passages_total{lane="1",outcome=`, `axlegate_edge_device_up{device="scale-1"} 1`, "axlegate_edge_commit_seconds_bucket",
		"axlegate_edge_unreceipted_records", "axlegate_edge_order_seconds_count"} {
		if !strings.Contains(body, want) {
			t.Errorf("metrics lack %s", want)
		}
	}
	r.stop()
	code, body = get("/readyz")
	if err := json.Unmarshal([]byte(body), &h); err != nil || code != 503 || h.State != StateStopped || !strings.Contains(strings.Join(h.Todo, " "), "plug it in") {
		t.Errorf("%d %s %v", code, body, err)
	}
}
