package edge

import (
	"reflect"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

func TestOnlyWhatDiffersIsAChange(t *testing.T) {
	part := func(k wim.PartKind, name string, d byte) wim.Part {
		return wim.Part{Kind: k, Name: name, Digest: wim.Digest{d}}
	}
	for _, c := range []struct {
		name     string
		was, now []wim.Part
		want     []wim.Change
	}{
		{"nothing", []wim.Part{part(wim.PartRules, "cn", 1)}, []wim.Part{part(wim.PartRules, "cn", 1)}, []wim.Change{}},
		{"the first time all is new", nil, []wim.Part{part(wim.PartRules, "cn", 1)},
			[]wim.Change{{Kind: wim.PartRules, Name: "cn", To: wim.Digest{1}, Outcome: wim.ChangeActivated}}},
		{"another version of one", []wim.Part{part(wim.PartRules, "cn", 1), part(wim.PartLegal, "legal", 9)}, []wim.Part{part(wim.PartLegal, "legal", 9), part(wim.PartRules, "cn", 2)},
			[]wim.Change{{Kind: wim.PartRules, Name: "cn", From: wim.Digest{1}, To: wim.Digest{2}, Outcome: wim.ChangeActivated}}},
		{"one less", []wim.Part{part(wim.PartRegistrations, "local", 1)}, nil,
			[]wim.Change{{Kind: wim.PartRegistrations, Name: "local", From: wim.Digest{1}, Outcome: wim.ChangeActivated}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := changes(c.was, c.now); !reflect.DeepEqual(got, c.want) {
				t.Errorf("have %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestWhatASiteWorksByIsSealedBeforeAnythingIsWeighedByIt(t *testing.T) {
	r := newRig(t)
	works := []wim.Part{{Kind: wim.PartRules, Name: "cn", Digest: wim.Digest{1}}, {Kind: wim.PartLegal, Name: "legal", Digest: wim.Digest{9}}}
	r.change = func(c *Config) { c.Active = works }
	vehicles := 0
	run := func() {
		r.start()
		r.push(r.scale.vehicle(2, 9000)...)
		vehicles++
		eventually(t, "the vehicle is recorded", func() bool {
			n := 0
			for _, rec := range r.records() {
				if rec.Passage != nil {
					n++
				}
			}
			return n == vehicles
		})
		r.stop()
	}
	run()
	run() // nothing changed
	works = []wim.Part{{Kind: wim.PartRules, Name: "cn", Digest: wim.Digest{2}}, {Kind: wim.PartLegal, Name: "legal", Digest: wim.Digest{9}}}
	run()
	var kinds []wim.RecordKind
	var last *wim.SiteConfiguration
	for _, rec := range r.records() {
		kinds = append(kinds, rec.Kind)
		if rec.Configuration != nil {
			last = rec.Configuration
		}
	}
	want := []wim.RecordKind{wim.KindStart, wim.KindConfiguration, wim.KindPassage, wim.KindPassage, wim.KindConfiguration, wim.KindPassage}
	if !reflect.DeepEqual(kinds, want) {
		t.Fatalf("have %v, want %v", kinds, want)
	}
	if len(last.Active) != 2 || last.Active[0].Kind != wim.PartLegal || len(last.Changed) != 1 || last.Changed[0].From != (wim.Digest{1}) || last.Changed[0].To != (wim.Digest{2}) {
		t.Errorf("sealed %+v", last)
	}
}
