package capture

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// Version is that of the format.
const Version = 1

// maxBytes bounds the bytes of one entry; what came at once and is longer takes several with the same time.
const maxBytes = 32 << 10

// Head begins a capture.
type Head struct {
	Version int       `json:"axlegate_capture"`
	Began   time.Time `json:"began"`
	Device  string    `json:"device"`
	Line    string    `json:"line,omitempty"`  // where it was heard, in words
	Calls   bool      `json:"calls,omitempty"` // the device opens the connections, as a camera does that pushes
}

// From says who sent an entry's bytes.
type From string

// The two ends of a line.
const (
	Device From = "device"
	Host   From = "host"
)

// Event is what happened to a connection.
type Event string

// The events.
const (
	Open  Event = "open"
	Close Event = "close"
)

// Entry is what came at once: bytes, or an event of the line.
type Entry struct {
	At    time.Duration // since the head's Began
	Conn  int           // connections are numbered from 1; a serial line has this one alone
	From  From          // of bytes
	Bytes []byte
	Event Event  // of none
	Why   string // of an event, in words
}

// line is an entry as it is written.
type line struct {
	At    int64  `json:"at_ns"`
	Conn  int    `json:"conn"`
	From  From   `json:"from,omitempty"`
	Hex   string `json:"hex,omitempty"`
	Event Event  `json:"event,omitempty"`
	Why   string `json:"why,omitempty"`
}

// Writer writes a capture, each entry at once, so that whoever is killed loses none. Any goroutine may use it.
type Writer struct {
	began time.Time

	mu    sync.Mutex // owns what follows
	w     io.Writer
	err   error
	bytes int64 // of devices and hosts
}

// NewWriter writes the head. Its Began is the time from which entries are counted; zero means now.
func NewWriter(w io.Writer, h Head) (*Writer, error) {
	if h.Began.IsZero() {
		h.Began = time.Now()
	}
	c := &Writer{began: h.Began, w: w}
	h.Version, h.Began = Version, h.Began.UTC().Round(0)
	c.put(h)
	return c, c.err
}

// Bytes notes bytes that came now.
func (c *Writer) Bytes(conn int, from From, p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := int64(time.Since(c.began))
	c.bytes += int64(len(p))
	for len(p) > 0 {
		n := min(len(p), maxBytes)
		c.put(line{At: at, Conn: conn, From: from, Hex: hex.EncodeToString(p[:n])})
		p = p[n:]
	}
}

// Event notes what happened to a connection now.
func (c *Writer) Event(conn int, e Event, why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(line{At: int64(time.Since(c.began)), Conn: conn, Event: e, Why: why})
}

// put writes one line; the caller holds mu. After an error nothing more is written: a capture has no hole that nobody sees.
func (c *Writer) put(v any) {
	if c.err != nil {
		return
	}
	b, err := json.Marshal(v)
	if err == nil {
		_, err = c.w.Write(append(b, '\n'))
	}
	if err != nil {
		c.err = fmt.Errorf("capture: %w", err)
	}
}

// State tells how many bytes were noted, and the first error of writing.
func (c *Writer) State() (int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes, c.err
}

// Reader reads a capture.
type Reader struct {
	Head Head

	in   *bufio.Scanner
	n    int
	last time.Duration
}

// maxLine is more than any entry that Writer writes.
const maxLine = 4 * maxBytes

// NewReader reads the head.
func NewReader(in io.Reader) (*Reader, error) {
	r := &Reader{in: bufio.NewScanner(in)}
	r.in.Buffer(nil, maxLine)
	if !r.scan() {
		return nil, errors.Join(errors.New("this is no capture: it is empty"), r.in.Err())
	}
	if err := json.Unmarshal(r.in.Bytes(), &r.Head); err != nil || r.Head.Version == 0 {
		return nil, errors.New(`this is no capture: its first line has no "axlegate_capture"; "axlegate capture --help" tells how one is made`)
	}
	if r.Head.Version != Version {
		return nil, fmt.Errorf("this capture has version %d; this program reads version %d", r.Head.Version, Version)
	}
	return r, nil
}

func (r *Reader) scan() bool {
	r.n++
	return r.in.Scan()
}

// ErrCut is the end of a capture whose writer was killed within a line.
var ErrCut = errors.New("the capture ends within a line; what stands before it is whole")

// Next gives the next entry, io.EOF behind the last one.
func (r *Reader) Next() (Entry, error) {
	if !r.scan() {
		if err := r.in.Err(); err != nil {
			return Entry{}, fmt.Errorf("line %d: %w", r.n, err)
		}
		return Entry{}, io.EOF
	}
	var l line
	err := json.Unmarshal(r.in.Bytes(), &l)
	if err != nil {
		if text := string(r.in.Bytes()); !r.scan() && r.in.Err() == nil {
			return Entry{}, fmt.Errorf("line %d: %w: %.40s…", r.n-1, ErrCut, text)
		}
		return Entry{}, fmt.Errorf("line %d: %w", r.n-1, err)
	}
	e := Entry{At: time.Duration(l.At), Conn: l.Conn, From: l.From, Event: l.Event, Why: l.Why}
	if e.Bytes, err = hex.DecodeString(l.Hex); err != nil {
		return Entry{}, fmt.Errorf("line %d: %w", r.n, err)
	}
	switch {
	case e.Conn < 1 || e.At < 0 || e.At < r.last:
		err = fmt.Errorf("connection %d at %s after %s", e.Conn, e.At, r.last)
	case len(e.Bytes) > 0 && (e.Event != "" || e.From != Device && e.From != Host):
		err = fmt.Errorf("bytes from %q with event %q", e.From, e.Event)
	case len(e.Bytes) == 0 && e.Event != Open && e.Event != Close:
		err = fmt.Errorf("no bytes, and the event %q", e.Event)
	}
	if err != nil {
		return Entry{}, fmt.Errorf("line %d: %w", r.n, err)
	}
	r.last = e.At
	return e, nil
}
