package journal

import (
	"context"
	"database/sql"
	"errors"

	"github.com/axlegate/axlegate/wim"
)

// knownKept is how many names of devices' records are remembered, of all devices together: at ten thousand vehicles a day
// three months. A record that a controller sends again later than that is taken for a new one.
const knownKept = 1_000_000

// Knows tells whether a record with that Draft.Key was committed for the device, or a transaction of that ID for the system. It outlives the pruning of its record, by
// number: the newest million are remembered.
func (j *Journal) Knows(ctx context.Context, device, key string) (bool, error) {
	var one int
	err := j.read.QueryRowContext(ctx, `SELECT 1 FROM known WHERE device = ? AND key = ?`, device, key).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, wrap("look a record's name up", err)
}

// pruneKnown forgets the oldest names beyond knownKept.
func pruneKnown(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM known WHERE id <= (SELECT max(id) FROM known) - ?`, knownKept)
	return wrap("forget names of records", err)
}

// knownOf is by whose and by what name a salvaged record was kept; empty for none.
func knownOf(r *wim.Record) (by, key string) {
	switch {
	case r.Transaction != nil:
		return r.Transaction.System, r.Transaction.ID
	case r.Passage != nil && r.Passage.Facts.Vehicle.Controller != nil:
		return r.Passage.Source.Device, r.Passage.Facts.Vehicle.Controller.ID
	}
	return "", ""
}
