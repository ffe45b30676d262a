package picture

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/axlegate/axlegate/wim"
)

func jpeg(rest string) []byte { return append([]byte{0xff, 0xd8, 0xff, 0xe0}, rest...) }

func files(t *testing.T, dir string) (out []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			out = append(out, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func open(t *testing.T, dir string) *Folder {
	t.Helper()
	f, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAPictureComesBackByItsDigest(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pictures")
	f, p := open(t, dir), jpeg("a plate")
	d := wim.DigestOf(p)
	for range 2 { // putting it again changes nothing
		if err := f.Put(t.Context(), d, bytes.NewReader(p), 0); err != nil {
			t.Fatal(err)
		}
	}
	got, err := f.Get(d)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(got)
	if err := errors.Join(err, got.Close()); err != nil || !bytes.Equal(b, p) {
		t.Errorf("%q %v", b, err)
	}
	have := files(t, dir)
	if len(have) != 1 || have[0] != filepath.Join(dir, d.String()[:2], d.String()[2:4], d.String()+".jpg") {
		t.Errorf("files %v", have)
	}
	if _, err := f.Get(wim.DigestOf(nil)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a picture that is not there: %v", err)
	}
}

func TestWhatIsRefusedLeavesNothing(t *testing.T) {
	broken := errors.New("line broken")
	p := jpeg("0123456789")
	for _, c := range []struct {
		name  string
		d     wim.Digest
		r     io.Reader
		limit int64
		want  error
	}{
		{"a text", wim.DigestOf([]byte("<html>")), bytes.NewReader([]byte("<html>")), 0, ErrNotJPEG},
		{"nothing", wim.DigestOf(nil), bytes.NewReader(nil), 0, ErrNotJPEG},
		{"two bytes of a JPEG", wim.DigestOf(p[:2]), bytes.NewReader(p[:2]), 0, ErrNotJPEG},
		{"a JPEG under another digest", wim.DigestOf([]byte("other")), bytes.NewReader(p), 0, ErrDigest},
		{"a JPEG of one byte too many", wim.DigestOf(p), bytes.NewReader(p), int64(len(p) - 1), ErrTooLarge},
		{"a JPEG that breaks off", wim.DigestOf(p), io.MultiReader(bytes.NewReader(p[:7]), iotest.ErrReader(broken)), 0, broken},
		{"a JPEG whose line breaks at once", wim.DigestOf(p), iotest.ErrReader(broken), 0, broken},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			f := open(t, dir)
			if err := f.Put(t.Context(), c.d, c.r, c.limit); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if have := files(t, dir); len(have) != 0 {
				t.Errorf("left: %v", have)
			}
		})
	}
	if err := open(t, t.TempDir()).Put(t.Context(), wim.DigestOf(p), bytes.NewReader(p), int64(len(p))); err != nil {
		t.Errorf("one that just fits: %v", err)
	}
}

func TestHalfAPictureOfAKilledProcessIsClearedAway(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	if err := os.WriteFile(filepath.Join(f.incoming(), "abc-1"), []byte{0xff}, 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
	if have := files(t, dir); len(have) != 0 {
		t.Errorf("left: %v", have)
	}
}

func TestManyPutTheSamePictureAtOnce(t *testing.T) {
	f, p := open(t, t.TempDir()), jpeg("shared")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := f.Put(t.Context(), wim.DigestOf(p), bytes.NewReader(p), 0); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if have := files(t, f.dir); len(have) != 1 {
		t.Errorf("files %v", have)
	}
}
