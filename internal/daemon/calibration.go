package daemon

import (
	"fmt"
	"os"

	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/calibration"
)

// nameCalibration fills in which calibration was entered into an instrument. The program never applies it: it names it, so that every
// record says by what the instrument was adjusted, and weights count as suspicions until it is verified anew.
func nameCalibration(path, device string, to *wim.AppliedCalibration) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("instrument.calibration: %w", err)
	}
	c, err := calibration.Parse(b)
	if err != nil {
		return fmt.Errorf("instrument.calibration: %s: %w", path, err)
	}
	if c.Device != device {
		return fmt.Errorf("instrument.calibration: %s is of %s, this scale is %s", path, c.Device, device)
	}
	to.Version, to.Digest = c.Version, wim.DigestOf(b)
	return nil
}
