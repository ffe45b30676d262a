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

// Stored is a record as it lies in the journal.
type Stored struct {
	Seq    uint64
	Digest wim.Digest
	Kind   wim.RecordKind
	Time   wim.Time
	Urgent bool
	Raw    []byte
}

// After returns the records of a chain that follow seq, in order, at most maxRecords and maxBytes of raw
// bytes; a first record is returned whatever its size.
func (j *Journal) After(ctx context.Context, id wim.ChainID, seq uint64, maxRecords, maxBytes int) ([]Stored, error) {
	ordinal := j.ordinal(id)
	// From the next one on, not behind this one: a search behind it would touch its page, which may be damaged.
	rows, err := j.after.QueryContext(ctx, rowID(ordinal, seq)+1, rowID(ordinal+1, 0), maxRecords)
	if err != nil {
		return nil, wrap("read records", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err says what went wrong
	var out []Stored
	size := 0
	for rows.Next() {
		var s Stored
		var d []byte
		var kind string
		var row int64
		if err := rows.Scan(&row, &d, &kind, &s.Time, &s.Urgent, &s.Raw); err != nil {
			return nil, wrap("read records", err)
		}
		if len(d) != wim.DigestSize {
			return nil, fmt.Errorf("%w: record %d has a digest of %d bytes", ErrDamaged, seqOf(row), len(d))
		}
		if size += len(s.Raw); size > maxBytes && len(out) > 0 {
			break
		}
		s.Seq, s.Digest, s.Kind = seqOf(row), wim.Digest(d), wim.RecordKind(kind)
		out = append(out, s)
	}
	return out, wrap("read records", rows.Err())
}

// Urgent lists the sequences of the records after seq that someone waits for, oldest first, at most limit. It
// reads the index of those alone, however many others lie between.
func (j *Journal) Urgent(ctx context.Context, id wim.ChainID, seq uint64, limit int) ([]uint64, error) {
	ordinal := j.ordinal(id)
	rows, err := j.read.QueryContext(ctx, `SELECT id FROM record INDEXED BY record_urgent WHERE id > ? AND id < ? AND urgent = 1 ORDER BY id LIMIT ?`,
		rowID(ordinal, seq), rowID(ordinal+1, 0), limit)
	if err != nil {
		return nil, wrap("read urgent records", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err says what went wrong
	var out []uint64
	for rows.Next() {
		var row int64
		if err := rows.Scan(&row); err != nil {
			return nil, wrap("read urgent records", err)
		}
		out = append(out, seqOf(row))
	}
	return out, wrap("read urgent records", rows.Err())
}

// Waiting is how many records of the active chain no receipt covers, and when the oldest of them was
// written; 0 where there is none.
func (j *Journal) Waiting(ctx context.Context) (records uint64, oldest wim.Time, err error) {
	j.mu.Lock()
	c := j.active
	j.mu.Unlock()
	if c.head == c.receipted {
		return 0, 0, nil
	}
	err = j.read.QueryRowContext(ctx, `SELECT time FROM record WHERE id > ? AND id < ? ORDER BY id LIMIT 1`,
		rowID(c.ordinal, c.receipted), rowID(c.ordinal+1, 0)).Scan(&oldest)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, 0, nil // receipted and pruned meanwhile
	}
	return c.head - c.receipted, oldest, wrap("read oldest record", err)
}

// Kept is a passage or supplement read back with its name.
type Kept struct {
	Ref    wim.RecordRef
	Record *wim.Record
}

// recentRows bounds how far back Recent looks.
const recentRows = 4096

// ordinal is the number of a chain in this file; one that was never here gets a number that no row has.
func (j *Journal) ordinal(id wim.ChainID) int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.active.id == id {
		return j.active.ordinal
	}
	for i := range j.old {
		if j.old[i].id == id {
			return j.old[i].ordinal
		}
	}
	return -1
}

// Transactions returns transactions written at or after since, as Recent does.
func (j *Journal) Transactions(ctx context.Context, since wim.Time, limit int) ([]Kept, error) {
	return j.recent(ctx, 0, wim.KindTransaction, wim.KindTransaction, since, limit)
}

// Recent returns a lane's passages and supplements written at or after since, oldest first, at most limit of
// the newest: a plate that comes after a restart still finds its vehicle.
func (j *Journal) Recent(ctx context.Context, lane wim.LaneID, since wim.Time, limit int) ([]Kept, error) {
	return j.recent(ctx, lane, wim.KindPassage, wim.KindSupplement, since, limit)
}

func (j *Journal) recent(ctx context.Context, lane wim.LaneID, one, other wim.RecordKind, since wim.Time, limit int) ([]Kept, error) {
	j.mu.Lock()
	c := j.active
	j.mu.Unlock()
	// Newest first by id and stopping at the limit keeps this from reading a whole week; a clock that was set
	// back only makes the answer larger within the limit.
	rows, err := j.read.QueryContext(ctx, `SELECT raw FROM record WHERE id > ? AND lane = ? AND time >= ? AND kind IN (?, ?) ORDER BY id DESC LIMIT ?`,
		max(rowID(c.ordinal, c.head)-recentRows, rowID(c.ordinal, 0)), int64(lane), int64(since), string(one), string(other), limit)
	if err != nil {
		return nil, wrap("read recent records", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err says what went wrong
	var out []Kept
	for rows.Next() {
		var raw []byte
		if err := rows.Scan(&raw); err != nil {
			return nil, wrap("read recent records", err)
		}
		r, err := seal.Open(raw)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		out = append(out, Kept{Ref: wim.RecordRef{Site: r.Site, Chain: r.Chain, Seq: r.Seq, Digest: wim.DigestOf(raw)}, Record: r})
	}
	slices.Reverse(out)
	return out, wrap("read recent records", rows.Err())
}
