package wim

import (
	"fmt"
	"math"
	"time"
)

// Kg is a mass in kilograms. Where a device cannot measure a value the constant NotMeasured stands,
// never a guess.
type Kg int32

// NotMeasured marks a wheel load that the device does not report. It is not zero and not half the axle.
const NotMeasured Kg = -1

// Mm is a length in millimetres. Zero means not measured.
type Mm int32

// DeciKmh is a speed in tenths of a kilometre per hour. Zero means not measured; a reverse passage is
// told by a Flag, not by a sign.
type DeciKmh int32

// DeciKelvin is a temperature in tenths of a kelvin, so that zero can mean not measured: 2731 is 0 °C, less 0.05 K.
type DeciKelvin int32

// DeciKelvinOf is a temperature given in thousandths of a degree Celsius, rounded down; 0 for one that is none on a road,
// below −100 or above 200 °C.
func DeciKelvinOf(milliCelsius int64) DeciKelvin {
	if milliCelsius < -100_000 || milliCelsius > 200_000 {
		return 0
	}
	return DeciKelvin((milliCelsius + 273_150) / 100)
}

// Permille is a ratio in thousandths.
type Permille int32

// Time is an instant as nanoseconds since 1970-01-01T00:00:00Z. The zero Time means unknown.
type Time int64

// timeLayout keeps nine decimals so that equal instants have equal text, which sealed bytes rely on.
const timeLayout = "2006-01-02T15:04:05.000000000Z07:00"

// TimeOf converts a standard library time. One that lies beyond what a Time can hold, the years 1678 to 2261,
// becomes the last or the first instant that it can.
func TimeOf(t time.Time) Time {
	switch {
	case t.IsZero():
		return 0
	case t.After(time.Unix(0, math.MaxInt64)):
		return math.MaxInt64
	case t.Before(time.Unix(0, math.MinInt64)):
		return math.MinInt64
	}
	return Time(t.UnixNano())
}

// Std returns the instant as a standard library time in UTC, or its zero value when unknown.
func (t Time) Std() time.Time {
	if t == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(t)).UTC()
}

// Add returns the instant d later.
func (t Time) Add(d time.Duration) Time { return t + Time(d) }

// Sub returns the span from u to t.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t - u) }

// String gives RFC 3339 with nine decimals, or "unknown".
func (t Time) String() string {
	if t == 0 {
		return "unknown"
	}
	return t.Std().Format(timeLayout)
}

// MarshalText gives RFC 3339 in UTC with nine decimals; an unknown time is the empty text.
func (t Time) MarshalText() ([]byte, error) {
	if t == 0 {
		return []byte{}, nil
	}
	return t.Std().AppendFormat(make([]byte, 0, len(timeLayout)), timeLayout), nil
}

// UnmarshalText reads what MarshalText wrote; any RFC 3339 offset is accepted.
func (t *Time) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*t = 0
		return nil
	}
	p, err := time.Parse(time.RFC3339Nano, string(b))
	if err != nil {
		return fmt.Errorf("time %q is not RFC 3339: %w", b, err)
	}
	*t = TimeOf(p)
	return nil
}

// Deduct returns what is left of m after the share p has been taken off for the instrument's error, and
// the part taken. The part is rounded up to a whole kilogram, in the driver's favour.
func (m Kg) Deduct(p Permille) (left, taken Kg) {
	if m <= 0 || p <= 0 {
		return m, 0
	}
	t := (int64(m)*int64(p) + 999) / 1000
	return m - Kg(t), Kg(t)
}

// Of returns the ratio m : whole in permille, rounded down; 0 where whole is not positive.
func (m Kg) Of(whole Kg) Permille {
	if whole <= 0 || m <= 0 {
		return 0
	}
	if m <= math.MaxUint32/1000 {
		return Permille(min(uint32(m)*1000/uint32(whole), 1<<30)) // a division of 32 bits takes half the time
	}
	r := int64(m) * 1000 / int64(whole)
	if r > 1<<30 {
		r = 1 << 30
	}
	return Permille(r)
}
