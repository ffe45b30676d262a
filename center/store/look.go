package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/axlegate/axlegate/center"
)

// Looked notes in the audit trail what a viewer is about to be shown: in the matter's region where it is a matter,
// which auditors of that region and of those above it read, else in the viewer's.
func (s *Store) Looked(ctx context.Context, v center.Viewer, subject, detail string) error {
	return s.transact(ctx, "note a look", func(t *tx) error {
		r := v.Region
		if id, ok := center.MatterNamed(subject); ok {
			if err := t.row(ctx, `SELECT region FROM matter WHERE id = ?`, id).Scan(&r); err != nil && !errors.Is(err, sql.ErrNoRows) {
				return err
			}
		}
		return s.trace(ctx, t, center.Trace{Login: v.Login, Action: "look", Subject: clip(clean(subject), 400), Detail: clip(clean(detail), 1000)}, r)
	})
}

// trace appends to the audit trail. An empty login stands for the program's own start from its configuration.
func (s *Store) trace(ctx context.Context, t *tx, x center.Trace, r center.Region) error {
	return t.run(ctx, `INSERT INTO trail (at, login, action, subject, detail, region) VALUES (?, ?, ?, ?, ?, ?)`,
		int64(s.now()), x.Login, x.Action, x.Subject, x.Detail, string(r))
}

// Trail returns lines of the audit trail, newest first, to who may read it: those of the viewer's region.
func (s *Store) Trail(ctx context.Context, v center.Viewer, q center.TrailQuery) (out []center.Trace, err error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	if !v.Trail() {
		return nil, center.ErrNotYours
	}
	var c clause
	c.within("region", v.Region)
	for _, f := range []struct{ column, value string }{{"login", q.Login}, {"action", q.Action}, {"subject", q.Subject}} {
		if f.value != "" {
			c.and(f.column+" = ?", f.value)
		}
	}
	if q.From != 0 {
		c.and("at >= ?", int64(q.From))
	}
	if q.To != 0 {
		c.and("at < ?", int64(q.To))
	}
	if q.Before != 0 {
		c.and("id < ?", q.Before)
	}
	err = s.look(ctx, "read audit trail", func(t *tx) error {
		out = nil
		return t.each(ctx, `SELECT id, at, login, action, subject, detail FROM trail`+c.where()+` ORDER BY id DESC LIMIT ?`, func(scan func(...any) error) error {
			var x center.Trace
			if err := scan(&x.ID, &x.At, &x.Login, &x.Action, &x.Subject, &x.Detail); err != nil {
				return err
			}
			out = append(out, x)
			return nil
		}, append(c.args, q.Limit)...)
	})
	return out, err
}
