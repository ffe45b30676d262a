package broker

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
)

// journal takes in the server's own log lines. Its notices are for the developer of the server, so they go
// to debug; a fatal line does not end the process but the run of the server. While the server stops, it
// calls every connection that it closes an error: then all goes to debug.
type journal struct {
	log      *slog.Logger
	fatal    atomic.Pointer[string]
	stopping atomic.Bool
}

func (j *journal) line(level slog.Level, format string, v []any) {
	if j.stopping.Load() {
		level = slog.LevelDebug
	}
	if j.log.Enabled(context.Background(), level) {
		j.log.Log(context.Background(), level, fmt.Sprintf(format, v...))
	}
}

func (j *journal) Noticef(format string, v ...any) { j.line(slog.LevelDebug, format, v) }
func (j *journal) Warnf(format string, v ...any)   { j.line(slog.LevelWarn, format, v) }
func (j *journal) Errorf(format string, v ...any)  { j.line(slog.LevelError, format, v) }
func (j *journal) Debugf(format string, v ...any)  { j.line(slog.LevelDebug, format, v) }
func (j *journal) Tracef(format string, v ...any)  { j.line(slog.LevelDebug, format, v) }

func (j *journal) Fatalf(format string, v ...any) {
	line := fmt.Sprintf(format, v...)
	j.fatal.CompareAndSwap(nil, &line)
	j.log.Error(line)
}
