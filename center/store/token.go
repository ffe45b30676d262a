package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/axlegate/axlegate/center"
)

// usedEvery is how old the note of a token's last use may be before it is written again.
const usedEvery = time.Minute

const tokenColumns = `k.id, k.name, k.login, k.scopes, k.created, k.expires, k.used, k.revoked`

func scanToken(scan func(...any) error, more ...any) (k center.Token, err error) {
	var scopes string
	err = scan(append([]any{&k.ID, &k.Name, &k.Login, &scopes, &k.Created, &k.Expires, &k.Used, &k.Revoked}, more...)...)
	for _, x := range strings.Fields(scopes) {
		k.Scopes = append(k.Scopes, center.Scope(x))
	}
	return k, err
}

// PutToken adds a token of an officer who may sign in, under the digest of its secret. by is who made it: the
// officer, or an administrator of the officer's region; anybody else is center.ErrNotYours.
func (s *Store) PutToken(ctx context.Context, by string, k center.Token, secret [32]byte) (center.Token, error) {
	k.Created = s.now()
	if err := k.Valid(); err != nil {
		return center.Token{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	scopes := make([]string, len(k.Scopes))
	for i, x := range k.Scopes {
		scopes[i] = string(x)
	}
	err := s.transact(ctx, "put token", func(t *tx) error {
		o, err := readOfficer(ctx, t, k.Login)
		if errors.Is(err, sql.ErrNoRows) || err == nil && o.Disabled {
			return center.ErrNotFound
		}
		if err == nil && by != k.Login {
			err = manages(ctx, t, by, o.Region)
		}
		if err != nil {
			return err
		}
		if err := t.row(ctx, `INSERT INTO token (secret, name, login, scopes, created, expires, used, revoked) VALUES (?, ?, ?, ?, ?, ?, 0, 0) RETURNING id`,
			secret[:], k.Name, k.Login, strings.Join(scopes, " "), int64(k.Created), int64(k.Expires)).Scan(&k.ID); err != nil {
			return err
		}
		return s.trace(ctx, t, center.Trace{Login: by, Action: "put-token", Subject: k.Login, Detail: k.Name + ": " + strings.Join(scopes, " ")}, o.Region)
	})
	if err != nil {
		return center.Token{}, fmt.Errorf("token of %s: %w", k.Login, err)
	}
	return k, nil
}

// Tokens lists an administrator's region's tokens, or the own ones of anybody else, newest first.
func (s *Store) Tokens(ctx context.Context, v center.Viewer) (out []center.Token, err error) {
	c := tokensFor(v)
	err = s.look(ctx, "read tokens", func(t *tx) error {
		out = nil
		return t.each(ctx, `SELECT `+tokenColumns+` FROM token k JOIN officer o ON o.login = k.login`+c.where()+` ORDER BY k.id DESC`, func(scan func(...any) error) error {
			k, err := scanToken(scan)
			if err != nil {
				return err
			}
			out = append(out, k)
			return nil
		}, c.args...)
	})
	return out, err
}

func tokensFor(v center.Viewer) *clause {
	c := &clause{}
	if v.Manages() {
		c.within("o.region", v.Region)
	} else {
		c.and("k.login = ?", v.Login)
	}
	return c
}

// RevokeToken ends a token that the viewer may see; center.ErrNotFound otherwise.
func (s *Store) RevokeToken(ctx context.Context, v center.Viewer, id int64) error {
	return s.transact(ctx, "revoke token", func(t *tx) error {
		c := tokensFor(v)
		c.and("k.id = ?", id)
		var region center.Region
		k, err := scanToken(t.row(ctx, `SELECT `+tokenColumns+`, o.region FROM token k JOIN officer o ON o.login = k.login`+c.where(), c.args...).Scan, &region)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("token %d: %w", id, center.ErrNotFound)
		}
		if err != nil || k.Revoked != 0 {
			return err
		}
		if err := t.run(ctx, `UPDATE token SET revoked = ? WHERE id = ?`, int64(s.now()), id); err != nil {
			return err
		}
		return s.trace(ctx, t, center.Trace{Login: v.Login, Action: "revoke-token", Subject: k.Login, Detail: k.Name}, region)
	})
}

// TokenOf returns the token with that digest of its secret, and its officer. One that is not known, expired or
// revoked, or whose officer may not sign in, is center.ErrNotFound. Its use is noted about once a minute.
func (s *Store) TokenOf(ctx context.Context, secret [32]byte) (k center.Token, o center.Officer, err error) {
	now := s.now()
	err = s.look(ctx, "find token", func(t *tx) error {
		k, err = scanToken(t.row(ctx, `SELECT `+tokenColumns+` FROM token k WHERE k.secret = ?`, secret[:]).Scan)
		if err != nil {
			return err
		}
		o, err = readOfficer(ctx, t, k.Login)
		return err
	})
	switch {
	case errors.Is(err, sql.ErrNoRows), err == nil && (k.Revoked != 0 || k.Expires <= now || o.Disabled):
		return center.Token{}, center.Officer{}, fmt.Errorf("token: %w", center.ErrNotFound)
	case err != nil:
		return center.Token{}, center.Officer{}, err
	}
	if now.Sub(k.Used) >= usedEvery {
		k.Used = now
		err = s.transact(ctx, "note the use of a token", func(t *tx) error {
			return t.run(ctx, `UPDATE token SET used = ? WHERE id = ? AND used < ?`, int64(now), k.ID, int64(now))
		})
	}
	return k, o, err
}
