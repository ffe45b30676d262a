package edge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
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
	// aheadRecords bounds how many of them one message takes.
	aheadRecords = 48
	// unhurried is how long a message of the backlog may be on its way to the broker, or unreceipted by the
	// centre: what an alert behind it has to wait at least. Messages get smaller, and fewer are on the way, where
	// the line or the centre is slower.
	unhurried = 250 * time.Millisecond
	leastRoom = 3 * bundleOverhead
	leastWide = 2
	// stuckPause is how long records that cannot be read are left alone.
	stuckPause = 5 * time.Second
	// stuckTries is after how many tries the journal has to be recovered: a new chain, behind which the old one's
	// readable records are kept, carries what comes.
	stuckTries = 4
)

// flight is a message on the way that no receipt covers yet.
type flight struct {
	to    uint64 // its last record
	ahead bool   // it overtakes
	reach reach  // how far the overtaking has come with it
	at    time.Time
}

// reach is how far records that someone waits for have been sent ahead: old ones among those that lay there when
// the chain was taken up, fresh ones among those that came since. Fresh ones go first, and the rest of a
// message is for the old, oldest first, so that neither starves.
type reach struct{ old, fresh uint64 }

func (r reach) or(o reach) reach { return reach{max(r.old, o.old), max(r.fresh, o.fresh)} }

// sender hands the journal's records to the centre, oldest first, as signed segments. It marks nothing as sent
// but what a receipt covers: what it keeps in memory is only how far this connection has come, and on a new
// connection, or when receipts make no progress, it starts again from the receipted mark. The centre knows
// duplicates by their digest.
type sender struct {
	journal outbox
	packer  *packer
	ring    *keyring
	keys    []*seal.Verifier
	link    Link
	site    wim.SiteID
	cfg     SenderConfig
	learn   func(wim.Time) // what the centre says the time is
	// damaged is told that records in a row cannot be read any more, so that the journal has to be recovered.
	damaged func(error)
	log     *slog.Logger
	m       *metrics

	receipts chan []byte
	hints    chan struct{}
	flush    chan struct{} // closed when no more records come and nothing need linger

	// owned by the run goroutine
	chain    wim.ChainID
	sent     uint64 // sent in order in this connection, up to here
	flying   []flight
	split    uint64 // the head when the chain was taken up: what is old and what is fresh
	ahead    reach  // what is sent ahead
	held     reach  // what of it the centre certainly holds: it took a later message
	stream   *stream
	room     int           // of one message in bytes
	wide     int           // messages in order that may be on the way
	trip     time.Duration // what a small message takes
	waiting  time.Time     // since when an open segment lingers, zero for none
	progress time.Time     // of the receipts, or since there was nothing on the way
	patience time.Duration
	retryAt  time.Time // after a Publish that failed, zero while all is well
	pause    time.Duration
	stuck    time.Time // until when records that cannot be read are left alone
	stuckAt  uint64
	stuckFor int // tries
}

func newSender(c *Config, ring *keyring, m *metrics) *sender {
	return &sender{
		journal: c.Journal.Outbox(), ring: ring, keys: c.CenterKeys, link: c.Link, site: c.Site, cfg: c.Sender, learn: c.Timekeeper.Learn, damaged: func(error) {}, log: c.Logger, m: m,
		packer:   &packer{journal: c.Journal, ring: ring, site: c.Site, log: c.Logger, m: m, buried: map[uint64]bool{}},
		receipts: make(chan []byte, receiptQueue), hints: make(chan struct{}, 1), flush: make(chan struct{}),
		patience: c.Sender.Resend, pause: c.Sender.Retry, room: uplink.MaxMessage, wide: uplink.Window - overtaking,
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
	defer s.drop()
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
			s.takeAll(ctx, jws)
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

// restart goes on from the receipted mark. What was sent ahead and is certainly held is not sent ahead again,
// however often the line breaks; it goes again in order, and the centre knows it by its digest.
func (s *sender) restart() {
	if chain := s.journal.Chain(); chain != s.chain {
		s.chain = chain
		s.forget()
	}
	s.sent = s.marked()
	s.flying = s.flying[:0]
	s.ahead = s.held
	s.retryAt, s.waiting, s.progress = time.Time{}, time.Time{}, time.Now()
}

// forget takes nothing for held that no receipt covers: the chain is new to the centre, or the centre was restored.
func (s *sender) forget() {
	s.split, _ = s.journal.Head()
	s.held = reach{fresh: s.split}
}

// drop gives up what was read ahead.
func (s *sender) drop() {
	if s.stream != nil {
		s.stream.end()
		s.stream = nil
	}
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
	if !s.stuck.IsZero() {
		wait = min(wait, max(time.Until(s.stuck), time.Millisecond))
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
	s.retryAt = time.Now().Add(s.pause/2 + rand.N(s.pause/2+1))
	s.m.published.WithLabelValues("failed").Inc()
	s.pause = min(2*s.pause, 16*s.cfg.Retry)
}

// sendSome sends at most one message. more tells that another may follow at once.
func (s *sender) sendSome(ctx context.Context) (more bool, err error) {
	head, _ := s.journal.Head()
	if s.sent >= head {
		s.waiting = time.Time{}
		s.drop()
		return false, nil
	}
	if head-s.sent > seal.MaxSegmentRecords || !s.stuck.IsZero() {
		if done, err := s.overtake(ctx, head); done || err != nil {
			return done, err
		}
	}
	if s.inOrder() >= s.wide || len(s.flying) >= uplink.Window-overtaking {
		return false, nil
	}
	if !s.stuck.IsZero() && time.Now().Before(s.stuck) {
		return false, nil
	}
	m, err := s.next(ctx, head)
	if err != nil {
		if ctx.Err() == nil {
			s.hold(err)
		}
		return false, nil
	}
	s.stuck = time.Time{}
	if m.payload == nil {
		return false, nil
	}
	s.waiting = time.Time{}
	if err := s.publish(ctx, m.payload, flight{to: m.end}); err != nil {
		return false, err
	}
	s.sent = m.end
	if s.stream != nil {
		s.stream.next = m.end
	}
	return true, nil
}

// hold leaves records alone that cannot be read now. What someone waits for still overtakes them.
func (s *sender) hold(err error) {
	s.drop()
	s.stuck = time.Now().Add(min(stuckPause, 4*s.cfg.Resend))
	if s.stuckAt == s.sent+1 { // told already
		if s.stuckFor++; s.stuckFor == stuckTries && errors.Is(err, errUnreadable) {
			s.damaged(fmt.Errorf("%w: %w", journal.ErrDamaged, err))
		}
		return
	}
	s.stuckAt, s.stuckFor = s.sent+1, 1
	s.ahead = s.held // what was near enough to go in order has to go ahead now
	s.m.poison.WithLabelValues("segment").Inc()
	s.log.Error("records cannot be read or packed, and those behind them wait; they are tried again", "from", s.stuckAt, "err", err)
}

// inOrder is how many messages that do not overtake are on the way.
func (s *sender) inOrder() int {
	n := 0
	for i := range s.flying {
		if !s.flying[i].ahead {
			n++
		}
	}
	return n
}

// next is the message that follows in order; one without a payload where nothing is due yet. A backlog comes from
// a stream that reads ahead.
func (s *sender) next(ctx context.Context, head uint64) (message, error) {
	if s.stream != nil && (s.stream.next != s.sent || s.stream.chain != s.chain || 2*s.room < s.stream.room) {
		s.drop()
	}
	if s.stream == nil && head-s.sent > deep {
		s.stream = s.packer.startStream(ctx, s.chain, s.sent, s.room)
	}
	if s.stream != nil {
		m, ok := <-s.stream.out // it ends with ctx
		if ok {
			return m, nil
		}
		err := s.stream.err
		s.drop()
		if err != nil {
			return message{}, err
		}
	}
	var bundles [][]byte
	var ends []uint64
	from := s.sent
	for room := s.room; len(bundles) == 0 || room > 2*bundleOverhead; {
		records, err := s.packer.read(ctx, s.chain, from, seal.MaxSegmentRecords, min(seal.MaxSegmentBytes, room-bundleOverhead))
		if err != nil {
			if len(bundles) > 0 {
				break // first what can be read
			}
			return message{}, err
		}
		if len(records) == 0 {
			break
		}
		b := s.packer.batchOf(s.chain, records)
		if len(bundles) == 0 && !s.closes(b.records, head) {
			break
		}
		bundle, err := s.packer.bundle(b)
		if err != nil {
			return message{}, err
		}
		from = b.end()
		bundles, ends = append(bundles, bundle), append(ends, from)
		room -= len(bundle) + 4
		if from >= head {
			break
		}
	}
	if len(bundles) == 0 {
		return message{}, nil
	}
	m, _, err := pack(bundles, ends)
	return m, err
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

// overtake sends records that someone waits for ahead of a backlog, many in one message. They go again in order:
// the centre knows them by their digest.
func (s *sender) overtake(ctx context.Context, head uint64) (done bool, err error) {
	if len(s.flying)-s.inOrder() >= overtaking || len(s.flying) >= uplink.Window {
		return false, nil // until the centre has taken a later message
	}
	near := s.sent // what goes in order at once
	if s.stuck.IsZero() {
		near += seal.MaxSegmentRecords
	}
	to := s.ahead
	var seqs []uint64
	if head > s.ahead.fresh {
		if seqs, err = s.journal.Urgent(ctx, s.chain, max(s.ahead.fresh, near), aheadRecords); err != nil {
			return false, fmt.Errorf("read journal: %w", err)
		}
		to.fresh = head
	}
	fresh := len(seqs)
	if s.ahead.old < s.split && near < s.split && fresh < aheadRecords {
		old, err := s.journal.Urgent(ctx, s.chain, max(s.ahead.old, near), aheadRecords-fresh)
		if err != nil {
			return false, fmt.Errorf("read journal: %w", err)
		}
		to.old = s.split
		for _, seq := range old {
			if seq <= s.split {
				seqs = append(seqs, seq)
			}
		}
	}
	if len(seqs) == 0 {
		s.ahead = to
		return false, nil
	}
	var bundles [][]byte
	var ends []uint64
	var top uint64
	taken, size := 0, 0
	for taken < len(seqs) && size < s.room/2 {
		n := 1
		for taken+n < len(seqs) && taken+n != fresh && seqs[taken+n] == seqs[taken]+uint64(n) {
			n++ // neighbours go in one segment
		}
		records, err := s.packer.read(ctx, s.chain, seqs[taken]-1, n, s.room/2)
		if err != nil || len(records) == 0 {
			if ctx.Err() != nil {
				return false, ctx.Err()
			}
			taken++ // it cannot be read now; it goes in order, or holds up what is behind it
			continue
		}
		b := s.packer.batchOf(s.chain, records)
		bundle, err := s.packer.bundle(b)
		if err != nil {
			return false, err
		}
		taken += len(b.records)
		top = max(top, b.end())
		size += len(bundle) + 4
		bundles, ends = append(bundles, bundle), append(ends, b.end())
	}
	// What did not fit is next: the reach ends at the last that did.
	if taken < fresh || fresh == aheadRecords {
		to.fresh = seqs[min(taken, fresh)-1]
	}
	switch {
	case taken < fresh, taken == fresh && len(seqs) > fresh:
		to.old = s.ahead.old
	case taken < len(seqs) || len(seqs) == aheadRecords && len(seqs) > fresh:
		to.old = seqs[taken-1]
	}
	if len(bundles) == 0 {
		s.ahead = to
		return false, nil
	}
	m, packed, err := pack(bundles, ends)
	if err != nil || packed < len(bundles) {
		return false, fmt.Errorf("pack %d records that go ahead: %w", taken, err)
	}
	if err := s.publish(ctx, m.payload, flight{to: top, ahead: true, reach: to}); err != nil {
		return false, err
	}
	s.ahead = to
	s.m.overtook.Add(float64(taken))
	return true, nil
}

func (s *sender) publish(ctx context.Context, payload []byte, f flight) error {
	pctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	f.at = time.Now()
	if len(s.flying) == 0 {
		s.progress = f.at
	}
	if err := s.link.Publish(pctx, payload); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	s.pace(len(payload), time.Since(f.at))
	s.pause = s.cfg.Retry
	s.m.published.WithLabelValues("ok").Inc()
	s.m.publishedBytes.Add(float64(len(payload)))
	s.flying = append(s.flying, f)
	return nil
}

// pace fits the size of messages to the line: one that takes long keeps an alert waiting. What a small one takes is
// the line's latency, which smaller messages do not mend.
func (s *sender) pace(size int, took time.Duration) {
	if size <= leastRoom {
		s.trip = (3*s.trip + took) / 4
	}
	if size <= s.room/2 {
		return
	}
	switch took -= s.trip; {
	case took > unhurried:
		s.room = max(s.room/2, leastRoom)
	case took < unhurried/4:
		s.room = min(s.room*2, uplink.MaxMessage)
	}
}

// takeAll takes a receipt and what else waits. Receipts are cumulative: of several for one chain only the last is
// written down, so that a backlog does not cost the disk a sync for each.
func (s *sender) takeAll(ctx context.Context, jws []byte) {
	var last *seal.Receipt
	for {
		if r, ok := s.verify(jws); ok {
			follows := last != nil && !last.Fork && !r.Fork && last.Chain == r.Chain && last.Epoch == r.Epoch && last.Site == r.Site && last.Seq < r.Seq
			if last != nil && !follows {
				s.take(ctx, *last)
			} else if follows {
				s.m.receipts.WithLabelValues("superseded").Inc()
			}
			last = &r
		}
		select {
		case jws = <-s.receipts:
			continue
		default:
		}
		if last != nil {
			s.take(ctx, *last)
		}
		return
	}
}

// verify tells whether a receipt is the centre's. What it says of the time is believed before what it says of
// records: they are marked, and later pruned, by it.
func (s *sender) verify(jws []byte) (seal.Receipt, bool) {
	r, err := seal.VerifyReceipt(string(jws), s.keys...)
	if err != nil {
		s.m.receipts.WithLabelValues("refused").Inc()
		s.log.Warn("a receipt was refused; if the centre's key was changed, pin the new one", "err", err)
		return r, false
	}
	s.learn(r.Time)
	return r, true
}

// take applies a receipt.
func (s *sender) take(ctx context.Context, r seal.Receipt) {
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
		s.forget()
		s.restart()
	case a.Moved && r.Chain == s.chain:
		s.progress, s.patience = time.Now(), s.cfg.Resend
		s.sent = max(s.sent, a.Receipted)
		s.landed(a.Receipted)
	}
}

// landed takes messages off the way. The centre takes a site's messages in order: what overtook before a message
// that is receipted is held too.
func (s *sender) landed(seq uint64) {
	last := -1
	for i, f := range s.flying {
		if !f.ahead && f.to <= seq {
			last = i
		}
	}
	if last >= 0 {
		switch age := time.Since(s.flying[last].at) - s.trip; {
		case age > 2*unhurried:
			s.wide = max(s.wide/2, leastWide)
		case age < unhurried:
			s.wide = min(s.wide+1, uplink.Window-overtaking)
		}
	}
	kept := s.flying[:0]
	for i, f := range s.flying {
		switch {
		case f.ahead && i < last:
			s.held = s.held.or(f.reach)
		case f.to <= seq: // it is receipted in order
		default:
			kept = append(kept, f)
		}
	}
	s.flying = kept
}
