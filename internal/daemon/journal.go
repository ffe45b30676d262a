package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/axlegate/axlegate/edge"
	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/wim"
)

// reopen is how often a journal that cannot be opened is tried again.
const reopen = 5 * time.Second

// errNotOpened marks the error of a site that never ran.
var errNotOpened = errors.New("the site cannot start without its journal")

// openJournal opens a site's journal, and tries again as long as its disk is what is wrong: a site without a
// journal weighs nothing and gives no orders, and goes on by itself when the disk takes writes again. What passes
// meanwhile shows as a gap. A journal that is damaged is recovered. Anything else is an error at once.
func openJournal(ctx context.Context, reserve *journal.Reserve, cfg journal.Config, pause time.Duration, failing func(error), log *slog.Logger) (*journal.Journal, error) {
	for {
		j, err := reserve.Open(ctx, cfg)
		if errors.Is(err, journal.ErrDamaged) {
			if j, _, err = journal.Recover(ctx, cfg, err); errors.Is(err, journal.ErrFull) && reserve.GiveUp() {
				continue // a new file needs as much room as the old one
			}
		}
		if err == nil || !ofTheDisk(err) {
			return j, err
		}
		failing(err)
		log.Error("the journal cannot be opened: nothing is weighed and no order is given until its disk takes writes; it is tried again", "err", err)
		t := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			t.Stop()
			return nil, errors.Join(ctx.Err(), err)
		case <-t.C:
		}
	}
}

// recoverJournal recovers a journal that a run found damaged, whatever opening it would say: a page in its midst is
// read only when it is sent. Where it fails the journal is opened as it is, and the next run tries again.
func recoverJournal(ctx context.Context, cfg journal.Config, damage error, log *slog.Logger) {
	j, _, err := journal.Recover(ctx, cfg, damage)
	if err == nil {
		err = j.Close()
	}
	if err != nil {
		log.Error("the journal could not be recovered; it is opened as it is", "err", err)
	}
}

// ofTheDisk tells whether an error is one that the disk may heal from without a change of the configuration.
func ofTheDisk(err error) bool {
	for _, e := range []error{journal.ErrFull, journal.ErrUnwritable, syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EIO} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// door answers for a site from before its journal is open.
type door struct {
	site  wim.SiteID
	open  atomic.Pointer[http.Handler]
	fault atomic.Pointer[string]
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := d.open.Load(); h != nil {
		(*h).ServeHTTP(w, r)
		return
	}
	switch r.URL.Path {
	case "/healthz":
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Write([]byte("ok\n")) //nolint:errcheck // the client has gone
	case "/readyz":
		h := edge.Health{Site: d.site, State: edge.StateStarting}
		if why := d.fault.Load(); why != nil {
			h.State, h.Journal.Error = edge.StateFailing, *why
			h.Todo = []string{"the journal cannot be opened, nothing is weighed and no orders are given: make its disk writable or free space on it"}
		}
		b, err := json.MarshalIndent(h, "", "  ")
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusServiceUnavailable)
		w.Write(append(b, '\n')) //nolint:errcheck // the client has gone
	default:
		http.Error(w, "the site has not started yet; see /readyz", http.StatusServiceUnavailable)
	}
}

// failing says why the site cannot start.
func (d *door) failing(err error) {
	why := err.Error()
	d.fault.Store(&why)
}
