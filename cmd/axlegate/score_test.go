package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/internal/scoring"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/accuracy"
)

// trueLines is the truth of two-axle vehicles of so many kilograms each, and the records of a scale that errs by as many.
func trueLines(t *testing.T, err wim.Kg, masses ...wim.Kg) (truth, records string) {
	t.Helper()
	by := set(t, "cn-2016-62")
	var a, b strings.Builder
	for n, m := range masses {
		fmt.Fprintf(&a, `{"site":"north-1","lane":1,"device":"s","boot":1,"first_seq":%d,"end_seq":%d,"gross_kg":%d,"axles":[{"load_kg":%d},{"load_kg":%d,"spacing_mm":4000}],"plates":{"front":"川A12345"},"configuration":"rigid","kind":"rigid-2"}`+"\n",
			3*n+1, 3*n+3, m, m/2, m-m/2)
		r := wim.Record{Format: wim.RecordFormat, Site: "north-1", Seq: uint64(n), Kind: wim.KindPassage, Passage: &wim.Passage{Facts: someFacts(m + err), Source: wim.DeviceCursor{Device: "s", Boot: 1, Seq: uint32(3*n + 3)}}}
		by.Judge(&r.Passage.Facts, &r.Passage.Verdict)
		line, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s\n", line)
	}
	return a.String(), b.String()
}

func scoreOf(t *testing.T, truth, records string) (*scoring.Result, int, string) {
	t.Helper()
	shelf, err := newShelf(nil)
	if err != nil {
		t.Fatal(err)
	}
	files := [2]string{filepath.Join(t.TempDir(), "truth"), filepath.Join(t.TempDir(), "records")}
	for i, text := range []string{truth, records} {
		if err := os.WriteFile(files[i], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var complain bytes.Buffer
	x, broken, err := score(accuracy.Config{}, shelf, files[0], files[1:], &complain)
	if err != nil {
		t.Fatal(err)
	}
	return x, broken, complain.String()
}

func TestRecordsAreScoredAgainstTheTruth(t *testing.T) {
	var masses []wim.Kg
	for i := range 40 {
		masses = append(masses, wim.Kg(5000+500*i))
	}
	truth, records := trueLines(t, 30, masses...)
	x, broken, complaint := scoreOf(t, truth, records)
	if broken != 0 || complaint != "" {
		t.Errorf("%d broken lines: %s", broken, complaint)
	}
	if c := x.Report.Counts; c.Vehicles != 40 || c.Recorded != 40 || c.False != 0 || x.Report.COST323.Class != "A(5)" {
		t.Errorf("%+v, class %s", c, x.Report.COST323.Class)
	}
	a := x.Report.Of(wim.RoadAdministration, true)
	if a == nil || a.Keeping.N != 27 || a.Exceeding.N != 13 || a.Keeping.Accused != 0 {
		t.Errorf("%+v, want 27 up to 18 t and 13 above", a)
	}
	for _, lang := range []string{"zh", "en"} {
		var out bytes.Buffer
		if err := speaking(t, lang).scored(&out, x); err != nil {
			t.Fatal(err)
		}
		if s := out.String(); !strings.Contains(s, "A(5)") || !strings.Contains(s, map[string]string{"zh": "仅凭回忆", "en": "recalled, not read"}[lang]) || strings.Contains(s, "⟦") {
			t.Errorf("%s: class or the mark of what is recalled is missing:\n%s", lang, s)
		}
	}
}

func TestBadLinesAreNamedByNumberAndTheRestIsScored(t *testing.T) {
	truth, records := trueLines(t, 0, 10_000, 12_000)
	x, broken, complaint := scoreOf(t, truth+"{\n", "{\"kind\":\"passage\"}\n"+records)
	if broken != 2 || !strings.Contains(complaint, "truth:3:") || !strings.Contains(complaint, "records:1:") || x.Report.Counts.Recorded != 2 {
		t.Errorf("%d broken, %d recorded: %s", broken, x.Report.Counts.Recorded, complaint)
	}
	_, broken, complaint = scoreOf(t, truth+strings.Repeat("{\n", 1000), records)
	if n := strings.Count(complaint, "\n"); broken != 1000 || n != maxComplaints+1 || !strings.Contains(complaint, "and more") {
		t.Errorf("%d broken, %d lines of complaint", broken, n)
	}
}

func TestATruthWithoutAVehicleIsRefused(t *testing.T) {
	shelf, err := newShelf(nil)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "truth")
	if err := os.WriteFile(path, []byte(`{"event":"boot"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := score(accuracy.Config{}, shelf, path, []string{path}, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "no vehicle") {
		t.Errorf("%v", err)
	}
}
