package simulator

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// RidesConfig says what drives past a scale that has no wire. The zero value of each field but Traffic means none.
type RidesConfig struct {
	Seed    uint64
	Traffic Traffic
	// Near is how many of a thousand are loaded to between 80 and 130 percent of the road's limit, evenly, so that there are many
	// where an accusation is decided. The others are loaded as Traffic says.
	Near wim.Permille
	// Bias is an error that all axles have alike, in permille: of the calibration, the temperature, the road. Sway is the standard
	// deviation of one that differs from vehicle to vehicle: the body that bounces.
	Bias, Sway wim.Permille
	// Manoeuvres is how many of a thousand do something that spoils the weighing: brake, stop on the scale, straddle the line to the
	// next lane, drive too fast, against the lane, or lose a message.
	Manoeuvres wim.Permille
}

func (c *RidesConfig) validate() error {
	s := Scenario{Site: "rides", Traffic: c.Traffic, Lanes: []Lane{{Lane: 1, Scale: "none"}}}
	if err := s.Validate(); err != nil {
		return err
	}
	c.Traffic = s.Traffic
	for _, p := range []wim.Permille{c.Near, c.Sway, c.Manoeuvres, max(c.Bias, -c.Bias)} {
		if p < 0 || p > 1000 {
			return fmt.Errorf("rides: a share or error of %d permille: want 0 to 1000", p)
		}
	}
	return nil
}

// Rides draws vehicles one after another, as fast as it is asked: what is true of each, and what its scale says. It is pure: the
// same configuration gives the same vehicles. One goroutine owns it.
type Rides struct {
	cfg   RidesConfig
	rand  *rand.Rand
	fleet []Vehicle
	seq   uint32
	now   time.Time
}

// Ride is one vehicle. Its slices are reused by the next.
type Ride struct {
	Truth    Truth
	Readings []wim.Reading
	Beside   []wim.Reading // axles that the scale on the neighbouring lane saw meanwhile
	Units    []wim.Unit    // as a perfect camera and table know them; none of a vehicle that is not registered
}

// NewRides draws the fleet.
func NewRides(c RidesConfig) (*Rides, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	if c.Traffic.Fleet < 1 {
		return nil, errors.New("rides: a fleet is needed")
	}
	return &Rides{cfg: c, rand: stream(c.Seed, 0), fleet: newFleet(stream(c.Seed, 1), &c.Traffic), now: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)}, nil
}

// manoeuvre is what a ride does beside rolling.
type manoeuvre int

const (
	rolls manoeuvre = iota
	brakes
	stops
	straddles
	speeds
	reverses
	loses
	manoeuvres = int(loses)
)

// Next fills in the next ride.
func (g *Rides) Next(to *Ride) {
	r := g.rand
	p := newPassage(r, g.fleet, &g.cfg.Traffic)
	if r.IntN(1000) < int(g.cfg.Near) {
		g.load(&p, 0.8+0.5*r.Float64())
	}
	g.err(&p)
	does := rolls
	if r.IntN(1000) < int(g.cfg.Manoeuvres) {
		does = manoeuvre(1 + r.IntN(manoeuvres))
	}
	if does == speeds {
		p.speed = wim.DeciKmh(1260 + r.IntN(400))
	}
	g.now = g.now.Add(6 * time.Second)
	v := p.vehicle
	t := Truth{Site: "rides", Lane: 1, Device: "scale-1", Boot: 1, FirstSeq: g.seq + 1, Start: g.now, Gross: p.gross, Indicated: p.total, Axles: p.axles, Speed: p.speed,
		Plates: Plates{Front: v.Front, Rear: v.Front}, Kind: v.Kind, Train: v.Train, Configuration: wim.Rigid, Known: v.Registered, Capacity: v.capacity}
	if v.Train {
		t.Plates.Rear, t.Configuration = v.Trailer, wim.Train
	}
	to.Units = append(to.Units[:0], unitOf(v.Front, &v.Licence, v.Registered))
	if v.Train {
		to.Units = append(to.Units, unitOf(v.Trailer, &v.TrailerPaper, v.Registered))
	}
	to.Truth, to.Readings, to.Beside = t, to.Readings[:0], to.Beside[:0]
	g.roll(to, &p, does)
	to.Truth.EndSeq = g.seq
	to.Truth.End = g.now
}

func unitOf(plate string, paper *wim.Registration, known bool) wim.Unit {
	u := wim.Unit{Plate: plate, Color: wim.Yellow, Confidence: 990, Kind: wim.Goods}
	if known {
		u.Registration = paper
	}
	return u
}

// load sets what a vehicle carries, so that its gross mass is a share of what the road lets it weigh.
func (g *Rides) load(p *passage, share float64) {
	v := p.vehicle
	var kerb wim.Kg
	for _, k := range v.kerb {
		kerb += k
	}
	limit := kerb + v.road
	cargo := max(0, float64(limit)*share-float64(kerb))
	p.gross = 0
	for i, k := range v.kerb {
		a := &p.axles[i]
		a.Load = k + wim.Kg(cargo*float64(v.cargo[i])/1000)
		a.Left, a.Right = split(g.rand, a.Load, 0.015)
		p.gross += a.Load
	}
}

// err has the scale weigh the axles: each errs by itself, all err by the body's sway and by the bias.
func (g *Rides) err(p *passage) {
	t := &g.cfg.Traffic
	common := 1 + float64(g.cfg.Bias)/1000 + clamp(g.rand.NormFloat64(), 3)*float64(g.cfg.Sway)/1000
	p.total = 0
	for i := range p.axles {
		w := &p.indicated[i]
		own := 1 + clamp(g.rand.NormFloat64(), 2.2)*float64(t.AxleError)/1000
		w.Load = round(wim.Kg(float64(p.axles[i].Load)*common*own), t.Division)
		w.Left, w.Right = split(g.rand, w.Load, 0.02)
		p.total += w.Load
	}
}

// brakeSpoils is the ratio of speeds from which braking must be flagged: a scale that weighs with the first axle's speed errs by it,
// beyond what class 5 of OIML R 134 allows.
const brakeSpoils = 1.05

// roll writes the messages of a ride.
func (g *Rides) roll(to *Ride, p *passage, does manoeuvre) {
	r := g.rand
	first := float64(p.speed) / 36 // m/s
	brake := 0.0
	lost := -1
	flags := wim.Flag(0)
	switch does {
	case brakes:
		brake = 0.5 + 3*r.Float64()
	case stops:
		flags = wim.StopAndGo
	case straddles:
		flags = wim.Straddling
	case speeds:
		flags = wim.SpeedOutOfRange
	case reverses:
		flags = wim.Reverse
		to.Readings = append(to.Readings, wim.Reading{Kind: wim.LoopOn, Loop: wim.ExitLoop, Arrival: wim.TimeOf(g.now)})
	case loses:
		lost = r.IntN(len(p.indicated) + 1)
		to.Truth.LostFrames = 1
	case rolls:
	}
	var behind, meters, total float64
	slowest := first
	for i, a := range p.indicated {
		meters += float64(a.Spacing) / 1000
		// A scale that weighs every axle with the speed of the first errs by their ratio.
		speed := math.Sqrt(max(first*first-2*brake*meters, 1))
		slowest = min(slowest, speed)
		took := float64(a.Spacing) / 1000 / speed
		if does == stops && i == 1 {
			took += 8 + 10*r.Float64()
		}
		behind += took
		g.now = g.now.Add(time.Duration(took * float64(time.Second)))
		if does == brakes {
			a.Load = wim.Kg(float64(a.Load) * first / speed)
			a.Left, a.Right = split(r, a.Load, 0.02)
		}
		if does == straddles {
			beside := wim.Reading{Kind: wim.AxleReading, Arrival: wim.TimeOf(g.now), Axle: wim.Axle{Right: a.Right}}
			a.Load, a.Right = a.Left, 0
			to.Beside = append(to.Beside, beside)
		}
		total += float64(a.Load)
		g.say(to, lost == i, wim.Reading{Kind: wim.AxleReading, Axle: wim.Axle{Index: uint8(i + 1), Load: a.Load, Left: a.Left, Right: a.Right, Speed: wim.DeciKmh(speed * 36), Spacing: a.Spacing}})
	}
	if first > slowest*brakeSpoils && (first-slowest)*36 > 20 {
		flags |= wim.Acceleration
	}
	to.Truth.Flags = flags
	to.Truth.Indicated = wim.Kg(total)
	g.now = g.now.Add(time.Duration(1.2 / slowest * float64(time.Second)))
	g.say(to, lost == len(p.indicated), wim.Reading{Kind: wim.VehicleEnd, Gross: wim.Kg(total), AxleCount: uint8(len(p.indicated)), Speed: p.speed, Length: p.length})
}

func (g *Rides) say(to *Ride, lost bool, r wim.Reading) {
	g.seq++
	if lost {
		return
	}
	r.Boot, r.Seq, r.Arrival = 1, g.seq, wim.TimeOf(g.now)
	to.Readings = append(to.Readings, r)
}
