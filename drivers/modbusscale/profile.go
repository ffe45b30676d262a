package modbusscale

import (
	"fmt"
	"math"
	"math/bits"
	"strings"
	"time"

	"github.com/axlegate/axlegate/internal/conf"
	"github.com/axlegate/axlegate/wim"
)

// Limits of a profile.
const (
	maxRegisters = 125  // of one request, by the protocol
	maxSlots     = 1024 // as many readings as a lane's queue takes at once
	maxScale     = 100_000
)

// Profile is the register layout of a kind of scale: a page of YAML in configs/devices. All addresses are
// the ones in the frame, from 0.
type Profile struct {
	Kind         string        `yaml:"kind"` // "axle-scale"
	Name         string        `yaml:"name"`
	Function     int           `yaml:"function"`      // 3 holding registers, 4 input registers
	Base         uint16        `yaml:"base"`          // added to the addresses of state and ring
	Words        string        `yaml:"words"`         // "high-first" or "low-first", of 32-bit values
	MaxRegisters int           `yaml:"max_registers"` // in one request; 0 means 125
	Poll         conf.Duration `yaml:"poll"`          // between two looks at the counter
	Timeout      conf.Duration `yaml:"timeout"`       // for one request; 0 means 500 ms
	State        State         `yaml:"state"`
	Status       Status        `yaml:"status"`
	Ring         Ring          `yaml:"ring"`
	Event        Event         `yaml:"event"`
	Kinds        Kinds         `yaml:"kinds"`
	Flags        Flags         `yaml:"flags"`
}

// Field is one value: where it lies and what it counts.
type Field struct {
	At    uint16 `yaml:"at"`
	Width int    `yaml:"width"` // 16 or 32 bits; 0 means 16
	Unit  string `yaml:"unit"`
	Scale int    `yaml:"scale"` // the register times this is in units; 0 means 1
}

// State is what is read to learn whether there is something new. At is an address.
type State struct {
	Boot    *Field `yaml:"boot"`
	Counter *Field `yaml:"counter"`
	Time    *Field `yaml:"time"`
	Status  *Field `yaml:"status"`
	Slots   *Field `yaml:"slots"` // nil: the device does not tell its ring's length
}

// Status names bits of the status register; nil where the device has none.
type Status struct {
	Weighing *uint8 `yaml:"weighing"`
	Fault    *uint8 `yaml:"fault"`
}

// Ring says where the events lie: event n in slot n mod Slots.
type Ring struct {
	At        uint16 `yaml:"at"`
	Slots     int    `yaml:"slots"`
	Registers int    `yaml:"registers"` // of one slot
}

// Event is one slot. At is a place within it, from 0. Fields that may be nil say so.
type Event struct {
	Sequence      *Field `yaml:"sequence"`
	Kind          *Field `yaml:"kind"`
	Index         *Field `yaml:"index"`
	Time          *Field `yaml:"time"`
	Mass          *Field `yaml:"mass"`
	Left          *Field `yaml:"left"`     // may be nil
	Right         *Field `yaml:"right"`    // may be nil
	Speed         *Field `yaml:"speed"`    // may be nil
	Distance      *Field `yaml:"distance"` // may be nil
	Flags         *Field `yaml:"flags"`    // may be nil
	SequenceAgain *Field `yaml:"sequence_again"`
}

// Kinds are the values of the kind register.
type Kinds struct {
	Axle       uint16 `yaml:"axle"`
	VehicleEnd uint16 `yaml:"vehicle_end"`
}

// Flags names bits of the flags register; nil where the device does not know such a thing.
type Flags struct {
	OffScale        *uint8 `yaml:"off_scale"`
	Straddling      *uint8 `yaml:"straddling"`
	SpeedOutOfRange *uint8 `yaml:"speed_out_of_range"`
	Acceleration    *uint8 `yaml:"acceleration"`
	Tailgating      *uint8 `yaml:"tailgating"`
	MissedAxle      *uint8 `yaml:"missed_axle"`
	OverCapacity    *uint8 `yaml:"over_capacity"`
	Reverse         *uint8 `yaml:"reverse"`
}

// quantity is what a field measures. It decides which units there are.
type quantity uint8

const (
	plainNumber quantity = iota
	aTime
	aMass
	aSpeed
	aLength
)

// factor is one unit of a quantity in what package wim counts in, nanoseconds for a time; 0 for a unit that
// there is not.
func (q quantity) factor(unit string) int64 {
	for _, u := range q.units() {
		if u.name == unit {
			return u.factor
		}
	}
	return 0
}

type unit struct {
	name   string
	factor int64
}

func (q quantity) units() []unit {
	switch q {
	case aTime:
		return []unit{{"ms", int64(time.Millisecond)}, {"10ms", int64(10 * time.Millisecond)}, {"s", int64(time.Second)}}
	case aMass:
		return []unit{{"kg", 1}}
	case aSpeed:
		return []unit{{"0.1km/h", 1}, {"km/h", 10}}
	case aLength:
		return []unit{{"mm", 1}, {"cm", 10}}
	case plainNumber:
	}
	return []unit{{"", 1}}
}

// String lists the units for an error message.
func (q quantity) String() string {
	if q == plainNumber {
		return "none"
	}
	var names []string
	for _, u := range q.units() {
		names = append(names, u.name)
	}
	return strings.Join(names, ", ")
}

// LoadProfile reads a profile strictly; name stands in errors, with line and column.
func LoadProfile(name string, yaml []byte) (Profile, error) {
	var p Profile
	if err := conf.Decode(name, yaml, &p); err != nil {
		return Profile{}, err
	}
	p.defaults()
	if m := p.mistake(); m != nil {
		return Profile{}, conf.Fault(name, yaml, "$."+m.path, m.path+": "+m.msg, m.hint)
	}
	return p, nil
}

// check fills in defaults and says what is wrong with a profile that was not loaded from a file. It is not
// called Validate, which conf.Decode would call before the place of a mistake is known.
func (p *Profile) check() error {
	p.defaults()
	if m := p.mistake(); m != nil {
		return fmt.Errorf("%s: %s", m.path, m.msg)
	}
	return nil
}

// mistake is what is wrong at a place of the profile.
type mistake struct{ path, msg, hint string }

func wrong(path, format string, args ...any) *mistake {
	return &mistake{path: path, msg: fmt.Sprintf(format, args...)}
}

// named is a field with what may stand in it.
type named struct {
	path   string
	field  *Field
	needed bool
	what   quantity
	wide   bool // 32 bits are possible
}

func (p *Profile) stateFields() []named {
	s := &p.State
	return []named{
		{"state.boot", s.Boot, true, plainNumber, true},
		{"state.counter", s.Counter, true, plainNumber, true},
		{"state.time", s.Time, true, aTime, true},
		{"state.status", s.Status, p.Status.Weighing != nil || p.Status.Fault != nil, plainNumber, false},
		{"state.slots", s.Slots, false, plainNumber, false},
	}
}

func (p *Profile) eventFields() []named {
	e := &p.Event
	return []named{
		{"event.sequence", e.Sequence, true, plainNumber, true},
		{"event.kind", e.Kind, true, plainNumber, false},
		{"event.index", e.Index, true, plainNumber, false},
		{"event.time", e.Time, true, aTime, true},
		{"event.mass", e.Mass, true, aMass, true},
		{"event.left", e.Left, false, aMass, true},
		{"event.right", e.Right, false, aMass, true},
		{"event.speed", e.Speed, false, aSpeed, true},
		{"event.distance", e.Distance, false, aLength, true},
		{"event.flags", e.Flags, p.Flags != Flags{}, plainNumber, false},
		{"event.sequence_again", e.SequenceAgain, true, plainNumber, true},
	}
}

func (p *Profile) defaults() {
	if p.MaxRegisters == 0 {
		p.MaxRegisters = maxRegisters
	}
	for _, n := range append(p.stateFields(), p.eventFields()...) {
		if f := n.field; f != nil {
			if f.Width == 0 {
				f.Width = 16
			}
			if f.Scale == 0 {
				f.Scale = 1
			}
		}
	}
}

func (p *Profile) mistake() *mistake {
	switch {
	case p.Kind != "axle-scale":
		return wrong("kind", "%q, want axle-scale", p.Kind)
	case p.Function != 3 && p.Function != 4:
		return wrong("function", "%d, want 3 (holding registers) or 4 (input registers)", p.Function)
	case p.Words != "high-first" && p.Words != "low-first":
		return wrong("words", "%q, want high-first or low-first", p.Words)
	case p.MaxRegisters < 1 || p.MaxRegisters > maxRegisters:
		return wrong("max_registers", "%d, want 1 to %d", p.MaxRegisters, maxRegisters)
	case p.Poll <= 0:
		return wrong("poll", "%s, want a pause such as 50ms", p.Poll.Std())
	case p.Ring.Slots < 2 || p.Ring.Slots > maxSlots || bits.OnesCount(uint(p.Ring.Slots)) != 1:
		return wrong("ring.slots", "%d, want a power of two from 2 to %d", p.Ring.Slots, maxSlots)
	case p.Ring.Registers < 1 || p.Ring.Registers > p.MaxRegisters:
		return wrong("ring.registers", "%d, want 1 to max_registers, %d: a slot must fit one request", p.Ring.Registers, p.MaxRegisters)
	case int(p.Base)+int(p.Ring.At)+p.Ring.Slots*p.Ring.Registers-1 > math.MaxUint16:
		return wrong("ring", "its last register is beyond %d", math.MaxUint16)
	case p.Kinds.Axle == p.Kinds.VehicleEnd:
		return wrong("kinds", "an axle and a vehicle end have one number, so they could not be told apart")
	}
	if m := p.fieldMistake(); m != nil {
		return m
	}
	first, last := p.stateSpan()
	switch n := last - first + 1; {
	case n > p.MaxRegisters:
		return wrong("state", "registers %d to %d do not fit one request of %d; only one request is answered from one moment", first, last, p.MaxRegisters)
	case int(p.Base)+last > math.MaxUint16:
		return wrong("state", "its last register is beyond %d", math.MaxUint16)
	case n%p.Ring.Registers == 0:
		return &mistake{"state", fmt.Sprintf("its %d registers are as many as %d slots, so a late answer to the one could be taken for the other", n, n/p.Ring.Registers),
			"let one slot or the state be a register longer"}
	}
	return p.bitMistake()
}

func (p *Profile) fieldMistake() *mistake {
	check := func(list []named, end int) *mistake {
		taken := map[int]string{}
		for _, n := range list {
			f := n.field
			switch {
			case f == nil && n.needed:
				return wrong(n.path, "is missing")
			case f == nil:
				continue
			case f.Width != 16 && (f.Width != 32 || !n.wide):
				return wrong(n.path+".width", "%d bits, want 16%s", f.Width, map[bool]string{true: " or 32"}[n.wide])
			case n.what.factor(f.Unit) == 0:
				return wrong(n.path+".unit", "%q is no unit of it; there is: %s", f.Unit, n.what)
			case f.Scale < 1 || f.Scale > maxScale:
				return wrong(n.path+".scale", "%d, want 1 to %d", f.Scale, maxScale)
			case end > 0 && int(f.At)+f.registers() > end:
				return wrong(n.path+".at", "%d lies behind the slot's end; a slot has registers 0 to %d", f.At, end-1)
			}
			for i := range f.registers() {
				if other, ok := taken[int(f.At)+i]; ok {
					return wrong(n.path+".at", "register %d is %s already", int(f.At)+i, other)
				}
				taken[int(f.At)+i] = n.path
			}
		}
		return nil
	}
	if m := check(p.stateFields(), 0); m != nil {
		return m
	}
	if m := check(p.eventFields(), p.Ring.Registers); m != nil {
		return m
	}
	s, e := &p.State, &p.Event
	switch {
	case e.Sequence.Width != s.Counter.Width:
		return wrong("event.sequence.width", "%d bits, but the counter has %d", e.Sequence.Width, s.Counter.Width)
	case e.SequenceAgain.Width != s.Counter.Width:
		return wrong("event.sequence_again.width", "%d bits, but the counter has %d", e.SequenceAgain.Width, s.Counter.Width)
	case e.SequenceAgain.At < e.Sequence.At:
		return wrong("event.sequence_again.at", "%d lies before the sequence itself; only around the values they show a slot in the making", e.SequenceAgain.At)
	case e.Time.Width != s.Time.Width || e.Time.Unit != s.Time.Unit || e.Time.Scale != s.Time.Scale:
		return wrong("event.time", "width, unit and scale must be those of state.time: the age of an event is their difference")
	}
	for _, n := range p.eventFields() {
		f := n.field
		if f != nil && n.path != "event.sequence" && n.path != "event.sequence_again" && (f.At < e.Sequence.At || f.At > e.SequenceAgain.At) {
			return wrong(n.path+".at", "%d lies outside of the two sequences; only between them they guard it", f.At)
		}
	}
	return nil
}

func (p *Profile) bitMistake() *mistake {
	taken := map[uint8]string{}
	for _, g := range p.Flags.list() {
		path, f := "flags."+g.key, g.bit
		switch {
		case f == nil:
		case *f > 15:
			return wrong(path, "bit %d, want 0 to 15", *f)
		case taken[*f] != "":
			return wrong(path, "bit %d is %s already", *f, taken[*f])
		default:
			taken[*f] = path
		}
	}
	w, f := p.Status.Weighing, p.Status.Fault
	switch {
	case w != nil && *w > 15:
		return wrong("status.weighing", "bit %d, want 0 to 15", *w)
	case f != nil && *f > 15:
		return wrong("status.fault", "bit %d, want 0 to 15", *f)
	case w != nil && f != nil && *w == *f:
		return wrong("status.fault", "bit %d is status.weighing already", *f)
	}
	return nil
}

// flagBit is where one of our flags stands in the device's register; bit is nil when it does not know it.
type flagBit struct {
	key  string
	bit  *uint8
	flag wim.Flag
}

func (f *Flags) list() [8]flagBit {
	return [...]flagBit{
		{"off_scale", f.OffScale, wim.OffScale}, {"straddling", f.Straddling, wim.Straddling},
		{"speed_out_of_range", f.SpeedOutOfRange, wim.SpeedOutOfRange}, {"acceleration", f.Acceleration, wim.Acceleration},
		{"tailgating", f.Tailgating, wim.Tailgating}, {"missed_axle", f.MissedAxle, wim.MissedAxle},
		{"over_capacity", f.OverCapacity, wim.OverCapacity}, {"reverse", f.Reverse, wim.Reverse},
	}
}

func (f *Field) registers() int { return f.Width / 16 }

// stateSpan is the first and last register that the state needs, without the base.
func (p *Profile) stateSpan() (first, last int) {
	first = math.MaxUint16
	for _, n := range p.stateFields() {
		if n.field != nil {
			first = min(first, int(n.field.At))
			last = max(last, int(n.field.At)+n.field.registers()-1)
		}
	}
	return first, last
}
