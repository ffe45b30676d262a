package serial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	port "go.bug.st/serial"
)

// open opens the line. A read of it that times out returns no bytes and no error.
func (d *Indicator) open(ctx context.Context) (io.ReadWriteCloser, error) {
	wait := min(readWait, d.cfg.Poll)
	if d.cfg.Address != "" {
		return dial(ctx, d.cfg.Address, wait)
	}
	mode, err := modeOf(d.cfg.Baud, d.cfg.Framing)
	if err != nil {
		return nil, err
	}
	return openPort(d.cfg.Path, mode, wait)
}

// openPort opens a serial port. Modem bits are left alone: a pseudo-terminal has none, and some scales restart when they change.
func openPort(path string, mode *port.Mode, wait time.Duration) (io.ReadWriteCloser, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("%w; check the cable and the adapter", err)
	}
	p, err := port.Open(path, mode)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w; check that no other program has it and that this one may read it", path, err)
	}
	// What waited in the buffer is old: its arrival time would be wrong and a sign must not follow it.
	if err := errors.Join(p.SetReadTimeout(wait), p.ResetInputBuffer()); err != nil {
		return nil, errors.Join(fmt.Errorf("set up %s: %w", path, err), p.Close())
	}
	return p, nil
}

// dial connects to a terminal server that hands the line on as it is.
func dial(ctx context.Context, address string, wait time.Duration) (io.ReadWriteCloser, error) {
	c, err := (&net.Dialer{Timeout: lastPause}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%w; check the terminal server and its network", err)
	}
	return &socket{Conn: c, wait: wait}, nil
}

// socket is a line behind a terminal server.
type socket struct {
	net.Conn
	wait time.Duration
}

func (s *socket) Read(p []byte) (int, error) {
	if err := s.SetReadDeadline(time.Now().Add(s.wait)); err != nil {
		return 0, err
	}
	n, err := s.Conn.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return n, nil
	}
	return n, err
}

// OpenRaw opens a serial port whose bytes nobody reads as frames: framing is as in 8N1. A read waits until bytes come.
func OpenRaw(path string, baud int, framing string) (io.ReadWriteCloser, error) {
	mode, err := modeOf(baud, framing)
	if err != nil {
		return nil, err
	}
	return openPort(path, mode, port.NoTimeout)
}
