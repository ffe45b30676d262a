package rules

import (
	"testing"

	"github.com/axlegate/axlegate/wim"
)

func cn(t testing.TB) *Set { return load(t, "..", "configs", "rules", "cn.yaml") }

// road6 is a six-axle articulated truck (3+3) whose axles stand as such trucks' do.
func road6(gross wim.Kg) *wim.Facts {
	f := with(sound(6, wim.Train, gross), licensed(tractorLicence(), trailerLicence()))
	for i, s := range []wim.Mm{0, 3300, 1350, 6500, 1310, 1310} {
		f.Vehicle.Axles[i].Spacing = s
	}
	f.Vehicle.Combination, f.Vehicle.Lead = wim.Articulated, 3
	return f
}

func spacings(all ...wim.Mm) func(*wim.Facts) {
	return func(f *wim.Facts) {
		for i, s := range all {
			f.Vehicle.Axles[i].Spacing = s
		}
	}
}

func found6(t testing.TB, v *wim.Verdict, limit string) wim.Finding {
	t.Helper()
	for _, f := range v.Findings {
		if f.Limit == limit {
			return f
		}
	}
	t.Fatalf("no finding of %s: %+v", limit, v.Findings)
	return wim.Finding{}
}

func TestOfASixAxleTrainTheDriveAxlesDecideBetween46And49Tonnes(t *testing.T) {
	s := cn(t)
	for _, c := range []struct {
		name    string
		drive   uint8
		gross   wim.Kg
		outcome wim.Outcome
		why     string
		excess  wim.Kg
	}{
		{"two driven, at 49 t", 2, 49000, wim.Compliant, "", 0},
		{"two driven, one kilogram over", 2, 49001, wim.Exceeded, "", 1},
		{"one driven, at 46 t", 1, 46000, wim.Compliant, "", 0},
		{"one driven, one kilogram over", 1, 46001, wim.Exceeded, "", 1},
		{"not known, at 46 t", 0, 46000, wim.Compliant, "", 0},
		{"not known, between", 0, 48000, wim.Unknown, "drive-axles", 0},
		{"not known, above both: the smaller excess", 0, 49500, wim.Exceeded, "", 500},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := road6(c.gross)
			f.Units[0].Registration.DriveAxles = c.drive
			v := judge(s, f)
			o := opinion(t, v, road)
			if o.Outcome != c.outcome || o.Why != c.why {
				t.Fatalf("%+v, findings %+v", o, findings(v, road))
			}
			if c.outcome == wim.Exceeded {
				if x := findings(v, road)[0]; x.Excess != c.excess || o.Standing != wim.Evidence {
					t.Errorf("%s %+v", o.Standing, x)
				}
			}
		})
	}
}

func TestEveryAxleOnSingleTyresTakesThreeTonnesOff(t *testing.T) {
	s := cn(t)
	single := func(axles ...int) func(*wim.Facts) {
		return func(f *wim.Facts) {
			for _, i := range axles {
				f.Vehicle.Axles[i-1].Tyres = wim.SingleTyres
			}
		}
	}
	for _, c := range []struct {
		name  string
		facts *wim.Facts
		limit wim.Kg
	}{
		{"none is known: the statute presumes dual tyres", road6(60000), 49000},
		{"the trailer's three axles", with(road6(60000), single(4, 5, 6)), 40000},
		{"one of them", with(road6(60000), single(5)), 46000},
		{"the steering axle does not count", with(road6(60000), single(1)), 49000},
		{"nor do drive axles", with(road6(60000), single(2, 3)), 49000},
		{"wide tyres take nothing off", with(road6(60000), func(f *wim.Facts) { f.Vehicle.Axles[4].Tyres = wim.WideTyres }), 49000},
	} {
		t.Run(c.name, func(t *testing.T) {
			if x := found6(t, judge(s, c.facts), "order-62-3-8-train"); x.Permitted != c.limit {
				t.Errorf("permitted %d, want %d", x.Permitted, c.limit)
			}
		})
	}
}

func TestAirSuspensionGivesATruckOneTonne(t *testing.T) {
	s := cn(t)
	truck := func(n int, gross wim.Kg, sus wim.Suspension) *wim.Facts {
		l := truckLicence()
		l.Suspension, l.DriveAxles = sus, uint8(n-2) //nolint:gosec // two or one
		f := with(sound(n, wim.Rigid, gross), licensed(l))
		f.Vehicle.Lead = uint8(n) //nolint:gosec // three or four
		if n == 3 {
			return with(f, spacings(0, 4200, 1350))
		}
		return with(f, spacings(0, 1900, 4200, 1350))
	}
	for _, c := range []struct {
		name    string
		facts   *wim.Facts
		outcome wim.Outcome
		why     string
		stands  wim.Standing
	}{
		{"three axles, other suspension, at 25 t", truck(3, 25000, wim.OtherSuspension), wim.Compliant, "", ""},
		{"three axles, other suspension, over", truck(3, 25001, wim.OtherSuspension), wim.Exceeded, "", wim.Evidence},
		{"three axles, air, at 26 t", truck(3, 26000, wim.AirSuspension), wim.Compliant, "", ""},
		{"three axles, air, over: the figure is recalled", truck(3, 26001, wim.AirSuspension), wim.Exceeded, "", wim.Screening},
		{"not known, between", truck(3, 25500, wim.SuspensionUnknown), wim.Unknown, "suspension", ""},
		{"four axles, air, over", truck(4, 32001, wim.AirSuspension), wim.Exceeded, "", wim.Screening},
		{"four axles, other, at 31 t", truck(4, 31000, wim.OtherSuspension), wim.Compliant, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := judge(s, c.facts)
			o := opinion(t, v, road)
			if o.Outcome != c.outcome || o.Why != c.why || c.stands != "" && o.Standing != c.stands {
				t.Errorf("%+v, want %s %q %s; %+v", o, c.outcome, c.why, c.stands, findings(v, road))
			}
		})
	}
}

func TestTheSumOfWhatTheAxlesMayCarryLimitsTheGross(t *testing.T) {
	s := cn(t)
	close3 := spacings(0, 3300, 1350, 6500, 1300, 1300) // a tridem of 21 t: 7 + 18 + 21 = 46 t
	known := func(f *wim.Facts) { f.Units[0].Registration.Suspension = wim.OtherSuspension }
	x := found6(t, judge(s, with(road6(46001), close3, known)), "order-62-axle-sum")
	if x.Permitted != 46000 || x.Outcome != wim.Exceeded || x.Excess != 1 || !x.Reasons.Has(wim.LimitRecalled) {
		t.Errorf("%+v", x)
	}
	if o := opinion(t, judge(s, with(road6(46001), close3, known)), road); o.Outcome != wim.Exceeded || o.Standing != wim.Screening {
		t.Errorf("an excess that rests on recalled figures alone: %+v", o)
	}
	if o := opinion(t, judge(s, with(road6(49500), close3, known)), road); o.Outcome != wim.Exceeded || o.Standing != wim.Evidence {
		t.Errorf("one that Art. 3 proves too: %+v", o)
	}
	v := judge(s, with(road6(46500), spacings(0, 3300, 1350, 6500, 1300, 1310), known))
	if o := opinion(t, v, road); o.Outcome != wim.Unknown || o.Why != "spacing" {
		t.Errorf("a tridem between two bands: %+v %+v", o, v.Findings)
	}
	if o := opinion(t, judge(s, with(road6(40000), spacings(0, 0))), road); o.Outcome != wim.Unknown || o.Why != "spacing" {
		t.Errorf("a distance that is not known: %+v", o)
	}
}

func TestAxleGroupsInformAndDoNotAccuse(t *testing.T) {
	f := road6(40000)
	f.Vehicle.Axles[1].Load, f.Vehicle.Axles[2].Load = 12000, 12000
	v := judge(cn(t), f)
	if o := opinion(t, v, road); o.Outcome != wim.Compliant {
		t.Errorf("%+v", o)
	}
	said := false
	for _, x := range v.Findings {
		if x.Scope == wim.ScopeGroup && x.Index == 2 && x.Last == 3 {
			said = x.Outcome == wim.Exceeded && x.Informs
		}
	}
	if !said {
		t.Errorf("%+v", v.Findings)
	}
}

func TestTheLicenceCapsATwoAxleTruckForTheRoadToo(t *testing.T) {
	l := truckLicence()
	l.Gross = 16000
	f := with(sound(2, wim.Rigid, 16001), licensed(l), spacings(0, 4500))
	if o := opinion(t, judge(cn(t), f), road); o.Outcome != wim.Exceeded || o.Standing != wim.Screening {
		t.Errorf("%+v", o)
	}
	f.Units[0].Registration = nil
	if o := opinion(t, judge(cn(t), f), road); o.Outcome != wim.Compliant {
		t.Errorf("without a licence: %+v", o)
	}
}

func TestSizesAreJudgedAfterTheirOwnDeduction(t *testing.T) {
	s := cn(t)
	for _, c := range []struct {
		name    string
		set     func(*wim.Vehicle)
		limit   string
		outcome wim.Outcome
		band    string
		excess  wim.Mm
	}{
		{"4.00 m high", func(v *wim.Vehicle) { v.Height = 4000 }, "order-62-3-1", wim.Compliant, "", 0},
		{"as indicated above, within the error", func(v *wim.Vehicle) { v.Height = 4020 }, "order-62-3-1", wim.WithinTolerance, "", 0},
		{"a millimetre above after the error", func(v *wim.Vehicle) { v.Height = 4021 }, "order-62-3-1", wim.Exceeded, "size-a", 1},
		{"4.20 m after the error is the first row", func(v *wim.Vehicle) { v.Height = 4220 }, "order-62-3-1", wim.Exceeded, "size-a", 200},
		{"above it the second", func(v *wim.Vehicle) { v.Height = 4221 }, "order-62-3-1", wim.Exceeded, "size-b", 201},
		{"2.56 m wide is within the error", func(v *wim.Vehicle) { v.Width = 2560 }, "order-62-3-2", wim.WithinTolerance, "", 0},
		{"3.80 m wide", func(v *wim.Vehicle) { v.Width = 3800 }, "order-62-3-2", wim.Exceeded, "size-c", 1230},
		{"18.1 m long", func(v *wim.Vehicle) { v.Length = 18100 }, "order-62-3-3", wim.Compliant, "", 0},
		{"20.1 m long", func(v *wim.Vehicle) { v.Length = 20121 }, "order-62-3-3", wim.Exceeded, "size-b", 2001},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := road6(40000)
			f.Vehicle.SizeError = 20
			c.set(&f.Vehicle)
			x := found6(t, judge(s, f), c.limit)
			if x.Outcome != c.outcome || x.Band != c.band || x.Size.Excess != c.excess || x.Measured != 0 {
				t.Errorf("%+v", x)
			}
		})
	}
	f := road6(40000)
	f.Vehicle.Height = 5000
	if o := opinion(t, judge(s, f), road); o.Outcome != wim.Exceeded || o.Standing != wim.Screening || !o.Reasons.Has(wim.SizeNotCertified) {
		t.Errorf("measured by what has no certificate: %+v", o)
	}
}

func TestAtMotorwayEntrancesFivePercentPass(t *testing.T) {
	s := cn(t)
	at := func(gross wim.Kg) wim.Finding {
		f := road6(gross)
		f.Station = wim.MotorwayEntrance
		return found6(t, judge(s, f), "order-62-3-8-train")
	}
	if x := at(51450); x.Outcome != wim.WithinTolerance || x.Tolerance != 2450 {
		t.Errorf("%+v", x)
	}
	if x := at(51451); x.Outcome != wim.Exceeded || x.Excess != 2451 {
		t.Errorf("%+v", x)
	}
	if x := found6(t, judge(s, road6(51450)), "order-62-3-8-train"); x.Outcome != wim.Exceeded || x.Tolerance != 0 {
		t.Errorf("elsewhere: %+v", x)
	}
}

func TestAPermitRaisesALimitOnlyWhereItIsKept(t *testing.T) {
	s := cn(t)
	permit := wim.Permit{
		Number: "P1", Plate: "川A00002", ValidFrom: on("2026-02-01 00:00:00"), ValidUntil: on("2026-04-01 00:00:00"),
		Roads: []string{"G5", "G42"}, Axles: 6, Gross: 80000, Axle: 14000, Width: 3500,
	}
	heavy := func(change ...func(*wim.Facts, *wim.Permit)) *wim.Facts {
		f := road6(70000)
		f.Vehicle.SizeError, f.Vehicle.Width = 20, 3400
		p := permit
		for _, c := range change {
			c(f, &p)
		}
		f.Permits = []wim.Permit{p}
		return f
	}
	for _, c := range []struct {
		name   string
		facts  *wim.Facts
		breach string
	}{
		{"one that covers", heavy(), ""},
		{"exactly at its gross", heavy(func(f *wim.Facts, p *wim.Permit) { p.Gross = 70000 }), ""},
		{"one kilogram above it", heavy(func(f *wim.Facts, p *wim.Permit) { p.Gross = 69999 }), "gross"},
		{"that expired yesterday", heavy(func(f *wim.Facts, p *wim.Permit) { p.ValidUntil = on("2026-02-28 10:00:00") }), "time"},
		{"that begins tomorrow", heavy(func(f *wim.Facts, p *wim.Permit) { p.ValidFrom = on("2026-03-02 00:00:00") }), "time"},
		{"on the instant at which it ends", heavy(func(f *wim.Facts, p *wim.Permit) { p.ValidUntil = f.Time }), "time"},
		{"off its route", heavy(func(f *wim.Facts, p *wim.Permit) { f.Road.Name = "S101" }), "route"},
		{"for other axles", heavy(func(f *wim.Facts, p *wim.Permit) { p.Axles = 7 }), "axles"},
		{"that covers not the axle", heavy(func(f *wim.Facts, p *wim.Permit) { f.Vehicle.Axles[4].Load = 14001 }), "axle-load"},
		{"that covers not the width", heavy(func(f *wim.Facts, p *wim.Permit) { f.Vehicle.Width = 3521 }), "width"},
		{"for another trailer", heavy(func(f *wim.Facts, p *wim.Permit) { p.Trailer = "川B9挂" }), "trailer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := judge(s, c.facts)
			o := opinion(t, v, road)
			var gross wim.Finding
			for _, x := range findings(v, road) {
				if x.Scope == wim.ScopeGross {
					gross = x
				}
			}
			if gross.Permit != "P1" || gross.Breach != c.breach {
				t.Errorf("%+v", gross)
			}
			if covered := c.breach == ""; covered != (o.Outcome == wim.Compliant) || covered != (gross.Outcome == wim.Compliant) {
				t.Errorf("%s, %+v", o.Outcome, gross)
			}
			if c.breach != "" && (gross.Permitted != 49000 || gross.Excess != 21000) {
				t.Errorf("the excess counts from Art. 3: %+v", gross)
			}
		})
	}
	t.Run("without one", func(t *testing.T) {
		f := heavy()
		f.Permits = nil
		if x := found6(t, judge(s, f), "order-62-3-8-train"); x.Permit != "" || x.Outcome != wim.Exceeded {
			t.Errorf("%+v", x)
		}
	})
	t.Run("one of another plate is none", func(t *testing.T) {
		f := heavy(func(f *wim.Facts, p *wim.Permit) { p.Plate = "川A00009" })
		if x := found6(t, judge(s, f), "order-62-3-8-train"); x.Permit != "" || x.Outcome != wim.Exceeded {
			t.Errorf("%+v", x)
		}
	})
	t.Run("the second covers", func(t *testing.T) {
		f := heavy()
		old := permit
		old.Number, old.ValidUntil = "P0", on("2026-02-02 00:00:00")
		f.Permits = append([]wim.Permit{old}, f.Permits...)
		if o := opinion(t, judge(s, f), road); o.Outcome != wim.Compliant {
			t.Errorf("%+v", o)
		}
	})
	t.Run("a doubtful plate makes it doubtful", func(t *testing.T) {
		f := heavy()
		f.Vehicle.Flags = wim.PlateUncertain
		f.Units[0].Registration.DriveAxles = 2
		if o := opinion(t, judge(s, f), road); o.Outcome == wim.Compliant && !o.Reasons.Has(wim.PlateDoubtful) {
			t.Errorf("%+v", o)
		}
	})
}

func TestALimitThatOnlyInformsIsNoLaw(t *testing.T) {
	f := road6(60000)
	f.Time = on("2016-08-01 12:00:00") // GB 1589 was in force, the order was not
	if o := opinion(t, judge(cn(t), f), road); o.Outcome != wim.Unknown || o.Why != "no-law-in-force" {
		t.Errorf("%+v", o)
	}
}

func TestPostedSignsAreAnOffenceOfTheirOwn(t *testing.T) {
	f := road6(30000)
	f.Road.Posted = wim.PostedLimit{Gross: 20000, Height: 3500}
	f.Vehicle.Height, f.Vehicle.SizeError = 3600, 20
	v := judge(cn(t), f)
	g, h, a := found6(t, v, "posted-gross"), found6(t, v, "posted-height"), found6(t, v, "order-62-3-8-train")
	if g.Outcome != wim.Exceeded || h.Outcome != wim.Exceeded || h.Size.Excess != 80 || a.Outcome != wim.Compliant {
		t.Errorf("%+v %+v %+v", g, h, a)
	}
	p, ok := cn(t).Provides(&g)
	if !ok || p.FineFrom != 0 || p.FineTo != 3000000 || p.Article != "Highway Safety Regulations Art. 64" {
		t.Errorf("%+v", p)
	}
}

func TestWhatTheLawProvides(t *testing.T) {
	s := cn(t)
	for _, c := range []struct {
		name    string
		gross   wim.Kg
		from    int64
		warning bool
	}{
		{"exactly a thousand over is a warning", 50000, 0, true},
		{"one more is five hundred yuan", 50001, 500, false},
		{"1,999 over likewise", 50999, 500, false},
		{"2,000 over is a thousand", 51000, 1000, false},
		{"sixty tonnes over reach the cap", 109000, 30000, false},
		{"and more stays at it", 150000, 30000, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := found6(t, judge(s, road6(c.gross)), "order-62-3-8-train")
			p, ok := s.Provides(&x)
			if !ok || p.FineFrom != c.from*100 || p.FineTo != c.from*100 || (p.Band == "warning") != c.warning || !p.Unload {
				t.Errorf("%+v", p)
			}
		})
	}
	t.Run("one act has one fine, the higher, and points look at another base", func(t *testing.T) {
		l := wim.Registration{Plate: "川A00001", Kerb: 6000, Rated: 10000, Gross: 16000, DriveAxles: 1, Suspension: wim.OtherSuspension}
		f := with(sound(2, wim.Rigid, 20100), licensed(l), spacings(0, 4500))
		f.Station = wim.JointStation
		v := judge(s, f)
		c := s.Consequences(f, v)
		cargo, gross := found6(t, v, "rated-load"), found6(t, v, "licence-gross")
		if cargo.Band != "30-and-over" || gross.Band != "points-1" {
			t.Errorf("cargo %+v, gross %+v", cargo, gross)
		}
		if c.Decides != wim.TrafficPolice || c.OneAct == "" || c.Single == nil || c.Single.FineTo != 200000 || !c.Opens {
			t.Errorf("%+v", c)
		}
	})
	for _, c := range []struct {
		name  string
		gross wim.Kg
		band  string
	}{
		{"29.9 percent", 8000 + 12990, "under-30"},
		{"30.0 percent", 8000 + 13000, "30-and-over"},
		{"30.1 percent", 8000 + 13010, "30-and-over"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := truckLicence()
			if x := found6(t, judge(s, with(sound(2, wim.Rigid, c.gross), licensed(l), spacings(0, 4500))), "rated-load"); x.Band != c.band {
				t.Errorf("%+v", x)
			}
		})
	}
}
