package store

import (
	"context"
	"fmt"
	"time"
)

// Lease renews what a holder has of the slots 0 to slots-1, takes free ones up to its fair share, which is
// slots divided by the holders that are there, and returns what it may work on until ttl after the call
// began. A holder that has not asked for ttl is gone, and its slots are free. What is over the share is no
// longer returned but stays the holder's until its last lease ends, so that no slot ever has two holders. The
// time is the database's, where it has one, never the callers'.
func (s *Store) Lease(ctx context.Context, holder string, slots int, ttl time.Duration) (held []int, err error) {
	if holder == "" || slots <= 0 || ttl <= 0 {
		return nil, fmt.Errorf("%w: a lease needs a holder's name, a number of slots and a time to live", ErrRefused)
	}
	err = s.transact(ctx, "lease slots", func(t *tx) error {
		held = nil
		now, err := s.leaseTime(ctx, t)
		if err != nil {
			return err
		}
		until := now + int64(ttl)
		if err := t.run(ctx, `INSERT INTO holder (name, until) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET until = excluded.until`, holder, until); err != nil {
			return err
		}
		if err := t.run(ctx, `DELETE FROM holder WHERE until <= ?`, now); err != nil {
			return err
		}
		var holders int
		if err := t.row(ctx, `SELECT count(*) FROM holder`).Scan(&holders); err != nil {
			return err
		}
		own, free, err := readLeases(ctx, t, holder, slots, now)
		if err != nil {
			return err
		}
		share := (slots + holders - 1) / holders
		held = append(own, free...)
		held = held[:min(share, len(held))]
		for _, slot := range held {
			if err := t.run(ctx, `INSERT INTO lease (slot, holder, until) VALUES (?, ?, ?)
				ON CONFLICT (slot) DO UPDATE SET holder = excluded.holder, until = excluded.until`, slot, holder, until); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return held, nil
}

// readLeases tells which slots are a holder's and which are nobody's, both in order.
func readLeases(ctx context.Context, t *tx, holder string, slots int, now int64) (own, free []int, err error) {
	taken := make([]string, slots)
	err = t.each(ctx, `SELECT slot, holder FROM lease WHERE slot < ? AND (until > ? OR holder = ?)`, func(scan func(...any) error) error {
		var slot int
		var by string
		if err := scan(&slot, &by); err != nil {
			return err
		}
		taken[slot] = by
		return nil
	}, slots, now, holder)
	for slot, by := range taken {
		switch by {
		case holder:
			own = append(own, slot)
		case "":
			free = append(free, slot)
		}
	}
	return own, free, err
}

// Release gives back at once what a holder has, who no longer works on it.
func (s *Store) Release(ctx context.Context, holder string) error {
	return s.transact(ctx, "release slots", func(t *tx) error {
		if _, err := s.leaseTime(ctx, t); err != nil {
			return err
		}
		if err := t.run(ctx, `DELETE FROM lease WHERE holder = ?`, holder); err != nil {
			return err
		}
		return t.run(ctx, `DELETE FROM holder WHERE name = ?`, holder)
	})
}

// leaseTime makes callers take turns and gives the time by which leases are counted.
func (s *Store) leaseTime(ctx context.Context, t *tx) (now int64, err error) {
	if s.dialect == sqliteDialect {
		return int64(s.now()), nil
	}
	if err := t.run(ctx, `SELECT pg_advisory_xact_lock(?)`, int64(lockLeases)); err != nil {
		return 0, err
	}
	err = t.row(ctx, `SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000000 AS BIGINT)`).Scan(&now)
	return now, err
}
