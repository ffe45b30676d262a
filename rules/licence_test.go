package rules

import (
	"testing"

	"github.com/axlegate/axlegate/wim"
)

func TestCargoOfATruck(t *testing.T) {
	s := china(t)
	for _, c := range []struct {
		name     string
		gross    wim.Kg
		deducted wim.Permille
		outcome  wim.Outcome
		measured wim.Kg
		excess   wim.Kg
		ratio    wim.Permille
		band     string
	}{
		{"exactly the rated load", 18000, 0, wim.Compliant, 10000, 0, 0, ""},
		{"one kilogram more", 18001, 0, wim.Exceeded, 10001, 1, 0, "under-30"},
		{"the deduction is a share of the gross, not of the cargo", 19000, 50, wim.Exceeded, 11000, 50, 5, "under-30"},
		{"within the instrument's error", 18900, 50, wim.WithinTolerance, 10900, 0, 0, ""},
		{"just below thirty percent", 20999, 0, wim.Exceeded, 12999, 2999, 299, "under-30"},
		{"thirty percent and above", 21000, 0, wim.Exceeded, 13000, 3000, 300, "30-and-over"},
		{"lighter than its own kerb mass", 7000, 0, wim.Compliant, 0, 0, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := findings(judge(s, with(sound(2, wim.Rigid, c.gross), licensed(truckLicence()), massError(c.deducted))), police)[0]
			if f.Scope != wim.ScopeCargo || f.Outcome != c.outcome || f.Measured != c.measured || f.Permitted != 10000 || f.Excess != c.excess || f.Ratio != c.ratio || f.Band != c.band {
				t.Errorf("%+v", f)
			}
		})
	}
}

func TestLicenceMassOfATruck(t *testing.T) {
	s := china(t)
	for _, c := range []struct {
		name    string
		gross   wim.Kg
		band    string
		article string
	}{
		{"below thirty percent", 23399, "points-1", "Points Rules Art. 12(6)"},
		{"at thirty percent exactly", 23400, "points-3", "Points Rules Art. 11(9)"},
		{"below fifty percent", 26999, "points-3", "Points Rules Art. 11(9)"},
		{"at fifty percent exactly", 27000, "points-6", "Points Rules Art. 10(4)"},
		{"on the licence's mass", 18000, "", "Points Rules Art. 10(4), 11(9), 12(6)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fs := findings(judge(s, with(sound(2, wim.Rigid, c.gross), licensed(truckLicence()))), police)
			if len(fs) != 2 || fs[1].Scope != wim.ScopeLicence || fs[1].Permitted != 18000 || fs[1].Band != c.band || fs[1].Article != c.article {
				t.Errorf("%+v", fs)
			}
		})
	}
	t.Run("a train is not held against its truck's licence", func(t *testing.T) {
		v := judge(s, with(sound(4, wim.Train, 27000), licensed(truckLicence(), wim.Registration{Kerb: 4000, Rated: 12000})))
		if o := opinion(t, v, police); o.Outcome != wim.Compliant {
			t.Errorf("%+v", o)
		}
		for _, f := range findings(v, police) {
			if f.Scope == wim.ScopeLicence {
				t.Errorf("%+v", f)
			}
		}
	})
	t.Run("cargo and licence mass have different bases", func(t *testing.T) {
		fs := findings(judge(s, with(sound(2, wim.Rigid, 21000), licensed(truckLicence()))), police)
		if fs[0].Band != "30-and-over" || fs[1].Band != "points-1" {
			t.Errorf("%+v", fs)
		}
	})
}

func TestATrainNeedsTheLicenceOfEveryUnit(t *testing.T) {
	s := china(t)
	both := licensed(tractorLicence(), trailerLicence()) // 16 t kerb, 33 t rated: 49 t
	lorry := wim.Registration{Kerb: 8000, Rated: 10000, Towed: 12000, DriveAxles: 2}
	for _, c := range []struct {
		name    string
		facts   *wim.Facts
		outcome wim.Outcome
		why     string
		shown   int
	}{
		{"both known, exactly loaded", with(sound(6, wim.Train, 49000), both), wim.Compliant, "", 2},
		{"both known, one kilogram more", with(sound(6, wim.Train, 49001), both), wim.Exceeded, "", 2},
		{"the trailer's is missing", with(sound(6, wim.Train, 49000), licensed(tractorLicence())), wim.Unknown, "registration", 1},
		{"the trailer's says no rated load", with(sound(6, wim.Train, 49000), licensed(tractorLicence(), wim.Registration{Kerb: 7000})), wim.Unknown, "registration", 1},
		{"the trailer was read and its licence is not known", with(sound(6, wim.Train, 49000), both, func(f *wim.Facts) { f.Units[1].Registration = nil }), wim.Unknown, "registration", 1},
		{"the tractor's is missing", with(sound(6, wim.Train, 49000), both, func(f *wim.Facts) { f.Units[0].Registration = nil }), wim.Unknown, "registration", 0},
		{"no unit is known", with(sound(6, wim.Train, 49000), func(f *wim.Facts) { f.Units = nil }), wim.Unknown, "registration", 0},
		{"a truck's licence says no rated load", with(sound(2, wim.Rigid, 18000), licensed(wim.Registration{Kerb: 8000})), wim.Unknown, "registration", 0},
		{"a truck's licence says no kerb mass", with(sound(2, wim.Rigid, 18000), licensed(wim.Registration{Rated: 8000})), wim.Unknown, "registration", 0},
		{"a trailer of any licence could not make it exceed", with(sound(4, wim.Train, 18000), licensed(lorry)), wim.Compliant, "", 1},
		{"a trailer of some licence could", with(sound(4, wim.Train, 18001), licensed(lorry)), wim.Unknown, "registration", 0},
		{"a tractor alone has nothing to exceed", with(sound(3, wim.Rigid, 9500), licensed(tractorLicence())), wim.NotApplicable, "no-limit", 0},
		{"no gross indicated", with(sound(6, wim.Train, 0), both), wim.Unknown, "gross", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := judge(s, c.facts)
			o := opinion(t, v, police)
			if o.Outcome != c.outcome || o.Why != c.why {
				t.Errorf("%s %q, want %s %q", o.Outcome, o.Why, c.outcome, c.why)
			}
			if fs := findings(v, police); len(fs) != c.shown {
				t.Errorf("%d findings, want %d: %+v", len(fs), c.shown, fs)
			}
		})
	}
}

func TestWhereTheTrailerIsNotKnownTheFindingSaysWhatItAssumes(t *testing.T) {
	f := findings(judge(china(t), with(sound(4, wim.Train, 18000), licensed(wim.Registration{Kerb: 8000, Rated: 10000, Towed: 12000}))), police)
	if len(f) != 1 || f[0].Assumes != "trailer-weightless" || f[0].Measured != 10000 || f[0].Permitted != 10000 {
		t.Errorf("%+v", f)
	}
}

func TestCargoWhereTruckOrTrainIsNotKnown(t *testing.T) {
	s := china(t)
	small := wim.Registration{Kerb: 6000, Rated: 9000}
	// A truck that shows a trailer's plate: both branches can be computed.
	both := licensed(small, wim.Registration{Kerb: 3000, Rated: 5000})
	for _, c := range []struct {
		name    string
		facts   *wim.Facts
		outcome wim.Outcome
		why     string
		assumes []string
	}{
		{"no branch exceeds", with(sound(3, wim.Rigid, 15000), both), wim.Compliant, "", []string{"rigid"}},
		{"a truck alone would exceed, a train would not", with(sound(3, wim.Rigid, 16000), both), wim.Unknown, "configuration", []string{"rigid", "train"}},
		{"both would: the smaller excess stands", with(sound(3, wim.Rigid, 24000), both), wim.Exceeded, "", []string{"train"}},
		{"within tolerance alone, compliant as a train", with(sound(3, wim.Rigid, 15500), both, massError(50)), wim.WithinTolerance, "", []string{"rigid", "train"}},
		{"without a trailer known, what is compliant alone stays so", with(sound(3, "", 15000), unsure, licensed(small)), wim.Compliant, "", []string{"rigid"}},
		{"without a trailer known, what exceeds alone is open", with(sound(3, "", 16000), unsure, licensed(small)), wim.Unknown, "registration", []string{"rigid"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := judge(s, c.facts)
			if o := opinion(t, v, police); o.Outcome != c.outcome || o.Why != c.why {
				t.Errorf("%s %q, want %s %q", o.Outcome, o.Why, c.outcome, c.why)
			}
			fs := findings(v, police)
			if len(fs) != len(c.assumes) {
				t.Fatalf("%+v, want %v", fs, c.assumes)
			}
			for i := range fs {
				if fs[i].Assumes != c.assumes[i] {
					t.Errorf("finding %d assumes %q, want %q", i, fs[i].Assumes, c.assumes[i])
				}
			}
		})
	}
}

func TestLicenceMassWhereTruckOrTrainIsNotKnown(t *testing.T) {
	l := wim.Registration{Kerb: 6000, Rated: 20000, Gross: 18000}
	v := judge(china(t), with(sound(3, "", 18001), unsure, licensed(l)))
	if o := opinion(t, v, police); o.Outcome != wim.Unknown || o.Why != "configuration" {
		t.Errorf("%+v", o)
	}
}

func TestTowedMassIsOurReadingAndSoASuspicion(t *testing.T) {
	s := china(t)
	strong := trailerLicence()
	strong.Rated = 50000
	at := func(gross wim.Kg) (wim.Opinion, wim.Finding) {
		v := judge(s, with(sound(6, wim.Train, gross), licensed(tractorLicence(), strong)))
		fs := findings(v, police)
		return opinion(t, v, police), fs[len(fs)-1]
	}
	o, f := at(49000)
	if o.Outcome != wim.Compliant || f.Scope != wim.ScopeTowed || f.Measured != 40000 || f.Permitted != 40000 {
		t.Errorf("exactly what it may tow: %+v %+v", o, f)
	}
	o, f = at(49001)
	if o.Outcome != wim.Exceeded || o.Standing != wim.Screening || o.Reasons != wim.LimitInferred || f.Excess != 1 {
		t.Errorf("one kilogram more: %+v %+v", o, f)
	}
	t.Run("with a proven excess of cargo beside it the standing is evidence", func(t *testing.T) {
		v := judge(s, with(sound(6, wim.Train, 60000), licensed(tractorLicence(), trailerLicence())))
		if o := opinion(t, v, police); o.Outcome != wim.Exceeded || o.Standing != wim.Evidence {
			t.Errorf("%+v", o)
		}
	})
	t.Run("where it may be no train the excess is open", func(t *testing.T) {
		v := judge(s, with(sound(4, "", 60000), unsure, licensed(tractorLicence())))
		if o := opinion(t, v, police); o.Outcome != wim.Unknown {
			t.Errorf("%+v", o)
		}
	})
	t.Run("a truck that carries and tows is left out", func(t *testing.T) {
		v := judge(s, with(sound(4, wim.Train, 60000), licensed(wim.Registration{Kerb: 8000, Rated: 10000, Towed: 12000})))
		for _, f := range findings(v, police) {
			if f.Scope == wim.ScopeTowed {
				t.Errorf("%+v", f)
			}
		}
	})
}

func TestASetMayTakeTheCrewOff(t *testing.T) {
	f := findings(judge(testSet(t), with(sound(2, wim.Rigid, 18150), licensed(truckLicence()))), police)
	if len(f) != 1 || f[0].Measured != 10000 || f[0].Outcome != wim.Compliant {
		t.Errorf("%+v", f)
	}
}
