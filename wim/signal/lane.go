package signal

import (
	"errors"
	"fmt"
	"math"

	"github.com/axlegate/axlegate/wim"
)

// Row is one line of strips across a lane.
type Row struct {
	Position wim.Mm // along the lane, in its direction
	// Left and Right are the numbers of its strips, -1 where there is none.
	Left, Right int
}

// Config says what a lane has.
type Config struct {
	Rate float64 // samples a second and strip
	Rows []Row   // in the lane's direction, two or more
	// Factors gives for each strip the kilograms of one count-second at 1 m/s, from its calibration at 20 °C.
	Factors []float64
	// Warmth is by how much of its gain each strip reads more for each kelvin above 20 °C; nil means not at all.
	Warmth    []float64
	Threshold int32 // counts above the baseline at which a pulse begins: several times the strips' noise
	// Gap is the longest distance between two axles of one vehicle; behind it a vehicle has ended, where no loop says so
	// earlier. 0 means 14 m.
	Gap   wim.Mm
	Prior Prior
	Boot  uint32 // as wim.Reading has it
}

const (
	defaultGap wim.Mm = 14000
	// slowest is the speed in m/s below which nothing is waited for: 2 km/h.
	slowest = 0.55
	// fastest is beyond all trucks, in m/s: 250 km/h.
	fastest = 70.0
	// ghost is the share of a strip's largest pulse below which one is no wheel.
	ghost = 0.04
	// reach is how far from where it should be, in metres, a pulse is still an axle's: half the least distance of two axles.
	reach = 0.4
	// uneven is by how much an axle's speeds between rows may differ before it is taken to brake or accelerate, and stood the same
	// before it is taken to have stood.
	uneven   = 1.25
	standing = 4.0
	// deadAfter is for how many vehicles in a row a strip sees nothing until it is taken for dead.
	deadAfter = 3
	// longestStand is how long, in seconds, a vehicle is waited for that stands with axles between the rows.
	longestStand = 12
	// hardest is more than a truck's brakes give, in m/s².
	hardest = 8
	most    = 2 * MaxAxles // pulses of one strip and vehicle
)

// Validate tells what cannot be meant.
func (c *Config) Validate() error {
	if c.Rate < 200 || c.Rate > 1e6 {
		return fmt.Errorf("signal: %g samples a second; want 200 to 1000000", c.Rate)
	}
	if len(c.Rows) < 2 || len(c.Rows) > MaxRows {
		return fmt.Errorf("signal: %d rows; want 2 to %d: speed comes from two", len(c.Rows), MaxRows)
	}
	seen := map[int]bool{}
	for i, r := range c.Rows {
		if i > 0 && r.Position <= c.Rows[i-1].Position {
			return fmt.Errorf("signal: row %d does not lie behind the one before", i+1)
		}
		if r.Left < 0 && r.Right < 0 {
			return fmt.Errorf("signal: row %d has no strip", i+1)
		}
		for _, s := range []int{r.Left, r.Right} {
			if s >= len(c.Factors) || s >= 0 && seen[s] {
				return fmt.Errorf("signal: row %d: strip %d has no factor or lies in two places", i+1, s)
			}
			seen[s] = s >= 0
		}
	}
	for i, f := range c.Factors {
		if !(f > 0) || math.IsInf(f, 0) {
			return fmt.Errorf("signal: strip %d: a factor of %g", i, f)
		}
	}
	if c.Warmth != nil && len(c.Warmth) != len(c.Factors) {
		return errors.New("signal: warmth must be given for every strip, or for none")
	}
	if c.Threshold <= 0 || c.Gap < 0 {
		return errors.New("signal: threshold must be positive, and gap not negative")
	}
	return nil
}

// Lane turns the samples of one lane's strips into readings. One goroutine owns it; in steady state it allocates nothing.
type Lane struct {
	cfg       Config
	detectors []*Detector
	pulses    [][]Pulse // of the vehicle that is being driven over, by strip
	estimator *Estimator
	step      int // most samples that are looked at together
	part      [][]int16
	at        int64 // samples taken
	last      int64 // end of the last pulse
	seq       uint32
	kelvin    float64 // above 20 °C
	torn      int64   // sample behind which a vehicle may be the rest of one of which samples are missing, -1 for none
	pace      float64 // m/s of the vehicle before
	stands    int64   // sample at which the vehicle was found to stand, 0 for not
	quiet     []uint8 // for how many vehicles in a row each strip saw nothing, at most deadAfter

	// Of the vehicle that is closed.
	times [MaxAxles][MaxRows]float64 // samples
	left  [MaxAxles][MaxRows]float64 // kg
	right [MaxAxles][MaxRows]float64
	sum   [MaxAxles][MaxRows]float64
	speed [MaxAxles]float64 // m/s, below 0 against the lane
	loads [MaxAxles]float64
	lags  [MaxRows]float64

	// Ghosts counts pulses that no other row saw, Vehicles those that were weighed, and Torn those of which samples may be missing.
	Ghosts, Vehicles, Torn uint64
}

// NewLane returns a lane on which nothing has driven yet.
func NewLane(c Config) (*Lane, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.Gap == 0 {
		c.Gap = defaultGap
	}
	l := &Lane{cfg: c, estimator: NewEstimator(c.Prior), step: max(int(c.Rate/20), chunk), part: make([][]int16, len(c.Factors)), torn: -1}
	for range c.Factors {
		l.detectors = append(l.detectors, NewDetector(c.Threshold, int64(20*c.Rate)))
		l.pulses = append(l.pulses, make([]Pulse, 0, most))
		l.quiet = append(l.quiet, deadAfter) // until it was heard
	}
	return l, nil
}

// SetTemperature tells the temperature of the pavement in °C; until it is told it is 20.
func (l *Lane) SetTemperature(celsius float64) { l.kelvin = celsius - 20 }

// Number is the last one that was used or left out.
func (l *Lane) Number() uint32 { return l.seq }

// Break says that so many samples are missing before those that come next. What is on the lane is forgotten, and so is the next vehicle
// where it may be the rest of one that was on it meanwhile: nothing is weighed in part. A number is left out for each.
func (l *Lane) Break(missing int64) {
	l.at += max(missing, 0)
	l.last, l.torn = 0, l.at
	l.seq++
	for i, d := range l.detectors {
		d.lose(l.at)
		l.pulses[i] = l.pulses[i][:0]
	}
}

// Process takes the next samples, planar: one slice a strip, all of one length. It appends the readings of vehicles that have
// ended to out.
func (l *Lane) Process(samples [][]int16, out []wim.Reading) []wim.Reading {
	if len(samples) != len(l.detectors) || len(samples) == 0 {
		return out
	}
	n := len(samples[0])
	for _, s := range samples {
		n = min(n, len(s))
	}
	for at := 0; at < n; at += l.step { // in steps short enough to tell vehicles apart
		for i, s := range samples {
			l.part[i] = s[at:min(at+l.step, n)]
		}
		out = l.process(l.part, out)
	}
	return out
}

func (l *Lane) process(samples [][]int16, out []wim.Reading) []wim.Reading {
	for i, s := range samples {
		n := len(l.pulses[i])
		l.pulses[i] = l.detectors[i].Process(s, l.pulses[i])
		if len(l.pulses[i]) > most { // more than any vehicle has: what came last is counted and dropped
			l.Ghosts += uint64(len(l.pulses[i]) - most)
			l.pulses[i] = l.pulses[i][:most]
		}
		if m := len(l.pulses[i]); m > n {
			l.last = max(l.last, l.pulses[i][m-1].End())
		}
	}
	l.at += int64(len(samples[0]))
	if l.last > 0 && l.at-l.last > l.patience() && !l.busy() && !l.between() {
		out = l.Close(out)
	}
	return out
}

// busy tells that something is on a strip.
func (l *Lane) busy() bool {
	for _, d := range l.detectors {
		if d.inside {
			return true
		}
	}
	return false
}

// between tells that a vehicle stands between the rows: the first one saw more axles than the last one, or fewer.
func (l *Lane) between() bool {
	rows := l.cfg.Rows
	extent := float64(rows[len(rows)-1].Position-rows[0].Position) / 1000
	// Who is faster cannot brake to a stand between them, so it is a strip that missed a wheel.
	if v := l.newest(); l.torn >= 0 || v*v > 2*hardest*extent || l.seen(rows[0]) == l.seen(rows[len(rows)-1]) {
		return false
	}
	if l.stands == 0 {
		l.stands = l.at
	}
	return l.last < l.stands && float64(l.at-l.stands) < longestStand*l.cfg.Rate // once it went on it has gone, whatever was counted
}

// seen is how many axles a row saw, by the strip that saw more: one may have missed some. A row that is dead saw as many as the others.
func (l *Lane) seen(r Row) (n int) {
	dead := true
	for _, s := range [2]int{r.Left, r.Right} {
		if s >= 0 {
			n = max(n, wheels(l.pulses[s]))
			dead = dead && l.quiet[s] >= deadAfter && len(l.pulses[s]) == 0
		}
	}
	if !dead {
		return n
	}
	for i := range l.pulses {
		n = max(n, wheels(l.pulses[i]))
	}
	return n
}

// wheels counts the pulses that sift would leave.
func wheels(p []Pulse) (n int) {
	least := smallest(p)
	for i := range p {
		if float64(p[i].Area) >= least {
			n++
		}
	}
	return n
}

// wheel is the pulse of that number, from 0, of those that wheels counts.
func wheel(p []Pulse, k int) *Pulse {
	least := smallest(p)
	for i := range p {
		if float64(p[i].Area) >= least {
			if k == 0 {
				return &p[i]
			}
			k--
		}
	}
	return &p[len(p)-1]
}

// smallest is the area below which a pulse is no wheel beside the strip's others.
func smallest(p []Pulse) float64 {
	largest := int64(0)
	for i := range p {
		largest = max(largest, p[i].Area)
	}
	return ghost * float64(largest)
}

// newest is the speed in m/s of the last axle that has crossed the first row and the last one; 0 where none has.
func (l *Lane) newest() float64 {
	first, last := l.cfg.Rows[0], l.cfg.Rows[len(l.cfg.Rows)-1]
	a, b := l.any(first), l.any(last)
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	k := min(wheels(a), wheels(b)) - 1
	dt := math.Abs(wheel(b, k).Centre()-wheel(a, k).Centre()) / l.cfg.Rate
	if dt == 0 {
		return fastest
	}
	return math.Min(float64(last.Position-first.Position)/1000/dt, fastest)
}

// patience is for how many samples a further axle is waited for: as long as the vehicle takes for the longest gap.
func (l *Lane) patience() int64 {
	v := math.Max(l.newest(), slowest)
	if l.torn >= 0 { // what is left of a vehicle need not have crossed both rows; it is dropped
		v = math.Max(v, l.pace/2)
		if l.pace == 0 {
			v = math.Max(v, 7)
		}
	}
	return int64(float64(l.cfg.Gap) / 1000 / v * l.cfg.Rate)
}

func (l *Lane) any(r Row) []Pulse {
	if r.Left >= 0 && len(l.pulses[r.Left]) > 0 {
		return l.pulses[r.Left]
	}
	if r.Right >= 0 {
		return l.pulses[r.Right]
	}
	return nil
}

// Close ends the vehicle that is on the lane, because a loop says that it has gone, and appends its readings to out: its axles
// and the vehicle's end. It appends nothing where nothing was driven over.
func (l *Lane) Close(out []wim.Reading) []wim.Reading {
	last, stood := l.last, l.stands > 0
	l.last, l.stands = 0, 0
	for i := range l.pulses {
		l.pulses[i] = l.sift(l.pulses[i])
	}
	n, sure := l.count()
	if n > 0 && l.arrange(n) {
		had := len(out)
		if out = l.weigh(n, sure, stood, out); len(out) > had {
			l.Vehicles++
			l.torn = -1
		}
	}
	if l.torn >= 0 {
		l.torn = max(l.torn, last)
	}
	for i := range l.pulses {
		switch {
		case len(l.pulses[i]) > 0:
			l.quiet[i] = 0
		case n > 0:
			l.quiet[i] = min(l.quiet[i]+1, deadAfter)
		}
		l.pulses[i] = l.pulses[i][:0]
	}
	return out
}

// sift drops pulses that are far too small for a wheel beside the strip's others.
func (l *Lane) sift(p []Pulse) []Pulse {
	least := smallest(p)
	kept := p[:0]
	for i := range p {
		if float64(p[i].Area) < least {
			l.Ghosts++
			continue
		}
		kept = append(kept, p[i])
	}
	return kept
}

// count is how many axles most strips have seen, the larger number of two that as many have. It is sure where more than
// half of the strips that saw anything agree.
func (l *Lane) count() (n int, sure bool) {
	var votes [most + 1]int
	alive := 0
	for i := range l.pulses {
		if m := len(l.pulses[i]); m > 0 {
			votes[m]++
			alive++
		}
	}
	for m := len(votes) - 1; m > 0; m-- {
		if votes[m] > votes[n] || n == 0 && votes[m] > 0 {
			n = m
		}
	}
	return min(n, MaxAxles), n <= MaxAxles && 2*votes[n] > alive
}

// arrange finds for every axle its time and its loads at every row. Rows that saw as many axles as the vehicle has say where
// the others should be. ok is false where no two rows agree: there is no speed then, and so no weight.
func (l *Lane) arrange(n int) (ok bool) {
	nan := math.NaN()
	for k := range n {
		for r := range l.cfg.Rows {
			l.times[k][r], l.left[k][r], l.right[k][r] = nan, nan, nan
		}
	}
	for r, row := range l.cfg.Rows {
		for _, s := range [2]int{row.Left, row.Right} {
			if s < 0 || len(l.pulses[s]) != n {
				continue
			}
			for k := range n {
				l.put(k, r, s, k, s == row.Left)
			}
		}
	}
	for k := range n {
		v, t0, good := l.line(k)
		if !good {
			return false
		}
		for r, row := range l.cfg.Rows {
			expected := t0 + float64(row.Position-l.cfg.Rows[0].Position)/1000/v*l.cfg.Rate
			for _, s := range [2]int{row.Left, row.Right} {
				if s < 0 || len(l.pulses[s]) == n || len(l.pulses[s]) == 0 {
					continue
				}
				near, d := -1, reach/math.Abs(v)*l.cfg.Rate
				for i := range l.pulses[s] {
					if o := math.Abs(l.pulses[s][i].Centre() - expected); o < d {
						near, d = i, o
					}
				}
				if near >= 0 {
					l.put(k, r, s, near, s == row.Left)
				}
			}
		}
		l.speed[k], _, _ = l.line(k)
	}
	return true
}

// put files pulse i of strip s under axle k of row r. Its load waits for the speed: area in count-seconds times factor.
func (l *Lane) put(k, r, s, i int, left bool) {
	p := &l.pulses[s][i]
	load := float64(p.Area) / l.cfg.Rate * l.cfg.Factors[s]
	if l.cfg.Warmth != nil {
		load /= 1 + l.cfg.Warmth[s]*l.kelvin
	}
	if t := p.Centre(); math.IsNaN(l.times[k][r]) {
		l.times[k][r] = t
	} else {
		l.times[k][r] = (l.times[k][r] + t) / 2 // left and right wheels of one axle
	}
	if left {
		l.left[k][r] = load
	} else {
		l.right[k][r] = load
	}
}

// line fits axle k's times over the rows: its speed in m/s, below 0 against the lane, and the sample at which it crosses the
// first row.
func (l *Lane) line(k int) (speed, t0 float64, ok bool) {
	var n, sx, st, sxx, sxt float64
	for r, row := range l.cfg.Rows {
		t := l.times[k][r]
		if math.IsNaN(t) {
			continue
		}
		x := float64(row.Position-l.cfg.Rows[0].Position) / 1000
		n, sx, st, sxx, sxt = n+1, sx+x, st+t, sxx+x*x, sxt+x*t
	}
	d := n*sxx - sx*sx
	if n < 2 || d <= 0 {
		return 0, 0, false
	}
	slope := (n*sxt - sx*st) / d // samples per metre
	if slope == 0 || math.Abs(l.cfg.Rate/slope) > fastest {
		return 0, 0, false
	}
	return l.cfg.Rate / slope, (st - slope*sx) / n, true
}

// weigh estimates the loads of n axles and appends the readings.
func (l *Lane) weigh(n int, sure, stood bool, out []wim.Reading) []wim.Reading {
	rows := len(l.cfg.Rows)
	mean, against := 0.0, 0
	for k := range n {
		v := math.Abs(l.speed[k])
		mean += v / float64(n)
		if l.speed[k] < 0 {
			against++
		}
		for r := range rows {
			l.left[k][r] *= v
			l.right[k][r] *= v
			l.sum[k][r] = l.both(k, r)
		}
	}
	l.pace = mean
	if torn := l.torn; torn >= 0 {
		if first := min(l.when(0), l.when(n-1)); float64(first)/1e9-float64(torn)/l.cfg.Rate < float64(l.cfg.Gap)/1000/mean {
			l.Torn++
			l.seq++
			return out
		}
	}
	for r, row := range l.cfg.Rows {
		l.lags[r] = float64(row.Position-l.cfg.Rows[0].Position) / 1000 / mean
	}
	l.estimator.Weigh(l.lags[:rows], l.sum[:n], l.loads[:n])
	flags := wim.Flag(0)
	if !sure {
		flags |= wim.MissedAxle
	}
	if stood {
		flags |= wim.StopAndGo
	}
	if 2*against > n {
		flags |= wim.Reverse
	}
	gross := wim.Kg(0)
	for i := range n {
		k := i
		if 2*against > n { // backwards: the last axle came first
			k = n - 1 - i
		}
		a := wim.Axle{Index: uint8(i + 1), Load: kg(l.loads[k]), Left: wim.NotMeasured, Right: wim.NotMeasured, Speed: decikmh(math.Abs(l.speed[k])), Flags: flags | l.manner(k) | l.beside(k)}
		if math.IsNaN(l.loads[k]) {
			a.Load = 0
			a.Flags |= wim.OffScale
		}
		a.Left, a.Right = l.sides(k, a.Load)
		if i > 0 {
			if a.Spacing = l.spacing(k, 2*against > n); a.Spacing > l.cfg.Gap {
				a.Flags |= wim.Tailgating // no vehicle is so long between two axles
			}
		}
		gross += a.Load
		flags |= a.Flags
		l.seq++
		out = append(out, wim.Reading{Kind: wim.AxleReading, Boot: l.cfg.Boot, Seq: l.seq, DeviceTime: l.when(i), Axle: a}) // of one that drives backwards too, times go on
	}
	l.seq++
	return append(out, wim.Reading{Kind: wim.VehicleEnd, Boot: l.cfg.Boot, Seq: l.seq, DeviceTime: max(l.when(0), l.when(n-1)),
		Gross: gross, AxleCount: uint8(n), Speed: decikmh(mean), Flags: flags})
}

// manner tells of axle k whether it braked, accelerated or stood between the rows. Two rows cannot tell.
func (l *Lane) manner(k int) wim.Flag {
	least, most, before := math.Inf(1), 0.0, -1
	for r := range l.cfg.Rows {
		if math.IsNaN(l.times[k][r]) {
			continue
		}
		if before >= 0 {
			took := math.Abs(l.times[k][r]-l.times[k][before]) / float64(l.cfg.Rows[r].Position-l.cfg.Rows[before].Position)
			least, most = math.Min(least, took), math.Max(most, took)
		}
		before = r
	}
	switch {
	case most > standing*least:
		return wim.StopAndGo
	case most > uneven*least:
		return wim.Acceleration
	}
	return 0
}

// beside tells of axle k whether a wheel ran beside the strips: two of a side missed it, or one that saw nothing of the vehicle but
// saw those before it. One wheel that one strip missed is no more than that, and a dead strip nobody's fault.
func (l *Lane) beside(k int) wim.Flag {
	for side := range 2 {
		missed, silent := 0, false
		for r, row := range l.cfg.Rows {
			s, load := row.Left, l.left[k][r]
			if side == 1 {
				s, load = row.Right, l.right[k][r]
			}
			if s < 0 || !math.IsNaN(load) || l.quiet[s] >= deadAfter {
				continue
			}
			missed++
			silent = silent || len(l.pulses[s]) == 0
		}
		if missed > 1 || silent {
			return wim.OffScale
		}
	}
	return 0
}

// both is what row r made of all of axle k, NaN where one of its strips missed it.
func (l *Lane) both(k, r int) float64 {
	switch row := l.cfg.Rows[r]; {
	case row.Left < 0:
		return l.right[k][r]
	case row.Right < 0:
		return l.left[k][r]
	}
	return l.left[k][r] + l.right[k][r]
}

// sides shares an axle's load out as the rows that have both strips saw it.
func (l *Lane) sides(k int, load wim.Kg) (left, right wim.Kg) {
	a, b := 0.0, 0.0
	for r, row := range l.cfg.Rows {
		if s := l.left[k][r] + l.right[k][r]; row.Left >= 0 && row.Right >= 0 && !math.IsNaN(s) {
			a, b = a+l.left[k][r], b+l.right[k][r]
		}
	}
	if a+b <= 0 {
		return wim.NotMeasured, wim.NotMeasured
	}
	left = kg(float64(load) * a / (a + b))
	return left, load - left
}

// spacing is the distance of axle k from the one before it, by the mean of both speeds.
func (l *Lane) spacing(k int, backwards bool) wim.Mm {
	before := k - 1
	if backwards {
		before = k + 1
	}
	_, t, _ := l.line(k)
	_, t0, _ := l.line(before)
	v := (math.Abs(l.speed[k]) + math.Abs(l.speed[before])) / 2
	return wim.Mm(math.Round(math.Abs(t-t0) / l.cfg.Rate * v * 1000))
}

// when is the time at which axle k crossed the first row, in nanoseconds since the stream began.
func (l *Lane) when(k int) int64 {
	t := l.times[k][0]
	if math.IsNaN(t) {
		_, t, _ = l.line(k)
	}
	return int64(t / l.cfg.Rate * 1e9)
}

func kg(v float64) wim.Kg {
	if math.IsNaN(v) || v < 0 {
		return 0
	}
	return wim.Kg(math.Round(math.Min(v, 1e6)))
}

func decikmh(metresPerSecond float64) wim.DeciKmh {
	return wim.DeciKmh(math.Round(metresPerSecond * 36))
}
