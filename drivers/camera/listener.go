package camera

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// ListenerConfig is the one address that all cameras of a site push to.
type ListenerConfig struct {
	Listen string
	TLS    *tls.Config // nil for plain HTTP
	// AllowPlain permits plain HTTP beyond loopback, for cameras that cannot do TLS and stand on a line of
	// their own.
	AllowPlain bool
	Cameras    []*Camera
	Logger     *slog.Logger
}

// Listener serves /camera/{secret}, what lies under it, and the paths of makers whose cameras know no other, for
// cameras that show a name and a password.
type Listener struct {
	cfg ListenerConfig
}

// NewListener checks the configuration; Run listens.
func NewListener(cfg ListenerConfig) (*Listener, error) {
	host, _, err := net.SplitHostPort(cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("cameras: listen: %w", err)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	ip := net.ParseIP(host)
	if local := host == "localhost" || ip != nil && ip.IsLoopback(); !local && cfg.TLS == nil {
		if !cfg.AllowPlain {
			return nil, fmt.Errorf("cameras: %s can be reached by others and has no certificate: set cert_file and key_file, or allow_plain when the cameras stand on a line of their own", cfg.Listen)
		}
		cfg.Logger.Warn("cameras push over plain HTTP beyond this machine: whoever is on that line can read the secrets", "listen", cfg.Listen)
	}
	secrets, users := map[string]string{}, map[string]string{}
	shared := newNonces(time.Now)
	for _, c := range cfg.Cameras {
		if c.cfg.Address != "" {
			return nil, fmt.Errorf("cameras: %s is asked and does not push", c.cfg.Device)
		}
		c.nonces = shared
		for _, path := range c.dialect.fixed { // on a maker's own path the name tells cameras apart
			name := path + " " + c.cfg.Username
			if other, ok := users[name]; ok && c.cfg.Username != "" {
				return nil, fmt.Errorf("cameras: %s and %s have the same username; on %s they could not be told apart", other, c.cfg.Device, path)
			}
			users[name] = c.cfg.Device
		}
		if other, ok := secrets[c.cfg.Secret]; ok {
			return nil, fmt.Errorf("cameras: %s and %s have the same secret; a push could not be told apart", other, c.cfg.Device)
		}
		secrets[c.cfg.Secret] = c.cfg.Device
	}
	return &Listener{cfg: cfg}, nil
}

// ServeHTTP finds the camera of a path. Every camera is compared, so that the time does not tell how near a
// guess was.
func (l *Listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secret, ok := strings.CutPrefix(r.URL.Path, "/camera/")
	secret, _, _ = strings.Cut(secret, "/") // some cameras set their own path behind it
	var own *Camera
	for _, c := range l.cfg.Cameras {
		if c.Owns(secret) {
			own = c
		}
	}
	if !ok {
		if own = l.byUser(w, r); own == nil {
			return
		}
	}
	if own == nil {
		http.NotFound(w, r)
		return
	}
	own.ServeHTTP(w, r)
}

// byUser finds the camera that pushes to its maker's own path, by the name that it shows. Where it answers
// nil the request has been answered: with a challenge where a camera may push there, else with 404.
func (l *Listener) byUser(w http.ResponseWriter, r *http.Request) *Camera {
	user, ask := userOf(r), NoAuth
	for _, c := range l.cfg.Cameras {
		if c.cfg.Auth == NoAuth || !slices.Contains(c.dialect.fixed, r.URL.Path) {
			continue
		}
		if c.cfg.Username == user {
			return c
		}
		if ask != Digest {
			ask = c.cfg.Auth
		}
	}
	if ask == NoAuth {
		http.NotFound(w, r)
		return nil
	}
	w.Header().Set("WWW-Authenticate", l.cfg.Cameras[0].nonces.challenge(ask, false))
	http.Error(w, "name and password are needed", http.StatusUnauthorized)
	return nil
}

// Run listens until ctx ends and lets pushes that have begun finish.
func (l *Listener) Run(ctx context.Context) error {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", l.cfg.Listen)
	if err != nil {
		return fmt.Errorf("cameras: %w; change cameras.listen or stop what uses it", err)
	}
	return l.serve(ctx, ln)
}

// serve answers on ln until ctx ends, and closes it.
func (l *Listener) serve(ctx context.Context, ln net.Listener) error {
	s := &http.Server{
		Handler: l, TLSConfig: l.cfg.TLS, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(l.cfg.Logger.Handler(), slog.LevelDebug),
	}
	done := make(chan error, 1)
	go func() {
		if l.cfg.TLS != nil {
			done <- s.ServeTLS(ln, "", "")
			return
		}
		done <- s.Serve(ln)
	}()
	select {
	case err := <-done:
		return fmt.Errorf("cameras: %w", err)
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if err := s.Shutdown(end); err != nil {
		l.cfg.Logger.Warn("a push was cut off at shutdown; the camera will send it again", "error", errors.Join(err, s.Close()))
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("cameras: %w", err)
	}
	return nil
}
