package seal

import (
	"fmt"

	"github.com/axlegate/axlegate/wim"
)

// Auditor re-proves a chain record by record, from its start or from a known link.
type Auditor struct {
	site  wim.SiteID
	chain wim.ChainID
	seq   uint64
	prev  wim.Digest
	keys  []*Verifier
}

// NewAuditor expects the chain from its first record.
func NewAuditor(site wim.SiteID, chain wim.ChainID) *Auditor {
	return &Auditor{site: site, chain: chain}
}

// Resume expects the record after seq, whose digest is known: what came before was pruned.
func (a *Auditor) Resume(seq uint64, digest wim.Digest) { a.seq, a.prev = seq, digest }

// Seq is the last record that was proven.
func (a *Auditor) Seq() uint64 { return a.seq }

// Head is the digest of the last record that was proven.
func (a *Auditor) Head() wim.Digest { return a.prev }

// Next proves one more record: it is well formed, has the next sequence and links to the last. A tombstone in a
// record's place is taken by what it says, unless Trust named the keys under which it must hold.
func (a *Auditor) Next(raw []byte) (*wim.Record, error) {
	r, digest, err := a.open(raw)
	if err != nil {
		return nil, fmt.Errorf("record after %d: %w", a.seq, err)
	}
	switch {
	case r.Site != a.site || r.Chain != a.chain:
		return nil, fmt.Errorf("record after %d belongs to %s, chain %s", a.seq, r.Site, r.Chain)
	case r.Seq != a.seq+1:
		return nil, fmt.Errorf("record after %d has sequence %d", a.seq, r.Seq)
	case r.Prev != a.prev:
		return nil, fmt.Errorf("record %d links to %s, but record %d has digest %s", r.Seq, r.Prev.Short(), a.seq, a.prev.Short())
	}
	a.seq, a.prev = r.Seq, digest
	return r, nil
}

// Trust names the keys under which tombstones must hold.
func (a *Auditor) Trust(keys ...*Verifier) { a.keys = keys }

func (a *Auditor) open(raw []byte) (*wim.Record, wim.Digest, error) {
	if !IsTombstone(raw) || len(a.keys) > 0 {
		return openSigned(raw, a.keys)
	}
	t, err := PeekTombstone(raw)
	if err != nil {
		return nil, wim.Digest{}, err
	}
	return t.record(), t.Digest, nil
}
