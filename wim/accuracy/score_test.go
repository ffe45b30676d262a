package accuracy

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/axlegate/axlegate/wim"
)

// semi is a five-axle articulated vehicle at rest.
func semi() *Truth {
	return &Truth{
		Site: "north-1", Lane: 1, Device: "scale-1", Boot: 7, FirstSeq: 1, EndSeq: 6, Start: time.Unix(1_780_000_000, 0), Gross: 40_000, Speed: 700, Kind: "train-5", Configuration: wim.Train,
		Axles: []TrueAxle{{6000, 3000, 3000, 0}, {8000, 4000, 4000, 3300}, {8000, 4000, 4000, 1350}, {9000, 4500, 4500, 6700}, {9000, 4500, 4500, 1310}},
	}
}

// weighed is what an instrument makes of t whose error is in permille, the same on every axle.
func weighed(t *Truth, permille int) *wim.Vehicle {
	v := t.Vehicle()
	v.Gross = 0
	for i := range v.Axles {
		a := &v.Axles[i]
		a.Load += a.Load * wim.Kg(permille) / 1000
		a.Left, a.Right = a.Load/2, a.Load-a.Load/2
		v.Gross += a.Load
	}
	return &v
}

func scorer(t *testing.T, cfg Config) *Scorer {
	t.Helper()
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func report(t *testing.T, s *Scorer) *Report {
	t.Helper()
	r, err := s.Report()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestErrorsAreTakenByTheCriterionOfEachAxle(t *testing.T) {
	s := scorer(t, Config{})
	for i := range 40 {
		s.Passage(semi(), weighed(semi(), i-20+10), nil)
	}
	r := report(t, s)
	for i, want := range []int{40, 80, 40, 160} {
		f := r.COST323.Fits[i]
		if f.N != want || math.Abs(f.Mean-0.95) > 0.01 {
			t.Errorf("%s: n = %d, mean %.3f; want %d, 0.95", f.Criterion, f.N, f.Mean, want)
		}
	}
	if r.COST323.Class != "A(5)" || r.Detection != 100 || r.Valid != 100 {
		t.Errorf("class %s, detection %v, valid %v", r.COST323.Class, r.Detection, r.Valid)
	}
	if r.OIML.Class != "5" || math.Abs(r.OIML.Worst-2.9) > 0.01 {
		t.Errorf("OIML class %q, largest error %v; want 5 and 2.9", r.OIML.Class, r.OIML.Worst)
	}
	if len(r.Kinds) != 1 || r.Kinds[0].N != 40 || len(r.Speeds) != 1 || r.Speeds[0].From != 70 {
		t.Errorf("kinds %+v, speeds %+v", r.Kinds, r.Speeds)
	}
}

func TestOneWeighingBeyondTheHardLimitLosesTheClassAndNotTheConfidence(t *testing.T) {
	s := scorer(t, Config{})
	for range 1000 {
		s.Passage(semi(), weighed(semi(), 1), nil)
	}
	before := report(t, s)
	s.Passage(semi(), weighed(semi(), 51), nil)
	after := report(t, s)
	if before.OIML.Class != "0.2" || after.OIML.Class != "10" {
		t.Errorf("OIML class %q, then %q; want 0.2, then 10", before.OIML.Class, after.OIML.Class)
	}
	if before.COST323.Class != "A(5)" || after.COST323.Class != "A(5)" {
		t.Errorf("COST 323 class %q, then %q; want A(5) both times", before.COST323.Class, after.COST323.Class)
	}
}

func TestTheHardLimitIsMetExactlyAndNotByAKilogramMore(t *testing.T) {
	for _, row := range []struct {
		name     string
		measured wim.Kg
		division wim.Kg
		want     string
	}{
		{"on the limit of class 5", 42_000, 0, "5"},
		{"a kilogram above it", 42_001, 0, "10"},
		{"on the limit of class 10", 36_000, 0, "10"},
		{"beyond every class", 35_999, 0, ""},
		{"two divisions of 1000 kg are the smallest limit in service", 42_000, 1000, "0.2"},
	} {
		s := scorer(t, Config{Division: row.division})
		v := semi().Vehicle()
		v.Gross = row.measured
		s.Passage(semi(), &v, nil)
		if got := report(t, s).OIML.Class; got != row.want {
			t.Errorf("%s: class %q, want %q", row.name, got, row.want)
		}
	}
}

func TestVoidWeighingsAreCountedAndNotWeighed(t *testing.T) {
	s := scorer(t, Config{})
	v := weighed(semi(), 300)
	v.Flags = wim.Acceleration
	braked := semi()
	braked.Flags = wim.Acceleration
	s.Passage(braked, v, nil)
	s.Passage(semi(), v, nil)
	lost := semi()
	lost.LostFrames = 1
	short := weighed(semi(), 0)
	short.Axles = short.Axles[:4]
	s.Passage(lost, short, nil)
	s.Missed(semi(), nil)
	s.False()
	r := report(t, s)
	want := Counts{Vehicles: 4, Recorded: 3, Missed: 1, False: 1, Void: 2, Axles: 15, MissedAxles: 1, Miscounted: 1}
	if r.Counts != want {
		t.Errorf("%+v, want %+v", r.Counts, want)
	}
	if n := r.COST323.Fits[Gross].N; n != 1 {
		t.Errorf("%d weighings, want 1", n)
	}
	if r.Detection != 75 || r.Valid != 25 {
		t.Errorf("detection %v, valid %v", r.Detection, r.Valid)
	}
	for _, f := range r.Flags {
		switch {
		case f.Flag == "acceleration" && (f.Right != 1 || f.False != 1 || *f.Precision != 50 || *f.Recall != 100):
			t.Errorf("%+v", f)
		case f.Flag == "device-gap" && (f.Missed != 1 || f.Precision != nil || *f.Recall != 0):
			t.Errorf("%+v", f)
		}
	}
	if len(r.Flags) != 2 {
		t.Errorf("%d flags, want 2: %+v", len(r.Flags), r.Flags)
	}
}

func TestWhatFollowsFromAFaultIsNoFalseAlarm(t *testing.T) {
	for _, c := range []struct {
		name               string
		expected, raised   wim.Flag
		right, wrong, miss int
	}{
		{"a lost axle leaves count and sum wrong", wim.DeviceGap, wim.DeviceGap | wim.MissedAxle | wim.SumMismatch, 1, 0, 0},
		{"a lost end is told by the time", wim.DeviceGap, wim.TimedOut, 1, 0, 0},
		{"without a fault they are false alarms", 0, wim.MissedAxle | wim.SumMismatch | wim.TimedOut, 0, 3, 0},
		{"half a vehicle is out of balance", wim.Straddling, wim.Straddling | wim.Imbalance, 1, 0, 0},
		{"and its imbalance alone does not tell it", wim.Straddling, wim.Imbalance, 0, 0, 1},
		{"a plate says nothing of a weighing", 0, wim.PlateUncertain, 0, 0, 0},
	} {
		s := scorer(t, Config{})
		s.flag(c.expected, c.raised)
		var right, wrong, miss int
		for _, f := range report(t, s).Flags {
			right, wrong, miss = right+f.Right, wrong+f.False, miss+f.Missed
		}
		if right != c.right || wrong != c.wrong || miss != c.miss {
			t.Errorf("%s: %d right, %d false, %d missed", c.name, right, wrong, miss)
		}
	}
}

// verdict is one authority's, on one limit of 40 t.
func verdict(measured wim.Kg, outcome wim.Outcome, reasons wim.Reason) *wim.Verdict {
	return &wim.Verdict{
		Opinions: []wim.Opinion{{Competence: wim.RoadAdministration, Outcome: outcome, Standing: wim.StandingOf(reasons), Reasons: reasons}},
		Findings: []wim.Finding{{Competence: wim.RoadAdministration, Scope: wim.ScopeGross, Outcome: outcome, Measured: measured, Permitted: 40_000}},
	}
}

func TestAccusationsAreHeldAgainstWhatIsTrue(t *testing.T) {
	for _, row := range []struct {
		name         string
		truly        wim.Kg
		found        *wim.Verdict
		wantKeeping  Band
		wantNear     int
		wantExceeded Band
	}{
		{"a compliant truck near the limit is cleared", 39_000, verdict(39_000, wim.Compliant, 0), Band{N: 1}, 1, Band{}},
		{"one exactly on the limit keeps to it", 40_000, verdict(41_000, wim.WithinTolerance, 0), Band{N: 1, WithinTolerance: 1}, 1, Band{}},
		{"a light one accused is the worst mistake", 20_000, verdict(45_000, wim.Exceeded, 0), Band{N: 1, Accused: 1, Evidence: 1}, 0, Band{}},
		{"a suspicion accuses, but is no evidence", 39_999, verdict(45_000, wim.Exceeded, wim.NoCertificate), Band{N: 1, Accused: 1}, 1, Band{}},
		{"a void weighing accuses nobody", 39_999, verdict(45_000, wim.Exceeded, wim.MeasurementVoid), Band{N: 1, Void: 1}, 1, Band{}},
		{"an excess found", 44_000, verdict(44_000, wim.Exceeded, 0), Band{}, 0, Band{N: 1, Accused: 1, Evidence: 1}},
		{"an excess within tolerance is missed", 41_000, verdict(41_000, wim.WithinTolerance, 0), Band{}, 0, Band{N: 1, WithinTolerance: 1}},
		{"an excess without a record is missed", 41_000, nil, Band{}, 0, Band{N: 1, Missed: 1}},
		{"an excess that cannot be decided is missed", 41_000, verdict(41_000, wim.Unknown, 0), Band{}, 0, Band{N: 1, Undecided: 1}},
	} {
		truth := verdict(row.truly, wim.Compliant, 0)
		if row.truly > 40_000 {
			truth = verdict(row.truly, wim.Exceeded, 0)
		}
		s := scorer(t, Config{})
		s.Missed(semi(), Cases(truth, row.found))
		r := report(t, s)
		for _, gross := range []bool{false, true} {
			a := r.Of(wim.RoadAdministration, gross)
			if a == nil {
				t.Errorf("%s: not counted", row.name)
				continue
			}
			if a.Keeping != row.wantKeeping || a.Near.N != row.wantNear || a.Exceeding != row.wantExceeded {
				t.Errorf("%s: keeping %+v, near %+v, exceeding %+v", row.name, a.Keeping, a.Near, a.Exceeding)
			}
		}
	}
}

func TestAnExcessIsCountedInItsBand(t *testing.T) {
	s := scorer(t, Config{})
	for _, kg := range []wim.Kg{40_001, 40_400, 43_999, 44_000, 80_000, 400_000} {
		s.Missed(semi(), Cases(verdict(kg, wim.Exceeded, 0), verdict(kg, wim.Exceeded, 0)))
	}
	got := map[wim.Permille]int{}
	a := report(t, s).Of(wim.RoadAdministration, true)
	for _, b := range a.ExcessBands {
		if b.N > 0 {
			got[b.From] = b.N
		}
	}
	want := map[wim.Permille]int{0: 1, 10: 1, 90: 1, 100: 1, 1000: 2}
	for k, n := range want {
		if got[k] != n {
			t.Errorf("from %d permille: %d, want %d (%v)", k, got[k], n, got)
		}
	}
	if n := a.From(100).N; n != 3 {
		t.Errorf("%d exceed by 10 %% and more, want 3", n)
	}
}

func TestBranchesThatAgreeAreAsGoodAsKnowing(t *testing.T) {
	branch := func(permitted wim.Kg, outcome wim.Outcome, assumes string) wim.Finding {
		return wim.Finding{Competence: wim.RoadAdministration, Scope: wim.ScopeGross, Outcome: outcome, Measured: 50_000, Permitted: permitted, Assumes: assumes}
	}
	for _, row := range []struct {
		name     string
		findings []wim.Finding
		want     wim.Outcome
		load     wim.Permille
	}{
		{"both exceeded: so it is, and by the milder one's share", []wim.Finding{branch(40_000, wim.Exceeded, "rigid"), branch(46_000, wim.Exceeded, "train")}, wim.Exceeded, 1086},
		{"both kept", []wim.Finding{branch(60_000, wim.Compliant, "rigid"), branch(50_000, wim.Compliant, "train")}, wim.Compliant, 833},
		{"one of each: nobody knows", []wim.Finding{branch(40_000, wim.Exceeded, "rigid"), branch(50_000, wim.Compliant, "train")}, wim.Unknown, 1000},
		{"one of each, and a sure excess beside", []wim.Finding{branch(40_000, wim.Exceeded, "rigid"), branch(50_000, wim.Compliant, "train"), branch(25_000, wim.Exceeded, "")}, wim.Exceeded, 2000},
	} {
		v := &wim.Verdict{Opinions: []wim.Opinion{{Competence: wim.RoadAdministration, Outcome: wim.Unknown}}, Findings: row.findings}
		for _, c := range Cases(v, nil) {
			if c.Gross && (c.True != row.want || c.Load != row.load) {
				t.Errorf("%s: %s at %d permille, want %s at %d", row.name, c.True, c.Load, row.want, row.load)
			}
		}
	}
}

func TestBandsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, err := New(Config{})
		if err != nil {
			t.Fatal(err)
		}
		n := rapid.IntRange(1, 60).Draw(t, "n")
		for range n {
			kg := wim.Kg(rapid.IntRange(1, 100_000).Draw(t, "truly"))
			o := wim.Compliant
			if kg > 40_000 {
				o = wim.Exceeded
			}
			found := verdict(kg, rapid.SampledFrom([]wim.Outcome{wim.Compliant, wim.WithinTolerance, wim.Unknown, wim.Exceeded}).Draw(t, "found"), rapid.SampledFrom([]wim.Reason{0, wim.NoCertificate, wim.MeasurementVoid}).Draw(t, "reasons"))
			x := semi()
			x.Kind = rapid.SampledFrom([]string{"a", "b", ""}).Draw(t, "kind")
			s.Missed(x, Cases(verdict(kg, o, 0), found))
		}
		r, err := s.Report()
		if err != nil {
			t.Fatal(err)
		}
		a := r.Of(wim.RoadAdministration, true)
		var keep, exceed Band
		for i := range a.KeepBands {
			keep.join(&a.KeepBands[i])
		}
		for i := range a.ExcessBands {
			exceed.join(&a.ExcessBands[i])
		}
		if keep != a.Keeping || exceed != a.Exceeding || a.Keeping.N+a.Exceeding.N != n {
			t.Fatalf("bands %+v and %+v, sums %+v and %+v of %d", keep, exceed, a.Keeping, a.Exceeding, n)
		}
	})
}

func TestALineOfTruthThatCannotBeIsRefused(t *testing.T) {
	const good = `{"site":"s","lane":1,"device":"d","boot":1,"first_seq":1,"end_seq":3,"gross_kg":2000,"axles":[{"load_kg":1000},{"load_kg":1000,"spacing_mm":3000}]}`
	if v, err := ParseTruth([]byte(good)); err != nil || v == nil {
		t.Fatalf("a good line: %v", err)
	}
	if v, err := ParseTruth([]byte(`{"event":"boot","site":"s"}`)); err != nil || v != nil {
		t.Errorf("an event: %v, %v", v, err)
	}
	for name, bad := range map[string]string{
		"no JSON":              `{`,
		"two values":           good + good,
		"one axle":             strings.Replace(good, `{"load_kg":1000},`, ``, 1),
		"no gross mass":        strings.Replace(good, `2000`, `0`, 1),
		"no distance":          strings.Replace(good, `3000`, `0`, 1),
		"a load below nothing": strings.Replace(good, `[{"load_kg":1000`, `[{"load_kg":-5`, 1),
		"no messages":          strings.Replace(good, `"end_seq":3`, `"end_seq":0`, 1),
		"messages backwards":   strings.Replace(good, `"first_seq":1`, `"first_seq":9`, 1),
		"a long name":          strings.Replace(good, `"s"`, `"`+strings.Repeat("s", 101)+`"`, 1),
		"a strange make-up":    strings.Replace(good, `"boot"`, `"configuration":"sledge","boot"`, 1),
		"an unknown flag":      strings.Replace(good, `"boot"`, `"flags":["sledge"],"boot"`, 1),
	} {
		if v, err := ParseTruth([]byte(bad)); err == nil {
			t.Errorf("%s is accepted: %+v", name, v)
		}
	}
}

func TestAMessageFindsItsVehicle(t *testing.T) {
	var l Ledger
	for _, r := range [][3]uint32{{7, 8, 13}, {7, 1, 6}, {8, 1, 4}, {7, 15, 20}} {
		x := semi()
		x.Boot, x.FirstSeq, x.EndSeq = r[0], r[1], r[2]
		if err := l.Add(x); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range []struct {
		boot, seq uint32
		want      int
	}{{7, 6, 1}, {7, 1, 1}, {7, 7, -1}, {7, 8, 0}, {7, 13, 0}, {7, 14, -1}, {7, 20, 3}, {7, 21, -1}, {8, 3, 2}, {8, 0, -1}, {9, 3, -1}} {
		if got := l.Find(Source{"north-1", "scale-1", row.boot}, row.seq); got != row.want {
			t.Errorf("boot %d, message %d: vehicle %d, want %d", row.boot, row.seq, got, row.want)
		}
	}
	if got := l.Find(Source{"north-1", "scale-2", 7}, 6); got != -1 {
		t.Errorf("another device's message finds vehicle %d", got)
	}
}

func FuzzALineOfTruthIsRefusedOrSound(f *testing.F) {
	f.Add([]byte(`{"site":"s","lane":1,"device":"d","boot":1,"first_seq":1,"end_seq":3,"gross_kg":2000,"axles":[{"load_kg":1000},{"load_kg":1000,"spacing_mm":3000}]}`))
	f.Add([]byte(`{"event":"boot"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		x, err := ParseTruth(line)
		if err != nil || x == nil {
			return
		}
		s, err := New(Config{})
		if err != nil {
			t.Fatal(err)
		}
		v := x.Vehicle()
		s.Passage(x, &v, nil)
		if r, err := s.Report(); err != nil || r.Counts.Vehicles != 1 || r.Counts.FalseAxles+r.Counts.MissedAxles != 0 || r.OIML.Worst > 0 {
			t.Fatalf("%+v, %v", r, err)
		}
	})
}
