package edge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/axlegate/axlegate/wim"
)

const (
	// keyedFor is how long a licence that staff keyed counts for further passages of the plate: a vehicle comes back
	// to be weighed again.
	keyedFor = 24 * time.Hour
	// keyedKept bounds the plates whose keyed licences are remembered; what overflows is the oldest.
	keyedKept = 1024
	// keyedUnits bounds the vehicles of a passage: a road train has a few.
	keyedUnits = 4
	// keyedMass is more than any licence says, in kilograms.
	keyedMass wim.Kg = 1_000_000
)

// Keyed is what staff read from the licences of one passage's vehicles and keyed in.
type Keyed struct {
	Of wim.RecordRef // the passage
	By string        // who keyed it: the login, as it is sealed
	// Units are the vehicles, the drawing one first. Each has a plate; one without a Registration has that which a table
	// knows, and trailers behind them that nobody keyed stay as they were read.
	Units []wim.Unit
}

// The errors of Key.
var (
	ErrKeyed      = errors.New("what was keyed cannot be meant") // wrapped with what is wrong
	ErrNoPassage  = errors.New("the site holds no such passage")
	ErrNotWritten = errors.New("the site cannot write at present")
)

// Validate tells what cannot be meant, wrapped in ErrKeyed.
func (k *Keyed) Validate() error {
	switch {
	case k.By == "":
		return fmt.Errorf("%w: nobody is named who keyed it", ErrKeyed)
	case len(k.Units) == 0 || len(k.Units) > keyedUnits:
		return fmt.Errorf("%w: want 1 to %d vehicles", ErrKeyed, keyedUnits)
	}
	for i := range k.Units {
		u := &k.Units[i]
		plate := wim.NormalisePlate(u.Plate)
		if plate == "" || utf8.RuneCountInString(plate) > 16 {
			return fmt.Errorf("%w: vehicle %d: plate %q, want 1 to 16 letters and digits", ErrKeyed, i+1, u.Plate)
		}
		if slices.ContainsFunc(k.Units[:i], func(o wim.Unit) bool { return wim.NormalisePlate(o.Plate) == plate }) {
			return fmt.Errorf("%w: vehicle %d has the plate of another", ErrKeyed, i+1)
		}
		r := u.Registration
		if r == nil {
			continue
		}
		for _, kg := range []wim.Kg{r.Kerb, r.Rated, r.Gross, r.Towed} {
			if kg < 0 || kg > keyedMass {
				return fmt.Errorf("%w: vehicle %d: a mass of %d kg", ErrKeyed, i+1, kg)
			}
		}
		if r.Kerb == 0 && r.Rated == 0 && r.Gross == 0 && r.Towed == 0 {
			return fmt.Errorf("%w: vehicle %d: a licence without any mass", ErrKeyed, i+1)
		}
		if r.Gross > 0 && r.Kerb > r.Gross {
			return fmt.Errorf("%w: vehicle %d: its kerb mass of %d kg is above its permitted gross of %d kg", ErrKeyed, i+1, r.Kerb, r.Gross)
		}
	}
	return nil
}

// Key records what staff keyed of a passage as a supplement with a verdict of its own, by the rules of the passage where
// the site still has them. It returns when that is committed. The licences count for the same plates' next passages for a
// day, or until the site restarts.
func (s *Site) Key(ctx context.Context, k Keyed) error {
	if err := k.Validate(); err != nil {
		return err
	}
	kept, err := s.passage(ctx, k.Of)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(s.lanes, func(l *lane) bool { return l.cfg.Lane == kept.Facts.Vehicle.Lane })
	if i < 0 {
		return fmt.Errorf("%w: its lane is not configured any more", ErrNoPassage)
	}
	if s.recorder.failSafe.Load() {
		return fmt.Errorf("%w: %w", ErrNotWritten, *s.recorder.reason.Load())
	}
	for j := range k.Units {
		u := &k.Units[j]
		u.Plate, u.Confidence = wim.NormalisePlate(u.Plate), wim.Permille(1000)
		if u.Registration != nil {
			r := *u.Registration
			r.Plate = u.Plate
			u.Registration, u.Kind = &r, r.Kind
		}
	}
	committed := make(chan struct{})
	select {
	case s.lanes[i].keyed <- keyedPassage{Keyed: k, kept: kept, committed: committed}:
	case <-ctx.Done():
		return ctx.Err()
	}
	s.keyed.put(k.Units, time.Now())
	select {
	case <-committed:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("edge: taken in, but not committed yet: %w", ctx.Err())
	}
}

// keyedPassage is a Keyed on its way to its lane.
type keyedPassage struct {
	Keyed

	kept      *Account
	committed chan<- struct{}
}

// key records what was keyed. A passage that the lane has forgotten is judged from what the journal holds of it.
func (l *lane) key(k *keyedPassage) {
	var p *passed
	if i := slices.IndexFunc(l.match.passed, func(p *passed) bool { return p.source == k.kept.Passage.Source }); i >= 0 {
		p = l.match.passed[i]
	} else {
		p = l.again(k.kept)
	}
	p.keyed = k.Units
	l.supply(p, wim.Supplement{Cause: wim.SupplementKeyed, By: k.By, Reads: []wim.PlateRead{}}, along{committed: k.committed})
}

// overrule gives f the vehicles as staff keyed them: they stood before them. One that they did not key stays as it was read.
// A plate that only a camera doubts is doubted no more, and a trailer that was keyed was read.
func overrule(f *wim.Facts, keyed []wim.Unit, table lookup) {
	if keyed == nil {
		return
	}
	units := slices.Clone(keyed)
	if len(f.Units) > len(units) {
		units = append(units, f.Units[len(units):]...)
	}
	f.Units = units
	for i := range keyed {
		if u := &f.Units[i]; u.Registration == nil {
			if r := table.Find(u.Plate); r != nil {
				u.Registration, u.Kind = r, r.Kind
			}
		}
	}
	f.Vehicle.Flags &^= wim.PlateUncertain
	if len(keyed) > 1 {
		f.Vehicle.Flags &^= wim.TrailerUnread
	}
}

// keyedLicences remembers what was keyed, by plate.
type keyedLicences struct {
	mu    sync.Mutex
	by    map[string]toldLicence
	order []string // oldest first
}

func (k *keyedLicences) put(units []wim.Unit, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range units {
		u := &units[i]
		if u.Registration == nil {
			continue
		}
		if _, known := k.by[u.Plate]; known {
			k.order = slices.DeleteFunc(k.order, func(p string) bool { return p == u.Plate })
		}
		if k.by == nil {
			k.by = map[string]toldLicence{}
		}
		k.by[u.Plate] = toldLicence{u.Registration, now}
		if k.order = append(k.order, u.Plate); len(k.order) > keyedKept {
			delete(k.by, k.order[0])
			k.order = slices.Delete(k.order, 0, 1)
		}
	}
}

func (k *keyedLicences) find(plate string, now time.Time) *wim.Registration {
	k.mu.Lock()
	defer k.mu.Unlock()
	t := k.by[plate]
	if t.licence == nil || now.Sub(t.at) > keyedFor {
		return nil
	}
	return t.licence
}
