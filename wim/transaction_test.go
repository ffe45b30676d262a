package wim

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestADifferenceIsToldBeyondTheToleranceAlone(t *testing.T) {
	for _, c := range []struct {
		name       string
		weighed    Kg
		told       Kg
		difference []Difference
	}{
		{"within it", 50000, 52500, nil},
		{"one kilogram beyond it", 50000, 52501, []Difference{{GrossDiffers, 50000, 52501, 50}}},
		{"within it below", 50000, 47500, nil},
		{"beyond it below", 50000, 47499, []Difference{{GrossDiffers, 50000, 47499, 50}}},
		{"nothing was weighed there", 50000, 0, nil},
		{"nothing was weighed here", 0, 50000, nil},
		{"a thousandfold", 20, 1_000_000, []Difference{{GrossDiffers, 20, 1_000_000, 1_000_000}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := Transaction{Gross: c.told}
			if got := x.Compare(c.weighed, 6, "", "", 50); !slices.Equal(got, c.difference) {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestWhatIsNotToldDiffersFromNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		gross, axles := Kg(rapid.Int32Range(0, 1_000_000).Draw(t, "gross")), rapid.IntRange(0, 12).Draw(t, "axles")
		x := Transaction{Entry: &TollPlace{}}
		if got := x.Compare(gross, axles, "川A12345", Yellow, 0); len(got) != 0 {
			t.Fatalf("%+v", got)
		}
		x = Transaction{Gross: gross, Axles: uint8(axles), Plate: "川A12345", Color: Yellow}
		if got := x.Compare(gross, axles, "川A12345", Yellow, 0); len(got) != 0 {
			t.Fatalf("the same differs: %+v", got)
		}
	})
}
