package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// Board returns the newest alerts of a competence, newest first, and the id of the last event that they
// include: EventsAfter goes on from there without a gap.
func (s *Store) Board(ctx context.Context, c wim.Competence, limit int) (entries []center.Entry, last int64, err error) {
	err = s.look(ctx, "read board", func(t *tx) error {
		if err := t.row(ctx, `SELECT value FROM counter WHERE name = 'event'`).Scan(&last); err != nil {
			return err
		}
		entries, err = readEntries(ctx, t, `WHERE a.competence = ? ORDER BY a.id DESC LIMIT ?`, string(c), limit)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	return entries, last, nil
}

// Entry returns one alert of a competence. An alert of another competence is center.ErrNotFound.
func (s *Store) Entry(ctx context.Context, c wim.Competence, alert int64) (center.Entry, error) {
	var e []center.Entry
	err := s.look(ctx, "read alert", func(t *tx) (err error) {
		e, err = readEntries(ctx, t, `WHERE a.competence = ? AND a.id = ?`, string(c), alert)
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

func readEntries(ctx context.Context, t *tx, where string, args ...any) ([]center.Entry, error) {
	type place struct {
		alert   center.Alert
		passage int64
	}
	var places []place
	err := t.each(ctx, `SELECT `+alertColumns+`, m.passage FROM alert a JOIN matter m ON m.id = a.matter `+where, func(scan func(...any) error) error {
		var p place
		if err := scan(append(alertInto(&p.alert), &p.passage)...); err != nil {
			return err
		}
		places = append(places, p)
		return nil
	}, args...)
	if err != nil {
		return nil, err
	}
	out := make([]center.Entry, 0, len(places))
	pruned := 0
	for i := range places {
		j, k, err := readJourney(ctx, t, places[i].passage)
		if err != nil {
			return nil, err
		}
		if j.Matter == nil {
			return nil, fmt.Errorf("%w: alert %d without a matter", ErrDamaged, places[i].alert.ID)
		}
		if k.pruned {
			pruned++
			continue
		}
		out = append(out, entryOf(j, k, places[i].alert))
	}
	if pruned == 1 && len(places) == 1 {
		return nil, fmt.Errorf("alert %d: %w", places[0].alert.ID, ErrPruned)
	}
	return out, nil
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

// EventsAfter returns up to limit events of a competence with an id above after, in order of id.
func (s *Store) EventsAfter(ctx context.Context, c wim.Competence, after int64, limit int) (out []center.Event, err error) {
	err = s.look(ctx, "read events", func(t *tx) error {
		return t.each(ctx, `SELECT id, at, kind, competence, alert, matter FROM event WHERE competence = ? AND id > ? ORDER BY id LIMIT ?`,
			func(scan func(...any) error) error {
				var e center.Event
				if err := scan(&e.ID, &e.At, &e.Kind, &e.Competence, &e.Alert, &e.Matter); err != nil {
					return err
				}
				out = append(out, e)
				return nil
			}, string(c), after, limit)
	})
	return out, err
}

// Acknowledge notes that an officer has taken note of an alert of the own competence, once. It returns
// center.ErrNotFound for an alert of another competence and center.ErrAlreadyAcknowledged when somebody was
// faster. An officer who is not of that competence is refused. The matter is acknowledged when all its
// alerts are.
func (s *Store) Acknowledge(ctx context.Context, c wim.Competence, alert int64, login string) error {
	err := s.transact(ctx, "acknowledge", func(t *tx) error {
		var a center.Alert
		err := t.row(ctx, `SELECT `+alertColumns+` FROM alert a WHERE a.id = ? AND a.competence = ?`, alert, string(c)).Scan(alertInto(&a)...)
		if errors.Is(err, sql.ErrNoRows) {
			return center.ErrNotFound
		}
		if err != nil {
			return err
		}
		var own string
		err = t.row(ctx, `SELECT competence FROM officer WHERE login = ?`, login).Scan(&own)
		if errors.Is(err, sql.ErrNoRows) || err == nil && own != string(c) {
			return fmt.Errorf("officer %q of %s: %w", login, c, center.ErrNotFound)
		}
		if err != nil {
			return err
		}
		if a.AcknowledgedAt != 0 {
			return center.ErrAlreadyAcknowledged
		}
		if err := t.run(ctx, `UPDATE alert SET acknowledged_at = ?, acknowledged_by = ? WHERE id = ?`, int64(s.now()), login, a.ID); err != nil {
			return err
		}
		if err := t.run(ctx, `UPDATE matter SET state = ? WHERE id = ? AND NOT EXISTS (SELECT 1 FROM alert WHERE matter = ? AND acknowledged_at = 0)`,
			string(center.Acknowledged), a.Matter, a.Matter); err != nil {
			return err
		}
		if err := s.addEvent(ctx, t, center.AlertAcknowledged, a, &effect{}); err != nil {
			return err
		}
		return s.trace(ctx, t, login, "acknowledge", "alert "+strconv.FormatInt(a.ID, 10), "matter "+strconv.FormatInt(a.Matter, 10)+", "+string(c))
	})
	if err != nil {
		return fmt.Errorf("alert %d: %w", alert, err)
	}
	s.changed.give()
	return nil
}

// Totals counts what the centre holds since an instant, as a competence sees it. Only reviewed passages count.
func (s *Store) Totals(ctx context.Context, c wim.Competence, since wim.Time) (out center.Totals, err error) {
	err = s.look(ctx, "count", func(t *tx) error {
		q := `SELECT
			(SELECT count(*) FROM account WHERE supplement = 0 AND passed >= ?),
			(SELECT count(*) FROM alert WHERE competence = ? AND passed >= ? AND outcome = 'exceeded' AND standing = 'evidence'),
			(SELECT count(*) FROM alert WHERE competence = ? AND passed >= ? AND outcome = 'exceeded' AND standing = 'screening'),
			(SELECT count(*) FROM account WHERE supplement = 0 AND passed >= ? AND void = 1),
			(SELECT count(*) FROM record WHERE kind = 'gap' AND time >= ?),
			(SELECT count(*) FROM alert WHERE competence = ? AND acknowledged_at = 0)`
		at, who := int64(since), string(c)
		return t.row(ctx, q, at, who, at, who, at, at, at, who).Scan(&out.Passages, &out.Exceeded, &out.Suspicions, &out.Void, &out.Gaps, &out.Open)
	})
	return out, err
}
