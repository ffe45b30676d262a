package seal

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"

	"github.com/axlegate/axlegate/wim"
)

// Limits of a segment; a sender closes it at whichever comes first.
const (
	MaxSegmentRecords = 64
	MaxSegmentBytes   = 128 << 10
)

const (
	segmentType = "axlegate-segment"
	receiptType = "axlegate-receipt"
	pictureType = "axlegate-picture"
)

// ErrSignature marks input whose signature does not hold under the keys trusted for its origin. It is
// never receipted.
var ErrSignature = errors.New("signature does not hold")

// Segment is what a site signs: which records, by digest. Record From+i has digest Digests[i].
type Segment struct {
	Version int          `json:"v"`
	Site    wim.SiteID   `json:"site"`
	Chain   wim.ChainID  `json:"chain"`
	From    uint64       `json:"from"`
	Digests []wim.Digest `json:"digests"`
}

// To is the sequence of the last record.
func (s *Segment) To() uint64 { return s.From + uint64(len(s.Digests)) - 1 }

// SignSegment signs consecutive records.
func SignSegment(k *Signer, s Segment) (jws string, err error) {
	s.Version = 1
	if err := checkSegment(&s); err != nil {
		return "", err
	}
	return sign(k, segmentType, s)
}

// PeekSegment reads a segment without believing it: to find out which site's keys to try.
func PeekSegment(jws string) (Segment, error) {
	var s Segment
	if err := peek(jws, segmentType, &s); err != nil {
		return s, err
	}
	return s, checkSegment(&s)
}

// VerifySegment checks the signature under one of keys and returns the segment and the key's id.
func VerifySegment(jws string, keys ...*Verifier) (Segment, string, error) {
	var s Segment
	id, err := verify(jws, segmentType, &s, keys)
	if err != nil {
		return Segment{}, "", err
	}
	return s, id, checkSegment(&s)
}

func checkSegment(s *Segment) error {
	if s.Version != 1 {
		return fmt.Errorf("%w segment: version %d, this build reads 1", ErrMalformed, s.Version)
	}
	if err := s.Site.Valid(); err != nil {
		return fmt.Errorf("%w segment: %w", ErrMalformed, err)
	}
	if s.From == 0 || s.Chain.IsZero() || len(s.Digests) == 0 || len(s.Digests) > MaxSegmentRecords {
		return fmt.Errorf("%w segment: from %d with %d records", ErrMalformed, s.From, len(s.Digests))
	}
	return nil
}

// CheckRecords compares a verified segment with the records that came with it: each has the digest that
// was signed, the site, chain and sequence it is said to have, and links to the one before. A tombstone under
// one of keys may stand in a record's place; it is returned as a record of kind wim.KindTombstone without a body.
func CheckRecords(s Segment, raws [][]byte, keys ...*Verifier) ([]*wim.Record, error) {
	if len(raws) != len(s.Digests) {
		return nil, fmt.Errorf("%w segment: %d digests, %d records", ErrMalformed, len(s.Digests), len(raws))
	}
	out := make([]*wim.Record, len(raws))
	for i, raw := range raws {
		seq := s.From + uint64(i)
		r, d, err := openSigned(raw, keys)
		if err != nil {
			return nil, fmt.Errorf("record %d: %w", seq, err)
		}
		if d != s.Digests[i] {
			return nil, fmt.Errorf("%w: record %d has digest %s, signed is %s", ErrSignature, seq, d.Short(), s.Digests[i].Short())
		}
		if r.Site != s.Site || r.Chain != s.Chain || r.Seq != seq {
			return nil, fmt.Errorf("%w: record names itself %s/%s/%d inside segment %s/%s/%d", ErrMalformed, r.Site, r.Chain, r.Seq, s.Site, s.Chain, seq)
		}
		if i > 0 && r.Prev != s.Digests[i-1] {
			return nil, fmt.Errorf("%w: record %d does not link to record %d", ErrMalformed, seq, seq-1)
		}
		out[i] = r
	}
	return out, nil
}

// Receipt is the centre's word: it durably holds chain Chain of site Site up to sequence Seq, whose digest
// is Digest, in store epoch Epoch. With Fork set it says instead that it holds another record at Seq
// than the one it was sent: the site must start a new chain.
type Receipt struct {
	Version int         `json:"v"`
	Site    wim.SiteID  `json:"site"`
	Chain   wim.ChainID `json:"chain"`
	Seq     uint64      `json:"seq"`
	Digest  wim.Digest  `json:"digest"`
	Epoch   uint64      `json:"epoch"`
	Time    wim.Time    `json:"time"`
	Fork    bool        `json:"fork,omitempty"`
}

// SignReceipt signs a receipt with the centre's key.
func SignReceipt(k *Signer, r Receipt) (string, error) {
	r.Version = 1
	return sign(k, receiptType, r)
}

// VerifyReceipt checks a receipt under the centre's pinned keys.
func VerifyReceipt(jws string, keys ...*Verifier) (Receipt, error) {
	var r Receipt
	if _, err := verify(jws, receiptType, &r, keys); err != nil {
		return Receipt{}, err
	}
	if r.Version != 1 || r.Chain.IsZero() || r.Site.Valid() != nil {
		return Receipt{}, fmt.Errorf("%w receipt", ErrMalformed)
	}
	return r, nil
}

// PictureGrant is what a site signs to hand in one picture over HTTP.
type PictureGrant struct {
	Version int        `json:"v"`
	Site    wim.SiteID `json:"site"`
	Digest  wim.Digest `json:"digest"`
	Time    wim.Time   `json:"time"`
}

// SignPicture signs the right to upload one picture.
func SignPicture(k *Signer, g PictureGrant) (string, error) {
	g.Version = 1
	return sign(k, pictureType, g)
}

// PeekPicture reads a grant without believing it: to find out which site's keys to try.
func PeekPicture(jws string) (PictureGrant, error) {
	var g PictureGrant
	return g, peek(jws, pictureType, &g)
}

// VerifyPicture checks a grant under the site's keys.
func VerifyPicture(jws string, keys ...*Verifier) (PictureGrant, error) {
	var g PictureGrant
	_, err := verify(jws, pictureType, &g, keys)
	return g, err
}

func sign(k *Signer, typ string, v any) (string, error) {
	payload, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("encode %s: %w", typ, err)
	}
	opts := (&jose.SignerOptions{}).WithType(jose.ContentType(typ)).WithHeader("kid", k.ID)
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: k.alg, Key: k.forJWS()}, opts)
	if err != nil {
		return "", fmt.Errorf("sign %s: %w", typ, err)
	}
	o, err := s.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign %s: %w", typ, err)
	}
	return o.CompactSerialize()
}

func parse(jws, typ string) (*jose.JSONWebSignature, error) {
	o, err := jose.ParseSignedCompact(jws, []jose.SignatureAlgorithm{jose.EdDSA, jose.ES256})
	if err != nil {
		return nil, fmt.Errorf("%w %s: %w", ErrMalformed, typ, err)
	}
	if got, _ := o.Signatures[0].Protected.ExtraHeaders[jose.HeaderType].(string); got != typ {
		return nil, fmt.Errorf("%w %s: type is %q", ErrMalformed, typ, got)
	}
	return o, nil
}

// peek reads a payload without believing it.
func peek(jws, typ string, v any) error {
	o, err := parse(jws, typ)
	if err != nil {
		return err
	}
	if err := decodeStrict(o.UnsafePayloadWithoutVerification(), v); err != nil {
		return fmt.Errorf("%w %s: %w", ErrMalformed, typ, err)
	}
	return nil
}

func verify(jws, typ string, v any, keys []*Verifier) (string, error) {
	o, err := parse(jws, typ)
	if err != nil {
		return "", err
	}
	h := o.Signatures[0].Protected
	for _, k := range keys {
		if k.ID != h.KeyID || string(k.alg) != h.Algorithm {
			continue
		}
		payload, err := o.Verify(k.key)
		if err != nil {
			return "", fmt.Errorf("%w: %s by key %s", ErrSignature, typ, h.KeyID)
		}
		if err := decodeStrict(payload, v); err != nil {
			return "", fmt.Errorf("%w %s: %w", ErrMalformed, typ, err)
		}
		return k.ID, nil
	}
	return "", fmt.Errorf("%w: %s by key %q, which is not trusted here", ErrSignature, typ, h.KeyID)
}
