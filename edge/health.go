package edge

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/axlegate/axlegate/wim"
)

// State is how a site is as a whole.
type State string

// The states. A degraded site still records what it can; a failing one records nothing.
const (
	StateStarting State = "starting"
	StateReady    State = "ready"
	StateDegraded State = "degraded" // a device is down or the centre is away: see Todo
	StateFailing  State = "failing"  // the journal cannot be written
	StateStopped  State = "stopped"
)

// Health is what /readyz answers.
type Health struct {
	Site    wim.SiteID     `json:"site"`
	State   State          `json:"state"`
	Todo    []string       `json:"todo,omitempty"` // what a person should do, most urgent first
	Devices []DeviceStatus `json:"devices"`
	// CameraClocks has the cameras of which enough reads were compared.
	CameraClocks []CameraClock `json:"camera_clocks,omitempty"`
	Journal      JournalStatus `json:"journal"`
	Around       []Around      `json:"around,omitempty"` // what contacts tell is amiss
}

// Around is what a contact tells is amiss now.
type Around struct {
	Device string        `json:"device"`
	What   wim.EventKind `json:"what"`
	Lane   wim.LaneID    `json:"lane,omitempty"` // 0 for the whole site
}

// DeviceStatus is one device's health.
type DeviceStatus struct {
	Device string      `json:"device"`
	Lane   wim.LaneID  `json:"lane,omitempty"`
	State  DeviceState `json:"state"`
	Up     bool        `json:"up"`    // the driver reaches it
	Since  wim.Time    `json:"since"` // of the last change between up and down
	Reason string      `json:"reason,omitempty"`
}

// CameraClock is how far a camera's clock trails the site's, by the reads compared so far.
type CameraClock struct {
	Device   string     `json:"device"`
	Lane     wim.LaneID `json:"lane"`
	OffsetMs int64      `json:"offset_ms"` // below 0: it runs ahead
}

// JournalStatus is how far the records have come.
type JournalStatus struct {
	Chain             wim.ChainID `json:"chain"`
	Head              uint64      `json:"head"`
	Receipted         uint64      `json:"receipted"`
	OldestUnreceipted wim.Time    `json:"oldest_unreceipted"`
	Stranded          uint64      `json:"stranded"`
	Owed              uint64      `json:"owed"` // of earlier chains, still to be sent
	Error             string      `json:"error,omitempty"`
}

// device is a device or link with what it says of itself.
type device struct {
	name    string
	lane    wim.LaneID
	reports bool
	health  wim.DeviceHealth
	state   DeviceState
	reason  string // of any state but live
}

// devices asks every device and the link for their health.
func (s *Site) devices() []device {
	var out []device
	now := time.Now()
	add := func(name string, lane wim.LaneID, x any, noticed func() uint64) {
		d := device{name: name, lane: lane}
		if h, ok := x.(healthy); ok {
			d.reports, d.health = true, h.Health()
			d.state, d.reason = s.overseer.look(name, now, d.health, noticed)
		}
		out = append(out, d)
	}
	for i, running := range s.lanes {
		l := &s.cfg.Lanes[i]
		byCameras := running.seen.Load
		if len(l.Cameras) == 0 {
			byCameras = nil
		}
		add(l.Device, l.Lane, l.Scale, byCameras)
		for _, c := range l.Cameras {
			add(c.Device, l.Lane, c.Camera, running.passed.Load)
		}
		if l.Sizer != nil {
			add(l.Sizer.Device, l.Lane, l.Sizer.Sizer, running.passed.Load)
		}
		if l.Sign != nil {
			add(l.SignDevice, l.Lane, l.Sign, nil)
		}
	}
	for i := range s.cfg.Systems {
		add(s.cfg.Systems[i].System, 0, s.cfg.Systems[i].Transactions, nil)
	}
	for i := range s.cfg.Contacts {
		add(s.cfg.Contacts[i].Device, s.cfg.Contacts[i].Lane, s.cfg.Contacts[i].Contact, nil)
	}
	add("uplink", 0, s.cfg.Link, nil)
	return out
}

// Health asks devices and journal how they are.
func (s *Site) Health(ctx context.Context) Health {
	h := Health{Site: s.cfg.Site, State: StateReady}
	for _, d := range s.devices() {
		if !d.reports {
			continue
		}
		h.Devices = append(h.Devices, DeviceStatus{Device: d.name, Lane: d.lane, State: d.state, Up: d.health.Up, Since: d.health.Since, Reason: d.reason})
		if d.state != DeviceLive {
			h.State = StateDegraded
			h.Todo = append(h.Todo, fmt.Sprintf("%s is %s: %s", d.name, d.state, d.reason))
		}
	}
	for _, l := range s.lanes {
		l.cameraOffsets(func(device string, d time.Duration) {
			h.CameraClocks = append(h.CameraClocks, CameraClock{Device: device, Lane: l.cfg.Lane, OffsetMs: d.Milliseconds()})
			if advice := clockAdvice(device, d); advice != "" {
				h.Todo = append(h.Todo, advice)
			}
		})
	}
	if h.Around = s.amiss(); len(h.Around) > 0 {
		h.State = StateDegraded
		for _, a := range slices.Backward(h.Around) {
			h.Todo = append([]string{a.advice()}, h.Todo...)
		}
	}
	j := s.cfg.Journal
	h.Journal.Chain = j.Chain()
	h.Journal.Head, _ = j.Head()
	h.Journal.Receipted, _ = j.Receipted()
	h.Journal.Stranded, h.Journal.Owed = j.Stranded(), j.Owed()
	if h.Journal.Stranded > 0 {
		h.Todo = append(h.Todo, "records from before a fork are held by this site only: export the journal and settle them with the centre")
	}
	if why := s.shortOfDisk(); why != "" {
		h.State = StateDegraded
		h.Todo = append([]string{why}, h.Todo...)
	}
	_, oldest, err := j.Waiting(ctx)
	h.Journal.OldestUnreceipted = oldest
	if err != nil {
		h.State, h.Journal.Error = StateFailing, err.Error()
	}
	if s.recorder.failSafe.Load() {
		h.State, h.Journal.Error = StateFailing, (*s.recorder.reason.Load()).Error()
		h.Todo = append([]string{"the journal cannot be written and no orders are given: " + remedy(*s.recorder.reason.Load())}, h.Todo...)
	}
	switch s.state.Load() {
	case stateIdle:
		h.State = StateStarting
	case stateDone:
		h.State = StateStopped
	}
	return h
}

// oversee looks at every device now and then, so that what is said of it covers the last minute.
func (s *Site) oversee(ctx context.Context) {
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		s.devices()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Metrics gives the site's metrics to a registry of the caller's.
func (s *Site) Metrics() prometheus.Collector { return s.m.registry }

// Handler serves /metrics (Prometheus), /healthz (the process runs) and /readyz (JSON; 503 while nothing can be
// recorded). It shows no plate, but belongs on an inner address all the same.
func (s *Site) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Write([]byte("ok\n")) //nolint:errcheck // the client has gone
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		h := s.Health(r.Context())
		b, err := json.MarshalIndent(h, "", "  ")
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if h.State != StateReady && h.State != StateDegraded {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		w.Write(append(b, '\n')) //nolint:errcheck // the client has gone
	})
	return mux
}
