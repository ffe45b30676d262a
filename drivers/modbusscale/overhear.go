package modbusscale

import (
	"errors"

	"github.com/axlegate/axlegate/wim"
)

// Overheard is what registers that somebody else read hold by a profile: the state where all of it is there, and the events of whole
// slots. Readings have no boot and no arrival. addr is the first register's, as it goes over the wire.
func Overheard(p Profile, function byte, addr uint16, regs []uint16) (boot, newest uint32, state bool, events []wim.Reading, err error) {
	if int(function) != p.Function {
		return 0, 0, false, nil, nil
	}
	l := newLayout(p)
	end := int(addr) + len(regs)
	if int(addr) <= int(l.first) && end >= int(l.first)+int(l.count) {
		from := int(l.first - addr)
		st := l.state(regs[from : from+int(l.count)])
		boot, newest, state = st.boot, st.counter, true
	}
	ring := int(l.Base) + int(l.Ring.At)
	for i := range l.Ring.Slots {
		at := ring + i*l.Ring.Registers
		if at < int(addr) || at+l.Ring.Registers > end {
			continue
		}
		slot := regs[at-int(addr) : at-int(addr)+l.Ring.Registers]
		number := l.value(slot, l.Event.Sequence, 0)
		if number == 0 && l.value(slot, l.Event.SequenceAgain, 0) == 0 {
			continue // nothing was ever there
		}
		r, _, eerr := l.event(slot, number)
		if eerr != nil {
			err = errors.Join(err, eerr)
			continue
		}
		events = append(events, r)
	}
	return boot, newest, state, events, err
}
