package storetest

import (
	"errors"
	"slices"
	"testing"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/wim"
)

const (
	road   = wim.RoadAdministration
	police = wim.TrafficPolice
)

func both(r, p wim.Outcome, rs, ps wim.Standing) wim.Verdict {
	return Verdict(Opinion(road, r, rs), Opinion(police, p, ps))
}

func opensMatter(t *testing.T, b *bench) {
	c := NewChain(t, "north-1", 0).Quiet(2)
	ref := c.Passage(both(wim.Exceeded, wim.Exceeded, wim.Evidence, wim.Screening), "川A12345", "川A1234挂")
	b.store(c.All())
	b.clock.Add(5e9)
	if e := b.review(); e.Reviewed != 4 || e.Opened != 1 || e.Raised != 2 || e.Extended != 0 {
		t.Errorf("%+v", e)
	}
	for comp, standing := range map[wim.Competence]wim.Standing{road: wim.Evidence, police: wim.Screening} {
		got := b.board(comp)
		if len(got) != 1 {
			t.Fatalf("%s: %d entries", comp, len(got))
		}
		e := got[0]
		if a := e.Alert; a.Competence != comp || a.Outcome != wim.Exceeded || a.Standing != standing || a.Raised != wim.TimeOf(b.now()) || a.AcknowledgedAt != 0 || a.Matter != e.Matter.ID {
			t.Errorf("alert %+v", a)
		}
		if m := e.Matter; m.Opening != ref || m.Lane != 1 || m.Passed != c.Time(4) || m.Opened != wim.TimeOf(b.now()) || m.Suspicion || m.State != center.Alerted ||
			!slices.Equal(m.Plates, []string{"川A12345", "川A1234挂"}) {
			t.Errorf("matter %+v", m)
		}
		if e.Facts.Vehicle.Gross != 50_000 || !e.Verdict.Exceeded() || len(e.Reads) != 2 || e.Order != wim.OrderEnter || e.Key != c.Key.ID ||
			e.Rejudged != center.RejudgedSame || !slices.Equal(e.Records, []wim.RecordRef{ref}) {
			t.Errorf("entry %+v", e)
		}
		if k := b.events(comp); !slices.Equal(k, []center.EventKind{center.AlertRaised}) {
			t.Errorf("events %v", k)
		}
	}
}

func waits(t *testing.T, b *bench) {
	c := NewChain(t, "north-1", 0).Quiet(1)
	ref := c.Exceeded()                                                                                   // 3
	c.Supplement(ref, both(wim.Exceeded, wim.Exceeded, wim.Evidence, wim.Evidence), "川A12345")            // 4
	c.Quiet(3)                                                                                            // 5..7
	c.Supplement(ref, both(wim.Exceeded, wim.Exceeded, wim.Evidence, wim.Evidence), "川A12345", "川A1234挂") // 8
	b.store(c.Segment(4, 8))
	if e := b.review(); e.Reviewed != 5 || e.Waiting != 2 || e.Opened != 0 {
		t.Errorf("before its passage: %+v", e)
	}
	if n := restOf(t, b.s); n != 0 {
		t.Errorf("%d records hold up the review", n)
	}
	if w, left, err := b.s.Waiting(t.Context()); err != nil || w != 2 || left != 0 {
		t.Errorf("waiting %d, left %d, %v", w, left, err)
	}
	b.reopen()
	b.store(c.Segment(1, 3))
	if e := b.review(); e.Opened != 1 || e.Raised != 2 || e.Extended != 2 || e.Waiting != 0 {
		t.Errorf("with its passage: %+v", e)
	}
	if w, _, err := b.s.Waiting(t.Context()); err != nil || w != 0 {
		t.Errorf("still waiting: %d %v", w, err)
	}
	if e := b.board(police)[0]; len(e.Records) != 3 || len(e.Matter.Plates) != 2 {
		t.Errorf("%+v", e)
	}
}

func supplements(t *testing.T, b *bench) {
	c := NewChain(t, "north-1", 0)
	ref := c.Passage(both(wim.Exceeded, wim.Unknown, wim.Screening, wim.Screening)) // 2
	b.store(c.All())
	b.review()
	if m := b.board(road)[0].Matter; !m.Suspicion {
		t.Errorf("%+v", m)
	}
	one := c.Supplement(ref, both(wim.Exceeded, wim.Exceeded, wim.Screening, wim.Evidence), "川A12345")           // 3
	two := c.Supplement(ref, both(wim.Exceeded, wim.Exceeded, wim.Evidence, wim.Evidence), "川A12345", "川A1234挂") // 4
	b.store(c.Segment(4, 4))                                                                                     // the later one comes first
	if e := b.review(); e.Raised != 1 || e.Opened != 0 || e.Extended != 1 {
		t.Errorf("%+v", e)
	}
	b.store(c.Segment(3, 3))
	if e := b.review(); e.Raised != 0 || e.Extended != 1 {
		t.Errorf("%+v", e)
	}
	e := b.board(road)[0]
	if !slices.Equal(e.Records, []wim.RecordRef{ref, one, two}) || e.Matter.Suspicion || e.Alert.Standing != wim.Evidence || len(e.Reads) != 3 || len(e.Facts.Units) != 2 {
		t.Errorf("%+v", e)
	}
	if len(b.board(police)) != 1 {
		t.Error("a doubled alert")
	}
	if k := b.events(road); !slices.Equal(k, []center.EventKind{center.AlertRaised, center.MatterExtended, center.MatterExtended}) {
		t.Errorf("the road's events %v", k)
	}
	if k := b.events(police); !slices.Equal(k, []center.EventKind{center.AlertRaised, center.MatterExtended}) {
		t.Errorf("the police's events %v", k)
	}
}

func mismatch(t *testing.T, b *bench) {
	c, d := NewChain(t, "north-1", 0), NewChain(t, "south-2", 0)
	ref := c.Exceeded()
	other := d.Exceeded()
	wrong := ref
	wrong.Digest = wim.DigestOf([]byte("another"))
	c.Supplement(wrong, both(wim.Exceeded, wim.Exceeded, wim.Evidence, wim.Evidence), "a")
	c.Supplement(other, both(wim.Exceeded, wim.Exceeded, wim.Evidence, wim.Evidence), "b") // of another site
	b.store(d.All())
	b.store(c.All())
	if e := b.review(); e.Reviewed != 6 || e.Raised != 2 || e.Extended != 0 || e.Waiting != 0 {
		t.Errorf("%+v", e)
	}
	got := b.alarms("north-1")
	if len(got) != 2 || got[0].Kind != center.AlarmSupplement || got[1].Kind != center.AlarmSupplement {
		t.Errorf("alarms %+v", got)
	}
}

func acrossChains(t *testing.T, b *bench) {
	c, next := NewChain(t, "north-1", 0), NewChain(t, "north-1", 1)
	ref := c.Exceeded()
	next.Supplement(ref, both(wim.Exceeded, wim.Exceeded, wim.Evidence, wim.Evidence), "川A12345")
	b.store(next.All())
	b.store(c.All())
	if e := b.review(); e.Raised != 2 || e.Opened != 1 || e.Extended != 1 {
		t.Errorf("%+v", e)
	}
}

func reviewedAgain(t *testing.T, b *bench) {
	c := NewChain(t, "north-1", 0).Quiet(1)
	ref := c.Exceeded("川A12345")
	c.Supplement(ref, both(wim.Exceeded, wim.Exceeded, wim.Evidence, wim.Evidence), "川A12345")
	c.Gap()
	b.store(c.All())
	list, err := b.s.Unreviewed(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	batch := Reviewed(t, list, center.RejudgedSame)
	for i := range 3 {
		e, err := b.s.Review(t.Context(), batch)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 && (e.Reviewed != 5 || e.Raised != 2) || i > 0 && e != (center.Effect{}) {
			t.Errorf("time %d: %+v", i+1, e)
		}
	}
	if len(b.events(road)) != 2 || len(b.events(police)) != 1 || restOf(t, b.s) != 0 {
		t.Error("something was doubled")
	}
}

func reviewOutOfOrder(t *testing.T, b *bench) {
	b.store(NewChain(t, "north-1", 0).Quiet(4).All())
	list, err := b.s.Unreviewed(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.s.Review(t.Context(), Reviewed(t, list[1:], center.RejudgedSame)); !errors.Is(err, store.ErrRefused) {
		t.Errorf("a record was passed over: %v", err)
	}
	if _, err := b.s.Review(t.Context(), Reviewed(t, append(list[:1:1], list[2:]...), center.RejudgedSame)); !errors.Is(err, store.ErrRefused) {
		t.Errorf("a record was passed over in the middle: %v", err)
	}
	if restOf(t, b.s) != 5 {
		t.Error("a part of what failed was kept")
	}
}

func void(t *testing.T, b *bench) {
	c := NewChain(t, "north-1", 0)
	c.Passage(both(wim.Exceeded, wim.Exceeded, wim.Void, wim.Void), "川A12345")
	b.store(c.All())
	if e := b.review(); e.Opened != 0 || e.Raised != 0 {
		t.Errorf("%+v", e)
	}
	n, err := b.s.Totals(t.Context(), Viewer(road), 0)
	if err != nil || n != (center.Totals{Passages: 1, Void: 1}) {
		t.Errorf("%+v %v", n, err)
	}
}

func settled(t *testing.T, b *bench) {
	c := NewChain(t, "north-1", 0).Quiet(2)
	c.Exceeded("川A12345")
	b.store(c.All())
	if _, err := Review(t, b.s, center.RejudgedPending); err != nil {
		t.Fatal(err)
	}
	if e := b.board(road)[0]; e.Rejudged != center.RejudgedPending {
		t.Errorf("%s", e.Rejudged)
	}
	if all, err := b.s.Unjudged(t.Context(), func(center.Judging) bool { return true }, 0, 10); err != nil || len(all) != 3 {
		t.Errorf("%d %v", len(all), err)
	} else if e, err := b.s.Review(t.Context(), Reviewed(t, all, center.RejudgedPending)); err != nil || e != (center.Effect{}) {
		t.Errorf("still pending: %+v %v", e, err)
	}
	b.reopen()
	unknown := func(center.Judging) bool { return false }
	if list, err := b.s.Unjudged(t.Context(), unknown, 0, 10); err != nil || len(list) != 0 {
		t.Errorf("what cannot be judged yet: %d %v", len(list), err)
	}
	known := func(j center.Judging) bool {
		return j == center.Judging{Rules: wim.DigestOf([]byte("test-set")), Judge: "1"}
	}
	list, err := b.s.Unjudged(t.Context(), known, 0, 2)
	if err != nil || len(list) != 2 {
		t.Fatalf("%d %v", len(list), err)
	}
	more, err := b.s.Unjudged(t.Context(), known, list[1].Intake, 10)
	if err != nil || len(more) != 1 {
		t.Fatalf("%d %v", len(more), err)
	}
	e, err := b.s.Review(t.Context(), Reviewed(t, append(list, more...), center.RejudgedSame))
	if err != nil || e != (center.Effect{Settled: 3}) {
		t.Errorf("%+v %v", e, err)
	}
	if e := b.board(road)[0]; e.Rejudged != center.RejudgedSame {
		t.Errorf("%s", e.Rejudged)
	}
	if k := b.events(road); !slices.Equal(k, []center.EventKind{center.AlertRaised, center.MatterExtended}) {
		t.Errorf("events %v", k)
	}
}

func differs(t *testing.T, b *bench) {
	c := NewChain(t, "north-1", 0)
	ref := c.Exceeded("川A12345")
	c.Supplement(ref, both(wim.Exceeded, wim.Exceeded, wim.Evidence, wim.Evidence), "川A12345")
	b.store(c.All())
	list, err := b.s.Unreviewed(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	batch := Reviewed(t, list, center.RejudgedSame)
	batch[1].Rejudged, batch[1].Detail = center.RejudgedDiffers, "there it was so"
	if _, err := b.s.Review(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	if got := b.alarms("north-1"); len(got) != 1 || got[0].Kind != center.AlarmVerdict || got[0].Detail != "there it was so" {
		t.Errorf("%+v", got)
	}
	if e := b.board(police)[0]; e.Rejudged != center.RejudgedDiffers {
		t.Errorf("a journey shows the worst of its records: %s", e.Rejudged)
	}
	if b.state("north-1").Alarms != 1 {
		t.Error("the site does not show it")
	}
}

func unreadable(t *testing.T, b *bench) {
	c := NewChain(t, "north-1", 0).Quiet(1)
	b.store(c.All())
	list, err := b.s.Unreviewed(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	batch := Reviewed(t, list, center.RejudgedSame)
	batch[1].Record, batch[1].Rejudged, batch[1].Detail = &wim.Record{}, "", "field of a later build"
	if e, err := b.s.Review(t.Context(), batch); err != nil || e.Reviewed != 2 {
		t.Errorf("%+v %v", e, err)
	}
	if got := b.alarms("north-1"); len(got) != 1 || got[0].Kind != center.AlarmUnreadable {
		t.Errorf("%+v", got)
	}
}
