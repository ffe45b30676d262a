package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/rules"
	"github.com/axlegate/axlegate/wim"
)

// sealedBy gives records as an export has them, judged by a set.
func sealedBy(t *testing.T, s *rules.Set, each func(n int, v *wim.Verdict), masses ...wim.Kg) string {
	t.Helper()
	var out strings.Builder
	for n, m := range masses {
		r := wim.Record{Format: wim.RecordFormat, Site: "north-1", Kind: wim.KindPassage, Passage: &wim.Passage{Facts: someFacts(m)}}
		s.Judge(&r.Passage.Facts, &r.Passage.Verdict)
		if each != nil {
			each(n, &r.Passage.Verdict)
		}
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "%s\n", b)
	}
	return out.String()
}

func replayOf(t *testing.T, by *rules.Set, text string) (replayResult, string) {
	t.Helper()
	shelf, err := newShelf(nil)
	if err != nil {
		t.Fatal(err)
	}
	var complain, out bytes.Buffer
	r := &replay{shelf: shelf, by: by, complain: &complain}
	if err := r.run("records", strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	if err := speaking(t, "en").replayed(&out, &r.result); err != nil {
		t.Fatal(err)
	}
	return r.result, complain.String() + out.String()
}

func TestRecordsAreJudgedAgainByTheSetOfTheirTime(t *testing.T) {
	old := set(t, "cn-2016-62")
	text := sealedBy(t, old, nil, 10000, 17000, 20000, 25000)
	t.Run("all the same", func(t *testing.T) {
		x, said := replayOf(t, nil, text)
		if x.Records != 4 || x.Same != 4 || len(x.Alarms) != 0 || !strings.Contains(said, "4 wholly the same") {
			t.Errorf("%+v\n%s", x, said)
		}
	})
	t.Run("a verdict that was altered is an alarm", func(t *testing.T) {
		x, said := replayOf(t, nil, sealedBy(t, old, func(n int, v *wim.Verdict) {
			if n == 2 {
				v.Opinions[0].Outcome = wim.Compliant
			}
		}, 10000, 17000, 20000))
		if len(x.Alarms) != 1 || x.Alarms[0] != 3 || len(x.Turns) != 1 || x.Turns[0].From != "compliant screening" && x.Turns[0].From != "compliant evidence" || !strings.Contains(said, "alarms at lines 3") {
			t.Errorf("%+v\n%s", x, said)
		}
	})
	t.Run("under another set the differences are counted", func(t *testing.T) {
		x, said := replayOf(t, set(t, "us"), text)
		if x.Records != 4 || x.Same != 0 || len(x.Alarms) != 0 || len(x.Turns) == 0 || !strings.Contains(said, "now") {
			t.Errorf("%+v\n%s", x, said)
		}
	})
	t.Run("a set that is not here is said", func(t *testing.T) {
		x, _ := replayOf(t, nil, strings.ReplaceAll(strings.ReplaceAll(text, old.Digest().String(), wim.DigestOf([]byte("x")).String()), "cn-2016-62\"", "elsewhere\""))
		if x.Unknown != 4 {
			t.Errorf("%+v", x)
		}
	})
	t.Run("a broken line is named and the rest goes on", func(t *testing.T) {
		x, said := replayOf(t, nil, strings.Replace(text, "\n", "\n{broken\n", 1))
		if x.Broken != 1 || x.Records != 4 || !strings.Contains(said, "records:2: not JSON") {
			t.Errorf("%+v\n%s", x, said)
		}
	})
	t.Run("facts alone are no record", func(t *testing.T) {
		b, err := json.Marshal(someFacts(10000))
		if err != nil {
			t.Fatal(err)
		}
		if x, said := replayOf(t, nil, string(b)); x.Broken != 1 || !strings.Contains(said, "axlegate judge") {
			t.Errorf("%+v\n%s", x, said)
		}
	})
}

func TestWhatIfCountsWhomAnotherSetWouldAccuseAndClear(t *testing.T) {
	text := sealedBy(t, set(t, "cn-2016-62"), nil, 10000, 17000, 20000, 25000, 25500)
	w := &whatIf{set: set(t, "in"), complain: &bytes.Buffer{}, cells: map[cell]*shift{}}
	if err := w.run("records", strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	var road *shift
	for _, s := range w.shifts() {
		if s.Competence == wim.RoadAdministration {
			road = s
		}
	}
	if w.records != 5 || road == nil || road.Vehicles != 5 || road.Class != "rigid-2" || road.Road != "G5" {
		t.Fatalf("%+v", road)
	}
	var out bytes.Buffer
	if err := speaking(t, "zh").whatIf(&out, w); err != nil || !strings.Contains(out.String(), "5 条记录") {
		t.Errorf("%v %s", err, &out)
	}
	same := &whatIf{set: set(t, "cn-2016-62"), complain: &bytes.Buffer{}, cells: map[cell]*shift{}}
	if err := same.run("records", strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	for _, s := range same.shifts() {
		if s.Changed != 0 {
			t.Errorf("under the set of their time: %+v", s)
		}
	}
}

func TestTheBarSaysHowMuchIsRead(t *testing.T) {
	b := &bar{size: 100, read: 50}
	if got := b.line(b.began.Add(1)); !strings.HasPrefix(got, "[███████████████···············]  50 %") {
		t.Error(got)
	}
	b.size = 0
	if got := b.line(b.began.Add(1)); strings.Contains(got, "%") {
		t.Error(got)
	}
}
