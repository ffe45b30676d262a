package store

import (
	"context"
	"strings"
)

const (
	areReviewed = `SELECT k.intake, EXISTS (SELECT 1 FROM account a WHERE a.intake = k.intake), EXISTS (SELECT 1 FROM waiting w WHERE w.intake = k.intake),
			EXISTS (SELECT 1 FROM opaque o WHERE o.intake = k.intake)
		FROM unnest(?::bigint[]) AS k (intake)`
	wakeAll = `UPDATE waiting AS w SET ready = 1 FROM unnest(?::text[], ?::bytea[], ?::bigint[]) AS k (site, chain, seq)
		WHERE w.site = k.site AND w.chain = k.chain AND w.seq = k.seq`
)

func (s *Store) addPassagesTogether(ctx context.Context, t *tx, rows []passageRow) error {
	values := make([][]any, len(rows))
	for i := range rows {
		var err error
		if values[i], err = bind(accountRow(rows[i].r, &rows[i].a, rows[i].r.Intake)); err != nil {
			return err
		}
	}
	if err := t.copyIn(ctx, "account", strings.Split(accountColumns, ", "), len(rows), func(i int) []any { return values[i] }); err != nil {
		return err
	}
	sites, chains, seqs := make([]string, len(rows)), make([][]byte, len(rows)), make([]int64, len(rows))
	for i := range rows {
		ref := &rows[i].r.Ref
		sites[i], chains[i], seqs[i] = string(ref.Site), ref.Chain[:], int64(ref.Seq)
	}
	return t.run(ctx, wakeAll, sites, chains, seqs)
}
