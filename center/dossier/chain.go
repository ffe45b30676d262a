package dossier

import (
	"errors"
	"fmt"

	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// place is one record of the dossier, once its signature holds.
type place struct {
	r    *wim.Record // nil for a tombstone or what this program cannot read
	at   Record
	key  string // that signed its segment
	seen bool   // the record before it is named by the same segment, or is in the dossier
}

// chain is what a dossier shows of one journal.
type chain struct {
	site    wim.SiteID
	last    uint64
	start   bool
	keys    map[string]bool       // that its start and its rotations name
	trusted map[string]bool       // those given by the verifier, and what they handed over to
	digests map[uint64]wim.Digest // that signatures name, by sequence
	places  []*place
}

// records checks each record by the signature of its segment, in the order of the contents.
func (v *verification) records() {
	v.chains = map[wim.ChainID]*chain{}
	for _, x := range v.c.Records {
		v.record(x)
	}
	signed := false
	for _, id := range v.order {
		c := v.chains[id]
		if !c.start {
			v.open("no-start", "", id)
		}
		signed = signed || len(c.places) > 0
	}
	if signed && len(v.trust.SiteKeys) > 0 {
		v.proven("site-anchor", "")
	}
}

func (v *verification) chain(ref wim.RecordRef) *chain {
	c := v.chains[ref.Chain]
	if c == nil {
		c = &chain{site: ref.Site, keys: map[string]bool{}, trusted: map[string]bool{}, digests: map[uint64]wim.Digest{}}
		for _, k := range v.trust.SiteKeys {
			c.trusted[k.ID] = true
		}
		v.chains[ref.Chain] = c
		v.order = append(v.order, ref.Chain)
	}
	return c
}

func (v *verification) record(x Record) {
	raw, jws := v.use(x.File), string(v.use(x.Segment))
	c := v.chain(x.Ref)
	if x.Ref.Seq <= c.last || c.site != x.Ref.Site {
		v.wrong("order", x.File, x.Ref.Chain, x.Ref.Seq)
		return
	}
	c.last = x.Ref.Seq
	seg, ok := v.segment(&x, jws)
	if !ok {
		return
	}
	i := x.Ref.Seq - seg.From
	p := &place{at: x, key: x.Key}
	prev, err := v.fits(&x, raw, seg.Digests[i], p)
	if err != nil {
		v.wrong("record", x.File, x.Ref.Seq, err)
		return
	}
	if i > 0 && prev != seg.Digests[i-1] {
		v.wrong("link", x.File, x.Ref.Seq)
		return
	}
	for k, d := range seg.Digests {
		seq := seg.From + uint64(k)
		if old, ok := c.digests[seq]; ok && old != d {
			v.wrong("contradicts", x.Segment, x.Ref.Chain, seq)
			return
		}
		c.digests[seq] = d
	}
	before, known := c.digests[x.Ref.Seq-1]
	if known && before != prev {
		v.wrong("link", x.File, x.Ref.Seq)
		return
	}
	p.seen = known || x.Ref.Seq == 1
	if !v.maySign(c, p) || !v.receipt(&x) {
		return
	}
	c.places = append(c.places, p)
	v.tell(p, prev)
}

// segment checks the site's signature.
func (v *verification) segment(x *Record, jws string) (seal.Segment, bool) {
	keys := make([]*seal.Verifier, 0, len(v.keys))
	for _, k := range v.keys {
		keys = append(keys, k)
	}
	seg, id, err := seal.VerifySegment(jws, keys...)
	switch {
	case err != nil:
	case !seal.Canonical(jws):
		err = errors.New("not base64url as RFC 7515 writes it")
	case id != x.Key:
		err = fmt.Errorf("it is by key %s, the contents name %s", id, x.Key)
	case seg.Site != x.Ref.Site || seg.Chain != x.Ref.Chain || x.Ref.Seq < seg.From || x.Ref.Seq > seg.To():
		err = fmt.Errorf("it covers records %d to %d of chain %s of site %s", seg.From, seg.To(), seg.Chain, seg.Site)
	}
	if err != nil {
		v.wrong("segment", x.Segment, err)
		return seg, false
	}
	for _, known := range v.SiteKeys {
		if known == id {
			return seg, true
		}
	}
	v.SiteKeys = append(v.SiteKeys, id)
	return seg, true
}

// fits opens what stands in a record's place and compares it with what was signed. It returns the digest before.
func (v *verification) fits(x *Record, raw []byte, signed wim.Digest, p *place) (prev wim.Digest, err error) {
	if seal.IsTombstone(raw) {
		keys := make([]*seal.Verifier, 0, len(v.keys))
		for _, k := range v.keys {
			keys = append(keys, k)
		}
		t, err := seal.VerifyTombstone(raw, keys...)
		switch {
		case err != nil:
			return prev, err
		case !seal.Canonical(string(raw)):
			return prev, errors.New("not base64url as RFC 7515 writes it")
		case t.Digest != signed || t.Digest != x.Ref.Digest || t.Site != x.Ref.Site || t.Chain != x.Ref.Chain || t.Seq != x.Ref.Seq:
			return prev, errors.New("the tombstone stands for another record")
		}
		v.open("tombstone", x.File, x.Ref.Seq, t.Reason)
		return t.Prev, nil
	}
	if d := wim.DigestOf(raw); d != signed || d != x.Ref.Digest {
		return prev, fmt.Errorf("its digest is %s, signed is %s, the contents name %s", d.Short(), signed.Short(), x.Ref.Digest.Short())
	}
	r, err := seal.Open(raw)
	if err != nil {
		return prev, err
	}
	if r.Site != x.Ref.Site || r.Chain != x.Ref.Chain || r.Seq != x.Ref.Seq || r.Kind != x.Kind {
		return prev, errors.New("it names itself otherwise than the contents do")
	}
	if seal.Opaque(r) {
		v.open("opaque", x.File, x.Ref.Seq)
		return r.Prev, nil
	}
	p.r = r
	return r.Prev, nil
}

// maySign tells whether the key that signed the record is one that its chain names, and one that the verifier
// trusts. A rotation adds the key that takes over.
func (v *verification) maySign(c *chain, p *place) bool {
	seq := p.at.Ref.Seq
	if p.r != nil && p.r.Start != nil {
		c.start = true
		c.keys[p.r.Start.Key] = true
	}
	if c.start && !c.keys[p.key] {
		v.wrong("chain-key", p.at.File, seq, p.key)
		return false
	}
	if len(v.trust.SiteKeys) > 0 && !c.trusted[p.key] {
		v.wrong("site-key", p.at.File, seq, p.key)
		return false
	}
	if p.r == nil || p.r.Rotation == nil {
		return true
	}
	next, err := seal.VerifyRotation(p.r, p.key)
	if err != nil {
		v.wrong("rotation", p.at.File, seq, err)
		return false
	}
	c.keys[next.ID], c.trusted[next.ID] = true, true
	v.keys[next.ID] = next // signed by the old key: better founded than a file of the dossier
	return true
}

func (v *verification) receipt(x *Record) bool {
	if x.Receipt == "" {
		v.open("no-receipt", x.File, x.Ref.Seq)
		return true
	}
	jws := string(v.use(x.Receipt))
	r, err := seal.VerifyReceipt(jws, v.center)
	switch {
	case err != nil:
	case !seal.Canonical(jws):
		err = errors.New("not base64url as RFC 7515 writes it")
	case r.Fork:
		err = errors.New("it says that the centre holds another record there")
	case r.Epoch != v.c.Epoch:
		err = fmt.Errorf("it is of store epoch %d, the dossier of epoch %d", r.Epoch, v.c.Epoch)
	case r.Site != x.Ref.Site || r.Chain != x.Ref.Chain || r.Seq != x.Ref.Seq || r.Digest != x.Ref.Digest:
		err = fmt.Errorf("it is for record %d of chain %s with digest %s", r.Seq, r.Chain, r.Digest.Short())
	case r.Time != v.c.Made:
		err = errors.New("it was not given when the dossier was made")
	}
	if err != nil {
		v.wrong("receipt", x.Receipt, x.Ref.Seq, err)
		return false
	}
	return true
}

// tell says what holds of one record.
func (v *verification) tell(p *place, prev wim.Digest) {
	x := &p.at
	seq, file := x.Ref.Seq, x.File
	v.proven("sealed", file, seq, term(x.Kind), p.key)
	switch {
	case seq == 1:
		v.proven("first", file, seq, x.Ref.Chain)
	case p.seen:
		v.proven("place", file, seq, x.Ref.Chain, prev)
	default:
		v.open("unlinked", file, seq)
	}
	if x.Receipt != "" {
		v.proven("receipted", x.Receipt, seq, v.c.Made, v.c.Epoch)
	}
	v.stated("arrived", file, seq, x.Received)
	if p.r == nil {
		return
	}
	if p.r.Start != nil {
		v.proven("named-key", file, x.Ref.Chain, p.r.Start.Key)
	}
	if b := p.r.Rotation; b != nil {
		v.proven("rotated", file, seq, b.Old, b.New)
	}
}
