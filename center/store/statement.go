package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/axlegate/axlegate/wim"
)

// tx is where statements meet the driver, and the only place: the statements of this package are standard
// SQL with ? for parameters, and a dialect that writes them otherwise translates them here.
type tx struct {
	t   *sql.Tx
	hot map[string]*sql.Stmt // prepared once, by text
}

func (t *tx) exec(ctx context.Context, q string, args ...any) (sql.Result, error) {
	if st := t.hot[q]; st != nil {
		return t.t.StmtContext(ctx, st).ExecContext(ctx, args...) //nolint:sqlclosecheck // it ends with the transaction
	}
	return t.t.ExecContext(ctx, q, args...)
}

func (t *tx) run(ctx context.Context, q string, args ...any) error {
	_, err := t.exec(ctx, q, args...)
	return err
}

func (t *tx) row(ctx context.Context, q string, args ...any) *sql.Row {
	if st := t.hot[q]; st != nil {
		return t.t.StmtContext(ctx, st).QueryRowContext(ctx, args...) //nolint:sqlclosecheck // it ends with the transaction
	}
	return t.t.QueryRowContext(ctx, q, args...)
}

// each calls fn for every row; fn scans it and may return errStop.
func (t *tx) each(ctx context.Context, q string, fn func(scan func(...any) error) error, args ...any) error {
	var rows *sql.Rows
	var err error
	if st := t.hot[q]; st != nil {
		rows, err = t.t.StmtContext(ctx, st).QueryContext(ctx, args...) //nolint:sqlclosecheck // it ends with the transaction
	} else {
		rows, err = t.t.QueryContext(ctx, q, args...)
	}
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // rows.Err says what went wrong
	for rows.Next() {
		if err := fn(rows.Scan); err != nil {
			if errors.Is(err, errStop) {
				return nil
			}
			return err
		}
	}
	return rows.Err()
}

// errStop ends each without an error.
var errStop = errors.New("stop")

// next takes n numbers of a counter and returns the last. The counter's row is held until the transaction
// ends, so numbers become visible in their order.
func (t *tx) next(ctx context.Context, name string, n int) (last int64, err error) {
	err = t.row(ctx, takeNumbers, n, name).Scan(&last)
	return last, err
}

// transact runs fn in the next write transaction. fn may be thought undone whenever an error is returned,
// except that a commit whose answer was lost may have been kept: every caller may repeat it.
func (s *Store) transact(ctx context.Context, op string, fn func(*tx) error) error {
	t, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return wrap(op, err)
	}
	defer t.Rollback() //nolint:errcheck // after a commit there is nothing to roll back
	if err := fn(&tx{t: t, hot: s.hot}); err != nil {
		return wrap(op, err)
	}
	return wrap(op, s.commit(t))
}

// look runs fn on one unchanging view of the store.
func (s *Store) look(ctx context.Context, op string, fn func(*tx) error) error {
	return look(ctx, s.read, op, fn)
}

func look(ctx context.Context, db *sql.DB, op string, fn func(*tx) error) error {
	t, err := db.BeginTx(ctx, nil)
	if err != nil {
		return wrap(op, err)
	}
	defer t.Rollback() //nolint:errcheck // nothing was written
	return wrap(op, fn(&tx{t: t}))
}

// The statements that run for every record, prepared when the store is opened.
const (
	takeNumbers  = `UPDATE counter SET value = value + ? WHERE name = ? RETURNING value`
	findChain    = `SELECT id, seq, digest, last_time, fork_seq, fork_held, fork_sent FROM chain WHERE site = ? AND chain = ?`
	heldBetween  = `SELECT seq, digest FROM ledger WHERE chain = ? AND seq BETWEEN ? AND ?`
	insertLedger = `INSERT INTO ledger (chain, seq, digest) VALUES (?, ?, ?)`
	insertRecord = `INSERT INTO record (intake, chain, seq, digest, prev, kind, time, segment, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`
	insertSeg    = `INSERT INTO segment (chain, key, jws, received) VALUES (?, ?, ?, ?) RETURNING id`
	linksAfter   = `SELECT seq, digest, prev, time FROM record WHERE chain = ? AND seq > ? ORDER BY seq`
	moveHead     = `UPDATE chain SET seq = ?, digest = ?, last_time = ?, heard = ? WHERE id = ?`
	isReviewed   = `SELECT (SELECT value FROM counter WHERE name = 'review'), EXISTS (SELECT 1 FROM account WHERE intake = ?), EXISTS (SELECT 1 FROM waiting WHERE intake = ?)`
	moveReview   = `UPDATE counter SET value = ? WHERE name = 'review'`
	addAccount   = `INSERT INTO account (intake, passage, supplement, passed, void, rejudged, rules, judge) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
	wakeWaiting  = `UPDATE waiting SET ready = 1 WHERE site = ? AND chain = ? AND seq = ?`
)

func hotStatements() []string {
	return []string{takeNumbers, findChain, heldBetween, insertLedger, insertRecord, insertSeg, linksAfter, moveHead,
		isReviewed, moveReview, addAccount, wakeWaiting}
}

// digest scans a stored digest.
type digest struct{ to *wim.Digest }

// Scan implements sql.Scanner.
func (d digest) Scan(v any) error {
	b, ok := v.([]byte)
	if !ok || len(b) != wim.DigestSize {
		return errors.Join(ErrDamaged, errors.New("a digest of the wrong length"))
	}
	copy(d.to[:], b)
	return nil
}

// chainID scans a stored chain id.
type chainID struct{ to *wim.ChainID }

// Scan implements sql.Scanner.
func (c chainID) Scan(v any) error {
	b, ok := v.([]byte)
	if !ok || len(b) != len(c.to) {
		return errors.Join(ErrDamaged, errors.New("a chain id of the wrong length"))
	}
	copy(c.to[:], b)
	return nil
}
