package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// Head is how far a chain is held without a hole.
type Head struct {
	Site   wim.SiteID
	Chain  wim.ChainID
	Result // Fresh and Duplicates are 0
}

// Heads lists all chains in the order in which they were first heard of, so that a site's current chain is
// its last.
func (s *Store) Heads(ctx context.Context) (out []Head, err error) {
	err = s.lookInEpoch(ctx, "read heads", func(t *tx, epoch uint64) error {
		out = nil
		return t.each(ctx, `SELECT site, chain, seq, digest, fork_seq, fork_held, fork_sent FROM chain ORDER BY id`, func(scan func(...any) error) error {
			h, f := Head{Result: Result{Epoch: epoch}}, Fork{}
			if err := scan(&h.Site, chainID{&h.Chain}, &h.Seq, digest{&h.Digest}, &f.Seq, digest{&f.Held}, digest{&f.Sent}); err != nil {
				return err
			}
			if f.Seq != 0 {
				h.Fork = &f
			}
			out = append(out, h)
			return nil
		})
	})
	return out, err
}

// siteStatus is the payload of a site's retained status message, as far as it is kept.
type siteStatus struct {
	State      string    `json:"state"`
	Boot       string    `json:"boot"`
	Connection uint64    `json:"connection"`
	Time       time.Time `json:"time"`
}

// heldStatus is what the table has of a site's status.
type heldStatus struct {
	online       bool
	boot, former string
	connection   uint64
	clock        wim.Time
}

// hides tells whether p is the will of an earlier connection, which must not show a living site dead: brokers may
// publish it after the online of the next one, and retain it. A run that was not heard of counts as the later one by
// the site's clock.
func (p *siteStatus) hides(h *heldStatus) bool {
	if p.State == "online" || !h.online || p.Boot == "" || h.boot == "" {
		return false
	}
	if p.Boot == h.boot {
		return p.Connection < h.connection
	}
	return p.Boot == h.former || wim.TimeOf(p.Time) < h.clock
}

// SetStatus notes whether a site is online, from the payload of its retained status message. Sites repeat it;
// what changes nothing writes nothing. A run of the daemon that comes back after another one has taken over means
// that two daemons use one name, which is alarmed.
func (s *Store) SetStatus(ctx context.Context, site wim.SiteID, payload []byte) error {
	if err := site.Valid(); err != nil {
		return fmt.Errorf("%w: status: %w", ErrRefused, err)
	}
	var p siteStatus
	if err := json.Unmarshal(payload, &p); err != nil || p.State == "" {
		return fmt.Errorf("%w: status of %s is not one", ErrRefused, site)
	}
	p.Boot = clip(clean(p.Boot), 200)
	return s.transact(ctx, "set status", func(t *tx) error {
		var h heldStatus
		err := t.row(ctx, `SELECT online, boot, former, connection, clock FROM status WHERE site = ?`+forUpdate, string(site)).Scan(&h.online, &h.boot, &h.former, &h.connection, &h.clock)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		there := err == nil
		online := p.State == "online"
		if there && (online == h.online && p.Boot == h.boot && p.Connection == h.connection || p.hides(&h)) {
			return nil
		}
		former := h.former
		if online && p.Boot != "" && h.boot != "" && p.Boot != h.boot {
			if former = h.boot; p.Boot == h.former {
				if err := s.raiseAlarm(ctx, t, center.Alarm{
					Kind: center.AlarmTwins, Site: site, Subject: "runs " + min(p.Boot, h.boot) + " and " + max(p.Boot, h.boot), Detail: "both said that they are online, in turns",
				}); err != nil {
					return err
				}
			}
		}
		return t.run(ctx, `INSERT INTO status (site, online, at, boot, former, connection, clock) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (site) DO UPDATE SET at = CASE WHEN status.online <> excluded.online THEN excluded.at ELSE status.at END,
				online = excluded.online, boot = excluded.boot, former = excluded.former, connection = excluded.connection, clock = excluded.clock`,
			string(site), online, int64(s.now()), p.Boot, former, int64(min(p.Connection, math.MaxInt64)), int64(wim.TimeOf(p.Time)))
	})
}

// Sites tells of every site of the viewer's region that is known or was ever heard of what is held of its current
// chain, by name.
func (s *Store) Sites(ctx context.Context, v center.Viewer) (out []center.SiteState, err error) {
	var c clause
	c.within("coalesce(g.region, '')", v.Region)
	err = s.look(ctx, "read sites", func(t *tx) error {
		out = nil
		return t.each(ctx, `SELECT n.site, coalesce(g.region, ''), c.chain, coalesce(c.seq, 0), coalesce(c.last_time, 0),
				coalesce((SELECT max(heard) FROM chain WHERE site = n.site), 0),
				(SELECT count(*) FROM (SELECT 1 FROM ledger WHERE chain = c.id AND seq > c.seq LIMIT 10000) AS beyond),
				coalesce(st.online, 0), (SELECT count(*) FROM opaque WHERE site = n.site), coalesce((SELECT CAST(sum(count) AS BIGINT) FROM alarm WHERE site = n.site), 0)
			FROM (SELECT site FROM chain UNION SELECT site FROM status UNION SELECT site FROM site_region) AS n
			LEFT JOIN chain c ON c.id = (SELECT max(id) FROM chain WHERE site = n.site)
			LEFT JOIN status st ON st.site = n.site
			LEFT JOIN site_region g ON g.site = n.site`+c.where()+` ORDER BY n.site`, func(scan func(...any) error) error {
			var x center.SiteState
			if err := scan(&x.Site, &x.Region, chainID{&x.Chain}, &x.Seq, &x.LastTime, &x.Heard, &x.Behind, &x.Online, &x.Unread, &x.Alarms); err != nil {
				return err
			}
			out = append(out, x)
			return nil
		}, c.args...)
	})
	return out, err
}

// SetRegions says in which region each site lies. Matters that are opened from now on carry it; sites that are
// not named lie in none.
func (s *Store) SetRegions(ctx context.Context, regions map[wim.SiteID]center.Region) error {
	for site, r := range regions {
		if err := errors.Join(site.Valid(), r.Valid()); err != nil {
			return fmt.Errorf("%w: %w", ErrRefused, err)
		}
	}
	return s.transact(ctx, "set regions", func(t *tx) error {
		// In order of name and without a moment of emptiness: several centres start side by side.
		names := slices.Sorted(maps.Keys(regions))
		for _, site := range names {
			if err := t.run(ctx, `INSERT INTO site_region (site, region) VALUES (?, ?) ON CONFLICT (site) DO UPDATE SET region = excluded.region`, string(site), string(regions[site])); err != nil {
				return err
			}
		}
		var gone []string
		err := t.each(ctx, `SELECT site FROM site_region ORDER BY site`, func(scan func(...any) error) error {
			var site wim.SiteID
			if err := scan(&site); err != nil {
				return err
			}
			if _, ok := regions[site]; !ok {
				gone = append(gone, string(site))
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, site := range gone {
			if err := t.run(ctx, `DELETE FROM site_region WHERE site = ?`, site); err != nil {
				return err
			}
		}
		return nil
	})
}
