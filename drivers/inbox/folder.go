package inbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	maxFile = 8 << 20
	// maxEntries bounds how many names of a folder are looked at in one go.
	maxEntries = 10_000
	// patience is how old a file must be before one that cannot be read is taken to be whole and wrong, and not half written.
	patience = time.Minute
	// keepTaken is how long files are kept that were taken in.
	keepTaken = 7 * 24 * time.Hour
	sweep     = time.Hour

	takenDir   = "taken"   // files whose records are committed
	refusedDir = "refused" // files of which a record, or all, were refused
)

// Folder takes the files that are put in a folder, and moves them into folders below it: taken, for a week, and refused.
type Folder struct {
	Dir   string
	Files string // names such as "*.json", as IsPattern wants them
	// Lines says that a file is lines: a young one whose last line has no end is still being written.
	Lines bool
	Poll  time.Duration // between two looks
	Take  Take

	Watch

	seen  map[string]sight // files of the last look
	swept time.Time        // when old files were last deleted
}

// IsPattern tells whether a text is a pattern for names of files, without folders.
func IsPattern(text string) bool {
	_, err := path.Match(text, "x")
	return err == nil && !strings.ContainsAny(text, "/\\")
}

// Run looks into the folder until ctx ends. It may be run again.
func (s *Folder) Run(ctx context.Context) {
	tick := time.NewTicker(s.Poll)
	defer tick.Stop()
	for {
		err := s.look(ctx)
		switch {
		case ctx.Err() != nil:
			return // a look that is broken off because the driver is stopped is no failure
		case err != nil:
			s.Down(err)
		default:
			s.Up()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// sight is a file as it was last seen.
type sight struct {
	size int64
	at   time.Time
}

// look takes the files that have not changed since the last look, in order of their names.
func (s *Folder) look(ctx context.Context) (err error) {
	root, err := os.OpenRoot(s.Dir)
	if err != nil {
		return fmt.Errorf("the folder cannot be opened: %w", err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	for _, dir := range []string{takenDir, refusedDir} {
		if err := root.Mkdir(dir, 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("files could not be set aside: %w", err)
		}
	}
	names, err := s.settled(root)
	if err != nil {
		return err
	}
	if len(names) > 0 {
		s.Up()
	}
	for _, name := range names {
		if err := s.file(ctx, root, name); err != nil {
			return err
		}
	}
	return s.sweep(root)
}

// settled lists files that are as they were at the last look.
func (s *Folder) settled(root *os.Root) ([]string, error) {
	dir, err := root.Open(".")
	if err != nil {
		return nil, fmt.Errorf("the folder cannot be read: %w", err)
	}
	entries, err := dir.ReadDir(maxEntries)
	if err = errors.Join(err, dir.Close()); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("the folder cannot be read: %w", err)
	}
	seen := map[string]sight{}
	var names []string
	for _, e := range entries {
		if ok, _ := path.Match(s.Files, e.Name()); !ok || strings.HasPrefix(e.Name(), ".") || !e.Type().IsRegular() {
			continue
		}
		info, err := e.Info()
		if err != nil {
			continue // it is gone
		}
		now := sight{info.Size(), info.ModTime()}
		if was, ok := s.seen[e.Name()]; ok && was == now {
			names = append(names, e.Name())
		}
		seen[e.Name()] = now
	}
	s.seen = seen
	slices.Sort(names)
	return names, nil
}

// file takes the records of one file and sets it aside. A file that cannot be read, and is young, is left for later.
func (s *Folder) file(ctx context.Context, root *os.Root, name string) error {
	message, info, err := read(root, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s cannot be read: %w", name, err)
	}
	young := s.Now().Sub(info.ModTime()) < patience
	if info.Size() > maxFile {
		return s.refuse(root, name, fmt.Errorf("it is larger than %d bytes", maxFile))
	}
	if s.Lines && young && !bytes.HasSuffix(message, []byte("\n")) {
		return nil
	}
	err = s.Take(ctx, message)
	var unreadable *Unreadable
	var refused *Refused
	switch {
	case errors.As(err, &unreadable) && young:
		return nil
	case errors.As(err, &unreadable):
		s.Bad("a file cannot be read", fmt.Errorf("%s: %w", name, err))
		return s.refuse(root, name, err)
	case errors.As(err, &refused):
		return s.refuse(root, name, err)
	case err != nil:
		return err
	}
	return aside(root, takenDir, name)
}

// read gives a file's bytes; of one that is too large, none.
func read(root *os.Root, name string) (message []byte, info fs.FileInfo, err error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if info, err = f.Stat(); err != nil || info.Size() > maxFile {
		return nil, info, err
	}
	message, err = io.ReadAll(io.LimitReader(f, maxFile))
	return message, info, err
}

// refuse sets a file aside with the reason beside it.
func (s *Folder) refuse(root *os.Root, name string, why error) error {
	f, err := root.OpenFile(path.Join(refusedDir, name+".why"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o640)
	if err == nil {
		_, err = fmt.Fprintln(f, why)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		s.Log.Warn("why a file is refused could not be written beside it", "file", name, "why", why, "err", err)
	}
	return aside(root, refusedDir, name)
}

// aside moves a file to a folder below, under a name that is free there.
func aside(root *os.Root, dir, name string) error {
	to := path.Join(dir, name)
	for n := 2; n < 1000; n++ {
		if _, err := root.Lstat(to); errors.Is(err, fs.ErrNotExist) {
			break
		}
		to = path.Join(dir, strconv.Itoa(n)+"-"+name)
	}
	if err := root.Rename(name, to); err != nil {
		return fmt.Errorf("%s could not be set aside: %w; give the site's user the right to rename there", name, err)
	}
	return nil
}

// sweep deletes files that were taken in long ago.
func (s *Folder) sweep(root *os.Root) error {
	now := s.Now()
	if since := now.Sub(s.swept); since >= 0 && since < sweep {
		return nil
	}
	s.swept = now
	dir, err := root.Open(takenDir)
	if err != nil {
		return err
	}
	entries, err := dir.ReadDir(maxEntries)
	if err = errors.Join(err, dir.Close()); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || now.Sub(info.ModTime()) < keepTaken {
			continue
		}
		if err := root.Remove(path.Join(takenDir, e.Name())); err != nil {
			s.Log.Warn("an old file could not be deleted", "file", e.Name(), "err", err)
		}
	}
	return nil
}
