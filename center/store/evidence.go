package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

const evidenceColumns = `SELECT c.site, c.chain, r.seq, r.digest, r.kind, r.raw, s.jws, s.key, s.received, c.seq >= r.seq FROM record r
	JOIN chain c ON c.id = r.chain JOIN segment s ON s.id = r.segment `

// Evidence returns what proves a matter's accounts, read in one look. A matter that the viewer may not see is
// center.ErrNotFound.
//
// Configurations and rotations of a chain are found by reading it: a chain of a million records costs seconds.
func (s *Store) Evidence(ctx context.Context, v center.Viewer, matter int64) (e center.Evidence, err error) {
	file, err := s.File(ctx, v, matter)
	if err != nil {
		return center.Evidence{}, err
	}
	err = s.look(ctx, "read evidence", func(t *tx) error {
		e = center.Evidence{File: file, Epoch: s.epoch.Load()}
		var passage int64
		if err := t.row(ctx, `SELECT passage FROM matter WHERE id = ?`, matter).Scan(&passage); err != nil {
			return err
		}
		chains, err := readLasts(ctx, t, passage)
		if err != nil {
			return err
		}
		for _, c := range chains {
			if err := readEvidence(ctx, t, c, passage, &e.Records); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return center.Evidence{}, fmt.Errorf("matter %d: %w", matter, err)
	}
	return e, nil
}

// span is the part of a chain in which a matter's accounts stand.
type span struct{ chain, first, last int64 }

func readLasts(ctx context.Context, t *tx, passage int64) (out []span, err error) {
	err = t.each(ctx, `SELECT r.chain, MIN(r.seq), MAX(r.seq) FROM account a JOIN record r ON r.intake = a.intake WHERE a.passage = ? GROUP BY r.chain ORDER BY MIN(a.intake)`,
		func(scan func(...any) error) error {
			var c span
			if err := scan(&c.chain, &c.first, &c.last); err != nil {
				return err
			}
			out = append(out, c)
			return nil
		}, passage)
	return out, err
}

// readEvidence reads of one chain, in order: its start, its rotations up to the last account and what its segment
// could have been signed by, the configurations in force, and the accounts.
func readEvidence(ctx context.Context, t *tx, c span, passage int64, out *[]center.SealedRecord) error {
	var before sql.NullInt64
	err := t.row(ctx, `SELECT MAX(seq) FROM record WHERE chain = ? AND seq < ? AND kind = 'configuration'`, c.chain, c.first).Scan(&before)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	return t.each(ctx, evidenceColumns+`WHERE r.chain = ? AND (r.seq = 1 OR r.seq = ? OR r.seq < ? AND r.kind = 'key-rotation'
		OR r.seq BETWEEN ? AND ? AND r.kind = 'configuration' OR r.intake IN (SELECT intake FROM account WHERE passage = ?)) ORDER BY r.seq`,
		func(scan func(...any) error) error {
			var r center.SealedRecord
			var whole boolean
			if err := scan(&r.Ref.Site, chainID{&r.Ref.Chain}, &r.Ref.Seq, digest{&r.Ref.Digest}, &r.Kind, &r.Raw, &r.Segment, &r.Key, &r.Received, &whole); err != nil {
				return err
			}
			r.Whole = bool(whole)
			*out = append(*out, r)
			return nil
		}, c.chain, before.Int64, c.last, c.first, c.last, passage)
}

// RuleSet gives the bytes of a rule set that was sent down to sites; center.ErrNotFound when none has that digest.
func (s *Store) RuleSet(ctx context.Context, d wim.Digest) (yaml []byte, err error) {
	err = s.look(ctx, "read a rule set", func(t *tx) error {
		err := t.row(ctx, `SELECT bytes FROM parcel WHERE digest = ? AND kind = ?`, d[:], string(wim.PartRules)).Scan(&yaml)
		if errors.Is(err, sql.ErrNoRows) {
			return center.ErrNotFound
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("rule set %s: %w", d.Short(), err)
	}
	return yaml, nil
}

// boolean scans a comparison, which one database gives as a truth and the other as a number.
type boolean bool

// Scan implements sql.Scanner.
func (b *boolean) Scan(v any) error {
	switch v := v.(type) {
	case bool:
		*b = boolean(v)
	case int64:
		*b = v != 0
	default:
		return fmt.Errorf("%w: a truth of type %T", ErrDamaged, v)
	}
	return nil
}

var _ sql.Scanner = (*boolean)(nil)
