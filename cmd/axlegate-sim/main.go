// Command axlegate-sim is the simulated hardware of weighing sites.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/alecthomas/kong"

	"github.com/axlegate/axlegate/internal/daemon"
)

const about = `Simulated hardware for engineers without a road: seeded traffic on axle scales behind real
pseudo-terminals, plate cameras that push pictures over HTTP, and message signs on Modbus TCP, with faults
by script and the ground truth of every vehicle as NDJSON.

  axlegate-sim scenario.yaml --truth truth.ndjson --registrations registrations.csv
  axlegate-sim replay scale.capture --link /tmp/scale
  axlegate-sim samples stream.axs --vehicles 200 --truth truth.ndjson --config strips.yaml

The scale's path, the cameras' addresses and the sign's port stand in the scenario; put the same into the
edge's configuration.`

type command struct {
	Run     runCommand       `cmd:"" default:"withargs" help:"Run a scenario's hardware until it is stopped."`
	Samples samplesCommand   `cmd:"" help:"Write what trucks do to strip sensors, as samples."`
	Replay  replayCommand    `cmd:"" help:"Play a device from what was captured of it."`
	Version kong.VersionFlag `help:"Print the version and exit."`
}

type runCommand struct {
	Scenario      string         `arg:"" help:"Scenario file (YAML)." type:"path"`
	Truth         string         `help:"File that the ground truth is appended to; empty for none." type:"path"`
	Registrations string         `help:"File that the fleet's registration table is written to before traffic starts." type:"path"`
	Tapes         string         `help:"Folder for captures of what scales and cameras say, which then stand on no line; for axlegate-sim replay." type:"path"`
	Logging       daemon.Logging `embed:""`
}

func main() {
	var c command
	if err := kong.Parse(&c, kong.Name("axlegate-sim"), kong.Description(about), kong.Vars{"version": daemon.Version}).Run(); err != nil {
		fmt.Fprintln(os.Stderr, "axlegate-sim:", err)
		os.Exit(1)
	}
}

// Run runs the scenario.
func (c runCommand) Run() error {
	ctx, stop := daemon.Signalled(context.Background())
	defer stop()
	return daemon.RunSim(ctx, daemon.SimFiles{Scenario: c.Scenario, Truth: c.Truth, Registrations: c.Registrations, Tapes: c.Tapes}, c.Logging.Logger(os.Stderr))
}
