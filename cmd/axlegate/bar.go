package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// bar shows on a terminal how much of a file has been read; elsewhere it shows nothing.
type bar struct {
	in    io.Reader
	out   *os.File // nil where nobody looks
	size  int64    // 0 where it is not known
	read  int64
	began time.Time
	last  time.Time
}

// newBar reads in with a progress bar on standard error, where that is a terminal.
func newBar(in *os.File) *bar {
	b := &bar{in: in, began: time.Now()}
	if term.IsTerminal(int(os.Stderr.Fd())) {
		b.out = os.Stderr
	}
	if st, err := in.Stat(); err == nil && st.Mode().IsRegular() {
		b.size = st.Size()
	}
	return b
}

func (b *bar) Read(p []byte) (int, error) {
	n, err := b.in.Read(p)
	b.read += int64(n)
	if now := time.Now(); b.out != nil && now.Sub(b.last) > 100*time.Millisecond {
		b.last = now
		fmt.Fprint(b.out, "\r"+b.line(now)) //nolint:errcheck // a bar that cannot be drawn is none
	}
	return n, err
}

// line is the bar as it stands.
func (b *bar) line(now time.Time) string {
	mb := float64(b.read) / 1e6
	rate := mb / max(now.Sub(b.began).Seconds(), 0.001)
	if b.size <= 0 {
		return fmt.Sprintf("%.1f MB, %.1f MB/s", mb, rate)
	}
	const width = 30
	full := int(min(b.read, b.size) * width / b.size)
	return fmt.Sprintf("[%s%s] %3d %%  %.1f MB/s", strings.Repeat("█", full), strings.Repeat("·", width-full), min(b.read, b.size)*100/b.size, rate)
}

// done wipes the bar.
func (b *bar) done() {
	if b.out != nil {
		fmt.Fprint(b.out, "\r\x1b[K") //nolint:errcheck // as above
	}
}
