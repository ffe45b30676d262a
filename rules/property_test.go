package rules

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/axlegate/axlegate/wim"
	"pgregory.net/rapid"
)

// sets are those that every property is held against.
func sets(t testing.TB) []*Set {
	return []*Set{china(t), testSet(t), load(t, "..", "configs", "rules", "cn.yaml")}
}

// oftener draws a common value nine times of ten and a rare one else: a judgement that ends at its first
// question tests nothing behind it.
func oftener[T any](t *rapid.T, what string, common, rare *rapid.Generator[T]) T {
	if rapid.IntRange(0, 9).Draw(t, what+" is rare") == 7 {
		return rare.Draw(t, what)
	}
	return common.Draw(t, what)
}

// near draws a mass within a tenth around m, where the answers change.
func near(t *rapid.T, what string, m int32) wim.Kg {
	return wim.Kg(max(1, m+rapid.Int32Range(-m/10, m/10).Draw(t, what)))
}

// likely draws facts as a site could have them, dense around the limits and the licences.
func likely(t *rapid.T) *wim.Facts {
	n := oftener(t, "axles", rapid.SampledFrom([]int{2, 3, 3, 4, 4, 5, 6, 6, 6}), rapid.IntRange(0, 9))
	limits := map[int][]int32{2: {18000}, 3: {25000, 27000}, 4: {31000, 36000}, 5: {43000}, 6: {46000, 49000}}[n]
	if limits == nil {
		limits = []int32{1, 60000}
	}
	limit := rapid.SampledFrom(limits).Draw(t, "limit")
	gross := near(t, "gross", limit)
	c := wim.Rigid
	if n > 2 && rapid.IntRange(0, 3).Draw(t, "is a train") > 0 || n > 4 {
		c = wim.Train
	}
	f := sound(n, oftener(t, "configuration", rapid.Just(c), rapid.SampledFrom([]wim.Configuration{wim.Rigid, wim.Train, wim.ConfigurationUnknown})), gross)
	f.Vehicle.Sure = rapid.IntRange(0, 2).Draw(t, "sure") > 0
	f.Vehicle.Flags = oftener(t, "flags", rapid.Just(wim.Flag(0)), rapid.SampledFrom([]wim.Flag{wim.Imbalance, wim.PlateUncertain, wim.Straddling}))
	for i := range f.Vehicle.Axles {
		f.Vehicle.Axles[i].Load = oftener(t, "load", rapid.Custom(func(t *rapid.T) wim.Kg { return near(t, "load", 10000) }), rapid.Just(wim.NotMeasured))
	}
	f.Time = oftener(t, "time", rapid.Just(on("2026-03-01 10:00:00")), rapid.SampledFrom([]wim.Time{0, on("2015-01-01 00:00:00"), on("2024-06-01 00:00:00")}))
	f.Clock = oftener(t, "clock", rapid.Just(wim.ClockSynchronised), rapid.Just(wim.ClockUnknown))
	f.Purpose = oftener(t, "purpose", rapid.Just(wim.Enforcement), rapid.Just(wim.Testing))
	f.Road.Posted = oftener(t, "sign", rapid.Just(wim.PostedLimit{}), rapid.Just(wim.PostedLimit{Gross: wim.Kg(limit), Axle: 10000}))
	if rapid.IntRange(0, 3).Draw(t, "certified") > 0 {
		f.Instrument.Certificate.MassError = wim.Permille(rapid.Int32Range(0, 80).Draw(t, "mass error"))
		f.Instrument.Certificate.AxleError = wim.Permille(rapid.Int32Range(0, 80).Draw(t, "axle error"))
	} else {
		f.Instrument.Certificate = nil
	}
	f.Units = nil
	units := 1
	if c == wim.Train {
		units = 2
	}
	for i := range oftener(t, "units", rapid.Just(units), rapid.IntRange(0, 3)) {
		k := oftener(t, "kind", rapid.Just(wim.Goods), rapid.SampledFrom([]wim.VehicleKind{wim.KindUnknown, wim.Bus, wim.Military, "tram"}))
		u := wim.Unit{Plate: "川A1", Kind: k}
		if rapid.IntRange(0, 4).Draw(t, "registered") > 0 {
			u.Registration = &wim.Registration{Kind: k, Kerb: wim.Kg(limit / 6), Gross: near(t, "gross of licence", limit), Axles: rapid.SampledFrom([]uint8{0, 0, 2, 3, uint8(n)}).Draw(t, "axles of licence")}
			tractor := i == 0 && units > 1 && rapid.IntRange(0, 2).Draw(t, "tractor") > 0
			if tractor {
				u.Registration.Towed = near(t, "towed", limit*5/6)
				u.Registration.DriveAxles = rapid.Uint8Range(0, 2).Draw(t, "drive axles")
			} else {
				share := limit * 5 / 6
				if units > 1 {
					share = limit * 2 / 3
				}
				u.Registration.Rated = oftener(t, "rated", rapid.Custom(func(t *rapid.T) wim.Kg { return near(t, "rated", share) }), rapid.Just(wim.Kg(0)))
			}
		}
		f.Units = append(f.Units, u)
	}
	return f
}

// A property over facts that never reach a branch proves nothing of it: this counts what likely reaches.
func TestTheDrawnFactsReachEveryOutcome(t *testing.T) {
	s := china(t)
	count := map[string]int{}
	cases := 0
	rapid.Check(t, func(t *rapid.T) {
		for range 50 { // far more facts than the properties' checks, so that chance decides nothing
			cases++
			for _, o := range judge(s, likely(t)).Opinions {
				count[string(o.Competence)+" "+string(o.Outcome)+" "+o.Why]++
			}
		}
	})
	for _, want := range []string{
		"road-administration exceeded ", "road-administration within-tolerance ", "road-administration compliant ",
		"road-administration unknown configuration", "road-administration unknown drive-axles", "road-administration not-applicable bus",
		"traffic-police exceeded ", "traffic-police within-tolerance ", "traffic-police compliant ",
		"traffic-police unknown configuration", "traffic-police unknown registration",
	} {
		if count[want]*500 < cases {
			t.Errorf("%q is reached in %d of %d cases, want one of 500", want, count[want], cases)
		}
	}
	t.Log(cases, count)
}

// wild draws facts without any sense at all.
func wild(t *rapid.T) *wim.Facts {
	kg := func(what string) wim.Kg {
		return wim.Kg(rapid.OneOf(rapid.Int32(), rapid.SampledFrom([]int32{math.MinInt32, -1, 0, 1, math.MaxInt32})).Draw(t, what))
	}
	f := &wim.Facts{
		Time: wim.Time(rapid.Int64().Draw(t, "time")), Clock: wim.ClockState(rapid.String().Draw(t, "clock")),
		Purpose: wim.LanePurpose(rapid.String().Draw(t, "purpose")),
		Road:    wim.Road{Posted: wim.PostedLimit{Gross: kg("sign"), Axle: kg("axle sign")}},
		Vehicle: wim.Vehicle{
			Gross: kg("gross"), Configuration: wim.Configuration(rapid.SampledFrom([]string{"", "rigid", "train", "unknown", "?"}).Draw(t, "configuration")),
			Sure: rapid.Bool().Draw(t, "sure"), Flags: wim.Flag(rapid.Uint32().Draw(t, "flags")), Axles: make([]wim.Axle, rapid.IntRange(0, 300).Draw(t, "axles")),
		},
	}
	for i := range min(len(f.Vehicle.Axles), 4) {
		f.Vehicle.Axles[i].Load = kg("load")
	}
	if rapid.Bool().Draw(t, "certificate") {
		f.Instrument.Certificate = &wim.Certificate{MassError: wim.Permille(rapid.Int32().Draw(t, "error")), AxleError: wim.Permille(rapid.Int32().Draw(t, "axle error")), Max: kg("max")}
	}
	for range rapid.IntRange(0, 5).Draw(t, "units") {
		u := wim.Unit{Kind: wim.VehicleKind(rapid.SampledFrom([]string{"", "goods", "bus", "?"}).Draw(t, "kind"))}
		if rapid.Bool().Draw(t, "registered") {
			u.Registration = &wim.Registration{Kerb: kg("kerb"), Rated: kg("rated"), Gross: kg("licence"), Towed: kg("towed"), DriveAxles: rapid.Uint8().Draw(t, "drive"), Axles: rapid.Uint8().Draw(t, "axles of licence")}
		}
		f.Units = append(f.Units, u)
	}
	return f
}

// checkOften holds a property against twenty draws a check: a judgement takes less than a microsecond, and
// the branches that can go wrong are rare.
func checkOften(t *testing.T, property func(t *rapid.T)) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		for range 20 {
			property(t)
		}
	})
}

func TestPropertyAHeavierVehicleNeverImprovesAVerdict(t *testing.T) {
	all := sets(t)
	checkOften(t, func(t *rapid.T) {
		light := likely(t)
		heavy := *light
		more := wim.Kg(rapid.OneOf(rapid.Int32Range(0, 3000), rapid.Int32Range(0, 20000)).Draw(t, "more"))
		heavy.Vehicle = light.Vehicle.Clone()
		heavy.Vehicle.Gross += more
		for i := range heavy.Vehicle.Axles {
			if heavy.Vehicle.Axles[i].Load >= 0 {
				heavy.Vehicle.Axles[i].Load += more
			}
		}
		for _, s := range all {
			a, b := judge(s, light), judge(s, &heavy)
			for i := range a.Opinions {
				if b.Opinions[i].Outcome.Weight() < a.Opinions[i].Outcome.Weight() {
					t.Fatalf("%s of %s: %s at %d kg, %s at %d kg", s.id, a.Opinions[i].Competence, a.Opinions[i].Outcome, light.Vehicle.Gross, b.Opinions[i].Outcome, heavy.Vehicle.Gross)
				}
			}
		}
	})
}

func TestPropertyADeductionNeverCreatesAnExcess(t *testing.T) {
	all := sets(t)
	checkOften(t, func(t *rapid.T) {
		with := likely(t)
		if with.Instrument.Certificate == nil {
			return // the set's own error cannot be taken away
		}
		none := *with
		c := *with.Instrument.Certificate
		c.MassError, c.AxleError = 0, 0
		none.Instrument.Certificate = &c
		for _, s := range all {
			a, b := judge(s, with), judge(s, &none)
			for i := range a.Opinions {
				if a.Opinions[i].Outcome.Weight() > b.Opinions[i].Outcome.Weight() {
					t.Fatalf("%s: %s with the deduction, %s without", s.id, a.Opinions[i].Outcome, b.Opinions[i].Outcome)
				}
			}
		}
	})
}

// consistent holds what is true of every finding and opinion whatever the facts.
func consistent(t *rapid.T, v *wim.Verdict) {
	for _, f := range v.Findings {
		over := int64(f.Measured) - int64(f.Deducted) - int64(f.Permitted)
		switch f.Outcome {
		case wim.Exceeded:
			if over <= 0 || int64(f.Excess) != over || f.Measured <= f.Permitted {
				t.Fatalf("%+v", f)
			}
		case wim.WithinTolerance:
			if over > 0 || f.Measured <= f.Permitted || f.Excess != 0 {
				t.Fatalf("%+v", f)
			}
		case wim.Compliant:
			if f.Measured > f.Permitted || f.Excess != 0 || f.Band != "" {
				t.Fatalf("%+v", f)
			}
		default:
			t.Fatalf("a finding of outcome %q", f.Outcome)
		}
		if f.Limit == "" || f.Article == "" || f.Scope == "" || f.Deducted < 0 || f.Permitted < 0 {
			t.Fatalf("%+v", f)
		}
	}
	for _, o := range v.Opinions {
		if o.Standing != wim.StandingOf(o.Reasons) || (o.Why != "") != (o.Outcome == wim.Unknown || o.Outcome == wim.NotApplicable) {
			t.Fatalf("%+v", o)
		}
		if o.Outcome != wim.Exceeded {
			continue
		}
		shown := false
		for _, f := range v.Findings {
			shown = shown || f.Competence == o.Competence && f.Outcome == wim.Exceeded
		}
		if !shown {
			t.Fatalf("%s exceeded without a finding", o.Competence)
		}
	}
}

func TestPropertyNoFactsMakeItPanicOrContradictItself(t *testing.T) {
	all := sets(t)
	rapid.Check(t, func(t *rapid.T) {
		f := wild(t)
		for _, s := range all {
			consistent(t, judge(s, f))
		}
	})
	checkOften(t, func(t *rapid.T) {
		f := likely(t)
		for _, s := range all {
			consistent(t, judge(s, f))
		}
	})
}

func TestPropertySameFactsSameVerdictAlsoAfterBeingWrittenAndRead(t *testing.T) {
	all := sets(t)
	var used wim.Verdict // a verdict that has been through other judgements
	checkOften(t, func(t *rapid.T) {
		f := likely(t)
		b, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		var back wim.Facts
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatal(err)
		}
		for _, s := range all {
			want := judge(s, f)
			s.Judge(f, &used)
			if !used.Equal(want) {
				t.Fatalf("a second time %+v, want %+v", used, want)
			}
			if got := judge(s, &back); !got.Equal(want) {
				t.Fatalf("after JSON %+v, want %+v", got, want)
			}
		}
	})
}
