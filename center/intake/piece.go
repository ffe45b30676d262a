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
	keys, known := in.keys(site)
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

// keys are those under which a site's segments may be believed.
func (in *Intake) keys(site wim.SiteID) ([]*seal.Verifier, bool) {
	if in.cfg.Keys != nil {
		return in.cfg.Keys.Of(site)
	}
	return in.cfg.Sites(site)
}

// again checks what was not believed once more, under the keys as they are now: one may have been enrolled since, by a
// record of this very batch or at another centre. It returns those that are believed now.
func (in *Intake) again(ctx context.Context, all []piece, rotated bool) (good []*piece) {
	if in.cfg.Keys == nil {
		return nil
	}
	var doubtful []*piece
	for i := range all {
		if all[i].why != nil && all[i].reason == reasonSignature {
			doubtful = append(doubtful, &all[i])
		}
	}
	if len(doubtful) == 0 || !rotated && !in.cfg.Keys.stale() {
		return nil
	}
	if err := in.cfg.Keys.Refresh(ctx); err != nil {
		in.log.Warn("the keys of sites could not be read again", "error", err)
		return nil
	}
	for _, p := range doubtful {
		p.keys, _ = in.cfg.Keys.Of(p.site)
		if p.seg, p.reason, p.why = in.verify(p.site, p.keys, p.bytes); p.why == nil {
			good = append(good, p)
		}
	}
	return good
}

func (in *Intake) check(p *piece) {
	if p.why == nil {
		p.seg, p.reason, p.why = in.verify(p.site, p.keys, p.bytes)
	}
}

// verify takes a bundle apart and believes only what is signed for the site.
func (in *Intake) verify(site wim.SiteID, keys []*seal.Verifier, b []byte) (seg store.Segment, reason string, err error) {
	jws, raws, err := seal.ReadBundle(b)
	if err != nil {
		return seg, reasonBundle, err
	}
	s, key, err := seal.VerifySegment(jws, keys...)
	if err != nil {
		if v := laterVersion(jws); v != 0 {
			return seg, reasonVersion, fmt.Errorf("the segment has version %d, this build reads %d; upgrade the centre: %w", v, segmentVersion, err)
		}
		return seg, reasonSignature, err
	}
	if s.Site != site {
		return seg, reasonOther, fmt.Errorf("it is signed for site %s", s.Site)
	}
	records, err := seal.CheckRecords(s, raws, keys...)
	if err != nil {
		return seg, reasonRecords, err
	}
	var rotation *store.Rotation
	var ending *store.Ending
	if in.cfg.Keys != nil {
		if rotation, ending, err = in.cfg.Keys.judge(&s, key, records); err != nil {
			return seg, reasonSignature, err
		}
	}
	seg = store.Segment{Site: s.Site, Chain: s.Chain, Key: key, JWS: jws, Rotation: rotation, Ending: ending, Records: make([]store.Stored, len(records))}
	for i, r := range records {
		seg.Records[i] = store.Stored{Seq: r.Seq, Digest: s.Digests[i], Prev: r.Prev, Kind: r.Kind, Time: r.Time, Raw: raws[i]}
	}
	if err := seg.Fit(); err != nil {
		return seg, reasonRecords, err
	}
	return seg, "", nil
}
