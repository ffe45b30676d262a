package accuracy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// Truth is one line of ground truth: a vehicle that truly passed, weighed at rest or drawn by the simulator. It is
// what the simulator writes; of a line of another make the fields that it lacks are zero.
type Truth struct {
	Site   wim.SiteID `json:"site"`
	Lane   wim.LaneID `json:"lane"`
	Device string     `json:"device"`
	// Boot, FirstSeq and EndSeq name the device messages that the vehicle gave: a passage that rests on one of them is
	// this vehicle's.
	Boot          uint32            `json:"boot"`
	FirstSeq      uint32            `json:"first_seq"`
	EndSeq        uint32            `json:"end_seq"`
	Start         time.Time         `json:"start"`
	Gross         wim.Kg            `json:"gross_kg"`
	Axles         []TrueAxle        `json:"axles"`
	Speed         wim.DeciKmh       `json:"speed_dkmh"`
	Kind          string            `json:"kind"`
	Configuration wim.Configuration `json:"configuration"`
	Plates        struct {
		Front string `json:"front"`
		Rear  string `json:"rear"`
	} `json:"plates"`
	// LostFrames is how many of its messages the line did not take whole: then DeviceGap is asked for.
	LostFrames int `json:"lost_frames"`
	// Flags are those that a sound site must raise for what the vehicle did: it braked, straddled, tailgated.
	Flags wim.Flag `json:"flags"`
}

// TrueAxle is one axle at rest.
type TrueAxle struct {
	Load    wim.Kg `json:"load_kg"`
	Left    wim.Kg `json:"left_kg"`
	Right   wim.Kg `json:"right_kg"`
	Spacing wim.Mm `json:"spacing_mm"` // from the axle before; 0 for the first
}

// The bounds of a line of truth.
const (
	maxLoad    = wim.Kg(100_000)    // of one axle
	maxGross   = wim.Kg(10_000_000) // of one vehicle
	maxSpacing = wim.Mm(100_000)
	maxWord    = 100 // bytes of a name
)

// ParseTruth reads one line. A line that is no vehicle, such as one that tells what was done to a device, gives nil.
func ParseTruth(line []byte) (*Truth, error) {
	var event struct {
		Event string `json:"event"`
	}
	if err := json.Unmarshal(line, &event); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	if event.Event != "" {
		return nil, nil //nolint:nilnil // neither a vehicle nor a mistake
	}
	var t Truth
	d := json.NewDecoder(bytes.NewReader(line))
	if err := d.Decode(&t); err != nil {
		return nil, fmt.Errorf("not a line of truth: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one value on the line")
	}
	if err := t.valid(); err != nil {
		return nil, err
	}
	return &t, nil
}

func (t *Truth) valid() error {
	if n := len(t.Axles); n < 2 || n > wim.MaxAxles {
		return fmt.Errorf("%d axles: want 2 to %d", n, wim.MaxAxles)
	}
	if t.Gross <= 0 || t.Gross > maxGross {
		return fmt.Errorf("gross_kg of %d: want 1 to %d", t.Gross, maxGross)
	}
	for i, a := range t.Axles {
		if a.Load <= 0 || a.Load > maxLoad || a.Left < -1 || a.Left > maxLoad || a.Right < -1 || a.Right > maxLoad {
			return fmt.Errorf("axle %d: a load outside 1 to %d kg", i+1, maxLoad)
		}
		if a.Spacing < 0 || a.Spacing > maxSpacing || i > 0 && a.Spacing == 0 {
			return fmt.Errorf("axle %d: spacing_mm of %d: want 1 to %d", i+1, a.Spacing, maxSpacing)
		}
	}
	if t.FirstSeq > t.EndSeq || t.EndSeq == 0 {
		return fmt.Errorf("messages %d to %d: want first_seq and end_seq, which name the vehicle for the records", t.FirstSeq, t.EndSeq)
	}
	for _, s := range []string{string(t.Site), t.Device, t.Kind, t.Plates.Front, t.Plates.Rear} {
		if len(s) > maxWord {
			return fmt.Errorf("a name of %d bytes: want at most %d", len(s), maxWord)
		}
	}
	switch t.Configuration {
	case "", wim.ConfigurationUnknown, wim.Rigid, wim.Train:
	default:
		return fmt.Errorf("configuration %q: want rigid, train or unknown", string(t.Configuration))
	}
	return nil
}

// Expected are the flags that a site must raise for the vehicle.
func (t *Truth) Expected() wim.Flag {
	if t.LostFrames > 0 {
		return t.Flags | wim.DeviceGap
	}
	return t.Flags
}

// Vehicle is the vehicle as a perfect instrument would have weighed it, its groups and class filled in. Where the
// truth knows how it is made up, that stands in place of what the spacings tell.
func (t *Truth) Vehicle() wim.Vehicle {
	v := wim.Vehicle{Lane: t.Lane, Start: wim.TimeOf(t.Start), End: wim.TimeOf(t.Start), Speed: t.Speed, Gross: t.Gross, AxleSum: t.Gross}
	for i, a := range t.Axles {
		x := wim.Axle{Index: uint8(i + 1), Load: a.Load, Left: a.Left, Right: a.Right, Speed: t.Speed, Spacing: a.Spacing}
		if a.Left <= 0 && a.Right <= 0 {
			x.Left, x.Right = wim.NotMeasured, wim.NotMeasured
		}
		v.Axles = append(v.Axles, x)
	}
	wim.Classify(&v)
	if c := t.Configuration; (c == wim.Rigid || c == wim.Train) && (c != v.Configuration || !v.Sure) {
		v.Configuration, v.Sure, v.Combination, v.Lead = c, true, wim.CombinationUnknown, 0
		if c == wim.Rigid {
			v.Lead = uint8(len(v.Axles))
		}
	}
	return v
}

// Source names one device message.
type Source struct {
	Site   wim.SiteID
	Device string
	Boot   uint32
}

// Ledger finds the true vehicle that a passage rests on. The zero value is empty and ready. It is filled first and asked
// afterwards.
type Ledger struct {
	all    []Truth
	of     map[Source][]int32 // into all, by FirstSeq once sorted
	sorted bool
	words  map[string]string // one copy of every name
}

// MaxTruth bounds the vehicles of one Ledger.
const MaxTruth = 2_000_000

// Add takes in one vehicle. An error means that the ledger is full.
func (l *Ledger) Add(t *Truth) error {
	if len(l.all) >= MaxTruth {
		return fmt.Errorf("more than %d vehicles of truth: score them in parts", MaxTruth)
	}
	if l.of == nil {
		l.of, l.words = map[Source][]int32{}, map[string]string{}
	}
	t.Site, t.Device, t.Kind = wim.SiteID(l.word(string(t.Site))), l.word(t.Device), l.word(t.Kind)
	t.Axles = slices.Clip(t.Axles)
	k := Source{t.Site, t.Device, t.Boot}
	l.of[k] = append(l.of[k], int32(len(l.all))) //nolint:gosec // at most MaxTruth
	l.all = append(l.all, *t)
	l.sorted = false
	return nil
}

func (l *Ledger) word(s string) string {
	if w, ok := l.words[s]; ok {
		return w
	}
	l.words[s] = s
	return s
}

// Len is how many vehicles there are, At the one with that number.
func (l *Ledger) Len() int { return len(l.all) }

// At is the vehicle with that number, from 0.
func (l *Ledger) At(i int) *Truth { return &l.all[i] }

// Find is the number of the vehicle that gave a message, or -1.
func (l *Ledger) Find(s Source, seq uint32) int {
	if !l.sorted {
		for _, list := range l.of {
			slices.SortFunc(list, func(a, b int32) int { return int(l.all[a].FirstSeq) - int(l.all[b].FirstSeq) })
		}
		l.sorted = true
	}
	list := l.of[s]
	i, found := slices.BinarySearchFunc(list, seq, func(a int32, seq uint32) int { return int(l.all[a].FirstSeq) - int(seq) })
	if !found {
		i--
	}
	if i < 0 || l.all[list[i]].EndSeq < seq {
		return -1
	}
	return int(list[i])
}
