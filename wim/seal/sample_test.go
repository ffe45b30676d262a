package seal

import (
	"crypto/ed25519"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

func testSigner(t testing.TB, seed byte) *Signer {
	t.Helper()
	s := make([]byte, ed25519.SeedSize)
	for i := range s {
		s[i] = seed
	}
	k, err := NewSigner(ed25519.NewKeyFromSeed(s))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// passage is a six-axle train, 58.4 t, judged exceeded by the road administration.
func passage() *wim.Passage {
	axles := []wim.Axle{
		{Index: 1, Load: 6900, Left: 3400, Right: 3500, Speed: 652, Spacing: 0},
		{Index: 2, Load: 11200, Left: 5600, Right: 5600, Speed: 652, Spacing: 3300},
		{Index: 3, Load: 11100, Left: 5500, Right: 5600, Speed: 651, Spacing: 1350},
		{Index: 4, Load: 9800, Left: wim.NotMeasured, Right: wim.NotMeasured, Speed: 651, Spacing: 6900},
		{Index: 5, Load: 9700, Left: 4900, Right: 4800, Speed: 650, Spacing: 1310},
		{Index: 6, Load: 9720, Left: 4860, Right: 4860, Speed: 650, Spacing: 1310, Flags: wim.Imbalance},
	}
	return &wim.Passage{
		Source: wim.DeviceCursor{Device: "scale-1", Boot: 77, Seq: 7},
		Facts: wim.Facts{
			Time: 1_790_000_000_000_000_000, Clock: wim.ClockSynchronised, Purpose: wim.Enforcement,
			Road: wim.Road{Name: "G5", Class: "expressway"},
			Instrument: wim.Instrument{ID: "scale-1", Certificate: &wim.Certificate{
				Number: "T-1", Scheme: "JJG 907", Class: "5", MassError: 50, AxleError: 80,
				ValidFrom: 1_780_000_000_000_000_000, ValidUntil: 1_800_000_000_000_000_000, Lanes: []wim.LaneID{1},
				SpeedMin: 50, SpeedMax: 1000, Min: 1000, Max: 100000, Division: 20,
			}},
			Vehicle: wim.Vehicle{
				Lane: 1, Start: 1_789_999_999_000_000_000, End: 1_790_000_000_000_000_000, Speed: 651, Length: 17100, Axles: axles,
				Groups: []wim.AxleGroup{{First: 1, Count: 1, Load: 6900}}, Gross: 58420, AxleSum: 58420,
				Scheme: "s", Class: "train-6", Configuration: wim.Train, Sure: true, Flags: wim.TrailerUnread,
			},
			Units: []wim.Unit{{Plate: "川A12345", Color: wim.Yellow, Confidence: 960, Registration: &wim.Registration{Plate: "川A12345", Kind: wim.Goods, Kerb: 8800, Towed: 40000, DriveAxles: 2, Axles: 3}}},
		},
		Verdict: wim.Verdict{RuleSet: "cn-2016-62", Judge: "1",
			Opinions: []wim.Opinion{{Competence: wim.RoadAdministration, Outcome: wim.Exceeded, Standing: wim.Screening, Reasons: wim.WeightDoubtful}},
			Findings: []wim.Finding{{Competence: wim.RoadAdministration, Limit: "cn.art3.8", Article: "Art. 3 (8)", Scope: wim.ScopeGross, Outcome: wim.Exceeded,
				Measured: 58420, Deducted: 2921, Permitted: 49000, Excess: 6499, Ratio: 132}},
		},
		Reads: []wim.PlateRead{{Camera: "cam-1", Event: "u-1", Lane: 1, End: wim.Front, Text: "川A12345", Color: wim.Yellow, Confidence: 960,
			Arrival: 1_789_999_999_500_000_000, Picture: wim.DigestOf([]byte("jpeg"))}},
		Order: wim.OrderEnter,
	}
}

// chain builds n linked records: a chain-start, then passages and gaps in turn.
func chain(t testing.TB, n int) (wim.ChainID, []Sealed) {
	t.Helper()
	id, err := wim.ParseChainID("000102030405060708090a0b0c0d0e0f")
	if err != nil {
		t.Fatal(err)
	}
	out := make([]Sealed, 0, n)
	var prev wim.Digest
	for i := range n {
		r := &wim.Record{
			Format: wim.RecordFormat, Site: "north-1", Chain: id, Seq: uint64(i + 1), Prev: prev, Nonce: wim.Nonce{byte(i), 9},
			Time: wim.Time(1_790_000_000_000_000_000 + i), Clock: wim.ClockSynchronised, Software: wim.Software{Build: "test", BuildDigest: wim.Digest{1}, Legal: "1.0", LegalDigest: wim.Digest{2}, Calibration: wim.Digest{3}},
		}
		switch {
		case i == 0:
			r.Kind, r.Start = wim.KindStart, &wim.ChainStart{Cause: "new-journal", Key: "k"}
		case i%10 == 3:
			r.Kind, r.Configuration = wim.KindConfiguration, &wim.SiteConfiguration{Cause: wim.ConfiguredByManifest, Serial: 4,
				Active:  []wim.Part{{Kind: wim.PartRules, Name: "cn-2016-62", Version: "2021-1", Digest: wim.Digest{5}}},
				Changed: []wim.Change{{Kind: wim.PartRules, Name: "cn-2016-62", From: wim.Digest{4}, To: wim.Digest{5}, Outcome: wim.ChangeActivated}}}
		case i%10 == 4:
			body, err := NewRotation("north-1", id, testSigner(t, 7).ID, testSigner(t, 8))
			if err != nil {
				t.Fatal(err)
			}
			r.Kind, r.Rotation = wim.KindRotation, body
		case i%10 == 6:
			r.Kind, r.Transaction = wim.KindTransaction, &wim.Transaction{System: "static", ID: "2031-7", Type: wim.TransactionExit, Time: 1_789_999_000_000_000_000, TimeUnsure: true,
				Arrival: 1_790_000_000_000_000_000, Station: "成都南", Lane: "3", Plate: "川A12345", Trailer: "川A1234挂", Color: wim.Yellow, Gross: 47000, Permitted: 49000, Axles: 6,
				AxleType: "127", Ticket: "t-1", Scale: "s-1", Journey: "p-1", Payment: wim.PaidETC, Entry: &wim.TollPlace{Station: "绵阳", Time: 1_789_998_000_000_000_000, Gross: 49000, Axles: 6},
				Link: &wim.Link{Of: wim.RecordRef{Site: "north-1", Chain: id, Seq: 2, Digest: wim.Digest{6}}, First: &wim.RecordRef{Site: "north-1", Chain: id, Seq: 3},
					Grounds: []wim.LinkGround{wim.SamePlate}, Differences: []wim.Difference{{Kind: wim.GrossDiffers, One: 58420, Other: 47000, Share: 195}}}}
		case i%2 == 1:
			r.Kind, r.Passage = wim.KindPassage, passage()
		default:
			r.Kind, r.Gap = wim.KindGap, &wim.Gap{Lane: 1, Device: "scale-1", Cause: wim.GapSequence, Boot: 77, From: 8, To: 9}
		}
		s, err := Record(r)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
		prev = s.Digest
	}
	return id, out
}

func raws(s []Sealed) (raw [][]byte, digests []wim.Digest) {
	for _, x := range s {
		raw = append(raw, x.Raw)
		digests = append(digests, x.Digest)
	}
	return raw, digests
}
