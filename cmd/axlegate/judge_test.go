package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/internal/daemon"
	"github.com/axlegate/axlegate/wim"
)

func someFacts(gross wim.Kg) wim.Facts {
	f := wim.Facts{Time: 1780272000000000000, Clock: wim.ClockSynchronised, Purpose: wim.Enforcement, Road: wim.Road{Name: "G5", Class: "class-1"},
		Units:   []wim.Unit{{Plate: "川A12345", Kind: wim.Goods, Confidence: 990}},
		Vehicle: wim.Vehicle{Lane: 1, Speed: 600, Gross: gross, AxleSum: gross}}
	for i := range uint8(2) {
		f.Vehicle.Axles = append(f.Vehicle.Axles, wim.Axle{Index: i + 1, Load: gross / 2, Left: gross / 4, Right: gross / 4, Spacing: wim.Mm(i) * 4000})
	}
	wim.Classify(&f.Vehicle)
	return f
}

func TestABrokenLineIsRefusedByItsNumberAndTheRestIsJudged(t *testing.T) {
	set, err := daemon.RuleSet("cn-2016-62")
	if err != nil {
		t.Fatal(err)
	}
	var in, out, complain bytes.Buffer
	for n := 1; n <= 1000; n++ {
		f := someFacts(wim.Kg(10000 + 20*n))
		b, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		if n == 500 {
			b = b[:len(b)/2]
		}
		fmt.Fprintf(&in, "%s\n", b)
	}
	bad, err := judge(set, &in, &out, "facts", &complain)
	if err != nil || bad != 1 || !strings.HasPrefix(complain.String(), "facts:500: not JSON") {
		t.Errorf("%d bad, %v, %s", bad, err, &complain)
	}
	lines, exceeded, want := 0, 0, 1
	for d := json.NewDecoder(&out); d.More(); lines++ {
		var j judged
		if err := d.Decode(&j); err != nil {
			t.Fatal(err)
		}
		if want == 500 {
			want++
		}
		if j.Line != want || j.Same != nil || len(j.Verdict.Opinions) != 2 {
			t.Fatalf("%+v, want line %d", j, want)
		}
		want++
		if j.Verdict.Exceeded() {
			exceeded++
		}
	}
	// 18 t for two axles, 5 % off what is measured without a certificate: from 18 960 kg, line 448, but for line 500.
	if lines != 999 || exceeded != 1000-448 {
		t.Errorf("%d lines, %d exceeded", lines, exceeded)
	}
}

func TestLinesThatAreRefused(t *testing.T) {
	set, err := daemon.RuleSet("cn-2016-62")
	if err != nil {
		t.Fatal(err)
	}
	f := someFacts(20000)
	b, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	good := string(b)
	for _, c := range []struct{ name, line, want string }{
		{"a field that nobody knows", strings.Replace(good, `"clock"`, `"colour":1,"clock"`, 1), "colour"},
		{"no time", `{"vehicle":{"axles":[{}]}}`, "without a time"},
		{"no axles", `{"time":"2026-06-01T00:00:00Z"}`, "without axles"},
		{"two values", good + good, "not JSON"},
		{"a list", "[]", "not JSON"},
	} {
		var out, complain bytes.Buffer
		if bad, err := judge(set, strings.NewReader(c.line+"\n\n"), &out, "x", &complain); err != nil || bad != 1 || !strings.Contains(complain.String(), c.want) || out.Len() != 0 {
			t.Errorf("%s: %d %v %s %s", c.name, bad, err, &complain, &out)
		}
	}
	var out, complain bytes.Buffer
	long := strings.Repeat("x", maxFacts+1) + "\n" + good
	if bad, err := judge(set, strings.NewReader(long), &out, "x", &complain); err != nil || bad != 1 || !strings.Contains(complain.String(), "x:1: longer") || !strings.HasPrefix(out.String(), `{"line":2,`) {
		t.Errorf("a line that is too long: %d %v %s %s", bad, err, &complain, &out)
	}
	if _, err := judge(set, strings.NewReader(good), full{}, "x", &complain); !errors.Is(err, errFull) {
		t.Errorf("an output that takes nothing: %v", err)
	}
}

var errFull = errors.New("no space left")

// full is a disk that takes nothing more.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestARecordIsHeldAgainstItsOwnVerdict(t *testing.T) {
	set, err := daemon.RuleSet("cn-2016-62")
	if err != nil {
		t.Fatal(err)
	}
	f := someFacts(20000)
	p := wim.Passage{Facts: f}
	set.Judge(&f, &p.Verdict)
	line := func(r wim.Record) string {
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(b) + "\n"
	}
	wrong := p
	wrong.Verdict = p.Verdict.Clone()
	wrong.Verdict.Findings[0].Excess++
	text := line(wim.Record{Kind: wim.KindPassage, Passage: &p}) + line(wim.Record{Kind: wim.KindGap, Gap: &wim.Gap{}}) +
		line(wim.Record{Kind: wim.KindSupplement, Supplement: &wim.Supplement{Facts: f, Verdict: wrong.Verdict}})
	var out, complain bytes.Buffer
	if bad, err := judge(set, strings.NewReader(text), &out, "x", &complain); err != nil || bad != 0 {
		t.Fatalf("%d %v %s", bad, err, &complain)
	}
	got := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(got) != 2 || !strings.Contains(got[0], `"same":true`) || !strings.Contains(got[1], `"same":false`) || !strings.HasPrefix(got[1], `{"line":3,`) {
		t.Errorf("%s", &out)
	}
}

// FuzzJudge throws anything at the command's input: it must end, and account for every line that is not blank.
func FuzzJudge(f *testing.F) {
	set, err := daemon.RuleSet("cn-2016-62")
	if err != nil {
		f.Fatal(err)
	}
	facts := someFacts(20000)
	b, err := json.Marshal(facts)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"kind":"gap"}`))
	f.Add([]byte("{}\n\n[]\n\"\\u0000\"\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		var out, complain bytes.Buffer
		bad, err := judge(set, bytes.NewReader(in), &out, "x", &complain)
		if got := strings.Count(complain.String(), "x:"); err == nil && got < bad {
			t.Errorf("%d lines bad, %d told", bad, got)
		}
		for d := json.NewDecoder(&out); d.More(); {
			var j judged
			if err := d.Decode(&j); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestARecordThatShouldHaveAnAccountAndHasNoneIsRefused(t *testing.T) {
	for line, ok := range map[string]bool{
		`{"kind":"passage"}`: false, `{"kind":"supplement"}`: false, `{"kind":"of tomorrow"}`: false, `{"kind":"gap"}`: true, `{"kind":"chain-start"}`: true,
	} {
		if f, v, err := factsIn([]byte(line)); (err == nil) != ok || f != nil || v != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}
