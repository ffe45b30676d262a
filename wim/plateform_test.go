package wim

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestFormsOfPlates(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       PlateForm
	}{
		{"an ordinary one", "川A12345", OrdinaryForm},
		{"an ordinary one with letters", "京AF0236", OrdinaryForm},
		{"I is not in use", "川A1234I", NoForm},
		{"O is not in use", "川AO2345", NoForm},
		{"a character too few", "川A1234", NoForm},
		{"a trailer", "川B678Z挂", TrailerForm},
		{"a trailer with five characters", "川B67890挂", NoForm},
		{"a driving school", "川A1234学", SpecialForm},
		{"across the border", "粤Z1234港", SpecialForm},
		{"a small one with a battery", "粤BD12345", NewEnergySmall},
		{"a small one with a second letter", "粤BDF1234", NewEnergySmall},
		{"a large one with a battery", "粤B12345D", NewEnergyLarge},
		{"a large one with a letter that says nothing", "粤B12345Z", NoForm},
		{"no office", "川112345", NoForm},
		{"a province without", "A12345", ForeignForm},
		{"from elsewhere", "ZZ90QQX", ForeignForm},
		{"letters only", "TRUCK", NoForm},
		{"another script", "ΑΒΓ1234", NoForm},
		{"nothing", "", NoForm},
		{"too long", "ABCDEF123456", NoForm},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := FormOfPlate(c.text); got != c.want {
				t.Errorf("%s: %q, want %q", c.text, got, c.want)
			}
		})
	}
}

func TestDistancesOfPlates(t *testing.T) {
	for _, c := range []struct {
		name, a, b string
		want       int
	}{
		{"the same", "川A12345", "川A12345", 0},
		{"a letter for a digit", "川A1O345", "川A10345", 1},
		{"two look-alikes", "川A1B3I5", "川A18315", 2},
		{"D and Q are both taken for 0", "川AD2345", "川AQ2345", 1},
		{"a province not read", "A12345", "川A12345", 2},
		{"another province", "粤A12345", "川A12345", 4},
		{"another digit", "川A12345", "川A12346", 4},
		{"a digit not read", "川A1234", "川A12345", 4},
		{"two digits in each other's place", "川A12354", "川A12345", 8},
		{"nothing read", "", "川A12345", 26},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := PlateDistance(c.a, c.b); got != c.want {
				t.Errorf("%s and %s: %d, want %d", c.a, c.b, got, c.want)
			}
		})
	}
}

func plateText() *rapid.Generator[string] {
	return rapid.StringOfN(rapid.SampledFrom([]rune("川粤A0O1IDB8挂")), 0, 8, -1)
}

func TestPlateDistanceIsAMetric(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := plateText().Draw(t, "a"), plateText().Draw(t, "b"), plateText().Draw(t, "c")
		ab, ba, ac, cb := PlateDistance(a, b), PlateDistance(b, a), PlateDistance(a, c), PlateDistance(c, b)
		if ab != ba || (ab == 0) != (a == b) || ab > ac+cb || ab < 0 {
			t.Errorf("%q %q %q: %d, back %d, by way of the third %d", a, b, c, ab, ba, ac+cb)
		}
		if FoldPlate(FoldPlate(a)) != FoldPlate(a) || (FoldPlate(a) == FoldPlate(b)) != (ab <= len([]rune(a)) && len([]rune(a)) == len([]rune(b)) && onlyLookAlikes(a, b)) {
			t.Errorf("%q folds to %q, %q to %q", a, FoldPlate(a), b, FoldPlate(b))
		}
	})
}

func onlyLookAlikes(a, b string) bool {
	x, y := []rune(a), []rune(b)
	for i := range x {
		if swap(x[i], y[i]) > costLookAlike {
			return false
		}
	}
	return true
}

func TestReadsOfOneVehicleAgree(t *testing.T) {
	read := func(end End, text string, confidence Permille) PlateRead {
		return PlateRead{Camera: string(end), End: end, Text: text, Confidence: confidence}
	}
	front := func(text string, c Permille) PlateRead { return read(Front, text, c) }
	rear := func(text string, c Permille) PlateRead { return read(Rear, text, c) }
	for _, c := range []struct {
		name             string
		reads            []PlateRead
		drawing, trailer string
		doubt            bool
	}{
		{"nothing read", []PlateRead{front("", 0), rear("", 0)}, "", "", false},
		{"a trailer's plate behind never contradicts the front", []PlateRead{front("川A12345", 900), rear("川B678Z挂", 950)}, "川A12345", "川B678Z挂", false},
		{"a trailer's plate alone", []PlateRead{rear("川B678Z挂", 950)}, "", "川B678Z挂", false},
		{"the same plate at both ends", []PlateRead{front("川A12345", 900), rear("川A12345", 950)}, "川A12345", "", false},
		{"another plate behind", []PlateRead{front("川A12345", 900), rear("川A12399", 500)}, "川A12345", "", true},
		{"the rear stands in", []PlateRead{rear("川A12345", 900)}, "川A12345", "", false},
		{"the surer of two in front", []PlateRead{front("川A12345", 500), front("川A99999", 900)}, "川A99999", "", false},
		{"two sure ones in front", []PlateRead{front("川A12345", 950), front("川A99999", 900)}, "川A12345", "", true},
		{"two unsure ones in front", []PlateRead{front("川A12345", 500), front("川A99999", 400)}, "川A12345", "", false},
		{"an O where none can stand is a 0", []PlateRead{front("川AO2345", 950), front("川A02345", 900)}, "川A02345", "", false},
		{"the same at both ends", []PlateRead{front("川AO2345", 950), rear("川A02345", 900)}, "川A02345", "", false},
		{"look-alikes that could both be", []PlateRead{front("川A82345", 950), front("川AB2345", 900)}, "川A82345", "", true},
		{"a province not read", []PlateRead{front("A12345", 950), front("川A12345", 820)}, "川A12345", "", false},
		{"a province not read behind", []PlateRead{front("川A12345", 820), rear("A12345", 950)}, "川A12345", "", false},
		{"a trailer's province not read", []PlateRead{rear("B678Z挂", 900), rear("川B678Z挂", 850)}, "", "川B678Z挂", false},
		{"two trailers", []PlateRead{rear("川B678Z挂", 900), rear("川B111Z挂", 850)}, "", "川B678Z挂", true},
		{"a trailer's plate in front", []PlateRead{front("川B678Z挂", 900)}, "川B678Z挂", "", true},
		{"plates from elsewhere that differ", []PlateRead{front("ZZ90QQX", 900), front("ZZ9OQQX", 900)}, "ZZ90QQX", "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := AgreePlates(c.reads, 800)
			text := func(r *PlateRead) string {
				if r == nil {
					return ""
				}
				return r.Text
			}
			if text(got.Drawing) != c.drawing || text(got.Trailer) != c.trailer || got.Doubt != c.doubt {
				t.Errorf("%q %q doubt %v, want %q %q %v", text(got.Drawing), text(got.Trailer), got.Doubt, c.drawing, c.trailer, c.doubt)
			}
		})
	}
}

func TestTheOrderOfReadsDoesNotMatter(t *testing.T) {
	reads := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) PlateRead {
		return PlateRead{
			Camera: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "camera"), Event: rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, "event"),
			End:        rapid.SampledFrom([]End{Front, Rear}).Draw(t, "end"),
			Text:       rapid.SampledFrom([]string{"", "川A02345", "川AO2345", "A02345", "川A82345", "川AB2345", "川B678Z挂", "B678Z挂", "川B11Z1挂", "ZZ90QQX"}).Draw(t, "text"),
			Confidence: Permille(rapid.SampledFrom([]int{0, 500, 800, 900}).Draw(t, "confidence")),
			Color:      rapid.SampledFrom([]PlateColor{"", Yellow, Blue}).Draw(t, "colour"),
		}
	}), 0, 6)
	same := func(a, b *PlateRead) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }
	rapid.Check(t, func(t *rapid.T) {
		in := reads.Draw(t, "reads")
		before := slices.Clone(in)
		want := AgreePlates(in, 800)
		if !slices.Equal(in, before) {
			t.Error("the reads were changed")
		}
		mixed := slices.Clone(in)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		r.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		if len(mixed) > 0 {
			mixed = append(mixed, mixed[0])
		}
		if got := AgreePlates(mixed, 800); !same(got.Drawing, want.Drawing) || !same(got.Trailer, want.Trailer) || got.Doubt != want.Doubt {
			t.Errorf("%+v\nin another order %+v", want, got)
		}
		var front []PlateRead
		for _, r := range in {
			if r.End == Front || !r.Trailer() {
				front = append(front, r)
			}
		}
		if got := AgreePlates(front, 800); !same(got.Drawing, want.Drawing) {
			t.Errorf("without the trailers' plates behind %+v, with them %+v", got.Drawing, want.Drawing)
		}
	})
}
