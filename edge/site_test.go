package edge

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

func TestAVehicleIsJudgedDirectedRecordedAndReceipted(t *testing.T) {
	r := newRig(t)
	r.start()
	r.push(r.scale.vehicle(3, 18000)...)
	r.push(r.scale.vehicle(6, 58000)...)
	r.tells(2)
	chain := r.journal.Chain()
	eventually(t, "the centre's receipt", func() bool { n, _ := r.journal.Receipted(); return n == 3 })
	eventually(t, "the last order", func() bool { o := r.sign.orders(); return len(o) > 0 && o[len(o)-1].order == wim.OrderEnter })
	r.stop()
	recs := r.records()
	light, heavy := recs[1].Passage, recs[2].Passage
	if light.Order != wim.OrderProceed || heavy.Order != wim.OrderEnter {
		t.Errorf("orders %q and %q", light.Order, heavy.Order)
	}
	if heavy.Facts.Vehicle.Gross != 58000 || len(heavy.Facts.Vehicle.Axles) != 6 || heavy.Facts.Vehicle.Scheme == "" || len(heavy.Facts.Units) != 1 {
		t.Errorf("%+v", heavy.Facts)
	}
	if heavy.Source != (wim.DeviceCursor{Device: "scale-1", Boot: 7, Seq: 11}) {
		t.Errorf("source %+v", heavy.Source)
	}
	if got := r.center.count(chain); got != 3 {
		t.Errorf("the centre holds %d records", got)
	}
}

func TestEveryMessageThatIsMissingIsNamedByAGap(t *testing.T) {
	for name, tc := range map[string]struct {
		wait  time.Duration
		emits func(s *fakeScale) []wim.Reading
		want  []string
	}{
		"a device that had been counting before the site knew it": {emits: func(s *fakeScale) []wim.Reading {
			s.seq = 40
			return s.vehicle(2, 9000)
		}, want: []string{"gap first-contact 7/1-40", "passage 7/43 9000kg []"}},
		"a heartbeat as first contact": {emits: func(s *fakeScale) []wim.Reading {
			s.seq = 40
			return append([]wim.Reading{s.heartbeat()}, s.vehicle(2, 9000)...)
		}, want: []string{"gap first-contact 7/1-40", "passage 7/43 9000kg []"}},
		"a device as new as the site needs no gap": {emits: func(s *fakeScale) []wim.Reading {
			return append([]wim.Reading{s.heartbeat()}, s.vehicle(2, 9000)...)
		}, want: []string{"passage 7/3 9000kg []"}},
		"an axle inside a vehicle": {emits: func(s *fakeScale) []wim.Reading {
			return slices.Delete(s.vehicle(4, 20000), 1, 2)
		}, want: []string{"gap sequence 7/2-2", "passage 7/5 20000kg [missed-axle device-gap]"}},
		"a vehicle end and the first axle after it": {emits: func(s *fakeScale) []wim.Reading {
			return append(slices.Delete(s.vehicle(2, 9000), 2, 3), slices.Delete(s.vehicle(3, 18000), 0, 1)...)
		}, want: []string{"passage 7/2 0kg [device-gap]", "gap sequence 7/3-4", "passage 7/7 18000kg [missed-axle device-gap]"}},
		"a vehicle end alone": {emits: func(s *fakeScale) []wim.Reading {
			return append(slices.Delete(s.vehicle(2, 9000), 2, 3), s.vehicle(3, 18000)...)
		}, want: []string{"passage 7/2 0kg [device-gap]", "gap sequence 7/3-3", "passage 7/7 18000kg []"}},
		"a whole vehicle on a quiet road, told by a heartbeat": {emits: func(s *fakeScale) []wim.Reading {
			first := s.vehicle(2, 9000)
			s.vehicle(2, 9000)
			return append(first, s.heartbeat(), s.heartbeat())
		}, want: []string{"passage 7/3 9000kg []", "gap sequence 7/4-6"}},
		"a restart between vehicles with nothing missing": {emits: func(s *fakeScale) []wim.Reading {
			first := s.vehicle(2, 9000)
			s.boot, s.seq = 8, 0
			return append(first, s.vehicle(2, 8000)...)
		}, want: []string{"passage 7/3 9000kg []", "gap device-restart 8/1-0", "passage 8/3 8000kg []"}},
		"a restart inside a vehicle": {emits: func(s *fakeScale) []wim.Reading {
			first := s.vehicle(3, 9000)[:2]
			s.boot, s.seq = 8, 5
			return append(first, s.vehicle(2, 8000)...)
		}, want: []string{"passage 7/2 0kg [timed-out]", "gap device-restart 8/1-5", "passage 8/8 8000kg []"}},
		"a restart told by a heartbeat": {emits: func(s *fakeScale) []wim.Reading {
			first := s.vehicle(2, 9000)
			s.boot, s.seq = 8, 4
			return append(first, s.heartbeat())
		}, want: []string{"passage 7/3 9000kg []", "gap device-restart 8/1-4"}},
		"messages that come twice are taken once": {emits: func(s *fakeScale) []wim.Reading {
			v := s.vehicle(2, 9000)
			return append(slices.Clone(v), v...)
		}, want: []string{"passage 7/3 9000kg []"}},
		"a vehicle whose end never comes": {wait: time.Millisecond, emits: func(s *fakeScale) []wim.Reading {
			return s.vehicle(3, 9000)[:3]
		}, want: []string{"passage 7/3 0kg [timed-out]"}},
		"a reading without a number is not believed": {emits: func(s *fakeScale) []wim.Reading {
			return append([]wim.Reading{{Kind: wim.VehicleEnd, Gross: 99000}, {Kind: 77, Boot: 7, Seq: 9}}, s.vehicle(2, 9000)...)
		}, want: []string{"passage 7/3 9000kg []"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.change = func(c *Config) { c.Lanes[0].Assembler.Wait = tc.wait }
			r.start()
			r.push(tc.emits(r.scale)...)
			if got := r.tells(len(tc.want)); !slices.Equal(got, tc.want) {
				t.Errorf("have %q\nwant %q", got, tc.want)
			}
			r.stop()
			if got := r.story(); !slices.Equal(got, tc.want) {
				t.Errorf("after the shutdown: %q", got)
			}
		})
	}
}

func TestARestartInTheMiddleOfAVehicleLeavesAGapAndNothingTwice(t *testing.T) {
	r := newRig(t)
	r.start()
	r.push(r.scale.vehicle(2, 9000)...)
	r.tells(1)
	v := r.scale.vehicle(4, 20000)
	r.push(v[:2]...)
	r.stop()
	r.start()
	r.push(v[2:]...)
	got := r.tells(3)
	want := []string{"passage 7/3 9000kg []", "gap sequence 7/4-5", "passage 7/8 20000kg [missed-axle device-gap]"}
	if !slices.Equal(got, want) {
		t.Errorf("have %q\nwant %q", got, want)
	}
}

func TestADriverThatPanicsIsStartedAgainAndCostsItsOwnLaneOnly(t *testing.T) {
	r := newRig(t)
	broken := &fakeScale{boot: 9, panics: 1}
	r.change = func(c *Config) { c.Lanes = append(c.Lanes, LaneConfig{Lane: 2, Device: "scale-2", Scale: broken}) }
	r.start()
	r.push(r.scale.vehicle(2, 9000)...)
	r.tells(1)
	eventually(t, "the second driver runs again", broken.running)
	for _, x := range broken.vehicle(2, 8000) {
		broken.push(x)
	}
	if got := r.tells(2); got[1] != "passage 9/3 8000kg []" {
		t.Errorf("%q", got)
	}
}

func TestASlowSignNeverDelaysTheLane(t *testing.T) {
	r := newRig(t)
	release := make(chan struct{})
	r.sign.gate = func(ctx context.Context) error {
		select {
		case <-release:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	r.start()
	for range 5 {
		r.push(r.scale.vehicle(2, 9000)...)
	}
	r.push(r.scale.vehicle(6, 58000)...)
	r.tells(6) // all recorded while the first order still stands in the line
	close(release)
	eventually(t, "the newest order is shown", func() bool { o := r.sign.orders(); return len(o) > 0 && o[len(o)-1].order == wim.OrderEnter })
	if o := r.sign.orders(); len(o) > 3 {
		t.Errorf("old orders were shown after their vehicles: %v", o)
	}
}

func TestADeadSignIsRecordedAsNotDirected(t *testing.T) {
	r := newRig(t)
	r.sign.gate = func(context.Context) error { return errors.New("no answer") }
	r.start()
	r.push(r.scale.vehicle(6, 58000)...)
	eventually(t, "the sign is known to be dead", func() bool { return !r.site.lanes[0].director.answering.Load() })
	r.push(r.scale.vehicle(6, 58000)...)
	r.tells(2)
	if got := r.records()[2].Passage.Order; got != wim.OrderNone {
		t.Errorf("order %q", got)
	}
	r.sign.mu.Lock()
	r.sign.gate = nil
	r.sign.mu.Unlock()
	r.push(r.scale.vehicle(6, 58000)...)
	eventually(t, "the sign answers again", func() bool { return r.site.lanes[0].director.answering.Load() })
	r.push(r.scale.vehicle(6, 58000)...)
	r.tells(4)
	if got := r.records()[4].Passage.Order; got != wim.OrderEnter {
		t.Errorf("order %q", got)
	}
}

func TestAVehicleThatWaitedInItsScaleIsRecordedWithItsTimeAndDirectsNobody(t *testing.T) {
	r := newRig(t)
	r.start()
	past := wim.TimeOf(time.Now().Add(-10 * time.Minute))
	for i, x := range r.scale.vehicle(6, 58000) {
		x.Arrival = past.Add(time.Duration(i) * 300 * time.Millisecond)
		r.push(x)
	}
	r.push(r.scale.vehicle(2, 9000)...)
	r.tells(2)
	eventually(t, "the order of the second", func() bool { return len(r.sign.orders()) > 0 })
	r.stop()
	recs := r.records()
	late := recs[1].Passage
	if late.Order != wim.OrderNone || late.Facts.Vehicle.Start != past || !late.Verdict.Alerts() || recs[2].Passage.Order != wim.OrderProceed {
		t.Errorf("the one that waited: order %q, start %s; the next: order %q", late.Order, late.Facts.Vehicle.Start, recs[2].Passage.Order)
	}
	for _, o := range r.sign.orders() {
		if o.order == wim.OrderEnter {
			t.Errorf("the sign showed %+v to whoever stood there", o)
		}
	}
}

// faultyKeeper is a journal whose disk the test fills.
type faultyKeeper struct {
	*journal.Journal
	full    atomic.Bool
	damaged atomic.Bool
	stalled atomic.Pointer[chan struct{}]
}

func (f *faultyKeeper) Append(ctx context.Context, d []journal.Draft) ([]seal.Sealed, error) {
	if f.full.Load() {
		return nil, fmt.Errorf("test: %w", journal.ErrFull)
	}
	if f.damaged.Load() {
		return nil, fmt.Errorf("test: %w", journal.ErrDamaged)
	}
	if s := f.stalled.Load(); s != nil {
		<-*s
	}
	return f.Journal.Append(ctx, d)
}

func TestASiteWhoseJournalIsDamagedEndsSoThatItCanBeRecovered(t *testing.T) {
	r := newRig(t)
	keeper := &faultyKeeper{}
	r.built = func(s *Site) {
		keeper.Journal = s.cfg.Journal
		s.recorder.journal = keeper
	}
	r.start()
	r.push(r.scale.vehicle(6, 58000)...)
	r.tells(1)
	ends := [][2]uint32{{7, r.scale.seq}}
	keeper.damaged.Store(true)
	r.push(r.scale.vehicle(6, 58000)...)
	ends = append(ends, [2]uint32{7, r.scale.seq})
	if err := <-r.done; !errors.Is(err, journal.ErrDamaged) {
		t.Fatalf("%v", err)
	}
	if err := r.journal.Close(); err != nil {
		t.Fatal(err)
	}
	r.cancel, r.built = nil, nil
	r.start() // as on a journal that was recovered
	r.push(r.scale.vehicle(6, 58000)...)
	ends = append(ends, [2]uint32{7, r.scale.seq})
	eventually(t, "it records again", func() bool { c, _ := r.journal.Cursor("scale-1"); return c.Seq == r.scale.seq })
	r.stop()
	r.covered(ends)
}

func TestADiskThatStandsStillCostsReadingsThatAreNamedByAGap(t *testing.T) {
	r := newRig(t)
	keeper := &faultyKeeper{}
	r.built = func(s *Site) {
		keeper.Journal = s.cfg.Journal
		s.recorder.journal = keeper
	}
	r.change = func(c *Config) { c.Lanes[0].Assembler.Wait = 50 * time.Millisecond } // a vehicle whose end was dropped waits no longer
	r.start()
	r.push(r.scale.vehicle(2, 9000)...)
	r.tells(1)
	ends := [][2]uint32{{7, r.scale.seq}}
	still := make(chan struct{})
	keeper.stalled.Store(&still)
	for range groupQueue + maxBatch + readingQueue/3 + 100 { // all that the queues hold, and more
		r.push(r.scale.vehicle(2, 9000)...)
		ends = append(ends, [2]uint32{7, r.scale.seq})
	}
	eventually(t, "readings are dropped", func() bool {
		if counted(t, r.site, "axlegate_edge_readings_dropped_total") > 0 {
			return true
		}
		r.push(r.scale.vehicle(2, 9000)...)
		ends = append(ends, [2]uint32{7, r.scale.seq})
		return false
	})
	keeper.stalled.Store(nil)
	close(still)
	eventually(t, "all is taken in", func() bool {
		if len(r.site.lanes[0].readings) == 0 {
			r.push(r.scale.heartbeat())
		}
		c, _ := r.journal.Cursor("scale-1")
		return c.Seq == r.scale.seq
	})
	r.stop()
	r.covered(ends)
}

func TestAFullDiskIsFailSafeAndWhatWasLostIsSealedAsAGapWhenSpaceReturns(t *testing.T) {
	r := newRig(t)
	keeper := &faultyKeeper{}
	r.built = func(s *Site) {
		keeper.Journal = s.cfg.Journal
		s.recorder.journal, s.recorder.room, s.recorder.pause = keeper, 2, time.Millisecond
	}
	r.start()
	var ends [][2]uint32
	vehicles := func(n int) {
		for range n {
			r.push(r.scale.vehicle(6, 58000)...)
			ends = append(ends, [2]uint32{r.scale.boot, r.scale.seq})
		}
	}
	vehicles(1)
	r.tells(1)
	eventually(t, "the order", func() bool { return len(r.sign.orders()) == 1 })
	keeper.full.Store(true)
	vehicles(1)
	eventually(t, "fail-safe", r.site.recorder.failSafe.Load)
	vehicles(4) // one more is held, three are lost
	r.scale.boot, r.scale.seq = 8, 2
	vehicles(2)
	eventually(t, "five passages are lost", func() bool { return counted(t, r.site, "axlegate_edge_lost_total") == 5 })
	if n := len(r.sign.orders()); n > 2 {
		t.Errorf("%d orders, though nothing could be recorded", n)
	}
	if h := r.site.Health(t.Context()); h.State != StateFailing || h.Journal.Error == "" || len(h.Todo) == 0 {
		t.Errorf("%+v", h)
	}
	keeper.full.Store(false)
	eventually(t, "the site is itself again", func() bool { return !r.site.recorder.failSafe.Load() })
	vehicles(1)
	want := []string{"passage 7/7 58000kg []", "passage 7/14 58000kg []", "passage 7/21 58000kg []", "gap disk 7/22-42", "gap disk 8/1-16", "passage 8/23 58000kg []"}
	if got := r.tells(len(want)); !slices.Equal(got, want) {
		t.Errorf("have %q\nwant %q", got, want)
	}
	for _, rec := range r.records() {
		if g := rec.Gap; g != nil && g.Boot == 7 && !strings.HasPrefix(g.Detail, "3 passages and 0 supplements") {
			t.Errorf("%q", g.Detail)
		} else if g != nil && g.Boot == 8 && (g.LastBoot != 7 || g.LastSeq != 42) {
			t.Errorf("%+v", g)
		}
	}
	r.covered(ends)
}

func TestAShutdownOnAFullDiskLeavesTheRestToTheNextStartsGap(t *testing.T) {
	r := newRig(t)
	r.jchange = func(c *journal.Config) { c.MaxBytes = 160 << 10 }
	r.center.mute = true
	r.start()
	var ends [][2]uint32
	vehicle := func() {
		r.push(r.scale.vehicle(2, 9000)...)
		ends = append(ends, [2]uint32{r.scale.boot, r.scale.seq})
	}
	for !r.site.recorder.failSafe.Load() {
		vehicle()
		eventually(t, "the lane has taken it in", func() bool { return len(r.site.lanes[0].readings) == 0 })
	}
	for range 20 {
		vehicle()
	}
	r.stop()
	r.jchange = nil
	r.start()
	vehicle()
	eventually(t, "it records again", func() bool { c, _ := r.journal.Cursor("scale-1"); return c.Seq == r.scale.seq })
	r.stop()
	r.covered(ends)
}

func TestAPassageThatCanNeverBeSealedBecomesAGapAndTheOthersGoOn(t *testing.T) {
	r := newRig(t)
	r.change = func(c *Config) {
		lane := LaneConfig{Lane: 2, Device: "scale-2", Scale: &fakeScale{}, Instrument: wim.Instrument{ID: strings.Repeat("x", seal.MaxRecord)}}
		c.Lanes[0].Scale, lane.Scale = lane.Scale, c.Lanes[0].Scale
		c.Lanes = append(c.Lanes, lane)
	}
	r.start()
	r.push(r.scale.vehicle(2, 9000)...)
	if got := r.tells(1); !slices.Equal(got, []string{"gap disk 7/3-3"}) {
		t.Errorf("%q", got)
	}
}

// TestWhateverMomentItStopsEveryVehicleEndIsAccountedForOnce stops the site at random moments while vehicles
// pass, goes on after messages were lost meanwhile, restarts the device now and then, and audits.
func TestWhateverMomentItStopsEveryVehicleEndIsAccountedForOnce(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			r := newRig(t)
			r.change = func(c *Config) { c.Drain = 50 * time.Millisecond }
			var ends [][2]uint32
			for range 5 {
				if rnd.IntN(3) == 0 {
					r.center.set(func() { r.center.down = !r.center.down })
				}
				r.start()
				stopAt := rnd.IntN(60)
				for i := 0; i < stopAt; {
					v := r.scale.vehicle(2+rnd.IntN(5), wim.Kg(9000+rnd.IntN(60000)))
					ends = append(ends, [2]uint32{r.scale.boot, r.scale.seq})
					for _, x := range v {
						if i++; i == stopAt {
							r.cancel() // from here on nobody may be listening
						}
						if rnd.IntN(12) == 0 {
							continue // a frame that failed its check
						}
						r.scale.push(x)
						if rnd.IntN(9) == 0 {
							r.camera.read(wim.PlateRead{End: wim.Front, Text: "川A12345", Event: fmt.Sprint(rnd.Uint64())}, []byte("jpeg"))
						}
					}
				}
				r.stop()
				for range rnd.IntN(3) { // passes while the site is down
					r.scale.vehicle(3, 12000)
					ends = append(ends, [2]uint32{r.scale.boot, r.scale.seq})
				}
				if rnd.IntN(3) == 0 {
					// What the old boot sent last and nobody read has no name; only what was read counts.
					ends = r.readOf(ends)
					r.scale.boot, r.scale.seq = r.scale.boot+1, 0
				}
			}
			r.center.set(func() { r.center.down = false })
			r.start()
			r.push(r.scale.heartbeat())
			eventually(t, "the heartbeat is taken in", func() bool {
				c, ok := r.journal.Cursor("scale-1")
				return r.scale.seq == 0 || ok && c.Boot == r.scale.boot && c.Seq == r.scale.seq
			})
			eventually(t, "the centre holds all", func() bool {
				head, _ := r.journal.Head()
				got, _ := r.journal.Receipted()
				return got == head
			})
			r.stop()
			r.covered(ends)
		})
	}
}

// readOf leaves out the ends of the current boot that lie after the journal's cursor: the device restarts and
// nobody will ever know how many there were.
func (r *rig) readOf(ends [][2]uint32) [][2]uint32 {
	rep, err := journal.Audit(context.Background(), r.path(), nil)
	if err != nil {
		r.t.Fatal(err)
	}
	at := wim.DeviceCursor{}
	for _, c := range rep.Cursors {
		at = c
	}
	return slices.DeleteFunc(ends, func(e [2]uint32) bool {
		return e[0] == r.scale.boot && (at.Boot != e[0] || e[1] > at.Seq)
	})
}
