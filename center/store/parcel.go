package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

const parcelColumns = `p.digest, p.kind, p.name, p.version, p.size, p.added, p.login`

func parcelInto(p *center.Parcel) []any {
	return []any{digest{&p.Digest}, &p.Kind, &p.Name, &p.Version, &p.Size, &p.Added, &p.By}
}

// PutParcel keeps a parcel's bytes, which the caller has checked by loading them. The same bytes again give the
// parcel that is there; under another kind or name that is ErrRefused.
func (s *Store) PutParcel(ctx context.Context, v center.Viewer, p center.Parcel, bytes []byte) (center.Parcel, error) {
	p.Digest, p.Size, p.Added, p.By = wim.DigestOf(bytes), int64(len(bytes)), s.now(), v.Login
	if !v.Manages() {
		return center.Parcel{}, center.ErrNotYours
	}
	if err := p.Valid(); err != nil {
		return center.Parcel{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	held := p
	err := s.transact(ctx, "put parcel", func(t *tx) error {
		held = p
		n, err := t.count(ctx, `INSERT INTO parcel (digest, kind, name, version, size, added, login, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING`,
			p.Digest[:], string(p.Kind), p.Name, p.Version, p.Size, int64(p.Added), p.By, bytes)
		if err != nil {
			return err
		}
		if n == 0 {
			if err := t.row(ctx, `SELECT `+parcelColumns+` FROM parcel p WHERE p.digest = ?`, p.Digest[:]).Scan(parcelInto(&held)...); err != nil {
				return err
			}
			if held.Kind != p.Kind || held.Name != p.Name || held.Version != p.Version {
				return fmt.Errorf("%w: the same bytes are here already as %s %q, version %q", ErrRefused, held.Kind, held.Name, held.Version)
			}
			return nil
		}
		return s.trace(ctx, t, center.Trace{Login: v.Login, Action: "put-parcel", Subject: string(p.Kind) + " " + p.Name,
			Detail: fmt.Sprintf("version %q, %d bytes, digest %s", p.Version, p.Size, p.Digest)}, v.Region)
	})
	if err != nil {
		return center.Parcel{}, fmt.Errorf("parcel %s %q: %w", p.Kind, p.Name, err)
	}
	return held, nil
}

// Parcels lists what can be sent down, newest first, to who manages sites.
func (s *Store) Parcels(ctx context.Context, v center.Viewer) (out []center.Parcel, err error) {
	if !v.Manages() {
		return nil, center.ErrNotYours
	}
	err = s.look(ctx, "read parcels", func(t *tx) error {
		out = nil
		return t.each(ctx, `SELECT `+parcelColumns+` FROM parcel p ORDER BY p.added DESC, p.digest`, func(scan func(...any) error) error {
			var p center.Parcel
			if err := scan(parcelInto(&p)...); err != nil {
				return err
			}
			out = append(out, p)
			return nil
		})
	})
	return out, err
}

// NewestParcel is the one of a kind and name that was kept last; ok is false where there is none.
func (s *Store) NewestParcel(ctx context.Context, kind wim.PartKind, name string) (p center.Parcel, ok bool, err error) {
	err = s.look(ctx, "find a parcel", func(t *tx) error {
		return t.row(ctx, `SELECT `+parcelColumns+` FROM parcel p WHERE p.kind = ? AND p.name = ? ORDER BY p.added DESC, p.digest LIMIT 1`, string(kind), name).Scan(parcelInto(&p)...)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return center.Parcel{}, false, nil
	}
	return p, err == nil, err
}

// ParcelBytes gives a parcel's bytes to the centre itself; center.ErrNotFound for one that is not kept.
func (s *Store) ParcelBytes(ctx context.Context, d wim.Digest) (bytes []byte, err error) {
	err = s.look(ctx, "read a parcel", func(t *tx) error {
		return t.row(ctx, `SELECT bytes FROM parcel WHERE digest = ?`, d[:]).Scan(&bytes)
	})
	if errors.Is(err, sql.ErrNoRows) {
		err = center.ErrNotFound
	}
	return bytes, err
}

// Assign lets a site, or the sites of a region, work by a parcel from a time on, or withdraws it. Both must lie in the
// viewer's region; center.ErrNotYours otherwise, center.ErrNotFound for a parcel or site that is not known.
func (s *Store) Assign(ctx context.Context, v center.Viewer, a center.Assignment) (center.Assignment, error) {
	if !v.Manages() {
		return center.Assignment{}, center.ErrNotYours
	}
	a.At, a.By = s.now(), v.Login
	err := s.transact(ctx, "assign parcel", func(t *tx) error {
		in := a.Region
		if a.Site != "" {
			if err := t.row(ctx, `SELECT region FROM site_region WHERE site = ?`, string(a.Site)).Scan(&in); errors.Is(err, sql.ErrNoRows) {
				return fmt.Errorf("site %s: %w", a.Site, center.ErrNotFound)
			} else if err != nil {
				return err
			}
			a.Region = ""
		}
		if !v.Region.Holds(in) {
			return center.ErrNotYours
		}
		if err := t.row(ctx, `SELECT `+parcelColumns+` FROM parcel p WHERE p.digest = ?`, a.Parcel.Digest[:]).Scan(parcelInto(&a.Parcel)...); errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("parcel %s: %w", a.Parcel.Digest.Short(), center.ErrNotFound)
		} else if err != nil {
			return err
		}
		// Numbers must rise in the order in which they are decided on: one at a time.
		if _, err := t.next(ctx, "assignment", 1); err != nil {
			return err
		}
		if err := t.row(ctx, `INSERT INTO assignment (site, region, parcel, withdrawn, start, at, login) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id`,
			string(a.Site), string(a.Region), a.Parcel.Digest[:], a.Withdrawn, int64(a.From), int64(a.At), a.By).Scan(&a.ID); err != nil {
			return err
		}
		to := "all sites"
		switch {
		case a.Site != "":
			to = "site " + string(a.Site)
		case a.Region != "":
			to = "region " + string(a.Region)
		}
		action := "assign-parcel"
		if a.Withdrawn {
			action = "withdraw-parcel"
		}
		return s.trace(ctx, t, center.Trace{Login: v.Login, Action: action, Subject: to,
			Detail: fmt.Sprintf("%s %q, version %q, digest %s", a.Parcel.Kind, a.Parcel.Name, a.Parcel.Version, a.Parcel.Digest)}, in)
	})
	if err != nil {
		return center.Assignment{}, fmt.Errorf("assign: %w", err)
	}
	return a, nil
}

// Assignments lists those that touch the viewer's region, newest first.
func (s *Store) Assignments(ctx context.Context, v center.Viewer) (out []center.Assignment, err error) {
	if !v.Manages() {
		return nil, center.ErrNotYours
	}
	err = s.look(ctx, "read assignments", func(t *tx) error {
		regions, err := regionsOfSites(ctx, t)
		if err != nil {
			return err
		}
		all, err := assignments(ctx, t)
		if err != nil {
			return err
		}
		out = slices.DeleteFunc(all, func(a center.Assignment) bool {
			in := a.Region
			if a.Site != "" {
				in = regions[a.Site]
			}
			return !v.Region.Holds(in) && !in.Holds(v.Region)
		})
		slices.Reverse(out)
		return nil
	})
	return out, err
}

func assignments(ctx context.Context, t *tx) (out []center.Assignment, err error) {
	err = t.each(ctx, `SELECT a.id, a.site, a.region, a.withdrawn, a.start, a.at, a.login, `+parcelColumns+`
		FROM assignment a JOIN parcel p ON p.digest = a.parcel ORDER BY a.id`, func(scan func(...any) error) error {
		var a center.Assignment
		if err := scan(append([]any{&a.ID, &a.Site, &a.Region, &a.Withdrawn, &a.From, &a.At, &a.By}, parcelInto(&a.Parcel)...)...); err != nil {
			return err
		}
		out = append(out, a)
		return nil
	})
	return out, err
}

func regionsOfSites(ctx context.Context, t *tx) (map[wim.SiteID]center.Region, error) {
	out := map[wim.SiteID]center.Region{}
	err := t.each(ctx, `SELECT site, region FROM site_region`, func(scan func(...any) error) error {
		var site wim.SiteID
		var r center.Region
		if err := scan(&site, &r); err != nil {
			return err
		}
		out[site] = r
		return nil
	})
	return out, err
}

// wish is a line of a manifest as it is kept.
type wish struct {
	Digest wim.Digest `json:"digest"`
	From   wim.Time   `json:"from"`
}

// Manifest is what a site is wanted to work by now. The serial rises whenever that is something else than it was the
// last time it was asked for; it is 0 for a site that nothing was ever sent to.
func (s *Store) Manifest(ctx context.Context, site wim.SiteID) (serial uint64, wanted []center.Wish, err error) {
	err = s.transact(ctx, "make a manifest", func(t *tx) error {
		serial, wanted = 0, nil
		var region center.Region
		if err := t.row(ctx, `SELECT region FROM site_region WHERE site = ?`, string(site)).Scan(&region); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		all, err := assignments(ctx, t)
		if err != nil {
			return err
		}
		wanted = center.Wanted(all, site, region, s.now())
		lines := make([]wish, len(wanted))
		for i, w := range wanted {
			lines[i] = wish{w.Parcel.Digest, w.From}
		}
		text, err := json.Marshal(lines)
		if err != nil {
			return err
		}
		var held string
		err = t.row(ctx, `SELECT serial, wishes FROM manifest WHERE site = ? FOR UPDATE`, string(site)).Scan(&serial, &held)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if err == nil && held == string(text) || err != nil && len(wanted) == 0 {
			return nil
		}
		return t.row(ctx, `INSERT INTO manifest (site, serial, at, wishes) VALUES (?, 1, ?, ?)
			ON CONFLICT (site) DO UPDATE SET serial = manifest.serial + 1, at = excluded.at, wishes = excluded.wishes RETURNING serial`,
			string(site), int64(s.now()), string(text)).Scan(&serial)
	})
	if err != nil {
		return 0, nil, fmt.Errorf("manifest of %s: %w", site, err)
	}
	return serial, wanted, nil
}

// Assigned is the number of the newest assignment, 0 where there is none.
func (s *Store) Assigned(ctx context.Context) (id int64, err error) {
	err = s.look(ctx, "read assignments", func(t *tx) error {
		return t.row(ctx, `SELECT coalesce(max(id), 0) FROM assignment`).Scan(&id)
	})
	return id, err
}

// ParcelFor gives the bytes of a parcel to a site whose manifest names it; center.ErrNotFound otherwise.
func (s *Store) ParcelFor(ctx context.Context, site wim.SiteID, d wim.Digest) (bytes []byte, err error) {
	err = s.look(ctx, "read a parcel", func(t *tx) error {
		var text string
		if err := t.row(ctx, `SELECT wishes FROM manifest WHERE site = ?`, string(site)).Scan(&text); errors.Is(err, sql.ErrNoRows) {
			return center.ErrNotFound
		} else if err != nil {
			return err
		}
		var lines []wish
		if err := json.Unmarshal([]byte(text), &lines); err != nil {
			return errors.Join(ErrDamaged, err)
		}
		if !slices.ContainsFunc(lines, func(w wish) bool { return w.Digest == d }) {
			return center.ErrNotFound
		}
		return t.row(ctx, `SELECT bytes FROM parcel WHERE digest = ?`, d[:]).Scan(&bytes)
	})
	if err != nil {
		return nil, fmt.Errorf("parcel %s for %s: %w", d.Short(), site, err)
	}
	return bytes, nil
}

// configure takes note of what a site sealed about what it works by.
func (s *Store) configure(ctx context.Context, t *tx, r *center.Reviewed) error {
	body, err := json.Marshal(r.Record.Configuration)
	if err != nil {
		return err
	}
	return t.run(ctx, `INSERT INTO configured (intake, site, chain, seq, digest, time, body) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (intake) DO NOTHING`,
		r.Intake, string(r.Ref.Site), r.Ref.Chain[:], int64(r.Ref.Seq), r.Ref.Digest[:], int64(r.Record.Time), clean(string(body)))
}

// Configured lists the newest configuration records of a site in the viewer's region, oldest first.
func (s *Store) Configured(ctx context.Context, v center.Viewer, site wim.SiteID, limit int) (out []center.Configured, err error) {
	err = s.look(ctx, "read configurations", func(t *tx) error {
		out = nil
		if err := seesSite(ctx, t, v, site); err != nil {
			return err
		}
		out, err = configured(ctx, t, site, limit)
		return err
	})
	return out, err
}

func configured(ctx context.Context, t *tx, site wim.SiteID, limit int) (out []center.Configured, err error) {
	err = t.each(ctx, `SELECT intake, chain, seq, digest, time, body FROM configured WHERE site = ? ORDER BY intake DESC LIMIT ?`, func(scan func(...any) error) error {
		c := center.Configured{Site: site, Ref: wim.RecordRef{Site: site}}
		var body string
		if err := scan(&c.Intake, chainID{&c.Ref.Chain}, &c.Ref.Seq, digest{&c.Ref.Digest}, &c.Time, &body); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(body), &c.SiteConfiguration); err != nil {
			return errors.Join(ErrDamaged, err)
		}
		out = append(out, c)
		return nil
	}, string(site), limit)
	slices.Reverse(out)
	return out, err
}

func seesSite(ctx context.Context, t *tx, v center.Viewer, site wim.SiteID) error {
	var region center.Region
	err := t.row(ctx, `SELECT region FROM site_region WHERE site = ?`, string(site)).Scan(&region)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !v.Region.Holds(region) {
		return fmt.Errorf("site %s: %w", site, center.ErrNotFound)
	}
	return err
}

// deliveriesLookBack is how many of a site's configuration records tell what became of its manifest.
const deliveriesLookBack = 200

// Deliveries tells how far what a site is wanted to work by has come there, with the serial of its manifest.
func (s *Store) Deliveries(ctx context.Context, v center.Viewer, site wim.SiteID) (serial uint64, out []center.Delivery, err error) {
	err = s.look(ctx, "read deliveries", func(t *tx) error {
		serial, out = 0, nil
		if err := seesSite(ctx, t, v, site); err != nil {
			return err
		}
		var region center.Region
		if err := t.row(ctx, `SELECT region FROM site_region WHERE site = ?`, string(site)).Scan(&region); err != nil {
			return err
		}
		if err := t.row(ctx, `SELECT serial FROM manifest WHERE site = ?`, string(site)).Scan(&serial); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		all, err := assignments(ctx, t)
		if err != nil {
			return err
		}
		said, err := configured(ctx, t, site, deliveriesLookBack)
		if err != nil {
			return err
		}
		out = center.Deliveries(center.Wanted(all, site, region, s.now()), said)
		return nil
	})
	return serial, out, err
}
