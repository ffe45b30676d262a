package strips

import (
	"fmt"
	"slices"

	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/signal"
)

// Array is where a lane's strips lie and what they are worth.
type Array struct {
	Rows      []Row     `yaml:"rows"`
	Threshold int32     `yaml:"threshold"` // counts above the baseline at which a wheel begins
	Factors   []float64 `yaml:"factors"`   // of each strip: kilograms of one count-second at 1 m/s, at 20 °C
	Warmth    []float64 `yaml:"warmth"`    // by what share of its gain each reads more for a kelvin above; empty for not at all
}

// Row is one line of strips across a lane.
type Row struct {
	Position wim.Mm `yaml:"position_mm"`
	// Left and Right are numbers of the stream's strips; nil where there is none.
	Left  *int `yaml:"left"`
	Right *int `yaml:"right"`
}

func (a *Array) config(rate float64) signal.Config {
	c := signal.Config{Rate: rate, Factors: a.Factors, Warmth: a.Warmth, Threshold: a.Threshold, Boot: 1}
	number := func(n *int) int {
		if n == nil {
			return -1
		}
		return *n
	}
	for _, r := range a.Rows {
		c.Rows = append(c.Rows, signal.Row{Position: r.Position, Left: number(r.Left), Right: number(r.Right)})
	}
	if len(c.Warmth) == 0 {
		c.Warmth = nil
	}
	return c
}

// Validate tells what cannot be meant.
func (a *Array) Validate() error {
	c := a.config(1000)
	return c.Validate()
}

// fits tells whether a stream's strips lie where the array says.
func (a *Array) fits(h *Header) error {
	if len(h.Strips) != len(a.Factors) {
		return fmt.Errorf("the stream has %d strips and the configuration %d factors", len(h.Strips), len(a.Factors))
	}
	check := func(row int, n *int, side Side) error {
		switch {
		case n == nil:
			return nil
		case *n < 0 || *n >= len(h.Strips):
			return fmt.Errorf("row %d: the stream has no strip %d", row, *n)
		}
		// Distances count, not where somebody began to measure.
		at, want := h.Strips[*n], a.Rows[row].Position-a.Rows[0].Position
		first := a.Rows[0].Left
		if first == nil {
			first = a.Rows[0].Right
		}
		if got := at.Position - h.Strips[*first].Position; got != want {
			return fmt.Errorf("row %d: strip %d lies %d mm behind the first one, the configuration says %d mm", row, *n, got, want)
		}
		if at.Side != side && at.Side != BothSides {
			return fmt.Errorf("row %d: strip %d lies on the %s, the configuration says %s", row, *n, at.Side, side)
		}
		return nil
	}
	for i, r := range a.Rows {
		if err := check(i, r.Left, LeftSide); err != nil {
			return err
		}
		if err := check(i, r.Right, RightSide); err != nil {
			return err
		}
	}
	return nil
}

// Weigher turns the blocks of one digitiser into readings. The zero value is not usable: NewWeigher.
type Weigher struct {
	array Array
	lane  *signal.Lane
	head  Header
	next  int64  // number of the sample that should come next
	had   uint32 // numbers that were used before this lane's first
	warm  wim.DeciKelvin
}

// NewWeigher weighs on an array that Validate found good. Its first reading has the number behind after.
func NewWeigher(a Array, after uint32) *Weigher { return &Weigher{array: a, had: after} }

// Header is that of the stream; its Boot is 0 before one came.
func (w *Weigher) Header() Header { return w.head }

// Lost says that blocks will be missing, as when a connection ends: what is on the strips is forgotten and a number left out.
func (w *Weigher) Lost() {
	if w.lane != nil {
		w.lane.Break(0)
	}
}

// Acceleration is by how much the speeds of a vehicle's axles may differ before the weighing is void, where a site does not say
// otherwise: strips measure each axle's own speed to a few permille, so far less needs to be allowed than of a scale that tells one
// speed in whole km/h.
const Acceleration wim.Permille = 50

// Take takes a block and appends the readings of vehicles that have ended to out, numbered one by one; their DeviceTime is in
// nanoseconds since the stream's Begin. A number is left out where samples are missing. The error says that the stream is of other
// strips than the array; nothing of it is weighed.
func (w *Weigher) Take(b *Block, out []wim.Reading) ([]wim.Reading, error) {
	switch {
	case b.Header != nil:
		return out, w.header(b.Header)
	case b.End:
		w.Lost() // who is on the strips has not ended, and is not weighed in part
		return out, nil
	case w.lane == nil || len(b.Samples) != len(w.head.Strips):
		return out, nil // before a header that fits
	}
	switch {
	case w.next < 0:
		w.lane.Break(b.First) // somebody may stand on the strips
	case b.First < w.next:
		return out, nil // it was there before
	case b.First > w.next || b.Lost:
		w.lane.Break(b.First - w.next)
	}
	w.next = b.First + int64(len(b.Samples[0]))
	if b.Temperature != 0 && b.Temperature != w.warm {
		w.warm = b.Temperature
		w.lane.SetTemperature(float64(b.Temperature)/10 - 273.15)
	}
	return w.numbered(w.lane.Process(b.Samples, out), len(out)), nil
}

// numbered puts this weigher's numbers in place of the lane's.
func (w *Weigher) numbered(out []wim.Reading, from int) []wim.Reading {
	for i := from; i < len(out); i++ {
		r := &out[i]
		r.Seq += w.had
		if r.Kind == wim.VehicleEnd {
			r.Temperature = w.warm
		}
	}
	return out
}

func (w *Weigher) header(h *Header) error {
	if w.lane != nil && h.Boot == w.head.Boot && h.Rate == w.head.Rate && slices.Equal(h.Strips, w.head.Strips) {
		return nil // once more, for those who came later
	}
	if w.lane != nil {
		w.had = w.Number() + 1 // what passed while the digitiser started is not known
	}
	w.lane, w.next = nil, -1
	if err := w.array.fits(h); err != nil {
		return err
	}
	lane, err := signal.NewLane(w.array.config(h.Rate))
	if err != nil {
		return err
	}
	w.lane, w.head, w.warm = lane, *h, 0
	return nil
}

// Number is the last one that was used or left out.
func (w *Weigher) Number() uint32 {
	if w.lane == nil {
		return w.had
	}
	return w.had + w.lane.Number()
}

// Age is how long before the last sample something was, in nanoseconds.
func (w *Weigher) Age(deviceTime int64) int64 {
	return max(int64(float64(w.next)/w.head.Rate*1e9)-deviceTime, 0)
}
