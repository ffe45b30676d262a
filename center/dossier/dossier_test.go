package dossier

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim/seal"
)

func codes(s []Statement) (out []string) {
	for _, x := range s {
		out = append(out, x.Code)
	}
	return out
}

func show(t *testing.T, r *Report) {
	t.Helper()
	var b bytes.Buffer
	for _, l := range []Lang{en, zh} {
		if err := r.Write(&b, l); err != nil {
			t.Fatal(err)
		}
	}
	t.Log(b.String())
}

func TestADossierProvesWhatItShouldAndSaysWhatItDoesNot(t *testing.T) {
	r := newRig(t)
	rep := Verify(r.dossier(), Trust{})
	show(t, &rep)
	if !rep.OK || rep.Matter != 12 || rep.CenterKey != r.own.ID || !slices.Equal(rep.SiteKeys, []string{r.old.ID, r.site.ID}) {
		t.Fatalf("%+v", rep)
	}
	for _, want := range []string{"whole", "sealed", "place", "first", "receipted", "shows", "judged", "named-key", "rotated", "adds"} {
		if !slices.Contains(codes(rep.Proven), want) {
			t.Errorf("not proven: %s", want)
		}
	}
	for _, want := range []string{"passed", "opinion", "certificate", "software", "configuration", "key-history", "arrived", "officers"} {
		if !slices.Contains(codes(rep.Stated), want) {
			t.Errorf("not stated: %s", want)
		}
	}
	for _, want := range []string{"owner", "centre-compare", "clock", "scale", "neighbours", "between", "acts"} {
		if !slices.Contains(codes(rep.NotProven), want) {
			t.Errorf("not said to be unproven: %s", want)
		}
	}
}

func TestWithKeysFromElsewhereNothingIsLeftToCompare(t *testing.T) {
	r := newRig(t)
	rep := Verify(r.dossier(), Trust{SiteKeys: []*seal.Verifier{r.old.Verifier()}, CenterKeys: []*seal.Verifier{r.own.Verifier()}})
	if !rep.OK || !slices.Contains(codes(rep.Proven), "site-anchor") || !slices.Contains(codes(rep.Proven), "centre-trust") {
		t.Errorf("%+v", rep.Wrong)
	}
	for _, c := range codes(rep.NotProven) {
		if c == "owner" || c == "centre-compare" {
			t.Errorf("still to compare: %s", c)
		}
	}
}

func TestKeysOfOthersAreRefused(t *testing.T) {
	r := newRig(t)
	stranger := edKey(t, 99).Verifier()
	for _, c := range []struct {
		name, want string
		trust      Trust
	}{
		{"another centre's", "centre-key", Trust{CenterKeys: []*seal.Verifier{stranger}}},
		{"another site's", "site-key", Trust{SiteKeys: []*seal.Verifier{stranger}}},
		{"the site's second key does not vouch for the first", "site-key", Trust{SiteKeys: []*seal.Verifier{r.site.Verifier()}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			rep := Verify(r.dossier(), c.trust)
			if rep.OK || !slices.Contains(codes(rep.Wrong), c.want) {
				t.Errorf("%+v", rep.Wrong)
			}
		})
	}
}

func TestTheSameInputGivesTheSameArchive(t *testing.T) {
	r := newRig(t)
	if !bytes.Equal(r.dossier(), r.dossier()) {
		t.Error("two archives of one matter differ")
	}
}

func TestWhatIsPrunedOrNotSeenMakesNoDossier(t *testing.T) {
	r := newRig(t)
	if _, err := r.writer().Dossier(t.Context(), center.Viewer{Role: center.Administrator}, 12); !errors.Is(err, center.ErrNotFound) {
		t.Errorf("an administrator: %v", err)
	}
	r.evidence.Pruned = true
	if _, err := r.writer().Dossier(t.Context(), r.viewer(), 12); !errors.Is(err, center.ErrPruned) {
		t.Errorf("a pruned matter: %v", err)
	}
}

func TestWhatTheCentreDoesNotHaveIsNamed(t *testing.T) {
	r := newRig(t)
	r.lostPicture, r.lostRules = true, true
	r.gather(4, 6, 8)
	for i := range r.evidence.Records {
		r.evidence.Records[i].Whole = false
	}
	rep := Verify(r.dossier(), Trust{})
	if !rep.OK {
		t.Fatalf("%+v", rep.Wrong)
	}
	for _, want := range []string{"no-picture", "no-rules", "no-start", "no-receipt", "centre-says-not"} {
		if !slices.Contains(codes(rep.NotProven), want) {
			t.Errorf("not named: %s", want)
		}
	}
}

// Whoever has no key of the centre cannot change a thing: the list is enough to name it.
func TestWhatIsChangedByAStrangerIsNamed(t *testing.T) {
	r := newRig(t)
	records := slices.DeleteFunc(r.files().names(), func(n string) bool { return !strings.HasPrefix(n, "records/") })
	for _, c := range []struct {
		name, want, about string
		change            func(f Files)
	}{
		{"one flipped bit in a record", "file-changed", records[3], func(f Files) { f[records[3]][100] ^= 4 }},
		{"one record removed", "file-absent", records[2], func(f Files) { delete(f, records[2]) }},
		{"two records swapped", "file-changed", records[1], func(f Files) { f[records[1]], f[records[2]] = f[records[2]], f[records[1]] }},
		{"a picture exchanged", "file-changed", pictureOf(r.files()), func(f Files) { f[pictureOf(f)] = []byte("another") }},
		{"a file added", "file-added", "records/more.json", func(f Files) { f["records/more.json"] = []byte("{}") }},
		{"no list", "manifest-absent", manifestName, func(f Files) { delete(f, manifestName) }},
		{"a list that is signed by nobody known", "manifest", manifestName, func(f Files) {
			jws, err := signList(edKey(t, 50), 12, r.evidence.Docket.Matter.Passed, f)
			if err != nil {
				t.Fatal(err)
			}
			f[manifestName] = []byte(jws)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := r.files()
			c.change(f)
			rep := VerifyFiles(f, Trust{})
			if rep.OK || rep.Wrong[0].Code != c.want || rep.Wrong[0].About != c.about || len(rep.Proven) != 0 {
				t.Errorf("%+v", rep.Wrong)
			}
		})
	}
}

func pictureOf(f Files) string {
	for _, n := range f.names() {
		if strings.HasPrefix(n, "pictures/") {
			return n
		}
	}
	return ""
}

// flips calls fn with each bit of b flipped, one after another, and puts it back; or with one bit of each byte.
func flips(b []byte, all bool, fn func(at int, bit byte)) {
	for i := range b {
		for bit := byte(1); bit != 0; bit <<= 1 {
			if !all && bit != 1<<(i%8) {
				continue
			}
			b[i] ^= bit
			fn(i, bit)
			b[i] ^= bit
		}
	}
}

func TestEverySingleBitOfTheArchiveCounts(t *testing.T) {
	archive := newRig(t).dossier()
	n := 0
	flips(archive, everyBit && !testing.Short(), func(at int, bit byte) {
		n++
		if _, err := Unpack(archive); err == nil {
			t.Fatalf("byte %d of %d, bit %#x: nobody noticed", at, len(archive), bit)
		} else if !errors.Is(err, ErrDamaged) {
			t.Fatalf("byte %d: %v", at, err)
		}
	})
	t.Logf("%d flips of %d bytes", n, len(archive))
}

// Of an unpacked dossier too, and the file is named. One bit of each byte: the digest that is compared is the same for
// all. Of the signed list, which no digest covers, all.
func TestEverySingleBitOfEveryFileCountsAndTheFileIsNamed(t *testing.T) {
	f := newRig(t).files()
	n := 0
	for _, name := range f.names() {
		flips(f[name], everyBit && !testing.Short() && name == manifestName, func(at int, bit byte) {
			n++
			rep := VerifyFiles(f, Trust{})
			if rep.OK {
				t.Fatalf("%s, byte %d, bit %#x: nobody noticed", name, at, bit)
			}
			if !slices.ContainsFunc(rep.Wrong, func(s Statement) bool { return s.About == name || s.About == manifestName }) {
				t.Fatalf("%s, byte %d, bit %#x: %+v", name, at, bit, rep.Wrong)
			}
		})
	}
	t.Logf("%d flips of %d files", n, len(f))
}

func TestAnArchiveOfOtherShapeIsRefused(t *testing.T) {
	good := newRig(t).dossier()
	for _, c := range []struct {
		name string
		b    []byte
	}{
		{"nothing", nil},
		{"bytes before", append([]byte("x"), good...)},
		{"bytes after", append(slices.Clone(good), 0)},
		{"cut off", good[:len(good)-30]},
	} {
		t.Run(c.name, func(t *testing.T) {
			if rep := Verify(c.b, Trust{}); rep.OK {
				t.Error("accepted")
			}
		})
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add([]byte("PK\x05\x06"))
	f.Fuzz(func(t *testing.T, b []byte) {
		files, err := Unpack(b)
		if err != nil {
			return
		}
		again, err := Pack(files)
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("an archive that was accepted is not the one that its files make: %v", err)
		}
		if VerifyFiles(files, Trust{}).OK {
			t.Error("a dossier out of nothing holds")
		}
	})
}

func TestAFolderIsReadAsTheArchive(t *testing.T) {
	f := newRig(t).files()
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close() //nolint:errcheck // of a test
	for name, b := range f {
		if i := strings.LastIndexByte(name, '/'); i > 0 {
			if err := root.MkdirAll(name[:i], 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if err := root.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := ReadFolder(os.DirFS(dir))
	if err != nil || !maps.EqualFunc(got, f, bytes.Equal) {
		t.Errorf("%v", err)
	}
}

// Every sentence has both languages and the same verbs in both.
func TestEverySentenceSaysTheSameInBothLanguages(t *testing.T) {
	for code, s := range sentences() {
		if s.zh == "" || s.en == "" || strings.Count(s.zh, "%") != strings.Count(s.en, "%") {
			t.Errorf("%s: %q, %q", code, s.zh, s.en)
		}
	}
}
