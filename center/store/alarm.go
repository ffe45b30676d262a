package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// raiseAlarm notes an alarm; the same again raises its count.
func (s *Store) raiseAlarm(ctx context.Context, t *tx, a center.Alarm) error {
	s.log.Warn("alarm", "kind", string(a.Kind), "site", string(a.Site), "subject", a.Subject, "detail", a.Detail)
	now := int64(s.now())
	return t.run(ctx, `INSERT INTO alarm (kind, site, subject, detail, first, last, count) VALUES (?, ?, ?, ?, ?, ?, 1)
		ON CONFLICT (site, kind, subject) DO UPDATE SET detail = excluded.detail, last = excluded.last, count = alarm.count + 1`,
		string(a.Kind), string(a.Site), clean(a.Subject), clean(a.Detail), now, now)
}

// Alarms lists the alarms of a site that nobody has looked into, newest first. A site outside of the viewer's
// region is center.ErrNotFound.
func (s *Store) Alarms(ctx context.Context, v center.Viewer, site wim.SiteID) (out []center.Alarm, err error) {
	err = s.look(ctx, "read alarms", func(t *tx) error {
		out = nil
		if err := inRegion(ctx, t, v, site); err != nil {
			return err
		}
		return t.each(ctx, `SELECT kind, site, subject, detail, first, last, count FROM alarm WHERE site = ? ORDER BY last DESC, id DESC`,
			func(scan func(...any) error) error {
				var a center.Alarm
				if err := scan(&a.Kind, &a.Site, &a.Subject, &a.Detail, &a.First, &a.Last, &a.Count); err != nil {
					return err
				}
				out = append(out, a)
				return nil
			}, string(site))
	})
	return out, err
}

// LookedInto takes the alarms of a site off the list, for an administrator. Who did it, and what was on it,
// stays in the audit trail.
func (s *Store) LookedInto(ctx context.Context, v center.Viewer, site wim.SiteID) error {
	if !v.Manages() {
		return center.ErrNotYours
	}
	return s.transact(ctx, "look into alarms", func(t *tx) error {
		if err := inRegion(ctx, t, v, site); err != nil {
			return err
		}
		var region center.Region // of the site: its auditors read of it
		if err := t.row(ctx, `SELECT region FROM site_region WHERE site = ?`, string(site)).Scan(&region); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		var cleared []center.Alarm
		err := t.each(ctx, `DELETE FROM alarm WHERE site = ? RETURNING kind, subject, detail`, func(scan func(...any) error) error {
			var a center.Alarm
			if err := scan(&a.Kind, &a.Subject, &a.Detail); err != nil {
				return err
			}
			cleared = append(cleared, a)
			return nil
		}, string(site))
		if err != nil {
			return err
		}
		for _, a := range cleared {
			if err := s.trace(ctx, t, center.Trace{Login: v.Login, Action: "look-into-alarm", Subject: string(site) + ": " + string(a.Kind) + ": " + a.Subject, Detail: a.Detail}, region); err != nil {
				return err
			}
		}
		return nil
	})
}

// inRegion is center.ErrNotFound for a site outside of a viewer's region.
func inRegion(ctx context.Context, t *tx, v center.Viewer, site wim.SiteID) error {
	if v.Region == "" {
		return nil
	}
	var r center.Region
	err := t.row(ctx, `SELECT region FROM site_region WHERE site = ?`, string(site)).Scan(&r)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !v.Region.Holds(r) {
		return fmt.Errorf("site %s: %w", site, center.ErrNotFound)
	}
	return err
}

// Item is input that could not be believed or read.
type Item struct {
	Site   wim.SiteID // as the topic said
	Reason string     // one of a few words, for counting
	Detail string
	// Alarm is the kind of alarm that it raises; empty for center.AlarmQuarantine.
	Alarm center.AlarmKind
	Bytes []byte
}

// maxDetail bounds what an item's detail may take: it may quote what somebody sent.
const maxDetail = 512

// Quarantine sets an item aside, once. When it would not fit within the bounds the oldest ones go, and are
// counted. It never counts as received.
func (s *Store) Quarantine(ctx context.Context, it Item) error {
	d := wim.DigestOf(it.Bytes)
	detail := clip(clean(it.Detail), maxDetail)
	bytes := it.Bytes
	if int64(len(bytes)) > s.cfg.QuarantineBytes {
		bytes = bytes[:s.cfg.QuarantineBytes]
	}
	if bytes == nil {
		bytes = []byte{}
	}
	return s.transact(ctx, "quarantine", func(t *tx) error {
		res, err := t.exec(ctx, `INSERT INTO quarantine (site, digest, reason, detail, received, size, bytes) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (site, digest) DO NOTHING`,
			clean(string(it.Site)), d[:], clean(it.Reason), detail, int64(s.now()), len(bytes), bytes)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		if err := s.makeRoom(ctx, t); err != nil {
			return err
		}
		kind := it.Alarm
		if kind == "" {
			kind = center.AlarmQuarantine
		}
		return s.raiseAlarm(ctx, t, center.Alarm{Kind: kind, Site: wim.SiteID(clean(string(it.Site))), Subject: clean(it.Reason), Detail: detail})
	})
}

// makeRoom deletes the oldest items beyond the bounds.
func (s *Store) makeRoom(ctx context.Context, t *tx) error {
	res, err := t.exec(ctx, `DELETE FROM quarantine WHERE id IN (
		SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id DESC) AS place, sum(size) OVER (ORDER BY id DESC) AS total FROM quarantine) AS q
		WHERE place > ? OR total > ?)`, s.cfg.QuarantineItems, s.cfg.QuarantineBytes)
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err != nil || n == 0 {
		return err
	}
	_, err = t.next(ctx, "dropped", int(n))
	return err
}

// Quarantined tells how much is set aside now and how many items had to make room so far.
func (s *Store) Quarantined(ctx context.Context) (items int, bytes, dropped int64, err error) {
	err = s.look(ctx, "count quarantine", func(t *tx) error {
		return t.row(ctx, `SELECT count(*), coalesce(CAST(sum(size) AS BIGINT), 0), (SELECT value FROM counter WHERE name = 'dropped') FROM quarantine`).Scan(&items, &bytes, &dropped)
	})
	return items, bytes, dropped, err
}
