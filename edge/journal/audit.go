package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// Report is what an audit of a journal found.
type Report struct {
	Site    wim.SiteID
	Chains  []ChainReport // in the order in which they were started; the last one is written to
	Cursors []wim.DeviceCursor
}

// ChainReport is one chain's part of a report.
type ChainReport struct {
	Chain     wim.ChainID
	Pruned    uint64 // records 1 to Pruned were receipted and deleted
	Proven    uint64 // the last record that was proven
	Head      uint64 // the last record by the journal's own word
	Receipted uint64
	Err       error // what is wrong with the record after Proven, nil when all hold
}

// Audit re-proves every chain of a journal, which may be open elsewhere, and calls each, where not nil, for
// every proven record. It writes nothing. A chain that does not hold has its Err set and is read no further;
// an error of each ends the audit.
func Audit(ctx context.Context, path string, each func(r *wim.Record, raw []byte) error) (rep Report, err error) {
	if _, err := os.Stat(path); err != nil {
		return Report{}, fmt.Errorf("audit: %w", err)
	}
	name, err := production().dsn(path, "query_only(1)")
	if err != nil {
		return Report{}, fmt.Errorf("audit: %w", err)
	}
	db, err := sql.Open(production().driver, name)
	if err != nil {
		return Report{}, fmt.Errorf("audit: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(2)
	var version int
	var site string
	if err := db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
		return Report{}, fmt.Errorf("audit %s: %w", path, wrap("read its version", err))
	}
	if version != schemaVersion {
		return Report{}, fmt.Errorf("audit %s: it has schema version %d, this build reads %d", path, version, schemaVersion)
	}
	if err := db.QueryRowContext(ctx, `SELECT value FROM meta WHERE key = 'site'`).Scan(&site); err != nil {
		return Report{}, fmt.Errorf("audit %s: %w", path, wrap("read its site", err))
	}
	rep.Site = wim.SiteID(site)
	chains, err := readChains(ctx, db)
	if err != nil {
		return rep, fmt.Errorf("audit %s: %w", path, err)
	}
	if rep.Cursors, err = readCursors(ctx, db); err != nil {
		return rep, fmt.Errorf("audit %s: %w", path, err)
	}
	folds := make([]uint64, len(chains))
	for i := range chains {
		folds[i] = chains[i].head
	}
	if n := len(chains); n > 0 {
		// A row that does not follow is found again below, where it is named.
		if err := sinceFold(ctx, db, &chains[n-1], func(c wim.DeviceCursor) { rep.Cursors = moveCursor(rep.Cursors, c) }); err != nil && !errors.Is(err, ErrDamaged) {
			return rep, fmt.Errorf("audit %s: %w", path, err)
		}
	}
	for i := range chains {
		c := &chains[i]
		a := seal.NewAuditor(rep.Site, c.id)
		a.Resume(c.pruned, c.prunedLink)
		var stop error
		cr := ChainReport{Chain: c.id, Pruned: c.pruned, Head: max(c.head, folds[i]), Receipted: c.receipted}
		cr.Err = proveRecords(ctx, db, c.ordinal, c.pruned, a, func(r *wim.Record, raw []byte) error {
			if each != nil {
				stop = each(r, raw)
			}
			return stop
		})
		if stop != nil {
			return rep, stop
		}
		cr.Proven = a.Seq()
		// A daemon may have appended since the chains were read, so more than the head is no fault.
		if cr.Err == nil && a.Seq() < cr.Head {
			cr.Err = fmt.Errorf("its records end at %d, its head says %d", a.Seq(), cr.Head)
		}
		rep.Chains = append(rep.Chains, cr)
	}
	return rep, nil
}

func moveCursor(in []wim.DeviceCursor, c wim.DeviceCursor) []wim.DeviceCursor {
	for i := range in {
		if in[i].Device == c.Device {
			in[i] = c
			return in
		}
	}
	return append(in, c)
}

// proveRecords feeds the records after from to a, in order.
func proveRecords(ctx context.Context, db *sql.DB, ordinal int64, from uint64, a *seal.Auditor, each func(*wim.Record, []byte) error) error {
	rows, err := db.QueryContext(ctx, `SELECT digest, raw FROM record WHERE id > ? AND id < ? ORDER BY id`, rowID(ordinal, from), rowID(ordinal+1, 0))
	if err != nil {
		return wrap("read records", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err says what went wrong
	for rows.Next() {
		var digest, raw []byte
		if err := rows.Scan(&digest, &raw); err != nil {
			return wrap("read records", err)
		}
		r, err := a.Next(raw)
		if err != nil {
			return err
		}
		if len(digest) != wim.DigestSize || wim.Digest(digest) != a.Head() {
			return fmt.Errorf("record %d is filed under another digest than its bytes have", r.Seq)
		}
		if each != nil {
			if err := each(r, raw); err != nil {
				return err
			}
		}
	}
	return wrap("read records", rows.Err())
}
