package camera

import (
	"bytes"
	"context"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/axlegate/axlegate/wim"
)

// Bounds of a camera.
const (
	defaultMaxBody = 8 << 20
	maxSide        = 8192 // pixels of a picture's longer side
	remembered     = 1024 // events that are kept to know a repeat
	maxAccounts    = 8    // of one event
	// A vehicle's last account comes some ten seconds after its first; a camera needs longer to start anew and see
	// as many vehicles again.
	sameCount        = 2 * time.Minute
	defaultPerSecond = 50
	atOnce           = 4 // pushes whose bodies are held in memory at one time
)

// Config says which camera pushes where.
type Config struct {
	Device string
	Lane   wim.LaneID
	End    wim.End
	// Secret is the last part of the camera's path, at least 16 characters: most cameras cannot sign. Empty for a
	// camera that is asked.
	Secret string
	// Address is of a camera that is asked for its stream of events, as http://192.0.2.31; only Hikvision.
	Address string
	TLS     *tls.Config // towards Address
	// Auth is what a camera that pushes must show; one that is asked says itself what it wants.
	Auth               Auth
	Username, Password string
	Format             Format         // empty means Hikvision
	Zone               *time.Location // of times that the camera writes without one; nil means that they are not known
	MaxBody            int64          // 0 means 8 MiB
	// PerSecond bounds the pushes taken in a second, of which four seconds' worth may come at once; 0 means 50.
	PerSecond int
	Logger    *slog.Logger
	Now       func() time.Time
}

// Validate fills in defaults and says what is wrong.
func (c *Config) Validate() error {
	if c.Device == "" || c.Lane == 0 {
		return errors.New("camera: device and lane are needed")
	}
	if c.End != wim.Front && c.End != wim.Rear {
		return fmt.Errorf("camera %s: end is %q, want front or rear", c.Device, c.End)
	}
	if err := c.validAccess(); err != nil {
		return err
	}
	if c.Address == "" && (len(c.Secret) < 16 || strings.ContainsAny(c.Secret, "/?#% ")) {
		return fmt.Errorf("camera %s: its secret must have at least 16 characters and none of / ? #", c.Device)
	}
	if c.MaxBody < 0 {
		return fmt.Errorf("camera %s: largest body %d: want a positive number of bytes, or 0 for %d", c.Device, c.MaxBody, defaultMaxBody)
	}
	if c.MaxBody == 0 {
		c.MaxBody = defaultMaxBody
	}
	if c.PerSecond < 0 {
		return fmt.Errorf("camera %s: %d pushes a second: want a positive number, or 0 for %d", c.Device, c.PerSecond, defaultPerSecond)
	}
	if c.PerSecond == 0 {
		c.PerSecond = defaultPerSecond
	}
	if c.Format == "" {
		c.Format = Hikvision
	}
	if err := c.Format.Valid(); err != nil {
		return fmt.Errorf("camera %s: %w", c.Device, err)
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return nil
}

// validAccess says whether what the camera shows, or is shown, fits together.
func (c *Config) validAccess() error {
	switch c.Auth {
	case NoAuth, Basic, Digest:
	default:
		return fmt.Errorf("camera %s: auth is %q, want basic or digest", c.Device, c.Auth)
	}
	if c.Address == "" {
		if (c.Auth == NoAuth) != (c.Username == "") || (c.Auth == NoAuth) != (c.Password == "") {
			return fmt.Errorf("camera %s: auth, a username and a password go together", c.Device)
		}
		return nil
	}
	u, err := url.Parse(c.Address)
	switch {
	case c.Format != "" && c.Format != Hikvision:
		return fmt.Errorf("camera %s: only hikvision cameras can be asked; let it push, without an address", c.Device)
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil:
		return fmt.Errorf("camera %s: address %q: write it as http://192.0.2.31", c.Device, c.Address)
	case c.Secret != "" || c.Auth != NoAuth:
		return fmt.Errorf("camera %s: a camera that is asked has no secret path and no auth of ours", c.Device)
	}
	return nil
}

// Camera receives what one camera pushes, or reads the stream of one that is asked. It is the http.Handler of the
// camera's own path.
//
// An event that was taken and comes again is acknowledged and not handed on, unless it says something else than
// before (a plate, a picture that was missing): then it is handed on under the same Event and amends the first.
// Events may come in any order: each stands at its own time.
type Camera struct {
	cfg     Config
	log     *slog.Logger
	dialect dialect
	limit   *rate.Limiter
	bodies  chan struct{} // one token for each push that is read
	nonces  *nonces
	idle    time.Duration // after which a silent stream is opened again

	mu      sync.Mutex // owns what follows
	emit    func(wim.PlateRead, []byte) bool
	handing map[string]bool         // events that emit has now
	seen    map[string][]wim.Digest // events that were taken, and what they said
	order   []string                // of seen, oldest first
	counts  map[string]count        // of cameras whose ids begin anew
	health  wim.DeviceHealth

	emits sync.WaitGroup // calls of emit; added to only under mu while emit is set
}

// count is the vehicle that a counting id stands for just now.
type count struct {
	last wim.Time // of the latest account, by the site's clock
	name string
}

// New prepares a camera; it takes pushes while Run runs.
func New(cfg Config) (*Camera, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	d, err := cfg.Format.dialect()
	if err != nil {
		return nil, err
	}
	reason := "nothing came yet; set the camera to push to this site's address and the path with its secret"
	if cfg.Address != "" {
		reason = "not reached yet: " + cfg.Address
	}
	return &Camera{
		cfg: cfg, dialect: d, log: cfg.Logger.With("device", cfg.Device), handing: map[string]bool{}, seen: map[string][]wim.Digest{}, counts: map[string]count{},
		limit: rate.NewLimiter(rate.Limit(cfg.PerSecond), 4*cfg.PerSecond), bodies: make(chan struct{}, atOnce),
		nonces: newNonces(cfg.Now), idle: streamIdle,
		health: wim.DeviceHealth{Device: cfg.Device, Since: wim.TimeOf(cfg.Now()), Reason: reason},
	}, nil
}

// Run lets the camera in until ctx ends. emit is called from the pushes' goroutines; when it answers false
// the camera is told to send again. emit is not called any more when Run has returned.
func (c *Camera) Run(ctx context.Context, emit func(wim.PlateRead, []byte) bool) error {
	c.mu.Lock()
	c.emit = emit
	c.mu.Unlock()
	if c.cfg.Address != "" {
		c.pull(ctx)
	} else {
		<-ctx.Done()
	}
	c.mu.Lock()
	c.emit = nil
	c.mu.Unlock()
	c.emits.Wait()
	return nil
}

// Health says when the camera was last heard. A camera pushes only when a vehicle passes, so silence alone
// does not make it down.
func (c *Camera) Health() wim.DeviceHealth {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.health
}

// Owns tells, in constant time, whether a path belongs to this camera.
func (c *Camera) Owns(secret string) bool {
	return c.cfg.Address == "" && subtle.ConstantTimeCompare([]byte(secret), []byte(c.cfg.Secret)) == 1
}

// ServeHTTP takes one push.
func (c *Camera) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost && r.Method != http.MethodPut {
		w.Header().Set("Allow", "POST, PUT")
		c.refuse(w, http.StatusMethodNotAllowed, "a camera pushes with POST")
		return
	}
	if ok, challenge := c.nonces.admitted(r, c.cfg.Auth, c.cfg.Username, c.cfg.Password); !ok {
		w.Header().Set("WWW-Authenticate", challenge)
		http.Error(w, "name and password are needed", http.StatusUnauthorized)
		return
	}
	if !c.limit.AllowN(c.cfg.Now(), 1) {
		w.Header().Set("Retry-After", "1")
		c.refuse(w, http.StatusTooManyRequests, fmt.Sprintf("more than %d pushes a second", c.cfg.PerSecond))
		return
	}
	select {
	case c.bodies <- struct{}{}:
		defer func() { <-c.bodies }()
	default:
		c.later(w)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, c.cfg.MaxBody))
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			c.refuse(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("more than %d bytes", large.Limit))
			return
		}
		c.refuse(w, http.StatusBadRequest, "the push was cut off")
		return
	}
	events, err := c.dialect.decode(r.Header.Get("Content-Type"), body, c.cfg.Zone)
	if err != nil {
		c.refuse(w, statusOf(err), err.Error())
		return
	}
	if !c.take(events) {
		c.later(w)
		return
	}
	if c.dialect.answer != "" {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, c.dialect.answer) //nolint:errcheck // a camera that did not hear it sends again
	}
}

func (c *Camera) later(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	http.Error(w, "the site cannot take a read now; send it again", http.StatusServiceUnavailable)
}

// take hands on what one push or one part of a stream says. It returns false when the camera must send it again.
func (c *Camera) take(events []event) bool {
	c.heard()
	taken := true
	for i := range events {
		e := &events[i]
		jpg := c.choose(e.pictures)
		var digest wim.Digest
		if jpg != nil {
			digest = wim.DigestOf(jpg)
		}
		arrival := wim.TimeOf(c.cfg.Now())
		if e.counts {
			e.id = c.counted(e, arrival)
		}
		read, whole := e.read(&c.cfg, digest)
		if !whole {
			c.bad(1)
			c.log.Warn("a plate was left out, it cannot be one; the read is kept without", "characters", len(e.plate), "event", read.Event)
		}
		read.Arrival = arrival
		taken = c.hand(read, jpg) && taken
	}
	return taken
}

// counted names the vehicle that a counting id stands for: the one that had it lately, else a new one.
func (c *Camera) counted(e *event, now wim.Time) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, known := c.counts[e.id]
	if !known || time.Duration(now-n.last).Abs() > sameCount {
		for id, old := range c.counts {
			if time.Duration(now-old.last).Abs() > sameCount {
				delete(c.counts, id)
			}
		}
		n.name = e.id + "@" + wim.DigestOf([]byte(e.stamp+"|"+now.String())).Short()
	}
	n.last = now
	if known || len(c.counts) < remembered {
		c.counts[e.id] = n
	}
	return n.name
}

// hand gives a read on and remembers it when it was taken. It returns false when the camera must send it again.
func (c *Camera) hand(read wim.PlateRead, jpg []byte) (taken bool) {
	says := wim.DigestOf(fmt.Appendf(nil, "%q %q %d %q %s", read.Text, read.Color, read.Confidence, read.Kind, read.Picture))
	c.heard()
	c.mu.Lock()
	if slices.Contains(c.seen[read.Event], says) {
		c.mu.Unlock()
		return true
	}
	emit := c.emit
	if emit == nil || c.handing[read.Event] { // what becomes of the same event's other push is not known yet
		c.mu.Unlock()
		return false
	}
	c.handing[read.Event] = true
	c.emits.Add(1)
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.handing, read.Event)
		if taken {
			c.health.Messages++
			c.remember(read.Event, says)
		}
		c.emits.Done()
	}()
	return emit(read, jpg)
}

// remember keeps an event that was taken, and forgets the oldest. The caller holds mu.
func (c *Camera) remember(event string, says wim.Digest) {
	if _, known := c.seen[event]; !known {
		c.order = append(c.order, event)
	}
	if n := len(c.seen[event]); n == maxAccounts { // a camera that goes on changing its mind
		c.seen[event] = slices.Delete(c.seen[event], 0, 1)
	}
	c.seen[event] = append(c.seen[event], says)
	if len(c.order) > remembered {
		delete(c.seen, c.order[0])
		c.order = c.order[1:]
	}
}

func (c *Camera) heard() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.health.Up {
		c.health.Up, c.health.Reason, c.health.Since = true, "", wim.TimeOf(c.cfg.Now())
	}
}

func (c *Camera) bad(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.health.Bad += uint64(n)
}

func (c *Camera) refuse(w http.ResponseWriter, status int, why string) {
	c.bad(1)
	c.log.Warn("a camera's push was refused", "status", status, "reason", why)
	http.Error(w, why, status)
}

// choose takes the picture that is kept, and counts and names those that are none.
func (c *Camera) choose(pictures []picture) []byte {
	best, none := chosen(pictures)
	for _, why := range none {
		c.log.Warn("a picture was left out, the read is kept", "reason", why)
	}
	c.bad(len(none))
	return best
}

// chosen takes the overview of the whole scene where there is one, then one of the vehicle, else the largest
// that is a JPEG. Names tell pictures apart and nothing else. none says of each other part why it is no picture.
func chosen(pictures []picture) (best []byte, none []string) {
	rank := -1
	for _, p := range pictures {
		if err := isJPEG(p.data); err != nil {
			none = append(none, fmt.Sprintf("%q: %v", p.name, err))
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
	return best, none
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
