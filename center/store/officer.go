package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/axlegate/axlegate/center"
)

// Officer returns the officer with a login, or center.ErrNotFound.
func (s *Store) Officer(ctx context.Context, login string) (o center.Officer, err error) {
	err = s.look(ctx, "read officer", func(t *tx) error {
		o, err = readOfficer(ctx, t, login)
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return center.Officer{}, fmt.Errorf("officer %q: %w", login, center.ErrNotFound)
	}
	return o, err
}

func readOfficer(ctx context.Context, t *tx, login string) (o center.Officer, err error) {
	err = t.row(ctx, `SELECT login, name, competence, hash FROM officer WHERE login = ?`, login).Scan(&o.Login, &o.Name, &o.Competence, &o.Hash)
	return o, err
}

// PutOfficer adds an officer or changes the one with that login. What has changed stands in the audit trail,
// without the hash.
func (s *Store) PutOfficer(ctx context.Context, o center.Officer) error {
	if o.Login == "" || o.Competence == "" && (o.Role == "" || o.Role == center.Enforcer) {
		return fmt.Errorf("%w: an officer needs a login and a competence", ErrRefused)
	}
	return s.transact(ctx, "put officer", func(t *tx) error { return s.putOfficer(ctx, t, o) })
}

func (s *Store) putOfficer(ctx context.Context, t *tx, o center.Officer) error {
	old, err := readOfficer(ctx, t, o.Login)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if old == o {
		return nil
	}
	if err := t.run(ctx, `INSERT INTO officer (login, name, competence, hash) VALUES (?, ?, ?, ?)
		ON CONFLICT (login) DO UPDATE SET name = excluded.name, competence = excluded.competence, hash = excluded.hash`,
		o.Login, o.Name, string(o.Competence), o.Hash); err != nil {
		return err
	}
	detail := string(o.Competence) + ", " + o.Name
	if old.Hash != o.Hash {
		detail += ", new password"
	}
	return s.trace(ctx, t, "", "put-officer", o.Login, detail)
}

// KeepOfficers removes every officer who is not in logins, so that one who was taken out of a configuration
// cannot sign in any more.
func (s *Store) KeepOfficers(ctx context.Context, logins []string) error {
	return s.transact(ctx, "keep officers", func(t *tx) error {
		var gone []string
		err := t.each(ctx, `SELECT login FROM officer ORDER BY login`, func(scan func(...any) error) error {
			var login string
			if err := scan(&login); err != nil {
				return err
			}
			if !slices.Contains(logins, login) {
				gone = append(gone, login)
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, login := range gone {
			if err := t.run(ctx, `DELETE FROM officer WHERE login = ?`, login); err != nil {
				return err
			}
			if err := s.trace(ctx, t, "", "remove-officer", login, ""); err != nil {
				return err
			}
		}
		return nil
	})
}

// trace appends to the audit trail. An empty login stands for the program's own start from its configuration.
func (s *Store) trace(ctx context.Context, t *tx, login, action, subject, detail string) error {
	return t.run(ctx, `INSERT INTO trail (at, login, action, subject, detail) VALUES (?, ?, ?, ?, ?)`, int64(s.now()), login, action, subject, detail)
}

// Trail returns up to limit lines of the audit trail with an id above after, in order.
func (s *Store) Trail(ctx context.Context, after int64, limit int) (out []center.Trace, err error) {
	err = s.look(ctx, "read audit trail", func(t *tx) error {
		return t.each(ctx, `SELECT id, at, login, action, subject, detail FROM trail WHERE id > ? ORDER BY id LIMIT ?`, func(scan func(...any) error) error {
			var x center.Trace
			if err := scan(&x.ID, &x.At, &x.Login, &x.Action, &x.Subject, &x.Detail); err != nil {
				return err
			}
			out = append(out, x)
			return nil
		}, after, limit)
	})
	return out, err
}
