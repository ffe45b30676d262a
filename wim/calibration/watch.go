package calibration

import (
	"cmp"
	"math"

	"github.com/axlegate/axlegate/wim"
)

// The defaults of WatchConfig; ours. The steering axle of articulated vehicles scatters by some 0.9 t about 5.8 t, so that about
// (2 · 0.9 / (5.8 · 1 %))² ≈ 960 of them show 1 %; a watch that answers sooner chases chance.
const (
	DefaultWindow = 1000
	DefaultStep   = PPM(5_000)
	DefaultAlarm  = PPM(10_000)
	DefaultSides  = PPM(20_000)
	DefaultMissed = PPM(20_000)
)

// WatchConfig says when a scale is thought to drift. Zero fields take the defaults.
type WatchConfig struct {
	Window int // vehicles that one look rests on
	Step   PPM // the largest step that is proposed at once
	Alarm  PPM // how far the mean of the steering axle may lie off its reference
	Sides  PPM // how far the left wheels' share of the load may lie off its reference
	Missed PPM // how many vehicles may have a missed axle or a wheel beside the sensor
}

// DriftKind says what drifts.
type DriftKind string

// The kinds of drift.
const (
	DriftSteering DriftKind = "steering-axle" // the mean load of articulated vehicles' steering axles
	DriftSides    DriftKind = "left-right"    // the left wheels' share of all loads
	DriftMissed   DriftKind = "missed"        // missed axles, and wheels beside the sensor
)

// Drift is one look at a scale.
type Drift struct {
	Kind     DriftKind `json:"kind"`
	From, To wim.Time  `json:"-"`
	N        int       `json:"n"`
	// Bin is the lower edge of the band of temperatures, ten kelvin wide, that the vehicles were weighed in; 0 where it is not known.
	Bin wim.DeciKelvin `json:"temperature_from_dk,omitempty"`
	// Value is the mean load in grams, or the share in parts per million; Reference is what it was in the first look.
	Value       int64 `json:"value"`
	Reference   int64 `json:"reference"`
	Off         PPM   `json:"off_ppm"`                   // Value against Reference, as a ratio for loads and a difference for shares
	Uncertainty PPM   `json:"uncertainty_ppm"`           // two standard errors of Off; 0 where it is not told
	Alarm       bool  `json:"alarm"`                     // Off is beyond what may be, and beyond chance
	Proposed    PPM   `json:"proposed_factor,omitempty"` // for steering axles that raise an alarm: what a person might apply, at most one step
}

// Watch looks at one scale for drift. It is a pure state machine with bounded memory that changes nothing: it proposes, and a
// person decides. The first full window of each band of temperatures is the reference, so begin it when the scale has
// been verified. One goroutine owns it.
type Watch struct {
	cfg   WatchConfig
	steer map[wim.DeciKelvin]*steering
	sides sides
	miss  missed
}

// NewWatch returns a Watch that has seen nothing.
func NewWatch(c WatchConfig) *Watch {
	c.Window = cmp.Or(max(0, c.Window), DefaultWindow)
	for _, f := range []struct {
		v *PPM
		d PPM
	}{{&c.Step, DefaultStep}, {&c.Alarm, DefaultAlarm}, {&c.Sides, DefaultSides}, {&c.Missed, DefaultMissed}} {
		*f.v = cmp.Or(max(0, *f.v), f.d)
	}
	return &Watch{cfg: c, steer: map[wim.DeciKelvin]*steering{}}
}

// window is what every look counts.
type window struct {
	n        int
	from, to wim.Time
}

func (w *window) count(at wim.Time) {
	if w.n == 0 {
		w.from = at
	}
	w.n, w.to = w.n+1, at
}

type steering struct {
	window
	sum, square float64 // of loads in kg
	reference   float64 // 0 until the first window is full
}

type sides struct {
	window
	left, all float64
	known     bool
	reference float64
}

type missed struct {
	window
	bad int
}

// Take looks at the next vehicle, and gives the looks that it completes: none, most of the time.
func (w *Watch) Take(v *wim.Vehicle, at wim.Time) (out []Drift) {
	if d, done := w.missed(v, at); done {
		out = append(out, d)
	}
	if v.Flags.Any(wim.Voiding | wim.Doubting) {
		return out
	}
	if d, done := w.side(v, at); done {
		out = append(out, d)
	}
	if d, done := w.steering(v, at); done {
		out = append(out, d)
	}
	return out
}

func (w *Watch) missed(v *wim.Vehicle, at wim.Time) (d Drift, done bool) {
	m := &w.miss
	m.count(at)
	if v.Flags.Any(wim.MissedAxle | wim.OffScale) {
		m.bad++
	}
	if m.n < w.cfg.Window {
		return Drift{}, false
	}
	share := PPM(int64(m.bad) * int64(One) / int64(m.n))
	d = Drift{Kind: DriftMissed, From: m.from, To: m.to, N: m.n, Value: int64(share), Off: share, Alarm: share > w.cfg.Missed}
	*m = missed{}
	return d, true
}

func (w *Watch) side(v *wim.Vehicle, at wim.Time) (d Drift, done bool) {
	var left, all float64
	for i := range v.Axles {
		a := &v.Axles[i]
		if a.Left <= 0 || a.Right <= 0 {
			return Drift{}, false
		}
		left, all = left+float64(a.Left), all+float64(a.Left)+float64(a.Right)
	}
	if all <= 0 {
		return Drift{}, false
	}
	s := &w.sides
	s.count(at)
	s.left, s.all = s.left+left, s.all+all
	if s.n < w.cfg.Window {
		return Drift{}, false
	}
	share := s.left / s.all
	if !s.known {
		s.known, s.reference = true, share
	}
	off := ppm(share - s.reference)
	d = Drift{Kind: DriftSides, From: s.from, To: s.to, N: s.n, Value: int64(ppm(share)), Reference: int64(ppm(s.reference)), Off: off, Alarm: max(off, -off) > w.cfg.Sides}
	w.sides = sides{known: true, reference: s.reference}
	return d, true
}

// bin is the width of a band of temperatures.
const bin = wim.DeciKelvin(100)

// steering takes articulated vehicles of five and six axles: their steering axle carries nearly the same, laden or not.
func (w *Watch) steering(v *wim.Vehicle, at wim.Time) (d Drift, done bool) {
	if n := len(v.Axles); n < 5 || n > 6 || v.Combination != wim.Articulated || !v.Sure || v.Axles[0].Load <= 0 || v.Temperature < 0 {
		return Drift{}, false
	}
	b := v.Temperature / bin * bin
	s := w.steer[b]
	if s == nil {
		if len(w.steer) >= 64 { // more bands than any road has
			return Drift{}, false
		}
		s = &steering{}
		w.steer[b] = s
	}
	load := float64(v.Axles[0].Load)
	s.count(at)
	s.sum, s.square = s.sum+load, s.square+load*load
	if s.n < w.cfg.Window {
		return Drift{}, false
	}
	n := float64(s.n)
	mean := s.sum / n
	if s.reference == 0 {
		s.reference = mean
	}
	spread := math.Sqrt(max(0, s.square/n-mean*mean))
	d = Drift{
		Kind: DriftSteering, From: s.from, To: s.to, N: s.n, Bin: b, Value: int64(math.Round(1000 * mean)), Reference: int64(math.Round(1000 * s.reference)),
		Off: ppm(mean/s.reference - 1), Uncertainty: ppm(2 * spread / math.Sqrt(n) / s.reference),
	}
	if off := max(d.Off, -d.Off); off > w.cfg.Alarm && off > d.Uncertainty {
		d.Alarm = true
		d.Proposed = min(max(ppm(s.reference/mean), One-w.cfg.Step), One+w.cfg.Step)
	}
	*s = steering{reference: s.reference}
	return d, true
}

func ppm(x float64) PPM {
	return PPM(math.Round(max(-1000, min(1000, x)) * float64(One)))
}
