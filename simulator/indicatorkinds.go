package simulator

import (
	"math"
	"slices"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// shownRegisters is what an instrument shows at one moment, by frame address.
type shownRegisters struct {
	at      map[uint16]uint16
	swapped bool
}

// long puts 32 bits into two registers, high half first.
func (r *shownRegisters) long(at uint16, v uint32) {
	hi, lo := uint16(v>>16), uint16(v)
	if r.swapped {
		hi, lo = lo, hi
	}
	r.at[at], r.at[at+1] = hi, lo
}

func (r *shownRegisters) signed(at uint16, kg wim.Kg)  { r.long(at, uint32(kg)) }
func (r *shownRegisters) amount(at uint16, kg wim.Kg)  { r.long(at, uint32(max(kg, -kg))) }
func (r *shownRegisters) float(at uint16, v float32)   { r.long(at, math.Float32bits(v)) }
func (r *shownRegisters) kilos(at uint16, kg wim.Kg)   { r.float(at, float32(kg)) }
func (r *shownRegisters) word(at uint16, flags uint16) { r.at[at] = flags }

// set is bit n where it applies.
func set(n uint, applies bool) uint16 {
	if applies {
		return 1 << n
	}
	return 0
}

// indicatorKind is a maker's table: which registers show what.
type indicatorKind struct {
	function byte
	unit     uint8
	most     uint16 // registers in one request; 0 means 125
	image    func(r *shownRegisters, l StaticLoad, up time.Duration)
	// blocks are the ranges that can be read, last register included, also where the table names nothing.
	blocks [][2]int
	// command is where zero and tare are written; empty values mean that there is no such place.
	command    uint16
	zero, tare []uint16
}

func (k *indicatorKind) reserved(at int) bool {
	for _, b := range k.blocks {
		if at >= b[0] && at <= b[1] {
			return true
		}
	}
	return false
}

// IndicatorKinds lists the instruments that can be played, in order of name.
func IndicatorKinds() []string {
	var out []string
	for name := range indicatorKinds() {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// indicatorKinds are the makers' tables. Each entry was written from the table and set up for whole kilograms.
func indicatorKinds() map[string]indicatorKind {
	return map[string]indicatorKind{
		"bilancial-dd700": {function: 4, unit: 1, blocks: [][2]int{{0, 13}}, image: func(r *shownRegisters, l StaticLoad, _ time.Duration) {
			r.kilos(0, l.Gross)
			r.kilos(2, l.net())
		}},
		"diniargeo-dgt4": {function: 4, unit: 1, blocks: [][2]int{{0, 6}}, command: 0, zero: []uint16{1}, tare: []uint16{2},
			image: func(r *shownRegisters, l StaticLoad, _ time.Duration) {
				r.amount(0, l.Gross)
				r.amount(2, l.net())
				r.word(4, set(0, l.net() < 0)|set(1, l.Gross < 0)|set(2, !l.Moving)|set(3, l.Under)|set(4, l.Over)|set(5, l.Tare != 0)|set(7, l.Gross == 0))
			}},
		"eagle-ei1000": {function: 3, unit: 1, blocks: [][2]int{{0, 0}, {0x0900, 0x0913}, {0x1000, 0x101F}, {0x2000, 0x201F}}, image: func(r *shownRegisters, l StaticLoad, up time.Duration) {
			r.word(0, uint16(up/(66600*time.Microsecond)))
			// It weighs in pounds and converts what it shows in kilograms.
			kilograms := func(kg wim.Kg) float32 { return float32(math.Round(float64(kg)/0.45359237) * 0.45359237) }
			r.float(0x2000, kilograms(l.Gross))
			r.float(0x2008, kilograms(l.net()))
			r.float(0x2010, kilograms(l.Tare))
		}},
		"flintec-dad141": {function: 3, unit: 1, blocks: [][2]int{{0x3300, 0x3304}}, image: func(r *shownRegisters, l StaticLoad, _ time.Duration) {
			r.signed(0x3300, l.Gross)
			r.signed(0x3302, l.net())
			r.word(0x3304, set(0, l.Under)|set(1, l.Over)|set(4, !l.Moving)|set(5, l.Tare != 0))
		}},
		"flintec-ft112": {function: 3, unit: 1, blocks: [][2]int{{0, 41}}, command: 0x18, zero: []uint16{0, 1}, tare: []uint16{0, 2},
			image: func(r *shownRegisters, l StaticLoad, up time.Duration) {
				r.signed(0, l.net())
				r.signed(2, l.Tare)
				r.signed(4, l.Gross)
				r.long(6, uint32(set(2, l.Moving)|set(3, l.Tare != 0)|set(12, l.Gross == 0))|1<<31) // no decimals
				r.long(8, uint32(set(3, l.Under)|set(4, l.Over)|set(5, l.Broken)))
				r.long(10, uint32(up/(100*time.Millisecond)))
			}},
		"flintec-ft12": {function: 3, unit: 1, blocks: [][2]int{{0, 16}}, command: 8, zero: []uint16{1}, tare: []uint16{2},
			image: func(r *shownRegisters, l StaticLoad, _ time.Duration) {
				r.signed(0, l.net())
				fault := uint16(0)
				switch {
				case l.Broken:
					fault = 1
				case l.Over:
					fault = 2
				case l.Under:
					fault = 3
				}
				r.word(2, set(1, fault == 0)|set(2, l.Moving)|set(3, l.Tare != 0)|fault<<13)
				r.signed(3, l.Tare)
				r.signed(5, l.Gross)
			}},
		"hbm-wtx": {function: 3, unit: 0, blocks: [][2]int{{0, 37}}, image: func(r *shownRegisters, l StaticLoad, _ time.Duration) {
			r.signed(0, l.net())
			r.signed(2, l.Gross)
			limit := uint16(0)
			switch {
			case l.Over:
				limit = 2
			case l.Under:
				limit = 1
			}
			r.word(4, set(0, l.Broken)|limit<<2|set(4, l.Moving)|set(11, l.Gross == 0))
			r.word(5, 0) // standard application, no decimals, kg
		}},
		"laumas-tlb": {function: 3, unit: 1, most: 32, blocks: [][2]int{{0, 47}}, image: func(r *shownRegisters, l StaticLoad, _ time.Duration) {
			r.word(6, set(0, l.Broken)|set(2, l.Over)|set(7, l.Gross < 0)|set(8, l.net() < 0)|set(10, l.Tare != 0)|set(11, !l.Moving)|set(12, l.Gross == 0))
			r.amount(7, l.Gross)
			r.amount(9, l.net())
		}},
		"mettler-ind570": {function: 3, unit: 0, blocks: [][2]int{{0, 28}, {203, 206}, {990, 990}, {1000, 1004}}, image: func(r *shownRegisters, l StaticLoad, _ time.Duration) {
			r.kilos(0, l.Gross)
			r.kilos(2, l.Gross)
			r.kilos(4, l.Tare)
			r.kilos(6, l.net())
		}},
		"minebea-pr5220": {function: 3, unit: 1, blocks: [][2]int{{0, 17}}, image: func(r *shownRegisters, l StaticLoad, _ time.Duration) {
			r.word(2, (set(0, l.Broken)|set(1, l.Over)|set(3, l.Gross < 0)|set(4, l.Gross == 0)|set(6, !l.Moving))<<8)
			r.signed(16, l.Gross)
		}},
		"pavone-jbx8": {function: 3, unit: 255, blocks: [][2]int{{0, 8}}, image: func(r *shownRegisters, l StaticLoad, _ time.Duration) {
			r.word(0, set(0, l.Gross == 0)|set(1, !l.Moving)|set(3, l.Tare != 0)|set(4, l.Under)|set(5, l.Over)|set(6, l.Broken))
			r.signed(1, l.Gross)
			r.signed(3, l.net())
		}},
		"rinstrum-c500": {function: 4, unit: 1, blocks: [][2]int{{0, 9}}, image: func(r *shownRegisters, l StaticLoad, _ time.Duration) {
			r.signed(0, l.Gross)
			r.signed(2, l.net())
			r.signed(4, l.net())
			r.long(6, uint32(set(0, l.Over || l.Under || l.Broken)|set(1, !l.Moving)|set(2, l.Tare == 0)|set(8, l.Gross == 0)))
		}},
		"tuna-id551pn": {function: 3, unit: 1, blocks: [][2]int{{0, 23}}, command: 5, zero: []uint16{1 << 11}, tare: []uint16{1 << 12},
			image: func(r *shownRegisters, l StaticLoad, _ time.Duration) {
				r.kilos(0, l.net())
				r.kilos(2, l.Gross)
				r.word(4, set(8, l.Gross == 0)|set(10, l.Over)|set(11, l.Tare != 0)|set(12, l.Moving)|set(15, !l.Broken))
			}},
	}
}
