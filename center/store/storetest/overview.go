package storetest

import (
	"slices"
	"testing"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/wim"
)

func overview(t *testing.T, b *bench) {
	if o, err := b.s.Overview(t.Context()); err != nil || len(o.Sites)+len(o.Alarms)+len(o.Open) != 0 || o.Unreviewed+o.Waiting+o.Quarantined != 0 {
		t.Errorf("an empty store: %+v %v", o, err)
	}
	a := NewChain(t, "north-1", 0).Quiet(2)
	b.store(a.Segment(1, 1))
	b.store(a.Segment(3, 3))
	b.store(a.Split(1).Quiet(2).All())
	if err := b.s.Quarantine(t.Context(), store.Item{Site: "north-1", Reason: "signature", Detail: "d", Bytes: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	c := NewChain(t, "south-2", 1)
	c.Passage(Verdict(Opinion(wim.RoadAdministration, wim.Exceeded, wim.Evidence), Opinion(wim.TrafficPolice, wim.Exceeded, wim.Screening)))
	b.store(c.All())
	if err := b.s.SetStatus(t.Context(), "south-2", []byte(`{"state":"online","boot":"x"}`)); err != nil {
		t.Fatal(err)
	}
	o, err := b.s.Overview(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if o.Unreviewed == 0 || o.Quarantined != 1 || len(o.Open) != 0 || len(o.Sites) != 2 || o.Sites[0].Online || !o.Sites[0].Forked || !o.Sites[1].Online || o.Sites[1].Forked {
		t.Errorf("before the review: %+v", o)
	}
	kinds := []center.AlarmKind{}
	for _, x := range o.Alarms {
		kinds = append(kinds, x.Kind)
	}
	if !slices.Contains(kinds, center.AlarmQuarantine) || !slices.Contains(kinds, center.AlarmFork) {
		t.Errorf("alarms %+v", o.Alarms)
	}
	// A site leaves a forked chain at once; what stays until a person has looked into it is the alarm.
	b.store(NewChain(t, "north-1", 2).Quiet(1).All())
	if o, err = b.s.Overview(t.Context()); err != nil || o.Sites[0].Forked || !slices.ContainsFunc(o.Alarms, func(a center.AlarmCount) bool { return a.Site == "north-1" && a.Kind == center.AlarmFork }) {
		t.Errorf("after a new chain: %+v %v", o, err)
	}
	raised := wim.TimeOf(b.now())
	b.review()
	b.clock.Add(60e9)
	if o, err = b.s.Overview(t.Context()); err != nil || o.Unreviewed != 0 {
		t.Fatalf("%+v %v", o, err)
	}
	want := []center.OpenAlerts{{Competence: wim.RoadAdministration, Count: 1, Oldest: raised}, {Competence: wim.TrafficPolice, Count: 1, Oldest: raised}}
	if !slices.Equal(o.Open, want) {
		t.Errorf("%+v, want %+v", o.Open, want)
	}
}
