package serial

import (
	"bytes"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/axlegate/axlegate/drivers/scaletest"
	"github.com/axlegate/axlegate/internal/freeport"
	"github.com/axlegate/axlegate/wim"
)

// talking is a scale that speaks AF1, on whatever line.
type talking struct {
	boot, seq uint32
	write     func([]byte)
}

func (d *talking) Note(r wim.Reading) wim.Reading {
	d.seq++
	r.Boot, r.Seq, r.DeviceTime = d.boot, d.seq, int64(d.seq)*1_000_000
	d.write(encode(r))
	return r
}

// Disturb ends in as many quiet bytes as a frame can have, so that no start mark among them waits for more.
func (d *talking) Disturb() {
	d.write(append([]byte("\x02\x1aA garbage \x02\x02\xff"), bytes.Repeat([]byte{0}, af1Max)...))
}

func (d *talking) Restart() { d.boot, d.seq = d.boot+1, 0 }

// wired speaks on a pseudo-terminal.
type wired struct {
	talking

	line *line
}

func newWired(t testing.TB) *wired {
	w := &wired{line: newLine(t)}
	w.talking = talking{boot: 77, write: func(b []byte) {
		if w.line.master != nil {
			w.line.send(b)
		}
	}}
	return w
}

func (w *wired) Pull() { w.line.pull() }
func (w *wired) Plug() { w.line.plug() }

// served speaks behind a terminal server.
type served struct {
	talking

	t testing.TB

	mu       sync.Mutex
	address  string
	listener net.Listener // nil while pulled
	conns    []net.Conn
}

func (s *served) send(b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		c.Write(b) //nolint:errcheck // who has gone reads no more
	}
}

func (s *served) Pull() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		return
	}
	s.listener.Close() //nolint:errcheck // it is listening
	for _, c := range s.conns {
		c.Close() //nolint:errcheck // as a cable that is pulled
	}
	s.listener, s.conns = nil, nil
}

func (s *served) Plug() {
	l, err := (&net.ListenConfig{}).Listen(s.t.Context(), "tcp", s.address)
	if err != nil {
		s.t.Error(err)
		return
	}
	s.mu.Lock()
	s.listener, s.address = l, l.Addr().String()
	s.mu.Unlock()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			if s.listener == l {
				s.conns = append(s.conns, c)
			} else {
				c.Close() //nolint:errcheck // it came too late
			}
			s.mu.Unlock()
		}
	}()
}

func TestTheSerialScaleBehindATerminalServerKeepsTheContract(t *testing.T) {
	scaletest.Run(t, func(t testing.TB) scaletest.Rig {
		address, err := freeport.Address(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		d := &served{t: t, address: address}
		d.talking = talking{boot: 77, write: d.send}
		d.Plug()
		t.Cleanup(d.Pull)
		s, err := New(Config{Device: "scale-1", Address: d.address, Silence: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		return scaletest.Rig{Scale: s, Device: d}
	})
}

func TestTheSerialScaleKeepsTheContract(t *testing.T) {
	scaletest.Run(t, func(t testing.TB) scaletest.Rig {
		w := newWired(t)
		s, err := New(Config{Device: "scale-1", Path: w.line.link, Silence: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		return scaletest.Rig{Scale: s, Device: w}
	})
}
