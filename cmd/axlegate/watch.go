package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/axlegate/axlegate/internal/daemon"
	"github.com/axlegate/axlegate/wim"
)

type watchCommand struct {
	Config string        `arg:"" type:"existingfile" help:"The edge's configuration file, which names the device."`
	Device string        `arg:"" optional:"" help:"A scale or camera of it; they are listed when it is left out."`
	For    time.Duration `placeholder:"TIME" help:"Stop after so long; until it is interrupted unless given."`
	JSON   bool          `help:"One line of JSON for each reading."`
}

func (watchCommand) Help() string {
	return `Runs one device's driver alone and shows what it reads, as the site would take it in. Nothing is recorded or sent on, so stop
the edge first, or its lane goes without the device meanwhile.

  axlegate watch edge.yaml                   which devices there are
  axlegate watch edge.yaml scale-1           its axles and vehicles as they come
  axlegate watch edge.yaml camera-1 --json | jq -r .text`
}

func (c watchCommand) Run() error {
	ctx, stop := daemon.Signalled(context.Background())
	defer stop()
	if c.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.For)
		defer cancel()
	}
	return c.run(ctx, os.Stdout, os.Stderr, term.IsTerminal(int(os.Stderr.Fd())))
}

func (c watchCommand) run(ctx context.Context, out, state io.Writer, live bool) error {
	if c.Device == "" {
		return c.list(out)
	}
	w := &watched{out: out, state: state, live: live && !c.JSON, json: c.JSON}
	return errors.Join(daemon.WatchDevice(ctx, c.Config, c.Device, daemon.Watcher{Reading: w.reading, Plate: w.plate, State: w.health}, slog.New(slog.DiscardHandler)), w.failed)
}

func (c watchCommand) list(out io.Writer) error {
	list, err := daemon.Devices(c.Config)
	if err != nil {
		return err
	}
	t := sheet{head: []string{"name", "lane", "what it is", "where"}}
	for _, d := range list {
		t.add(d.Name, fmt.Sprint(d.Lane), d.What, d.Where)
	}
	return t.write(out, "")
}

// watched prints what comes.
type watched struct {
	out, state io.Writer
	live       bool // the state is one line that is written over
	json       bool

	mu     sync.Mutex // owns what follows
	up     *bool      // as it was last told; nil before
	width  int
	failed error
}

// line prints one line, above the state.
func (w *watched) line(at wim.Time, format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wipe()
	_, err := fmt.Fprintf(w.out, "%s  %s\n", at.Std().Local().Format("15:04:05.000"), fmt.Sprintf(format, args...))
	w.failed = errors.Join(w.failed, err)
}

func (w *watched) wipe() {
	if w.live && w.width > 0 {
		fmt.Fprintf(w.state, "\r%*s\r", w.width, "") //nolint:errcheck // a line that nobody sees
		w.width = 0
	}
}

func (w *watched) encode(v any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failed = errors.Join(w.failed, json.NewEncoder(w.out).Encode(v))
}

// watchedReading is a reading as JSON.
type watchedReading struct {
	At      wim.Time    `json:"at"`
	Kind    string      `json:"kind"`
	Boot    uint32      `json:"boot,omitempty"`
	Seq     uint32      `json:"seq,omitempty"`
	Axle    *wim.Axle   `json:"axle,omitempty"`
	Gross   wim.Kg      `json:"gross_kg,omitempty"`
	Axles   uint8       `json:"axles,omitempty"`
	Speed   wim.DeciKmh `json:"speed_dkmh,omitempty"`
	Length  wim.Mm      `json:"length_mm,omitempty"`
	Flagged []string    `json:"flags,omitempty"`
}

func (w *watched) reading(r wim.Reading) {
	line := watchedReading{At: r.Arrival, Boot: r.Boot, Seq: r.Seq}
	words := ""
	switch r.Kind {
	case wim.AxleReading:
		a := r.Axle
		line.Kind, line.Axle, line.Speed = "axle", &a, a.Speed
		words = fmt.Sprintf("axle %2d  %6d kg  left %6d  right %6d  %5.1f km/h", a.Index, a.Load, a.Left, a.Right, float64(a.Speed)/10)
		if a.Spacing > 0 {
			words += fmt.Sprintf("  %5.2f m behind", float64(a.Spacing)/1000)
		}
		words += flagged(a.Flags)
	case wim.VehicleEnd:
		line.Kind, line.Gross, line.Axles, line.Speed, line.Length, line.Flagged = "vehicle", r.Gross, r.AxleCount, r.Speed, r.Length, r.Flags.Names()
		words = fmt.Sprintf("vehicle  %6d kg  %d axles  %.1f km/h  %.2f m%s", r.Gross, r.AxleCount, float64(r.Speed)/10, float64(r.Length)/1000, flagged(r.Flags))
	case wim.Heartbeat:
		line.Kind = "heartbeat"
	case wim.LinkUp:
		line.Kind, words = "link-up", "the device is reached"
	case wim.LinkDown:
		line.Kind, words = "link-down", "the device is lost"
	case wim.LoopOn:
		line.Kind, words = "loop-on", "a vehicle comes onto the loop"
	case wim.LoopOff:
		line.Kind, words = "loop-off", "and leaves it"
	case wim.Retraction:
		line.Kind, words = "retraction", "the vehicle before is taken back"
	}
	switch {
	case w.json:
		w.encode(line)
	case words != "":
		w.line(r.Arrival, "%s", words)
	}
}

func flagged(f wim.Flag) string {
	out := ""
	for _, n := range f.Names() {
		out += "  " + n
	}
	return out
}

// watchedPlate is a plate read as JSON.
type watchedPlate struct {
	wim.PlateRead

	PictureBytes int `json:"picture_bytes"`
}

func (w *watched) plate(r wim.PlateRead, picture int) {
	if w.json {
		w.encode(watchedPlate{r, picture})
		return
	}
	text := r.Text
	if text == "" {
		text = "no plate"
	}
	w.line(r.Arrival, "%-10s  %-8s  %3.0f %%  %-6s  picture of %d bytes  %s", text, r.Color, float64(r.Confidence)/10, r.End, picture, r.Event)
}

// health shows how the device is: always where the line can be written over, else when it changes.
func (w *watched) health(h wim.DeviceHealth) {
	w.mu.Lock()
	changed := w.up == nil || *w.up != h.Up
	w.up = &h.Up
	if !w.live {
		if changed && !w.json {
			_, err := fmt.Fprintln(w.state, stateOf(h))
			w.failed = errors.Join(w.failed, err)
		}
		w.mu.Unlock()
		return
	}
	w.wipe()
	text := stateOf(h)
	fmt.Fprint(w.state, text) //nolint:errcheck // as above
	w.width = len([]rune(text))
	w.mu.Unlock()
}

func stateOf(h wim.DeviceHealth) string {
	s := fmt.Sprintf("%s: up, %d messages, %d refused, %d bytes passed over", h.Device, h.Messages, h.Bad, h.Skipped)
	if !h.Up {
		s = fmt.Sprintf("%s: down: %s", h.Device, h.Reason)
	}
	return s
}
