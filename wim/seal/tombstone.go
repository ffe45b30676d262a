package seal

import (
	"bytes"
	"fmt"

	"github.com/axlegate/axlegate/wim"
)

const tombstoneType = "axlegate-tombstone"

// Tombstone stands for a record whose bytes are lost (a damaged disk) or can never be sent. It keeps the record's
// place and digest in the chain, so that what follows still links, and says why the account itself is missing.
type Tombstone struct {
	Version int            `json:"v"`
	Site    wim.SiteID     `json:"site"`
	Chain   wim.ChainID    `json:"chain"`
	Seq     uint64         `json:"seq"`
	Prev    wim.Digest     `json:"prev"`
	Digest  wim.Digest     `json:"digest"` // of the record that it stands for
	Kind    wim.RecordKind `json:"kind"`   // of that record, empty where it is unknown
	Time    wim.Time       `json:"time"`   // of that record, 0 unknown
	Reason  string         `json:"reason"`
}

// maxReason bounds a tombstone's reason in bytes.
const maxReason = 500

// SignTombstone signs a tombstone with the chain's key. What it returns takes the record's place in a bundle.
func SignTombstone(k *Signer, t Tombstone) ([]byte, error) {
	t.Version = 1
	if len(t.Reason) > maxReason {
		t.Reason = t.Reason[:maxReason]
	}
	if err := checkTombstone(&t); err != nil {
		return nil, err
	}
	jws, err := sign(k, tombstoneType, t)
	return []byte(jws), err
}

// IsTombstone tells whether what stands in a record's place is a tombstone: a record begins with a brace.
func IsTombstone(raw []byte) bool {
	return len(raw) > 0 && raw[0] != '{' && bytes.Count(raw, []byte{'.'}) == 2
}

// PeekTombstone reads a tombstone without believing it.
func PeekTombstone(raw []byte) (Tombstone, error) {
	var t Tombstone
	if err := peek(string(raw), tombstoneType, &t); err != nil {
		return t, err
	}
	return t, checkTombstone(&t)
}

// VerifyTombstone checks a tombstone under the site's keys.
func VerifyTombstone(raw []byte, keys ...*Verifier) (Tombstone, error) {
	var t Tombstone
	if _, err := verify(string(raw), tombstoneType, &t, keys); err != nil {
		return Tombstone{}, err
	}
	return t, checkTombstone(&t)
}

func checkTombstone(t *Tombstone) error {
	if t.Version != 1 {
		return fmt.Errorf("%w tombstone: version %d, this build reads 1", ErrMalformed, t.Version)
	}
	if err := t.Site.Valid(); err != nil {
		return fmt.Errorf("%w tombstone: %w", ErrMalformed, err)
	}
	if t.Chain.IsZero() || t.Seq == 0 || t.Digest.IsZero() || t.Reason == "" || (t.Seq == 1) != t.Prev.IsZero() {
		return fmt.Errorf("%w tombstone: chain, seq, prev, digest or reason is missing", ErrMalformed)
	}
	return nil
}

func (t *Tombstone) record() *wim.Record {
	return &wim.Record{Format: wim.RecordFormat, Site: t.Site, Chain: t.Chain, Seq: t.Seq, Prev: t.Prev, Kind: wim.KindTombstone, Time: t.Time}
}

// DigestOf is the digest by which a chain knows what raw is: of a record's bytes, or the one that a tombstone
// stands for. It does not check a tombstone's signature.
func DigestOf(raw []byte) (wim.Digest, error) {
	if !IsTombstone(raw) {
		return wim.DigestOf(raw), nil
	}
	t, err := PeekTombstone(raw)
	return t.Digest, err
}

// openSigned opens a record, or a tombstone under one of keys, and returns the digest by which its chain knows it.
func openSigned(raw []byte, keys []*Verifier) (*wim.Record, wim.Digest, error) {
	if !IsTombstone(raw) {
		r, err := Open(raw)
		return r, wim.DigestOf(raw), err
	}
	t, err := VerifyTombstone(raw, keys...)
	if err != nil {
		return nil, wim.Digest{}, err
	}
	return t.record(), t.Digest, nil
}
