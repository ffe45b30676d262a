package calibration

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/accuracy"
)

// Pass is one run of a test truck over the scale.
type Pass struct {
	Time        wim.Time
	Speed       wim.DeciKmh
	Temperature wim.DeciKelvin // 0 where it was not measured
	// True are the masses at rest, Told what the scale made of them: gross, and the sums of the left and of the right wheels,
	// 0 where wheels are not told apart.
	True, Told Wheels
}

// Wheels are a vehicle's masses by side.
type Wheels struct{ Gross, Left, Right wim.Kg }

// PassOf pairs a truck weighed at rest with its passage; ok is false where the weighing is void, its axles are not those of the
// truck, or nothing was indicated.
func PassOf(t *accuracy.Truth, f *wim.Facts) (p Pass, ok bool) {
	v := &f.Vehicle
	if v.Flags.Any(wim.Voiding) || v.Gross <= 0 || len(v.Axles) != len(t.Axles) {
		return Pass{}, false
	}
	p = Pass{Time: f.Time, Speed: v.Speed, Temperature: v.Temperature}
	p.True.Gross, p.Told.Gross = t.Gross, v.Gross
	sides := true
	for i := range v.Axles {
		a, b := &t.Axles[i], &v.Axles[i]
		sides = sides && a.Left > 0 && a.Right > 0 && b.Left > 0 && b.Right > 0
		p.True.Left, p.True.Right = p.True.Left+a.Left, p.True.Right+a.Right
		p.Told.Left, p.Told.Right = p.Told.Left+b.Left, p.Told.Right+b.Right
	}
	if !sides {
		p.True.Left, p.True.Right, p.Told.Left, p.Told.Right = 0, 0, 0, 0
	}
	return p, true
}

// Bands are the edges of the bands that have factors of their own, rising; n edges make n−1 bands. What lies outside has no
// factor. No temperatures make one factor for all.
type Bands struct {
	Speeds       []wim.DeciKmh
	Temperatures []wim.DeciKelvin
}

func (b *Bands) valid() error {
	if len(b.Speeds) < 2 || !rising(b.Speeds) || b.Speeds[0] < 0 {
		return errors.New("bands of speed: want two edges and more, rising")
	}
	if len(b.Temperatures) == 1 || !rising(b.Temperatures) || len(b.Temperatures) > 0 && b.Temperatures[0] <= 0 {
		return errors.New("bands of temperature: want none, or two edges and more, rising")
	}
	if len(b.Speeds)*max(1, len(b.Temperatures)) > maxCells/2 {
		return fmt.Errorf("bands: more than %d cells", maxCells)
	}
	return nil
}

func rising[T cmp.Ordered](list []T) bool {
	for i := 1; i < len(list); i++ {
		if list[i] <= list[i-1] {
			return false
		}
	}
	return true
}

// leastPasses is the smallest number of passes that a factor rests on: with fewer their scatter says nothing.
const leastPasses = 3

// Fitted is what came of fitting.
type Fitted struct {
	Cells []Cell
	// Before and After are the errors of the gross mass in percent, pass by pass: as told, and with the factors that the other
	// passes of its cell give, so that no pass flatters itself. After is NaN where a pass has no factor.
	Before, After []float64
	// Unused are passes outside of every band, or in a cell with fewer than three.
	Unused int
}

// Fit works out the factors of a scale. By side where every pass has wheel loads, else for the whole scale.
func Fit(passes []Pass, b Bands) (*Fitted, error) {
	if err := b.valid(); err != nil {
		return nil, err
	}
	if len(passes) == 0 {
		return nil, errors.New("no pass to fit")
	}
	sensors := []Sensor{Left, Right}
	for i := range passes {
		p := &passes[i]
		if p.True.Gross <= 0 || p.Told.Gross <= 0 {
			return nil, fmt.Errorf("pass %d: no mass", i+1)
		}
		if p.True.Left <= 0 || p.True.Right <= 0 || p.Told.Left <= 0 || p.Told.Right <= 0 {
			sensors = []Sensor{Whole}
		}
	}
	out := &Fitted{Before: make([]float64, len(passes)), After: make([]float64, len(passes))}
	for i := range passes {
		out.Before[i] = percent(float64(passes[i].Told.Gross), passes[i].True.Gross)
		out.After[i] = math.NaN()
	}
	temperatures := b.Temperatures
	if len(temperatures) == 0 {
		temperatures = []wim.DeciKelvin{0, 0}
	}
	used := 0
	for s := range len(b.Speeds) - 1 {
		for t := range len(temperatures) - 1 {
			c := Cell{SpeedMin: b.Speeds[s], SpeedMax: b.Speeds[s+1], TemperatureMin: temperatures[t], TemperatureMax: temperatures[t+1]}
			in := members(passes, &c)
			if len(in) < leastPasses {
				continue
			}
			used += len(in)
			if err := out.cell(passes, in, c, sensors); err != nil {
				return nil, err
			}
		}
	}
	out.Unused = len(passes) - used
	if len(out.Cells) == 0 {
		return nil, fmt.Errorf("no band has %d passes", leastPasses)
	}
	return out, nil
}

func members(passes []Pass, c *Cell) (in []int) {
	for i := range passes {
		p := &passes[i]
		if p.Speed >= c.SpeedMin && p.Speed < c.SpeedMax && (c.TemperatureMin == 0 || p.Temperature >= c.TemperatureMin && p.Temperature < c.TemperatureMax) {
			in = append(in, i)
		}
	}
	return in
}

// cell fits the factors of one band.
func (o *Fitted) cell(passes []Pass, in []int, c Cell, sensors []Sensor) error {
	corrected := make([]float64, len(in))
	for _, s := range sensors {
		ratios := make([]float64, len(in))
		sum := 0.0
		for k, i := range in {
			ratios[k] = float64(passes[i].True.of(s)) / float64(passes[i].Told.of(s))
			sum += ratios[k]
		}
		n := float64(len(in))
		mean, square := sum/n, 0.0
		for k, i := range in {
			square += (ratios[k] - mean) * (ratios[k] - mean)
			corrected[k] += float64(passes[i].Told.of(s)) * (sum - ratios[k]) / (n - 1)
		}
		c.Sensor, c.Passes = s, len(in)
		f := math.Round(mean * float64(One))
		if f < float64(LeastFactor) || f > float64(MostFactor) {
			return fmt.Errorf("%s sensor at %d to %d tenths of km/h: a factor of %.3f is a fault of the scale or of the test, not a calibration", s, c.SpeedMin, c.SpeedMax, mean)
		}
		c.Factor = PPM(f)
		c.Uncertainty = PPM(math.Ceil(accuracy.StudentQuantile(0.975, n-1) * math.Sqrt(square/(n-1)/n) * float64(One)))
		o.Cells = append(o.Cells, c)
	}
	for k, i := range in {
		o.After[i] = percent(corrected[k], passes[i].True.Gross)
	}
	return nil
}

func (w *Wheels) of(s Sensor) wim.Kg {
	switch s {
	case Left:
		return w.Left
	case Right:
		return w.Right
	case Whole:
	}
	return w.Gross
}

func percent(told float64, truly wim.Kg) float64 {
	return 100 * (told - float64(truly)) / float64(truly)
}

// Span is the time of the first and of the last pass.
func Span(passes []Pass) (from, to wim.Time) {
	at := func(p Pass, q Pass) int { return cmp.Compare(p.Time, q.Time) }
	return slices.MinFunc(passes, at).Time, slices.MaxFunc(passes, at).Time
}
