package record

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// pushes is how many pushes wait at once; more are told to come again.
const pushes = 8

// push is a message on its way from a request to Run's goroutine.
type push struct {
	message []byte
	answer  chan int // the status
}

func (s *Scale) runPush(ctx context.Context, emit func(wim.Reading)) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", s.cfg.Listen)
	if err != nil {
		return err
	}
	work := make(chan push, pushes)
	srv := &http.Server{Handler: s.handler(ctx, work), TLSConfig: s.cfg.TLS, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 8 << 10}
	served := make(chan error, 1)
	go func() {
		if s.cfg.TLS != nil {
			served <- srv.ServeTLS(l, "", "")
			return
		}
		served <- srv.Serve(l)
	}()
	s.rise(emit)
	s.log.Info("waits for the controller's pushes", "listen", l.Addr().String())
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
			p.answer <- s.pushed(ctx, p.message, emit)
		}
	}
}

// handler takes pushes: 204 says that all records are accounted for, committed or as a gap; 400 that the message cannot be
// read; 503 that it should come again.
func (s *Scale) handler(ctx context.Context, work chan<- push) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /"+s.cfg.Secret, func(w http.ResponseWriter, r *http.Request) {
		message, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxMessage))
		if err != nil {
			s.bad("a push is not whole or too large", err)
			http.Error(w, "not whole or too large", http.StatusRequestEntityTooLarge)
			return
		}
		p := push{message: message, answer: make(chan int, 1)}
		select {
		case work <- p:
		default:
			http.Error(w, "busy: send it again", http.StatusServiceUnavailable)
			return
		}
		select {
		case status := <-p.answer:
			w.WriteHeader(status)
		case <-r.Context().Done():
		case <-ctx.Done():
			http.Error(w, "stopping: send it again", http.StatusServiceUnavailable)
		}
	})
	return mux
}

func (s *Scale) pushed(ctx context.Context, message []byte, emit func(wim.Reading)) int {
	var fatal error
	err := s.cfg.Page.Decode(message, func(r Record, refused *Refusal) error {
		err := s.take(ctx, &r, refused, emit)
		var bad *Refusal
		if err != nil && !errors.As(err, &bad) && !errors.Is(err, errElsewhere) {
			fatal = err
			return err
		}
		return nil
	})
	switch {
	case fatal != nil:
		return http.StatusServiceUnavailable
	case err != nil:
		s.bad("a push cannot be read", err)
		return http.StatusBadRequest
	}
	return http.StatusNoContent
}
