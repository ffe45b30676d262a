package rules

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

// everySet loads all that ship, also those of later countries.
func everySet(t testing.TB) []*Set {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", "configs", "rules", "*.yaml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%v %v", paths, err)
	}
	var all []*Set
	for _, p := range paths {
		all = append(all, load(t, p))
	}
	return all
}

func among[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// passing draws a vehicle as a site may see it, with its distances at the edges of the laws' bands.
func passing(r *rand.Rand) *wim.Facts {
	n := 2 + r.IntN(8)
	scale := among(r, 4000, 6000, 8000, 10000, 14000)
	all := make([]axle, n)
	for i := range all {
		all[i] = axle{among[wim.Mm](r, 900, 1000, 1017, 1250, 1300, 1301, 1400, 1401, 1700, 1799, 1800, 2000, 2438, 2500, 4000, 6000, 9000, 12000), wim.Kg(scale/2 + r.IntN(scale))}
	}
	c, lead := wim.Rigid, 0
	if n > 2 && (n > 5 || r.IntN(2) == 0) {
		c, lead = wim.Train, min(2+r.IntN(3), n-1)
	}
	f := lorry(c, uint8(lead), all...)
	for i := range f.Vehicle.Axles {
		f.Vehicle.Axles[i].Tyres = among(r, wim.TyresUnknown, wim.SingleTyres, wim.DualTyres, wim.WideTyres)
	}
	if r.IntN(4) > 0 {
		reg := &wim.Registration{Plate: f.Units[0].Plate, Kind: wim.Goods, DriveAxles: uint8(r.IntN(4)), Suspension: among(r, wim.SuspensionUnknown, wim.AirSuspension, wim.OtherSuspension)}
		if reg.Kerb, reg.Rated, reg.Gross = 8000, wim.Kg(8000+r.IntN(20000)), wim.Kg(15000+r.IntN(20000)); c == wim.Train && r.IntN(2) == 0 {
			reg.Rated, reg.Towed = 0, 40000
		}
		f.Units[0].Registration = reg
	}
	if c == wim.Train {
		f.Vehicle.Combination = among(r, wim.CombinationUnknown, wim.Articulated, wim.Drawbar, wim.CentreAxle, wim.RoadTrain)
		if r.IntN(2) == 0 {
			f.Units = append(f.Units, wim.Unit{Plate: "川A0003挂", Registration: &wim.Registration{Plate: "川A0003挂", Kerb: 7000, Rated: 30000}})
		}
	}
	f.Station = among(r, wim.StationUnset, wim.MotorwayEntrance)
	f.Road.Class = among(r, "expressway", "axle-6", "axle-10", "axle-11.5")
	f.Instrument.Certificate.MassError = among[wim.Permille](r, 0, 50)
	f.Instrument.Certificate.AxleError = among[wim.Permille](r, 0, 80)
	return f
}

// apart gives facts that share no memory with f.
func apart(t testing.TB, f *wim.Facts) *wim.Facts {
	t.Helper()
	b, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	var g wim.Facts
	if err := json.Unmarshal(b, &g); err != nil {
		t.Fatal(err)
	}
	return &g
}

func TestWhatNoLawAsksChangesNoVerdictOfAnySet(t *testing.T) {
	all := everySet(t)
	r := rand.New(rand.NewPCG(1, 1))
	for range 150 {
		f := passing(r)
		g := apart(t, f)
		g.Units[0].Color, g.Units[0].Confidence, g.Units[0].Listed = "blue", 10, []string{"stolen"}
		g.Instrument.ID, g.Instrument.Maker, g.Road.Name = "another", "somebody", "another"
		g.Vehicle.Class, g.Vehicle.Scheme, g.Vehicle.AxleSum = "another", "another", 5
		g.Vehicle.Groups = []wim.AxleGroup{{First: 1, Count: 9, Load: 99999}}
		for i := range g.Vehicle.Axles {
			a := &g.Vehicle.Axles[i]
			a.Index, a.Left, a.Right, a.Speed = 200, 1, wim.NotMeasured, 9
		}
		for _, s := range all {
			if a, b := judge(s, f), judge(s, g); !a.Equal(b) {
				t.Fatalf("%s: %+v\nand with other names %+v", s.id, a, b)
			}
		}
	}
}

func TestFactsWithoutSenseAreJudgedByEverySetAsTheyAreExplained(t *testing.T) {
	all := everySet(t)
	r := rand.New(rand.NewPCG(2, 2))
	n := func() int32 {
		return among(r, math.MinInt32, -1, 0, 1, 1000, 20000, math.MaxInt32, int32(r.Uint32()))
	}
	var used wim.Verdict // has been through other judgements
	for range 500 {
		f := passing(r)
		v := &f.Vehicle
		v.Gross, v.Length, v.Width, v.Height, v.SizeError = wim.Kg(n()), wim.Mm(n()), wim.Mm(n()), wim.Mm(n()), wim.Mm(n())
		if r.IntN(5) == 0 {
			v.Axles = make([]wim.Axle, r.IntN(300))
		}
		for i := range v.Axles {
			if r.IntN(3) == 0 {
				v.Axles[i] = wim.Axle{Load: wim.Kg(n()), Spacing: wim.Mm(n()), Tyres: among[wim.Tyres](r, "?", "", wim.DualTyres)}
			}
		}
		v.Lead, v.Flags = uint8(r.UintN(256)), wim.Flag(r.Uint32())
		v.Configuration, v.Combination = among(r, "?", "", wim.Train, wim.Rigid), among[wim.Combination](r, "?", "", wim.Drawbar)
		f.Time = among(r, f.Time, 0, math.MinInt64, math.MaxInt64, wim.Time(r.Uint64()))
		f.Road.Posted = wim.PostedLimit{Gross: wim.Kg(n()), Axle: wim.Kg(n()), Length: wim.Mm(n()), Width: wim.Mm(n()), Height: wim.Mm(n())}
		f.Instrument.Certificate.MassError, f.Instrument.Certificate.AxleError = wim.Permille(n()), wim.Permille(n())
		for range r.IntN(3) {
			f.Permits = append(f.Permits, wim.Permit{
				Plate: f.Units[0].Plate, ValidFrom: math.MinInt64, ValidUntil: math.MaxInt64, Axles: uint8(r.UintN(8)),
				Gross: wim.Kg(n()), Axle: wim.Kg(n()), Length: wim.Mm(n()), Width: wim.Mm(n()), Height: wim.Mm(n()),
			})
		}
		if reg := f.Units[0].Registration; reg != nil {
			reg.Kerb, reg.Rated, reg.Gross, reg.Towed, reg.DriveAxles, reg.Axles = wim.Kg(n()), wim.Kg(n()), wim.Kg(n()), wim.Kg(n()), uint8(r.UintN(256)), uint8(r.UintN(256))
		}
		for _, s := range all {
			s.Judge(f, &used)
			if e := s.Explain(f); !e.Verdict.Equal(&used) {
				t.Fatalf("%s: judged %+v\nexplained %+v", s.id, used, e.Verdict)
			}
			s.Consequences(f, &used)
			for _, x := range used.Findings {
				if x.Deducted < 0 || x.Permitted < 0 || x.Size.Excess < 0 || (x.Outcome == wim.Exceeded) != (x.Excess > 0 || x.Size.Excess > 0) {
					t.Fatalf("%s: %+v", s.id, x)
				}
			}
		}
	}
}

// What is forgotten may leave a verdict open; it may neither accuse a vehicle that keeps the law nor clear one that
// breaks it. presumes names sets that then presume the input, or count a licence only where it is known: they may do
// both, but what they accuse of so grounds no decision.
func TestForgettingAnInputNeitherAccusesNorClears(t *testing.T) {
	all := everySet(t)
	lead := func(f *wim.Facts) { f.Vehicle.Lead, f.Vehicle.Combination = 0, "" }
	for _, c := range []struct {
		what, presumes string
		forget         func(r *rand.Rand, f *wim.Facts)
	}{
		{"the licence", "cn", func(_ *rand.Rand, f *wim.Facts) { f.Units[0].Registration = nil }},
		{"how many axles are driven", "cn", func(_ *rand.Rand, f *wim.Facts) {
			if reg := f.Units[0].Registration; reg != nil {
				reg.DriveAxles = 0
			}
		}},
		{"the suspension", "", func(_ *rand.Rand, f *wim.Facts) {
			if reg := f.Units[0].Registration; reg != nil {
				reg.Suspension = wim.SuspensionUnknown
			}
		}},
		{"the tyres of an axle", "cn", func(r *rand.Rand, f *wim.Facts) {
			f.Vehicle.Axles[r.IntN(len(f.Vehicle.Axles))].Tyres = wim.TyresUnknown
		}},
		{"the trailer", "", func(_ *rand.Rand, f *wim.Facts) { f.Units = f.Units[:1] }},
		{"how the units are joined", "", func(_ *rand.Rand, f *wim.Facts) { f.Vehicle.Combination = wim.CombinationUnknown }},
		{"where the trailer begins", "cn", func(_ *rand.Rand, f *wim.Facts) { lead(f) }},
		{"whether it is a train", "cn", func(_ *rand.Rand, f *wim.Facts) { lead(f); f.Vehicle.Sure = false }},
		{"the load of an axle", "", func(r *rand.Rand, f *wim.Facts) {
			f.Vehicle.Axles[r.IntN(len(f.Vehicle.Axles))].Load = wim.NotMeasured
		}},
		{"a distance", "", func(r *rand.Rand, f *wim.Facts) {
			f.Vehicle.Axles[1+r.IntN(len(f.Vehicle.Axles)-1)].Spacing = 0
		}},
		{"the gross mass", "", func(_ *rand.Rand, f *wim.Facts) { f.Vehicle.Gross = 0 }},
		{"the class of the road", "", func(_ *rand.Rand, f *wim.Facts) { f.Road.Class = "no class of any set" }},
		{"which plate it was", "cn", func(_ *rand.Rand, f *wim.Facts) { f.Vehicle.Flags |= wim.PlateUncertain }},
	} {
		t.Run(c.what, func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, 3))
			for range 120 {
				f := passing(r)
				g := apart(t, f)
				c.forget(r, g)
				for _, s := range all {
					presumes := slices.Contains(strings.Fields(c.presumes), s.id)
					known, less := judge(s, f), judge(s, g)
					for k, o := range less.Opinions {
						was := known.Opinions[k]
						if !decided(was.Outcome) || !decided(o.Outcome) || (was.Outcome == wim.Exceeded) == (o.Outcome == wim.Exceeded) ||
							presumes && (was.Outcome == wim.Exceeded || o.Standing != wim.Evidence) {
							continue
						}
						t.Fatalf("%s, %s: %s, and %s without\n%+v\n%+v", s.id, o.Competence, was.Outcome, o.Outcome, f, less.Findings)
					}
				}
			}
		})
	}
}

func decided(o wim.Outcome) bool {
	return o == wim.Compliant || o == wim.WithinTolerance || o == wim.Exceeded
}
