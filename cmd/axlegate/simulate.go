package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/axlegate/axlegate/internal/daemon"
	"github.com/axlegate/axlegate/internal/scoring"
	"github.com/axlegate/axlegate/simulator"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/accuracy"
)

// simulateOptions say what drives and how the scale errs.
type simulateOptions struct {
	Seed         uint64 `default:"1" help:"Of --simulate: the same seed gives the same vehicles."`
	Rules        string `default:"cn" help:"Of --simulate: an embedded rule set, or a .yaml file."`
	Class        string `enum:"0.2,0.5,1,2,5,10" default:"5" help:"Of --simulate: the certificate's class, whose error in service is deducted: ${enum}."`
	CertAxle     int32  `default:"80" help:"Of --simulate: the certificate's error for axles, in permille."`
	AxleError    int32  `default:"20" help:"Of --simulate: standard deviation of each axle's own error, in permille."`
	Sway         int32  `default:"5" help:"Of --simulate: standard deviation of the error that a vehicle's axles share, in permille."`
	Bias         int32  `default:"0" help:"Of --simulate: the error that all weighings share, in permille."`
	Manoeuvres   int32  `default:"10" help:"Of --simulate: how many of a thousand vehicles brake, stop, straddle, speed, reverse or lose a message."`
	Near         int32  `default:"500" help:"Of --simulate: how many of a thousand are loaded to 80 to 130 % of the road's limit."`
	Acceleration int32  `default:"50" help:"Of --simulate: how far the speeds of axles may differ, in permille, before a weighing is void."`
}

// simulate scores simulated vehicles with a progress bar.
func (o *simulateOptions) simulate(vehicles int, cfg accuracy.Config) (*scoring.Result, error) {
	ctx, stop := daemon.Signalled(context.Background())
	defer stop()
	s := daemon.SimScore{
		Vehicles: vehicles, Rules: o.Rules, Class: o.Class, AxleError: wim.Permille(o.CertAxle), Score: cfg,
		Rides: simulator.RidesConfig{Seed: o.Seed, Near: wim.Permille(o.Near), Bias: wim.Permille(o.Bias), Sway: wim.Permille(o.Sway), Manoeuvres: wim.Permille(o.Manoeuvres),
			Traffic: simulator.Traffic{Fleet: 2000, Overloaded: 100, OverLimit: 30, OverloadedOnly: 30, Unregistered: 50, AxleError: wim.Permille(o.AxleError)}},
		Assembler: wim.AssemblerConfig{SpeedMin: 50, SpeedMax: 1200, Acceleration: wim.Permille(o.Acceleration)},
	}
	p := &pace{all: vehicles, began: time.Now()}
	if term.IsTerminal(int(os.Stderr.Fd())) {
		p.out = os.Stderr
	}
	defer p.done()
	return s.Run(ctx, p.tell)
}

// pace shows on a terminal how many vehicles are done; elsewhere it shows nothing.
type pace struct {
	out   io.Writer // nil where nobody looks
	all   int
	began time.Time
	last  time.Time
}

func (p *pace) tell(done int) {
	now := time.Now()
	if p.out == nil || now.Sub(p.last) < 100*time.Millisecond {
		return
	}
	p.last = now
	fmt.Fprint(p.out, "\r"+p.line(done, now)) //nolint:errcheck // a bar that cannot be drawn is none
}

func (p *pace) line(done int, now time.Time) string {
	const width = 30
	took := max(now.Sub(p.began).Seconds(), 0.001)
	rate := float64(done) / took
	full := done * width / max(p.all, 1)
	left := ""
	if done > 0 {
		left = time.Duration(float64(p.all-done) / rate * float64(time.Second)).Round(time.Second).String()
	}
	return fmt.Sprintf("[%s%s] %3d %%  %.0f/s  %s ", strings.Repeat("█", full), strings.Repeat("·", width-full), done*100/max(p.all, 1), rate, left)
}

func (p *pace) done() {
	if p.out != nil {
		fmt.Fprint(p.out, "\r\x1b[K") //nolint:errcheck // as above
	}
}

// goal is a figure that a site is to reach.
type goal struct {
	competence wim.Competence
	zh, en     string
	asked      string
	a, n       int
	kept       bool
}

// goalsOf holds a report against the goals: of vehicles that keep to every limit and come within 5 % of one at most one in 100,000 is
// accused; of those that exceed the gross limit by 10 % and more at least 99 % are found, where the weighing is valid.
func goalsOf(r *accuracy.Report) (out []goal) {
	for _, a := range r.Accusations {
		if a.Kind != "" {
			continue
		}
		if !a.Gross {
			n := a.Near.N
			out = append(out, goal{a.Competence, "未超且在限值 95–100 % 的车辆被指", "accused of those that keep to all limits and are at 95 to 100 % of one", "≤ 1 : 100 000", a.Near.Accused, n, a.Near.Accused*100_000 <= n})
			continue
		}
		b := a.From(100)
		n := b.N - b.Void - b.Missed
		out = append(out, goal{a.Competence, "总质量超 10 % 及以上者被查出（称重有效者）", "found of those 10 % and more above the gross limit, weighing valid", "≥ 99 %", b.Accused, n, b.Accused*100 >= 99*n})
	}
	return out
}

func (l *law) goals(w io.Writer, list []goal) error {
	out := &printer{w: w}
	out.line("%s", l.say("目标", "goals"))
	t := sheet{head: []string{l.say("主管", "authority"), l.say("目标", "goal"), l.say("要求", "asked"), l.say("达到", "reached"), "n", l.say("结论", "kept")}}
	for _, g := range list {
		kept := l.yes(g.kept)
		if g.n == 0 {
			kept = "–"
		}
		t.add(l.words.Or("competence", string(g.competence)), l.say(g.zh, g.en), g.asked, fmt.Sprintf("%d (%s)", g.a, pct(accuracy.Share(g.a, g.n))), fmt.Sprint(g.n), kept)
	}
	out.table(&t)
	return out.err
}
