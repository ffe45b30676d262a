package rules_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

// american is the oracle of 23 USC 127: gross 80,000 lb, any one axle 20,000 lb, a tandem 34,000 lb, and of every run
// of consecutive axles what Bridge Formula B gives.
type american struct {
	pounds map[int64]int64    // memory of kilograms, for speed only
	bridge map[[2]int64]int64 // by axles and span in millimetres, in pounds
}

// kilograms is the largest whole number of kilograms that is not above a number of pounds of 0.45359237 kg.
func (u *american) kilograms(lb int64) int64 {
	if kg, ok := u.pounds[lb]; ok {
		return kg
	}
	x := new(big.Rat).Mul(big.NewRat(lb, 1), big.NewRat(45359237, 100000000))
	kg := new(big.Int).Quo(x.Num(), x.Denom()).Int64()
	u.pounds[lb] = kg
	return kg
}

// formula is W = 500 (LN/(N−1) + 12N + 36) in pounds, L in feet of 304.8 mm, to the nearest 500 with ties down, and
// never more than 20,000 lb an axle.
func (u *american) formula(n, span int64) int64 {
	if w, ok := u.bridge[[2]int64{n, span}]; ok {
		return w
	}
	x := new(big.Rat).Mul(big.NewRat(span*10, 3048), big.NewRat(n, n-1))
	x.Add(x, big.NewRat(12*n+36, 1))
	x.Sub(x, big.NewRat(1, 2)) // nearest, ties down: the smallest whole number that is not below x − ½
	whole := new(big.Int).Quo(x.Num(), x.Denom())
	if new(big.Rat).SetInt(whole).Cmp(x) < 0 {
		whole.Add(whole, big.NewInt(1))
	}
	w := min(500*whole.Int64(), 20000*n)
	u.bridge[[2]int64{n, span}] = w
	return w
}

const (
	fortyInches     = 1016  // exactly
	ninetySixInches = 2438  // 2438.4: the last whole millimetre that is not more
	nineFeet        = 2743  // 2743.2, which measures as this
	thirtySixFeet   = 10972 // 10972.8, likewise
)

// run is what consecutive axles may weigh together, in pounds. sets tells that they are two consecutive tandems.
func (u *american) run(n, span int64, sets bool) int64 {
	switch {
	case span <= fortyInches:
		return 20000 // one axle
	case span <= ninetySixInches:
		return 34000 // a tandem, also of three and more
	case n == 2 && span < nineFeet:
		return 38000
	case n == 3 && span < nineFeet:
		return 42000
	}
	w := u.formula(n, span)
	if sets && span >= thirtySixFeet {
		w = max(w, 68000)
	}
	return w
}

// tandems tells at which axle, from 0, each tandem of two or three axles begins: the longest first, from the front.
func tandems(d []int64) map[int]int {
	out := map[int]int{}
	for i := 0; i <= len(d); {
		size := 1
		for n, span := 2, int64(0); n <= 3 && i+n-2 < len(d); n++ {
			span += d[i+n-2]
			if span > fortyInches && span <= ninetySixInches {
				size = n
			}
		}
		if size > 1 {
			out[i] = size
		}
		i += size
	}
	return out
}

func (u *american) judge(f *wim.Facts) []belief {
	b := belief{competence: wim.RoadAdministration}
	switch k := kindOf(f); k {
	case wim.Bus, wim.Car, wim.Military:
		b.barred, b.outcome = true, wim.NotApplicable
		return []belief{b}
	case wim.KindUnknown, wim.Goods, wim.SpecialWork, wim.Farm:
	}
	massError, axleError := massErrors(f)
	v := &f.Vehicle
	g := b.ask("gross")
	if v.Gross <= 0 {
		g.answer(open, 0)
	} else {
		g.weigh(int64(v.Gross), without(v.Gross, massError), u.kilograms(80000), 0)
	}
	for i := range v.Axles {
		q := b.ask(fmt.Sprintf("axle %d", i+1))
		if m := v.Axles[i].Load; m < 0 {
			q.answer(open, 0)
		} else {
			q.weigh(int64(m), without(m, axleError), u.kilograms(20000), 0)
		}
	}
	for i := range v.Axles {
		for k := i + 1; k < len(v.Axles); k++ {
			q := b.ask(fmt.Sprintf("axles %d-%d", i+1, k+1))
			sum, seen := wim.Kg(0), true
			for x, a := range v.Axles[i : k+1] {
				sum += a.Load
				// What a run may weigh hangs on its length, so without it nothing is decided.
				seen = seen && a.Load >= 0 && (x == 0 || a.Spacing > 0)
			}
			for _, d := range distances(v.Axles, 500, 1016, 1017, 2438, 2439, 2743, 3000, 4600, 6000, 9000, 10972, 12000, 20000) {
				if !seen {
					q.answer(open, 0)
					continue
				}
				span := int64(0)
				for _, x := range d[i:k] {
					span += x
				}
				in := tandems(d)
				q.weigh(int64(sum), without(sum, axleError), u.kilograms(u.run(int64(k-i+1), span, k-i == 3 && in[i] == 2 && in[i+2] == 2)), 0)
			}
		}
	}
	return []belief{b}
}

// distances are the worlds of the distances between neighbouring axles: one that was not measured may be any.
func distances(all []wim.Axle, could ...int64) [][]int64 {
	worlds := [][]int64{{}}
	for i := 1; i < len(all); i++ {
		values := []int64{int64(all[i].Spacing)}
		if all[i].Spacing <= 0 {
			values = could
		}
		var next [][]int64
		for _, w := range worlds {
			for _, x := range values {
				next = append(next, append(append([]int64(nil), w...), x))
			}
		}
		worlds = next
	}
	return worlds
}

// drawAmerican draws a vehicle near one of the limits.
func drawAmerican(u *american) func(*rand.Rand) *wim.Facts {
	return func(r *rand.Rand) *wim.Facts {
		f := weighed(r)
		n := one(r, 2, 3, 3, 4, 4, 4, 5, 5, 6, 7)
		d := make([]wim.Mm, n-1)
		for i := range d {
			d[i] = one(r, about[wim.Mm](r, fortyInches), 1220, 1220, 1300, about[wim.Mm](r, ninetySixInches), about[wim.Mm](r, nineFeet), 3000, 3600, 4600, about[wim.Mm](r, thirtySixFeet-2440), 9100, 12000)
		}
		switch {
		case n == 4 && rare(r, 2): // two tandems about 36 to 39 ft apart
			d[0], d[2] = one(r, 1220, 1220, 1030, about[wim.Mm](r, fortyInches)), one(r, 1220, 1220, 1030, about[wim.Mm](r, ninetySixInches))
			d[1] = max(about(r, one[wim.Mm](r, thirtySixFeet, 11887, 16000))-d[0]-d[2], 3000)
		case n > 3 && rare(r, 8): // all of them close together
			for i := range d {
				d[i] = about(r, wim.Mm(one(r, fortyInches, ninetySixInches, ninetySixInches+12)/len(d)))
			}
		case rare(r, 3):
			onTie(r, d)
		}
		span := int64(0)
		for _, x := range d {
			span += int64(x)
		}
		massError, axleError := massErrors(f)
		// Near the whole run's limit or the gross one; or all axles lighter but for a run within.
		gross := wim.Kg(min(u.kilograms(u.run(int64(n), span, n == 4 && d[0] == 1220)), u.kilograms(80000)))
		gross = about(r, grown(gross, one(r, massError, axleError)))
		if rare(r, 2) {
			gross = gross * wim.Kg(60+r.IntN(40)) / 100
		}
		axles(r, f, gross, d)
		if rare(r, 3) { // a run within that stands at its own limit
			first := r.IntN(n)
			last := first + r.IntN(min(4, n-first))
			span, limit := int64(0), int64(20000)
			for _, x := range d[first:last] {
				span += int64(x)
			}
			if last > first {
				limit = u.run(int64(last-first+1), span, false)
			}
			each := about(r, grown(wim.Kg(u.kilograms(limit)), axleError)) / wim.Kg(last-first+1)
			for i := first; i <= last; i++ {
				f.Vehicle.Axles[i].Load = each
			}
			f.Vehicle.Axles[first].Load += wim.Kg(r.IntN(4))
		}
		if rare(r, 40) {
			f.Vehicle.Axles[r.IntN(n)].Load = wim.NotMeasured
		}
		if rare(r, 40) {
			f.Vehicle.Axles[1+r.IntN(n-1)].Spacing = 0
		}
		if rare(r, 100) {
			f.Vehicle.Gross = 0
		}
		f.Vehicle.Configuration, f.Vehicle.Sure = one(r, wim.Rigid, wim.Train, wim.ConfigurationUnknown), rare(r, 2)
		f.Units = []wim.Unit{{Plate: "7ABC123", Kind: wim.Goods}}
		if rare(r, 30) {
			f.Units[0].Kind = one(r, wim.Bus, wim.Car, wim.Military, wim.SpecialWork, wim.Farm, wim.KindUnknown)
		}
		return f
	}
}

// onTie moves the last axle to where the formula of the whole vehicle ends in exactly 250 lb: odd multiples of a length that
// is a whole number of millimetres for these counts of axles only.
func onTie(r *rand.Rand, d []wim.Mm) {
	step := map[int]wim.Mm{3: 508, 5: 3048, 6: 127, 7: 4572}[len(d)+1]
	if step == 0 {
		return
	}
	before := wim.Mm(0)
	for _, x := range d[:len(d)-1] {
		before += x
	}
	odd := (before+1100)/step + wim.Mm(r.IntN(3))
	odd += 1 - odd%2
	for odd*step <= before {
		odd += 2
	}
	d[len(d)-1] = odd*step - before
}

func TestTheEngineAgreesWithASlowReadingOfAmericanLaw(t *testing.T) {
	u := &american{pounds: map[int64]int64{}, bridge: map[[2]int64]int64{}}
	road := string(wim.RoadAdministration) + " "
	compare(t, "us", vehicles(8_000), drawAmerican(u), spaced, u.judge, []string{
		road + string(wim.Exceeded), road + string(wim.WithinTolerance), road + string(wim.Compliant), road + string(wim.Unknown), road + string(wim.NotApplicable),
	})
}

// The oracle itself is held to rows of the federal table.
func TestTheSlowReadingOfAmericanLawGivesTheFederalTable(t *testing.T) {
	u := &american{pounds: map[int64]int64{}, bridge: map[[2]int64]int64{}}
	for _, c := range []struct{ feet, axles, pounds int64 }{
		{9, 2, 39000}, {9, 3, 42500}, {10, 2, 40000}, {10, 3, 43500}, {16, 3, 48000}, {16, 4, 52500}, {16, 5, 58000}, {20, 4, 55500}, {20, 6, 66000},
		{24, 7, 74000}, {32, 3, 60000}, {32, 4, 63500}, {36, 4, 66000}, {36, 5, 70500}, {43, 6, 80000}, {51, 5, 80000}, {51, 7, 89500}, {57, 4, 80000}, {57, 7, 93000},
	} {
		if w := u.run(c.axles, c.feet*3048/10, false); w != c.pounds {
			t.Errorf("%d axles within %d ft: %d lb, want %d", c.axles, c.feet, w, c.pounds)
		}
	}
	if w := u.run(4, thirtySixFeet, true); w != 68000 {
		t.Errorf("two tandems within 36 ft: %d lb", w)
	}
}
