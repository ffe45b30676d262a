package modbus

import (
	"bytes"
	"testing"
)

// Whatever goes over the wires, and in whatever pieces: nothing panics, nothing grows without bound, every answer belongs to a request
// that was heard, and the pieces make no difference.
func FuzzOverhear(f *testing.F) {
	ask := []byte{1, 3, 0, 6, 0, 2, 0x24, 0x0A}
	f.Add(ask, []byte{1, 3, 4, 0, 0, 0x96, 0x3C, 0x94, 0x42}, uint8(3), true)
	f.Add([]byte{0, 1, 0, 0, 0, 6, 1, 3, 0, 6, 0, 2}, []byte{0, 1, 0, 0, 0, 7, 1, 3, 4, 0, 0, 0x96, 0x3C}, uint8(5), false)
	f.Add([]byte{0, 1, 0, 0, 0, 6, 1, 1, 0, 6, 0, 9}, []byte{0, 1, 0, 0, 0, 5, 1, 1, 2, 0xFF, 1}, uint8(1), false)
	f.Fuzz(func(t *testing.T, host, device []byte, piece uint8, rtu bool) {
		hear := func(piece int) (out []Exchange, o Overhearer) {
			o.RTU = rtu
			take := func(x Exchange) {
				if x.Answered && x.Exception == 0 && (x.Function == 3 || x.Function == 4) && len(x.Registers) != int(x.Count) {
					t.Errorf("%d registers were asked for and %d answered", x.Count, len(x.Registers))
				}
				out = append(out, x)
			}
			feed := func(p []byte, to func([]byte, func(Exchange))) {
				for len(p) > 0 {
					n := min(piece, len(p))
					to(bytes.Clone(p[:n]), take)
					p = p[n:]
				}
			}
			feed(host, o.Host)
			feed(device, o.Device)
			if len(o.host) > 2*tcpMax || len(o.device) > 2*tcpMax || len(o.open) > 65 {
				t.Errorf("%d, %d bytes and %d requests are kept", len(o.host), len(o.device), len(o.open))
			}
			return out, o
		}
		whole, a := hear(1 << 20)
		pieces, b := hear(1 + int(piece))
		if len(whole) != len(pieces) || a.Skipped != b.Skipped || a.Alone != b.Alone {
			t.Errorf("in one piece %d exchanges, %d skipped, %d alone; in pieces of %d %d, %d, %d", len(whole), a.Skipped, a.Alone, 1+int(piece), len(pieces), b.Skipped, b.Alone)
		}
		var line Overhearer
		line.Line(bytes.Clone(host), func(Exchange) {})
		line.Line(bytes.Clone(device), func(Exchange) {})
		if len(line.host) > 2*tcpMax {
			t.Errorf("%d bytes are kept", len(line.host))
		}
	})
}
