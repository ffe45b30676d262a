package physics

import (
	"math"
	"math/cmplx"
)

// Response is how a vehicle's tyres press on a road at one speed: for every axle the amplitudes of the force's sinusoids,
// as the steady state of the linear equations of motion has them.
type Response struct {
	road  *Road
	axles [MaxAxles][components]complex128 // N, at the phase of the road under that axle
}

// body gathers the axles that carry one rigid body.
type body struct {
	axles   []int
	mass    float64   // kg
	inertia float64   // kg·m², about its centre
	arm     []float64 // of each axle behind the centre, m
}

// bodies works out mass, centre and inertia from what rests on the axles.
func (v *Vehicle) bodies() []body {
	var out []body
	for i := range v.Axles {
		a := &v.Axles[i]
		if a.Lifted {
			continue
		}
		if len(out) == 0 || v.Axles[out[len(out)-1].axles[0]].Body != a.Body {
			out = append(out, body{})
		}
		b := &out[len(out)-1]
		b.axles = append(b.axles, i)
		b.mass += a.Load - a.Unsprung
	}
	for k := range out {
		b := &out[k]
		centre, first := 0.0, v.Axles[b.axles[0]].Position
		for _, i := range b.axles {
			centre += (v.Axles[i].Load - v.Axles[i].Unsprung) * (v.Axles[i].Position - first)
		}
		centre = first + centre/b.mass
		for _, i := range b.axles {
			b.arm = append(b.arm, v.Axles[i].Position-centre)
		}
		span := b.arm[len(b.arm)-1] - b.arm[0]
		b.inertia = b.mass * sq(math.Max(0.35*span, 1.2)) // radius of gyration of a loaded truck
	}
	return out
}

// Respond works out how v presses on a road at a speed in m/s.
//
// For a body with bounce z and pitch θ on axles i with arms d, wheels u, road h (all up, about equilibrium):
//
//	M z̈ = −Σ sᵢ(z + dᵢθ − uᵢ),  J θ̈ = −Σ dᵢ sᵢ(z + dᵢθ − uᵢ),  mᵢ üᵢ = sᵢ(z + dᵢθ − uᵢ) − tᵢ(uᵢ − hᵢ)
//
// with s = spring + damping·d/dt and t the tyre. The force on the road above the static one is −t(u − h).
func (v *Vehicle) Respond(road *Road, speed float64) *Response {
	r := &Response{road: road}
	bodies := v.bodies()
	for k := range components {
		omega := 2 * math.Pi * road.n[k] * speed
		for b := range bodies {
			v.solve(&bodies[b], omega, road.n[k], func(axle int, force complex128) {
				r.axles[axle][k] = force * complex(road.a[k], 0)
			})
		}
	}
	return r
}

// solve finds the forces of one body's axles under a road of amplitude 1 at a frequency. The wheels are eliminated: each is
// driven by its road and by the body, which leaves two unknowns whatever the number of axles.
func (v *Vehicle) solve(b *body, omega, n float64, emit func(axle int, force complex128)) {
	j := complex(0, 1)
	w2 := complex(omega*omega, 0)
	a11, a12, a22 := -w2*complex(b.mass, 0), complex128(0), -w2*complex(b.inertia, 0)
	var b1, b2 complex128
	type wheel struct{ susp, tyre, denominator, road complex128 }
	var wheels [MaxAxles]wheel
	for k, i := range b.axles {
		a := &v.Axles[i]
		s := complex(a.Spring, 0) + j*complex(omega*a.Damping, 0)
		t := complex(a.Tyre, 0)
		w := wheel{susp: s, tyre: t, denominator: s + t - w2*complex(a.Unsprung, 0)}
		// The road under this axle lags the first one's by its position.
		w.road = cmplx.Exp(-j * complex(2*math.Pi*n*a.Position, 0))
		wheels[k] = w
		// u = (s·(z + dθ) + t·h) / D, so the spring's force on the body is −s(z + dθ) + s·u.
		rest := s - s*s/w.denominator
		d := complex(b.arm[k], 0)
		a11, a12, a22 = a11+rest, a12+rest*d, a22+rest*d*d
		push := s * t * w.road / w.denominator
		b1, b2 = b1+push, b2+push*d
	}
	det := a11*a22 - a12*a12
	z, theta := (b1*a22-b2*a12)/det, (b2*a11-b1*a12)/det
	if len(b.axles) == 1 { // nothing holds the pitch of a body on one axle
		z, theta = b1/a11, 0
	}
	for k, i := range b.axles {
		w := &wheels[k]
		u := (w.susp*(z+complex(b.arm[k], 0)*theta) + w.tyre*w.road) / w.denominator
		// The amplitude is told at the phase of the road under this axle, where the axle then is.
		emit(i, -w.tyre*(u-w.road)/w.road)
	}
}

// Force is the force of an axle on the road in N above its static one, while it stands at x on the road.
func (r *Response) Force(axle int, x float64) float64 {
	f := 0.0
	for k := range components {
		c := r.axles[axle][k]
		sin, cos := math.Sincos(2*math.Pi*r.road.n[k]*x + r.road.phase[k])
		f += real(c)*cos - imag(c)*sin
	}
	return f
}

// Spread is the standard deviation of an axle's force in N over all of the road.
func (r *Response) Spread(axle int) float64 {
	s := 0.0
	for k := range components {
		c := r.axles[axle][k]
		s += (sq(real(c)) + sq(imag(c))) / 2
	}
	return math.Sqrt(s)
}

// Covariance is that of two axles' forces in N² where axle a stands at x and axle b is at x+d at some other moment, over all
// of the road: what the best of all estimators could know of a vehicle's motion.
func (r *Response) Covariance(a, b int, d float64) float64 {
	s := 0.0
	for k := range components {
		p := r.axles[b][k] * cmplx.Conj(r.axles[a][k])
		sin, cos := math.Sincos(2 * math.Pi * r.road.n[k] * d)
		s += (real(p)*cos - imag(p)*sin) / 2
	}
	return s
}

// Through is the response as a strip sees it: a pulse's area is the mean of the force over the way on which the contact lies on
// the strip, so short waves are seen weaker.
func (r *Response) Through(patch, width float64) *Response {
	out := *r
	sinc := func(x float64) float64 {
		if x == 0 {
			return 1
		}
		return math.Sin(math.Pi*x) / (math.Pi * x)
	}
	for k := range components {
		seen := complex(sinc(r.road.n[k]*patch)*sinc(r.road.n[k]*width), 0)
		for a := range out.axles {
			out.axles[a][k] *= seen
		}
	}
	return &out
}
