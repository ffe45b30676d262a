package store

import (
	"context"
	"fmt"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// Board returns the newest alerts that a viewer may see, newest first, without those whose records retention has
// emptied, and the id of the last event that they include: EventsAfter goes on from there without a gap.
func (s *Store) Board(ctx context.Context, v center.Viewer, limit int) (entries []center.Entry, last int64, err error) {
	err = s.look(ctx, "read board", func(t *tx) error {
		if err := t.row(ctx, `SELECT value FROM counter WHERE name = 'event'`).Scan(&last); err != nil {
			return err
		}
		var c clause
		c.alertsFor("a", v)
		entries, _, err = readEntries(ctx, t, c.where()+` ORDER BY a.id DESC LIMIT ?`, append(c.args, limit)...)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	return entries, last, nil
}

// Entry returns one alert. One that the viewer may not see is center.ErrNotFound.
func (s *Store) Entry(ctx context.Context, v center.Viewer, alert int64) (center.Entry, error) {
	var e []center.Entry
	err := s.look(ctx, "read alert", func(t *tx) (err error) {
		var c clause
		c.alertsFor("a", v)
		c.and("a.id = ?", alert)
		var pruned int
		if e, pruned, err = readEntries(ctx, t, c.where(), c.args...); err == nil && pruned > 0 {
			return fmt.Errorf("alert %d: %w", alert, ErrPruned)
		}
		return err
	})
	switch {
	case err != nil:
		return center.Entry{}, err
	case len(e) == 0:
		return center.Entry{}, fmt.Errorf("alert %d: %w", alert, center.ErrNotFound)
	}
	return e[0], nil
}

// readEntries reads alerts with what their records say, and counts those whose records retention has emptied.
func readEntries(ctx context.Context, t *tx, where string, args ...any) (out []center.Entry, pruned int, err error) {
	type place struct {
		alert   center.Alert
		passage int64
	}
	var places []place
	err = t.each(ctx, `SELECT `+alertColumns+`, m.passage FROM alert a JOIN matter m ON m.id = a.matter`+where, func(scan func(...any) error) error {
		var p place
		if err := scan(append(alertInto(&p.alert), &p.passage)...); err != nil {
			return err
		}
		places = append(places, p)
		return nil
	}, args...)
	if err != nil {
		return nil, 0, err
	}
	out = make([]center.Entry, 0, len(places))
	for i := range places {
		j, k, err := readJourney(ctx, t, places[i].passage)
		if err != nil {
			return nil, 0, err
		}
		if j.Matter == nil {
			return nil, 0, fmt.Errorf("%w: alert %d without a matter", ErrDamaged, places[i].alert.ID)
		}
		if k.pruned {
			pruned++
			continue
		}
		out = append(out, entryOf(j, k, places[i].alert))
	}
	return out, pruned, nil
}

func entryOf(j *center.Journey, k *kept, a center.Alert) center.Entry {
	all := j.Ordered()
	latest := &all[len(all)-1]
	e := center.Entry{
		Alert: a, Matter: *j.Matter, Facts: *latest.Facts, Verdict: *latest.Verdict,
		Order: k.order, Key: k.key, Rejudged: k.rejudged,
	}
	for i := range all {
		e.Reads = append(e.Reads, all[i].Reads...)
		e.Records = append(e.Records, all[i].Ref)
	}
	return e
}

// EventsAfter returns up to limit events that concern a viewer with an id above after, in order of id.
func (s *Store) EventsAfter(ctx context.Context, v center.Viewer, after int64, limit int) (out []center.Event, err error) {
	var c clause
	c.alertsFor("event", v)
	c.and("id > ?", after)
	err = s.look(ctx, "read events", func(t *tx) error {
		out = nil
		return t.each(ctx, `SELECT id, at, kind, competence, region, alert, matter FROM event`+c.where()+` ORDER BY id LIMIT ?`,
			func(scan func(...any) error) error {
				var e center.Event
				if err := scan(&e.ID, &e.At, &e.Kind, &e.Competence, &e.Region, &e.Alert, &e.Matter); err != nil {
					return err
				}
				out = append(out, e)
				return nil
			}, append(c.args, limit)...)
	})
	return out, err
}

// Totals counts what the centre holds since an instant, as a viewer sees it. Only reviewed passages count.
func (s *Store) Totals(ctx context.Context, v center.Viewer, since wim.Time) (out center.Totals, err error) {
	at := int64(since)
	alerts := func(more string, args ...any) (string, []any) {
		var c clause
		c.alertsFor("a", v)
		c.and(more, args...)
		return `(SELECT count(*) FROM alert a` + c.where() + `)`, c.args
	}
	exceeded, x := alerts("a.passed >= ? AND a.outcome = 'exceeded' AND a.standing = 'evidence'", at)
	suspicions, y := alerts("a.passed >= ? AND a.outcome = 'exceeded' AND a.standing = 'screening'", at)
	open, z := alerts("a.acknowledged_at = 0")
	args := append([]any{at, at, at}, append(append(x, y...), z...)...)
	err = s.look(ctx, "count", func(t *tx) error {
		q := `SELECT
			(SELECT count(*) FROM account WHERE supplement = 0 AND passed >= ?),
			(SELECT count(*) FROM account WHERE supplement = 0 AND passed >= ? AND void = 1),
			(SELECT count(*) FROM record WHERE kind = 'gap' AND time >= ?),
			` + exceeded + `, ` + suspicions + `, ` + open
		return t.row(ctx, q, args...).Scan(&out.Passages, &out.Void, &out.Gaps, &out.Exceeded, &out.Suspicions, &out.Open)
	})
	return out, err
}
