package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// Report is what an audit of a store found.
type Report struct {
	Epoch    uint64
	Chains   []ChainReport // in the order in which they were first heard of
	Records  int           // whose bytes were proven
	Pruned   int           // of which retention has left the digest only
	Events   int
	Problems []string // what contradicts what, in words; nil when all holds
}

// ChainReport is one chain's part of a report.
type ChainReport struct {
	Site   wim.SiteID
	Chain  wim.ChainID
	Seq    uint64     // the head: proven from record 1 by digest and link
	Digest wim.Digest // of record Seq
	Pruned int        // records up to the head that are proven by their digest in the ledger only
	Behind int        // records held beyond a hole
	Forks  int        // records under a name that was taken
}

// Audit re-proves the store at a place, the path of a SQLite file or the connection string of a PostgreSQL
// database, which may be open elsewhere: every record's bytes have the digest that it is filed
// under and stand in the ledger once, every head is reached by unbroken links, event ids rise. It calls each,
// where not nil, for every record in order of intake, forks left out. It writes nothing.
func Audit(ctx context.Context, place string, each func(r *wim.Record, raw []byte) error) (rep Report, err error) {
	db, d, name, err := openToLook(place)
	if err != nil {
		return Report{}, fmt.Errorf("audit: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	steps, err := readMigrations(d)
	if err != nil {
		return Report{}, err
	}
	v, err := schemaVersion(ctx, db, d)
	if err != nil {
		return Report{}, fmt.Errorf("audit %s: %w", name, err)
	}
	if v != len(steps) {
		return Report{}, fmt.Errorf("audit %s: it has schema version %d, this build reads %d", name, v, len(steps))
	}
	_, err = look(ctx, db, d, func(t *tx) error { return audit(ctx, t, &rep, each) })
	return rep, wrap("audit "+name, err)
}

// openToLook opens what lies at a place, a file or a connection string, for reading. name is fit for messages.
func openToLook(place string) (db *sql.DB, d dialect, name string, err error) {
	if isURL(place) {
		c, err := connConfig(place)
		if err != nil {
			return nil, "", "", err
		}
		c.RuntimeParams["default_transaction_read_only"] = "on"
		c.RuntimeParams["statement_timeout"] = "0" // an audit reads everything
		c.RuntimeParams["enable_seqscan"] = "on"
		return pool(c, 2), postgresDialect, placeOf(c), nil
	}
	if _, err := os.Stat(place); err != nil {
		return nil, "", "", err
	}
	db, err = openDB(place, 2, "query_only(1)")
	return db, sqliteDialect, place, err
}

func audit(ctx context.Context, t *tx, rep *Report, each func(*wim.Record, []byte) error) error {
	say := func(format string, args ...any) { rep.Problems = append(rep.Problems, fmt.Sprintf(format, args...)) }
	if err := t.row(ctx, `SELECT value FROM counter WHERE name = 'epoch'`).Scan(&rep.Epoch); err != nil {
		return err
	}
	var ids []int64
	err := t.each(ctx, `SELECT c.id, c.site, c.chain, c.seq, c.digest, (SELECT count(*) FROM ledger WHERE chain = c.id AND seq > c.seq),
		(SELECT count(*) FROM fork WHERE chain = c.id) FROM chain c ORDER BY c.id`, func(scan func(...any) error) error {
		var id int64
		var c ChainReport
		if err := scan(&id, &c.Site, chainID{&c.Chain}, &c.Seq, digest{&c.Digest}, &c.Behind, &c.Forks); err != nil {
			return err
		}
		ids, rep.Chains = append(ids, id), append(rep.Chains, c)
		return nil
	})
	if err != nil {
		return err
	}
	for i := range rep.Chains {
		if err := auditChain(ctx, t, ids[i], &rep.Chains[i], say); err != nil {
			return err
		}
	}
	if err := auditRecords(ctx, t, rep, each, say); err != nil {
		return err
	}
	return auditEvents(ctx, t, rep, say)
}

// auditChain walks the contiguous part of a chain from its first record. What retention has removed is taken
// from the ledger: the next record's link proves it.
func auditChain(ctx context.Context, t *tx, id int64, c *ChainReport, say func(string, ...any)) error {
	a := seal.NewAuditor(c.Site, c.Chain)
	err := t.each(ctx, `SELECT l.seq, l.digest, r.digest, r.raw FROM ledger l LEFT JOIN record r ON r.chain = l.chain AND r.seq = l.seq
		WHERE l.chain = ? AND l.seq <= ? ORDER BY l.seq`, func(scan func(...any) error) error {
		var seq uint64
		var proof wim.Digest
		var own []byte
		var raw sql.RawBytes
		if err := scan(&seq, digest{&proof}, &own, &raw); err != nil {
			return err
		}
		if len(raw) == 0 {
			if seq != a.Seq()+1 {
				say("%s, chain %s: the ledger jumps from %d to %d", c.Site, c.Chain, a.Seq(), seq)
			}
			c.Pruned++
			a.Resume(seq, proof)
			return nil
		}
		if _, err := a.Next(raw); err != nil {
			say("%s, chain %s: %v", c.Site, c.Chain, err)
			return errStop
		}
		if head := a.Head(); string(own) != string(head[:]) || proof != head {
			say("%s, chain %s: record %d is filed under another digest than its bytes have", c.Site, c.Chain, seq)
		}
		return nil
	}, id, int64(c.Seq))
	if err != nil {
		return err
	}
	if a.Seq() != c.Seq || a.Head() != c.Digest {
		say("%s, chain %s: proven to %d, its head says %d", c.Site, c.Chain, a.Seq(), c.Seq)
	}
	return nil
}

func auditRecords(ctx context.Context, t *tx, rep *Report, each func(*wim.Record, []byte) error, say func(string, ...any)) error {
	pruned, removed, emptied, err := readRetention(ctx, t)
	if err != nil {
		return err
	}
	var last, lines int64
	err = t.each(ctx, `SELECT intake, digest, raw FROM record ORDER BY intake`, func(scan func(...any) error) error {
		var intake int64
		var own wim.Digest
		var raw []byte
		if err := scan(&intake, digest{&own}, &raw); err != nil {
			return err
		}
		m := inMonth(intake)
		if next := max(last+1, firstOf(m)+1); intake != next && !pruned[m] && !pruned[inMonth(last)] {
			say("intake numbers jump from %d to %d", last, intake)
		}
		last = intake
		if len(raw) == 0 && pruned[m] {
			lines++
			return nil
		}
		rep.Records++
		if d, err := seal.DigestOf(raw); err != nil || d != own {
			say("record with intake number %d: its bytes have another digest", intake)
		}
		if seal.IsTombstone(raw) {
			return nil // says why there is no record to read
		}
		r, err := seal.Open(raw)
		if err != nil {
			say("record with intake number %d: %v", intake, err)
			return nil
		}
		if each == nil {
			return nil
		}
		return each(r, raw)
	})
	if err != nil {
		return err
	}
	rep.Pruned = int(removed + lines)
	var ledger, numbered int64
	if err := t.row(ctx, `SELECT (SELECT count(*) FROM ledger), (SELECT value FROM counter WHERE name = 'intake')`).Scan(&ledger, &numbered); err != nil {
		return err
	}
	// A month that was opened by retention may have no number yet.
	if ledger != int64(rep.Records+rep.Pruned) || numbered != last && !pruned[inMonth(numbered)] && numbered != firstOf(inMonth(numbered)) {
		say("%d records and %d pruned, %d in the ledger, %d numbered of which the last is %d", rep.Records, rep.Pruned, ledger, numbered, last)
	}
	if lines != emptied {
		say("%d records are without their bytes, retention left %d so", lines, emptied)
	}
	return nil
}

// readRetention tells which months were pruned and what that took away.
func readRetention(ctx context.Context, t *tx) (pruned map[month]bool, removed, emptied int64, err error) {
	pruned = map[month]bool{}
	err = t.each(ctx, `SELECT month, removed, emptied FROM retention`, func(scan func(...any) error) error {
		var m month
		var r, e int64
		if err := scan(&m, &r, &e); err != nil {
			return err
		}
		pruned[m], removed, emptied = true, removed+r, emptied+e
		return nil
	})
	return pruned, removed, emptied, err
}

func auditEvents(ctx context.Context, t *tx, rep *Report, say func(string, ...any)) error {
	var last, counter int64
	err := t.each(ctx, `SELECT id FROM event ORDER BY id`, func(scan func(...any) error) error {
		var id int64
		if err := scan(&id); err != nil {
			return err
		}
		rep.Events++
		if id != last+1 {
			say("event ids jump from %d to %d", last, id)
		}
		last = id
		return nil
	})
	if err != nil {
		return err
	}
	if err := t.row(ctx, `SELECT value FROM counter WHERE name = 'event'`).Scan(&counter); err != nil {
		return err
	}
	if counter != last {
		say("the last event is %d, the counter says %d", last, counter)
	}
	return nil
}
