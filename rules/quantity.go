package rules

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// grain is the part of a kilogram in which masses are read exactly: a pound is 45 359 237 of them.
const grain = 100_000_000

// decimal reads "2.55" as a whole number of thousandths of a thousandth; at most six decimals.
const decimalUnit = 1_000_000

func decimal(s string) (int64, error) {
	whole, part, _ := strings.Cut(s, ".")
	if len(part) > 6 || len(whole) > 9 || whole == "" || strings.Trim(s, "0123456789.") != "" {
		return 0, fmt.Errorf("%q is no number", s)
	}
	n, err := strconv.ParseInt(whole+part+strings.Repeat("0", 6-len(part)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is no number", s)
	}
	return n, nil
}

// grains reads "49000 kg", "49 t" or "80000 lb" exactly; a mass may be negative where it adjusts.
func grains(v string) (int64, error) {
	num, unit, _ := strings.Cut(strings.TrimSpace(v), " ")
	num, negative := strings.CutPrefix(num, "-")
	var per int64
	switch unit {
	case "kg":
		per = grain / decimalUnit
	case "t":
		per = grain / decimalUnit * 1000
	case "lb":
		per = 0
	default:
		return 0, fmt.Errorf("%q has no known unit", v)
	}
	n, err := decimal(num)
	if err != nil {
		return 0, fmt.Errorf("%q: %w", v, err)
	}
	switch {
	case unit == "lb" && n%decimalUnit != 0:
		return 0, fmt.Errorf("%q: want whole pounds", v)
	case unit == "lb" && n/decimalUnit <= 2_000_000:
		n = n / decimalUnit * 45359237
	case per > 0 && n <= 1_000_000*decimalUnit:
		n *= per
	default:
		return 0, fmt.Errorf("%q is beyond all sense", v)
	}
	if n > 1_000_000*grain {
		return 0, fmt.Errorf("%q is beyond all sense", v)
	}
	if negative {
		n = -n
	}
	return n, nil
}

// length reads "2550 mm", "2.55 m", "40 in" or "8 ft" as a fraction of millimetres.
func length(v string) (num, den int64, err error) {
	text, unit, _ := strings.Cut(strings.TrimSpace(v), " ")
	tenths := map[string]int64{"mm": 10, "cm": 100, "m": 10_000, "in": 254, "ft": 3048}[unit]
	if tenths == 0 {
		return 0, 0, fmt.Errorf("%q has no known unit", v)
	}
	n, err := decimal(text)
	if err != nil {
		return 0, 0, fmt.Errorf("%q: %w", v, err)
	}
	if n > 100_000*decimalUnit {
		return 0, 0, fmt.Errorf("%q is beyond all sense", v)
	}
	return n * tenths, 10 * decimalUnit, nil
}

// millimetres gives the largest whole millimetre that is not above a length: measured lengths are whole.
func millimetres(v string) (int64, error) {
	num, den, err := length(v)
	if err != nil {
		return 0, err
	}
	return num / den, nil
}

// within reads a range such as ">= 1000 mm, < 1300 mm" as the whole millimetres in it.
func within(v string) (reach, error) {
	out := reach{0, math.MaxInt32}
	if strings.TrimSpace(v) == "" {
		return out, nil
	}
	for _, part := range strings.Split(v, ",") {
		part = strings.TrimSpace(part)
		op := strings.TrimRight(part[:min(2, len(part))], " 0123456789")
		num, den, err := length(part[len(op):])
		if err != nil {
			return out, err
		}
		down, up := num/den, (num+den-1)/den
		switch op {
		case "<":
			out.high = min(out.high, int32(up-1))
		case "<=":
			out.high = min(out.high, int32(down))
		case ">":
			out.low = max(out.low, int32(down+1))
		case ">=":
			out.low = max(out.low, int32(up))
		default:
			return out, fmt.Errorf("%q begins with none of <, <=, >, >=", part)
		}
	}
	if out.low > out.high {
		return out, fmt.Errorf("%q holds nothing", v)
	}
	return out, nil
}
