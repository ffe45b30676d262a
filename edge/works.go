package edge

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// Works is all that a site judges by. One that is in use never changes: it is replaced as a whole.
type Works struct {
	Rules         Judge
	Registrations *Registrations // nil for none
	Permits       []*Permits
	Station       wim.StationMode
	HotLists      []*HotList // a plate on one is marked in the record
	Road          wim.Road
	// Purposes are the lanes' purposes where they are other than configured.
	Purposes map[wim.LaneID]wim.LanePurpose
	// Active names all parts, as it is sealed.
	Active []wim.Part
	// Serial is that of the centre's manifest that asked for it, 0 for none.
	Serial uint64
}

// heldMost bounds the rules that are held: a site changes them a few times a year.
const heldMost = 8

type heldRules struct {
	digest wim.Digest
	rules  Judge
}

// use puts w to use. The caller holds between for writing, or nothing runs yet.
func (w *works) use(next *Works) {
	w.now.Store(next)
	i := slices.IndexFunc(next.Active, func(p wim.Part) bool { return p.Kind == wim.PartRules })
	if i < 0 {
		return
	}
	digest := next.Active[i].Digest
	w.held = slices.DeleteFunc(w.held, func(h heldRules) bool { return h.digest == digest })
	if w.held = append(w.held, heldRules{digest, next.Rules}); len(w.held) > heldMost {
		w.held = slices.Delete(w.held, 0, 1)
	}
}

// former are the rules of that digest, nil where the site holds them no longer.
func (w *works) former(digest wim.Digest) Judge {
	w.between.RLock()
	defer w.between.RUnlock()
	for i := range w.held {
		if w.held[i].digest == digest {
			return w.held[i].rules
		}
	}
	return nil
}

// purpose is that of a lane.
func (w *Works) purpose(l *LaneConfig) wim.LanePurpose {
	if p, ok := w.Purposes[l.Lane]; ok {
		return p
	}
	return l.Purpose
}

// works hands the present Works to the lanes and lets them be replaced between two vehicles.
type works struct {
	now atomic.Pointer[Works]
	// between is held for reading from a vehicle's judgement until its record is with the recorder, and for
	// writing while what is judged by is replaced. So the sealed change stands behind all that was judged
	// by the old and before all that is judged by the new.
	between sync.RWMutex
	closed  bool // nothing can be recorded any more; guarded by between
	// held are the rules that were in use lately, newest last, for what is keyed of vehicles that were judged by them.
	// Guarded by between.
	held  []heldRules
	adopt sync.Mutex // one change at a time
}

// mark notes on which lists the units of a vehicle stand and which permits the drawing one has.
func (w *Works) mark(f *wim.Facts) {
	f.Station, f.Permits = w.Station, nil
	units := f.Units
	for i := range units {
		units[i].Listed = nil
		for _, h := range w.HotLists {
			if _, ok := h.Find(units[i].Plate); ok {
				units[i].Listed = append(units[i].Listed, h.name)
			}
		}
	}
	if len(units) == 0 {
		return
	}
	for _, p := range w.Permits {
		f.Permits = append(f.Permits, p.Find(units[0].Plate)...)
	}
}

// Begin says what a site that does not run yet judges by, in place of what its Config says.
func (s *Site) Begin(w *Works) {
	next := *w
	next.Purposes = maps.Clone(w.Purposes)
	next.Active = slices.SortedFunc(slices.Values(w.Active), comparePart)
	s.works.between.Lock()
	defer s.works.between.Unlock()
	s.works.use(&next)
}

// ErrNotRunning says that a site does not run: nothing was changed.
var ErrNotRunning = errors.New("edge: the site does not run; nothing was changed")

// Running tells whether the site judges vehicles now.
func (s *Site) Running() bool {
	s.works.between.RLock()
	defer s.works.between.RUnlock()
	return s.state.Load() == stateRunning && !s.works.closed
}

// Healthy tells what is wrong with what the site records, nil for nothing: since it started, records could not be
// sealed. It is asked while new works are on probation.
func (s *Site) Healthy() error {
	if n := s.recorder.poisoned.Load(); n > 0 {
		return fmt.Errorf("%d records could not be sealed", n)
	}
	return nil
}

// Signer is the key that signs now.
func (s *Site) Signer() *seal.Signer { return s.keys.signer() }

// close says that nothing can be recorded any more.
func (w *works) close() {
	w.between.Lock()
	defer w.between.Unlock()
	w.closed = true
}

// Works is what the site judges by now.
func (s *Site) Works() *Works { return s.works.now.Load() }

// Adopt replaces what the site judges by, between two vehicles of every lane, and seals that with cause and what
// changed. It returns when the record is committed, or with the error of ctx; the change holds either way,
// as the passages that follow it hold that are still in memory. Works that are refused or rolled back are sealed by
// adopting the present ones with the changes that say so.
func (s *Site) Adopt(ctx context.Context, w *Works, cause wim.ConfigurationCause, changed []wim.Change) error {
	s.works.adopt.Lock()
	defer s.works.adopt.Unlock()
	next := *w
	next.Purposes = maps.Clone(w.Purposes)
	next.Active = slices.SortedFunc(slices.Values(w.Active), comparePart)
	if changed == nil {
		changed = []wim.Change{}
	}
	committed := make(chan struct{})
	g := group{committed: committed, drafts: []journal.Draft{{
		Kind: wim.KindConfiguration, Time: wim.TimeOf(s.cfg.Now()), Clock: s.cfg.Clock(),
		Configuration: &wim.SiteConfiguration{Cause: cause, Serial: next.Serial, Active: next.Active, Changed: changed},
	}}}
	s.works.between.Lock()
	if s.state.Load() != stateRunning || s.works.closed {
		s.works.between.Unlock()
		return ErrNotRunning
	}
	s.recorder.in <- g
	s.works.use(&next)
	s.works.between.Unlock()
	select {
	case <-committed:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("edge: the change holds, but is not committed yet: %w", ctx.Err())
	}
}
