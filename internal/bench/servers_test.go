package bench

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/axlegate/axlegate/internal/freeport"
)

// start runs a server until stop is called, or the benchmark ends.
func start(b *testing.B, name string, args ...string) (stop func()) {
	b.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(b.Context()), name, args...)
	cmd.Dir = b.TempDir()
	if err := cmd.Start(); err != nil {
		b.Fatalf("%v; install it with go run ./internal/testenv/install", err)
	}
	var once sync.Once
	stop = func() {
		once.Do(func() {
			_ = cmd.Process.Signal(syscall.SIGINT) // it may have ended
			_ = cmd.Wait()                         // by a signal
		})
	}
	b.Cleanup(stop)
	return stop
}

// startMosquitto runs one that keeps what it is given, in memory, and hands out 200 messages at a time.
func startMosquitto(b *testing.B) (address string, stop func()) {
	b.Helper()
	port, err := freeport.Port(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(b.TempDir(), "mosquitto.conf")
	conf := fmt.Sprintf("listener %d 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 200\nmax_queued_messages 0\npersistence false\nlog_type error\n", port)
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		b.Fatal(err)
	}
	program, err := exec.LookPath("mosquitto")
	if err != nil {
		program = "/usr/sbin/mosquitto" // not on every user's path
	}
	stop = start(b, program, "-c", path)
	address = "127.0.0.1:" + strconv.Itoa(port)
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		c, err := (&net.Dialer{}).DialContext(b.Context(), "tcp", address)
		if err == nil {
			_ = c.Close() // it was only to see that it is there
			return address, stop
		}
		if time.Now().After(end) {
			b.Fatal(err)
		}
	}
}
