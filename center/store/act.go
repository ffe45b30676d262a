package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// Do writes what an officer does to a matter, with its event for every alerted authority and its line in the
// audit trail, in one transaction; or nothing, with an error of center.Docket.Do, center.ErrNumberTaken, or
// center.ErrNotFound for a matter that the viewer may not see.
func (s *Store) Do(ctx context.Context, v center.Viewer, matter int64, k center.ActKind, in center.Details, seen int64) (out center.Docket, err error) {
	err = s.transact(ctx, "act", func(t *tx) error {
		out, err = s.do(ctx, t, v, matter, k, in, func(*center.Docket) int64 { return seen })
		return err
	})
	if err != nil {
		return center.Docket{}, fmt.Errorf("matter %d: %w", matter, err)
	}
	s.gaveEvents()
	return out, nil
}

// do acts on what seen says that the officer saw.
func (s *Store) do(ctx context.Context, t *tx, v center.Viewer, matter int64, k center.ActKind, in center.Details, seen func(*center.Docket) int64) (center.Docket, error) {
	if err := s.stillIs(ctx, t, v); err != nil {
		return center.Docket{}, err
	}
	e := &effect{}
	if err := e.hold(ctx, t); err != nil {
		return center.Docket{}, err
	}
	d, err := readDocket(ctx, t, matter)
	if errors.Is(err, sql.ErrNoRows) {
		return center.Docket{}, center.ErrNotFound
	}
	if err != nil {
		return center.Docket{}, err
	}
	if !v.Sees(d.Matter.Region, d.Alerts) {
		return center.Docket{}, center.ErrNotFound
	}
	next, act, err := d.Do(v, k, in, seen(&d), s.now())
	if err != nil {
		return center.Docket{}, err
	}
	if err := s.writeAct(ctx, t, &d, &next, act, e); err != nil {
		return center.Docket{}, err
	}
	return next, nil
}

// stillIs tells whether the viewer is still who the store knows under that login.
func (s *Store) stillIs(ctx context.Context, t *tx, v center.Viewer) error {
	o, err := readOfficer(ctx, t, v.Login)
	if errors.Is(err, sql.ErrNoRows) || err == nil && (o.Disabled || o.Viewer() != v) {
		return fmt.Errorf("officer %q: %w", v.Login, center.ErrNotYours)
	}
	return err
}

func (s *Store) writeAct(ctx context.Context, t *tx, was, is *center.Docket, act center.Act, e *effect) error {
	if c, ok := is.Case(act.Competence); ok && act.Kind == center.ActOpenCase {
		res, err := t.exec(ctx, `INSERT INTO authority_case (matter, competence, number, opened, login) VALUES (?, ?, ?, ?, ?) ON CONFLICT (competence, number) DO NOTHING`,
			c.Matter, string(c.Competence), c.Number, int64(c.Opened), c.Login)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, center.ErrNumberTaken)
		}
	}
	if err := t.run(ctx, `UPDATE matter SET version = ?, state = ? WHERE id = ?`, is.Matter.Version, string(is.Matter.State), is.Matter.ID); err != nil {
		return err
	}
	kind := center.MatterActed
	for i := range is.Alerts {
		a := &is.Alerts[i]
		if *a == was.Alerts[i] {
			continue
		}
		if err := t.run(ctx, `UPDATE alert SET acknowledged_at = ?, acknowledged_by = ?, ended = ?, ended_at = ?, ended_by = ?, end_reason = ? WHERE id = ?`,
			int64(a.AcknowledgedAt), a.AcknowledgedBy, string(a.Ended), int64(a.EndedAt), a.EndedBy, string(a.EndReason), a.ID); err != nil {
			return err
		}
	}
	if act.Kind == center.ActAcknowledge {
		kind = center.AlertAcknowledged
	}
	details, err := json.Marshal(act.Details)
	if err != nil {
		return fmt.Errorf("details: %w", err)
	}
	if err := t.run(ctx, `INSERT INTO act (matter, version, at, login, competence, kind, details) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		act.Matter, act.Version, int64(act.At), act.Login, string(act.Competence), string(act.Kind), string(details)); err != nil {
		return err
	}
	for _, a := range is.Alerts {
		k := kind
		if kind == center.AlertAcknowledged && a.Competence != act.Competence {
			k = center.MatterActed
		}
		if err := s.addEvent(ctx, t, k, a, is.Matter.Region, e); err != nil {
			return err
		}
	}
	return s.trace(ctx, t, center.Trace{Login: act.Login, Action: string(act.Kind), Subject: is.Matter.String(), Detail: string(details)}, is.Matter.Region)
}

// readActs reads what officers did to a matter, in order.
func readActs(ctx context.Context, t *tx, matter int64) (out []center.Act, err error) {
	err = t.each(ctx, `SELECT id, matter, version, at, login, competence, kind, details FROM act WHERE matter = ? ORDER BY version`, func(scan func(...any) error) error {
		var a center.Act
		var details string
		if err := scan(&a.ID, &a.Matter, &a.Version, &a.At, &a.Login, &a.Competence, &a.Kind, &details); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(details), &a.Details); err != nil {
			return fmt.Errorf("%w: act %d: %w", ErrDamaged, a.ID, err)
		}
		out = append(out, a)
		return nil
	}, matter)
	return out, err
}

// Acknowledge is Do for the one act that a live board offers, on the matter as it is now. It returns
// center.ErrNotFound for an alert that the viewer may not see and center.ErrAlreadyAcknowledged when somebody
// was faster.
func (s *Store) Acknowledge(ctx context.Context, v center.Viewer, alert int64) error {
	err := s.transact(ctx, "acknowledge", func(t *tx) error {
		var c clause
		c.alertsFor("a", v)
		c.and("a.id = ?", alert)
		var matter int64
		var at wim.Time
		err := t.row(ctx, `SELECT a.matter, a.acknowledged_at FROM alert a`+c.where(), c.args...).Scan(&matter, &at)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return center.ErrNotFound
		case err != nil:
			return err
		case at != 0:
			return center.ErrAlreadyAcknowledged
		}
		_, err = s.do(ctx, t, v, matter, center.ActAcknowledge, center.Details{}, func(d *center.Docket) int64 { return d.Matter.Version })
		if errors.Is(err, center.ErrNotNow) {
			return center.ErrAlreadyAcknowledged // between the two reads
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("alert %d: %w", alert, err)
	}
	s.gaveEvents()
	return nil
}
