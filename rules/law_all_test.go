package rules

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/axlegate/axlegate/wim"
)

// laws are the ids of the sets of the other jurisdictions than China.
func laws() []string { return []string{"us", "eu", "ke", "br", "in", "ru", "au", "gb", "za"} }

func TestALawOfAnotherCountrySaysWhatItOmitsAndWhyAFigureIsNotVerified(t *testing.T) {
	for _, id := range laws() {
		f := law(t, id).File()
		if len(f.Omits) == 0 || len(f.Assumptions) == 0 {
			t.Errorf("%s: %d omissions, %d assumptions", id, len(f.Omits), len(f.Assumptions))
		}
		for _, c := range f.Competences {
			for _, l := range c.Limits {
				if l.Name.Zh == "" || l.Name.En == "" {
					t.Errorf("%s: %s has no name in both languages", id, l.ID)
				}
				if len(l.Rows) == 0 && l.Status != "verified" && l.Note == "" {
					t.Errorf("%s: %s is %s and has no note", id, l.ID, l.Status)
				}
				for _, r := range l.Rows {
					if or(r.Status, l.Status) != "verified" && or(r.Note, l.Note) == "" {
						t.Errorf("%s: %s is %s and has no note", id, r.ID, or(r.Status, l.Status))
					}
				}
			}
		}
	}
}

func TestALimitThatWasNotReadInTheLawIsScreeningInEverySet(t *testing.T) {
	for _, id := range laws() {
		s := law(t, id)
		f := lorry(wim.Train, 3, even(6, 13000, 90000)...)
		for _, x := range judge(s, f).Findings {
			if x.Outcome == wim.Exceeded && statusOf(s, x.Limit) != "verified" && wim.StandingOf(x.Reasons) != wim.Screening {
				t.Errorf("%s: %s is %s and grounds a decision", id, x.Limit, statusOf(s, x.Limit))
			}
		}
	}
}

// statusOf is how sure the figure of a case is.
func statusOf(s *Set, row string) string {
	for _, c := range s.File().Competences {
		for _, l := range c.Limits {
			if l.ID == row {
				return l.Status
			}
			for _, r := range l.Rows {
				if r.ID == row {
					return or(r.Status, l.Status)
				}
			}
		}
	}
	return ""
}

// anyLorry draws a vehicle with whatever is known of it.
func anyLorry(t *rapid.T) *wim.Facts {
	n := rapid.IntRange(2, 9).Draw(t, "axles")
	all := make([]axle, n)
	for i := range all {
		all[i] = axle{wim.Mm(rapid.SampledFrom([]int{900, 1000, 1250, 1300, 1350, 1400, 1700, 1800, 2000, 2438, 2500, 4000, 6000, 9000}).Draw(t, "spacing")), wim.Kg(rapid.IntRange(1000, 10000).Draw(t, "load"))}
	}
	c := rapid.SampledFrom([]wim.Configuration{wim.Rigid, wim.Train}).Draw(t, "configuration")
	lead := 0
	if c == wim.Train {
		lead = rapid.IntRange(0, n-1).Draw(t, "lead")
	}
	f := lorry(c, uint8(lead), all...)
	for i := range f.Vehicle.Axles {
		f.Vehicle.Axles[i].Tyres = rapid.SampledFrom([]wim.Tyres{wim.TyresUnknown, wim.SingleTyres, wim.DualTyres, wim.WideTyres}).Draw(t, "tyres")
	}
	if c == wim.Train {
		f.Vehicle.Combination = rapid.SampledFrom([]wim.Combination{wim.CombinationUnknown, wim.Articulated, wim.Drawbar, wim.CentreAxle, wim.RoadTrain}).Draw(t, "combination")
	}
	if rapid.Bool().Draw(t, "licence") {
		with(f, drawn(uint8(rapid.IntRange(0, 3).Draw(t, "drive")), rapid.SampledFrom([]wim.Suspension{wim.SuspensionUnknown, wim.AirSuspension, wim.OtherSuspension}).Draw(t, "suspension")))
	}
	f.Road.Class = rapid.SampledFrom([]string{"expressway", "axle-6", "axle-10", "axle-11.5"}).Draw(t, "road")
	f.Instrument.Certificate.MassError = wim.Permille(rapid.IntRange(0, 50).Draw(t, "mass error"))
	f.Instrument.Certificate.AxleError = wim.Permille(rapid.IntRange(0, 80).Draw(t, "axle error"))
	return f
}

func TestAHeavierAxleNeverMakesAVehicleLawful(t *testing.T) {
	for _, id := range laws() {
		s := law(t, id)
		t.Run(id, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				f := anyLorry(t)
				before := judge(s, f)
				i := rapid.IntRange(0, len(f.Vehicle.Axles)-1).Draw(t, "axle")
				more := wim.Kg(rapid.IntRange(1, 20000).Draw(t, "more"))
				f.Vehicle.Axles[i].Load += more
				f.Vehicle.Gross += more
				f.Vehicle.AxleSum += more
				after := judge(s, f)
				for k, o := range before.Opinions {
					if after.Opinions[k].Outcome.Weight() < o.Outcome.Weight() {
						t.Fatalf("%s: %s before, %s with %d kg more on axle %d", o.Competence, o.Outcome, after.Opinions[k].Outcome, more, i+1)
					}
				}
			})
		})
	}
}

func TestKnowingMoreNeverContradictsWhatWasFound(t *testing.T) {
	for _, id := range laws() {
		s := law(t, id)
		t.Run(id, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				f := anyLorry(t)
				known := judge(s, f)
				switch rapid.IntRange(0, 3).Draw(t, "forgotten") {
				case 0:
					for i := range f.Vehicle.Axles {
						f.Vehicle.Axles[i].Tyres = wim.TyresUnknown
					}
				case 1:
					f.Units[0].Registration = nil
				case 2:
					f.Vehicle.Combination = wim.CombinationUnknown
				case 3:
					f.Road.Class = "no class of the set"
				}
				forgotten := judge(s, f)
				for k, o := range forgotten.Opinions {
					if was := known.Opinions[k].Outcome; o.Outcome == wim.Exceeded && (was == wim.Compliant || was == wim.WithinTolerance) {
						t.Fatalf("%s: exceeded by %v while less is known, and %s with all that is known", o.Competence, broken(forgotten), was)
					}
				}
			})
		})
	}
}
