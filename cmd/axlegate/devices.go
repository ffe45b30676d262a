package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/axlegate/axlegate/configs"
	"github.com/axlegate/axlegate/drivers/camera"
	"github.com/axlegate/axlegate/drivers/indicator"
	"github.com/axlegate/axlegate/drivers/profile"
	"github.com/axlegate/axlegate/drivers/record"
	"github.com/axlegate/axlegate/drivers/serial"
	"github.com/axlegate/axlegate/drivers/toll"
)

type devicesCommand struct {
	Words    []string `arg:"" optional:"" placeholder:"WORD" help:"Only devices that have every word in their name, maker, model or kind."`
	Markdown bool     `help:"Write docs/devices.md."`
	Missing  bool     `help:"Show also where each layout stands, what was remembered and not read in it, and what it does not tell."`
}

func (devicesCommand) Help() string {
	return `Lists what can be connected: axle scales, controllers that send whole vehicles, static indicators by Modbus register
profile and by serial dialect, plate cameras and signs. The name is what a configuration or another command takes. Every layout was written from what its
maker publishes; --missing shows what of it is remembered only, or not told.

  axlegate devices                    everything
  axlegate devices mettler            what there is of one maker
  axlegate devices --missing xk3190   what the source of a dialect does not tell

A static indicator whose registers are not listed needs no new driver but a profile: docs/devices/indicator.md. What an
unknown one sends on a serial line may be of a listed dialect all the same: axlegate decode serial --list.`
}

func (c devicesCommand) Run() error {
	if c.Markdown {
		return markdown(os.Stdout)
	}
	return c.list(os.Stdout)
}

// device is one line of the list.
type device struct {
	name, kind, what string
	source           string
	recalled, lacks  []string
}

func (c devicesCommand) list(out io.Writer) error {
	all, err := devices()
	if err != nil {
		return err
	}
	table := sheet{head: []string{"name", "kind", "what it is"}}
	var found []device
	for _, d := range all {
		if d.has(c.Words) {
			found = append(found, d)
			table.add(d.name, d.kind, d.what)
		}
	}
	if len(found) == 0 {
		return fmt.Errorf("no device has %s; without a word all are listed", strings.Join(c.Words, " and "))
	}
	if err := table.write(out, ""); err != nil || !c.Missing {
		return err
	}
	var b strings.Builder
	for _, d := range found {
		fmt.Fprintf(&b, "\n%s\n", d.name)
		if d.source != "" {
			fmt.Fprintf(&b, "  from: %s\n", d.source)
		}
		for _, r := range d.recalled {
			fmt.Fprintf(&b, "  remembered, not read: %s\n", r)
		}
		for _, l := range d.lacks {
			fmt.Fprintf(&b, "  missing: %s\n", l)
		}
	}
	_, err = io.WriteString(out, b.String())
	return err
}

func (d device) has(words []string) bool {
	text := strings.ToLower(d.name + " " + d.kind + " " + d.what)
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, strings.ToLower(w)) })
}

// devices lists what can be connected, kinds together.
func devices() ([]device, error) {
	out := []device{{name: "af1", kind: "axle scale, serial", what: "the open axle frame of docs/devices/axle-frame.md", source: "ours: no maker's device speaks it yet"}}
	out = append(out, device{name: "strips", kind: "strip sensors", what: "samples of strip sensors in the open framing of docs/samples.md", source: "ours: no maker's framing is published, as far as we found"})
	for _, name := range configs.DeviceNames() {
		d, err := profiled(name)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	for _, d := range serial.Dialects() {
		out = append(out, device{name: d.Name, kind: "indicator, serial", what: d.Title, source: d.Source, lacks: d.Lacks})
	}
	for _, f := range camera.Formats() {
		out = append(out, device{name: string(f.Format), kind: "camera", what: f.Name, source: f.Source, lacks: []string{f.Lacks}})
	}
	return out, nil
}

// recorded is a controller that a page in configs/devices describes.
func recorded(name string) (device, error) {
	text, err := configs.Device(name)
	if err != nil {
		return device{}, err
	}
	p, err := record.LoadPage(name, text)
	if err != nil {
		return device{}, err
	}
	return device{name: name, kind: "controller, whole vehicles", what: p.Title, source: p.Source, recalled: p.Recalled, lacks: p.Missing}, nil
}

// profiled is a device that a file in configs/devices describes.
func profiled(name string) (device, error) {
	switch {
	case strings.HasPrefix(name, "axle-"):
		return device{name: name, kind: "axle scale, Modbus", what: "the open event ring of docs/devices/axle-ring.md", source: "ours: no maker's device speaks it yet"}, nil
	case strings.HasPrefix(name, "record-"):
		return recorded(name)
	case strings.HasPrefix(name, "toll-"):
		text, err := configs.Device(name)
		if err != nil {
			return device{}, err
		}
		p, err := toll.LoadPage(name, text)
		if err != nil {
			return device{}, err
		}
		return device{name: name, kind: "toll and checkpoint system", what: p.Title, source: p.Source, recalled: p.Recalled, lacks: p.Missing}, nil
	case strings.HasPrefix(name, "dimensions-"):
		text, err := configs.Device(name)
		if err != nil {
			return device{}, err
		}
		p, err := profile.LoadPage(name, text)
		if err != nil {
			return device{}, err
		}
		return device{name: name, kind: "laser unit", what: p.Title, source: p.Source, recalled: p.Recalled, lacks: p.Missing}, nil
	case strings.HasPrefix(name, "sign-"):
		return device{name: name, kind: "sign, Modbus", what: "message sign with warning light", source: "docs/devices/sign.md"}, nil
	}
	text, err := configs.Device(name)
	if err != nil {
		return device{}, err
	}
	p, err := indicator.LoadProfile(name, text)
	if err != nil {
		return device{}, err
	}
	return device{name: name, kind: "indicator, Modbus", what: p.Maker + ": " + strings.Join(p.Models, ", "), source: p.Source, recalled: p.Recalled, lacks: p.Missing}, nil
}

// page tells where each kind is described.
func page(kind string) string {
	switch kind {
	case "axle scale, serial":
		return "devices/axle-frame.md"
	case "axle scale, Modbus":
		return "devices/axle-ring.md"
	case "strip sensors":
		return "samples.md"
	case "controller, whole vehicles":
		return "devices/record.md"
	case "indicator, Modbus":
		return "devices/indicator.md"
	case "indicator, serial":
		return "devices/dialects.md"
	case "camera":
		return "devices/cameras.md"
	case "laser unit":
		return "devices/dimensions.md"
	case "sign, Modbus":
		return "devices/sign.md"
	case "toll and checkpoint system":
		return "devices/toll.md"
	}
	return "devices/" + kind + ".md" // the links' test finds out that there is none
}

const devicesHead = `# Devices

What can be connected. This page is written by ` + "`axlegate devices --markdown`" + ` from the profiles and dialects themselves, so it lists what this
version has. Every layout was written from what its maker publishes; what was remembered and not read there, and what the source
does not tell, stands with each. Nothing is made up in its place.

A device that is not here may need a page of YAML only: the link of its kind says how, and CONTRIBUTING.md how to hand it in. A line
that nobody understands is looked at with ` + "`axlegate probe`, `watch`, `capture` and `decode`" + `: [devices/capture.md](devices/capture.md).
`

// markdown writes docs/devices.md.
func markdown(out io.Writer) error {
	all, err := devices()
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString(devicesHead)
	var kinds []string
	for _, d := range all {
		if !slices.Contains(kinds, d.kind) {
			kinds = append(kinds, d.kind)
		}
	}
	for _, kind := range kinds {
		fmt.Fprintf(&b, "\n## %s\n\nHow it is connected: [%s](%s)\n", capital(kind), page(kind), page(kind))
		for _, d := range all {
			if d.kind != kind {
				continue
			}
			fmt.Fprintf(&b, "\n### %s\n\n%s.\n\n", d.name, capital(strings.TrimSuffix(d.what, ".")))
			if d.source != "" {
				fmt.Fprintf(&b, "- From: %s\n", d.source)
			}
			for _, r := range d.recalled {
				fmt.Fprintf(&b, "- Remembered, not read: %s\n", r)
			}
			for _, l := range d.lacks {
				if l != "" {
					fmt.Fprintf(&b, "- Missing: %s\n", l)
				}
			}
		}
	}
	_, err = io.WriteString(out, b.String())
	return err
}

// capital begins a sentence; what begins with another sign than a small Latin letter stays.
func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
