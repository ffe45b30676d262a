package testenv

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Mosquitto is a private MQTT broker that lets anybody in, on loopback, and keeps sessions and messages on disk.
type Mosquitto struct {
	Port int

	program, dir string
	as           *syscall.Credential
	dog          *watchdog
	proc         *process
}

// NewMosquitto starts a broker of the test's own.
func NewMosquitto(tb testing.TB) *Mosquitto {
	tb.Helper()
	m := &Mosquitto{program: program(tb, mosquittoTool()), Port: freePort(tb), as: servant("mosquitto")}
	m.dir, m.dog = folder(tb, m.as)
	conf := fmt.Sprintf("listener %d 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location %s/\nautosave_interval 1\n"+
		"max_queued_messages 0\nmax_inflight_messages 200\nlog_dest stderr\n", m.Port, m.dir)
	if err := os.WriteFile(m.conf(), []byte(conf), 0o644); err != nil {
		tb.Fatal(err)
	}
	m.Start(tb)
	tb.Cleanup(func() {
		if err := m.dog.end(); err != nil {
			tb.Error(err)
		}
	})
	return m
}

func (m *Mosquitto) conf() string { return filepath.Join(m.dir, "mosquitto.conf") }

// URL is the broker's address.
func (m *Mosquitto) URL() string { return fmt.Sprintf("tcp://127.0.0.1:%d", m.Port) }

// Start starts a broker that was stopped, with what it kept.
func (m *Mosquitto) Start(tb testing.TB) {
	tb.Helper()
	var err error
	if m.proc, err = start(m.dog, m.as, m.program, "-c", m.conf()); err == nil {
		err = m.proc.answers(func() error { return listens(m.Port) })
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// Stop stops the broker in order.
func (m *Mosquitto) Stop(tb testing.TB) { tb.Helper(); m.end(tb, syscall.SIGTERM) }

// Kill stops the broker as a crash would.
func (m *Mosquitto) Kill(tb testing.TB) { tb.Helper(); m.end(tb, syscall.SIGKILL) }

// Wipe kills the broker, takes away everything that it kept and starts it again.
func (m *Mosquitto) Wipe(tb testing.TB) {
	tb.Helper()
	m.Kill(tb)
	if err := os.RemoveAll(filepath.Join(m.dir, "mosquitto.db")); err != nil {
		tb.Fatal(err)
	}
	m.Start(tb)
}

func (m *Mosquitto) end(tb testing.TB, s syscall.Signal) {
	tb.Helper()
	if err := m.proc.signal(s); err != nil {
		tb.Fatal(err)
	}
}
