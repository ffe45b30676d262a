package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/axlegate/axlegate/drivers/serial"
	"github.com/axlegate/axlegate/wim"
)

type decodeSerialCommand struct {
	File    string `arg:"" optional:"" type:"existingfile" help:"What was recorded on the line, byte by byte; without it standard input."`
	Dialect string `short:"d" placeholder:"NAME" help:"Dialect of the indicator (--list)."`
	Unit    string `placeholder:"UNIT" help:"Unit that the indicator is set to, kg, t or g, where its frames tell none."`
	Shown   string `placeholder:"WHICH" help:"What the indicator sends, gross or net, where its frames do not tell."`
	Address string `placeholder:"LETTER" help:"Address of the indicator on a shared line, A to Z; A when left out."`
	Seven   bool   `name:"seven-bits" help:"Take the parity bit off: the indicator sends seven data bits and eight were recorded."`
	Nearest bool   `help:"Round a weight finer than a kilogram; without it such a frame is refused."`
	List    bool   `help:"List the dialects: layout, check, what each tells and what it lacks."`
}

func (decodeSerialCommand) Help() string {
	return `Writes one indication a line to standard output, with the place of its frame among the bytes. Every frame that fails a
check is named on standard error by its place and the reason, and makes the exit status 1. A frame without a checksum
counts when the next one is equal, so of those the first writes no line.

Nothing is guessed: what a dialect's frames do not tell has to be said by --unit and --shown. Two dialects may both read
the same bytes and differ; a known weight on the scale tells which one is right.

  axlegate decode serial -d toledo line.bin | jq .gross
  printf 'ST,GS,+0038460kg\r\nST,GS,+0038460kg\r\n' | axlegate decode serial -d aandd
  (stty 9600 raw -echo; cat) < /dev/ttyUSB0 | axlegate decode serial -d xk3190 --unit kg --shown gross`
}

func (c decodeSerialCommand) Run() error {
	if c.List {
		return listDialects(os.Stdout)
	}
	in, name := io.Reader(os.Stdin), "standard input"
	if c.File != "" {
		f, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer f.Close() //nolint:errcheck // only read
		in, name = f, c.File
	}
	if err := c.decode(in, os.Stdout, os.Stderr); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// decodedFrame is one line of output. A weight that the frame does not tell is left out.
type decodedFrame struct {
	Offset uint64   `json:"offset"`
	Size   int      `json:"size"`
	Gross  *wim.Kg  `json:"gross,omitempty"`
	Net    *wim.Kg  `json:"net,omitempty"`
	Tare   *wim.Kg  `json:"tare,omitempty"`
	State  []string `json:"state"`
	Knows  []string `json:"knows"`
}

func (c decodeSerialCommand) decode(in io.Reader, out, complaints io.Writer) error {
	if c.Dialect == "" {
		return errors.New("say which dialect with --dialect; --list shows them")
	}
	o := serial.Options{Unit: c.Unit, Shown: c.Shown, SevenBits: c.Seven, Nearest: c.Nearest}
	if len(c.Address) > 1 {
		return fmt.Errorf("address %q, want one letter", c.Address)
	}
	if c.Address != "" {
		o.Address = c.Address[0]
	}
	d, err := serial.NewDecoder(c.Dialect, o)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(out)
	var failed error
	frames, faults := 0, 0
	take := func(f serial.Frame) {
		if f.Err != nil {
			faults++
			_, err := fmt.Fprintf(complaints, "byte %d: %v\n", f.Offset, f.Err)
			failed = errors.Join(failed, err)
			return
		}
		frames++
		if f.Indication == (wim.Indication{}) {
			return
		}
		failed = errors.Join(failed, enc.Encode(decodedOf(f)))
	}
	buf := make([]byte, 4096)
	for {
		n, err := in.Read(buf)
		d.Feed(buf[:n], take)
		switch {
		case failed != nil:
			return fmt.Errorf("output: %w", failed)
		case errors.Is(err, io.EOF):
			return verdictOnBytes(d, frames, faults)
		case err != nil:
			return err
		}
	}
}

// verdictOnBytes says after the last byte what was wrong with them.
func verdictOnBytes(d *serial.Decoder, frames, faults int) error {
	switch {
	case frames == 0:
		return fmt.Errorf("no good frame; %d failed a check, %d bytes belong to none; check dialect, speed and parity", faults, d.Skipped()+uint64(d.Waiting()))
	case faults > 0:
		return fmt.Errorf("%d of %d frames failed a check, %d bytes belong to no good one", faults, frames+faults, d.Skipped()+uint64(d.Waiting()))
	}
	return nil
}

func decodedOf(f serial.Frame) decodedFrame {
	in := f.Indication
	line := decodedFrame{Offset: f.Offset, Size: f.Size, State: append([]string{}, in.State.Names()...), Knows: append([]string{}, in.Knows.Names()...)}
	for _, w := range []struct {
		tells wim.Weights
		kg    wim.Kg
		to    **wim.Kg
	}{{wim.TellsGross, in.Gross, &line.Gross}, {wim.TellsNet, in.Net, &line.Net}, {wim.TellsTare, in.Tare, &line.Tare}} {
		if in.Tells.Has(w.tells) {
			*w.to = &w.kg
		}
	}
	return line
}

func listDialects(out io.Writer) error {
	var b strings.Builder
	for _, d := range serial.Dialects() {
		fmt.Fprintf(&b, "%s\n  %s\n  frame: %s\n  check: %s\n", d.Name, d.Title, d.Frame, d.Check)
		asks := "the indicator sends by itself"
		if d.Open {
			asks = "as the indicator is set"
		}
		if d.Request != nil {
			asks = fmt.Sprintf("asked by %q", d.Request(serial.Options{}))
		}
		fmt.Fprintf(&b, "  request: %s\n  weights: %s\n  units: %s\n  state: %s\n", asks,
			nameless(d.Tells.Names(), "not told which, say --shown"), nameless(d.Units, "not told, say --unit"), nameless(d.Knows.Names(), "not told"))
		for _, l := range d.Lacks {
			fmt.Fprintf(&b, "  lacks: %s\n", l)
		}
		fmt.Fprintf(&b, "  from: %s\n", d.Source)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// nameless joins names, or says why there are none.
func nameless(names []string, why string) string {
	if len(names) == 0 {
		return why
	}
	return strings.Join(names, ", ")
}
