package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// Coverage tells what a site's records account for in a period: passages by lane, sealed gaps, records that the site
// could not send, and what has not come yet. A site outside of the viewer's region is center.ErrNotFound. No plate is
// in it, so every role may ask.
func (s *Store) Coverage(ctx context.Context, v center.Viewer, q center.CoverageQuery) (out center.Coverage, err error) {
	if err := q.Validate(); err != nil {
		return center.Coverage{}, err
	}
	err = s.look(ctx, "read coverage", func(t *tx) error {
		c := center.Coverage{CoverageQuery: q}
		if err := inRegion(ctx, t, v, q.Site); err != nil {
			return err
		}
		if err := coverSite(ctx, t, &c); err != nil {
			return err
		}
		passed, err := coverPassages(ctx, t, &c)
		if err != nil {
			return err
		}
		if err := coverGaps(ctx, t, &c); err != nil {
			return err
		}
		if err := coverMissing(ctx, t, &c); err != nil {
			return err
		}
		if err := coverHoles(ctx, t, &c); err != nil {
			return err
		}
		out = center.NewCoverage(c, passed)
		return nil
	})
	return out, err
}

// coverSite tells between which times the site's chains are held, and whether retention has been there.
func coverSite(ctx context.Context, t *tx, c *center.Coverage) error {
	err := t.row(ctx, `SELECT region FROM site_region WHERE site = ?`, string(c.Site)).Scan(&c.Region)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	named := err == nil
	if err := t.row(ctx, `SELECT coalesce((SELECT r.time FROM record r WHERE r.chain = c.id AND r.seq = 1), 0),
			(SELECT last_time FROM chain WHERE id = (SELECT max(id) FROM chain WHERE site = c.site))
		FROM chain c WHERE c.id = (SELECT min(id) FROM chain WHERE site = ?)`, string(c.Site)).Scan(&c.Began, &c.Until); err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			if named {
				return nil // nothing of it was heard yet
			}
			return fmt.Errorf("site %s: %w", c.Site, center.ErrNotFound)
		}
		return err
	}
	return t.each(ctx, `SELECT month FROM retention`, func(scan func(...any) error) error {
		var m month
		if err := scan(&m); err != nil {
			return err
		}
		// Records come into the month of their time, or a later one.
		c.Pruned = c.Pruned || m >= monthOf(c.From)
		return nil
	})
}

// coverPassages counts passages by lane and stretch.
func coverPassages(ctx context.Context, t *tx, c *center.Coverage) (map[wim.LaneID]*[center.Slots][2]int, error) {
	out := map[wim.LaneID]*[center.Slots][2]int{}
	from, to := c.Bounds(0)
	err := t.each(ctx, `SELECT lane, slot, count(*), CAST(sum(void) AS BIGINT) FROM (
			SELECT a.lane AS lane, (a.passed - ?) / ? AS slot, CASE WHEN a.void = 1 THEN 1 ELSE 0 END AS void
			FROM account a JOIN record r ON r.intake = a.intake JOIN chain c ON c.id = r.chain
			WHERE a.supplement = 0 AND a.passed >= ? AND a.passed < ? AND c.site = ?) AS p
		GROUP BY lane, slot`, func(scan func(...any) error) error {
		var lane wim.LaneID
		var slot, n, void int
		if err := scan(&lane, &slot, &n, &void); err != nil {
			return err
		}
		if c.Lane != 0 && lane != c.Lane || slot < 0 || slot >= center.Slots {
			return nil
		}
		if out[lane] == nil {
			out[lane] = &[center.Slots][2]int{}
		}
		out[lane][slot] = [2]int{n, void}
		return nil
	}, int64(c.From), int64(to.Sub(from)), int64(c.From), int64(c.To), string(c.Site))
	return out, err
}

// coverGaps reads the gaps that touch the period. A gap is sealed after it ended, so none of them was sealed before
// the period began.
func coverGaps(ctx context.Context, t *tx, c *center.Coverage) error {
	return t.each(ctx, `SELECT c.chain, r.seq, r.digest, r.time, r.raw FROM record r JOIN chain c ON c.id = r.chain
		WHERE r.kind = 'gap' AND r.time >= ? AND c.site = ? ORDER BY r.time, r.chain, r.seq`, func(scan func(...any) error) error {
		g := center.SealedGap{Ref: wim.RecordRef{Site: c.Site}}
		var raw []byte
		if err := scan(chainID{&g.Ref.Chain}, &g.Ref.Seq, digest{&g.Ref.Digest}, &g.Sealed, &raw); err != nil {
			return err
		}
		if len(raw) == 0 {
			return nil // retention
		}
		rec, err := seal.Open(raw)
		if err != nil || rec.Gap == nil {
			return nil //nolint:nilerr // a gap of a later format: the review says that it cannot be read
		}
		g.Gap = *rec.Gap
		if since, until := g.Span(); since >= c.To || until < c.From || c.Lane != 0 && g.Lane != c.Lane {
			return nil
		}
		if len(c.Gaps) == center.MaxGaps {
			c.More = true
			return errStop
		}
		c.Gaps = append(c.Gaps, g)
		return nil
	}, int64(c.From), string(c.Site))
}

// coverMissing reads the tombstones of the period. The time of one whose record's is unknown is that of the record
// before it, or when it came.
func coverMissing(ctx context.Context, t *tx, c *center.Coverage) error {
	return t.each(ctx, `SELECT c.chain, r.seq, r.digest, CASE WHEN r.time > 0 THEN r.time ELSE coalesce(
			(SELECT p.time FROM record p WHERE p.chain = r.chain AND p.seq = r.seq - 1 AND p.time > 0), s.received) END, r.raw
		FROM record r JOIN chain c ON c.id = r.chain JOIN segment s ON s.id = r.segment
		WHERE r.kind = 'tombstone' AND c.site = ? ORDER BY r.chain, r.seq`, func(scan func(...any) error) error {
		m := center.Missing{Ref: wim.RecordRef{Site: c.Site}}
		var raw []byte
		if err := scan(chainID{&m.Ref.Chain}, &m.Ref.Seq, digest{&m.Ref.Digest}, &m.Time, &raw); err != nil {
			return err
		}
		if m.Time < c.From || m.Time >= c.To || len(raw) == 0 {
			return nil
		}
		tomb, err := seal.PeekTombstone(raw)
		if err != nil {
			return err
		}
		m.Kind, m.Reason = tomb.Kind, tomb.Reason
		if len(c.Missing) == center.MaxGaps {
			c.More = true
			return errStop
		}
		c.Missing = append(c.Missing, m)
		return nil
	}, string(c.Site))
}

// coverHoles tells of chains that are held beyond a hole.
func coverHoles(ctx context.Context, t *tx, c *center.Coverage) error {
	return t.each(ctx, `SELECT c.chain, c.seq + 1, (SELECT min(seq) FROM ledger WHERE chain = c.id AND seq > c.seq) - 1,
			(SELECT count(*) FROM (SELECT 1 FROM ledger WHERE chain = c.id AND seq > c.seq LIMIT 10000) AS beyond), c.last_time
		FROM chain c WHERE c.site = ? AND EXISTS (SELECT 1 FROM ledger WHERE chain = c.id AND seq > c.seq) ORDER BY c.id`, func(scan func(...any) error) error {
		var h center.Hole
		if err := scan(chainID{&h.Chain}, &h.From, &h.To, &h.Held, &h.Since); err != nil {
			return err
		}
		c.Holes = append(c.Holes, h)
		return nil
	}, string(c.Site))
}
