package rules

import (
	"testing"

	"github.com/axlegate/axlegate/wim"
)

// What is open must never accuse: each of these was found by whoever tried to break the judge.

func openTruck(gaps []wim.Mm, loads []wim.Kg, changes ...func(*wim.Facts)) *wim.Facts {
	f := sound(len(gaps), wim.Rigid, 0)
	for i := range gaps {
		f.Vehicle.Axles[i].Spacing, f.Vehicle.Axles[i].Load = gaps[i], loads[i]
		f.Vehicle.Gross += loads[i]
	}
	f.Vehicle.AxleSum = f.Vehicle.Gross
	return with(f, changes...)
}

func shipped(t testing.TB, id string) *Set { return load(t, "..", "configs", "rules", id+".yaml") }

func TestALimitOfSomeVehiclesAccusesNoneThatMayBeAnother(t *testing.T) {
	eu := shipped(t, "eu")
	// The Directive limits a trailer's tridem. Three close axles of a truck alone are none.
	truck := func(changes ...func(*wim.Facts)) *wim.Facts {
		return openTruck([]wim.Mm{0, 3500, 1300, 1300}, []wim.Kg{5000, 8000, 8000, 8000}, changes...)
	}
	of := func(f *wim.Facts) []wim.Finding {
		var out []wim.Finding
		for _, x := range findings(judge(eu, f), road) {
			if x.Scope == wim.ScopeGroup && x.Index == 2 {
				out = append(out, x)
			}
		}
		return out
	}
	if got := of(truck(func(f *wim.Facts) { f.Vehicle.Lead = 4 })); len(got) != 0 {
		t.Errorf("a truck alone: %+v", got)
	}
	v := judge(eu, truck(unsure))
	for _, x := range findings(v, road) {
		if x.Outcome == wim.Exceeded && !x.Reasons.Has(wim.InputMissing) {
			t.Errorf("one that may be a truck: %+v", x)
		}
	}
	if o := opinion(t, v, road); o.Outcome == wim.Exceeded {
		t.Errorf("%+v", o)
	}
}

func TestGroupsBehindADistanceThatIsNotKnownAreDoubtful(t *testing.T) {
	in := shipped(t, "in")
	f := openTruck([]wim.Mm{0, 0, 1700, 1700}, []wim.Kg{6000, 6000, 8000, 10000}, func(f *wim.Facts) {
		for i := range f.Vehicle.Axles {
			f.Vehicle.Axles[i].Tyres = wim.SingleTyres
		}
		f.Vehicle.Lead = 4
	})
	if o := opinion(t, judge(in, f), road); o.Outcome == wim.Exceeded {
		t.Errorf("the groups may begin elsewhere: %+v %+v", o, findings(judge(in, f), road))
	}
	f.Vehicle.Axles[1].Spacing = 1700
	if o := opinion(t, judge(in, f), road); o.Outcome != wim.Compliant {
		t.Errorf("with all distances: %+v", o)
	}
}

func TestAPresumptionThatLowersALimitIsTold(t *testing.T) {
	f := openTruck([]wim.Mm{0, 1700, 4000, 1350}, []wim.Kg{6000, 6000, 9500, 9500}, func(f *wim.Facts) {
		for i, tyres := range []wim.Tyres{wim.SingleTyres, wim.SingleTyres, wim.DualTyres, wim.DualTyres} {
			f.Vehicle.Axles[i].Tyres = tyres
		}
		l := truckLicence()
		l.DriveAxles, l.Suspension = 0, wim.OtherSuspension
		licensed(l)(f)
	})
	x := found6(t, judge(cn(t), f), "order-62-3-6-rigid")
	if x.Outcome == wim.Exceeded && !x.Reasons.Has(wim.InputPresumed) {
		t.Errorf("%+v", x)
	}
	// A presumption that changes nothing is no reason.
	if x := found6(t, judge(cn(t), road6(60000)), "order-62-3-8-train"); x.Reasons != 0 {
		t.Errorf("%+v", x)
	}
}

func TestAWaiverThatIsNotKnownNeitherAccusesNorClears(t *testing.T) {
	br := shipped(t, "br")
	heavy := func(last wim.Mm) *wim.Facts {
		return openTruck([]wim.Mm{0, 4000, last}, []wim.Kg{6000, 11400, 9000}, func(f *wim.Facts) {
			for i, tyres := range []wim.Tyres{wim.SingleTyres, wim.DualTyres, wim.DualTyres} {
				f.Vehicle.Axles[i].Tyres = tyres
			}
			f.Vehicle.Lead = 3
		})
	}
	if o := opinion(t, judge(br, heavy(0)), road); o.Outcome == wim.Exceeded {
		t.Errorf("a distance is not known: %+v %+v", o, findings(judge(br, heavy(0)), road))
	}
}

func TestADoubtfulPlatesLicenceIsDoubtfulForEveryAuthority(t *testing.T) {
	l := truckLicence()
	l.Gross = 12000
	f := with(sound(2, wim.Rigid, 15000), licensed(l), spacings(0, 4500), flags(wim.PlateUncertain))
	for _, x := range findings(judge(cn(t), f), road) {
		if x.Scope == wim.ScopeLicence && x.Outcome == wim.Exceeded && !x.Reasons.Has(wim.PlateDoubtful) {
			t.Errorf("%+v", x)
		}
	}
	l.Kind = wim.Bus
	if o := opinion(t, judge(cn(t), with(sound(2, wim.Rigid, 30000), licensed(l), flags(wim.PlateUncertain))), road); o.Outcome == wim.NotApplicable && o.Standing == wim.Evidence {
		t.Errorf("%+v", o)
	}
}

func TestAPermitThatMayBeKeptLeavesTheOutcomeOpen(t *testing.T) {
	s := cn(t)
	permit := wim.Permit{Number: "P1", Plate: "川A00002", Trailer: "川A0003挂", ValidUntil: on("2027-01-01 00:00:00"), Axles: 6, Gross: 80000}
	f := road6(70000)
	f.Permits = []wim.Permit{permit}
	if o := opinion(t, judge(s, f), road); o.Outcome != wim.Compliant {
		t.Errorf("the trailer that it names: %+v", o)
	}
	f.Units = f.Units[:1]
	v := judge(s, f)
	if o := opinion(t, v, road); o.Outcome != wim.Unknown || o.Why != "permit" {
		t.Errorf("its plate was not read: %+v %+v", o, findings(v, road))
	}
	f = road6(70000)
	permit.Trailer, permit.Axle = "", 13000
	f.Permits = []wim.Permit{permit}
	f.Vehicle.Axles[3].Load = wim.NotMeasured
	if o := opinion(t, judge(s, f), road); o.Outcome != wim.Unknown {
		t.Errorf("an axle was not weighed: %+v", o)
	}
	t.Run("the order of permits decides nothing", func(t *testing.T) {
		f := road6(70000)
		wide := wim.Permit{Number: "P2", Plate: "川A00002", ValidUntil: permit.ValidUntil, Axles: 6, Width: 3500}
		f.Permits = []wim.Permit{wide, {Number: "P1", Plate: "川A00002", ValidUntil: permit.ValidUntil, Axles: 6, Gross: 80000}}
		one := judge(s, f)
		f.Permits[0], f.Permits[1] = f.Permits[1], f.Permits[0]
		if two := judge(s, f); !one.Equal(two) || opinion(t, one, road).Outcome != wim.Compliant {
			t.Errorf("%+v, %+v", one.Opinions, two.Opinions)
		}
	})
	t.Run("one that says nothing of a quantity is named with it", func(t *testing.T) {
		f := road6(40000)
		f.Vehicle.Length, f.Vehicle.SizeError = 19000, 20
		f.Permits = []wim.Permit{{Number: "P1", Plate: "川A00002", ValidUntil: permit.ValidUntil, Axles: 6, Gross: 80000}}
		if x := found6(t, judge(s, f), "order-62-3-3"); x.Outcome != wim.Exceeded || x.Permit != "P1" || x.Breach != "length" {
			t.Errorf("%+v", x)
		}
	})
}

func TestALoaderThatSeesMore(t *testing.T) {
	b, err := readRules("cn")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string][2]string{
		"a source without a host":            {"source: http://www.23yc.com/ycwd-e5E75353EE492f58.shtml\n        status: verified\n        effective_from: 2016-09-21\n        note: The day", "source: https://\n        status: verified\n        effective_from: 2016-09-21\n        note: The day"},
		"a presumption by no statute":        {"    article: Order 62 Art. 3, second paragraph, item 2\n    source: http://www.23yc.com/ycwd-e5E75353EE492f58.shtml\n    status: verified\n  - input", "    source: http://www.23yc.com/ycwd-e5E75353EE492f58.shtml\n    status: verified\n  - input"},
		"two who decide at one station":      {"station: off-site, competence", "station: joint-station, competence"},
		"a threshold of nobody's":            {"case_opening: {competence: road-administration", "case_opening: {competence: customs"},
		"a permit against a sign":            {"on: posted-height,", "on: posted-height, permit: true,"},
		"one tolerance twice":                {"tolerance: [entrance]", "tolerance: [entrance, entrance]"},
		"a height for three axles":           {"on: height, value", "on: height, axles: 3, value"},
		"short vehicles only":                {"configuration: rigid, value: 18000 kg", "configuration: rigid, span: \"< 3 m\", value: 18000 kg"},
		"one class of road only for a group": {"tyres: single, value: 7000 kg", "tyres: single, road: [expressway], value: 7000 kg"},
	} {
		t.Run(name, func(t *testing.T) {
			text := replaceOnce(t, b, c[0], c[1])
			if s, err := Load("cn.yaml", text); err == nil {
				t.Errorf("accepted: %s", s.ID())
			}
		})
	}
}

func TestAnAxleThatMayBelongToALongerGroupIsNotAlone(t *testing.T) {
	in := shipped(t, "in")
	truck := func(last wim.Mm) *wim.Facts {
		return openTruck([]wim.Mm{0, 2000, last}, []wim.Kg{7700, 6000, 6000}, func(f *wim.Facts) {
			f.Vehicle.Lead = 3
			for i := range f.Vehicle.Axles {
				f.Vehicle.Axles[i].Tyres = wim.WideTyres
			}
		})
	}
	if o := opinion(t, judge(in, truck(900)), road); o.Outcome == wim.Exceeded {
		t.Fatalf("all three within three metres are one group: %+v", findings(judge(in, truck(900)), road))
	}
	if o := opinion(t, judge(in, truck(0)), road); o.Outcome == wim.Exceeded {
		t.Errorf("the last distance is not known: %+v", findings(judge(in, truck(0)), road))
	}
}
