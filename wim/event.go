package wim

import "fmt"

// EventKind says what around the scales an event tells of.
type EventKind string

// What contacts tell of.
const (
	EventDoor    EventKind = "door"        // the cabinet stands open
	EventMains   EventKind = "mains-lost"  // the site runs on its battery
	EventBattery EventKind = "battery-low" // and that is nearly empty: the site stops itself
	EventSurface EventKind = "surface"     // snow, ice or water on the scale: weighings are void
	EventLens    EventKind = "lens"        // a camera's or laser unit's glass is dirty
)

// EventKinds lists all kinds.
func EventKinds() []EventKind {
	return []EventKind{EventDoor, EventMains, EventBattery, EventSurface, EventLens}
}

// Event is a change around the scales, as a contact told it.
type Event struct {
	Device string    `json:"device"`
	What   EventKind `json:"what"`
	Lane   LaneID    `json:"lane,omitempty"` // 0 for the whole site
	Active bool      `json:"active"`         // it begins, or is so at the start; false: it ends
	Since  Time      `json:"since"`          // the site's clock when it was noticed
}

// Valid says what is wrong with an event.
func (e *Event) Valid() error {
	for _, k := range EventKinds() {
		if e.What == k {
			if e.Device == "" || len(e.Device) > 64 || e.Since <= 0 {
				return fmt.Errorf("an event of %q without a device or a time", string(e.What))
			}
			return nil
		}
	}
	return fmt.Errorf("an event of kind %q", string(e.What))
}
