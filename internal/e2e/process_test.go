package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// built is the folder of the daemons, built once for all tests with the race detector, as the tests themselves.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "axlegate-e2e-")
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(context.Background(), "go", "build", "-race", "-o", dir+string(filepath.Separator), "./cmd/...")
	cmd.Dir = filepath.Join("..", "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		return dir, fmt.Errorf("build the daemons: %w\n%s", err, out)
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := built(); err == nil {
		os.RemoveAll(dir) //nolint:errcheck // a folder that stays is harmless
	}
	os.Exit(code)
}

func binaries(t *testing.T) string {
	t.Helper()
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// process is one running daemon.
type process struct {
	name string
	cmd  *exec.Cmd
	log  *lockedBuffer
	done chan error
}

func start(t *testing.T, bin, name string, args ...string) *process {
	t.Helper()
	p := &process{name: name, log: &lockedBuffer{}, done: make(chan error, 1)}
	p.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), filepath.Join(bin, name), args...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.Env = append(os.Environ(), "GORACE=halt_on_error=1")
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	go func() { p.done <- p.cmd.Wait() }()
	t.Cleanup(func() {
		p.cmd.Process.Kill() //nolint:errcheck // it may be gone
		if t.Failed() {
			t.Logf("--- %s %s\n%s", name, strings.Join(args, " "), tail(p.log.String(), 60))
		}
	})
	return p
}

// kill pulls the plug: SIGKILL, nothing is flushed.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatalf("kill %s: %v", p.name, err)
	}
	if err := <-p.done; err == nil {
		t.Fatalf("%s had ended before it was killed", p.name)
	}
}

// stop asks for a clean end and checks that it is one, without a data race on the way.
func (p *process) stop(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatalf("stop %s: %v", p.name, err)
	}
	select {
	case err := <-p.done:
		if err != nil {
			t.Errorf("%s did not stop cleanly: %v\n%s", p.name, err, tail(p.log.String(), 80))
		}
	case <-time.After(60 * time.Second):
		t.Fatalf("%s does not stop\n%s", p.name, tail(p.log.String(), 80))
	}
}

// until polls a condition that another process makes true.
func until(t *testing.T, what string, limit time.Duration, cond func() (bool, string)) {
	t.Helper()
	deadline := time.Now().Add(limit)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, state := cond()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited %s for %s; now: %s", limit, what, state)
		}
		<-tick.C
	}
}

// metric sums the samples of a metric whose labels contain all of with; ok is false while the daemon does
// not answer or does not have it.
func metric(t *testing.T, addr, name string, with ...string) (sum float64, ok bool) {
	t.Helper()
	body, err := get(t, "http://"+addr+"/metrics")
	if err != nil {
		return 0, false
	}
next:
	for line := range strings.Lines(body) {
		if !strings.HasPrefix(line, name) || len(line) == len(name) || (line[len(name)] != '{' && line[len(name)] != ' ') {
			continue
		}
		for _, w := range with {
			if !strings.Contains(line, w) {
				continue next
			}
		}
		f := strings.Fields(line)
		v, err := strconv.ParseFloat(f[len(f)-1], 64)
		if err != nil {
			t.Fatalf("metric line %q: %v", line, err)
		}
		sum, ok = sum+v, true
	}
	return sum, ok
}

func get(t *testing.T, url string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end or given up
	b, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", url, resp.Status)
	}
	return string(b), err
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func tail(s string, lines int) string {
	l := strings.Split(s, "\n")
	return strings.Join(l[max(0, len(l)-lines):], "\n")
}

func readAll(t *testing.T, resp *http.Response) string {
	t.Helper()
	defer resp.Body.Close() //nolint:errcheck // read to its end
	b, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
