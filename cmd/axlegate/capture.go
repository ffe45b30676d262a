package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/term"

	"github.com/axlegate/axlegate/drivers/serial"
	"github.com/axlegate/axlegate/internal/capture"
	"github.com/axlegate/axlegate/internal/daemon"
	"github.com/axlegate/axlegate/simulator"
)

type captureCommand struct {
	Device string        `arg:"" help:"A serial line such as /dev/ttyUSB0, or host:port of a device or, with --calls, of the edge."`
	Output string        `short:"o" required:"" placeholder:"FILE" help:"File that is written; it must not be there yet. It holds plates, pictures and passwords, so only its owner may read it."`
	Baud   int           `short:"b" default:"9600" help:"Speed of a serial line."`
	Frame  string        `short:"f" default:"8N1" help:"Bits, parity and stop bits of a serial line."`
	Link   string        `placeholder:"PATH" help:"Stand between: make a pseudo-terminal here for the edge, and pass everything on both ways."`
	Listen string        `placeholder:"HOST:PORT" help:"Stand between: take connections here and pass everything on both ways."`
	Calls  bool          `help:"With --listen: the device connects to it, as a camera that pushes; DEVICE is then where the edge listens."`
	Name   string        `placeholder:"NAME" help:"The device's name in the head of the file; DEVICE unless given."`
	For    time.Duration `placeholder:"TIME" help:"Stop after so long; until it is interrupted unless given."`
	Limit  int64         `default:"1024" placeholder:"MB" help:"Stop before the file is larger."`
}

func (captureCommand) Help() string {
	return `Keeps what goes over a device's line, byte by byte with its times, until Ctrl-C. Nothing is written to the device that the edge
does not write. The file is text: a head, then what came at once in hexadecimal, one entry a line.

A device that speaks by itself is heard, while nobody else uses its line; one that is asked, or that calls, needs the
edge at work, with this program between them:

  axlegate capture /dev/ttyUSB0 -b 9600 -o scale.capture                        hear a line
  axlegate capture 192.0.2.60:4001 -o scale.capture                             hear behind a terminal server
  axlegate capture /dev/ttyUSB0 -b 9600 --link /tmp/tap -o scale.capture        the edge opens /tmp/tap
  axlegate capture 192.0.2.30:502 --listen 127.0.0.1:5020 -o ring.capture       the edge connects to 127.0.0.1:5020
  axlegate capture 127.0.0.1:8090 --listen :8091 --calls -o camera.capture      the camera pushes to port 8091

  axlegate-sim replay scale.capture --link /tmp/scale                           play it again, without the device`
}

// errLimit ends a capture that has reached its limit.
var errLimit = errors.New("the limit is reached")

func (c captureCommand) Run() error {
	ctx, stop := daemon.Signalled(context.Background())
	defer stop()
	return c.run(ctx)
}

func (c captureCommand) run(ctx context.Context) (err error) {
	line := strings.ContainsRune(c.Device, filepath.Separator)
	switch {
	case c.Calls && c.Listen == "":
		return errors.New("--calls wants --listen: where the device is to connect to")
	case c.Link != "" && (c.Listen != "" || !line):
		return errors.New("--link goes with a serial line alone; for a network device give --listen")
	case c.Listen != "" && line:
		return errors.New("--listen goes with a network device; for a serial line give --link")
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if c.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.For)
		defer cancel()
	}
	f, err := os.OpenFile(c.Output, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	where := c.Device
	if line {
		where = fmt.Sprintf("%s, %d baud, %s", c.Device, c.Baud, c.Frame)
	}
	name := c.Name
	if name == "" {
		name = c.Device
	}
	w, err := capture.NewWriter(f, capture.Head{Device: name, Line: where, Calls: c.Calls})
	if err != nil {
		return err
	}
	t := &tap{captureCommand: c, w: w, end: stop, bar: term.IsTerminal(int(os.Stderr.Fd())), began: time.Now()}
	switch {
	case c.Listen != "":
		err = t.between(ctx)
	case line:
		err = t.line(ctx)
	default:
		err = t.remote(ctx)
	}
	total, werr := w.State()
	if t.bar {
		fmt.Fprintln(os.Stderr)
	}
	err = errors.Join(err, werr)
	if err != nil && total == 0 {
		return errors.Join(err, os.Remove(c.Output)) // so that the next attempt may have the name
	}
	fmt.Fprintf(os.Stderr, "%d bytes in %s\n", total, c.Output)
	if err == nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "the line ended by itself; the last entry of the file says why")
	}
	if err == nil && t.full.Load() {
		err = fmt.Errorf("%w: %d MB; a greater one is set with --limit", errLimit, c.Limit)
	}
	return err
}

// tap is one run of the command.
type tap struct {
	captureCommand
	w     *capture.Writer
	end   func()
	bar   bool
	began time.Time
	told  atomic.Int64 // when the counter was last drawn, in ns since began
	full  atomic.Bool
}

// tell draws the counter and ends at the limit. A byte takes two characters, and an entry some sixty more.
func (t *tap) tell(total int64) {
	if total*5/2 > t.Limit*1_000_000 {
		t.full.Store(true)
		t.end()
	}
	now, last := time.Since(t.began), t.told.Load()
	if t.bar && int64(now)-last > int64(100*time.Millisecond) && t.told.CompareAndSwap(last, int64(now)) {
		fmt.Fprintf(os.Stderr, "\r%s  %d bytes ", now.Round(time.Second), total)
	}
}

// line hears a serial line, or stands between it and the edge.
func (t *tap) line(ctx context.Context) error {
	p, err := serial.OpenRaw(t.Device, t.Baud, t.Frame)
	if err != nil {
		return err
	}
	defer p.Close() //nolint:errcheck // closed to end a read
	defer closeAfter(ctx, p)()
	t.w.Event(1, capture.Open, "")
	if t.Link == "" {
		return capture.Hear(t.w, 1, p, t.tell)
	}
	l, err := simulator.NewLine(t.Link)
	if err != nil {
		return err
	}
	defer l.Close() //nolint:errcheck // closed to end a read
	defer closeAfter(ctx, l)()
	fmt.Fprintln(os.Stderr, "the edge may open", t.Link)
	return capture.Relay(t.w, 1, p, l, t.tell)
}

// remote hears a device behind an address.
func (t *tap) remote(ctx context.Context) error {
	c, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, "tcp", t.Device)
	if err != nil {
		return fmt.Errorf("%w; check the address, and that nobody else is connected: some devices serve one host only", err)
	}
	defer c.Close() //nolint:errcheck // closed to end a read
	defer closeAfter(ctx, c)()
	t.w.Event(1, capture.Open, "")
	return capture.Hear(t.w, 1, c, t.tell)
}

// between takes connections and passes them on, each numbered.
func (t *tap) between(ctx context.Context) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", t.Listen)
	if err != nil {
		return err
	}
	defer closeAfter(ctx, l)()
	fmt.Fprintf(os.Stderr, "connections to %s are passed on to %s\n", l.Addr(), t.Device)
	var conns sync.WaitGroup
	defer conns.Wait()
	for n := 1; ; n++ {
		caller, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		conns.Go(func() { t.relay(ctx, n, caller) })
	}
}

// relay passes one connection on. What goes wrong with it is noted, and told.
func (t *tap) relay(ctx context.Context, n int, caller net.Conn) {
	defer caller.Close() //nolint:errcheck // closed to end a read
	t.w.Event(n, capture.Open, "from "+caller.RemoteAddr().String())
	called, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, "tcp", t.Device)
	if err != nil {
		t.w.Event(n, capture.Close, err.Error())
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer called.Close() //nolint:errcheck // as above
	defer closeAfter(ctx, caller)()
	defer closeAfter(ctx, called)()
	var device, host io.ReadWriteCloser = called, caller
	if t.Calls {
		device, host = caller, called
	}
	if err := capture.Relay(t.w, n, device, host, t.tell); err != nil {
		fmt.Fprintln(os.Stderr, err)
		t.end()
	}
}

// closeAfter closes something when ctx ends, which ends a read of it.
func closeAfter(ctx context.Context, c io.Closer) (stop func() bool) {
	return context.AfterFunc(ctx, func() {
		c.Close() //nolint:errcheck // it may be closed already
	})
}
