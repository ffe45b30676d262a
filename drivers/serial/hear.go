package serial

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	port "go.bug.st/serial"

	"github.com/axlegate/axlegate/wim"
)

// hearMost is how many bytes Hear keeps: more than a hundred frames of any dialect.
const hearMost = 16 << 10

// Hear opens a line of eight data bits without parity, listens for so long and gives the bytes that came unasked, at most
// 16 KiB. It sends nothing.
func Hear(ctx context.Context, path string, baud int, length time.Duration) (heard []byte, err error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("%w; check the cable and the adapter", err)
	}
	p, err := port.Open(path, &port.Mode{BaudRate: baud, DataBits: 8, Parity: port.NoParity, StopBits: port.OneStopBit})
	if err != nil {
		return nil, fmt.Errorf("open %s: %w; check that no other program has it and that this one may read it", path, err)
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	// What waited in the buffer came at another speed.
	if err := p.ResetInputBuffer(); err != nil {
		return nil, fmt.Errorf("set up %s: %w", path, err)
	}
	buf := make([]byte, 512)
	for end := time.Now().Add(length); ctx.Err() == nil && len(heard) < hearMost; {
		left := time.Until(end)
		if left <= 0 {
			break
		}
		if err := p.SetReadTimeout(min(left, readWait)); err != nil {
			return heard, fmt.Errorf("set up %s: %w", path, err)
		}
		// The library reports a timeout as no bytes and no error.
		n, err := p.Read(buf)
		if err != nil {
			return heard, fmt.Errorf("%s: line lost: %w; check the cable", path, err)
		}
		heard = append(heard, buf[:n]...)
	}
	return heard, nil
}

// Match is a dialect in which bytes make sense.
type Match struct {
	Dialect   string // a static indicator's, or "af1" of an axle scale
	Good, Bad int    // frames
	SevenBits bool   // the eighth bit is parity, or nothing
}

// Recognise tells in which dialects bytes that came unasked make sense, those with the most good frames first. Two good
// frames are needed, and more than half of all must be good: one frame of a short dialect is in many things. Several
// dialects may match, because makers imitate each other; the display tells which is right.
func Recognise(heard []byte) []Match {
	var out []Match
	var d af1
	d.feed(heard, func(wim.Reading) {})
	if d.good > 0 { // its checksum is no chance
		out = append(out, Match{Dialect: "af1", Good: int(d.good), Bad: int(d.bad)})
	}
	for _, dialect := range Dialects() {
		o := Options{Nearest: true}
		if len(dialect.Units) == 0 {
			o.Unit = "kg" // any, for telling the form
		}
		if dialect.Tells == 0 {
			o.Shown = "gross"
		}
		for _, o.SevenBits = range []bool{false, true} {
			dec, err := NewDecoder(dialect.Name, o)
			if err != nil {
				break
			}
			m := Match{Dialect: dialect.Name, SevenBits: o.SevenBits}
			dec.Feed(heard, func(f Frame) {
				if f.Err == nil {
					m.Good++
				} else {
					m.Bad++
				}
			})
			if m.Good >= 2 && m.Good > m.Bad && dec.Skipped() < uint64(len(heard))/2 {
				out = append(out, m)
				break // seven bits would give the same
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Match) int { return cmp.Compare(b.Good, a.Good) })
	return out
}
