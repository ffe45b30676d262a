package simulator

import (
	"bytes"
	"encoding/binary"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/axlegate/axlegate/internal/conf"
	"github.com/axlegate/axlegate/wim"
)

// frame is what the test reads off the line. The reader below is written from docs/devices/axle-frame.md for
// this test alone.
type frame struct {
	kind      byte
	boot, seq uint32
	body      []byte
}

// framesIn finds the good frames in what a line carried.
func framesIn(b []byte) (out []frame, skipped int) {
	for len(b) > 0 {
		n := 0
		if len(b) > 1 {
			n = int(b[1]) + 5
		}
		if b[0] != 2 || n < 14 || n > 69 || len(b) < n || b[n-1] != 3 || modbusCRC(b[1:n-3]) != binary.LittleEndian.Uint16(b[n-3:]) {
			b = b[1:]
			skipped++
			continue
		}
		out = append(out, frame{b[2], binary.BigEndian.Uint32(b[3:]), binary.BigEndian.Uint32(b[7:]), b[11 : n-3]})
		b = b[n:]
	}
	return out, skipped
}

// listener reads a line raw until it is hung up or closed.
type listener struct {
	f    *os.File
	done chan struct{}

	mu  sync.Mutex
	got []byte
}

func listen(t *testing.T, path string) *listener {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	l := &listener{f: f, done: make(chan struct{})}
	go func() {
		defer close(l.done)
		buf := make([]byte, 512)
		for {
			n, err := f.Read(buf)
			if err != nil {
				return
			}
			l.mu.Lock()
			l.got = append(l.got, buf[:n]...)
			l.mu.Unlock()
		}
	}()
	t.Cleanup(l.close)
	return l
}

func (l *listener) close() {
	_ = l.f.Close() // may be closed already
	<-l.done
}

func (l *listener) bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.got)
}

func (l *listener) frames() []frame {
	f, _ := framesIn(l.bytes())
	return f
}

func putUp(t *testing.T) *scale {
	t.Helper()
	s, err := newScale(filepath.Join(t.TempDir(), "by-id", "scale"), nil, stream(1, 1), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.pull(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func sendAxle(s *scale, a axle) message {
	return s.send('A', 0, func(ms uint32) []byte { return af1Axle(ms, 1, a, 600) }, false)
}

func TestTheLineCarriesEveryByteUnchanged(t *testing.T) {
	s := putUp(t)
	l := listen(t, s.path)
	// Every byte that a terminal in its usual mode would eat, echo or translate.
	for b := range 256 {
		if m := sendAxle(s, axle{Load: wim.Kg(b<<8 | 0x0D), Left: wim.Kg(b), Right: wim.Kg(b << 8)}); !m.whole {
			t.Fatalf("the line did not take message %d", m.seq)
		}
		until(t, "the frame", func() bool { return len(l.frames()) == b+1 })
	}
	if _, skipped := framesIn(l.bytes()); skipped != 0 {
		t.Errorf("%d bytes belong to no frame", skipped)
	}
	for i, f := range l.frames() {
		if f.kind != 'A' || f.seq != uint32(i+1) || f.boot != s.boot || len(f.body) != 17 ||
			binary.BigEndian.Uint16(f.body[5:]) != uint16(i<<8|0x0D) || binary.BigEndian.Uint16(f.body[9:]) != uint16(i<<8) {
			t.Fatalf("message %d came as %+v", i+1, f)
		}
	}
}

func TestAScaleWithoutAListenerNeverWaits(t *testing.T) {
	s := putUp(t)
	for range 5000 { // far more than any line holds
		sendAxle(s, axle{Load: 6000})
	}
	if s.lost == 0 {
		t.Error("nothing was lost, though nobody listened")
	}
	// Who listens now finds what the line still held, and what comes from now on.
	l := listen(t, s.path)
	until(t, "the line to be drained", func() bool { return sendAxle(s, axle{Load: 6000}).whole })
	_, last := s.numbers()
	until(t, "the newest message", func() bool { f := l.frames(); return len(f) > 0 && f[len(f)-1].seq == last })
}

func TestAListenersClosingDoesNotHangUpTheLine(t *testing.T) {
	s := putUp(t)
	for i := range 3 {
		l := listen(t, s.path)
		m := sendAxle(s, axle{Load: 6000})
		until(t, "the message", func() bool { f := l.frames(); return len(f) == 1 && f[0].seq == m.seq })
		l.close()
		if _, err := os.Stat(s.path); err != nil {
			t.Fatalf("after listener %d: %v", i, err)
		}
	}
}

func TestWhatIsWeighedWhileTheCableIsOutIsNumberedAndLost(t *testing.T) {
	s := putUp(t)
	l := listen(t, s.path)
	first := sendAxle(s, axle{Load: 6000})
	until(t, "the first message", func() bool { return len(l.frames()) == 1 })
	if err := s.pull(); err != nil {
		t.Fatal(err)
	}
	<-l.done // hung up
	if _, err := os.Lstat(s.path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the line's path while it is out: %v", err)
	}
	if m := sendAxle(s, axle{Load: 6000}); m.whole || m.seq != first.seq+1 {
		t.Errorf("while the cable was out: %+v", m)
	}
	for range 2 { // plugging in what is in changes nothing
		if err := s.plug(); err != nil {
			t.Fatal(err)
		}
	}
	l = listen(t, s.path)
	s.heartbeat()
	third := sendAxle(s, axle{Load: 6000})
	until(t, "a heartbeat and the third message", func() bool { return len(l.frames()) == 2 })
	if f := l.frames(); f[0].kind != 'H' || f[0].seq != first.seq+1 || f[1].seq != third.seq || third.seq != first.seq+2 || f[1].boot != first.boot {
		t.Errorf("after the cable was in again: %+v", f)
	}
}

func TestAScaleThatStartsAnewHasForgottenTheVehicleOnIt(t *testing.T) {
	s := putUp(t)
	before := sendAxle(s, axle{Load: 6000})
	s.restart()
	if m := s.send('A', before.boot, func(uint32) []byte { t.Error("a message was made"); return nil }, false); m.sent {
		t.Errorf("sent %+v of a vehicle that the old boot began", m)
	}
	if after := sendAxle(s, axle{Load: 6000}); after.boot == before.boot || after.boot == 0 || after.seq != 1 {
		t.Errorf("after %+v came %+v", before, after)
	}
}

func TestALinkOfAnEarlierRunIsReplacedAndAFileIsNot(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "scale")
	if err := os.Symlink(filepath.Join(dir, "gone"), path); err != nil {
		t.Fatal(err)
	}
	s, err := newScale(path, nil, stream(1, 1), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.pull(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := newScale(path, nil, stream(1, 1), slog.New(slog.DiscardHandler)); !errors.Is(err, os.ErrExist) {
		t.Errorf("error %v, want that something is there", err)
	}
	if b, err := os.ReadFile(path); string(b) != "precious" {
		t.Errorf("the file is now %q, %v", b, err)
	}
}

// The whole traffic of a lane, read raw: what the truth says was sent is what the line carried.
func TestTheLineAgreesWithTheTruth(t *testing.T) {
	const vehicles = 40
	s := Scenario{Site: "t-1", Seed: 9, Traffic: Traffic{PerMinute: 6000, Vehicles: vehicles, Speedup: 1000, Overloaded: 300},
		Lanes: []Lane{{Lane: 1, Scale: "scale"}},
		Faults: []Fault{{Lane: 1, After: 3, Every: 5, Kind: Garbage}, {Lane: 1, After: 4, Every: 7, Kind: DropFrame}, {Lane: 1, After: 20, Kind: Restart},
			{Lane: 1, At: conf.Duration(time.Millisecond), Kind: DropFrame}}}
	truth := &lockedWriter{}
	sim, err := New(s, Config{Dir: t.TempDir(), Truth: truth})
	if err != nil {
		t.Fatal(err)
	}
	l := listen(t, sim.lanes[0].Scale) // before the first vehicle
	run(t, sim)
	until(t, "the traffic to end", func() bool { return len(truth.vehicles(t)) == vehicles })
	numbered, dropped := 0, 0
	for _, v := range truth.vehicles(t) {
		numbered += int(v.EndSeq-v.FirstSeq) + 1
		dropped += v.LostFrames
	}
	sent := map[[2]uint32]frame{}
	until(t, "all that was not lost", func() bool {
		for _, f := range l.frames() {
			if f.kind != 'H' {
				sent[[2]uint32{f.boot, f.seq}] = f
			}
		}
		return len(sent) >= numbered-dropped
	})
	total, lost := 0, 0
	for _, v := range truth.vehicles(t) {
		missing := 0
		for seq := v.FirstSeq; seq <= v.EndSeq; seq++ {
			f, ok := sent[[2]uint32{v.Boot, seq}]
			total++
			switch {
			case !ok:
				missing++
			case seq < v.EndSeq && (f.kind != 'A' || f.body[4] != byte(seq-v.FirstSeq+1)):
				t.Errorf("message %d of vehicle %+v is %+v", seq, v, f)
			case seq == v.EndSeq && (f.kind != 'E' || int(f.body[4]) != len(v.Axles) || binary.BigEndian.Uint32(f.body[5:]) != uint32(v.Indicated)):
				t.Errorf("the end of vehicle %+v is %+v", v, f)
			}
		}
		if missing != v.LostFrames {
			t.Errorf("%d messages of a vehicle are missing, the truth says %d: %+v", missing, v.LostFrames, v)
		}
		lost += missing
	}
	if len(sent) != total-lost || lost < 6 {
		t.Errorf("%d messages came, %d were numbered, %d lost", len(sent), total, lost)
	}
}
