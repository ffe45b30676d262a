package edge

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/wim"
)

const pictureSuffix = ".jpg"

// pictureStore keeps pictures as files named by their digest.
type pictureStore struct {
	dir string
	// room tells whether so many bytes may be taken from the disk; nil asks nobody.
	room func(size int64) error
}

func openPictureStore(dir string) (*pictureStore, error) {
	if dir == "" {
		return &pictureStore{}, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("folder for pictures: %w; check that the daemon's user may write there", err)
	}
	return &pictureStore{dir: dir}, nil
}

func (s *pictureStore) path(d wim.Digest) string {
	return filepath.Join(s.dir, d.String()+pictureSuffix)
}

// put writes a picture: temporary file, sync, rename. It survives a power cut once sync has returned too. A picture
// that is there already is not written again.
func (s *pictureStore) put(jpeg []byte) error {
	if s.dir == "" {
		return errors.New("store picture: no folder is configured")
	}
	path := s.path(wim.DigestOf(jpeg))
	if st, err := os.Stat(path); err == nil && st.Size() == int64(len(jpeg)) {
		return nil
	}
	if s.room != nil {
		if err := s.room(int64(len(jpeg))); err != nil {
			return fmt.Errorf("store picture: %w", err)
		}
	}
	f, err := os.CreateTemp(s.dir, "incoming-*")
	if err != nil {
		return fmt.Errorf("store picture: %w", err)
	}
	_, err = f.Write(jpeg)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name()) //nolint:errcheck // a leftover is swept at the next start
		return fmt.Errorf("store picture: %w", err)
	}
	return nil
}

// sync makes the names of all pictures last that were put before.
func (s *pictureStore) sync() error {
	if s.dir == "" {
		return nil
	}
	d, err := os.Open(s.dir)
	if err != nil {
		return fmt.Errorf("store picture: %w", err)
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("store picture: sync folder: %w", err)
	}
	return nil
}

func (s *pictureStore) open(d wim.Digest) (*os.File, error) { return os.Open(s.path(d)) }

func (s *pictureStore) remove(d wim.Digest) error {
	if err := os.Remove(s.path(d)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete picture: %w", err)
	}
	return nil
}

// sweep deletes files that no record names: a crash came between the picture and its record.
func (s *pictureStore) sweep(ctx context.Context, j *journal.Journal) (int, error) {
	if s.dir == "" {
		return 0, nil
	}
	known := map[wim.Digest]bool{}
	if err := j.EachPicture(ctx, func(d wim.Digest) { known[d] = true }); err != nil {
		return 0, err
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return 0, fmt.Errorf("sweep pictures: %w", err)
	}
	swept := 0
	for _, e := range entries {
		name, ours := strings.CutSuffix(e.Name(), pictureSuffix)
		d, err := wim.ParseDigest(name)
		if ours = ours && err == nil; (ours && known[d]) || (!ours && !strings.HasPrefix(e.Name(), "incoming-")) {
			continue
		}
		if err := os.Remove(filepath.Join(s.dir, e.Name())); err != nil {
			return swept, fmt.Errorf("sweep pictures: %w", err)
		}
		swept++
	}
	return swept, nil
}
