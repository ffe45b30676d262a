package simulator

import (
	"encoding/binary"
	"io"
	"net"
	"time"
)

// Exceptions of the protocol.
const (
	badFunction = 1
	badAddress  = 2
	badValue    = 3
	busy        = 6
	noTarget    = 11 // of a gateway
)

// accept serves connections until the listener is closed.
func (d *Indicator) accept() {
	for {
		c, err := d.listener.Accept()
		if err != nil {
			return
		}
		d.mu.Lock()
		if d.done {
			d.mu.Unlock()
			c.Close() //nolint:errcheck // nobody is served any more
			return
		}
		d.conns[c] = true
		d.mu.Unlock()
		d.served.Go(func() { d.serve(c) })
	}
}

// serve answers one connection: transaction, protocol 0, length, unit, function and data.
func (d *Indicator) serve(c net.Conn) {
	defer func() {
		c.Close() //nolint:errcheck // the host may be gone
		d.mu.Lock()
		delete(d.conns, c)
		d.mu.Unlock()
	}()
	head := make([]byte, 7)
	for {
		if _, err := io.ReadFull(c, head); err != nil {
			return
		}
		n := int(binary.BigEndian.Uint16(head[4:]))
		if n < 3 || n > 254 {
			return
		}
		body := make([]byte, n-1)
		if _, err := io.ReadFull(c, body); err != nil {
			return
		}
		unit, reply, late, ok := d.answer(head[6], body, true)
		if !ok {
			continue
		}
		out := append([]byte(nil), head[:4]...)
		out = binary.BigEndian.AppendUint16(out, uint16(len(reply)+1))
		out = append(append(out, unit), reply...)
		if late > 0 {
			time.AfterFunc(late, func() { c.Write(out) }) //nolint:errcheck // the host may have gone meanwhile
			continue
		}
		if _, err := c.Write(out); err != nil {
			return
		}
	}
}

// serveLine answers on the line: unit, function, data and checksum, low byte first.
func (d *Indicator) serveLine() {
	var buf []byte
	piece := make([]byte, 256)
	for {
		n, err := d.line.Read(piece)
		if err != nil {
			return
		}
		buf = append(buf, piece[:n]...)
		for len(buf) >= 8 {
			size := 8
			if buf[1] == 16 {
				size = 9 + int(buf[6])
			}
			if len(buf) < size {
				break
			}
			frame := buf[:size]
			if modbusCRC(frame[:size-2]) != binary.LittleEndian.Uint16(frame[size-2:]) {
				buf = buf[1:] // noise; the next byte may begin a frame
				continue
			}
			unit, reply, late, ok := d.answer(frame[0], frame[1:size-2], false)
			buf = buf[size:]
			if !ok {
				continue
			}
			out := append([]byte{unit}, reply...)
			out = binary.LittleEndian.AppendUint16(out, modbusCRC(out))
			if late > 0 {
				time.AfterFunc(late, func() { d.line.Write(out) }) //nolint:errcheck // the line may be gone meanwhile
				continue
			}
			if _, err := d.line.Write(out); err != nil {
				return
			}
		}
	}
}

// answer does what a request says; ok is false when nothing is answered. gateway tells whether a request for another
// unit is refused; on a line it is for somebody else.
func (d *Indicator) answer(unit uint8, request []byte, gateway bool) (as uint8, reply []byte, late time.Duration, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	late, d.late = d.late, 0
	as = unit
	if d.struck(IndicatorWrongUnit) {
		as++
	}
	switch {
	case d.struck(IndicatorSilence):
		return 0, nil, 0, false
	case unit != d.unit && !gateway:
		d.late = late
		return 0, nil, 0, false
	case unit != d.unit:
		return as, []byte{request[0] | 0x80, noTarget}, late, true
	case d.struck(IndicatorBusy):
		return as, []byte{request[0] | 0x80, busy}, late, true
	}
	out, exception := d.handle(request)
	if exception != 0 {
		out = []byte{request[0] | 0x80, exception}
	}
	return as, out, late, true
}

// handle reads with functions 3 and 4 and writes with 6 and 16.
func (d *Indicator) handle(request []byte) (reply []byte, exception byte) {
	if len(request) < 5 {
		return nil, badValue
	}
	f, addr, n := request[0], binary.BigEndian.Uint16(request[1:]), binary.BigEndian.Uint16(request[3:])
	switch f {
	case 3, 4:
		if f != d.kind.function {
			return nil, badFunction
		}
		most := uint16(125)
		if d.kind.most != 0 {
			most = d.kind.most
		}
		if n == 0 || n > most {
			return nil, badValue
		}
		r := shownRegisters{at: map[uint16]uint16{}, swapped: d.struck(IndicatorSwapped)}
		d.kind.image(&r, d.load, time.Since(d.start))
		reply = []byte{f, byte(2 * n)}
		for i := range int(n) {
			v, there := r.at[uint16(int(addr)+i)]
			if !there && !d.kind.reserved(int(addr)+i) {
				return nil, badAddress
			}
			reply = binary.BigEndian.AppendUint16(reply, v)
		}
		return reply, 0
	case 6:
		return request[:5], d.write(addr, []uint16{n})
	case 16:
		if n == 0 || len(request) != 6+2*int(n) || int(request[5]) != 2*int(n) {
			return nil, badValue
		}
		values := make([]uint16, n)
		for i := range values {
			values[i] = binary.BigEndian.Uint16(request[6+2*i:])
		}
		return request[:5], d.write(addr, values)
	}
	return nil, badFunction
}

// write obeys zero and tare.
func (d *Indicator) write(addr uint16, values []uint16) (exception byte) {
	if len(d.kind.zero) == 0 || addr != d.kind.command || len(values) != len(d.kind.zero) {
		return badAddress
	}
	same := func(want []uint16) bool {
		for i, v := range want {
			if values[i] != v {
				return false
			}
		}
		return true
	}
	// While the load moves a scale does neither, and says nothing.
	switch {
	case d.load.Moving:
	case same(d.kind.zero):
		d.load.Gross = 0
	case same(d.kind.tare):
		d.load.Tare = d.load.Gross
	}
	return 0
}
