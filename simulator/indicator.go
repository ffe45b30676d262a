package simulator

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// StaticLoad is what stands on a static scale.
type StaticLoad struct {
	Gross  wim.Kg // below zero is possible
	Tare   wim.Kg // in effect; 0 for none
	Moving bool
	Over   bool // above what the instrument weighs
	Under  bool // below what it weighs
	Broken bool // a load cell or the converter
}

func (l StaticLoad) net() wim.Kg { return l.Gross - l.Tare }

// IndicatorFault says what goes wrong with a static instrument.
type IndicatorFault string

// The faults of static instruments. All but the reboot last for a time.
const (
	IndicatorSilence   IndicatorFault = "silence"       // no request is answered
	IndicatorLate      IndicatorFault = "late-reply"    // the next answer comes so much later; on TCP after those to later requests
	IndicatorWrongUnit IndicatorFault = "wrong-unit"    // answers bear another unit number
	IndicatorSwapped   IndicatorFault = "swapped-words" // the halves of 32-bit values are the other way round
	IndicatorBusy      IndicatorFault = "exception"     // every request is refused with exception 6
	IndicatorReboot    IndicatorFault = "reboot"        // connections are gone, the tare too, and its counters begin anew
)

// Faults are those that it has.
func (*Indicator) Faults() []IndicatorFault {
	return []IndicatorFault{IndicatorSilence, IndicatorLate, IndicatorWrongUnit, IndicatorSwapped, IndicatorBusy, IndicatorReboot}
}

// IndicatorConfig says which static instrument stands where.
type IndicatorConfig struct {
	Kind    string // of IndicatorKinds
	Address string // host:port to listen on with Modbus TCP; port 0 means any free one
	Line    string // path at which a serial line with Modbus RTU appears, instead of Address
	Unit    uint8  // its unit number; 0 means the one that the kind has
	Logger  *slog.Logger
}

// Indicator is a static weighing instrument on Modbus: a weighbridge's terminal or a weight transmitter, with the
// registers of its maker's table.
type Indicator struct {
	kind indicatorKind
	unit uint8
	path string
	log  *slog.Logger

	listener net.Listener // nil on a line
	line     *Line        // nil on TCP
	served   sync.WaitGroup

	mu    sync.Mutex // owns what follows
	load  StaticLoad
	start time.Time
	conns map[net.Conn]bool
	until map[IndicatorFault]time.Time
	late  time.Duration // of the next answer
	done  bool
}

// NewIndicator puts up an instrument with an empty scale. It stands until Close.
func NewIndicator(ctx context.Context, cfg IndicatorConfig) (*Indicator, error) {
	kind, ok := indicatorKinds()[cfg.Kind]
	if !ok {
		return nil, fmt.Errorf("indicator %q is not known; there are %v", cfg.Kind, IndicatorKinds())
	}
	if (cfg.Address == "") == (cfg.Line == "") {
		return nil, fmt.Errorf("indicator %s: want one of an address to listen on and the path of a line", cfg.Kind)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	d := &Indicator{kind: kind, unit: kind.unit, path: cfg.Line, log: cfg.Logger.With("indicator", cfg.Kind), start: time.Now(),
		conns: map[net.Conn]bool{}, until: map[IndicatorFault]time.Time{}}
	if cfg.Unit != 0 {
		d.unit = cfg.Unit
	}
	if cfg.Line != "" {
		return d, d.plug()
	}
	var err error
	if d.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Address); err != nil {
		return nil, fmt.Errorf("indicator %s: %w", cfg.Kind, err)
	}
	d.served.Go(d.accept)
	return d, nil
}

// Addr is where it listens, empty on a line.
func (d *Indicator) Addr() string {
	if d.listener == nil {
		return ""
	}
	return d.listener.Addr().String()
}

// Line is the path at which its line appears, empty on TCP.
func (d *Indicator) Line() string { return d.path }

// Unit is its unit number.
func (d *Indicator) Unit() uint8 { return d.unit }

// Set puts a load on the scale.
func (d *Indicator) Set(l StaticLoad) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.load = l
}

// Load is what stands on the scale, and the tare that it was told.
func (d *Indicator) Load() StaticLoad {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.load
}

// Strike does a fault, for so long where it lasts.
func (d *Indicator) Strike(f IndicatorFault, length time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.log.Debug("fault", "kind", f, "for", length)
	switch f {
	case IndicatorLate:
		d.late = length
	case IndicatorReboot:
		d.start, d.load.Tare = time.Now(), 0
		for c := range d.conns {
			c.Close() //nolint:errcheck // a device that loses power does not say goodbye
		}
	case IndicatorSilence, IndicatorWrongUnit, IndicatorSwapped, IndicatorBusy:
		d.until[f] = time.Now().Add(length)
	}
}

func (d *Indicator) struck(f IndicatorFault) bool { return time.Now().Before(d.until[f]) }

// Close takes it down.
func (d *Indicator) Close() error {
	d.mu.Lock()
	d.done = true
	var err error
	if d.listener != nil {
		err = d.listener.Close()
		for c := range d.conns {
			c.Close() //nolint:errcheck // a device that is switched off does not say goodbye
		}
	} else {
		err = d.line.Close()
	}
	d.mu.Unlock()
	d.served.Wait()
	return err
}

// plug puts the line up and speaks on it.
func (d *Indicator) plug() (err error) {
	if d.line, err = NewLine(d.path); err != nil {
		return fmt.Errorf("indicator: %w", err)
	}
	d.served.Go(d.serveLine)
	return nil
}
