package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Sessions keeps the sessions of signed-in officers, in the shape that session managers ask for.
type Sessions struct{ s *Store }

// Sessions gives the session part of the store.
func (s *Store) Sessions() *Sessions { return &Sessions{s} }

// FindCtx returns a session's data; found is false when there is none or it has expired.
func (x *Sessions) FindCtx(ctx context.Context, token string) (data []byte, found bool, err error) {
	err = x.s.look(ctx, "find session", func(t *tx) error {
		return t.row(ctx, `SELECT data FROM session WHERE token = ? AND expiry > ?`, token, int64(x.s.now())).Scan(&data)
	})
	if errors.Is(err, sql.ErrNoRows) || errors.Is(err, ErrRefused) { // a name that no session can have
		return nil, false, nil
	}
	return data, err == nil, err
}

// CommitCtx writes a session and forgets those that have expired.
func (x *Sessions) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	if data == nil {
		data = []byte{}
	}
	return x.s.transact(ctx, "write session", func(t *tx) error {
		if err := t.run(ctx, `DELETE FROM session WHERE expiry <= ?`, int64(x.s.now())); err != nil {
			return err
		}
		return t.run(ctx, `INSERT INTO session (token, data, expiry) VALUES (?, ?, ?) ON CONFLICT (token) DO UPDATE SET data = excluded.data, expiry = excluded.expiry`,
			token, data, expiry.UnixNano())
	})
}

// DeleteCtx removes a session; one that is not there is no error.
func (x *Sessions) DeleteCtx(ctx context.Context, token string) error {
	return x.s.transact(ctx, "delete session", func(t *tx) error { return t.run(ctx, `DELETE FROM session WHERE token = ?`, token) })
}

// Find is FindCtx for a caller that has no context.
func (x *Sessions) Find(token string) ([]byte, bool, error) {
	return x.FindCtx(context.Background(), token)
}

// Commit is CommitCtx for a caller that has no context.
func (x *Sessions) Commit(token string, data []byte, expiry time.Time) error {
	return x.CommitCtx(context.Background(), token, data, expiry)
}

// Delete is DeleteCtx for a caller that has no context.
func (x *Sessions) Delete(token string) error { return x.DeleteCtx(context.Background(), token) }
