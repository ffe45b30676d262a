package edge

import (
	"fmt"
	"sync"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// DeviceState is how a device is: what its driver says of the line, held against what it delivers.
type DeviceState string

// The states, the same for every kind of device.
const (
	DeviceLive       DeviceState = "live"
	DeviceConnecting DeviceState = "connecting" // not reached, for less than a minute
	DeviceDegraded   DeviceState = "degraded"   // it delivers, but some of it is refused
	DeviceSilent     DeviceState = "silent"     // reached, but nothing comes though vehicles pass
	DeviceFailed     DeviceState = "failed"     // not reached for a minute or longer, or its driver broke
)

const (
	failedAfter = time.Minute
	lookBack    = time.Minute     // over which refused messages are counted
	sampleEvery = 5 * time.Second // and how often
	// Refused messages make a device degraded from so many on, when they are also more than one in so many; so do bytes between its
	// messages.
	someRefused = 3
	oneIn       = 100
	someGarbage = 64
	unseen      = 10              // vehicles that the lane's other devices noticed, after which a device that noticed none is silent
	unseenFor   = 5 * time.Second // and this long: reads of one vehicle come together
)

// overseer remembers how devices were. Any goroutine may use it.
type overseer struct {
	mu      sync.Mutex
	devices map[string]*observed
}

func newOverseer() *overseer { return &overseer{devices: map[string]*observed{}} }

// observed is one device. Times are of the monotonic clock.
type observed struct {
	samples []sample // of the last minute, oldest first
	down    time.Time
	isDown  bool

	messages uint64 // at the last look
	moved    time.Time
	noticed  uint64 // by the lane's other devices, when its messages moved last

	broke time.Time // its driver ended by itself
	why   string
}

type sample struct {
	at                     time.Time
	messages, bad, skipped uint64
}

func (o *overseer) of(name string) *observed {
	d := o.devices[name]
	if d == nil {
		d = &observed{}
		o.devices[name] = d
	}
	return d
}

// ended notes that a driver ended by itself.
func (o *overseer) ended(name string, now time.Time, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	d := o.of(name)
	d.broke, d.why = now, err.Error()
}

// look takes in how a device is now and judges it. noticed counts vehicles that the other devices of its lane noticed; nil where a
// device's silence says nothing.
func (o *overseer) look(name string, now time.Time, h wim.DeviceHealth, noticed func() uint64) (state DeviceState, reason string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	d := o.of(name)
	d.note(now, h, noticed)
	switch {
	case !h.Up && d.why != "" && now.Sub(d.broke) < failedAfter:
		return DeviceFailed, "its driver ended and is started again: " + d.why
	case !h.Up && now.Sub(d.down) < failedAfter:
		return DeviceConnecting, h.Reason
	case !h.Up:
		return DeviceFailed, h.Reason
	}
	if noticed != nil && now.Sub(d.moved) >= unseenFor {
		if n := noticed() - d.noticed; n >= unseen {
			return DeviceSilent, fmt.Sprintf("nothing came while the lane's other devices told of vehicles %d times; check that it is switched on to measure and looks at its lane", n)
		}
	}
	first := d.samples[0]
	bad, good := h.Bad-first.bad, h.Messages-first.messages
	if bad >= someRefused && bad*oneIn > bad+good {
		return DeviceDegraded, fmt.Sprintf("%d of its last %d messages were refused; see the log for why", bad, bad+good)
	}
	if skipped := h.Skipped - first.skipped; skipped >= someGarbage {
		return DeviceDegraded, fmt.Sprintf("%d bytes of the last minute belong to no message; check cable, shield and the settings of the line", skipped)
	}
	return DeviceLive, ""
}

// note keeps what a look needs of the past.
func (d *observed) note(now time.Time, h wim.DeviceHealth, noticed func() uint64) {
	if !h.Up && !d.isDown {
		d.down = now
	}
	d.isDown = !h.Up
	if d.moved.IsZero() || h.Messages != d.messages || !h.Up {
		d.messages, d.moved = h.Messages, now
		if noticed != nil {
			d.noticed = noticed()
		}
	}
	if n := len(d.samples); n == 0 || now.Sub(d.samples[n-1].at) >= sampleEvery {
		d.samples = append(d.samples, sample{now, h.Messages, h.Bad, h.Skipped})
	}
	for len(d.samples) > 1 && now.Sub(d.samples[0].at) > lookBack {
		d.samples = d.samples[1:]
	}
}
