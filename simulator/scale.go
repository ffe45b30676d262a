package simulator

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/axlegate/axlegate/internal/capture"
	"github.com/axlegate/axlegate/wim"
)

// instrument is an axle scale of either kind, as the traffic and the faults meet it. began is the boot in
// which a vehicle's first axle was weighed, 0 for that axle itself; with drop a message is numbered and gets
// lost.
type instrument interface {
	axle(began uint32, index int, a axle, speed wim.DeciKmh, drop bool) message
	end(began uint32, p *passage, drop bool) message
	heartbeat()
	// numbers are the present boot and the last sequence number of it.
	numbers() (boot, seq uint32)
	restart()
	pull() error
	plug() error
	// strike does a fault of its kind of line, for so long where it lasts.
	strike(k FaultKind, d time.Duration)
}

var (
	_ instrument = (*scale)(nil)
	_ instrument = (*ringScale)(nil)
)

// scale is an axle scale on a real pseudo-terminal. It never waits for a listener: as on a real line, what
// nobody reads is gone.
type scale struct {
	path string // at which the line appears, a link as under /dev/serial/by-id
	log  *slog.Logger

	mu     sync.Mutex // owns what follows
	line   *Line      // nil while the cable is out
	fd     int
	tape   *capture.Writer // instead of a line; nil for none
	boot   uint32
	seq    uint32
	start  time.Time
	rand   *rand.Rand // for boots and garbage only, apart from the traffic's
	lost   uint64     // bytes that nobody took
	spoilt FaultKind  // what befalls the next axle or vehicle end; empty for nothing
}

func newScale(path string, tape *capture.Writer, r *rand.Rand, log *slog.Logger) (*scale, error) {
	s := &scale{path: path, tape: tape, log: log, rand: r}
	s.restart()
	return s, s.plug()
}

// plug makes a new pseudo-terminal and lets the link point to it. A line that is in stays as it is.
func (s *scale) plug() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.line != nil || s.tape != nil {
		return nil
	}
	l, err := NewLine(s.path)
	if err != nil {
		return fmt.Errorf("scale: %w", err)
	}
	fd := int(l.Fd())
	if err := unix.SetNonblock(fd, true); err != nil {
		return errors.Join(fmt.Errorf("scale's line: %w", err), l.Close())
	}
	s.line, s.fd = l, fd
	return nil
}

// pull takes the line away; the scale goes on weighing.
func (s *scale) pull() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.line == nil {
		return nil
	}
	err := s.line.Close()
	s.line = nil
	return err
}

// restart draws a new boot and begins to number anew.
func (s *scale) restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.boot = s.rand.Uint32() | 1
	s.seq = 0
	s.start = time.Now()
}

// numbers are the present boot and the last sequence number of it.
func (s *scale) numbers() (boot, seq uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.boot, s.seq
}

// message says what became of an axle or vehicle end.
type message struct {
	boot, seq uint32
	sent      bool // false when the scale has started anew since the vehicle's first axle; boot and seq are 0
	whole     bool // the line took all its bytes, or the ring took it
}

// send numbers and writes an axle or vehicle-end frame of a vehicle that began in a boot, 0 for its first
// axle; with drop it is numbered and not written.
func (s *scale) send(kind byte, began uint32, body func(ms uint32) []byte, drop bool) message {
	s.mu.Lock()
	defer s.mu.Unlock()
	if began != 0 && began != s.boot {
		return message{}
	}
	s.seq++
	m := message{boot: s.boot, seq: s.seq, sent: true}
	if drop {
		return m
	}
	frame := af1Frame(kind, s.boot, s.seq, body(uint32(time.Since(s.start).Milliseconds())))
	switch s.spoilt {
	case HalfFrame:
		s.write(frame[:len(frame)/2])
	case RepeatFrame:
		m.whole = s.write(frame)
		s.write(frame)
	default:
		m.whole = s.write(frame)
	}
	s.spoilt = ""
	return m
}

func (s *scale) axle(began uint32, index int, a axle, speed wim.DeciKmh, drop bool) message {
	return s.send('A', began, func(ms uint32) []byte { return af1Axle(ms, index, a, speed) }, drop)
}

func (s *scale) end(began uint32, p *passage, drop bool) message {
	return s.send('E', began, func(ms uint32) []byte { return af1End(ms, p) }, drop)
}

// strike puts garbage on the line, or spoils the next frame; the other faults of lines are of Modbus.
func (s *scale) strike(k FaultKind, _ time.Duration) {
	switch k {
	case Garbage:
		s.garbage(garbageBytes)
	case HalfFrame, RepeatFrame:
		s.mu.Lock()
		defer s.mu.Unlock()
		s.spoilt = k
	default:
	}
}

func (s *scale) heartbeat() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.write(af1Frame('H', s.boot, s.seq, af1Heartbeat(uint32(time.Since(s.start).Milliseconds()))))
}

// garbage writes random bytes, every fourth of them a start mark.
func (s *scale) garbage(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := make([]byte, n)
	for i := range b {
		if b[i] = byte(s.rand.Uint32()); i%4 == 0 {
			b[i] = 0x02
		}
	}
	s.write(b)
}

// write tells whether the line took all bytes. A line whose buffer is full takes a part or none, as a
// listener that is too slow makes it; the caller holds mu and is never kept waiting.
func (s *scale) write(b []byte) bool {
	if s.tape != nil {
		s.tape.Bytes(1, capture.Device, b)
		return true
	}
	if s.line == nil {
		s.lost += uint64(len(b))
		return false
	}
	n, err := unix.Write(s.fd, b)
	if n < 0 {
		n = 0
	}
	s.lost += uint64(len(b) - n)
	if err != nil && !errors.Is(err, unix.EAGAIN) {
		s.log.Debug("line lost bytes", "path", s.path, "error", err)
	}
	return n == len(b)
}
