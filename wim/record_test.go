package wim

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// fullRecord sets every field that a record can carry.
func fullRecord(t *testing.T) *Record {
	t.Helper()
	chain, err := ParseChainID("000102030405060708090a0b0c0d0e0f")
	if err != nil {
		t.Fatal(err)
	}
	at := Time(1_790_000_000_123_456_789)
	reg := &Registration{Plate: "川A12345", Kind: Goods, Kerb: 8800, Rated: 9000, Gross: 25000, Towed: 40000, DriveAxles: 2, Axles: 3}
	facts := Facts{
		Time: at, Clock: ClockSynchronised, Purpose: Enforcement,
		Road: Road{Name: "G318", Class: "class-2", Posted: PostedLimit{Gross: 30000, Axle: 10000, Sign: "K12+300"}},
		Instrument: Instrument{ID: "scale-1", Maker: "m", Model: "x", Serial: "1", Certificate: &Certificate{
			Number: "T-1", Scheme: "JJG 907", Class: "5", MassError: 50, AxleError: 80, ValidFrom: at - 1000, ValidUntil: at + 1000,
			Lanes: []LaneID{1, 2}, SpeedMin: 50, SpeedMax: 1000, Min: 1000, Max: 100000, Division: 20,
		}},
		Vehicle: Vehicle{
			Lane: 1, Start: at - 500, End: at, Speed: 651, Length: 9100, Gross: 22000, AxleSum: 22010,
			Axles: []Axle{
				{Index: 1, Load: 6000, Left: NotMeasured, Right: NotMeasured, Speed: 652},
				{Index: 2, Load: 16010, Left: 9000, Right: 7010, Speed: 650, Spacing: 4500, Flags: Imbalance},
			},
			Groups: []AxleGroup{{First: 1, Count: 1, Load: 6000}, {First: 2, Count: 1, Load: 16010}},
			Scheme: Scheme, Class: "rigid-2", Configuration: Rigid, Sure: true, Flags: Imbalance | TrailerUnread,
		},
		Units: []Unit{{Plate: "川A12345", Color: Yellow, Confidence: 960, Kind: Goods, Registration: reg}, {Plate: "川A1234挂", Color: Yellow}},
	}
	verdict := Verdict{
		RuleSet: "s", Rules: DigestOf([]byte("s")), Judge: "1",
		Opinions: []Opinion{{Competence: RoadAdministration, Outcome: Exceeded, Standing: Screening, Reasons: WeightDoubtful}, {Competence: TrafficPolice, Outcome: Unknown, Standing: Screening, Reasons: WeightDoubtful, Why: "registration"}},
		Findings: []Finding{{Competence: RoadAdministration, Limit: "l", Article: "Art. 1", Scope: ScopeAxle, Index: 2, Outcome: Exceeded, Measured: 16010, Deducted: 1281, Permitted: 10000, Excess: 4729, Ratio: 472, Band: "b", Reasons: KindPresumed, Assumes: "rigid"}},
	}
	reads := []PlateRead{{Camera: "cam-1", Event: "e-1", Lane: 1, End: Front, Text: "川A12345", Color: Yellow, Confidence: 960, Kind: Goods, DeviceTime: at - 7, Arrival: at, Picture: DigestOf([]byte("jpeg"))}}
	return &Record{
		Format: RecordFormat, Site: "north-1", Chain: chain, Seq: 9, Prev: DigestOf([]byte("8")), Nonce: Nonce{1, 2, 3}, Kind: KindPassage,
		Time: at, Clock: ClockSynchronised, Software: Software{Build: "test", Config: DigestOf([]byte("c")),
			BuildDigest: DigestOf([]byte("b")), Legal: "1.0", LegalDigest: DigestOf([]byte("l")), Calibration: DigestOf([]byte("f"))},
		Start:      &ChainStart{Cause: "fork", Key: "k", Predecessor: &chain, Receipted: 4, Digest: DigestOf([]byte("4"))},
		Passage:    &Passage{Source: DeviceCursor{Device: "scale-1", Boot: 7, Seq: 3}, Facts: facts, Verdict: verdict, Reads: reads, Order: OrderEnter},
		Supplement: &Supplement{Of: RecordRef{Site: "north-1", Chain: chain, Seq: 8, Digest: DigestOf([]byte("8"))}, Cause: "late-plate", Facts: facts, Verdict: verdict, Reads: reads},
		Gap:        &Gap{Lane: 1, Device: "scale-1", Cause: GapRestart, Boot: 8, From: 1, To: 4, Since: at - 9, Until: at, Detail: "d", LastBoot: 7, LastSeq: 3},
		Configuration: &SiteConfiguration{Cause: ConfiguredByManifest, Serial: 4,
			Active:  []Part{{Kind: PartRules, Name: "r", Version: "2", Digest: DigestOf([]byte("r2"))}},
			Changed: []Change{{Kind: PartRules, Name: "r", From: DigestOf([]byte("r1")), To: DigestOf([]byte("r2")), Outcome: ChangeActivated, Reason: "because"}}},
		Rotation: &Rotation{Old: "o", New: "n", Key: []byte{1, 2}, Countersignature: "a.b.c"},
	}
}

// What format 1 wrote is read as long as there are courts; the file is never written anew.
func TestARecordOfTheFirstFormatIsReadBack(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("testdata", "record-v1.json"))
	if err != nil {
		t.Fatal(err)
	}
	var back Record
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	want := fullRecord(t)
	want.Format, want.Configuration, want.Rotation = 1, nil, nil
	want.Software = Software{Build: "test", Config: DigestOf([]byte("c"))}
	if !reflect.DeepEqual(&back, want) {
		t.Errorf("read back as %+v", back)
	}
}

// A sealed record's bytes are read years later: the golden file guards names and forms of every field.
func TestARecordIsWrittenAsEverAndReadBack(t *testing.T) {
	r := fullRecord(t)
	got, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	path := filepath.Join("testdata", "record.json")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("a record is written otherwise than %s; if that is meant, it is a new format:\n%s", path, got)
	}
	var back Record
	if err := json.Unmarshal(want, &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(&back, r) {
		t.Errorf("read back as %+v", back)
	}
}

func TestUrgent(t *testing.T) {
	r := fullRecord(t)
	if !r.Urgent() {
		t.Error("an alert waits")
	}
	r.Passage = nil
	if !r.Urgent() {
		t.Error("a supplement's alert waits")
	}
	r.Supplement = nil
	if r.Urgent() {
		t.Error("a gap hurries")
	}
}
