package serial

import (
	"encoding/binary"
	"encoding/hex"
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
	flip := func(f []byte, i int) []byte {
		c := append([]byte(nil), f...)
		c[i] ^= 0x10
		return c
	}
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
	f = binary.LittleEndian.AppendUint16(f, crc16(f[1:]))
	return append(f, af1End)
}

func TestWhatIsSentInPiecesIsReadWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var stream []byte
		var want []uint32
		for i := range rapid.IntRange(1, 20).Draw(t, "frames") {
			if rapid.Bool().Draw(t, "noise") {
				// Noise without a start mark: with one, it may swallow a frame as a real line does.
				stream = append(stream, rapid.SliceOfN(rapid.ByteRange(4, 255), 0, 40).Draw(t, "bytes")...)
			}
			kind := rapid.SampledFrom([]byte("AE")).Draw(t, "kind")
			body := rapid.SliceOfN(rapid.ByteRange(0, 127), 17, 17).Draw(t, "body")
			seq := uint32(i + 1)
			stream = append(stream, af1Encode(kind, 9, seq, body)...)
			want = append(want, seq)
		}
		var got []uint32
		var d af1
		for len(stream) > 0 {
			n := min(len(stream), rapid.IntRange(1, 64).Draw(t, "piece"))
			d.feed(stream[:n], func(r wim.Reading) { got = append(got, r.Seq) })
			stream = stream[n:]
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("have %v, want %v", got, want)
		}
	})
}

func FuzzAF1(f *testing.F) {
	for _, g := range goldenFrames(f) {
		f.Add(g)
		f.Add(g[:len(g)-2])
	}
	good := goldenFrames(f)[3]
	f.Fuzz(func(t *testing.T, b []byte) {
		got, _ := decode(b)
		for _, r := range got {
			if r.Boot == 0 || r.Kind != wim.Heartbeat && r.Seq == 0 || r.Kind == wim.LinkUp || r.Gross < 0 {
				t.Errorf("invented %+v", r)
			}
		}
		// Whatever came before, a good frame behind enough quiet bytes is found.
		again, _ := decode(append(append(append([]byte(nil), b...), make([]byte, af1Max)...), good...))
		if len(again) == 0 || again[len(again)-1].Seq != 3 {
			t.Error("the good frame behind the noise was not found")
		}
	})
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
