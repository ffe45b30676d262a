package daemon

import (
	"context"
	"errors"
	"testing"

	"github.com/axlegate/axlegate/internal/scoring"
	"github.com/axlegate/axlegate/simulator"
	"github.com/axlegate/axlegate/wim"
)

// simulated is traffic on a scale that keeps to class 5, with some manoeuvres.
func simulated(vehicles int) SimScore {
	return SimScore{
		Vehicles: vehicles, Rules: "cn", Class: "5", AxleError: 80,
		Rides:     simulator.RidesConfig{Seed: 5, Near: 700, Sway: 8, Manoeuvres: 30, Traffic: simulator.Traffic{Fleet: 500, Overloaded: 100, Unregistered: 50}},
		Assembler: wim.AssemblerConfig{SpeedMin: 50, SpeedMax: 1200, Acceleration: 50},
	}
}

func scoreSimulated(t *testing.T, s SimScore) *scoring.Result {
	t.Helper()
	told := 0
	r, err := s.Run(t.Context(), func(done int) { told = done })
	if err != nil {
		t.Fatal(err)
	}
	if told != s.Vehicles || r.Report.Counts.Vehicles != s.Vehicles {
		t.Fatalf("%d told and %d scored of %d", told, r.Report.Counts.Vehicles, s.Vehicles)
	}
	return r
}

func TestNoCompliantTruckIsAccusedAndATenthTooMuchIsFound(t *testing.T) {
	r := scoreSimulated(t, simulated(20_000)).Report
	for _, c := range []wim.Competence{wim.RoadAdministration, wim.TrafficPolice} {
		a := r.Of(c, false)
		if a == nil || a.Near.N < 500 || a.Keeping.Accused != 0 {
			t.Errorf("%s: %+v, want hundreds near the limit and none accused", c, a)
		}
	}
	b := r.Of(wim.RoadAdministration, true).From(100)
	if valid := b.N - b.Void - b.Missed; valid < 1000 || b.Accused*100 < 99*valid {
		t.Errorf("a tenth and more above the gross limit: %+v", b)
	}
	for _, f := range r.Flags {
		if f.Right == 0 || f.Missed > 0 {
			t.Errorf("flag %s: %+v", f.Flag, f)
		}
	}
	if len(r.Flags) != 6 || r.Counts.Missed != 0 || r.Counts.False != 0 {
		t.Errorf("%d flags, %+v", len(r.Flags), r.Counts)
	}
}

// The score must be able to tell a bad scale: one that weighs 8 % too much accuses.
func TestAScaleThatWeighsTooMuchIsFoundOut(t *testing.T) {
	s := simulated(5000)
	s.Rides.Bias = 80
	r := scoreSimulated(t, s).Report
	if a := r.Of(wim.RoadAdministration, false); a.Near.Accused == 0 {
		t.Errorf("near the limit %+v, want accusations", a.Near)
	}
	if r.OIML.Class == "5" || r.COST323.Class == "A(5)" {
		t.Errorf("classes %s and %s of a scale with 8 %% bias", r.OIML.Class, r.COST323.Class)
	}
}

func TestAScoreThatIsStoppedSaysWhatItHas(t *testing.T) {
	s := simulated(1_000_000)
	ctx, cancel := context.WithCancel(t.Context())
	r, err := s.Run(ctx, func(done int) {
		if done >= 2048 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || r.Report.Counts.Vehicles != 2048 {
		t.Errorf("%v, %+v", err, r.Report.Counts)
	}
}

func TestASimulatedScoreThatCannotBeIsRefused(t *testing.T) {
	for name, change := range map[string]func(*SimScore){
		"no vehicles":       func(s *SimScore) { s.Vehicles = 0 },
		"too many":          func(s *SimScore) { s.Vehicles = MaxSimScore + 1 },
		"no class":          func(s *SimScore) { s.Class = "A(5)" },
		"no axle error":     func(s *SimScore) { s.AxleError = 0 },
		"no rule set":       func(s *SimScore) { s.Rules = "moon" },
		"a strange traffic": func(s *SimScore) { s.Rides.Near = 2000 },
		"a strange speed":   func(s *SimScore) { s.Assembler.SpeedMin = -1 },
		"a strange plan":    func(s *SimScore) { s.Score.Plan = "r9" },
	} {
		s := simulated(10)
		change(&s)
		if _, err := s.Run(t.Context(), func(int) {}); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
