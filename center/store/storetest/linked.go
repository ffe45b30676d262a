package storetest

import (
	"slices"
	"testing"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

func (b *bench) linkedTo(plate string) (center.File, center.Evidence) {
	b.t.Helper()
	var id int64
	for _, l := range b.queue("zhao", center.Query{}).Lines {
		if slices.Contains(l.Matter.Plates, plate) {
			id = l.Matter.ID
		}
	}
	f, err := b.s.File(b.t.Context(), who("zhao"), id)
	if err != nil {
		b.t.Fatal(err)
	}
	e, err := b.s.Evidence(b.t.Context(), who("zhao"), id)
	if err != nil {
		b.t.Fatal(err)
	}
	return f, e
}

func linked(t *testing.T, b *bench) {
	b.staff()
	c, other := NewChain(t, "north-1", 0), NewChain(t, "south-2", 0)
	elsewhere := other.Exceeded("川B00001")
	ref := c.Exceeded("川A12345")
	c.Transaction("unlinked", nil)
	first := c.Transaction("1", &ref)
	c.Exceeded("川C00001")
	c.Transaction("of another site", &elsewhere)
	next := NewChain(t, "north-1", 1)
	second := next.Transaction("2", &ref)
	b.store(other.All())
	b.store(c.All())
	b.store(next.All())
	if e := b.review(); e.Waiting != 0 || e.Opened != 3 || e.Extended != 0 {
		t.Errorf("%+v", e)
	}
	f, e := b.linkedTo("川A12345")
	if len(f.Linked) != 2 || f.Linked[0].Ref != first || f.Linked[1].Ref != second || f.Linked[1].Transaction.ID != "2" || f.Linked[0].Key != c.Key.ID ||
		f.Linked[0].Received == 0 || len(f.Accounts) != 1 {
		t.Errorf("linked %+v, accounts %+v", f.Linked, f.Accounts)
	}
	var kinds []wim.RecordKind
	for i := range e.Records {
		kinds = append(kinds, e.Records[i].Kind)
	}
	if want := []wim.RecordKind{wim.KindStart, wim.KindPassage, wim.KindTransaction, wim.KindStart, wim.KindTransaction}; !slices.Equal(kinds, want) {
		t.Errorf("evidence %v, want %v", kinds, want)
	}
	if f, _ := b.linkedTo("川B00001"); len(f.Linked) != 0 {
		t.Errorf("linked %+v", f.Linked)
	}
	if got := b.alarms("north-1"); len(got) != 1 || got[0].Kind != center.AlarmSupplement {
		t.Errorf("alarms %+v", got)
	}
	extended := 0
	for _, k := range b.events(road) {
		if k == center.MatterExtended {
			extended++
		}
	}
	if extended != 2 {
		t.Errorf("%d events that the matter has more", extended)
	}
}

func linkedBefore(t *testing.T, b *bench) {
	b.staff()
	c, next := NewChain(t, "north-1", 0), NewChain(t, "north-1", 1)
	ref := c.Exceeded("川A12345")
	told := next.Transaction("1", &ref)
	b.store(next.All())
	if e := b.review(); e.Waiting != 1 {
		t.Errorf("%+v", e)
	}
	b.reopen()
	b.store(c.All())
	b.review()
	if f, _ := b.linkedTo("川A12345"); len(f.Linked) != 1 || f.Linked[0].Ref != told {
		t.Errorf("linked %+v", f.Linked)
	}
	if e := b.review(); e != (center.Effect{}) {
		t.Errorf("again: %+v", e)
	}
}
