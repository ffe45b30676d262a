package serial

import (
	"encoding/binary"

	"github.com/axlegate/axlegate/wim"
)

// Layout of the axle frame, version 1: docs/devices/axle-frame.md.
const (
	af1Start   = 0x02
	af1End     = 0x03
	af1Head    = 2      // start mark and length
	af1Tail    = 3      // checksum and end mark
	af1MinBody = 9      // type, boot, sequence
	af1MaxBody = 64     // the largest length byte that is legal
	af1None    = 0xFFFF // a wheel load that is not measured
	af1Max     = af1Head + af1MaxBody + af1Tail
)

// af1 decodes axle frames from a stream of bytes. It keeps at most one frame that is not complete and
// allocates nothing.
type af1 struct {
	buf     [2 * af1Max]byte
	n       int
	bad     uint64 // frames that failed a check
	skipped uint64 // bytes that belong to no good frame
	good    uint64
}

// feed takes bytes as they come and calls emit for every good frame among them, in order. Arrival is set by
// the caller's emit.
func (d *af1) feed(p []byte, emit func(wim.Reading)) {
	for len(p) > 0 {
		k := copy(d.buf[d.n:], p)
		d.n += k
		p = p[k:]
		d.scan(emit)
	}
}

// scan takes frames from the front of the buffer until what is left could still become one.
func (d *af1) scan(emit func(wim.Reading)) {
	i := 0
	for i < d.n {
		size, state := af1Frame(d.buf[i:d.n])
		switch state {
		case af1Good:
			d.good++
			emit(af1Reading(d.buf[i : i+size]))
			i += size
			continue
		case af1Partial:
			d.keep(i)
			return
		case af1Bad:
			d.bad++
		case af1NoStart:
		}
		// One byte on, never behind the whole frame: a start mark may be a byte of another frame's body.
		i++
		d.skipped++
	}
	d.keep(i)
}

func (d *af1) keep(from int) {
	copy(d.buf[:], d.buf[from:d.n])
	d.n -= from
}

type af1State uint8

const (
	af1NoStart af1State = iota
	af1Partial
	af1Bad
	af1Good
)

// af1Frame tells what stands at the front of b.
func af1Frame(b []byte) (size int, s af1State) {
	if b[0] != af1Start {
		return 0, af1NoStart
	}
	if len(b) < 3 {
		return 0, af1Partial
	}
	l := int(b[1])
	if l != af1Length(b[2]) {
		return 0, af1Bad
	}
	size = af1Head + l + af1Tail
	if len(b) < size {
		return 0, af1Partial
	}
	if b[size-1] != af1End || binary.LittleEndian.Uint16(b[af1Head+l:]) != crc16(b[1:af1Head+l]) {
		return 0, af1Bad
	}
	// A frame of boot 0, or an axle or vehicle without a number, is of no device.
	if binary.BigEndian.Uint32(b[3:]) == 0 || b[2] != 'H' && binary.BigEndian.Uint32(b[7:]) == 0 {
		return 0, af1Bad
	}
	// A mass or length beyond 31 bits is no vehicle's; it is refused and not cut to size.
	if b[2] == 'E' && (b[16]|b[22])&0x80 != 0 {
		return 0, af1Bad
	}
	return size, af1Good
}

// af1Length is the only legal length of a type; 0 for a type that there is not.
func af1Length(kind byte) int {
	switch kind {
	case 'A', 'E':
		return af1MinBody + 17
	case 'H':
		return af1MinBody + 4
	}
	return 0
}

func af1Reading(f []byte) wim.Reading {
	be := binary.BigEndian
	r := wim.Reading{Boot: be.Uint32(f[3:]), Seq: be.Uint32(f[7:])}
	body := f[11:]
	r.DeviceTime = int64(be.Uint32(body)) * 1_000_000
	switch f[2] {
	case 'A':
		r.Kind = wim.AxleReading
		r.Axle = wim.Axle{
			Index: body[4], Load: wim.Kg(be.Uint16(body[5:])), Left: af1Wheel(be.Uint16(body[7:])), Right: af1Wheel(be.Uint16(body[9:])),
			Speed: wim.DeciKmh(be.Uint16(body[11:])), Spacing: wim.Mm(be.Uint16(body[13:])), Flags: af1Flags(be.Uint16(body[15:])),
		}
	case 'E':
		r.Kind = wim.VehicleEnd
		r.AxleCount = body[4]
		r.Gross = wim.Kg(be.Uint32(body[5:]))
		r.Speed = wim.DeciKmh(be.Uint16(body[9:]))
		r.Length = wim.Mm(be.Uint32(body[11:]))
		r.Flags = af1Flags(be.Uint16(body[15:]))
	case 'H':
		r.Kind = wim.Heartbeat
	}
	return r
}

func af1Wheel(v uint16) wim.Kg {
	if v == af1None {
		return wim.NotMeasured
	}
	return wim.Kg(v)
}

// af1Flags maps the device's bits to ours; the page lists them in this order.
func af1Flags(v uint16) wim.Flag {
	var f wim.Flag
	for i, g := range [...]wim.Flag{wim.OffScale, wim.Straddling, wim.SpeedOutOfRange, wim.Acceleration, wim.Tailgating, wim.MissedAxle, wim.OverCapacity, wim.Reverse} {
		if v&(1<<i) != 0 {
			f |= g
		}
	}
	return f
}

// crc16 is CRC-16/MODBUS: polynomial 8005 reflected, start FFFF, no final exclusive-or.
func crc16(p []byte) uint16 {
	c := uint16(0xFFFF)
	for _, b := range p {
		c ^= uint16(b)
		for range 8 {
			if c&1 != 0 {
				c = c>>1 ^ 0xA001
			} else {
				c >>= 1
			}
		}
	}
	return c
}
