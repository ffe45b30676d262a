package dossier

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/internal/testenv"
)

// expert follows docs/dossier.md in a folder with a dossier.
func expert(t *testing.T, archive []byte) (said string, err error) {
	t.Helper()
	page, err := os.ReadFile("../../docs/dossier.md")
	if err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	for i, part := range strings.Split(string(page), "```") {
		if block, ok := strings.CutPrefix(part, "sh\n"); ok && i%2 == 1 {
			script.WriteString(block)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "dossier.zip"), archive, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "bash")
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(script.String())
	cmd.Env = append(os.Environ(), "TMPDIR="+dir, "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestTheExpertsPageHoldsOnTheDossierOfEveryRelease(t *testing.T) {
	testenv.Expert(t)
	b, err := os.ReadFile("testdata/dossier-v1.zip")
	if err != nil {
		t.Fatal(err)
	}
	said, err := expert(t, b)
	t.Log(said)
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t)
	for _, want := range []string{
		"key " + r.own.ID + " of the centre", "key " + r.old.ID + " handed over to key " + r.site.ID,
		"record 6 (passage): unchanged since key " + r.site.ID, "record 8 (supplement)", "is the picture that a record names",
		"outcome exceeded, standing evidence", "川检 2026-0117", "the dossier holds",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q", want)
		}
	}
}

func TestTheExpertsPageHoldsWithATombstoneAndWithWhatIsMissing(t *testing.T) {
	testenv.Expert(t)
	r := newRig(t)
	r.lostPicture, r.lostRules = true, true
	r.tombstone(2)
	said, err := expert(t, r.dossier())
	if err != nil || !strings.Contains(said, "record 2 is lost: the disk lost it") || !strings.Contains(said, "the centre does not have: picture ") {
		t.Errorf("%v\n%s", err, said)
	}
}

// What a stranger alters is found with openssl and jq alone, in every file.
func TestTheExpertFindsOneFlippedBitInEveryFile(t *testing.T) {
	testenv.Expert(t)
	r := newRig(t)
	names := r.files().names()
	if testing.Short() {
		names = []string{manifestName, contentsName, names[len(names)-1]}
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := Unpack(r.dossier())
			if err != nil {
				t.Fatal(err)
			}
			f[name] = slices.Clone(f[name])
			f[name][len(f[name])/2] ^= 1
			archive, err := Pack(f)
			if err != nil {
				t.Fatal(err)
			}
			if said, err := expert(t, archive); err == nil || strings.Contains(said, "the dossier holds") {
				t.Errorf("nobody noticed:\n%s", said)
			}
		})
	}
}

// Nor does the centre's own signature over altered files get past the site's.
func TestTheExpertFindsWhatTheCentreAltered(t *testing.T) {
	testenv.Expert(t)
	for _, c := range []struct {
		name   string
		change func(r *rig, f Files)
	}{
		{"a lighter vehicle", func(r *rig, f Files) {
			name := recordFile(r.evidence.Records[3].Ref)
			f[name] = []byte(strings.Replace(string(f[name]), `"gross_kg":58420`, `"gross_kg":28420`, 1))
		}},
		{"a picture exchanged", func(_ *rig, f Files) { f[pictureOf(f)] = []byte("another") }},
		{"two records swapped", func(r *rig, f Files) {
			a, b := recordFile(r.evidence.Records[3].Ref), recordFile(r.evidence.Records[4].Ref)
			f[a], f[b] = f[b], f[a]
		}},
		{"another segment's signature", func(r *rig, f Files) { f[segmentFile(r.chain, 5)] = f[segmentFile(r.chain, 1)] }},
		{"a key under another's name", func(r *rig, f Files) { f[keyFile(r.site.ID)] = f[keyFile(r.old.ID)] }},
		{"the receipt of another record", func(r *rig, f Files) {
			f[receiptFile(r.evidence.Records[3].Ref)] = f[receiptFile(r.evidence.Records[4].Ref)]
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			f := r.files()
			c.change(r, f)
			var made Contents
			edit(t, f, func(c *Contents) { made = *c })
			r.resign(f, made.Made)
			archive, err := Pack(f)
			if err != nil {
				t.Fatal(err)
			}
			said, err := expert(t, archive)
			if err == nil {
				t.Errorf("nobody noticed:\n%s", said)
			}
			// The centre's list holds, so it is the site's signature, or what a record names, that tells.
			if strings.Contains(said, "FAILED") {
				t.Errorf("found by the sums only:\n%s", said)
			}
		})
	}
}
