package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// apply writes a decision about the passage with that intake number.
func (s *Store) apply(ctx context.Context, t *tx, passage int64, d center.Decision, e *effect) error {
	if !d.Open && !d.Extend {
		return nil
	}
	plates, err := json.Marshal(d.Matter.Plates)
	if err != nil {
		return fmt.Errorf("plates: %w", err)
	}
	m := &d.Matter
	if d.Open {
		e.Opened++
		err = t.row(ctx, `SELECT region FROM site_region WHERE site = ?`, string(m.Site)).Scan(&m.Region)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		err = t.row(ctx, `INSERT INTO matter (passage, version, site, region, lane, passed, opened, plates, gross, axles, suspicion, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
			passage, m.Version, string(m.Site), string(m.Region), m.Lane, int64(m.Passed), int64(m.Opened), string(plates), m.Gross, m.Axles, m.Suspicion, string(m.State)).Scan(&m.ID)
	} else {
		e.Extended++
		err = t.run(ctx, `UPDATE matter SET plates = ?, gross = ?, axles = ?, suspicion = ?, state = ? WHERE id = ?`, string(plates), m.Gross, m.Axles, m.Suspicion, string(m.State), m.ID)
	}
	if err != nil {
		return err
	}
	for _, p := range m.Plates {
		if err := t.run(ctx, `INSERT INTO matter_plate (plate, matter) VALUES (?, ?) ON CONFLICT (plate, matter) DO NOTHING`, clean(p), m.ID); err != nil {
			return err
		}
	}
	for _, a := range d.Update {
		if err := t.run(ctx, `UPDATE alert SET outcome = ?, standing = ?, excess = ?, ratio = ? WHERE id = ?`, string(a.Outcome), string(a.Standing), a.Excess, a.Ratio, a.ID); err != nil {
			return err
		}
		if err := s.addEvent(ctx, t, center.MatterExtended, a, m.Region, e); err != nil {
			return err
		}
	}
	for _, a := range d.Raise {
		e.Raised++
		a.Matter = m.ID
		if err := t.row(ctx, `INSERT INTO alert (matter, competence, region, outcome, standing, passed, raised, acknowledged_at, acknowledged_by, excess, ratio) VALUES (?, ?, ?, ?, ?, ?, ?, 0, '', ?, ?) RETURNING id`,
			a.Matter, string(a.Competence), string(m.Region), string(a.Outcome), string(a.Standing), int64(m.Passed), int64(a.Raised), a.Excess, a.Ratio).Scan(&a.ID); err != nil {
			return err
		}
		if err := s.addEvent(ctx, t, center.AlertRaised, a, m.Region, e); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) addEvent(ctx context.Context, t *tx, k center.EventKind, a center.Alert, r center.Region, e *effect) error {
	id, err := t.next(ctx, "event", 1)
	if err != nil {
		return err
	}
	e.events++
	return t.run(ctx, `INSERT INTO event (id, at, kind, competence, region, alert, matter) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		id, int64(s.now()), string(k), string(a.Competence), string(r), a.ID, a.Matter)
}

// hold makes those who change matters take turns, officers and the review alike, until the transaction ends.
// Each does so before it reads what it changes: else one would write over what the other did meanwhile. And
// since everybody needs this row for the events in any case, taking it first leaves nobody to wait in a circle.
func (e *effect) hold(ctx context.Context, t *tx) error {
	if e.held {
		return nil
	}
	e.held = true
	var last int64
	return t.row(ctx, holdEvents).Scan(&last)
}

// kept is what the accounts of a journey have beside their records.
type kept struct {
	order    wim.Order
	key      string
	rejudged center.Rejudged
	pruned   bool // retention has removed bytes: the journey is not whole
}

// readJourney reads a passage with its supplements and its matter. Whoever uses more than the matter asks
// first whether it was pruned.
func readJourney(ctx context.Context, t *tx, passage int64) (*center.Journey, *kept, error) {
	j, k := &center.Journey{}, &kept{rejudged: center.RejudgedSame}
	err := t.each(ctx, `SELECT c.site, c.chain, r.seq, r.digest, r.raw, s.key, a.rejudged FROM account a JOIN record r ON r.intake = a.intake
		JOIN chain c ON c.id = r.chain JOIN segment s ON s.id = r.segment WHERE a.passage = ? ORDER BY a.intake`, func(scan func(...any) error) error {
		var ref wim.RecordRef
		var raw []byte
		var key string
		var re center.Rejudged
		if err := scan(&ref.Site, chainID{&ref.Chain}, &ref.Seq, digest{&ref.Digest}, &raw, &key, &re); err != nil {
			return err
		}
		if len(raw) == 0 {
			k.pruned, k.key, k.rejudged = true, key, worse(k.rejudged, re)
			return nil
		}
		rec, err := seal.Open(raw)
		if err != nil {
			return fmt.Errorf("%w: record %d of %s: %w", ErrDamaged, ref.Seq, ref.Site, err)
		}
		a, ok := center.AccountOf(ref, rec)
		if !ok {
			return fmt.Errorf("%w: record %d of %s carries no verdict", ErrDamaged, ref.Seq, ref.Site)
		}
		if rec.Passage != nil {
			j.Passage, k.order, k.key = a, rec.Passage.Order, key
		} else {
			j.Supplements = append(j.Supplements, a)
		}
		k.rejudged = worse(k.rejudged, re)
		return nil
	}, passage)
	if err != nil {
		return nil, nil, err
	}
	if j.Passage.Facts == nil && !k.pruned {
		return nil, nil, fmt.Errorf("%w: a journey without its passage", ErrDamaged)
	}
	if j.Matter, j.Alerts, err = readMatter(ctx, t, passage); err != nil {
		return nil, nil, err
	}
	if j.Matter != nil {
		j.Matter.Opening = j.Passage.Ref
	}
	return j, k, nil
}

// worse tells what is shown of a journey whose accounts were judged again with two results: what differs
// before what is pending before what is the same.
func worse(a, b center.Rejudged) center.Rejudged {
	for _, r := range []center.Rejudged{center.RejudgedDiffers, center.RejudgedPending} {
		if a == r || b == r {
			return r
		}
	}
	return center.RejudgedSame
}

const matterColumns = `m.id, m.version, m.site, m.region, m.lane, m.passed, m.opened, m.plates, m.gross, m.axles, m.suspicion, m.state`

// scanMatter reads matterColumns, then more. Its Opening is not set.
func scanMatter(scan func(...any) error, m *center.Matter, more ...any) error {
	var plates string
	err := scan(append([]any{&m.ID, &m.Version, &m.Site, &m.Region, &m.Lane, &m.Passed, &m.Opened, &plates, &m.Gross, &m.Axles, &m.Suspicion, &m.State}, more...)...)
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(plates), &m.Plates); err != nil {
		return fmt.Errorf("%w: plates of matter %d: %w", ErrDamaged, m.ID, err)
	}
	return nil
}

const alertColumns = `a.id, a.matter, a.competence, a.outcome, a.standing, a.raised, a.acknowledged_at, a.acknowledged_by, a.excess, a.ratio, a.ended, a.ended_at, a.ended_by, a.end_reason`

func alertInto(a *center.Alert) []any {
	return []any{&a.ID, &a.Matter, &a.Competence, &a.Outcome, &a.Standing, &a.Raised, &a.AcknowledgedAt, &a.AcknowledgedBy,
		&a.Excess, &a.Ratio, &a.Ended, &a.EndedAt, &a.EndedBy, &a.EndReason}
}

// readMatter reads the matter of a passage, nil when there is none. Its Opening is not set.
func readMatter(ctx context.Context, t *tx, passage int64) (*center.Matter, []center.Alert, error) {
	var m center.Matter
	err := scanMatter(t.row(ctx, `SELECT `+matterColumns+` FROM matter m WHERE m.passage = ?`, passage).Scan, &m)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	var alerts []center.Alert
	err = t.each(ctx, `SELECT `+alertColumns+` FROM alert a WHERE a.matter = ? ORDER BY a.id`, func(scan func(...any) error) error {
		var a center.Alert
		if err := scan(alertInto(&a)...); err != nil {
			return err
		}
		alerts = append(alerts, a)
		return nil
	}, m.ID)
	return &m, alerts, err
}
