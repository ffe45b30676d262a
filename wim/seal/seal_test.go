package seal

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/axlegate/axlegate/wim"
)

var update = flag.Bool("update", false, "rewrite golden files that are not signed fixtures")

func TestARecordOpensAsWhatWasSealed(t *testing.T) {
	_, recs := chain(t, 3)
	r, err := Open(recs[1].Raw)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(r.Passage, passage()) {
		t.Errorf("passage changed on its way:\n have %+v\n want %+v", r.Passage, passage())
	}
	again, err := Record(r)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again.Raw, recs[1].Raw) {
		t.Error("sealing the opened record gives other bytes")
	}
	if !again.Urgent {
		t.Error("an exceeded passage must be urgent")
	}
}

func TestTheBytesOfARecordAreFixed(t *testing.T) {
	_, recs := chain(t, 5)
	var b bytes.Buffer
	for _, r := range recs {
		b.Write(r.Raw)
		b.WriteByte('\n')
	}
	golden(t, "records.ndjson", b.Bytes())
}

// What format 1 wrote is read as long as there are courts.
func TestRecordsOfTheFirstFormatAreRead(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("testdata", "v1-records.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSpace(b), []byte{'\n'})
	var a *Auditor
	for _, raw := range lines {
		r, err := Open(raw)
		if err != nil {
			t.Fatal(err)
		}
		if r.Format != 1 || Opaque(r) {
			t.Errorf("record %d: format %d, opaque %v", r.Seq, r.Format, Opaque(r))
		}
		if a == nil {
			a = NewAuditor(r.Site, r.Chain)
		}
		if _, err := a.Next(raw); err != nil {
			t.Error(err)
		}
		if _, err := Record(r); err == nil {
			t.Errorf("record %d was sealed in a format of the past", r.Seq)
		}
	}
	if a.Seq() != 3 {
		t.Errorf("proven to %d", a.Seq())
	}
}

// The fixtures are what releases wrote. They are never regenerated: a build that cannot read one breaks every
// site in the field.
func TestSegmentsOfEveryReleaseStillVerify(t *testing.T) {
	k := testSigner(t, 7)
	for _, c := range []struct {
		file  string
		kinds []wim.RecordKind
	}{
		{"v1-segment.bundle", []wim.RecordKind{wim.KindStart, wim.KindPassage, wim.KindGap}},
		{"v2-segment.bundle", []wim.RecordKind{wim.KindStart, wim.KindPassage, wim.KindTombstone, wim.KindConfiguration, wim.KindRotation, wim.KindPassage}},
	} {
		t.Run(c.file, func(t *testing.T) {
			path := filepath.Join("testdata", c.file)
			if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) && *update {
				writeFixture(t, path, k)
			}
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			jws, raw, err := ReadBundle(b)
			if err != nil {
				t.Fatal(err)
			}
			s, key, err := VerifySegment(jws, k.Verifier())
			if err != nil {
				t.Fatal(err)
			}
			recs, err := CheckRecords(s, raw, k.Verifier())
			if err != nil {
				t.Fatal(err)
			}
			var kinds []wim.RecordKind
			for _, r := range recs {
				kinds = append(kinds, r.Kind)
			}
			if key != k.ID || !slices.Equal(kinds, c.kinds) || recs[1].Passage.Facts.Vehicle.Gross != 58420 {
				t.Errorf("key %s, %v", key, kinds)
			}
			for _, r := range recs {
				if r.Rotation == nil {
					continue
				}
				if next, err := VerifyRotation(r, key); err != nil || next.ID != testSigner(t, 8).ID {
					t.Errorf("rotation to %v: %v", next, err)
				}
			}
		})
	}
}

func writeFixture(t *testing.T, path string, k *Signer) {
	t.Helper()
	id, recs := chain(t, 6)
	raw, digests := raws(recs)
	jws, err := SignSegment(k, Segment{Site: "north-1", Chain: id, From: 1, Digests: digests})
	if err != nil {
		t.Fatal(err)
	}
	if raw[2], err = SignTombstone(k, Tombstone{Site: "north-1", Chain: id, Seq: 3, Prev: digests[1], Digest: digests[2], Kind: wim.KindGap,
		Time: 1_790_000_000_000_000_002, Reason: "the page of the journal is damaged"}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, AppendBundle(nil, jws, raw), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsNotAsSignedIsRefused(t *testing.T) {
	id, recs := chain(t, 4)
	k, other := testSigner(t, 1), testSigner(t, 2)
	raw, digests := raws(recs)
	good := Segment{Site: "north-1", Chain: id, From: 1, Digests: digests}
	jws, err := SignSegment(k, good)
	if err != nil {
		t.Fatal(err)
	}
	check := func(jws string, raw [][]byte, keys ...*Verifier) error {
		s, _, err := VerifySegment(jws, keys...)
		if err != nil {
			return err
		}
		_, err = CheckRecords(s, raw)
		return err
	}
	changed := func(i int, f func([]byte) []byte) [][]byte {
		out := append([][]byte(nil), raw...)
		out[i] = f(bytes.Clone(out[i]))
		return out
	}
	receipt, err := SignReceipt(k, Receipt{Site: "north-1", Chain: id, Seq: 1, Digest: digests[0]})
	if err != nil {
		t.Fatal(err)
	}
	swapped, err := SignSegment(k, Segment{Site: "north-1", Chain: id, From: 2, Digests: digests})
	if err != nil {
		t.Fatal(err)
	}
	unlinked, err := SignSegment(k, Segment{Site: "north-1", Chain: id, From: 1, Digests: []wim.Digest{digests[0], digests[3]}})
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(jws, ".")
	for _, c := range []struct {
		name string
		err  error
		jws  string
		raw  [][]byte
		keys []*Verifier
	}{
		{"a good segment is taken", nil, jws, raw, []*Verifier{other.Verifier(), k.Verifier()}},
		{"a key that is not trusted", ErrSignature, jws, raw, []*Verifier{other.Verifier()}},
		{"no key at all", ErrSignature, jws, raw, nil},
		{"one bit of a record changed", ErrSignature, jws, changed(1, func(b []byte) []byte { b[40] ^= 1; return b }), []*Verifier{k.Verifier()}},
		{"a record too few", ErrMalformed, jws, raw[:3], []*Verifier{k.Verifier()}},
		{"records in another order", ErrSignature, jws, [][]byte{raw[0], raw[2], raw[1], raw[3]}, []*Verifier{k.Verifier()}},
		{"a signature cut short", ErrSignature, jws[:len(jws)-4], raw, []*Verifier{k.Verifier()}},
		{"another payload under the same signature", ErrSignature, parts[0] + "." + strings.Split(swapped, ".")[1] + "." + parts[2], raw, []*Verifier{k.Verifier()}},
		{"sequences shifted by the signer", ErrMalformed, swapped, raw, []*Verifier{k.Verifier()}},
		{"records that do not link", ErrMalformed, unlinked, [][]byte{raw[0], raw[3]}, []*Verifier{k.Verifier()}},
		{"a receipt in place of a segment", ErrMalformed, receipt, raw, []*Verifier{k.Verifier()}},
		{"no signature but the word none", ErrMalformed, "eyJhbGciOiJub25lIn0." + parts[1] + ".", raw, []*Verifier{k.Verifier()}},
		{"no JWS", ErrMalformed, "hello", raw, []*Verifier{k.Verifier()}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := check(c.jws, c.raw, c.keys...)
			if !errors.Is(err, c.err) {
				t.Errorf("error %v, want %v", err, c.err)
			}
		})
	}
}

func TestARecordMustBeWhatItSays(t *testing.T) {
	_, recs := chain(t, 3)
	start, pass := string(recs[0].Raw), string(recs[1].Raw)
	for _, c := range []struct{ name, raw string }{
		{"empty", ""},
		{"no JSON", "passage"},
		{"an unknown field", strings.Replace(pass, `"format":2`, `"format":2,"colour":"red"`, 1)},
		{"a field of format 2 in format 1", strings.Replace(pass, `"format":2`, `"format":1`, 1)},
		{"a tombstone without a signature", strings.Replace(pass, `"kind":"passage"`, `"kind":"tombstone"`, 1)},
		{"bytes behind it", pass + "{}"},
		{"no sequence", strings.Replace(pass, `"seq":2`, `"seq":0`, 1)},
		{"a first record that links back", strings.Replace(pass, `"seq":2`, `"seq":1`, 1)},
		{"a chain-start in the middle", strings.NewReplacer(`"seq":1`, `"seq":5`, `"prev":"`+wim.Digest{}.String(), `"prev":"`+recs[0].Digest.String()).Replace(start)},
		{"another body than its kind", strings.Replace(pass, `"kind":"passage"`, `"kind":"gap"`, 1)},
		{"an unknown flag", strings.Replace(pass, `"trailer-unread"`, `"ufo"`, 1)},
		{"a site that is no name", strings.Replace(pass, `"site":"north-1"`, `"site":"North/1"`, 1)},
		{"too large", strings.Replace(pass, `"build":"test"`, `"build":"`+strings.Repeat("x", MaxRecord)+`"`, 1)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.raw == pass {
				t.Fatal("the case changes nothing")
			}
			if r, err := Open([]byte(c.raw)); !errors.Is(err, ErrMalformed) {
				t.Errorf("opened as %+v, error %v", r, err)
			}
		})
	}
}

func TestAKindFromTheFutureIsHeldOpaque(t *testing.T) {
	_, recs := chain(t, 2)
	raw := strings.Replace(string(recs[1].Raw), `"kind":"passage"`, `"kind":"drone-sighting"`, 1)
	r, err := Open([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	if !Opaque(r) || r.Seq != 2 || r.Passage != nil {
		t.Errorf("have %+v", r)
	}
}

func TestTheAuditorNamesTheFirstBadRecord(t *testing.T) {
	id, recs := chain(t, 6)
	audit := func(recs [][]byte) (uint64, error) {
		a := NewAuditor("north-1", id)
		for _, r := range recs {
			if _, err := a.Next(r); err != nil {
				return a.Seq(), err
			}
		}
		return a.Seq(), nil
	}
	raw, _ := raws(recs)
	if n, err := audit(raw); err != nil || n != 6 {
		t.Fatalf("a whole chain: proven to %d, %v", n, err)
	}
	edited := append([][]byte(nil), raw...)
	edited[2] = bytes.Replace(raw[2], []byte(`"to":9`), []byte(`"to":8`), 1)
	if n, err := audit(edited); err == nil || n != 3 || !strings.Contains(err.Error(), "record 4 links to") {
		t.Errorf("an edited record 3 shows at the link of record 4: proven to %d, %v", n, err)
	}
	if n, err := audit(append(raw[:2:2], raw[3:]...)); err == nil || n != 2 {
		t.Errorf("a missing record 3: proven to %d, %v", n, err)
	}
	a := NewAuditor("north-1", id)
	a.Resume(3, recs[2].Digest)
	if _, err := a.Next(raw[3]); err != nil || a.Seq() != 4 || a.Head() != recs[3].Digest {
		t.Errorf("a pruned chain goes on from its known link: %v", err)
	}
}

func TestReceiptsAndGrantsHoldOnlyUnderTheirKey(t *testing.T) {
	id, recs := chain(t, 2)
	center, thief := testSigner(t, 3), testSigner(t, 4)
	want := Receipt{Version: 1, Site: "north-1", Chain: id, Seq: 2, Digest: recs[1].Digest, Epoch: 9, Time: 5}
	jws, err := SignReceipt(center, want)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := VerifyReceipt(jws, center.Verifier()); err != nil || got != want {
		t.Errorf("have %+v, %v", got, err)
	}
	forged, err := SignReceipt(thief, want)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := VerifyReceipt(forged, center.Verifier()); !errors.Is(err, ErrSignature) {
		t.Errorf("a forged receipt: %v", err)
	}
	g, err := SignPicture(center, PictureGrant{Site: "north-1", Digest: recs[0].Digest, Time: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := VerifyReceipt(g, center.Verifier()); !errors.Is(err, ErrMalformed) {
		t.Errorf("a picture grant is no receipt: %v", err)
	}
	if p, err := PeekPicture(g); err != nil || p.Site != "north-1" {
		t.Errorf("peek: %+v, %v", p, err)
	}
	if _, err := VerifyPicture(g, thief.Verifier()); !errors.Is(err, ErrSignature) {
		t.Errorf("a grant under another key: %v", err)
	}
}

func TestKeyFiles(t *testing.T) {
	dir := t.TempDir()
	k, err := GenerateSigner()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "keys", "site.pem")
	if err := k.WriteFiles(path); err != nil {
		t.Fatal(err)
	}
	back, err := ReadSigner(path)
	if err != nil || back.ID != k.ID {
		t.Fatalf("read back %v, %v", back, err)
	}
	pub, err := ReadVerifier(path + ".pub")
	if err != nil || pub.ID != k.ID || pub.Algorithm() != "EdDSA" {
		t.Fatalf("public half %v, %v", pub, err)
	}
	if err := k.WriteFiles(path); err == nil {
		t.Error("a key was overwritten")
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadSigner(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key that others may read: %v", err)
	}
	if _, err := ReadSigner(filepath.Join(dir, "none")); err == nil || !strings.Contains(err.Error(), "axlegate keys new") {
		t.Errorf("a missing key: %v", err)
	}
	if _, err := ReadVerifier(path); err == nil {
		t.Error("a private key was read as a public one")
	}
}

func TestABundleComesApartAsItWasPutTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		jws := rapid.StringN(0, 200, 2000).Draw(t, "jws")
		recs := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 300), 1, MaxSegmentRecords).Draw(t, "records")
		gotJWS, got, err := ReadBundle(AppendBundle(nil, jws, recs))
		if err != nil || gotJWS != jws || len(got) != len(recs) {
			t.Fatalf("%v", err)
		}
		for i := range recs {
			if !bytes.Equal(recs[i], got[i]) {
				t.Fatalf("record %d differs", i)
			}
		}
	})
}

func FuzzReadBundle(f *testing.F) {
	_, recs := chain(f, 2)
	raw, _ := raws(recs)
	f.Add(AppendBundle(nil, "a.b.c", raw))
	f.Add([]byte{1, 0, 0, 0, 0, 0, 1, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, b []byte) {
		jws, got, err := ReadBundle(b)
		if err != nil {
			return
		}
		if !bytes.Equal(AppendBundle(nil, jws, got), b) {
			t.Error("an accepted bundle has a second form")
		}
	})
}

func FuzzOpen(f *testing.F) {
	_, recs := chain(f, 3)
	for _, r := range recs {
		f.Add(r.Raw)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Open(b)
		if err != nil || Opaque(r) {
			return
		}
		r.Format = wim.RecordFormat
		if _, err := Record(r); err != nil {
			t.Errorf("opened but cannot be sealed: %v", err)
		}
	})
}

func BenchmarkSealRecord(b *testing.B) {
	_, recs := chain(b, 2)
	r, err := Open(recs[1].Raw)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Record(r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSignSegmentOf64(b *testing.B) {
	id, recs := chain(b, 64)
	k := testSigner(b, 1)
	_, digests := raws(recs)
	for b.Loop() {
		if _, err := SignSegment(k, Segment{Site: "north-1", Chain: id, From: 1, Digests: digests}); err != nil {
			b.Fatal(err)
		}
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s changed; what was sealed before must stay readable.\n have %s\n want %s", name, got, want)
	}
}
