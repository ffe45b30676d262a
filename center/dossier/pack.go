package dossier

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"
)

// MaxBytes bounds a dossier, in bytes.
const MaxBytes = 512 << 20

// ErrDamaged marks an archive that is not as it was written. Its text names what is wrong.
var ErrDamaged = errors.New("the dossier is not as it was made")

// Files are the files of a dossier by name, with slashes.
type Files map[string][]byte

// names are the names of all files, sorted.
func (f Files) names() []string { return slices.Sorted(maps.Keys(f)) }

// packed is the date that every entry bears: the first one that the format can say, since the time of a dossier
// stands in its signed list.
func packed() time.Time { return time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC) }

// Pack writes the files as one zip archive: sorted, stored as they are, without times. The same files give the same
// bytes on every machine and under every release: a compressor could change.
func Pack(f Files) ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, name := range f.names() {
		if !goodName(name) {
			return nil, fmt.Errorf("file %q of a dossier: a name has letters, digits, '.', '_', '-' and '/' only", name)
		}
		b := f[name]
		h := &zip.FileHeader{Name: name, Method: zip.Store, CRC32: crc32.ChecksumIEEE(b), CompressedSize64: uint64(len(b)), UncompressedSize64: uint64(len(b))}
		h.SetMode(0o644)
		h.ModifiedDate, h.ModifiedTime = dosDate(packed()), 0 //nolint:staticcheck // the new field adds bytes and a time zone
		e, err := w.CreateRaw(h)
		if err != nil {
			return nil, fmt.Errorf("pack %s: %w", name, err)
		}
		if _, err := e.Write(b); err != nil {
			return nil, fmt.Errorf("pack %s: %w", name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	return out.Bytes(), nil
}

func dosDate(t time.Time) uint16 { return uint16(t.Day() + int(t.Month())<<5 + (t.Year()-1980)<<9) }

// Unpack reads an archive that Pack wrote. Any other arrangement of the same files, and any bit that Pack would
// not have written, is ErrDamaged.
func Unpack(archive []byte) (Files, error) {
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, fmt.Errorf("%w: the archive: %w", ErrDamaged, err)
	}
	f := Files{}
	var total uint64
	for _, e := range r.File {
		if total += e.UncompressedSize64; total > uint64(len(archive)) || e.Method != zip.Store {
			return nil, fmt.Errorf("%w: file %q of the archive is not stored as it is", ErrDamaged, e.Name)
		}
		if _, twice := f[e.Name]; twice || !goodName(e.Name) {
			return nil, fmt.Errorf("%w: file %q of the archive is there twice or has a name that no dossier has", ErrDamaged, e.Name)
		}
		b, err := readEntry(e)
		if err != nil {
			return nil, fmt.Errorf("%w: file %q: %w", ErrDamaged, e.Name, err)
		}
		f[e.Name] = b
	}
	again, err := Pack(f)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if !bytes.Equal(again, archive) {
		return nil, fmt.Errorf("%w: the archive differs at byte %d from the one that its files make; unpack it and verify the folder to see whether the files hold", ErrDamaged, differAt(again, archive))
	}
	return f, nil
}

func readEntry(e *zip.File) ([]byte, error) {
	r, err := e.Open()
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(r)
	return b, errors.Join(err, r.Close())
}

func differAt(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// ReadFolder reads an unpacked dossier.
func ReadFolder(dir fs.FS) (Files, error) {
	f := Files{}
	var total int64
	err := fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		st, err := d.Info()
		if err != nil {
			return err
		}
		if total += st.Size(); total > MaxBytes || !st.Mode().IsRegular() {
			return fmt.Errorf("%w: %s is no plain file, or all files together exceed %d bytes", ErrDamaged, name, MaxBytes)
		}
		f[name], err = fs.ReadFile(dir, name)
		return err
	})
	return f, err
}

func goodName(s string) bool {
	return fs.ValidPath(s) && s != "." && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-/", r)
	})
}
