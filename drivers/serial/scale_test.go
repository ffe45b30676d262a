package serial

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/internal/pty"

	"github.com/axlegate/axlegate/wim"
)

// line is a pseudo-terminal behind a link, as an adapter is behind /dev/serial/by-id.
type line struct {
	t      testing.TB
	link   string
	master *os.File
	slave  *os.File
}

func newLine(t testing.TB) *line {
	l := &line{t: t, link: filepath.Join(t.TempDir(), "scale")}
	l.plug()
	t.Cleanup(l.pull)
	return l
}

func (l *line) plug() {
	l.t.Helper()
	m, s, err := pty.Open()
	if err != nil {
		l.t.Fatal(err)
	}
	l.master, l.slave = m, s
	if err := os.Symlink(s.Name(), l.link); err != nil {
		l.t.Fatal(err)
	}
}

func (l *line) pull() {
	if l.master == nil {
		return
	}
	os.Remove(l.link) //nolint:errcheck // the folder goes with the test
	l.slave.Close()   //nolint:errcheck // a cable does not say goodbye
	l.master.Close()  //nolint:errcheck // likewise
	l.master = nil
}

func (l *line) send(b []byte) {
	l.t.Helper()
	if _, err := l.master.Write(b); err != nil {
		l.t.Fatal(err)
	}
}

func run(t *testing.T, cfg Config) (*Scale, <-chan wim.Reading) {
	t.Helper()
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	out := make(chan wim.Reading, 64)
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, func(r wim.Reading) { out <- r }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return s, out
}

func next(t *testing.T, out <-chan wim.Reading) wim.Reading {
	t.Helper()
	select {
	case r := <-out:
		return r
	case <-time.After(20 * time.Second):
		t.Fatal("no reading came")
		return wim.Reading{}
	}
}

// reach sends a frame until the driver, which throws away what waited before it opened the line, reads it.
func reach(t *testing.T, l *line, out <-chan wim.Reading, frame []byte) wim.Reading {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(20 * time.Second)
	for {
		l.send(frame)
		select {
		case r := <-out:
			return r
		case <-tick.C:
		case <-limit:
			t.Fatal("the driver does not read the line")
		}
	}
}

func drain(t *testing.T, out <-chan wim.Reading, until wim.ReadingKind) wim.Reading {
	t.Helper()
	for {
		if r := next(t, out); r.Kind == until {
			return r
		}
	}
}

func TestACableThatIsPulledAndPluggedInAgain(t *testing.T) {
	g := goldenFrames(t)
	l := newLine(t)
	s, out := run(t, Config{Device: "scale-1", Path: l.link})
	if r := reach(t, l, out, g[0]); r.Kind != wim.LinkUp {
		t.Fatalf("first came %+v, want LinkUp", r)
	}
	l.send(append([]byte("garbage"), g[1]...))
	if r := drain(t, out, wim.AxleReading); r.Seq != 1 || r.Arrival == 0 {
		t.Errorf("have %+v", r)
	}
	if h := s.Health(); !h.Up {
		t.Errorf("health %+v", h)
	}
	l.pull()
	drain(t, out, wim.LinkDown)
	until(t, "the driver to say that the line is gone", func() bool {
		h := s.Health()
		return !h.Up && strings.Contains(h.Reason, l.link) && strings.Contains(h.Reason, "check the cable")
	})
	l.plug()
	if r := reach(t, l, out, g[2]); r.Kind != wim.LinkUp {
		t.Fatalf("after the replug came %+v, want LinkUp", r)
	}
	drain(t, out, wim.AxleReading)
	// Counts follow the readings that they count.
	until(t, "the counts", func() bool {
		h := s.Health()
		return h.Up && h.Messages >= 3 && h.Skipped >= 7 && h.Reconnects == 2
	})
}

// flip returns a frame with one bit turned.
func flip(f []byte, i int) []byte {
	c := append([]byte(nil), f...)
	c[i] ^= 0x10
	return c
}

func TestWhatALineDoesToFramesCostsTheBrokenOnesOnly(t *testing.T) {
	g := goldenFrames(t)
	marks := encode(wim.Reading{Kind: wim.AxleReading, Boot: 0x02020302, Seq: 0x0202021A, DeviceTime: 0x0203 * 1_000_000,
		Axle: wim.Axle{Index: 2, Load: 0x0202, Left: 0x0302, Right: 0x021A, Speed: 0x4102, Spacing: 0x0203}})
	for _, c := range []struct {
		name  string
		bytes []byte
		seqs  []uint32
	}{
		{"garbage around a frame", bytes.Join([][]byte{[]byte("\x00\xff garbage \r\n"), g[1], []byte("\x02\x02\x1a")}, nil), []uint32{1}},
		{"a wrong checksum", bytes.Join([][]byte{g[1], flip(g[2], 15), g[3]}, nil), []uint32{1, 3}},
		{"a frame cut short", bytes.Join([][]byte{g[1], g[2][:17], g[3]}, nil), []uint32{1, 3}},
		{"a frame whose head is gone", bytes.Join([][]byte{g[1], g[2][5:], g[3]}, nil), []uint32{1, 3}},
		{"start and end marks inside a frame", bytes.Join([][]byte{g[1], marks, g[3]}, nil), []uint32{1, 0x0202021A, 3}},
		{"the tail of such a frame before a whole one", bytes.Join([][]byte{marks[3:], g[3]}, nil), []uint32{3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLine(t)
			_, out := run(t, Config{Device: "scale-1", Path: l.link})
			reach(t, l, out, g[0])
			l.send(c.bytes)
			// A last frame behind it, and enough of nothing that no broken head waits for more.
			l.send(append(make([]byte, af1Max), encode(wim.Reading{Kind: wim.VehicleEnd, Boot: 5, Seq: 99})...))
			var seqs []uint32
			for {
				r := next(t, out)
				if r.Kind == wim.Heartbeat {
					continue
				}
				if r.Seq == 99 {
					break
				}
				seqs = append(seqs, r.Seq)
			}
			if !reflect.DeepEqual(seqs, c.seqs) {
				t.Errorf("sequences %v, want %v", seqs, c.seqs)
			}
		})
	}
}

func TestTwoScalesKnowNothingOfEachOther(t *testing.T) {
	g := goldenFrames(t)
	a, b := newLine(t), newLine(t)
	sa, outA := run(t, Config{Device: "scale-1", Path: a.link})
	sb, outB := run(t, Config{Device: "scale-2", Path: b.link})
	reach(t, a, outA, g[0])
	reach(t, b, outB, g[0])
	// The halves of two frames, one on each line, make none.
	a.send(g[1][:16])
	b.send(g[2][16:])
	b.pull()
	drain(t, outB, wim.LinkDown)
	a.send(g[1][16:])
	if r := drain(t, outA, wim.AxleReading); r.Seq != 1 {
		t.Errorf("have %+v", r)
	}
	until(t, "the second scale to be down", func() bool { return !sb.Health().Up })
	if ha, hb := sa.Health(), sb.Health(); !ha.Up || ha.Device != "scale-1" || hb.Device != "scale-2" {
		t.Errorf("%+v and %+v", ha, hb)
	}
}

func TestASilentLineIsOpenedAgain(t *testing.T) {
	l := newLine(t)
	_, out := run(t, Config{Device: "scale-1", Path: l.link, Silence: 300 * time.Millisecond})
	reach(t, l, out, goldenFrames(t)[0])
	drain(t, out, wim.LinkDown)
	reach(t, l, out, goldenFrames(t)[0])
}

func TestWhatWaitedBeforeTheLineWasOpenedIsThrownAway(t *testing.T) {
	g := goldenFrames(t)
	l := newLine(t)
	t.Run("a first driver", func(t *testing.T) { // leaves the line as a driver does: raw, so that bytes wait as they come
		_, out := run(t, Config{Device: "scale-1", Path: l.link})
		reach(t, l, out, g[0])
	})
	l.send(g[1])
	_, out := run(t, Config{Device: "scale-1", Path: l.link})
	reach(t, l, out, g[0])
	l.send(g[3])
	for r := next(t, out); r.Kind != wim.VehicleEnd; r = next(t, out) {
		if r.Kind == wim.AxleReading {
			t.Fatalf("an axle from before the line was opened: %+v", r)
		}
	}
}

func TestALineThatIsNotThere(t *testing.T) {
	s, _ := run(t, Config{Device: "scale-1", Path: filepath.Join(t.TempDir(), "none")})
	until(t, "the reason", func() bool { return strings.Contains(s.Health().Reason, "no such file") })
}

func TestAConfigurationThatCannotWork(t *testing.T) {
	for _, c := range []struct {
		name, want string
		cfg        Config
	}{
		{"without a path", "device, and one of path and address are needed", Config{Device: "x"}},
		{"with an unknown dialect", "there is: af1", Config{Device: "x", Path: "/dev/null", Dialect: "toledo"}},
		{"with a silence that cannot be", "silence of -1s", Config{Device: "x", Path: "/dev/null", Silence: -time.Second}},
		{"with a baud rate that no line has", "baud 7", Config{Device: "x", Path: "/dev/null", Baud: 7}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := New(c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func until(t *testing.T, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(20 * time.Second)
	for !cond() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
