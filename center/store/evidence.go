package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

const evidenceColumns = `SELECT c.site, c.chain, r.seq, r.digest, r.kind, r.raw, s.jws, s.key, s.received, c.seq >= r.seq FROM record r
	JOIN chain c ON c.id = r.chain JOIN segment s ON s.id = r.segment `

// Evidence returns what proves a matter's accounts; what a supplement adds meanwhile may be in its records already and not
// yet in its file. A matter that the viewer may not see is center.ErrNotFound.
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
		spans, err := readSpans(ctx, t, passage)
		if err != nil {
			return err
		}
		for _, c := range spans {
			part, err := c.read(ctx, t, passage)
			if err != nil {
				return err
			}
			e.Records = append(e.Records, part...)
		}
		return nil
	})
	if err != nil {
		return center.Evidence{}, fmt.Errorf("matter %d: %w", matter, err)
	}
	return e, nil
}

// span is the part of a chain in which a matter's accounts stand, and what was linked to it.
type span struct {
	chain, first, last int64
	site               string
	id                 []byte
}

// readSpans names the chains of a matter's accounts and of what was linked to it, the passage's first.
func readSpans(ctx context.Context, t *tx, passage int64) (out []span, err error) {
	err = t.each(ctx, `SELECT c.id, MIN(r.seq), MAX(r.seq), c.site, c.chain FROM (SELECT intake, supplement FROM account WHERE passage = ?
		UNION ALL SELECT intake, 1 FROM linked WHERE passage = ?) a JOIN record r ON r.intake = a.intake JOIN chain c ON c.id = r.chain
		GROUP BY c.id, c.site, c.chain ORDER BY MIN(a.supplement), MIN(a.intake)`,
		func(scan func(...any) error) error {
			var c span
			if err := scan(&c.chain, &c.first, &c.last, &c.site, &c.id); err != nil {
				return err
			}
			out = append(out, c)
			return nil
		}, passage, passage)
	return out, err
}

// read gives of one chain, by sequence, what center.Evidence promises.
func (c *span) read(ctx context.Context, t *tx, passage int64) (out []center.SealedRecord, err error) {
	add := func(where string, args ...any) error {
		return t.each(ctx, evidenceColumns+where, func(scan func(...any) error) error {
			var r center.SealedRecord
			var whole boolean
			if err := scan(&r.Ref.Site, chainID{&r.Ref.Chain}, &r.Ref.Seq, digest{&r.Ref.Digest}, &r.Kind, &r.Raw, &r.Segment, &r.Key, &r.Received, &whole); err != nil {
				return err
			}
			r.Whole = bool(whole)
			out = append(out, r)
			return nil
		}, args...)
	}
	if err := add(`WHERE r.chain = ? AND r.intake IN (SELECT intake FROM account WHERE passage = ? UNION ALL SELECT intake FROM linked WHERE passage = ?)`, c.chain, passage, passage); err != nil {
		return nil, err
	}
	keys := map[string]bool{}
	for i := range out {
		keys[out[i].Key] = true
	}
	if c.first > 1 {
		if err := add(`WHERE r.chain = ? AND r.seq = 1`, c.chain); err != nil {
			return nil, err
		}
	}
	// The review notes every configuration record, in the order of arrival.
	var before int64
	if err := t.row(ctx, `SELECT coalesce(max(seq), 0) FROM configured WHERE site = ? AND chain = ? AND seq < ?`, c.site, c.id, c.first).Scan(&before); err != nil {
		return nil, err
	}
	err = add(`WHERE r.chain = ? AND r.seq IN (SELECT seq FROM configured WHERE site = ? AND chain = ? AND seq BETWEEN ? AND ?)`, c.chain, c.site, c.id, before, c.last)
	if err != nil {
		return nil, err
	}
	if !named(keys, out) {
		// A rotation is noted with the key that it enrolled.
		kept := len(out)
		err := add(`WHERE r.chain = ? AND r.seq IN (SELECT seq FROM site_key WHERE site = ? AND chain = ? AND seq BETWEEN 1 AND ?)`, c.chain, c.site, c.id, c.last)
		if err == nil && !named(keys, out) {
			// Except where the key was enrolled already: then the chain is read, which costs seconds for a million records.
			out = out[:kept]
			err = add(`WHERE r.chain = ? AND r.seq < ? AND r.kind = 'key-rotation'`, c.chain, c.last)
		}
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b center.SealedRecord) int { return cmp.Compare(a.Ref.Seq, b.Ref.Seq) })
	return out, nil
}

// named tells whether the chain's start, or a rotation, names every one of the keys.
func named(keys map[string]bool, records []center.SealedRecord) bool {
	by := map[string]bool{}
	for i := range records {
		if k := records[i].Kind; k != wim.KindStart && k != wim.KindRotation {
			continue
		}
		r, err := seal.Open(records[i].Raw)
		switch {
		case err != nil: // a tombstone, or of a later version
		case r.Start != nil:
			by[r.Start.Key] = true
		case r.Rotation != nil:
			by[r.Rotation.New] = true
		}
	}
	for k := range keys {
		if !by[k] {
			return false
		}
	}
	return true
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
