// Package tpm gives signing keys that live in a TPM 2.0 and never leave it.
//
// It promises that what Open and Create return signs as a key in memory does, ECDSA on P-256, so that a site's
// records can be signed by a key that nobody can copy with its disk; that Create never replaces a key; and that a TPM
// that was away is opened again with the next signature. It does not bind a key to the state of the machine (PCRs):
// an update of the system would take the key away from it.
package tpm

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
	"github.com/google/go-tpm/tpm2/transport/linuxtpm"
	"github.com/google/go-tpm/tpm2/transport/linuxudstpm"
)

// Scheme begins the name of a key in a TPM: tpm:/dev/tpmrm0#0x81010a01, the device and the key's persistent handle.
const Scheme = "tpm:"

// The persistent handles that an owner may give (TCG registry of reserved handles, owner's part of 0x81).
const (
	firstHandle = 0x81000000
	lastHandle  = 0x817fffff
)

// Is tells whether a key's name names one in a TPM.
func Is(name string) bool { return strings.HasPrefix(name, Scheme) }

// address is where a key lies.
type address struct {
	device string
	handle tpm2.TPMHandle
}

func parse(name string) (address, error) {
	rest, ok := strings.CutPrefix(name, Scheme)
	device, handle, found := strings.Cut(rest, "#")
	if !ok || !found || device == "" {
		return address{}, fmt.Errorf("key %q: a key in a TPM is named tpm:/dev/tpmrm0#0x81010a01, by device and persistent handle", name)
	}
	h, err := strconv.ParseUint(handle, 0, 32)
	if err != nil || h < firstHandle || h > lastHandle {
		return address{}, fmt.Errorf("key %q: %q is no persistent handle of the owner; they are 0x%x to 0x%x", name, handle, firstHandle, lastHandle)
	}
	return address{device, tpm2.TPMHandle(h)}, nil
}

// Key is a P-256 signing key in a TPM. Signatures take turns. It implements crypto.Signer.
type Key struct {
	name   string
	at     address
	public *ecdsa.PublicKey
	object tpm2.TPM2BName

	mu  sync.Mutex
	dev transport.TPMCloser // nil after an error, until the next signature
}

var _ crypto.Signer = (*Key)(nil)

// Open opens the key with a name such as tpm:/dev/tpmrm0#0x81010a01.
func Open(name string) (*Key, error) {
	at, err := parse(name)
	if err != nil {
		return nil, err
	}
	k := &Key{name: name, at: at}
	if err := k.connect(); err != nil {
		return nil, err
	}
	if err := k.read(); err != nil {
		return nil, errors.Join(err, k.Close())
	}
	return k, nil
}

// Create makes a new key and keeps it at the name's handle, which must be free.
func Create(name string) (*Key, error) {
	at, err := parse(name)
	if err != nil {
		return nil, err
	}
	k := &Key{name: name, at: at}
	if err := k.connect(); err != nil {
		return nil, err
	}
	if err := k.create(); err != nil {
		return nil, errors.Join(err, k.Close())
	}
	return k, nil
}

func (k *Key) create() error {
	at, name := k.at, k.name
	if _, err := (tpm2.ReadPublic{ObjectHandle: at.handle}).Execute(k.dev); err == nil {
		return fmt.Errorf("key %s: there is a key at this handle already, and it is not replaced; choose another handle", name)
	} else if !errors.Is(err, tpm2.TPMRCHandle) {
		return k.said("look for a key at the handle", err)
	}
	// A primary key follows from the hierarchy's seed and its template; what is unique about it is drawn here.
	unique := make([]byte, 32)
	if _, err := io.ReadFull(randomOf(k.dev), unique); err != nil {
		return k.said("draw random bytes", err)
	}
	made, err := (tpm2.CreatePrimary{
		PrimaryHandle: tpm2.TPMRHOwner,
		InPublic: tpm2.New2B(tpm2.TPMTPublic{
			Type: tpm2.TPMAlgECC, NameAlg: tpm2.TPMAlgSHA256,
			ObjectAttributes: tpm2.TPMAObject{FixedTPM: true, FixedParent: true, SensitiveDataOrigin: true, UserWithAuth: true, SignEncrypt: true, NoDA: true},
			Parameters: tpm2.NewTPMUPublicParms(tpm2.TPMAlgECC, &tpm2.TPMSECCParms{
				Scheme:  tpm2.TPMTECCScheme{Scheme: tpm2.TPMAlgECDSA, Details: tpm2.NewTPMUAsymScheme(tpm2.TPMAlgECDSA, &tpm2.TPMSSigSchemeECDSA{HashAlg: tpm2.TPMAlgSHA256})},
				CurveID: tpm2.TPMECCNistP256,
			}),
			Unique: tpm2.NewTPMUPublicID(tpm2.TPMAlgECC, &tpm2.TPMSECCPoint{X: tpm2.TPM2BECCParameter{Buffer: unique}, Y: tpm2.TPM2BECCParameter{Buffer: make([]byte, 32)}}),
		}),
	}).Execute(k.dev)
	if err != nil {
		return k.said("make a key", err)
	}
	_, err = (tpm2.EvictControl{
		Auth: tpm2.TPMRHOwner, ObjectHandle: &tpm2.NamedHandle{Handle: made.ObjectHandle, Name: made.Name}, PersistentHandle: at.handle,
	}).Execute(k.dev)
	if _, ferr := (tpm2.FlushContext{FlushHandle: made.ObjectHandle}).Execute(k.dev); err == nil && ferr != nil {
		err = ferr
	}
	if err != nil {
		return k.said("keep the key", err)
	}
	return k.read()
}

// connect opens the device: a character device, or the socket of a TPM in software.
func (k *Key) connect() error {
	st, err := os.Stat(k.at.device)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("key %s: there is no TPM at %s; look in /dev for tpmrm0, and switch the TPM on in the firmware", k.name, k.at.device)
	case err != nil:
		return fmt.Errorf("key %s: %w", k.name, err)
	case st.Mode()&fs.ModeSocket != 0:
		k.dev, err = linuxudstpm.Open(k.at.device)
	default:
		k.dev, err = linuxtpm.Open(k.at.device)
	}
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("key %s: %w; put the daemon's user into the group tss", k.name, err)
	}
	if err != nil {
		k.dev = nil
		return fmt.Errorf("key %s: open the TPM: %w", k.name, err)
	}
	return nil
}

// read takes in the public half and checks that the key can do what is asked of it.
func (k *Key) read() error {
	got, err := (tpm2.ReadPublic{ObjectHandle: k.at.handle}).Execute(k.dev)
	if errors.Is(err, tpm2.TPMRCHandle) {
		return fmt.Errorf("key %s: there is no key at this handle; make one with: axlegate keys new %s", k.name, k.name)
	}
	if err != nil {
		return k.said("read the public key", err)
	}
	pub, err := got.OutPublic.Contents()
	if err != nil {
		return k.said("read the public key", err)
	}
	params, perr := pub.Parameters.ECCDetail()
	point, uerr := pub.Unique.ECC()
	if perr != nil || uerr != nil || params.CurveID != tpm2.TPMECCNistP256 || !pub.ObjectAttributes.SignEncrypt || pub.ObjectAttributes.Restricted {
		return fmt.Errorf("key %s: the key at this handle is none for signatures on P-256; choose another handle", k.name)
	}
	sec1 := append([]byte{4}, make([]byte, 64)...) // uncompressed: the numbers may come without leading zeros
	if len(point.X.Buffer) > 32 || len(point.Y.Buffer) > 32 {
		return fmt.Errorf("key %s: its public key has numbers of %d and %d bytes", k.name, len(point.X.Buffer), len(point.Y.Buffer))
	}
	copy(sec1[33-len(point.X.Buffer):33], point.X.Buffer)
	copy(sec1[65-len(point.Y.Buffer):], point.Y.Buffer)
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), sec1)
	if err != nil {
		return fmt.Errorf("key %s: its public key is no point of the curve: %w", k.name, err)
	}
	k.public, k.object = public, got.Name
	return nil
}

// Public is an *ecdsa.PublicKey on P-256.
func (k *Key) Public() crypto.PublicKey { return k.public }

// Sign signs a SHA-256 digest and returns an ASN.1 signature, as crypto.Signer says. The TPM draws its own random
// numbers; the reader is not used.
func (k *Key) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts.HashFunc() != crypto.SHA256 || len(digest) != crypto.SHA256.Size() {
		return nil, fmt.Errorf("key %s signs SHA-256 digests, not %s of %d bytes", k.name, opts.HashFunc(), len(digest))
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	sig, err := k.sign(digest)
	if err == nil || !k.drop() {
		return sig, err
	}
	return k.sign(digest) // a TPM whose connection had gone
}

func (k *Key) sign(digest []byte) ([]byte, error) {
	if k.dev == nil {
		if err := k.connect(); err != nil {
			return nil, err
		}
	}
	got, err := (tpm2.Sign{
		KeyHandle:  &tpm2.NamedHandle{Handle: k.at.handle, Name: k.object},
		Digest:     tpm2.TPM2BDigest{Buffer: digest},
		InScheme:   tpm2.TPMTSigScheme{Scheme: tpm2.TPMAlgECDSA, Details: tpm2.NewTPMUSigScheme(tpm2.TPMAlgECDSA, &tpm2.TPMSSchemeHash{HashAlg: tpm2.TPMAlgSHA256})},
		Validation: tpm2.TPMTTKHashCheck{Tag: tpm2.TPMSTHashCheck, Hierarchy: tpm2.TPMRHNull},
	}).Execute(k.dev)
	if err != nil {
		return nil, k.said("sign", err)
	}
	s, err := got.Signature.Signature.ECDSA()
	if err != nil {
		return nil, k.said("sign", err)
	}
	return asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(s.SignatureR.Buffer), new(big.Int).SetBytes(s.SignatureS.Buffer)})
}

// drop closes the connection after an error. It tells whether there was one.
func (k *Key) drop() bool {
	if k.dev == nil {
		return false
	}
	k.dev.Close() //nolint:errcheck // what failed has been said
	k.dev = nil
	return true
}

// Close gives the device back. The key stays in the TPM.
func (k *Key) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.dev == nil {
		return nil
	}
	err := k.dev.Close()
	k.dev = nil
	return err
}

func (k *Key) said(what string, err error) error {
	return fmt.Errorf("key %s: the TPM could not %s: %w", k.name, what, err)
}

// random reads random bytes of a TPM.
type random struct{ dev transport.TPM }

func randomOf(dev transport.TPM) io.Reader { return random{dev} }

// Read implements io.Reader.
func (r random) Read(p []byte) (int, error) {
	got, err := (tpm2.GetRandom{BytesRequested: uint16(min(len(p), 32))}).Execute(r.dev)
	if err != nil {
		return 0, err
	}
	return copy(p, got.RandomBytes.Buffer), nil
}
