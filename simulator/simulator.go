package simulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/axlegate/axlegate/wim"
)

// Config says where a simulation writes.
type Config struct {
	Dir    string    // that relative paths of the scenario are taken from; empty means the scenario's own
	Truth  io.Writer // NDJSON, nil for none
	Logger *slog.Logger
	// Shown is told what a lane's sign shows after each order that it takes and each switching of its light,
	// with the time. It must not wait; nil means nobody is told.
	Shown func(wim.LaneID, SignState)
	// Tape gives the file that a device's capture is written to, by the device's name: the scale's own, or lane-1-front and
	// lane-1-rear. Then scales and cameras stand on no line and no socket. nil means real lines.
	Tape func(device string) (io.Writer, error)
}

// Simulator is one simulated site. Its devices stand from New on; traffic starts with Run, which takes
// everything down when it ends. It runs once.
type Simulator struct {
	scenario    Scenario
	log         *slog.Logger
	fleet       []Vehicle
	truth       *truthLog
	lanes       []*simLane
	bridges     []*simBridge
	checkpoints []*simCheckpoint
	control     *control
}

// simLane is one lane: its devices and its own stream of chance.
type simLane struct {
	Lane
	scale   instrument
	front   *camera
	rear    *camera
	sign    *sign
	laser   *laser
	rand    *rand.Rand
	done    chan struct{} // closed when the last vehicle has passed
	passed  atomic.Int64
	fate    *rand.Rand         // tints and delays that are not part of the truth
	pending chan Fault         // for the next vehicle
	out     chan time.Duration // the cable was pulled for so long
}

// New draws the fleet and puts up the scales' lines.
func New(s Scenario, cfg Config) (sim *Simulator, err error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if cfg.Dir == "" {
		cfg.Dir = s.dir
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Truth == nil {
		cfg.Truth = io.Discard
	}
	if cfg.Tape != nil {
		if err := s.untapeable(); err != nil {
			return nil, err
		}
	}
	sim = &Simulator{scenario: s, log: cfg.Logger.With("site", s.Site), truth: &truthLog{w: cfg.Truth}}
	sim.fleet = newFleet(stream(s.Seed, 0), &s.Traffic)
	up := sim // a return of nil takes the name's value
	defer func() {
		if err != nil {
			err = errors.Join(err, up.takeDown())
		}
	}()
	for i, l := range s.Lanes {
		base := uint64(i+1) * 16
		sl := &simLane{Lane: l, rand: stream(s.Seed, base), fate: stream(s.Seed, base+1), done: make(chan struct{}),
			pending: make(chan Fault, 16), out: make(chan time.Duration, 16)}
		if l.Scale != "" && !filepath.IsAbs(l.Scale) {
			sl.Scale = filepath.Join(cfg.Dir, l.Scale)
		}
		if sl.scale, err = sl.weigh(&cfg, base, sim.log); err != nil {
			return nil, fmt.Errorf("lane %d: %w", l.Lane, err)
		}
		sim.lanes = append(sim.lanes, sl)
		if l.FrontCamera != "" {
			sl.front = newCamera(l.FrontCamera, l.FrontFormat, s.Site, l.Lane, true, stream(s.Seed, base+2), sim.log)
			if err := sl.front.onto(&cfg); err != nil {
				return nil, err
			}
		}
		if l.RearCamera != "" {
			sl.rear = newCamera(l.RearCamera, l.RearFormat, s.Site, l.Lane, false, stream(s.Seed, base+3), sim.log)
			if err := sl.rear.onto(&cfg); err != nil {
				return nil, err
			}
		}
		if l.Laser != "" {
			if sl.laser, err = newLaser(context.Background(), l.Laser, l.Lane, stream(s.Seed, base+4), sim.log); err != nil {
				return nil, fmt.Errorf("lane %d: %w", l.Lane, err)
			}
		}
		if l.Sign != "" {
			if sl.sign, err = newSign(context.Background(), l.Sign, sim.log); err != nil {
				return nil, fmt.Errorf("lane %d: %w", l.Lane, err)
			}
			if cfg.Shown != nil {
				sl.sign.shown = func(st SignState) { cfg.Shown(l.Lane, st) }
			}
		}
	}
	for i, b := range s.Bridges {
		// Far from the lanes' streams, so that a bridge changes nothing of their traffic.
		sb, err := newBridge(b, cfg.Dir, stream(s.Seed, 1<<32+uint64(i)), sim.log)
		if err != nil {
			return nil, fmt.Errorf("bridge %s: %w", b.Name, err)
		}
		sim.bridges = append(sim.bridges, sb)
	}
	for i, c := range s.Checkpoints {
		sim.checkpoints = append(sim.checkpoints, &simCheckpoint{Checkpoint: c, seed: s.Seed ^ uint64(i+1)<<48, log: sim.log, queue: make(chan weighed, checkpointWaits)})
	}
	if s.Control != "" {
		sim.truth.keep = truthKept
		sim.control, err = newControl(context.Background(), s.Control, sim)
	}
	return sim, err
}

// weigh puts up the lane's scale, on the line that the scenario names.
func (l *simLane) weigh(cfg *Config, base uint64, log *slog.Logger) (instrument, error) {
	// A boot must differ from run to run: a device that starts again is a new boot.
	r := rand.New(rand.NewPCG(rand.Uint64(), base)) //nolint:gosec // no secret is drawn
	if l.ScaleModbus == "" {
		tape, err := cfg.taped(l.Device, "axle scale, dialect af1", false)
		if err != nil {
			return nil, err
		}
		s, err := newScale(l.Scale, tape, r, log)
		if err != nil {
			return nil, err
		}
		return s, nil
	}
	s, err := newRing(context.Background(), l.ScaleModbus, r, log)
	if err != nil {
		return nil, err
	}
	l.ScaleModbus = s.addr
	return s, nil
}

// stream is the n-th independent stream of chance of a seed.
func stream(seed, n uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, n)) //nolint:gosec // traffic must be repeatable, not unpredictable
}

// Registrations writes the fleet's licences as the CSV table that a site reads.
func (s *Simulator) Registrations(w io.Writer) error { return writeRegistrations(w, s.fleet) }

// ScaleAddr is the address of a lane's scale on Modbus, empty for a serial one.
func (s *Simulator) ScaleAddr(lane wim.LaneID) string {
	if l := s.lane(lane); l != nil {
		return l.ScaleModbus
	}
	return ""
}

// SignAddr is the address of a lane's sign, empty for none.
func (s *Simulator) SignAddr(lane wim.LaneID) string {
	if l := s.lane(lane); l != nil && l.sign != nil {
		return l.sign.addr
	}
	return ""
}

// Sign tells what a lane's sign shows; ok is false when it has none.
func (s *Simulator) Sign(lane wim.LaneID) (state SignState, ok bool) {
	if l := s.lane(lane); l != nil && l.sign != nil {
		return l.sign.state(), true
	}
	return SignState{}, false
}

// Pull takes a lane's scale off its line; the scale goes on weighing.
func (s *Simulator) Pull(lane wim.LaneID) error {
	return s.onScale(lane, "cable-pulled", instrument.pull)
}

// Plug puts it back, behind the same path.
func (s *Simulator) Plug(lane wim.LaneID) error {
	return s.onScale(lane, "cable-plugged", instrument.plug)
}

// Restart starts a lane's scale anew.
func (s *Simulator) Restart(lane wim.LaneID) error {
	return s.onScale(lane, "boot", func(sc instrument) error { sc.restart(); return nil })
}

func (s *Simulator) onScale(lane wim.LaneID, what string, do func(instrument) error) error {
	l := s.lane(lane)
	if l == nil {
		return fmt.Errorf("there is no lane %d", lane)
	}
	if err := do(l.scale); err != nil {
		return err
	}
	s.note(what, l)
	return nil
}

func (s *Simulator) note(what string, l *simLane) {
	boot, _ := l.scale.numbers()
	s.truth.write(event{Event: what, Site: s.scenario.Site, Lane: l.Lane.Lane, Boot: boot, At: time.Now().UTC()})
}

func (s *Simulator) lane(id wim.LaneID) *simLane {
	for _, l := range s.lanes {
		if l.Lane.Lane == id {
			return l
		}
	}
	return nil
}

// Passed is how many vehicles have passed on all lanes.
func (s *Simulator) Passed() int {
	n, _ := s.truth.state()
	return n
}

// Run lets the traffic drive until ctx ends. A lane whose vehicles are used up stays alive: its scale
// sends heartbeats and its sign can be read.
func (s *Simulator) Run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, s.takeDown()) }()
	g, ctx := errgroup.WithContext(ctx)
	for _, l := range s.lanes {
		s.note("boot", l)
		g.Go(func() error { return s.beat(ctx, l) })
		g.Go(func() error { return s.drive(ctx, l) })
		g.Go(func() error { return s.mend(ctx, l) })
		if l.laser != nil {
			g.Go(func() error { return l.laser.run(ctx) })
		}
		for _, c := range []*camera{l.front, l.rear} {
			if c != nil {
				g.Go(func() error { return c.run(ctx) })
			}
		}
	}
	for _, f := range s.scenario.Faults {
		if f.At > 0 {
			g.Go(func() error { return s.strikeAt(ctx, s.lane(f.Lane), f) })
		}
	}
	for _, b := range s.bridges {
		g.Go(func() error { return s.weigh(ctx, b) })
	}
	for _, c := range s.checkpoints {
		g.Go(func() error { return c.run(ctx, s.truth) })
	}
	if s.control != nil {
		g.Go(func() error { return s.control.run(ctx) })
	}
	s.log.Info("traffic runs", "lanes", len(s.lanes), "per minute and lane", s.scenario.Traffic.PerMinute, "fleet", len(s.fleet))
	err = g.Wait()
	if _, terr := s.truth.state(); terr != nil {
		err = errors.Join(err, fmt.Errorf("ground truth: %w", terr))
	}
	return err
}

// Close takes down the devices of a simulation that is not run: New puts their lines up, and a link that is left behind may soon lead to
// another simulation's line. Run does it itself.
func (s *Simulator) Close() error { return s.takeDown() }

// takeDown removes the lines and switches the signs off.
func (s *Simulator) takeDown() error {
	var err error
	for _, l := range s.lanes {
		err = errors.Join(err, l.scale.pull())
		if l.sign != nil {
			err = errors.Join(err, l.sign.stop())
		}
		if l.laser != nil {
			err = errors.Join(err, l.laser.stop())
		}
	}
	for _, b := range s.bridges {
		err = errors.Join(err, b.Close())
	}
	return err
}

func (s *Simulator) beat(ctx context.Context, l *simLane) error {
	for {
		l.scale.heartbeat()
		if !wait(ctx, time.Second) {
			return nil
		}
	}
}

// drive is the traffic of one lane: vehicle after vehicle, with gaps of chance between them.
func (s *Simulator) drive(ctx context.Context, l *simLane) error {
	defer close(l.done)
	t := &s.scenario.Traffic
	mean := time.Minute / time.Duration(t.PerMinute)
	for n := 0; t.Vehicles == 0 || n < t.Vehicles; n++ {
		p := newPassage(l.rand, s.fleet, t)
		gap := time.Duration(l.rand.ExpFloat64() * 0.7 * float64(mean))
		if !wait(ctx, mean*3/10+min(gap, 5*mean)) {
			return nil
		}
		if err := s.pass(ctx, l, n, &p); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return nil
		}
		l.passed.Add(1)
	}
	s.log.Info("lane is empty, its vehicles are used up", "lane", l.Lane.Lane)
	return nil
}

// pass drives one vehicle over the scale and past the cameras. A vehicle that ctx ends on the scale is no
// truth: its end was never sent. Nor is one on whose way the scale started anew, for it has forgotten the
// axles: it sends nothing more of that vehicle, and the truth says so in a line of its own.
func (s *Simulator) pass(ctx context.Context, l *simLane, n int, p *passage) error {
	strike, late := s.strikes(l, n)
	if err := s.before(l, strike, late); err != nil {
		return err
	}
	see := s.sighting(l, n, p, strike, late)
	tr := Truth{
		Site: s.scenario.Site, Lane: l.Lane.Lane, Device: l.Device, Start: time.Now().UTC(), Gross: p.gross, Indicated: p.total, Axles: p.axles, Speed: p.speed,
		Plates: Plates{Front: p.vehicle.Front, Rear: p.vehicle.Front}, Kind: p.vehicle.Kind, Train: p.vehicle.Train, Configuration: wim.Rigid, Known: p.vehicle.Registered, Capacity: p.vehicle.capacity,
	}
	if p.vehicle.Train {
		tr.Plates.Rear, tr.Configuration = p.vehicle.Trailer, wim.Train
	}
	if len(strike) > 0 {
		tr.Fault = strike[0]
	}
	if l.laser != nil {
		size := l.laser.outline(p.length)
		tr.Size = &size
		l.laser.see(size)
	}
	dropped := -1
	if has(strike, DropFrame) {
		dropped = n % (len(p.indicated) + 1) // now an axle, now the vehicle's end
	}
	forgotten := false
	for i, a := range p.indicated {
		if i > 0 && !wait(ctx, s.span(a.Spacing, p.speed)) {
			return nil
		}
		if forgotten {
			continue
		}
		m := l.scale.axle(tr.Boot, i+1, a, p.speed, dropped == i)
		if i == 0 {
			tr.Boot, tr.FirstSeq = m.boot, m.seq
			if l.front != nil {
				see.at = time.Now()
				l.front.see(see)
			}
		}
		forgotten = !tr.account(m)
	}
	if !wait(ctx, s.span(1200, p.speed)) {
		return nil
	}
	if !forgotten {
		forgotten = !tr.account(l.scale.end(tr.Boot, p, dropped == len(p.indicated)))
	}
	tr.End = time.Now().UTC()
	if forgotten {
		s.truth.write(event{Event: "vehicle-forgotten", Site: tr.Site, Lane: tr.Lane, Boot: tr.Boot, First: tr.FirstSeq, Last: tr.EndSeq, At: tr.End})
	} else {
		s.truth.write(tr)
		for _, c := range s.checkpoints {
			c.passed(&tr, n)
		}
	}
	if l.rear != nil {
		rear := see
		rear.plate, rear.at, rear.uuid = tr.Plates.Rear, time.Now(), see.uuid+"-r"
		if p.vehicle.Train {
			rear.kind = "trailer"
		}
		l.rear.see(rear)
	}
	return nil
}

func (s *Simulator) sighting(l *simLane, n int, p *passage, strike []FaultKind, late time.Duration) sighting {
	boot, _ := l.scale.numbers()
	v := sighting{plate: p.vehicle.Front, kind: "truck", uuid: fmt.Sprintf("%s-%d-%08x-%d", s.scenario.Site, l.Lane.Lane, boot, n), faults: strike, tint: uint8(l.fate.IntN(64))}
	if has(strike, LatePlate) {
		v.delay = late
	}
	if has(strike, WrongClock) {
		v.wrong = late
	}
	if has(strike, RepeatEvent) {
		v.repeats = 1
	}
	return v
}

// span is how long a distance takes at a speed, shortened by the speedup.
func (s *Simulator) span(d wim.Mm, v wim.DeciKmh) time.Duration {
	// 1 dkmh is 1/36 m/s.
	return time.Duration(int64(d) * 36 * int64(time.Millisecond) / int64(max(v, 1)) / int64(s.scenario.Traffic.Speedup))
}
