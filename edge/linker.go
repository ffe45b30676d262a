package edge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/wim"
)

// Bounds of a linker. What overflows is the oldest.
const (
	maxLinkable = 4096 // passages that a transaction may still belong to
	maxUnlinked = 512  // transactions that wait for their passage
	// behindTime is how long after its window a transaction still waits: a ring scale may tell of a passage late.
	behindTime = 10 * time.Minute
	linkTick   = time.Second
)

// ErrTransaction is wrapped in the error of a transaction that can never be recorded.
var ErrTransaction = errors.New("the transaction cannot be meant")

// linkable is a committed passage as a transaction may be found to belong to it.
type linkable struct {
	ref    wim.RecordRef
	at     wim.Time // its end
	gross  wim.Kg
	axles  int
	plates []linkablePlate // the drawing vehicle's first, where it was read
}

type linkablePlate struct {
	text  string
	color wim.PlateColor
}

func (p *linkable) learn(f *wim.Facts, reads []wim.PlateRead) {
	p.at, p.gross, p.axles = f.Vehicle.End, f.Vehicle.Gross, len(f.Vehicle.Axles)
	add := func(text string, color wim.PlateColor) {
		i := slices.IndexFunc(p.plates, func(x linkablePlate) bool { return x.text == text })
		switch {
		case text == "":
		case i < 0:
			p.plates = append(p.plates, linkablePlate{text, color})
		case p.plates[i].color == "":
			p.plates[i].color = color
		}
	}
	for i := range f.Units {
		add(f.Units[i].Plate, f.Units[i].Color)
	}
	for i := range reads {
		add(reads[i].Text, reads[i].Color)
	}
}

// like is the plate for which the passage may be one of the transaction's vehicle, nil for none: its very own before one that may be
// it misread, which counts only where alike says so.
func (p *linkable) like(y *SystemConfig, t *wim.Transaction, alike bool) (found *linkablePlate) {
	if d := t.Time - p.at; d > wim.Time(y.Before) || -d > wim.Time(y.After) {
		return nil
	}
	sameAxles := t.Axles > 0 && int(t.Axles) == p.axles
	for i := range p.plates {
		x := &p.plates[i]
		switch {
		case t.Color != "" && x.color != "" && t.Color != x.color && !sameAxles:
		case x.bears(t):
			return x
		case alike && sameAxles && wim.AlikePlates(x.text, t.Plate):
			found = x
		}
	}
	return found
}

// bears tells whether it is the transaction's plate, or its trailer's where that is all there is.
func (x *linkablePlate) bears(t *wim.Transaction) bool {
	return x.text == t.Plate || t.Plate == "" && x.text == t.Trailer
}

// unlinked is a recorded transaction that waits for its passage.
type unlinked struct {
	t     wim.Transaction
	first wim.RecordRef
	over  bool // it was looked at after its window was over
	again bool // its link could not be recorded
}

// expected is a vehicle that was directed to a system's scale.
type expected struct {
	system string
	of     *linkable
	until  wim.Time
}

// linker records what toll and checkpoint systems say and finds the passages that it belongs to.
//
// A transaction belongs to the passage within its system's window that bears its plate, the nearest in time where several do. A plate
// that is only a look-alike does when the window is over and there is just one such vehicle, with as many axles as the transaction
// says. Where colours contradict each other the numbers of axles must agree: blue and yellow plates may have one text. Without a
// plate nothing is linked. What was linked stays so.
type linker struct {
	site    *Config
	log     *slog.Logger
	m       *metrics
	groups  chan<- group
	asleep  func() bool // the journal cannot be written
	systems map[string]*SystemConfig

	taking sync.Mutex // one transaction at a time

	mu       sync.Mutex
	passages []*linkable // oldest first, in order of commit
	waiting  []*unlinked // oldest first
	expected []*expected // oldest first
	fresh    []*linkable // that came, or learned a plate, since settle looked last

	// sending is held by who sends to groups; shut says that the site stops and nothing may be sent.
	sending sync.RWMutex
	shut    bool
}

func newLinker(c *Config, m *metrics, groups chan<- group, asleep func() bool) *linker {
	l := &linker{site: c, log: c.Logger.With("part", "linker"), m: m, groups: groups, asleep: asleep, systems: map[string]*SystemConfig{}}
	for i := range c.Systems {
		l.systems[c.Systems[i].System] = &c.Systems[i]
	}
	return l
}

// close returns when nothing is on its way to the recorder any more; what comes later is refused.
func (l *linker) close() {
	l.sending.Lock()
	defer l.sending.Unlock()
	l.shut = true
}

// commit writes a transaction and returns when it is committed, with its name.
func (l *linker) commit(ctx context.Context, t *wim.Transaction) (wim.RecordRef, error) {
	committed := make(chan struct{})
	name := new(wim.RecordRef)
	g := group{committed: committed, drafts: []journal.Draft{{Kind: wim.KindTransaction, Time: wim.TimeOf(l.site.Now()), Clock: l.site.Clock(), Transaction: t, Name: name}}}
	l.sending.RLock()
	if l.shut || l.asleep() {
		l.sending.RUnlock()
		return wim.RecordRef{}, ErrNotWritten
	}
	select {
	case l.groups <- g:
		l.sending.RUnlock()
	case <-ctx.Done():
		l.sending.RUnlock()
		return wim.RecordRef{}, ctx.Err()
	}
	select {
	case <-committed:
	case <-ctx.Done():
		return wim.RecordRef{}, ctx.Err() // whether it is kept is told by its name when it comes again
	}
	if name.Seq == 0 {
		return wim.RecordRef{}, fmt.Errorf("%w: it can never be sealed", ErrTransaction)
	}
	return *name, nil
}

// take records a transaction of the system, as Transactions' take.
func (l *linker) take(ctx context.Context, y *SystemConfig, t wim.Transaction) error {
	l.taking.Lock()
	defer l.taking.Unlock()
	now := wim.TimeOf(l.site.Now())
	t.System, t.Arrival, t.Link = y.System, now, nil
	t.Plate, t.Trailer = wim.NormalisePlate(t.Plate), wim.NormalisePlate(t.Trailer)
	count := func(result string) { l.m.transactions.WithLabelValues(y.System, result).Inc() }
	if err := t.Valid(); err != nil || t.Type == wim.TransactionNoShow {
		err = cmp.Or(err, errors.New("a no-show is told by the site alone"))
		count("refused")
		return fmt.Errorf("%w: %w", ErrTransaction, err)
	}
	known, err := l.site.Journal.Knows(ctx, y.System, t.ID)
	if err != nil {
		return err
	}
	if known {
		count("repeated")
		return nil
	}
	t.Link = l.find(y, &t, now)
	name, err := l.commit(ctx, &t)
	if err != nil {
		return err
	}
	count("committed")
	l.mu.Lock()
	defer l.mu.Unlock()
	l.came(&t)
	if t.Link != nil {
		count("linked")
		return nil
	}
	l.wait(&unlinked{t: t, first: name})
	return nil
}

// wait keeps a transaction until its passage comes, under mu.
func (l *linker) wait(u *unlinked) {
	if l.waiting = append(l.waiting, u); len(l.waiting) > maxUnlinked {
		l.waiting = slices.Delete(l.waiting, 0, 1)
	}
}

// find tells which passage a transaction belongs to, nil while that is not known.
func (l *linker) find(y *SystemConfig, t *wim.Transaction, now wim.Time) *wim.Link {
	l.mu.Lock()
	defer l.mu.Unlock()
	var best, alike *linkable
	var how, alikeHow *linkablePlate
	alikes := 0
	over := windowOver(y, t, now) // before, the very plate may still come
	for _, p := range l.passages {
		switch x := p.like(y, t, over); {
		case x == nil:
		case !x.bears(t):
			alike, alikeHow, alikes = p, x, alikes+1
		case best == nil || abs(t.Time-p.at) < abs(t.Time-best.at):
			best, how = p, x
		}
	}
	ground := wim.SamePlate
	if best == nil && alikes == 1 {
		best, how, ground = alike, alikeHow, wim.LookAlikePlate
	}
	if best == nil {
		return nil
	}
	link := &wim.Link{Of: best.ref, Grounds: []wim.LinkGround{ground}}
	if t.Color != "" && t.Color == how.color {
		link.Grounds = append(link.Grounds, wim.SameColor)
	}
	if t.Axles > 0 && int(t.Axles) == best.axles {
		link.Grounds = append(link.Grounds, wim.SameAxles)
	}
	plate := how.text
	if t.Plate == "" {
		plate = "" // it was found by its trailer
	}
	link.Differences = t.Compare(best.gross, best.axles, plate, how.color, y.Tolerance)
	return link
}

// windowOver tells that no passage can come any more that a transaction may belong to, but one that is told late.
func windowOver(y *SystemConfig, t *wim.Transaction, now wim.Time) bool {
	return now > t.Time.Add(y.After+linkTick)
}

func abs(t wim.Time) wim.Time { return max(t, -t) }

// noted learns from committed drafts, as recorder.noted.
func (l *linker) noted(drafts []journal.Draft) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range drafts {
		switch d := &drafts[i]; {
		case d.Passage != nil && d.Name != nil:
			l.passed(*d.Name, d.Passage)
		case d.Supplement != nil && d.Of != nil:
			l.supplied(*d.Of, &d.Supplement.Facts, d.Supplement.Reads)
		}
	}
}

func (l *linker) passed(ref wim.RecordRef, passage *wim.Passage) {
	p := &linkable{ref: ref}
	p.learn(&passage.Facts, passage.Reads)
	for _, y := range l.systems {
		if passage.Order == wim.OrderEnter && y.Arrival > 0 {
			l.expected = append(l.expected, &expected{y.System, p, p.at.Add(y.Arrival)})
		}
	}
	if len(l.expected) > maxUnlinked {
		l.expected = slices.Delete(l.expected, 0, 1)
	}
	if l.passages = append(l.passages, p); len(l.passages) > maxLinkable {
		l.passages = slices.Delete(l.passages, 0, 1)
	}
	l.fresh = append(l.fresh, p)
}

func (l *linker) supplied(of wim.RecordRef, f *wim.Facts, reads []wim.PlateRead) {
	for _, p := range slices.Backward(l.passages) {
		if p.ref == of {
			p.learn(f, reads)
			l.fresh = append(l.fresh, p)
			return
		}
	}
}

// recall loads what a restart must not forget.
func (l *linker) recall(ctx context.Context, lanes []*lane) error {
	if len(l.systems) == 0 {
		return nil
	}
	since := wim.TimeOf(l.site.Now().Add(-maxApart))
	var kept []journal.Kept
	for _, lane := range lanes {
		of, err := l.site.Journal.Recent(ctx, lane.cfg.Lane, since, maxLinkable)
		if err != nil {
			return err
		}
		kept = append(kept, of...)
	}
	slices.SortFunc(kept, func(a, b journal.Kept) int { return int(a.Ref.Seq) - int(b.Ref.Seq) })
	told, err := l.site.Journal.Transactions(ctx, since, 2*maxUnlinked)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range kept {
		switch r := k.Record; {
		case r.Passage != nil:
			l.passed(k.Ref, r.Passage)
		case r.Supplement != nil:
			l.supplied(r.Supplement.Of, &r.Supplement.Facts, r.Supplement.Reads)
		}
	}
	// Who should have come long ago was watched then, or nobody asked for it.
	now := wim.TimeOf(l.site.Now())
	l.expected = slices.DeleteFunc(l.expected, func(e *expected) bool { return now > e.until.Add(behindTime) })
	for _, k := range told {
		t := k.Record.Transaction
		l.came(t)
		if t.Link == nil {
			l.wait(&unlinked{t: *t, first: k.Ref})
			continue
		}
		l.waiting = slices.DeleteFunc(l.waiting, func(u *unlinked) bool { return t.Link.First != nil && u.first == *t.Link.First })
	}
	return nil
}

// run links what waits when passages come, until ctx ends.
func (l *linker) run(ctx context.Context) {
	tick := time.NewTicker(linkTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			l.settle(ctx)
			l.missing(ctx)
		}
	}
}

// came takes note that an expected vehicle was weighed, or that it is told already that it was not, under mu.
func (l *linker) came(t *wim.Transaction) {
	if t.Link == nil || t.Type != wim.TransactionWeighing && t.Type != wim.TransactionNoShow {
		return
	}
	l.expected = slices.DeleteFunc(l.expected, func(e *expected) bool { return e.system == t.System && e.of.ref == t.Link.Of })
}

// missing records which expected vehicles did not come. One whose plate nobody read is left out: no weighing could be known for its own.
func (l *linker) missing(ctx context.Context) {
	now := wim.TimeOf(l.site.Now())
	l.mu.Lock()
	var over []*expected
	l.expected = slices.DeleteFunc(l.expected, func(e *expected) bool {
		if now <= e.until {
			return false
		}
		if len(e.of.plates) > 0 {
			over = append(over, e)
		}
		return true
	})
	l.mu.Unlock()
	for _, e := range over {
		t := wim.Transaction{System: e.system, ID: wim.NoShowOf(e.of.ref), Type: wim.TransactionNoShow, Time: e.until, Arrival: now,
			Plate: e.of.plates[0].text, Color: e.of.plates[0].color, Link: &wim.Link{Of: e.of.ref, Grounds: []wim.LinkGround{wim.Directed}}}
		known, err := l.site.Journal.Knows(ctx, t.System, t.ID)
		if err == nil && !known {
			_, err = l.commit(ctx, &t)
		}
		if err != nil { // tried again
			l.mu.Lock()
			l.expected = append(l.expected, e)
			l.mu.Unlock()
			continue
		}
		if !known {
			l.m.transactions.WithLabelValues(t.System, "no-show").Inc()
		}
	}
}

// settle looks at all that waits again.
func (l *linker) settle(ctx context.Context) {
	now := wim.TimeOf(l.site.Now())
	l.mu.Lock()
	var look []*unlinked
	for _, u := range l.waiting {
		y := l.systems[u.t.System]
		if y == nil {
			continue
		}
		// When the window is over look-alikes count too; else there is nothing new but in fresh passages.
		over := windowOver(y, &u.t, now)
		if u.again || over && !u.over || slices.ContainsFunc(l.fresh, func(p *linkable) bool { return p.like(y, &u.t, over) != nil }) {
			look = append(look, u)
		}
		u.over, u.again = over, false
	}
	l.fresh = nil
	l.mu.Unlock()
	for i, u := range look {
		t := u.t
		t.Link = l.find(l.systems[t.System], &t, now)
		if t.Link == nil {
			continue
		}
		t.Link.First = &u.first
		if _, err := l.commit(ctx, &t); err != nil {
			l.mu.Lock()
			for _, u := range look[i:] {
				u.again = true
			}
			l.mu.Unlock()
			if ctx.Err() == nil {
				l.log.Warn("a link could not be recorded and is tried again", "system", t.System, "id", t.ID, "err", err)
			}
			return
		}
		l.m.transactions.WithLabelValues(t.System, "linked").Inc()
		l.mu.Lock()
		l.came(&t)
		l.waiting = slices.DeleteFunc(l.waiting, func(w *unlinked) bool { return w == u })
		l.mu.Unlock()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = slices.DeleteFunc(l.waiting, func(u *unlinked) bool {
		y := l.systems[u.t.System]
		return y == nil || now > max(u.t.Time, u.t.Arrival).Add(y.After+behindTime)
	})
}
