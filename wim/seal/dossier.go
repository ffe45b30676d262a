package seal

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/axlegate/axlegate/wim"
)

const dossierType = "axlegate-dossier"

// MaxDossierFiles bounds how many files a dossier lists.
const MaxDossierFiles = 4096

// Dossier lists every file of a dossier but the list itself. The centre signs it.
type Dossier struct {
	Version int           `json:"v"`
	Matter  int64         `json:"matter"`
	Time    wim.Time      `json:"time"` // the centre's clock when it was put together
	Files   []DossierFile `json:"files"`
}

// DossierFile names one file by its digest.
type DossierFile struct {
	Name   string     `json:"name"` // with slashes, from the dossier's root
	Size   int64      `json:"size"` // in bytes
	Digest wim.Digest `json:"sha256"`
}

// SignDossier signs the list with the centre's key.
func SignDossier(k *Signer, d Dossier) (string, error) {
	d.Version = 1
	if err := checkDossier(&d); err != nil {
		return "", err
	}
	return sign(k, dossierType, d)
}

// VerifyDossier checks the list under one of keys and returns it with the key's id. Of all the ways to write one
// signature in base64url it takes the one only, so that not a bit of it can differ.
func VerifyDossier(jws string, keys ...*Verifier) (Dossier, string, error) {
	var d Dossier
	if !Canonical(jws) {
		return d, "", fmt.Errorf("%w %s: not base64url as RFC 7515 writes it", ErrMalformed, dossierType)
	}
	id, err := verify(jws, dossierType, &d, keys)
	if err != nil {
		return Dossier{}, "", err
	}
	return d, id, checkDossier(&d)
}

func checkDossier(d *Dossier) error {
	if d.Version != 1 || d.Matter < 1 || len(d.Files) == 0 || len(d.Files) > MaxDossierFiles {
		return fmt.Errorf("%w dossier: version %d, matter %d, %d files", ErrMalformed, d.Version, d.Matter, len(d.Files))
	}
	return nil
}

// Canonical tells whether each part of a compact JWS is the only base64url text of its bytes. A decoder that is
// lenient reads several texts as the same signature.
func Canonical(jws string) bool {
	parts := strings.Split(jws, ".")
	if len(parts) != 3 {
		return false
	}
	for _, p := range parts {
		b, err := base64.RawURLEncoding.DecodeString(p)
		if err != nil || base64.RawURLEncoding.EncodeToString(b) != p {
			return false
		}
	}
	return true
}
