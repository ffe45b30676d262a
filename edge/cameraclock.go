package edge

import (
	"fmt"
	"slices"
	"time"

	"github.com/axlegate/axlegate/wim"
)

const (
	// prompt is the delay, beyond the usual one, up to which a read stands at its arrival.
	prompt = 2 * time.Second
	// settledAt is how many reads it takes to know a camera's clock, and to believe that it was set.
	settledAt = 4
	// unbelievable is a delay that is a wrong clock and no delay: a camera that starts in 1970.
	unbelievable = 24 * time.Hour
	// astray is how far a camera's clock may be off before a person is told. Vehicles are found all the same; what its
	// pictures show as their time is wrong.
	astray = 5 * time.Second
)

// cameraClock learns how far a camera's clock trails the site's: the median of arrival less device time over the
// latest prompt reads. So a read that the camera delivers late still stands at the moment it was taken.
//
// Reads that come late and clocks that are set look alike one by one. Late reads that are delivered together have
// delays that differ by as much as their vehicles lay apart; after a clock was set all delays are the same. So late
// reads are kept out of the median until several in a row agree.
type cameraClock struct {
	lags [32]time.Duration // of prompt reads, a ring
	n    int               // of lags, since the clock is known
	odd  [settledAt]time.Duration
	odds int // of odd, in a row
}

// captured says when, by the site's clock, the plate was seen, and learns from the read. doubt is set where that
// rests on a camera clock that has not been compared often enough yet. late is the longest delay that is believed
// of a clock that is not known.
func (c *cameraClock) captured(r *wim.PlateRead, late time.Duration) (t wim.Time, doubt bool) {
	if r.DeviceTime == 0 {
		return r.Arrival, false
	}
	lag := time.Duration(r.Arrival - r.DeviceTime)
	usual, settled := c.offset()
	if !settled {
		c.learn(lag)
		if lag > prompt && lag <= late { // it looks late, if the two clocks agree
			return r.DeviceTime, true
		}
		return r.Arrival, false
	}
	if (lag - usual).Abs() <= prompt {
		c.odds = 0
		c.learn(lag)
		return r.Arrival, false
	}
	if c.set(lag) || lag < usual || lag-usual > unbelievable { // no plate is seen after it arrives, and none is kept so long
		return r.Arrival, false
	}
	return r.DeviceTime + wim.Time(usual), false
}

func (c *cameraClock) learn(lag time.Duration) {
	c.lags[c.n%len(c.lags)] = lag
	c.n++
}

// set takes in a delay that is not the usual one, and tells whether the camera's clock was set: then it is known
// anew.
func (c *cameraClock) set(lag time.Duration) bool {
	c.odd[c.odds%len(c.odd)] = lag
	c.odds++
	if c.odds < len(c.odd) || slices.Max(c.odd[:])-slices.Min(c.odd[:]) > prompt/2 {
		return false
	}
	c.n, c.odds = 0, 0
	for _, l := range c.odd {
		c.learn(l)
	}
	return true
}

// offset is how far the camera's clock trails the site's, the line's usual delay included; known is false while
// too few reads were compared.
func (c *cameraClock) offset() (d time.Duration, known bool) {
	if c.n < settledAt {
		return 0, false
	}
	lags := slices.Clone(c.lags[:min(c.n, len(c.lags))])
	slices.Sort(lags)
	return lags[(len(lags)-1)/2], true
}

// shift moves what is known along with the site's clock, which was set by so much.
func (c *cameraClock) shift(by time.Duration) {
	for i := range c.lags {
		c.lags[i] += by
	}
	for i := range c.odd {
		c.odd[i] += by
	}
}

// cameraOffsets is the offsets of a lane's cameras that are known, for who is no part of the lane's goroutine.
func (l *lane) cameraOffsets(each func(device string, offset time.Duration)) {
	for i := range l.cfg.Cameras {
		name := l.cfg.Cameras[i].Device
		if d := l.offsets[name].Load(); d != nil {
			each(name, *d)
		}
	}
}

// clockOf publishes what is known of a camera's clock.
func (l *lane) clockOf(camera string) {
	at, ok := l.offsets[camera]
	if c := l.match.clocks[camera]; ok && c != nil {
		if d, known := c.offset(); known {
			at.Store(&d)
		}
	}
}

// clockAdvice tells a person what to do about a camera's clock; empty when it is near enough.
func clockAdvice(device string, offset time.Duration) string {
	if offset.Abs() <= astray {
		return ""
	}
	which := "behind"
	if offset < 0 {
		which = "ahead of"
	}
	return fmt.Sprintf("the clock of %s lies %s %s the site's: set it, and have a time service keep it", device, offset.Abs().Round(100*time.Millisecond), which)
}
