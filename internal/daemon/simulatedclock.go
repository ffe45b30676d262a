package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/axlegate/axlegate/edge"
	"github.com/axlegate/axlegate/wim"
)

// simulatedClock is this machine's clock, set by as much as a file says: so a rehearsal sets the clock of one
// site and not of the machine. While it is set by anything nobody keeps it, as with a real clock that somebody
// has set, and no weighing is evidence.
type simulatedClock struct {
	path   string
	log    *slog.Logger
	offset atomic.Int64
}

// look is how often the file is read.
const lookAtClockFile = 100 * time.Millisecond

// read takes in what the file says: a duration such as -8760h. No file, or an empty one, is none.
func (c *simulatedClock) read() error {
	text, err := os.ReadFile(c.path)
	if err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("clock_file: %w", err)
	}
	by := time.Duration(0)
	if s := strings.TrimSpace(string(text)); s != "" {
		if by, err = time.ParseDuration(s); err != nil {
			return fmt.Errorf("clock_file %s: %w", c.path, err)
		}
	}
	if old := c.offset.Swap(int64(by)); old != int64(by) {
		c.log.Warn("the simulated clock was set", "by", by)
	}
	return nil
}

// run follows the file until ctx ends. A file that is half written is read again.
func (c *simulatedClock) run(ctx context.Context) {
	tick := time.NewTicker(lookAtClockFile)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := c.read(); err != nil {
			c.log.Debug("the simulated clock stays as it is", "err", err)
		}
	}
}

func (c *simulatedClock) by() time.Duration { return time.Duration(c.offset.Load()) }

func (c *simulatedClock) now() time.Time { return time.Now().Add(c.by()).Round(0) }

func (c *simulatedClock) state() wim.ClockState {
	if c.by() != 0 {
		return wim.ClockUnsynchronised
	}
	return wim.ClockSynchronised
}

// scale stamps what a scale reads with the simulated clock.
func (c *simulatedClock) scale(s edge.Scale) edge.Scale { return simulatedScale{s, c} }

type simulatedScale struct {
	edge.Scale
	clock *simulatedClock
}

func (s simulatedScale) Run(ctx context.Context, emit func(wim.Reading)) error {
	return s.Scale.Run(ctx, func(r wim.Reading) {
		r.Arrival += wim.Time(s.clock.by())
		emit(r)
	})
}

// Health is the scale's own, where it tells.
func (s simulatedScale) Health() wim.DeviceHealth { return healthOf(s.Scale) }

// camera does the same for a camera.
func (c *simulatedClock) camera(s edge.Camera) edge.Camera { return simulatedCamera{s, c} }

type simulatedCamera struct {
	edge.Camera
	clock *simulatedClock
}

func (s simulatedCamera) Run(ctx context.Context, emit func(wim.PlateRead, []byte) bool) error {
	return s.Camera.Run(ctx, func(r wim.PlateRead, jpeg []byte) bool {
		r.Arrival += wim.Time(s.clock.by())
		return emit(r, jpeg)
	})
}

// Health is the camera's own, where it tells.
func (s simulatedCamera) Health() wim.DeviceHealth { return healthOf(s.Camera) }

// sizer does the same for a laser unit.
func (c *simulatedClock) sizer(s edge.Sizer) edge.Sizer { return simulatedSizer{s, c} }

type simulatedSizer struct {
	edge.Sizer
	clock *simulatedClock
}

func (s simulatedSizer) Run(ctx context.Context, emit func(wim.Dimensions)) error {
	return s.Sizer.Run(ctx, func(d wim.Dimensions) {
		d.Arrival += wim.Time(s.clock.by())
		emit(d)
	})
}

// Health is the unit's own, where it tells.
func (s simulatedSizer) Health() wim.DeviceHealth { return healthOf(s.Sizer) }

// healthOf is a device's own health, where it tells.
func healthOf(device any) wim.DeviceHealth {
	if h, ok := device.(interface{ Health() wim.DeviceHealth }); ok {
		return h.Health()
	}
	return wim.DeviceHealth{Up: true}
}
