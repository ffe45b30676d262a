package modbus

import (
	"encoding/binary"
	"errors"
)

// Exchange is a request that somebody else made, with its answer.
type Exchange struct {
	Unit      uint8
	Function  byte
	Name      string // of the function, in words
	Address   uint16 // of the first register or coil, as it goes over the wire
	Count     uint16
	Registers []uint16 // that were read or written
	Bits      []bool   // likewise
	Exception byte     // by which the slave refused; 0 for none
	Answered  bool     // the answer was heard, and fits
}

// Overhearer understands what master and slave say to each other. It guesses nothing: what is no frame is skipped and counted, and an
// answer counts with its request only. One goroutine owns it.
type Overhearer struct {
	RTU     bool   // frames end in a checksum, as on a serial line; else they begin as on Modbus TCP
	Skipped uint64 // bytes that were in no frame
	Alone   uint64 // answers to no request that was heard

	host, device []byte
	open         map[uint16]Exchange // by transaction; 0 on a serial line
}

// bounds of frames.
const (
	tcpHead = 7 // transaction, protocol, length and unit
	tcpMax  = 260
)

// Host takes bytes of the master, in any pieces. A request that is followed by another on a serial line was not answered: each is
// called with it.
func (o *Overhearer) Host(p []byte, each func(Exchange)) {
	o.host = o.frames(append(o.host, p...), o.requestSize, func(transaction uint16, frame []byte) { o.request(transaction, frame, each) })
}

// Device takes bytes of the slave, in any pieces, and calls each with what it answers.
func (o *Overhearer) Device(p []byte, each func(Exchange)) {
	o.device = o.frames(append(o.device, p...), o.answerSize, func(transaction uint16, frame []byte) { o.answer(transaction, frame, each) })
}

// End calls each with the requests that were never answered.
func (o *Overhearer) End(each func(Exchange)) {
	for _, x := range o.open {
		each(x)
	}
	o.Skipped += uint64(len(o.host) + len(o.device))
	o.open, o.host, o.device = nil, nil, nil
}

// Line takes bytes of both, as one who listens on a two-wire line hears them. Only for RTU.
func (o *Overhearer) Line(p []byte, each func(Exchange)) {
	b := append(o.host, p...)
	for len(b) >= rtuException {
		var n int
		ask, answer := o.requestSize(b), o.answerSize(b)
		_, asked := o.open[0]
		switch {
		case asked && o.open[0].Unit == b[0] && answer > 0 && len(b) >= answer && whole(b[:answer]):
			o.answer(0, b[:answer-rtuTail], each)
			n = answer
		case ask > 0 && len(b) >= ask && whole(b[:ask]):
			o.request(0, b[:ask-rtuTail], each)
			n = ask
		case answer > 0 && len(b) >= answer && whole(b[:answer]):
			o.answer(0, b[:answer-rtuTail], each)
			n = answer
		case len(b) < max(ask, answer):
			o.host = b
			return
		default:
			o.Skipped++
			n = 1
		}
		b = b[n:]
	}
	o.host = b
}

// frames calls each with the whole frames in b, unit first and without checksum, and returns the rest.
func (o *Overhearer) frames(b []byte, size func([]byte) int, each func(uint16, []byte)) []byte {
	for {
		if !o.RTU {
			if len(b) < tcpHead+1 {
				return b
			}
			n := 6 + int(binary.BigEndian.Uint16(b[4:]))
			switch {
			case b[2] != 0 || b[3] != 0 || n < tcpHead+1 || n > tcpMax:
				o.Skipped++
				b = b[1:]
			case len(b) < n:
				return b
			default:
				each(binary.BigEndian.Uint16(b), b[6:n])
				b = b[n:]
			}
			continue
		}
		if len(b) < rtuException {
			return b
		}
		switch n := size(b); {
		case n > len(b) && n <= rtuMax:
			return b
		case n > 0 && n <= len(b) && whole(b[:n]):
			each(0, b[:n-rtuTail])
			b = b[n:]
		default:
			o.Skipped++
			b = b[1:]
		}
	}
}

// requestSize is how long the request is that begins with b, checksum included; 0 for none.
func (*Overhearer) requestSize(b []byte) int {
	switch function(b[1]) {
	case readCoils, readDiscrete, readHolding, readInput, writeCoil, 6:
		return 8
	case writeHolding, 15:
		if len(b) < 7 {
			return 9
		}
		return 9 + int(b[6])
	}
	return 0
}

func (*Overhearer) answerSize(b []byte) int { return answerSize(b) }

var errShort = errors.New("shorter than its kind")

func (o *Overhearer) request(transaction uint16, frame []byte, each func(Exchange)) {
	x, err := parseRequest(frame)
	if err != nil {
		o.Skipped += uint64(len(frame))
		return
	}
	if o.open == nil {
		o.open = map[uint16]Exchange{}
	}
	if old, waits := o.open[transaction]; waits || len(o.open) > 64 {
		if waits {
			each(old)
		}
		delete(o.open, transaction)
	}
	o.open[transaction] = x
}

// parseRequest reads a request's unit, function and what follows.
func parseRequest(b []byte) (Exchange, error) {
	if len(b) < 6 {
		return Exchange{}, errShort
	}
	x := Exchange{Unit: b[0], Function: b[1], Name: function(b[1]).String(), Address: binary.BigEndian.Uint16(b[2:]), Count: binary.BigEndian.Uint16(b[4:])}
	switch function(b[1]) {
	case writeCoil:
		x.Bits, x.Count = []bool{x.Count == 0xFF00}, 1
	case 6:
		x.Registers, x.Count, x.Name = []uint16{x.Count}, 1, "write holding register"
	case writeHolding:
		if len(b) < 7 || len(b) != 7+int(b[6]) || int(b[6]) != 2*int(x.Count) {
			return x, errShort
		}
		x.Registers = words(b[7:])
	case readCoils, readDiscrete, readHolding, readInput:
	}
	return x, nil
}

func (o *Overhearer) answer(transaction uint16, frame []byte, each func(Exchange)) {
	x, asked := o.open[transaction]
	if !asked || len(frame) < 3 || frame[1]&exceptionMark != 0 && frame[2] == 0 || x.Unit != frame[0] || x.Function != frame[1]&^exceptionMark {
		o.Alone++
		return
	}
	body := frame[2:]
	switch {
	case frame[1]&exceptionMark != 0:
		x.Exception = body[0]
	case x.Function <= byte(readInput):
		if len(body) != 1+int(body[0]) || len(body) != 1+x.bytes() {
			o.Alone++ // to another request than this
			return
		}
		if function(x.Function) == readHolding || function(x.Function) == readInput {
			x.Registers = words(body[1:])
		} else {
			for i := range x.Count {
				x.Bits = append(x.Bits, body[1+i/8]>>(i%8)&1 == 1)
			}
		}
	}
	delete(o.open, transaction)
	x.Answered = true
	each(x)
}

// bytes is how many a read's answer has.
func (x *Exchange) bytes() int {
	if function(x.Function) == readHolding || function(x.Function) == readInput {
		return 2 * int(x.Count)
	}
	return (int(x.Count) + 7) / 8
}

func words(b []byte) []uint16 {
	out := make([]uint16, len(b)/2)
	for i := range out {
		out[i] = binary.BigEndian.Uint16(b[2*i:])
	}
	return out
}
