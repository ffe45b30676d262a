package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// Applied is what a receipt changed.
type Applied struct {
	Receipted uint64 // the mark of the receipt's chain now
	Moved     bool   // the mark went forward
	// Rewound: the centre's store was restored and holds less than it once did; what follows Receipted must be
	// sent again.
	Rewound bool
	// Lost counts records that a restored centre no longer holds and this journal has already pruned. They are
	// gone from both: Keep is shorter than the age of the centre's backup.
	Lost uint64
	// NewChain is set when the receipt told of a fork, or of records that this journal does not have: the
	// chain that was started.
	NewChain wim.ChainID
}

// ApplyReceipt moves the receipted mark. The caller has verified r's signature under the centre's pinned key.
//
// Within one store epoch the mark only goes forward: an older receipt changes nothing and is no error. A
// later epoch may set it back. A receipt must name the digest of our own record, else it is ErrReceipt and
// changes nothing. A fork receipt for the active chain, or one that covers more than the journal has (its
// disk was restored), starts a new chain.
func (j *Journal) ApplyReceipt(ctx context.Context, r seal.Receipt) (Applied, error) {
	if r.Site != j.cfg.Site {
		return Applied{}, fmt.Errorf("receipt for site %s: %w", r.Site, ErrSite)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.ready(ctx); err != nil {
		return Applied{}, fmt.Errorf("apply receipt: %w", err)
	}
	if r.Chain != j.active.id {
		return j.applyOld(ctx, r)
	}
	c := j.active
	if r.Epoch < c.epoch {
		return Applied{Receipted: c.receipted}, fmt.Errorf("%w: epoch %d, the centre is in %d", ErrOldEpoch, r.Epoch, c.epoch)
	}
	if r.Fork || r.Seq > c.head {
		cause, seq, digest := causeFork, c.receipted, c.receipt
		if !r.Fork { // the new chain names what the centre has of the old one, though this journal has less
			cause, seq, digest = causeRestored, r.Seq, r.Digest
		}
		id, err := j.startChainBehind(ctx, cause, seq, digest)
		if err != nil {
			return Applied{}, err
		}
		return Applied{Receipted: j.active.receipted, NewChain: id}, nil
	}
	if r.Epoch == c.epoch && r.Seq <= c.receipted {
		return Applied{Receipted: c.receipted}, nil
	}
	to, link, lost := r.Seq, r.Digest, uint64(0)
	if r.Seq < c.pruned {
		to, link, lost = c.pruned, c.prunedLink, c.pruned-r.Seq
	} else if err := j.checkDigest(ctx, &c, r); err != nil {
		return Applied{Receipted: c.receipted}, err
	}
	if err := j.setReceipted(ctx, c.ordinal, to, link, r.Epoch, func() bool { return j.active.receipted == to && j.active.epoch == r.Epoch }); err != nil {
		return Applied{}, fmt.Errorf("apply receipt: %w", err)
	}
	j.active.receipted, j.active.receipt, j.active.epoch = to, link, r.Epoch
	return Applied{Receipted: to, Moved: to > c.receipted, Rewound: to < c.receipted, Lost: lost}, nil
}

// applyOld applies a receipt to a chain that is written to no more. Its fork has already been answered by a
// newer chain, so a fork receipt, which the broker retains, changes nothing here.
func (j *Journal) applyOld(ctx context.Context, r seal.Receipt) (Applied, error) {
	for i := range j.old {
		o := &j.old[i]
		if o.id != r.Chain {
			continue
		}
		if r.Fork || r.Seq <= o.receipted || r.Seq > o.head {
			return Applied{Receipted: o.receipted}, nil
		}
		if err := j.checkDigest(ctx, &chain{link: *o}, r); err != nil {
			return Applied{Receipted: o.receipted}, err
		}
		ordinal := o.ordinal
		if err := j.setReceipted(ctx, ordinal, r.Seq, r.Digest, r.Epoch, func() bool {
			for _, x := range j.old {
				if x.ordinal == ordinal {
					return x.receipted == r.Seq
				}
			}
			return false
		}); err != nil {
			return Applied{}, fmt.Errorf("apply receipt: %w", err)
		}
		j.old[i].receipted = r.Seq
		return Applied{Receipted: r.Seq, Moved: true}, nil
	}
	return Applied{}, fmt.Errorf("%w: chain %s", ErrOtherChain, r.Chain)
}

// checkDigest compares the receipt's digest with our own record's.
func (j *Journal) checkDigest(ctx context.Context, c *chain, r seal.Receipt) error {
	var own wim.Digest
	switch r.Seq {
	case 0: // a restored centre that never saw this chain
	case c.pruned:
		own = c.prunedLink
	default:
		d, err := digestAt(ctx, j.write, c.ordinal, r.Seq)
		if err != nil {
			return fmt.Errorf("apply receipt: %w", err)
		}
		own = d
	}
	if own != r.Digest {
		return fmt.Errorf("%w: it covers record %d with digest %s, ours has %s; two sites may be using one name, or a disk was restored",
			ErrReceipt, r.Seq, r.Digest.Short(), own.Short())
	}
	return nil
}

// markEvery thins out the marks: one in so many parts of Keep is exact enough for pruning.
const markEvery = 1000

func (j *Journal) setReceipted(ctx context.Context, ordinal int64, seq uint64, digest wim.Digest, epoch uint64, kept func() bool) error {
	now := j.cfg.Now().UnixNano()
	return j.transact(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE chain SET receipted_seq = ?, receipted_digest = ?, receipted_epoch = ? WHERE ordinal = ?`,
			int64(seq), digest[:], int64(epoch), ordinal); err != nil {
			return wrap("move receipted mark", err)
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM mark WHERE chain = ? AND seq > ?`, ordinal, int64(seq)); err != nil {
			return wrap("move receipted mark", err)
		}
		var last sql.NullInt64
		if err := tx.QueryRowContext(ctx, `SELECT max(time) FROM mark WHERE chain = ?`, ordinal).Scan(&last); err != nil {
			return wrap("move receipted mark", err)
		}
		if last.Valid && now-last.Int64 < int64(j.cfg.Keep)/markEvery {
			return nil // a later mark will cover it, with a later time: kept longer, never shorter
		}
		return addMark(ctx, tx, ordinal, seq, now)
	}, kept)
}

func addMark(ctx context.Context, tx *sql.Tx, ordinal int64, seq uint64, now int64) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO mark (chain, seq, time) VALUES (?, ?, ?) ON CONFLICT (chain, seq) DO NOTHING`, ordinal, int64(seq), now)
	return wrap("mark receipt", err)
}

func digestAt(ctx context.Context, db *sql.DB, ordinal int64, seq uint64) (wim.Digest, error) {
	var d []byte
	err := db.QueryRowContext(ctx, `SELECT digest FROM record WHERE id = ?`, rowID(ordinal, seq)).Scan(&d)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return wim.Digest{}, fmt.Errorf("%w: record %d is missing", ErrDamaged, seq)
	case err != nil:
		return wim.Digest{}, wrap("read record", err)
	case len(d) != wim.DigestSize:
		return wim.Digest{}, fmt.Errorf("%w: record %d has a digest of %d bytes", ErrDamaged, seq, len(d))
	}
	return wim.Digest(d), nil
}
