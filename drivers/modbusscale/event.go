package modbusscale

import (
	"errors"
	"fmt"
	"math"

	"github.com/axlegate/axlegate/wim"
)

// Why a slot does not count.
var (
	errTorn  = errors.New("slot does not hold the event that was asked for, or is in the making")
	errValue = errors.New("a value that no event has")
)

// state is what one request over the state registers told.
type state struct {
	boot    uint32
	counter uint32 // in the device's width
	time    uint32 // in the device's width and unit
	status  uint16
	slots   int // 0 where the device does not tell
}

// layout is a profile made ready for decoding.
type layout struct {
	Profile
	lowFirst   bool
	first      uint16 // of the state request, base included
	count      uint16
	tick       int64  // nanoseconds of one unit of the device's clock
	timeMask   uint32 // by its width
	numberMask uint32 // by the counter's width
	perRequest int    // slots
	flags      [16]wim.Flag
}

func newLayout(p Profile) layout {
	first, last := p.stateSpan()
	l := layout{
		Profile: p, lowFirst: p.Words == "low-first", first: p.Base + uint16(first), count: uint16(last - first + 1),
		tick: aTime.factor(p.State.Time.Unit) * int64(p.State.Time.Scale), timeMask: mask(p.State.Time), numberMask: mask(p.State.Counter),
		perRequest: p.MaxRegisters / p.Ring.Registers,
	}
	for _, g := range p.Flags.list() {
		if g.bit != nil {
			l.flags[*g.bit] = g.flag
		}
	}
	return l
}

func mask(f *Field) uint32 {
	if f.Width == 32 {
		return math.MaxUint32
	}
	return math.MaxUint16
}

// value reads a field out of registers of which the first has address from.
func (l *layout) value(regs []uint16, f *Field, from uint16) uint32 {
	i := int(f.At - from)
	if f.Width == 16 {
		return uint32(regs[i])
	}
	if l.lowFirst {
		return uint32(regs[i+1])<<16 | uint32(regs[i])
	}
	return uint32(regs[i])<<16 | uint32(regs[i+1])
}

// state decodes the answer to a state request.
func (l *layout) state(regs []uint16) state {
	from := l.first - l.Base
	st := state{boot: l.value(regs, l.State.Boot, from), counter: l.value(regs, l.State.Counter, from), time: l.value(regs, l.State.Time, from)}
	if f := l.State.Status; f != nil {
		st.status = uint16(l.value(regs, f, from))
	}
	if f := l.State.Slots; f != nil {
		st.slots = int(l.value(regs, f, from))
	}
	return st
}

// ailing says what the status register complains of; nil for nothing.
func (l *layout) ailing(status uint16) error {
	switch w, f := l.Status.Weighing, l.Status.Fault; {
	case f != nil && status&(1<<*f) != 0:
		return fmt.Errorf("the scale reports a fault (status %04X); see its own display", status)
	case w != nil && status&(1<<*w) == 0:
		return fmt.Errorf("the scale says that it does not weigh (status %04X); see its own display", status)
	}
	return nil
}

// slot is where an event lies, base included, and how many slots follow up to the ring's end, itself
// included.
func (l *layout) slot(number uint32) (addr uint16, rest int) {
	i := int(number) & (l.Ring.Slots - 1) // a power of two, so that it divides every counter's round
	return l.Base + l.Ring.At + uint16(i*l.Ring.Registers), l.Ring.Slots - i
}

// event decodes a slot that should hold an event. The reading has no boot and no arrival yet. ticks is the
// device's clock at the event, in its own width and unit.
func (l *layout) event(regs []uint16, number uint32) (r wim.Reading, ticks uint32, err error) {
	e := &l.Event
	raw := number & l.numberMask
	if head, tail := l.value(regs, e.Sequence, 0), l.value(regs, e.SequenceAgain, 0); head != raw || tail != raw {
		return r, 0, fmt.Errorf("%w: want %d, have %d and %d", errTorn, raw, head, tail)
	}
	ticks = l.value(regs, e.Time, 0)
	r.Seq, r.DeviceTime = number, int64(ticks)*l.tick
	mass, ok := l.amount(regs, e.Mass, aMass)
	index := l.value(regs, e.Index, 0)
	speed, okSpeed := l.amount(regs, e.Speed, aSpeed)
	distance, okDistance := l.amount(regs, e.Distance, aLength)
	if !ok || !okSpeed || !okDistance || index > math.MaxUint8 {
		return r, 0, fmt.Errorf("%w: event %d", errValue, number)
	}
	var flags wim.Flag
	if e.Flags != nil {
		v := l.value(regs, e.Flags, 0)
		for bit, f := range l.flags {
			if v&(1<<bit) != 0 {
				flags |= f
			}
		}
	}
	switch kind := uint16(l.value(regs, e.Kind, 0)); kind {
	case l.Kinds.Axle:
		left, okLeft := l.wheel(regs, e.Left)
		right, okRight := l.wheel(regs, e.Right)
		if !okLeft || !okRight {
			return r, 0, fmt.Errorf("%w: wheel load of event %d", errValue, number)
		}
		r.Kind = wim.AxleReading
		r.Axle = wim.Axle{Index: uint8(index), Load: wim.Kg(mass), Left: left, Right: right, Speed: wim.DeciKmh(speed), Spacing: wim.Mm(distance), Flags: flags}
	case l.Kinds.VehicleEnd:
		r.Kind = wim.VehicleEnd
		r.Gross, r.AxleCount, r.Speed, r.Length, r.Flags = wim.Kg(mass), uint8(index), wim.DeciKmh(speed), wim.Mm(distance), flags
	default:
		return r, 0, fmt.Errorf("%w: kind %d of event %d", errValue, kind, number)
	}
	return r, ticks, nil
}

// amount reads a value in the unit that package wim counts in; 0 for a field that the device does not
// have. ok is false for what 31 bits cannot hold: it is refused and not cut to size.
func (l *layout) amount(regs []uint16, f *Field, what quantity) (v int32, ok bool) {
	if f == nil {
		return 0, true
	}
	x := int64(l.value(regs, f, 0)) * int64(f.Scale) * what.factor(f.Unit)
	return int32(x), x <= math.MaxInt32
}

// wheel reads a wheel load; all bits 1 mean not measured.
func (l *layout) wheel(regs []uint16, f *Field) (wim.Kg, bool) {
	if f == nil || l.value(regs, f, 0) == mask(f) {
		return wim.NotMeasured, true
	}
	v, ok := l.amount(regs, f, aMass)
	return wim.Kg(v), ok
}
