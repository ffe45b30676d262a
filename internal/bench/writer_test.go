package bench

import (
	"testing"

	"github.com/axlegate/axlegate/uplink"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// writer seals and signs the records of one site as its edge would.
type writer struct {
	b     testing.TB
	key   *seal.Signer
	site  wim.SiteID
	chain wim.ChainID
	seq   uint64
	prev  wim.Digest
}

func newWriter(b testing.TB, key *seal.Signer, site string) *writer {
	return &writer{b: b, key: key, site: wim.SiteID(site), chain: wim.NewChainID()}
}

func (w *writer) start() seal.Sealed {
	return w.seal(&wim.Record{Kind: wim.KindStart, Start: &wim.ChainStart{Cause: "new-journal", Key: w.key.ID}})
}

func (w *writer) passage(f *wim.Facts, v *wim.Verdict) seal.Sealed {
	return w.seal(&wim.Record{Kind: wim.KindPassage, Passage: &wim.Passage{
		Source: wim.DeviceCursor{Device: "scale-1", Boot: 7, Seq: uint32(w.seq + 1)}, Facts: *f, Verdict: *v}})
}

func (w *writer) seal(r *wim.Record) seal.Sealed {
	w.seq++
	r.Format, r.Site, r.Chain, r.Seq, r.Prev, r.Nonce, r.Clock = wim.RecordFormat, w.site, w.chain, w.seq, w.prev, wim.NewNonce(), wim.ClockSynchronised
	r.Time = wim.Time(1780272000000000000 + int64(w.seq)*1_000_000)
	s, err := seal.Record(r)
	if err != nil {
		w.b.Error(err)
	}
	w.prev = s.Digest
	return s
}

// segment signs consecutive records, the last sealed last, and packs them into one message.
func (w *writer) segment(records ...seal.Sealed) []byte {
	seg := seal.Segment{Site: w.site, Chain: w.chain, From: w.seq - uint64(len(records)) + 1}
	raws := make([][]byte, 0, len(records))
	for _, r := range records {
		seg.Digests, raws = append(seg.Digests, r.Digest), append(raws, r.Raw)
	}
	jws, err := seal.SignSegment(w.key, seg)
	if err != nil {
		w.b.Error(err)
	}
	payload, _, err := uplink.Pack([][]byte{seal.AppendBundle(nil, jws, raws)})
	if err != nil {
		w.b.Error(err)
	}
	return payload
}
