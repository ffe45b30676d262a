package edge

import (
	"fmt"

	"github.com/axlegate/axlegate/wim"
)

// sequence follows the numbers of one scale's messages. One lane goroutine owns it.
type sequence struct {
	lane   wim.LaneID
	device string

	known bool // the device has been seen, in this run or before
	boot  uint32
	last  uint32   // last message of boot that was taken in or named by a gap
	at    wim.Time // arrival of the last message, 0 before the first of this run
}

// step is what a reading's number tells.
type step uint8

const (
	stepNext     step = iota // the reading is the next one, or follows a gap
	stepRepeated             // it has been taken in before: drop it
	stepRestart              // the device started anew before it
)

// look compares a numbered reading with what came before, without moving. missing is what lies between, nil
// for nothing; for a heartbeat its own number is among it, because a heartbeat repeats the last number used.
func (s *sequence) look(r *wim.Reading) (st step, missing *wim.Gap) {
	upto := r.Seq - 1
	if r.Kind == wim.Heartbeat {
		upto = r.Seq
	}
	gap := &wim.Gap{Lane: s.lane, Device: s.device, Boot: r.Boot, To: upto, Since: s.at, Until: r.Arrival}
	switch {
	case !s.known:
		if upto == 0 {
			return stepNext, nil
		}
		gap.Cause, gap.From = wim.GapFirstContact, 1
		return stepNext, gap
	case r.Boot != s.boot:
		gap.Cause, gap.From, gap.LastBoot, gap.LastSeq = wim.GapRestart, 1, s.boot, s.last
		return stepRestart, gap
	case r.Kind != wim.Heartbeat && r.Seq <= s.last:
		return stepRepeated, nil
	case upto <= s.last:
		return stepNext, nil
	}
	gap.Cause, gap.From = wim.GapSequence, s.last+1
	gap.Detail = fmt.Sprintf("%d messages missing", upto-s.last)
	return stepNext, gap
}

// take moves to the reading.
func (s *sequence) take(r *wim.Reading) {
	if r.Boot != s.boot || !s.known {
		s.boot, s.last = r.Boot, 0
	}
	s.known, s.last, s.at = true, max(s.last, r.Seq), r.Arrival
}
