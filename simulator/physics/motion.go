package physics

import (
	"fmt"
	"math"
)

// Leg is a stretch of time at a constant acceleration.
type Leg struct {
	Seconds      float64
	Acceleration float64 // m/s², below 0 when braking
}

// Motion is how a vehicle drives: where its first axle is at any moment. It never drives back.
type Motion struct {
	legs []leg
}

type leg struct{ t, x, v, a, end float64 }

// Drive gives the motion of a vehicle whose first axle is at x (metres) at second t with a speed in m/s, and then drives the
// legs; behind the last it keeps its speed. A vehicle that has braked to a stand stands until a leg accelerates it.
func Drive(t, x, speed float64, legs ...Leg) (*Motion, error) {
	if speed < 0 || math.IsNaN(speed) || math.IsInf(speed, 0) {
		return nil, fmt.Errorf("a speed of %g m/s", speed)
	}
	m := &Motion{}
	add := func(a, seconds float64) {
		m.legs = append(m.legs, leg{t, x, speed, a, t + seconds})
		x += speed*seconds + a*seconds*seconds/2
		speed = math.Max(speed+a*seconds, 0)
		t += seconds
	}
	for _, l := range legs {
		if l.Seconds <= 0 {
			return nil, fmt.Errorf("a leg of %g seconds", l.Seconds)
		}
		if stand := -speed / l.Acceleration; l.Acceleration < 0 && stand < l.Seconds {
			if stand > 0 {
				add(l.Acceleration, stand)
			}
			speed = 0
			add(0, l.Seconds-math.Max(stand, 0))
			continue
		}
		add(l.Acceleration, l.Seconds)
	}
	add(0, math.Inf(1))
	return m, nil
}

// at is the leg of a moment.
func (m *Motion) at(t float64) *leg {
	for i := range m.legs {
		if t < m.legs[i].end {
			return &m.legs[i]
		}
	}
	return &m.legs[len(m.legs)-1]
}

// Position of the first axle at second t, in metres.
func (m *Motion) Position(t float64) float64 {
	l := m.at(t)
	d := t - l.t
	return l.x + l.v*d + l.a*d*d/2
}

// Speed at second t in m/s.
func (m *Motion) Speed(t float64) float64 {
	l := m.at(t)
	return l.v + l.a*(t-l.t)
}

// Acceleration at second t in m/s².
func (m *Motion) Acceleration(t float64) float64 { return m.at(t).a }

// When is the second at which the first axle comes to x; ok is false where it never does.
func (m *Motion) When(x float64) (t float64, ok bool) {
	for i := range m.legs {
		l := &m.legs[i]
		d := x - l.x
		if d < 0 && i > 0 {
			return l.t, true
		}
		var dt float64
		switch root := l.v*l.v + 2*l.a*d; {
		case l.a != 0 && root >= 0:
			dt = (math.Sqrt(root) - l.v) / l.a
		case l.a == 0 && l.v > 0:
			dt = d / l.v
		default:
			continue
		}
		if l.t+dt <= l.end {
			return l.t + dt, true
		}
	}
	return 0, false
}
