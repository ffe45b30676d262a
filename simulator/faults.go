package simulator

import (
	"context"
	"slices"
	"time"
)

// garbageBytes is how many bytes one fault puts on the line.
const garbageBytes = 40

// strikes lists the faults that hit vehicle n, scripted and asked for at the control port.
func (s *Simulator) strikes(l *simLane, n int) (kinds []FaultKind, longest time.Duration) {
	for i := range s.scenario.Faults {
		f := &s.scenario.Faults[i]
		if f.Lane == l.Lane.Lane && f.hits(n) {
			kinds = append(kinds, f.Kind)
			longest = max(longest, f.For.Std())
		}
	}
	select {
	case f := <-l.pending:
		kinds = append(kinds, f.Kind)
		longest = max(longest, f.For.Std())
	default:
	}
	return kinds, longest
}

// before does to the scale what must be done before the vehicle comes.
func (s *Simulator) before(l *simLane, strike []FaultKind, d time.Duration) error {
	for _, k := range strike {
		if err := s.strikeScale(l, k, d); err != nil {
			return err
		}
	}
	return nil
}

// strikeScale does what needs no vehicle. A cable is plugged in again while the traffic goes on.
func (s *Simulator) strikeScale(l *simLane, k FaultKind, d time.Duration) error {
	switch k {
	case Garbage, Silence, LateReply, Overrun, Torn, WrongUnit, Swapped, HalfFrame, RepeatFrame:
		l.scale.strike(k, d)
		s.note(string(k), l)
	case Reboot:
		for _, c := range []*camera{l.front, l.rear} {
			if c != nil {
				c.reboot(d)
			}
		}
		s.note(string(k), l)
	case Restart:
		return s.Restart(l.Lane.Lane)
	case Cable:
		if err := s.Pull(l.Lane.Lane); err != nil {
			return err
		}
		select {
		case l.out <- d:
		default: // so many wait that it stays out long enough
		}
	case DropFrame, NoPlate, BadPicture, LatePlate, RepeatEvent, NoPicture, WrongClock:
	}
	return nil
}

// mend plugs a lane's cable in again. A cable that is pulled once more meanwhile stays out for the new time.
func (s *Simulator) mend(ctx context.Context, l *simLane) error {
	t := time.NewTimer(time.Hour)
	t.Stop()
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case d := <-l.out:
			t.Reset(d)
		case <-t.C:
			if err := s.Plug(l.Lane.Lane); err != nil {
				s.log.Error("cable cannot be plugged in again; plug it at the control port", "lane", l.Lane.Lane, "error", err)
			}
		}
	}
}

// strikeAt waits for the time of a fault that comes by time.
func (s *Simulator) strikeAt(ctx context.Context, l *simLane, f Fault) error {
	if !wait(ctx, f.At.Std()) {
		return nil
	}
	if f.Kind.needsNoVehicle() {
		return s.strikeScale(l, f.Kind, f.For.Std())
	}
	select {
	case l.pending <- f:
	case <-ctx.Done():
	}
	return nil
}

// needsNoVehicle tells whether it strikes a device and not what passes.
func (k FaultKind) needsNoVehicle() bool {
	switch k {
	case Garbage, Restart, Cable, Reboot, Silence, LateReply, Overrun, Torn, WrongUnit, Swapped, HalfFrame, RepeatFrame:
		return true
	case DropFrame, NoPlate, BadPicture, LatePlate, RepeatEvent, NoPicture, WrongClock:
	}
	return false
}

// has tells whether a fault is among those that hit.
func has(list []FaultKind, k FaultKind) bool { return slices.Contains(list, k) }
