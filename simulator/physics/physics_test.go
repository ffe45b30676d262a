package physics

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"
)

func near(t *testing.T, what string, got, want, share float64) {
	t.Helper()
	if math.Abs(got-want) > share*math.Abs(want) {
		t.Errorf("%s is %g, want %g within %g", what, got, want, share)
	}
}

func TestARoadHasTheVarianceOfItsClass(t *testing.T) {
	for class, degree := range map[Roughness]float64{RoughnessA: 16e-6, RoughnessB: 64e-6, RoughnessC: 256e-6, RoughnessD: 1024e-6} {
		want := degree * reference * reference * (1/lowest - 1/highest) // the integral of the density
		sum, n := 0.0, 0
		for seed := range uint64(20) {
			road, err := NewRoad(class, rand.New(rand.NewPCG(seed, 1)))
			if err != nil {
				t.Fatal(err)
			}
			for x := 0.0; x < 500; x += 0.7 {
				sum += sq(road.Height(x))
				n++
			}
		}
		near(t, "variance of class "+string(class), sum/float64(n), want, 0.25)
	}
	if _, err := NewRoad('Z', rand.New(rand.NewPCG(1, 1))); err == nil {
		t.Error("there is no class Z")
	}
}

func TestAStandardAxleBouncesAndHopsAsItWasAskedTo(t *testing.T) {
	a := Standard(0, 9000, 1.8, 11, 0)
	sprung := a.Load - a.Unsprung
	// The undamped natural frequencies of two masses on two springs, from the characteristic equation.
	b := (a.Spring+a.Tyre)/a.Unsprung + a.Spring/sprung
	c := a.Spring * a.Tyre / (a.Unsprung * sprung)
	root := math.Sqrt(b*b - 4*c)
	near(t, "bounce in Hz", math.Sqrt((b-root)/2)/(2*math.Pi), 1.8, 0.08)
	near(t, "hop in Hz", math.Sqrt((b+root)/2)/(2*math.Pi), 11, 0.08)
}

func TestAVeryLongWaveLeavesTheForcesStatic(t *testing.T) {
	v := &Vehicle{Axles: []Axle{Standard(0, 6000, 2, 10, 0), Standard(3.8, 9000, 2.4, 11, 0)}}
	bodies := v.bodies()
	v.solve(&bodies[0], 2*math.Pi*0.01, 0.01/20, func(axle int, force complex128) {
		// A road that rises by 1 m in minutes: the truck rises with it, its force is its mass times that acceleration.
		if f := cmplx.Abs(force); f > 0.02*v.Axles[axle].Load*Gravity {
			t.Errorf("axle %d presses %g N more", axle, f)
		}
	})
	sum := 0.0
	for _, b := range bodies {
		sum += b.mass
	}
	near(t, "all masses", sum+v.Axles[0].Unsprung+v.Axles[1].Unsprung, v.Mass(), 1e-9)
}

func TestForcesAgreeWithAnIntegrationOfTheEquations(t *testing.T) {
	road, err := NewRoad(RoughnessB, rand.New(rand.NewPCG(3, 1)))
	if err != nil {
		t.Fatal(err)
	}
	v := &Vehicle{Axles: []Axle{Standard(0, 6500, 2, 10, 0), Standard(3.6, 8000, 2.5, 11, 0), Standard(4.9, 8000, 2.5, 11, 0)}}
	const speed, dt = 22.0, 1e-4
	r, b := v.Respond(road, speed), v.bodies()[0]
	var z, dz, th, dth float64
	var u, du [3]float64
	worst, size := 0.0, 0.0
	for step := range 120_000 { // semi-implicit Euler; the start-up dies away within some seconds
		at := float64(step) * dt
		fz, ft := 0.0, 0.0
		for i := range v.Axles {
			a := &v.Axles[i]
			susp := a.Spring*(z+b.arm[i]*th-u[i]) + a.Damping*(dz+b.arm[i]*dth-du[i])
			x := speed*at - a.Position
			tyre := -a.Tyre * (u[i] - road.Height(x))
			if at > 8 {
				f := r.Force(i, x)
				worst, size = math.Max(worst, math.Abs(f-tyre)), math.Max(size, math.Abs(f))
			}
			fz, ft = fz-susp, ft-b.arm[i]*susp
			du[i] += dt * (susp + tyre) / a.Unsprung
		}
		dz, dth = dz+dt*fz/b.mass, dth+dt*ft/b.inertia
		z, th = z+dt*dz, th+dt*dth
		for i := range u {
			u[i] += dt * du[i]
		}
	}
	if worst > 0.02*size {
		t.Errorf("the closed form is off by %g N of %g N", worst, size)
	}
}

func TestAreasOfPulsesAreForceTimesWidth(t *testing.T) {
	road, err := NewRoad(RoughnessA, rand.New(rand.NewPCG(5, 1)))
	if err != nil {
		t.Fatal(err)
	}
	for i := range components {
		road.a[i] = 0 // a level road
	}
	for _, speed := range []float64{1, 20, 38} {
		lane := &Lane{Road: road, Rate: 20000, Temperature: 20, Strips: []Strip{Quartz(10, false), Quartz(10, true)}}
		for i := range lane.Strips {
			lane.Strips[i].Noise, lane.Strips[i].Scatter, lane.Strips[i].Drift = 0, 0, 0
		}
		m, err := Drive(0, 9, speed)
		if err != nil {
			t.Fatal(err)
		}
		a := Standard(0, 8000, 2, 10, 0)
		a.Left = 0.55
		samples, truth, err := lane.Render(2.5, []Passage{{Vehicle: &Vehicle{Axles: []Axle{a}}, Motion: m, Left: 1, Right: 1}}, rand.New(rand.NewPCG(1, 1)))
		if err != nil {
			t.Fatal(err)
		}
		near(t, "gross", truth[0].Gross, 8000, 1e-9)
		for s, share := range []float64{0.55, 0.45} {
			area, base := 0.0, float64(samples[s][0])
			for _, v := range samples[s] {
				area += (float64(v) - base) / lane.Rate
			}
			near(t, "kilograms", area*speed/lane.Strips[s].Width/lane.Strips[s].Gain/Gravity, 8000*share, 0.01)
		}
	}
}

func TestMotionsMeetTheirPositions(t *testing.T) {
	for _, c := range []struct {
		name  string
		speed float64
		legs  []Leg
		x     float64
		there bool
	}{
		{"a constant speed", 20, nil, 100, true},
		{"braking", 20, []Leg{{3, -3}}, 40, true},
		{"braking to a stand before it", 10, []Leg{{60, -5}}, 30, false},
		{"stop and go", 5, []Leg{{10, -1}, {5, 0}, {5, 1}}, 14, true},
		{"from a stand", 0, []Leg{{10, 1}}, 30, true},
	} {
		m, err := Drive(0, 0, c.speed, c.legs...)
		if err != nil {
			t.Fatal(err)
		}
		at, ok := m.When(c.x)
		if ok != c.there {
			t.Errorf("%s: comes there: %v", c.name, ok)
			continue
		}
		if ok && math.Abs(m.Position(at)-c.x) > 1e-6 {
			t.Errorf("%s: at %g s it is at %g, want %g", c.name, at, m.Position(at), c.x)
		}
		last := -1.0
		for s := 0.0; s < 40; s += 0.01 {
			if p := m.Position(s); p < last-1e-9 {
				t.Fatalf("%s: it drives back at %g s", c.name, s)
			} else {
				last = p
			}
		}
	}
	if _, err := Drive(0, 0, -1); err == nil {
		t.Error("a speed below zero")
	}
}

func TestWhatCannotBeIsRefused(t *testing.T) {
	good := func() *Vehicle {
		return &Vehicle{Axles: []Axle{Standard(0, 6000, 2, 10, 0), Standard(4, 9000, 2, 10, 0)}}
	}
	if err := good().Validate(); err != nil {
		t.Fatal(err)
	}
	for name, edit := range map[string]func(*Vehicle){
		"no axles":              func(v *Vehicle) { v.Axles = nil },
		"an axle without load":  func(v *Vehicle) { v.Axles[0].Load = 0 },
		"two axles at a place":  func(v *Vehicle) { v.Axles[1].Position = 0 },
		"one side only":         func(v *Vehicle) { v.Axles[0].Left = 1 },
		"a body before another": func(v *Vehicle) { v.Axles[0].Body = 1 },
		"no tyre":               func(v *Vehicle) { v.Axles[0].Tyre = 0 },
	} {
		v := good()
		edit(v)
		if v.Validate() == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
