package edge

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// moment is what a device says at a second, and how many vehicles others have noticed by then.
type moment struct {
	at      int
	h       wim.DeviceHealth
	noticed uint64
	ended   string // its driver ended by itself
}

func up(messages, bad, skipped uint64) wim.DeviceHealth {
	return wim.DeviceHealth{Up: true, Messages: messages, Bad: bad, Skipped: skipped}
}

func TestADeviceIsInTheStateThatItsPastMinuteSays(t *testing.T) {
	down := wim.DeviceHealth{Reason: "plug it in"}
	for name, c := range map[string]struct {
		want   DeviceState
		reason string
		past   []moment
	}{
		"one that was never reached is being reached":           {DeviceConnecting, "plug it in", []moment{{at: 0, h: down}, {at: 59, h: down}}},
		"one that is not reached for a minute has failed":       {DeviceFailed, "plug it in", []moment{{at: 0, h: down}, {at: 60, h: down}}},
		"one that is lost is being reached":                     {DeviceConnecting, "plug it in", []moment{{at: 0, h: up(9, 0, 0)}, {at: 300, h: down}}},
		"one that comes back is live":                           {DeviceLive, "", []moment{{at: 0, h: down}, {at: 100, h: down}, {at: 110, h: up(1, 0, 0)}}},
		"a minute is counted from the last loss":                {DeviceConnecting, "plug it in", []moment{{at: 0, h: down}, {at: 50, h: up(5, 0, 0)}, {at: 55, h: down}, {at: 114, h: down}}},
		"one whose driver ended has failed at once":             {DeviceFailed, "its driver ended", []moment{{at: 0, h: down, ended: "panic: nil"}}},
		"one whose driver ended and works again is live":        {DeviceLive, "", []moment{{at: 0, h: down, ended: "panic: nil"}, {at: 3, h: up(1, 0, 0)}}},
		"what was refused long ago counts no more":              {DeviceLive, "", []moment{{at: 0, h: up(100, 50, 900)}, {at: 70, h: up(200, 50, 900)}}},
		"two refused messages are chance":                       {DeviceLive, "", []moment{{at: 0, h: up(100, 0, 0)}, {at: 10, h: up(110, 2, 0)}}},
		"three of ten refused disturb it":                       {DeviceDegraded, "3 of its last 10", []moment{{at: 0, h: up(100, 0, 0)}, {at: 10, h: up(107, 3, 0)}}},
		"three of a thousand do not":                            {DeviceLive, "", []moment{{at: 0, h: up(0, 0, 0)}, {at: 10, h: up(997, 3, 0)}}},
		"garbage between messages disturbs it":                  {DeviceDegraded, "64 bytes", []moment{{at: 0, h: up(0, 0, 10)}, {at: 10, h: up(10, 0, 74)}}},
		"a camera that reads nothing while vehicles pass":       {DeviceSilent, "10 times", []moment{{at: 0, h: up(5, 0, 0), noticed: 3}, {at: 90, h: up(5, 0, 0), noticed: 13}}},
		"a camera that missed nine vehicles may have had cause": {DeviceLive, "", []moment{{at: 0, h: up(5, 0, 0), noticed: 3}, {at: 90, h: up(5, 0, 0), noticed: 12}}},
		"a camera on an empty road is live":                     {DeviceLive, "", []moment{{at: 0, h: up(5, 0, 0), noticed: 3}, {at: 9000, h: up(5, 0, 0), noticed: 3}}},
		"a camera that reads now and then is live":              {DeviceLive, "", []moment{{at: 0, h: up(5, 0, 0)}, {at: 60, h: up(6, 0, 0), noticed: 9}, {at: 120, h: up(6, 0, 0), noticed: 18}}},
	} {
		t.Run(name, func(t *testing.T) {
			o, begin := newOverseer(), time.Now()
			var state DeviceState
			var reason string
			for _, m := range c.past {
				now := begin.Add(time.Duration(m.at) * time.Second)
				if m.ended != "" {
					o.ended("x", now, errors.New(m.ended))
				}
				state, reason = o.look("x", now, m.h, func() uint64 { return m.noticed })
			}
			if state != c.want || !strings.Contains(reason, c.reason) || (reason == "") != (state == DeviceLive) {
				t.Errorf("%s: %q, want %s", state, reason, c.want)
			}
		})
	}
}

func TestADeviceWhoseSilenceSaysNothingIsNeverSilent(t *testing.T) {
	o, now := newOverseer(), time.Now()
	for range 100 {
		now = now.Add(time.Minute)
		if s, why := o.look("sign", now, up(1, 0, 0), nil); s != DeviceLive {
			t.Fatal(s, why)
		}
	}
	if n := len(o.devices["sign"].samples); n > 14 {
		t.Errorf("%d samples are kept", n)
	}
}
