package simulator

import (
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
	Known     bool        `json:"registered"`
	Capacity  wim.Kg      `json:"capacity_kg"` // cargo that the licences allow
	Fault     FaultKind   `json:"fault,omitempty"`
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
	At    time.Time  `json:"at"`
}

// truthLog writes lines whole, one at a time, and never buffers them: a kill loses at most the last one.
type truthLog struct {
	mu  sync.Mutex
	w   io.Writer
	err error
	n   int // vehicles
}

func (t *truthLog) write(v any) {
	b, err := json.Marshal(v)
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		_, err = t.w.Write(append(b, '\n'))
	}
	if err != nil && t.err == nil {
		t.err = err
	}
	if _, ok := v.(Truth); ok {
		t.n++
	}
}

func (t *truthLog) state() (vehicles int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n, t.err
}
