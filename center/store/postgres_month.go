package store

import (
	"context"
	"fmt"
	"time"
)

// Advisory locks of this program, in PostgreSQL's one space of 64-bit keys for a database.
const (
	lockSchema = 0x61786c6567617401 // whoever changes tables
	lockPeers  = 0x61786c6567617402 // shared by every centre that is there
	lockLeases = 0x61786c6567617403 // whoever leases slots
)

// makeMonths makes the partitions of this month and the next, where they are not there yet.
func (s *Store) makeMonths(ctx context.Context) error {
	now := monthOf(s.now())
	if s.dialect == sqliteDialect || s.made.Load() > int64(now) {
		return nil
	}
	err := s.transact(ctx, "make the month's partitions", func(t *tx) error {
		var missing []month
		for m := now; m <= now+1; m++ {
			var there bool
			if err := t.row(ctx, `SELECT to_regclass(?) IS NOT NULL`, m.partition("record")).Scan(&there); err != nil {
				return err
			}
			if !there {
				missing = append(missing, m)
			}
		}
		if len(missing) == 0 {
			return nil
		}
		if err := t.run(ctx, `SELECT pg_advisory_xact_lock(?)`, int64(lockSchema)); err != nil {
			return err
		}
		for _, m := range missing {
			for _, table := range []string{"segment", "record"} {
				if err := t.makePartition(ctx, table, m); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err == nil {
		s.made.Store(int64(now + 1))
	}
	return err
}

func (m month) partition(table string) string {
	return table + "_" + m.begin().Format("2006_01")
}

// makePartition makes one, unless somebody else has meanwhile. It is filled before it is attached, which
// keeps readers and writers of the other months going.
func (t *tx) makePartition(ctx context.Context, table string, m month) error {
	name := m.partition(table)
	var there bool
	if err := t.row(ctx, `SELECT to_regclass(?) IS NOT NULL`, name).Scan(&there); err != nil || there {
		return err
	}
	if err := t.run(ctx, `CREATE TABLE `+name+` (LIKE `+table+` INCLUDING ALL)`); err != nil {
		return err
	}
	return t.run(ctx, fmt.Sprintf(`ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%d) TO (%d)`, table, name, firstOf(m), firstOf(m+1)))
}

// monthsEvery is how often a running centre sees to the next month's partitions.
const monthsEvery = 6 * time.Hour
