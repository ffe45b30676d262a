package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/internal/daemon"
	"github.com/axlegate/axlegate/internal/stand"
	"github.com/axlegate/axlegate/wim"
)

type demoCommand struct {
	Keep      string `type:"path" placeholder:"DIR" help:"Lay everything out in this new folder and leave it there; without it a temporary folder is used and removed."`
	Listen    string `default:"127.0.0.1:8400" help:"Address of the boards; another free port is taken when it is in use."`
	PerMinute int    `default:"20" help:"Vehicles a minute on each of the four lanes."`
	Store     string `placeholder:"URL" env:"AXLEGATE_DEMO_STORE" help:"PostgreSQL database of the centre, as postgres://user:password@127.0.0.1/name; without it the embedded store is used. What is in it stays."`
	Broker    string `placeholder:"URL" env:"AXLEGATE_DEMO_BROKER" help:"MQTT broker on this machine, as tcp://user:password@127.0.0.1:1883; without it the embedded one is used."`
}

func (demoCommand) Help() string {
	return `Starts, in this one process: a centre with its broker, store and boards; two simulated sites of two lanes
each, whose scales speak on pseudo-terminals, whose cameras push pictures over HTTP and whose signs are on
Modbus TCP; and the edge daemon of each site. Some things go wrong on purpose: garbage on a line, a lost
frame, a pulled cable, a late plate.

Sign in on two browser windows, once for each authority, and watch: the board shows what comes, under "matters"
an officer carries each to its close. An administrator and an auditor have pages of their own.

A PostgreSQL database and another broker may take the place of the embedded ones:

  axlegate demo --store postgres://axlegate:secret@127.0.0.1/axlegate --broker tcp://127.0.0.1:1883

Passwords on a command line can be read by other users of the machine; the environment variables cannot.
Ctrl-C stops everything in order.`
}

func (c demoCommand) Run() (err error) {
	dir, keep := c.Keep, c.Keep != ""
	if keep {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return fmt.Errorf("--keep wants a folder that is not there yet: %w", err)
		}
	} else if dir, err = os.MkdirTemp("", "axlegate-demo-"); err != nil {
		return err
	}
	defer func() {
		if !keep {
			err = errors.Join(err, os.RemoveAll(dir))
			return
		}
		fmt.Printf("left in %s: configurations, keys, journals, the centre's store and the logs\n", dir)
	}()
	ctx, stop := daemon.Signalled(context.Background())
	defer stop()
	s, err := stand.Create(ctx, stand.Config{Dir: dir, Web: c.Listen, Postgres: c.Store, Broker: c.Broker, Sites: []stand.SiteConfig{
		{Site: "north-1", Road: "G5 K1712+300", Seed: 11, PerMinute: c.PerMinute, Overloaded: 280, Faults: true, Checkpoint: 350},
		{Site: "river-2", Road: "S106 K88+050", Seed: 23, PerMinute: c.PerMinute, Overloaded: 220, Ring: 1, Laser: 2},
	}})
	if err != nil {
		return err
	}
	logFile, err := os.OpenFile(filepath.Join(dir, "demo.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, logFile.Close()) }()
	log := daemon.Logging{Format: "text"}.Logger(logFile)
	err = runDemo(ctx, s, log)
	if err != nil {
		err = fmt.Errorf("%w\n(the log says more: run again with --keep DIR and read DIR/demo.log)", err)
	}
	return err
}

// runDemo starts from the centre outwards and stops the other way round: the edges still reach their centre
// while they hand in what they have.
func runDemo(ctx context.Context, s *stand.Stand, log *slog.Logger) error {
	began := time.Now()
	centerCfg, err := daemon.LoadCenter(s.Center)
	if err != nil {
		return err
	}
	center, err := daemon.NewCenter(ctx, centerCfg, log)
	if err != nil {
		return err
	}
	base := context.WithoutCancel(ctx)
	g, gctx := errgroup.WithContext(ctx) // ends with Ctrl-C or with the first part that fails
	centerUp, edgesUp, simsUp := newTier(base), newTier(base), newTier(base)
	centerUp.start(g, func(ctx context.Context) error { return center.Run(ctx) })
	for _, site := range s.Sites {
		// The fleet's licences must lie there before the edge reads them.
		sim, closeTruth, err := daemon.NewSim(daemon.SimFiles{Scenario: site.Scenario, Truth: site.Truth, Registrations: site.Registrations}, log)
		if err != nil {
			return errors.Join(err, stopAll(g, edgesUp, simsUp, centerUp))
		}
		simsUp.start(g, func(ctx context.Context) error { return errors.Join(sim.Run(ctx), closeTruth()) })
		cfg, err := daemon.LoadEdge(site.Edge)
		if err != nil {
			return errors.Join(err, stopAll(g, edgesUp, simsUp, centerUp))
		}
		edgesUp.start(g, func(ctx context.Context) error { return daemon.RunEdge(ctx, cfg, log) })
	}
	select {
	case <-center.Ready():
		fmt.Print(welcome(s))
	case <-gctx.Done():
	}
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for running := true; running; {
		select {
		case <-gctx.Done():
			running = false
		case <-tick.C:
			fmt.Println(progress(gctx, center, began))
		}
	}
	fmt.Println("\nstopping: sensors, records, link, centre ...")
	err = stopAll(g, edgesUp, simsUp, centerUp)
	if err == nil {
		fmt.Println("all stopped cleanly")
	}
	return err
}

// tier is a part of the stand that stops together.
type tier struct {
	ctx  context.Context
	stop context.CancelFunc
	done errgroup.Group
}

func newTier(base context.Context) *tier {
	t := &tier{}
	t.ctx, t.stop = context.WithCancel(base)
	return t
}

// start runs f in the tier; when it fails, all of g ends.
func (t *tier) start(g *errgroup.Group, f func(context.Context) error) {
	done := make(chan error, 1)
	t.done.Go(func() error { err := f(t.ctx); done <- err; return nil })
	g.Go(func() error { return <-done })
}

// stopAll ends the tiers one after another and returns the first error of any part.
func stopAll(g *errgroup.Group, tiers ...*tier) error {
	for _, t := range tiers {
		t.stop()
		t.done.Wait() //nolint:errcheck // the parts' errors go to g
	}
	return g.Wait()
}

func welcome(s *stand.Stand) string {
	text := fmt.Sprintf("\nAxlegate runs. Open http://%s/ in two browsers, or the second time in a private window:\n\n", s.Web)
	for _, o := range s.Officers {
		who := map[center.Role]string{center.Administrator: "administrator        管理员", center.Auditor: "auditor              审计员"}[o.Role]
		switch o.Competence {
		case wim.RoadAdministration:
			who = "road administration  交通运输综合执法"
		case wim.TrafficPolice:
			who = "traffic police       公安交管"
		}
		text += fmt.Sprintf("  sign in  %-7s password  %-16s %s\n", o.Login, o.Password, who)
	}
	text += "\n"
	for _, site := range s.Sites {
		text += fmt.Sprintf("  site %-8s board http://%s/  sign in %s, password %s\n", site.Site, site.Board, site.Staff.Login, site.Staff.Password)
		text += fmt.Sprintf("                health http://%s/readyz   truth %s\n", site.Listen, site.Truth)
	}
	return text + fmt.Sprintf("  centre        metrics http://%s/metrics\n  log           %s\n\nCtrl-C stops everything.\n\n", s.Metrics, filepath.Join(s.Dir, "demo.log"))
}

func progress(ctx context.Context, c *daemon.Center, since time.Time) string {
	line := time.Since(since).Round(time.Second).String()
	for _, who := range []struct {
		name string
		c    wim.Competence
	}{{"road administration", wim.RoadAdministration}, {"traffic police", wim.TrafficPolice}} {
		t, err := c.Store().Totals(ctx, center.Viewer{Role: center.Enforcer, Competence: who.c}, wim.TimeOf(since))
		if err != nil {
			return line + "  " + err.Error()
		}
		if who.c == wim.RoadAdministration {
			line += fmt.Sprintf("  passages %d, void %d, gaps %d", t.Passages, t.Void, t.Gaps)
		}
		line += fmt.Sprintf("  |  %s: exceeded %d, suspicions %d, open %d", who.name, t.Exceeded, t.Suspicions, t.Open)
	}
	return line
}
