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

The scale's path, the cameras' addresses and the sign's port stand in the scenario; put the same into the
edge's configuration.`

type command struct {
	Scenario      string           `arg:"" help:"Scenario file (YAML)." type:"path"`
	Truth         string           `help:"File that the ground truth is appended to; empty for none." type:"path"`
	Registrations string           `help:"File that the fleet's registration table is written to before traffic starts." type:"path"`
	Logging       daemon.Logging   `embed:""`
	Version       kong.VersionFlag `help:"Print the version and exit."`
}

func main() {
	var c command
	kong.Parse(&c, kong.Name("axlegate-sim"), kong.Description(about), kong.Vars{"version": daemon.Version})
	if err := run(c); err != nil {
		fmt.Fprintln(os.Stderr, "axlegate-sim:", err)
		os.Exit(1)
	}
}

func run(c command) error {
	ctx, stop := daemon.Signalled(context.Background())
	defer stop()
	return daemon.RunSim(ctx, daemon.SimFiles{Scenario: c.Scenario, Truth: c.Truth, Registrations: c.Registrations}, c.Logging.Logger(os.Stderr))
}
