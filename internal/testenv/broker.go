package testenv

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Broker is a private MQTT broker on a port of 127.0.0.1.
type Broker struct {
	Port int
	Dir  string // of its configuration and its store

	program string
	args    []string
	stores  []string // what Wipe takes away, in Dir
	as      *syscall.Credential
	dog     *watchdog
	proc    *process
}

// NewMosquitto starts a Mosquitto that lets anybody in and keeps sessions and messages on disk.
func NewMosquitto(tb testing.TB) *Broker {
	tb.Helper()
	return MosquittoFrom(tb, map[string]string{"mosquitto.conf": "listener {{port}} 127.0.0.1\nallow_anonymous true\npersistence true\n" +
		"persistence_location {{dir}}/\nautosave_interval 1\nmax_queued_messages 0\nmax_inflight_messages 200\nlog_dest stderr\n"}, nil)
}

// MosquittoFrom starts a Mosquitto from configuration files, of which mosquitto.conf is read; in all of them
// {{dir}} is the folder that they lie in and {{port}} the broker's port. Users with passwords go to the file
// "passwords" in that folder.
func MosquittoFrom(tb testing.TB, files, users map[string]string) *Broker {
	tb.Helper()
	b := newBroker(tb, program(tb, mosquittoTool()), servant("mosquitto"), files)
	b.args, b.stores = []string{"-c", filepath.Join(b.Dir, "mosquitto.conf")}, []string{"mosquitto.db"}
	passwords := filepath.Join(b.Dir, "passwords")
	b.write(tb, passwords, "")
	for name, password := range users {
		if out, err := exec.CommandContext(tb.Context(), "mosquitto_passwd", "-b", passwords, name, password).CombinedOutput(); err != nil {
			tb.Fatalf("mosquitto_passwd: %v %s", err, out)
		}
	}
	b.own(tb, passwords)
	b.Start(tb)
	return b
}

// NATSFrom starts an nats-server, of the version that this module uses, as a process of its own from
// configuration files, of which nats-server.conf is read, with {{dir}} and {{port}} as for MosquittoFrom. Its
// store must lie in the folder "store".
func NATSFrom(tb testing.TB, files map[string]string) *Broker {
	tb.Helper()
	b := newBroker(tb, natsServer(tb), servant(), files)
	b.args, b.stores = []string{"-c", filepath.Join(b.Dir, "nats-server.conf")}, []string{"store"}
	b.Start(tb)
	return b
}

// natsServer builds the server, which the build cache makes quick from the second time on.
func natsServer(tb testing.TB) string {
	tb.Helper()
	dir, w := folder(tb, nil)
	tb.Cleanup(func() {
		if err := w.end(); err != nil {
			tb.Error(err)
		}
	})
	path := filepath.Join(dir, "nats-server")
	if out, err := exec.CommandContext(tb.Context(), "go", "build", "-o", path, "github.com/nats-io/nats-server/v2").CombinedOutput(); err != nil {
		tb.Fatalf("build nats-server: %v\n%s", err, out)
	}
	if err := os.Chmod(dir, 0o755); err != nil { // the server runs as another user
		tb.Fatal(err)
	}
	return path
}

func newBroker(tb testing.TB, program string, as *syscall.Credential, files map[string]string) *Broker {
	tb.Helper()
	b := &Broker{Port: freePort(tb), program: program, as: as}
	b.Dir, b.dog = folder(tb, as)
	tb.Cleanup(func() {
		if err := b.dog.end(); err != nil {
			tb.Error(err)
		}
	})
	for name, text := range files {
		path := filepath.Join(b.Dir, name)
		b.write(tb, path, strings.NewReplacer("{{dir}}", b.Dir, "{{port}}", strconv.Itoa(b.Port)).Replace(text))
		b.own(tb, path)
	}
	return b
}

func (b *Broker) write(tb testing.TB, path, text string) {
	tb.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
}

func (b *Broker) own(tb testing.TB, path string) {
	tb.Helper()
	if b.as == nil {
		return
	}
	if err := os.Chown(path, int(b.as.Uid), int(b.as.Gid)); err != nil {
		tb.Fatal(err)
	}
}

// URL is the address in clear.
func (b *Broker) URL() string { return "tcp://" + b.Addr() }

// Addr is host:port.
func (b *Broker) Addr() string { return fmt.Sprintf("127.0.0.1:%d", b.Port) }

// Start starts a broker that was stopped, with what it kept.
func (b *Broker) Start(tb testing.TB) {
	tb.Helper()
	var err error
	if b.proc, err = start(b.dog, b.as, b.program, b.args...); err == nil {
		err = b.proc.answers(func() error { return listens(context.WithoutCancel(tb.Context()), b.Port) })
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// Stop stops the broker in order.
func (b *Broker) Stop(tb testing.TB) { tb.Helper(); b.end(tb, syscall.SIGTERM) }

// Kill stops the broker as a crash would.
func (b *Broker) Kill(tb testing.TB) { tb.Helper(); b.end(tb, syscall.SIGKILL) }

// Wipe kills the broker, takes away everything that it kept and starts it again.
func (b *Broker) Wipe(tb testing.TB) {
	tb.Helper()
	b.Kill(tb)
	for _, s := range b.stores {
		if err := os.RemoveAll(filepath.Join(b.Dir, s)); err != nil {
			tb.Fatal(err)
		}
	}
	b.Start(tb)
}

func (b *Broker) end(tb testing.TB, s syscall.Signal) {
	tb.Helper()
	if err := b.proc.signal(s); err != nil {
		tb.Fatal(err)
	}
}
