package journal

import (
	"fmt"
	"net/url"
	"path/filepath"
)

// engine is the SQLite library under the journal. There is one; tests put another beneath the same statements,
// whose file system they can break at any step.
type engine struct {
	driver string     // its name in database/sql
	params url.Values // added to the address of every connection
}

func production() *engine { return &engine{driver: "sqlite"} }

func (e *engine) dsn(path string, pragmas ...string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("path of the journal: %w", err)
	}
	q := url.Values{"_pragma": append([]string{"busy_timeout(5000)"}, pragmas...), "_txlock": {"immediate"}}
	for k, v := range e.params {
		q[k] = append(q[k], v...)
	}
	return (&url.URL{Scheme: "file", Path: abs, RawQuery: q.Encode()}).String(), nil
}
