package store

import (
	"context"
	"fmt"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim/seal"
)

// reviewTransaction notes which passage a transaction was linked to. One that was not is held, and calls for nothing.
func (s *Store) reviewTransaction(ctx context.Context, t *tx, r *center.Reviewed, waiting bool, e *effect) error {
	link := r.Record.Transaction.Link
	if link == nil {
		return nil
	}
	passage, found, err := s.passageOf(ctx, t, r, link.Of, waiting, e)
	if err != nil || !found {
		return err
	}
	if err := t.run(ctx, `INSERT INTO linked (intake, passage) VALUES (?, ?) ON CONFLICT (intake) DO NOTHING`, r.Intake, passage); err != nil {
		return err
	}
	if err := e.hold(ctx, t); err != nil {
		return err
	}
	m, alerts, err := readMatter(ctx, t, passage)
	if err != nil || m == nil {
		return err
	}
	for _, a := range alerts {
		if err := s.addEvent(ctx, t, center.MatterExtended, a, m.Region, e); err != nil {
			return err
		}
	}
	return nil
}

// readLinked gives the transactions that were linked to a passage, in the order of their arrival.
func readLinked(ctx context.Context, t *tx, passage int64) (out []center.Linked, err error) {
	err = t.each(ctx, `SELECT c.site, c.chain, r.seq, r.digest, r.time, s.received, s.key, r.raw FROM linked l JOIN record r ON r.intake = l.intake
		JOIN chain c ON c.id = r.chain JOIN segment s ON s.id = r.segment WHERE l.passage = ? ORDER BY l.intake`, func(scan func(...any) error) error {
		var x center.Linked
		var raw []byte
		if err := scan(&x.Ref.Site, chainID{&x.Ref.Chain}, &x.Ref.Seq, digest{&x.Ref.Digest}, &x.Time, &x.Received, &x.Key, &raw); err != nil {
			return err
		}
		if len(raw) > 0 {
			rec, err := seal.Open(raw)
			if err != nil {
				return fmt.Errorf("%w: record %d of %s: %w", ErrDamaged, x.Ref.Seq, x.Ref.Site, err)
			}
			if rec.Transaction == nil {
				return fmt.Errorf("%w: record %d of %s is no transaction", ErrDamaged, x.Ref.Seq, x.Ref.Site)
			}
			x.Transaction = rec.Transaction
		}
		out = append(out, x)
		return nil
	}, passage)
	return out, err
}
