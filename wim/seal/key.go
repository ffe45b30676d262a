package seal

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/go-jose/go-jose/v4"
)

// Signer is a private key with the id that names it: the RFC 7638 thumbprint of its public half.
type Signer struct {
	ID  string
	alg jose.SignatureAlgorithm
	key crypto.Signer
}

// Verifier is a public key with its id. The signing algorithm belongs to the key, never to the message.
type Verifier struct {
	ID  string
	alg jose.SignatureAlgorithm
	key crypto.PublicKey
}

// Algorithm names the JWS algorithm, "EdDSA" or "ES256".
func (v *Verifier) Algorithm() string { return string(v.alg) }

// GenerateSigner makes an Ed25519 key.
func GenerateSigner() (*Signer, error) { return GenerateSignerFor(string(jose.EdDSA)) }

// GenerateSignerFor makes a key for a JWS algorithm, "EdDSA" (Ed25519) or "ES256" (ECDSA P-256).
func GenerateSignerFor(algorithm string) (*Signer, error) {
	var k crypto.Signer
	var err error
	switch algorithm {
	case string(jose.EdDSA):
		_, k, err = ed25519.GenerateKey(rand.Reader)
	case string(jose.ES256):
		k, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	default:
		return nil, fmt.Errorf("algorithm %q: want EdDSA or ES256", algorithm)
	}
	if err != nil {
		return nil, fmt.Errorf("generate key: %w", err)
	}
	return NewSigner(k)
}

// NewSigner wraps an Ed25519 or ECDSA P-256 key, in memory.
func NewSigner(k crypto.Signer) (*Signer, error) {
	v, err := NewVerifier(k.Public())
	if err != nil {
		return nil, err
	}
	return &Signer{ID: v.ID, alg: v.alg, key: k}, nil
}

// NewVerifier wraps an Ed25519 or ECDSA P-256 public key.
func NewVerifier(k crypto.PublicKey) (*Verifier, error) {
	var alg jose.SignatureAlgorithm
	switch p := k.(type) {
	case ed25519.PublicKey:
		alg = jose.EdDSA
	case *ecdsa.PublicKey:
		if p.Curve != elliptic.P256() {
			return nil, errors.New("an ECDSA key must be on the curve P-256")
		}
		alg = jose.ES256
	default:
		return nil, fmt.Errorf("a key of type %T cannot sign records: want Ed25519 or ECDSA P-256", k)
	}
	thumb, err := (&jose.JSONWebKey{Key: k}).Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("thumbprint: %w", err)
	}
	return &Verifier{ID: base64.RawURLEncoding.EncodeToString(thumb), alg: alg, key: k}, nil
}

// Verifier returns the public half.
func (s *Signer) Verifier() *Verifier {
	return &Verifier{ID: s.ID, alg: s.alg, key: s.key.Public()}
}

// WriteFiles stores the private half as PKCS #8 PEM in path with mode 0600 and the public half as PKIX PEM
// in path + ".pub". It never overwrites a key.
func (s *Signer) WriteFiles(path string) error {
	der, err := x509.MarshalPKCS8PrivateKey(s.key)
	if err != nil {
		return fmt.Errorf("encode key: %w", err)
	}
	pub, err := s.Verifier().MarshalPEM()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("folder for key: %w", err)
	}
	if err := writeNew(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		return err
	}
	return writeNew(path+".pub", pub, 0o644)
}

// MarshalPEM gives the public key as PKIX PEM.
func (v *Verifier) MarshalPEM() ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(v.key)
	if err != nil {
		return nil, fmt.Errorf("encode public key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

// ReadSigner loads a private key that WriteFiles wrote. A file that others may read is refused.
func ReadSigner(path string) (*Signer, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("signing key: %w; make one with: axlegate keys new %s", err, path)
	}
	if st.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("signing key %s has mode %04o: others may read it; run: chmod 600 %s, and make a new key if it may have been copied",
			path, st.Mode().Perm(), path)
	}
	der, err := readPEM(path, "PRIVATE KEY")
	if err != nil {
		return nil, err
	}
	k, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w", path, err)
	}
	signer, ok := k.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("signing key %s: a %T cannot sign", path, k)
	}
	return NewSigner(signer)
}

// ParseVerifierPEM reads a public key as MarshalPEM writes it.
func ParseVerifierPEM(text []byte) (*Verifier, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PUBLIC KEY" {
		return nil, errors.New("no PEM block \"PUBLIC KEY\" in it")
	}
	return ParseVerifier(block.Bytes)
}

// ReadVerifier loads a public key file.
func ReadVerifier(path string) (*Verifier, error) {
	der, err := readPEM(path, "PUBLIC KEY")
	if err != nil {
		return nil, err
	}
	k, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, fmt.Errorf("public key %s: %w", path, err)
	}
	return NewVerifier(k)
}

func readPEM(path, kind string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	block, _ := pem.Decode(b)
	if block == nil || block.Type != kind {
		return nil, fmt.Errorf("key file %s: no PEM block %q in it", path, kind)
	}
	return block.Bytes, nil
}

func writeNew(path string, b []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	if _, err := f.Write(b); err != nil {
		f.Close() //nolint:errcheck // the write error says more
		return fmt.Errorf("write key: %w", err)
	}
	if err := f.Sync(); err != nil {
		f.Close() //nolint:errcheck // the sync error says more
		return fmt.Errorf("write key: %w", err)
	}
	return f.Close()
}
