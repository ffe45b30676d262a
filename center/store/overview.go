package store

import (
	"context"

	"github.com/axlegate/axlegate/center"
)

// Overview counts what those who run a centre watch. It costs by the number of sites and of what is open,
// not by what the store holds.
func (s *Store) Overview(ctx context.Context) (o center.Overview, err error) {
	err = s.look(ctx, "read overview", func(t *tx) error {
		o = center.Overview{}
		if err := overviewSites(ctx, t, &o); err != nil {
			return err
		}
		err := t.each(ctx, `SELECT site, kind, sum(count) FROM alarm GROUP BY site, kind ORDER BY site, kind`, func(scan func(...any) error) error {
			var a center.AlarmCount
			if err := scan(&a.Site, &a.Kind, &a.Count); err != nil {
				return err
			}
			o.Alarms = append(o.Alarms, a)
			return nil
		})
		if err != nil {
			return err
		}
		err = t.each(ctx, `SELECT competence, count(*), min(raised) FROM alert WHERE acknowledged_at = 0 GROUP BY competence ORDER BY competence`, func(scan func(...any) error) error {
			var a center.OpenAlerts
			if err := scan(&a.Competence, &a.Count, &a.Oldest); err != nil {
				return err
			}
			o.Open = append(o.Open, a)
			return nil
		})
		if err != nil {
			return err
		}
		return t.row(ctx, `SELECT (SELECT count(*) FROM waiting), (SELECT count(*) FROM quarantine),
			(SELECT count(*) FROM record WHERE intake > (SELECT value FROM counter WHERE name = 'review'))`).Scan(&o.Waiting, &o.Quarantined, &o.Unreviewed)
	})
	return o, err
}

func overviewSites(ctx context.Context, t *tx, o *center.Overview) error {
	return t.each(ctx, `SELECT n.site, coalesce(st.online, 0), coalesce((SELECT max(heard) FROM chain WHERE site = n.site), 0),
			coalesce(c.fork_seq, 0), (SELECT count(*) FROM (SELECT 1 FROM ledger WHERE chain = c.id AND seq > c.seq LIMIT 10000) AS beyond),
			(SELECT count(*) FROM opaque WHERE site = n.site)
		FROM (SELECT site FROM chain UNION SELECT site FROM status) AS n
		LEFT JOIN chain c ON c.id = (SELECT max(id) FROM chain WHERE site = n.site)
		LEFT JOIN status st ON st.site = n.site
		ORDER BY n.site`, func(scan func(...any) error) error {
		var x center.SiteOverview
		var fork int64
		if err := scan(&x.Site, &x.Online, &x.Heard, &fork, &x.Behind, &x.Unread); err != nil {
			return err
		}
		x.Forked = fork != 0
		o.Sites = append(o.Sites, x)
		return nil
	})
}
