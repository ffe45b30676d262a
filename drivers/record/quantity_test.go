package record

import (
	"testing"

	"pgregory.net/rapid"
)

func TestUnitsAreExactAndRoundedOnce(t *testing.T) {
	for _, c := range []struct {
		name  string
		q     quantity
		text  string
		unit  string
		comma bool
		want  int32 // below 0: refused
	}{
		{"kilograms as they are", aMass, "48920", "kg", false, 48920},
		{"tonnes", aMass, "48.92", "t", false, 48920},
		{"a mass is rounded down, in the driver's favour", aMass, "48920.999", "kg", false, 48920},
		{"pounds, 26256.6 kg", aMass, "57886", "lb", false, 26256},
		{"a decimal comma", aMass, "48,92", "t", true, 48920},
		{"a point where the page says comma", aMass, "48.920", "t", true, -1},
		{"a comma where the page says point", aMass, "48,920", "t", false, -1},
		{"metres a second, 60.12 km/h", aSpeed, "16.7", "m/s", false, 601},
		{"miles an hour, 80.47 km/h", aSpeed, "50", "mph", false, 805},
		{"inches", aLength, "53.15", "in", false, 1350},
		{"a length is rounded to the nearest", aLength, "0.0005", "m", false, 1},
		{"tenths of feet", aLength, "151", "0.1ft", false, 4602},
		{"below zero", aMass, "-20", "kg", false, -1},
		{"an exponent", aMass, "1e3", "kg", false, -1},
		{"a fraction", aMass, "1/3", "kg", false, -1},
		{"a separator of thousands", aMass, "48 920", "kg", false, -1},
		{"an overload shown as text", aMass, "OL", "kg", false, -1},
		{"nothing", aMass, "", "kg", false, -1},
		{"beyond belief", aMass, "99999", "t", false, -1},
		{"a unit of something else", aMass, "1", "km/h", false, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.q.read(c.text, c.unit, c.comma)
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
		got, err := aMass.read(s, unit, false)
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
