package seal

import (
	"fmt"

	"github.com/axlegate/axlegate/wim"
)

const (
	manifestType = "axlegate-manifest"
	fetchType    = "axlegate-fetch"
	askType      = "axlegate-ask"
	answerType   = "axlegate-answer"
)

// MaxParcels bounds a manifest.
const MaxParcels = 64

// Manifest is all that the centre wants one site to work by. It is the whole, never a difference: whoever has
// the newest needs none before it.
type Manifest struct {
	Version int        `json:"v"`
	Site    wim.SiteID `json:"site"`
	Serial  uint64     `json:"serial"` // rises; a site refuses one that does not
	Time    wim.Time   `json:"time"`
	Parcels []Parcel   `json:"parcels"`
}

// Parcel names one part of a manifest by the digest of its bytes, which are fetched apart.
type Parcel struct {
	Kind    wim.PartKind `json:"kind"`
	Name    string       `json:"name"`
	Version string       `json:"version,omitempty"`
	Digest  wim.Digest   `json:"digest"`
	Size    int64        `json:"size"`           // bytes
	From    wim.Time     `json:"from,omitempty"` // to be activated then, 0 at once
}

// SignManifest signs a manifest with the centre's key.
func SignManifest(k *Signer, m Manifest) (string, error) {
	m.Version = 1
	if err := checkManifest(&m); err != nil {
		return "", err
	}
	return sign(k, manifestType, m)
}

// VerifyManifest checks a manifest under the centre's pinned keys.
func VerifyManifest(jws string, keys ...*Verifier) (Manifest, error) {
	var m Manifest
	if _, err := verify(jws, manifestType, &m, keys); err != nil {
		return Manifest{}, err
	}
	return m, checkManifest(&m)
}

func checkManifest(m *Manifest) error {
	if m.Version != 1 {
		return fmt.Errorf("%w manifest: version %d, this build reads 1", ErrMalformed, m.Version)
	}
	if err := m.Site.Valid(); err != nil {
		return fmt.Errorf("%w manifest: %w", ErrMalformed, err)
	}
	if m.Serial == 0 || len(m.Parcels) > MaxParcels {
		return fmt.Errorf("%w manifest: serial %d with %d parcels, at most %d", ErrMalformed, m.Serial, len(m.Parcels), MaxParcels)
	}
	type place struct {
		kind wim.PartKind
		name string
		from wim.Time
	}
	seen := map[place]bool{}
	for _, p := range m.Parcels {
		if err := p.Kind.Valid(); err != nil {
			return fmt.Errorf("%w manifest: %w", ErrMalformed, err)
		}
		at := place{p.Kind, p.Name, p.From}
		if p.Name == "" || p.Digest.IsZero() || p.Size <= 0 || seen[at] {
			return fmt.Errorf("%w manifest: parcel %s %q without name, digest or size, or named twice for one time", ErrMalformed, p.Kind, p.Name)
		}
		seen[at] = true
	}
	return nil
}

// Fetch is what a site signs to be given one parcel's bytes over HTTP.
type Fetch struct {
	Version int        `json:"v"`
	Site    wim.SiteID `json:"site"`
	Digest  wim.Digest `json:"digest"`
	Time    wim.Time   `json:"time"`
}

// SignFetch signs the right to be given one parcel.
func SignFetch(k *Signer, f Fetch) (string, error) {
	f.Version = 1
	return sign(k, fetchType, f)
}

// PeekFetch reads a grant without believing it: to find out which site's keys to try.
func PeekFetch(jws string) (Fetch, error) {
	var f Fetch
	return f, peek(jws, fetchType, &f)
}

// VerifyFetch checks a grant under the site's keys.
func VerifyFetch(jws string, keys ...*Verifier) (Fetch, error) {
	var f Fetch
	_, err := verify(jws, fetchType, &f, keys)
	return f, err
}

// Ask is a site's question what a vehicle is registered for.
type Ask struct {
	Version int            `json:"v"`
	Site    wim.SiteID     `json:"site"`
	ID      wim.Nonce      `json:"id"` // the answer names it
	Plate   string         `json:"plate"`
	Color   wim.PlateColor `json:"color"`
	Time    wim.Time       `json:"time"`
}

// SignAsk signs a question with the site's key.
func SignAsk(k *Signer, a Ask) (string, error) {
	a.Version = 1
	return sign(k, askType, a)
}

// VerifyAsk checks a question under the site's keys.
func VerifyAsk(jws string, keys ...*Verifier) (Ask, error) {
	var a Ask
	if _, err := verify(jws, askType, &a, keys); err != nil {
		return Ask{}, err
	}
	if a.Version != 1 || a.Site.Valid() != nil || a.Plate == "" || len(a.Plate) > 64 {
		return Ask{}, fmt.Errorf("%w ask", ErrMalformed)
	}
	return a, nil
}

// Answer is the centre's answer to an Ask. Registration is nil where its register does not have the plate.
type Answer struct {
	Version      int               `json:"v"`
	Site         wim.SiteID        `json:"site"`
	ID           wim.Nonce         `json:"id"`
	Plate        string            `json:"plate"`
	Color        wim.PlateColor    `json:"color"`
	Registration *wim.Registration `json:"registration,omitempty"`
	Source       string            `json:"source,omitempty"` // name and version of the register
	Time         wim.Time          `json:"time"`
}

// SignAnswer signs an answer with the centre's key.
func SignAnswer(k *Signer, a Answer) (string, error) {
	a.Version = 1
	return sign(k, answerType, a)
}

// VerifyAnswer checks an answer under the centre's pinned keys.
func VerifyAnswer(jws string, keys ...*Verifier) (Answer, error) {
	var a Answer
	if _, err := verify(jws, answerType, &a, keys); err != nil {
		return Answer{}, err
	}
	if a.Version != 1 || a.Site.Valid() != nil || a.Plate == "" {
		return Answer{}, fmt.Errorf("%w answer", ErrMalformed)
	}
	return a, nil
}
