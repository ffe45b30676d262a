package inbox

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// MaxPush bounds a push in bytes.
const MaxPush = 64 << 10

// pushes is how many pushes wait at once; more are told to come again.
const pushes = 8

// answer is what a push is answered with.
type answer struct {
	status int
	text   string
}

// push is a message on its way from a request to Run's goroutine.
type push struct {
	message []byte
	answer  chan answer
}

// Push takes messages that are pushed by HTTP POST to the path /Secret. One at a time is handed on.
type Push struct {
	Listen string // host:port
	Secret string
	TLS    *tls.Config // nil for a port on loopback, or a line of its own
	Take   Take

	Watch
}

// Run listens until ctx ends. An error is one that trying again does not mend.
func (s *Push) Run(ctx context.Context) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", s.Listen)
	if err != nil {
		return err
	}
	work := make(chan push, pushes)
	srv := &http.Server{Handler: s.handler(ctx, work), TLSConfig: s.TLS, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 8 << 10}
	served := make(chan error, 1)
	go func() {
		if s.TLS != nil {
			served <- srv.ServeTLS(l, "", "")
			return
		}
		served <- srv.Serve(l)
	}()
	s.Up()
	s.Log.Info("waits for pushes", "listen", l.Addr().String())
	for {
		select {
		case <-ctx.Done():
			err := srv.Close()
			if serr := <-served; !errors.Is(serr, http.ErrServerClosed) {
				err = errors.Join(err, serr)
			}
			return err
		case err := <-served:
			return err
		case p := <-work:
			p.answer <- s.pushed(ctx, p.message)
		}
	}
}

// handler takes pushes: 204 says that the message was taken; 400 that it cannot be read; 422 that a part of it is refused, with
// what and why in the body, and the rest taken; 503 that it should come again.
func (s *Push) handler(ctx context.Context, work chan<- push) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /"+s.Secret, func(w http.ResponseWriter, r *http.Request) {
		message, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxPush))
		if err != nil {
			s.Bad("a push is not whole or too large", err)
			http.Error(w, "not whole or too large", http.StatusRequestEntityTooLarge)
			return
		}
		p := push{message: message, answer: make(chan answer, 1)}
		select {
		case work <- p:
		default:
			http.Error(w, "busy: send it again", http.StatusServiceUnavailable)
			return
		}
		select {
		case a := <-p.answer:
			if a.text == "" {
				w.WriteHeader(a.status)
				return
			}
			http.Error(w, a.text, a.status)
		case <-r.Context().Done():
		case <-ctx.Done():
			http.Error(w, "stopping: send it again", http.StatusServiceUnavailable)
		}
	})
	return mux
}

func (s *Push) pushed(ctx context.Context, message []byte) answer {
	err := s.Take(ctx, message)
	var unreadable *Unreadable
	var refused *Refused
	switch {
	case errors.As(err, &unreadable):
		s.Bad("a push cannot be read", err)
		return answer{http.StatusBadRequest, err.Error()}
	case errors.As(err, &refused):
		return answer{http.StatusUnprocessableEntity, err.Error()}
	case err != nil:
		return answer{http.StatusServiceUnavailable, "it cannot be taken at present: send it again"}
	}
	return answer{http.StatusNoContent, ""}
}
