package edge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/uplink"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// bundleOverhead is more than a bundle adds to its records: signature, lengths, framing.
const bundleOverhead = 12 << 10

// outbox is what the sender asks of the journal.
type outbox interface {
	// After gives at most so many records behind seq, in order, a first one whatever its size.
	After(ctx context.Context, chain wim.ChainID, seq uint64, maxRecords, maxBytes int) ([]journal.Stored, error)
	// Urgent gives the sequences behind seq that someone waits for, oldest first.
	Urgent(ctx context.Context, chain wim.ChainID, seq uint64, limit int) ([]uint64, error)
	// Chain is the chain that is written to, Head its last record and Receipted how far the centre holds it.
	Chain() wim.ChainID
	Head() (seq uint64, digest wim.Digest)
	Receipted() (seq, epoch uint64)
	Stranded() uint64
	ApplyReceipt(ctx context.Context, r seal.Receipt) (journal.Applied, error)
}

// errUnreadable says that records lie in the journal whose place in the chain cannot be told any more.
var errUnreadable = errors.New("records of the journal cannot be read")

// packer makes signed segments of the journal's records. A record whose bytes can never be sent goes as a
// tombstone, so that one bad page does not hold up the chain behind it. It may be used by several goroutines.
type packer struct {
	journal outbox
	ring    *keyring
	site    wim.SiteID
	log     *slog.Logger
	m       *metrics

	mu     sync.Mutex
	buried map[uint64]bool // records that were told of; bounded by maxBuried
}

// maxBuried bounds how many tombstones are each told of once.
const maxBuried = 1000

// read gives the records behind from that make one segment: consecutive, each with the digest by which the chain
// knows it.
func (p *packer) read(ctx context.Context, chain wim.ChainID, from uint64, maxRecords, maxBytes int) ([]journal.Stored, error) {
	records, err := p.journal.After(ctx, chain, from, min(maxRecords, seal.MaxSegmentRecords), min(seal.MaxSegmentBytes, maxBytes))
	if errors.Is(err, journal.ErrDamaged) && maxRecords > 1 { // one of them: find out which
		records, err = p.journal.After(ctx, chain, from, 1, maxBytes)
	}
	if errors.Is(err, journal.ErrDamaged) {
		return p.lost(ctx, chain, from+1, err)
	}
	if err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	if len(records) == 0 {
		return nil, nil
	}
	if records[0].Seq != from+1 {
		return p.lost(ctx, chain, from+1, errors.New("it is missing"))
	}
	for i := range records {
		r := &records[i]
		if r.Seq != from+1+uint64(i) {
			return records[:i], nil // the next read meets the hole
		}
		var why string
		switch {
		case wim.DigestOf(r.Raw) != r.Digest:
			why = "its bytes do not have the digest that the chain knows"
		case len(r.Raw) > seal.MaxRecord:
			why = "it is larger than a record may be"
		default:
			continue
		}
		if i > 0 {
			return records[:i], nil // it goes first in the next segment
		}
		next, err := p.journal.After(ctx, chain, r.Seq, 1, maxBytes)
		if err == nil && len(next) == 1 && next[0].Seq == r.Seq+1 {
			if n, err := seal.Open(next[0].Raw); err == nil {
				if n.Prev == wim.DigestOf(r.Raw) { // the row's digest is what was damaged
					r.Digest = n.Prev
					return records[:1], nil
				}
				r.Digest = n.Prev
			}
		}
		return p.bury(ctx, chain, *r, why)
	}
	return records, nil
}

// lost stands in for a record that cannot be read at all. Its digest is known by the record behind it.
func (p *packer) lost(ctx context.Context, chain wim.ChainID, seq uint64, cause error) ([]journal.Stored, error) {
	next, err := p.journal.After(ctx, chain, seq, 1, seal.MaxSegmentBytes)
	if err != nil {
		return nil, fmt.Errorf("%w: record %d: %w; and the one behind it: %w", errUnreadable, seq, cause, err)
	}
	if len(next) == 0 || next[0].Seq != seq+1 {
		return nil, fmt.Errorf("%w: from record %d on several in a row: %w; set the journal aside and start again, it is evidence", errUnreadable, seq, cause)
	}
	n, err := seal.Open(next[0].Raw)
	if err != nil || wim.DigestOf(next[0].Raw) != next[0].Digest {
		return nil, fmt.Errorf("%w: record %d: %w; nor is the one behind it whole", errUnreadable, seq, cause)
	}
	return p.bury(ctx, chain, journal.Stored{Seq: seq, Digest: n.Prev}, cause.Error())
}

// bury makes a tombstone of a record.
func (p *packer) bury(ctx context.Context, chain wim.ChainID, r journal.Stored, why string) ([]journal.Stored, error) {
	t := seal.Tombstone{Site: p.site, Chain: chain, Seq: r.Seq, Digest: r.Digest, Kind: r.Kind, Time: r.Time, Reason: why}
	if r.Seq > 1 {
		before, err := p.journal.After(ctx, chain, r.Seq-2, 1, seal.MaxSegmentBytes)
		if err == nil && len(before) == 1 && before[0].Seq == r.Seq-1 {
			t.Prev = before[0].Digest
		}
	}
	signer, _ := p.ring.signerOf(chain, r.Seq)
	jws, err := seal.SignTombstone(signer, t)
	if err != nil {
		return nil, fmt.Errorf("%w: record %d: %s; and no tombstone can be made for it: %w", errUnreadable, r.Seq, why, err)
	}
	p.mu.Lock()
	told := p.buried[r.Seq]
	if !told && len(p.buried) < maxBuried {
		p.buried[r.Seq] = true
	}
	p.mu.Unlock()
	if !told {
		p.m.poison.WithLabelValues("record").Inc()
		p.log.Error("a record cannot be sent and a tombstone goes in its place; its account is lost unless the disk gives it up", "chain", chain, "seq", r.Seq, "kind", r.Kind, "why", why)
	}
	r.Raw = jws
	return []journal.Stored{r}, nil
}

// batch is what makes one segment: records under one key.
type batch struct {
	signer  *seal.Signer
	chain   wim.ChainID
	records []journal.Stored
}

func (b *batch) end() uint64 { return b.records[len(b.records)-1].Seq }

// batchOf cuts records off behind the last one that the first one's key signs.
func (p *packer) batchOf(chain wim.ChainID, records []journal.Stored) batch {
	signer, last := p.ring.signerOf(chain, records[0].Seq)
	for i := range records {
		if last != 0 && records[i].Seq > last {
			records = records[:i]
			break
		}
	}
	return batch{signer: signer, chain: chain, records: records}
}

// bundle signs a batch.
func (p *packer) bundle(b batch) ([]byte, error) {
	g := seal.Segment{Site: p.site, Chain: b.chain, From: b.records[0].Seq, Digests: make([]wim.Digest, len(b.records))}
	raws := make([][]byte, len(b.records))
	size := bundleOverhead
	for i := range b.records {
		g.Digests[i] = b.records[i].Digest
		raws[i] = b.records[i].Raw
		size += len(raws[i]) + 4
	}
	jws, err := seal.SignSegment(b.signer, g)
	if err != nil {
		return nil, fmt.Errorf("sign segment %d to %d: %w", g.From, g.To(), err)
	}
	return seal.AppendBundle(make([]byte, 0, size), jws, raws), nil
}

// message is one payload for the broker and the last record in it.
type message struct {
	payload []byte
	end     uint64
}

// pack joins bundles, of which each ends where ends says, into one message; taken is how many went in.
func pack(bundles [][]byte, ends []uint64) (m message, taken int, err error) {
	payload, taken, err := uplink.Pack(bundles)
	if err != nil {
		return message{}, 0, fmt.Errorf("pack segment to record %d of %d bytes: %w", ends[0], len(bundles[0]), err)
	}
	return message{payload: payload, end: ends[taken-1]}, taken, nil
}
