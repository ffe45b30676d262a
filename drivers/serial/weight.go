package serial

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/axlegate/axlegate/wim"
)

// Why a good frame is no indication.
var (
	errNumber  = errors.New("no number")
	errInexact = errors.New("no whole number of kilograms")
	errUnit    = errors.New("no unit that is read here; set the indicator to kg, t or g")
)

// number is n divided by ten as often as places says; below zero, multiplied.
type number struct {
	n      int64
	places int
	there  bool
}

// numberOf reads spaces, a sign, digits with at most one point between or behind them, and nothing else.
func numberOf(text string) (number, error) {
	t := strings.TrimLeft(text, " ")
	negative := false
	if t != "" && (t[0] == '-' || t[0] == '+') {
		negative = t[0] == '-'
		t = strings.TrimLeft(t[1:], " ")
	}
	v := number{there: true}
	digits, point := 0, false
	for i := range len(t) {
		switch c := t[i]; {
		case digit(c) && digits < 10:
			v.n = 10*v.n + int64(c-'0')
			digits++
			if point {
				v.places++
			}
		case c == '.' && !point && digits > 0:
			point = true
		default:
			return number{}, fmt.Errorf("%q: %w", text, errNumber)
		}
	}
	if digits == 0 {
		return number{}, fmt.Errorf("%q: %w", text, errNumber)
	}
	if negative {
		v.n = -v.n
	}
	return v, nil
}

// grams is one unit of mass, as the dialects spell it; 0 for one that there is not and for pounds, of which no number
// is whole kilograms.
func grams(unit string) int64 {
	switch unit {
	case "g", "G":
		return 1
	case "kg", "KG", "K":
		return 1000
	case "t":
		return 1_000_000
	}
	return 0
}

// kilograms converts without loss, or says that it cannot.
func (v number) kilograms(unit string, nearest bool) (kg wim.Kg, rounded bool, err error) {
	g := grams(unit)
	if g == 0 {
		return 0, false, fmt.Errorf("%q: %w", unit, errUnit)
	}
	// At most ten digits, a megagram and two more places: within 63 bits.
	mass, whole := v.n*g, int64(1000)
	for range v.places {
		whole *= 10
	}
	for range -v.places {
		mass *= 10
	}
	value := mass / whole
	if rest := mass % whole; rest != 0 {
		if !nearest {
			return 0, false, fmt.Errorf("%d with %d decimals of %s: %w", v.n, v.places, unit, errInexact)
		}
		rounded = true
		switch {
		case 2*rest >= whole:
			value++
		case 2*rest <= -whole:
			value--
		}
	}
	if value > math.MaxInt32 || value < math.MinInt32 {
		return 0, false, fmt.Errorf("%d kg: %w of a weight", value, errNumber)
	}
	return wim.Kg(value), rounded, nil
}
