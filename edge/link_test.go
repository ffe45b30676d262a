package edge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/uplink"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// ill is a link with everything that can befall one, in front of a centre.
type ill struct {
	*fakeCenter

	mu    sync.Mutex
	fate  string   // of the next messages: "", "refused", "taken and not acknowledged", "acknowledged and lost"
	mail  string   // of receipts: "", "lost", "doubled", "kept back"
	back  [][]byte // receipts that were kept back, oldest first
	past  [][]byte // all that the centre ever signed
	tries int
	to    func(jws []byte)
}

func (l *ill) set(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

func (l *ill) Publish(ctx context.Context, payload []byte) error {
	l.mu.Lock()
	fate := l.fate
	l.tries++
	l.mu.Unlock()
	switch fate {
	case "refused":
		return errors.New("connection lost")
	case "acknowledged and lost":
		return nil
	case "taken and not acknowledged":
		return errors.Join(l.fakeCenter.Publish(ctx, payload), errors.New("connection lost"))
	}
	return l.fakeCenter.Publish(ctx, payload)
}

// receive is what the centre's receipts go through.
func (l *ill) receive(jws []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.past = append(l.past, jws)
	switch l.mail {
	case "lost":
	case "kept back":
		l.back = append(l.back, jws)
	case "doubled":
		l.to(jws)
		l.to(jws)
	default:
		l.to(jws)
	}
}

// sending is a sender over a journal that a test appends to, and the link that it goes through.
type sending struct {
	t      testing.TB
	path   string
	signer *seal.Signer
	link   *ill
	seq    uint32
	lost   chan error // that the journal has to be recovered

	journal *journal.Journal
	sender  *sender
	stop    context.CancelFunc
	done    chan struct{}
}

func newSending(t testing.TB, dir string) *sending {
	t.Helper()
	signer, center := newKey(t), newKey(t)
	c := &fakeCenter{t: t, site: signer.Verifier(), key: center, up: make(chan struct{}, 1), epoch: 1, records: map[wim.ChainID]map[uint64][]byte{}}
	s := &sending{t: t, path: filepath.Join(dir, "journal.db"), signer: signer, link: &ill{fakeCenter: c}, lost: make(chan error, 16)}
	c.answer = s.link.receive
	s.link.to = func([]byte) {}
	return s
}

func (s *sending) start() {
	s.t.Helper()
	j, err := journal.Open(context.Background(), journal.Config{Path: s.path, Site: testSite, Key: s.signer.ID})
	if err != nil {
		s.t.Fatal(err)
	}
	cfg := &Config{Journal: j, Signer: s.signer, CenterKeys: []*seal.Verifier{s.link.key.Verifier()}, Link: s.link, Site: testSite, Logger: slog.New(slog.DiscardHandler),
		Sender:     SenderConfig{Linger: time.Millisecond, Resend: 60 * time.Millisecond, Timeout: time.Second, Retry: time.Millisecond},
		Timekeeper: OpenTimekeeper(TimekeeperConfig{System: SystemClock})}
	ring, err := newKeyring(context.Background(), cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	s.journal, s.sender = j, newSender(cfg, ring, newMetrics())
	ctx, cancel := context.WithCancel(context.Background())
	s.stop, s.done = cancel, make(chan struct{})
	done, sender := s.done, s.sender
	s.link.set(func() { s.link.to = sender.receipt })
	go func() {
		defer close(done)
		sender.run(ctx)
	}()
}

// end stops as a crash would: what the sender knew is gone.
func (s *sending) end() {
	s.t.Helper()
	if s.stop == nil {
		return
	}
	s.stop()
	<-s.done
	s.stop = nil
	if err := s.journal.Close(); err != nil {
		s.t.Error(err)
	}
}

// append commits passages, of which every nth is an alert; 0 is none.
func (s *sending) append(n, nth int) {
	s.t.Helper()
	var drafts []journal.Draft
	for i := range n {
		s.seq++
		d := journal.Draft{Kind: wim.KindPassage, Lane: 1, Time: at(float64(s.seq)), Passage: &wim.Passage{
			Source: wim.DeviceCursor{Device: "scale-1", Boot: 7, Seq: s.seq}, Facts: wim.Facts{Vehicle: wim.Vehicle{Lane: 1, Gross: 9000}}}}
		d.Cursors = []wim.DeviceCursor{d.Passage.Source}
		if nth > 0 && i%nth == 0 {
			d.Passage.Verdict.Opinions = []wim.Opinion{{Competence: wim.RoadAdministration, Outcome: wim.Exceeded, Standing: wim.Evidence}}
		}
		drafts = append(drafts, d)
	}
	if _, err := s.journal.Append(context.Background(), drafts); err != nil {
		s.t.Fatal(err)
	}
	s.sender.hint()
}

// delivered waits until everything is receipted, and checks that the centre holds just what the journal holds.
func (s *sending) delivered() {
	s.t.Helper()
	chain := s.journal.Chain()
	head, _ := s.journal.Head()
	eventually(s.t, fmt.Sprintf("all %d records are receipted", head), func() bool {
		got, _ := s.journal.Receipted()
		return got == head && s.journal.Chain() == chain
	})
	for seq := uint64(0); seq < head; {
		records, err := s.journal.After(context.Background(), chain, seq, 64, 1<<20)
		if err != nil || len(records) == 0 {
			s.t.Fatalf("%d records behind %d: %v", len(records), seq, err)
		}
		s.link.fakeCenter.mu.Lock()
		for _, r := range records {
			seq = r.Seq
			if raw := s.link.records[chain][seq]; raw == nil || known(s.t, raw) != r.Digest {
				s.t.Errorf("the centre does not hold record %d as it was written", seq)
			}
		}
		s.link.fakeCenter.mu.Unlock()
	}
}

// Whatever befalls link, receipts and site, in any order: when it is over everything is receipted, nothing is
// skipped, and no mark was ever set but by what the centre holds.
func TestWhateverBefallsTheLinkEverythingIsReceiptedInTheEnd(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := newSending(t, t.TempDir())
		forger := newKey(t)
		s.start()
		defer s.end()
		for range rapid.IntRange(1, 14).Draw(rt, "events") {
			switch rapid.SampledFrom([]string{"records", "a backlog", "link", "mail", "connected", "kept back comes", "a replay", "a forgery", "restart", "restored", "patience"}).Draw(rt, "event") {
			case "records":
				s.append(rapid.IntRange(1, 5).Draw(rt, "n"), rapid.IntRange(0, 3).Draw(rt, "alerts"))
			case "a backlog":
				s.append(rapid.SampledFrom([]int{70, 70, 70, 600}).Draw(rt, "n"), rapid.SampledFrom([]int{0, 3, 50}).Draw(rt, "alerts"))
			case "link":
				s.link.set(func() {
					s.link.fate = rapid.SampledFrom([]string{"", "refused", "taken and not acknowledged", "acknowledged and lost"}).Draw(rt, "fate")
				})
			case "mail":
				s.link.set(func() { s.link.mail = rapid.SampledFrom([]string{"", "lost", "doubled", "kept back"}).Draw(rt, "mail") })
			case "connected":
				s.link.connect()
			case "kept back comes": // in any order
				s.link.set(func() {
					for len(s.link.back) > 0 {
						i := rapid.IntRange(0, len(s.link.back)-1).Draw(rt, "which")
						s.link.to(s.link.back[i])
						s.link.back = slices.Delete(s.link.back, i, i+1)
					}
				})
			case "a replay":
				s.link.set(func() {
					if len(s.link.past) > 0 {
						s.link.to(rapid.SampledFrom(s.link.past).Draw(rt, "past"))
					}
				})
			case "a forgery":
				head, digest := s.journal.Head()
				r := seal.Receipt{Site: testSite, Chain: s.journal.Chain(), Seq: head, Digest: digest, Epoch: 1, Time: wim.TimeOf(time.Now())}
				r.Fork = rapid.Bool().Draw(rt, "fork")
				key := forger
				if rapid.Bool().Draw(rt, "the centre's own, but it does not fit") {
					key, r.Fork = s.link.key, false
					r.Digest, r.Seq = wim.DigestOf([]byte("x")), rapid.Uint64Range(1, head).Draw(rt, "seq")
				}
				jws, err := seal.SignReceipt(key, r)
				if err != nil {
					t.Fatal(err)
				}
				s.link.to([]byte(jws))
			case "restart":
				s.end()
				s.start()
			case "restored": // from a backup that is older
				s.link.fakeCenter.set(func() {
					chain := s.journal.Chain()
					keep := rapid.Uint64Range(0, 2000).Draw(rt, "keep")
					for seq := range s.link.records[chain] {
						if seq > keep {
							delete(s.link.records[chain], seq)
						}
					}
					s.link.epoch++
				})
			case "patience":
				time.Sleep(time.Duration(rapid.IntRange(0, 15).Draw(rt, "ms")) * time.Millisecond) // what comes next meets another moment
			}
			// A mark never covers what the centre does not hold, but for what a restored centre has lost since.
			if marked, epoch := s.journal.Receipted(); epoch == s.link.epoch {
				s.link.fakeCenter.set(func() {
					for seq := uint64(1); seq <= marked; seq++ {
						if s.link.records[s.journal.Chain()][seq] == nil {
							t.Fatalf("record %d is marked as held and is not", seq)
						}
					}
				})
			}
		}
		s.link.set(func() { s.link.fate, s.link.mail, s.link.back = "", "", nil })
		s.append(1, 0)
		s.link.connect()
		s.delivered()
	})
}

// settled waits until the sender does nothing more by itself.
func (s *sending) settled() {
	s.t.Helper()
	last, since := -1, time.Now()
	eventually(s.t, "the sender waits", func() bool {
		s.link.mu.Lock()
		defer s.link.mu.Unlock()
		if s.link.tries != last {
			last, since = s.link.tries, time.Now()
		}
		return time.Since(since) > 20*time.Millisecond
	})
}

func TestALinkThatBreaksOverAndOverDoesNotSendAlertsAheadOverAndOver(t *testing.T) {
	s := newSending(t, t.TempDir())
	s.start()
	defer s.end()
	s.link.fakeCenter.set(func() { s.link.mute = true }) // receipts take their time
	s.append(3000, 10)                                   // 300 alerts
	s.settled()
	first := len(s.link.spans())
	for range 20 {
		s.link.connect()
		s.settled()
	}
	chain := s.journal.Chain()
	times := map[uint64]int{}
	for _, x := range s.link.spans()[first:] {
		if x.chain == chain && x.from == x.to {
			times[x.from]++
		}
	}
	if len(times) > overtaking*aheadRecords {
		t.Errorf("%d records are sent ahead again with each connection, more than a window of them", len(times))
	}
	s.link.fakeCenter.set(func() { s.link.mute = false })
	s.delivered()
	// All had gone ahead or in order, and none is sent ahead again once the centre has taken a later message.
	before := len(s.link.spans())
	for range 5 {
		s.link.connect()
		s.settled()
	}
	if got := len(s.link.spans()); got != before {
		t.Errorf("%d segments were sent again though all is receipted", got-before)
	}
}

func TestOldAlertsAreNotStarvedByFreshOnes(t *testing.T) {
	s := newSending(t, t.TempDir())
	s.start()
	s.link.set(func() { s.link.fate = "refused" })
	s.append(20_000, 100) // 200 old alerts lie in a backlog
	s.end()
	s.link.fakeCenter.set(func() { s.link.mute = true })
	s.link.set(func() { s.link.fate = "" })
	s.start()
	defer s.end()
	chain := s.journal.Chain()
	held := func(seq uint64) bool {
		s.link.fakeCenter.mu.Lock()
		defer s.link.fakeCenter.mu.Unlock()
		return s.link.records[chain][seq] != nil
	}
	alert := func(n int) uint64 { return uint64(2 + 100*n) } // after the chain start
	eventually(t, "the oldest go ahead", func() bool { return held(alert(150)) })
	if held(alert(150) + 1) {
		t.Error("they came in order, not ahead")
	}
	s.link.fakeCenter.set(func() { s.link.mute = false; s.link.receipt(chain) })
	s.delivered()
}

func TestAReceiptThatIsNotForUsOrNotNowChangesNothing(t *testing.T) {
	for name, tc := range map[string]struct {
		make   func(s *sending, honest seal.Receipt) (seal.Receipt, *seal.Signer)
		result string
	}{
		"a fork that another key signed":     {func(_ *sending, r seal.Receipt) (seal.Receipt, *seal.Signer) { r.Fork = true; return r, nil }, "refused"},
		"more than there is, by another key": {func(_ *sending, r seal.Receipt) (seal.Receipt, *seal.Signer) { r.Seq += 100; return r, nil }, "refused"},
		"another chain's": {func(s *sending, r seal.Receipt) (seal.Receipt, *seal.Signer) {
			r.Chain = wim.NewChainID()
			return r, s.link.key
		}, "other-chain"},
		"another site's": {func(s *sending, r seal.Receipt) (seal.Receipt, *seal.Signer) {
			r.Site = "south-2"
			return r, s.link.key
		}, "refused"},
		"another digest's": {func(s *sending, r seal.Receipt) (seal.Receipt, *seal.Signer) {
			r.Digest = wim.DigestOf([]byte("x"))
			return r, s.link.key
		}, "refused"},
		"an older epoch's": {func(s *sending, r seal.Receipt) (seal.Receipt, *seal.Signer) { r.Epoch = 0; return r, s.link.key }, "old-epoch"},
		"one that was there before": {func(s *sending, r seal.Receipt) (seal.Receipt, *seal.Signer) {
			raw, err := s.journal.After(s.t.Context(), s.journal.Chain(), 0, 1, 1)
			if err != nil {
				s.t.Fatal(err)
			}
			r.Seq, r.Digest = 1, raw[0].Digest
			return r, s.link.key
		}, "ok"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSending(t, t.TempDir())
			s.start()
			defer s.end()
			s.append(3, 0)
			s.delivered()
			s.link.set(func() { s.link.fate = "refused" })
			s.append(3, 0)
			marked, _ := s.journal.Receipted()
			_, digest := s.journal.Head()
			honest := seal.Receipt{Site: testSite, Chain: s.journal.Chain(), Seq: 7, Digest: digest, Epoch: 1, Time: wim.TimeOf(time.Now())}
			r, key := tc.make(s, honest)
			if key == nil {
				key = newKey(t)
			}
			jws, err := seal.SignReceipt(key, r)
			if err != nil {
				t.Fatal(err)
			}
			count := func() float64 { return testCount(t, s.sender.m, tc.result) }
			before := count()
			s.sender.receipt([]byte(jws))
			eventually(t, "it is counted", func() bool { return count() > before })
			if got, epoch := s.journal.Receipted(); got != marked || epoch != 1 || s.journal.Chain() != honest.Chain {
				t.Errorf("the mark stands at %d of epoch %d, was %d", got, epoch, marked)
			}
			s.link.set(func() { s.link.fate = "" })
			s.delivered()
		})
	}
}

// testCount reads a counter of receipts.
func testCount(t testing.TB, m *metrics, result string) float64 {
	t.Helper()
	return receipts(t, &Site{m: m}, result)
}

func TestAForgedReceiptDoesNotSetTheClock(t *testing.T) {
	s := newSending(t, t.TempDir())
	s.start()
	defer s.end()
	var learnt []wim.Time
	forged, err := seal.SignReceipt(newKey(t), seal.Receipt{Site: testSite, Chain: s.journal.Chain(), Seq: 1, Epoch: 1, Time: wim.TimeOf(time.Now().Add(year))})
	if err != nil {
		t.Fatal(err)
	}
	probe := &sender{keys: s.sender.keys, log: s.sender.log, m: newMetrics(), learn: func(at wim.Time) { learnt = append(learnt, at) }}
	if _, ok := probe.verify([]byte(forged)); ok || len(learnt) != 0 {
		t.Errorf("believed: %v", learnt)
	}
}

func TestRecordsThatStayUnreadableAskForARecoveryOnce(t *testing.T) {
	s := newSending(t, t.TempDir())
	s.start()
	s.link.set(func() { s.link.fate = "refused" })
	s.append(40, 0)
	s.end()
	s.link.set(func() { s.link.fate = "" })
	var tries atomic.Int64
	s.startSpoiled(func(r *journal.Stored) error {
		if r.Seq == 20 {
			tries.Add(1)
		}
		if r.Seq >= 20 && r.Seq < 30 {
			return journal.ErrDamaged
		}
		return nil
	})
	defer s.end()
	if err := <-s.lost; !errors.Is(err, journal.ErrDamaged) {
		t.Errorf("told %v", err)
	}
	told := tries.Load()
	eventually(t, "it is tried again", func() bool { return tries.Load() > 2*told })
	if len(s.lost) != 0 {
		t.Errorf("told again: %v", <-s.lost)
	}
}

// spoiled is a journal whose disk has gone bad here and there.
type spoiled struct {
	outbox
	spoil func(r *journal.Stored) error // nil error: as spoil has left it; journal.ErrDamaged: it cannot be read
}

func (p *spoiled) After(ctx context.Context, chain wim.ChainID, seq uint64, maxRecords, maxBytes int) ([]journal.Stored, error) {
	records, err := p.outbox.After(ctx, chain, seq, maxRecords, maxBytes)
	if err != nil {
		return nil, err
	}
	kept := records[:0]
	for _, r := range records {
		switch err := p.spoil(&r); {
		case errors.Is(err, errMissing):
			if maxRecords == 1 {
				return p.After(ctx, chain, seq+1, 1, maxBytes)
			}
		case err != nil:
			return nil, err
		default:
			kept = append(kept, r)
		}
	}
	return kept, nil
}

var errMissing = errors.New("no such row")

func TestARecordThatCanNeverBeSentGoesAsATombstoneAndTheChainGoesOn(t *testing.T) {
	bad := func(seqs ...uint64) func(uint64) bool {
		return func(seq uint64) bool { return slices.Contains(seqs, seq) }
	}
	for name, tc := range map[string]struct {
		bad        func(uint64) bool
		spoil      func(r *journal.Stored) error
		tombstones []uint64
	}{
		"its bytes are damaged":       {bad(50), func(r *journal.Stored) error { r.Raw = append([]byte("x"), r.Raw[1:]...); return nil }, []uint64{50}},
		"several, each by itself":     {bad(3, 50, 90), func(r *journal.Stored) error { r.Raw = nil; return nil }, []uint64{3, 50, 90}},
		"neighbours":                  {bad(50, 51), func(r *journal.Stored) error { r.Raw = []byte("{}"); return nil }, []uint64{50, 51}},
		"the newest":                  {bad(121), func(r *journal.Stored) error { r.Raw = []byte("{}"); return nil }, []uint64{121}},
		"its page cannot be read":     {bad(50), func(*journal.Stored) error { return journal.ErrDamaged }, []uint64{50}},
		"its row is missing":          {bad(50), func(*journal.Stored) error { return errMissing }, []uint64{50}},
		"larger than a record may be": {bad(50), func(r *journal.Stored) error { r.Raw = make([]byte, seal.MaxRecord+1); return nil }, []uint64{50}},
		"only its digest is damaged":  {bad(50), func(r *journal.Stored) error { r.Digest = wim.DigestOf([]byte("x")); return nil }, nil},
		"an alert among a backlog":    {bad(100), func(r *journal.Stored) error { r.Raw = []byte("{}"); return nil }, []uint64{100}},
		"the chain start":             {bad(1), func(r *journal.Stored) error { r.Raw = []byte("{}"); return nil }, []uint64{1}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSending(t, t.TempDir())
			s.start()
			s.link.set(func() { s.link.fate = "refused" })
			s.append(98, 0)
			s.append(1, 1) // record 100 is an alert
			s.append(21, 0)
			s.end()
			s.link.set(func() { s.link.fate = "" })
			s.startSpoiled(func(r *journal.Stored) error {
				if tc.bad(r.Seq) {
					return tc.spoil(r)
				}
				return nil
			})
			defer s.end()
			eventually(t, "all is receipted", func() bool { got, _ := s.journal.Receipted(); return got == 121 })
			var stones []uint64
			s.link.fakeCenter.set(func() {
				for seq, raw := range s.link.records[s.journal.Chain()] {
					if seal.IsTombstone(raw) {
						stones = append(stones, seq)
					}
				}
			})
			slices.Sort(stones)
			if !slices.Equal(stones, tc.tombstones) {
				t.Errorf("tombstones for %v, want %v", stones, tc.tombstones)
			}
			if got := counter(t, &Site{m: s.sender.m}, "axlegate_edge_poison_total", "record"); got != float64(len(tc.tombstones)) {
				t.Errorf("%v were counted", got)
			}
		})
	}
}

// startSpoiled starts over a journal that is read through spoil.
func (s *sending) startSpoiled(spoil func(r *journal.Stored) error) {
	s.t.Helper()
	s.start()
	s.stop()
	<-s.done
	old := s.sender
	p := &spoiled{outbox: s.journal, spoil: spoil}
	s.sender = &sender{journal: p, ring: old.ring, keys: old.keys, link: s.link, site: testSite, cfg: old.cfg, learn: old.learn, damaged: func(err error) { s.lost <- err }, log: old.log, m: newMetrics(),
		receipts: old.receipts, hints: old.hints, flush: old.flush, patience: old.patience, pause: old.pause, room: uplink.MaxMessage, wide: old.wide}
	s.sender.packer = &packer{journal: p, ring: old.ring, site: testSite, log: old.log, m: s.sender.m, buried: map[uint64]bool{}}
	ctx, cancel := context.WithCancel(context.Background())
	s.stop, s.done = cancel, make(chan struct{})
	done, sender := s.done, s.sender
	s.link.set(func() { s.link.to = sender.receipt })
	go func() {
		defer close(done)
		sender.run(ctx)
	}()
}

func TestRecordsThatCannotBeReadDoNotKeepAnAlertBack(t *testing.T) {
	for name, n := range map[string]int{"far behind them": 200, "close behind them": 35} {
		t.Run(name, func(t *testing.T) { alertBehindUnreadable(t, n) })
	}
}

func alertBehindUnreadable(t *testing.T, n int) {
	t.Helper()
	s := newSending(t, t.TempDir())
	s.start()
	s.link.set(func() { s.link.fate = "refused" })
	s.append(n, 0)
	s.end()
	s.link.set(func() { s.link.fate = "" })
	whole := make(chan struct{})
	s.startSpoiled(func(r *journal.Stored) error {
		select {
		case <-whole:
			return nil
		default:
		}
		if r.Seq >= 20 && r.Seq < 30 { // too many in a row for tombstones: their digests are known to nobody
			return journal.ErrDamaged
		}
		return nil
	})
	defer s.end()
	s.append(1, 1)
	head, _ := s.journal.Head()
	eventually(t, "the alert is there", func() bool {
		s.link.fakeCenter.mu.Lock()
		defer s.link.fakeCenter.mu.Unlock()
		return s.link.records[s.journal.Chain()][head] != nil
	})
	told := func() float64 { return counter(t, &Site{m: s.sender.m}, "axlegate_edge_poison_total", "segment") }
	eventually(t, "it is told", func() bool { return told() > 0 })
	close(whole)
	s.delivered()
	if got := told(); got != 1 {
		t.Errorf("told %v times", got)
	}
}
