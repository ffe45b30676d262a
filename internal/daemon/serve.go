package daemon

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"
)

// listen opens a TCP listener; an address that is taken is told with what to do.
func listen(ctx context.Context, what, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; change the address in the configuration or stop what uses it", what, err)
	}
	return l, nil
}

// warnOpen tells an operator that a page without sign-in and TLS can be reached by others.
func warnOpen(log *slog.Logger, what, addr string) {
	if !loopback(addr) {
		log.Warn("metrics and health can be read by others without sign-in; let a firewall admit only who collects them", "key", what, "address", addr)
	}
}

// loopback tells whether an address can be reached from this machine only.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// serverTLS loads a certificate for a listener; without one only loopback is allowed.
func serverTLS(what, addr, certFile, keyFile string) (*tls.Config, error) {
	if certFile == "" && keyFile == "" {
		if !loopback(addr) {
			return nil, fmt.Errorf("%s listens on %s, which others can reach: give it cert_file and key_file, or an address on 127.0.0.1", what, addr)
		}
		return nil, nil
	}
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("%s: certificate: %w", what, err)
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}, nil
}

// clientTLS trusts the authorities in a PEM file, or the system's when there is none.
func clientTLS(caFile string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile == "" {
		return c, nil
	}
	b, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("ca_file: %w", err)
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(b) {
		return nil, fmt.Errorf("ca_file %s holds no certificate in PEM form", caFile)
	}
	return c, nil
}

// serve answers HTTP until ctx ends, then lets open requests finish for a moment. Live views never finish
// by themselves, so their requests' context ends with ctx too.
func serve(ctx context.Context, l net.Listener, h http.Handler, t *tls.Config, log *slog.Logger) error {
	s := &http.Server{
		Handler: h, TLSConfig: t, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog:    slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	done := make(chan error, 1)
	go func() {
		if t != nil {
			done <- s.ServeTLS(l, "", "")
			return
		}
		done <- s.Serve(l)
	}()
	select {
	case err := <-done:
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := s.Shutdown(end); err != nil {
		err = errors.Join(err, s.Close())
		log.Warn("requests were cut off at shutdown", "listener", l.Addr().String(), "error", err)
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	}
	return nil
}
