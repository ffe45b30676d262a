package conf

import (
	"fmt"
	"time"
)

// Duration is a span written as "1.5s", "200ms" or "168h".
type Duration time.Duration

// Std gives the standard library's type.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// Or gives the span, or a default where none was written.
func (d Duration) Or(def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return time.Duration(d)
}

// UnmarshalText reads the form of time.ParseDuration. A negative span is refused.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return fmt.Errorf("%q is no duration: write it as 500ms, 1.5s, 10m or 168h", b)
	}
	if v < 0 {
		return fmt.Errorf("%q: a duration here cannot be negative", b)
	}
	*d = Duration(v)
	return nil
}

// MarshalText writes the form that UnmarshalText reads.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }
