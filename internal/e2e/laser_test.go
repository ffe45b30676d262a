package e2e

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/internal/audit"
	"github.com/axlegate/axlegate/internal/daemon"
	"github.com/axlegate/axlegate/internal/stand"
	"github.com/axlegate/axlegate/wim"
)

// The simulated unit stands on a socket, the site's driver reads it, and each size stands at the vehicle that truly has it.
func TestSizesStandAtTheirVehicles(t *testing.T) {
	t.Parallel()
	const vehicles = 60
	s, err := stand.Create(t.Context(), stand.Config{Dir: t.TempDir(), Sites: []stand.SiteConfig{
		{Site: "north-1", Road: "G5", Seed: 9, PerMinute: 180, Vehicles: vehicles, Overloaded: 200, Laser: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	site := s.Sites[0]
	sim, closeTruth, err := daemon.NewSim(daemon.SimFiles{Scenario: site.Scenario, Truth: site.Truth, Registrations: site.Registrations}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	stopEdge := begin(t, func(ctx context.Context) error {
		cfg, err := daemon.LoadEdge(site.Edge)
		if err != nil {
			return err
		}
		return daemon.RunEdge(ctx, cfg, daemon.Logging{Format: "text"}.Logger(t.Output()))
	})
	r := &run{}
	until(t, "the site to listen", time.Minute, func() (bool, string) {
		up, ok := metric(t, site.Listen, "axlegate_edge_device_up", `device="laser-1"`)
		return ok && up == 1, "the unit is not reached"
	})
	stopSim := begin(t, sim.Run)
	r.passed(t, site, 2*vehicles)
	awaitLast(t, r, site)
	stopEdge()
	stopSim()
	if err := closeTruth(); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(site.Truth)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	truth, err := audit.ReadTruth(f)
	if err != nil {
		t.Fatal(err)
	}
	of := map[wim.DeviceCursor]*wim.Dimensions{}
	for _, v := range truth {
		of[wim.DeviceCursor{Device: v.Device, Boot: v.Boot, Seq: v.EndSeq}] = v.Size
	}
	seen, sized, high := 0, 0, 0
	if _, err := journal.Audit(t.Context(), site.Journal, func(rec *wim.Record, _ []byte) error {
		var facts *wim.Facts
		switch {
		case rec.Passage != nil && rec.Passage.Source.Device == "scale-1":
			facts = &rec.Passage.Facts
			seen++
		default:
			return nil
		}
		v := &facts.Vehicle
		is := of[rec.Passage.Source]
		if v.Sizer == nil || is == nil {
			return nil
		}
		sized++
		for _, x := range [][2]wim.Mm{{v.Length, is.Length}, {v.Width, is.Width}, {v.Height, is.Height}} {
			if max(x[0]-x[1], x[1]-x[0]) > 31 {
				t.Errorf("vehicle %+v has the size of another: %+v, truly %+v", rec.Passage.Source, v, is)
			}
		}
		if v.Sizer.Certificate != "LASER-1" || v.SizeError != 60 {
			t.Errorf("%+v, error %d", v.Sizer, v.SizeError)
		}
		for _, finding := range rec.Passage.Verdict.Findings {
			if finding.Scope == wim.ScopeHeight && finding.Outcome == wim.Exceeded {
				high++
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d vehicles, %d with their size, %d found too high", seen, sized, high)
	if seen < vehicles || sized < vehicles/3 {
		t.Errorf("%d vehicles are recorded, %d with a size", seen, sized)
	}
}
