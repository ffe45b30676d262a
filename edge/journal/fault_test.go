package journal

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/axlegate/axlegate/wim"
)

// failing is how one step, or some in a row, go wrong.
type failing struct {
	name string
	err  error
	kept bool
	last int // how many steps in a row
}

func failings() []failing {
	return []failing{
		{"an I/O error, nothing is kept", sqlite3.IOERR_WRITE, false, 1},
		{"an I/O error, but it is kept", sqlite3.IOERR_WRITE, true, 1},
		{"the disk is full for a while", sqlite3.FULL, false, 6},
		{"the disk reports errors for a while, but keeps what it was given", sqlite3.IOERR_FSYNC, true, 6},
	}
}

// TestADiskMayFailAtEveryStep breaks each step of a scenario and lets the site try again, as its recorder does,
// until the disk is well. Whatever an append gave back must be there once, at the end and after a power cut.
func TestADiskMayFailAtEveryStep(t *testing.T) {
	every := 8 // one step in so many, each kind beginning at another; AXLEGATE_LONG takes all
	switch {
	case os.Getenv("AXLEGATE_LONG") != "":
		every = 1
	case inTurns():
		every = 32
	}
	tried, failed := 0, 0
	for i, f := range failings() {
		for k := i % every; ; k += every {
			reached, errs, err := endure(t, k, f)
			if err != nil {
				t.Fatalf("%s at step %d: %v", f.name, k, err)
			}
			if !reached {
				break
			}
			tried++
			failed += errs
		}
	}
	t.Logf("%d faults, %d calls reported one", tried, failed)
	if tried < 30 || failed < tried/2 {
		t.Error("too few faults were met: it proves nothing")
	}
}

// endure plays the scenario with a fault at step k; reached is false where the scenario ends before it.
func endure(t *testing.T, k int, f failing) (reached bool, errs int, err error) {
	t.Helper()
	path := filepath.Join(memory(t), "journal.db")
	d, e := newDisk(path, smallLog)
	healed := false
	d.breakAt(func(n int, _ step) fault {
		if healed || n < k || n >= k+f.last {
			return fault{}
		}
		reached = true
		return fault{err: f.err, kept: f.kept}
	})
	s := &stage{cfg: testConfig(path), now: time.Unix(1_790_000_000, 0), acked: map[string]bool{}}
	s.cfg.engine, s.cfg.Now = e, func() time.Time { return s.now }

	again := func(name string, do func() error) error {
		for try := 0; ; try++ {
			err := do()
			if err == nil {
				return nil
			}
			errs++
			if errors.Is(err, ErrDamaged) {
				return fmt.Errorf("%s: a fault was taken for damage: %w", name, err)
			}
			if try == 8 {
				return fmt.Errorf("%s: the disk is well again, but: %w", name, err)
			}
		}
	}
	open := func() (err error) { s.j, err = Open(t.Context(), s.cfg); return err }
	if err := again("open", open); err != nil {
		return reached, errs, err
	}
	closed := false
	defer func() {
		if !closed {
			s.j.Close() //nolint:errcheck // something else is wrong already
		}
	}()
	for _, a := range scenario() {
		if s.j.closed && a.name == "the journal is closed" {
			continue
		}
		if err := again(a.name, func() error {
			err := a.do(t.Context(), s)
			if a.name == "the journal is closed" {
				return nil // a close that fails is a close
			}
			return err
		}); err != nil {
			return reached, errs, err
		}
	}
	// The power fails now: nothing that was acknowledged may rest on what was never synced.
	rng := rand.New(rand.NewPCG(uint64(k), 4)) //nolint:gosec // which cut is made must be the same each time
	p := newPlatter()
	for _, st := range d.steps {
		p.take(st)
	}
	cutPath := filepath.Join(memory(t), "journal.db")
	write(t, cutPath, p.after(cutTorn, rng))
	healed = true
	state, err := stateOf(t.Context(), s.j)
	if err != nil {
		return reached, errs, err
	}
	closed = true
	if err := s.j.Close(); err != nil {
		return reached, errs, err
	}
	if err := whole(t.Context(), cutPath, s, ""); err != nil {
		return reached, errs, fmt.Errorf("after a power cut: %w", err)
	}
	return reached, errs, whole(t.Context(), path, s, state)
}

// whole checks that a journal holds what the stage was told it does, once each, and nothing else.
func whole(ctx context.Context, path string, s *stage, state string) (err error) {
	cfg := testConfig(path)
	cfg.Now = s.cfg.Now
	j, err := Open(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	if state != "" {
		now, err := stateOf(ctx, j)
		if err != nil {
			return err
		}
		if now != state {
			return fmt.Errorf("the file says\n%s\nthe journal said\n%s", now, state)
		}
	}
	found := map[string]bool{}
	seen := map[wim.DeviceCursor]bool{}
	rep, err := Audit(ctx, path, func(r *wim.Record, raw []byte) error {
		found[wim.DigestOf(raw).String()] = true
		if r.Passage != nil {
			if seen[r.Passage.Source] {
				return fmt.Errorf("%+v is recorded twice", r.Passage.Source)
			}
			seen[r.Passage.Source] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	pruned := 0
	for _, c := range rep.Chains {
		if c.Err != nil {
			return fmt.Errorf("chain %s: %w", c.Chain, c.Err)
		}
		pruned += int(c.Pruned)
	}
	missing := 0
	for d := range s.acked {
		if !found[d] {
			missing++
		}
	}
	if missing > pruned {
		return fmt.Errorf("%d records that were acknowledged are missing, %d were pruned", missing, pruned)
	}
	if c, ok := j.Cursor("scale-1"); !ok || int(c.Seq) != s.kept {
		return fmt.Errorf("the cursor stands at %d, %d messages were accounted for", c.Seq, s.kept)
	}
	return nil
}
