package simulator

import (
	"bytes"
	"encoding/json"
	"io"
	"sync"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// Truth is one line of ground truth: a vehicle whose end the scale has sent, or would have sent had the line
// been in.
type Truth struct {
	Site      wim.SiteID  `json:"site"`
	Lane      wim.LaneID  `json:"lane"`
	Device    string      `json:"device"`
	Boot      uint32      `json:"boot"`
	FirstSeq  uint32      `json:"first_seq"`
	EndSeq    uint32      `json:"end_seq"`
	Start     time.Time   `json:"start"`
	End       time.Time   `json:"end"`
	Gross     wim.Kg      `json:"gross_kg"`
	Indicated wim.Kg      `json:"indicated_kg"`
	Axles     []axle      `json:"axles"`
	Speed     wim.DeciKmh `json:"speed_dkmh"`
	Plates    Plates      `json:"plates"`
	Kind      string      `json:"kind"`
	Train     bool        `json:"train"`
	// Configuration says the same in the words of the law.
	Configuration wim.Configuration `json:"configuration"`
	Known         bool              `json:"registered"`
	Capacity      wim.Kg            `json:"capacity_kg"` // cargo that the licences allow
	Fault         FaultKind         `json:"fault,omitempty"`
	// LostFrames is how many of the vehicle's messages the line did not take whole: dropped, pulled out, or
	// nobody read them. Of a ring it is those that never reached it; what it overwrote unread is not counted.
	LostFrames int `json:"lost_frames,omitempty"`
	// Size is what a laser unit of the lane should measure; nil where there is none.
	Size *wim.Dimensions `json:"size,omitempty"`
	// Flags are those that a sound site must raise for what the vehicle did.
	Flags wim.Flag `json:"flags,omitempty"`
}

// account takes note of one message; false means that the scale has forgotten the vehicle.
func (t *Truth) account(m message) bool {
	if !m.sent {
		return false
	}
	t.EndSeq = m.seq
	if !m.whole {
		t.LostFrames++
	}
	return true
}

// Plates are the true plates of a vehicle.
type Plates struct {
	Front string `json:"front"`
	Rear  string `json:"rear"`
}

// event is a line that is no vehicle: what was done to a device.
type event struct {
	Event string     `json:"event"`
	Site  wim.SiteID `json:"site"`
	Lane  wim.LaneID `json:"lane"`
	Boot  uint32     `json:"boot,omitempty"`
	First uint32     `json:"first,omitempty"` // messages of a vehicle that was forgotten
	Last  uint32     `json:"last,omitempty"`
	At    time.Time  `json:"at"`
}

// truthKept is how many lines the control port can show.
const truthKept = 10000

// truthLog writes lines whole, one at a time, and never buffers them: a kill loses at most the last one.
type truthLog struct {
	mu  sync.Mutex
	w   io.Writer
	err error
	n   int // vehicles

	keep int      // how many of the last lines stay in memory
	kept [][]byte // up to twice as many, so that making room is rare
}

func (t *truthLog) write(v any) {
	b, err := json.Marshal(v)
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		b = append(b, '\n')
		if t.keep > 0 {
			if len(t.kept) == 2*t.keep {
				t.kept = append(t.kept[:0], t.kept[t.keep:]...)
			}
			t.kept = append(t.kept, b)
		}
		_, err = t.w.Write(b)
	}
	if err != nil && t.err == nil {
		t.err = err
	}
	if _, ok := v.(Truth); ok {
		t.n++
	}
}

// recent copies the lines that are kept, oldest first.
func (t *truthLog) recent() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return bytes.Join(t.kept[max(0, len(t.kept)-t.keep):], nil)
}

func (t *truthLog) state() (vehicles int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n, t.err
}
