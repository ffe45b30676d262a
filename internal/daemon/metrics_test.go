package daemon

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/axlegate/axlegate/center/console"
	"github.com/axlegate/axlegate/center/intake"
	"github.com/axlegate/axlegate/center/picture"
	"github.com/axlegate/axlegate/center/review"
	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/internal/stand"
	"github.com/axlegate/axlegate/rules"
	"github.com/axlegate/axlegate/uplink/broker"
	"github.com/axlegate/axlegate/uplink/mqtt"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

var update = flag.Bool("update", false, "write the golden files anew")

const operatorsPage = "../../docs/operation.md"

// edgeRegistry is the registry of a site that was not started.
func edgeRegistry(t *testing.T, s *stand.Stand) *prometheus.Registry {
	t.Helper()
	site := s.Sites[0]
	if err := os.WriteFile(site.Registrations, []byte("plate,kind,kerb_kg,rated_load_kg,max_gross_kg,max_towed_kg,drive_axles,axles\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := LoadEdge(site.Edge)
	if err != nil {
		t.Fatal(err)
	}
	log := Logging{}.Logger(os.Stderr)
	p, err := openEdge(cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	p.journal, err = journal.Open(t.Context(), journal.Config{Path: filepath.Join(t.TempDir(), "journal.db"), Site: cfg.Site, Key: p.keys.Signer.ID})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.journal.Close(); err != nil {
			t.Error(err)
		}
	})
	_, _, reg, err := p.site(log)
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

// centerRegistry is the registry of a centre that was not started.
func centerRegistry(t *testing.T) *prometheus.Registry {
	t.Helper()
	st, err := store.OpenSQLite(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "center.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	key, err := seal.GenerateSigner()
	if err != nil {
		t.Fatal(err)
	}
	pics, err := picture.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := st.SetStatus(t.Context(), "north-1", []byte(`{"state":"online","boot":"x"}`)); err != nil {
		t.Fatal(err)
	}
	reg := newRegistry()
	in, err1 := intake.New(intake.Config{Store: st, Signer: key, Sites: func(wim.SiteID) ([]*seal.Verifier, bool) { return nil, false },
		SendReceipt: func(context.Context, string, []byte) error { return nil }})
	rev, err2 := review.New(review.Config{Store: st, Rules: func(wim.Digest) (*rules.Set, bool) { return nil, false }})
	_, err3 := console.New(console.Config{Store: st, Sessions: st.Sessions(), Pictures: pics, Metrics: reg})
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	reg.MustRegister(in, rev, newCenterMetrics(st, func() mqtt.CenterStats { return mqtt.CenterStats{} }, func() (broker.Stats, bool) { return broker.Stats{}, true }))
	return reg
}

// described reads the name, the labels and the meaning of every metric of ours, whether or not it has a value.
func describedIn(t *testing.T, reg *prometheus.Registry) map[string]string {
	t.Helper()
	shape := regexp.MustCompile(`^Desc\{fqName: "([^"]+)", help: (".*"), constLabels: \{(.*)\}, variableLabels: \{(.*)\}\}$`)
	ch := make(chan *prometheus.Desc, 1000)
	reg.Describe(ch)
	close(ch)
	out := map[string]string{}
	for d := range ch {
		m := shape.FindStringSubmatch(d.String())
		if m == nil {
			t.Fatalf("a description that is not understood: %s", d)
		}
		if !strings.HasPrefix(m[1], "axlegate_") {
			continue // of the runtime and the process
		}
		var help string
		if _, err := fmt.Sscanf(m[2], "%q", &help); err != nil {
			t.Fatal(err)
		}
		labels := regexp.MustCompile(`="[^"]*"`).ReplaceAllString(m[3], "")
		if m[4] != "" {
			labels = strings.TrimPrefix(labels+","+m[4], ",")
		}
		if labels != "" {
			labels = "`" + strings.ReplaceAll(strings.ReplaceAll(labels, " ", ""), ",", "`, `") + "`"
		}
		out[m[1]] = fmt.Sprintf("| `%s` | %s | %s |", m[1], labels, help)
	}
	return out
}

func TestEveryMetricStandsInTheOperatorsPage(t *testing.T) {
	s, err := stand.Create(t.Context(), stand.Config{Dir: t.TempDir(), Sites: []stand.SiteConfig{{Site: "north-1", Road: "G5", PerMinute: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(operatorsPage)
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	for name, reg := range map[string]*prometheus.Registry{"edge": edgeRegistry(t, s), "centre": centerRegistry(t)} {
		rows := describedIn(t, reg)
		if name == "edge" || name == "centre" {
			// Set only where a listener has a certificate.
			rows["axlegate_tls_certificate_expiry_timestamp_seconds"] = "| `axlegate_tls_certificate_expiry_timestamp_seconds` | `listener` | When the certificate that a listener shows ends, in Unix time. |"
		}
		lines := make([]string, 0, len(rows))
		for _, k := range slices.Sorted(maps.Keys(rows)) {
			lines = append(lines, rows[k])
		}
		begin, end := "<!-- metrics of the "+name+" -->\n", "<!-- end -->"
		head, rest, ok := strings.Cut(text, begin)
		_, tail, ok2 := strings.Cut(rest, end)
		if !ok || !ok2 {
			t.Fatalf("%s has no place for the metrics of the %s", operatorsPage, name)
		}
		text = head + begin + "| metric | labels | meaning |\n|---|---|---|\n" + strings.Join(lines, "\n") + "\n" + end + tail
	}
	if *update {
		if err := os.WriteFile(operatorsPage, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if text != string(page) {
		t.Errorf("the tables of metrics in %s are not what the daemons export; run: make golden, and look at the diff", operatorsPage)
	}
}

func TestMetricsKeepToTheConventions(t *testing.T) {
	s, err := stand.Create(t.Context(), stand.Config{Dir: t.TempDir(), Sites: []stand.SiteConfig{{Site: "north-1", Road: "G5", PerMinute: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	for name, reg := range map[string]*prometheus.Registry{"edge": edgeRegistry(t, s), "centre": centerRegistry(t)} {
		families, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		problems, err := promlint.NewWithMetricFamilies(families).Lint()
		if err != nil {
			t.Fatal(err)
		}
		ours := 0
		for _, f := range families {
			if strings.HasPrefix(f.GetName(), "axlegate_") {
				ours++
			}
			for _, m := range f.GetMetric() {
				for _, l := range m.GetLabel() {
					if slices.Contains([]string{"plate", "chain", "digest", "login", "matter"}, l.GetName()) {
						t.Errorf("%s: %s has the label %s: its values never end, or name a person", name, f.GetName(), l.GetName())
					}
				}
			}
		}
		if ours < 15 {
			t.Errorf("%s: %d metrics of ours", name, ours)
		}
		for _, p := range problems {
			if strings.HasPrefix(p.Metric, "axlegate_") {
				t.Errorf("%s: %s: %s", name, p.Metric, p.Text)
			}
		}
	}
}

// An increase from nothing to 1 is none to Prometheus: a counter that an alert rule asks for is there from the start.
func TestCountersThatAlertsAskForBeginAtZero(t *testing.T) {
	s, err := stand.Create(t.Context(), stand.Config{Dir: t.TempDir(), Sites: []stand.SiteConfig{{Site: "north-1", Road: "G5", PerMinute: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	rules, err := os.ReadFile("../../configs/alerts/axlegate.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, reg := range []*prometheus.Registry{edgeRegistry(t, s), centerRegistry(t)} {
		families, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			there[f.GetName()] = true
		}
	}
	asked := regexp.MustCompile(`increase\((axlegate_\w+)`).FindAllStringSubmatch(string(rules), -1)
	if len(asked) < 4 {
		t.Fatalf("the rules ask for %d increases", len(asked))
	}
	for _, m := range asked {
		if !there[m[1]] {
			t.Errorf("%s has no series before it is first counted", m[1])
		}
	}
}

// A store that is down is told by a metric, and the rest is still exported.
func TestAStoreThatIsDownIsToldAndTheRestIsExported(t *testing.T) {
	reg := prometheus.NewRegistry()
	st, err := store.OpenSQLite(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "center.db")})
	if err != nil {
		t.Fatal(err)
	}
	reg.MustRegister(newCenterMetrics(st, func() mqtt.CenterStats { return mqtt.CenterStats{Connected: 16} }, func() (broker.Stats, bool) { return broker.Stats{}, false }))
	for _, up := range []float64{1, 0} {
		families, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]float64{}
		for _, f := range families {
			got[f.GetName()] = f.GetMetric()[0].GetGauge().GetValue()
		}
		if got["axlegate_center_store_up"] != up || got["axlegate_center_link_slots_connected"] != 16 {
			t.Errorf("up %v: %v", up, got)
		}
		if _, there := got["axlegate_center_broker_full"]; there {
			t.Error("an external broker has figures")
		}
		if up == 1 {
			if err := st.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}
