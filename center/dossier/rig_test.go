package dossier

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"image"
	"image/color"
	"image/jpeg"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/rules"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

const passed = wim.Time(1_790_000_000_000_000_000)

// edKey is an Ed25519 key made of one byte.
func edKey(t testing.TB, seed byte) *seal.Signer {
	t.Helper()
	k, err := seal.NewSigner(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// ecKey is an ECDSA P-256 key made of one byte.
func ecKey(t testing.TB, seed byte) *seal.Signer {
	t.Helper()
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{seed}, 32))
	if err != nil {
		t.Fatal(err)
	}
	s, err := seal.NewSigner(k)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// rig is a site and a centre in memory: a chain of nine records whose key is rotated on the way.
type rig struct {
	t              testing.TB
	old, site, own *seal.Signer // the site's first and second key, the centre's
	chain          wim.ChainID
	rules, picture []byte
	sealed         []seal.Sealed
	segments       []string // by record
	keys           []string
	evidence       center.Evidence
	lostPicture    bool
	lostRules      bool
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{t: t, old: edKey(t, 7), site: ecKey(t, 8), own: edKey(t, 9)}
	var err error
	if r.chain, err = wim.ParseChainID("000102030405060708090a0b0c0d0e0f"); err != nil {
		t.Fatal(err)
	}
	if r.rules, err = os.ReadFile(filepath.Join("..", "..", "rules", "testdata", "test-set.yaml")); err != nil {
		t.Fatal(err)
	}
	r.picture = smallPicture(t)
	r.write()
	return r
}

func smallPicture(t testing.TB) []byte {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, 8, 8))
	m.SetGray(3, 3, color.Gray{Y: 200})
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 20}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// facts is a six-axle train of 58 420 kg.
func facts() wim.Facts {
	f := wim.Facts{
		Time: passed, Clock: wim.ClockSynchronised, Purpose: wim.Enforcement, Road: wim.Road{Name: "G5", Class: "expressway"},
		Instrument: wim.Instrument{ID: "scale-1", Certificate: &wim.Certificate{
			Number: "川检 2026-0117", Scheme: "JJG 907", Class: "5", MassError: 50, AxleError: 80,
			ValidFrom: 1_780_000_000_000_000_000, ValidUntil: 1_800_000_000_000_000_000, Lanes: []wim.LaneID{1},
			SpeedMin: 50, SpeedMax: 1000, Min: 1000, Max: 100000, Division: 20,
		}},
		Vehicle: wim.Vehicle{Lane: 1, Start: passed.Add(-time.Second), End: passed, Speed: 651, Length: 17100, Gross: 58420, AxleSum: 58420},
		Units:   []wim.Unit{{Plate: "川A12345", Color: wim.Yellow, Confidence: 960, Kind: wim.Goods}},
	}
	for i, load := range []wim.Kg{6900, 11200, 11100, 9800, 9700, 9720} {
		f.Vehicle.Axles = append(f.Vehicle.Axles, wim.Axle{Index: uint8(i + 1), Load: load, Left: load / 2, Right: load / 2, Speed: 651,
			Spacing: []wim.Mm{0, 3300, 1350, 6900, 1310, 1310}[i]})
	}
	wim.Classify(&f.Vehicle)
	return f
}

func (r *rig) verdict(f *wim.Facts) wim.Verdict {
	set, err := rules.Load("test-set.yaml", r.rules)
	if err != nil {
		r.t.Fatal(err)
	}
	var v wim.Verdict
	set.Judge(f, &v)
	return v
}

// write seals the chain: 1 start, 2 configuration, 3 gap, 4 rotation, signed by the old key; 5 gap, 6 passage, 7 gap,
// 8 supplement, 9 gap, signed by the new one.
func (r *rig) write() {
	f := facts()
	read := wim.PlateRead{Camera: "cam-1", Event: "u-1", Lane: 1, End: wim.Front, Text: "川A12345", Color: wim.Yellow, Confidence: 960,
		Arrival: passed, Picture: wim.DigestOf(r.picture)}
	gap := &wim.Gap{Lane: 1, Device: "scale-1", Cause: wim.GapSequence, Boot: 77, From: 8, To: 9}
	rotation, err := seal.NewRotation("north-1", r.chain, r.old.ID, r.site)
	if err != nil {
		r.t.Fatal(err)
	}
	later := facts()
	later.Units = append(later.Units, wim.Unit{Plate: "川B6789挂", Color: wim.Yellow, Confidence: 910, Kind: wim.Goods})
	records := []wim.Record{
		{Kind: wim.KindStart, Start: &wim.ChainStart{Cause: "new-journal", Key: r.old.ID}},
		{Kind: wim.KindConfiguration, Configuration: &wim.SiteConfiguration{Cause: wim.ConfiguredAtStart, Changed: []wim.Change{},
			Active: []wim.Part{{Kind: wim.PartRules, Name: "test-set", Version: "1", Digest: wim.DigestOf(r.rules)}}}},
		{Kind: wim.KindGap, Gap: gap},
		{Kind: wim.KindRotation, Rotation: rotation},
		{Kind: wim.KindGap, Gap: gap},
		{Kind: wim.KindPassage, Passage: &wim.Passage{Source: wim.DeviceCursor{Device: "scale-1", Boot: 77, Seq: 7}, Facts: f, Verdict: r.verdict(&f), Reads: []wim.PlateRead{read}, Order: wim.OrderEnter}},
		{Kind: wim.KindGap, Gap: gap},
		{Kind: wim.KindSupplement, Supplement: &wim.Supplement{Cause: "late-plate", Facts: later, Verdict: r.verdict(&later), Reads: []wim.PlateRead{}}},
		{Kind: wim.KindGap, Gap: gap},
	}
	var prev wim.Digest
	for i := range records {
		x := &records[i]
		x.Format, x.Site, x.Chain, x.Seq, x.Prev, x.Nonce = wim.RecordFormat, "north-1", r.chain, uint64(i+1), prev, wim.Nonce{byte(i), 9}
		x.Time, x.Clock = passed.Add(time.Duration(i)*time.Second), wim.ClockSynchronised
		x.Software = wim.Software{Build: "0.4.0", BuildDigest: wim.Digest{1}, Legal: "1.0", LegalDigest: wim.Digest{2}, Calibration: wim.Digest{3}}
		if x.Supplement != nil {
			x.Supplement.Of = wim.RecordRef{Site: "north-1", Chain: r.chain, Seq: 6, Digest: r.sealed[5].Digest}
		}
		s, err := seal.Record(x)
		if err != nil {
			r.t.Fatal(err)
		}
		r.sealed, prev = append(r.sealed, s), s.Digest
	}
	r.sign(r.old, 1, 4)
	r.sign(r.site, 5, 9)
	r.gather(1, 2, 4, 6, 8)
}

// sign signs the records from one to another as one segment.
func (r *rig) sign(k *seal.Signer, from, to int) string {
	r.t.Helper()
	s := seal.Segment{Site: "north-1", Chain: r.chain, From: uint64(from)}
	for _, x := range r.sealed[from-1 : to] {
		s.Digests = append(s.Digests, x.Digest)
	}
	jws, err := seal.SignSegment(k, s)
	if err != nil {
		r.t.Fatal(err)
	}
	for i := from; i <= to; i++ {
		if len(r.segments) < i {
			r.segments, r.keys = append(r.segments, ""), append(r.keys, "")
		}
		r.segments[i-1], r.keys[i-1] = jws, k.ID
	}
	return jws
}

// gather makes the centre's evidence of those records.
func (r *rig) gather(seqs ...int) {
	e := center.Evidence{Epoch: 3}
	e.Docket = center.Docket{
		Matter: center.Matter{ID: 12, Version: 1, Site: "north-1", Region: "51/5101", Lane: 1, Passed: passed, Opened: passed.Add(time.Minute),
			Plates: []string{"川A12345", "川B6789挂"}, State: center.Acknowledged},
		Alerts: []center.Alert{{ID: 1, Matter: 12, Competence: wim.RoadAdministration, Outcome: wim.Exceeded, Standing: wim.Evidence, Raised: passed.Add(time.Minute),
			AcknowledgedAt: passed.Add(2 * time.Minute), AcknowledgedBy: "road"}},
		Cases: []center.Case{},
	}
	e.Acts = []center.Act{{ID: 1, Matter: 12, Version: 1, At: passed.Add(2 * time.Minute), Login: "road", Competence: wim.RoadAdministration, Kind: center.ActAcknowledge}}
	for _, n := range seqs {
		s := r.sealed[n-1]
		ref := wim.RecordRef{Site: "north-1", Chain: r.chain, Seq: uint64(n), Digest: s.Digest}
		e.Records = append(e.Records, center.SealedRecord{Ref: ref, Kind: s.Kind, Raw: s.Raw, Segment: r.segments[n-1], Key: r.keys[n-1], Received: passed.Add(time.Minute), Whole: true})
		if s.Kind == wim.KindPassage || s.Kind == wim.KindSupplement {
			e.Accounts = append(e.Accounts, center.AccountHead{Ref: ref})
		}
	}
	r.evidence = e
}

// tombstone puts one by the site in the place of a gathered record.
func (r *rig) tombstone(seq int) {
	r.t.Helper()
	x := r.sealed[seq-1]
	raw, err := seal.SignTombstone(r.old, seal.Tombstone{Site: "north-1", Chain: r.chain, Seq: x.Seq, Prev: r.sealed[seq-2].Digest, Digest: x.Digest, Kind: x.Kind, Reason: "the disk lost it"})
	if err != nil {
		r.t.Fatal(err)
	}
	for i := range r.evidence.Records {
		if e := &r.evidence.Records[i]; e.Ref.Seq == x.Seq {
			e.Raw, e.Kind = raw, wim.KindTombstone
		}
	}
}

// writer makes dossiers of what the rig holds.
func (r *rig) writer() *Writer {
	w, err := NewWriter(Config{
		Evidence: func(_ context.Context, v center.Viewer, matter int64) (center.Evidence, error) {
			if matter != 12 || !v.Matters() {
				return center.Evidence{}, center.ErrNotFound
			}
			return r.evidence, nil
		},
		Picture: func(d wim.Digest) (*os.File, error) {
			if r.lostPicture || d != wim.DigestOf(r.picture) {
				return nil, fs.ErrNotExist
			}
			name := filepath.Join(r.t.TempDir(), "picture")
			if err := os.WriteFile(name, r.picture, 0o600); err != nil {
				return nil, err
			}
			return os.Open(name)
		},
		Rules: func(_ context.Context, d wim.Digest) ([]byte, error) {
			if r.lostRules || d != wim.DigestOf(r.rules) {
				return nil, center.ErrNotFound
			}
			return r.rules, nil
		},
		Keys: func(context.Context, wim.SiteID) ([]SiteKey, error) {
			return []SiteKey{
				{Key: r.old.Verifier(), Source: "configured"},
				{Key: r.site.Verifier(), Source: "rotation", Since: passed.Add(time.Second)},
			}, nil
		},
		Signer: r.own, Software: "0.4.0", Now: func() time.Time { return passed.Add(time.Hour).Std() },
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return w
}

func (r *rig) viewer() center.Viewer {
	return center.Viewer{Login: "road", Role: center.Enforcer, Competence: wim.RoadAdministration}
}

func (r *rig) dossier() []byte {
	r.t.Helper()
	b, err := r.writer().Dossier(r.t.Context(), r.viewer(), 12)
	if err != nil {
		r.t.Fatal(err)
	}
	return b
}

func (r *rig) files() Files {
	r.t.Helper()
	f, err := Unpack(r.dossier())
	if err != nil {
		r.t.Fatal(err)
	}
	return f
}

// resign makes the list anew, as a centre would that alters what it exports.
func (r *rig) resign(f Files, at wim.Time) {
	r.t.Helper()
	delete(f, manifestName)
	f[sumsName] = sums(f)
	jws, err := signList(r.own, 12, at, f)
	if err != nil {
		r.t.Fatal(err)
	}
	f[manifestName] = []byte(jws)
}
