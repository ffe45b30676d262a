package physics

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Roughness is a road's roughness class of ISO 8608.
type Roughness byte

// The classes: A is a new motorway, B a good road, C one with patches.
const (
	RoughnessA Roughness = 'A'
	RoughnessB Roughness = 'B'
	RoughnessC Roughness = 'C'
	RoughnessD Roughness = 'D'
)

// reference is the spatial frequency n₀ in cycles/m at which ISO 8608 gives a class's degree of roughness.
const reference = 0.1

// Degree is the geometric mean of the class's displacement spectral density Gd(n₀) in m³, ISO 8608 table C.1.
func (r Roughness) Degree() (float64, error) {
	switch r {
	case RoughnessA:
		return 16e-6, nil
	case RoughnessB:
		return 64e-6, nil
	case RoughnessC:
		return 256e-6, nil
	case RoughnessD:
		return 1024e-6, nil
	}
	return 0, fmt.Errorf("roughness %q: want A, B, C or D", string(r))
}

// What of the spectrum a truck feels: 0.3 to 25 Hz at 5 to 40 m/s lies between.
const (
	lowest  = 0.011 // cycles/m
	highest = 3.0
)

// components is how many sinusoids a profile is made of. None is a multiple of another.
const components = 96

// Road is a profile along one wheel track: a sum of sinusoids whose spectral density falls with the square of the spatial
// frequency, as ISO 8608 has it, and whose phases are drawn.
type Road struct {
	n     [components]float64 // cycles/m
	a     [components]float64 // m
	phase [components]float64 // rad
}

// NewRoad draws a profile of a class.
func NewRoad(class Roughness, r *rand.Rand) (*Road, error) {
	degree, err := class.Degree()
	if err != nil {
		return nil, err
	}
	road := &Road{}
	step := math.Pow(highest/lowest, 1.0/components)
	for i := range components {
		low := lowest * math.Pow(step, float64(i))
		high := low * step
		road.n[i] = low + (high-low)*r.Float64()
		// The variance of the band: the integral of Gd(n₀)·(n/n₀)⁻².
		road.a[i] = math.Sqrt(2 * degree * reference * reference * (1/low - 1/high))
		road.phase[i] = 2 * math.Pi * r.Float64()
	}
	return road, nil
}

// Height is the profile in metres at x.
func (r *Road) Height(x float64) float64 {
	h := 0.0
	for i := range components {
		h += r.a[i] * math.Cos(2*math.Pi*r.n[i]*x+r.phase[i])
	}
	return h
}
