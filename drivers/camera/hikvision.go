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
	"mime"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// Bounds of a push.
const (
	defaultMaxBody = 8 << 20
	maxParts       = 16
	maxPartHeader  = 4 << 10
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
type Hikvision struct {
	cfg Config
	log *slog.Logger

	mu     sync.Mutex // owns what follows
	emit   func(wim.PlateRead, []byte) bool
	seen   map[string]struct{}
	order  []string // of seen, oldest first
	health wim.DeviceHealth
}

// NewHikvision prepares a camera; it takes pushes while Run runs.
func NewHikvision(cfg Config) (*Hikvision, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Hikvision{
		cfg: cfg, log: cfg.Logger.With("device", cfg.Device), seen: map[string]struct{}{},
		health: wim.DeviceHealth{Device: cfg.Device, Since: wim.TimeOf(cfg.Now()), Reason: "nothing came yet; set the camera's HTTP listening to this site's address and the path with its secret"},
	}, nil
}

// Run lets the camera in until ctx ends. emit is called from the pushes' goroutines; when it answers false
// the camera is told to send again.
func (h *Hikvision) Run(ctx context.Context, emit func(wim.PlateRead, []byte) bool) error {
	h.mu.Lock()
	h.emit = emit
	h.mu.Unlock()
	<-ctx.Done()
	h.mu.Lock()
	h.emit = nil
	h.mu.Unlock()
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
	read := a.read(&h.cfg)
	read.Arrival = wim.TimeOf(h.cfg.Now())
	jpg := h.choose(pictures)
	if jpg != nil {
		read.Picture = wim.DigestOf(jpg)
	}
	h.hand(w, read, jpg)
}

// hand gives the read on and remembers it only when it was taken.
func (h *Hikvision) hand(w http.ResponseWriter, read wim.PlateRead, jpg []byte) {
	h.heard()
	h.mu.Lock()
	_, repeat := h.seen[read.Event]
	emit := h.emit
	h.mu.Unlock()
	if repeat {
		w.WriteHeader(http.StatusOK)
		return
	}
	if emit == nil || !emit(read, jpg) {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "the site cannot take a read now; send it again", http.StatusServiceUnavailable)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.health.Messages++
	if _, again := h.seen[read.Event]; !again {
		h.seen[read.Event] = struct{}{}
		h.order = append(h.order, read.Event)
		if len(h.order) > remembered {
			delete(h.seen, h.order[0])
			h.order = h.order[1:]
		}
	}
	w.WriteHeader(http.StatusOK)
}

func (h *Hikvision) heard() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.health.Up {
		h.health.Up, h.health.Reason, h.health.Since = true, "", wim.TimeOf(h.cfg.Now())
	}
}

func (h *Hikvision) refuse(w http.ResponseWriter, status int, why string) {
	h.mu.Lock()
	h.health.Bad++
	h.mu.Unlock()
	h.log.Warn("a camera's push was refused", "status", status, "reason", why)
	http.Error(w, why, status)
}

// choose takes the overview picture where there is one, else the largest that is a JPEG.
func (h *Hikvision) choose(pictures []picture) []byte {
	var best []byte
	bad := 0
	for _, p := range pictures {
		if err := isJPEG(p.data); err != nil {
			bad++
			h.log.Warn("a picture was left out, the read is kept", "picture", p.name, "error", err)
			continue
		}
		if strings.Contains(strings.ToLower(p.name), "detection") || strings.Contains(strings.ToLower(p.name), "vehicle") {
			best = p.data
			break
		}
		if len(p.data) > len(best) {
			best = p.data
		}
	}
	if bad > 0 {
		h.mu.Lock()
		h.health.Bad += uint64(bad)
		h.mu.Unlock()
	}
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

// picture is one part that is not the event.
type picture struct {
	name string
	data []byte
}

// split takes a push apart. Which part is what is told by its first bytes: names and even content types vary
// with firmware.
func split(contentType string, body []byte) (doc []byte, pictures []picture, status int, err error) {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil, nil, http.StatusBadRequest, fmt.Errorf("content type %q: %w", contentType, err)
	}
	switch {
	case strings.HasPrefix(media, "multipart/"):
		parts, err := cut(body, params["boundary"])
		if err != nil {
			return nil, nil, http.StatusBadRequest, err
		}
		for _, p := range parts {
			switch first := bytes.TrimLeft(p.data, " \r\n\t\ufeff"); {
			case len(first) > 0 && first[0] == '<':
				if doc == nil {
					doc = first
				}
			case len(first) > 0 && first[0] == '{':
				return nil, nil, http.StatusUnsupportedMediaType, errors.New("this camera sends JSON; set its notification to XML")
			case len(p.data) > 0:
				pictures = append(pictures, p)
			}
		}
	case strings.HasSuffix(media, "/xml"):
		doc = body
	default:
		return nil, nil, http.StatusUnsupportedMediaType, fmt.Errorf("content type %s, want multipart/form-data or application/xml", media)
	}
	if len(bytes.TrimSpace(doc)) == 0 {
		return nil, nil, http.StatusBadRequest, errors.New("the push has no event document")
	}
	return doc, pictures, 0, nil
}

// cut takes multipart apart more tolerantly than mime/multipart: blank lines around boundaries and a missing
// carriage return occur, and a part with a Content-Length is cut by it, so that a boundary inside a picture
// does no harm.
func cut(body []byte, boundary string) ([]picture, error) {
	if boundary == "" || len(boundary) > 70 {
		return nil, errors.New("multipart without a usable boundary")
	}
	mark := []byte("--" + boundary)
	var parts []picture
	at := bytes.Index(body, mark)
	if at < 0 {
		return nil, errors.New("no boundary in the push")
	}
	rest := body[at+len(mark):]
	for {
		if bytes.HasPrefix(rest, []byte("--")) {
			return parts, nil
		}
		if len(parts) == maxParts {
			return nil, fmt.Errorf("more than %d parts", maxParts)
		}
		rest = bytes.TrimLeft(rest, "\r\n")
		head, data, ok := header(rest)
		if !ok {
			return nil, errors.New("a part without an end to its header")
		}
		next := -1
		if n, err := strconv.Atoi(head.Get("Content-Length")); err == nil && n >= 0 && n <= len(data) {
			if i := bytes.Index(data[n:], mark); i >= 0 && len(bytes.TrimSpace(data[n:n+i])) == 0 {
				next = n + i
				parts = append(parts, picture{partName(head), data[:n]})
			}
		}
		if next < 0 {
			if next = bytes.Index(data, mark); next < 0 {
				return nil, errors.New("the last part is cut off")
			}
			parts = append(parts, picture{partName(head), trimBreak(data[:next])})
		}
		rest = data[next+len(mark):]
	}
}

// header reads the header lines of a part and returns what follows the empty line.
func header(b []byte) (textproto.MIMEHeader, []byte, bool) {
	h := textproto.MIMEHeader{}
	for used := 0; used < maxPartHeader; {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			return nil, nil, false
		}
		line := strings.TrimRight(string(b[:i]), "\r")
		b = b[i+1:]
		used += i + 1
		if line == "" {
			return h, b, true
		}
		if k, v, ok := strings.Cut(line, ":"); ok {
			h.Add(textproto.TrimString(k), textproto.TrimString(v))
		}
	}
	return nil, nil, false
}

func partName(h textproto.MIMEHeader) string {
	_, p, err := mime.ParseMediaType(h.Get("Content-Disposition"))
	if err != nil {
		return ""
	}
	return p["name"] + " " + p["filename"]
}

// trimBreak takes off the one line break that belongs to the boundary.
func trimBreak(b []byte) []byte {
	b = bytes.TrimSuffix(b, []byte("\n"))
	return bytes.TrimSuffix(b, []byte("\r"))
}
