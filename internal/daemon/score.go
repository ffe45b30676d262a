package daemon

import (
	"context"
	"errors"
	"fmt"

	"github.com/axlegate/axlegate/internal/scoring"
	"github.com/axlegate/axlegate/rules"
	"github.com/axlegate/axlegate/simulator"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/accuracy"
)

// SimScore is a score of simulated traffic without wires: drawn, assembled, judged and held against its truth in this process.
type SimScore struct {
	Vehicles int
	Rides    simulator.RidesConfig
	Score    accuracy.Config
	Rules    string // embedded rule set, or a .yaml file
	// Class is the accuracy class for vehicle mass on the simulated certificate, 0.2 to 10, whose error in service is deducted; AxleError is
	// the same for axles, in permille.
	Class     string
	AxleError wim.Permille
	// Assembler flags what the vehicles do; Lane is set to 1.
	Assembler wim.AssemblerConfig
}

// MaxSimScore bounds the vehicles of one score.
const MaxSimScore = 100_000_000

// massError is the error in service of a class of OIML R 134 for the vehicle's mass.
func massError(class string) (wim.Permille, error) {
	for c, p := range map[string]wim.Permille{"0.2": 2, "0.5": 5, "1": 10, "2": 20, "5": 50, "10": 100} {
		if c == class {
			return p, nil
		}
	}
	return 0, fmt.Errorf("class %q: want 0.2, 0.5, 1, 2, 5 or 10 of OIML R 134", class)
}

// Run scores, telling now and then how many vehicles are done. What was done by the time that ctx ends is still reported, with ctx's
// error.
func (c *SimScore) Run(ctx context.Context, tell func(done int)) (*scoring.Result, error) {
	if c.Vehicles < 1 || c.Vehicles > MaxSimScore {
		return nil, fmt.Errorf("%d vehicles: want 1 to %d", c.Vehicles, MaxSimScore)
	}
	if c.AxleError < 1 || c.AxleError > 499 {
		return nil, errors.New("axle error: want 1 to 499 permille: it is deducted before any finding")
	}
	mass, err := massError(c.Class)
	if err != nil {
		return nil, err
	}
	law, err := RuleSet(c.Rules)
	if err != nil {
		return nil, err
	}
	if err := c.Assembler.Validate(); err != nil {
		return nil, err
	}
	rides, err := simulator.NewRides(c.Rides)
	if err != nil {
		return nil, err
	}
	scorer, err := accuracy.New(c.Score)
	if err != nil {
		return nil, err
	}
	cfg := c.Assembler
	cfg.Lane = 1
	s := simScored{
		law: law, scorer: scorer, asm: wim.NewAssembler(cfg),
		facts: wim.Facts{
			Clock: wim.ClockSynchronised, Purpose: wim.Enforcement, Road: wim.Road{Name: "simulated", Class: "class-1"},
			Instrument: wim.Instrument{ID: "scale-1", Certificate: &wim.Certificate{
				Number: "simulated", Scheme: "OIML R 134", Class: c.Class, MassError: mass, AxleError: c.AxleError, ValidUntil: 1 << 62,
				Lanes: []wim.LaneID{1}, SpeedMin: cfg.SpeedMin, SpeedMax: max(cfg.SpeedMax, 1500), Min: 500, Max: 300_000, Division: max(c.Rides.Traffic.Division, 1),
			}},
		},
	}
	var ride simulator.Ride
	for n := range c.Vehicles {
		if n%1024 == 0 {
			tell(n)
			if ctx.Err() != nil {
				break
			}
		}
		rides.Next(&ride)
		s.take(&ride)
	}
	if ctx.Err() == nil {
		tell(c.Vehicles)
	}
	r, err := scorer.Report()
	return &scoring.Result{Report: r}, errors.Join(err, ctx.Err())
}

// simScored is the way of one simulated vehicle to its score.
type simScored struct {
	law          *rules.Set
	scorer       *accuracy.Scorer
	asm          *wim.Assembler
	facts        wim.Facts
	found, truth wim.Verdict
	axles        []accuracy.TrueAxle
}

func (s *simScored) take(ride *simulator.Ride) {
	x := &ride.Truth
	t := accuracy.Truth{Site: x.Site, Lane: x.Lane, Start: x.Start, Gross: x.Gross, Speed: x.Speed, Kind: x.Kind, Configuration: x.Configuration, LostFrames: x.LostFrames, Flags: x.Flags}
	s.axles = s.axles[:0]
	for _, a := range x.Axles {
		s.axles = append(s.axles, accuracy.TrueAxle{Load: a.Load, Left: a.Left, Right: a.Right, Spacing: a.Spacing})
	}
	t.Axles = s.axles
	t.Plates.Front, t.Plates.Rear = x.Plates.Front, x.Plates.Rear
	for i := range ride.Beside {
		s.asm.Neighbour(&ride.Beside[i])
	}
	s.facts.Units = ride.Units
	recorded := false
	for i := range ride.Readings {
		if v, done := s.asm.Push(ride.Readings[i]); done {
			s.record(&t, &v, recorded)
			recorded = true
		}
	}
	// A vehicle whose end was lost is closed by time, as at a site.
	if v, done := s.asm.Expire(wim.TimeOf(x.End).Add(wim.DefaultWait)); done {
		s.record(&t, &v, recorded)
		recorded = true
	}
	if !recorded {
		s.scorer.Missed(&t, s.cases(&t, nil))
	}
}

// record judges a vehicle that was assembled; a second one of the same ride is false.
func (s *simScored) record(t *accuracy.Truth, v *wim.Vehicle, already bool) {
	if already {
		s.scorer.False()
		return
	}
	wim.Classify(v)
	s.facts.Vehicle, s.facts.Time = *v, v.End
	s.law.Judge(&s.facts, &s.found)
	s.scorer.Passage(t, v, s.cases(t, &s.found))
}

// cases judges the true masses beside what was found.
func (s *simScored) cases(t *accuracy.Truth, found *wim.Verdict) []accuracy.Case {
	if found == nil {
		s.facts.Vehicle, s.facts.Time = t.Vehicle(), wim.TimeOf(t.Start)
	}
	ref := scoring.Reference(&s.facts, t)
	s.law.Judge(&ref, &s.truth)
	return accuracy.Cases(&s.truth, found)
}
