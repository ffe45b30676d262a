package simulator

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/axlegate/axlegate/internal/capture"
)

// Replay is a capture that stands in for its device: it says what the device said, with the same pauses. A device that was asked is
// played by its answers: the same question gets the answer that it had at that time of the capture.
type Replay struct {
	Head  capture.Head
	speed float64
	list  []capture.Entry

	answers map[string][]exchange // by question, in the order of time; empty for a device that speaks by itself

	// Played counts the bytes that were sent, Unknown the questions that nobody asked when it was captured, Refused the pushes that
	// the host answered with another status than success.
	Played, Unknown, Refused atomic.Uint64

	at atomic.Int64 // how far it is played
}

// exchange is a question's time and what was answered.
type exchange struct {
	at     time.Duration
	answer []capture.Entry
}

// ReadReplay reads a capture. speed is how much faster than the device it plays; 0 leaves no pauses. A capture whose last line is cut
// is played without it: cut says so.
func ReadReplay(in io.Reader, speed float64) (r *Replay, cut error, err error) {
	if speed < 0 {
		return nil, nil, fmt.Errorf("replay: speed %g, want more than 0, or 0 for no pauses", speed)
	}
	c, err := capture.NewReader(in)
	if err != nil {
		return nil, nil, err
	}
	r = &Replay{Head: c.Head, speed: speed, answers: map[string][]exchange{}}
	for {
		e, err := c.Next()
		if errors.Is(err, capture.ErrCut) {
			cut = err
			break
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, err
		}
		r.list = append(r.list, e)
	}
	if !r.Head.Calls {
		r.learn()
	}
	return r, cut, nil
}

// Lasts is how long the capture lasts at the speed of its device.
func (r *Replay) Lasts() time.Duration {
	if len(r.list) == 0 {
		return 0
	}
	return r.list[len(r.list)-1].At
}

// At is how far the capture is played, in the time of its device.
func (r *Replay) At() time.Duration { return time.Duration(r.at.Load()) }

// Asked tells whether the device answers, and says nothing by itself.
func (r *Replay) Asked() bool { return len(r.answers) > 0 }

// learn makes exchanges of what host and device said, on each connection apart.
func (r *Replay) learn() {
	type talk struct {
		ask    []byte
		at     time.Duration
		answer []capture.Entry
	}
	open := map[int]*talk{}
	end := func(t *talk) {
		if t != nil && len(t.ask) > 0 && len(t.answer) > 0 {
			r.answers[question(t.ask)] = append(r.answers[question(t.ask)], exchange{t.at, t.answer})
		}
	}
	for _, e := range r.list {
		t := open[e.Conn]
		switch {
		case e.Event != "":
			end(t)
			delete(open, e.Conn)
		case e.From == capture.Host && t != nil && len(t.answer) == 0:
			t.ask = append(t.ask, e.Bytes...) // in pieces, or asked again
			if again := len(t.ask) / 2; len(t.ask)%2 == 0 && question(t.ask[:again]) == question(t.ask[again:]) {
				t.ask = t.ask[again:]
			}
		case e.From == capture.Host:
			end(t)
			open[e.Conn] = &talk{ask: slices.Clone(e.Bytes), at: e.At}
		case t != nil:
			t.answer = append(t.answer, e)
		}
	}
	for _, t := range open {
		end(t)
	}
	for _, list := range r.answers {
		slices.SortStableFunc(list, func(a, b exchange) int { return int(a.at - b.at) })
	}
}

// framed tells whether bytes are one message of Modbus TCP, whose first two are a number that differs each time.
func framed(b []byte) bool {
	return len(b) >= 8 && b[2] == 0 && b[3] == 0 && int(binary.BigEndian.Uint16(b[4:])) == len(b)-6
}

func question(b []byte) string {
	if framed(b) {
		return string(b[2:])
	}
	return string(b)
}

// Times calls put with each entry at its time. It ends with ctx, the capture, or put's error.
func (r *Replay) Times(ctx context.Context, put func(capture.Entry) error) (err error) {
	began := time.Now()
	for _, e := range r.list {
		if r.speed > 0 {
			wait(ctx, time.Until(began.Add(r.scaled(e.At))))
		}
		if ctx.Err() != nil {
			break
		}
		r.at.Store(int64(e.At))
		if err = put(e); err != nil {
			break
		}
	}
	return err
}

func (r *Replay) scaled(d time.Duration) time.Duration {
	if r.speed == 0 {
		return 0
	}
	return time.Duration(float64(d) / r.speed)
}

// send writes what the device said at once.
func (r *Replay) send(to io.Writer, p []byte) error {
	n, err := to.Write(p)
	r.Played.Add(uint64(n)) //nolint:gosec // never below 0
	return err
}

// Speak plays a device to one host, at the other end of a line or a connection. One that was asked answers until ctx ends or the host
// goes away; any other ends with its capture.
func (r *Replay) Speak(ctx context.Context, host io.ReadWriter) error {
	if r.Asked() {
		return r.reply(ctx, host)
	}
	return r.Times(ctx, func(e capture.Entry) error {
		if e.From != capture.Device {
			return nil
		}
		return r.send(host, e.Bytes)
	})
}

// lull is after which a question that is not whole is given up.
const lull = 50 * time.Millisecond

// reply answers questions.
func (r *Replay) reply(ctx context.Context, host io.ReadWriter) error {
	began := time.Now()
	pieces := make(chan []byte)
	gone := make(chan struct{})
	defer close(gone)
	go func() {
		defer close(pieces)
		buf := make([]byte, 4096)
		for {
			n, err := host.Read(buf)
			if n > 0 {
				select {
				case pieces <- slices.Clone(buf[:n]):
				case <-gone:
					return
				}
			}
			if err != nil {
				return
			}
		}
	}()
	var ask []byte
	for {
		var quiet <-chan time.Time
		if len(ask) > 0 {
			quiet = time.After(lull)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-quiet:
			r.Unknown.Add(1)
			ask = nil
		case p, ok := <-pieces:
			if !ok {
				return nil
			}
			ask = append(ask, p...)
			list := r.answers[question(ask)]
			if len(list) == 0 {
				continue
			}
			at := time.Duration(float64(time.Since(began)) * max(r.speed, 1))
			i, exact := slices.BinarySearchFunc(list, at, func(x exchange, t time.Duration) int { return int(x.at - t) })
			if !exact {
				i = max(i-1, 0)
			}
			if err := r.answer(ctx, host, ask, &list[i]); err != nil {
				return err
			}
			ask = nil
		}
	}
}

// answer says what the device answered, as late as it did, under the number of the question.
func (r *Replay) answer(ctx context.Context, host io.Writer, ask []byte, x *exchange) error {
	began := time.Now()
	for i, e := range x.answer {
		if !wait(ctx, time.Until(began.Add(r.scaled(e.At-x.at)))) {
			return nil
		}
		p := e.Bytes
		if i == 0 && framed(ask) && len(p) >= 2 {
			p = append(slices.Clone(ask[:2]), p[2:]...)
		}
		if err := r.send(host, p); err != nil {
			return err
		}
	}
	return nil
}

// turn is how long a device that calls waits for its host's word where it waited for one before.
const turn = 10 * time.Second

// Call plays a device that opens connections, as a camera that pushes, to the host at an address. Its word stays the host's: what is
// answered is only waited for.
func (r *Replay) Call(ctx context.Context, address string) error {
	conns := map[int]*outgoing{}
	defer func() {
		for _, c := range conns {
			c.hangUp()
		}
	}()
	return r.Times(ctx, func(e capture.Entry) (err error) {
		c := conns[e.Conn]
		switch {
		case e.Event == capture.Close:
			if c != nil {
				c.hangUp()
			}
			delete(conns, e.Conn)
		case e.From == capture.Device:
			if c == nil {
				if c, err = r.dial(ctx, address); err != nil {
					return err
				}
				conns[e.Conn] = c
			}
			if err := r.send(c, e.Bytes); err != nil {
				return fmt.Errorf("the host hung up: %w", err)
			}
			c.owed = true
		case e.From == capture.Host && c != nil && c.owed:
			c.owed = false
			c.await(ctx)
		}
		return nil
	})
}

// outgoing is one connection that a device opened.
type outgoing struct {
	net.Conn
	owed   bool // the host has not been waited for since the device spoke
	spoken chan struct{}
	done   sync.WaitGroup
}

func (r *Replay) dial(ctx context.Context, address string) (*outgoing, error) {
	n, err := (&net.Dialer{Timeout: turn}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("replay: %w; is whoever takes the device's calls running?", err)
	}
	c := &outgoing{Conn: n, spoken: make(chan struct{}, 1)}
	c.done.Go(func() {
		buf := make([]byte, 4096)
		for {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			if status, ok := bytes.CutPrefix(buf[:n], []byte("HTTP/1.1 ")); ok && status[0] != '2' {
				r.Refused.Add(1)
			}
			select {
			case c.spoken <- struct{}{}:
			default:
			}
		}
	})
	return c, nil
}

func (c *outgoing) await(ctx context.Context) {
	t := time.NewTimer(turn)
	defer t.Stop()
	select {
	case <-c.spoken:
	case <-t.C:
	case <-ctx.Done():
	}
}

func (c *outgoing) hangUp() {
	c.Close() //nolint:errcheck // the host may have hung up before
	c.done.Wait()
}

// Listen plays a device that is connected to: everyone who connects hears it from its beginning. It ends with ctx.
func (r *Replay) Listen(ctx context.Context, l net.Listener) error {
	var hosts sync.WaitGroup
	defer hosts.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { l.Close() })() //nolint:errcheck // it is closed once
	for {
		c, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("replay: %w", err)
		}
		hosts.Go(func() {
			defer context.AfterFunc(ctx, func() { c.Close() })() //nolint:errcheck // as below
			defer c.Close()                                      //nolint:errcheck // the host may have gone before
			_ = r.Speak(ctx, c)                                  // a host that goes away ends its own connection only
		})
	}
}
