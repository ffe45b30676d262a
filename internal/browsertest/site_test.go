package browsertest

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/axlegate/axlegate/internal/daemon"
	"github.com/axlegate/axlegate/internal/stand"
)

// A site with real drivers and simulated devices, seen by its staff: one lane's cable is pulled, another's cameras start anew, the third's
// slave on Modbus dies. Each is shown for what it is, what still works goes on, and all come back by themselves.
func TestStaffSeeWhatBreaksWhileTheOtherLanesGoOn(t *testing.T) {
	s, err := stand.Create(t.Context(), stand.Config{Dir: t.TempDir(), Sites: []stand.SiteConfig{
		{Site: "north-1", Road: "G5", Seed: 4, PerMinute: 60, Overloaded: 300, Lanes: 3, Ring: 3}}})
	if err != nil {
		t.Fatal(err)
	}
	site := s.Sites[0]
	sim, _, err := daemon.NewSim(daemon.SimFiles{Scenario: site.Scenario, Registrations: site.Registrations}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := daemon.LoadEdge(site.Edge)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	go func() { ended <- sim.Run(ctx) }()
	go func() { ended <- daemon.RunEdge(ctx, cfg, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
	strike := func(path string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+site.Control+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
			t.Fatal(resp.Status, err)
		}
	}
	opened, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	if !until(opened, func() bool {
		req, err := http.NewRequestWithContext(opened, http.MethodGet, "http://"+site.Board+"/sign-in", nil)
		if err != nil {
			return false
		}
		resp, err := http.DefaultClient.Do(req)
		return err == nil && resp.Body.Close() == nil
	}) {
		t.Fatal("the board is not there")
	}
	w := newBrowser(t, "http://"+site.Board).window("board").sign(site.Staff.Login, site.Staff.Password)
	w.live()
	w.stay()
	// device is how a device of a lane is shown; "lost" is not reached, for however long.
	device := func(lane, name, state string) string {
		class := ".device-" + state
		if state == "lost" {
			class = ":is(.device-connecting, .device-failed)"
		}
		return `[...document.querySelectorAll("[data-lane='` + lane + `'] ` + class + `")].some(d => d.innerText.includes("` + name + `"))`
	}
	shown := func(lane, name, state string) {
		t.Helper()
		for end := time.Now().Add(3 * patience); w.value(device(lane, name, state)) != "true"; {
			if time.Now().After(end) {
				w.wait(name+" to be shown as "+state, device(lane, name, state))
			}
		}
	}
	for _, lane := range []string{"1", "2", "3"} {
		for _, name := range []string{"scale-", "camera-", "sign-"} {
			shown(lane, name+lane, "live")
		}
		w.there("[data-lane='" + lane + "'] .last a")
	}
	last := func(lane string) string {
		return w.value(`document.querySelector("[data-lane='` + lane + `'] .last a").href`)
	}

	strike("/lanes/1/pull")
	strike("/lanes/2/fault/camera-reboot?for=10m")
	strike("/lanes/3/fault/silence?for=10m")
	shown("1", "scale-1", "lost")
	shown("3", "scale-3", "lost")
	stood := last("1")
	for range 2 { // and again, so that it was not the one that was on the way
		passed := last("2")
		w.wait("a further vehicle on lane 2", `document.querySelector("[data-lane='2'] .last a").href !== `+quoted(passed))
	}
	if now := last("1"); now != stood {
		t.Errorf("lane 1 has no scale, and %s passed there after %s", now, stood)
	}
	shown("2", "camera-2-front", "silent")
	w.sees("[data-lane='2'] .device-silent", "looks at its lane")
	w.picture()
	strike("/lanes/1/plug")
	strike("/lanes/2/fault/camera-reboot?for=0s")
	strike("/lanes/3/fault/silence?for=0s")
	for _, d := range [][2]string{{"1", "scale-1"}, {"3", "scale-3"}, {"2", "camera-2-front"}, {"2", "camera-2-rear"}} {
		shown(d[0], d[1], "live")
	}
	w.inChinese()
	w.sees("[data-lane='2'] .device-live", "正常")
}
