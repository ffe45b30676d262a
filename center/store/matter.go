package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// File returns all that the page of a matter shows. A matter that the viewer may not see is center.ErrNotFound.
func (s *Store) File(ctx context.Context, v center.Viewer, matter int64) (f center.File, err error) {
	err = s.look(ctx, "read matter", func(t *tx) error {
		f = center.File{}
		d, passage, err := readDocketNow(ctx, t, matter)
		if errors.Is(err, sql.ErrNoRows) || err == nil && !v.Sees(d.Matter.Region, d.Alerts) {
			return center.ErrNotFound
		}
		if err != nil {
			return err
		}
		j, k, err := readJourney(ctx, t, passage)
		if err != nil {
			return err
		}
		f.Docket, f.Pruned = d, k.pruned
		if f.Accounts, err = readAccounts(ctx, t, passage); err != nil {
			return err
		}
		if len(f.Accounts) > 0 {
			f.Docket.Matter.Opening = f.Accounts[0].Ref
		}
		if f.Acts, err = readActs(ctx, t, matter); err != nil {
			return err
		}
		if f.Linked, err = readLinked(ctx, t, passage); err != nil {
			return err
		}
		own := f.Alerts[0]
		if a, ok := f.Own(v.Competence); ok {
			own = *a
		}
		if k.pruned {
			f.Entry = center.Entry{Alert: own, Matter: f.Docket.Matter, Key: k.key, Rejudged: k.rejudged}
		} else {
			f.Entry = entryOf(j, k, own)
			order(&f, j)
		}
		f.Entry.Matter = f.Docket.Matter
		return nil
	})
	if err != nil {
		return center.File{}, fmt.Errorf("matter %d: %w", matter, err)
	}
	return f, nil
}

// order puts the accounts in the order in which the site wrote them.
func order(f *center.File, j *center.Journey) {
	at := map[wim.RecordRef]center.AccountHead{}
	for _, a := range f.Accounts {
		at[a.Ref] = a
	}
	f.Accounts = f.Accounts[:0]
	for _, a := range j.Ordered() {
		h := at[a.Ref]
		h.Time, h.Reads = a.Time, a.Reads
		f.Accounts = append(f.Accounts, h)
	}
}

// readAccounts names the sealed records of a journey, the passage first.
func readAccounts(ctx context.Context, t *tx, passage int64) (out []center.AccountHead, err error) {
	err = t.each(ctx, `SELECT c.site, c.chain, r.seq, r.digest, r.time, s.received, s.key, a.rejudged FROM account a JOIN record r ON r.intake = a.intake
		JOIN chain c ON c.id = r.chain JOIN segment s ON s.id = r.segment WHERE a.passage = ? ORDER BY a.supplement, a.intake`, func(scan func(...any) error) error {
		var h center.AccountHead
		if err := scan(&h.Ref.Site, chainID{&h.Ref.Chain}, &h.Ref.Seq, digest{&h.Ref.Digest}, &h.Time, &h.Received, &h.Key, &h.Rejudged); err != nil {
			return err
		}
		out = append(out, h)
		return nil
	}, passage)
	return out, err
}
