package edge

import (
	"context"
	"errors"
	"time"

	"github.com/axlegate/axlegate/edge/journal"
)

// sweepMost bounds how many pictures one sweep takes: whatever the clock or a configuration says, somebody has time
// to see it.
const sweepMost = 256

// pictureAge watches the time by which pictures grow old.
type pictureAge struct {
	proven  time.Time
	since   time.Duration
	settled time.Duration // elapsed until which no picture is too old
}

// trusted tells whether the proven time went on as time does. One that was moved by more than keep is not
// believed for as long again: a machine that ran for days with a dead clock is not to lose its pictures in the
// moment in which it learns the year.
func (a *pictureAge) trusted(proven time.Time, since, keep time.Duration) bool {
	if !a.proven.IsZero() && proven.Sub(a.proven)-(since-a.since) > keep {
		a.settled = since + keep
	}
	a.proven, a.since = proven, since
	return since >= a.settled
}

// keepPictures takes the least needed pictures where they are more than their budget, where they take what records
// need, or where they waited too long. Records are never touched.
func (s *Site) keepPictures(ctx context.Context, age *pictureAge) {
	if s.cfg.Pictures.Dir == "" {
		return
	}
	proven := s.cfg.Timekeeper.Proven()
	if age.trusted(proven, s.cfg.Timekeeper.cfg.Elapsed(), s.cfg.Pictures.MaxAge) {
		late, err := s.cfg.Journal.Overdue(ctx, proven.Add(-s.cfg.Pictures.MaxAge), sweepMost)
		if err != nil {
			s.log.Warn("could not read which pictures waited too long", "err", err)
			return
		}
		s.drop(ctx, late, "it waited too long for the centre")
	}
	held, err := s.cfg.Journal.PictureBytes(ctx)
	if err != nil {
		s.log.Warn("could not read what pictures take", "err", err)
		return
	}
	over, short := held-s.cfg.Pictures.MaxBytes, int64(0)
	if free, err := journal.Free(s.cfg.Pictures.Dir); err == nil {
		short = s.needed() - free
	}
	if over <= 0 && short <= 0 {
		return
	}
	list, err := s.cfg.Journal.Expendable(ctx, sweepMost)
	if err != nil {
		s.log.Warn("could not read which pictures may go", "err", err)
		return
	}
	var beyond, makeRoom []journal.StoredPicture
	for _, p := range list {
		switch {
		case over > 0:
			beyond = append(beyond, p)
		case short > 0 && (p.HandedIn || s.cfg.Disk.Reserve.Given() && !p.Found):
			makeRoom = append(makeRoom, p)
		default:
			continue
		}
		over -= p.Size
		short -= p.Size
	}
	s.drop(ctx, beyond, "pictures take more than pictures_max_mb")
	s.drop(ctx, makeRoom, "records need the space")
}

// drop forgets pictures and deletes their files, in this order: a file that no row names is swept at the next start.
func (s *Site) drop(ctx context.Context, list []journal.StoredPicture, why string) {
	if len(list) == 0 {
		return
	}
	if err := s.cfg.Journal.ForgetPictures(ctx, list); err != nil {
		s.log.Warn("pictures could not be let go", "count", len(list), "why", why, "err", err)
		if errors.Is(err, journal.ErrFull) {
			s.makeRoom(list)
		}
		return
	}
	for i := range list {
		p := &list[i]
		result := pictureMadeRoom
		if !p.HandedIn {
			result = pictureDropped
			if p.Found {
				result = pictureDroppedFinding
			}
			s.log.Warn("a picture is deleted before the centre has it; its record is not affected", "digest", p.Digest, "bytes", p.Size, "finding", p.Found, "why", why)
		}
		s.m.pictures.WithLabelValues(result).Inc()
		if err := s.store.remove(p.Digest); err != nil {
			s.log.Warn("could not delete a picture; the next start sweeps it", "err", err)
		}
	}
}

// makeRoom deletes the files that the centre has where the journal has no room to note it. Their rows stay and are
// forgotten once it has: nobody asks for a file that was handed in.
func (s *Site) makeRoom(list []journal.StoredPicture) {
	for i := range list {
		if !list[i].HandedIn {
			continue
		}
		if err := s.store.remove(list[i].Digest); err != nil {
			s.log.Warn("could not delete a picture that the centre has", "err", err)
		}
	}
}
