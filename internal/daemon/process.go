package daemon

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

// Version is the version of the whole program, as records and --version name it.
const Version = "0.1.0"

// Logging is the choice of log output that every daemon offers on its command line.
type Logging struct {
	Level  slog.Level `name:"log-level" default:"info" help:"Least level that is logged: debug, info, warn or error."`
	Format string     `name:"log-format" default:"text" enum:"text,json" help:"Log as text for people or as json for collectors."`
}

// Logger writes to w as chosen.
func (l Logging) Logger(w io.Writer) *slog.Logger {
	opts := &slog.HandlerOptions{Level: l.Level}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

// Signalled returns a context that ends with the first SIGINT or SIGTERM. A second one ends the process at
// once, for an operator who will not wait for a clean shutdown.
func Signalled(parent context.Context) (context.Context, context.CancelFunc) {
	// A reader of our output that goes away must not take the shutdown with it.
	signal.Ignore(syscall.SIGPIPE)
	ctx, cancel := context.WithCancel(parent)
	ch := make(chan os.Signal, 2)
	signal.Notify(ch, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-ch:
		case <-ctx.Done():
			signal.Stop(ch)
			return
		}
		cancel()
		if s, ok := <-ch; ok {
			fmt.Fprintf(os.Stderr, "%s again: stopping at once; what was recorded is safe\n", s)
			os.Exit(130)
		}
	}()
	return ctx, func() { cancel() }
}
