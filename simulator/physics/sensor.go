package physics

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
)

// Strip is a sensor across one wheel track of a lane.
type Strip struct {
	Position float64 // along the road, m
	Right    bool    // under the right wheels, else the left ones
	Width    float64 // along the road, m: less than a tyre's contact
	Gain     float64 // counts per N on the strip, as it really is
	Noise    float64 // standard deviation of a sample, counts
	// Scatter is the standard deviation of what a strip makes of one wheel, as a share: where across it the wheel ran, and how
	// the tyre stood.
	Scatter float64
	// Drift is how fast the baseline wanders, counts per square root of a second.
	Drift float64
	// Warmth is by how much of its gain a strip reads more for each kelvin above 20 °C.
	Warmth float64
	Dead   bool // it gives its baseline only
}

// Quartz is a strip of quartz: stable, its gain hardly moves with temperature. The figures are ours.
func Quartz(position float64, right bool) Strip {
	return Strip{Position: position, Right: right, Width: 0.07, Gain: 0.25, Noise: 4, Scatter: 0.02, Drift: 2, Warmth: 0.0002}
}

// Polymer is a strip of piezo-electric polymer: cheap, and its gain moves by a share of a percent for each kelvin. The figures
// are ours, after published fits of some 30 % over a year's temperatures.
func Polymer(position float64, right bool) Strip {
	return Strip{Position: position, Right: right, Width: 0.02, Gain: 0.8, Noise: 12, Scatter: 0.05, Drift: 12, Warmth: 0.006}
}

// Lane is a road with its strips.
type Lane struct {
	Road        *Road
	Strips      []Strip
	Rate        float64 // samples a second and strip
	Temperature float64 // of the pavement, °C

	base []float64 // where each strip's baseline has wandered to, counts
}

// MaxStrips is the largest number of strips of a lane: sixteen rows, left and right.
const MaxStrips = 32

// Validate tells what cannot be.
func (l *Lane) Validate() error {
	if l.Road == nil || l.Rate < 100 || l.Rate > 1e6 {
		return fmt.Errorf("a lane needs a road and 100 to 1000000 samples a second, not %g", l.Rate)
	}
	if len(l.Strips) == 0 || len(l.Strips) > MaxStrips {
		return fmt.Errorf("a lane has 1 to %d strips, not %d", MaxStrips, len(l.Strips))
	}
	for i := range l.Strips {
		if l.Strips[i].Width <= 0 || l.Strips[i].Gain <= 0 {
			return fmt.Errorf("strip %d: width and gain must be positive", i)
		}
	}
	return nil
}

// Passage is one vehicle on its way over a lane.
type Passage struct {
	Vehicle *Vehicle
	Motion  *Motion
	// Left and Right are how much of the wheels' load of each side runs over its strips: 1 unless the vehicle straddles.
	Left, Right float64
	// Across, where not nil, is by how much more of either side's load runs over its strips where an axle is at x, as a factor: it weaves.
	Across func(x float64) (left, right float64)
	// Backwards says that it drives against the lane: Motion is then its way from the last strip to the first, and the vehicle's first
	// axle the one that comes first.
	Backwards bool
}

// Truth is what really happened, beside the samples.
type Truth struct {
	Gross   float64   // kg
	Loads   []float64 // static, of each axle on the road, kg
	Speed   float64   // at the first strip, m/s
	Dynamic float64   // standard deviation of the tyre forces over the static ones, mean of the axles, as a share
}

// errLong says that samples would not fit into memory.
var errLong = errors.New("more samples than anybody wants at once")

// Render gives the samples of every strip from second 0 on, planar: one slice a strip. It is deterministic by r. Called again it goes on
// where the baselines have wandered to, with vehicles of its own: nobody may be on the strips at either end.
func (l *Lane) Render(seconds float64, passages []Passage, r *rand.Rand) ([][]int16, []Truth, error) {
	if err := l.Validate(); err != nil {
		return nil, nil, err
	}
	n := int(seconds * l.Rate)
	if n <= 0 || n*len(l.Strips) > 1<<30 {
		return nil, nil, errLong
	}
	signal := make([][]float32, len(l.Strips))
	for i := range signal {
		signal[i] = make([]float32, n)
	}
	var truths []Truth
	for i := range passages {
		t, err := l.pass(&passages[i], signal, r)
		if err != nil {
			return nil, nil, fmt.Errorf("passage %d: %w", i, err)
		}
		truths = append(truths, t)
	}
	out := make([][]int16, len(l.Strips))
	for i := len(l.base); i < len(l.Strips); i++ {
		l.base = append(l.base, 200*r.NormFloat64())
	}
	for i := range l.Strips {
		out[i] = l.quantise(i, signal[i], r)
	}
	return out, truths, nil
}

// pass adds what one vehicle does to the strips.
func (l *Lane) pass(p *Passage, signal [][]float32, r *rand.Rand) (Truth, error) {
	if err := p.Vehicle.Validate(); err != nil {
		return Truth{}, err
	}
	truth := Truth{Gross: p.Vehicle.Mass()}
	middle, ok := p.Motion.When((l.Strips[0].Position + l.Strips[len(l.Strips)-1].Position + p.Vehicle.Length()) / 2)
	if !ok {
		middle = 0
	}
	if at, ok := p.Motion.When(l.Strips[0].Position); ok {
		truth.Speed = p.Motion.Speed(at)
	}
	response := p.Vehicle.Respond(l.Road, math.Max(p.Motion.Speed(middle), 0.3))
	alive := 0
	for i := range p.Vehicle.Axles {
		a := &p.Vehicle.Axles[i]
		if a.Lifted {
			continue
		}
		alive++
		truth.Loads = append(truth.Loads, a.Load)
		truth.Dynamic += response.Spread(i) / (a.Load * Gravity)
		for s := range l.Strips {
			l.press(p, response, i, s, signal[s], r)
		}
	}
	truth.Dynamic /= float64(max(alive, 1))
	return truth, nil
}

// press adds one wheel to one strip: while the contact lies over the strip, the share of the force that its overlap is of the
// contact's length. The area of that pulse over the way is force times width, whatever the tyre's length.
func (l *Lane) press(p *Passage, response *Response, axle, strip int, out []float32, r *rand.Rand) {
	st, a := &l.Strips[strip], &p.Vehicle.Axles[axle]
	scatter := 1 + st.Scatter*r.NormFloat64()
	share := a.Left * p.Left
	if st.Right {
		share = (1 - a.Left) * p.Right
	}
	if st.Dead || share <= 0 {
		return
	}
	half := (a.Patch + st.Width) / 2
	place := st.Position
	if p.Backwards {
		place = l.Strips[0].Position + l.Strips[len(l.Strips)-1].Position - st.Position
	}
	begin, ok := p.Motion.When(place + a.Position - half)
	if !ok {
		return
	}
	gain := st.Gain * scatter * (1 + st.Warmth*(l.Temperature-20))
	shift := l.shift(p, axle)
	for k := max(int(math.Ceil(begin*l.Rate)), 0); k < len(out); k++ {
		t := float64(k) / l.Rate
		x := p.Motion.Position(t) - a.Position // of this axle
		d := x - place
		if d > half {
			return
		}
		overlap := math.Min(st.Width/2, d+a.Patch/2) - math.Max(-st.Width/2, d-a.Patch/2)
		if overlap <= 0 {
			continue
		}
		side := share
		if p.Across != nil {
			left, right := p.Across(x)
			if st.Right {
				left = right
			}
			side *= left
		}
		force := a.Load*Gravity + response.Force(axle, x) - shift*p.Motion.Acceleration(t)
		out[k] += float32(math.Max(force, 0) * side * overlap / a.Patch * gain)
	}
}

// shift is how much force an axle gains for each m/s² of braking: the mass's height over the wheelbase, from the rear half of
// the axles to the front one.
func (l *Lane) shift(p *Passage, axle int) float64 {
	v := p.Vehicle
	if v.Height == 0 || v.Length() == 0 {
		return 0
	}
	front, rear := 0.0, 0.0
	for i := range v.Axles {
		if v.Axles[i].Position < v.Length()/2 {
			front += v.Axles[i].Load
		} else {
			rear += v.Axles[i].Load
		}
	}
	moved := v.Mass() * v.Height / v.Length()
	if v.Axles[axle].Position < v.Length()/2 {
		return moved * v.Axles[axle].Load / front
	}
	return -moved * v.Axles[axle].Load / rear
}

// quantise adds noise and a wandering baseline, and rounds to counts.
func (l *Lane) quantise(strip int, signal []float32, r *rand.Rand) []int16 {
	s, base := &l.Strips[strip], l.base[strip]
	out := make([]int16, len(signal))
	step := s.Drift / math.Sqrt(l.Rate)
	for i, v := range signal {
		base += step * r.NormFloat64()
		out[i] = int16(math.Max(math.MinInt16, math.Min(math.MaxInt16, math.Round(float64(v)+base+s.Noise*r.NormFloat64()))))
	}
	l.base[strip] = base
	return out
}
