package indicator

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/axlegate/axlegate/wim"
)

// Why registers are no indication.
var (
	errInexact = errors.New("no whole number of kilograms")
	errValue   = errors.New("a value that no weight has")
	errOther   = errors.New("not the instrument that the profile describes, or set up otherwise")
)

// layout is a profile made ready for decoding.
type layout struct {
	Profile
	first   uint16 // of the reading's request, base included
	count   uint16
	beat    uint16 // address of a heartbeat that has a request of its own
	apart   bool   // there is one
	beating bool   // there is a heartbeat at all
}

func newLayout(p Profile) layout {
	first, last := p.span()
	l := layout{Profile: p, first: p.Base + uint16(first), count: uint16(last - first + 1), beating: p.Heartbeat != nil}
	if h := p.Heartbeat; h != nil {
		l.beat = p.Base + h.At
		l.apart = int(h.At) < first || int(h.At) > last
	}
	return l
}

// word is one register of the answer, put into the usual order of bytes.
func (l *layout) word(regs []uint16, at uint16) uint16 {
	v := regs[l.Base+at-l.first]
	if l.Bytes == "low-first" {
		return v>>8 | v<<8
	}
	return v
}

// raw is a value of one or two registers as unsigned bits.
func (l *layout) raw(regs []uint16, at uint16, kind string) uint32 {
	a := uint32(l.word(regs, at))
	if size(kind) == 1 {
		return a
	}
	b := uint32(l.word(regs, at+1))
	if l.Words == "low-first" {
		return b<<16 | a
	}
	return a<<16 | b
}

func (l *layout) bits(regs []uint16, b *Bits) uint32 {
	return l.raw(regs, b.At, b.Type) >> b.Shift & b.mask()
}

// indication decodes the answer to one request. Arrival is left to the caller.
func (l *layout) indication(regs []uint16) (wim.Indication, error) {
	var in wim.Indication
	for i := range l.Expect {
		e := &l.Expect[i]
		if v := l.bits(regs, &e.Bits); v != e.Is {
			return in, fmt.Errorf("%w: register %d has %d and not %d", errOther, e.At, v, e.Is)
		}
	}
	for i := range l.Status {
		s := &l.Status[i]
		c, inverted := meaning(s.Means)
		in.Knows |= c
		if (l.bits(regs, &s.Bits) == *s.Is) != inverted {
			in.State |= c
		}
	}
	if in.State.Any(wim.Faulty | wim.Overload | wim.Underload) {
		// What then stands in the registers is no weight: some show zeros, some the last value.
		return in, nil
	}
	decimals, unit, err := l.form(regs)
	if err != nil {
		return in, err
	}
	for _, w := range l.weights() {
		d, u := w.weight.Decimals, w.weight.Unit
		if l.Decimals != nil {
			d = decimals
		}
		if l.Mass != nil {
			u = unit
		}
		kg, rounded, err := l.kilograms(l.raw(regs, w.weight.At, w.weight.Type), w.weight, d, u)
		if err != nil {
			return in, fmt.Errorf("%s at register %d: %w", w.path, w.weight.At, err)
		}
		if n := w.weight.Negative; n != nil && kg > 0 && l.bits(regs, n) == 1 {
			kg = -kg // of an instrument that sets the bit and the register's sign too, the register is right already
		}
		if rounded {
			in.State |= wim.WasRounded
		}
		in.Tells |= w.tells
		switch w.tells {
		case wim.TellsGross:
			in.Gross = kg
		case wim.TellsNet:
			in.Net = kg
		case wim.TellsTare:
			in.Tare = kg
		}
	}
	in.Knows |= wim.WasRounded
	return in, nil
}

// form is what the instrument tells of its numbers.
func (l *layout) form(regs []uint16) (decimals uint8, unit string, err error) {
	if d := l.Decimals; d != nil {
		v := l.bits(regs, &d.Bits)
		n, known := d.Values[v]
		if len(d.Values) == 0 {
			n, known = uint8(min(v, math.MaxUint8)), v <= maxDecimals
		}
		if !known {
			return 0, "", fmt.Errorf("decimals at register %d: %w: %d", d.At, errValue, v)
		}
		decimals = n
	}
	if m := l.Mass; m != nil {
		v := l.bits(regs, &m.Bits)
		u, known := m.Values[v]
		if !known {
			return 0, "", fmt.Errorf("unit at register %d: %w: %d", m.At, errValue, v)
		}
		if grams(u) == 0 {
			return 0, "", fmt.Errorf("unit at register %d: %w: the instrument weighs in %s; set it to kg or t", m.At, errOther, u)
		}
		unit = u
	}
	return decimals, unit, nil
}

// kilograms converts a register's bits without any loss, or tells that it cannot.
func (l *layout) kilograms(raw uint32, w *Weight, decimals uint8, unit string) (kg wim.Kg, rounded bool, err error) {
	var n int64
	switch w.Type {
	case "int16":
		n = int64(int16(raw))
	case "uint16", "uint32":
		n = int64(raw)
	case "int32":
		n = int64(int32(raw))
	case "float32":
		if n, rounded, err = digits(math.Float32frombits(raw), decimals); err != nil {
			return 0, false, err
		}
		if rounded && l.Inexact != "nearest" {
			return 0, false, fmt.Errorf("%w: float %v has more than %d decimals", errInexact, math.Float32frombits(raw), decimals)
		}
	}
	whole := int64(1000)
	for range decimals {
		whole *= 10
	}
	// At most 2^32 · 10^5 · 10^6, within 63 bits only when it is a weight: so the scale is looked at first.
	mass := n * int64(w.Scale)
	if mass > math.MaxInt64/grams("t") || mass < -math.MaxInt64/grams("t") {
		return 0, false, fmt.Errorf("%w: %d · %d %s", errValue, n, w.Scale, unit)
	}
	mass *= grams(unit)
	value := mass / whole
	if rest := mass % whole; rest != 0 {
		if l.Inexact != "nearest" {
			return 0, false, fmt.Errorf("%w: %d · %d %s with %d decimals", errInexact, n, w.Scale, unit, decimals)
		}
		rounded = true
		switch {
		case 2*rest >= whole:
			value++
		case 2*rest <= -whole:
			value--
		}
	}
	if value > math.MaxInt32 || value < math.MinInt32 {
		return 0, false, fmt.Errorf("%w: %d kg", errValue, value)
	}
	return wim.Kg(value), rounded, nil
}

// digits is a float as a whole number of its last decimal place; rounded when it is not the nearest float to that
// decimal. A float so large that several decimals have the same nearest one tells none of them.
func digits(f float32, decimals uint8) (n int64, rounded bool, err error) {
	v := float64(f) // exact
	for range decimals {
		v *= 10
	}
	// Beyond 24 bits even whole numbers have no float of their own.
	if math.IsNaN(v) || math.Abs(v) >= 1<<24 {
		return 0, false, fmt.Errorf("%w: float %v with %d decimals", errValue, f, decimals)
	}
	n = int64(math.Round(v))
	if nearest(n, decimals) != f {
		return n, true, nil
	}
	if nearest(n-1, decimals) == f || nearest(n+1, decimals) == f {
		return 0, false, fmt.Errorf("%w: float %v is too large to tell %d decimals", errValue, f, decimals)
	}
	return n, false, nil
}

// nearest is the float that is nearest to n with so many decimals.
func nearest(n int64, decimals uint8) float32 {
	v, err := strconv.ParseFloat(strconv.FormatInt(n, 10)+"e-"+strconv.Itoa(int(decimals)), 32)
	if err != nil {
		return float32(math.NaN()) // out of range, which a number of 24 bits is not
	}
	return float32(v)
}
