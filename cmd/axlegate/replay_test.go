package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

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
		if len(x.Alarms) != 1 || x.Alarms[0] != 3 || len(x.Turns) != 1 || x.Turns[0].From.Outcome != wim.Compliant || x.Turns[0].To.Outcome != wim.Exceeded || !strings.Contains(said, "alarms at lines 3") {
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
	t.Run("a line that is too long is named and the rest goes on", func(t *testing.T) {
		x, said := replayOf(t, nil, strings.Replace(text, "\n", "\n"+strings.Repeat("x", maxFacts+1)+"\n", 1))
		if x.Broken != 1 || x.Records != 4 || !strings.Contains(said, "records:2: longer than") {
			t.Errorf("%+v\n%s", x, said)
		}
	})
	t.Run("the signatures of an export are passed over", func(t *testing.T) {
		if x, said := replayOf(t, nil, text+`{"segment":"e30..AA"}`+"\n"); x.Broken != 0 || x.Records != 4 || x.Same != 4 {
			t.Errorf("%+v\n%s", x, said)
		}
	})
	t.Run("a verdict of another version of the judge is no alarm", func(t *testing.T) {
		x, said := replayOf(t, nil, sealedBy(t, old, func(_ int, v *wim.Verdict) { v.Judge, v.Opinions[0].Outcome = "0", wim.Unknown }, 20000))
		if x.Judge != 1 || len(x.Alarms) != 0 || len(x.Turns) != 1 || !strings.Contains(said, "another version of the judge") {
			t.Errorf("%+v\n%s", x, said)
		}
	})
	t.Run("a set of that name with another digest is used and no alarm", func(t *testing.T) {
		x, said := replayOf(t, nil, sealedBy(t, old, func(_ int, v *wim.Verdict) { v.Rules, v.Opinions[0].Outcome = wim.DigestOf([]byte("x")), wim.Unknown }, 20000))
		if x.Other != 1 || len(x.Alarms) != 0 || len(x.Turns) != 1 || !strings.Contains(said, "another digest") {
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

func whatIfOf(t *testing.T, by *rules.Set, text string) (whatIfResult, string) {
	t.Helper()
	var out bytes.Buffer
	w := newWhatIf(by, &out)
	if err := w.run("records", strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	if err := speaking(t, "zh").whatIf(&out, w); err != nil {
		t.Fatal(err)
	}
	return w.result, out.String()
}

func TestWhatIfCountsWhomAnotherSetWouldAccuseAndClear(t *testing.T) {
	text := sealedBy(t, set(t, "cn-2016-62"), nil, 10000, 17000, 20000, 25000, 25500)
	t.Run("from which outcome to which, by class, road and authority", func(t *testing.T) {
		x, said := whatIfOf(t, set(t, "in"), text)
		var road, police *shift
		for _, s := range x.Shifts {
			switch s.Competence {
			case wim.RoadAdministration:
				road = s
			case wim.TrafficPolice:
				police = s
			}
		}
		if x.Records != 5 || x.RuleSet != "in" || road == nil || road.Records != 5 || road.Class != "rigid-2" || road.Road != "G5" {
			t.Fatalf("%+v %+v", x, road)
		}
		// India's set asks no police here, so whatever they found goes.
		if police == nil || police.Changed != 5 || len(police.Moves) != 1 || police.Moves[0] != (move{From: wim.Unknown, Count: 5}) || x.Changed != 5 {
			t.Errorf("%+v %+v", x, police)
		}
		moved := 0
		for _, m := range road.Moves {
			if m.From == m.To {
				t.Errorf("%+v", m)
			}
			moved += m.Count
		}
		if moved != road.Changed || !strings.Contains(said, "5 条记录") || !strings.Contains(said, "无法判定") {
			t.Errorf("%+v\n%s", road, said)
		}
	})
	t.Run("under the set of their time nothing changes", func(t *testing.T) {
		x, said := whatIfOf(t, set(t, "cn-2016-62"), text)
		for _, s := range x.Shifts {
			if s.Changed != 0 || len(s.Moves) != 0 {
				t.Errorf("%+v", s)
			}
		}
		if x.Changed != 0 || len(x.Shifts) == 0 || strings.Contains(said, "─") {
			t.Errorf("%+v\n%s", x, said)
		}
	})
	t.Run("a broken line is named and the rest goes on", func(t *testing.T) {
		if x, said := whatIfOf(t, set(t, "us"), "[]\n"+text); x.Broken != 1 || x.Records != 5 || !strings.Contains(said, "records:1: not ") {
			t.Errorf("%+v\n%s", x, said)
		}
	})
}

func TestReplayAndWhatIfTellByTheirExitStatusWhatNeedsALook(t *testing.T) {
	old := set(t, "cn-2016-62")
	good := sealedBy(t, old, nil, 10000, 20000)
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "records.ndjson")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	altered := sealedBy(t, old, func(_ int, v *wim.Verdict) { v.Opinions[0].Outcome = wim.Compliant }, 20000)
	for _, c := range []struct {
		name string
		run  interface{ Run() error }
		want string
	}{
		{"the same again", replayCommand{File: file(good), language: language{Lang: "zh"}}, ""},
		{"the same again, as JSON", replayCommand{File: file(good), language: language{Lang: "en", JSON: true}}, ""},
		{"nothing at all", replayCommand{File: file(""), language: language{Lang: "en"}}, ""},
		{"a verdict that differs", replayCommand{File: file(altered), language: language{Lang: "en"}}, "1 verdicts differ under the same set and judge"},
		{"a verdict that differs from the set it names, by that set's name", replayCommand{File: file(altered), Rules: "cn-2016-62", language: language{Lang: "en"}}, "1 verdicts differ"},
		{"differences under another set", replayCommand{File: file(good), Rules: "us", language: language{Lang: "en"}}, ""},
		{"a broken line", replayCommand{File: file("{\n" + good), language: language{Lang: "en"}}, "1 lines were not understood"},
		{"a set that is not there", replayCommand{File: file(good), Rules: "atlantis", language: language{Lang: "en"}}, "atlantis"},
		{"what if", rulesWhatIf{Set: "us", File: file(good), language: language{Lang: "en"}}, ""},
		{"what if, as JSON", rulesWhatIf{Set: "us", File: file(good), language: language{Lang: "zh", JSON: true}}, ""},
		{"what if, with a broken line", rulesWhatIf{Set: "us", File: file("{\n" + good), language: language{Lang: "en"}}, "1 lines were not understood"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.run.Run()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestLinesAreReadWhateverTheyEndWith(t *testing.T) {
	broken := errors.New("unplugged")
	for _, c := range []struct {
		name string
		in   io.Reader
		want string
		bad  int
		err  error
	}{
		{"none", strings.NewReader(""), "", 0, nil},
		{"the last without an end", strings.NewReader("a\n\n b\r\nc"), "1a 3b 4c ", 0, nil},
		{"as long as a line may be", strings.NewReader(strings.Repeat(" ", maxFacts-2) + "a\nb"), "1a 2b ", 0, nil},
		{"one byte longer", strings.NewReader(strings.Repeat(" ", maxFacts) + "a\nb"), "2b ", 1, nil},
		{"a too long one at the end", strings.NewReader("a\n" + strings.Repeat("x", 3*maxFacts)), "1a ", 1, nil},
		{"a file that breaks off", io.MultiReader(strings.NewReader("a\n"), iotest.ErrReader(broken)), "1a ", 0, broken},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			bad, err := eachLine("in", c.in, io.Discard, func(n int, line []byte) error {
				got += fmt.Sprintf("%d%s ", n, line)
				return nil
			})
			if got != c.want || bad != c.bad || !errors.Is(err, c.err) {
				t.Errorf("%q, %d bad, %v", got, bad, err)
			}
		})
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
