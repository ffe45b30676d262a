package configs_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/axlegate/axlegate/internal/testenv"
)

const (
	rulesFile = "alerts/axlegate.rules.yml"
	testsFile = "alerts/axlegate.rules.test.yml"
	dashboard = "dashboards/axlegate.json"
	page      = "../docs/operation.md"
)

func read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// documented are the metrics in the operators' page, which a test of internal/daemon holds against the daemons.
func documented(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(axlegate_[a-z_]+)` \\|").FindAllStringSubmatch(string(read(t, page)), -1) {
		out[m[1]] = true
	}
	if len(out) < 40 {
		t.Fatalf("%s names %d metrics", page, len(out))
	}
	return out
}

var ownMetric = regexp.MustCompile(`\baxlegate_[a-z_]+\b`)

// known tells of every metric of ours in an expression whether a daemon exports it.
func known(t *testing.T, where, expr string, metrics map[string]bool) {
	t.Helper()
	for _, m := range ownMetric.FindAllString(expr, -1) {
		if !metrics[m] && !metrics[strings.TrimSuffix(m, "_bucket")] {
			t.Errorf("%s asks for %s, which no daemon exports", where, m)
		}
	}
}

// figuresOfTheDatabase are the same at every centre on one database.
var figuresOfTheDatabase = regexp.MustCompile(`axlegate_center_(site_\w+|alarms|alerts_unacknowledged|alert_oldest\w+)`)

// once tells of a figure of the database that is not taken once, whatever the number of centres.
func once(t *testing.T, where, expr string) {
	t.Helper()
	for _, at := range figuresOfTheDatabase.FindAllStringIndex(expr, -1) {
		if !regexp.MustCompile(`(max|min) by \([a-z, ]+\) \($`).MatchString(expr[:at[0]]) {
			t.Errorf("%s takes %s once for every centre; want max by (…) or min by (…) straight around it", where, expr[at[0]:at[1]])
		}
	}
}

type rule struct {
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

func rules(t *testing.T) (out []rule) {
	t.Helper()
	var f struct {
		Groups []struct {
			Rules []rule `yaml:"rules"`
		} `yaml:"groups"`
	}
	if err := yaml.Unmarshal(read(t, rulesFile), &f); err != nil {
		t.Fatal(err)
	}
	for _, g := range f.Groups {
		out = append(out, g.Rules...)
	}
	return out
}

func TestEveryAlertRuleIsExplainedTestedAndAsksForWhatThereIs(t *testing.T) {
	metrics, text := documented(t), string(read(t, page))
	var tests struct {
		Tests []struct {
			AlertRuleTest []struct {
				Alertname string           `yaml:"alertname"`
				Expected  []map[string]any `yaml:"exp_alerts"`
			} `yaml:"alert_rule_test"`
		} `yaml:"tests"`
	}
	if err := yaml.Unmarshal(read(t, testsFile), &tests); err != nil {
		t.Fatal(err)
	}
	fires := map[string]bool{}
	for _, x := range tests.Tests {
		for _, a := range x.AlertRuleTest {
			fires[a.Alertname] = fires[a.Alertname] || len(a.Expected) > 0
		}
	}
	seen := map[string]bool{}
	for _, r := range rules(t) {
		if seen[r.Alert] {
			t.Errorf("%s is there twice", r.Alert)
		}
		seen[r.Alert] = true
		known(t, r.Alert, r.Expr, metrics)
		once(t, r.Alert, r.Expr)
		if !fires[r.Alert] {
			t.Errorf("%s: no test in %s makes it fire", r.Alert, testsFile)
		}
		if !strings.Contains(text, "\n### "+r.Alert+"\n") {
			t.Errorf("%s: %s does not say what to do", r.Alert, page)
		}
		if want := "docs/operation.md#" + strings.ToLower(r.Alert); r.Annotations["runbook_url"] != want {
			t.Errorf("%s: runbook_url %q, want %q", r.Alert, r.Annotations["runbook_url"], want)
		}
		for _, a := range []string{"summary", "summary_zh", "description"} {
			if r.Annotations[a] == "" {
				t.Errorf("%s has no %s", r.Alert, a)
			}
		}
		if s := r.Labels["severity"]; s != "page" && s != "ticket" && s != "info" {
			t.Errorf("%s: severity %q", r.Alert, s)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^### (Axlegate\w+)$`).FindAllStringSubmatch(text, -1) {
		if !seen[m[1]] {
			t.Errorf("%s explains %s, which is no rule", page, m[1])
		}
	}
}

func TestAlertRulesFireWhenTheyShouldAndOnlyThen(t *testing.T) {
	promtool := testenv.Promtool(t)
	for _, args := range [][]string{{"check", "rules", filepath.Base(rulesFile)}, {"test", "rules", filepath.Base(testsFile)}} {
		if out, err := run(t, filepath.Dir(rulesFile), promtool, args...); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

func TestTheDashboardAsksForWhatThereIs(t *testing.T) {
	metrics := documented(t)
	var d struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
			GridPos struct{ X, Y, W, H int }
		}
	}
	if err := json.Unmarshal(read(t, dashboard), &d); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("groups:\n  - name: dashboard\n    rules:\n")
	n := 0
	for _, p := range d.Panels {
		if p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("%s does not fit", p.Title)
		}
		for _, x := range p.Targets {
			n++
			known(t, p.Title, x.Expr, metrics)
			once(t, p.Title, x.Expr)
			fmt.Fprintf(&b, "      - {record: 'dashboard:%d', expr: '%s'}\n", n, strings.ReplaceAll(strings.ReplaceAll(x.Expr, "$__rate_interval", "5m"), "'", "''"))
		}
	}
	if n < 20 {
		t.Errorf("%d expressions", n)
	}
	// A rule file is how promtool is asked whether expressions can be read.
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "d.yml"), []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := run(t, dir, testenv.Promtool(t), "check", "rules", "d.yml"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
