package seal

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

// token is a key inside a device: it signs and gives nothing else away.
type token struct {
	inside crypto.Signer
	broken bool
}

func (t token) Public() crypto.PublicKey { return t.inside.Public() }

func (t token) Sign(r io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if t.broken {
		return nil, errors.New("the token was pulled")
	}
	return t.inside.Sign(r, digest, opts)
}

func es256(t testing.TB) crypto.Signer {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestAKeyInsideADeviceSignsAsOneInMemory(t *testing.T) {
	id, recs := chain(t, 2)
	_, digests := raws(recs)
	for name, inside := range map[string]crypto.Signer{"EdDSA": testSigner(t, 5).key, "ES256": es256(t)} {
		t.Run(name, func(t *testing.T) {
			k, err := NewSigner(token{inside: inside})
			if err != nil {
				t.Fatal(err)
			}
			memory, err := NewSigner(inside)
			if err != nil {
				t.Fatal(err)
			}
			if k.ID != memory.ID || k.Verifier().Algorithm() != name {
				t.Errorf("id %s, algorithm %s", k.ID, k.Verifier().Algorithm())
			}
			for range 20 { // an ECDSA number has a leading zero now and then
				jws, err := SignSegment(k, Segment{Site: "north-1", Chain: id, From: 1, Digests: digests})
				if err != nil {
					t.Fatal(err)
				}
				if _, by, err := VerifySegment(jws, memory.Verifier()); err != nil || by != k.ID {
					t.Fatalf("by %s, %v", by, err)
				}
			}
			if err := k.WriteFiles(t.TempDir() + "/k.pem"); err == nil {
				t.Error("a key inside a device was written to a file")
			}
			pulled, err := NewSigner(token{inside: inside, broken: true})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := SignSegment(pulled, Segment{Site: "north-1", Chain: id, From: 1, Digests: digests}); err == nil || !strings.Contains(err.Error(), "pulled") {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestARotationNeedsBothKeys(t *testing.T) {
	id, _ := chain(t, 1)
	next, err := NewSigner(es256(t))
	if err != nil {
		t.Fatal(err)
	}
	old, other := testSigner(t, 1), testSigner(t, 2)
	for _, c := range []struct {
		name string
		err  error
		by   string
		edit func(*wim.Record)
	}{
		{"old key signs the segment, new one countersigned", nil, old.ID, func(*wim.Record) {}},
		{"a segment by another key", ErrSignature, other.ID, func(*wim.Record) {}},
		{"a countersignature for another chain", ErrSignature, old.ID, func(r *wim.Record) { r.Chain[3]++ }},
		{"a countersignature for another site", ErrSignature, old.ID, func(r *wim.Record) { r.Site = "south-2" }},
		{"another key than is named", ErrMalformed, old.ID, func(r *wim.Record) { r.Rotation.New = other.ID }},
		{"no key", ErrMalformed, old.ID, func(r *wim.Record) { r.Rotation.Key = nil }},
		{"a countersignature by a third key", ErrSignature, old.ID, func(r *wim.Record) {
			b, err := NewRotation("north-1", id, old.ID, other)
			if err != nil {
				t.Fatal(err)
			}
			r.Rotation.Countersignature = b.Countersignature
		}},
		{"no rotation at all", ErrMalformed, old.ID, func(r *wim.Record) { r.Rotation = nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := NewRotation("north-1", id, old.ID, next)
			if err != nil {
				t.Fatal(err)
			}
			r := &wim.Record{Site: "north-1", Chain: id, Seq: 9, Kind: wim.KindRotation, Rotation: b}
			c.edit(r)
			got, err := VerifyRotation(r, c.by)
			if !errors.Is(err, c.err) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			if err == nil && got.ID != next.ID {
				t.Errorf("key %s", got.ID)
			}
		})
	}
}

func TestWhoWantsInProvesThatHeHasTheKey(t *testing.T) {
	k, center := testSigner(t, 1), testSigner(t, 2)
	jws, err := SignEnrolment(k, "north-1", "ABCD-1234", 7)
	if err != nil {
		t.Fatal(err)
	}
	e, v, err := VerifyEnrolment(jws)
	if err != nil || v.ID != k.ID || e.Site != "north-1" || e.Code != "ABCD-1234" || e.Time != 7 {
		t.Fatalf("%+v, %v, %v", e, v, err)
	}
	stolen, err := sign(center, enrolmentType, Enrolment{Version: 1, Site: "north-1", Code: "ABCD-1234", Key: e.Key})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := VerifyEnrolment(stolen); !errors.Is(err, ErrSignature) {
		t.Errorf("a key of somebody else was enrolled: %v", err)
	}
	der, err := center.Verifier().MarshalDER()
	if err != nil {
		t.Fatal(err)
	}
	answer, err := SignEnrolled(center, Enrolled{Site: "north-1", Key: k.ID, CenterKeys: [][]byte{der}})
	if err != nil {
		t.Fatal(err)
	}
	if got, keys, err := VerifyEnrolled(answer); err != nil || got.Key != k.ID || len(keys) != 1 || keys[0].ID != center.ID {
		t.Errorf("%+v, %v, %v", got, keys, err)
	}
	if _, _, err := VerifyEnrolled(jws); !errors.Is(err, ErrMalformed) {
		t.Errorf("a request as an answer: %v", err)
	}
}

func TestWhatIsSentDownHoldsUnderTheCentresKeyOnly(t *testing.T) {
	k, thief := testSigner(t, 1), testSigner(t, 2)
	m := Manifest{Site: "north-1", Serial: 3, Parcels: []Parcel{
		{Kind: wim.PartRules, Name: "cn", Digest: wim.Digest{1}, Size: 10}, {Kind: wim.PartRules, Name: "cn", Digest: wim.Digest{2}, Size: 10, From: 99},
	}}
	jws, err := SignManifest(k, m)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := VerifyManifest(jws, k.Verifier()); err != nil || got.Serial != 3 || len(got.Parcels) != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := VerifyManifest(jws, thief.Verifier()); !errors.Is(err, ErrSignature) {
		t.Errorf("error %v", err)
	}
	for name, edit := range map[string]func(*Manifest){
		"no serial":                 func(m *Manifest) { m.Serial = 0 },
		"an unknown kind":           func(m *Manifest) { m.Parcels[0].Kind = "weather" },
		"one part twice at a time":  func(m *Manifest) { m.Parcels[1].From = 0 },
		"a parcel without a digest": func(m *Manifest) { m.Parcels[0].Digest = wim.Digest{} },
		"an empty parcel":           func(m *Manifest) { m.Parcels[0].Size = 0 },
		"too many parcels":          func(m *Manifest) { m.Parcels = make([]Parcel, MaxParcels+1) },
	} {
		bad := m
		bad.Parcels = append([]Parcel(nil), m.Parcels...)
		edit(&bad)
		if _, err := SignManifest(k, bad); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ask, err := SignAsk(k, Ask{Site: "north-1", ID: wim.Nonce{1}, Plate: "川A12345", Color: wim.Yellow})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := VerifyAsk(ask, k.Verifier()); err != nil || got.Plate != "川A12345" || got.Color != wim.Yellow {
		t.Errorf("%+v, %v", got, err)
	}
	answer, err := SignAnswer(thief, Answer{Site: "north-1", ID: wim.Nonce{1}, Plate: "川A12345"})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := VerifyAnswer(answer, thief.Verifier()); err != nil || got.Registration != nil {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := VerifyAnswer(answer, k.Verifier()); !errors.Is(err, ErrSignature) {
		t.Errorf("error %v", err)
	}
	fetch, err := SignFetch(k, Fetch{Site: "north-1", Digest: wim.Digest{1}})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := PeekFetch(fetch); err != nil || got.Site != "north-1" {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := VerifyFetch(fetch, thief.Verifier()); !errors.Is(err, ErrSignature) {
		t.Errorf("error %v", err)
	}
}
