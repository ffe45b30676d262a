package simulator

import (
	"testing"
	"time"
)

// FuzzRequest: whatever a host asks, an instrument answers with its function or refuses, and never more than a frame
// holds.
func FuzzRequest(f *testing.F) {
	f.Add(uint8(0), []byte{3, 0, 6, 0, 5})
	f.Add(uint8(1), []byte{4, 0, 0, 0, 125})
	f.Add(uint8(4), []byte{16, 0, 24, 0, 2, 4, 0, 0, 0, 1})
	f.Add(uint8(7), []byte{6, 0, 5, 8, 0})
	f.Add(uint8(9), []byte{0x2B})
	kinds := IndicatorKinds()
	f.Fuzz(func(t *testing.T, n uint8, request []byte) {
		if len(request) < 2 {
			return // a frame has a function and data
		}
		k := indicatorKinds()[kinds[int(n)%len(kinds)]]
		d := &Indicator{kind: k, unit: 1, load: StaticLoad{Gross: 38460}, start: time.Now(), until: map[IndicatorFault]time.Time{}}
		as, reply, _, ok := d.answer(1, request, false)
		if !ok || as != 1 || len(reply) < 2 || len(reply) > 253 || reply[0]&0x7F != request[0]&0x7F {
			t.Errorf("% X to % X", reply, request)
		}
		if l := d.Load(); request[0] != 6 && request[0] != 16 && l.Gross != 38460 {
			t.Errorf("% X changed the load to %+v", request, l)
		}
	})
}
