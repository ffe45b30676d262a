package daemon

import (
	"fmt"

	"github.com/axlegate/axlegate/internal/conf"
)

// KindOf tells by its keys what a configuration file is for: "edge", "center" or "scenario", or "device" for the register
// profile of a device.
func KindOf(path string) (string, error) {
	has, err := conf.Keys(path)
	if err != nil {
		return "", err
	}
	switch {
	case has["seed"] || has["traffic"]:
		return "scenario", nil
	case has["officers"] || has["sites"]:
		return "center", nil
	case has["lanes"]:
		return "edge", nil
	case has["kind"]:
		return "device", nil
	}
	return "", fmt.Errorf("%s: cannot tell what the file configures; say --kind edge, center, scenario or device", path)
}
