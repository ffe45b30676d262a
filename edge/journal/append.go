package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

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

	Configuration *wim.SiteConfiguration
	// Rotate makes the body of a key rotation for the chain that the record comes to stand in.
	Rotate func(wim.ChainID) (*wim.Rotation, error)

	// Cursors move with the record. Within one boot a cursor only moves forward.
	Cursors []wim.DeviceCursor
	// Pictures are queued for upload; their files are already synced.
	Pictures []Picture

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
	err = j.transact(ctx, func(tx *sql.Tx) error {
		prev := j.active.headDigest
		for i := range drafts {
			if err := j.insertRecord(ctx, tx, j.active.ordinal, &sealed[i], prev, drafts[i].Lane, drafts[i].Time); err != nil {
				return err
			}
			prev = sealed[i].Digest
			if err := keepBeside(ctx, tx, &sealed[i]); err != nil {
				return err
			}
			for _, p := range drafts[i].Pictures {
				if _, err := tx.StmtContext(ctx, j.addPicture).ExecContext(ctx, p.Digest[:], p.Size, int64(drafts[i].Time)); err != nil { //nolint:sqlclosecheck // the transaction closes its own copy
					return wrap("queue picture", err)
				}
			}
		}
		at := int64(drafts[len(drafts)-1].Time)
		for _, c := range moved {
			if _, err := tx.StmtContext(ctx, j.setCursor).ExecContext(ctx, c.Device, c.Boot, c.Seq, at); err != nil { //nolint:sqlclosecheck // the transaction closes its own copy
				return wrap("move cursor", err)
			}
		}
		_, err := tx.StmtContext(ctx, j.setHead).ExecContext(ctx, int64(last.Seq), last.Digest[:], j.active.ordinal) //nolint:sqlclosecheck // the transaction closes its own copy
		return wrap("move head", err)
	}, func() bool { return j.active.head == last.Seq && j.active.headDigest == last.Digest })
	if err != nil {
		return nil, fmt.Errorf("append: %w", err)
	}
	j.active.head, j.active.headDigest = last.Seq, last.Digest
	for _, c := range moved {
		j.cursors[c.Device] = c
	}
	return sealed, nil
}

// keepBeside keeps apart what must outlive a record's pruning.
func keepBeside(ctx context.Context, tx *sql.Tx, s *seal.Sealed) error {
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
			Passage: d.Passage, Supplement: d.Supplement, Gap: d.Gap, Configuration: d.Configuration, Rotation: rotation,
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

func (j *Journal) insertRecord(ctx context.Context, tx *sql.Tx, ordinal int64, s *seal.Sealed, prev wim.Digest, lane wim.LaneID, at wim.Time) error {
	urgent := 0
	if s.Urgent {
		urgent = 1
	}
	_, err := tx.StmtContext(ctx, j.insert).ExecContext(ctx, ordinal, int64(s.Seq), s.Digest[:], prev[:], string(s.Kind), int64(lane), int64(at), urgent, s.Raw) //nolint:sqlclosecheck // the transaction closes its own copy
	return wrap("insert record", err)
}

// transact runs f in one transaction, under mu. When the commit reports an error the file is read again and
// kept tells whether the transaction is in it after all: what was kept must not be tried a second time.
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
	err = j.commit(tx)
	if err == nil {
		return nil
	}
	j.unclear = true
	// database/sql leaves SQLite's transaction open when COMMIT fails (a full disk, a busy file); the one
	// connection would carry it into the next one.
	if _, rerr := j.write.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`); rerr != nil {
		j.log.Debug("journal: nothing to roll back after a failed commit", "err", rerr)
	}
	if lerr := j.load(context.WithoutCancel(ctx)); lerr != nil {
		return errors.Join(wrap("commit", err), lerr)
	}
	j.unclear = false
	if kept() {
		j.log.Warn("journal: a commit reported an error but was kept", "err", err)
		return nil
	}
	return wrap("commit", err)
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
	before := j.active
	start := &wim.ChainStart{Cause: cause, Key: j.cfg.Key}
	var predecessor []byte
	if before.ordinal != 0 {
		start.Predecessor, start.Receipted, start.Digest = &before.id, before.receipted, before.receipt
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
		if _, err := tx.ExecContext(ctx, `INSERT INTO chain (ordinal, id, predecessor, cause, started, head_seq, head_digest, receipted_digest, pruned_digest)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, next.ordinal, next.id[:], predecessor, cause, int64(now), int64(next.head), next.headDigest[:], none[:], none[:]); err != nil {
			return wrap("insert chain", err)
		}
		if err := j.insertRecord(ctx, tx, next.ordinal, &s, none, 0, now); err != nil || works == nil {
			return err
		}
		if err := j.insertRecord(ctx, tx, next.ordinal, works, s.Digest, 0, now); err != nil {
			return err
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
		j.active = next
	}
	return next.id, nil
}
