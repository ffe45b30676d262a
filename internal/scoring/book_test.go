package scoring

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/axlegate/axlegate/configs"
	"github.com/axlegate/axlegate/rules"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/accuracy"
)

func china(t *testing.T) *rules.Set {
	t.Helper()
	b, err := configs.Rules("cn-2016-62")
	if err != nil {
		t.Fatal(err)
	}
	s, err := rules.Load("cn-2016-62", b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// truth is one line: a six-axle train of so many kilograms, in messages 7n+1 to 7n+7.
func truth(n int, gross wim.Kg) string {
	axles := ""
	for i, s := range []int{0, 3300, 1350, 6500, 1310, 1310} {
		load := gross / 6
		if i == 0 {
			load = gross - 5*(gross/6)
		}
		if i > 0 {
			axles += ","
		}
		axles += fmt.Sprintf(`{"load_kg":%d,"left_kg":%d,"right_kg":%d,"spacing_mm":%d}`, load, load/2, load-load/2, s)
	}
	return fmt.Sprintf(`{"site":"north-1","lane":1,"device":"scale-1","boot":9,"first_seq":%d,"end_seq":%d,"start":%q,"gross_kg":%d,"axles":[%s],"speed_dkmh":700,"plates":{"front":"川A12345","rear":"川B1234挂"},"kind":"train-6","configuration":"train"}`,
		7*n+1, 7*n+7, time.Unix(1_780_000_000+int64(n), 0).UTC().Format(time.RFC3339), gross, axles)
}

// passage is what a site with a class-5 certificate records of vehicle n, which the instrument indicates as so much.
func passage(t *testing.T, law *rules.Set, line string, n int, indicated wim.Kg, change func(*wim.Record)) string {
	t.Helper()
	x, err := accuracy.ParseTruth([]byte(line))
	if err != nil {
		t.Fatal(err)
	}
	v := x.Vehicle()
	v.Gross, v.AxleSum = indicated, indicated
	f := wim.Facts{
		Time: wim.TimeOf(x.Start), Clock: wim.ClockSynchronised, Purpose: wim.Enforcement, Road: wim.Road{Name: "G5", Class: "class-1"}, Vehicle: v,
		Instrument: wim.Instrument{ID: "scale-1", Certificate: &wim.Certificate{Number: "1", Class: "5", MassError: 50, AxleError: 80, ValidUntil: 4_000_000_000_000_000_000, Lanes: []wim.LaneID{1}, Min: 1000, Max: 200_000, SpeedMax: 1200, Division: 20}},
		Units: []wim.Unit{
			{Plate: "川A12345", Kind: wim.Goods, Confidence: 990, Registration: &wim.Registration{Plate: "川A12345", Kind: wim.Goods, Kerb: 8800, Gross: 25000, Towed: 40000, DriveAxles: 2, Axles: 3}},
			{Plate: "川B1234挂", Kind: wim.Goods, Confidence: 990, Registration: &wim.Registration{Plate: "川B1234挂", Kind: wim.Goods, Kerb: 6100, Rated: 33900, Gross: 40000, Axles: 3}},
		},
	}
	r := wim.Record{Format: wim.RecordFormat, Site: "north-1", Seq: uint64(n + 1), Kind: wim.KindPassage, Passage: &wim.Passage{Source: wim.DeviceCursor{Device: "scale-1", Boot: 9, Seq: uint32(7*n + 7)}, Facts: f}}
	law.Judge(&f, &r.Passage.Verdict)
	if change != nil {
		change(&r)
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func scored(t *testing.T, law *rules.Set, truths, records []string) *Result {
	t.Helper()
	b, err := NewBook(accuracy.Config{}, func(v *wim.Verdict) Judge {
		if v.Rules == law.Digest() {
			return law
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		lines []string
		use   func([]byte) error
	}{{truths, b.Truth}, {records, b.Amend}, {records, b.Record}} {
		for i, l := range step.lines {
			if err := step.use([]byte(l)); err != nil {
				t.Fatalf("line %d: %v", i+1, err)
			}
		}
	}
	r, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTheTrueMassesAreJudgedByTheLawOfTheRecord(t *testing.T) {
	law := china(t)
	var truths, records []string
	for n, x := range []struct{ truly, indicated wim.Kg }{
		{49_000, 49_900}, // on the limit, and indicated above it: within tolerance
		{49_000, 52_000}, // beyond what class 5 may err: accused
		{30_000, 30_000},
		{54_000, 54_000}, // 10 % above: found
		{50_000, 50_000}, // 2 % above: within tolerance, missed
	} {
		truths = append(truths, truth(n, x.truly))
		records = append(records, passage(t, law, truths[n], n, x.indicated, nil))
	}
	truths = append(truths, truth(9, 60_000)) // no record
	r := scored(t, law, truths, records)
	a := r.Report.Of(wim.RoadAdministration, true)
	if a == nil {
		t.Fatalf("no accusations: %+v", r.Report.Accusations)
	}
	if want := (accuracy.Band{N: 3, Accused: 1, Evidence: a.Keeping.Evidence, WithinTolerance: 1}); a.Keeping != want {
		t.Errorf("keeping %+v, want %+v", a.Keeping, want)
	}
	if a.Near.N != 2 || a.Near.Accused != 1 {
		t.Errorf("near the limit %+v, want 2, 1 accused", a.Near)
	}
	if x := a.Exceeding; x.N != 3 || x.Accused != 1 || x.WithinTolerance != 1 || x.Missed != 1 {
		t.Errorf("exceeding %+v, want 3, 1 accused, 1 within tolerance, 1 missed", x)
	}
	if c := r.Report.Counts; c.Vehicles != 6 || c.Missed != 1 || r.Unjudged != 0 {
		t.Errorf("%+v, unjudged %d", c, r.Unjudged)
	}
	police := r.Report.Of(wim.TrafficPolice, false)
	if police == nil || police.Keeping.N+police.Exceeding.N != 5 || police.Open.N != 1 {
		t.Errorf("police: %+v; want 5 judged, and the one without a record open", police)
	}
}

func TestARecordThatRestsOnNoVehicleIsFalseAndOneOfAnotherScaleIsNot(t *testing.T) {
	law := china(t)
	line := truth(0, 30_000)
	records := []string{
		passage(t, law, line, 0, 30_000, nil),
		passage(t, law, line, 0, 30_000, func(r *wim.Record) { r.Seq = 2 }),                                              // the same vehicle again
		passage(t, law, line, 0, 30_000, func(r *wim.Record) { r.Seq = 3; r.Passage.Source.Seq = 99 }),                   // none
		passage(t, law, line, 0, 30_000, func(r *wim.Record) { r.Seq = 4; r.Passage.Source.Device = "scale-of-lane-2" }), // elsewhere
		`{"format":2,"kind":"gap","site":"north-1"}`,
	}
	r := scored(t, law, []string{`{"event":"boot"}`, line}, records)
	if c := r.Report.Counts; c.Vehicles != 1 || c.Recorded != 1 || c.False != 2 || r.Elsewhere != 1 {
		t.Errorf("%+v, elsewhere %d", c, r.Elsewhere)
	}
}

func TestTheLastSupplementCounts(t *testing.T) {
	law := china(t)
	line := truth(0, 30_000)
	first := passage(t, law, line, 0, 30_000, nil)
	later := func(seq uint64, outcome wim.Outcome) string {
		return passage(t, law, line, 0, 30_000, func(r *wim.Record) {
			r.Seq, r.Kind = seq, wim.KindSupplement
			r.Supplement = &wim.Supplement{Of: wim.RecordRef{Site: "north-1", Seq: 1}, Cause: wim.SupplementPlate, Facts: r.Passage.Facts, Verdict: r.Passage.Verdict}
			r.Passage = nil
			r.Supplement.Verdict.Opinions[0].Outcome, r.Supplement.Verdict.Opinions[0].Standing = outcome, wim.Evidence
		})
	}
	r := scored(t, law, []string{line}, []string{first, later(7, wim.Exceeded), later(3, wim.Compliant)})
	if a := r.Report.Of(wim.RoadAdministration, false); a == nil || a.Keeping.Accused != 1 {
		t.Errorf("%+v, want the accusation of the last supplement", a)
	}
}

func TestAPlateThatWasMisreadGivesTheTruthNoLicence(t *testing.T) {
	law := china(t)
	line := truth(0, 54_000)
	r := scored(t, law, []string{line}, []string{passage(t, law, line, 0, 54_000, func(r *wim.Record) { r.Passage.Facts.Units[0].Plate = "川A12346" })})
	if a := r.Report.Of(wim.TrafficPolice, false); a == nil || a.Open.N != 1 {
		t.Errorf("%+v, want it open: nobody knows the true vehicle's licence", a)
	}
}

func TestALineThatIsNoRecordIsRefused(t *testing.T) {
	b, err := NewBook(accuracy.Config{}, func(*wim.Verdict) Judge { return nil })
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{`{`, `{"kind":"passage"}`, `{"kind":"supplement"}`, `{"kind":"letter"}`, `{}`} {
		if b.Amend([]byte(bad)) == nil || b.Record([]byte(bad)) == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}
