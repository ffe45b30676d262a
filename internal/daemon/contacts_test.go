package daemon

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/internal/stand"
	"github.com/axlegate/axlegate/wim"
)

func TestASiteWhoseBatteryIsNearlyEmptyEndsCleanly(t *testing.T) {
	dir := t.TempDir()
	s, err := stand.Create(t.Context(), stand.Config{Dir: dir, Sites: []stand.SiteConfig{{Site: "north-1", Road: "G5", PerMinute: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	site := s.Sites[0]
	low := filepath.Join(dir, "low")
	for path, text := range map[string]string{low: "0", site.Registrations: "plate,color,kind,kerb_kg,rated_kg,gross_kg,towed_kg,axles,drive_axles,suspension\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	hardware, closeTruth, err := NewSim(SimFiles{Scenario: site.Scenario, Registrations: site.Registrations}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(hardware.Close(), closeTruth()); err != nil { // it stands there, and nobody drives
			t.Error(err)
		}
	}()
	f, err := os.OpenFile(site.Edge, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("contacts:\n  - {contact: battery-1, what: battery-low, file: " + low + "}\n"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	cfg, err := LoadEdge(site.Edge)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- RunEdge(t.Context(), cfg, slog.New(slog.DiscardHandler)) }()
	select {
	case err := <-done:
		t.Fatalf("it ended by itself: %v", err)
	case <-time.After(3 * time.Second): // that it goes on cannot be waited for otherwise
	}
	if err := os.WriteFile(low, []byte("1"), 0o600); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("it does not end")
	}
	events := 0
	rep, err := journal.Audit(t.Context(), site.Journal, func(rec *wim.Record, _ []byte) error {
		if rec.Event != nil && rec.Event.What == wim.EventBattery && rec.Event.Active {
			events++
		}
		return nil
	})
	if err != nil || events != 1 || len(rep.Chains) != 1 || rep.Chains[0].Err != nil {
		t.Errorf("%d events, %+v, %v", events, rep, err)
	}
}

func TestAContactThatIsWronglyConfiguredIsNamed(t *testing.T) {
	for want, c := range map[string]ContactsConfig{
		"a name is needed":  {What: wim.EventDoor, File: "x"},
		"is not known":      {Contact: "x", What: "flood", File: "x"},
		"want one of file":  {Contact: "x", What: wim.EventDoor},
		"go with address":   {Contact: "x", What: wim.EventDoor, File: "x", Input: 2},
		"of the whole site": {Contact: "x", What: wim.EventDoor, File: "x", Lane: 1},
	} {
		if err := c.valid(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
