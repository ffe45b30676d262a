package serial

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"math/bits"
	"os"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/axlegate/axlegate/wim"
)

// goldenFrames reads the frames that were worked out from the page.
func goldenFrames(t testing.TB) [][]byte {
	t.Helper()
	b, err := os.ReadFile("testdata/af1.hex")
	if err != nil {
		t.Fatal(err)
	}
	var out [][]byte
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		f, err := hex.DecodeString(strings.ReplaceAll(line, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
	return out
}

func decode(p []byte) (got []wim.Reading, d *af1) {
	d = &af1{}
	d.feed(p, func(r wim.Reading) { got = append(got, r) })
	return got, d
}

func TestTheFramesOfThePageAreRead(t *testing.T) {
	const ms = 1_000_000
	want := []wim.Reading{
		{Kind: wim.Heartbeat, Boot: 0x0A0B0C0D, Seq: 7, DeviceTime: 1000 * ms},
		{Kind: wim.AxleReading, Boot: 0x0A0B0C0D, Seq: 1, DeviceTime: 2000 * ms, Axle: wim.Axle{Index: 1, Load: 6900, Left: 3400, Right: 3500, Speed: 652}},
		{Kind: wim.AxleReading, Boot: 0x0A0B0C0D, Seq: 2, DeviceTime: 2180 * ms,
			Axle: wim.Axle{Index: 2, Load: 11200, Left: wim.NotMeasured, Right: wim.NotMeasured, Speed: 652, Spacing: 3300, Flags: wim.OffScale}},
		{Kind: wim.VehicleEnd, Boot: 0x0A0B0C0D, Seq: 3, DeviceTime: 2400 * ms, Gross: 18100, AxleCount: 2, Speed: 652, Length: 9800, Flags: wim.MissedAxle | wim.Reverse},
	}
	for i, f := range goldenFrames(t) {
		got, d := decode(f)
		if len(got) != 1 || !reflect.DeepEqual(got[0], want[i]) || d.skipped != 0 || d.bad != 0 {
			t.Errorf("frame %d: have %+v, skipped %d, bad %d", i, got, d.skipped, d.bad)
		}
	}
}

func TestBadFramesAreSkippedAndTheNextIsFound(t *testing.T) {
	g := goldenFrames(t)
	join := func(p ...[]byte) []byte {
		var b []byte
		for _, x := range p {
			b = append(b, x...)
		}
		return b
	}
	noBoot := af1Encode('H', 0, 1, make([]byte, 4))
	noNumber := af1Encode('A', 1, 0, make([]byte, 17))
	idle := af1Encode('H', 1, 0, make([]byte, 4))
	tooHeavy := af1Encode('E', 1, 1, append([]byte{0, 0, 0, 1, 2, 0xFF, 0xFF, 0xFF, 0xFF}, make([]byte, 8)...))
	for _, c := range []struct {
		name  string
		bytes []byte
		seqs  []uint32
		bad   uint64
	}{
		{"two frames back to back", join(g[1], g[2]), []uint32{1, 2}, 0},
		{"noise before a frame", join([]byte("noise\r\n\xff\x00"), g[1]), []uint32{1}, 0},
		{"start marks before a frame", join([]byte{2, 2, 2, 2}, g[1]), []uint32{1}, 4},
		{"a wrong checksum", join(flip(g[1], 12), g[2]), []uint32{2}, 1},
		{"a wrong end mark", join(flip(g[1], len(g[1])-1), g[2]), []uint32{2}, 1},
		{"a length that its type does not have", join(flip(g[1], 1), g[2]), []uint32{2}, 1},
		{"a frame that was cut short", join(g[1][:15], g[2], g[3]), []uint32{2, 3}, 1},
		{"a frame of boot 0", join(noBoot, g[2]), []uint32{2}, 1},
		{"an axle without a number", join(noNumber, g[2]), []uint32{2}, 1},
		{"a heartbeat of a scale that has sent nothing yet", join(idle, g[2]), []uint32{0, 2}, 0},
		{"a mass beyond all vehicles", join(tooHeavy, g[2]), []uint32{2}, 1},
		{"a whole frame inside a broken one", join([]byte{2, 26, 'A'}, g[1], g[2]), []uint32{1, 2}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, d := decode(c.bytes)
			var seqs []uint32
			for _, r := range got {
				seqs = append(seqs, r.Seq)
			}
			if !reflect.DeepEqual(seqs, c.seqs) || d.bad < c.bad {
				t.Errorf("sequences %v, bad %d; want %v and at least %d", seqs, d.bad, c.seqs, c.bad)
			}
		})
	}
}

func af1Encode(kind byte, boot, seq uint32, body []byte) []byte {
	f := []byte{af1Start, byte(af1MinBody + len(body)), kind}
	f = binary.BigEndian.AppendUint32(f, boot)
	f = binary.BigEndian.AppendUint32(f, seq)
	f = append(f, body...)
	f = binary.LittleEndian.AppendUint16(f, pageCRC(f[1:]))
	return append(f, af1End)
}

// pageCRC is the checksum of the page once more, by the other road: not reflected, with every byte and the
// result turned round. The driver's own would agree with itself whatever it did.
func pageCRC(p []byte) uint16 {
	c := uint16(0xFFFF)
	for _, b := range p {
		c ^= uint16(bits.Reverse8(b)) << 8
		for range 8 {
			top := c >> 15
			c = c<<1 ^ top*0x8005
		}
	}
	return bits.Reverse16(c)
}

// encode writes a reading as the page has it.
func encode(r wim.Reading) []byte {
	be := binary.BigEndian
	body := be.AppendUint32(nil, uint32(r.DeviceTime/1_000_000))
	wheel := func(k wim.Kg) uint16 {
		if k == wim.NotMeasured {
			return 0xFFFF
		}
		return uint16(k)
	}
	flags := func(f wim.Flag) (v uint16) {
		for bit, g := range []wim.Flag{wim.OffScale, wim.Straddling, wim.SpeedOutOfRange, wim.Acceleration, wim.Tailgating, wim.MissedAxle, wim.OverCapacity, wim.Reverse} {
			if f.Has(g) {
				v |= 1 << bit
			}
		}
		return v
	}
	switch r.Kind {
	case wim.AxleReading:
		body = append(body, r.Axle.Index)
		for _, v := range []uint16{uint16(r.Axle.Load), wheel(r.Axle.Left), wheel(r.Axle.Right), uint16(r.Axle.Speed), uint16(r.Axle.Spacing), flags(r.Axle.Flags)} {
			body = be.AppendUint16(body, v)
		}
		return af1Encode('A', r.Boot, r.Seq, body)
	case wim.VehicleEnd:
		body = be.AppendUint32(append(body, r.AxleCount), uint32(r.Gross))
		body = be.AppendUint32(be.AppendUint16(body, uint16(r.Speed)), uint32(r.Length))
		return af1Encode('E', r.Boot, r.Seq, be.AppendUint16(body, flags(r.Flags)))
	default:
		return af1Encode('H', r.Boot, r.Seq, body)
	}
}

func anyReading(t *rapid.T) wim.Reading {
	u16 := func(name string) uint16 { return rapid.Uint16().Draw(t, name) }
	flags := func() (f wim.Flag) {
		for _, g := range []wim.Flag{wim.OffScale, wim.Straddling, wim.SpeedOutOfRange, wim.Acceleration, wim.Tailgating, wim.MissedAxle, wim.OverCapacity, wim.Reverse} {
			if rapid.Bool().Draw(t, "flag") {
				f |= g
			}
		}
		return f
	}
	wheel := func(name string) wim.Kg {
		if v := u16(name); v != 0xFFFF {
			return wim.Kg(v)
		}
		return wim.NotMeasured
	}
	r := wim.Reading{
		Kind: rapid.SampledFrom([]wim.ReadingKind{wim.AxleReading, wim.VehicleEnd, wim.Heartbeat}).Draw(t, "kind"),
		Boot: rapid.Uint32Min(1).Draw(t, "boot"), Seq: rapid.Uint32Min(1).Draw(t, "seq"),
		DeviceTime: int64(rapid.Uint32().Draw(t, "ms")) * 1_000_000,
	}
	switch r.Kind {
	case wim.AxleReading:
		r.Axle = wim.Axle{Index: rapid.Byte().Draw(t, "index"), Load: wim.Kg(u16("load")), Left: wheel("left"), Right: wheel("right"),
			Speed: wim.DeciKmh(u16("speed")), Spacing: wim.Mm(u16("spacing")), Flags: flags()}
	case wim.VehicleEnd:
		r.AxleCount, r.Gross, r.Speed = rapid.Byte().Draw(t, "axles"), wim.Kg(rapid.Int32Min(0).Draw(t, "gross")), wim.DeciKmh(u16("speed"))
		r.Length, r.Flags = wim.Mm(rapid.Int32Min(0).Draw(t, "length")), flags()
	default:
	}
	return r
}

func TestTheEncoderOfTheTestsIsThePages(t *testing.T) {
	for i, f := range goldenFrames(t) {
		got, _ := decode(f)
		if again := encode(got[0]); !bytes.Equal(again, f) {
			t.Errorf("frame %d: %x, want %x", i, again, f)
		}
	}
}

func TestPropertyWhatIsSentIsWhatIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var stream []byte
		var want []wim.Reading
		for range rapid.IntRange(1, 20).Draw(t, "frames") {
			if rapid.Bool().Draw(t, "noise") {
				// Noise without a start mark: with one, it may swallow a frame as a real line does.
				stream = append(stream, rapid.SliceOfN(rapid.ByteRange(3, 255), 0, 40).Draw(t, "bytes")...)
			}
			r := anyReading(t)
			stream = append(stream, encode(r)...)
			want = append(want, r)
		}
		var got []wim.Reading
		var d af1
		for len(stream) > 0 {
			n := min(len(stream), rapid.IntRange(1, 64).Draw(t, "piece"))
			d.feed(stream[:n], func(r wim.Reading) { got = append(got, r) })
			stream = stream[n:]
		}
		if !reflect.DeepEqual(got, want) || d.good != uint64(len(want)) {
			t.Fatalf("have %+v, want %+v", got, want)
		}
	})
}

// framesOf finds the frames of a stream in the slow and plain way: at every byte it asks whether a whole frame
// of the page stands there.
func framesOf(b []byte) (frames [][]byte) {
	sizes := map[byte]int{'A': 31, 'E': 31, 'H': 18}
	for i := 0; i < len(b); {
		size := 0
		if i+2 < len(b) && b[i] == 2 {
			size = sizes[b[i+2]]
		}
		if size == 0 || i+size > len(b) || int(b[i+1]) != size-5 || b[i+size-1] != 3 ||
			binary.LittleEndian.Uint16(b[i+size-3:]) != pageCRC(b[i+1:i+size-3]) ||
			binary.BigEndian.Uint32(b[i+3:]) == 0 || b[i+2] != 'H' && binary.BigEndian.Uint32(b[i+7:]) == 0 ||
			b[i+2] == 'E' && (b[i+16] > 0x7F || b[i+22] > 0x7F) {
			i++
			continue
		}
		f := append([]byte(nil), b[i:i+size]...)
		if b[i+2] != 'H' && f[size-5] != 0 { // flags that have no meaning yet are ignored
			f[size-5] = 0
			binary.LittleEndian.PutUint16(f[size-3:], pageCRC(f[1:size-3]))
		}
		frames = append(frames, f)
		i += size
	}
	return frames
}

func FuzzAF1(f *testing.F) {
	var all []byte
	for _, g := range goldenFrames(f) {
		f.Add(g)
		f.Add(g[:len(g)-2])
		all = append(append(all, g[:9]...), g...)
	}
	f.Add(all)
	good := goldenFrames(f)[3]
	f.Fuzz(func(t *testing.T, b []byte) {
		// Behind as many quiet bytes as a frame can have, nothing before can still be waiting for more.
		b = append(append(append([]byte(nil), b...), make([]byte, af1Max)...), good...)
		got, d := decode(b)
		want, size := framesOf(b), 0
		if len(got) != len(want) || len(got) == 0 || got[len(got)-1].Seq != 3 {
			t.Fatalf("%d readings out of %d frames, the good one at the end among them", len(got), len(want))
		}
		for i := range want {
			size += len(want[i])
			if again := encode(got[i]); !bytes.Equal(again, want[i]) {
				t.Errorf("reading %d, %+v, is %x on the line and not %x", i, got[i], again, want[i])
			}
		}
		if d.good != uint64(len(want)) || d.skipped != uint64(len(b)-size) || d.bad > d.skipped {
			t.Errorf("counted good %d, skipped %d, bad %d of %d bytes", d.good, d.skipped, d.bad, len(b))
		}
		// How the bytes are cut into reads changes nothing.
		var pieces af1
		var slowly []wim.Reading
		for rest := b; len(rest) > 0; {
			n := min(len(rest), 1+len(rest)%7)
			pieces.feed(rest[:n], func(r wim.Reading) { slowly = append(slowly, r) })
			rest = rest[n:]
		}
		if !reflect.DeepEqual(slowly, got) || pieces.bad != d.bad || pieces.skipped != d.skipped {
			t.Errorf("in pieces: %+v, want %+v", slowly, got)
		}
	})
}

func TestDecodingAllocatesNothing(t *testing.T) {
	stream := bytes.Join(append(goldenFrames(t), []byte("noise \x02\x1aA \x02")), nil)
	var d af1
	n := 0
	emit := func(wim.Reading) { n++ }
	if allocs := testing.AllocsPerRun(100, func() { d.feed(stream, emit) }); allocs != 0 || n == 0 {
		t.Errorf("%.1f allocations for four frames and noise, %d readings", allocs, n)
	}
}

func BenchmarkDecodeAF1(b *testing.B) {
	frame := goldenFrames(b)[1]
	var d af1
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	n := 0
	emit := func(wim.Reading) { n++ }
	for b.Loop() {
		d.feed(frame, emit)
	}
	if n == 0 {
		b.Fatal("nothing decoded")
	}
}
