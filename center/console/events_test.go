package console

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// message is one server-sent event.
type message struct{ event, id, data string }

// feed is an open stream.
type feed struct {
	t      *testing.T
	cancel context.CancelFunc
	body   io.ReadCloser
	lines  *bufio.Reader
	last   string
}

func (b *browser) listen(query, lastID string) *feed {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 30*time.Second)
	r := b.request(http.MethodGet, "/events"+query, nil).WithContext(ctx)
	r.Header.Set("Accept", "text/event-stream")
	if lastID != "" {
		r.Header.Set("Last-Event-ID", lastID)
	}
	res, err := b.http.Do(r) //nolint:bodyclose // the feed closes it
	if err != nil {
		cancel()
		b.Fatal(err)
	}
	f := &feed{t: b.T, cancel: cancel, body: res.Body, lines: bufio.NewReader(res.Body)}
	b.Cleanup(f.close)
	if res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		b.Fatalf("stream: %d %s", res.StatusCode, res.Header.Get("Content-Type"))
	}
	return f
}

func (f *feed) close() {
	f.cancel()
	if err := f.body.Close(); err != nil {
		f.t.Error(err)
	}
}

// next reads up to the next event; ok is false at the stream's end.
func (f *feed) next() (m message, ok bool) {
	for {
		line, err := f.lines.ReadString('\n')
		if err != nil {
			return m, false
		}
		line = strings.TrimSuffix(line, "\n")
		key, value, _ := strings.Cut(line, ": ")
		switch key {
		case "event":
			m.event = value
		case "id":
			m.id, f.last = value, value
		case "data":
			m.data = value
		case "":
			if m.event != "" {
				return m, true
			}
		}
	}
}

// until reads events of a kind until want says enough.
func (f *feed) until(event string, want func(message) bool) message {
	f.t.Helper()
	for {
		m, ok := f.next()
		if !ok {
			f.t.Fatalf("the stream ended before the %s that was waited for", event)
		}
		if m.event == event && want(m) {
			return m
		}
	}
}

func anyOf(message) bool { return true }

func TestALiveViewMissesNothingWhileItsLineIsCutAgainAndAgain(t *testing.T) {
	s := newStand(t)
	b := s.as("road")
	_, last, err := s.store.Board(t.Context(), center.Viewer{Role: center.Enforcer, Competence: wim.RoadAdministration}, 1)
	if err != nil {
		t.Fatal(err)
	}
	const writers, each = 4, 60
	var wg sync.WaitGroup
	for range writers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range each {
				s.raise()
			}
		}()
	}
	t.Cleanup(wg.Wait)
	var got []int64
	after := strconv.FormatInt(last, 10)
	f := b.listen("?after="+after, "")
	for cut := 1; len(got) < writers*each; cut++ {
		m := f.until("entry", anyOf)
		id, err := strconv.ParseInt(m.id, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, id)
		if cut%17 == 0 { // the address still says where the page began: the header must win
			f.close()
			f = b.listen("?after="+after, m.id)
		}
	}
	events, err := s.store.EventsAfter(t.Context(), center.Viewer{Role: center.Enforcer, Competence: wim.RoadAdministration}, 0, 10000)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range events {
		if got[i] != e.ID {
			t.Fatalf("event %d of the road arrived as %d, want %d: missed, repeated, out of order or another authority's", i, got[i], e.ID)
		}
	}
}

func TestAnEventCarriesTheRowAsTheServerRendersIt(t *testing.T) {
	s := newStand(t)
	b := s.as("police")
	f := b.listen("?after=0", "")
	_, police := s.raise()
	m := f.until("entry", anyOf)
	var c change
	if err := json.Unmarshal([]byte(m.data), &c); err != nil {
		t.Fatal(err)
	}
	if c.Alert != police || c.Kind != center.AlertRaised || !c.Open {
		t.Errorf("change %+v", c)
	}
	a := answer{t: t, body: c.Row}
	a.says(".row", "Suspected overload")
	if err := s.store.Acknowledge(t.Context(), center.Viewer{Login: "police", Role: center.Enforcer, Competence: wim.TrafficPolice}, police); err != nil {
		t.Fatal(err)
	}
	m = f.until("entry", func(m message) bool { return strings.Contains(m.data, string(center.AlertAcknowledged)) })
	if err := json.Unmarshal([]byte(m.data), &c); err != nil || c.Open {
		t.Errorf("change %+v, %v", c, err)
	}
}

func TestTheHeartbeatShowsTotalsAndSites(t *testing.T) {
	s := newStand(t)
	s.console.beat = time.Millisecond
	f := s.as("road").listen("?after=0", "")
	for range 3 {
		m := f.until("status", anyOf)
		var st state
		if err := json.Unmarshal([]byte(m.data), &st); err != nil {
			t.Fatal(err)
		}
		answer{t: t, body: st.HTML}.says(".site", "g107-north")
		if m.id != "" || st.Offset != 8*3600 {
			t.Errorf("status %+v with id %q", st, m.id)
		}
	}
}

func TestAViewerThatIsFarBehindLoadsThePageAnew(t *testing.T) {
	s := newStand(t)
	s.console.catch = 20
	for range 50 {
		s.raise()
	}
	b := s.as("road")
	b.listen("?after=0", "").until("reload", anyOf)
	// A store that was restored from a backup has fewer events than the viewer has seen.
	b.listen("", "100000").until("reload", anyOf)
}

func TestAStreamEndsWithItsSession(t *testing.T) {
	for name, end := range map[string]func(*stand, *browser){
		"signed out":      func(_ *stand, b *browser) { b.post("/sign-out", nil) },
		"officer removed": func(s *stand, _ *browser) { s.store.remove("road") },
		"password changed": func(s *stand, _ *browser) {
			s.store.put(center.Officer{Login: "road", Role: center.Enforcer, Competence: wim.RoadAdministration, Hash: cheapHash("new password")})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t)
			b := s.as("road")
			f := b.listen("?after=0", "")
			f.until("status", anyOf)
			end(s, b)
			s.raise()
			f.until("ended", anyOf)
			if m, ok := f.next(); ok {
				t.Errorf("after its end the stream sent %+v", m)
			}
		})
	}
}

func TestAnOfficerOfAnotherAuthorityNowLoadsThePageAnew(t *testing.T) {
	s := newStand(t)
	f := s.as("road").listen("?after=0", "")
	f.until("status", anyOf)
	s.store.put(center.Officer{Login: "road", Role: center.Enforcer, Competence: wim.TrafficPolice, Hash: cheapHash(password)})
	s.raise()
	if m, ok := f.next(); !ok || m.event != "reload" {
		t.Errorf("got %+v, want nothing but reload", m)
	}
}

func TestAViewerThatIsTooSlowIsClosed(t *testing.T) {
	s := newStand(t)
	s.console.slow = 50 * time.Millisecond
	s.console.catch = 1 << 30
	for range 4000 {
		s.store.raise(sample(wim.RoadAdministration, s.store.now(), s.jpeg))
	}
	b := s.as("road")
	var d net.Dialer
	conn, err := d.DialContext(t.Context(), "tcp", s.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := conn.(*net.TCPConn).SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(conn, "GET /events?after=0 HTTP/1.1\r\nHost: x\r\nCookie: axlegate=%s\r\n\r\n", sessionCookie(t, b)); err != nil {
		t.Fatal(err)
	}
	one := make([]byte, 1)
	if _, err := io.ReadFull(conn, one); err != nil { // it is open; from here on nothing is read
		t.Fatal(err)
	}
	waitFor(t, "the slow viewer to be closed", func() bool { return s.console.viewers.count() == 0 })
	b.get("/session").wants(http.StatusNoContent)
}

// waitFor polls until the condition holds.
func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(30 * time.Second)
	defer limit.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatal("waited in vain for " + what)
		}
	}
}

func TestTooManyStreamsOfOneOfficerAreRefused(t *testing.T) {
	s := newStand(t)
	s.console.viewers = newViewers(3, 2)
	b := s.as("road")
	b.listen("", "").until("status", anyOf)
	f := b.listen("", "")
	f.until("status", anyOf)
	if a := b.get("/events").wants(http.StatusServiceUnavailable); a.header.Get("Retry-After") == "" {
		t.Error("it is not said when to come back")
	}
	s.as("police").listen("", "").until("status", anyOf)
	f.close()
	waitFor(t, "the place to be free", func() bool { return s.console.viewers.count() == 2 })
	b.listen("", "").until("status", anyOf)
}

func TestAStoreThatFailsEndsTheStreamSoThatTheViewerSeesIt(t *testing.T) {
	s := newStand(t)
	f := s.as("road").listen("?after=0", "")
	f.until("status", anyOf)
	s.store.mu.Lock()
	s.store.broken = errBroken
	for h := range s.store.hints {
		h <- struct{}{}
	}
	s.store.mu.Unlock()
	if m, ok := f.next(); ok {
		t.Errorf("got %+v, want the end", m)
	}
}

func TestAStrangePlaceToResumeFromIsRefused(t *testing.T) {
	s := newStand(t)
	b := s.as("road")
	for _, q := range []string{"x", "-1", "99999999999999999999"} {
		b.get("/events?after=" + q).wants(http.StatusBadRequest)
	}
}
