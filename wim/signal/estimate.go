package signal

import "math"

// Most that a lane has.
const (
	MaxRows  = 16
	MaxAxles = 32 // as wim.MaxAxles
)

// Prior is what is known of trucks and of the road before any has passed: how much of its load an axle's force swings by, and
// how fast. The zero value takes the defaults.
type Prior struct {
	Bounce  float64 // standard deviation of the swing of bodies, as a share of the load; 0 means 0.06
	Hop     float64 // that of the wheels; 0 means 0.03
	Scatter float64 // what one row makes of one axle by itself; 0 means 0.02
}

// The frequencies that literature has for trucks, in Hz: bodies bounce and pitch at 1.5 to 4, wheels hop at 8 to 15.
var bounces = [...]float64{1.6, 2.0, 2.5, 3.1, 3.8} //nolint:gochecknoglobals // a table that is never written

const (
	hopLow, hopHigh = 8.0, 15.0
	// decay is within how many seconds a body forgets its phase: the road drives it anew.
	decay = 0.3
)

// levels are by how much a vehicle may swing more or less than the prior says.
var levels = [...]float64{0.5, 1, 2} //nolint:gochecknoglobals // a table that is never written

const models = len(bounces) * len(levels)

// Estimator weighs a vehicle from what several rows made of its axles.
//
// A row sees one moment of a swinging force. Of a swing with a known frequency the rows' lags tell much, so each candidate
// frequency and amplitude gives a generalised least-squares estimate: the best linear one under its covariance. How well a
// candidate explains all axles of the vehicle together is its weight (maximum likelihood, averaged over the candidates in
// Bayes' manner, so that two that explain it alike share). With one row, and with two, no estimate can do better than the
// mean: both rows know as much.
//
// It is not safe for concurrent use; nothing is allocated.
type Estimator struct {
	prior Prior

	c      [MaxRows][MaxRows]float64 // covariance, then its Cholesky factor
	ones   [MaxRows]float64          // L⁻¹·1
	y, u   [MaxRows]float64
	weigh  [models][MaxAxles]float64
	chance [models]float64
	spread [models]float64
}

// NewEstimator returns an estimator with a prior.
func NewEstimator(p Prior) *Estimator {
	fallback := func(v *float64, d float64) {
		if *v <= 0 {
			*v = d
		}
	}
	fallback(&p.Bounce, 0.06)
	fallback(&p.Hop, 0.03)
	fallback(&p.Scatter, 0.02)
	return &Estimator{prior: p}
}

// Weigh estimates the static loads of a vehicle. lags are the seconds from the first row to each for this vehicle; rows[k][r]
// is what row r made of axle k, NaN where it missed it. It writes the loads to out, one for each axle, NaN where every row
// missed it, and returns the standard deviation of an axle that all rows saw, as a share of its load.
func (e *Estimator) Weigh(lags []float64, rows [][MaxRows]float64, out []float64) (sigma float64) {
	n := min(len(lags), MaxRows)
	best := math.Inf(-1)
	for m := range models {
		e.chance[m] = e.model(m, lags[:n], rows)
		best = math.Max(best, e.chance[m])
	}
	total := 0.0
	for m := range models {
		e.chance[m] = math.Exp(e.chance[m] - best)
		total += e.chance[m]
	}
	for k := range out {
		out[k] = 0
	}
	for m := range models {
		p := e.chance[m] / total
		sigma += p * e.spread[m]
		for k := range out {
			out[k] += p * e.weigh[m][k]
		}
	}
	return sigma
}

// model works out the loads under one candidate and returns its log likelihood.
func (e *Estimator) model(m int, lags []float64, rows [][MaxRows]float64) float64 {
	f, level := bounces[m%len(bounces)], levels[m/len(bounces)]
	n := len(lags)
	logdet := e.factor(lags, f, level)
	e.forward(e.ones[:n], nil)
	information := 0.0
	for r := range n {
		information += e.ones[r] * e.ones[r]
	}
	e.spread[m] = math.Sqrt(1 / information)
	likelihood := 0.0
	for k := range rows {
		load, l, full := e.axle(n, &rows[k], information, logdet)
		if !full { // a row missed this axle: it has a covariance of its own
			load, l = e.partial(lags, f, level, &rows[k])
			e.factor(lags, f, level)
			e.forward(e.ones[:n], nil)
		}
		e.weigh[m][k] = load
		likelihood += l
	}
	return likelihood
}

// factor makes the covariance of the rows under one candidate and factors it; it returns half the logarithm of its determinant.
func (e *Estimator) factor(lags []float64, f, level float64) (logdet float64) {
	n := len(lags)
	body, hop, own := sq(e.prior.Bounce*level), sq(e.prior.Hop*level), sq(e.prior.Scatter)
	for i := range n {
		for j := range i + 1 {
			t := lags[i] - lags[j]
			v := body*math.Cos(2*math.Pi*f*t)*math.Exp(-math.Abs(t)/decay) + hop*band(t)
			if i == j {
				v += own
			}
			for k := range j {
				v -= e.c[i][k] * e.c[j][k]
			}
			if i == j {
				e.c[i][i] = math.Sqrt(math.Max(v, 1e-12))
				logdet += math.Log(e.c[i][i])
			} else {
				e.c[i][j] = v / e.c[j][j]
			}
		}
	}
	return logdet
}

// band is the correlation at a lag of t seconds of what swings anywhere between the hop frequencies.
func band(t float64) float64 {
	if t == 0 {
		return 1
	}
	return (math.Sin(2*math.Pi*hopHigh*t) - math.Sin(2*math.Pi*hopLow*t)) / (2 * math.Pi * (hopHigh - hopLow) * t)
}

// forward solves L·x = b in place of x; b nil means ones.
func (e *Estimator) forward(x, b []float64) {
	for i := range x {
		v := 1.0
		if b != nil {
			v = b[i]
		}
		for k := range i {
			v -= e.c[i][k] * x[k]
		}
		x[i] = v / e.c[i][i]
	}
}

// axle weighs one axle that all rows saw; full is false where one did not.
func (e *Estimator) axle(n int, w *[MaxRows]float64, information, logdet float64) (load, likelihood float64, full bool) {
	mean := 0.0
	for r := range n {
		if math.IsNaN(w[r]) {
			return 0, 0, false
		}
		mean += w[r] / float64(n)
	}
	if mean <= 0 {
		return mean, 0, true
	}
	for r := range n {
		e.y[r] = w[r] / mean
	}
	e.forward(e.u[:n], e.y[:n])
	product, square := 0.0, 0.0
	for r := range n {
		product += e.u[r] * e.ones[r]
		square += e.u[r] * e.u[r]
	}
	share := product / information
	return mean * share, -logdet - math.Log(information)/2 - (square-product*share)/2, true
}

// partial weighs an axle that some rows missed, by those that did not.
func (e *Estimator) partial(lags []float64, f, level float64, w *[MaxRows]float64) (load, likelihood float64) {
	var lag, seen [MaxRows]float64
	n := 0
	for r := range lags {
		if !math.IsNaN(w[r]) {
			lag[n], seen[n] = lags[r], w[r]
			n++
		}
	}
	if n == 0 {
		return math.NaN(), 0
	}
	logdet := e.factor(lag[:n], f, level)
	e.forward(e.ones[:n], nil)
	information := 0.0
	for r := range n {
		information += sq(e.ones[r])
	}
	load, likelihood, _ = e.axle(n, &seen, information, logdet)
	return load, likelihood
}

func sq(x float64) float64 { return x * x }
