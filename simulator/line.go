package simulator

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/axlegate/axlegate/internal/pty"
)

// Line is a pseudo-terminal at the end of a link, as an adapter under /dev/serial/by-id. What is written to it is read by whoever
// opens the link.
type Line struct {
	*os.File
	slave *os.File // kept open, so that a reader's closing does not hang up the line
	path  string
}

// NewLine makes a raw pseudo-terminal and a link to it. The link must not be there; one that leads nowhere or to a pseudo-terminal, as an
// earlier run leaves it behind, is replaced.
func NewLine(path string) (*Line, error) {
	to, err := os.Readlink(path)
	if _, gone := os.Stat(path); err == nil && (gone != nil || strings.HasPrefix(to, "/dev/pts/")) {
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("line: %w", err)
		}
	}
	m, s, err := pty.Open()
	if err != nil {
		return nil, err
	}
	if err = os.MkdirAll(filepath.Dir(path), 0o700); err == nil {
		err = os.Symlink(s.Name(), path)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("line: %w; move what is there out of the way, or give another path", err), m.Close(), s.Close())
	}
	return &Line{m, s, path}, nil
}

// Close takes the line away, and the link where it still leads to it.
func (l *Line) Close() error {
	var err error
	if to, lerr := os.Readlink(l.path); lerr == nil && to == l.slave.Name() {
		err = os.Remove(l.path)
	}
	return errors.Join(err, l.slave.Close(), l.File.Close())
}
