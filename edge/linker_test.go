package edge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/wim"
)

// fakeSystem hands the site what the test tells.
type fakeSystem struct {
	mu   sync.Mutex
	take func(wim.Transaction) error
}

func (f *fakeSystem) Run(ctx context.Context, take func(context.Context, wim.Transaction) error) error {
	f.mu.Lock()
	f.take = func(t wim.Transaction) error { return take(ctx, t) }
	f.mu.Unlock()
	<-ctx.Done()
	f.mu.Lock()
	f.take = nil
	f.mu.Unlock()
	return nil
}

func (f *fakeSystem) tell(t wim.Transaction) error {
	f.mu.Lock()
	take := f.take
	f.mu.Unlock()
	if take == nil {
		return errors.New("the site does not run")
	}
	return take(t)
}

// checkpoint is a rig with one system, "static".
func checkpoint(t *testing.T, change func(*SystemConfig)) (*rig, *fakeSystem) {
	t.Helper()
	r, sys := newRig(t), &fakeSystem{}
	r.change = func(c *Config) {
		y := SystemConfig{System: "static", Transactions: sys, Before: time.Hour}
		if change != nil {
			change(&y)
		}
		c.Systems = []SystemConfig{y}
	}
	r.start()
	r.listens(sys)
	return r, sys
}

func (r *rig) listens(sys *fakeSystem) {
	r.t.Helper()
	eventually(r.t, "the site listens to the system", func() bool {
		sys.mu.Lock()
		defer sys.mu.Unlock()
		return sys.take != nil
	})
}

// linkable is how many passages the linker knows.
func (r *rig) linkable() int {
	r.site.linker.mu.Lock()
	defer r.site.linker.mu.Unlock()
	return len(r.site.linker.passages)
}

// pass lets a vehicle pass whose plate is read.
func (r *rig) pass(plate string, color wim.PlateColor, axles int, gross wim.Kg) {
	r.t.Helper()
	head, _ := r.journal.Head()
	known := r.linkable()
	if plate != "" {
		r.camera.read(wim.PlateRead{Event: fmt.Sprint(plate, head), End: wim.Front, Text: plate, Color: color}, nil)
	}
	r.push(r.scale.vehicle(axles, gross)...)
	eventually(r.t, "the passage", func() bool { now, _ := r.journal.Head(); return now > head })
	eventually(r.t, "the linker to know it", func() bool { return r.linkable() > known })
}

// transactions are the records of that kind, in order.
func (r *rig) transactions() (out []*wim.Record) {
	for _, x := range r.records() {
		if x.Transaction != nil {
			out = append(out, x)
		}
	}
	return out
}

func weighing(id, plate string, axles uint8, gross wim.Kg) wim.Transaction {
	return wim.Transaction{ID: id, Type: wim.TransactionWeighing, Time: wim.TimeOf(time.Now()), Plate: plate, Color: wim.Yellow, Axles: axles, Gross: gross}
}

func TestATransactionIsLinkedToThePassageOfItsVehicle(t *testing.T) {
	differ := func(k wim.DifferenceKind, one, other int32, share wim.Permille) wim.Difference {
		return wim.Difference{Kind: k, One: one, Other: other, Share: share}
	}
	for _, c := range []struct {
		name    string
		t       wim.Transaction
		to      int // number of the passage, from 1; 0 for none
		grounds []wim.LinkGround
		differ  []wim.Difference
	}{
		{"that bears its plate", weighing("1", "川A·12345", 6, 51000), 1, []wim.LinkGround{wim.SamePlate, wim.SameColor, wim.SameAxles}, nil},
		{"with what differs by more than the tolerance", weighing("2", "川A12345", 6, 47000), 1, []wim.LinkGround{wim.SamePlate, wim.SameColor, wim.SameAxles},
			[]wim.Difference{differ(wim.GrossDiffers, 50000, 47000, 60)}},
		{"though the axles differ", weighing("3", "川A12345", 5, 0), 1, []wim.LinkGround{wim.SamePlate, wim.SameColor}, []wim.Difference{differ(wim.AxlesDiffer, 6, 5, 0)}},
		{"the latest of two", weighing("4", "川B00001", 2, 9000), 3, []wim.LinkGround{wim.SamePlate, wim.SameColor, wim.SameAxles}, nil},
		{"of the vehicle that it may be misread from", weighing("5", "川C8B888", 4, 30000), 4, []wim.LinkGround{wim.LookAlikePlate, wim.SameColor, wim.SameAxles},
			[]wim.Difference{{Kind: wim.PlateDiffers}}},
		{"but not of one misread with other axles", weighing("6", "川C8B888", 3, 30000), 0, nil, nil},
		{"and not without axles to tell", weighing("7", "川C8B888", 0, 30000), 0, nil, nil},
		{"but not of one whose plate is unlike", weighing("8", "川A99999", 6, 50000), 0, nil, nil},
		{"but not without a plate", weighing("9", "无车牌", 6, 50000), 0, nil, nil},
		{"and not of another colour and other axles, which is another vehicle's", func() wim.Transaction { x := weighing("10", "川A12345", 2, 4000); x.Color = wim.Blue; return x }(), 0, nil, nil},
		{"of another colour with the same axles", func() wim.Transaction { x := weighing("11", "川A12345", 6, 50000); x.Color = wim.Green; return x }(), 1,
			[]wim.LinkGround{wim.SamePlate, wim.SameAxles}, []wim.Difference{{Kind: wim.ColorDiffers}}},
		{"by its trailer where that is all there is", func() wim.Transaction { x := weighing("12", "", 6, 50000); x.Trailer = "川A1234挂"; return x }(), 0, nil, nil},
		{"but not before it", func() wim.Transaction {
			x := weighing("13", "川A12345", 6, 50000)
			x.Time = x.Time.Add(-time.Minute)
			return x
		}(), 0, nil, nil},
		{"but not after too long", func() wim.Transaction {
			x := weighing("14", "川A12345", 6, 50000)
			x.Time = x.Time.Add(2 * time.Hour)
			return x
		}(), 0, nil, nil},
		{"an exit with the difference to its entry", wim.Transaction{ID: "15", Type: wim.TransactionExit, Time: wim.TimeOf(time.Now()), Plate: "川A12345", Gross: 50000, Axles: 6,
			Entry: &wim.TollPlace{Station: "成都", Gross: 40000, Axles: 5}}, 1, []wim.LinkGround{wim.SamePlate, wim.SameAxles},
			[]wim.Difference{differ(wim.EntryGrossDiffers, 40000, 50000, 250), differ(wim.EntryAxlesDiffer, 5, 6, 0)}},
		{"an exit without a weight, by what the site weighed", wim.Transaction{ID: "16", Type: wim.TransactionExit, Time: wim.TimeOf(time.Now()), Plate: "川A12345",
			Entry: &wim.TollPlace{Gross: 49000, Axles: 6}}, 1, []wim.LinkGround{wim.SamePlate}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, sys := checkpoint(t, nil)
			r.pass("川A12345", wim.Yellow, 6, 50000)
			r.pass("川B00001", wim.Yellow, 2, 9000)
			r.pass("川B00001", wim.Yellow, 2, 9000)
			r.pass("川C88888", wim.Yellow, 4, 30000)
			var passages []*wim.Record
			for _, x := range r.records() {
				if x.Passage != nil {
					passages = append(passages, x)
				}
			}
			x := c.t
			if x.Time > passages[3].Time.Add(-30*time.Second) && x.Time < passages[3].Time.Add(time.Minute) {
				x.Time = wim.TimeOf(time.Now()) // the table was made before the vehicles passed
			}
			if err := sys.tell(x); err != nil {
				t.Fatal(err)
			}
			told := r.transactions()
			if len(told) != 1 || told[0].Transaction.System != "static" || told[0].Transaction.Arrival == 0 || strings.Contains(told[0].Transaction.Plate, "·") {
				t.Fatalf("records %+v", told)
			}
			late := slices.Contains(c.grounds, wim.LookAlikePlate)
			if late {
				eventually(t, "the second record", func() bool { told = r.transactions(); return len(told) == 2 })
				if f := told[1].Transaction.Link.First; f == nil || f.Seq != told[0].Seq {
					t.Errorf("first %v", f)
				}
			} else {
				r.site.linker.settle(t.Context())
				if again := r.transactions(); len(again) != 1 {
					t.Fatalf("told again: %+v", again[1].Transaction)
				}
			}
			link := told[len(told)-1].Transaction.Link
			switch {
			case c.to == 0 && link == nil:
			case c.to == 0 || link == nil:
				t.Fatalf("link %+v", link)
			case link.Of.Seq != passages[c.to-1].Seq || !slices.Equal(link.Grounds, c.grounds) || !slices.Equal(link.Differences, c.differ):
				t.Errorf("link %+v, want passage %d", *link, passages[c.to-1].Seq)
			}
		})
	}
}

func TestATransactionWaitsForItsPassage(t *testing.T) {
	for _, c := range []struct {
		name  string
		plate string // as it is read at once
		then  func(*rig)
	}{
		{"that comes later", "川A12345", nil},
		{"also over a restart before it", "川A12345", func(r *rig) { r.stop(); r.start() }},
		{"whose plate comes late", "", func(r *rig) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, sys := checkpoint(t, func(y *SystemConfig) { y.After = time.Hour })
			if err := sys.tell(weighing("1", "川A12345", 6, 50000)); err != nil {
				t.Fatal(err)
			}
			if c.then != nil {
				c.then(r)
				r.listens(sys)
			}
			r.pass(c.plate, wim.Yellow, 6, 50000)
			if c.plate == "" {
				r.camera.read(wim.PlateRead{Event: "late", End: wim.Front, Text: "川A12345", Color: wim.Yellow}, nil)
			}
			var told []*wim.Record
			eventually(t, "the second record", func() bool { told = r.transactions(); return len(told) == 2 })
			first, second := told[0].Transaction, told[1].Transaction
			if first.Link != nil || second.Link == nil || second.Link.First == nil || second.Link.First.Seq != told[0].Seq || second.ID != "1" || second.Gross != 50000 {
				t.Errorf("%+v, then %+v", first, second)
			}
			r.stop()
			r.start()
			r.site.linker.settle(t.Context())
			if again := r.transactions(); len(again) != 2 {
				t.Errorf("%d records after a restart", len(again))
			}
		})
	}
}

func TestADirectedVehicleThatIsNotWeighedInTimeIsANoShow(t *testing.T) {
	for _, c := range []struct {
		name  string
		plate string
		gross wim.Kg
		weigh bool
		again func(*rig, *fakeSystem)
		shows int
	}{
		{"told once", "川A12345", 50000, false, func(*rig, *fakeSystem) {}, 1},
		{"also over a restart before the time is over", "川A12345", 50000, false, func(r *rig, s *fakeSystem) { r.stop(); r.start(); r.listens(s) }, 1},
		{"not of one that is weighed", "川A12345", 50000, true, func(*rig, *fakeSystem) {}, 0},
		{"not of one that was weighed before a restart", "川A12345", 50000, true, func(r *rig, s *fakeSystem) { r.stop(); r.start(); r.listens(s) }, 0},
		{"not of one that was not directed", "川A12345", 9000, false, func(*rig, *fakeSystem) {}, 0},
		{"not of one whose plate nobody read", "", 50000, false, func(*rig, *fakeSystem) {}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var ahead atomic.Int64
			r, sys := checkpoint(t, func(y *SystemConfig) { y.Arrival = time.Hour })
			set := r.change
			r.change = func(c *Config) {
				set(c)
				c.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
			}
			r.stop()
			r.start()
			r.listens(sys)
			r.pass(c.plate, wim.Yellow, 6, c.gross)
			if c.weigh {
				if err := sys.tell(weighing("1", c.plate, 6, c.gross)); err != nil {
					t.Fatal(err)
				}
			}
			c.again(r, sys)
			shows := func() (out []*wim.Record) {
				for _, x := range r.transactions() {
					if x.Transaction.Type == wim.TransactionNoShow {
						out = append(out, x)
					}
				}
				return out
			}
			r.site.linker.missing(t.Context())
			if n := len(shows()); n != 0 {
				t.Fatalf("%d records before the time is over", n)
			}
			ahead.Store(int64(time.Hour + time.Minute))
			r.site.linker.missing(t.Context())
			eventually(t, "what was to come", func() bool { return len(shows()) >= c.shows }) // the site itself may be at it
			got := shows()
			if len(got) != c.shows {
				t.Fatalf("%d records", len(got))
			}
			if len(got) > 0 {
				x := got[0].Transaction
				if x.System != "static" || x.Plate != c.plate || x.Link == nil || x.ID != wim.NoShowOf(x.Link.Of) || !slices.Equal(x.Link.Grounds, []wim.LinkGround{wim.Directed}) || !got[0].Urgent() {
					t.Errorf("%+v", x)
				}
			}
			r.stop()
			r.start()
			r.site.linker.missing(t.Context())
			if again := shows(); len(again) != c.shows {
				t.Errorf("%d records after a restart", len(again))
			}
			r.listens(sys)
			if err := sys.tell(wim.Transaction{ID: "x", Type: wim.TransactionNoShow, Time: 1}); !errors.Is(err, ErrTransaction) {
				t.Errorf("a system tells a no-show: %v", err)
			}
		})
	}
}

func TestATransactionIsRecordedOnceByItsOwnName(t *testing.T) {
	r, sys := checkpoint(t, nil)
	r.pass("川A12345", wim.Yellow, 6, 50000)
	for range 2 {
		for range 2 {
			if err := sys.tell(weighing("1", "川A12345", 6, 50000)); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(r.transactions()); n != 1 {
			t.Fatalf("%d records", n)
		}
		r.stop()
		r.start()
		r.listens(sys)
	}
}

func TestWhatCannotBeMeantIsRefusedAndNotRecorded(t *testing.T) {
	r, sys := checkpoint(t, nil)
	for name, change := range map[string]func(*wim.Transaction){
		"no name":          func(x *wim.Transaction) { x.ID = "" },
		"no type":          func(x *wim.Transaction) { x.Type = "parking" },
		"no time":          func(x *wim.Transaction) { x.Time = 0 },
		"a negative mass":  func(x *wim.Transaction) { x.Gross = -1 },
		"a mass of a ship": func(x *wim.Transaction) { x.Entry = &wim.TollPlace{Gross: 2_000_000} },
		"a long text":      func(x *wim.Transaction) { x.Station = strings.Repeat("站", 60) },
	} {
		x := weighing("1", "川A12345", 6, 50000)
		change(&x)
		if err := sys.tell(x); !errors.Is(err, ErrTransaction) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(r.transactions()); n != 0 {
		t.Errorf("%d records", n)
	}
}

func TestALinkerHoldsNoMoreThanItsBounds(t *testing.T) {
	r, _ := checkpoint(t, nil)
	l := newLinker(&r.site.cfg, r.site.m, nil, nil)
	f := wim.Facts{Vehicle: wim.Vehicle{End: 1}}
	for i := range maxLinkable + 9 {
		l.noted([]journal.Draft{{Passage: &wim.Passage{Facts: f}, Name: &wim.RecordRef{Seq: uint64(i + 1)}}})
	}
	for i := range maxUnlinked + 9 {
		l.mu.Lock()
		l.wait(&unlinked{first: wim.RecordRef{Seq: uint64(i + 1)}})
		l.mu.Unlock()
	}
	if len(l.passages) != maxLinkable || l.passages[0].ref.Seq != 10 || len(l.waiting) != maxUnlinked || l.waiting[0].first.Seq != 10 {
		t.Errorf("%d passages from %d, %d transactions from %d", len(l.passages), l.passages[0].ref.Seq, len(l.waiting), l.waiting[0].first.Seq)
	}
}

func BenchmarkLinking(b *testing.B) {
	// As many passages and transactions as it holds, none of which belong together.
	c := Config{Logger: slog.New(slog.DiscardHandler), Now: time.Now, Systems: []SystemConfig{{System: "toll", Before: maxApart}}}
	l := newLinker(&c, newMetrics(), nil, nil)
	now := wim.TimeOf(time.Now())
	for i := range maxLinkable {
		l.passages = append(l.passages, &linkable{ref: wim.RecordRef{Seq: uint64(i)}, at: now, axles: 6, plates: []linkablePlate{{fmt.Sprintf("川A%05d", i), wim.Yellow}, {fmt.Sprintf("川B%04d挂", i), wim.Yellow}}})
	}
	for i := range maxUnlinked {
		l.waiting = append(l.waiting, &unlinked{t: wim.Transaction{System: "toll", Time: now, Arrival: now, Plate: fmt.Sprintf("苏E%05d", i), Axles: 6}})
	}
	for b.Loop() {
		l.fresh = l.passages[:1] // a vehicle has passed
		l.settle(b.Context())
	}
}
