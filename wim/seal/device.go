package seal

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"fmt"
	"math/big"

	"github.com/go-jose/go-jose/v4"
)

// forJWS is the key as the JWS library takes it: one in memory as it is, one inside a device by its Sign method
// alone. A TPM or a PKCS #11 token never gives its key away.
func (s *Signer) forJWS() any {
	switch s.key.(type) {
	case ed25519.PrivateKey, *ecdsa.PrivateKey:
		return s.key
	}
	return device{s}
}

// device lets the JWS library sign with a key that it cannot see.
type device struct{ *Signer }

// Public is asked for a key id to put in the header; ours is put there by sign.
func (d device) Public() *jose.JSONWebKey { return &jose.JSONWebKey{Key: d.key.Public()} }

// Algs names the one algorithm that belongs to the key.
func (d device) Algs() []jose.SignatureAlgorithm { return []jose.SignatureAlgorithm{d.alg} }

// SignPayload signs the JWS signing input.
func (d device) SignPayload(payload []byte, alg jose.SignatureAlgorithm) ([]byte, error) {
	if alg != d.alg {
		return nil, fmt.Errorf("algorithm %s does not belong to this key", alg)
	}
	if alg == jose.EdDSA {
		return d.key.Sign(rand.Reader, payload, crypto.Hash(0))
	}
	sum := sha256.Sum256(payload)
	der, err := d.key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	return rawES256(der)
}

// rawES256 turns a DER signature into the two numbers of 32 bytes that a JWS carries (RFC 7518, 3.4).
func rawES256(der []byte) ([]byte, error) {
	var sig struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(der, &sig)
	if err != nil || len(rest) > 0 || sig.R.Sign() <= 0 || sig.S.Sign() <= 0 || sig.R.BitLen() > 256 || sig.S.BitLen() > 256 {
		return nil, fmt.Errorf("the key's device gave no ECDSA signature of P-256: %x", der)
	}
	out := make([]byte, 64)
	sig.R.FillBytes(out[:32])
	sig.S.FillBytes(out[32:])
	return out, nil
}
