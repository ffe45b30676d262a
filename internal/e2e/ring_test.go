package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/internal/audit"
	"github.com/axlegate/axlegate/internal/conf"
	"github.com/axlegate/axlegate/internal/daemon"
	"github.com/axlegate/axlegate/internal/stand"
	"github.com/axlegate/axlegate/simulator"
	"github.com/axlegate/axlegate/wim"
)

// TestAScaleOnModbusWithEveryFaultIsAccountedFor drives a busy lane over a scale that keeps its events in a
// ring while its line, the ring, the scale itself and the edge fail, and holds the truth against the journal.
// A second lane with a serial scale runs beside it and must not notice.
func TestAScaleOnModbusWithEveryFaultIsAccountedFor(t *testing.T) {
	t.Parallel()
	const vehicles = 100
	s, err := stand.Create(t.Context(), stand.Config{Dir: t.TempDir(), Sites: []stand.SiteConfig{
		{Site: "river-2", Road: "S106", Seed: 3, PerMinute: 240, Vehicles: vehicles, Overloaded: 300, Speedup: 50, Ring: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	site := s.Sites[0]
	sc, err := simulator.Load(site.Scenario)
	if err != nil {
		t.Fatal(err)
	}
	lasting := func(after int, k simulator.FaultKind, d time.Duration) simulator.Fault {
		return simulator.Fault{Lane: 1, After: after, Kind: k, For: conf.Duration(d)}
	}
	sc.Faults = []simulator.Fault{
		{Lane: 1, After: 2, Every: 7, Kind: simulator.Torn}, {Lane: 1, After: 3, Every: 11, Kind: simulator.Garbage},
		{Lane: 1, After: 4, Every: 37, Kind: simulator.DropFrame},
		lasting(8, simulator.LateReply, time.Second), lasting(14, simulator.Silence, time.Second), lasting(20, simulator.WrongUnit, time.Second),
		lasting(40, simulator.Cable, 2*time.Second), lasting(50, simulator.Overrun, 20*time.Second), lasting(80, simulator.Restart, 0),
		lasting(88, simulator.Cable, 4*time.Second), lasting(30, simulator.Swapped, 3*time.Second),
	}
	truth, err := os.Create(site.Truth)
	if err != nil {
		t.Fatal(err)
	}
	sim, err := simulator.New(sc, simulator.Config{Truth: truth})
	if err != nil {
		t.Fatal(err)
	}
	table, err := os.Create(site.Registrations)
	if err == nil {
		err = errors.Join(sim.Registrations(table), table.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	stopSim := begin(t, sim.Run)
	for _, passed := range []int{vehicles * 6 / 10, vehicles * 13 / 10, 0} { // the edge stops twice, with vehicles on the scales
		stopEdge := begin(t, func(ctx context.Context) error {
			cfg, err := daemon.LoadEdge(site.Edge)
			if err != nil {
				return err
			}
			return daemon.RunEdge(ctx, cfg, daemon.Logging{Format: "text"}.Logger(t.Output()))
		})
		r := &run{}
		if passed > 0 {
			r.passed(t, site, passed)
		} else {
			awaitLast(t, r, site)
		}
		stopEdge()
	}
	stopSim()
	if err := truth.Close(); err != nil {
		t.Fatal(err)
	}
	checkJournal(t, site, vehicles)
}

// begin runs something until the function that it returns is called.
func begin(t *testing.T, do func(context.Context) error) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- do(ctx) }()
	return func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
}

// awaitLast waits until the traffic is over and the journal's cursors stand where the scales do.
func awaitLast(t *testing.T, r *run, site stand.Site) {
	t.Helper()
	until(t, "the traffic to end", 2*time.Minute, func() (bool, string) { s := r.state(t, site); return s.Done, fmt.Sprint(s) })
	until(t, "the journal to stand where the scales do", time.Minute, func() (bool, string) {
		rep, err := journal.Audit(t.Context(), site.Journal, nil)
		if err != nil {
			t.Fatal(err)
		}
		for lane := 1; lane <= 2; lane++ {
			body, err := get(t, fmt.Sprintf("http://%s/lanes/%d/boot", site.Control, lane))
			if err != nil {
				t.Fatal(err)
			}
			at := wim.DeviceCursor{Device: fmt.Sprintf("scale-%d", lane)}
			if err := json.Unmarshal([]byte(body), &at); err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(rep.Cursors, at) {
				return false, fmt.Sprintf("the scale stands at %+v, the journal at %+v", at, rep.Cursors)
			}
		}
		return true, ""
	})
}

func checkJournal(t *testing.T, site stand.Site, vehicles int) {
	t.Helper()
	f, err := os.Open(site.Truth)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	truth, err := audit.ReadTruth(f)
	if err != nil {
		t.Fatal(err)
	}
	if len(truth) != 2*vehicles {
		t.Errorf("%d vehicles in the truth, want %d", len(truth), 2*vehicles)
	}
	var records []*wim.Record
	evidence, causes := map[wim.LaneID]int{}, map[wim.GapCause]int{}
	if _, err := journal.Audit(t.Context(), site.Journal, func(rec *wim.Record, _ []byte) error {
		records = append(records, rec)
		switch {
		case rec.Passage != nil && rec.Passage.Facts.Vehicle.Flags&(wim.DeviceGap|wim.TimedOut|wim.MissedAxle) == 0:
			evidence[rec.Passage.Facts.Vehicle.Lane]++
		case rec.Gap != nil && rec.Gap.Lane == 1:
			causes[rec.Gap.Cause]++
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	found := audit.Compare(truth, records)
	t.Log(found)
	t.Logf("whole vehicles by lane %v of %d; gaps of the ring %v", evidence, vehicles, causes)
	if !found.Good() {
		t.Error("truth is not records + gaps")
	}
	if causes[wim.GapSequence] == 0 || causes[wim.GapRestart] != 1 {
		t.Error("the run had no overrun or no restart: it proved less than it should")
	}
}
