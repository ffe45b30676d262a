package inbox

import (
	"context"
	"log/slog"
	"time"
)

// Take takes one message in and returns when it is durably accounted for. The error is an *Unreadable or a *Refused, which are
// final; any other says that the message may be handed over again later.
type Take func(ctx context.Context, message []byte) error

// Unreadable says that a message as a whole cannot be read, so that nothing of it was taken.
type Unreadable struct{ Err error }

// Error says why.
func (u *Unreadable) Error() string { return u.Err.Error() }

// Unwrap gives why.
func (u *Unreadable) Unwrap() error { return u.Err }

// Refused says that a part of a message, or all, can never be taken; the rest was.
type Refused struct{ Err error }

// Error says what and why.
func (r *Refused) Error() string { return r.Err.Error() }

// Unwrap gives what and why.
func (r *Refused) Unwrap() error { return r.Err }

// Watch is told how it goes, from the goroutine of Run.
type Watch struct {
	Up   func()                       // the folder is there, the port is listened on; it may be called again and again
	Down func(err error)              // the folder cannot be read
	Bad  func(what string, err error) // a message cannot be read, or comes in a way that it cannot be taken
	Log  *slog.Logger
	Now  func() time.Time
}
