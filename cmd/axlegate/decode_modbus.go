package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/axlegate/axlegate/drivers/indicator"
	"github.com/axlegate/axlegate/drivers/modbus"
	"github.com/axlegate/axlegate/drivers/modbusscale"
	"github.com/axlegate/axlegate/internal/capture"
	"github.com/axlegate/axlegate/internal/daemon"
	"github.com/axlegate/axlegate/wim"
)

type decodeModbusCommand struct {
	File    string `arg:"" optional:"" type:"existingfile" help:"What \"axlegate capture\" wrote between master and slave, or the bytes of a serial line; without it standard input."`
	Profile string `short:"p" placeholder:"NAME" help:"Read the registers by this profile: a shipped name (axlegate devices) or a file."`
	RTU     bool   `name:"rtu" help:"The capture is of a serial line. Bytes that are no capture are taken for one anyway."`
}

func (decodeModbusCommand) Help() string {
	return `Writes one exchange a line to standard output: who was asked for what, and what it answered; with --profile also what the registers
mean, as the site's driver would hand it on. A request without an answer has "answered": false. Bytes in no frame, and
answers to no request, are counted on standard error and make the exit status 1.

  axlegate capture 192.0.2.30:502 --listen 127.0.0.1:5020 -o ring.capture
  axlegate decode modbus ring.capture --profile axle-ring-tcp | jq -c '.events[]?'
  axlegate decode modbus ring.capture | jq 'select(.exception)'
  (stty 9600 raw -echo; cat) < /dev/ttyUSB0 | axlegate decode modbus -p indicator-laumas-tlb`
}

func (c decodeModbusCommand) Run() error {
	return fromFile(c.File, func(name string, in io.Reader) error {
		if err := c.decode(in, os.Stdout); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
}

// overheard is one line of output.
type overheard struct {
	At         string      `json:"at,omitempty"` // since the capture began
	Conn       int         `json:"conn,omitempty"`
	Unit       uint8       `json:"unit"`
	Function   byte        `json:"function"`
	Name       string      `json:"name"`
	Address    uint16      `json:"address"`
	Count      uint16      `json:"count"`
	Registers  []uint16    `json:"registers,omitempty"`
	Bits       []bool      `json:"bits,omitempty"`
	Exception  byte        `json:"exception,omitempty"`
	Answered   bool        `json:"answered"`
	Indication *indication `json:"indication,omitempty"`
	Boot       uint32      `json:"boot,omitempty"`
	Newest     *uint32     `json:"newest,omitempty"`
	Events     []axleEvent `json:"events,omitempty"`
	Error      string      `json:"error,omitempty"` // why the registers are no reading
}

// indication is what a static instrument shows; a weight that it does not tell is left out.
type indication struct {
	Gross *wim.Kg  `json:"gross,omitempty"`
	Net   *wim.Kg  `json:"net,omitempty"`
	Tare  *wim.Kg  `json:"tare,omitempty"`
	State []string `json:"state"`
}

// axleEvent is an axle, or a vehicle's end.
type axleEvent struct {
	Seq   uint32      `json:"seq"`
	Axle  uint8       `json:"axle,omitempty"`  // its index
	Axles uint8       `json:"axles,omitempty"` // of a vehicle's end
	Mass  wim.Kg      `json:"mass_kg"`
	Speed wim.DeciKmh `json:"speed_dkmh"`
	Space wim.Mm      `json:"spacing_mm,omitempty"`
}

// meaning reads registers by a profile.
type meaning func(x *modbus.Exchange, to *overheard)

// byProfile finds the profile; it may be of an indicator or of an axle scale.
func (c decodeModbusCommand) byProfile() (meaning, error) {
	if c.Profile == "" {
		return func(*modbus.Exchange, *overheard) {}, nil
	}
	name, text, err := daemon.DeviceProfile(c.Profile)
	if err != nil {
		return nil, err
	}
	switch kind := daemon.ProfileKind(text); kind {
	case "indicator":
		p, err := indicator.LoadProfile(name, text)
		if err != nil {
			return nil, err
		}
		return func(x *modbus.Exchange, to *overheard) {
			in, ok, err := indicator.Overheard(p, x.Function, x.Address, x.Registers)
			switch {
			case err != nil:
				to.Error = err.Error()
			case ok:
				to.Indication = indicationOf(in)
			}
		}, nil
	case "axle-scale":
		p, err := modbusscale.LoadProfile(name, text)
		if err != nil {
			return nil, err
		}
		return func(x *modbus.Exchange, to *overheard) {
			boot, newest, state, events, err := modbusscale.Overheard(p, x.Function, x.Address, x.Registers)
			if err != nil {
				to.Error = err.Error()
			}
			if state {
				to.Boot, to.Newest = boot, &newest
			}
			for _, r := range events {
				e := axleEvent{Seq: r.Seq, Axle: r.Axle.Index, Mass: r.Axle.Load, Speed: r.Axle.Speed, Space: r.Axle.Spacing}
				if r.Kind == wim.VehicleEnd {
					e = axleEvent{Seq: r.Seq, Axles: r.AxleCount, Mass: r.Gross, Speed: r.Speed}
				}
				to.Events = append(to.Events, e)
			}
		}, nil
	default:
		return nil, fmt.Errorf("profile %s is of kind %q: want that of an indicator or an axle scale", name, kind)
	}
}

func indicationOf(in wim.Indication) *indication {
	out := &indication{State: append([]string{}, in.State.Names()...)}
	if in.Tells.Has(wim.TellsGross) {
		out.Gross = &in.Gross
	}
	if in.Tells.Has(wim.TellsNet) {
		out.Net = &in.Net
	}
	if in.Tells.Has(wim.TellsTare) {
		out.Tare = &in.Tare
	}
	return out
}

func (c decodeModbusCommand) decode(in io.Reader, out io.Writer) error {
	means, err := c.byProfile()
	if err != nil {
		return err
	}
	enc := json.NewEncoder(out)
	exchanges := 0
	var failed error
	say := func(at time.Duration, conn int) func(modbus.Exchange) {
		return func(x modbus.Exchange) {
			exchanges++
			line := overheard{Conn: conn, Unit: x.Unit, Function: x.Function, Name: x.Name, Address: x.Address, Count: x.Count,
				Registers: x.Registers, Bits: x.Bits, Exception: x.Exception, Answered: x.Answered}
			if conn > 0 {
				line.At = at.String()
			}
			if x.Answered && x.Exception == 0 && len(x.Registers) > 0 {
				means(&x, &line)
			}
			failed = errors.Join(failed, enc.Encode(&line))
		}
	}
	b := bufio.NewReader(in)
	ears := map[int]*modbus.Overhearer{}
	var cut error
	if head, _ := b.Peek(20); string(head) == `{"axlegate_capture":` {
		cut, err = c.capture(b, ears, say)
	} else {
		ears[0] = &modbus.Overhearer{RTU: true}
		err = hear(b, ears[0], say(0, 0))
	}
	if err != nil || failed != nil {
		return errors.Join(err, failed)
	}
	var skipped, alone uint64
	for conn, o := range ears {
		o.End(say(0, conn))
		skipped, alone = skipped+o.Skipped, alone+o.Alone
	}
	if exchanges == 0 {
		return fmt.Errorf("no exchange was understood in what was read; %d bytes are in no frame, %d answers without a request: is it Modbus RTU, or a capture between master and slave?", skipped, alone)
	}
	if skipped+alone > 0 {
		return fmt.Errorf("%d exchanges; %d bytes are in no frame, %d answers without a request", exchanges, skipped, alone)
	}
	return errors.Join(cut, failed)
}

// hear reads bytes of a serial line on which both speak.
func hear(in io.Reader, o *modbus.Overhearer, say func(modbus.Exchange)) error {
	buf := make([]byte, 4096)
	for {
		n, err := in.Read(buf)
		o.Line(buf[:n], say)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// capture reads what was kept between master and slave; cut says that its last line is not whole.
func (c decodeModbusCommand) capture(in io.Reader, ears map[int]*modbus.Overhearer, say func(time.Duration, int) func(modbus.Exchange)) (cut, err error) {
	r, err := capture.NewReader(in)
	if err != nil {
		return nil, err
	}
	for {
		e, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil, nil
		case errors.Is(err, capture.ErrCut):
			return err, nil
		case err != nil:
			return nil, err
		}
		if ears[e.Conn] == nil {
			ears[e.Conn] = &modbus.Overhearer{RTU: c.RTU}
		}
		if e.From == capture.Host {
			ears[e.Conn].Host(e.Bytes, say(e.At, e.Conn))
		} else {
			ears[e.Conn].Device(e.Bytes, say(e.At, e.Conn))
		}
	}
}
