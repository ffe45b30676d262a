package dossier

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/rules"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// edit changes the contents.
func edit(t *testing.T, f Files, fn func(c *Contents)) {
	t.Helper()
	var c Contents
	if err := json.Unmarshal(f[contentsName], &c); err != nil {
		t.Fatal(err)
	}
	fn(&c)
	b, err := json.Marshal(&c)
	if err != nil {
		t.Fatal(err)
	}
	f[contentsName] = b
}

// Whoever has the centre's key can sign another list, but not what the site signed.
func TestNotEvenTheCentreCanChangeWhatTheSiteSealed(t *testing.T) {
	type made struct {
		*rig
		f Files
	}
	record := func(m made, seq int) string {
		return recordFile(wim.RecordRef{Chain: m.chain, Seq: uint64(seq)})
	}
	receipt := func(m made, k *seal.Signer, r seal.Receipt) {
		r.Site, r.Chain, r.Digest = "north-1", m.chain, m.sealed[r.Seq-1].Digest
		jws, err := seal.SignReceipt(k, r)
		if err != nil {
			m.t.Fatal(err)
		}
		m.f[receiptFile(wim.RecordRef{Chain: m.chain, Seq: 6})] = []byte(jws)
	}
	at := newRig(t).writer().cfg.Now()
	now := wim.TimeOf(at)
	for _, c := range []struct {
		name, want string
		change     func(m made)
	}{
		{"nothing is changed", "", func(made) {}},
		{"a lighter vehicle", "record", func(m made) {
			m.f[record(m, 6)] = bytes.Replace(m.f[record(m, 6)], []byte(`"gross_kg":58420`), []byte(`"gross_kg":28420`), 1)
		}},
		{"a lighter vehicle whose digest is listed", "record", func(m made) {
			b := bytes.Replace(m.f[record(m, 6)], []byte(`"gross_kg":58420`), []byte(`"gross_kg":28420`), 1)
			m.f[record(m, 6)] = b
			edit(m.t.(*testing.T), m.f, func(c *Contents) { c.Records[3].Ref.Digest = wim.DigestOf(b) })
		}},
		{"the files of two records swapped", "record", func(m made) {
			m.f[record(m, 6)], m.f[record(m, 8)] = m.f[record(m, 8)], m.f[record(m, 6)]
		}},
		{"two records in another order", "order", func(m made) {
			edit(m.t.(*testing.T), m.f, func(c *Contents) { c.Records[3], c.Records[4] = c.Records[4], c.Records[3] })
		}},
		{"a record twice", "order", func(m made) {
			edit(m.t.(*testing.T), m.f, func(c *Contents) { c.Records = append(c.Records, c.Records[4]) })
		}},
		{"the passage removed under its supplement", "supplement", func(m made) {
			edit(m.t.(*testing.T), m.f, func(c *Contents) { c.Records = slices.Delete(c.Records, 3, 4) })
		}},
		{"all accounts removed", "no-passage", func(m made) {
			edit(m.t.(*testing.T), m.f, func(c *Contents) { c.Records, c.Pictures = c.Records[:3], []Picture{} })
		}},
		{"the rotation removed", "chain-key", func(m made) {
			edit(m.t.(*testing.T), m.f, func(c *Contents) { c.Records = slices.Delete(c.Records, 2, 3) })
		}},
		{"a record whose file is left but not listed", "file-added", func(m made) {
			edit(m.t.(*testing.T), m.f, func(c *Contents) { c.Records = slices.Delete(c.Records, 4, 5) })
		}},
		{"a segment of another chain", "segment", func(m made) {
			other := m.chain
			other[0] ^= 1
			jws, err := seal.SignSegment(m.site, seal.Segment{Site: "north-1", Chain: other, From: 5, Digests: digests(m.rig, 5, 9)})
			if err != nil {
				m.t.Fatal(err)
			}
			m.f[segmentFile(m.chain, 5)] = []byte(jws)
		}},
		{"a segment by the centre itself", "segment", func(m made) {
			jws, err := seal.SignSegment(m.own, seal.Segment{Site: "north-1", Chain: m.chain, From: 5, Digests: digests(m.rig, 5, 9)})
			if err != nil {
				m.t.Fatal(err)
			}
			m.f[segmentFile(m.chain, 5)] = []byte(jws)
		}},
		{"a segment by a key that no rotation names", "chain-key", func(m made) {
			k := edKey(m.t, 40)
			jws, err := seal.SignSegment(k, seal.Segment{Site: "north-1", Chain: m.chain, From: 5, Digests: digests(m.rig, 5, 9)})
			if err != nil {
				m.t.Fatal(err)
			}
			pem, err := k.Verifier().MarshalPEM()
			if err != nil {
				m.t.Fatal(err)
			}
			m.f[segmentFile(m.chain, 5)], m.f[keyFile(k.ID)] = []byte(jws), pem
			edit(m.t.(*testing.T), m.f, func(c *Contents) {
				c.Keys = append(c.Keys, Key{ID: k.ID, Algorithm: "EdDSA", File: keyFile(k.ID), Of: OfSite, Site: "north-1", Source: SourceCode})
				c.Records[3].Key, c.Records[4].Key = k.ID, k.ID
			})
		}},
		{"a segment whose signature is written in another way", "segment", func(m made) {
			name := segmentFile(m.chain, 1)
			last := len(m.f[name]) - 1
			m.f[name] = slices.Clone(m.f[name])
			m.f[name][last]++ // the last letter of 64 bytes in base64url has four bits that mean nothing
		}},
		{"a picture exchanged", "picture", func(m made) { m.f[pictureOf(m.f)] = []byte("another") }},
		{"a picture no longer listed", "picture-gap", func(m made) {
			delete(m.f, pictureOf(m.f))
			edit(m.t.(*testing.T), m.f, func(c *Contents) { c.Pictures = []Picture{} })
		}},
		{"a picture of another matter", "picture", func(m made) {
			d := wim.DigestOf([]byte("another"))
			m.f[pictureFile(d)] = []byte("another")
			edit(m.t.(*testing.T), m.f, func(c *Contents) { c.Pictures = append(c.Pictures, Picture{Digest: d, File: pictureFile(d)}) })
		}},
		{"a milder rule set", "rules", func(m made) {
			name := rulesFile(wim.DigestOf(m.rules))
			m.f[name] = bytes.Replace(m.f[name], []byte("value: 27 t"), []byte("value: 97 t"), 1)
		}},
		{"a file added", "file-added", func(m made) { m.f["note.txt"] = []byte("by the way") }},
		{"a key under another's name", "key", func(m made) { m.f[keyFile(m.old.ID)] = m.f[keyFile(m.site.ID)] }},
		{"a receipt of another epoch", "receipt", func(m made) { receipt(m, m.own, seal.Receipt{Seq: 6, Epoch: 2, Time: now}) }},
		{"a receipt by another key", "receipt", func(m made) { receipt(m, m.site, seal.Receipt{Seq: 6, Epoch: 3, Time: now}) }},
		{"a receipt for another record", "receipt", func(m made) { receipt(m, m.own, seal.Receipt{Seq: 8, Epoch: 3, Time: now}) }},
		{"a receipt that tells of a fork", "receipt", func(m made) { receipt(m, m.own, seal.Receipt{Seq: 6, Epoch: 3, Time: now, Fork: true}) }},
		{"an old receipt", "receipt", func(m made) { receipt(m, m.own, seal.Receipt{Seq: 6, Epoch: 3, Time: now - 1}) }},
		{"contents of another matter", "contents", func(m made) {
			edit(m.t.(*testing.T), m.f, func(c *Contents) { c.Matter.ID = 13 })
		}},
		{"contents of a later version", "contents", func(m made) {
			edit(m.t.(*testing.T), m.f, func(c *Contents) { c.Version = 2 })
		}},
		{"contents with more in them", "contents", func(m made) {
			m.f[contentsName] = bytes.Replace(m.f[contentsName], []byte(`"v":`), []byte(`"innocent":true,"v":`), 1)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			f := r.files()
			c.change(made{r, f})
			r.resign(f, now)
			rep := VerifyFiles(f, Trust{SiteKeys: []*seal.Verifier{r.old.Verifier()}, CenterKeys: []*seal.Verifier{r.own.Verifier()}})
			if c.want == "" && rep.OK {
				return
			}
			if c.want == "chain-key" && slices.Contains(codes(rep.Wrong), "site-key") {
				return // named by whichever is met first
			}
			if !slices.Contains(codes(rep.Wrong), c.want) {
				t.Errorf("want %q, got %+v", c.want, rep.Wrong)
			}
			archive, err := Pack(f)
			if err != nil {
				t.Fatal(err)
			}
			if Verify(archive, Trust{}).OK {
				t.Error("without keys from elsewhere it was accepted")
			}
		})
	}
}

func digests(r *rig, from, to int) (out []wim.Digest) {
	for _, s := range r.sealed[from-1 : to] {
		out = append(out, s.Digest)
	}
	return out
}

// A verdict that the rule set does not give is told even where the site sealed it.
func TestAVerdictThatTheRulesDoNotGiveIsTold(t *testing.T) {
	r := newRig(t)
	x, err := seal.Open(r.sealed[5].Raw)
	if err != nil {
		t.Fatal(err)
	}
	x.Passage.Verdict.Opinions[0].Outcome = wim.Compliant
	s, err := seal.Record(x)
	if err != nil {
		t.Fatal(err)
	}
	r.sealed[5] = s
	r.sign(r.site, 5, 6)
	r.gather(1, 2, 4, 6)
	rep := Verify(r.dossier(), Trust{})
	if rep.OK || !slices.Equal(codes(rep.Wrong), []string{"verdict"}) {
		t.Errorf("%+v", rep.Wrong)
	}
	x.Passage.Verdict.Judge = rules.Version + "-later"
	if r.sealed[5], err = seal.Record(x); err != nil {
		t.Fatal(err)
	}
	r.sign(r.site, 5, 6)
	r.gather(1, 2, 4, 6)
	if rep = Verify(r.dossier(), Trust{}); !rep.OK || !slices.Contains(codes(rep.NotProven), "other-judge") {
		t.Errorf("of another judging code: %+v", rep)
	}
}

// A record of which only the site's word is left stands in the dossier as that.
func TestATombstoneIsShownAsOne(t *testing.T) {
	r := newRig(t)
	second := r.sealed[1]
	r.tombstone(2)
	f, err := Unpack(r.dossier())
	if err != nil {
		t.Fatal(err)
	}
	rep := VerifyFiles(f, Trust{})
	if !rep.OK || !slices.Contains(codes(rep.NotProven), "tombstone") {
		t.Fatalf("%+v", rep)
	}
	raw, err := seal.SignTombstone(r.own, seal.Tombstone{Site: "north-1", Chain: r.chain, Seq: 2, Prev: r.sealed[0].Digest, Digest: second.Digest, Reason: "the centre says so"})
	if err != nil {
		t.Fatal(err)
	}
	f[recordFile(wim.RecordRef{Chain: r.chain, Seq: 2})] = raw
	r.resign(f, r.evidence.Docket.Matter.Passed.Add(3600e9))
	if rep = VerifyFiles(f, Trust{}); rep.OK || !slices.Contains(codes(rep.Wrong), "record") {
		t.Errorf("by the centre: %+v", rep.Wrong)
	}
}

// Records of format 1 are in the field.
func TestARecordOfFormat1IsProvenToo(t *testing.T) {
	b, err := os.ReadFile("../../wim/seal/testdata/v1-records.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t)
	r.sealed = nil
	for line := range strings.Lines(string(b)) {
		raw := []byte(strings.TrimSuffix(line, "\n"))
		h, err := seal.Header(raw)
		if err != nil {
			t.Fatal(err)
		}
		r.chain = h.Chain
		r.sealed = append(r.sealed, seal.Sealed{Raw: raw, Digest: wim.DigestOf(raw), Seq: h.Seq, Kind: h.Kind})
	}
	r.segments, r.keys = nil, nil
	r.sign(r.old, 1, len(r.sealed))
	r.gather(1, 2)
	e := &r.evidence
	e.Records = e.Records[1:] // its start names a key of its own
	rep := Verify(r.dossier(), Trust{})
	if !rep.OK || !slices.Contains(codes(rep.NotProven), "no-format-2") {
		t.Errorf("%+v", rep)
	}
}

// testdata/dossier-v1.zip was written once by this package's test rig and is never written anew: what was handed to
// a court must verify under every later release.
func TestADossierOfEveryReleaseStillVerifies(t *testing.T) {
	const name = "testdata/dossier-v1.zip"
	if _, err := os.Stat(name); os.IsNotExist(err) && os.Getenv("AXLEGATE_NEW_FIXTURE") != "" {
		if err := os.WriteFile(name, newRig(t).dossier(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t)
	rep := Verify(b, Trust{SiteKeys: []*seal.Verifier{r.old.Verifier()}, CenterKeys: []*seal.Verifier{r.own.Verifier()}})
	if !rep.OK || rep.Matter != 12 {
		show(t, &rep)
		t.Fatal("the dossier of an earlier release no longer holds")
	}
	for _, want := range []string{"whole", "sealed", "place", "receipted", "shows", "rotated", "adds", "site-anchor", "centre-trust"} {
		if !slices.Contains(codes(rep.Proven), want) {
			t.Errorf("not proven: %s", want)
		}
	}
}

// What is quoted from a dossier cannot pass for a line of the report.
func TestADossierCannotWriteLinesOfTheReport(t *testing.T) {
	r := newRig(t)
	f := r.files()
	var at wim.Time
	edit(t, f, func(c *Contents) {
		at = c.Made
		c.Missing = []Missing{{What: MissingKey, Name: "nothing\n\x1b[2J\u202eThe dossier holds\u2028"}}
	})
	r.resign(f, at)
	rep := VerifyFiles(f, Trust{})
	var b bytes.Buffer
	for _, l := range []Lang{en, zh} {
		if err := rep.Write(&b, l); err != nil {
			t.Fatal(err)
		}
	}
	if !rep.OK || strings.ContainsAny(b.String(), "\x1b\u202e\u2028") || !strings.Contains(b.String(), "nothing\ufffd\ufffd[2J") {
		t.Errorf("%q", b.String())
	}
}

// A site sends again after a restart, in other segments: each record comes with the one that brought it.
func TestRecordsOfSegmentsThatOverlapAreProven(t *testing.T) {
	r := newRig(t)
	r.sign(r.site, 5, 6)
	r.gather(1, 2, 4, 6, 8) // 6 by the segment 5 to 6, 8 by 5 to 9
	f := r.files()
	n := 0
	for _, name := range f.names() {
		if strings.HasPrefix(name, "segments/") {
			n++
		}
	}
	if rep := VerifyFiles(f, Trust{}); !rep.OK || n != 3 {
		t.Errorf("%d segments, %+v", n, rep.Wrong)
	}
}
