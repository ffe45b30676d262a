package strips

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"

	"github.com/axlegate/axlegate/simulator"
	"github.com/axlegate/axlegate/simulator/physics"
	"github.com/axlegate/axlegate/wim"
)

// stream is what a simulated digitiser sends, with its truth and the array that it is of.
func stream(t testing.TB, vehicles int, change func(*simulator.SamplesConfig)) (raw []byte, truth []simulator.Truth, a Array) {
	t.Helper()
	cfg := simulator.SamplesConfig{
		Seed: 3, Vehicles: vehicles, Traffic: simulator.Traffic{Fleet: 20}, Rows: 4, Apart: 3, Rate: 2000, Road: physics.RoughnessA, Celsius: 20,
		Begin: time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC),
	}
	if change != nil {
		change(&cfg)
	}
	var out, lines bytes.Buffer
	if err := simulator.WriteSamples(t.Context(), cfg, &out, &lines, false, func(int) {}); err != nil {
		t.Fatal(err)
	}
	for d := json.NewDecoder(&lines); d.More(); {
		var x simulator.Truth
		if err := d.Decode(&x); err != nil {
			t.Fatal(err)
		}
		truth = append(truth, x)
	}
	factors, warmth, rows, err := simulator.SampleArray(cfg)
	if err != nil {
		t.Fatal(err)
	}
	a = Array{Threshold: 60, Factors: factors, Warmth: warmth}
	for i, at := range rows {
		left, right := 2*i, 2*i+1
		a.Rows = append(a.Rows, Row{wim.Mm(at), &left, &right})
	}
	return out.Bytes(), truth, a
}

// blocks cuts a stream at the beginnings of its blocks.
func blocks(raw []byte) (out [][]byte) {
	for len(raw) > 0 {
		n := frontBytes + int(raw[12]) + int(raw[13])<<8 + int(raw[14])<<16 + afterBytes
		out = append(out, raw[:n])
		raw = raw[n:]
	}
	return out
}

// weighed is what became of a stream.
func weighed(t testing.TB, r io.Reader, a Array) (ends, all []wim.Reading, reader *Reader) {
	t.Helper()
	reader = NewReader(r)
	w := NewWeigher(a, 0)
	for {
		b, err := reader.Next()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if all, err = w.Take(&b, all); err != nil {
			t.Fatal(err)
		}
	}
	last := uint32(0)
	for _, x := range all {
		if x.Seq <= last {
			t.Fatalf("number %d behind %d", x.Seq, last)
		}
		last = x.Seq
		if x.Kind == wim.VehicleEnd {
			ends = append(ends, x)
		}
	}
	return ends, all, reader
}

func TestAStreamIsWeighedAsItsVehiclesAre(t *testing.T) {
	for name, change := range map[string]func(*simulator.SamplesConfig){
		"quartz":                    nil,
		"polymer at 45 °C":          func(c *simulator.SamplesConfig) { c.Polymer, c.Celsius = true, 45 },
		"two rows at 20 to 50 km/h": func(c *simulator.SamplesConfig) { c.Rows, c.Slowest, c.Fastest = 2, 20, 50 },
		"at 20 kHz":                 func(c *simulator.SamplesConfig) { c.Rate, c.Vehicles = 20_000, 2 },
	} {
		t.Run(name, func(t *testing.T) {
			raw, truth, a := stream(t, 12, change)
			ends, all, r := weighed(t, iotest.HalfReader(bytes.NewReader(raw)), a)
			if len(ends) != len(truth) || r.Skipped != 0 {
				t.Fatalf("%d of %d vehicles, %d bytes passed over", len(ends), len(truth), r.Skipped)
			}
			begin := time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)
			axle := 0
			for i, e := range ends {
				x := &truth[i]
				if int(e.AxleCount) != len(x.Axles) || math.Abs(float64(e.Gross-x.Gross)) > 0.2*float64(x.Gross) || math.Abs(float64(e.Speed-x.Speed)) > 0.02*float64(x.Speed) {
					t.Errorf("%+v is weighed as %+v", x, e)
				}
				first := begin.Add(time.Duration(all[axle].DeviceTime))
				if d := first.Sub(x.Start).Abs(); d > 5*time.Millisecond {
					t.Errorf("its first axle came %s off", d)
				}
				axle += int(e.AxleCount) + 1
			}
			if c := (name == "polymer at 45 °C"); c && ends[0].Temperature != 3182 {
				t.Errorf("temperature %d", ends[0].Temperature)
			}
		})
	}
}

func TestAStreamIsReadTheSameHoweverItComes(t *testing.T) {
	raw, _, a := stream(t, 2, func(c *simulator.SamplesConfig) { c.Rate = 500 })
	_, want, _ := weighed(t, bytes.NewReader(raw), a)
	_, got, _ := weighed(t, iotest.OneByteReader(bytes.NewReader(raw)), a)
	if !slices.Equal(got, want) {
		t.Error("byte by byte it is another")
	}
}

func TestGarbageBetweenBlocksIsPassedOverAndDoesNoHarm(t *testing.T) {
	raw, _, a := stream(t, 2, func(c *simulator.SamplesConfig) { c.Rate = 500 })
	list := blocks(raw)
	_, want, _ := weighed(t, bytes.NewReader(raw), a)
	rapid.Check(t, func(rt *rapid.T) {
		at := rapid.IntRange(0, len(list)-1).Draw(rt, "before block")
		garbage := rapid.SliceOfN(rapid.SampledFrom([]byte{'A', 'X', 'S', '1', 'S', 0, 0, 0, 7}), 1, 40).Draw(rt, "garbage")
		dirty := slices.Concat(slices.Concat(list[:at]...), garbage, slices.Concat(list[at:]...))
		r := NewReader(bytes.NewReader(dirty))
		n := 0
		for {
			if _, err := r.Next(); err != nil {
				break
			}
			n++
		}
		// A front in the garbage that announces much may swallow what follows, but nothing is ever invented.
		if n > len(list) || uint64(len(garbage)) > r.Skipped+uint64(len(raw)) {
			rt.Fatalf("%d blocks of %d, %d bytes passed over", n, len(list), r.Skipped)
		}
		_, got, _ := weighed(t, bytes.NewReader(dirty), a)
		for _, x := range got {
			x.Seq = 0
			if !slices.ContainsFunc(want, func(y wim.Reading) bool { y.Seq = 0; return x == y }) {
				rt.Fatalf("invented %+v", x)
			}
		}
	})
}

func TestAFlippedBitMakesNoBlock(t *testing.T) {
	raw, _, _ := stream(t, 1, func(c *simulator.SamplesConfig) { c.Rate = 500 })
	list := blocks(raw)
	one := slices.Concat(list[0], list[1])
	for i := range len(one) * 8 {
		bad := slices.Clone(one)
		bad[i/8] ^= 1 << (i % 8)
		r := NewReader(bytes.NewReader(bad))
		for {
			b, err := r.Next()
			if err != nil {
				break
			}
			if b.Header == nil && i/8 >= len(list[0]) {
				t.Fatalf("bit %d: its samples are taken", i)
			}
			if b.Header != nil && i/8 < len(list[0]) {
				t.Fatalf("bit %d: its header is taken", i)
			}
		}
	}
}

func TestNothingIsWeighedAcrossSamplesThatAreMissing(t *testing.T) {
	raw, truth, a := stream(t, 6, func(c *simulator.SamplesConfig) { c.Rate = 1000 })
	list := blocks(raw)
	ends, want, _ := weighed(t, bytes.NewReader(raw), a)
	if len(ends) != len(truth) {
		t.Fatalf("%d of %d", len(ends), len(truth))
	}
	lost := 0
	for at := 1; at < len(list)-1; at += 2 {
		if list[at][4] != samplesBlock {
			continue
		}
		got, all, _ := weighed(t, bytes.NewReader(slices.Concat(slices.Concat(list[:at]...), slices.Concat(list[at+1:]...))), a)
		if len(got) < len(ends)-2 || len(got) > len(ends) { // the one that stood there, and the next where it comes so soon that it may be the rest
			t.Fatalf("without block %d there are %d vehicles of %d", at, len(got), len(ends))
		}
		lost += len(ends) - len(got)
		for _, x := range all { // every one that is left is the very vehicle: none was weighed in part
			x.Seq = 0
			if !slices.ContainsFunc(want, func(y wim.Reading) bool {
				y.Seq = 0
				near := math.Abs(float64(x.Gross-y.Gross)) <= 0.01*float64(y.Gross)+20 && math.Abs(float64(x.Axle.Load-y.Axle.Load)) <= 0.01*float64(y.Axle.Load)+20
				return x.Kind == y.Kind && near && x.AxleCount == y.AxleCount && x.Axle.Index == y.Axle.Index && math.Abs(float64(x.DeviceTime-y.DeviceTime)) < 1e6
			}) {
				t.Fatalf("without block %d: invented %+v", at, x)
			}
		}
		if last := all[len(all)-1].Seq; int(last) <= len(all) {
			t.Fatalf("without block %d no number is left out", at)
		}
	}
	if lost == 0 {
		t.Error("no block held a vehicle")
	}
}

func TestSamplesOfOtherStripsAreRefused(t *testing.T) {
	raw, _, good := stream(t, 1, nil)
	other := func(change func(*Array)) Array {
		a := good
		a.Rows = slices.Clone(good.Rows)
		change(&a)
		return a
	}
	for name, a := range map[string]Array{
		"that lie elsewhere":   other(func(a *Array) { a.Rows[2].Position += 10 }),
		"on the other side":    other(func(a *Array) { a.Rows[1].Left, a.Rows[1].Right = a.Rows[1].Right, a.Rows[1].Left }),
		"fewer than there are": other(func(a *Array) { a.Rows, a.Factors, a.Warmth = a.Rows[:3], a.Factors[:6], a.Warmth[:6] }),
		"more than there are": other(func(a *Array) {
			a.Factors, a.Warmth = append(slices.Clone(a.Factors), 1), append(slices.Clone(a.Warmth), 0)
		}),
	} {
		r, w := NewReader(bytes.NewReader(raw)), NewWeigher(a, 0)
		b, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Take(&b, nil); err == nil {
			t.Errorf("%s: taken", name)
		}
		if b, err = r.Next(); err != nil {
			t.Fatal(err)
		}
		if out, err := w.Take(&b, nil); err != nil || len(out) != 0 {
			t.Errorf("%s: weighed %v %v", name, out, err)
		}
	}
}

// heard is what a driver emitted.
type heard struct {
	mu  sync.Mutex
	all []wim.Reading
}

func (h *heard) emit(r wim.Reading) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, r)
}

func (h *heard) count(k wim.ReadingKind) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.all {
		if r.Kind == k {
			n++
		}
	}
	return n
}

func TestADigitiserIsReadOverTCPAndAGapIsLeftWhereItWasAway(t *testing.T) {
	raw, truth, a := stream(t, 5, nil)
	list := blocks(raw)
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // the test is over
	half := len(list) / 2
	go func() { // at first the connection ends in the middle of a block; then another digitiser's boot is there
		conn, err := l.Accept()
		if err != nil {
			return
		}
		whole := slices.Concat(list[:half]...)
		conn.Write(whole[:len(whole)-9]) //nolint:errcheck // the driver may have gone
		conn.Close()                     //nolint:errcheck // as above
		if conn, err = l.Accept(); err != nil {
			return
		}
		conn.Write(slices.Concat(list[0], slices.Concat(list[half:]...))) //nolint:errcheck // as above
	}()
	h := &heard{}
	s, err := New(Config{Device: "strips-1", Address: l.Addr().String(), Array: a, After: func() (wim.DeviceCursor, bool) { return wim.DeviceCursor{Boot: 4, Seq: 100}, true }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, h.emit) }()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for limit := time.Now().Add(20 * time.Second); h.count(wim.LinkUp) < 2 || h.count(wim.VehicleEnd) < len(truth)-1; <-tick.C {
		if time.Now().After(limit) {
			t.Fatalf("%d links, %d vehicles of %d; %+v", h.count(wim.LinkUp), h.count(wim.VehicleEnd), len(truth), s.Health())
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	last, at, holes := uint32(100), wim.Time(0), 0
	for _, r := range h.all {
		if r.Arrival < at {
			t.Errorf("%+v came before the one before it", r)
		}
		at = r.Arrival
		if r.Kind == wim.LinkUp || r.Kind == wim.LinkDown {
			continue
		}
		if r.Boot != 4 || r.Seq < last {
			t.Errorf("%+v behind number %d", r, last)
		}
		if r.Seq > last+1 || r.Kind == wim.Heartbeat {
			holes++
		}
		last = r.Seq
	}
	if holes < 2 || h.count(wim.LinkDown) < 1 {
		t.Errorf("%d holes, %d times down", holes, h.count(wim.LinkDown))
	}
	if v := s.Health(); v.Messages == 0 || v.Reconnects < 2 {
		t.Errorf("health %+v", v)
	}
}

func FuzzBlocks(f *testing.F) {
	raw, _, a := stream(f, 1, func(c *simulator.SamplesConfig) { c.Rate = 500 })
	list := blocks(raw)
	f.Add(slices.Concat(list[:8]...))
	f.Add([]byte("AXS1S\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		r, w := NewReader(bytes.NewReader(stream)), NewWeigher(a, 0)
		var out []wim.Reading
		for {
			b, err := r.Next()
			if err != nil {
				break
			}
			for _, s := range b.Samples {
				if len(s) != len(b.Samples[0]) {
					t.Fatal("strips of different lengths")
				}
			}
			out, _ = w.Take(&b, out)
		}
		if r.Skipped > uint64(len(stream)) {
			t.Fatalf("%d bytes passed over of %d", r.Skipped, len(stream))
		}
	})
}

func BenchmarkStream(b *testing.B) {
	raw, _, a := stream(b, 4, func(c *simulator.SamplesConfig) { c.Rate = 20_000 })
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	in := bytes.NewReader(raw)
	r, w := NewReader(in), NewWeigher(a, 0)
	out := make([]wim.Reading, 0, 256)
	for b.Loop() {
		in.Reset(raw)
		for {
			x, err := r.Next()
			if err != nil {
				break
			}
			if out, err = w.Take(&x, out[:0]); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// spoilt is what became of vehicles of which so many of a thousand did something: by the flag that the truth asks for, how many there
// were and how many have it, are void for something else, or have no record of their own.
func spoilt(t *testing.T, vehicles int, manoeuvres wim.Permille) (n, right, void, gone map[wim.Flag]int, wrong []string) {
	t.Helper()
	raw, truth, a := stream(t, vehicles, func(c *simulator.SamplesConfig) { c.Manoeuvres, c.Seed, c.Rate = manoeuvres, 21, 1000 })
	_, all, _ := weighed(t, bytes.NewReader(raw), a)
	asm := wim.NewAssembler(wim.AssemblerConfig{Lane: 1, Wait: 20 * time.Second, Acceleration: Acceleration})
	var found []wim.Vehicle
	for _, r := range all {
		r.Arrival = wim.TimeOf(time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC).Add(time.Duration(r.DeviceTime)))
		if v, done := asm.Push(r); done {
			found = append(found, v.Clone())
		}
	}
	n, right, void, gone = map[wim.Flag]int{}, map[wim.Flag]int{}, map[wim.Flag]int{}, map[wim.Flag]int{}
	for _, x := range truth {
		n[x.Flags]++
		i := slices.IndexFunc(found, func(v wim.Vehicle) bool { return v.Start.Std().Sub(x.Start).Abs() < time.Second })
		switch {
		case i < 0:
			gone[x.Flags]++
		case x.Flags == 0 && manoeuvres > 0 && found[i].Flags == wim.Acceleration && len(found[i].Axles) == len(x.Axles):
			void[x.Flags]++ // it braked a little: less than what must be noticed
		case found[i].Flags.Has(x.Flags):
			right[x.Flags]++
			if x.Flags == 0 && (found[i].Flags != 0 || len(found[i].Axles) != len(x.Axles)) {
				wrong = append(wrong, fmt.Sprintf("%+v is weighed as %+v", x, found[i]))
			}
		case found[i].Flags.Any(wim.Voiding):
			void[x.Flags]++
		case math.Abs(float64(found[i].Gross-x.Gross)) > 0.2*float64(x.Gross):
			wrong = append(wrong, fmt.Sprintf("%+v is weighed as %+v", x, found[i]))
		}
	}
	return n, right, void, gone, wrong
}

func TestWhatSpoilsAWeighingMakesItVoidAndFreeFlowIsNotFlagged(t *testing.T) {
	if n, right, _, _, wrong := spoilt(t, 80, 0); n[0] != 80 || right[0] != 80 || len(wrong) > 0 {
		t.Errorf("free flow: %d vehicles, %d found; %v", n[0], right[0], wrong)
	}
	n, right, void, gone, wrong := spoilt(t, 200, 700)
	for f, all := range n {
		t.Logf("%v: %d, flagged %d, void for something else %d, without a record of their own %d", f.Names(), all, right[f], void[f], gone[f])
	}
	if len(wrong) > 0 {
		t.Errorf("neither void nor right: %v", wrong)
	}
	// Who comes behind one that stood may be taken for its rest: the record of both is void.
	for _, f := range []wim.Flag{0, wim.Reverse} {
		if n[f] < 10 || right[f]+void[f]+gone[f] != n[f] || gone[f] > n[wim.StopAndGo]/3 {
			t.Errorf("%v: %d of %d flagged, %d without a record of their own", f.Names(), right[f], n[f], gone[f])
		}
	}
	for _, f := range []wim.Flag{wim.OffScale, wim.Acceleration, wim.StopAndGo} {
		if n[f] < 10 || 10*(right[f]+void[f]+gone[f]) < 8*n[f] {
			t.Errorf("%v: %d, flagged %d, void %d", f.Names(), n[f], right[f], void[f])
		}
	}
}
