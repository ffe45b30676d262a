package simulator

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/axlegate/axlegate/internal/capture"
)

// taped begins the capture of a device that stands on no line. It is nil where the simulation has none.
func (c *Config) taped(device, line string, calls bool) (*capture.Writer, error) {
	if c.Tape == nil {
		return nil, nil
	}
	w, err := c.Tape(device)
	if err != nil {
		return nil, fmt.Errorf("tape of %s: %w", device, err)
	}
	return capture.NewWriter(w, capture.Head{Device: device, Line: line, Calls: calls})
}

// untapeable says what of a scenario has no tape: devices that are asked.
func (s *Scenario) untapeable() error {
	for _, l := range s.Lanes {
		if l.ScaleModbus != "" || l.Sign != "" || l.Laser != "" {
			return fmt.Errorf("lane %d: only serial scales and cameras that push have tapes; leave scale_modbus, sign and laser out", l.Lane)
		}
	}
	if len(s.Bridges) > 0 || len(s.Checkpoints) > 0 {
		return errors.New("bridges and checkpoints have no tape; leave them out")
	}
	return nil
}

// tapeTransport notes what a camera pushes, and that it was taken.
type tapeTransport struct {
	tape  *capture.Writer
	calls atomic.Int64
}

// reading is how long a camera needs to read a plate and to send it.
const reading = 40 * time.Millisecond

// RoundTrip fails with the tape, or the request's context.
func (t *tapeTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if !wait(r.Context(), reading) {
		return nil, r.Context().Err()
	}
	sent := r.Clone(r.Context())
	sent.Header.Set("Content-Length", strconv.FormatInt(r.ContentLength, 10)) // which DumpRequest leaves out
	said, err := httputil.DumpRequest(sent, true)
	if err != nil {
		return nil, err
	}
	const answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n" + `{"Result":true}`
	conn := int(t.calls.Add(1))
	t.tape.Event(conn, capture.Open, "")
	t.tape.Bytes(conn, capture.Device, said)
	t.tape.Bytes(conn, capture.Host, []byte(answer))
	t.tape.Event(conn, capture.Close, "")
	if _, err := t.tape.State(); err != nil {
		return nil, err
	}
	return &http.Response{Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{}, Body: io.NopCloser(bytes.NewReader([]byte(`{"Result":true}`)))}, nil
}

// onto puts a camera on its tape, where the simulation has one.
func (c *camera) onto(cfg *Config) error {
	end := "rear"
	if c.front {
		end = "front"
	}
	tape, err := cfg.taped(fmt.Sprintf("lane-%d-%s", c.lane, end), fmt.Sprintf("camera, format %s", c.format), true)
	if tape != nil {
		c.client.Transport = &tapeTransport{tape: tape}
	}
	return err
}
