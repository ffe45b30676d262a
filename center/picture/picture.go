// Package picture keeps plate pictures in a folder, each under the SHA-256 digest of its bytes.
//
// It promises: what Get opens has the digest that it was asked by; what Put has returned for is on the disk; a
// picture is written beside its place and moved there whole, so that a reader or a crash never sees half of
// one; putting it again changes nothing. It keeps JPEG only, looks no further into a picture than its first
// bytes, and never deletes one.
package picture

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/axlegate/axlegate/wim"
)

// MaxSize is the largest picture that is kept, in bytes, unless Put is given another bound.
const MaxSize = 8 << 20

// Errors that callers decide on.
var (
	// ErrTooLarge says that there were more bytes than allowed.
	ErrTooLarge = errors.New("picture is too large")
	// ErrNotJPEG says that the bytes do not begin as a JPEG does.
	ErrNotJPEG = errors.New("not a JPEG picture")
	// ErrDigest says that the bytes have another digest than the one they were handed in under.
	ErrDigest = errors.New("picture has another digest")
)

// Folder holds pictures. Any number of goroutines may use it.
type Folder struct{ dir string }

// Open opens a folder of pictures or makes it, with mode 0700: they show plates. What an earlier process left
// half written is cleared away.
func Open(dir string) (*Folder, error) {
	f := &Folder{dir: dir}
	if err := os.MkdirAll(f.incoming(), 0o700); err != nil {
		return nil, fmt.Errorf("folder for pictures: %w; check that the centre's user owns it", err)
	}
	left, err := os.ReadDir(f.incoming())
	if err != nil {
		return nil, fmt.Errorf("folder for pictures: %w", err)
	}
	for _, e := range left {
		if err := os.Remove(filepath.Join(f.incoming(), e.Name())); err != nil {
			return nil, fmt.Errorf("folder for pictures: %w", err)
		}
	}
	return f, nil
}

func (f *Folder) incoming() string { return filepath.Join(f.dir, "incoming") }

func (f *Folder) path(d wim.Digest) string {
	s := d.String()
	return filepath.Join(f.dir, s[:2], s[2:4], s+".jpg")
}

// Put keeps a picture of at most limit bytes (0 means MaxSize) whose digest must be d. It reads r to its end,
// or until it knows better; nothing is kept once ctx has ended. A picture that is there already is not read at
// all.
func (f *Folder) Put(ctx context.Context, d wim.Digest, r io.Reader, limit int64) (err error) {
	if limit <= 0 {
		limit = MaxSize
	}
	path := f.path(d)
	if _, err := os.Stat(path); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("picture %s: %w", d.Short(), err)
	}
	tmp, err := os.CreateTemp(f.incoming(), d.Short()+"-*")
	if err != nil {
		return fmt.Errorf("picture %s: %w", d.Short(), err)
	}
	defer func() {
		if err != nil { // after the move there is nothing left to remove
			err = fmt.Errorf("picture %s: %w", d.Short(), errors.Join(err, ignoreMissing(os.Remove(tmp.Name()))))
		}
	}()
	err = receive(tmp, d, r, limit)
	if err := errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	// The new name, and the folders that may be new, are durable once their folders are.
	for _, d := range []string{dir, filepath.Dir(dir), f.dir} {
		if err := syncFolder(d); err != nil {
			return err
		}
	}
	return nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func receive(to *os.File, d wim.Digest, r io.Reader, limit int64) error {
	var magic [3]byte
	if _, err := io.ReadFull(r, magic[:]); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return ErrNotJPEG
		}
		return err
	}
	if magic != [3]byte{0xff, 0xd8, 0xff} {
		return ErrNotJPEG
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(to, sum), io.LimitReader(io.MultiReader(bytes.NewReader(magic[:]), r), limit+1))
	if err != nil {
		return err
	}
	if n > limit {
		return fmt.Errorf("%w: more than %d bytes", ErrTooLarge, limit)
	}
	if have := wim.Digest(sum.Sum(nil)); have != d {
		return fmt.Errorf("%w: %s", ErrDigest, have.Short())
	}
	return to.Sync()
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Get opens a picture for reading; one that is not there is fs.ErrNotExist. The caller closes it.
func (f *Folder) Get(d wim.Digest) (*os.File, error) {
	file, err := os.Open(f.path(d))
	if err != nil {
		return nil, fmt.Errorf("picture %s: %w", d.Short(), err)
	}
	return file, nil
}
