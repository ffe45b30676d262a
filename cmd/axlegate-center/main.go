// Command axlegate-center is the coordination service of both authorities.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/alecthomas/kong"

	"github.com/axlegate/axlegate/internal/daemon"
)

const about = `The coordination service: receives the sealed records of all sites over MQTT, verifies and stores each
exactly once, receipts what it durably holds, judges again, and alerts road administration and traffic
police on their live boards.

It brings its own broker and store; nothing else needs to be installed.

  axlegate keys new center.pem        make the key that receipts are signed with
  axlegate keys password FILE         make an officer's password hash
  axlegate check center.yaml          check the configuration without starting
  axlegate-center center.yaml         run; Ctrl-C stops cleanly`

type command struct {
	Config  string           `arg:"" help:"Configuration file (YAML)." type:"path"`
	Logging daemon.Logging   `embed:""`
	Version kong.VersionFlag `help:"Print the version and exit."`
}

func main() {
	var c command
	kong.Parse(&c, kong.Name("axlegate-center"), kong.Description(about), kong.Vars{"version": daemon.Version})
	if err := run(c); err != nil {
		fmt.Fprintln(os.Stderr, "axlegate-center:", err)
		os.Exit(1)
	}
}

func run(c command) error {
	cfg, err := daemon.LoadCenter(c.Config)
	if err != nil {
		return err
	}
	ctx, stop := daemon.Signalled(context.Background())
	defer stop()
	return daemon.RunCenter(ctx, cfg, c.Logging.Logger(os.Stderr))
}
