package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// viewers counts the open streams, so that their number is bounded in all and for each officer.
type viewers struct {
	mu       sync.Mutex
	all, one int // limits
	open     int
	by       map[string]int
}

func newViewers(all, one int) *viewers { return &viewers{all: all, one: one, by: map[string]int{}} }

func (v *viewers) enter(login string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.open >= v.all || v.by[login] >= v.one {
		return false
	}
	v.open++
	v.by[login]++
	return true
}

func (v *viewers) leave(login string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.open--
	if v.by[login]--; v.by[login] == 0 {
		delete(v.by, login)
	}
}

func (v *viewers) count() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.open
}

// change is the data of an "entry" event: what happened, and the alert's row as it is now.
type change struct {
	Kind   center.EventKind `json:"kind"`
	Alert  int64            `json:"alert"`
	Matter int64            `json:"matter"`
	Open   bool             `json:"open"`
	Row    string           `json:"row,omitempty"` // empty when the alert is no longer there, and in a light stream
}

// state is the data of a "status" event, which is the heartbeat too.
type state struct {
	Now    int64  `json:"now"` // milliseconds since 1970
	Offset int    `json:"offset"`
	HTML   string `json:"html,omitempty"`
}

// Why a stream ends by the server's will.
var (
	errReload = errors.New("too far behind")
	errSlow   = errors.New("too slow")
)

// events answers GET /events, a stream of server-sent events:
//
//	entry   one event of the officer's competence; its id is the event's id in the store
//	status  totals, sites and the clock; every few seconds and after events, without an id
//	reload  the viewer is too far behind, or ahead of a store that was restored: load the page anew
//	ended   the session is over
//
// With ?light the entries have no rows and the status no totals: pages other than the board need only know
// what to ask for again. An auditor's stream is always light, and so is an administrator's, who is told of
// no matter at all.
//
// It resumes after the id in the header Last-Event-ID, or in ?after= on the first connection. Nothing is
// buffered for a viewer: the table is the queue, read in batches, and a viewer that does not take a message
// in time is closed and comes back with its last id.
func (c *Console) events(w http.ResponseWriter, r *http.Request, v visit) {
	after, err := resumeFrom(r)
	if err != nil {
		c.fail(w, r, http.StatusBadRequest, nil)
		return
	}
	if !c.viewers.enter(v.officer.Login) {
		w.Header().Set("Retry-After", "10")
		c.fail(w, r, http.StatusServiceUnavailable, nil)
		return
	}
	defer c.viewers.leave(v.officer.Login)
	light := v.officer.Role != center.Enforcer || r.URL.Query().Has("light")
	if !light { // what a board's stream shows is looked at
		if err := c.look(r.Context(), v, "board", "live"); err != nil {
			c.fail(w, r, http.StatusInternalServerError, err)
			return
		}
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("X-Accel-Buffering", "no")
	s := &stream{c: c, v: v, out: w, control: http.NewResponseController(w), after: after}
	s.light = light
	switch err := s.run(r.Context()); {
	case err == nil:
		// The connection may serve other requests; they must not inherit the last message's deadline.
		if err := s.control.SetWriteDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
			c.log.DebugContext(r.Context(), "viewer left", "error", err)
		}
	case r.Context().Err() != nil:
	case errors.Is(err, errSlow):
		c.log.InfoContext(r.Context(), "viewer closed", "login", v.officer.Login, "remote", r.RemoteAddr, "error", err)
		panic(http.ErrAbortHandler) // the connection is of no use any more
	default:
		c.log.ErrorContext(r.Context(), "stream failed", "login", v.officer.Login, "error", err)
	}
}

func resumeFrom(r *http.Request) (int64, error) {
	s := r.Header.Get("Last-Event-ID")
	if s == "" {
		s = r.URL.Query().Get("after")
	}
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err == nil && n < 0 {
		err = strconv.ErrRange
	}
	return n, err
}

// stream is one viewer's stream; it belongs to that request's goroutine.
type stream struct {
	c       *Console
	v       visit
	out     io.Writer
	control *http.ResponseController
	light   bool
	after   int64 // id of the last event sent
	since   int   // events sent without having reached the newest
}

func (s *stream) run(ctx context.Context) error {
	hint, cancel := s.c.cfg.Store.Changed() // before the first read: what is written from here on is hinted at
	defer cancel()
	if err := s.send(": axlegate\nretry: 2000\n\n"); err != nil {
		return err
	}
	last, err := s.c.newest(ctx, s.v)
	if err != nil {
		return err
	}
	if s.after > last {
		return s.send("event: reload\ndata: {}\n\n")
	}
	beat := time.NewTicker(s.c.beat)
	defer beat.Stop()
	for {
		again, err := s.forward(ctx)
		if errors.Is(err, errReload) {
			return s.send("event: reload\ndata: {}\n\n")
		}
		if errors.Is(err, errSignedOut) {
			return s.send("event: ended\ndata: {}\n\n")
		}
		if err != nil {
			return err
		}
		if again {
			continue
		}
		if err := s.sendStatus(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case _, ok := <-hint:
			if !ok {
				return nil // the store closes; the viewer comes back
			}
		case <-beat.C:
		}
	}
}

// forward asks again who the viewer is and sends the next batch of events.
func (s *stream) forward(ctx context.Context) (again bool, err error) {
	o, _, err := s.c.officer(ctx, s.v.token)
	if err != nil {
		return false, err
	}
	if was := &s.v.officer; o.Role != was.Role || o.Competence != was.Competence || o.Region != was.Region || o.MustChange && !was.MustChange {
		return false, errReload // the whole page is another one
	}
	s.v.officer = o
	events, err := s.c.cfg.Store.EventsAfter(ctx, o.Viewer(), s.after, s.c.batch)
	if err != nil {
		return false, fmt.Errorf("events after %d: %w", s.after, err)
	}
	for i := range events {
		if err := s.sendEvent(ctx, &events[i]); err != nil {
			return false, err
		}
		s.after = events[i].ID
	}
	if len(events) == 0 {
		s.since = 0
		return false, nil
	}
	if s.since += len(events); s.since > s.c.catch {
		return false, errReload
	}
	return true, nil
}

func (s *stream) sendEvent(ctx context.Context, ev *center.Event) error {
	d := change{Kind: ev.Kind, Alert: ev.Alert, Matter: ev.Matter}
	if s.light {
		return s.sendData("entry", strconv.FormatInt(ev.ID, 10), d)
	}
	e, err := s.c.cfg.Store.Entry(ctx, s.v.viewer(), ev.Alert)
	switch {
	case errors.Is(err, center.ErrNotFound):
	case err != nil:
		return fmt.Errorf("alert %d: %w", ev.Alert, err)
	default:
		view := s.c.view(s.v, &e, wim.TimeOf(s.c.now()))
		d.Open = view.Open()
		if d.Row, err = s.c.render("row", view); err != nil {
			return err
		}
	}
	return s.sendData("entry", strconv.FormatInt(ev.ID, 10), d)
}

func (s *stream) sendStatus(ctx context.Context) error {
	html := ""
	if !s.light {
		view, err := s.c.status(ctx, s.v)
		if err != nil {
			return err
		}
		if html, err = s.c.render("status", view); err != nil {
			return err
		}
	}
	now := s.c.now()
	_, offset := now.In(s.v.words.Zone()).Zone()
	return s.sendData("status", "", state{Now: now.UnixMilli(), Offset: offset, HTML: html})
}

func (s *stream) sendData(event, id string, data any) error {
	b, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("event %s: %w", event, err)
	}
	if id != "" {
		id = "id: " + id + "\n"
	}
	return s.send("event: " + event + "\n" + id + "data: " + string(b) + "\n\n")
}

// send writes one message within the time that a viewer has for it.
func (s *stream) send(message string) error {
	err := s.control.SetWriteDeadline(time.Now().Add(s.c.slow))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("%w: %w", errSlow, err)
	}
	if _, err := io.WriteString(s.out, message); err != nil {
		return fmt.Errorf("%w: %w", errSlow, err)
	}
	if err := s.control.Flush(); err != nil {
		return fmt.Errorf("%w: %w", errSlow, err)
	}
	return nil
}
