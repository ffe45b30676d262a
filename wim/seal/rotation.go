package seal

import (
	"crypto/x509"
	"fmt"

	"github.com/axlegate/axlegate/wim"
)

const rotationType = "axlegate-rotation"

// handover is what the new key countersigns: that it takes over this chain from that key.
type handover struct {
	Version int         `json:"v"`
	Site    wim.SiteID  `json:"site"`
	Chain   wim.ChainID `json:"chain"`
	Old     string      `json:"old"`
	New     string      `json:"new"`
}

// NewRotation makes the body of a key rotation record: next takes over the chain from the key whose id is old.
func NewRotation(site wim.SiteID, chain wim.ChainID, old string, next *Signer) (*wim.Rotation, error) {
	der, err := next.Verifier().MarshalDER()
	if err != nil {
		return nil, err
	}
	jws, err := sign(next, rotationType, handover{Version: 1, Site: site, Chain: chain, Old: old, New: next.ID})
	if err != nil {
		return nil, err
	}
	return &wim.Rotation{Old: old, New: next.ID, Key: der, Countersignature: jws}, nil
}

// VerifyRotation checks a key rotation record that came in a segment signed by the key with id signedBy, and
// returns the key that takes over. The old key must be the one that signed, and the new one must have
// countersigned for this site and chain.
func VerifyRotation(r *wim.Record, signedBy string) (*Verifier, error) {
	b := r.Rotation
	if b == nil {
		return nil, fmt.Errorf("%w: record %d is no key rotation", ErrMalformed, r.Seq)
	}
	if b.Old != signedBy {
		return nil, fmt.Errorf("%w: key rotation of %s in a segment signed by %s", ErrSignature, b.Old, signedBy)
	}
	next, err := ParseVerifier(b.Key)
	if err != nil {
		return nil, fmt.Errorf("%w key rotation: %w", ErrMalformed, err)
	}
	if next.ID != b.New || b.New == b.Old {
		return nil, fmt.Errorf("%w key rotation: it names key %s and carries %s", ErrMalformed, b.New, next.ID)
	}
	var h handover
	if _, err := verify(b.Countersignature, rotationType, &h, []*Verifier{next}); err != nil {
		return nil, fmt.Errorf("key rotation: countersignature: %w", err)
	}
	if (h != handover{Version: 1, Site: r.Site, Chain: r.Chain, Old: b.Old, New: b.New}) {
		return nil, fmt.Errorf("%w: the new key countersigned another rotation", ErrSignature)
	}
	return next, nil
}

// MarshalDER gives the public key as PKIX DER.
func (v *Verifier) MarshalDER() ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(v.key)
	if err != nil {
		return nil, fmt.Errorf("encode public key: %w", err)
	}
	return der, nil
}

// ParseVerifier reads a public key from PKIX DER.
func ParseVerifier(der []byte) (*Verifier, error) {
	k, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, fmt.Errorf("public key: %w", err)
	}
	return NewVerifier(k)
}
