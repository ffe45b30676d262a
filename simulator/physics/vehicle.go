package physics

import (
	"errors"
	"fmt"
	"math"
)

// Most of what a vehicle may have.
const (
	MaxAxles  = 16
	maxBodies = 4
)

// Axle is one axle with its two wheels, standing on level ground.
type Axle struct {
	Position float64 // behind the first axle
	Load     float64 // its static load as mass in kg: the truth
	Left     float64 // share of it under the left wheels, 0.5 for an even one
	Body     int     // which body rests on it
	Unsprung float64 // kg
	Spring   float64 // of the suspension, N/m
	Damping  float64 // of the suspension, N·s/m
	Tyre     float64 // stiffness of its tyres together, N/m
	Patch    float64 // length of a tyre's contact, m
	Dual     bool
	Lifted   bool // it does not touch the road and weighs nothing on it
}

// Vehicle is a train of rigid bodies on axles.
type Vehicle struct {
	Axles []Axle
	// Height of the mass above the road, for what braking shifts forward; 0 shifts nothing.
	Height float64
}

// Standard gives an axle the suspension of a common truck for its load: a body on it that bounces at bounce Hz, wheels that
// hop at hop Hz, and a quarter of critical damping. Literature has bounce at 1.5 to 4 Hz and hop at 8 to 15 Hz.
func Standard(position, load, bounce, hop float64, body int) Axle {
	a := Axle{Position: position, Load: load, Left: 0.5, Body: body, Patch: 0.22}
	a.Unsprung = math.Min(0.35*load, 600+0.05*load)
	sprung := load - a.Unsprung
	// Of two springs in a row the body feels their series, the wheel both in parallel.
	series, both := sprung*sq(2*math.Pi*bounce), a.Unsprung*sq(2*math.Pi*hop)
	// s·t/(s+t) = series and s+t = both: the softer root is the suspension.
	root := math.Sqrt(math.Max(both*both-4*both*series, 0))
	a.Spring, a.Tyre = (both-root)/2, (both+root)/2
	a.Damping = 2 * 0.25 * math.Sqrt(a.Spring*sprung)
	return a
}

func sq(x float64) float64 { return x * x }

// Mass is the vehicle's in kg: the truth of its gross.
func (v *Vehicle) Mass() float64 {
	m := 0.0
	for i := range v.Axles {
		if !v.Axles[i].Lifted {
			m += v.Axles[i].Load
		}
	}
	return m
}

// Length is the distance of the last axle from the first.
func (v *Vehicle) Length() float64 {
	if len(v.Axles) == 0 {
		return 0
	}
	return v.Axles[len(v.Axles)-1].Position
}

// Validate tells what cannot be.
func (v *Vehicle) Validate() error {
	if len(v.Axles) == 0 || len(v.Axles) > MaxAxles {
		return fmt.Errorf("a vehicle has 1 to %d axles, not %d", MaxAxles, len(v.Axles))
	}
	for i := range v.Axles {
		a := &v.Axles[i]
		switch {
		case a.Load <= 0 || a.Unsprung <= 0 || a.Unsprung >= a.Load:
			return fmt.Errorf("axle %d: loads of %g kg, of it unsprung %g kg", i+1, a.Load, a.Unsprung)
		case a.Spring <= 0 || a.Tyre <= 0 || a.Damping <= 0 || a.Patch <= 0:
			return fmt.Errorf("axle %d: springs, damping and tyres must be positive", i+1)
		case a.Left <= 0 || a.Left >= 1:
			return fmt.Errorf("axle %d: a share of %g under the left wheels", i+1, a.Left)
		case a.Body < 0 || a.Body >= maxBodies || i > 0 && a.Body < v.Axles[i-1].Body:
			return errors.New("bodies are numbered from 0, front to rear")
		case i > 0 && a.Position <= v.Axles[i-1].Position:
			return fmt.Errorf("axle %d does not stand behind the one before", i+1)
		}
	}
	return nil
}
