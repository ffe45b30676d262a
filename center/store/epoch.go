package store

import (
	"context"
	"errors"
	"fmt"
)

// Epoch names the life of the store's content: it is higher than every earlier one, after a restored backup
// too unless the clock was set back as well. A SQLite file begins one each time it is opened; a PostgreSQL
// database when its first centre joins, when its server was started again and when it turns out to be a copy.
// It is the epoch that this process saw last; what a receipt may say stands in Result and Head.
func (s *Store) Epoch() uint64 { return s.epoch.Load() }

// raiseEpoch takes a new epoch, above every one before.
func (s *Store) raiseEpoch(ctx context.Context, t *tx) error {
	now := s.cfg.Now().UnixMilli()
	var epoch uint64
	err := t.row(ctx, `UPDATE counter SET value = CASE WHEN value >= ? THEN value + 1 ELSE ? END WHERE name = 'epoch' RETURNING value`, now, now).Scan(&epoch)
	if err != nil {
		return fmt.Errorf("epoch: %w", err)
	}
	s.epoch.Store(epoch)
	return nil
}

// The mark of a PostgreSQL database: which server, since when it runs, which database and which table in it.
// It is kept in the table opening together with the transaction that wrote it, so that a copy is known as
// one wherever it lies: a restored dump has another xmin, database or table; a restored data directory, a
// recovery to a point in time or a standby that took over has a server that was started later.
const (
	markNow = `(SELECT system_identifier FROM pg_control_system()) || '/' || extract(epoch FROM pg_postmaster_start_time()) || '/' ||
		(SELECT oid FROM pg_database WHERE datname = current_database()) || '/' || 'opening'::regclass::oid`
	readMark  = `SELECT c.value, o.mark = ` + markNow + ` AND o.written = o.xmin::text FROM counter c, opening o WHERE c.name = 'epoch'`
	writeMark = `UPDATE opening SET mark = ` + markNow + `, written = pg_current_xact_id()::xid::text
		WHERE mark <> ` + markNow + ` OR written <> xmin::text`
)

// epochIn gives the epoch of what a write transaction works on. When the database is not the one in which
// the epoch began, a new one begins in this transaction, before anything is written in it.
func (s *Store) epochIn(ctx context.Context, t *tx) (uint64, error) {
	if s.dialect == sqliteDialect {
		return s.epoch.Load(), nil
	}
	var epoch uint64
	var same bool
	if err := t.row(ctx, readMark).Scan(&epoch, &same); err != nil || same {
		return epoch, err
	}
	// Of several that find this out at once one writes; the others wait for it and find nothing to do.
	res, err := t.exec(ctx, writeMark)
	if err != nil {
		return 0, err
	}
	if n, err := res.RowsAffected(); err != nil {
		return 0, err
	} else if n > 0 {
		if err := s.raiseEpoch(ctx, t); err != nil {
			return 0, err
		}
		s.log.Warn("store: the database was started anew or restored; a new epoch begins", "place", s.place, "epoch", s.epoch.Load())
	}
	err = t.row(ctx, readMark).Scan(&epoch, &same)
	return epoch, err
}

// errOtherDatabase says that a look found a database whose epoch has to be raised first.
var errOtherDatabase = errors.New("the database is not the one in which its epoch began")

// lookInEpoch is look for what carries the epoch outside.
func (s *Store) lookInEpoch(ctx context.Context, op string, fn func(t *tx, epoch uint64) error) error {
	for turn := 0; ; turn++ {
		err := s.look(ctx, op, func(t *tx) error {
			if s.dialect == sqliteDialect {
				return fn(t, s.epoch.Load())
			}
			var epoch uint64
			var same bool
			if err := t.row(ctx, readMark).Scan(&epoch, &same); err != nil {
				return err
			}
			if !same {
				return errOtherDatabase
			}
			s.epoch.Store(epoch)
			return fn(t, epoch)
		})
		if !errors.Is(err, errOtherDatabase) || turn == maxTurns {
			return err
		}
		if err := s.transact(ctx, "begin a new epoch", func(t *tx) error {
			_, err := s.epochIn(ctx, t)
			return err
		}); err != nil {
			return err
		}
	}
}
