package simulator

import (
	"bytes"
	"crypto/md5" // HTTP Digest knows nothing else
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// eventStream is the stream of events of a Hikvision camera that is asked: one endless multipart answer for each who
// asks, with an inactive alert between events.
type eventStream struct {
	user, password string
	nonce          string
	beat           time.Duration

	mu      sync.Mutex
	clients map[chan []byte]struct{} // each takes the parts of one event at a time
}

const streamPath = "/ISAPI/Event/notification/alertStream"

var errNobodyAsks = errors.New("nobody holds the stream open")

// NewAskedCamera makes a Hikvision camera that stands alone and is asked for its stream at Handler by Digest. An event
// that comes while nobody asks is kept for some seconds.
func NewAskedCamera(user, password string, lane wim.LaneID, front bool, log *slog.Logger) *Camera {
	c := newCamera("", HikvisionFormat, "north-1", lane, front, stream(1, 1), log)
	c.stream = &eventStream{user: user, password: password, nonce: strconv.FormatUint(rand.Uint64(), 16), beat: 300 * time.Millisecond, clients: map[chan []byte]struct{}{}}
	return &Camera{c}
}

// Handler answers who asks for the stream; only of a camera that is asked.
func (c *Camera) Handler() http.Handler { return c.c.stream }

// write sends one event to all who hold the stream open.
func (s *eventStream) write(form []byte) error {
	parts := bytes.TrimSuffix(form, []byte("--boundary--\r\n")) // the stream has no end
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.clients) == 0 {
		return errNobodyAsks
	}
	for c := range s.clients {
		select {
		case c <- parts:
		default:
			return errors.New("who holds the stream open reads too slowly")
		}
	}
	return nil
}

// ServeHTTP writes the stream until who asked goes away.
func (s *eventStream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != streamPath || r.Method != http.MethodGet {
		http.NotFound(w, r)
		return
	}
	if !s.known(r) {
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Digest realm="IP Camera", qop="auth", nonce="%s", opaque="", algorithm="MD5", stale="FALSE"`, s.nonce))
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	events := make(chan []byte, cameraQueue)
	s.mu.Lock()
	s.clients[events] = struct{}{}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.clients, events)
	}()
	w.Header().Set("Content-Type", "multipart/mixed; boundary=boundary")
	out := http.NewResponseController(w)
	beat := time.NewTicker(s.beat)
	defer beat.Stop()
	idle := `<EventNotificationAlert version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema"><eventType>videoloss</eventType><eventState>inactive</eventState></EventNotificationAlert>`
	for {
		if err := out.Flush(); err != nil {
			return
		}
		b := fmt.Appendf(nil, "--boundary\r\nContent-Type: application/xml; charset=\"UTF-8\"\r\nContent-Length: %d\r\n\r\n%s\r\n", len(idle), idle)
		select {
		case b = <-events:
		case <-beat.C:
		case <-r.Context().Done():
			return
		}
		if _, err := w.Write(b); err != nil {
			return
		}
	}
}

// known checks a Digest answer (RFC 2617).
func (s *eventStream) known(r *http.Request) bool {
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if scheme != "Digest" {
		return false
	}
	v := map[string]string{}
	for f := range strings.SplitSeq(rest, ",") { // no value that is expected here has a comma
		k, x, _ := strings.Cut(strings.TrimSpace(f), "=")
		v[k] = strings.Trim(x, `"`)
	}
	sum := func(parts ...string) string {
		h := md5.Sum([]byte(strings.Join(parts, ":")))
		return hex.EncodeToString(h[:])
	}
	want := sum(sum(s.user, "IP Camera", s.password), s.nonce, v["nc"], v["cnonce"], "auth", sum(r.Method, streamPath))
	return v["username"] == s.user && v["nonce"] == s.nonce && v["uri"] == streamPath && v["response"] == want
}
