package bench

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/axlegate/axlegate/simulator/physics"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/signal"
)

// Every figure here is a simulated one: it says how estimators compare on the same samples, and nothing of any site.

const stripRate = 4000

// stripLane is a lane of quartz strips, rows metres apart, on a road drawn from seed, with what weighs on it: the estimator
// and, from the same samples, the plain mean.
func stripLane(b *testing.B, rows int, apart float64, class physics.Roughness, r *rand.Rand) (road *physics.Lane, best, mean *signal.Lane) {
	b.Helper()
	profile, err := physics.NewRoad(class, r)
	if err != nil {
		b.Fatal(err)
	}
	road = &physics.Lane{Road: profile, Rate: stripRate, Temperature: 20}
	c := signal.Config{Rate: stripRate, Threshold: 60, Boot: 1}
	for i := range rows {
		at := 20 + apart*float64(i)
		for _, right := range []bool{false, true} {
			s := physics.Quartz(at, right)
			road.Strips = append(road.Strips, s)
			c.Factors = append(c.Factors, 1/(s.Gain*s.Width*physics.Gravity))
		}
		c.Rows = append(c.Rows, signal.Row{Position: wim.Mm(math.Round(at * 1000)), Left: 2 * i, Right: 2*i + 1})
	}
	if best, err = signal.NewLane(c); err != nil {
		b.Fatal(err)
	}
	c.Prior = signal.Prior{Bounce: 1e-9, Hop: 1e-9, Scatter: 0.02} // rows that know nothing of each other: the plain mean
	if mean, err = signal.NewLane(c); err != nil {
		b.Fatal(err)
	}
	return road, best, mean
}

// fiveAxles is a loaded articulated truck with a suspension of its own.
func fiveAxles(r *rand.Rand) *physics.Vehicle {
	load := 5000 + 20000*r.Float64()
	bounce := func() float64 { return 1.5 + 1.3*r.Float64() }
	hop := func() float64 { return 9 + 4*r.Float64() }
	front, rear, trailer := bounce(), bounce(), bounce()
	wheels := hop()
	return &physics.Vehicle{Height: 1.8, Axles: []physics.Axle{
		physics.Standard(0, 6000+600*r.Float64(), front, hop(), 0), physics.Standard(3.5+0.4*r.Float64(), 5000+0.25*load, rear, hop(), 0),
		physics.Standard(9.2, 2100+0.25*load, trailer, wheels, 1), physics.Standard(10.51, 2100+0.25*load, trailer, wheels, 1),
		physics.Standard(11.82, 2100+0.25*load, trailer, wheels, 1),
	}}
}

// bound is the smallest standard deviation, in kg, that any unbiased estimate of a vehicle's gross can have which knows the
// vehicle's springs and the road's class: the Cramér–Rao bound of the simulated model, for rows at these distances.
func bound(v *physics.Vehicle, road *physics.Lane, speed float64, rows []float64) float64 {
	response, n, m := v.Respond(road.Road, speed).Through(v.Axles[0].Patch, road.Strips[0].Width), len(v.Axles), len(rows)
	size := n * m
	c := make([][]float64, size)
	for i := range c {
		c[i] = make([]float64, size+n)
		a, p := i/m, i%m
		for j := range size {
			c[i][j] = response.Covariance(a, j/m, rows[j%m]-rows[p]) / (physics.Gravity * physics.Gravity)
		}
		own := road.Strips[0].Scatter * v.Axles[a].Load
		c[i][i] += own*own/2 + 1 // both sides by themselves; a kilogram of noise keeps it regular
		c[i][size+a] = 1
	}
	for k := range size { // C·X = A by elimination
		pivot := k
		for i := k; i < size; i++ {
			if math.Abs(c[i][k]) > math.Abs(c[pivot][k]) {
				pivot = i
			}
		}
		c[k], c[pivot] = c[pivot], c[k]
		for i := range size {
			if i == k {
				continue
			}
			f := c[i][k] / c[k][k]
			for j := k; j < size+n; j++ {
				c[i][j] -= f * c[k][j]
			}
		}
	}
	g := make([][]float64, n) // the information of the loads, then its inverse against ones
	for a := range n {
		g[a] = make([]float64, n+1)
		for b := range n {
			for p := range m {
				k := a*m + p
				g[a][b] += c[k][size+b] / c[k][k]
			}
		}
		g[a][n] = 1
	}
	for k := range n {
		for i := range n {
			if i == k {
				continue
			}
			f := g[i][k] / g[k][k]
			for j := k; j <= n; j++ {
				g[i][j] -= f * g[k][j]
			}
		}
	}
	sum := 0.0
	for k := range n {
		sum += g[k][n] / g[k][k]
	}
	return math.Sqrt(sum)
}

// independent are the root mean squares in percent of the gross by the mean of 2, 4 and 8 rows at 80 km/h on a smooth road, after
// two Monte-Carlo runs of a model that keeps the axles' errors independent, with a swing of 5.7 %. Ours has bodies and one road
// for all axles, which correlates them, and swings as its road makes it: its figures are larger.
var independent = map[int]float64{2: 1.51, 4: 0.85, 8: 0.56}

// BenchmarkStripRows compares estimates of the gross on the same samples.
func BenchmarkStripRows(b *testing.B) {
	for _, road := range []struct {
		name    string
		class   physics.Roughness
		damping float64 // of the vehicles, as a share of a good one's
	}{{"class-A", physics.RoughnessA, 1}, {"class-B", physics.RoughnessB, 1}, {"class-A-worn-dampers", physics.RoughnessA, 0.3}} {
		for _, rows := range []int{2, 4, 8} {
			for _, kmh := range []float64{20, 50, 80, 110} {
				b.Run(fmt.Sprintf("%s/rows-%d/%g-kmh", road.name, rows, kmh), func(b *testing.B) {
					stripRows(b, road.class, rows, kmh, road.damping)
					if kmh == 80 && road.class == physics.RoughnessA && road.damping == 1 {
						b.ReportMetric(independent[rows], "gross-mean-of-independent-axles-%")
					}
				})
			}
		}
	}
}

func stripRows(b *testing.B, class physics.Roughness, rows int, kmh, damping float64) {
	b.Helper()
	var best, mean, axle, axleMean, crb, dynamic float64
	n := 0
	for b.Loop() {
		r := rand.New(rand.NewPCG(uint64(n), 3))
		road, e, m := stripLane(b, rows, 3, class, r)
		v := fiveAxles(r)
		for i := range v.Axles {
			v.Axles[i].Damping *= damping
		}
		speed := kmh / 3.6 * (0.95 + 0.1*r.Float64())
		drive, err := physics.Drive(0, 18, speed)
		if err != nil {
			b.Fatal(err)
		}
		samples, truth, err := road.Render((14+3*float64(rows))/speed+0.5, []physics.Passage{{Vehicle: v, Motion: drive, Left: 1, Right: 1}}, r)
		if err != nil {
			b.Fatal(err)
		}
		at := make([]float64, rows)
		for i := range at {
			at[i] = 3 * float64(i)
		}
		crb += sq(bound(v, road, speed, at) / truth[0].Gross)
		dynamic += truth[0].Dynamic
		for _, l := range []struct {
			lane        *signal.Lane
			gross, axle *float64
		}{{e, &best, &axle}, {m, &mean, &axleMean}} {
			out := l.lane.Close(l.lane.Process(samples, nil))
			if len(out) != 6 {
				b.Fatalf("%d readings", len(out))
			}
			*l.gross += sq(float64(out[5].Gross)/truth[0].Gross - 1)
			for k := range 5 {
				*l.axle += sq(float64(out[k].Axle.Load)/truth[0].Loads[k]-1) / 5
			}
		}
		n++
	}
	rms := func(s float64) float64 { return 100 * math.Sqrt(s/float64(n)) }
	b.ReportMetric(100*dynamic/float64(n), "swing-%")
	b.ReportMetric(rms(best), "gross-rms-%")
	b.ReportMetric(rms(mean), "gross-mean-rms-%")
	b.ReportMetric(rms(mean)/rms(best), "mean/estimate")
	b.ReportMetric(rms(axleMean)/rms(axle), "axle-mean/estimate")
	b.ReportMetric(rms(best)/rms(crb), "estimate/bound")
	b.ReportMetric(0, "ns/op")
}

func sq(x float64) float64 { return x * x }
