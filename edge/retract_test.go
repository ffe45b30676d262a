package edge

import (
	"strings"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

// reported is the messages of a vehicle that a controller reports whole under that name.
func (f *fakeScale) reported(id string, axles int, gross wim.Kg) []wim.Reading {
	out := f.vehicle(axles, gross)
	out[len(out)-1].Controller = &wim.ControllerRecord{ID: id, Indication: "20 t", Scheme: "maker", Class: "7", Codes: []string{"valid=1"}}
	return out
}

func (f *fakeScale) retraction(id string) wim.Reading {
	return f.next(wim.Reading{Kind: wim.Retraction, Controller: &wim.ControllerRecord{ID: id}})
}

func TestWhatAControllerTakesBackIsVoidAndStaysOnRecord(t *testing.T) {
	for _, c := range []struct {
		name    string
		between func(*rig)
	}{
		{"while the lane remembers it", func(*rig) {}},
		{"after a restart", func(r *rig) { r.stop(); r.start() }},
		{"when only the journal holds it", func(r *rig) {
			for range maxPassed + 1 {
				r.push(r.scale.vehicle(2, 9000)...)
			}
			r.stop()
			r.start()
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.start()
			r.push(r.scale.reported("2024-77", 2, 20000)...)
			knows := func(key string) bool {
				t.Helper()
				ok, err := r.journal.Knows(t.Context(), "scale-1", key)
				if err != nil {
					t.Fatal(err)
				}
				return ok
			}
			eventually(t, "the journal knows the record by its own name", func() bool { return knows("2024-77") })
			c.between(r)
			r.push(r.scale.retraction("2024-77"))
			eventually(t, "the journal knows that it was taken back", func() bool { return knows(RetractionKey("2024-77")) })
			if at, _ := r.journal.Cursor("scale-1"); at.Seq != r.scale.seq {
				t.Errorf("the cursor stands at %d, want %d", at.Seq, r.scale.seq)
			}
			var passage, taken *wim.Record
			for _, x := range r.records() {
				switch {
				case x.Passage != nil && x.Passage.Facts.Vehicle.Controller != nil:
					passage = x
				case x.Supplement != nil:
					taken = x
				}
			}
			if passage == nil || taken == nil {
				t.Fatalf("passage %v, supplement %v", passage, taken)
			}
			v := passage.Passage.Facts.Vehicle
			if v.Flags.Has(wim.Reverse) || v.Gross != 20000 || v.Controller.Indication != "20 t" || v.Controller.Class != "7" || len(v.Controller.Codes) != 1 {
				t.Errorf("the passage became %+v", v)
			}
			s := taken.Supplement
			if s.Cause != wim.SupplementRetraction || s.Of.Seq != passage.Seq || s.Facts.Vehicle.Gross != 20000 || !s.Facts.Vehicle.Flags.Has(wim.Reverse) {
				t.Errorf("supplement %+v", s)
			}
		})
	}
}

func TestARetractionOfAnUnknownRecordIsAGap(t *testing.T) {
	r := newRig(t)
	r.start()
	r.push(r.scale.reported("1", 2, 20000)...)
	r.push(r.scale.retraction("2"))
	var gap *wim.Gap
	eventually(t, "a gap", func() bool {
		for _, x := range r.records() {
			if x.Gap != nil {
				gap = x.Gap
			}
		}
		return gap != nil
	})
	if gap.Cause != wim.GapSequence || gap.From != r.scale.seq || gap.To != r.scale.seq || !strings.Contains(gap.Detail, "record 2") {
		t.Errorf("gap %+v", gap)
	}
	r.push(r.scale.vehicle(2, 9000)...)
	eventually(t, "the next vehicle", func() bool { at, _ := r.journal.Cursor("scale-1"); return at.Seq == r.scale.seq })
}
