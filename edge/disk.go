package edge

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/axlegate/axlegate/edge/journal"
)

// What became of pictures that had to go, in metrics.
const (
	pictureMadeRoom       = "made-room" // the centre has it
	pictureDropped        = "dropped"   // before it was handed in
	pictureDroppedFinding = "dropped-with-finding"
)

// watchDisk looks at the disk until ctx ends: it makes the reserve whole when there is room again and keeps pictures
// within their budget.
func (s *Site) watchDisk(ctx context.Context) {
	tick := time.NewTicker(s.cfg.Disk.Look)
	defer tick.Stop()
	var age pictureAge
	for {
		s.refill()
		s.keepPictures(ctx, &age)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// refill makes the reserve whole again, where as much stays free beside it as pictures must leave: otherwise the
// next record would need it at once.
func (s *Site) refill() {
	r := s.cfg.Disk.Reserve
	if r.Left() >= r.Size() {
		return
	}
	switch err := r.Fill(s.cfg.Disk.MinFree); {
	case err == nil:
		s.log.Info("the reserve for a full disk is whole again", "bytes", r.Size())
	case !errors.Is(err, journal.ErrFull): // that it is full was said
		s.log.Warn("the reserve for a full disk cannot be made", "err", err)
	}
}

// roomForPicture refuses what would take space that records and the reserve need.
func (s *Site) roomForPicture(size int64) error {
	free, err := journal.Free(s.cfg.Pictures.Dir)
	if err != nil {
		return nil //nolint:nilerr // where nobody can say it the write itself finds out
	}
	if keep := s.needed(); free-size < keep {
		return fmt.Errorf("%d MiB are free and %d MiB are kept for records; free space on the disk", free>>20, keep>>20)
	}
	return nil
}

// needed is what must be free before a picture may take anything, in bytes.
func (s *Site) needed() int64 {
	r := s.cfg.Disk.Reserve
	return s.cfg.Disk.MinFree + r.Size() - r.Left()
}

// shortOfDisk says what a person should do about the disk, empty for nothing.
func (s *Site) shortOfDisk() string {
	r := s.cfg.Disk.Reserve
	left, size, fault := r.Left(), r.Size(), r.Fault()
	switch {
	case r.Given():
		return fmt.Sprintf("the disk is full and the site lives on its reserve: %d of %d MiB are left; free space on the disk of the journal, pictures are not stored meanwhile", left>>20, size>>20)
	case fault != nil:
		return fmt.Sprintf("there is no whole reserve for a full disk, it holds %d of %d MiB: %v", left>>20, size>>20, fault)
	}
	if free, err := s.cfg.Journal.Free(); err == nil && free < s.cfg.Disk.MinFree {
		return fmt.Sprintf("the disk is nearly full: %d MiB are free; pictures are not stored any more, free space before records are in need", free>>20)
	}
	return ""
}

// remedy is what a person should do about a journal that cannot be written.
func remedy(err error) string {
	switch {
	case errors.Is(err, journal.ErrFull):
		return "free space on its disk; where the disk has room, journal_max_mb is reached: raise it or mend the line to the centre"
	case errors.Is(err, journal.ErrDamaged):
		return "its file is damaged: the site starts again and recovers it, see the log"
	default:
		return "look at its disk: a file system that became read-only, a folder without the right to write, or a disk that fails"
	}
}
