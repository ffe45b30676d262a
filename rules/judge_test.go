package rules

import (
	"math"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

const (
	road   = wim.RoadAdministration
	police = wim.TrafficPolice
)

// Order 62, Art. 3 (4) to (8), as published.
func TestThePublishedTable(t *testing.T) {
	s := china(t)
	for _, c := range []struct {
		name   string
		axles  int
		config wim.Configuration
		drive  uint8
		limit  wim.Kg
		id     string
	}{
		{"a truck of two axles", 2, wim.Rigid, 0, 18000, "order-62-3-4-rigid"},
		{"a truck of three axles", 3, wim.Rigid, 0, 25000, "order-62-3-5-rigid"},
		{"a train of three axles", 3, wim.Train, 0, 27000, "order-62-3-5-train"},
		{"a truck of four axles", 4, wim.Rigid, 0, 31000, "order-62-3-6-rigid"},
		{"a train of four axles", 4, wim.Train, 0, 36000, "order-62-3-6-train"},
		{"a train of five axles", 5, wim.Train, 0, 43000, "order-62-3-7-train"},
		{"a train of six axles whose tractor has one drive axle", 6, wim.Train, 1, 46000, "order-62-3-8-train-single-drive"},
		{"a train of six axles whose tractor has two", 6, wim.Train, 2, 49000, "order-62-3-8-train"},
		{"a train of six axles whose tractor has three", 6, wim.Train, 3, 49000, "order-62-3-8-train"},
		{"a train of nine axles", 9, wim.Train, 2, 49000, "order-62-3-8-train"},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := func(gross wim.Kg) (wim.Opinion, wim.Finding) {
				f := sound(c.axles, c.config, gross)
				f.Units[0].Registration = &wim.Registration{DriveAxles: c.drive}
				v := judge(s, f)
				fs := findings(v, road)
				if len(fs) != 1 {
					t.Fatalf("%d findings, want 1: %+v", len(fs), fs)
				}
				return opinion(t, v, road), fs[0]
			}
			o, f := at(c.limit)
			if o.Outcome != wim.Compliant || f.Permitted != c.limit || f.Limit != c.id || f.Scope != wim.ScopeGross || f.Assumes != "" {
				t.Errorf("exactly on the limit: %s, %+v", o.Outcome, f)
			}
			o, f = at(c.limit + 1)
			if o.Outcome != wim.Exceeded || o.Standing != wim.Evidence || f.Excess != 1 || f.Band != "warning" || f.Article == "" {
				t.Errorf("one kilogram above: %s %s, %+v", o.Outcome, o.Standing, f)
			}
		})
	}
}

func TestTheInstrumentsErrorIsTakenOffFirst(t *testing.T) {
	s := china(t)
	for _, c := range []struct {
		name    string
		gross   wim.Kg
		outcome wim.Outcome
		want    wim.Finding
	}{
		{"on the limit as indicated", 18000, wim.Compliant, wim.Finding{Measured: 18000, Deducted: 900}},
		{"above as indicated", 18001, wim.WithinTolerance, wim.Finding{Measured: 18001, Deducted: 901}},
		{"on the limit after the deduction", 18947, wim.WithinTolerance, wim.Finding{Measured: 18947, Deducted: 948}},
		{"the last kilogram in the driver's favour", 18948, wim.WithinTolerance, wim.Finding{Measured: 18948, Deducted: 948}},
		{"one kilogram above after the deduction", 18949, wim.Exceeded, wim.Finding{Measured: 18949, Deducted: 948, Excess: 1, Band: "warning"}},
		{"a thousand above is a warning", 20000, wim.Exceeded, wim.Finding{Measured: 20000, Deducted: 1000, Excess: 1000, Ratio: 55, Band: "warning"}},
		{"more than a thousand is fined", 20002, wim.Exceeded, wim.Finding{Measured: 20002, Deducted: 1001, Excess: 1001, Ratio: 55, Band: "fine"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := judge(s, with(sound(2, wim.Rigid, c.gross), massError(50)))
			f := findings(v, road)[0]
			if f.Outcome != c.outcome || f.Measured != c.want.Measured || f.Deducted != c.want.Deducted || f.Excess != c.want.Excess || f.Ratio != c.want.Ratio {
				t.Errorf("%+v, want %s %+v", f, c.outcome, c.want)
			}
			if f.Band != c.want.Band {
				t.Errorf("band %q, want %q", f.Band, c.want.Band)
			}
		})
	}
}

func TestWithoutACertificateTheSetsOwnErrorIsTakenOff(t *testing.T) {
	f := findings(judge(china(t), with(sound(2, wim.Rigid, 18900), noCertificate)), road)[0]
	if f.Deducted != 945 || f.Outcome != wim.WithinTolerance {
		t.Errorf("%+v", f)
	}
}

func TestWhomALimitDoesNotCover(t *testing.T) {
	s := china(t)
	for _, k := range []wim.VehicleKind{wim.Bus, wim.Car, wim.Military, wim.SpecialWork, wim.Farm} {
		t.Run(string(k), func(t *testing.T) {
			v := judge(s, with(sound(2, wim.Rigid, 60000), kind(k)))
			for _, o := range v.Opinions {
				if o.Outcome != wim.NotApplicable || o.Why != string(k) {
					t.Errorf("%+v", o)
				}
			}
			if len(v.Findings) != 0 {
				t.Errorf("findings %+v", v.Findings)
			}
		})
	}
	t.Run("the licence knows better than the camera", func(t *testing.T) {
		l := truckLicence()
		l.Kind = wim.Bus
		if o := opinion(t, judge(s, with(sound(2, wim.Rigid, 60000), licensed(l))), road); o.Outcome != wim.NotApplicable {
			t.Errorf("%+v", o)
		}
	})
}

func TestAnUnknownKindIsPresumedGoodsAndSaysSoOnlyWhereItExceeds(t *testing.T) {
	s := china(t)
	for _, k := range []wim.VehicleKind{wim.KindUnknown, "tram"} {
		o := opinion(t, judge(s, with(sound(2, wim.Rigid, 18000), kind(k))), road)
		if o.Outcome != wim.Compliant || o.Reasons != 0 {
			t.Errorf("%q at the limit: %+v", k, o)
		}
		v := judge(s, with(sound(2, wim.Rigid, 18001), kind(k)))
		if o := opinion(t, v, road); o.Outcome != wim.Exceeded || o.Reasons != wim.KindPresumed || o.Standing != wim.Screening || v.Findings[0].Reasons != wim.KindPresumed {
			t.Errorf("%q above it: %+v", k, o)
		}
	}
	t.Run("without any unit too", func(t *testing.T) {
		f := sound(2, wim.Rigid, 18001)
		f.Units = nil
		if o := opinion(t, judge(s, f), road); o.Outcome != wim.Exceeded || o.Reasons != wim.KindPresumed {
			t.Errorf("%+v", o)
		}
	})
}

func TestBranchesOfWhatIsNotKnown(t *testing.T) {
	s := china(t)
	type shown struct {
		assumes string
		outcome wim.Outcome
	}
	for _, c := range []struct {
		name    string
		facts   *wim.Facts
		outcome wim.Outcome
		why     string
		shown   []shown
	}{
		{"below both limits the configuration does not matter", with(sound(3, "", 25000), unsure), wim.Compliant, "", []shown{{"train", wim.Compliant}}},
		{"between them it decides", with(sound(3, "", 25001), unsure), wim.Unknown, "configuration", []shown{{"rigid", wim.Exceeded}, {"train", wim.Compliant}}},
		{"above both it does not: the smaller excess stands", with(sound(3, "", 27001), unsure), wim.Exceeded, "", []shown{{"train", wim.Exceeded}}},
		{"four axles likewise", with(sound(4, "", 36000), unsure), wim.Unknown, "configuration", []shown{{"rigid", wim.Exceeded}, {"train", wim.Compliant}}},
		{"where no branch accuses, the heavier one stands", with(sound(3, "", 26000), unsure, massError(50)), wim.WithinTolerance, "", []shown{{"rigid", wim.WithinTolerance}, {"train", wim.Compliant}}},
		{"both within tolerance", with(sound(3, "", 27100), unsure, massError(100)), wim.WithinTolerance, "", []shown{{"train", wim.WithinTolerance}}},
		{"two axles are a truck", with(sound(2, "", 18001), unsure), wim.Exceeded, "", []shown{{"", wim.Exceeded}}},
		{"drive axles do not matter below 46 t", sound(6, wim.Train, 46000), wim.Compliant, "", []shown{{"drive-axles=2", wim.Compliant}}},
		{"between 46 t and 49 t they decide", sound(6, wim.Train, 46001), wim.Unknown, "drive-axles", []shown{{"drive-axles=1", wim.Exceeded}, {"drive-axles=2", wim.Compliant}}},
		{"above 49 t they do not", sound(6, wim.Train, 49001), wim.Exceeded, "", []shown{{"drive-axles=2", wim.Exceeded}}},
		{"a plate that is not certain chooses no limit", with(sound(6, wim.Train, 47000), licensed(tractorLicence(), trailerLicence()), flags(wim.PlateUncertain)), wim.Unknown, "drive-axles",
			[]shown{{"drive-axles=1", wim.Exceeded}, {"drive-axles=2", wim.Compliant}}},
		{"a trailer's plate settles that it is a train", with(sound(3, "", 26000), unsure, licensed(truckLicence(), trailerLicence())), wim.Compliant, "", []shown{{"", wim.Compliant}}},
		{"a licence with as many axles settles that it is a truck", with(sound(3, "", 26000), unsure, licensed(wim.Registration{Axles: 3})), wim.Exceeded, "", []shown{{"", wim.Exceeded}}},
		{"a licence with fewer axles settles that it tows", with(sound(3, "", 26000), unsure, licensed(wim.Registration{Axles: 2})), wim.Compliant, "", []shown{{"", wim.Compliant}}},
		{"a licence with more axles settles nothing", with(sound(3, "", 26000), unsure, licensed(wim.Registration{Axles: 4})), wim.Unknown, "configuration", []shown{{"rigid", wim.Exceeded}, {"train", wim.Compliant}}},
		{"a truck that shows a trailer's plate is a contradiction", with(sound(3, wim.Rigid, 26000), licensed(truckLicence(), trailerLicence())), wim.Unknown, "configuration", []shown{{"rigid", wim.Exceeded}, {"train", wim.Compliant}}},
		{"the order knows no truck of five axles", sound(5, wim.Rigid, 60000), wim.Unknown, "configuration", nil},
		{"one axle is no vehicle of the order", sound(1, wim.Rigid, 60000), wim.Unknown, "axles", nil},
		{"no gross indicated", sound(2, wim.Rigid, 0), wim.Unknown, "gross", nil},
		{"no time", with(sound(2, wim.Rigid, 60000), func(f *wim.Facts) { f.Time = 0 }), wim.Unknown, "time", nil},
		{"before the law", with(sound(2, wim.Rigid, 60000), func(f *wim.Facts) { f.Time = on("2016-09-20 23:59:59") }), wim.Unknown, "no-law-in-force", nil},
		{"on the law's first day", with(sound(2, wim.Rigid, 60000), func(f *wim.Facts) { f.Time = on("2016-09-21 00:00:00") }), wim.Exceeded, "", []shown{{"", wim.Exceeded}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := judge(s, c.facts)
			o := opinion(t, v, road)
			if o.Outcome != c.outcome || o.Why != c.why {
				t.Errorf("%s %q, want %s %q", o.Outcome, o.Why, c.outcome, c.why)
			}
			fs := findings(v, road)
			if len(fs) != len(c.shown) {
				t.Fatalf("findings %+v, want %+v", fs, c.shown)
			}
			for i, f := range fs {
				if f.Assumes != c.shown[i].assumes || f.Outcome != c.shown[i].outcome {
					t.Errorf("finding %d: %q %s, want %+v", i, f.Assumes, f.Outcome, c.shown[i])
				}
				if doubt := f.Reasons.Has(wim.InputMissing); doubt != (len(fs) > 1) {
					t.Errorf("finding %d: reasons %v", i, f.Reasons.Names())
				}
			}
		})
	}
}

func TestATrainThatMayBeNoneIsASuspicionOnly(t *testing.T) {
	o := opinion(t, judge(china(t), with(sound(5, "", 43001), unsure)), road)
	if o.Outcome != wim.Exceeded || o.Standing != wim.Screening || o.Reasons != wim.ConfigurationUnsure {
		t.Errorf("%+v", o)
	}
}

func TestPostedLimits(t *testing.T) {
	s := china(t)
	posted := func(gross, axle wim.Kg) func(*wim.Facts) {
		return func(f *wim.Facts) { f.Road.Posted = wim.PostedLimit{Gross: gross, Axle: axle, Sign: "K1"} }
	}
	t.Run("a vehicle within Art. 3 exceeds the sign", func(t *testing.T) {
		v := judge(s, with(sound(2, wim.Rigid, 15001), posted(15000, 0)))
		fs := findings(v, road)
		if len(fs) != 2 || fs[0].Outcome != wim.Compliant || fs[1].Limit != "posted-gross" || fs[1].Excess != 1 {
			t.Fatalf("%+v", fs)
		}
		if o := opinion(t, v, road); o.Outcome != wim.Exceeded || o.Standing != wim.Evidence {
			t.Errorf("%+v", o)
		}
	})
	t.Run("every axle is held against the sign, less the axle error", func(t *testing.T) {
		f := with(sound(2, wim.Rigid, 17000), posted(0, 8000), func(f *wim.Facts) {
			f.Instrument.Certificate.AxleError = 80
			f.Vehicle.Axles[0].Load, f.Vehicle.Axles[1].Load = 8000, 9000
		})
		fs := findings(judge(s, f), road)
		if len(fs) != 3 || fs[1].Index != 1 || fs[1].Outcome != wim.Compliant || fs[1].Scope != wim.ScopeAxle {
			t.Fatalf("%+v", fs)
		}
		if x := fs[2]; x.Index != 2 || x.Outcome != wim.Exceeded || x.Deducted != 720 || x.Excess != 280 {
			t.Errorf("%+v", x)
		}
	})
	t.Run("an axle that was not weighed leaves it open", func(t *testing.T) {
		f := with(sound(2, wim.Rigid, 17000), posted(0, 20000), func(f *wim.Facts) { f.Vehicle.Axles[1].Load = wim.NotMeasured })
		if o := opinion(t, judge(s, f), road); o.Outcome != wim.Unknown || o.Why != "axles" {
			t.Errorf("%+v", o)
		}
	})
	t.Run("no axles leave it open", func(t *testing.T) {
		if o := opinion(t, judge(s, with(sound(0, wim.Rigid, 17000), posted(20000, 20000))), road); o.Outcome != wim.Unknown {
			t.Errorf("%+v", o)
		}
	})
	t.Run("one proven excess is enough beside an unknown", func(t *testing.T) {
		if o := opinion(t, judge(s, with(sound(0, wim.Rigid, 20001), posted(20000, 0))), road); o.Outcome != wim.Exceeded || o.Why != "" {
			t.Errorf("%+v", o)
		}
	})
}

func TestTheLawOfTheDayIsApplied(t *testing.T) {
	s := testSet(t)
	for _, c := range []struct {
		name, when string
		limit      string
		permitted  wim.Kg
		reasons    wim.Reason
	}{
		{"the old limit on its first instant", "2020-01-01 00:00:00", "old-rigid", 20000, 0},
		{"the old limit on its last", "2024-12-31 23:59:59", "old-rigid", 20000, 0},
		{"the new one from the next, recalled and so a suspicion", "2025-01-01 00:00:00", "new-rigid", 18000, wim.LimitRecalled},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := with(sound(2, wim.Rigid, 30000), func(f *wim.Facts) {
				f.Time = on(c.when)
				f.Instrument.Certificate.ValidFrom = 1
			})
			v := judge(s, f)
			x := findings(v, road)
			if len(x) != 1 || x[0].Limit != c.limit || x[0].Permitted != c.permitted {
				t.Fatalf("%+v", x)
			}
			if o := opinion(t, v, road); o.Reasons != c.reasons || o.Standing != wim.StandingOf(c.reasons) {
				t.Errorf("%+v", o)
			}
		})
	}
	t.Run("before the first law nothing is said", func(t *testing.T) {
		f := with(sound(2, wim.Rigid, 30000), func(f *wim.Facts) { f.Time = on("2019-12-31 23:59:59") })
		if o := opinion(t, judge(s, f), road); o.Outcome != wim.Unknown || o.Why != "no-law-in-force" {
			t.Errorf("%+v", o)
		}
	})
}

func TestAmongSeveralExcessesTheBestFoundedOneGivesTheStanding(t *testing.T) {
	s := testSet(t)
	sign := func(f *wim.Facts) { f.Road.Posted.Gross = 10000 }
	o := opinion(t, judge(s, with(sound(2, wim.Rigid, 30000), sign)), road)
	if o.Outcome != wim.Exceeded || o.Reasons != wim.LimitRecalled|wim.LimitInferred {
		t.Errorf("a recalled and an inferred limit: %+v", o)
	}
	o = opinion(t, judge(s, with(sound(3, wim.Train, 30000), sign)), road)
	if o.Outcome != wim.Exceeded || o.Standing != wim.Evidence {
		t.Errorf("a verified and an inferred limit: %+v", o)
	}
}

func TestEachReason(t *testing.T) {
	s := china(t)
	for _, c := range []struct {
		name   string
		change func(*wim.Facts)
		reason wim.Reason
		only   wim.Competence // empty: both
	}{
		{"nothing", func(*wim.Facts) {}, 0, ""},
		{"no certificate", noCertificate, wim.NoCertificate, ""},
		{"a certificate that has ended", func(f *wim.Facts) { f.Instrument.Certificate.ValidUntil = f.Time }, wim.CertificateLapsed, ""},
		{"a certificate's last instant", func(f *wim.Facts) { f.Instrument.Certificate.ValidUntil = f.Time + 1 }, 0, ""},
		{"a certificate of another lane", func(f *wim.Facts) { f.Vehicle.Lane = 2 }, wim.LaneNotCertified, ""},
		{"faster than certified", func(f *wim.Facts) { f.Vehicle.Speed = 1001 }, wim.SpeedNotCertified, ""},
		{"slower than certified, or no speed", func(f *wim.Facts) { f.Vehicle.Speed = 0 }, wim.SpeedNotCertified, ""},
		{"heavier than certified", func(f *wim.Facts) { f.Instrument.Certificate.Max = 10000 }, wim.MassNotCertified, ""},
		{"lighter than certified", func(f *wim.Facts) { f.Instrument.Certificate.Min = 100000 }, wim.MassNotCertified, ""},
		{"a straddling vehicle", flags(wim.Straddling), wim.MeasurementVoid, ""},
		{"a gap of the device", flags(wim.DeviceGap), wim.MeasurementVoid, ""},
		{"an unbalanced axle", flags(wim.Imbalance), wim.WeightDoubtful, ""},
		{"an axle sum that does not agree", flags(wim.SumMismatch), wim.WeightDoubtful, ""},
		{"a lane under test", func(f *wim.Facts) { f.Purpose = wim.Testing }, wim.PurposeNotEnforcing, ""},
		{"no purpose", func(f *wim.Facts) { f.Purpose = "" }, wim.PurposeNotEnforcing, ""},
		{"a clock that is wrong", func(f *wim.Facts) { f.Clock = wim.ClockUnsynchronised }, wim.ClockNotSynchronised, ""},
		{"a clock of which nothing is known", func(f *wim.Facts) { f.Clock = wim.ClockUnknown }, wim.ClockNotSynchronised, ""},
		{"a plate that is not certain", flags(wim.PlateUncertain), wim.PlateDoubtful, police},
		{"a trailer's plate that was not read", flags(wim.TrailerUnread), 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := judge(s, with(sound(2, wim.Rigid, 40000), licensed(truckLicence()), c.change))
			for _, o := range v.Opinions {
				want := c.reason
				if c.only != "" && c.only != o.Competence {
					want = 0
				}
				if o.Outcome != wim.Exceeded && o.Outcome != wim.Unknown || o.Reasons != want || o.Standing != wim.StandingOf(want) {
					t.Errorf("%s: %s %s %v, want reasons %v", o.Competence, o.Outcome, o.Standing, o.Reasons.Names(), want.Names())
				}
			}
		})
	}
}

// Outcome and standing are two axes: each pair must be reachable, or one has swallowed the other.
func TestEveryOutcomeWithEveryStanding(t *testing.T) {
	s := china(t)
	outcomes := map[wim.Outcome]func() *wim.Facts{
		wim.NotApplicable:   func() *wim.Facts { return with(sound(2, wim.Rigid, 40000), kind(wim.Bus)) },
		wim.Compliant:       func() *wim.Facts { return sound(2, wim.Rigid, 18000) },
		wim.WithinTolerance: func() *wim.Facts { return with(sound(2, wim.Rigid, 18900), massError(50)) },
		wim.Unknown:         func() *wim.Facts { return with(sound(3, "", 26000), unsure) },
		wim.Exceeded:        func() *wim.Facts { return sound(2, wim.Rigid, 40000) },
	}
	standings := map[wim.Standing]func(*wim.Facts){
		wim.Evidence:  func(*wim.Facts) {},
		wim.Screening: flags(wim.Imbalance),
		wim.Void:      flags(wim.OffScale),
	}
	if len(outcomes) != 5 || len(standings) != 3 {
		t.Fatal("an outcome or a standing is missing in this table")
	}
	for outcome, facts := range outcomes {
		for standing, change := range standings {
			o := opinion(t, judge(s, with(facts(), change)), road)
			if o.Outcome != outcome || o.Standing != standing {
				t.Errorf("%s × %s: got %s × %s", outcome, standing, o.Outcome, o.Standing)
			}
		}
	}
}

func TestAVerdictNamesItsRules(t *testing.T) {
	s := china(t)
	v := judge(s, sound(2, wim.Rigid, 18000))
	if v.RuleSet != "cn-2016-62" || v.Rules != s.Digest() || v.Rules.IsZero() || v.Judge != Version || s.ID() != v.RuleSet || s.Title() == "" {
		t.Errorf("%+v", v)
	}
	if len(v.Opinions) != 2 || v.Opinions[0].Competence != road || v.Opinions[1].Competence != police {
		t.Errorf("opinions %+v", v.Opinions)
	}
}

func TestFactsBeyondAllSenseDoNotOverflow(t *testing.T) {
	s := china(t)
	f := with(sound(2, wim.Rigid, math.MaxInt32), licensed(wim.Registration{Kerb: 1, Rated: 1, Gross: 1}), massError(math.MaxInt32))
	if o := opinion(t, judge(s, f), road); o.Outcome != wim.WithinTolerance {
		t.Errorf("an error of more than all: %+v", o)
	}
	f.Instrument.Certificate.MassError = math.MinInt32
	for _, x := range judge(s, f).Findings {
		if x.Outcome != wim.Exceeded || x.Excess <= 0 || x.Deducted != 0 {
			t.Errorf("%+v", x)
		}
	}
}
