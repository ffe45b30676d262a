package chaos

import (
	"context"
	"errors"
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
	"time"
)

// unit is a daemon that is kept running as a service manager would: one that ends by itself is started again.
type unit struct {
	name string
	bin  string
	args []string
	log  *os.File
	note func(format string, args ...any)

	mu     sync.Mutex
	wanted bool
	cmd    *exec.Cmd
	done   chan struct{}
	ended  int    // times it ended by itself
	broken string // how it ended by itself in a way that no fault excuses
}

// restartPause is how long the service manager waits before it starts a daemon again.
const restartPause = 500 * time.Millisecond

func newUnit(name, dir, bin string, note func(string, ...any), args ...string) (*unit, error) {
	f, err := os.OpenFile(filepath.Join(dir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	return &unit{name: name, bin: bin, args: args, log: f, note: note}, nil
}

func (u *unit) start() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.wanted = true
	return u.launch()
}

// launch is called with mu held.
func (u *unit) launch() error {
	cmd := exec.CommandContext(context.Background(), u.bin, u.args...)
	cmd.Stdout, cmd.Stderr = u.log, u.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for the run
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", u.name, err)
	}
	done := make(chan struct{})
	u.cmd, u.done = cmd, done
	go func() {
		err := cmd.Wait()
		close(done)
		u.gone(cmd, err)
	}()
	return nil
}

func (u *unit) gone(cmd *exec.Cmd, how error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.wanted || u.cmd != cmd {
		return
	}
	u.ended++
	u.note("%s ended by itself (%v) and is started again", u.name, how)
	var exit *exec.ExitError
	if errors.As(how, &exit) && exit.ExitCode() == 2 { // a Go program's panic
		u.broken = fmt.Sprintf("%s panicked: see %s", u.name, u.log.Name())
	}
	time.AfterFunc(restartPause, func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		if u.wanted && u.cmd == cmd {
			if err := u.launch(); err != nil {
				u.broken = err.Error()
			}
		}
	})
}

// end stops it by a signal and waits for it; within says how long it may take.
func (u *unit) end(s syscall.Signal, within time.Duration) error {
	u.mu.Lock()
	u.wanted = false
	cmd, done := u.cmd, u.done
	u.mu.Unlock()
	if cmd == nil {
		return nil
	}
	if err := cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("%s: %w", u.name, err)
	}
	select {
	case <-done:
		return nil
	case <-time.After(within):
		return errors.Join(fmt.Errorf("%s does not end within %s of a %s; see %s", u.name, within, s, u.log.Name()), cmd.Process.Kill())
	}
}

func (u *unit) kill() error { return u.end(syscall.SIGKILL, 30*time.Second) }

// fate tells how often it ended by itself, and what no fault excuses.
func (u *unit) fate() (ended int, broken string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.ended, u.broken
}

// metric sums the samples of a metric whose labels contain all of with; ok is false while the daemon does not
// answer or does not have it.
func metric(ctx context.Context, addr, name string, with ...string) (sum float64, ok bool) {
	body, err := get(ctx, "http://"+addr+"/metrics")
	if err != nil {
		return 0, false
	}
next:
	for line := range strings.Lines(body) {
		rest, found := strings.CutPrefix(line, name)
		if !found || rest == "" || rest[0] != '{' && rest[0] != ' ' {
			continue
		}
		for _, w := range with {
			if !strings.Contains(rest, w) {
				continue next
			}
		}
		fields := strings.Fields(line)
		v, err := strconv.ParseFloat(fields[len(fields)-1], 64)
		if err != nil {
			return 0, false
		}
		sum, ok = sum+v, true
	}
	return sum, ok
}

func get(ctx context.Context, url string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
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

// poll waits until cond is true; it gives the last state when it is not in time.
func poll(limit time.Duration, cond func() (bool, string)) error {
	deadline := time.Now().Add(limit)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, state := cond()
		if ok {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("waited %s; now: %s", limit, state)
		}
		<-tick.C
	}
}
