package daemon

import (
	"fmt"
	"os"
	"regexp"

	"github.com/axlegate/axlegate/drivers/indicator"
	"github.com/axlegate/axlegate/drivers/modbusscale"
	"github.com/axlegate/axlegate/drivers/profile"
	"github.com/axlegate/axlegate/drivers/record"
	"github.com/axlegate/axlegate/drivers/sign"
	"github.com/axlegate/axlegate/drivers/toll"
)

// ProfileKind is the kind that a profile or page says it is of; the rest of it can be read only when that is known. Empty where it says none.
func ProfileKind(text []byte) string {
	if m := regexp.MustCompile(`(?m)^kind:[ \t]*"?([a-z-]+)`).FindSubmatch(text); m != nil {
		return string(m[1])
	}
	return ""
}

// DeviceProfile reads a profile by its shipped name, or by its file.
func DeviceProfile(name string) (file string, text []byte, err error) { return deviceProfile("", name) }

// CheckDevice reads a device's register profile or page of records, of whichever kind it says it is.
func CheckDevice(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	switch kind := ProfileKind(text); kind {
	case "indicator":
		_, err = indicator.LoadProfile(path, text)
	case "axle-scale":
		_, err = modbusscale.LoadProfile(path, text)
	case profile.PageKind:
		_, err = profile.LoadPage(path, text)
	case "sign":
		_, err = sign.LoadProfile(path, text)
	case "whole-vehicle":
		_, err = record.LoadPage(path, text)
	case toll.PageKind:
		_, err = toll.LoadPage(path, text)
	default:
		err = fmt.Errorf("%s: kind is %q, want indicator, axle-scale, whole-vehicle, transactions, dimensions or sign", path, kind)
	}
	return err
}
