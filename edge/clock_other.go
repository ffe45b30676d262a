//go:build !linux

package edge

import (
	"time"

	"github.com/axlegate/axlegate/wim"
)

// SystemClock cannot tell on this system.
func SystemClock() wim.ClockState { return wim.ClockUnknown }

func elapsed() time.Duration { return sinceStart() }
