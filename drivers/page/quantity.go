package page

import (
	"fmt"
	"math/big"
	"regexp"
	"strings"
)

// Quantity is what a field measures. It decides which units there are.
type Quantity uint8

// The quantities, with what they are counted in.
const (
	Mass   Quantity = iota // in kilograms
	Speed                  // in tenths of km/h
	Length                 // in millimetres
)

// unit is a name with what it is in the quantity's own unit, as a fraction.
type unit struct {
	name     string
	num, den int64
}

// units are exact by definition: the international pound is 0.45359237 kg, the foot 304.8 mm and the mile 1609344 mm.
func (q Quantity) units() []unit {
	switch q {
	case Speed:
		return []unit{{"km/h", 10, 1}, {"m/s", 36, 1}, {"mph", 1_609_344, 100_000}, {"0.1km/h", 1, 1}}
	case Length:
		return []unit{{"mm", 1, 1}, {"cm", 10, 1}, {"m", 1000, 1}, {"in", 254, 10}, {"ft", 3048, 10}, {"0.1ft", 3048, 100}}
	case Mass:
	}
	return []unit{{"kg", 1, 1}, {"t", 1000, 1}, {"lb", 45_359_237, 100_000_000}}
}

func (q Quantity) unit(name string) (unit, bool) {
	for _, u := range q.units() {
		if u.name == name {
			return u, true
		}
	}
	return unit{}, false
}

// String lists the units.
func (q Quantity) String() string {
	var names []string
	for _, u := range q.units() {
		names = append(names, u.name)
	}
	return strings.Join(names, ", ")
}

// decimal is a number as a device writes it. There are no exponents and no separators of thousands.
var decimal = regexp.MustCompile(`^-?[0-9]{1,12}(\.[0-9]{1,9})?$`)

// largest is more than any road vehicle has of anything, in the quantities' own units.
const largest = 10_000_000

// Read converts a decimal exactly, then rounds it to a whole one of the quantity: a mass down, in the driver's favour, what
// else there is to the nearest.
func (q Quantity) Read(text, unitName string, comma bool) (int32, error) {
	if comma {
		if strings.Contains(text, ".") {
			return 0, fmt.Errorf("%q has a point, but the page says that decimals have a comma", text)
		}
		text = strings.Replace(text, ",", ".", 1)
	}
	if !decimal.MatchString(text) {
		return 0, fmt.Errorf("%q is no number", text)
	}
	u, ok := q.unit(unitName)
	if !ok {
		return 0, fmt.Errorf("%q is no unit; there is: %s", unitName, q)
	}
	x, ok := new(big.Rat).SetString(text)
	if !ok {
		return 0, fmt.Errorf("%q is no number", text)
	}
	x.Mul(x, big.NewRat(u.num, u.den))
	if x.Sign() < 0 {
		return 0, fmt.Errorf("%q is below zero", text)
	}
	n := new(big.Int)
	if q == Mass {
		n.Quo(x.Num(), x.Denom())
	} else {
		n.Add(new(big.Int).Mul(x.Num(), big.NewInt(2)), x.Denom())
		n.Quo(n, new(big.Int).Mul(x.Denom(), big.NewInt(2)))
	}
	if !n.IsInt64() || n.Int64() > largest {
		return 0, fmt.Errorf("%s %s is beyond belief", text, unitName)
	}
	return int32(n.Int64()), nil
}

// Field is a quantity of a message.
type Field struct {
	At   string `yaml:"at"` // its path
	Unit string `yaml:"unit"`
}

// Mistake tells what is wrong with a field that stands at path of its page, nil for nothing. A nil field is one that the page has not.
func (f *Field) Mistake(path string, what Quantity) *Mistake {
	if f == nil {
		return nil
	}
	if _, ok := what.unit(f.Unit); !ok {
		return Wrong(path+".unit", "%q is no unit of it; there is: %s", f.Unit, what)
	}
	return nil
}

// Quantity reads a field that may be missing, in the quantity's own unit; of a nil field there is none.
func (l *Layout) Quantity(n *Node, f *Field, what Quantity) (v int32, ok bool, err error) {
	if f == nil {
		return 0, false, nil
	}
	text, ok, err := n.Value(f.At)
	if err != nil || !ok {
		return 0, false, err
	}
	if v, err = what.Read(text, f.Unit, l.Decimal == ","); err != nil {
		return 0, false, fmt.Errorf("%s: %w", f.At, err)
	}
	return v, true, nil
}
