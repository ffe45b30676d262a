package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/axlegate/axlegate/wim"
)

// Picture is a picture file that a record names.
type Picture struct {
	Digest wim.Digest
	Size   int64 // bytes
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
