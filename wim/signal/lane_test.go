package signal

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/axlegate/axlegate/simulator/physics"
	"github.com/axlegate/axlegate/wim"
)

// site is a lane of the simulator and the lane that weighs on it.
type site struct {
	testing.TB

	road *physics.Lane
	lane *Lane
	rand *rand.Rand
}

const rate = 8000

func newSite(tb testing.TB, rows int, class physics.Roughness, seed uint64) *site {
	tb.Helper()
	r := rand.New(rand.NewPCG(seed, 7))
	road, err := physics.NewRoad(class, r)
	if err != nil {
		tb.Fatal(err)
	}
	s := &site{TB: tb, rand: r, road: &physics.Lane{Road: road, Rate: rate, Temperature: 20}}
	c := Config{Rate: rate, Threshold: 60, Boot: 1}
	for i := range rows {
		at := 30 + 3*float64(i)
		for _, right := range []bool{false, true} {
			strip := physics.Quartz(at, right)
			s.road.Strips = append(s.road.Strips, strip)
			c.Factors = append(c.Factors, 1/(strip.Gain*strip.Width*physics.Gravity))
		}
		c.Rows = append(c.Rows, Row{Position: wim.Mm(at * 1000), Left: 2 * i, Right: 2*i + 1})
	}
	if s.lane, err = NewLane(c); err != nil {
		tb.Fatal(err)
	}
	return s
}

// semi is a five-axle articulated truck: two bodies.
func semi(load float64) *physics.Vehicle {
	return &physics.Vehicle{Height: 1.8, Axles: []physics.Axle{
		physics.Standard(0, 6200, 1.9, 10.5, 0), physics.Standard(3.7, 5000+0.25*load, 1.8, 10, 0),
		physics.Standard(9.2, 2100+0.25*load, 2.2, 11, 1), physics.Standard(10.51, 2100+0.25*load, 2.2, 11, 1), physics.Standard(11.82, 2100+0.25*load, 2.2, 11, 1),
	}}
}

// weigh lets vehicles drive and returns the readings.
func (s *site) weigh(seconds float64, p ...physics.Passage) ([]wim.Reading, []physics.Truth) {
	s.Helper()
	samples, truth, err := s.road.Render(seconds, p, s.rand)
	if err != nil {
		s.Fatal(err)
	}
	var out []wim.Reading
	part := make([][]int16, len(samples))
	for at := 0; at < len(samples[0]); { // as they come in from a converter: never in whole chunks
		n := min(1+s.rand.IntN(3000), len(samples[0])-at)
		for i := range samples {
			part[i] = samples[i][at : at+n]
		}
		out = s.lane.Process(part, out)
		at += n
	}
	return out, truth
}

func (s *site) drives(v *physics.Vehicle, t, speed float64, legs ...physics.Leg) physics.Passage {
	s.Helper()
	m, err := physics.Drive(t, 0, speed, legs...)
	if err != nil {
		s.Fatal(err)
	}
	return physics.Passage{Vehicle: v, Motion: m, Left: 1, Right: 1}
}

// split tells axles and ends apart.
func split(readings []wim.Reading) (axles, ends []wim.Reading) {
	for _, r := range readings {
		if r.Kind == wim.VehicleEnd {
			ends = append(ends, r)
		} else {
			axles = append(axles, r)
		}
	}
	return axles, ends
}

func TestATruckIsWeighedAtEverySpeed(t *testing.T) {
	for _, kmh := range []float64{3, 20, 60, 80, 110, 140} {
		s := newSite(t, 4, physics.RoughnessA, 11)
		v := kmh / 3.6
		out, truth := s.weigh(60/v+8+26/v, s.drives(semi(20000), 0, v))
		axles, ends := split(out)
		if len(axles) != 5 || len(ends) != 1 {
			t.Errorf("%g km/h: %d axles and %d ends", kmh, len(axles), len(ends))
			continue
		}
		if got, want := float64(ends[0].Gross), truth[0].Gross; math.Abs(got-want) > 0.06*want {
			t.Errorf("%g km/h: gross %g, true %g", kmh, got, want)
		}
		if got := float64(ends[0].Speed) / 10; math.Abs(got-kmh) > 0.02*kmh+0.1 {
			t.Errorf("%g km/h: speed %g", kmh, got)
		}
		for i, want := range []wim.Mm{0, 3700, 5500, 1310, 1310} {
			if got := axles[i].Axle.Spacing; math.Abs(float64(got-want)) > 40 {
				t.Errorf("%g km/h: spacing %d is %d, want %d", kmh, i, got, want)
			}
		}
		for _, a := range axles {
			if a.Axle.Left+a.Axle.Right != a.Axle.Load || a.Axle.Flags != 0 {
				t.Errorf("%g km/h: axle %+v", kmh, a.Axle)
			}
		}
	}
}

func TestReadingsAreNumberedWithoutAHole(t *testing.T) {
	s := newSite(t, 3, physics.RoughnessB, 5)
	out, _ := s.weigh(30, s.drives(semi(3000), 0, 22), s.drives(semi(25000), 6, 24), s.drives(semi(9000), 12, 20))
	_, ends := split(out)
	if len(ends) != 3 || len(out) != 18 {
		t.Fatalf("%d readings, %d vehicles", len(out), len(ends))
	}
	for i, r := range out {
		if r.Seq != uint32(i+1) || r.Boot != 1 {
			t.Errorf("reading %d has number %d of boot %d", i, r.Seq, r.Boot)
		}
	}
}

func TestBrakingDoesNotTakeFromTheRearAxles(t *testing.T) {
	s := newSite(t, 4, physics.RoughnessA, 3)
	m, err := physics.Drive(0, 0, 22)
	if err != nil {
		t.Fatal(err)
	}
	before, ok := m.When(29)
	if !ok {
		t.Fatal("it never comes")
	}
	out, truth := s.weigh(14, s.drives(semi(20000), 0, 22, physics.Leg{Seconds: before, Acceleration: 0}, physics.Leg{Seconds: 2.2, Acceleration: -3}))
	axles, ends := split(out)
	if len(ends) != 1 || len(axles) != 5 {
		t.Fatalf("%d axles, %d ends", len(axles), len(ends))
	}
	if first, last := axles[0].Axle.Speed, axles[4].Axle.Speed; last >= first-30 {
		t.Errorf("it braked from %d to %d dkm/h and speed is taken once for all", first, last)
	}
	if got, want := float64(ends[0].Gross), truth[0].Gross; math.Abs(got-want) > 0.06*want {
		t.Errorf("gross %g, true %g", got, want)
	}
}

func TestAStripThatIsDeadCostsItsRowOnly(t *testing.T) {
	s := newSite(t, 4, physics.RoughnessA, 9)
	s.road.Strips[3].Dead = true
	out, truth := s.weigh(9, s.drives(semi(20000), 0, 22))
	axles, ends := split(out)
	if len(axles) != 5 || len(ends) != 1 {
		t.Fatalf("%d axles, %d ends", len(axles), len(ends))
	}
	if got, want := float64(ends[0].Gross), truth[0].Gross; math.Abs(got-want) > 0.06*want {
		t.Errorf("gross %g, true %g", got, want)
	}
}

// pulseAt puts a pulse of its own into samples: something small that is no wheel.
func pulseAt(s []int16, at, length, height int) {
	for i := range length {
		s[at+i] += int16(float64(height) * math.Sin(math.Pi*float64(i)/float64(length)))
	}
}

func TestGhostsAndMissedAxlesOfOneStripDoNotCount(t *testing.T) {
	s := newSite(t, 4, physics.RoughnessA, 13)
	samples, truth, err := s.road.Render(9, []physics.Passage{s.drives(semi(20000), 0, 22)}, s.rand)
	if err != nil {
		t.Fatal(err)
	}
	// A ghost on one strip between the axles, and one axle that another did not feel.
	pulseAt(samples[2], int(1.62*rate), 60, 900)
	flat := samples[5]
	d := NewDetector(60, 20*rate)
	p := d.Process(flat, nil)
	if len(p) != 5 {
		t.Fatalf("%d pulses on a strip", len(p))
	}
	for i := p[1].Start; i < p[1].End(); i++ {
		flat[i] = flat[p[1].Start-1]
	}
	out := s.lane.Process(samples, nil)
	axles, ends := split(out)
	if len(axles) != 5 || len(ends) != 1 {
		t.Fatalf("%d axles, %d ends", len(axles), len(ends))
	}
	if got, want := float64(ends[0].Gross), truth[0].Gross; math.Abs(got-want) > 0.06*want {
		t.Errorf("gross %g, true %g", got, want)
	}
	if ends[0].Flags != 0 {
		t.Errorf("flags %v", ends[0].Flags.Names())
	}
}

func TestWarmStripsAreCorrected(t *testing.T) {
	gross := func(correct bool) float64 {
		s := newSite(t, 2, physics.RoughnessA, 17)
		s.road.Temperature = 45
		for i := range s.road.Strips {
			s.road.Strips[i].Warmth, s.road.Strips[i].Scatter = 0.006, 0
		}
		if correct {
			s.lane.cfg.Warmth = []float64{0.006, 0.006, 0.006, 0.006}
			s.lane.SetTemperature(45)
		}
		out, truth := s.weigh(9, s.drives(semi(20000), 0, 22))
		_, ends := split(out)
		if len(ends) != 1 {
			t.Fatalf("%d vehicles", len(ends))
		}
		return float64(ends[0].Gross) / truth[0].Gross
	}
	if plain, corrected := gross(false), gross(true); math.Abs(plain/corrected-1.15) > 0.002 {
		t.Errorf("15 %% more is %g times", plain/corrected)
	}
}

func TestNothingIsAllocatedWhileVehiclesPass(t *testing.T) {
	s := newSite(t, 4, physics.RoughnessB, 21)
	samples, _, err := s.road.Render(9, []physics.Passage{s.drives(semi(20000), 0, 22)}, s.rand)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]wim.Reading, 0, 64)
	if n := testing.AllocsPerRun(5, func() { out = s.lane.Process(samples, out[:0]) }); n != 0 {
		t.Errorf("%g allocations a passage", n)
	}
	if len(out) != 6 {
		t.Errorf("%d readings", len(out))
	}
}

func TestPropertyHoweverSamplesAreCutThePulsesAreTheSame(t *testing.T) {
	s := newSite(t, 2, physics.RoughnessB, 23)
	samples, _, err := s.road.Render(9, []physics.Passage{s.drives(semi(20000), 0, 22)}, s.rand)
	if err != nil {
		t.Fatal(err)
	}
	want := NewDetector(60, 20*rate).Process(samples[0], nil)
	if len(want) != 5 {
		t.Fatalf("%d pulses", len(want))
	}
	rapid.Check(t, func(t *rapid.T) {
		d := NewDetector(60, 20*rate)
		var got []Pulse
		for rest := samples[0]; len(rest) > 0; {
			n := min(rapid.IntRange(1, 9000).Draw(t, "n"), len(rest))
			got = d.Process(rest[:n], got)
			rest = rest[n:]
		}
		if len(got) != len(want) {
			t.Fatalf("%d pulses, want %d", len(got), len(want))
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("pulse %d is %+v, want %+v", i, got[i], want[i])
			}
		}
	})
}

func TestSomethingThatLiesOnAStripBecomesItsBaseline(t *testing.T) {
	d := NewDetector(60, 4000)
	s := make([]int16, 40000)
	for i := 8000; i < len(s); i++ {
		s[i] = 500
	}
	if p := d.Process(s, nil); len(p) != 0 || d.Stuck != 1 {
		t.Errorf("%d pulses, stuck %d", len(p), d.Stuck)
	}
	pulseAt(s[:2000], 100, 200, 900)
	for i := range 2000 {
		s[i] += 500
	}
	if p := d.Process(s[:2000], nil); len(p) != 1 {
		t.Errorf("%d pulses above the new baseline", len(p))
	}
}

func FuzzLane(f *testing.F) {
	f.Add([]byte("\x00\x10\x7f\xff"), uint16(3))
	f.Fuzz(func(t *testing.T, b []byte, step uint16) {
		s := newSite(t, 2, physics.RoughnessA, 1)
		block := make([][]int16, 4)
		var out []wim.Reading
		for range 40 {
			for i := range block {
				block[i] = block[i][:0]
				for k := range 64 + int(step)%512 {
					v := int16(0)
					if len(b) > 0 {
						v = int16(b[(k*(i+1))%len(b)]) << (k % 8)
					}
					block[i] = append(block[i], v)
				}
			}
			out = s.lane.Process(block, out)
		}
		out = s.lane.Close(out)
		open, gross := uint8(0), wim.Kg(0)
		for i, r := range out {
			if r.Seq != uint32(i+1) {
				t.Fatalf("reading %d has number %d", i, r.Seq)
			}
			if r.Kind == wim.AxleReading {
				if open++; r.Axle.Index != open || r.Axle.Load < 0 || r.Axle.Spacing < 0 {
					t.Fatalf("axle %+v", r.Axle)
				}
				gross += r.Axle.Load
				continue
			}
			if r.AxleCount != open || r.Gross != gross {
				t.Fatalf("end %+v after %d axles of %d kg", r, open, gross)
			}
			open, gross = 0, 0
		}
	})
}
