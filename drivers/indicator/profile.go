package indicator

import (
	"fmt"
	"math"

	"github.com/axlegate/axlegate/internal/conf"
	"github.com/axlegate/axlegate/wim"
)

// Limits of a profile.
const (
	maxRegisters = 125 // of one request, by the protocol
	maxDecimals  = 6
	maxScale     = 100_000
)

// Profile is the register layout of a kind of indicator: a page of YAML in configs/devices. All addresses are the
// ones in the frame, from 0.
type Profile struct {
	Kind   string   `yaml:"kind"` // "indicator"
	Name   string   `yaml:"name"`
	Maker  string   `yaml:"maker"`
	Models []string `yaml:"models"`
	Source string   `yaml:"source"` // where the registers stand: a maker's page
	// Recalled lists what was not read in the source but remembered; empty where everything was read.
	Recalled []string `yaml:"recalled"`
	// Missing lists what the source does not tell and the profile therefore does not read.
	Missing []string `yaml:"missing"`

	Function     int           `yaml:"function"` // 3 holding registers, 4 input registers
	Base         uint16        `yaml:"base"`     // added to every address
	Words        string        `yaml:"words"`    // "high-first" or "low-first", of 32-bit values
	Bytes        string        `yaml:"bytes"`    // "high-first", which is also what empty means, or "low-first", of each word
	MaxRegisters int           `yaml:"max_registers"`
	Unit         *uint8        `yaml:"unit_id"` // the instrument's unit on Modbus TCP where it is fixed; nil: as it is set up
	Poll         conf.Duration `yaml:"poll"`    // between two readings
	Timeout      conf.Duration `yaml:"timeout"` // for one request; 0 means 500 ms
	// Inexact says what becomes of a weight that is no whole kilogram: "refuse", which is also what empty means, or
	// "nearest", rounded with halves away from zero and marked wim.WasRounded.
	Inexact string `yaml:"inexact"`

	Weights   Weights    `yaml:"weights"`
	Decimals  *Decimals  `yaml:"decimals"`  // where the instrument tells how many; nil: each weight has its own fixed number
	Mass      *MassUnit  `yaml:"mass_unit"` // where the instrument tells its unit; nil: each weight has its own fixed unit
	Status    []Status   `yaml:"status"`
	Heartbeat *Register  `yaml:"heartbeat"` // moves while the instrument lives, nil: it has none
	Commands  Commands   `yaml:"commands"`
	Expect    []Expected `yaml:"expect"` // what must be found, or the instrument is another one or was set up anew
}

// Register is a place.
type Register struct {
	At   uint16 `yaml:"at"`
	Type string `yaml:"type"` // "uint16", which is also what empty means, "int16", "int32", "uint32" or "float32"
}

// Weights are the values; at least Gross or Net.
type Weights struct {
	Gross *Weight `yaml:"gross"`
	Net   *Weight `yaml:"net"`
	Tare  *Weight `yaml:"tare"`
}

// Weight is one value: the register, divided by ten as often as Decimals says, times Scale, in Unit.
type Weight struct {
	At       uint16 `yaml:"at"`
	Type     string `yaml:"type"`
	Decimals uint8  `yaml:"decimals"`
	Scale    int    `yaml:"scale"` // 0 means 1
	Unit     string `yaml:"unit"`  // g, kg or t; empty where MassUnit tells it
	// Negative is a bit elsewhere that is 1 when the weight is below zero, for instruments that keep a weight's
	// amount and sign apart; nil where the register has its sign.
	Negative *Bits `yaml:"negative"`
}

// Bits is a part of a 16- or 32-bit register.
type Bits struct {
	At    uint16 `yaml:"at"`
	Type  string `yaml:"type"`  // "uint16", which is also what empty means, or "uint32"
	Shift uint8  `yaml:"shift"` // the lowest bit
	Width uint8  `yaml:"width"` // how many bits; 0 means 1
}

// Decimals is where the instrument tells the number of its decimals.
type Decimals struct {
	Bits `yaml:",inline"`
	// Values gives the decimals for each value of the bits; a value that is not listed is refused. Empty means that
	// the value is the number.
	Values map[uint32]uint8 `yaml:"values"`
}

// MassUnit is where the instrument tells its unit.
type MassUnit struct {
	Bits   `yaml:",inline"`
	Values map[uint32]string `yaml:"values"` // g, kg, t, or anything else, which is refused by that name
}

// Status is one condition: it is there when the bits have the value Is.
type Status struct {
	// Means is a condition's name in package wim, such as "stable", or "unstable" or "good", which are stable and
	// faulty the other way round.
	Means string `yaml:"means"`
	Bits  `yaml:",inline"`
	Is    *uint32 `yaml:"is"` // nil means all bits 1
}

// Expected is a register that must have one value, such as a device type.
type Expected struct {
	Bits `yaml:",inline"`
	Is   uint32 `yaml:"is"`
}

// Commands are what the instrument can be told; nil where the profile knows no such register.
type Commands struct {
	Zero *Command `yaml:"zero"`
	Tare *Command `yaml:"tare"`
}

// Command is what is written to holding registers, in one request of function 16.
type Command struct {
	At     uint16   `yaml:"at"`
	Values []uint16 `yaml:"values"`
	Then   []uint16 `yaml:"then"` // written to the same place after it, for instruments that act on an edge; may be empty
}

// LoadProfile reads a profile strictly; name stands in errors, with line and column.
func LoadProfile(name string, yaml []byte) (Profile, error) {
	var p Profile
	if err := conf.Decode(name, yaml, &p); err != nil {
		return Profile{}, err
	}
	p.defaults()
	if m := p.mistake(); m != nil {
		return Profile{}, conf.Fault(name, yaml, "$."+m.path, m.path+": "+m.msg, "")
	}
	return p, nil
}

// check fills in defaults and says what is wrong with a profile that was not loaded from a file. It is not called
// Validate, which conf.Decode would call before the place of a mistake is known.
func (p *Profile) check() error {
	p.defaults()
	if m := p.mistake(); m != nil {
		return fmt.Errorf("%s: %s", m.path, m.msg)
	}
	return nil
}

// mistake is what is wrong at a place of the profile.
type mistake struct{ path, msg string }

func wrong(path, format string, args ...any) *mistake {
	return &mistake{path: path, msg: fmt.Sprintf(format, args...)}
}

// placed is a value with its place in the profile.
type placed struct {
	path   string
	weight *Weight
	tells  wim.Weights
}

func (p *Profile) weights() []placed {
	var out []placed
	for _, w := range []placed{
		{"weights.gross", p.Weights.Gross, wim.TellsGross}, {"weights.net", p.Weights.Net, wim.TellsNet}, {"weights.tare", p.Weights.Tare, wim.TellsTare},
	} {
		if w.weight != nil {
			out = append(out, w)
		}
	}
	return out
}

// part is a part of a register with its place in the profile.
type part struct {
	path string
	bits *Bits
}

func (p *Profile) parts() []part {
	var out []part
	for _, w := range p.weights() {
		if w.weight.Negative != nil {
			out = append(out, part{w.path + ".negative", w.weight.Negative})
		}
	}
	if p.Decimals != nil {
		out = append(out, part{"decimals", &p.Decimals.Bits})
	}
	if p.Mass != nil {
		out = append(out, part{"mass_unit", &p.Mass.Bits})
	}
	for i := range p.Status {
		out = append(out, part{fmt.Sprintf("status[%d]", i), &p.Status[i].Bits})
	}
	for i := range p.Expect {
		out = append(out, part{fmt.Sprintf("expect[%d]", i), &p.Expect[i].Bits})
	}
	return out
}

func (p *Profile) defaults() {
	if p.MaxRegisters == 0 {
		p.MaxRegisters = maxRegisters
	}
	if p.Bytes == "" {
		p.Bytes = "high-first"
	}
	if p.Inexact == "" {
		p.Inexact = "refuse"
	}
	for _, w := range p.weights() {
		if w.weight.Scale == 0 {
			w.weight.Scale = 1
		}
	}
	for _, b := range p.parts() {
		if b.bits.Type == "" {
			b.bits.Type = "uint16"
		}
		if b.bits.Width == 0 {
			b.bits.Width = 1
		}
	}
	for i := range p.Status {
		if s := &p.Status[i]; s.Is == nil {
			all := s.mask()
			s.Is = &all
		}
	}
	if p.Heartbeat != nil && p.Heartbeat.Type == "" {
		p.Heartbeat.Type = "uint16"
	}
}

func (p *Profile) mistake() *mistake {
	switch {
	case p.Kind != "indicator":
		return wrong("kind", "%q, want indicator", p.Kind)
	case p.Function != 3 && p.Function != 4:
		return wrong("function", "%d, want 3 (holding registers) or 4 (input registers)", p.Function)
	case p.Words != "high-first" && p.Words != "low-first":
		return wrong("words", "%q, want high-first or low-first", p.Words)
	case p.Bytes != "high-first" && p.Bytes != "low-first":
		return wrong("bytes", "%q, want high-first or low-first", p.Bytes)
	case p.MaxRegisters < 1 || p.MaxRegisters > maxRegisters:
		return wrong("max_registers", "%d, want 1 to %d", p.MaxRegisters, maxRegisters)
	case p.Poll <= 0:
		return wrong("poll", "%s, want a pause such as 200ms", p.Poll.Std())
	case p.Inexact != "refuse" && p.Inexact != "nearest":
		return wrong("inexact", "%q, want refuse or nearest", p.Inexact)
	case p.Weights.Gross == nil && p.Weights.Net == nil:
		return wrong("weights", "neither gross nor net")
	case p.Source == "":
		return wrong("source", "is missing; say where the registers stand, so that whoever doubts one can look")
	}
	for _, w := range p.weights() {
		if m := p.weightMistake(w); m != nil {
			return m
		}
	}
	for _, b := range p.parts() {
		if m := b.mistake(); m != nil {
			return m
		}
	}
	if m := p.tableMistake(); m != nil {
		return m
	}
	if h := p.Heartbeat; h != nil && (size(h.Type) == 0 || h.Type == "float32") {
		return wrong("heartbeat.type", "%q, want uint16, int16, uint32 or int32", h.Type)
	}
	for _, c := range []struct {
		path string
		cmd  *Command
	}{{"commands.zero", p.Commands.Zero}, {"commands.tare", p.Commands.Tare}} {
		if c.cmd == nil {
			continue
		}
		if n := max(len(c.cmd.Values), len(c.cmd.Then)); len(c.cmd.Values) == 0 || n > 8 || int(p.Base)+int(c.cmd.At)+n-1 > math.MaxUint16 {
			return wrong(c.path, "%d values at %d, want 1 to 8 registers that there are", len(c.cmd.Values), c.cmd.At)
		}
	}
	first, last := p.span()
	switch n := last - first + 1; {
	case n > p.MaxRegisters:
		return wrong("weights", "with what belongs to them registers %d to %d are needed, which do not fit one request of %d; only one request is answered from one moment", first, last, p.MaxRegisters)
	case int(p.Base)+last > math.MaxUint16:
		return wrong("weights", "register %d is beyond the last one, %d", int(p.Base)+last, math.MaxUint16)
	case p.Heartbeat != nil && int(p.Base)+int(p.Heartbeat.At)+size(p.Heartbeat.Type)-1 > math.MaxUint16:
		return wrong("heartbeat.at", "beyond the last register, %d", math.MaxUint16)
	}
	return nil
}

func (p *Profile) weightMistake(w placed) *mistake {
	v := w.weight
	switch {
	case size(v.Type) == 0:
		return wrong(w.path+".type", "%q, want int16, uint16, int32, uint32 or float32", v.Type)
	case v.Decimals > maxDecimals:
		return wrong(w.path+".decimals", "%d, want 0 to %d", v.Decimals, maxDecimals)
	case v.Decimals != 0 && p.Decimals != nil:
		return wrong(w.path+".decimals", "%d, but the instrument tells them itself", v.Decimals)
	case v.Scale < 1 || v.Scale > maxScale:
		return wrong(w.path+".scale", "%d, want 1 to %d", v.Scale, maxScale)
	case v.Unit != "" && p.Mass != nil:
		return wrong(w.path+".unit", "%q, but the instrument tells it itself", v.Unit)
	case v.Negative != nil && v.Negative.Width != 1:
		return wrong(w.path+".negative.width", "%d bits, want 1", v.Negative.Width)
	case p.Mass == nil && grams(v.Unit) == 0:
		return wrong(w.path+".unit", "%q, want g, kg or t; a pound is no whole number of kilograms", v.Unit)
	}
	return nil
}

func (b part) mistake() *mistake {
	n := 16 * size(b.bits.Type)
	switch {
	case b.bits.Type != "uint16" && b.bits.Type != "uint32":
		return wrong(b.path+".type", "%q, want uint16 or uint32", b.bits.Type)
	case int(b.bits.Shift)+int(b.bits.Width) > n:
		return wrong(b.path+".shift", "bits %d to %d, but the register has 0 to %d", b.bits.Shift, int(b.bits.Shift)+int(b.bits.Width)-1, n-1)
	}
	return nil
}

func (p *Profile) tableMistake() *mistake {
	if d := p.Decimals; d != nil {
		for v, n := range d.Values {
			if n > maxDecimals {
				return wrong(fmt.Sprintf("decimals.values.%d", v), "%d, want 0 to %d", n, maxDecimals)
			}
		}
	}
	if m := p.Mass; m != nil && len(m.Values) == 0 {
		return wrong("mass_unit.values", "are missing")
	}
	for i := range p.Status {
		s := &p.Status[i]
		if c, _ := meaning(s.Means); c == 0 || c == wim.WasRounded {
			return wrong(fmt.Sprintf("status[%d].means", i), "%q is no condition; there is: stable, unstable, at-zero, net-shown, overload, underload, faulty, good, dynamic, held", s.Means)
		}
		if *s.Is > s.mask() {
			return wrong(fmt.Sprintf("status[%d].is", i), "%d does not fit %d bits", *s.Is, s.Width)
		}
	}
	for i := range p.Expect {
		if e := &p.Expect[i]; e.Is > e.mask() {
			return wrong(fmt.Sprintf("expect[%d].is", i), "%d does not fit %d bits", e.Is, e.Width)
		}
	}
	return nil
}

// meaning is the condition of that name; inverted for a name that says the opposite.
func meaning(name string) (c wim.Condition, inverted bool) {
	switch name {
	case "unstable":
		return wim.Stable, true
	case "good":
		return wim.Faulty, true
	}
	return wim.ConditionNamed(name), false
}

// size is how many registers a type takes; 0 for a type that there is not.
func size(kind string) int {
	switch kind {
	case "int16", "uint16":
		return 1
	case "int32", "uint32", "float32":
		return 2
	}
	return 0
}

// grams is one unit; 0 for one that there is not.
func grams(unit string) int64 {
	switch unit {
	case "g":
		return 1
	case "kg":
		return 1000
	case "t":
		return 1_000_000
	}
	return 0
}

// mask has the lowest Width bits.
func (b *Bits) mask() uint32 { return uint32(1<<b.Width - 1) }

// span is the first and last register of one reading, without the base. The heartbeat belongs to it when it fits.
func (p *Profile) span() (first, last int) {
	first = math.MaxUint16
	take := func(at uint16, kind string) {
		first, last = min(first, int(at)), max(last, int(at)+size(kind)-1)
	}
	for _, w := range p.weights() {
		take(w.weight.At, w.weight.Type)
	}
	for _, b := range p.parts() {
		take(b.bits.At, b.bits.Type)
	}
	if h := p.Heartbeat; h != nil {
		f, l := min(first, int(h.At)), max(last, int(h.At)+size(h.Type)-1)
		if l-f < p.MaxRegisters {
			return f, l
		}
	}
	return first, last
}
