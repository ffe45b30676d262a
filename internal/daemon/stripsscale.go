package daemon

import (
	"fmt"
	"log/slog"
	"net"

	"github.com/axlegate/axlegate/drivers/strips"
	"github.com/axlegate/axlegate/edge"
)

// StripsConfig is a digitiser of bare strip sensors and where they lie: docs/samples.md.
type StripsConfig struct {
	Address string `yaml:"address"` // host:port that its samples come from

	strips.Array `yaml:",inline"`
}

// mistake tells what is wrong with the settings, as that of ScaleConfig.
func (c *StripsConfig) mistake() (key, msg, hint string) {
	if c == nil {
		return "strips", "is missing", "name the digitiser's address and where the strips lie: docs/samples.md"
	}
	if _, _, err := net.SplitHostPort(c.Address); err != nil {
		return "strips.address", fmt.Sprintf("%q is no address", c.Address), "write it as 192.0.2.60:5030"
	}
	if err := c.Array.Validate(); err != nil {
		return "strips", err.Error(), "docs/samples.md says what each key is"
	}
	return "", "", ""
}

// certificateMistake refuses what no authority can have given: nobody has approved our signal processing.
func (l *LaneConfig) certificateMistake() error {
	if _, msg, _ := l.Scale.mistake(); l.Scale.Kind == scaleStrips && msg == "" && l.Instrument.Certificate != nil {
		return fmt.Errorf("instrument.certificate: what Axlegate itself weighs from strips' samples has no type approval and gives suspicions at best; leave it out")
	}
	return nil
}

// openStrips makes the driver of a digitiser.
func openStrips(s *ScaleConfig, knows siteKnows, log *slog.Logger) (edge.Scale, error) {
	return strips.New(strips.Config{Device: s.Device, Address: s.Strips.Address, Array: s.Strips.Array, After: knows.after(s.Device), Logger: log})
}
