package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// Picture is a picture file that a record names.
type Picture struct {
	Digest wim.Digest
	Size   int64 // bytes
	Found  bool  // it shows a vehicle that exceeded a limit
}

// WaitingPictures lists the pictures not yet handed in, oldest first, without those refused for good.
func (j *Journal) WaitingPictures(ctx context.Context, limit int) ([]Picture, error) {
	return j.pictures(ctx, `SELECT digest, size FROM picture WHERE uploaded = 0 AND refused = '' ORDER BY added, digest LIMIT ?`, limit)
}

// EachPicture calls f for the digest of every picture that the journal knows, handed in or not.
func (j *Journal) EachPicture(ctx context.Context, f func(wim.Digest)) error {
	all, err := j.pictures(ctx, `SELECT digest, size FROM picture LIMIT ?`, -1)
	for _, p := range all {
		f(p.Digest)
	}
	return err
}

func (j *Journal) pictures(ctx context.Context, query string, limit int) ([]Picture, error) {
	rows, err := j.read.QueryContext(ctx, query, limit)
	if err != nil {
		return nil, wrap("read pictures", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err says what went wrong
	var out []Picture
	for rows.Next() {
		var p Picture
		var d []byte
		if err := rows.Scan(&d, &p.Size); err != nil {
			return nil, wrap("read pictures", err)
		}
		if len(d) != wim.DigestSize {
			return nil, fmt.Errorf("%w: a picture with a digest of %d bytes", ErrDamaged, len(d))
		}
		p.Digest = wim.Digest(d)
		out = append(out, p)
	}
	return out, wrap("read pictures", rows.Err())
}

// PicturesWaiting counts the pictures not yet handed in and those that were refused for good.
func (j *Journal) PicturesWaiting(ctx context.Context) (waiting, refused int, err error) {
	err = j.read.QueryRowContext(ctx, `SELECT count(*) FILTER (WHERE refused = ''), count(*) FILTER (WHERE refused <> '') FROM picture WHERE uploaded = 0`).Scan(&waiting, &refused)
	return waiting, refused, wrap("count pictures", err)
}

// StoredPicture is a picture with what became of it so far.
type StoredPicture struct {
	Picture
	HandedIn bool // the centre has it
}

// PictureBytes is what all pictures take that the journal knows.
func (j *Journal) PictureBytes(ctx context.Context) (int64, error) {
	var n int64
	err := j.read.QueryRowContext(ctx, `SELECT coalesce(sum(size), 0) FROM picture`).Scan(&n)
	return n, wrap("weigh pictures", err)
}

// Expendable lists pictures in the order in which they are needed least: those that the centre has, then those of
// vehicles without a finding, then those with one; the oldest first, by the order of the journal and by no clock.
func (j *Journal) Expendable(ctx context.Context, limit int) ([]StoredPicture, error) {
	return j.stored(ctx, `SELECT digest, size, found, uploaded > 0 FROM picture
		ORDER BY CASE WHEN uploaded > 0 THEN 0 WHEN found = 0 THEN 1 ELSE 2 END, rowid LIMIT ?`, limit)
}

// Overdue lists the pictures without a finding that came before a time and that the centre still does not have,
// the oldest first. They are kept by the time of Config.Now.
func (j *Journal) Overdue(ctx context.Context, before time.Time, limit int) ([]StoredPicture, error) {
	return j.stored(ctx, `SELECT digest, size, found, uploaded > 0 FROM picture
		WHERE uploaded = 0 AND found = 0 AND added < ? ORDER BY rowid LIMIT ?`, before.UnixNano(), limit)
}

func (j *Journal) stored(ctx context.Context, query string, args ...any) ([]StoredPicture, error) {
	rows, err := j.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, wrap("read pictures", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err says what went wrong
	var out []StoredPicture
	for rows.Next() {
		var p StoredPicture
		var d []byte
		if err := rows.Scan(&d, &p.Size, &p.Found, &p.HandedIn); err != nil {
			return nil, wrap("read pictures", err)
		}
		if len(d) != wim.DigestSize {
			return nil, fmt.Errorf("%w: a picture with a digest of %d bytes", ErrDamaged, len(d))
		}
		p.Digest = wim.Digest(d)
		out = append(out, p)
	}
	return out, wrap("read pictures", rows.Err())
}

// ForgetPictures takes pictures out of the journal, so that the caller deletes their files. The records that name
// them stay as they are.
func (j *Journal) ForgetPictures(ctx context.Context, gone []StoredPicture) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.ready(ctx); err != nil {
		return fmt.Errorf("forget pictures: %w", err)
	}
	err := j.transact(ctx, func(tx *sql.Tx) error {
		for i := range gone {
			if _, err := tx.ExecContext(ctx, `DELETE FROM picture WHERE digest = ?`, gone[i].Digest[:]); err != nil {
				return wrap("delete pictures", err)
			}
		}
		return nil
	}, func() bool { return false }) // deleting them again changes nothing
	if err != nil {
		return fmt.Errorf("forget pictures: %w", err)
	}
	return nil
}

// PictureUploaded notes that the centre holds the picture.
func (j *Journal) PictureUploaded(ctx context.Context, d wim.Digest) error {
	return j.setPicture(ctx, `UPDATE picture SET uploaded = ? WHERE digest = ?`, d, j.cfg.Now().UnixNano())
}

// PictureRefused sets a picture aside: its file stays, it is not offered again, and it is counted.
func (j *Journal) PictureRefused(ctx context.Context, d wim.Digest, reason string) error {
	if reason == "" {
		return errors.New("refuse picture: a reason is needed")
	}
	return j.setPicture(ctx, `UPDATE picture SET refused = ? WHERE digest = ?`, d, reason)
}

func (j *Journal) setPicture(ctx context.Context, query string, d wim.Digest, value any) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.ready(ctx); err != nil {
		return fmt.Errorf("mark picture: %w", err)
	}
	err := j.transact(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, query, value, d[:])
		return wrap("mark picture", err)
	}, func() bool { return false }) // marking it again changes nothing
	if err != nil {
		return fmt.Errorf("mark picture %s: %w", d.Short(), err)
	}
	return nil
}
