package simulator

import (
	"context"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/internal/conf"
)

// run starts a simulation and ends it with the test.
func run(t *testing.T, sim *Simulator) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- sim.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestTheSameSeedGivesTheSameTruth(t *testing.T) {
	const vehicles = 25
	drive := func(seed uint64) []Truth {
		s := Scenario{Site: "t-1", Seed: seed, Traffic: Traffic{PerMinute: 60000, Vehicles: vehicles, Speedup: 1000, Overloaded: 200, OverLimit: 100, OverloadedOnly: 100, Unregistered: 200},
			Lanes: []Lane{{Lane: 1, Scale: "a"}, {Lane: 2, Scale: "b"}}, Faults: []Fault{{Lane: 2, After: 5, Every: 6, Kind: DropFrame}, {Lane: 1, After: 9, Kind: Restart}}}
		_, truth := stand(t, s, nil)
		until(t, "all vehicles", func() bool { return len(truth.vehicles(t)) == 2*vehicles })
		byLane := map[bool][]Truth{}
		for _, v := range truth.vehicles(t) {
			// The clock, the boot's random number and how full an unread line is are not the seed's.
			v.Start, v.End, v.Boot, v.LostFrames = time.Time{}, time.Time{}, 0, 0
			byLane[v.Lane == 1] = append(byLane[v.Lane == 1], v)
		}
		return append(byLane[true], byLane[false]...)
	}
	a, b := drive(7), drive(7)
	if !reflect.DeepEqual(a, b) {
		t.Errorf("one seed gave two truths:\n%+v\n%+v", a, b)
	}
	if reflect.DeepEqual(a, drive(8)) {
		t.Error("two seeds gave one truth")
	}
}

func TestACableIsPluggedInAgainByItself(t *testing.T) {
	s := Scenario{Site: "t-1", Seed: 2, Traffic: Traffic{PerMinute: 6000, Speedup: 1000}, Lanes: []Lane{{Lane: 1, Scale: "a"}},
		Faults: []Fault{{Lane: 1, After: 2, Kind: Cable, For: conf.Duration(50 * time.Millisecond)}}}
	sim, truth := stand(t, s, nil)
	until(t, "the cable to be in again", func() bool { return strings.Contains(truth.String(), `"cable-plugged"`) })
	if _, err := os.Stat(sim.lanes[0].Scale); err != nil {
		t.Errorf("the line: %v", err)
	}
	v := truth.vehicles(t)
	if len(v) > 2 && (v[2].Fault != Cable || v[2].LostFrames == 0) {
		t.Errorf("the vehicle that the cable missed: %+v", v[2])
	}
}

func TestARunThatEndsWhileTheCableIsOutLeavesNothingBehind(t *testing.T) {
	s := Scenario{Site: "t-1", Seed: 2, Lanes: []Lane{{Lane: 1, Scale: "a", Sign: "127.0.0.1:0"}},
		Faults: []Fault{{Lane: 1, At: conf.Duration(time.Millisecond), Kind: Cable, For: conf.Duration(2 * time.Millisecond)}, {Lane: 1, At: conf.Duration(2 * time.Millisecond), Kind: Restart}}}
	for range 20 { // the end meets the plugging in sooner or later
		truth := &lockedWriter{}
		sim, err := New(s, Config{Dir: t.TempDir(), Truth: truth})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- sim.Run(ctx) }()
		until(t, "the cable to be out", func() bool { return strings.Contains(truth.String(), `"cable-pulled"`) })
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if _, err := os.Lstat(sim.lanes[0].Scale); !errors.Is(err, os.ErrNotExist) {
			t.Fatalf("the line was left behind: %v", err)
		}
		written := truth.String()
		if !strings.HasSuffix(written, "\n") {
			t.Fatalf("the last line of truth is cut: %q", written)
		}
	}
}

func TestARestartInsideAVehicleIsToldInTheTruth(t *testing.T) {
	// Slow enough that the restart meets a vehicle on the scale: its axles are a quarter of a second apart.
	s := Scenario{Site: "t-1", Seed: 4, Traffic: Traffic{PerMinute: 60000, Vehicles: 3}, Lanes: []Lane{{Lane: 1, Scale: "a"}}}
	sim, truth := stand(t, s, nil)
	until(t, "the first axle", func() bool { _, seq := sim.lanes[0].scale.numbers(); return seq > 0 })
	if err := sim.Restart(1); err != nil {
		t.Fatal(err)
	}
	until(t, "the lane to be empty", func() bool {
		select {
		case <-sim.lanes[0].done:
			return true
		default:
			return false
		}
	})
	v := truth.vehicles(t)
	if len(v) != 2 || !strings.Contains(truth.String(), `"vehicle-forgotten"`) {
		t.Fatalf("%d vehicles have an end, want 2; truth:\n%s", len(v), truth)
	}
	if v[0].FirstSeq != 1 || v[1].FirstSeq != v[0].EndSeq+1 || v[0].Boot != v[1].Boot {
		t.Errorf("after the restart: %+v", v)
	}
}
