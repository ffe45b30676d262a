package simulator

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"time"
)

// TerminalConfig says which static indicator stands where.
type TerminalConfig struct {
	Dialect string // of TerminalKinds
	Line    string // path at which a serial line appears
	Address string // host:port to listen on as a terminal server does, instead of Line; port 0 means any free one
	// Every is the pause between two frames of an indicator that sends by itself; 0 means 140 ms.
	Every time.Duration
}

// Terminal is a static indicator on a serial line, set up for whole kilograms and address A. It shows the net weight
// while a tare is in effect.
type Terminal struct {
	kind     terminalKind
	every    time.Duration
	listener net.Listener // nil on a line
	line     *Line        // nil behind a terminal server
	stop     context.CancelFunc
	served   sync.WaitGroup

	mu    sync.Mutex // owns what follows
	load  StaticLoad
	spoil []byte    // goes into the middle of the next frame
	until time.Time // until then it says nothing
	conns map[net.Conn]bool
}

// TerminalKinds lists the dialects that can be played, in order of name.
func TerminalKinds() []string {
	var out []string
	for name := range terminalKinds() {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// NewTerminal puts up an indicator with an empty scale. It stands until Close.
func NewTerminal(ctx context.Context, cfg TerminalConfig) (*Terminal, error) {
	kind, ok := terminalKinds()[cfg.Dialect]
	if !ok {
		return nil, fmt.Errorf("terminal %q is not known; there are %v", cfg.Dialect, TerminalKinds())
	}
	if (cfg.Address == "") == (cfg.Line == "") {
		return nil, fmt.Errorf("terminal %s: want one of an address to listen on and the path of a line", cfg.Dialect)
	}
	if cfg.Every == 0 {
		cfg.Every = 140 * time.Millisecond
	}
	d := &Terminal{kind: kind, every: cfg.Every, conns: map[net.Conn]bool{}}
	var err error
	if cfg.Line != "" {
		if d.line, err = NewLine(cfg.Line); err != nil {
			return nil, fmt.Errorf("terminal %s: %w", cfg.Dialect, err)
		}
		ctx, d.stop = context.WithCancel(context.WithoutCancel(ctx))
		d.serve(ctx, d.line)
		return d, nil
	}
	if d.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Address); err != nil {
		return nil, fmt.Errorf("terminal %s: %w", cfg.Dialect, err)
	}
	ctx, d.stop = context.WithCancel(context.WithoutCancel(ctx))
	d.served.Go(func() { d.accept(ctx) })
	return d, nil
}

// Addr is where it listens, empty on a line.
func (d *Terminal) Addr() string {
	if d.listener == nil {
		return ""
	}
	return d.listener.Addr().String()
}

// Set puts a load on the scale.
func (d *Terminal) Set(l StaticLoad) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.load = l
}

// Spoil puts bytes into the middle of the next frame.
func (d *Terminal) Spoil(with []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.spoil = with
}

// Load is what stands on the scale.
func (d *Terminal) Load() StaticLoad {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.load
}

// Faults are those that it has.
func (*Terminal) Faults() []IndicatorFault {
	return []IndicatorFault{IndicatorSilence, IndicatorReboot}
}

// Strike does one of its Faults, for so long where it lasts, and no other.
func (d *Terminal) Strike(f IndicatorFault, length time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch f {
	case IndicatorSilence:
		d.until = time.Now().Add(length)
	case IndicatorReboot:
		d.load.Tare = 0
	default:
	}
}

// Close takes it down.
func (d *Terminal) Close() error {
	d.stop()
	var err error
	if d.listener != nil {
		err = d.listener.Close()
		d.mu.Lock()
		for c := range d.conns {
			c.Close() //nolint:errcheck // a device that is switched off does not say goodbye
		}
		d.mu.Unlock()
	} else {
		err = d.line.Close()
	}
	d.served.Wait()
	return err
}

func (d *Terminal) accept(ctx context.Context) {
	for {
		c, err := d.listener.Accept()
		if err != nil {
			return
		}
		d.mu.Lock()
		d.conns[c] = true
		if ctx.Err() != nil {
			c.Close() //nolint:errcheck // nobody is served any more
		}
		d.mu.Unlock()
		d.serve(ctx, c)
	}
}

// serve speaks on one line until it is closed.
func (d *Terminal) serve(ctx context.Context, line io.ReadWriter) {
	d.served.Go(func() { d.listen(line) })
	if len(d.kind.asks) > 0 {
		return
	}
	d.served.Go(func() {
		t := time.NewTicker(d.every)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
			}
			if _, err := io.WriteString(line, d.next()); err != nil {
				return
			}
		}
	})
}

// listen answers requests.
func (d *Terminal) listen(line io.ReadWriter) {
	heard := ""
	piece := make([]byte, 64)
	for {
		n, err := line.Read(piece)
		if err != nil {
			return
		}
		heard += string(piece[:n])
		for _, ask := range d.kind.asks {
			for {
				_, rest, found := strings.Cut(heard, ask)
				if !found {
					break
				}
				heard = rest
				if _, err := io.WriteString(line, d.next()); err != nil {
					return
				}
			}
		}
		heard = heard[max(0, len(heard)-16):]
	}
}

// next is what is said now.
func (d *Terminal) next() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if time.Now().Before(d.until) {
		return ""
	}
	frame := d.kind.frame(d.load)
	if d.kind.refuse != "" && d.load.Moving {
		frame = d.kind.refuse
	}
	frame = frame[:len(frame)/2] + string(d.spoil) + frame[len(frame)/2:]
	d.spoil = nil
	return frame
}
