package edge

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/axlegate/axlegate/wim"
)

const (
	// stepped is how far wall clock and elapsed time may part between two looks before the clock was set. A
	// time service that slews moves it by half a millisecond a second.
	stepped = 500 * time.Millisecond
	// unsettled is how long a clock that was set is not believed, whatever the kernel says of it.
	unsettled = time.Minute
	// behind is how far the system clock may lie behind the proven time before it is known to be wrong.
	behind = 10 * time.Second
	// lookEvery is how often the clock is looked at when nobody asks; saveEvery how often what is proven goes
	// to the disk, and so about how much of it a power cut costs.
	lookEvery = time.Second
	saveEvery = 10 * time.Minute
)

var started = time.Now() //nolint:gochecknoglobals // the moment that sinceStart counts from

// sinceStart is what is left where the system cannot tell the time since it booted.
func sinceStart() time.Duration { return time.Since(started) }

// TimekeeperConfig says what a Timekeeper reads. Only System is needed.
type TimekeeperConfig struct {
	// Path is the file that keeps the proven time over a restart; empty keeps it in memory.
	Path string
	// System tells how far the operating system trusts its clock.
	System func() wim.ClockState
	// Floor is a time that has certainly passed, such as that of the build; zero for none.
	Floor time.Time
	// Now is the wall clock and Elapsed the time since some fixed moment, which nobody can set; nil reads the
	// system's.
	Now     func() time.Time
	Elapsed func() time.Duration
	Logger  *slog.Logger // nil discards
}

// Timekeeper knows what a site's wall clock is worth. Nothing is ordered by time here: records go by chain,
// waits by the monotonic clock. What is left are three questions, and each has its own answer: what a record says
// of its clock (State), when a certificate or a grant is valid (Latest), and how old something is that may be
// deleted (Proven). All methods may be called from any goroutine.
type Timekeeper struct {
	cfg TimekeeperConfig

	mu     sync.Mutex
	wall   time.Time     // at the last look
	since  time.Duration // elapsed at the last look
	proven time.Time     // what a synchronised clock or the centre has said
	at     time.Duration // elapsed when it was said
	moved  time.Duration // by how much the clock was set since the start, in all
	steps  uint64
	calm   time.Duration // elapsed until which the clock is not believed
	told   bool          // that the clock lies behind
	saved  time.Time
}

// OpenTimekeeper reads the proven time. A file that cannot be read or makes no sense is said and done without:
// a site must start.
func OpenTimekeeper(cfg TimekeeperConfig) *Timekeeper {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Elapsed == nil {
		cfg.Elapsed = elapsed
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	k := &Timekeeper{cfg: cfg}
	k.wall, k.since = k.read()
	k.proven, k.at = cfg.Floor, k.since
	if cfg.Path != "" {
		switch t, err := readTime(cfg.Path); {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			cfg.Logger.Warn("the time that was last proven cannot be read; certificates are checked against the system clock until the centre answers", "err", err)
		case t.After(k.proven):
			k.proven = t
		}
	}
	k.saved = k.proven
	if k.proven.IsZero() {
		k.proven = k.wall // nothing better is known
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.weigh(cfg.System())
	return k
}

// read takes both clocks at one moment: a pause between the two readings must not look like a step.
func (k *Timekeeper) read() (wall time.Time, since time.Duration) {
	for range 8 {
		before := k.cfg.Elapsed()
		wall = k.cfg.Now().Round(0)
		since = k.cfg.Elapsed()
		if since-before < stepped/4 {
			break
		}
	}
	return wall, since
}

// look reads the clocks, under mu, and notices a step.
func (k *Timekeeper) look() {
	wall, since := k.read()
	by := wall.Sub(k.wall) - (since - k.since)
	k.wall, k.since = wall, since
	if by.Abs() < stepped {
		return
	}
	k.moved += by
	k.steps++
	k.calm = since + unsettled
	k.cfg.Logger.Warn("the system clock was set; records say so, and their order does not depend on it", "by", by.Round(time.Millisecond), "now", wall.UTC())
}

// weigh takes the system clock as proof while a time service keeps it, under mu.
func (k *Timekeeper) weigh(state wim.ClockState) {
	if state == wim.ClockSynchronised && k.since >= k.calm && k.wall.After(k.provenNow()) {
		k.proven, k.at = k.wall, k.since
	}
	late := k.provenNow().Sub(k.wall) > behind
	if late && !k.told {
		k.cfg.Logger.Error("the system clock lies behind a time that has certainly passed; certificates are checked against the later one, and no weighing is evidence until the clock is right",
			"clock", k.wall.UTC(), "proven", k.provenNow().UTC(), "file", k.cfg.Path)
	}
	k.told = late
}

func (k *Timekeeper) provenNow() time.Time { return k.proven.Add(k.since - k.at) }

// State is what a record that is written now says of its clock.
func (k *Timekeeper) State() wim.ClockState {
	state := k.cfg.System()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.look()
	k.weigh(state)
	switch {
	case k.since < k.calm:
		return wim.ClockStepped
	case state == wim.ClockSynchronised && k.told:
		return wim.ClockUnsynchronised
	}
	return state
}

// Proven is the time that a synchronised clock or the centre has said, moved on by what has elapsed since. An
// unsynchronised clock that is set forward does not move it, and it never goes back.
func (k *Timekeeper) Proven() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.look()
	return k.provenNow()
}

// Latest is the later of the system clock and the proven time: what a certificate is checked against. A dead
// clock after a power cut then does not refuse the centre, and one that was set back does not let a certificate
// live again.
func (k *Timekeeper) Latest() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.look()
	if p := k.provenNow(); p.After(k.wall) {
		return p
	}
	return k.wall
}

// Learn takes in a time that the centre has signed and that therefore has passed. While a time service keeps the
// clock it says nothing new, and a centre whose clock runs ahead must not carry the site along.
func (k *Timekeeper) Learn(t wim.Time) {
	state := k.cfg.System()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.look()
	k.weigh(state)
	if state == wim.ClockSynchronised && k.since >= k.calm && !k.told {
		return
	}
	if at := t.Std(); at.After(k.provenNow()) {
		k.proven, k.at = at, k.since
		k.weigh(state)
	}
}

// Stepped is by how much the clock was set since the start, in all: a step back counts less than zero.
func (k *Timekeeper) Stepped() time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.look()
	return k.moved
}

// Steps counts how often the clock was set since the start.
func (k *Timekeeper) Steps() uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.steps
}

// Behind is how far the system clock lies behind the proven time, 0 where it does not.
func (k *Timekeeper) Behind() time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.look()
	return max(k.provenNow().Sub(k.wall), 0)
}

// Run looks at the clock and keeps what is proven on disk until ctx ends.
func (k *Timekeeper) Run(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		k.State()
		k.save(saveEvery)
		select {
		case <-ctx.Done():
			k.save(0)
			return
		case <-tick.C:
		}
	}
}

// save writes the proven time where it has moved by more than apart since it was last written.
func (k *Timekeeper) save(apart time.Duration) {
	if k.cfg.Path == "" {
		return
	}
	k.mu.Lock()
	t, due := k.provenNow(), k.provenNow().Sub(k.saved) > apart
	if due {
		k.saved = t // also where it fails: a disk that is full is not tried every second
	}
	k.mu.Unlock()
	if !due {
		return
	}
	if err := writeTime(k.cfg.Path, t); err != nil {
		k.cfg.Logger.Warn("the proven time cannot be written; after a restart with a dead clock the centre may be refused until it is set", "err", err)
	}
}

func readTime(path string) (time.Time, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return time.Time{}, err
	}
	t, err := time.Parse(time.RFC3339, strings.TrimSpace(string(b)))
	if err != nil {
		return time.Time{}, fmt.Errorf("%s: want one time such as 2026-01-02T15:04:05Z, delete the file if it is of no use: %w", path, err)
	}
	return t, nil
}

func writeTime(path string, t time.Time) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".time-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.WriteString(t.UTC().Format(time.RFC3339) + "\n")
	if serr := f.Sync(); err == nil {
		err = serr
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
