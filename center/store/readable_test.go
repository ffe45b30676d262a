package store

import (
	"testing"

	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// readable is a segment of a chain start and two gaps. The tests inside this package cannot use storetest,
// which imports it.
func readable(t testing.TB) Segment {
	t.Helper()
	s := Segment{Site: "north-1", Chain: wim.ChainID{1}, Key: "k", JWS: "j"}
	var prev wim.Digest
	for i := range 3 {
		r := &wim.Record{
			Format: wim.RecordFormat, Site: s.Site, Chain: s.Chain, Seq: uint64(i + 1), Prev: prev, Nonce: wim.Nonce{byte(i)},
			Kind: wim.KindGap, Time: wim.Time(i + 1), Clock: wim.ClockSynchronised, Software: wim.Software{Build: "test"},
			Gap: &wim.Gap{Lane: 1, Device: "scale-1", Cause: wim.GapSequence, Boot: 1, From: 1, To: 2},
		}
		if i == 0 {
			r.Kind, r.Gap, r.Start = wim.KindStart, nil, &wim.ChainStart{Cause: "new-journal", Key: "k"}
		}
		x, err := seal.Record(r)
		if err != nil {
			t.Fatal(err)
		}
		s.Records = append(s.Records, Stored{Seq: x.Seq, Digest: x.Digest, Prev: prev, Kind: x.Kind, Time: r.Time, Raw: x.Raw})
		prev = x.Digest
	}
	return s
}
