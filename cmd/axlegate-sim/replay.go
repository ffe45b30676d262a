package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/axlegate/axlegate/internal/daemon"
	"github.com/axlegate/axlegate/simulator"
)

type replayCommand struct {
	File   string        `arg:"" type:"existingfile" help:"What \"axlegate capture\" wrote, or --tapes."`
	Link   string        `placeholder:"PATH" help:"Make a pseudo-terminal here and speak on it."`
	Listen string        `placeholder:"HOST:PORT" help:"Take connections here, on loopback, and speak on each of them from the beginning."`
	To     string        `placeholder:"HOST:PORT" help:"Of a device that calls, as a camera that pushes: where the edge listens."`
	Speed  float64       `default:"1" help:"How much faster than the device; 0 leaves no pauses."`
	After  time.Duration `default:"1s" help:"Wait so long before the first byte, for whoever opens the line."`
	Times  int           `default:"1" help:"Play it so often; 0 until it is interrupted."`
}

func (replayCommand) Help() string {
	return `Plays a device from what was captured of it, with its own pauses. A device that was asked (Modbus, indicators with commands)
answers each question as it did at that time of the capture; a question that was never asked gets no answer and is counted.

  axlegate-sim replay scale.capture --link /tmp/scale            the edge opens /tmp/scale
  axlegate-sim replay ring.capture --listen 127.0.0.1:5020       the edge asks 127.0.0.1:5020
  axlegate-sim replay camera.capture --to 127.0.0.1:8090         pushes to the edge as the camera did
  axlegate-sim replay scale.capture --link /tmp/scale --speed 10

At another speed than 1 vehicles stand closer together than the devices' own times say.`
}

func (c replayCommand) Run() error {
	ways := 0
	for _, w := range []string{c.Link, c.Listen, c.To} {
		if w != "" {
			ways++
		}
	}
	if ways != 1 {
		return errors.New("say where with one of --link, --listen and --to")
	}
	if c.Times < 0 {
		return fmt.Errorf("times %d: want at least 1, or 0 for ever", c.Times)
	}
	ctx, stop := daemon.Signalled(context.Background())
	defer stop()
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	r, cut, err := simulator.ReadReplay(f, c.Speed)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	if cut != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", c.File, cut)
	}
	switch {
	case r.Head.Calls && c.To == "":
		return errors.New("this device calls its host: say where it listens with --to")
	case !r.Head.Calls && c.To != "":
		return errors.New("this device is connected to: give --listen or --link")
	}
	fmt.Fprintf(os.Stderr, "%s, captured %s: %s\n", r.Head.Device, r.Head.Began.Local().Format(time.DateTime), r.Lasts().Round(time.Millisecond))
	done := make(chan struct{})
	go c.progress(r, done)
	err = c.play(ctx, r)
	close(done)
	fmt.Fprintf(os.Stderr, "%d bytes were played", r.Played.Load())
	if n := r.Unknown.Load(); n > 0 {
		fmt.Fprintf(os.Stderr, "; %d questions were never asked when it was captured", n)
	}
	fmt.Fprintln(os.Stderr)
	if n := r.Refused.Load(); n > 0 && err == nil {
		err = fmt.Errorf("the host refused %d pushes; are path and secret those of the capture?", n)
	}
	return err
}

// play speaks where the command says.
func (c replayCommand) play(ctx context.Context, r *simulator.Replay) (err error) {
	switch {
	case c.Listen != "":
		host, _, err := net.SplitHostPort(c.Listen)
		if ip := net.ParseIP(strings.TrimSpace(host)); err != nil || ip == nil || !ip.IsLoopback() {
			return fmt.Errorf("listen %s: a played device listens on loopback only, as 127.0.0.1:5020", c.Listen)
		}
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
		if err != nil {
			return err
		}
		return r.Listen(ctx, l)
	case c.Link != "":
		l, err := simulator.NewLine(c.Link)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, l.Close()) }()
		return c.often(ctx, func() error { return r.Speak(ctx, l) })
	}
	return c.often(ctx, func() error { return r.Call(ctx, c.To) })
}

func (c replayCommand) often(ctx context.Context, once func() error) error {
	for n := 0; c.Times == 0 || n < c.Times; n++ {
		t := time.NewTimer(c.After)
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-t.C:
		}
		if err := once(); err != nil {
			return err
		}
	}
	return nil
}

// progress draws how far the capture is played.
func (c replayCommand) progress(r *simulator.Replay, done <-chan struct{}) {
	if !term.IsTerminal(int(os.Stderr.Fd())) {
		return
	}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-done:
			fmt.Fprint(os.Stderr, "\r\x1b[K")
			return
		case <-tick.C:
			fmt.Fprintf(os.Stderr, "\r%s of %s, %d bytes ", r.At().Round(time.Second), r.Lasts().Round(time.Second), r.Played.Load())
		}
	}
}
