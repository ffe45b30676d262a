package modbusscale

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/axlegate/axlegate/wim"
)

// The registers of the page's example.
var (
	pageState = []uint16{0x0A0B, 0x0C0D, 0, 3, 0, 0x1388, 1, 0x40}
	pageSlot  = []uint16{0, 2, 1, 2, 0, 0x0884, 0, 0x2BC0, 0xFFFF, 0xFFFF, 0x028C, 0, 0x0CE4, 1, 0, 2}
)

func TestTheRegistersOfThePageAreRead(t *testing.T) {
	l := newLayout(shipped(t))
	if l.first != 0 || l.count != 8 || l.perRequest != 7 {
		t.Errorf("the state is %d registers from %d, and %d slots fit a request", l.count, l.first, l.perRequest)
	}
	if st := l.state(pageState); st != (state{boot: 0x0A0B0C0D, counter: 3, time: 5000, status: 1, slots: 64}) {
		t.Errorf("have %+v", st)
	}
	want := wim.Reading{Kind: wim.AxleReading, Seq: 2, DeviceTime: 2180 * 1_000_000, Axle: wim.Axle{
		Index: 2, Load: 11200, Left: wim.NotMeasured, Right: wim.NotMeasured, Speed: 652, Spacing: 3300, Flags: wim.OffScale}}
	if r, ticks, err := l.event(pageSlot, 2); err != nil || r != want || ticks != 2180 {
		t.Errorf("have %+v, %d, %v", r, ticks, err)
	}
	if addr, rest := l.slot(2); addr != 48 || rest != 62 {
		t.Errorf("event 2 lies at %d with %d slots to the end", addr, rest)
	}
	if addr, rest := l.slot(64 + 63); addr != 16+63*16 || rest != 1 {
		t.Errorf("event 127 lies at %d with %d slots to the end", addr, rest)
	}
}

func TestTheEncoderOfTheTestsIsThePages(t *testing.T) {
	r, _, err := func() (wim.Reading, uint32, error) { l := newLayout(shipped(t)); return l.event(pageSlot, 2) }()
	if err != nil || !slices.Equal(slotOf(r), pageSlot) {
		t.Errorf("have %04X, %v", slotOf(r), err)
	}
}

func TestWordsLieAsTheProfileSays(t *testing.T) {
	p := shipped(t)
	p.Words = "low-first"
	low := newLayout(p)
	swapped := slices.Clone(pageSlot)
	for _, i := range []int{0, 4, 6, 11, 14} {
		swapped[i], swapped[i+1] = swapped[i+1], swapped[i]
	}
	high := newLayout(shipped(t))
	want, _, _ := high.event(pageSlot, 2) // good, as the test above says
	if r, _, err := low.event(swapped, 2); err != nil || r != want {
		t.Errorf("have %+v, %v", r, err)
	}
	if _, _, err := low.event(pageSlot, 2); !errors.Is(err, errTorn) {
		t.Errorf("the wrong order: %v", err)
	}
}

func TestPropertyWhatIsWrittenIsWhatIsRead(t *testing.T) {
	l := newLayout(shipped(t))
	rapid.Check(t, func(t *rapid.T) {
		wheel := func(name string) wim.Kg {
			if v := rapid.Uint16().Draw(t, name); v != 0xFFFF {
				return wim.Kg(v)
			}
			return wim.NotMeasured
		}
		mass, length := rapid.Int32Min(0).Draw(t, "mass"), rapid.Int32Min(0).Draw(t, "length")
		index, speed := rapid.Byte().Draw(t, "index"), wim.DeciKmh(rapid.Uint16().Draw(t, "speed"))
		r := wim.Reading{Kind: wim.VehicleEnd, Seq: rapid.Uint32Min(1).Draw(t, "seq"), DeviceTime: int64(rapid.Uint32().Draw(t, "ms")) * 1_000_000}
		if rapid.Bool().Draw(t, "axle") {
			r.Kind = wim.AxleReading
			r.Axle = wim.Axle{Index: index, Load: wim.Kg(mass), Left: wheel("left"), Right: wheel("right"), Speed: speed, Spacing: wim.Mm(length), Flags: wim.Straddling | wim.Reverse}
		} else {
			r.Gross, r.AxleCount, r.Speed, r.Length, r.Flags = wim.Kg(mass), index, speed, wim.Mm(length), wim.MissedAxle
		}
		regs := slotOf(r)
		if got, _, err := l.event(regs, r.Seq); err != nil || got != r {
			t.Fatalf("have %+v, %v, want %+v", got, err, r)
		}
		// A slot that changed between its first and its last register is another event at one end.
		other := rapid.Uint32().Filter(func(v uint32) bool { return v != r.Seq }).Draw(t, "other")
		at := rapid.SampledFrom([]int{0, 14}).Draw(t, "end")
		regs[at], regs[at+1] = uint16(other>>16), uint16(other)
		if _, _, err := l.event(regs, r.Seq); !errors.Is(err, errTorn) {
			t.Fatalf("a slot in the making: %v", err)
		}
	})
}

// FuzzEvent feeds a slot of any content: it is refused, or it is a reading that is these registers and no
// others.
func FuzzEvent(f *testing.F) {
	seed := func(regs []uint16, number uint32) {
		var b []byte
		for _, v := range regs {
			b = binary.BigEndian.AppendUint16(b, v)
		}
		f.Add(b, number)
	}
	seed(pageSlot, 2)
	seed(slotOf(wim.Reading{Kind: wim.VehicleEnd, Seq: 3, Gross: 18100, AxleCount: 2, Speed: 652, Length: 9800, Flags: wim.MissedAxle}), 3)
	seed(slotOf(wim.Reading{Kind: wim.VehicleEnd, Seq: 1 << 31, Gross: 1 << 30}), 1<<31)
	seed(make([]uint16, 16), 0)
	seed(pageSlot, 66)
	l := newLayout(shipped(f))
	f.Fuzz(func(t *testing.T, b []byte, number uint32) {
		regs := make([]uint16, 16)
		for i := range regs {
			if 2*i+1 < len(b) {
				regs[i] = binary.BigEndian.Uint16(b[2*i:])
			}
		}
		r, _, err := l.event(regs, number)
		seq := func(i int) uint32 { return uint32(regs[i])<<16 | uint32(regs[i+1]) }
		good := seq(0) == number && seq(14) == number && (regs[2] == 1 || regs[2] == 2) && regs[3] < 256 && regs[6] < 0x8000 && regs[11] < 0x8000
		if good != (err == nil) {
			t.Fatalf("%04X as event %d: %v", regs, number, err)
		}
		if err != nil {
			if !errors.Is(err, errTorn) && !errors.Is(err, errValue) {
				t.Errorf("error %v", err)
			}
			return
		}
		regs[13] &= 0xFF // flags that have no meaning are ignored
		if regs[2] == 2 {
			regs[8], regs[9] = 0xFFFF, 0xFFFF // a vehicle has no wheels of its own
		}
		if again := slotOf(r); !slices.Equal(again, regs) {
			t.Errorf("%04X is read as %+v, which is %04X", regs, r, again)
		}
	})
}

func TestDecodingAllocatesNothing(t *testing.T) {
	l := newLayout(shipped(t))
	good := 0
	allocs := testing.AllocsPerRun(100, func() {
		if r, _, err := l.event(pageSlot, 2); err == nil && r.Seq == 2 {
			good++
		}
	})
	if allocs != 0 || good == 0 {
		t.Errorf("%.1f allocations for one event", allocs)
	}
}

func BenchmarkDecodeEvent(b *testing.B) {
	l := newLayout(shipped(b))
	b.SetBytes(32)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := l.event(pageSlot, 2); err != nil {
			b.Fatal(err)
		}
	}
}
