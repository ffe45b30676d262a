package modbus

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/goburrow/modbus"
	port "go.bug.st/serial"
)

// Sizes of RTU frames in bytes.
const (
	rtuHead      = 3 // unit, function, byte count or exception
	rtuTail      = 2 // checksum
	rtuException = rtuHead + rtuTail
	rtuEcho      = 8 // answer to a write: the request's first six bytes again, and the checksum
	rtuMax       = 256
)

// rtu carries frames over a serial line. Of the library it takes frames and checksums only: its own serial
// transport keeps a late answer for the next request and cuts an exception short.
type rtu struct {
	*modbus.RTUClientHandler // as packager
	path                     string
	mode                     port.Mode
	timeout                  time.Duration
	end                      time.Time // the caller's, zero for none

	line  port.Port
	heard time.Time // when the last byte came or went
	late  time.Time // until then an answer may still come to the request that timed out
	who   uint8     // the unit that it was to
}

func newRTU(cfg *Config) *rtu {
	h := modbus.NewRTUClientHandler(cfg.Line)
	m := port.Mode{BaudRate: cfg.Baud, DataBits: 8, Parity: port.NoParity, StopBits: port.OneStopBit}
	switch cfg.Parity {
	case Even:
		m.Parity = port.EvenParity
	case Odd:
		m.Parity = port.OddParity
	case None:
	}
	return &rtu{RTUClientHandler: h, path: cfg.Line, mode: m}
}

func (r *rtu) limit(d time.Duration, end time.Time) { r.timeout, r.end = d, end }

func (r *rtu) address(unit uint8) { r.SlaveId = unit }

// Connect opens the line.
func (r *rtu) Connect() error {
	if _, err := os.Stat(r.path); err != nil {
		return err
	}
	p, err := port.Open(r.path, &r.mode)
	if err != nil {
		return fmt.Errorf("open %s: %w", r.path, err)
	}
	r.line, r.heard = p, time.Now()
	return nil
}

// Close closes the line; a closed one stays closed.
func (r *rtu) Close() error {
	if r.line == nil {
		return nil
	}
	err := r.line.Close()
	r.line = nil
	return err
}

// Send asks once and returns the whole answer.
func (r *rtu) Send(request []byte) ([]byte, error) {
	if r.line == nil {
		return nil, errors.New("the line is not open")
	}
	// An answer to the request before that comes only now would fit this one when it asks for as much: RTU frames
	// have no number. So a unit that was silent is given the same time again to finish.
	if r.who == request[0] {
		if !r.end.IsZero() && r.late.After(r.end) {
			return nil, fmt.Errorf("a late answer may still come for %s: %w", time.Until(r.late).Round(time.Millisecond), context.DeadlineExceeded)
		}
		time.Sleep(time.Until(r.late))
	}
	r.late = time.Time{}
	// Frames are told apart by silence.
	time.Sleep(r.gap() - time.Since(r.heard))
	// What waits is a late answer.
	if err := r.line.ResetInputBuffer(); err != nil {
		return nil, err
	}
	for rest := request; len(rest) > 0; {
		n, err := r.line.Write(rest)
		if err != nil {
			return nil, err
		}
		rest = rest[n:]
	}
	end := time.Now().Add(r.timeout)
	if !r.end.IsZero() && r.end.Before(end) {
		end = r.end
	}
	answer, err := r.receive(request[0], end)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		r.late, r.who = time.Now().Add(r.timeout), request[0]
	}
	return answer, err
}

// receive takes the answer of a unit. A whole answer of another one is a late one to an earlier request and is
// thrown away.
func (r *rtu) receive(unit uint8, end time.Time) ([]byte, error) {
	buf, have, foreign := make([]byte, 2*rtuMax), 0, ""
	for {
		want := rtuException
		if have >= rtuHead {
			want = answerSize(buf)
		}
		switch {
		case want > rtuMax:
			return nil, fmt.Errorf("an answer of %d bytes, at most %d are possible", want, rtuMax)
		case have < want:
			left := time.Until(end)
			if left <= 0 {
				return nil, fmt.Errorf("%d of at least %d bytes came in %s%s: %w", have, want, r.timeout, foreign, os.ErrDeadlineExceeded)
			}
			if err := r.line.SetReadTimeout(left); err != nil {
				return nil, err
			}
			// The library reports a timeout as no bytes and no error.
			n, err := r.line.Read(buf[have:])
			if err != nil {
				return nil, err
			}
			have += n
			r.heard = time.Now()
		case buf[0] != unit && whole(buf[:want]):
			foreign = fmt.Sprintf(", beside an answer of unit %d", buf[0])
			copy(buf, buf[want:have])
			have -= want
		case have > want:
			return nil, fmt.Errorf("%d bytes came behind the answer", have-want)
		default:
			return buf[:want], nil
		}
	}
}

// whole tells whether a frame's checksum, CRC-16/MODBUS with the low byte first, is right.
func whole(frame []byte) bool {
	c := uint16(0xFFFF)
	for _, x := range frame {
		c ^= uint16(x)
		for range 8 {
			odd := c&1 == 1
			if c >>= 1; odd {
				c ^= 0xA001
			}
		}
	}
	return c == 0 // over its own checksum
}

// gap is the silence between two frames: 3.5 characters, and above 19200 baud 1.75 ms.
func (r *rtu) gap() time.Duration {
	if r.mode.BaudRate > 19200 {
		return 1750 * time.Microsecond
	}
	return 7 * 11 * time.Second / time.Duration(2*r.mode.BaudRate)
}

// answerSize is how long the answer is that begins with head.
func answerSize(head []byte) int {
	switch f := function(head[1]); f {
	case readCoils, readDiscrete, readHolding, readInput:
		return rtuHead + int(head[2]) + rtuTail
	case writeCoil, writeHolding:
		return rtuEcho
	}
	return rtuException // an exception, or no answer at all, which the checksum tells
}
