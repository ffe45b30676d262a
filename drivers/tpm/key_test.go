package tpm

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/internal/testenv"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

func TestAKeyInATPMSignsRecordsAndNeverLeavesIt(t *testing.T) {
	device := testenv.SoftwareTPM(t)
	name := Scheme + device.Path + "#0x81010a01"
	if _, err := Open(name); err == nil || !strings.Contains(err.Error(), "axlegate keys new") {
		t.Errorf("a handle without a key: %v", err)
	}
	k, err := Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Create(name); err == nil || !strings.Contains(err.Error(), "not replaced") {
		t.Errorf("a key was made over another: %v", err)
	}
	other, err := Create(Scheme + device.Path + "#0x81010a02")
	if err != nil {
		t.Fatal(err)
	}
	if k.public.Equal(other.public) {
		t.Error("two keys are one")
	}
	signer, err := seal.NewSigner(k)
	if err != nil {
		t.Fatal(err)
	}
	if err := signer.WriteFiles(filepath.Join(t.TempDir(), "key.pem")); err == nil {
		t.Error("a key in a TPM was written to a file")
	}
	sign := func() {
		t.Helper()
		jws, err := seal.SignSegment(signer, seal.Segment{Site: "north-1", Chain: wim.ChainID{1}, From: 1, Digests: []wim.Digest{{1}}})
		if err != nil {
			t.Fatal(err)
		}
		if _, by, err := seal.VerifySegment(jws, signer.Verifier()); err != nil || by != signer.ID {
			t.Fatalf("by %s, %v", by, err)
		}
	}
	for range 5 {
		sign()
	}
	device.Restart(t) // power off and on: the key stays, what is open comes back
	sign()
	again, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("x"))
	sig, err := again.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil || !ecdsa.VerifyASN1(k.public, digest[:], sig) {
		t.Errorf("opened again it is another key: %v", err)
	}
	long := sha512.Sum512([]byte("x"))
	if _, err := again.Sign(rand.Reader, long[:], crypto.SHA512); err == nil {
		t.Error("signed a digest that the key is not for")
	}
	for _, k := range []*Key{k, other, again} {
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestANameOfAKeyThatCannotBeSaysWhatOneLooksLike(t *testing.T) {
	for _, name := range []string{"site.pem", "tpm:", "tpm:/dev/tpmrm0", "tpm:#0x81010a01", "tpm:/dev/tpmrm0#", "tpm:/dev/tpmrm0#1", "tpm:/dev/tpmrm0#0x82000000", "tpm:/dev/tpmrm0#0x181010a01"} {
		if _, err := Open(name); err == nil || !strings.Contains(err.Error(), "0x81") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Open("tpm:" + filepath.Join(t.TempDir(), "none") + "#0x81010a01"); err == nil || !strings.Contains(err.Error(), "no TPM at") {
		t.Errorf("error %v", err)
	}
	if !Is("tpm:x") || Is("/etc/axlegate/site.pem") {
		t.Error("a name is taken for what it is not")
	}
}
