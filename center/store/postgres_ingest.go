package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/axlegate/axlegate/wim"
)

// Statements of a batch. Rows of chain are locked in the order of their ids, so that two batches never wait
// for each other in a circle.
const (
	lockHeads = `SELECT k.n, c.id, c.seq, c.digest, c.last_time, c.fork_seq, c.fork_held, c.fork_sent
		FROM unnest(?::text[], ?::bytea[]) WITH ORDINALITY AS k (site, chain, n)
		JOIN chain c ON c.site = k.site AND c.chain = k.chain ORDER BY c.id FOR UPDATE OF c`
	addChains = `INSERT INTO chain (site, chain, seq, digest, last_time, heard, fork_seq, fork_held, fork_sent)
		SELECT k.site, k.chain, 0, ?::bytea, 0, ?::bigint, 0, ?::bytea, ?::bytea FROM unnest(?::text[], ?::bytea[]) WITH ORDINALITY AS k (site, chain, n)
		ORDER BY k.site, k.chain ON CONFLICT (site, chain) DO NOTHING`
	readTops = `SELECT k.n, coalesce((SELECT l.seq FROM ledger l WHERE l.chain = k.id ORDER BY l.seq DESC LIMIT 1), 0)
		FROM unnest(?::bigint[]) WITH ORDINALITY AS k (id, n)`
	readOverlap = `SELECT k.n, l.seq, l.digest FROM unnest(?::bigint[], ?::bigint[], ?::bigint[]) WITH ORDINALITY AS k (id, a, b, n)
		CROSS JOIN LATERAL (SELECT seq, digest FROM ledger WHERE chain = k.id AND seq BETWEEN k.a AND k.b ORDER BY seq LIMIT k.b - k.a + 1) AS l`
	moveHeads = `UPDATE chain AS c SET seq = k.seq, digest = k.digest, last_time = k.time, heard = ?::bigint
		FROM unnest(?::bigint[], ?::bigint[], ?::bytea[], ?::bigint[]) AS k (id, seq, digest, time) WHERE c.id = k.id`
)

func (s *Store) openChainsTogether(ctx context.Context, t *tx, chains []*chainState) error {
	read, err := lockChains(ctx, t, chains)
	if err != nil {
		return err
	}
	if read < len(chains) {
		zero := make([]byte, wim.DigestSize)
		var sites []string
		var ids [][]byte
		for _, c := range chains {
			if c.id == 0 {
				sites, ids = append(sites, string(c.site)), append(ids, c.chain[:])
			}
		}
		if err := t.run(ctx, addChains, zero, int64(s.now()), zero, zero, sites, ids); err != nil {
			return err
		}
		if read, err = lockChains(ctx, t, chains); err != nil {
			return err
		}
		if read < len(chains) {
			return fmt.Errorf("%d of %d chains are not there after they were added", len(chains)-read, len(chains))
		}
	}
	// A statement of its own, sent once the rows are held: what others stored until then is seen.
	ids := make([]int64, len(chains))
	for i, c := range chains {
		ids[i] = c.id
	}
	return t.each(ctx, readTops, func(scan func(...any) error) error {
		var n int
		var top uint64
		if err := scan(&n, &top); err != nil {
			return err
		}
		chains[n-1].top = top
		return nil
	}, ids)
}

func lockChains(ctx context.Context, t *tx, chains []*chainState) (read int, err error) {
	sites, ids := make([]string, len(chains)), make([][]byte, len(chains))
	for i, c := range chains {
		sites[i], ids[i] = string(c.site), c.chain[:]
	}
	err = t.each(ctx, lockHeads, func(scan func(...any) error) error {
		var n int
		var h head
		if err := scan(append([]any{&n}, h.into()...)...); err != nil {
			return err
		}
		chains[n-1].head = h
		read++
		return nil
	}, sites, ids)
	return read, err
}

func (s *Store) readHeldTogether(ctx context.Context, t *tx, b *batch, segs []Segment, overlap []int) error {
	ids, from, to := make([]int64, len(overlap)), make([]int64, len(overlap)), make([]int64, len(overlap))
	for k, i := range overlap {
		rs := segs[i].Records
		ids[k], from[k], to[k] = b.of[i].id, int64(rs[0].Seq), int64(rs[len(rs)-1].Seq)
	}
	return t.each(ctx, readOverlap, func(scan func(...any) error) error {
		var n int
		var seq uint64
		var d wim.Digest
		if err := scan(&n, &seq, digest{&d}); err != nil {
			return err
		}
		b.of[overlap[n-1]].held[seq] = d
		return nil
	}, ids, from, to)
}

// writeTogether copies a batch in. The ledger comes first: its primary key decides, should anybody else have
// stored one of the names; and intake numbers, for which batches queue, are taken as late as can be.
func (s *Store) writeTogether(ctx context.Context, t *tx, b *batch) error {
	if len(b.records) > 0 {
		if err := t.copyIn(ctx, "ledger", []string{"chain", "seq", "digest"}, len(b.records), func(i int) []any {
			r := &b.records[i]
			return []any{r.chain.id, int64(r.rec.Seq), r.rec.Digest[:]}
		}); err != nil {
			return err
		}
	}
	var ids, seqs, times []int64
	var digests [][]byte
	for _, c := range b.chains {
		if c.moved {
			ids, seqs, digests, times = append(ids, c.id), append(seqs, int64(c.seq)), append(digests, c.digest[:]), append(times, int64(c.time))
		}
	}
	if len(ids) > 0 {
		if err := t.run(ctx, moveHeads, int64(s.now()), ids, seqs, digests, times); err != nil {
			return err
		}
	}
	if len(b.records) == 0 {
		return nil
	}
	if err := s.number(ctx, t, b); err != nil {
		return err
	}
	now := int64(s.now())
	if err := t.copyIn(ctx, "segment", []string{"id", "chain", "key", "jws", "received"}, len(b.segments), func(i int) []any {
		g := &b.segments[i]
		return []any{g.id, g.chain.id, g.seg.Key, g.seg.JWS, now}
	}); err != nil {
		return err
	}
	return t.copyIn(ctx, "record", []string{"intake", "chain", "seq", "digest", "prev", "kind", "time", "segment", "raw"}, len(b.records), func(i int) []any {
		r := &b.records[i]
		return []any{r.intake, r.chain.id, int64(r.rec.Seq), r.rec.Digest[:], r.rec.Prev[:], clean(string(r.rec.Kind)), int64(r.rec.Time), r.segment, r.rec.Raw}
	})
}

// copyIn writes n rows by COPY, inside the transaction.
func (t *tx) copyIn(ctx context.Context, table string, columns []string, n int, row func(i int) []any) error {
	return t.conn.Raw(func(driver any) error {
		c, ok := driver.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("copy into %s: the connection is a %T", table, driver)
		}
		_, err := c.Conn().CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromSlice(n, func(i int) ([]any, error) { return row(i), nil }))
		return err
	})
}
