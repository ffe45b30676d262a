package store

import (
	"context"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// Unread gives up to limit reviewed records of kinds and formats that the build which reviewed them did not know, of
// those that known says can be read now.
func (s *Store) Unread(ctx context.Context, known func(kind wim.RecordKind, format int) bool, limit int) (out []center.Received, err error) {
	type form struct {
		kind   wim.RecordKind
		format int
	}
	err = s.look(ctx, "read what was kept unread", func(t *tx) error {
		out = nil
		var now []form
		err := t.each(ctx, `SELECT DISTINCT kind, format FROM opaque`, func(scan func(...any) error) error {
			var f form
			if err := scan(&f.kind, &f.format); err != nil {
				return err
			}
			if known(f.kind, f.format) {
				now = append(now, f)
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, f := range now {
			err := t.each(ctx, receivedColumns+` JOIN opaque o ON o.intake = r.intake WHERE o.kind = ? AND o.format = ? ORDER BY o.intake LIMIT ?`,
				func(scan func(...any) error) error {
					r, err := scanReceived(scan)
					if err != nil {
						return err
					}
					out = append(out, r)
					return nil
				}, string(f.kind), f.format, limit-len(out))
			if err != nil || len(out) == limit {
				return err
			}
		}
		return nil
	})
	return out, err
}
