package e2e

import (
	"context"
	"errors"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/internal/daemon"
	"github.com/axlegate/axlegate/internal/stand"
	"github.com/axlegate/axlegate/simulator"
	"github.com/axlegate/axlegate/wim"
)

// Staff weigh a vehicle on a static scale through the site's page: the indicator is a simulated one behind a terminal server, the record
// stands in the journal.
func TestAWeighingAtRestOnTheSitesPageIsSealed(t *testing.T) {
	t.Parallel()
	s, err := stand.Create(t.Context(), stand.Config{Dir: t.TempDir(), Sites: []stand.SiteConfig{{Site: "north-1", Road: "G5", PerMinute: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	site := s.Sites[0]
	sim, err := simulator.NewTerminal(t.Context(), simulator.TerminalConfig{Dialect: "xk3190", Address: "127.0.0.1:0", Every: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close() //nolint:errcheck // taken down with the test
	f, err := os.OpenFile(site.Edge, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("bridges:\n  - {bridge: bridge-1, dialect: xk3190, address: " + sim.Addr() + ", mass: kg, shown: gross, steady: 500ms, station: K12}\n"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	table, err := os.Create(site.Registrations)
	if err == nil {
		err = table.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	hardware, closeTruth, err := daemon.NewSim(daemon.SimFiles{Scenario: site.Scenario, Registrations: site.Registrations}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(hardware.Close(), closeTruth()); err != nil { // it stands there, and nobody drives
			t.Error(err)
		}
	}()
	stopEdge := begin(t, func(ctx context.Context) error {
		cfg, err := daemon.LoadEdge(site.Edge)
		if err != nil {
			return err
		}
		return daemon.RunEdge(ctx, cfg, daemon.Logging{Format: "text"}.Logger(t.Output()))
	})
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	send := func(path string, form url.Values) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+site.Board+path, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Accept-Language", "en")
		resp, err := client.Do(req)
		if err != nil {
			return 0, err.Error()
		}
		return resp.StatusCode, readAll(t, resp)
	}
	until(t, "a sign-in", time.Minute, func() (bool, string) {
		code, body := send("/sign-in", url.Values{"login": {site.Staff.Login}, "password": {site.Staff.Password}})
		return code == http.StatusOK, body
	})
	if code, body := send("/bridges/bridge-1/weighings", url.Values{"plate": {"川A12345"}}); code != http.StatusConflict || !strings.Contains(body, "empty") {
		t.Errorf("nobody is on the scale: %d %s", code, body)
	}
	sim.Set(simulator.StaticLoad{Gross: 48_260})
	until(t, "a weighing", time.Minute, func() (bool, string) {
		code, body := send("/bridges/bridge-1/weighings", url.Values{"plate": {"川A12345"}, "color": {"yellow"}})
		return code == http.StatusOK && strings.Contains(body, "Weighed and sealed"), body
	})
	if code, _ := send("/bridges/bridge-1/weighings", url.Values{"plate": {"川B1"}}); code != http.StatusConflict {
		t.Errorf("the same load again: %d", code)
	}
	stopEdge()
	var got []wim.Transaction
	if _, err := journal.Audit(t.Context(), site.Journal, func(rec *wim.Record, _ []byte) error {
		if rec.Transaction != nil {
			got = append(got, *rec.Transaction)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].Gross != 48_260 || got[0].Plate != "川A12345" || got[0].Type != wim.TransactionWeighing || got[0].By != site.Staff.Login || got[0].System != "bridge-1" || got[0].Station != "K12" {
		t.Errorf("%+v", got)
	}
}
