package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/axlegate/axlegate/drivers/indicator"
	"github.com/axlegate/axlegate/drivers/modbus"
	"github.com/axlegate/axlegate/drivers/serial"
	"github.com/axlegate/axlegate/drivers/weighbridge"
	"github.com/axlegate/axlegate/edge"
	"github.com/axlegate/axlegate/edge/board"
	"github.com/axlegate/axlegate/internal/conf"
	"github.com/axlegate/axlegate/wim"
)

// BridgeConfig is a static scale whose indicator the site reads: docs/devices/bridge.md.
type BridgeConfig struct {
	Bridge  string `yaml:"bridge"`  // its name in records: it must not change
	Dialect string `yaml:"dialect"` // of an indicator on a serial line, or profile of one on Modbus
	Profile string `yaml:"profile"`

	Path    string `yaml:"path"`    // of the line, or address
	Address string `yaml:"address"` // of Modbus TCP, or of a terminal server
	Baud    int    `yaml:"baud"`    // of path; 0 means 9600, and 19200 on Modbus
	Framing string `yaml:"framing"` // of a dialect's path, such as 7E1
	Parity  string `yaml:"parity"`  // of a profile's path: even, odd or none
	Unit    uint8  `yaml:"unit"`    // on Modbus
	Request string `yaml:"request"` // of a dialect whose question is a setting of the indicator
	Mass    string `yaml:"mass"`    // kg, t or g, where the dialect's frames tell none
	Shown   string `yaml:"shown"`   // gross or net, likewise

	Steady    conf.Duration `yaml:"steady"`   // nothing may move for so long; 0 means 3s
	Move      wim.Kg        `yaml:"move_kg"`  // indications of a load at rest differ by no more; 0 means 20
	Least     wim.Kg        `yaml:"least_kg"` // below it nobody stands on the scale; 0 means 500
	Station   string        `yaml:"station"`
	Before    conf.Duration `yaml:"before"`             // so long before a weighing its vehicle may have passed here; 0 means 2h
	Tolerance wim.Permille  `yaml:"tolerance_permille"` // by how much masses may differ that are not called different; 0 means 50
}

func (c *BridgeConfig) valid() error {
	switch {
	case c.Bridge == "":
		return errors.New("bridge: a name is needed")
	case (c.Dialect == "") == (c.Profile == ""):
		return errors.New("dialect: want one of dialect, of an indicator on a serial line, and profile, of one on Modbus; axlegate devices indicator lists both")
	case (c.Path == "") == (c.Address == ""):
		return errors.New("path: want one of path, the serial line, and address")
	case c.Dialect != "" && (c.Parity != "" || c.Unit != 0):
		return errors.New("parity and unit go with profile; a dialect's line has framing")
	case c.Profile != "" && (c.Framing != "" || c.Request != "" || c.Mass != "" || c.Shown != ""):
		return errors.New("framing, request, mass and shown go with dialect")
	case c.Steady < 0 || c.Steady > conf.Duration(time.Minute) || c.Move < 0 || c.Least < 0:
		return errors.New("steady lies between 0 and 1m, move_kg and least_kg are not negative")
	}
	return nil
}

// open makes the driver.
func (c *BridgeConfig) open(cfg *EdgeConfig, now func() time.Time, log *slog.Logger) (*weighbridge.Bridge, error) {
	in, err := c.indicator(cfg, log)
	if err != nil {
		return nil, err
	}
	return weighbridge.New(weighbridge.Config{Bridge: c.Bridge, Indicator: in, Steady: c.Steady.Std(), Move: c.Move, Least: c.Least, Station: c.Station, Now: now, Logger: log})
}

func (c *BridgeConfig) indicator(cfg *EdgeConfig, log *slog.Logger) (weighbridge.Indicator, error) {
	line := c.Path
	if line != "" {
		line = cfg.path(line)
	}
	if c.Dialect != "" {
		return serial.NewIndicator(serial.IndicatorConfig{Device: c.Bridge, Path: line, Address: c.Address, Baud: c.Baud, Framing: c.Framing, Dialect: c.Dialect,
			Options: serial.Options{Unit: c.Mass, Shown: c.Shown}, Request: []byte(c.Request), Logger: log})
	}
	name, text, err := deviceProfile(cfg.dir, c.Profile)
	if err != nil {
		return nil, err
	}
	p, err := indicator.LoadProfile(name, text)
	if err != nil {
		return nil, err
	}
	return indicator.New(indicator.Config{Device: c.Bridge, Address: c.Address, Line: line, Baud: c.Baud, Parity: modbus.Parity(c.Parity), Unit: c.Unit, Profile: p, Logger: log})
}

// openBridges makes all static scales, as systems of the site and as its board sees them.
func openBridges(cfg *EdgeConfig, now func() time.Time, log *slog.Logger) (systems []edge.SystemConfig, shown []board.Bridge, err error) {
	for i := range cfg.Bridges {
		c := &cfg.Bridges[i]
		b, err := c.open(cfg, now, log)
		if err != nil {
			return nil, nil, fmt.Errorf("bridges[%d]: %w", i, err)
		}
		systems = append(systems, edge.SystemConfig{System: c.Bridge, Transactions: b, Before: c.Before.Std(), Tolerance: c.Tolerance})
		shown = append(shown, staffBridge{b})
	}
	return systems, shown, nil
}

// staffBridge is a static scale as board.Bridge.
type staffBridge struct{ *weighbridge.Bridge }

// whyNot is a reason as the board's texts call it; false for an error that is none.
func whyNot(err error) (string, bool) {
	for _, w := range []struct {
		err  error
		name string
	}{{nil, ""}, {weighbridge.ErrSilent, "silent"}, {weighbridge.ErrNoWeight, "no-weight"}, {weighbridge.ErrEmpty, "empty"}, {weighbridge.ErrMoving, "moving"}, {weighbridge.ErrTwice, "twice"}} {
		if errors.Is(err, w.err) {
			return w.name, true
		}
	}
	return "", false
}

// Shown implements board.Bridge.
func (s staffBridge) Shown() board.BridgeShown {
	x := s.Bridge.Shown()
	why, _ := whyNot(x.Why)
	return board.BridgeShown{Gross: x.Gross, Known: x.Known, Why: why, Last: x.Last}
}

// Weigh implements board.Bridge.
func (s staffBridge) Weigh(ctx context.Context, w board.BridgeWeighing) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second) // of a site that is about to stop
	defer cancel()
	_, err := s.Bridge.Weigh(ctx, weighbridge.Weighing{Plate: w.Plate, Trailer: w.Trailer, Color: w.Color, By: w.By})
	why, known := whyNot(err)
	if known {
		return why, nil
	}
	return "", err
}
