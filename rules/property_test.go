package rules

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/axlegate/axlegate/wim"
	"pgregory.net/rapid"
)

// sets are those that every property is held against.
func sets(t testing.TB) []*Set { return []*Set{china(t), testSet(t)} }

// likely draws facts as a site could have them, dense around the limits.
func likely(t *rapid.T) *wim.Facts {
	kinds := []wim.VehicleKind{wim.KindUnknown, wim.Goods, wim.Goods, wim.Goods, wim.Bus, wim.Military, "tram"}
	mass := rapid.OneOf(rapid.Int32Range(1, 80000), rapid.SampledFrom([]int32{18000, 18001, 25000, 27001, 31001, 36001, 43001, 46001, 49001}))
	n := rapid.IntRange(0, 9).Draw(t, "axles")
	f := sound(n, rapid.SampledFrom([]wim.Configuration{wim.Rigid, wim.Train, wim.ConfigurationUnknown}).Draw(t, "configuration"), wim.Kg(mass.Draw(t, "gross")))
	f.Vehicle.Sure = rapid.Bool().Draw(t, "sure")
	f.Vehicle.Flags = wim.Flag(rapid.SampledFrom([]uint32{0, 0, 0, uint32(wim.Imbalance), uint32(wim.PlateUncertain), uint32(wim.Straddling)}).Draw(t, "flags"))
	for i := range f.Vehicle.Axles {
		f.Vehicle.Axles[i].Load = wim.Kg(rapid.Int32Range(-1, 20000).Draw(t, "load"))
	}
	f.Time = rapid.SampledFrom([]wim.Time{0, on("2015-01-01 00:00:00"), on("2024-06-01 00:00:00"), on("2026-03-01 10:00:00")}).Draw(t, "time")
	f.Clock = rapid.SampledFrom([]wim.ClockState{wim.ClockSynchronised, wim.ClockUnknown}).Draw(t, "clock")
	f.Purpose = rapid.SampledFrom([]wim.LanePurpose{wim.Enforcement, wim.Enforcement, wim.Testing}).Draw(t, "purpose")
	f.Road.Posted = wim.PostedLimit{Gross: wim.Kg(rapid.SampledFrom([]int32{0, 0, 20000}).Draw(t, "sign")), Axle: wim.Kg(rapid.SampledFrom([]int32{0, 0, 10000}).Draw(t, "axle sign"))}
	if rapid.Bool().Draw(t, "certified") {
		f.Instrument.Certificate.MassError = wim.Permille(rapid.Int32Range(0, 150).Draw(t, "mass error"))
		f.Instrument.Certificate.AxleError = wim.Permille(rapid.Int32Range(0, 200).Draw(t, "axle error"))
	} else {
		f.Instrument.Certificate = nil
	}
	f.Units = nil
	for range rapid.IntRange(0, 3).Draw(t, "units") {
		u := wim.Unit{Plate: "川A1", Kind: rapid.SampledFrom(kinds).Draw(t, "kind")}
		if rapid.Bool().Draw(t, "registered") {
			some := func(what string) wim.Kg {
				return wim.Kg(rapid.OneOf(rapid.Just(int32(0)), rapid.Int32Range(1, 40000)).Draw(t, what))
			}
			u.Registration = &wim.Registration{
				Kind: u.Kind, Kerb: some("kerb"), Rated: some("rated"), Gross: some("gross of licence"), Towed: some("towed"),
				DriveAxles: rapid.Uint8Range(0, 3).Draw(t, "drive axles"), Axles: rapid.Uint8Range(0, 6).Draw(t, "axles of licence"),
			}
		}
		f.Units = append(f.Units, u)
	}
	return f
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

func TestPropertyAHeavierVehicleNeverImprovesAVerdict(t *testing.T) {
	all := sets(t)
	rapid.Check(t, func(t *rapid.T) {
		light := likely(t)
		heavy := *light
		more := wim.Kg(rapid.Int32Range(0, 20000).Draw(t, "more"))
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
				if weight(b.Opinions[i].Outcome) < weight(a.Opinions[i].Outcome) {
					t.Fatalf("%s of %s: %s at %d kg, %s at %d kg", s.id, a.Opinions[i].Competence, a.Opinions[i].Outcome, light.Vehicle.Gross, b.Opinions[i].Outcome, heavy.Vehicle.Gross)
				}
			}
		}
	})
}

func TestPropertyADeductionNeverCreatesAnExcess(t *testing.T) {
	all := sets(t)
	rapid.Check(t, func(t *rapid.T) {
		with := likely(t)
		if with.Instrument.Certificate == nil {
			t.Skip("the set's own error cannot be taken away")
		}
		none := *with
		c := *with.Instrument.Certificate
		c.MassError, c.AxleError = 0, 0
		none.Instrument.Certificate = &c
		for _, s := range all {
			a, b := judge(s, with), judge(s, &none)
			for i := range a.Opinions {
				if weight(a.Opinions[i].Outcome) > weight(b.Opinions[i].Outcome) {
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
	rapid.Check(t, func(t *rapid.T) {
		f := likely(t)
		for _, s := range all {
			consistent(t, judge(s, f))
		}
	})
}

func TestPropertySameFactsSameVerdictAlsoAfterBeingWrittenAndRead(t *testing.T) {
	all := sets(t)
	var used wim.Verdict // a verdict that has been through other judgements
	rapid.Check(t, func(t *rapid.T) {
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
