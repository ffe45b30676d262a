package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// Draft is a record before the journal has named it: its kind, its one body and what must be committed with
// it. The journal adds format, site, chain, sequence, previous digest, nonce and software.
type Draft struct {
	Kind  wim.RecordKind
	Lane  wim.LaneID
	Time  wim.Time
	Clock wim.ClockState

	Passage    *wim.Passage
	Supplement *wim.Supplement
	Gap        *wim.Gap
	// Transaction is kept under its own ID, of its System: Knows finds it.
	Transaction *wim.Transaction
	Event       *wim.Event

	Configuration *wim.SiteConfiguration
	// Rotate makes the body of a key rotation for the chain that the record comes to stand in.
	Rotate func(wim.ChainID) (*wim.Rotation, error)

	// Cursors move with the record. Within one boot a cursor only moves forward.
	Cursors []wim.DeviceCursor
	// Key is the device's own name for what the record accounts for, empty for none: Knows finds it. It is of the device of
	// the first cursor.
	Key string
	// Pictures are queued for upload; their files are already synced.
	Pictures []Picture
	// Found are pictures of earlier drafts that this one found to show a vehicle that exceeded a limit.
	Found []wim.Digest

	// Name, where not nil, is given the record's name as soon as it is sealed. It counts once Append has
	// returned without an error.
	Name *wim.RecordRef
	// Of, where not nil, is the Name of an earlier draft, of this Append or a former one, and becomes
	// Supplement.Of: a plate may come while the passage it belongs to is still on its way to the disk.
	Of *wim.RecordRef
}

// Append seals drafts in order and commits them with their cursors and pictures and the chain's head in one
// synced transaction. Either all are kept or none. The error is ErrFull where there is no space and a
// *DraftError where one draft can never be sealed.
func (j *Journal) Append(ctx context.Context, drafts []Draft) ([]seal.Sealed, error) {
	if len(drafts) == 0 {
		return nil, nil
	}
	// What was begun is not broken off: the driver's watch over ctx costs more than it could save.
	ctx = context.WithoutCancel(ctx)
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.ready(ctx); err != nil {
		return nil, fmt.Errorf("append: %w", err)
	}
	moved, err := j.moves(drafts)
	if err != nil {
		return nil, fmt.Errorf("append: %w", err)
	}
	sealed, err := j.sealAll(drafts)
	if err != nil {
		return nil, fmt.Errorf("append: %w", err)
	}
	last := sealed[len(sealed)-1]
	kept := func() bool { return j.active.head == last.Seq && j.active.headDigest == last.Digest }
	folding := last.Seq-j.folded >= foldEvery || slices.ContainsFunc(drafts, func(d Draft) bool { return len(d.Cursors) > 1 })
	if len(drafts) == 1 && !folding && alone(&drafts[0]) {
		err = j.once(ctx, func() error {
			_, err := j.insert.ExecContext(ctx, row(j.active.ordinal, &sealed[0], &drafts[0])...)
			return wrap("insert record", err)
		}, kept)
	} else {
		err = j.transact(ctx, func(tx *sql.Tx) error {
			insert := tx.StmtContext(ctx, j.insert) //nolint:sqlclosecheck // the transaction closes its own copy
			for i := range drafts {
				if _, err := insert.ExecContext(ctx, row(j.active.ordinal, &sealed[i], &drafts[i])...); err != nil {
					return wrap("insert record", err)
				}
				if err := j.keepBeside(ctx, tx, &sealed[i], &drafts[i]); err != nil {
					return err
				}
			}
			if !folding {
				return nil
			}
			for d, c := range j.cursors {
				if _, ok := moved[d]; !ok {
					moved[d] = c
				}
			}
			return j.foldIn(ctx, tx, last.Seq, last.Digest, moved)
		}, kept)
	}
	if err != nil {
		return nil, fmt.Errorf("append: %w", err)
	}
	j.active.head, j.active.headDigest = last.Seq, last.Digest
	if folding {
		j.folded = last.Seq
	}
	for _, c := range moved {
		j.cursors[c.Device] = c
	}
	return sealed, nil
}

// foldEvery is after how many records heads and cursors are written apart; Open reads at most so many rows, and an
// append's worth, to find them.
const foldEvery = 512

// alone tells whether a draft is one row and nothing else.
func alone(d *Draft) bool {
	return d.Key == "" && d.Transaction == nil && len(d.Pictures) == 0 && len(d.Found) == 0 && d.Kind != wim.KindConfiguration && d.Kind != wim.KindRotation
}

// row is a record's row, with its draft's cursor in it. Several do not fit: such an append folds.
func row(ordinal int64, s *seal.Sealed, d *Draft) []any {
	urgent := int64(0)
	if s.Urgent {
		urgent = 1
	}
	r := []any{rowID(ordinal, s.Seq), s.Digest[:], string(s.Kind), int64(d.Lane), int64(d.Time), urgent, nil, nil, nil, s.Raw}
	if len(d.Cursors) == 1 {
		c := &d.Cursors[0]
		r[6], r[7], r[8] = c.Device, int64(c.Boot), int64(c.Seq)
	}
	return r
}

// fold writes the active chain's head and all cursors apart, under mu.
func (j *Journal) fold(ctx context.Context) error {
	if j.active.head == j.folded {
		return nil
	}
	err := j.transact(ctx, func(tx *sql.Tx) error {
		return j.foldIn(ctx, tx, j.active.head, j.active.headDigest, j.cursors)
	}, func() bool { return true })
	if err == nil {
		j.folded = j.active.head
	}
	return err
}

func (j *Journal) foldIn(ctx context.Context, tx *sql.Tx, head uint64, digest wim.Digest, cursors map[string]wim.DeviceCursor) error {
	now := j.cfg.Now().UnixNano()
	for _, c := range cursors {
		if _, err := tx.StmtContext(ctx, j.setCursor).ExecContext(ctx, c.Device, c.Boot, c.Seq, now); err != nil { //nolint:sqlclosecheck // the transaction closes its own copy
			return wrap("move cursor", err)
		}
	}
	_, err := tx.StmtContext(ctx, j.setHead).ExecContext(ctx, int64(head), digest[:], j.active.ordinal) //nolint:sqlclosecheck // the transaction closes its own copy
	return wrap("move head", err)
}

// keepBeside keeps apart what does not fit in a record's row or must outlive its pruning: its pictures,
// configurations and rotations.
func (j *Journal) keepBeside(ctx context.Context, tx *sql.Tx, s *seal.Sealed, d *Draft) error {
	for _, p := range d.Pictures {
		if _, err := tx.StmtContext(ctx, j.addPicture).ExecContext(ctx, p.Digest[:], p.Size, j.cfg.Now().UnixNano(), p.Found); err != nil { //nolint:sqlclosecheck // the transaction closes its own copy
			return wrap("queue picture", err)
		}
	}
	if by, key := d.known(); key != "" {
		if _, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO known (device, key) VALUES (?, ?)`, by, key); err != nil {
			return wrap("keep the device's name of a record", err)
		}
	}
	for _, p := range d.Found {
		if _, err := tx.ExecContext(ctx, `UPDATE picture SET found = 1 WHERE digest = ?`, p[:]); err != nil {
			return wrap("mark picture", err)
		}
	}
	switch s.Kind {
	case wim.KindConfiguration:
		return keepConfiguration(ctx, tx, s)
	case wim.KindRotation:
		r, err := seal.Open(s.Raw)
		if err != nil {
			return err
		}
		return keepRotation(ctx, tx, Rotated{Chain: r.Chain, Seq: r.Seq, Old: r.Rotation.Old, New: r.Rotation.New})
	default:
		return nil
	}
}

// known is by whose and by what name Knows finds the draft's record; empty for none.
func (d *Draft) known() (by, key string) {
	switch {
	case d.Transaction != nil:
		return d.Transaction.System, d.Transaction.ID
	case d.Key != "" && len(d.Cursors) > 0:
		return d.Cursors[0].Device, d.Key
	}
	return "", ""
}

// moves works out where the cursors end and refuses a draft that would take a message into account twice.
func (j *Journal) moves(drafts []Draft) (map[string]wim.DeviceCursor, error) {
	moved := map[string]wim.DeviceCursor{}
	for i := range drafts {
		for _, c := range drafts[i].Cursors {
			at, ok := moved[c.Device]
			if !ok {
				at, ok = j.cursors[c.Device]
			}
			if ok && at.Boot == c.Boot && c.Seq <= at.Seq {
				return nil, &DraftError{Index: i, Err: fmt.Errorf("%s boot %d message %d is already accounted for: the cursor stands at %d",
					c.Device, c.Boot, c.Seq, at.Seq)}
			}
			moved[c.Device] = c
		}
	}
	return moved, nil
}

func (j *Journal) sealAll(drafts []Draft) ([]seal.Sealed, error) {
	sealed := make([]seal.Sealed, 0, len(drafts))
	seq, prev := j.active.head, j.active.headDigest
	for i := range drafts {
		d := &drafts[i]
		seq++
		if d.Of != nil {
			if d.Supplement == nil || d.Of.Seq == 0 {
				return nil, &DraftError{Index: i, Err: errors.New("it adds to a record that was never kept")}
			}
			d.Supplement.Of = *d.Of
		}
		var rotation *wim.Rotation
		if d.Rotate != nil {
			r, err := d.Rotate(j.active.id)
			if err != nil {
				return nil, &DraftError{Index: i, Err: err}
			}
			rotation = r
		}
		s, err := seal.Record(&wim.Record{
			Format: wim.RecordFormat, Site: j.cfg.Site, Chain: j.active.id, Seq: seq, Prev: prev, Nonce: wim.NewNonce(),
			Kind: d.Kind, Time: d.Time, Clock: d.Clock, Software: j.cfg.Software,
			Passage: d.Passage, Supplement: d.Supplement, Gap: d.Gap, Transaction: d.Transaction, Event: d.Event, Configuration: d.Configuration, Rotation: rotation,
		})
		if err != nil {
			return nil, &DraftError{Index: i, Err: err}
		}
		if d.Name != nil {
			*d.Name = wim.RecordRef{Site: j.cfg.Site, Chain: j.active.id, Seq: seq, Digest: s.Digest}
		}
		sealed = append(sealed, s)
		prev = s.Digest
	}
	return sealed, nil
}

// once runs one statement that is a transaction by itself, under mu.
func (j *Journal) once(ctx context.Context, f func() error, kept func() bool) error {
	if err := j.commit(f); err != nil {
		return j.settle(ctx, err, kept)
	}
	return nil
}

// transact runs f in one transaction, under mu.
func (j *Journal) transact(ctx context.Context, f func(*sql.Tx) error, kept func() bool) error {
	tx, err := j.write.BeginTx(ctx, nil)
	if err != nil {
		return wrap("begin", err)
	}
	if err := f(tx); err != nil {
		if rerr := tx.Rollback(); rerr != nil && !errors.Is(rerr, sql.ErrTxDone) {
			j.unclear = true
			return errors.Join(err, fmt.Errorf("roll back: %w", rerr))
		}
		return err
	}
	if err := j.commit(tx.Commit); err != nil {
		if rerr := tx.Rollback(); rerr != nil && !errors.Is(rerr, sql.ErrTxDone) {
			err = errors.Join(err, fmt.Errorf("roll back: %w", rerr))
		}
		return j.settle(ctx, wrap("commit", err), kept)
	}
	return nil
}

// settle finds out what became of a commit that reported an error: the file is read again and kept tells whether
// the transaction is in it after all. What was kept must not be tried a second time.
func (j *Journal) settle(ctx context.Context, err error, kept func() bool) error {
	j.unclear = true
	ctx = context.WithoutCancel(ctx)
	// database/sql leaves SQLite's transaction open when COMMIT fails (a full disk, a busy file); the one
	// connection would carry it into the next one.
	if _, rerr := j.write.ExecContext(ctx, `ROLLBACK`); rerr != nil {
		j.log.Debug("journal: nothing to roll back after a failed commit", "err", rerr)
	}
	if lerr := j.load(ctx); lerr != nil {
		return errors.Join(err, lerr)
	}
	j.unclear = false
	if kept() {
		j.log.Warn("journal: a commit reported an error but was kept", "err", err)
		return nil
	}
	return err
}

// StartChain ends the active chain and starts a new one that names it and its last receipted record. The
// earlier chain's records stay as they are.
func (j *Journal) StartChain(ctx context.Context, cause string) (wim.ChainID, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.ready(ctx); err != nil {
		return wim.ChainID{}, fmt.Errorf("start chain: %w", err)
	}
	return j.startChain(ctx, cause)
}

func (j *Journal) startChain(ctx context.Context, cause string) (wim.ChainID, error) {
	return j.startChainBehind(ctx, cause, j.active.receipted, j.active.receipt)
}

// startChainBehind starts a chain whose predecessor is receipted to a record with that digest, under mu.
func (j *Journal) startChainBehind(ctx context.Context, cause string, receipted uint64, receipt wim.Digest) (wim.ChainID, error) {
	before := j.active
	start := &wim.ChainStart{Cause: cause, Key: j.cfg.Key}
	var predecessor []byte
	if before.ordinal != 0 {
		start.Predecessor, start.Receipted, start.Digest = &before.id, receipted, receipt
		predecessor = before.id[:]
	}
	now := wim.TimeOf(j.cfg.Now())
	next := chain{link: link{ordinal: before.ordinal + 1, id: wim.NewChainID(), head: 1}}
	s, err := seal.Record(&wim.Record{
		Format: wim.RecordFormat, Site: j.cfg.Site, Chain: next.id, Seq: 1, Nonce: wim.NewNonce(), Kind: wim.KindStart,
		Time: now, Clock: j.cfg.Clock(), Software: j.cfg.Software, Start: start,
	})
	if err != nil {
		return wim.ChainID{}, fmt.Errorf("start chain: %w", err)
	}
	next.headDigest = s.Digest
	none := wim.Digest{}
	works, err := j.configurationIn(ctx, next.id, s.Digest, now)
	if err != nil {
		return wim.ChainID{}, fmt.Errorf("start chain: %w", err)
	}
	if works != nil {
		next.head, next.headDigest = works.Seq, works.Digest
	}
	err = j.transact(ctx, func(tx *sql.Tx) error {
		if before.ordinal != 0 {
			if err := j.foldIn(ctx, tx, before.head, before.headDigest, j.cursors); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO chain (ordinal, id, predecessor, cause, started, head_seq, head_digest, receipted_digest, pruned_digest)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, next.ordinal, next.id[:], predecessor, cause, int64(now), int64(next.head), next.headDigest[:], none[:], none[:]); err != nil {
			return wrap("insert chain", err)
		}
		insert := tx.StmtContext(ctx, j.insert) //nolint:sqlclosecheck // the transaction closes its own copy
		if _, err := insert.ExecContext(ctx, row(next.ordinal, &s, &Draft{Time: now})...); err != nil {
			return wrap("insert record", err)
		}
		if works == nil {
			return nil
		}
		if _, err := insert.ExecContext(ctx, row(next.ordinal, works, &Draft{Time: now})...); err != nil {
			return wrap("insert record", err)
		}
		return keepConfiguration(ctx, tx, works)
	}, func() bool { return j.active.id == next.id })
	if err != nil {
		return wim.ChainID{}, fmt.Errorf("start chain: %w", err)
	}
	if j.active.id != next.id { // not already read back after an unclear commit
		if before.ordinal != 0 {
			j.old = append(j.old, before.link)
		}
		j.active, j.folded = next, next.head
	}
	return next.id, nil
}
