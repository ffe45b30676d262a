package testenv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/axlegate/axlegate/internal/freeport"
)

// startLimit bounds how long a server may take to answer.
const startLimit = 30 * time.Second

// folder makes the folder of one server, for the user that it runs as. It is removed with the test, and when the
// test process dies without that.
func folder(tb testing.TB, as *syscall.Credential) (string, *watchdog) {
	tb.Helper()
	dir, err := os.MkdirTemp("", "axlegate-testenv-") //nolint:usetesting // a server that tests share outlives the first of them, and runs as another user
	if err == nil && as != nil {
		err = os.Chown(dir, int(as.Uid), int(as.Gid))
	}
	if err != nil {
		tb.Fatal(err)
	}
	w, err := watch(dir)
	if err != nil {
		tb.Fatal(err)
	}
	return dir, w
}

// watchdog ends servers and removes their folder once the test process is gone, however it ended: a shell that
// reads process ids until the pipe to it breaks.
type watchdog struct {
	in  io.WriteCloser
	cmd *exec.Cmd
}

const watchScript = `pids=; while read -r p; do pids="$pids $p"; done
for p in $pids; do kill -QUIT "$p"; done 2>/dev/null; sleep 0.3; for p in $pids; do kill -KILL "$p"; done 2>/dev/null; rm -rf "$1"`

func watch(dir string) (*watchdog, error) {
	cmd := exec.CommandContext(context.Background(), "sh", "-c", watchScript, "sh", dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for the tests
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &watchdog{in: in, cmd: cmd}, nil
}

func (w *watchdog) add(pid int) error {
	_, err := fmt.Fprintln(w.in, pid)
	return err
}

// end has the watchdog do its work now.
func (w *watchdog) end() error { return errors.Join(w.in.Close(), w.cmd.Wait()) }

// process is one running server.
type process struct {
	cmd  *exec.Cmd
	log  *log
	done chan struct{}
}

func start(w *watchdog, as *syscall.Credential, name string, args ...string) (*process, error) {
	p := &process{cmd: exec.CommandContext(context.Background(), name, args...), log: &log{}, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.Dir = "/"
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: as}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		p.cmd.Wait() //nolint:errcheck // how it ended is in its log
		close(p.done)
	}()
	return p, w.add(p.cmd.Process.Pid)
}

// signal sends a signal and waits until the server has gone.
func (p *process) signal(s os.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.done:
		return nil
	case <-time.After(startLimit):
		return fmt.Errorf("%s does not end\n%s", p.cmd.Path, p.log.tail())
	}
}

// answers waits until ask succeeds or the server has ended.
func (p *process) answers(ask func() error) error {
	deadline := time.Now().Add(startLimit)
	for {
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s ended at once\n%s", p.cmd.Path, p.log.tail())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s does not answer: %w\n%s", p.cmd.Path, err, p.log.tail())
		}
	}
}

// log keeps what a server says.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.b.Bytes()
	return string(b[max(0, len(b)-4000):])
}

// freePort gives a port that nobody listens on and nobody else is given.
func freePort(tb testing.TB) int {
	tb.Helper()
	port, err := freeport.Port(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	return port
}

func listens(ctx context.Context, port int) error {
	c, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return err
	}
	return c.Close()
}

// servant is the user that servers run as where this process is root; nil where it is not.
func servant(names ...string) *syscall.Credential {
	if os.Getuid() != 0 {
		return nil
	}
	for _, n := range append(names, "nobody") {
		u, err := user.Lookup(n)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 == nil && err2 == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	return nil
}
