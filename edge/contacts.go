package edge

import (
	"context"
	"fmt"
	"sync"

	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/wim"
)

// Contact tells of one thing around the scales. Run calls emit with what it finds first and with each change, until ctx ends.
type Contact interface {
	Run(ctx context.Context, emit func(active bool)) error
}

// ContactConfig is one contact of the site.
type ContactConfig struct {
	Device  string // its name in records and metrics
	Contact Contact
	What    wim.EventKind
	Lane    wim.LaneID // that a surface or lens is of; 0 for all
}

// surroundings is what the contacts say now. Any goroutine may use it.
type surroundings struct {
	mu     sync.Mutex
	active map[string]bool // by device; one that was not heard is not there

	gate sync.RWMutex // held for reading while an event is handed over
	shut bool         // guarded by gate: the recorder takes no more
}

// contact takes in what a contact says: every change is sealed, as is what is so at the start. That nothing is amiss at the start is no event.
func (s *Site) contact(c *ContactConfig, active bool) {
	s.around.mu.Lock()
	before, known := s.around.active[c.Device]
	if s.around.active == nil {
		s.around.active = map[string]bool{}
	}
	s.around.active[c.Device] = active
	s.around.mu.Unlock()
	if active == before && (known || !active) {
		return
	}
	e := wim.Event{Device: c.Device, What: c.What, Lane: c.Lane, Active: active, Since: wim.TimeOf(s.cfg.Now())}
	s.log.Warn("a contact has changed", "device", c.Device, "what", c.What, "lane", c.Lane, "active", active)
	s.around.gate.RLock()
	if s.around.shut {
		s.around.gate.RUnlock()
		return
	}
	s.recorder.in <- group{drafts: []journal.Draft{{Kind: wim.KindEvent, Lane: c.Lane, Time: e.Since, Clock: s.cfg.Clock(), Event: &e}}}
	s.around.gate.RUnlock()
	if c.What == wim.EventBattery && active && s.cfg.PowerLow != nil {
		s.log.Error("the battery is nearly empty: the site stops itself, so that nothing is torn when the power goes")
		s.cfg.PowerLow()
	}
}

// shutAround ends the handing over of events.
func (s *Site) shutAround() {
	s.around.gate.Lock()
	defer s.around.gate.Unlock()
	s.around.shut = true
}

// covered tells whether something lies on a lane's scale.
func (s *Site) covered(lane wim.LaneID) bool {
	s.around.mu.Lock()
	defer s.around.mu.Unlock()
	for i := range s.cfg.Contacts {
		c := &s.cfg.Contacts[i]
		if c.What == wim.EventSurface && (c.Lane == 0 || c.Lane == lane) && s.around.active[c.Device] {
			return true
		}
	}
	return false
}

// amiss lists what the contacts tell now.
func (s *Site) amiss() (out []Around) {
	s.around.mu.Lock()
	defer s.around.mu.Unlock()
	for i := range s.cfg.Contacts {
		if c := &s.cfg.Contacts[i]; s.around.active[c.Device] {
			out = append(out, Around{c.Device, c.What, c.Lane})
		}
	}
	return out
}

// advice says what a person should do.
func (a Around) advice() string {
	where := ""
	if a.Lane != 0 {
		where = fmt.Sprintf(" of lane %d", a.Lane)
	}
	switch a.What {
	case wim.EventDoor:
		return "the cabinet stands open (" + a.Device + "): see who is there"
	case wim.EventMains:
		return "the site runs on its battery (" + a.Device + "): see to the mains"
	case wim.EventBattery:
		return "the battery is nearly empty (" + a.Device + "): the site stops itself"
	case wim.EventSurface:
		return "snow, ice or water lies on the scale" + where + " (" + a.Device + "): its weighings are void until it is cleared"
	case wim.EventLens:
		return "the glass of a camera or laser unit" + where + " is dirty (" + a.Device + "): clean it"
	}
	return string(a.What) + " (" + a.Device + ")"
}
