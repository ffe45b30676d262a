package board

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// events answers GET /events, a stream of server-sent events:
//
//	view    the page's live part as it is now, whenever it has changed
//	beat    nothing has changed; every few seconds
//	ended   the session is over
//
// With ?of=/passages/… it is that passage's part, with ?of=/bridges/… that scale's, else the first page's. Nothing is kept for a viewer: each is told what
// is, not what was.
func (b *Board) events(w http.ResponseWriter, r *http.Request, v visit) {
	part := func(ctx context.Context) (string, error) {
		lanes, err := b.lanes(ctx, v.words)
		if err != nil {
			return "", err
		}
		return b.render("lanes", lanes)
	}
	of := r.URL.Query().Get("of")
	if x := b.bridge(of); x != nil {
		part = func(context.Context) (string, error) {
			return b.render("weight", &bridgeView{x.Shown(), x.Name(), v.words})
		}
		of = ""
	}
	if of != "" {
		chain, n, ok := passagePath(of)
		if !ok {
			b.fail(w, r, http.StatusBadRequest, nil)
			return
		}
		part = func(ctx context.Context) (string, error) {
			a, err := b.account(ctx, v.words, chain, n)
			if err != nil {
				return "", err
			}
			return b.render("account", a)
		}
	}
	select {
	case b.viewers <- struct{}{}:
		defer func() { <-b.viewers }()
	default:
		w.Header().Set("Retry-After", "10")
		b.fail(w, r, http.StatusServiceUnavailable, nil)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("X-Accel-Buffering", "no")
	err := b.stream(r, w, part)
	// The connection may serve other requests; they must not inherit the last message's deadline.
	if derr := http.NewResponseController(w).SetWriteDeadline(time.Time{}); derr != nil && !errors.Is(derr, http.ErrNotSupported) {
		b.log.DebugContext(r.Context(), "viewer left", "error", derr)
	}
	if err != nil && r.Context().Err() == nil {
		b.log.WarnContext(r.Context(), "a live page ended", "remote", r.RemoteAddr, "error", err)
	}
}

const beat = 5 // looks without a change until a beat

func (b *Board) stream(r *http.Request, w http.ResponseWriter, part func(context.Context) (string, error)) error {
	ctx, control := r.Context(), http.NewResponseController(w)
	send := func(event, data string) error {
		if err := control.SetWriteDeadline(time.Now().Add(slow)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
		if _, err := io.WriteString(w, "event: "+event+"\ndata: "+data+"\n\n"); err != nil {
			return err
		}
		return control.Flush()
	}
	tick := time.NewTicker(look)
	defer tick.Stop()
	last, quiet := "", 0
	for {
		if _, ok := b.who(r); !ok {
			return send("ended", "{}")
		}
		now, err := part(ctx)
		if err != nil {
			return err
		}
		switch quiet++; {
		case now != last:
			data, err := json.Marshal(now)
			if err != nil {
				return fmt.Errorf("live view: %w", err)
			}
			if err := send("view", string(data)); err != nil {
				return err
			}
			last, quiet = now, 0
		case quiet >= beat:
			if err := send("beat", "{}"); err != nil {
				return err
			}
			quiet = 0
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
