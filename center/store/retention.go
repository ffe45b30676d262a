package store

import (
	"context"
	"fmt"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// Pruned is what retention took away.
type Pruned struct {
	Months  []string // that were gone through, as 2026-07
	Removed int64    // records taken away whole; the ledger keeps their digests
	Emptied int64    // records of ended matters of which the bytes were taken away and the line was left
	Kept    int64    // records of those months that still have their bytes
	Forks   int64    // records under a taken name whose bytes were taken away
	Items   int64    // quarantined input that was taken away
}

// Prune takes away the bytes of records that came in months that ended before an instant: the records and
// their signatures, forks and quarantined input. The ledger keeps every digest. It keeps the bytes of what
// belongs to a matter that is not closed or dismissed, of what lies beyond a hole of its chain, and of months
// that the review has not gone through; of a matter that has ended it keeps the lines, so that the matter can
// still be read and says what was removed. It may be called again at any time, takes away what may go by now,
// and leaves a line in the audit trail in the name of login, "" for the program.
//
// PostgreSQL gives the space back at once: a month's partition is put aside for a small one, or for none.
// SQLite gives back what a file made by this version has free, and uses it again in an older one.
func (s *Store) Prune(ctx context.Context, before time.Time, login string) (Pruned, error) {
	var sum Pruned
	if err := s.closeMonths(ctx); err != nil {
		return sum, err
	}
	months, err := s.prunable(ctx, min(monthOf(wim.TimeOf(before)), monthOf(s.now())))
	if err != nil {
		return sum, err
	}
	for _, m := range months {
		var one Pruned
		if s.dialect == postgresDialect {
			one, err = s.swapMonth(ctx, m)
		} else {
			one, err = s.emptyMonth(ctx, m)
		}
		if err != nil {
			return sum, fmt.Errorf("month %s: %w", m, err)
		}
		sum.Removed, sum.Emptied, sum.Kept = sum.Removed+one.Removed, sum.Emptied+one.Emptied, sum.Kept+one.Kept
		sum.Months = append(sum.Months, m.String())
	}
	err = s.transact(ctx, "prune forks and quarantine", func(t *tx) error {
		cut := monthOf(wim.TimeOf(before)).begin().UnixNano()
		if sum.Forks, err = t.count(ctx, `UPDATE fork SET raw = ?, jws = '' WHERE received < ? AND length(raw) > 0`, []byte{}, cut); err != nil {
			return err
		}
		if sum.Items, err = t.count(ctx, `DELETE FROM quarantine WHERE received < ?`, cut); err != nil {
			return err
		}
		if sum.Removed+sum.Emptied+sum.Forks+sum.Items == 0 {
			return nil
		}
		return s.trace(ctx, t, center.Trace{Login: login, Action: "retention", Subject: "before " + monthOf(wim.TimeOf(before)).String(), Detail: fmt.Sprintf(
			"records removed %d, emptied %d, kept %d; forks emptied %d; quarantine removed %d", sum.Removed, sum.Emptied, sum.Kept, sum.Forks, sum.Items)}, "")
	})
	if err != nil {
		return sum, err
	}
	if s.dialect == sqliteDialect && sum.Removed+sum.Emptied+sum.Items > 0 {
		return sum, s.shrink(ctx)
	}
	return sum, nil
}

// closeMonths sees to it that no record gets a number of a month before this one any more, not from a centre
// whose clock is behind either. Once it is done every record that has such a number is there to be seen.
func (s *Store) closeMonths(ctx context.Context) error {
	if err := s.makeMonths(ctx); err != nil {
		return err
	}
	return s.transact(ctx, "close the months before", func(t *tx) error {
		first := firstOf(monthOf(s.now()))
		return t.run(ctx, `UPDATE counter SET value = ? WHERE name = 'intake' AND value < ?`, first, first)
	})
}

// prunable lists the months that hold records, have ended before another and were reviewed.
func (s *Store) prunable(ctx context.Context, before month) (out []month, err error) {
	err = s.look(ctx, "find months to prune", func(t *tx) error {
		out = nil
		var cursor int64
		if err := t.row(ctx, `SELECT value FROM counter WHERE name = 'review'`).Scan(&cursor); err != nil {
			return err
		}
		for at := int64(-1); ; {
			var first int64
			if err := t.row(ctx, `SELECT coalesce(min(intake), -1) FROM record WHERE intake > ?`, at).Scan(&first); err != nil || first < 0 {
				return err
			}
			m := inMonth(first)
			if m >= before {
				return nil
			}
			// In a store from before numbers carried a month, the last segment tells.
			var received, last int64
			if err := t.row(ctx, `SELECT (SELECT coalesce(max(received), 0) FROM segment WHERE id > ? AND id <= ?),
				(SELECT max(intake) FROM record WHERE intake > ? AND intake <= ?)`, firstOf(m), firstOf(m+1), firstOf(m), firstOf(m+1)).Scan(&received, &last); err != nil {
				return err
			}
			if last <= cursor && (m != 0 || monthOf(wim.TimeOf(time.Unix(0, received))) < before) {
				out = append(out, m)
			}
			at = firstOf(m + 1)
		}
	})
	return out, err
}

// What retention keeps of the records between two intake numbers, once the accounts that may go have gone.
const (
	// accountsToGo: of passages that opened no matter.
	accountsToGo = `DELETE FROM account WHERE intake > ? AND intake <= ? AND NOT EXISTS (SELECT 1 FROM matter WHERE matter.passage = account.passage)`
	linkedToGo   = `DELETE FROM linked WHERE intake > ? AND intake <= ? AND NOT EXISTS (SELECT 1 FROM matter WHERE matter.passage = linked.passage)`
	opaqueToGo   = `DELETE FROM opaque WHERE intake > ? AND intake <= ?`
	waitingToGo  = `DELETE FROM waiting WHERE intake > ? AND intake <= ?
		AND NOT EXISTS (SELECT 1 FROM record r JOIN chain c ON c.id = r.chain WHERE r.intake = waiting.intake AND r.seq > c.seq)`
	// keepsLine: an account stands on it, its own or that of a supplement which came in a later month, or it was linked to a matter.
	keepsLine = `(EXISTS (SELECT 1 FROM account a WHERE a.intake = r.intake) OR EXISTS (SELECT 1 FROM account a WHERE a.passage = r.intake)
		OR EXISTS (SELECT 1 FROM linked l WHERE l.intake = r.intake))`
	// keepsBytes: its matter has not ended, or its chain has not come to it.
	keepsBytes = `(EXISTS (SELECT 1 FROM account a JOIN matter m ON m.passage = a.passage WHERE a.intake = r.intake AND m.state NOT IN ('closed', 'dismissed'))
		OR EXISTS (SELECT 1 FROM linked l JOIN matter m ON m.passage = l.passage WHERE l.intake = r.intake AND m.state NOT IN ('closed', 'dismissed'))
		OR r.seq > (SELECT c.seq FROM chain c WHERE c.id = r.chain))`
)

// pruneStep is how many intake numbers SQLite goes through in one transaction, so that writers get their turn.
const pruneStep = 20_000

// emptyMonth prunes a month of a SQLite store.
func (s *Store) emptyMonth(ctx context.Context, m month) (p Pruned, err error) {
	var last int64
	err = s.look(ctx, "find a month's end", func(t *tx) error {
		return t.row(ctx, `SELECT coalesce(max(intake), 0) FROM record WHERE intake > ? AND intake <= ?`, firstOf(m), firstOf(m+1)).Scan(&last)
	})
	for from := firstOf(m); err == nil && from < last; from += pruneStep {
		to := min(from+pruneStep, last)
		var removed, emptied int64
		err = s.transact(ctx, "prune records", func(t *tx) (err error) {
			for _, q := range []string{accountsToGo, linkedToGo, waitingToGo, opaqueToGo} {
				if err := t.run(ctx, q, from, to); err != nil {
					return err
				}
			}
			if emptied, err = t.count(ctx, `UPDATE record AS r SET raw = ? WHERE intake > ? AND intake <= ? AND length(raw) > 0 AND `+keepsLine+` AND NOT `+keepsBytes, []byte{}, from, to); err != nil {
				return err
			}
			if removed, err = t.count(ctx, `DELETE FROM record AS r WHERE intake > ? AND intake <= ? AND NOT `+keepsLine+` AND NOT `+keepsBytes, from, to); err != nil {
				return err
			}
			if removed+emptied == 0 {
				return nil
			}
			return s.noteMonth(ctx, t, m, removed)
		})
		p.Removed, p.Emptied = p.Removed+removed, p.Emptied+emptied
	}
	if err != nil {
		return p, err
	}
	return p, s.withoutForeignKeys(ctx, func(t *tx) error {
		if err := t.run(ctx, `DELETE FROM segment WHERE id > ? AND id <= ? AND id NOT IN (SELECT segment FROM record WHERE intake > ? AND intake <= ?)`,
			firstOf(m), firstOf(m+1), firstOf(m), firstOf(m+1)); err != nil {
			return err
		}
		if err := t.run(ctx, `UPDATE segment SET jws = '' WHERE id > ? AND id <= ? AND jws <> '' AND id NOT IN
			(SELECT segment FROM record WHERE intake > ? AND intake <= ? AND length(raw) > 0)`, firstOf(m), firstOf(m+1), firstOf(m), firstOf(m+1)); err != nil {
			return err
		}
		return s.countMonth(ctx, t, m, &p)
	})
}

// withoutForeignKeys is transact for deleting segments of SQLite: to look for records of each one, of which
// the statement has seen that there are none, would read the whole table for every segment.
func (s *Store) withoutForeignKeys(ctx context.Context, fn func(*tx) error) (err error) {
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return wrap("prune segments", err)
	}
	defer conn.Close() //nolint:errcheck // it goes back to the pool
	if _, err := conn.ExecContext(ctx, `PRAGMA foreign_keys = 0`); err != nil {
		return wrap("prune segments", err)
	}
	defer func() {
		if _, perr := conn.ExecContext(context.WithoutCancel(ctx), `PRAGMA foreign_keys = 1`); err == nil {
			err = wrap("prune segments", perr)
		}
	}()
	t, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return wrap("prune segments", err)
	}
	defer t.Rollback() //nolint:errcheck // after a commit there is nothing to roll back
	if err := fn(&tx{t: t, dialect: s.dialect, conn: conn}); err != nil {
		return wrap("prune segments", err)
	}
	return wrap("prune segments", s.commit(t))
}

// shrink gives free pages back to the file system.
func (s *Store) shrink(ctx context.Context) error {
	for _, q := range []string{`PRAGMA incremental_vacuum`, `PRAGMA wal_checkpoint(TRUNCATE)`} {
		if err := s.stepThrough(ctx, q); err != nil {
			return wrap("shrink", err)
		}
	}
	return nil
}

// stepThrough runs a statement of SQLite that does a part of its work for each row it gives.
func (s *Store) stepThrough(ctx context.Context, q string) error {
	rows, err := s.write.QueryContext(ctx, q)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // rows.Err says what went wrong
	for more := true; more; {
		more = rows.Next()
	}
	return rows.Err()
}

// swapMonth prunes a month of a PostgreSQL store: what is to be kept is copied, then a table of it takes the
// place of the month's partition in one short step. The review waits meanwhile, because it could open a
// matter again.
func (s *Store) swapMonth(ctx context.Context, m month) (p Pruned, err error) {
	err = s.transact(ctx, "prune records", func(t *tx) error {
		p = Pruned{}
		if err := t.run(ctx, `SET LOCAL statement_timeout = 0`); err != nil {
			return err
		}
		if err := t.run(ctx, `SELECT pg_advisory_xact_lock(?)`, int64(lockSchema)); err != nil {
			return err
		}
		var cursor, had int64
		if err := t.row(ctx, holdReview).Scan(&cursor); err != nil {
			return err
		}
		for _, q := range []string{accountsToGo, linkedToGo, waitingToGo, opaqueToGo} {
			if err := t.run(ctx, q, firstOf(m), firstOf(m+1)); err != nil {
				return err
			}
		}
		record, segment := m.partition("record"), m.partition("segment")
		if err := t.row(ctx, `SELECT count(*) FROM `+record).Scan(&had); err != nil {
			return err
		}
		for _, q := range []string{
			`CREATE TABLE ` + record + `_kept (LIKE record INCLUDING ALL)`,
			`CREATE TABLE ` + segment + `_kept (LIKE segment INCLUDING ALL)`,
			`INSERT INTO ` + record + `_kept (intake, chain, seq, digest, prev, kind, time, segment, raw)
				SELECT intake, chain, seq, digest, prev, kind, time, segment, CASE WHEN ` + keepsBytes + ` THEN raw ELSE '' END
				FROM ` + record + ` r WHERE ` + keepsLine + ` OR ` + keepsBytes,
			`INSERT INTO ` + segment + `_kept (id, chain, key, jws, received)
				SELECT g.id, g.chain, g.key, CASE WHEN k.bytes THEN g.jws ELSE '' END, g.received
				FROM ` + segment + ` g JOIN (SELECT segment, bool_or(length(raw) > 0) AS bytes FROM ` + record + `_kept GROUP BY segment) k ON k.segment = g.id`,
		} {
			if err := t.run(ctx, q); err != nil {
				return err
			}
		}
		var left int64
		if err := t.row(ctx, `SELECT count(*), count(*) FILTER (WHERE length(raw) > 0) FROM `+record+`_kept`).Scan(&left, &p.Kept); err != nil {
			return err
		}
		p.Removed = had - left
		if err := t.row(ctx, `SELECT count(*) FROM `+record+`_kept k JOIN `+record+` o ON o.intake = k.intake WHERE length(k.raw) = 0 AND length(o.raw) > 0`).Scan(&p.Emptied); err != nil {
			return err
		}
		if p.Removed+p.Emptied == 0 {
			if err := t.run(ctx, `DROP TABLE `+record+`_kept`); err != nil {
				return err
			}
			return t.run(ctx, `DROP TABLE `+segment+`_kept`)
		}
		if err := s.noteMonth(ctx, t, m, p.Removed); err != nil {
			return err
		}
		for _, table := range []string{"record", "segment"} {
			if err := t.swap(ctx, table, m, left > 0); err != nil {
				return err
			}
		}
		return s.countMonth(ctx, t, m, &p)
	})
	return p, err
}

// swapTries is how often the short exclusive lock for a partition's change is asked for, a second each time.
const swapTries = 20

// swap puts the table of what is kept in the place of a month's partition, or nothing.
func (t *tx) swap(ctx context.Context, table string, m month, keep bool) error {
	name := m.partition(table)
	steps := []string{`ALTER TABLE ` + table + ` DETACH PARTITION ` + name, `DROP TABLE ` + name}
	if keep {
		steps = append(steps, `ALTER TABLE `+name+`_kept RENAME TO `+name,
			fmt.Sprintf(`ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%d) TO (%d)`, table, name, firstOf(m), firstOf(m+1)))
	} else {
		steps = append(steps, `DROP TABLE `+name+`_kept`)
	}
	if err := t.run(ctx, `SET LOCAL lock_timeout = '1s'`); err != nil {
		return err
	}
	for try := 1; ; try++ {
		if err := t.run(ctx, `SAVEPOINT swap`); err != nil {
			return err
		}
		err := t.run(ctx, steps[0])
		if err == nil {
			break
		}
		if !lockTimedOut(err) || try == swapTries {
			return err
		}
		if err := t.run(ctx, `ROLLBACK TO SAVEPOINT swap`); err != nil {
			return err
		}
	}
	for _, q := range steps[1:] {
		if err := t.run(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// noteMonth notes that a month was pruned, and how many more of its records were removed.
func (s *Store) noteMonth(ctx context.Context, t *tx, m month, removed int64) error {
	return t.run(ctx, `INSERT INTO retention (month, removed, emptied, at) VALUES (?, ?, 0, ?)
		ON CONFLICT (month) DO UPDATE SET removed = retention.removed + excluded.removed, at = excluded.at`, int64(m), removed, int64(s.now()))
}

// countMonth notes how many of a month's records are left as lines.
func (s *Store) countMonth(ctx context.Context, t *tx, m month, p *Pruned) error {
	var lines int64
	if err := t.row(ctx, `SELECT count(*) FILTER (WHERE length(raw) = 0), count(*) FILTER (WHERE length(raw) > 0) FROM record WHERE intake > ? AND intake <= ?`,
		firstOf(m), firstOf(m+1)).Scan(&lines, &p.Kept); err != nil {
		return err
	}
	return t.run(ctx, `UPDATE retention SET emptied = ? WHERE month = ?`, lines, int64(m))
}

// count runs a statement and tells how many rows it changed.
func (t *tx) count(ctx context.Context, q string, args ...any) (int64, error) {
	res, err := t.exec(ctx, q, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}
