// Command axlegate-edge is the daemon of one weighing site.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/alecthomas/kong"

	"github.com/axlegate/axlegate/internal/daemon"
)

const about = `The daemon of one weighing site: reads scales and plate cameras, judges every vehicle within
milliseconds, directs the sign, seals what it saw into a chain of records and hands them to the centre.

It needs no network to work. What the centre has not receipted stays in the journal and is sent again.

  axlegate keys new site.pem          make the site's signing key
  axlegate check edge.yaml            check the configuration without starting
  axlegate-edge edge.yaml             run; Ctrl-C finishes, seals, sends and stops

While it runs: /readyz says what is wrong and what to do, /metrics is for Prometheus.`

type command struct {
	Config  string           `arg:"" help:"Configuration file (YAML)." type:"path"`
	Logging daemon.Logging   `embed:""`
	Version kong.VersionFlag `help:"Print the version and exit."`
}

func main() {
	var c command
	kong.Parse(&c, kong.Name("axlegate-edge"), kong.Description(about), kong.Vars{"version": daemon.Identity()}, kong.ConfigureHelp(kong.HelpOptions{NoExpandSubcommands: true}))
	if err := run(c); err != nil {
		fmt.Fprintln(os.Stderr, "axlegate-edge:", err)
		os.Exit(1)
	}
}

func run(c command) error {
	cfg, err := daemon.LoadEdge(c.Config)
	if err != nil {
		return err
	}
	ctx, stop := daemon.Signalled(context.Background())
	defer stop()
	return daemon.RunEdge(ctx, cfg, c.Logging.Logger(os.Stderr))
}
