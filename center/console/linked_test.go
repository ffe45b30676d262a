package console

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

func TestTheMatterPageShowsWhatTollAndCheckpointSystemsSaid(t *testing.T) {
	s := newStand(t)
	id := s.matters(1)[0]
	passed := s.store.docket(id).Matter.Passed
	ref := wim.RecordRef{Site: "g107-north", Chain: wim.ChainID{0x7a, 0x31, 0xc0, 0x4e}, Seq: 18250, Digest: wim.DigestOf([]byte("told"))}
	s.store.linked = map[int64][]center.Linked{id: {
		{Ref: ref, Time: passed.Add(time.Minute), Received: passed.Add(2 * time.Minute), Key: "ed25519:4f1c9a22aa", Transaction: &wim.Transaction{
			System: "entry", ID: "p-1", Type: wim.TransactionEntry, Time: passed.Add(-95 * time.Minute), Arrival: passed.Add(time.Minute), Station: "成都南 <b>", Lane: "3",
			Plate: "豫A7K882", Color: wim.Yellow, Trailer: "豫AK352挂", Gross: 49000, Permitted: 49000, Axles: 6, AxleType: "127", Payment: wim.PaidETC, Journey: "9-77", TimeUnsure: true,
			Link: &wim.Link{Of: ref, Grounds: []wim.LinkGround{wim.SamePlate, wim.SameColor, wim.SameAxles}, Differences: []wim.Difference{{Kind: wim.GrossDiffers, One: 58420, Other: 49000, Share: 161}}},
		}},
		{Ref: ref, Key: "ed25519:4f1c9a22aa", Transaction: &wim.Transaction{
			System: "exit", ID: "p-2", Type: wim.TransactionExit, Time: passed.Add(20 * time.Minute), Arrival: passed.Add(20 * time.Minute), Plate: "豫A7K882", Scale: "s-9", Ticket: "t-4",
			Entry: &wim.TollPlace{Station: "绵阳", Time: passed.Add(-time.Hour), Gross: 40000, Axles: 5},
			Link: &wim.Link{Of: ref, Grounds: []wim.LinkGround{wim.LookAlikePlate, wim.SameAxles}, Differences: []wim.Difference{
				{Kind: wim.EntryGrossDiffers, One: 40000, Other: 58420, Share: 460}, {Kind: wim.EntryAxlesDiffer, One: 5, Other: 6}, {Kind: wim.AxlesDiffer, One: 6, Other: 5},
				{Kind: wim.PlateDiffers}, {Kind: wim.ColorDiffers}}},
		}},
		{Ref: ref, Key: "ed25519:4f1c9a22aa"},
	}}
	a := s.as("road").matter(id)
	for _, want := range []string{
		"Toll entry entry · 成都南 <b> · 3", "1 h 35 min before the passage", "豫A·7K882", "49 000 kg", "6 axles", "Gross mass: 58 420 kg on the road, 49 000 kg there (−9 420 kg, 16.1 %)",
		"permitted there: 49 000 kg · axle type: 127 · toll: ETC · toll passage: 9-77 · that clock showed this time twice",
		"Linked by: same plate · same plate colour · same number of axles", "g107-north/7a31c04e / 18250",
		"Toll exit exit", "20 min after the passage", "Gross mass: 40 000 kg at the entry, 58 420 kg after it (+18 420 kg, 46.0 %)", "Axles: 5 at the entry, 6 after it",
		"Axles: 6 on the road, 5 there", "The plates are not the same, only alike", "The plate colours differ", "look-alike plate, the only one", "entry: 绵阳 · ",
		"Retention has removed this record's text.",
	} {
		a.says("[data-part=linked]", want)
	}
	a.says(".timeline", "Record of entry · 成都南 <b> arrived")
	zh := s.as("police")
	zh.post("/preferences", url.Values{"language": {"zh"}, "back": {"/"}})
	in := zh.matter(id)
	in.says("[data-part=linked]", "总质量：动态 58 420 kg，该系统 49 000 kg（−9 420 kg，16.1%）")
	if strings.Contains(in.body, "⟦") {
		t.Error("a word is missing")
	}
	s.store.linked = nil
	if len(s.as("road").matter(id).all("[data-part=linked]")) != 0 {
		t.Error("an empty section")
	}
}
