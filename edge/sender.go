package edge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/uplink"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

const (
	receiptQueue = 64
	// overtaking is how many of the window's messages are kept for records that someone waits for, so that
	// an alert does not stand behind a backlog.
	overtaking = 4
	// bundleOverhead is more than a bundle adds to its records: signature, lengths, framing.
	bundleOverhead = 12 << 10
)

// flight is a message on the way that no receipt covers yet.
type flight struct{ to uint64 }

// sender hands the journal's records to the centre, oldest first, as signed segments. It marks nothing as sent
// but what a receipt covers: what it keeps in memory is only how far this connection has come, and on a new
// connection, or when receipts make no progress, it starts again from the receipted mark. The centre knows
// duplicates by their digest.
type sender struct {
	journal *journal.Journal
	ring    *keyring
	keys    []*seal.Verifier
	link    Link
	site    wim.SiteID
	cfg     SenderConfig
	log     *slog.Logger
	m       *metrics

	receipts chan []byte
	hints    chan struct{}
	flush    chan struct{} // closed when no more records come and nothing need linger

	// owned by the run goroutine
	chain     wim.ChainID
	sent      uint64 // sent in order in this connection, up to here
	flying    []flight
	overtaken map[uint64]bool // sent ahead of order
	waiting   time.Time       // since when an open segment lingers, zero for none
	progress  time.Time       // of the receipts, or since there was nothing on the way
	patience  time.Duration
	retryAt   time.Time // after a Publish that failed, zero while all is well
	pause     time.Duration
	poisoned  uint64
}

func newSender(c *Config, ring *keyring, m *metrics) *sender {
	return &sender{
		journal: c.Journal, ring: ring, keys: c.CenterKeys, link: c.Link, site: c.Site, cfg: c.Sender, log: c.Logger, m: m,
		receipts: make(chan []byte, receiptQueue), hints: make(chan struct{}, 1), flush: make(chan struct{}), overtaken: map[uint64]bool{},
		patience: c.Sender.Resend, pause: c.Sender.Retry,
	}
}

// hint says that records were committed.
func (s *sender) hint() {
	select {
	case s.hints <- struct{}{}:
	default:
	}
}

// receipt takes in a receipt. Receipts are cumulative, so that where the queue is full the oldest goes.
func (s *sender) receipt(jws []byte) {
	for {
		select {
		case s.receipts <- jws:
			return
		default:
		}
		select {
		case <-s.receipts:
			s.m.receipts.WithLabelValues("overflow").Inc()
		default:
		}
	}
}

// run sends until ctx ends, or until flush is closed and everything is receipted.
func (s *sender) run(ctx context.Context) {
	s.restart()
	timer := time.NewTimer(0)
	defer timer.Stop()
	flush := s.flush
	for {
		wait := s.work(ctx)
		select {
		case <-s.flush:
			if head, _ := s.journal.Head(); s.marked() >= head {
				return
			}
		default:
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case jws := <-s.receipts:
			s.take(ctx, jws)
		case <-s.hints:
		case <-s.link.Up():
			s.log.Info("connected to the centre's broker", "chain", s.journal.Chain(), "from", s.marked()+1)
			s.restart()
			s.pause = s.cfg.Retry
		case <-flush:
			flush = nil
		case <-timer.C:
		}
	}
}

func (s *sender) marked() uint64 {
	seq, _ := s.journal.Receipted()
	return seq
}

// restart goes on from the receipted mark.
func (s *sender) restart() {
	s.chain, s.sent = s.journal.Chain(), s.marked()
	s.flying = s.flying[:0]
	clear(s.overtaken)
	s.retryAt, s.waiting, s.progress = time.Time{}, time.Time{}, time.Now()
}

// work sends what may be sent now and returns how long to wait for something else to happen.
func (s *sender) work(ctx context.Context) time.Duration {
	switch {
	case s.journal.Chain() != s.chain:
		s.restart()
	case !s.retryAt.IsZero():
		if left := time.Until(s.retryAt); left > 0 {
			return left
		}
		s.restart() // what the broker had is unknown: start again from the receipted mark
	}
	if len(s.flying) > 0 {
		if since := time.Since(s.progress); since >= s.patience {
			s.log.Warn("no receipt from the centre for what was sent; sending it again", "from", s.marked()+1, "waited", since.Round(time.Second))
			s.m.resends.Inc()
			s.restart()
			s.patience = min(2*s.patience, 8*s.cfg.Resend)
		}
	}
	for ctx.Err() == nil {
		more, err := s.sendSome(ctx)
		if err != nil {
			s.failed(ctx, err)
			return max(time.Until(s.retryAt), time.Millisecond)
		}
		if !more {
			break
		}
	}
	wait := s.patience
	if !s.waiting.IsZero() {
		wait = min(wait, max(s.cfg.Linger-time.Since(s.waiting), time.Millisecond))
	}
	return wait
}

func (s *sender) failed(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	if s.pause == s.cfg.Retry {
		s.log.Warn("could not hand records to the broker; they stay in the journal and are sent again", "err", err)
	}
	s.retryAt = time.Now().Add(s.pause)
	s.m.published.WithLabelValues("failed").Inc()
	s.pause = min(2*s.pause, 16*s.cfg.Retry)
}

// sendSome sends at most one message. more tells that another may follow at once.
func (s *sender) sendSome(ctx context.Context) (more bool, err error) {
	head, _ := s.journal.Head()
	if s.sent >= head {
		s.waiting = time.Time{}
		return false, nil
	}
	if head-s.sent > seal.MaxSegmentRecords && len(s.flying) < uplink.Window {
		if done, err := s.overtake(ctx); done || err != nil {
			return done, err
		}
	}
	if len(s.flying) >= uplink.Window-overtaking {
		return false, nil
	}
	var segments [][]byte
	var ends []uint64
	from, room := s.sent, uplink.MaxMessage
	for room > 2*bundleOverhead {
		records, err := s.journal.After(ctx, s.chain, from, seal.MaxSegmentRecords, min(seal.MaxSegmentBytes, room-bundleOverhead))
		if err != nil {
			return false, fmt.Errorf("read journal: %w", err)
		}
		if len(records) == 0 {
			break
		}
		signer, last := s.ring.signerOf(s.chain, records[0].Seq)
		records = upTo(records, last)
		if len(segments) == 0 && !s.closes(records, head) {
			break
		}
		bundle, err := s.segment(signer, records)
		if err != nil {
			return false, err
		}
		segments = append(segments, bundle)
		from = records[len(records)-1].Seq
		ends = append(ends, from)
		room -= len(bundle) + 4
		if from >= head {
			break
		}
	}
	if len(segments) == 0 {
		return false, nil
	}
	s.waiting = time.Time{}
	taken, err := s.publish(ctx, segments, ends)
	if err != nil {
		return false, err
	}
	s.sent = ends[taken-1]
	return true, nil
}

// closes decides whether the segment that records would make is sent now: someone waits, it is full, nothing
// more will come, or it has lingered.
func (s *sender) closes(records []journal.Stored, head uint64) bool {
	if len(records) >= seal.MaxSegmentRecords || records[len(records)-1].Seq < head {
		return true // full by number, or by bytes
	}
	for i := range records {
		if records[i].Urgent {
			return true
		}
	}
	select {
	case <-s.flush:
		return true
	default:
	}
	if s.waiting.IsZero() {
		s.waiting = time.Now()
	}
	return time.Since(s.waiting) >= s.cfg.Linger
}

// overtake sends the newest record that someone waits for ahead of a backlog. It goes again in order: the
// centre knows it by its digest.
func (s *sender) overtake(ctx context.Context) (done bool, err error) {
	urgent, err := s.journal.Urgent(ctx, s.chain, s.sent+seal.MaxSegmentRecords, overtaking)
	if err != nil {
		return false, fmt.Errorf("read journal: %w", err)
	}
	for _, seq := range urgent {
		if s.overtaken[seq] {
			continue
		}
		if len(s.overtaken) >= overtaking {
			return false, nil // until receipts have caught up
		}
		records, err := s.journal.After(ctx, s.chain, seq-1, 1, seal.MaxSegmentBytes)
		if err != nil || len(records) == 0 {
			return false, err
		}
		signer, _ := s.ring.signerOf(s.chain, seq)
		bundle, err := s.segment(signer, records)
		if err != nil {
			return false, err
		}
		if _, err := s.publish(ctx, [][]byte{bundle}, []uint64{seq}); err != nil {
			return false, err
		}
		s.overtaken[seq] = true
		s.m.overtook.Inc()
		return true, nil
	}
	return false, nil
}

// upTo cuts records off behind last, the last one that their key signs; 0 is no bound.
func upTo(records []journal.Stored, last uint64) []journal.Stored {
	for i := range records {
		if last != 0 && records[i].Seq > last {
			return records[:i]
		}
	}
	return records
}

func (s *sender) segment(signer *seal.Signer, records []journal.Stored) ([]byte, error) {
	g := seal.Segment{Site: s.site, Chain: s.chain, From: records[0].Seq}
	raws := make([][]byte, len(records))
	size := bundleOverhead
	for i := range records {
		g.Digests = append(g.Digests, records[i].Digest)
		raws[i] = records[i].Raw
		size += len(raws[i]) + 4
	}
	jws, err := seal.SignSegment(signer, g)
	if err != nil {
		return nil, fmt.Errorf("sign segment %d to %d: %w", g.From, g.To(), err)
	}
	return seal.AppendBundle(make([]byte, 0, size), jws, raws), nil
}

func (s *sender) publish(ctx context.Context, segments [][]byte, ends []uint64) (taken int, err error) {
	payload, taken, err := uplink.Pack(segments)
	if err != nil {
		if s.poisoned != ends[0] { // once a segment, not once a try
			s.poisoned = ends[0]
			s.m.poison.WithLabelValues("segment").Inc()
			s.log.Error("a segment is larger than a message may be and cannot be sent; report this", "to", ends[0], "bytes", len(segments[0]), "err", err)
		}
		return 0, err
	}
	pctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	if len(s.flying) == 0 {
		s.progress = time.Now()
	}
	if err := s.link.Publish(pctx, payload); err != nil {
		return 0, fmt.Errorf("publish: %w", err)
	}
	s.pause = s.cfg.Retry
	s.m.published.WithLabelValues("ok").Inc()
	s.m.publishedBytes.Add(float64(len(payload)))
	s.flying = append(s.flying, flight{to: ends[taken-1]})
	return taken, nil
}

// take verifies and applies a receipt.
func (s *sender) take(ctx context.Context, jws []byte) {
	r, err := seal.VerifyReceipt(string(jws), s.keys...)
	if err != nil {
		s.m.receipts.WithLabelValues("refused").Inc()
		s.log.Warn("a receipt was refused; if the centre's key was changed, pin the new one", "err", err)
		return
	}
	a, err := s.journal.ApplyReceipt(ctx, r)
	switch {
	case errors.Is(err, journal.ErrOtherChain):
		s.m.receipts.WithLabelValues("other-chain").Inc()
		s.log.Info("a receipt for a chain of an earlier journal", "chain", r.Chain, "seq", r.Seq)
		return
	case errors.Is(err, journal.ErrOldEpoch):
		s.m.receipts.WithLabelValues("old-epoch").Inc()
		s.log.Warn("a receipt from before the centre's store was restored", "err", err)
		return
	case errors.Is(err, journal.ErrReceipt), errors.Is(err, journal.ErrSite):
		s.m.receipts.WithLabelValues("refused").Inc()
		s.log.Error("a signed receipt does not fit this journal; nothing is marked as held", "err", err)
		return
	case err != nil:
		s.m.receipts.WithLabelValues("not-applied").Inc()
		s.log.Error("a receipt could not be applied; the centre sends it again", "err", err)
		return
	}
	s.m.receipts.WithLabelValues("ok").Inc()
	if r.Chain == s.journal.Chain() {
		s.ring.receipted(ctx, r.Chain, a.Receipted)
	}
	switch {
	case !a.NewChain.IsZero():
		s.m.forks.Inc()
		s.log.Error("the centre holds other records under this chain's name: a new chain was started; find out whether a disk was restored or two daemons run under this site's name",
			"chain", a.NewChain, "stranded", s.journal.Stranded())
		s.restart()
	case a.Rewound || a.Lost > 0:
		s.log.Warn("the centre's store was restored; sending again what it no longer holds", "from", a.Receipted+1, "lost", a.Lost)
		s.m.lostAtCenter.Add(float64(a.Lost))
		s.restart()
	case a.Moved && r.Chain == s.chain:
		s.progress, s.patience = time.Now(), s.cfg.Resend
		s.sent = max(s.sent, a.Receipted)
		kept := s.flying[:0]
		for _, f := range s.flying {
			if f.to > a.Receipted {
				kept = append(kept, f)
			}
		}
		s.flying = kept
		for seq := range s.overtaken {
			if seq <= a.Receipted {
				delete(s.overtaken, seq)
			}
		}
	}
}
