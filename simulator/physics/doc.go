// Package physics is what a truck does to a strip sensor: a road's profile from a seed, vehicles that bounce and hop on
// it, tyres longer than the strip, and the strips' samples with their noise, drift and temperature, with the truth beside.
//
// Everything is linear, so the force under a tyre is a sum of sinusoids with closed-form amplitudes, known at any moment
// without integrating: rendering is event-driven and a vehicle costs the same however long the road before it. A body's
// bounce and pitch couple its axles, so the errors of a vehicle's axles are correlated, as they are on real roads.
//
// What it leaves out: roll, tyre rebound from the road, dry friction in leaf springs, and the hitch between a tractor and
// its trailer, which carries weight here and no motion. Every figure that comes out of it is a simulated one.
//
// Units are SI: metres, seconds, newtons, kilograms, radians. Samples are counts.
package physics

// Gravity is standard gravity in m/s² (ISO 80000-3), by which forces are masses here.
const Gravity = 9.80665
