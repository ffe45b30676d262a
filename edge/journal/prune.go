package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// pruneBatch bounds one pruning transaction, so that a recorder never waits long behind it.
const pruneBatch = 512

// Prune deletes records that were receipted longer than Keep before now. The last record of every chain stays:
// its digest is what the next one links to and what Open checks. It returns how many records went.
func (j *Journal) Prune(ctx context.Context, now time.Time) (int, error) {
	j.mu.Lock()
	chains, err := readChains(ctx, j.write)
	j.mu.Unlock()
	if err != nil {
		return 0, fmt.Errorf("prune: %w", err)
	}
	total := 0
	for i := range chains {
		for {
			n, err := j.pruneSome(ctx, chains[i].ordinal, now)
			total += n
			if err != nil {
				return total, fmt.Errorf("prune: %w", err)
			}
			if n < pruneBatch {
				break
			}
		}
	}
	return total, nil
}

func (j *Journal) pruneSome(ctx context.Context, ordinal int64, now time.Time) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.ready(ctx); err != nil {
		return 0, err
	}
	if ordinal == j.active.ordinal {
		if err := j.fold(ctx); err != nil { // the cursors of rows that go must stand elsewhere
			return 0, err
		}
	}
	var to, before uint64
	var link wim.Digest
	err := j.transact(ctx, func(tx *sql.Tx) error {
		var receipted, head uint64
		if err := tx.QueryRowContext(ctx, `SELECT receipted_seq, head_seq, pruned_seq FROM chain WHERE ordinal = ?`, ordinal).Scan(&receipted, &head, &before); err != nil {
			return wrap("read chain", err)
		}
		// What is receipted now has a mark at the latest from here on, also on a site that falls silent.
		if receipted > before {
			if err := addMark(ctx, tx, ordinal, receipted, now.UnixNano()); err != nil {
				return err
			}
		}
		var covered sql.NullInt64
		if err := tx.QueryRowContext(ctx, `SELECT max(seq) FROM mark WHERE chain = ? AND time <= ?`, ordinal, now.Add(-j.cfg.Keep).UnixNano()).Scan(&covered); err != nil {
			return wrap("read marks", err)
		}
		to = min(uint64(max(covered.Int64, 0)), receipted, head-1, before+pruneBatch)
		if to <= before {
			to = before
			return nil
		}
		// A chain that was saved from a damaged journal has holes: prune to the last record before one.
		var last int64
		var d []byte
		err := tx.QueryRowContext(ctx, `SELECT id, digest FROM record WHERE id > ? AND id <= ? ORDER BY id DESC LIMIT 1`, rowID(ordinal, before), rowID(ordinal, to)).Scan(&last, &d)
		if errors.Is(err, sql.ErrNoRows) {
			to = before
			return nil
		}
		if err != nil {
			return wrap("read link", err)
		}
		to = seqOf(last)
		if len(d) != wim.DigestSize {
			return fmt.Errorf("%w: record %d has a digest of %d bytes", ErrDamaged, to, len(d))
		}
		link = wim.Digest(d)
		if _, err := tx.ExecContext(ctx, `DELETE FROM record WHERE id > ? AND id <= ?`, rowID(ordinal, 0), rowID(ordinal, to)); err != nil {
			return wrap("delete", err)
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM mark WHERE chain = ? AND seq < ?`, ordinal, int64(to)); err != nil {
			return wrap("delete", err)
		}
		if err := pruneKnown(ctx, tx); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE chain SET pruned_seq = ?, pruned_digest = ? WHERE ordinal = ?`, int64(to), link[:], ordinal)
		return wrap("move pruned mark", err)
	}, func() bool { return j.active.ordinal == ordinal && j.active.pruned == to })
	if err != nil {
		return 0, err
	}
	if ordinal == j.active.ordinal && to > before {
		j.active.pruned, j.active.prunedLink = to, link
	}
	return int(to - before), nil
}

// PrunePictures forgets pictures that were handed in longer than Keep before now and returns their digests,
// so that the caller deletes the files. At most 256 at a time.
func (j *Journal) PrunePictures(ctx context.Context, now time.Time) ([]wim.Digest, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.ready(ctx); err != nil {
		return nil, fmt.Errorf("prune pictures: %w", err)
	}
	var gone []wim.Digest
	err := j.transact(ctx, func(tx *sql.Tx) (err error) {
		rows, err := tx.QueryContext(ctx, `DELETE FROM picture WHERE digest IN
			(SELECT digest FROM picture WHERE uploaded > 0 AND uploaded <= ? LIMIT 256) RETURNING digest`, now.Add(-j.cfg.Keep).UnixNano())
		if err != nil {
			return wrap("delete pictures", err)
		}
		defer func() { err = errors.Join(err, rows.Close()) }()
		for rows.Next() {
			var d []byte
			if err := rows.Scan(&d); err != nil {
				return wrap("delete pictures", err)
			}
			if len(d) == wim.DigestSize {
				gone = append(gone, wim.Digest(d))
			}
		}
		return wrap("delete pictures", rows.Err())
	}, func() bool { return false })
	if err != nil {
		return nil, fmt.Errorf("prune pictures: %w", err)
	}
	return gone, nil
}
