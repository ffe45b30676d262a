package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// Segment is a run of consecutive records whose signature, digests and links its caller has verified.
type Segment struct {
	Site    wim.SiteID
	Chain   wim.ChainID
	Key     string // id of the key under which the signature held
	JWS     string // the signature itself, kept so that a record can be proven years later
	Records []Stored
	// Rotation and Ending are what the segment does to the site's keys; nil for nothing, as nearly all.
	Rotation *Rotation
	Ending   *Ending
}

// Stored is one record of a segment with what names and links it.
type Stored struct {
	Seq    uint64
	Digest wim.Digest
	Prev   wim.Digest
	Kind   wim.RecordKind
	Time   wim.Time
	Raw    []byte
}

// Result is what the store holds of a chain after a segment: everything up to Seq, durably.
type Result struct {
	Seq        uint64
	Digest     wim.Digest // of record Seq, zero when Seq is 0
	Epoch      uint64
	Fresh      int   // records stored now
	Duplicates int   // records that were held already
	Fork       *Fork // set when the chain holds other records than its site has: the site must leave it
}

// Fork says that at Seq the store holds a record with digest Held and was sent, or was linked to, another.
type Fork struct {
	Seq        uint64
	Held, Sent wim.Digest
}

// head is a chain as the table has it.
type head struct {
	id     int64
	seq    uint64
	digest wim.Digest
	time   wim.Time
	fork   Fork // Seq 0 for none
}

// StoreSegment is StoreSegments for one.
func (s *Store) StoreSegment(ctx context.Context, seg Segment) (Result, error) {
	res, err := s.StoreSegments(ctx, []Segment{seg})
	if err != nil {
		return Result{}, err
	}
	return res[0], nil
}

// StoreSegments stores what is new of segments, of any sites, in one synced transaction and returns for each
// how far its chain is now held without a hole. A segment may come before the ones it follows: links are
// checked when the hole closes, and a head never moves past a link that does not hold. It may be repeated at
// will. It stores all or nothing: one that does not Fit refuses them all (ErrRefused), so ask before.
//
// Whatever the number of segments, a fixed few statements go to PostgreSQL, and what they cost does not grow
// with the store.
func (s *Store) StoreSegments(ctx context.Context, segs []Segment) ([]Result, error) {
	for i := range segs {
		if err := segs[i].Fit(); err != nil {
			return nil, fmt.Errorf("%s, chain %s: %w", segs[i].Site, segs[i].Chain, err)
		}
	}
	if len(segs) == 0 {
		return nil, nil
	}
	if err := s.makeMonths(ctx); err != nil {
		return nil, err
	}
	var b *batch
	err := s.transact(ctx, "store segments", func(t *tx) (err error) {
		b, err = s.storeBatch(ctx, t, segs)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.epoch.Store(b.epoch)
	if len(b.records) > 0 {
		s.stored.give()
		s.announce(recordsStored)
	}
	for i := range segs {
		if segs[i].Rotation != nil || segs[i].Ending != nil {
			s.gaveKeys()
			break
		}
	}
	return b.results, nil
}

// Fit tells whether a segment could be stored at all: it has records, consecutive, with numbers that the
// store can hold. Its error is ErrRefused.
func (seg *Segment) Fit() error {
	if len(seg.Records) == 0 {
		return fmt.Errorf("%w: a segment without records", ErrRefused)
	}
	for _, text := range []string{string(seg.Site), seg.Key, seg.JWS} {
		if _, err := bind([]any{text}); err != nil {
			return err
		}
	}
	for i := range seg.Records {
		r := &seg.Records[i]
		if r.Seq == 0 || r.Seq > math.MaxInt64 || r.Seq != seg.Records[0].Seq+uint64(i) {
			return fmt.Errorf("%w: record %d of a segment from %d has sequence %d", ErrRefused, i, seg.Records[0].Seq, r.Seq)
		}
	}
	return nil
}

// link is what the next record of a chain is checked against.
type link struct {
	digest, prev wim.Digest
	time         wim.Time
}

// chainState is a chain while a batch is stored. Its row is held.
type chainState struct {
	head
	site  wim.SiteID
	chain wim.ChainID
	top   uint64                // the highest sequence that was held before, beyond a hole or not
	held  map[uint64]wim.Digest // what the batch overlaps, and what it has added
	fresh map[uint64]link       // what the batch has added
	moved bool
}

// row is a record about to be written.
type row struct {
	intake, segment int64
	chain           *chainState
	rec             *Stored
}

// batch is the work of one StoreSegments.
type batch struct {
	epoch    uint64
	results  []Result
	chains   []*chainState // each once
	of       []*chainState // by segment
	segments []segmentRow
	records  []row
}

type segmentRow struct {
	id    int64
	chain *chainState
	seg   *Segment
}

func (s *Store) storeBatch(ctx context.Context, t *tx, segs []Segment) (*batch, error) {
	b := &batch{results: make([]Result, len(segs)), of: make([]*chainState, len(segs))}
	var err error
	if b.epoch, err = s.epochIn(ctx, t); err != nil {
		return nil, err
	}
	type name struct {
		site  wim.SiteID
		chain wim.ChainID
	}
	byName := map[name]*chainState{}
	for i := range segs {
		n := name{segs[i].Site, segs[i].Chain}
		if byName[n] == nil {
			byName[n] = &chainState{site: n.site, chain: n.chain, held: map[uint64]wim.Digest{}, fresh: map[uint64]link{}}
			b.chains = append(b.chains, byName[n])
		}
		b.of[i] = byName[n]
	}
	if err := s.openChains(ctx, t, b); err != nil {
		return nil, err
	}
	if err := s.readHeld(ctx, t, b, segs); err != nil {
		return nil, err
	}
	for i := range segs {
		if err := s.storeSegment(ctx, t, b, i, &segs[i]); err != nil {
			return nil, fmt.Errorf("%s, chain %s, from %d: %w", segs[i].Site, segs[i].Chain, segs[i].Records[0].Seq, err)
		}
	}
	return b, s.writeBatch(ctx, t, b)
}

// storeSegment works out what one segment adds, after those before it in its batch. Only what is out of the
// ordinary is written here.
func (s *Store) storeSegment(ctx context.Context, t *tx, b *batch, i int, seg *Segment) error {
	c, res := b.of[i], &b.results[i]
	var forks []*Stored
	rotates := false
	for k := range seg.Records {
		r := &seg.Records[k]
		switch d, ok := c.held[r.Seq]; {
		case !ok:
			rotates = rotates || seg.Rotation != nil && seg.Rotation.Seq == r.Seq
			c.held[r.Seq], c.fresh[r.Seq] = r.Digest, link{digest: r.Digest, prev: r.Prev, time: r.Time}
			b.records = append(b.records, row{segment: int64(len(b.segments)), chain: c, rec: r})
			res.Fresh++
		case d == r.Digest:
			res.Duplicates++
		default:
			forks = append(forks, r)
		}
	}
	if res.Fresh > 0 {
		b.segments = append(b.segments, segmentRow{chain: c, seg: seg})
	}
	if err := s.addForks(ctx, t, c, seg, forks); err != nil {
		return err
	}
	if seg.Rotation != nil || seg.Ending != nil {
		if err := s.rotate(ctx, t, seg, rotates); err != nil {
			return err
		}
	}
	if res.Fresh > 0 {
		if err := s.advance(ctx, t, c); err != nil {
			return err
		}
	}
	res.Seq, res.Digest, res.Epoch = c.seq, c.digest, b.epoch
	if c.fork.Seq != 0 {
		f := c.fork
		res.Fork = &f
	}
	return nil
}

// addForks keeps records whose name is taken.
func (s *Store) addForks(ctx context.Context, t *tx, c *chainState, seg *Segment, forks []*Stored) error {
	for _, r := range forks {
		if err := t.run(ctx, `INSERT INTO fork (chain, seq, digest, key, jws, raw, received) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (chain, seq, digest) DO NOTHING`,
			c.id, int64(r.Seq), r.Digest[:], seg.Key, seg.JWS, r.Raw, int64(s.now())); err != nil {
			return err
		}
	}
	if len(forks) == 0 {
		return nil
	}
	first := forks[0]
	return s.markFork(ctx, t, c, center.AlarmFork, Fork{Seq: first.Seq, Held: c.held[first.Seq], Sent: first.Digest})
}

// markFork notes the first fork of a chain and raises an alarm for it; later ones add nothing to it.
func (s *Store) markFork(ctx context.Context, t *tx, c *chainState, kind center.AlarmKind, f Fork) error {
	if c.fork.Seq != 0 {
		return nil
	}
	c.fork = f
	if err := t.run(ctx, `UPDATE chain SET fork_seq = ?, fork_held = ?, fork_sent = ? WHERE id = ?`, int64(f.Seq), f.Held[:], f.Sent[:], c.id); err != nil {
		return err
	}
	return s.raiseAlarm(ctx, t, center.Alarm{
		Kind: kind, Site: c.site, Subject: fmt.Sprintf("chain %s, record %d", c.chain, f.Seq),
		Detail: fmt.Sprintf("held %s, sent %s; two daemons may use one name, or a site's disk was restored", f.Held.Short(), f.Sent.Short()),
	})
}

// advance moves the head over what is contiguous and linked: over what the batch has added so far, and over
// what was held beyond a hole that it closes.
func (s *Store) advance(ctx context.Context, t *tx, c *chainState) error {
	c.moved = true // heard of, at least
	for step := uint64(1); ; step = min(step*16, 1024) {
		if broken := c.walk(); broken != nil {
			return s.markFork(ctx, t, c, center.AlarmLink, *broken)
		}
		if c.top <= c.seq {
			return nil
		}
		if err := c.readLinks(ctx, t, step); err != nil {
			return err
		}
		if _, closed := c.fresh[c.seq+1]; !closed {
			return nil
		}
	}
}

// walk moves the head over the links that are known. It returns the one that does not hold, if it comes to it.
func (c *chainState) walk() *Fork {
	for {
		l, ok := c.fresh[c.seq+1]
		if !ok {
			return nil
		}
		if l.prev != c.digest {
			// The sequence is the one that two records claim to know: the head is held, prev was meant.
			return &Fork{Seq: max(c.seq, 1), Held: c.digest, Sent: l.prev}
		}
		delete(c.fresh, c.seq+1)
		c.seq, c.digest, c.time = c.seq+1, l.digest, l.time
	}
}

// readLinks reads up to so many links that follow the head and were held before.
func (c *chainState) readLinks(ctx context.Context, t *tx, most uint64) error {
	return t.each(ctx, linksAfter, func(scan func(...any) error) error {
		var seq uint64
		var l link
		if err := scan(&seq, digest{&l.digest}, digest{&l.prev}, &l.time); err != nil {
			return err
		}
		c.fresh[seq] = l
		return nil
	}, c.id, int64(c.seq), int64(c.seq+most))
}

func (h *head) into() []any {
	return []any{&h.id, &h.seq, digest{&h.digest}, &h.time, &h.fork.Seq, digest{&h.fork.Held}, digest{&h.fork.Sent}}
}

// openChains reads the heads of a batch's chains and holds their rows, making what is not there.
func (s *Store) openChains(ctx context.Context, t *tx, b *batch) error {
	if s.dialect == postgresDialect {
		return s.openChainsTogether(ctx, t, b.chains)
	}
	zero := make([]byte, wim.DigestSize)
	for _, c := range b.chains {
		err := t.row(ctx, findChain, string(c.site), c.chain[:]).Scan(c.into()...)
		if errors.Is(err, sql.ErrNoRows) {
			err = t.row(ctx, `INSERT INTO chain (site, chain, seq, digest, last_time, heard, fork_seq, fork_held, fork_sent)
				VALUES (?, ?, 0, ?, 0, ?, 0, ?, ?) RETURNING id`, string(c.site), c.chain[:], zero, int64(s.now()), zero, zero).Scan(&c.id)
		}
		if err == nil {
			err = t.row(ctx, topOf, c.id).Scan(&c.top)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readHeld reads the digests that are held under the names that a batch brings.
func (s *Store) readHeld(ctx context.Context, t *tx, b *batch, segs []Segment) error {
	var overlap []int
	for i := range segs {
		if segs[i].Records[0].Seq <= b.of[i].top {
			overlap = append(overlap, i)
		}
	}
	if len(overlap) == 0 {
		return nil
	}
	if s.dialect == postgresDialect {
		return s.readHeldTogether(ctx, t, b, segs, overlap)
	}
	for _, i := range overlap {
		c, rs := b.of[i], segs[i].Records
		err := t.each(ctx, heldBetween, func(scan func(...any) error) error {
			var seq uint64
			var d wim.Digest
			if err := scan(&seq, digest{&d}); err != nil {
				return err
			}
			c.held[seq] = d
			return nil
		}, c.id, int64(rs[0].Seq), int64(rs[len(rs)-1].Seq))
		if err != nil {
			return err
		}
	}
	return nil
}

// writeBatch writes what a batch adds: ledger, segments and records under new intake numbers, and heads.
func (s *Store) writeBatch(ctx context.Context, t *tx, b *batch) error {
	if s.dialect == postgresDialect {
		return s.writeTogether(ctx, t, b)
	}
	if err := s.number(ctx, t, b); err != nil {
		return err
	}
	now := int64(s.now())
	for _, g := range b.segments {
		if err := t.run(ctx, insertSeg, g.id, g.chain.id, g.seg.Key, g.seg.JWS, now); err != nil {
			return err
		}
	}
	for _, r := range b.records {
		if err := t.run(ctx, insertLedger, r.chain.id, int64(r.rec.Seq), r.rec.Digest[:]); err != nil {
			return err
		}
		if err := t.run(ctx, insertRecord, r.intake, r.chain.id, int64(r.rec.Seq), r.rec.Digest[:], r.rec.Prev[:], clean(string(r.rec.Kind)),
			int64(r.rec.Time), r.segment, r.rec.Raw); err != nil {
			return err
		}
	}
	for _, c := range b.chains {
		if !c.moved {
			continue
		}
		if err := t.run(ctx, moveHead, int64(c.seq), c.digest[:], int64(c.time), now, c.id); err != nil {
			return err
		}
	}
	return nil
}

// number gives a batch's records their intake numbers and its segments their ids. Nobody else takes numbers
// until the transaction has ended, so that they become visible in their order.
func (s *Store) number(ctx context.Context, t *tx, b *batch) error {
	if len(b.records) == 0 {
		return nil
	}
	base := firstOf(monthOf(s.now()))
	var last int64
	if err := t.row(ctx, takeIntake, base, base, len(b.records)).Scan(&last); err != nil {
		return err
	}
	n := last - int64(len(b.records))
	for i := range b.records {
		r := &b.records[i]
		n++
		r.intake = n
		g := &b.segments[r.segment]
		if g.id == 0 {
			g.id = n
		}
		r.segment = g.id
	}
	return nil
}
