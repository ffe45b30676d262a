package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

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

// SetStatus notes whether a site is online, from the payload of its retained status message. Sites repeat it;
// what changes nothing writes nothing.
func (s *Store) SetStatus(ctx context.Context, site wim.SiteID, payload []byte) error {
	if err := site.Valid(); err != nil {
		return fmt.Errorf("%w: status: %w", ErrRefused, err)
	}
	var p struct {
		State string `json:"state"`
	}
	if err := json.Unmarshal(payload, &p); err != nil || p.State == "" {
		return fmt.Errorf("%w: status of %s is not one", ErrRefused, site)
	}
	return s.transact(ctx, "set status", func(t *tx) error {
		return t.run(ctx, `INSERT INTO status (site, online, at) VALUES (?, ?, ?) ON CONFLICT (site) DO UPDATE SET online = excluded.online, at = excluded.at WHERE status.online <> excluded.online`,
			string(site), p.State == "online", int64(s.now()))
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
				coalesce(st.online, 0), coalesce((SELECT CAST(sum(count) AS BIGINT) FROM alarm WHERE site = n.site), 0)
			FROM (SELECT site FROM chain UNION SELECT site FROM status UNION SELECT site FROM site_region) AS n
			LEFT JOIN chain c ON c.id = (SELECT max(id) FROM chain WHERE site = n.site)
			LEFT JOIN status st ON st.site = n.site
			LEFT JOIN site_region g ON g.site = n.site`+c.where()+` ORDER BY n.site`, func(scan func(...any) error) error {
			var x center.SiteState
			if err := scan(&x.Site, &x.Region, chainID{&x.Chain}, &x.Seq, &x.LastTime, &x.Heard, &x.Behind, &x.Online, &x.Alarms); err != nil {
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
