package simulator

import (
	"encoding/binary"

	"github.com/axlegate/axlegate/wim"
)

// af1Frame builds a frame of docs/devices/axle-frame.md.
func af1Frame(kind byte, boot, seq uint32, body []byte) []byte {
	f := make([]byte, 0, 16+len(body))
	f = append(f, 0x02, byte(9+len(body)), kind)
	f = binary.BigEndian.AppendUint32(f, boot)
	f = binary.BigEndian.AppendUint32(f, seq)
	f = append(f, body...)
	crc := modbusCRC(f[1:])
	return append(f, byte(crc), byte(crc>>8), 0x03)
}

func af1Axle(ms uint32, index int, a axle, speed wim.DeciKmh) []byte {
	b := binary.BigEndian.AppendUint32(nil, ms)
	b = append(b, byte(index))
	for _, v := range []uint16{uint16(a.Load), uint16(a.Left), uint16(a.Right), uint16(speed), uint16(a.Spacing), 0} {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	return b
}

func af1End(ms uint32, p *passage) []byte {
	b := binary.BigEndian.AppendUint32(nil, ms)
	b = append(b, byte(len(p.indicated)))
	b = binary.BigEndian.AppendUint32(b, uint32(p.total))
	b = binary.BigEndian.AppendUint16(b, uint16(p.speed))
	b = binary.BigEndian.AppendUint32(b, uint32(p.length))
	return binary.BigEndian.AppendUint16(b, 0)
}

func af1Heartbeat(ms uint32) []byte { return binary.BigEndian.AppendUint32(nil, ms) }

// modbusCRC is CRC-16/MODBUS.
func modbusCRC(p []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, b := range p {
		crc ^= uint16(b)
		for i := 0; i < 8; i++ {
			odd := crc&1 == 1
			crc >>= 1
			if odd {
				crc ^= 0xA001
			}
		}
	}
	return crc
}
