package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/axlegate/axlegate/internal/daemon"
	"github.com/axlegate/axlegate/internal/stand"
)

// shared is written by the command while the test looks at it.
type shared struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestADeviceIsWatchedWithoutItsSite(t *testing.T) {
	s, err := stand.Create(t.Context(), stand.Config{Dir: t.TempDir(), Sites: []stand.SiteConfig{{Site: "north-1", Road: "G5", PerMinute: 60, Ring: 2}}})
	if err != nil {
		t.Fatal(err)
	}
	site := s.Sites[0]
	sim, closeTruth, err := daemon.NewSim(daemon.SimFiles{Scenario: site.Scenario}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- sim.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		closeTruth() //nolint:errcheck // there is none
	}()

	var list bytes.Buffer
	if err := (watchCommand{Config: site.Edge}).run(ctx, &list, nil, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"scale-1 ", "scale, serial", "scale, modbus", "camera, hikvision, front"} {
		if !strings.Contains(list.String(), want) {
			t.Errorf("%q is missing in\n%s", want, list.String())
		}
	}
	watch := func(c watchCommand, until ...string) (said, state string) {
		t.Helper()
		var out, told shared
		ctx, stop := context.WithCancel(ctx)
		ended := make(chan error, 1)
		c.Config = site.Edge
		go func() { ended <- c.run(ctx, &out, &told, !c.JSON) }()
		for end := time.Now().Add(60 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			missing := ""
			for _, u := range until {
				if !strings.Contains(out.String(), u) {
					missing = u
				}
			}
			if missing == "" {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("%q never came:\n%s\n%s", missing, out.String(), told.String())
			}
		}
		stop()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		return out.String(), told.String()
	}
	if _, state := watch(watchCommand{Device: "scale-1"}, "the device is reached", "axle  1", "km/h", "vehicle "); !strings.Contains(state, "scale-1: up, ") {
		t.Errorf("the state says %q", state)
	}
	out, _ := watch(watchCommand{Device: "scale-2", JSON: true}, `"kind":"axle"`, `"kind":"vehicle"`)
	for line := range strings.Lines(out) {
		var r watchedReading
		if err := json.Unmarshal([]byte(line), &r); err != nil || r.Kind == "" || r.At == 0 {
			t.Errorf("%q: %v", line, err)
		}
	}
	out, _ = watch(watchCommand{Device: "camera-1-front", JSON: true}, `"picture_bytes"`)
	var p watchedPlate
	first, _, _ := strings.Cut(out, "\n")
	if err := json.Unmarshal([]byte(first), &p); err != nil || p.Camera != "camera-1-front" || p.PictureBytes == 0 {
		t.Errorf("%s: %+v, %v", first, p, err)
	}
	if err := (watchCommand{Config: site.Edge, Device: "scale-9"}).run(ctx, &list, &list, false); err == nil || !strings.Contains(err.Error(), "there are") {
		t.Errorf("an unknown device: %v", err)
	}
}
