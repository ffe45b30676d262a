package storetest

import (
	"errors"
	"testing"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/wim"
)

func keys(t *testing.T, b *bench) {
	b.staff()
	b.regions()
	ctx := t.Context()
	list := func() map[string]center.SiteKey {
		t.Helper()
		all, err := b.s.SiteKeys(ctx)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]center.SiteKey{}
		for _, k := range all {
			out[k.ID] = k
		}
		return out
	}
	c := NewChain(t, "north-1", 0).Quiet(5)
	seg := c.Segment(1, 3)
	seg.Rotation = &store.Rotation{Seq: 3, New: center.SiteKey{Site: "north-1", ID: "new", DER: []byte{1, 2}, How: center.KeyByRotation, By: "old", Chain: c.ID, Seq: 3}}
	b.store(seg)
	b.store(seg) // a duplicate enrols nothing
	if got := list(); len(got) != 1 || got["new"].Ended != 0 || got["new"].By != "old" || got["new"].Since == 0 || string(got["new"].DER) != "\x01\x02" {
		t.Errorf("%+v", got)
	}
	next := c.Segment(4, 4)
	next.Ending = &store.Ending{Old: "old", Chain: c.ID, Seq: 3}
	b.store(next)
	b.reopen()
	old := list()["old"]
	if old.How != center.KeyConfigured || old.Ended == 0 || old.EndChain != c.ID || old.EndSeq != 3 {
		t.Errorf("%+v", old)
	}
	b.clock.Add(int64(Second))
	next.Ending.Seq = 9
	b.store(next)
	if again := list()["old"]; again.Ended != old.Ended || again.EndSeq != 3 {
		t.Errorf("a key ended twice: %+v", again)
	}
	bad := c.Segment(5, 5)
	bad.Rotation = &store.Rotation{Seq: 5, Refused: "not countersigned\x00"}
	b.store(bad)
	if a, err := b.s.Alarms(ctx, who("sun"), "north-1"); err != nil || len(a) != 1 || a[0].Kind != center.AlarmRotation || len(list()) != 2 {
		t.Errorf("%+v, %v", a, err)
	}

	k := center.SiteKey{Site: "south-2", ID: "k1", DER: []byte{3}}
	if err := b.s.Enrol(ctx, [32]byte{1}, k, nil); !errors.Is(err, center.ErrCode) {
		t.Errorf("without a code: %v", err)
	}
	put := func(d [32]byte, lost bool) {
		t.Helper()
		if err := b.s.PutCode(ctx, who("hong"), "south-2", d, lost); err != nil {
			t.Fatal(err)
		}
	}
	put([32]byte{1}, false)
	if err := b.s.Enrol(ctx, [32]byte{2}, k, nil); !errors.Is(err, center.ErrCode) {
		t.Errorf("another code: %v", err)
	}
	if err := b.s.Enrol(ctx, [32]byte{1}, k, nil); err != nil {
		t.Error(err)
	}
	if got := list()["k1"]; got.How != center.KeyByCode || got.By != "hong" || got.Ended != 0 {
		t.Errorf("%+v", got)
	}
	put([32]byte{3}, true)
	if err := b.s.Enrol(ctx, [32]byte{3}, k, []string{"k1"}); !errors.Is(err, store.ErrRefused) {
		t.Errorf("the key that was to end: %v", err)
	}
	if err := b.s.Enrol(ctx, [32]byte{3}, center.SiteKey{Site: "south-2", ID: "k2", DER: []byte{4}}, []string{"k1", "k0"}); err != nil {
		t.Error(err)
	}
	got := list()
	if got["k1"].Ended == 0 || got["k0"].Ended == 0 || got["k2"].Ended != 0 || got["k1"].EndChain != (wim.ChainID{}) {
		t.Errorf("%+v", got)
	}
	put([32]byte{4}, false)
	if err := b.s.Enrol(ctx, [32]byte{4}, k, []string{"k2"}); !errors.Is(err, store.ErrRefused) {
		t.Errorf("a key that had ended: %v", err)
	}
}
