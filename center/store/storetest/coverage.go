package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// Bury puts a tombstone in the place of a record of a segment.
func (c *Chain) Bury(s *store.Segment, seq uint64, reason string) {
	c.t.Helper()
	for i := range s.Records {
		r := &s.Records[i]
		if r.Seq != seq {
			continue
		}
		raw, err := seal.SignTombstone(c.Key, seal.Tombstone{Site: c.Site, Chain: c.ID, Seq: seq, Prev: r.Prev, Digest: r.Digest, Kind: r.Kind, Reason: reason})
		if err != nil {
			c.t.Fatal(err)
		}
		r.Raw, r.Kind, r.Time = raw, wim.KindTombstone, 0
	}
}

func coverage(t *testing.T, b *bench) {
	b.staff()
	b.regions()
	ctx := t.Context()

	c := NewChain(t, "north-1", 0).Quiet(4) // 2 to 5
	gap := c.Add(&wim.Record{Kind: wim.KindGap, Gap: &wim.Gap{
		Lane: 2, Device: "scale-2", Cause: wim.GapSequence, Boot: 3, From: 7, To: 9, Since: Start + 2*Second, Until: Start + 4*Second,
	}}) // 6
	c.Gap()    // 7, of lane 1, without times: when it was sealed
	c.Quiet(3) // 8 to 10, of which 9 is lost
	c.Quiet(90)
	first := c.Segment(1, 50)
	c.Bury(&first, 9, "page 12 of the disk is torn")
	b.store(first)
	b.store(c.Segment(61, 100)) // beyond a hole
	b.review()

	q := center.CoverageQuery{Site: "north-1", From: Start, To: Start + center.Slots*Second}
	got, err := b.s.Coverage(ctx, who("zhao"), q)
	if err != nil {
		t.Fatal(err)
	}
	if got.Began != Start || got.Until != c.Time(50) || got.More || got.Pruned || len(got.Lanes) != 2 {
		t.Fatalf("%+v", got)
	}
	one, two := got.Lanes[0], got.Lanes[1]
	// The passage of sequence s was written s-1 seconds after the start: one a slot, up to the 96th.
	if one.Lane != 1 || one.Passages != 4+2+40+36 || one.Gaps != 1 || one.Messages != 1 || one.Void != 0 {
		t.Errorf("lane 1: %+v", one)
	}
	if two.Lane != 2 || two.Passages != 0 || two.Gaps != 1 || two.Messages != 3 {
		t.Errorf("lane 2: %+v", two)
	}
	for _, x := range []struct {
		lane *center.LaneCover
		slot int
		want center.Cover
	}{
		{&one, 0, center.CoverQuiet}, {&one, 1, center.CoverPassages}, {&one, 6, center.CoverGap},
		{&one, 9, center.CoverPassages}, {&one, 55, center.CoverUnknown}, {&one, 60, center.CoverPassages},
		{&two, 1, center.CoverQuiet}, {&two, 2, center.CoverGap}, {&two, 4, center.CoverGap}, {&two, 5, center.CoverQuiet}, {&two, 7, center.CoverUnknown}, {&two, 70, center.CoverUnknown},
	} {
		if got := x.lane.Slots[x.slot]; got != x.want {
			t.Errorf("lane %d, slot %d: %s, want %s", x.lane.Lane, x.slot, got, x.want)
		}
	}
	if len(got.Gaps) != 2 || got.Gaps[0].Ref != gap || got.Gaps[0].Until != Start+4*Second || got.Gaps[0].Messages() != 3 {
		t.Errorf("gaps %+v", got.Gaps)
	}
	if len(got.Missing) != 1 || got.Missing[0].Ref.Seq != 9 || got.Missing[0].Kind != wim.KindPassage || got.Missing[0].Reason != "page 12 of the disk is torn" || got.Missing[0].Time != c.Time(8) {
		t.Errorf("missing %+v", got.Missing)
	}
	if len(got.Holes) != 1 || got.Holes[0] != (center.Hole{Chain: c.ID, From: 51, To: 60, Held: 40, Since: c.Time(50)}) {
		t.Errorf("holes %+v", got.Holes)
	}

	q.Lane = 2
	if got, err := b.s.Coverage(ctx, who("sun"), q); err != nil || len(got.Lanes) != 1 || len(got.Gaps) != 1 {
		t.Errorf("lane 2 alone: %+v, %v", got.Lanes, err)
	}
	b.store(c.Segment(51, 60))
	b.review()
	q.Lane = 0
	if got, err := b.s.Coverage(ctx, who("sun"), q); err != nil || len(got.Holes) != 0 || got.Until != c.Time(100) || got.Lanes[0].Slots[55] != center.CoverPassages || got.Lanes[1].Slots[70] != center.CoverQuiet {
		t.Errorf("closed: %+v, %v", got, err)
	}
	elsewhere := center.Viewer{Login: "x", Role: center.Administrator, Region: "99"}
	if _, err := b.s.Coverage(ctx, elsewhere, q); !errors.Is(err, center.ErrNotFound) {
		t.Errorf("of another region: %v", err)
	}
	if _, err := b.s.Coverage(ctx, who("sun"), center.CoverageQuery{Site: "nowhere", From: q.From, To: q.To}); !errors.Is(err, center.ErrNotFound) {
		t.Errorf("of no site: %v", err)
	}
	q.To = q.From.Add(center.MaxCoverage + time.Nanosecond)
	var field *center.FieldError
	if _, err := b.s.Coverage(ctx, who("sun"), q); !errors.As(err, &field) || field.Field != "to" {
		t.Errorf("of too long a time: %v", err)
	}
}

func supplementOfLost(t *testing.T, b *bench) {
	for _, early := range []bool{false, true} {
		site := wim.SiteID("north-1")
		if early {
			site = "south-2"
		}
		c := NewChain(t, site, 0).Quiet(1)
		ref := c.Exceeded()                                                                        // 3
		c.Supplement(ref, both(wim.Exceeded, wim.Exceeded, wim.Evidence, wim.Evidence), "川A12345") // 4
		first, second := c.Segment(1, 3), c.Segment(4, 4)
		c.Bury(&first, 3, "torn")
		if early {
			first, second = second, first
		}
		b.store(first)
		b.review()
		b.store(second)
		b.review()
		b.review()
		if w, left, err := b.s.Waiting(t.Context()); err != nil || w != 0 || left != 0 {
			t.Errorf("%s: waiting %d, left %d, %v", site, w, left, err)
		}
		a := b.alarms(site)
		if len(a) != 2 || a[0].Kind == a[1].Kind {
			t.Errorf("%s: %+v", site, a)
		}
	}
}
