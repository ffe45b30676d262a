package edge

import (
	"syscall"

	"github.com/axlegate/axlegate/wim"
)

// staUnsync is STA_UNSYNC and timeError TIME_ERROR of adjtimex(2).
const (
	staUnsync = 0x0040
	timeError = 5
)

// SystemClock asks the kernel whether a time service keeps the clock.
func SystemClock() wim.ClockState {
	var t syscall.Timex // modes 0: read only
	state, err := syscall.Adjtimex(&t)
	switch {
	case err != nil:
		return wim.ClockUnknown
	case state == timeError, t.Status&staUnsync != 0:
		return wim.ClockUnsynchronised
	}
	return wim.ClockSynchronised
}
