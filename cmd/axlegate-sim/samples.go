package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/axlegate/axlegate/internal/daemon"
	"github.com/axlegate/axlegate/simulator"
	"github.com/axlegate/axlegate/simulator/physics"
	"github.com/axlegate/axlegate/wim"
)

type samplesCommand struct {
	File       string  `arg:"" optional:"" help:"File that the samples are written to; it must not be there yet. Without it they are served by --serve."`
	Serve      string  `placeholder:"HOST:PORT" help:"Wait here for one connection on loopback, and send the samples as fast as they are taken."`
	Truth      string  `placeholder:"FILE" help:"File that the truth of every vehicle is written to."`
	Config     string  `placeholder:"FILE" help:"File that the strips' places and exact factors are written to, for axlegate weigh and a site's configuration."`
	Vehicles   int     `default:"100" help:"How many vehicles drive past, one after the other."`
	Seed       uint64  `default:"1" help:"The same seed gives the same bytes."`
	Rows       int     `default:"4" help:"Rows of strips, left and right each: 2 to 16."`
	Apart      float64 `default:"3" help:"Metres between two rows."`
	Rate       float64 `default:"4000" help:"Samples a second and strip."`
	Polymer    bool    `help:"Strips of polymer instead of quartz."`
	Road       string  `enum:"A,B,C,D" default:"A" help:"Roughness class of ISO 8608."`
	Celsius    float64 `default:"20" help:"Temperature of the pavement."`
	Manoeuvres int32   `help:"How many of a thousand brake, accelerate, stop, run beside the strips, change the lane or drive against it."`
	Slowest    float64 `help:"Least speed in km/h; with --fastest."`
	Fastest    float64 `help:"Greatest speed in km/h; 0 for the speeds of free traffic."`
}

func (samplesCommand) Help() string {
	return `Lets seeded trucks drive over strip sensors, by physics: a road with its roughness, bodies that bounce, wheels that hop, tyres
longer than the strip, sensors with noise, drift and temperature. Writes the samples as a stream (docs/samples.md).

  axlegate-sim samples stream.axs --vehicles 200 --truth truth.ndjson --config strips.yaml
  axlegate weigh stream.axs --config strips.yaml --truth truth.ndjson
  axlegate-sim samples --serve 127.0.0.1:5030 --vehicles 1000 --truth truth.ndjson`
}

func (c samplesCommand) Run() (err error) {
	if (c.File == "") == (c.Serve == "") {
		return errors.New("want a file, or --serve")
	}
	ctx, stop := daemon.Signalled(context.Background())
	defer stop()
	cfg := simulator.SamplesConfig{Seed: c.Seed, Vehicles: c.Vehicles, Traffic: simulator.Traffic{Overloaded: 200}, Rows: c.Rows, Apart: c.Apart, Rate: c.Rate, Polymer: c.Polymer,
		Road: physics.Roughness(c.Road[0]), Celsius: c.Celsius, Begin: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Manoeuvres: wim.Permille(c.Manoeuvres), Slowest: c.Slowest, Fastest: c.Fastest}
	factors, warmth, rows, err := simulator.SampleArray(cfg)
	if err != nil {
		return err
	}
	if c.Config != "" {
		if err := os.WriteFile(c.Config, arrayFile(factors, warmth, rows), 0o600); err != nil {
			return err
		}
	}
	truth := io.Discard
	if c.Truth != "" {
		f, err := os.OpenFile(c.Truth, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		truth = f
	}
	bar := term.IsTerminal(int(os.Stderr.Fd()))
	began := time.Now()
	tell := func(done int) {
		if bar && (done%16 == 0 || done == c.Vehicles) {
			fmt.Fprintf(os.Stderr, "\r%d of %d vehicles, %.0f a second ", done, c.Vehicles, float64(done)/time.Since(began).Seconds())
		}
	}
	if c.File != "" {
		f, err := os.OpenFile(c.File, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		err = simulator.WriteSamples(ctx, cfg, f, truth, false, tell)
		if bar {
			fmt.Fprintln(os.Stderr)
		}
		return errors.Join(err, f.Close())
	}
	return c.serve(ctx, cfg, truth, tell)
}

// serve sends the samples to the first who connects, as fast as they are taken.
func (c samplesCommand) serve(ctx context.Context, cfg simulator.SamplesConfig, truth io.Writer, tell func(int)) error {
	host, _, err := net.SplitHostPort(c.Serve)
	if err != nil {
		return fmt.Errorf("--serve %q: want an address such as 127.0.0.1:5030", c.Serve)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("--serve %q: it has no sign-in, so it listens on loopback alone", c.Serve)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", c.Serve)
	if err != nil {
		return err
	}
	defer l.Close()                                      //nolint:errcheck // nothing is lost with it
	defer context.AfterFunc(ctx, func() { l.Close() })() //nolint:errcheck // nothing is lost with it
	conn, err := l.Accept()
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	defer conn.Close() //nolint:errcheck // what was sent was sent
	cfg.Begin = time.Now().UTC()
	err = simulator.WriteSamples(ctx, cfg, conn, truth, true, tell)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// arrayFile is what a site's configuration says below strips, as YAML.
func arrayFile(factors, warmth []float64, rows []int) []byte {
	list := func(v []float64) string {
		b, err := json.Marshal(v)
		if err != nil {
			return "[]" // numbers can always be written
		}
		return string(b)
	}
	out := "# Exact factors of simulated strips, as a perfect calibration would give them.\nthreshold: 60\nrows:\n"
	for i, at := range rows {
		out += fmt.Sprintf("  - {position_mm: %d, left: %d, right: %d}\n", at, 2*i, 2*i+1)
	}
	return []byte(out + "factors: " + list(factors) + "\nwarmth: " + list(warmth) + "\n")
}
