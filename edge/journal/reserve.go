package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
)

// DefaultReserve is how much space a reserve holds, in bytes: at 3 KiB a record some twenty thousand vehicles, a
// day of a busy site, in which somebody comes and makes room.
const DefaultReserve = 64 << 20

const (
	// reserveSteps is in how many parts a reserve is given up. Whoever filled the disk takes what is given at
	// once, so it is never all of it.
	reserveSteps = 8
	// zeroes is written at a time where a file system cannot allocate.
	zeroes = 1 << 20
)

// Reserve is a file whose only use is the space that it takes: when the disk is full it is cut shorter, and the
// journal goes on in what becomes free. All methods may be called from any goroutine.
type Reserve struct {
	path string
	size int64
	log  *slog.Logger

	// allocate makes sure that the first n bytes of a file are really on the disk; tests replace it.
	allocate func(f *os.File, n int64) error
	free     func(dir string) (int64, error)

	mu    sync.Mutex
	left  int64
	given bool  // it was given up and is not whole again
	fault error // why it could not be made or given up
}

// OpenReserve makes a reserve of size bytes at path, or takes what is there of one. It never fails: a site
// without a reserve works, and Fault says why it has none. A size of 0 is no reserve; a file that is there is
// then deleted.
func OpenReserve(path string, size int64, log *slog.Logger) *Reserve {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	r := &Reserve{path: path, size: max(size, 0), log: log, allocate: allocate, free: Free}
	r.open()
	return r
}

func (r *Reserve) open() {
	if r.size == 0 {
		if err := os.Remove(r.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			r.fault = fmt.Errorf("reserve that is not wanted any more: %w", err)
		}
		return
	}
	if st, err := os.Stat(r.path); err == nil && st.Mode().IsRegular() {
		r.left = min(st.Size(), held(st)) // a file with holes holds nothing back
		if st.Size() > r.size {
			r.cut(r.size)
		}
	}
	if err := r.Fill(0); err != nil {
		r.log.Warn("the reserve for a full disk could not be made; the site works without it and tries again", "path", r.path, "err", err)
	}
}

// Size is what the reserve holds when it is whole, in bytes.
func (r *Reserve) Size() int64 { return r.size }

// Left is what it holds now, in bytes.
func (r *Reserve) Left() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.left
}

// Given tells whether the disk was full and the journal lives on what was given up.
func (r *Reserve) Given() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.given
}

// Fault is why the reserve could not be made or given up, nil for no trouble.
func (r *Reserve) Fault() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fault
}

// GiveUp gives back one part of the reserve to a disk that is full, and tells whether it did. It does not where the
// file system has as much free as a part is: then something else than space is missing, such as the journal's own
// bound, and the reserve is no help.
func (r *Reserve) GiveUp() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	step := r.size / reserveSteps
	if r.left == 0 {
		return false
	}
	if n, err := r.free(filepath.Dir(r.path)); err == nil && n > step {
		return false
	}
	before := r.left
	r.cut(max(r.left-max(step, 1), 0))
	if r.left == before {
		return false
	}
	r.given = true
	return true
}

// cut makes the file n bytes long, under mu.
func (r *Reserve) cut(n int64) {
	if err := os.Truncate(r.path, n); err != nil {
		r.log.Error("the reserve cannot be given up", "path", r.path, "err", err)
		r.fault = fmt.Errorf("give up the reserve: %w", err)
		return
	}
	r.left, r.fault = min(r.left, n), nil
}

// Fill makes the reserve whole again where the file system then still has margin bytes free. It does nothing to a
// reserve that is whole.
func (r *Reserve) Fill(margin int64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.left >= r.size {
		return nil
	}
	err := r.fill(margin)
	r.fault = err
	return err
}

func (r *Reserve) fill(margin int64) (err error) {
	if err := os.MkdirAll(filepath.Dir(r.path), 0o700); err != nil {
		return fmt.Errorf("reserve: %w", err)
	}
	switch n, err := r.free(filepath.Dir(r.path)); {
	case err != nil:
		return fmt.Errorf("reserve: %w", err)
	case n-(r.size-r.left) < margin:
		return fmt.Errorf("reserve: %d MiB are missing and %d MiB are free: %w", (r.size-r.left)>>20, n>>20, ErrFull)
	}
	f, err := os.OpenFile(r.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("reserve: %w", err)
	}
	defer func() {
		if err != nil { // what was had before is still held
			err = errors.Join(err, f.Truncate(r.left))
		}
		err = errors.Join(err, f.Close())
	}()
	if err := r.allocate(f, r.size); err != nil {
		return fmt.Errorf("reserve: %w", err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("reserve: %w", err)
	}
	r.left, r.given = r.size, false
	return nil
}

// Open opens a journal on a disk that may be full: what SQLite needs beside the file to open it is given from the
// reserve.
func (r *Reserve) Open(ctx context.Context, cfg Config) (*Journal, error) {
	for {
		j, err := Open(ctx, cfg)
		if err == nil || !errors.Is(err, ErrFull) || !r.GiveUp() {
			return j, err
		}
		r.log.Error("the disk is full: the journal is opened in the reserve; free space on the disk", "left", r.Left(), "of", r.size, "err", err)
	}
}

// fillWithZeros takes space by writing, from where the file ends.
func fillWithZeros(f *os.File, n int64) error {
	st, err := f.Stat()
	if err != nil {
		return err
	}
	block := make([]byte, zeroes)
	at := min(st.Size(), held(st))
	for at < n {
		w, err := f.WriteAt(block[:min(n-at, zeroes)], at)
		at += int64(w)
		if err != nil {
			return err
		}
	}
	return nil
}

// Free is how many bytes the file system of the journal has left.
func (j *Journal) Free() (int64, error) { return Free(filepath.Dir(j.cfg.Path)) }
