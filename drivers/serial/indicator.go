package serial

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	port "go.bug.st/serial"

	"github.com/axlegate/axlegate/wim"
)

// IndicatorConfig says which static indicator stands on which line.
type IndicatorConfig struct {
	Device string // its name in logs and metrics
	// Path of the line; as Config.Path.
	Path string
	// Address is host:port of a terminal server that hands the line on as it is over TCP, instead of Path.
	Address string
	Baud    int    // of Path; 0 means 9600
	Framing string // of Path: data bits, parity and stop bits, such as "7E1"; empty means "8N1"
	Dialect string // of Dialects
	Options Options
	Request []byte        // what asks for a weight, for the dialects that are Open; empty for the others
	Poll    time.Duration // between two requests; 0 means 200 ms
	Silence time.Duration // an indicator without a good frame for so long is down; 0 means 2 s
	Logger  *slog.Logger
	Now     func() time.Time
}

// Validate fills in defaults and says what is wrong.
func (c *IndicatorConfig) Validate() error {
	if c.Device == "" || (c.Path == "") == (c.Address == "") {
		return errors.New("serial indicator: a device and one of path and address are needed")
	}
	d, err := DialectNamed(c.Dialect)
	if err == nil {
		err = c.Options.check(d)
	}
	if err != nil {
		return fmt.Errorf("serial indicator %s: %w", c.Device, err)
	}
	if c.Address != "" && (c.Baud != 0 || c.Framing != "") {
		return fmt.Errorf("serial indicator %s: speed and framing are settings of the terminal server at %s, not of this program", c.Device, c.Address)
	}
	if _, _, err := net.SplitHostPort(c.Address); c.Address != "" && err != nil {
		return fmt.Errorf("serial indicator %s: %w; write the address as 192.0.2.7:4001", c.Device, err)
	}
	c.Baud = cmp.Or(c.Baud, 9600)
	if c.Baud < 300 {
		return fmt.Errorf("serial indicator %s: baud %d", c.Device, c.Baud)
	}
	if _, err := modeOf(c.Baud, c.Framing); err != nil {
		return fmt.Errorf("serial indicator %s: %w", c.Device, err)
	}
	if d.Open != (len(c.Request) > 0) {
		return fmt.Errorf("serial indicator %s: request %q: dialect %s %s", c.Device, c.Request, d.Name,
			map[bool]string{true: "needs the one that the indicator is set to", false: "has its own or needs none; leave it out"}[d.Open])
	}
	if c.Poll < 0 || c.Silence < 0 {
		return fmt.Errorf("serial indicator %s: poll of %s, silence of %s: want positive durations, or 0", c.Device, c.Poll, c.Silence)
	}
	c.Poll, c.Silence = cmp.Or(c.Poll, 200*time.Millisecond), cmp.Or(c.Silence, 2*time.Second)
	if c.Silence <= c.Poll {
		return fmt.Errorf("serial indicator %s: silence of %s is not longer than the pause between two requests, %s", c.Device, c.Silence, c.Poll)
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return nil
}

// modeOf is the setting of a port with a framing such as 8N1.
func modeOf(baud int, framing string) (*port.Mode, error) {
	m := &port.Mode{BaudRate: baud, DataBits: 8}
	if framing == "" {
		return m, nil
	}
	wrong := fmt.Errorf("framing %q, want data bits, parity and stop bits, such as 8N1 or 7E1", framing)
	if len(framing) != 3 || framing[0] != '7' && framing[0] != '8' || framing[2] != '1' && framing[2] != '2' {
		return nil, wrong
	}
	parity, known := map[byte]port.Parity{'N': port.NoParity, 'E': port.EvenParity, 'O': port.OddParity}[framing[1]]
	if !known {
		return nil, wrong
	}
	m.DataBits, m.Parity = int(framing[0]-'0'), parity
	if framing[2] == '2' {
		m.StopBits = port.TwoStopBits
	}
	return m, nil
}

// Indicator is one static indicator on one line.
type Indicator struct {
	cfg     IndicatorConfig
	dialect Dialect
	at      string // path or address, for errors
	log     *slog.Logger

	mu     sync.Mutex // owns health
	health wim.DeviceHealth
}

// NewIndicator prepares an indicator; Run opens the line.
func NewIndicator(cfg IndicatorConfig) (*Indicator, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	d, err := DialectNamed(cfg.Dialect)
	if err != nil {
		return nil, err
	}
	at := cmp.Or(cfg.Path, cfg.Address)
	return &Indicator{
		cfg: cfg, dialect: d, at: at, log: cfg.Logger.With("device", cfg.Device, "at", at),
		health: wim.DeviceHealth{Device: cfg.Device, Reason: "the line was not opened yet", Since: wim.TimeOf(cfg.Now())},
	}, nil
}

// Health says how the line is: good frames, bad ones and skipped bytes among it. It may be called from any goroutine.
func (d *Indicator) Health() wim.DeviceHealth {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.health
}

// Run reads the indicator until ctx ends and calls emit for every good frame, in order, from one goroutine. One that
// carries no weight, or that waits for a second equal one, is an indication that tells none, so that whoever looks for
// a load at rest sees that something else was there. A lost line is told in Health and opened again. Run itself fails
// never.
func (d *Indicator) Run(ctx context.Context, emit func(wim.Indication)) error {
	pause := firstPause
	for {
		was := d.Health()
		err := d.session(ctx, emit)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // a line that ends because the driver is stopped is not lost
		}
		up := d.Health().Up
		if up {
			pause = firstPause
		}
		d.down(err)
		if up || was.Reason != d.Health().Reason {
			d.log.Warn("indicator is down, trying again", "error", err)
		}
		t := time.NewTimer(pause/2 + rand.N(pause/2+1))
		select {
		case <-ctx.Done():
		case <-t.C:
		}
		t.Stop()
		pause = min(2*pause, lastPause)
	}
}

// session opens the line and reads it until it is lost.
func (d *Indicator) session(ctx context.Context, emit func(wim.Indication)) (err error) {
	l, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	dec, err := NewDecoder(d.cfg.Dialect, d.cfg.Options)
	if err != nil {
		return err
	}
	if err := d.say(l, []byte(d.dialect.Hello)); err != nil {
		return err
	}
	request := d.cfg.Request
	if d.dialect.Request != nil {
		request = d.dialect.Request(d.cfg.Options)
	}
	buf := make([]byte, 512)
	heard, asked := d.cfg.Now(), time.Time{}
	for ctx.Err() == nil {
		if now := d.cfg.Now(); now.Sub(asked) >= d.cfg.Poll || now.Before(asked) {
			asked = now
			if err := d.say(l, request); err != nil {
				return err
			}
		}
		n, err := l.Read(buf)
		if err != nil {
			return fmt.Errorf("%s: line lost: %w; check the cable", d.at, err)
		}
		now := d.cfg.Now()
		if d.take(dec, buf[:n], now, emit) {
			heard = now
		} else if now.Before(heard) { // the clock was set back; start the watchdog anew
			heard = now
		} else if now.Sub(heard) > d.cfg.Silence {
			return fmt.Errorf("%s: no good frame of %s for %s; check the cable, the indicator's power, its dialect and its line settings", d.at, d.cfg.Dialect, d.cfg.Silence)
		}
	}
	return nil
}

func (d *Indicator) say(l io.Writer, b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if _, err := l.Write(b); err != nil {
		return fmt.Errorf("%s: line lost: %w; check the cable", d.at, err)
	}
	return nil
}

// take decodes what was read and tells whether a good frame was among it.
func (d *Indicator) take(dec *Decoder, p []byte, now time.Time, emit func(wim.Indication)) bool {
	var good, faults uint64
	before := dec.Skipped()
	var out []wim.Indication
	dec.Feed(p, func(f Frame) {
		if f.Err != nil {
			faults++
			d.log.Debug("bad frame", "error", f.Err)
			return
		}
		good++
		f.Indication.Arrival = wim.TimeOf(now)
		out = append(out, f.Indication)
	})
	d.mu.Lock()
	d.health.Messages += good
	d.health.Bad += faults
	d.health.Skipped += dec.Skipped() - before
	if good > 0 && !d.health.Up {
		d.health.Up, d.health.Reason, d.health.Since = true, "", wim.TimeOf(now)
		d.health.Reconnects++
	}
	d.mu.Unlock()
	for _, in := range out {
		emit(in)
	}
	return good > 0
}

func (d *Indicator) down(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.health.Up {
		d.health.Since = wim.TimeOf(d.cfg.Now())
	}
	d.health.Up = false
	if err != nil {
		d.health.Reason = err.Error()
	}
}
