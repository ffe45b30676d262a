package audit

import (
	"strings"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

func truth(seqs ...uint32) []Vehicle {
	var out []Vehicle
	for _, s := range seqs {
		out = append(out, Vehicle{Site: "north-1", Device: "scale-1", Boot: 5, EndSeq: s, Indicated: 1000 * wim.Kg(s)})
	}
	return out
}

func passage(boot, seq uint32, gross wim.Kg) *wim.Record {
	return &wim.Record{Site: "north-1", Passage: &wim.Passage{Source: wim.DeviceCursor{Device: "scale-1", Boot: boot, Seq: seq},
		Facts: wim.Facts{Vehicle: wim.Vehicle{Gross: gross}}}}
}

// cutOff is a passage whose vehicle end got lost.
func cutOff(seq uint32, gross wim.Kg) *wim.Record {
	r := passage(5, seq, gross)
	r.Passage.Facts.Vehicle.Flags = wim.DeviceGap
	return r
}

func gap(g wim.Gap) *wim.Record {
	g.Device = "scale-1"
	return &wim.Record{Site: "north-1", Gap: &g}
}

func TestTheAuditFindsWhatItIsThereFor(t *testing.T) {
	for _, c := range []struct {
		name    string
		truth   []Vehicle
		records []*wim.Record
		good    bool
		says    string
	}{
		{"everything recorded", truth(3, 7), []*wim.Record{passage(5, 3, 3000), passage(5, 7, 7000)}, true, "2 passages + 0 covered"},
		{"one in a gap", truth(3, 7), []*wim.Record{passage(5, 3, 3000), gap(wim.Gap{Cause: wim.GapSequence, Boot: 5, From: 4, To: 8})}, true, "1 covered"},
		{"the end of an old boot in a restart", truth(3, 7), []*wim.Record{passage(5, 3, 3000), gap(wim.Gap{Cause: wim.GapRestart, Boot: 6, From: 1, LastBoot: 5, LastSeq: 3})}, true, "1 covered"},
		{"one lost", truth(3, 7), []*wim.Record{passage(5, 3, 3000)}, false, "in no passage and in no gap"},
		{"one twice", truth(3), []*wim.Record{passage(5, 3, 3000), passage(5, 3, 3000)}, false, "doubled 1"},
		{"one in a passage and in a gap", truth(3), []*wim.Record{passage(5, 3, 3000), gap(wim.Gap{Boot: 5, From: 1, To: 3})}, false, "both in a passage and in a gap"},
		{"one invented", truth(3), []*wim.Record{passage(5, 3, 3000), passage(5, 9, 1)}, false, "no scale sent"},
		{"one whose end got lost", truth(3), []*wim.Record{cutOff(2, 0), gap(wim.Gap{Cause: wim.GapSequence, Boot: 5, From: 3, To: 3})}, true, "1 covered"},
		{"one with a mass that nobody indicated", truth(3), []*wim.Record{passage(5, 3, 3000), cutOff(9, 40000)}, false, "no scale sent"},
		{"another mass", truth(3), []*wim.Record{passage(5, 3, 3001)}, false, "indicated 3000 kg, recorded 3001 kg"},
		{"a gap of another boot covers nothing", truth(3), []*wim.Record{gap(wim.Gap{Boot: 4, From: 1, To: 9})}, false, "lost 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Compare(c.truth, c.records)
			if r.Good() != c.good || !strings.Contains(r.String(), c.says) {
				t.Errorf("good %v, says %s", r.Good(), r)
			}
		})
	}
}

func TestTruthKeepsVehiclesAndForgivesACutLastLine(t *testing.T) {
	v, err := ReadTruth(strings.NewReader(`{"event":"boot","boot":5}
{"site":"north-1","device":"scale-1","boot":5,"first_seq":1,"end_seq":3,"gross_kg":17000}
{"site":"nor`))
	if err != nil || len(v) != 1 || v[0].EndSeq != 3 {
		t.Errorf("have %+v, %v", v, err)
	}
	if _, err := ReadTruth(strings.NewReader("{\n{}\n")); err == nil {
		t.Error("a broken line in the middle passed")
	}
}
