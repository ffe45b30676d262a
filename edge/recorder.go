package edge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

const (
	groupQueue = 256
	// maxBatch bounds how many groups one commit takes.
	maxBatch = 32
	// maxHeld bounds how many groups wait in memory for a journal that cannot be written.
	maxHeld = 512
	// retryWrite is how often a journal that could not be written is tried again.
	retryWrite = time.Second
)

// recorder is the one goroutine that writes records. It takes what the lanes hand it, writes the pictures,
// then commits as many groups as wait in one synced transaction, and hints to the sender.
//
// When the disk is full pictures are refused first, while there is still room for records; then the reserve is given
// up in steps. When the journal cannot be written all the same the site goes fail-safe: no order is given any more, what was drafted is
// held in memory up to a bound, and what passes beyond it is counted by its messages. When space returns what
// was held is committed first and then one sealed gap for each range of messages that was lost.
type recorder struct {
	journal recordKeeper
	reserve *journal.Reserve
	store   *pictureStore
	log     *slog.Logger
	m       *metrics
	now     func() time.Time
	clock   func() wim.ClockState
	in      chan group
	hint    func() // records were committed
	// noted is told of committed drafts, in order; it does not wait. nil for nobody.
	noted func([]journal.Draft)
	// damaged is told once that the journal contradicts itself and that only a new one can be written.
	damaged func(error)

	failSafe atomic.Bool
	poisoned atomic.Uint64 // drafts that could never be sealed
	reason   atomic.Pointer[error]

	// owned by the run goroutine
	tails map[string]wim.DeviceCursor // how far each device is committed or held
	held  []group
	lost  []lostRange // in order of arrival
	pause time.Duration
	room  int // how many groups held may hold
}

// recordKeeper is what the recorder asks of the journal.
type recordKeeper interface {
	// Append keeps all drafts or none, synced when it returns.
	Append(ctx context.Context, drafts []journal.Draft) ([]seal.Sealed, error)
	// Cursor is how far a device is accounted for.
	Cursor(device string) (wim.DeviceCursor, bool)
}

// lostRange is a run of a device's messages whose passages could not be written.
type lostRange struct {
	gap         wim.Gap
	passages    int
	supplements int
}

func newRecorder(c *Config, store *pictureStore, m *metrics, hint func()) *recorder {
	return &recorder{
		journal: c.Journal, reserve: c.Disk.Reserve, store: store, log: c.Logger, m: m, now: c.Now, clock: c.Clock, hint: hint, damaged: func(error) {},
		in: make(chan group, groupQueue), tails: c.Journal.Cursors(), pause: retryWrite, room: maxHeld,
	}
}

// run works until in is closed and empty. Its commits are never cut short: what was drafted before a shutdown
// is written.
func (r *recorder) run(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	retry := time.NewTicker(r.pause)
	defer retry.Stop()
	for {
		select {
		case g, ok := <-r.in:
			if !ok {
				r.finish(ctx)
				return
			}
			batch := r.more([]group{g})
			if r.failSafe.Load() {
				r.hold(batch)
			} else {
				r.commit(ctx, batch)
			}
		case <-retry.C:
			if r.failSafe.Load() {
				r.resume(ctx)
			}
		}
	}
}

// more adds what else waits, up to a batch.
func (r *recorder) more(batch []group) []group {
	for len(batch) < maxBatch {
		select {
		case g, ok := <-r.in:
			if !ok {
				return batch // run sees the closed channel again
			}
			batch = append(batch, g)
		default:
			return batch
		}
	}
	return batch
}

// commit writes a batch or turns the site fail-safe.
func (r *recorder) commit(ctx context.Context, batch []group) {
	if rest, err := r.write(ctx, batch); err != nil {
		r.fail(err)
		r.hold(rest)
	}
}

// write appends a batch in one transaction. A draft that can never be sealed is replaced and the others go on.
// With an error, rest is what was not written.
func (r *recorder) write(ctx context.Context, batch []group) (rest []group, err error) {
	r.savePictures(batch)
	for len(batch) > 0 {
		var drafts []journal.Draft
		for i := range batch {
			drafts = append(drafts, batch[i].drafts...)
		}
		began := time.Now()
		_, err := r.journal.Append(ctx, drafts)
		var bad *journal.DraftError
		switch {
		case err == nil:
			r.m.commit.Observe(time.Since(began).Seconds())
			r.m.commitRecords.Observe(float64(len(drafts)))
			for i := range batch {
				r.moveTails(batch[i])
				if r.noted != nil {
					r.noted(batch[i].drafts)
				}
				if batch[i].committed != nil {
					close(batch[i].committed)
				}
			}
			r.hint()
			return nil, nil
		case errors.As(err, &bad):
			batch = r.without(batch, bad)
		case errors.Is(err, journal.ErrFull) && r.reserve.GiveUp():
			r.log.Error("the disk is full: the site lives on its reserve and stores no pictures; free space on the disk", "left", r.reserve.Left(), "of", r.reserve.Size(), "err", err)
		default:
			return batch, err
		}
	}
	return nil, nil
}

// picturesAtOnce is how many pictures are written side by side: on a slow disk their syncs then take the time of one.
const picturesAtOnce = 8

// savePictures puts a batch's pictures on disk before the records that name them. A picture that cannot be
// written is given up, its record never.
func (r *recorder) savePictures(batch []group) {
	type fate struct {
		of   *group
		jpeg []byte
		err  error
	}
	var all []fate
	for i := range batch {
		for _, jpeg := range batch[i].jpegs {
			all = append(all, fate{of: &batch[i], jpeg: jpeg})
		}
		batch[i].jpegs = nil
	}
	if len(all) == 0 {
		return
	}
	var writers sync.WaitGroup
	next := make(chan *fate, len(all))
	for i := range all {
		next <- &all[i]
	}
	close(next)
	for range min(picturesAtOnce, len(all)) {
		writers.Go(func() {
			for f := range next {
				f.err = r.store.put(f.jpeg)
			}
		})
	}
	writers.Wait()
	err := r.store.sync()
	for _, f := range all {
		if f.err == nil {
			f.err = err
		}
		if f.err != nil {
			r.m.pictures.WithLabelValues("not-stored").Inc()
			r.log.Warn("a picture could not be stored; its record goes on without it", "err", f.err)
			stripPicture(f.of, wim.DigestOf(f.jpeg))
		}
	}
}

func stripPicture(g *group, digest wim.Digest) {
	strip := func(reads []wim.PlateRead) {
		for i := range reads {
			if reads[i].Picture == digest {
				reads[i].Picture = wim.Digest{}
			}
		}
	}
	for i := range g.drafts {
		d := &g.drafts[i]
		kept := d.Pictures[:0]
		for _, p := range d.Pictures {
			if p.Digest != digest {
				kept = append(kept, p)
			}
		}
		d.Pictures = kept
		if d.Passage != nil {
			strip(d.Passage.Reads)
		}
		if d.Supplement != nil {
			strip(d.Supplement.Reads)
		}
	}
}

// without replaces the draft that can never be sealed: a passage by a gap over its messages, so that truth
// stays records + gaps; anything else is left out.
func (r *recorder) without(batch []group, bad *journal.DraftError) []group {
	at := bad.Index
	for i := range batch {
		g := &batch[i]
		if at >= len(g.drafts) {
			at -= len(g.drafts)
			continue
		}
		d := g.drafts[at]
		r.poisoned.Add(1)
		r.m.poison.WithLabelValues(string(d.Kind)).Inc()
		r.log.Error("a record can never be sealed; report this with the log", "kind", d.Kind, "lane", d.Lane, "err", bad.Err)
		unname(d)
		drafts := append([]journal.Draft(nil), g.drafts[:at]...)
		if d.Passage != nil {
			if gap, ok := r.poisonGap(d, bad.Err); ok {
				drafts = append(drafts, gap)
			}
		}
		g.drafts = append(drafts, g.drafts[at+1:]...)
		break
	}
	kept := batch[:0]
	for _, g := range batch {
		if len(g.drafts) > 0 {
			kept = append(kept, g)
		} else if g.committed != nil {
			close(g.committed) // nobody waits for what will never come; its name stays empty
		}
	}
	return kept
}

// poisonGap stands for a passage that cannot be written. One whose message the journal already accounts for
// needs none.
func (r *recorder) poisonGap(d journal.Draft, cause error) (journal.Draft, bool) {
	src := d.Passage.Source
	if at, ok := r.journal.Cursor(src.Device); ok && at.Boot == src.Boot && src.Seq <= at.Seq {
		return journal.Draft{}, false
	}
	return journal.Draft{Kind: wim.KindGap, Lane: d.Lane, Time: d.Time, Clock: d.Clock, Cursors: d.Cursors, Gap: &wim.Gap{
		Lane: d.Lane, Device: src.Device, Cause: wim.GapDisk, Boot: src.Boot, From: src.Seq, To: src.Seq,
		Since: d.Passage.Facts.Vehicle.Start, Until: d.Passage.Facts.Vehicle.End, Detail: "the passage could not be sealed: " + shorten(cause.Error()),
	}}, true
}

func shorten(s string) string {
	const limit = 300
	if len(s) > limit {
		return s[:limit] + "…"
	}
	return s
}

// unname makes sure that a later supplement does not add to a record that was never kept.
func unname(d journal.Draft) {
	if d.Name != nil {
		*d.Name = wim.RecordRef{}
	}
}

func (r *recorder) moveTails(g group) {
	for i := range g.drafts {
		for _, c := range g.drafts[i].Cursors {
			r.tails[c.Device] = c
		}
	}
}

func (r *recorder) fail(err error) {
	r.reason.Store(&err)
	if !r.failSafe.Swap(true) {
		if errors.Is(err, journal.ErrDamaged) {
			r.damaged(err)
		}
		r.log.Error("the journal cannot be written: the site is fail-safe and gives no orders; what passes is held in memory, then counted and sealed as a gap", "do", remedy(err), "err", err)
	}
}

// hold keeps groups in memory, without pictures, as long as there is room and order allows it.
func (r *recorder) hold(batch []group) {
	for _, g := range batch {
		for _, jpeg := range g.jpegs {
			r.m.pictures.WithLabelValues("not-stored").Inc()
			stripPicture(&g, wim.DigestOf(jpeg))
		}
		g.jpegs = nil
		// What changes the ground of all that follows is never given up; there are few of them.
		if g.committed == nil && (len(r.lost) > 0 || len(r.held) >= r.room) {
			r.lose(g)
			continue
		}
		r.held = append(r.held, g)
		r.moveTails(g)
	}
	r.m.held.Set(float64(len(r.held)))
}

// lose counts a group that cannot be held by the messages it rests on.
func (r *recorder) lose(g group) {
	for _, d := range g.drafts {
		unname(d)
		if d.Supplement != nil {
			r.m.lost.WithLabelValues("supplement").Inc()
			if n := len(r.lost); n > 0 {
				r.lost[n-1].supplements++
			}
		}
		for _, c := range d.Cursors {
			l := r.rangeFor(c, d)
			if d.Passage != nil {
				r.m.lost.WithLabelValues("passage").Inc()
				l.passages++
				l.gap.Until = d.Passage.Facts.Vehicle.End
			} else if d.Gap != nil {
				l.gap.Until = d.Gap.Until
			}
			l.gap.To = c.Seq
			r.tails[c.Device] = c
		}
	}
}

// rangeFor finds the device's open range or begins one behind its tail.
func (r *recorder) rangeFor(c wim.DeviceCursor, d journal.Draft) *lostRange {
	for i := len(r.lost) - 1; i >= 0; i-- {
		if l := &r.lost[i]; l.gap.Device == c.Device {
			if l.gap.Boot == c.Boot {
				return l
			}
			break
		}
	}
	gap := wim.Gap{Lane: d.Lane, Device: c.Device, Cause: wim.GapDisk, Boot: c.Boot, From: 1}
	switch tail, ok := r.tails[c.Device]; {
	case ok && tail.Boot == c.Boot:
		gap.From = tail.Seq + 1
	case ok:
		gap.LastBoot, gap.LastSeq = tail.Boot, tail.Seq
	}
	if d.Passage != nil {
		gap.Since = d.Passage.Facts.Vehicle.Start
	} else if d.Gap != nil {
		gap.Since = d.Gap.Since
	}
	r.lost = append(r.lost, lostRange{gap: gap})
	return &r.lost[len(r.lost)-1]
}

// resume tries to write what is held, then the gaps for what was lost.
func (r *recorder) resume(ctx context.Context) {
	for len(r.held) > 0 {
		n := min(len(r.held), maxBatch)
		batch := append([]group(nil), r.held[:n]...)
		rest, err := r.write(ctx, batch)
		r.held = append(rest, r.held[n:]...)
		r.m.held.Set(float64(len(r.held)))
		if err != nil {
			r.fail(err)
			return
		}
	}
	if len(r.lost) > 0 {
		var drafts []journal.Draft
		for i := range r.lost {
			g := r.lost[i].gap
			g.Detail = fmt.Sprintf("%d passages and %d supplements could not be written: %s", r.lost[i].passages, r.lost[i].supplements, shorten((*r.reason.Load()).Error()))
			drafts = append(drafts, journal.Draft{Kind: wim.KindGap, Lane: g.Lane, Time: wim.TimeOf(r.now()), Clock: r.clock(), Gap: &g,
				Cursors: []wim.DeviceCursor{{Device: g.Device, Boot: g.Boot, Seq: g.To}}})
		}
		if _, err := r.write(ctx, []group{{drafts: drafts}}); err != nil {
			r.fail(err)
			return
		}
		for i := range r.lost {
			r.m.diskGaps.Inc()
			r.log.Warn("sealed a gap for what could not be written", "device", r.lost[i].gap.Device, "from", r.lost[i].gap.From, "to", r.lost[i].gap.To, "passages", r.lost[i].passages)
		}
		r.lost = nil
	}
	r.failSafe.Store(false)
	r.log.Info("the journal can be written again; the site gives orders again")
}

// finish is the last try at shutdown. What cannot be written is named by the gap that the next start finds.
func (r *recorder) finish(ctx context.Context) {
	if !r.failSafe.Load() {
		return
	}
	r.resume(ctx)
	if r.failSafe.Load() {
		r.log.Error("the site stops while its journal cannot be written; the next start records what is missing as gaps", "held", len(r.held), "lost ranges", len(r.lost))
	}
}
