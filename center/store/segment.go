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
func (s *Store) StoreSegments(ctx context.Context, segs []Segment) ([]Result, error) {
	for i := range segs {
		if err := segs[i].Fit(); err != nil {
			return nil, fmt.Errorf("%s, chain %s: %w", segs[i].Site, segs[i].Chain, err)
		}
	}
	if len(segs) == 0 {
		return nil, nil
	}
	var out []Result
	fresh := 0
	err := s.transact(ctx, "store segments", func(t *tx) error {
		out, fresh = make([]Result, len(segs)), 0
		for i := range segs {
			out[i].Epoch = s.epoch
			if err := s.storeSegment(ctx, t, &segs[i], &out[i]); err != nil {
				return fmt.Errorf("%s, chain %s, from %d: %w", segs[i].Site, segs[i].Chain, segs[i].Records[0].Seq, err)
			}
			fresh += out[i].Fresh
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if fresh > 0 {
		s.stored.give()
	}
	return out, nil
}

// Fit tells whether a segment could be stored at all: it has records, consecutive, with numbers that the
// store can hold. Its error is ErrRefused.
func (seg *Segment) Fit() error {
	if len(seg.Records) == 0 {
		return fmt.Errorf("%w: a segment without records", ErrRefused)
	}
	for i := range seg.Records {
		r := &seg.Records[i]
		if r.Seq == 0 || r.Seq > math.MaxInt64 || r.Seq != seg.Records[0].Seq+uint64(i) {
			return fmt.Errorf("%w: record %d of a segment from %d has sequence %d", ErrRefused, i, seg.Records[0].Seq, r.Seq)
		}
	}
	return nil
}

func (s *Store) storeSegment(ctx context.Context, t *tx, seg *Segment, res *Result) error {
	h, err := s.openChain(ctx, t, seg)
	if err != nil {
		return err
	}
	held, err := heldDigests(ctx, t, h.id, seg.Records[0].Seq, seg.Records[len(seg.Records)-1].Seq)
	if err != nil {
		return err
	}
	var fresh, forks []*Stored
	for i := range seg.Records {
		r := &seg.Records[i]
		switch d, ok := held[r.Seq]; {
		case !ok:
			fresh = append(fresh, r)
		case d == r.Digest:
			res.Duplicates++
		default:
			forks = append(forks, r)
		}
	}
	res.Fresh = len(fresh)
	if err := s.addRecords(ctx, t, h.id, seg, fresh); err != nil {
		return err
	}
	if err := s.addForks(ctx, t, &h, seg, forks, held); err != nil {
		return err
	}
	if len(fresh) > 0 {
		if err := s.advance(ctx, t, seg, &h); err != nil {
			return err
		}
	}
	res.Seq, res.Digest = h.seq, h.digest
	if h.fork.Seq != 0 {
		f := h.fork
		res.Fork = &f
	}
	return nil
}

func (s *Store) openChain(ctx context.Context, t *tx, seg *Segment) (head, error) {
	h, err := readHead(ctx, t, seg.Site, seg.Chain)
	if err == nil || !errors.Is(err, sql.ErrNoRows) {
		return h, err
	}
	zero := make([]byte, wim.DigestSize)
	h = head{}
	err = t.row(ctx, `INSERT INTO chain (site, chain, seq, digest, last_time, heard, fork_seq, fork_held, fork_sent)
		VALUES (?, ?, 0, ?, 0, ?, 0, ?, ?) RETURNING id`, string(seg.Site), seg.Chain[:], zero, int64(s.now()), zero, zero).Scan(&h.id)
	return h, err
}

func readHead(ctx context.Context, t *tx, site wim.SiteID, chain wim.ChainID) (h head, err error) {
	err = t.row(ctx, findChain, string(site), chain[:]).Scan(&h.id, &h.seq, digest{&h.digest}, &h.time, &h.fork.Seq, digest{&h.fork.Held}, digest{&h.fork.Sent})
	return h, err
}

func heldDigests(ctx context.Context, t *tx, chain int64, from, to uint64) (map[uint64]wim.Digest, error) {
	held := map[uint64]wim.Digest{}
	err := t.each(ctx, heldBetween, func(scan func(...any) error) error {
		var seq uint64
		var d wim.Digest
		if err := scan(&seq, digest{&d}); err != nil {
			return err
		}
		held[seq] = d
		return nil
	}, chain, int64(from), int64(to))
	return held, err
}

func (s *Store) addRecords(ctx context.Context, t *tx, chain int64, seg *Segment, fresh []*Stored) error {
	if len(fresh) == 0 {
		return nil
	}
	var segment int64
	if err := t.row(ctx, insertSeg, chain, seg.Key, seg.JWS, int64(s.now())).Scan(&segment); err != nil {
		return err
	}
	last, err := t.next(ctx, "intake", len(fresh))
	if err != nil {
		return err
	}
	intake := last - int64(len(fresh))
	for _, r := range fresh {
		intake++
		if err := t.run(ctx, insertLedger, chain, int64(r.Seq), r.Digest[:]); err != nil {
			return err
		}
		if err := t.run(ctx, insertRecord, intake, chain, int64(r.Seq), r.Digest[:], r.Prev[:], string(r.Kind), int64(r.Time), segment, r.Raw); err != nil {
			return err
		}
	}
	return nil
}

// addForks keeps records whose name is taken.
func (s *Store) addForks(ctx context.Context, t *tx, h *head, seg *Segment, forks []*Stored, held map[uint64]wim.Digest) error {
	for _, r := range forks {
		if err := t.run(ctx, `INSERT INTO fork (chain, seq, digest, key, jws, raw, received) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (chain, seq, digest) DO NOTHING`,
			h.id, int64(r.Seq), r.Digest[:], seg.Key, seg.JWS, r.Raw, int64(s.now())); err != nil {
			return err
		}
	}
	if len(forks) == 0 {
		return nil
	}
	first := forks[0]
	return s.markFork(ctx, t, seg, h, center.AlarmFork, Fork{Seq: first.Seq, Held: held[first.Seq], Sent: first.Digest})
}

// markFork notes the first fork of a chain and raises an alarm for it; later ones add nothing to it.
func (s *Store) markFork(ctx context.Context, t *tx, seg *Segment, h *head, kind center.AlarmKind, f Fork) error {
	if h.fork.Seq != 0 {
		return nil
	}
	h.fork = f
	if err := t.run(ctx, `UPDATE chain SET fork_seq = ?, fork_held = ?, fork_sent = ? WHERE id = ?`, int64(f.Seq), f.Held[:], f.Sent[:], h.id); err != nil {
		return err
	}
	return s.raiseAlarm(ctx, t, center.Alarm{
		Kind: kind, Site: seg.Site, Subject: fmt.Sprintf("chain %s, record %d", seg.Chain, f.Seq),
		Detail: fmt.Sprintf("held %s, sent %s; two daemons may use one name, or a site's disk was restored", f.Held.Short(), f.Sent.Short()),
	})
}

// advance moves the head over what is contiguous and linked.
func (s *Store) advance(ctx context.Context, t *tx, seg *Segment, h *head) error {
	var broken *Fork
	err := t.each(ctx, linksAfter, func(scan func(...any) error) error {
		var seq uint64
		var own, prev wim.Digest
		var at wim.Time
		if err := scan(&seq, digest{&own}, digest{&prev}, &at); err != nil {
			return err
		}
		if seq != h.seq+1 {
			return errStop
		}
		if prev != h.digest {
			// The sequence is the one that two records claim to know: the head is held, prev was meant.
			broken = &Fork{Seq: max(h.seq, 1), Held: h.digest, Sent: prev}
			return errStop
		}
		h.seq, h.digest, h.time = seq, own, at
		return nil
	}, h.id, int64(h.seq))
	if err != nil {
		return err
	}
	if broken != nil {
		if err := s.markFork(ctx, t, seg, h, center.AlarmLink, *broken); err != nil {
			return err
		}
	}
	return t.run(ctx, moveHead, int64(h.seq), h.digest[:], int64(h.time), int64(s.now()), h.id)
}
