package intake

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/uplink"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// piece is a part of a message that is believed or set aside as a whole: one segment, or all of a message that is
// none.
type piece struct {
	site  wim.SiteID
	bytes []byte

	keys   []*seal.Verifier
	seg    store.Segment // where why is nil
	reason string
	why    error // for which it is set aside
}

// open takes messages apart and checks what is in them, as many signatures at once as there are processors. The
// order stays. When ctx ends not all may have been checked.
func (in *Intake) open(ctx context.Context, batch []uplink.Message) []piece {
	var all []piece
	for _, m := range batch {
		all = in.unpack(all, m)
	}
	if len(all) == 1 {
		in.check(&all[0])
		return all
	}
	var next atomic.Int64
	var crew sync.WaitGroup
	for range min(cap(in.crew), len(all)) {
		crew.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(all) {
					return
				}
				in.crew <- struct{}{}
				in.check(&all[i])
				<-in.crew
			}
		})
	}
	crew.Wait()
	return all
}

// unpack appends the pieces of one message.
func (in *Intake) unpack(all []piece, m uplink.Message) []piece {
	site := wim.SiteID(m.Site)
	keys, known := in.cfg.Sites(site)
	if !known || site.Valid() != nil {
		return append(all, piece{site: site, bytes: m.Payload, reason: reasonSite, why: errors.New("no key is enrolled for it; add the site to the centre's configuration")})
	}
	bundles, err := uplink.Unpack(m.Payload)
	if err != nil {
		return append(all, piece{site: site, bytes: m.Payload, reason: reasonMessage, why: err})
	}
	for _, b := range bundles {
		all = append(all, piece{site: site, bytes: b, keys: keys})
	}
	return all
}

func (in *Intake) check(p *piece) {
	if p.why == nil {
		p.seg, p.reason, p.why = verify(p.site, p.keys, p.bytes)
	}
}

// verify takes a bundle apart and believes only what is signed for the site.
func verify(site wim.SiteID, keys []*seal.Verifier, b []byte) (seg store.Segment, reason string, err error) {
	jws, raws, err := seal.ReadBundle(b)
	if err != nil {
		return seg, reasonBundle, err
	}
	s, key, err := seal.VerifySegment(jws, keys...)
	if err != nil {
		return seg, reasonSignature, err
	}
	if s.Site != site {
		return seg, reasonOther, fmt.Errorf("it is signed for site %s", s.Site)
	}
	records, err := seal.CheckRecords(s, raws, keys...)
	if err != nil {
		return seg, reasonRecords, err
	}
	seg = store.Segment{Site: s.Site, Chain: s.Chain, Key: key, JWS: jws, Records: make([]store.Stored, len(records))}
	for i, r := range records {
		seg.Records[i] = store.Stored{Seq: r.Seq, Digest: s.Digests[i], Prev: r.Prev, Kind: r.Kind, Time: r.Time, Raw: raws[i]}
	}
	if err := seg.Fit(); err != nil {
		return seg, reasonRecords, err
	}
	return seg, "", nil
}
