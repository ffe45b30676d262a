package camera

import (
	"bytes"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// Bounds of a camera.
const (
	defaultMaxBody = 8 << 20
	maxSide        = 8192 // pixels of a picture's longer side
	remembered     = 1024 // events that are kept to know a repeat
)

// Config says which camera pushes where.
type Config struct {
	Device string
	Lane   wim.LaneID
	End    wim.End
	// Secret is the last part of the camera's path, at least 16 characters: most cameras cannot sign.
	Secret  string
	MaxBody int64 // 0 means 8 MiB
	Logger  *slog.Logger
	Now     func() time.Time
}

// Validate fills in defaults and says what is wrong.
func (c *Config) Validate() error {
	if c.Device == "" || c.Lane == 0 {
		return errors.New("camera: device and lane are needed")
	}
	if c.End != wim.Front && c.End != wim.Rear {
		return fmt.Errorf("camera %s: end is %q, want front or rear", c.Device, c.End)
	}
	if len(c.Secret) < 16 || strings.ContainsAny(c.Secret, "/?#% ") {
		return fmt.Errorf("camera %s: its secret must have at least 16 characters and none of / ? #", c.Device)
	}
	if c.MaxBody < 0 {
		return fmt.Errorf("camera %s: largest body %d: want a positive number of bytes, or 0 for %d", c.Device, c.MaxBody, defaultMaxBody)
	}
	if c.MaxBody == 0 {
		c.MaxBody = defaultMaxBody
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return nil
}

// Hikvision receives the ANPR events that a camera pushes by ISAPI "HTTP listening". It is the http.Handler of
// the camera's own path. A push stored while the line was down (isDataRetransmission) is taken like any
// other; its DeviceTime tells its age.
//
// An event that was taken and comes again is acknowledged and not handed on, unless it says something else than
// before (a plate, a picture that was missing): then it is handed on under the same Event and amends the first.
type Hikvision struct {
	cfg Config
	log *slog.Logger

	mu      sync.Mutex // owns what follows
	emit    func(wim.PlateRead, []byte) bool
	handing map[string]bool       // events that emit has now
	seen    map[string]wim.Digest // events that were taken, and what they said
	order   []string              // of seen, oldest first
	health  wim.DeviceHealth

	emits sync.WaitGroup // calls of emit; added to only under mu while emit is set
}

// NewHikvision prepares a camera; it takes pushes while Run runs.
func NewHikvision(cfg Config) (*Hikvision, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Hikvision{
		cfg: cfg, log: cfg.Logger.With("device", cfg.Device), handing: map[string]bool{}, seen: map[string]wim.Digest{},
		health: wim.DeviceHealth{Device: cfg.Device, Since: wim.TimeOf(cfg.Now()), Reason: "nothing came yet; set the camera's HTTP listening to this site's address and the path with its secret"},
	}, nil
}

// Run lets the camera in until ctx ends. emit is called from the pushes' goroutines; when it answers false
// the camera is told to send again. emit is not called any more when Run has returned.
func (h *Hikvision) Run(ctx context.Context, emit func(wim.PlateRead, []byte) bool) error {
	h.mu.Lock()
	h.emit = emit
	h.mu.Unlock()
	<-ctx.Done()
	h.mu.Lock()
	h.emit = nil
	h.mu.Unlock()
	h.emits.Wait()
	return nil
}

// Health says when the camera was last heard. A camera pushes only when a vehicle passes, so silence alone
// does not make it down.
func (h *Hikvision) Health() wim.DeviceHealth {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.health
}

// Owns tells, in constant time, whether a path belongs to this camera.
func (h *Hikvision) Owns(secret string) bool {
	return subtle.ConstantTimeCompare([]byte(secret), []byte(h.cfg.Secret)) == 1
}

// ServeHTTP takes one push.
func (h *Hikvision) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost && r.Method != http.MethodPut {
		w.Header().Set("Allow", "POST, PUT")
		h.refuse(w, http.StatusMethodNotAllowed, "a camera pushes with POST")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, h.cfg.MaxBody))
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			h.refuse(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("more than %d bytes", large.Limit))
			return
		}
		h.refuse(w, http.StatusBadRequest, "the push was cut off")
		return
	}
	doc, pictures, status, err := split(r.Header.Get("Content-Type"), body)
	if err != nil {
		h.refuse(w, status, err.Error())
		return
	}
	a, err := parseAlert(doc)
	if errors.Is(err, errNotANPR) {
		h.heard()
		w.WriteHeader(http.StatusOK)
		return
	}
	if err != nil {
		h.refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	jpg := h.choose(pictures)
	var digest wim.Digest
	if jpg != nil {
		digest = wim.DigestOf(jpg)
	}
	read, whole := a.read(&h.cfg, digest, doc)
	if !whole {
		h.bad(1)
		h.log.Warn("a plate was left out, it cannot be one; the read is kept without", "characters", len(a.ANPR.Plate), "event", read.Event)
	}
	read.Arrival = wim.TimeOf(h.cfg.Now())
	if !h.hand(read, jpg) {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "the site cannot take a read now; send it again", http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusOK)
}

// hand gives a read on and remembers it when it was taken. It returns false when the camera must send it again.
func (h *Hikvision) hand(read wim.PlateRead, jpg []byte) (taken bool) {
	says := wim.DigestOf(fmt.Appendf(nil, "%q %q %d %q %s", read.Text, read.Color, read.Confidence, read.Kind, read.Picture))
	h.heard()
	h.mu.Lock()
	if before, ok := h.seen[read.Event]; ok && before == says {
		h.mu.Unlock()
		return true
	}
	emit := h.emit
	if emit == nil || h.handing[read.Event] { // what becomes of the same event's other push is not known yet
		h.mu.Unlock()
		return false
	}
	h.handing[read.Event] = true
	h.emits.Add(1)
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.handing, read.Event)
		if taken {
			h.health.Messages++
			h.remember(read.Event, says)
		}
		h.emits.Done()
	}()
	return emit(read, jpg)
}

// remember keeps an event that was taken, and forgets the oldest. The caller holds mu.
func (h *Hikvision) remember(event string, says wim.Digest) {
	if _, known := h.seen[event]; !known {
		h.order = append(h.order, event)
	}
	h.seen[event] = says
	if len(h.order) > remembered {
		delete(h.seen, h.order[0])
		h.order = h.order[1:]
	}
}

func (h *Hikvision) heard() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.health.Up {
		h.health.Up, h.health.Reason, h.health.Since = true, "", wim.TimeOf(h.cfg.Now())
	}
}

func (h *Hikvision) bad(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.health.Bad += uint64(n)
}

func (h *Hikvision) refuse(w http.ResponseWriter, status int, why string) {
	h.bad(1)
	h.log.Warn("a camera's push was refused", "status", status, "reason", why)
	http.Error(w, why, status)
}

// choose takes the overview of the whole scene where there is one, then one of the vehicle, else the largest
// that is a JPEG. Names tell pictures apart and nothing else.
func (h *Hikvision) choose(pictures []picture) []byte {
	var best []byte
	rank, bad := -1, 0
	for _, p := range pictures {
		if err := isJPEG(p.data); err != nil {
			bad++
			h.log.Warn("a picture was left out, the read is kept", "picture", p.name, "error", err)
			continue
		}
		r, name := 0, strings.ToLower(p.name)
		switch {
		case strings.Contains(name, "detection"):
			r = 2
		case strings.Contains(name, "vehicle"):
			r = 1
		}
		if r > rank || r == rank && len(p.data) > len(best) {
			best, rank = p.data, r
		}
	}
	h.bad(bad)
	return best
}

func isJPEG(b []byte) error {
	c, err := jpeg.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return fmt.Errorf("no JPEG: %w", err)
	}
	if c.Width > maxSide || c.Height > maxSide {
		return fmt.Errorf("%d by %d pixels, at most %d are taken", c.Width, c.Height, maxSide)
	}
	return nil
}
