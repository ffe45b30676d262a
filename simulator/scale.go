package simulator

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// scale is an axle scale on a real pseudo-terminal. It never waits for a listener: as on a real line, what
// nobody reads is gone.
type scale struct {
	path string // at which the line appears, a link as under /dev/serial/by-id
	log  *slog.Logger

	mu     sync.Mutex // owns what follows
	master *os.File
	fd     int
	slave  *os.File // kept open, so that a listener's closing does not hang up the line
	boot   uint32
	seq    uint32
	start  time.Time
	rand   *rand.Rand // for boots and garbage only, apart from the traffic's
	lost   uint64     // bytes that nobody took
}

func newScale(path string, r *rand.Rand, log *slog.Logger) (*scale, error) {
	s := &scale{path: path, log: log, rand: r}
	s.restart()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("scale's line: %w", err)
	}
	// A link that an earlier run left behind points nowhere.
	if st, err := os.Lstat(path); err == nil && st.Mode()&os.ModeSymlink != 0 {
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("scale's line: %w", err)
		}
	}
	return s, s.plug()
}

// plug makes a new pseudo-terminal and lets the link point to it. A line that is in stays as it is.
func (s *scale) plug() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.master != nil {
		return nil
	}
	m, t, err := pty.Open()
	if err != nil {
		return fmt.Errorf("pseudo-terminal: %w", err)
	}
	// Raw before anyone listens: else the line would echo and translate bytes.
	if _, err := term.MakeRaw(int(t.Fd())); err != nil {
		return errors.Join(fmt.Errorf("pseudo-terminal: %w", err), m.Close(), t.Close())
	}
	s.master, s.slave, s.fd = m, t, int(m.Fd())
	if err := unix.SetNonblock(s.fd, true); err != nil {
		return errors.Join(fmt.Errorf("pseudo-terminal: %w", err), s.close())
	}
	if err := os.Symlink(t.Name(), s.path); err != nil {
		return errors.Join(fmt.Errorf("scale's line: %w", err), s.close())
	}
	return nil
}

// pull takes the line away; the scale goes on weighing.
func (s *scale) pull() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.master == nil {
		return nil
	}
	return s.close()
}

func (s *scale) close() error {
	err := os.Remove(s.path)
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	err = errors.Join(err, s.slave.Close(), s.master.Close())
	s.master, s.slave = nil, nil
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

// booted is the number of the present boot.
func (s *scale) booted() uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.boot
}

// send numbers and writes an axle or vehicle-end frame; with drop it is numbered and not written.
func (s *scale) send(kind byte, body func(ms uint32) []byte, drop bool) (boot, seq uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	if !drop {
		s.write(af1Frame(kind, s.boot, s.seq, body(uint32(time.Since(s.start).Milliseconds()))))
	}
	return s.boot, s.seq
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

func (s *scale) write(b []byte) {
	if s.master == nil {
		s.lost += uint64(len(b))
		return
	}
	n, err := unix.Write(s.fd, b)
	if n < 0 {
		n = 0
	}
	s.lost += uint64(len(b) - n)
	if err != nil && !errors.Is(err, unix.EAGAIN) {
		s.log.Debug("line lost bytes", "path", s.path, "error", err)
	}
}
