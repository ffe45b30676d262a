package broker

import (
	"fmt"
	"log/slog"
	"sync/atomic"
)

// journal takes in the server's own log lines. Its notices are for the developer of the server, so they go
// to debug; a fatal line does not end the process but the run of the server.
type journal struct {
	log   *slog.Logger
	fatal atomic.Pointer[string]
}

func (j *journal) Noticef(format string, v ...any) { j.log.Debug(fmt.Sprintf(format, v...)) }
func (j *journal) Warnf(format string, v ...any)   { j.log.Warn(fmt.Sprintf(format, v...)) }
func (j *journal) Errorf(format string, v ...any)  { j.log.Error(fmt.Sprintf(format, v...)) }
func (j *journal) Debugf(format string, v ...any)  { j.log.Debug(fmt.Sprintf(format, v...)) }
func (j *journal) Tracef(format string, v ...any)  { j.log.Debug(fmt.Sprintf(format, v...)) }

func (j *journal) Fatalf(format string, v ...any) {
	line := fmt.Sprintf(format, v...)
	j.fatal.CompareAndSwap(nil, &line)
	j.log.Error(line)
}
