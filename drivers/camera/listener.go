package camera

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
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

// Listener serves /camera/{secret}, and what lies under it.
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
	secrets := map[string]string{}
	for _, c := range cfg.Cameras {
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
	if !ok || own == nil {
		http.NotFound(w, r)
		return
	}
	own.ServeHTTP(w, r)
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
