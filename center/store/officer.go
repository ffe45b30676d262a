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

const officerColumns = `login, name, role, competence, region, hash, configured, must_change, disabled`

func scanOfficer(scan func(...any) error) (o center.Officer, err error) {
	err = scan(&o.Login, &o.Name, &o.Role, &o.Competence, &o.Region, &o.Hash, &o.Configured, &o.MustChange, &o.Disabled)
	return o, err
}

func readOfficer(ctx context.Context, t *tx, login string) (center.Officer, error) {
	return scanOfficer(t.row(ctx, `SELECT `+officerColumns+` FROM officer WHERE login = ?`, login).Scan)
}

// holdOfficer is readOfficer for who changes the officer: the row is held until the transaction ends.
func holdOfficer(ctx context.Context, t *tx, login string) (center.Officer, error) {
	return scanOfficer(t.row(ctx, `SELECT `+officerColumns+` FROM officer WHERE login = ?`+forUpdate, login).Scan)
}

// manages is center.ErrNotYours unless somebody is at present an administrator of a region.
func manages(ctx context.Context, t *tx, by string, r center.Region) error {
	o, err := readOfficer(ctx, t, by)
	if errors.Is(err, sql.ErrNoRows) || err == nil && (o.Disabled || o.Role != center.Administrator || !o.Region.Holds(r)) {
		return fmt.Errorf("officer %q: %w", by, center.ErrNotYours)
	}
	return err
}

// Officers lists the officers of an administrator's region by login, without their hashes.
func (s *Store) Officers(ctx context.Context, v center.Viewer) (out []center.Officer, err error) {
	if !v.Manages() {
		return nil, center.ErrNotYours
	}
	var c clause
	c.within("region", v.Region)
	err = s.look(ctx, "read officers", func(t *tx) error {
		out = nil
		return t.each(ctx, `SELECT `+officerColumns+` FROM officer`+c.where()+` ORDER BY login`, func(scan func(...any) error) error {
			o, err := scanOfficer(scan)
			if err != nil {
				return err
			}
			o.Hash = ""
			out = append(out, o)
			return nil
		}, c.args...)
	})
	return out, err
}

// PutOfficer adds an officer or changes the one with that login; an empty hash leaves the password as it is. by
// is the administrator who does it, empty for the configuration, which alone changes officers of its own; one who
// is none, or not of the officer's region before and after, is center.ErrNotYours. What has changed stands in the
// audit trail, without the hash.
func (s *Store) PutOfficer(ctx context.Context, by string, o center.Officer) error {
	if err := o.Valid(); err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return s.transact(ctx, "put officer", func(t *tx) error { return s.putOfficer(ctx, t, by, o) })
}

func (s *Store) putOfficer(ctx context.Context, t *tx, by string, o center.Officer) error {
	old, err := holdOfficer(ctx, t, o.Login)
	fresh := errors.Is(err, sql.ErrNoRows)
	if err != nil && !fresh {
		return err
	}
	if by != "" {
		if err := manages(ctx, t, by, o.Region); err != nil {
			return err
		}
		if !fresh {
			if err := manages(ctx, t, by, old.Region); err != nil {
				return err
			}
		}
	}
	if by != "" && (old.Configured || o.Configured) {
		return fmt.Errorf("%w: officer %s stands in the configuration and is changed there", ErrRefused, o.Login)
	}
	if o.Hash == "" {
		o.Hash = old.Hash
	}
	if o.Hash == "" {
		return fmt.Errorf("%w: officer %s has no password", ErrRefused, o.Login)
	}
	if old == o {
		return nil
	}
	if err := t.run(ctx, `INSERT INTO officer (`+officerColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (login) DO UPDATE SET name = excluded.name, role = excluded.role, competence = excluded.competence, region = excluded.region, hash = excluded.hash,
			configured = excluded.configured, must_change = excluded.must_change, disabled = excluded.disabled`,
		o.Login, o.Name, string(o.Role), string(o.Competence), string(o.Region), o.Hash, o.Configured, o.MustChange, o.Disabled); err != nil {
		return err
	}
	detail := string(o.Role)
	if o.Competence != "" {
		detail += " of " + string(o.Competence)
	}
	detail += ", region " + string(o.Region) + ", " + o.Name
	if old.Hash != o.Hash {
		detail += ", new password"
	}
	if o.Disabled {
		detail += ", disabled"
	}
	return s.trace(ctx, t, center.Trace{Login: by, Action: "put-officer", Subject: o.Login, Detail: detail}, o.Region)
}

// ChangePassword sets an officer's own new password. It ends what a password set by somebody else asked for.
func (s *Store) ChangePassword(ctx context.Context, login, hash string) error {
	return s.transact(ctx, "change password", func(t *tx) error {
		o, err := holdOfficer(ctx, t, login)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("officer %q: %w", login, center.ErrNotFound)
		}
		if err != nil {
			return err
		}
		if o.Configured {
			return fmt.Errorf("%w: the password of %s stands in the configuration and is changed there", ErrRefused, login)
		}
		if err := t.run(ctx, `UPDATE officer SET hash = ?, must_change = 0 WHERE login = ?`, hash, login); err != nil {
			return err
		}
		return s.trace(ctx, t, center.Trace{Login: login, Action: "change-password", Subject: login}, o.Region)
	})
}

// KeepOfficers removes every officer of the configuration who is not in logins, so that one who was taken out
// of it cannot sign in any more, and revokes the tokens, which must not act for whoever gets the login later.
// Officers whom an administrator added stay.
func (s *Store) KeepOfficers(ctx context.Context, logins []string) error {
	return s.transact(ctx, "keep officers", func(t *tx) error {
		var gone []center.Officer
		err := t.each(ctx, `SELECT `+officerColumns+` FROM officer WHERE configured = 1 ORDER BY login`, func(scan func(...any) error) error {
			o, err := scanOfficer(scan)
			if err != nil {
				return err
			}
			if !slices.Contains(logins, o.Login) {
				gone = append(gone, o)
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, o := range gone {
			if err := t.run(ctx, `DELETE FROM officer WHERE login = ?`, o.Login); err != nil {
				return err
			}
			if err := t.run(ctx, `UPDATE token SET revoked = ? WHERE login = ? AND revoked = 0`, int64(s.now()), o.Login); err != nil {
				return err
			}
			if err := s.trace(ctx, t, center.Trace{Action: "remove-officer", Subject: o.Login}, o.Region); err != nil {
				return err
			}
		}
		return nil
	})
}
