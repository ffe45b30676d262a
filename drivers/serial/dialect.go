package serial

import (
	"fmt"
	"strings"

	"github.com/axlegate/axlegate/wim"
)

// Dialect is a way in which static indicators tell their weight on a serial line. All but the decoding is for people:
// lists, help and pages are made of it.
type Dialect struct {
	Name   string // as a configuration names it
	Title  string // whose it is
	Frame  string // the layout in words
	Check  string // what guards a frame; "none" where only a second equal frame does
	Source string // where the layout stands
	// Request asks for one weight; nil where the indicator sends by itself.
	Request func(o Options) []byte
	// Open means that it waits for a request which is a setting of the indicator, so that the site must say it.
	Open bool
	// Hello is sent once after the line was opened; empty for nothing.
	Hello  string
	Units  []string      // those of a frame that are read, in its own spelling; none where no frame tells one
	Tells  wim.Weights   // what a frame can tell by itself; 0 where it does not tell gross from net
	Knows  wim.Condition // what a frame can tell of the indicator's state
	Shared bool          // several on one line, each with an address
	Lacks  []string      // what the source does not tell and is therefore not read
	find   func(b []byte, o Options) found
	twice  bool // a frame counts only when the next one is equal
}

// Dialects lists the dialects of static indicators, makers together.
func Dialects() []Dialect {
	var out []Dialect
	for _, of := range [][]Dialect{toledo(), sics(), sma(), xk3190(), condec(), cardinal(), aandd(), rinstrum()} {
		out = append(out, of...)
	}
	return out
}

// DialectNamed is the dialect of that name; the error lists those that there are.
func DialectNamed(name string) (Dialect, error) {
	var names []string
	for _, d := range Dialects() {
		if d.Name == name {
			return d, nil
		}
		names = append(names, d.Name)
	}
	return Dialect{}, fmt.Errorf("dialect %q is not known; there is: %s", name, strings.Join(names, ", "))
}

// Options are what a frame does not tell and the site knows of its indicator.
type Options struct {
	// Unit of dialects whose frames tell none: "kg", "t" or "g". It must be empty for the others.
	Unit string
	// Shown is what the indicator is set to send where its frames do not tell: "gross" or "net". It must be empty
	// for the others.
	Shown string
	// Address of the indicator on a shared line, 'A' to 'Z', for the dialects that have one; 0 means 'A'.
	Address byte
	// SevenBits takes the parity bit off every byte, for an indicator of seven data bits behind a port that reads
	// eight.
	SevenBits bool
	// Nearest rounds a weight finer than a kilogram to the nearest one, halves away from zero, and marks it
	// wim.WasRounded; without it such a frame is refused.
	Nearest bool
}

// check says what of the options the dialect lacks or does not have.
func (o Options) check(d Dialect) error {
	switch {
	case len(d.Units) == 0 && o.Unit != "kg" && o.Unit != "t" && o.Unit != "g":
		return fmt.Errorf("%s: unit %q: the frames tell none; say what the indicator is set to: kg, t or g", d.Name, o.Unit)
	case len(d.Units) > 0 && o.Unit != "":
		return fmt.Errorf("%s: unit %q: the frames tell their unit; leave it out", d.Name, o.Unit)
	case d.Tells == 0 && o.Shown != "gross" && o.Shown != "net":
		return fmt.Errorf("%s: shown %q: the frames do not tell gross from net; say what the indicator is set to send: gross or net", d.Name, o.Shown)
	case d.Tells != 0 && o.Shown != "":
		return fmt.Errorf("%s: shown %q: the frames tell it; leave it out", d.Name, o.Shown)
	case d.Shared && o.Address != 0 && (o.Address < 'A' || o.Address > 'Z'):
		return fmt.Errorf("%s: address %q, want A to Z", d.Name, o.Address)
	case !d.Shared && o.Address != 0:
		return fmt.Errorf("%s: address %q: the dialect has no addresses; leave it out", d.Name, o.Address)
	}
	return nil
}
