package serial

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/axlegate/axlegate/wim"
)

// Frame is what a Decoder found: an indication, or a frame that is none.
type Frame struct {
	Offset uint64 // of its first byte, counted from the first one fed
	Size   int    // bytes; of a bad one those that were looked at when it failed
	// Indication tells nothing where the frame is good and carries no weight, such as an answer that there is none,
	// and where a dialect without a check waits for a second equal frame. Arrival is left to the caller.
	Indication wim.Indication
	Err        error // why it is no indication; nil where it is one
}

// Decoder finds the frames of one dialect in a stream of bytes. It keeps at most one frame that is not complete. After
// a bad one it looks on at the very next byte. It belongs to one goroutine.
type Decoder struct {
	dialect Dialect
	options Options
	buf     []byte
	offset  uint64 // of buf[0]
	last    wim.Indication
	seen    bool   // last was seen
	skipped uint64 // bytes of no good frame
}

// NewDecoder begins at the first byte of a stream. It refuses options that the dialect needs and lacks, or has no use
// for.
func NewDecoder(dialect string, o Options) (*Decoder, error) {
	d, err := DialectNamed(dialect)
	if err != nil {
		return nil, err
	}
	if err := o.check(d); err != nil {
		return nil, err
	}
	return &Decoder{dialect: d, options: o}, nil
}

// Skipped is how many bytes belonged to no good frame.
func (d *Decoder) Skipped() uint64 { return d.skipped }

// Waiting is how many bytes are kept that may yet become a frame.
func (d *Decoder) Waiting() int { return len(d.buf) }

// Feed takes bytes as they come and calls take for every frame among them, good and bad, in order. How the bytes are
// cut into calls changes nothing.
func (d *Decoder) Feed(p []byte, take func(Frame)) {
	for _, b := range p {
		if d.options.SevenBits {
			b &= 0x7F
		}
		d.buf = append(d.buf, b)
	}
	i := 0
scan:
	for i < len(d.buf) {
		f := d.dialect.find(d.buf[i:], d.options)
		at := d.offset + uint64(i)
		switch f.state {
		case isPartial:
			break scan
		case isAside:
			i += f.size
			continue
		case isGood:
			in, err := d.indication(f.said)
			take(Frame{Offset: at, Size: f.size, Indication: in, Err: err})
			if err != nil {
				d.seen = false
				d.skipped += uint64(f.size)
			}
			i += f.size
			continue
		case isBad:
			d.seen = false
			take(Frame{Offset: at, Size: f.size, Err: f.why})
		case isNoStart:
		}
		// One byte on, never behind the whole frame: a good one may begin within it.
		i++
		d.skipped++
	}
	d.offset += uint64(i)
	d.buf = append(d.buf[:0], d.buf[i:]...)
}

// indication is what a good frame says, or why it cannot be used.
func (d *Decoder) indication(s said) (wim.Indication, error) {
	in, err := d.exact(s)
	if err != nil || !d.dialect.twice {
		return in, err
	}
	same := d.seen && d.last == in
	d.last, d.seen = in, true
	if !same {
		return wim.Indication{}, nil
	}
	return in, nil
}

func (d *Decoder) exact(s said) (wim.Indication, error) {
	var in wim.Indication
	if s.refused != nil {
		return in, s.refused
	}
	if s.silent {
		return in, nil
	}
	in.State, in.Knows = s.state, d.dialect.Knows
	if s.state.Any(wim.Overload|wim.Underload|wim.Faulty) || !s.weight.there {
		return in, nil // what then stands in the frame is no weight
	}
	unit, shows := strings.TrimSpace(s.unit), s.shows
	if len(d.dialect.Units) == 0 {
		unit = d.options.Unit
	} else if !slices.Contains(d.dialect.Units, unit) {
		return wim.Indication{}, fmt.Errorf("%q: %w", unit, errUnit)
	}
	if d.dialect.Tells == 0 {
		shows = wim.TellsGross
		if d.options.Shown == "net" {
			shows = wim.TellsNet
		}
	}
	kg, rounded, err := s.weight.kilograms(unit, d.options.Nearest)
	if err != nil {
		return wim.Indication{}, err
	}
	switch shows {
	case wim.TellsGross:
		in.Gross = kg
	case wim.TellsNet:
		in.Net = kg
	default:
		in.Tare = kg
	}
	in.Tells = shows
	if s.tare.there {
		t, also, err := s.tare.kilograms(unit, d.options.Nearest)
		if err != nil {
			return wim.Indication{}, fmt.Errorf("tare: %w", err)
		}
		in.Tare, in.Tells, rounded = t, in.Tells|wim.TellsTare, rounded || also
	}
	in.Knows |= wim.WasRounded
	if rounded {
		in.State |= wim.WasRounded
	}
	return in, nil
}

// said is what a frame says, before it is brought to kilograms.
type said struct {
	weight, tare number
	shows        wim.Weights // what weight is: one of them, where the dialect tells
	unit         string      // where the dialect tells it
	state        wim.Condition
	silent       bool  // well formed, and says that there is no weight
	refused      error // well formed, and says what went wrong
}

type state uint8

const (
	isNoStart state = iota // no frame begins here
	isPartial              // one may begin here
	isBad                  // one begins here and fails a check
	isGood
	isAside // of the dialect, and of no meaning here: a request that is echoed
)

// found is what stands at the front of some bytes.
type found struct {
	state state
	size  int
	said  said
	why   error // of a bad one
}

func bad(size int, format string, args ...any) found {
	return found{state: isBad, size: size, why: fmt.Errorf(format, args...)}
}

func good(size int, s said) found { return found{state: isGood, size: size, said: s} }

var errLayout = errors.New("is not of the layout")

// match tells whether b begins as the picture does, as early as the bytes allow. In a picture # is a digit, % a digit
// or a space, & a character of a number, ~ any that prints, * any at all, and everything else itself. A mismatch among
// the first mark bytes means that no frame begins here, a later one that a frame is spoilt.
func match(b []byte, picture string, mark int) found {
	for i := range min(len(b), len(picture)) {
		if fits(b[i], picture[i]) {
			continue
		}
		if i < mark {
			return found{state: isNoStart}
		}
		return bad(i+1, "byte %d: %#02x %w", i, b[i], errLayout)
	}
	if len(b) < len(picture) {
		return found{state: isPartial}
	}
	return good(len(picture), said{})
}

func fits(c, class byte) bool {
	switch class {
	case '#':
		return digit(c)
	case '%':
		return digit(c) || c == ' '
	case '&':
		return digit(c) || c == ' ' || c == '.' || c == '-' || c == '+'
	case '~':
		return c >= ' ' && c <= '~'
	case '*':
		return true
	}
	return c == class
}

func digit(c byte) bool { return c >= '0' && c <= '9' }
