package seal

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

func TestATombstoneTakesARecordsPlaceUnderTheSitesKeyOnly(t *testing.T) {
	id, recs := chain(t, 4)
	k, thief := testSigner(t, 1), testSigner(t, 2)
	raw, digests := raws(recs)
	s := Segment{Version: 1, Site: "north-1", Chain: id, From: 1, Digests: digests}
	good := Tombstone{Site: "north-1", Chain: id, Seq: 3, Prev: digests[1], Digest: digests[2], Kind: wim.KindGap, Reason: "a damaged page"}
	for _, c := range []struct {
		name string
		err  error
		by   *Signer
		edit func(*Tombstone)
	}{
		{"in its place", nil, k, func(*Tombstone) {}},
		{"under a key that is not the site's", ErrSignature, thief, func(*Tombstone) {}},
		{"for a digest that was not signed", ErrSignature, k, func(t *Tombstone) { t.Digest = digests[3] }},
		{"that does not link", ErrMalformed, k, func(t *Tombstone) { t.Prev = digests[0] }},
		{"of another sequence", ErrMalformed, k, func(t *Tombstone) { t.Seq = 7 }},
		{"of another site", ErrMalformed, k, func(t *Tombstone) { t.Site = "south-2" }},
		{"of another chain", ErrMalformed, k, func(t *Tombstone) { t.Chain[0]++ }},
	} {
		t.Run(c.name, func(t *testing.T) {
			stone := good
			c.edit(&stone)
			jws, err := SignTombstone(c.by, stone)
			if err != nil {
				t.Fatal(err)
			}
			in := append([][]byte(nil), raw...)
			in[2] = jws
			got, err := CheckRecords(s, in, k.Verifier())
			if !errors.Is(err, c.err) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			if err == nil && (got[2].Kind != wim.KindTombstone || got[2].Prev != digests[1] || Opaque(recordOf(t, raw[3]))) {
				t.Errorf("opened as %+v", got[2])
			}
		})
	}
}

func recordOf(t *testing.T, raw []byte) *wim.Record {
	t.Helper()
	r, err := Open(raw)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAChainIsProvenAcrossATombstone(t *testing.T) {
	id, recs := chain(t, 4)
	k := testSigner(t, 1)
	raw, digests := raws(recs)
	stone, err := SignTombstone(k, Tombstone{Site: "north-1", Chain: id, Seq: 3, Prev: digests[1], Digest: digests[2], Reason: strings.Repeat("long ", 200)})
	if err != nil {
		t.Fatal(err)
	}
	if d, err := DigestOf(stone); err != nil || d != digests[2] || !IsTombstone(stone) || IsTombstone(raw[2]) {
		t.Errorf("digest %v, %v", d, err)
	}
	raw[2] = stone
	for _, keys := range [][]*Verifier{nil, {k.Verifier()}} {
		a := NewAuditor("north-1", id)
		a.Trust(keys...)
		for _, r := range raw {
			if _, err := a.Next(r); err != nil {
				t.Fatal(err)
			}
		}
		if a.Seq() != 4 || a.Head() != digests[3] {
			t.Errorf("proven to %d", a.Seq())
		}
	}
	a := NewAuditor("north-1", id)
	a.Trust(testSigner(t, 9).Verifier())
	a.Resume(2, digests[1])
	if _, err := a.Next(stone); !errors.Is(err, ErrSignature) {
		t.Errorf("a tombstone under a key that is not trusted: %v", err)
	}
}

func FuzzTombstone(f *testing.F) {
	id, recs := chain(f, 3)
	k := testSigner(f, 1)
	_, digests := raws(recs)
	stone, err := SignTombstone(k, Tombstone{Site: "north-1", Chain: id, Seq: 3, Prev: digests[1], Digest: digests[2], Reason: "r"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(stone)
	f.Add([]byte("a.b.c"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := VerifyTombstone(b, k.Verifier()); err == nil && !bytes.Equal(b, stone) {
			t.Errorf("believed another: %q", b)
		}
	})
}
