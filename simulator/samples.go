package simulator

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"math/rand/v2"
	"time"

	"github.com/axlegate/axlegate/simulator/physics"
	"github.com/axlegate/axlegate/wim"
)

// SamplesConfig says what drives over which strips. Its truth is simulated, and so is every figure that comes of it.
type SamplesConfig struct {
	Seed     uint64
	Vehicles int // how many drive past, one after the other
	Traffic  Traffic
	Rows     int     // of strips, left and right each; 2 to 16
	Apart    float64 // metres between two rows
	Rate     float64 // samples a second and strip
	Polymer  bool    // else quartz
	Road     physics.Roughness
	Celsius  float64   // of the pavement
	Begin    time.Time // of sample 0
	// Manoeuvres is how many of a thousand do something that spoils the weighing; the truth says what must be flagged.
	Manoeuvres wim.Permille
	// Slowest and Fastest bound the speeds, km/h; 0 means those of the traffic.
	Slowest, Fastest float64
}

func (c *SamplesConfig) validate() error {
	s := Scenario{Site: "samples", Traffic: c.Traffic, Lanes: []Lane{{Lane: 1, Scale: "none"}}}
	if err := s.Validate(); err != nil {
		return err
	}
	c.Traffic = s.Traffic
	switch {
	case c.Vehicles < 1 || c.Vehicles > 1_000_000:
		return fmt.Errorf("samples: %d vehicles, want 1 to 1000000", c.Vehicles)
	case c.Rows < 2 || c.Rows > 16 || !(c.Apart >= 0.3 && c.Apart <= 30):
		return fmt.Errorf("samples: %d rows %g m apart, want 2 to 16 and 0.3 to 30 m", c.Rows, c.Apart)
	case !(c.Rate >= 500 && c.Rate <= 100_000):
		return fmt.Errorf("samples: %g samples a second, want 500 to 100000", c.Rate)
	case c.Slowest < 0 || c.Fastest < c.Slowest || c.Fastest > 200 || c.Fastest > 0 && c.Slowest < 3:
		return fmt.Errorf("samples: speeds of %g to %g km/h, want 3 to 200", c.Slowest, c.Fastest)
	case c.Manoeuvres < 0 || c.Manoeuvres > 1000:
		return fmt.Errorf("samples: %d permille of manoeuvres, want 0 to 1000", c.Manoeuvres)
	case !(c.Celsius >= -60 && c.Celsius <= 90):
		return fmt.Errorf("samples: %g °C", c.Celsius)
	}
	return nil
}

// blockSeconds is how much a block of samples holds, headerEvery how often the header is said again.
const (
	blockSeconds = 0.05
	headerEvery  = 10.0 // seconds
)

// WriteSamples writes a stream of samples in the blocks of docs/samples.md, and a line of truth for each vehicle; tell is called for
// each with how many were written. It is deterministic by the configuration. With pace, it keeps to the time that the samples are of.
func WriteSamples(ctx context.Context, cfg SamplesConfig, out, truth io.Writer, pace bool, tell func(done int)) error {
	if err := cfg.validate(); err != nil {
		return err
	}
	g, err := newSampler(&cfg)
	if err != nil {
		return err
	}
	w := &sampleWriter{out: out, cfg: &cfg, strips: g.lane.Strips}
	began := time.Now()
	lines := &truthLog{w: truth}
	ready := func() bool { return !pace || wait(ctx, time.Until(began.Add(time.Duration(w.seconds()*1e9)))) }
	for n := range cfg.Vehicles {
		samples, t, err := g.next(w.seconds(), n)
		if err != nil {
			return err
		}
		if err := w.write(ctx, samples, ready); err != nil {
			return err
		}
		lines.write(t)
		tell(n + 1)
	}
	if err := g.rest(func(samples [][]int16) error { return w.write(ctx, samples, ready) }); err != nil {
		return err
	}
	_, err = lines.state()
	return errors.Join(err, w.block('E', nil))
}

// sampler draws vehicles and renders what they do to the strips, a window for each.
type sampler struct {
	cfg    *SamplesConfig
	rand   *rand.Rand
	fleet  []Vehicle
	lane   *physics.Lane
	before float64 // m/s of the vehicle before
}

// lead is the way before the first strip, in metres, at which a window begins.
const lead = 3.0

func newSampler(cfg *SamplesConfig) (*sampler, error) {
	g := &sampler{cfg: cfg, rand: stream(cfg.Seed, 0), fleet: newFleet(stream(cfg.Seed, 1), &cfg.Traffic), before: math.Inf(1)}
	road, err := physics.NewRoad(cfg.Road, stream(cfg.Seed, 2))
	if err != nil {
		return nil, err
	}
	g.lane = &physics.Lane{Road: road, Rate: cfg.Rate, Temperature: cfg.Celsius}
	for i := range cfg.Rows {
		for _, right := range []bool{false, true} {
			at := lead + cfg.Apart*float64(i)
			strip := physics.Quartz(at, right)
			if cfg.Polymer {
				strip = physics.Polymer(at, right)
			}
			g.lane.Strips = append(g.lane.Strips, strip)
		}
	}
	return g, nil
}

// next gives the samples of the next vehicle's window, which begins so many seconds after the stream, and its truth.
func (g *sampler) next(at float64, n int) ([][]int16, *Truth, error) {
	p := newPassage(g.rand, g.fleet, &g.cfg.Traffic)
	if g.cfg.Fastest > 0 {
		p.speed = wim.DeciKmh(math.Round(10 * (g.cfg.Slowest + (g.cfg.Fastest-g.cfg.Slowest)*g.rand.Float64())))
	}
	speed := float64(p.speed) / 36
	v := g.vehicle(&p)
	// Beyond the longest gap between axles of one vehicle, at the speed of either.
	idle := 16/math.Min(speed, g.before) + 0.2 + 1.5*g.rand.ExpFloat64()
	g.before = speed
	way := lead + g.cfg.Apart*float64(g.cfg.Rows-1) + v.Length() + 1
	drive := physics.Passage{Vehicle: v, Left: 1, Right: 1}
	flags, legs, longer := g.manoeuvre(&drive, speed, way)
	var err error
	if drive.Motion, err = physics.Drive(idle, 0, speed, legs...); err != nil {
		return nil, nil, err
	}
	samples, truths, err := g.lane.Render(way/speed+idle+longer, []physics.Passage{drive}, g.rand)
	if err != nil {
		return nil, nil, err
	}
	first, ok := drive.Motion.When(lead)
	if !ok {
		return nil, nil, errors.New("samples: a vehicle never comes to the strips")
	}
	begin := g.cfg.Begin.Add(time.Duration((at + first) * 1e9))
	t := &Truth{
		Site: "samples", Lane: 1, Device: "strips", Boot: 1, FirstSeq: uint32(n + 1), EndSeq: uint32(n + 1), Start: begin, End: begin.Add(time.Duration(v.Length() / speed * 1e9)), //nolint:gosec // a million at most
		Gross: wim.Kg(math.Round(truths[0].Gross)), Axles: p.axles, Speed: p.speed, Plates: Plates{Front: p.vehicle.Front, Rear: p.vehicle.Front},
		Kind: p.vehicle.Kind, Train: p.vehicle.Train, Configuration: wim.Rigid, Known: p.vehicle.Registered, Capacity: p.vehicle.capacity,
		Flags: flags,
	}
	if p.vehicle.Train {
		t.Plates.Rear, t.Configuration = p.vehicle.Trailer, wim.Train
	}
	return samples, t, nil
}

// rest gives the empty road behind the last vehicle, for as long as whoever reads waits for a further axle of it, or for one that stands.
func (g *sampler) rest(write func([][]int16) error) error {
	const stand = 13.0
	samples, _, err := g.lane.Render(16/g.before+stand, nil, g.rand)
	if err != nil {
		return err
	}
	return write(samples)
}

// manoeuvre lets some vehicles do something that spoils the weighing. It gives what must be flagged, how the vehicle drives from the
// window's beginning on, and how much longer that takes, in seconds.
func (g *sampler) manoeuvre(p *physics.Passage, speed, way float64) (flags wim.Flag, legs []physics.Leg, longer float64) {
	if g.rand.IntN(1000) >= int(g.cfg.Manoeuvres) {
		return 0, nil, 0
	}
	span := p.Vehicle.Length() + g.cfg.Apart*float64(g.cfg.Rows-1)
	idle := 0.01 // the leg until the vehicle is where the manoeuvre begins
	before := physics.Leg{Seconds: math.Max(lead/speed, idle)}
	switch g.rand.IntN(6) {
	case 0, 1: // it brakes, or accelerates, as hard as a truck can, while its axles cross the strips
		a := 0.3 + 0.9*g.rand.Float64()
		if g.rand.IntN(2) == 0 {
			// From a touch to an emergency; it does not come to stand on the strips.
			a = -math.Min(1+6*g.rand.Float64(), 0.44*speed*speed/span)
		}
		// What the axles' speeds differ by, from the first to the last. Below a tenth nobody needs to notice.
		last := math.Sqrt(speed*speed + 2*a*p.Vehicle.Length())
		if math.Abs(last-speed)/math.Min(last, speed) >= 0.1 {
			flags = wim.Acceleration
		}
		slowest := math.Sqrt(speed*speed + 2*math.Min(a, 0)*span)
		return flags, []physics.Leg{before, {Seconds: 2 * span / (speed + slowest), Acceleration: a}}, way / slowest
	case 2: // it stops with axles on both sides of a row, stands, and goes on
		stop := lead + span*(0.3+0.4*g.rand.Float64())
		a := speed * speed / (2 * stop)
		const pull = 1.0
		return wim.StopAndGo, []physics.Leg{{Seconds: speed / a, Acceleration: -a}, {Seconds: 3.5 + 4*g.rand.Float64()}, {Seconds: speed / pull, Acceleration: pull}},
			2*stop/speed + 8 + speed/pull + math.Sqrt(2*way/pull)
	case 3: // one side runs beside the strips
		p.Left, p.Right = 0, 1
		if g.rand.IntN(2) == 0 {
			p.Left, p.Right = 1, 0
		}
		return wim.OffScale, nil, 0
	case 4: // it changes the lane on the strips: one side leaves them
		at := lead + g.cfg.Apart*float64(g.cfg.Rows-1)*(0.1+0.8*g.rand.Float64())
		p.Across = func(x float64) (left, right float64) {
			if x > at {
				return 0, 1
			}
			return 1, 1
		}
		return wim.OffScale, nil, 0
	default: // against the lane
		axles := p.Vehicle.Axles
		turned := make([]physics.Axle, len(axles))
		body := axles[len(axles)-1].Body
		for i, a := range axles {
			a.Position, a.Body = p.Vehicle.Length()-a.Position, body-a.Body
			turned[len(axles)-1-i] = a
		}
		p.Vehicle = &physics.Vehicle{Axles: turned, Height: p.Vehicle.Height}
		p.Backwards = true
		return wim.Reverse, nil, 0
	}
}

// vehicle gives a passage's vehicle bodies, springs and tyres: of a train the axles behind the longest distance carry a body of
// their own.
func (g *sampler) vehicle(p *passage) *physics.Vehicle {
	trailer, longest := len(p.axles), wim.Mm(0)
	if p.vehicle.Train {
		for i, a := range p.axles {
			if a.Spacing > longest {
				trailer, longest = i, a.Spacing
			}
		}
	}
	v, at := &physics.Vehicle{Height: 1.6}, 0.0
	for i, a := range p.axles {
		at += float64(a.Spacing) / 1000
		body := 0
		if i >= trailer {
			body = 1
		}
		x := physics.Standard(at, float64(a.Load), 1.6+1.2*g.rand.Float64(), 9+3*g.rand.Float64(), body)
		x.Left = math.Min(math.Max(float64(a.Left)/float64(max(a.Load, 1)), 0.2), 0.8)
		v.Axles = append(v.Axles, x)
	}
	return v
}

// sampleWriter writes blocks.
type sampleWriter struct {
	out    io.Writer
	cfg    *SamplesConfig
	strips []physics.Strip
	number uint32
	at     int64 // samples written
	headed int64 // sample at which the header was said last, less one
	buf    []byte
}

func (w *sampleWriter) seconds() float64 { return float64(w.at) / w.cfg.Rate }

// write cuts samples into blocks; ready is asked before each.
func (w *sampleWriter) write(ctx context.Context, samples [][]int16, ready func() bool) error {
	n := len(samples[0])
	size := max(int(blockSeconds*w.cfg.Rate), 1)
	for from := 0; from < n; from += size {
		if !ready() || ctx.Err() != nil {
			return ctx.Err()
		}
		if w.headed == 0 || float64(w.at-w.headed+1) >= headerEvery*w.cfg.Rate {
			if err := w.header(); err != nil {
				return err
			}
		}
		to := min(from+size, n)
		b := binary.LittleEndian.AppendUint64(w.buf[:0], uint64(w.at)) //nolint:gosec // counted from 0
		b = binary.LittleEndian.AppendUint16(b, uint16(math.Round((w.cfg.Celsius+273.15)*10)))
		b = append(b, byte(len(samples)), 0)
		b = binary.LittleEndian.AppendUint32(b, uint32(to-from)) //nolint:gosec // a block's
		for _, s := range samples {
			for _, v := range s[from:to] {
				b = binary.LittleEndian.AppendUint16(b, uint16(v)) //nolint:gosec // two's complement
			}
		}
		w.buf = b
		if err := w.block('S', b); err != nil {
			return err
		}
		w.at += int64(to - from)
	}
	return nil
}

func (w *sampleWriter) header() error {
	type place struct {
		Position int    `json:"position_mm"`
		Side     string `json:"side"`
	}
	h := struct {
		Boot   uint32    `json:"boot"`
		Rate   float64   `json:"rate_hz"`
		Begin  time.Time `json:"begin"`
		Strips []place   `json:"strips"`
	}{uint32(w.cfg.Seed) | 1, w.cfg.Rate, w.cfg.Begin, nil} //nolint:gosec // any number but 0 does
	for _, s := range w.strips {
		side := "left"
		if s.Right {
			side = "right"
		}
		h.Strips = append(h.Strips, place{int(math.Round((s.Position - lead) * 1000)), side})
	}
	b, err := json.Marshal(h)
	if err != nil {
		return err
	}
	w.headed = w.at + 1
	return w.block('H', b)
}

func (w *sampleWriter) block(kind byte, content []byte) error {
	b := append([]byte("AXS1"), kind, 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, w.number)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(content))) //nolint:gosec // some kilobytes
	b = append(b, content...)
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
	w.number++
	_, err := w.out.Write(b)
	return err
}

// SampleArray is what a site's configuration says of the strips that the samples are of: exact factors, as a perfect calibration would
// give them.
func SampleArray(cfg SamplesConfig) (factors, warmth []float64, rows []int, err error) {
	if err := cfg.validate(); err != nil {
		return nil, nil, nil, err
	}
	g, err := newSampler(&cfg)
	if err != nil {
		return nil, nil, nil, err
	}
	for _, s := range g.lane.Strips {
		factors, warmth = append(factors, 1/(s.Gain*s.Width*physics.Gravity)), append(warmth, s.Warmth)
		if !s.Right {
			rows = append(rows, int(math.Round((s.Position-lead)*1000)))
		}
	}
	return factors, warmth, rows, nil
}
