package page

import (
	"testing"

	"pgregory.net/rapid"
)

func TestUnitsAreExactAndRoundedOnce(t *testing.T) {
	for _, c := range []struct {
		name  string
		q     Quantity
		text  string
		unit  string
		comma bool
		want  int32 // below 0: refused
	}{
		{"kilograms as they are", Mass, "48920", "kg", false, 48920},
		{"tonnes", Mass, "48.92", "t", false, 48920},
		{"a mass is rounded down, in the driver's favour", Mass, "48920.999", "kg", false, 48920},
		{"pounds, 26256.6 kg", Mass, "57886", "lb", false, 26256},
		{"a decimal comma", Mass, "48,92", "t", true, 48920},
		{"a point where the page says comma", Mass, "48.920", "t", true, -1},
		{"a comma where the page says point", Mass, "48,920", "t", false, -1},
		{"metres a second, 60.12 km/h", Speed, "16.7", "m/s", false, 601},
		{"miles an hour, 80.47 km/h", Speed, "50", "mph", false, 805},
		{"inches", Length, "53.15", "in", false, 1350},
		{"a length is rounded to the nearest", Length, "0.0005", "m", false, 1},
		{"tenths of feet", Length, "151", "0.1ft", false, 4602},
		{"below zero", Mass, "-20", "kg", false, -1},
		{"an exponent", Mass, "1e3", "kg", false, -1},
		{"a fraction", Mass, "1/3", "kg", false, -1},
		{"a separator of thousands", Mass, "48 920", "kg", false, -1},
		{"an overload shown as text", Mass, "OL", "kg", false, -1},
		{"nothing", Mass, "", "kg", false, -1},
		{"beyond belief", Mass, "99999", "t", false, -1},
		{"a unit of something else", Mass, "1", "km/h", false, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.q.Read(c.text, c.unit, c.comma)
			if (err != nil) != (c.want < 0) || err == nil && got != c.want {
				t.Errorf("%d, %v; want %d", got, err, c.want)
			}
		})
	}
}

func TestAMassIsNeverRoundedUpAndNeverLosesAKilogram(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		grams := rapid.Int64Range(0, 200_000_000).Draw(t, "grams")
		text := rapid.SampledFrom([]func(int64) (string, string){
			func(g int64) (string, string) { return decimalOf(g, 3), "kg" },
			func(g int64) (string, string) { return decimalOf(g, 6), "t" },
		}).Draw(t, "unit")
		s, unit := text(grams)
		got, err := Mass.Read(s, unit, false)
		if err != nil || int64(got) != grams/1000 {
			t.Fatalf("%s %s is %d, %v; want %d", s, unit, got, err, grams/1000)
		}
	})
}

// decimalOf writes n with so many decimals.
func decimalOf(n int64, places int) string {
	s := []byte{}
	for i := 0; n > 0 || i <= places; i++ {
		if i == places {
			s = append([]byte{'.'}, s...)
		}
		s = append([]byte{byte('0' + n%10)}, s...)
		n /= 10
	}
	return string(s)
}
