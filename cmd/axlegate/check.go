package main

import (
	"errors"
	"fmt"

	"github.com/axlegate/axlegate/internal/daemon"
)

type checkCommand struct {
	Kind string `short:"k" enum:"auto,edge,center,scenario,device" default:"auto" help:"What the file configures: edge, center, scenario, a device's registers, or auto to tell by its keys."`
	File string `arg:"" type:"existingfile" help:"Configuration file (YAML)."`
}

func (checkCommand) Help() string {
	return `Reads the file as strictly as the daemon would: an unknown key is refused with file, line and the nearest
known key. Then opens what the file names (keys, passwords, rule sets, tables, profiles) without starting
a device or a listener. Exit status 0 means that the daemon would start. A device's register profile is checked
likewise; "axlegate probe --profile" then tries it on the device.`
}

func (c checkCommand) Run() error {
	kind := c.Kind
	if kind == "auto" {
		var err error
		if kind, err = daemon.KindOf(c.File); err != nil {
			return err
		}
	}
	var err error
	switch kind {
	case "edge":
		err = daemon.CheckEdge(c.File)
	case "center":
		err = daemon.CheckCenter(c.File)
	case "scenario":
		err = daemon.CheckScenario(c.File)
	case "device":
		err = daemon.CheckDevice(c.File)
	default:
		err = errors.New("cannot tell what the file configures; say --kind edge, center, scenario or device")
	}
	if err != nil {
		return err
	}
	fmt.Printf("%s: good (%s)\n", c.File, kind)
	return nil
}
