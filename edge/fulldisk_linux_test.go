package edge

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/internal/testenv"
	"github.com/axlegate/axlegate/wim"
)

// fill takes all space of a disk but keep bytes.
func fill(t *testing.T, path string, keep int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // it is full on purpose
	free, err := journal.Free(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(f, zeroReader{}, max(free-keep, 0)); err != nil && !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// onDisk makes a rig whose journal, reserve and pictures lie on a disk of so many bytes.
func onDisk(t *testing.T, size int, reserve int64) *rig {
	t.Helper()
	r := newRig(t)
	r.dir = testenv.SmallDisk(t, size)
	r.center.mute = true
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	r.reserve = journal.OpenReserve(filepath.Join(r.dir, "reserve"), reserve, log)
	r.change = func(c *Config) {
		c.Logger = log
		c.Disk.MinFree, c.Disk.Look = reserve, 5*time.Millisecond
	}
	r.built = func(s *Site) { s.recorder.pause, s.recorder.room = 5*time.Millisecond, 8 }
	return r
}

func TestAFullDiskTakesPicturesFirstThenTheReserveAndLosesNothingUnnamed(t *testing.T) {
	testenv.OwnMounts(t, func(t *testing.T) {
		r := onDisk(t, 16<<20, 2<<20)
		r.start()
		reserve := r.site.cfg.Disk.Reserve
		if reserve.Left() != 2<<20 {
			t.Fatalf("the reserve holds %d: %v", reserve.Left(), reserve.Fault())
		}
		var ends [][2]uint32
		vehicle := func() {
			r.push(r.scale.vehicle(6, 58000)...)
			ends = append(ends, [2]uint32{r.scale.boot, r.scale.seq})
			eventually(t, "the lane has taken it in", func() bool { return len(r.site.lanes[0].readings) == 0 })
		}
		recorded := func() {
			t.Helper()
			eventually(t, "it is recorded", func() bool { c, _ := r.journal.Cursor("scale-1"); return c.Seq == r.scale.seq })
		}
		read := func(event string) {
			t.Helper()
			r.camera.read(front("川A12345", event), append([]byte(event), make([]byte, 20<<10)...))
		}
		result := func(what string) float64 { return labelled(t, r.site, "axlegate_edge_pictures_total", what) }
		vehicle()
		read("with room")
		eventually(t, "a picture is stored", func() bool { return stored(t, r) == 1 })

		// Somebody fills the disk up to what is kept for records.
		fill(t, filepath.Join(r.dir, "log of another"), 1<<20)
		vehicle()
		recorded()
		read("without room")
		eventually(t, "a picture is refused", func() bool { return result("not-stored") == 1 })
		if stored(t, r) != 1 || reserve.Left() != 2<<20 || r.site.recorder.failSafe.Load() {
			t.Errorf("%d pictures, %d in reserve", stored(t, r), reserve.Left())
		}
		if h := r.site.Health(t.Context()); h.State != StateDegraded || !strings.Contains(strings.Join(h.Todo, "\n"), "nearly full") {
			t.Errorf("%+v", h)
		}

		// Nothing is left but the reserve.
		fill(t, filepath.Join(r.dir, "log of another"), 0)
		for reserve.Left() == 2<<20 {
			vehicle()
		}
		eventually(t, "the site goes on in its reserve", func() bool { c, _ := r.journal.Cursor("scale-1"); return c.Seq == r.scale.seq })
		if r.site.recorder.failSafe.Load() || counted(t, r.site, "axlegate_edge_reserve_bytes") >= 2<<20 {
			t.Errorf("fail-safe, though %d bytes are left", reserve.Left())
		}
		if h := r.site.Health(t.Context()); h.State != StateDegraded || !strings.Contains(h.Todo[0], "lives on its reserve") {
			t.Errorf("%+v", h)
		}
		n := 0
		for ; !r.site.recorder.failSafe.Load(); n++ {
			vehicle()
		}
		t.Logf("%d vehicles were recorded in a reserve of 2 MiB", n)
		if reserve.Left() != 0 {
			t.Errorf("fail-safe with %d bytes in reserve", reserve.Left())
		}
		orders := len(r.sign.orders())
		for range 30 {
			vehicle()
		}
		eventually(t, "what passes is counted", func() bool { return counted(t, r.site, "axlegate_edge_lost_total") > 0 })
		if n := len(r.sign.orders()); n > orders+1 {
			t.Errorf("%d orders, though nothing could be recorded", n-orders)
		}

		// Somebody makes room.
		if err := os.Remove(filepath.Join(r.dir, "log of another")); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the site is itself again", func() bool { return !r.site.recorder.failSafe.Load() })
		eventually(t, "the reserve is whole again", func() bool { return reserve.Left() == 2<<20 })
		vehicle()
		recorded()
		read("with room again")
		eventually(t, "pictures are stored again", func() bool { return stored(t, r) == 2 })
		eventually(t, "nothing is to do", func() bool { return !strings.Contains(strings.Join(r.site.Health(t.Context()).Todo, "\n"), "disk") })
		r.stop()
		r.covered(ends)
		gaps := 0
		for _, rec := range r.records() {
			if rec.Gap != nil && rec.Gap.Cause == wim.GapDisk {
				gaps++
			}
		}
		if gaps != 1 {
			t.Errorf("%d gaps for one time without space: %q", gaps, r.story()[max(len(ends)-40, 0):])
		}
		t.Logf("%d vehicles, %d gap; every message is in one passage or one gap", len(ends), gaps)
	})
}

func TestADiskThatFillsWhileTheSiteIsDownIsSurvivedByTheNextStart(t *testing.T) {
	testenv.OwnMounts(t, func(t *testing.T) {
		r := onDisk(t, 8<<20, 2<<20)
		r.start()
		r.push(r.scale.vehicle(2, 9000)...)
		r.tells(1)
		r.stop()
		fill(t, filepath.Join(r.dir, "log of another"), 0)
		r.reserve = journal.OpenReserve(filepath.Join(r.dir, "reserve"), r.reserve.Size(), nil)
		r.start()
		var ends [][2]uint32
		for range 50 {
			r.push(r.scale.vehicle(2, 9000)...)
			ends = append(ends, [2]uint32{r.scale.boot, r.scale.seq})
		}
		eventually(t, "all is recorded in the reserve", func() bool { c, _ := r.journal.Cursor("scale-1"); return c.Seq == r.scale.seq })
		r.stop()
		r.covered(ends)
	})
}

func TestOnADiskThatIsFullToTheLastByteFilesThatTheCentreHasMakeRoom(t *testing.T) {
	testenv.OwnMounts(t, func(t *testing.T) {
		r := onDisk(t, 16<<20, 0)
		r.change = func(c *Config) { c.Disk = DiskConfig{MinFree: 1 << 20, Look: time.Hour} }
		r.start()
		var pictures []wim.Digest
		for i := range 4 {
			r.push(r.scale.vehicle(2, 9000)...)
			jpeg := append([]byte{byte(i)}, make([]byte, 500<<10)...)
			pictures = append(pictures, wim.DigestOf(jpeg))
			r.tells(2*i + 1)
			r.camera.read(front("川A12345", string(rune('a'+i))), jpeg)
			r.tells(2*i + 2)
		}
		for _, d := range pictures[:3] {
			if err := r.journal.PictureUploaded(t.Context(), d); err != nil {
				t.Fatal(err)
			}
		}
		ends := [][2]uint32{}
		fill(t, filepath.Join(r.dir, "log of another"), 0)
		for !r.site.recorder.failSafe.Load() {
			r.push(r.scale.vehicle(2, 9000)...)
			ends = append(ends, [2]uint32{7, r.scale.seq})
			eventually(t, "the lane has taken it in", func() bool { return len(r.site.lanes[0].readings) == 0 })
		}
		var age pictureAge
		r.site.keepPictures(t.Context(), &age)
		eventually(t, "the site is itself again in what became free", func() bool { return !r.site.recorder.failSafe.Load() })
		if n := stored(t, r); n >= 4 || n < 1 {
			t.Errorf("%d pictures are left", n)
		}
		if _, err := os.Stat(r.site.store.path(pictures[3])); err != nil {
			t.Errorf("the one that the centre does not have: %v", err)
		}
		r.push(r.scale.vehicle(2, 9000)...)
		ends = append(ends, [2]uint32{7, r.scale.seq})
		eventually(t, "it is recorded", func() bool { c, _ := r.journal.Cursor("scale-1"); return c.Seq == r.scale.seq })
		r.site.keepPictures(t.Context(), &age)
		r.stop()
		r.covered(ends)
	})
}

func TestAReserveThatFindsNoRoomIsSaidAndTheSiteWorks(t *testing.T) {
	testenv.OwnMounts(t, func(t *testing.T) {
		r := onDisk(t, 4<<20, 64<<20)
		r.start()
		r.push(r.scale.vehicle(2, 9000)...)
		r.tells(1)
		if h := r.site.Health(t.Context()); h.State != StateDegraded || !strings.Contains(h.Todo[0], "reserve") {
			t.Errorf("%+v", h)
		}
	})
}

func TestADiskThatFailsWritesIsFailSafeUntilItTakesThemAgain(t *testing.T) {
	testenv.OwnMounts(t, func(t *testing.T) {
		signal.Ignore(syscall.SIGXFSZ)
		r := onDisk(t, 16<<20, 0)
		r.start()
		var ends [][2]uint32
		vehicle := func() {
			r.push(r.scale.vehicle(6, 58000)...)
			ends = append(ends, [2]uint32{r.scale.boot, r.scale.seq})
			eventually(t, "the lane has taken it in", func() bool { return len(r.site.lanes[0].readings) == 0 })
		}
		vehicle()
		r.tells(1)
		// From here on the kernel refuses every write that makes a file longer than the journal's log is.
		var was syscall.Rlimit
		st, err := os.Stat(r.path() + "-wal")
		if err := errors.Join(err, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was)); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: uint64(st.Size()), Max: was.Max}); err != nil {
			t.Fatal(err)
		}
		for range 30 {
			vehicle()
		}
		eventually(t, "fail-safe", r.site.recorder.failSafe.Load)
		if h := r.site.Health(t.Context()); h.State != StateFailing || !strings.Contains(h.Todo[0], "look at its disk") {
			t.Errorf("%+v", h)
		}
		eventually(t, "what passes is counted", func() bool { return counted(t, r.site, "axlegate_edge_lost_total") > 0 })
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the site is itself again", func() bool { return !r.site.recorder.failSafe.Load() })
		vehicle()
		eventually(t, "it is recorded", func() bool { c, _ := r.journal.Cursor("scale-1"); return c.Seq == r.scale.seq })
		r.stop()
		r.covered(ends)
	})
}

// stored counts the pictures in the folder.
func stored(t *testing.T, r *rig) int {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(r.dir, "pictures", "*"+pictureSuffix))
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// labelled is the value of the one metric of that name whose label has that value.
func labelled(t *testing.T, s *Site, name, label string) float64 {
	t.Helper()
	families, err := s.m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetValue() == label {
					return m.GetCounter().GetValue() + m.GetGauge().GetValue()
				}
			}
		}
	}
	return 0
}
