package rules_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/rules"
	"github.com/axlegate/axlegate/wim"
	"pgregory.net/rapid"
)

// seeded draws facts by a generator of the oracles. It shrinks to nothing useful, and is dense where it counts.
func seeded(t *rapid.T, draw func(*rand.Rand) *wim.Facts) *wim.Facts {
	return draw(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))) //nolint:gosec // a draw, no secret
}

// drawings are the shipped sets whose law the generators were written for, and the generators.
func drawings(t testing.TB) map[*rules.Set]func(*rand.Rand) *wim.Facts {
	u := &american{pounds: map[int64]int64{}, bridge: map[[2]int64]int64{}}
	return map[*rules.Set]func(*rand.Rand) *wim.Facts{lawOf(t, "cn"): drawChinese, lawOf(t, "us"): drawAmerican(u)}
}

func verdictOf(s *rules.Set, f *wim.Facts) *wim.Verdict {
	var v wim.Verdict
	s.Judge(f, &v)
	return &v
}

// accusation orders outcomes by what they say against a vehicle: nothing, nobody knows, exceeded. Whether a tolerance
// was needed for the first does not count, because a permit ends that question.
func accusation(o wim.Outcome) int {
	switch o {
	case wim.Exceeded:
		return 2
	case wim.Unknown:
		return 1
	case wim.NotApplicable, wim.Compliant, wim.WithinTolerance:
	}
	return 0
}

func TestPropertyMoreLoadNeverMakesAnAccusationLighter(t *testing.T) {
	for s, draw := range drawings(t) {
		t.Run(s.ID(), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				for range 20 {
					f := seeded(t, draw)
					before := verdictOf(s, f)
					i := rapid.IntRange(0, len(f.Vehicle.Axles)-1).Draw(t, "axle")
					more := wim.Kg(rapid.OneOf(rapid.IntRange(1, 20), rapid.IntRange(1, 20000)).Draw(t, "more"))
					if f.Vehicle.Gross <= 0 || f.Vehicle.Axles[i].Load < 0 {
						continue
					}
					f.Vehicle.Gross += more
					f.Vehicle.Axles[i].Load += more
					f.Vehicle.AxleSum += more
					after := verdictOf(s, f)
					for k, o := range before.Opinions {
						if x := after.Opinions[k]; accusation(x.Outcome) < accusation(o.Outcome) {
							t.Fatalf("%s: %s, and %s with %d kg more on axle %d: %+v", o.Competence, o.Outcome, x.Outcome, more, i+1, f)
						}
					}
				}
			})
		})
	}
}

// Axles within 40 inches are one axle, so a second one put beside it hides no excess, wherever the other axles stand.
func TestPropertyAnAxleSplitInTwoCloseOnesStaysExceeded(t *testing.T) {
	s := lawOf(t, "us")
	u := &american{pounds: map[int64]int64{}, bridge: map[[2]int64]int64{}}
	draw := drawAmerican(u)
	rapid.Check(t, func(t *rapid.T) {
		for range 20 {
			f := seeded(t, draw)
			i := rapid.IntRange(0, len(f.Vehicle.Axles)-1).Draw(t, "axle")
			apart := wim.Mm(rapid.IntRange(1, fortyInches).Draw(t, "apart"))
			if !spaced(f) || !exceededBy(verdictOf(s, f), wim.ScopeAxle, i+1, i+1) {
				continue
			}
			a := f.Vehicle.Axles[i]
			b := a
			a.Load /= 2
			b.Load -= a.Load
			b.Spacing = apart
			f.Vehicle.Axles[i] = a
			f.Vehicle.Axles = slices.Insert(f.Vehicle.Axles, i+1, b)
			if v := verdictOf(s, f); !exceededBy(v, wim.ScopeRun, i+1, i+2) {
				t.Fatalf("axle %d in two, %d mm apart: %+v", i+1, apart, v.Findings)
			}
		}
	})
}

// exceededBy tells whether a verdict finds exactly these axles exceeded.
func exceededBy(v *wim.Verdict, scope wim.ScopeKind, first, last int) bool {
	return slices.ContainsFunc(v.Findings, func(x wim.Finding) bool {
		return x.Scope == scope && int(x.Index) == first && (scope == wim.ScopeAxle || int(x.Last) == last) && x.Outcome == wim.Exceeded
	})
}

// What a run of axles may weigh does not hang on the axles behind it: one more, far behind, hides no excess of theirs.
func TestPropertyAnAxleFarBehindHidesNoExcess(t *testing.T) {
	s := lawOf(t, "us")
	u := &american{pounds: map[int64]int64{}, bridge: map[[2]int64]int64{}}
	draw := drawAmerican(u)
	rapid.Check(t, func(t *rapid.T) {
		for range 20 {
			f := seeded(t, draw)
			if !spaced(f) {
				continue
			}
			before := verdictOf(s, f)
			f.Vehicle.Axles = append(f.Vehicle.Axles, wim.Axle{Index: uint8(len(f.Vehicle.Axles) + 1), Load: 500, Left: -1, Right: -1, Spacing: 15000}) //nolint:gosec // a vehicle's axles
			after := verdictOf(s, f)
			for _, x := range before.Findings {
				if x.Outcome == wim.Exceeded && x.Scope == wim.ScopeRun && !exceededBy(after, x.Scope, int(x.Index), int(x.Last)) {
					t.Fatalf("%+v is not found any more: %+v", x, after.Findings)
				}
			}
		}
	})
}

const oneLimit = `format: 2
id: x
version: "1"
title: {zh: 某国, en: Some country}
zone: "+00:00"
deduction: {mode: reduce_measured, uncertified_mass_permille: 0, uncertified_axle_permille: 0, uncertified_size_mm: 1, note: none}
crew_kg: 0
competences:
  - competence: road-administration
    name: {zh: 某局, en: Some office}
    limits:
      - {id: a, name: {zh: 甲, en: a}, on: %s, value: %s, article: Art. 1, source: "https://example.org/1", status: verified, effective_from: 2000-01-01}
`

// limited loads a set of one limit.
func limited(t *rapid.T, on, value string) *rules.Set {
	s, err := rules.Load("x.yaml", fmt.Appendf(nil, oneLimit, on, value))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A unit of another system is exact: the whole kilogram or millimetre next above it exceeds, the one below does not.
func TestPropertyUnitsAreConvertedExactly(t *testing.T) {
	units := []struct {
		unit, on string
		size     *big.Rat // in kilograms or millimetres
		most     int64
	}{
		{"kg", "gross", big.NewRat(1, 1), 100000},
		{"t", "gross", big.NewRat(1000, 1), 100},
		{"lb", "gross", big.NewRat(45359237, 100000000), 200000},
		{"mm", "height", big.NewRat(1, 1), 6000},
		{"m", "height", big.NewRat(1000, 1), 30},
		{"in", "height", big.NewRat(254, 10), 600},
		{"ft", "height", big.NewRat(3048, 10), 60},
	}
	rapid.Check(t, func(t *rapid.T) {
		u := rapid.SampledFrom(units).Draw(t, "unit")
		n := rapid.Int64Range(1, u.most).Draw(t, "count")
		x := new(big.Rat).Mul(big.NewRat(n, 1), u.size)
		floor := new(big.Int).Quo(x.Num(), x.Denom()).Int64()
		if floor < 1 {
			return
		}
		s := limited(t, u.on, fmt.Sprintf("%d %s", n, u.unit))
		for _, over := range []int64{0, 1} {
			f := &wim.Facts{Time: day(2026, 1, 1), Clock: wim.ClockSynchronised, Purpose: wim.Enforcement, Units: []wim.Unit{{Plate: "A1", Kind: wim.Goods}}}
			f.Vehicle = wim.Vehicle{Gross: 1, Axles: make([]wim.Axle, 2), Configuration: wim.Rigid, Sure: true, SizeError: 1}
			if u.on == "gross" {
				f.Vehicle.Gross = wim.Kg(floor + over)
			} else {
				f.Vehicle.Height = wim.Mm(floor + over + 1) // less the error of one millimetre
			}
			v := verdictOf(s, f)
			if got := v.Opinions[0].Outcome == wim.Exceeded; got != (over == 1) {
				t.Fatalf("%d %s is %s: %d found %+v", n, u.unit, x.FloatString(4), floor+over, v.Findings)
			}
		}
	})
}

// Names are names: another plate, device, road or lane, and permits in another order, change no finding.
func TestPropertyWhatThingsAreCalledChangesNothing(t *testing.T) {
	for s, draw := range drawings(t) {
		t.Run(s.ID(), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				for range 20 {
					f := seeded(t, draw)
					before := verdictOf(s, f).Clone()
					renamed(f)
					after := verdictOf(s, f)
					if !slices.Equal(before.Opinions, after.Opinions) {
						t.Fatalf("%+v, renamed %+v: %+v", before.Opinions, after.Opinions, f)
					}
					for i := range before.Findings {
						a, b := before.Findings[i], after.Findings[i]
						a.Permit, b.Permit, a.Breach, b.Breach = "", "", "", ""
						if a != b {
							t.Fatalf("%+v, renamed %+v", a, b)
						}
					}
				}
			})
		})
	}
}

// renamed calls everything otherwise, the same thing everywhere the same.
func renamed(f *wim.Facts) {
	call := func(name *string) {
		if *name != "" {
			trailer := strings.HasSuffix(*name, "挂")
			*name = "闽Z" + strings.TrimSuffix(*name, "挂") + "9"
			if trailer {
				*name += "挂"
			}
		}
	}
	f.Instrument.ID, f.Instrument.Maker, f.Instrument.Serial = "another", "somebody", "0"
	if c := f.Instrument.Certificate; c != nil {
		c.Number = "another"
	}
	f.Vehicle.Scheme, f.Vehicle.Class = "another", "another"
	f.Vehicle.Start, f.Vehicle.End = f.Time, f.Time
	call(&f.Road.Name)
	f.Road.Posted.Sign = "at another place"
	for i := range f.Units {
		u := &f.Units[i]
		call(&u.Plate)
		u.Color, u.Confidence, u.Listed = wim.Blue, 1, []string{"a list"}
		if u.Registration != nil {
			call(&u.Registration.Plate)
		}
	}
	for i := range f.Permits {
		p := &f.Permits[i]
		call(&p.Number)
		call(&p.Plate)
		call(&p.Trailer)
		for k := range p.Roads {
			call(&p.Roads[k])
		}
		slices.Reverse(p.Roads)
	}
	slices.Reverse(f.Permits)
}
