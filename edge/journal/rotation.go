package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/axlegate/axlegate/wim"
)

// Rotated is a change of the signing key in a chain: the key Old signs up to and including record Seq, New what
// follows.
type Rotated struct {
	Chain wim.ChainID `json:"chain"`
	Seq   uint64      `json:"seq"`
	Old   string      `json:"old"`
	New   string      `json:"new"`
}

// Rotations are the changes of key that were sealed here, oldest first. They outlive the pruning of their records.
func (j *Journal) Rotations(ctx context.Context) ([]Rotated, error) {
	return rotations(ctx, j.read)
}

// querier is a database or a transaction.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func rotations(ctx context.Context, q querier) ([]Rotated, error) {
	var text string
	err := q.QueryRowContext(ctx, `SELECT value FROM meta WHERE key = 'rotations'`).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, wrap("read key rotations", err)
	}
	var out []Rotated
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		return nil, fmt.Errorf("%w: key rotations: %w; %s", ErrDamaged, err, setAside)
	}
	return out, nil
}

// keepRotation notes a rotation beside its record.
func keepRotation(ctx context.Context, tx *sql.Tx, r Rotated) error {
	all, err := rotations(ctx, tx)
	if err != nil {
		return err
	}
	text, err := json.Marshal(append(all, r))
	if err != nil {
		return fmt.Errorf("note key rotation: %w", err)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO meta (key, value) VALUES ('rotations', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, string(text))
	return wrap("note key rotation", err)
}
