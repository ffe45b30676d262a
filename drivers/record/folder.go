package record

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

	"github.com/axlegate/axlegate/drivers/page"
	"github.com/axlegate/axlegate/wim"
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

// matches tells whether a file's name is one of the page's.
func matches(pattern, name string) (bool, error) { return path.Match(pattern, name) }

func (s *Scale) runFolder(ctx context.Context, emit func(wim.Reading)) error {
	for ctx.Err() == nil {
		err := s.look(ctx, emit)
		switch {
		case ctx.Err() != nil: // a look that is broken off because the driver is stopped is no failure
		case err != nil:
			s.fall(err, emit)
		default:
			s.rise(emit)
		}
		rest(ctx, s.cfg.Poll)
	}
	return nil
}

// look takes the files that have not changed since the last look, in order of their names.
func (s *Scale) look(ctx context.Context, emit func(wim.Reading)) (err error) {
	root, err := os.OpenRoot(s.cfg.Folder)
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
		s.rise(emit)
	}
	for _, name := range names {
		if err := s.file(ctx, root, name, emit); err != nil {
			return err
		}
	}
	return s.sweep(root)
}

// settled lists files that are as they were at the last look.
func (s *Scale) settled(root *os.Root) ([]string, error) {
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
		if ok, _ := matches(s.cfg.Page.Files, e.Name()); !ok || strings.HasPrefix(e.Name(), ".") || !e.Type().IsRegular() {
			continue
		}
		info, err := e.Info()
		if err != nil {
			continue // it is gone
		}
		now := sightOf(info)
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
func (s *Scale) file(ctx context.Context, root *os.Root, name string, emit func(wim.Reading)) error {
	message, info, err := read(root, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s cannot be read: %w", name, err)
	}
	young := s.cfg.Now().Sub(info.ModTime()) < patience
	if info.Size() > maxFile {
		return s.refuse(root, name, fmt.Errorf("it is larger than %d bytes", maxFile))
	}
	if s.cfg.Page.Format == page.CSV && young && !bytes.HasSuffix(message, []byte("\n")) {
		return nil // its last line may be half written
	}
	var why []error
	var fatal error
	err = s.cfg.Page.Decode(message, func(r Record, refused *Refusal) error {
		err := s.take(ctx, &r, refused, emit)
		var bad *Refusal
		switch {
		case errors.As(err, &bad):
			why = append(why, err)
		case errors.Is(err, errElsewhere):
			why = append(why, fmt.Errorf("record %s: %w; give each lane a folder of its own", r.Controller.ID, err))
		case err != nil:
			fatal = err
			return err
		}
		return nil
	})
	switch {
	case fatal != nil:
		return fatal
	case err != nil && young:
		return nil
	case err != nil:
		s.bad("a file cannot be read", fmt.Errorf("%s: %w", name, err))
		return s.refuse(root, name, err)
	case len(why) > 0:
		return s.refuse(root, name, errors.Join(why...))
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
func (s *Scale) refuse(root *os.Root, name string, why error) error {
	f, err := root.OpenFile(path.Join(refusedDir, name+".why"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o640)
	if err == nil {
		_, err = fmt.Fprintln(f, why)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		s.log.Warn("why a file is refused could not be written beside it", "file", name, "why", why, "err", err)
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
func (s *Scale) sweep(root *os.Root) error {
	now := s.cfg.Now()
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
			s.log.Warn("an old file could not be deleted", "file", e.Name(), "err", err)
		}
	}
	return nil
}
