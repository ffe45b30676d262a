package edge

import (
	"fmt"
	"sync"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

// namedJudge says in each verdict by which set it judged.
type namedJudge string

func (j namedJudge) Judge(f *wim.Facts, v *wim.Verdict) {
	testJudge{}.Judge(f, v)
	v.RuleSet = string(j)
}

func worksBy(name string, serial uint64) *Works {
	return &Works{Rules: namedJudge(name), Road: wim.Road{Name: name}, Serial: serial,
		Active: []wim.Part{{Kind: wim.PartRules, Name: "cn", Version: name, Digest: wim.DigestOf([]byte(name))}}}
}

// Two lanes weigh as fast as they can while the rules are replaced again and again: every vehicle is there once, and
// every record is judged, wholly, by what the last sealed change before it says.
func TestRulesAreReplacedBetweenTwoVehicles(t *testing.T) {
	r := newRig(t)
	second := &fakeScale{boot: 9}
	r.change = func(c *Config) {
		first := worksBy("set-0", 0)
		c.Rules, c.Road, c.Active = first.Rules, first.Road, first.Active
		c.Lanes = append(c.Lanes, LaneConfig{Lane: 2, Device: "scale-2", Scale: second})
	}
	r.start()
	eventually(t, "the second scale is heard", second.running)
	const vehicles, changes = 200, 25
	var lanes sync.WaitGroup
	for _, s := range []*fakeScale{r.scale, second} {
		lanes.Go(func() {
			for range vehicles {
				for _, x := range s.vehicle(2, 9000) {
					if !s.push(x) {
						t.Error("the site does not listen")
						return
					}
				}
			}
		})
	}
	for n := 1; n <= changes; n++ {
		name := fmt.Sprintf("set-%d", n)
		w := worksBy(name, uint64(n))
		if err := r.site.Adopt(t.Context(), w, wim.ConfiguredByManifest, []wim.Change{{Kind: wim.PartRules, Name: "cn", To: w.Active[0].Digest, Outcome: wim.ChangeActivated}}); err != nil {
			t.Fatal(err)
		}
		if got := r.site.Works(); got.Serial != uint64(n) {
			t.Errorf("works by serial %d after %d", got.Serial, n)
		}
	}
	lanes.Wait()
	count := func() (n int) {
		for _, rec := range r.records() {
			if rec.Passage != nil {
				n++
			}
		}
		return n
	}
	eventually(t, "all vehicles are recorded", func() bool { return count() == 2*vehicles })
	r.stop()
	by, changed, seen := "", 0, map[wim.DeviceCursor]bool{}
	for _, rec := range r.records() {
		switch {
		case rec.Configuration != nil:
			by = rec.Configuration.Active[0].Version
			changed++
		case rec.Passage != nil:
			p := rec.Passage
			if p.Verdict.RuleSet != by || p.Facts.Road.Name != by {
				t.Fatalf("record %d is judged by %s on road %s, the site works by %s", rec.Seq, p.Verdict.RuleSet, p.Facts.Road.Name, by)
			}
			if seen[p.Source] {
				t.Errorf("%+v is recorded twice", p.Source)
			}
			seen[p.Source] = true
		}
	}
	if changed != changes+1 || len(seen) != 2*vehicles {
		t.Errorf("%d changes, %d vehicles", changed, len(seen))
	}
	if err := r.site.Adopt(t.Context(), worksBy("late", 99), wim.ConfiguredByManifest, nil); err == nil {
		t.Error("a site that has stopped took new works")
	}
}

func TestALanesPurposeIsChangedOnlyByASealedRecord(t *testing.T) {
	r := newRig(t)
	r.start()
	w := worksBy("set-1", 1)
	w.Purposes = map[wim.LaneID]wim.LanePurpose{1: wim.Testing}
	if err := r.site.Adopt(t.Context(), w, wim.ConfiguredByOperator, nil); err != nil {
		t.Fatal(err)
	}
	r.push(r.scale.vehicle(2, 9000)...)
	eventually(t, "the passage", func() bool {
		for _, rec := range r.records() {
			if rec.Passage != nil {
				if rec.Passage.Facts.Purpose != wim.Testing {
					t.Errorf("purpose %s", rec.Passage.Facts.Purpose)
				}
				return true
			}
		}
		return false
	})
}

// A plate that comes after another rule set was activated changes what is known of the passage and not the law of it.
func TestWhatComesLaterIsJudgedByTheRulesOfThePassage(t *testing.T) {
	r := newRig(t)
	r.change = func(c *Config) {
		first := worksBy("set-0", 0)
		c.Rules, c.Road, c.Active = first.Rules, first.Road, first.Active
	}
	r.start()
	r.push(r.scale.vehicle(2, 26000)...)
	eventually(t, "the passage is recorded, behind the configuration", func() bool { return len(r.vehicles(1)) == 1 })
	w := worksBy("set-1", 1)
	if err := r.site.Adopt(t.Context(), w, wim.ConfiguredByManifest, []wim.Change{{Kind: wim.PartRules, Name: "cn", To: w.Active[0].Digest, Outcome: wim.ChangeActivated}}); err != nil {
		t.Fatal(err)
	}
	r.camera.read(front("川A12345", "e1"), []byte("jpeg"))
	late := func() *wim.Supplement {
		for _, rec := range r.records() {
			if rec.Supplement != nil {
				return rec.Supplement
			}
		}
		return nil
	}
	eventually(t, "the late plate is recorded", func() bool { return late() != nil })
	r.push(r.scale.vehicle(2, 26000)...)
	eventually(t, "the next vehicle is judged by the new rules", func() bool {
		recs := r.records()
		p := recs[len(recs)-1].Passage
		return p != nil && p.Verdict.RuleSet == "set-1"
	})
	r.stop()
	if got := late().Verdict.RuleSet; got != "set-0" {
		t.Errorf("the supplement is judged by %s", got)
	}
}
