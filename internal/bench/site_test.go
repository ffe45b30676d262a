package bench

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/internal/daemon"
	"github.com/axlegate/axlegate/internal/stand"
)

// What a whole site costs: the real program with eight lanes, eight scales (one on Modbus), sixteen cameras that push pictures and eight
// signs, a vehicle every three seconds on every lane, a centre that takes all of it. Its bounds are a tenth of one core, and 64 MiB.
func BenchmarkSiteOfEightLanes(b *testing.B) {
	const (
		bound    = 0.10
		resident = 64 << 20
	)
	s, err := stand.Create(b.Context(), stand.Config{Dir: b.TempDir(), Sites: []stand.SiteConfig{
		{Site: "north-1", Road: "G5", Seed: 1, PerMinute: 20, Overloaded: 200, Lanes: 8, Ring: 8}}})
	if err != nil {
		b.Fatal(err)
	}
	site := s.Sites[0]
	bin := b.TempDir()
	for _, name := range []string{"axlegate-edge", "axlegate-center"} {
		build := exec.CommandContext(b.Context(), "go", "build", "-o", filepath.Join(bin, name), "github.com/axlegate/axlegate/cmd/"+name) //nolint:gosec // our own names
		if out, err := build.CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
	}
	sim, closeTruth, err := daemon.NewSim(daemon.SimFiles{Scenario: site.Scenario, Truth: site.Truth, Registrations: site.Registrations}, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	start(b, filepath.Join(bin, "axlegate-center"), s.Center)
	go func() { done <- sim.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
		_ = closeTruth() // nobody reads it
	}()
	edge := exec.CommandContext(context.WithoutCancel(b.Context()), filepath.Join(bin, "axlegate-edge"), site.Edge) //nolint:gosec // as above
	var said bytes.Buffer
	edge.Stderr = &said
	if err := edge.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		_ = edge.Process.Signal(os.Interrupt) // it may have ended
		_ = edge.Wait()                       // by a signal
	}()
	ready := func() error {
		req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://"+site.Listen+"/readyz", nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		if resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s", resp.Status)
		}
		_ = resp.Body.Close() // it was read by its status
		return err
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		err := ready()
		if err == nil {
			break
		}
		if time.Now().After(end) {
			b.Fatalf("the site is not ready: %v\n%s", err, said.String())
		}
	}
	time.Sleep(20 * time.Second) // until its buffers, pools and plans are as large as they become
	for b.Loop() {
		before, passed, at := spent(b, edge.Process.Pid), sim.Passed(), time.Now()
		time.Sleep(time.Minute)
		share := (spent(b, edge.Process.Pid) - before).Seconds() / time.Since(at).Seconds()
		most := memory(b, edge.Process.Pid, "VmHWM:")
		b.ReportMetric(100*share, "%core")
		b.ReportMetric(share/bound, "of-its-bound")
		b.ReportMetric(float64(memory(b, edge.Process.Pid, "VmRSS:"))/(1<<20), "MiB")
		b.ReportMetric(float64(most)/(1<<20), "MiB-most")
		b.ReportMetric(float64(most)/resident, "of-its-MiB")
		b.ReportMetric(float64(sim.Passed()-passed), "vehicles/min")
	}
}

// spent is how much processor time a process has used.
func spent(b *testing.B, pid int) time.Duration {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	f := strings.Fields(rest)
	user, err1 := strconv.ParseInt(f[11], 10, 64)
	system, err2 := strconv.ParseInt(f[12], 10, 64)
	if err1 != nil || err2 != nil {
		b.Fatal(err1, err2)
	}
	return time.Duration(user+system) * (time.Second / 100) // a tick is a hundredth of a second for every process of this system
}

// memory is a line of a process's status, in bytes.
func memory(b *testing.B, pid int, key string) int64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if v, ok := strings.CutPrefix(line, key); ok {
			kb, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(v), "kB")), 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			return kb << 10
		}
	}
	b.Fatalf("the kernel does not tell %s", key)
	return 0
}
