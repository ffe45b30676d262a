package simulator

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/axlegate/axlegate/internal/conf"
	"github.com/axlegate/axlegate/wim"
)

// Bridge is a weighbridge beside the road with a static instrument on Modbus or with frames of its own. Vehicles of the fleet drive on, stand
// and drive off, one after the other, apart from the lanes' traffic.
type Bridge struct {
	Name   string `yaml:"name"`
	Kind   string `yaml:"kind"`    // of IndicatorKinds, which speak Modbus, or of TerminalKinds
	Modbus string `yaml:"modbus"`  // address that it listens on with Modbus TCP
	Server string `yaml:"server"`  // address that a terminal server listens on, for those that do not speak Modbus
	Line   string `yaml:"line"`    // path at which a serial line appears, instead of modbus or server
	Unit   uint8  `yaml:"unit_id"` // 0 means the one that the kind has
	// Stay is how long a vehicle stands; 0 means 12s. The bridge is empty for half of it.
	Stay conf.Duration `yaml:"stay"`
}

// validateBridges fills in defaults and says what is wrong.
func (s *Scenario) validateBridges() error {
	names := map[string]bool{}
	for i := range s.Bridges {
		b := &s.Bridges[i]
		if b.Name == "" || names[b.Name] {
			return fmt.Errorf("bridges[%d].name: %q is empty or used twice", i, b.Name)
		}
		names[b.Name] = true
		key, address, other := "modbus", b.Modbus, b.Server
		switch {
		case b.terminal():
			key, address, other = "server", b.Server, b.Modbus
			if b.Unit != 0 {
				return fmt.Errorf("bridges[%d].unit_id: %s does not speak Modbus", i, b.Kind)
			}
		case !slices.Contains(IndicatorKinds(), b.Kind):
			return fmt.Errorf("bridges[%d].kind: %q is not known; there are %v on Modbus and %v", i, b.Kind, IndicatorKinds(), TerminalKinds())
		}
		if other != "" || (address == "") == (b.Line == "") {
			return fmt.Errorf("bridges[%d]: want one of %s, an address to listen on, and line, the path at which a serial line appears", i, key)
		}
		if address != "" {
			if _, _, err := net.SplitHostPort(address); err != nil {
				return fmt.Errorf("bridges[%d].%s: %q is no address to listen on; write it as 127.0.0.1:5030", i, key, address)
			}
		}
		if b.Stay < 0 {
			return fmt.Errorf("bridges[%d].stay: %s cannot be negative", i, b.Stay.Std())
		}
		if b.Stay == 0 {
			b.Stay = conf.Duration(12 * time.Second)
		}
	}
	return nil
}

// terminal tells whether the instrument sends frames of its own.
func (b *Bridge) terminal() bool { return slices.Contains(TerminalKinds(), b.Kind) }

// staticInstrument is what stands at a bridge.
type staticInstrument interface {
	Addr() string // empty on a line
	Set(l StaticLoad)
	Load() StaticLoad // with the tare that it was told
	Strike(f IndicatorFault, length time.Duration)
	Faults() []IndicatorFault
	Close() error
}

// BridgeState is what is true of a weighbridge.
type BridgeState struct {
	Plate    string `json:"plate"` // of the vehicle on it, empty for none
	Gross    wim.Kg `json:"gross_kg"`
	Tare     wim.Kg `json:"tare_kg"`
	Standing bool   `json:"standing"` // the whole vehicle stands on it
	Weighed  int    `json:"weighed"`  // vehicles that have stood on it
}

// simBridge is one weighbridge: its instrument and its own stream of chance.
type simBridge struct {
	Bridge
	staticInstrument
	rand *rand.Rand

	mu    sync.Mutex // owns what follows
	plate string
	count int
	stood bool
}

// newBridge puts up a bridge's instrument. dir is what a relative path is taken from.
func newBridge(b Bridge, dir string, r *rand.Rand, log *slog.Logger) (*simBridge, error) {
	if b.Line != "" && !filepath.IsAbs(b.Line) {
		b.Line = filepath.Join(dir, b.Line)
	}
	ctx := context.Background()
	if b.terminal() {
		d, err := NewTerminal(ctx, TerminalConfig{Dialect: b.Kind, Address: b.Server, Line: b.Line})
		if err != nil {
			return nil, err
		}
		return &simBridge{Bridge: b, staticInstrument: d, rand: r}, nil
	}
	d, err := NewIndicator(ctx, IndicatorConfig{Kind: b.Kind, Address: b.Modbus, Line: b.Line, Unit: b.Unit, Logger: log.With("bridge", b.Name)})
	if err != nil {
		return nil, err
	}
	return &simBridge{Bridge: b, staticInstrument: d, rand: r}, nil
}

func (b *simBridge) state() BridgeState {
	l := b.Load()
	b.mu.Lock()
	defer b.mu.Unlock()
	return BridgeState{Plate: b.plate, Gross: l.Gross, Tare: l.Tare, Standing: b.stood, Weighed: b.count}
}

func (b *simBridge) note(plate string, stood bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if stood && !b.stood {
		b.count++
	}
	b.plate, b.stood = plate, stood
}

// put changes the load and leaves a tare that the instrument was told.
func (b *simBridge) put(gross wim.Kg, moving bool) {
	l := b.Load()
	l.Gross, l.Moving = gross, moving
	b.Set(l)
}

// weigh lets vehicle after vehicle drive on, stand and drive off until ctx ends.
func (s *Simulator) weigh(ctx context.Context, b *simBridge) error {
	stay := b.Stay.Std() / time.Duration(s.scenario.Traffic.Speedup)
	t := &s.scenario.Traffic
	for {
		if !wait(ctx, stay/2) {
			return nil
		}
		p := newPassage(b.rand, s.fleet, t)
		b.note(p.vehicle.Front, false)
		var on wim.Kg
		steps := stay / 8 / time.Duration(len(p.axles))
		for _, a := range p.axles {
			on += a.Load
			b.put(round(on+wim.Kg(b.rand.IntN(400))-200, t.Division), true)
			if !wait(ctx, steps) {
				return nil
			}
		}
		// A static scale indicates the truth to a division.
		b.put(round(p.gross, t.Division), false)
		b.note(p.vehicle.Front, true)
		if !wait(ctx, stay) {
			return nil
		}
		b.note(p.vehicle.Front, false)
		for _, a := range p.axles {
			on -= a.Load
			b.put(round(on, t.Division), true)
			if !wait(ctx, steps) {
				return nil
			}
		}
		b.note("", false)
		b.Set(StaticLoad{})
	}
}

func (s *Simulator) bridge(name string) *simBridge {
	for _, b := range s.bridges {
		if b.Name == name {
			return b
		}
	}
	return nil
}

// BridgeAddr is the address of a weighbridge's instrument, empty for none and for one on a line.
func (s *Simulator) BridgeAddr(name string) string {
	if b := s.bridge(name); b != nil {
		return b.Addr()
	}
	return ""
}

// Bridge tells what is true of a weighbridge; ok is false when there is none of that name.
func (s *Simulator) Bridge(name string) (state BridgeState, ok bool) {
	if b := s.bridge(name); b != nil {
		return b.state(), true
	}
	return BridgeState{}, false
}
