package seal

import (
	"errors"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

func TestAListOfADossierIsBelievedUnderItsKeyAndInOneFormOnly(t *testing.T) {
	k := testSigner(t, 3)
	want := Dossier{Matter: 12, Time: 5, Files: []DossierFile{{Name: "a", Size: 1, Digest: wim.DigestOf([]byte("a"))}}}
	jws, err := SignDossier(k, want)
	if err != nil {
		t.Fatal(err)
	}
	d, id, err := VerifyDossier(jws, testSigner(t, 4).Verifier(), k.Verifier())
	if err != nil || id != k.ID || d.Matter != 12 || d.Time != 5 || len(d.Files) != 1 || d.Files[0] != want.Files[0] {
		t.Errorf("%+v, %s, %v", d, id, err)
	}
	// Every single bit: the last letter of the signature has some that a lenient reader ignores.
	b := []byte(jws)
	for i := range b {
		for bit := byte(1); bit != 0; bit <<= 1 {
			b[i] ^= bit
			if _, _, err := VerifyDossier(string(b), k.Verifier()); err == nil {
				t.Fatalf("byte %d, bit %#x: believed", i, bit)
			}
			b[i] ^= bit
		}
	}
	for name, c := range map[string]string{"a line behind it": jws + "\n", "padding": jws + "==", "two parts": jws[:strings.LastIndexByte(jws, '.')], "nothing": ""} {
		if _, _, err := VerifyDossier(c, k.Verifier()); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := VerifyDossier(jws, testSigner(t, 4).Verifier()); !errors.Is(err, ErrSignature) {
		t.Errorf("under another key: %v", err)
	}
	receipt, err := SignReceipt(k, Receipt{Site: "north-1", Chain: wim.ChainID{1}, Seq: 1, Digest: wim.Digest{1}, Epoch: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := VerifyDossier(receipt, k.Verifier()); !errors.Is(err, ErrMalformed) {
		t.Errorf("a receipt: %v", err)
	}
}

func TestAListThatIsNoneIsNotSigned(t *testing.T) {
	k := testSigner(t, 3)
	for name, d := range map[string]Dossier{
		"of no matter":    {Files: []DossierFile{{Name: "a"}}},
		"of no file":      {Matter: 1},
		"of a great many": {Matter: 1, Files: make([]DossierFile, MaxDossierFiles+1)},
	} {
		if _, err := SignDossier(k, d); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAPublicKeyIsReadAsItWasWritten(t *testing.T) {
	v := testSigner(t, 3).Verifier()
	text, err := v.MarshalPEM()
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseVerifierPEM(text)
	if err != nil || got.ID != v.ID {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{"", "hello", strings.ReplaceAll(string(text), "PUBLIC", "PRIVATE"), "-----BEGIN PUBLIC KEY-----\naGVsbG8=\n-----END PUBLIC KEY-----\n"} {
		if _, err := ParseVerifierPEM([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}
