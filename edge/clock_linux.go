package edge

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/axlegate/axlegate/wim"
)

// SystemClock asks the kernel whether a time service keeps the clock.
func SystemClock() wim.ClockState {
	var t unix.Timex // modes 0: read only
	state, err := unix.Adjtimex(&t)
	switch {
	case err != nil:
		return wim.ClockUnknown
	case state == unix.TIME_ERROR, t.Status&unix.STA_UNSYNC != 0:
		return wim.ClockUnsynchronised
	}
	return wim.ClockSynchronised
}

// elapsed is the time since the machine booted, sleep included: a machine that slept was not set.
func elapsed() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		return sinceStart()
	}
	return time.Duration(t.Nano())
}
