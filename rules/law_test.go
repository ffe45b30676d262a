package rules

import (
	"path/filepath"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

// law loads a shipped set by its id.
func law(t testing.TB, id string) *Set {
	t.Helper()
	return load(t, filepath.Join("..", "configs", "rules", id+".yaml"))
}

// axle is a distance from the axle before and a load.
type axle struct {
	spacing wim.Mm
	load    wim.Kg
}

// lorry are sound facts on a vehicle with these axles, whose gross is their sum. Of a train the first lead axles are
// the drawing vehicle's; 0 leaves that open.
func lorry(c wim.Configuration, lead uint8, axles ...axle) *wim.Facts {
	f := sound(len(axles), c, 0)
	f.Vehicle.Lead = lead
	for i, a := range axles {
		f.Vehicle.Axles[i].Spacing, f.Vehicle.Axles[i].Load = a.spacing, a.load
		f.Vehicle.Gross += a.load
	}
	f.Vehicle.Axles[0].Spacing = 0
	f.Vehicle.AxleSum = f.Vehicle.Gross
	return f
}

// even gives n axles evenly over a span, with a gross that is shared out evenly.
func even(n int, span wim.Mm, gross wim.Kg) []axle {
	var out []axle
	for i := range n {
		a := axle{load: gross / wim.Kg(n)}
		if i > 0 {
			a.spacing = span*wim.Mm(i)/wim.Mm(n-1) - span*wim.Mm(i-1)/wim.Mm(n-1)
		} else {
			a.load += gross % wim.Kg(n)
		}
		out = append(out, a)
	}
	return out
}

func combination(c wim.Combination) func(*wim.Facts) {
	return func(f *wim.Facts) { f.Vehicle.Combination = c }
}

// tyres are those of the axles from the front; all further ones have the last.
func tyres(all ...wim.Tyres) func(*wim.Facts) {
	return func(f *wim.Facts) {
		for i := range f.Vehicle.Axles {
			f.Vehicle.Axles[i].Tyres = all[min(i, len(all)-1)]
		}
	}
}

// drawn gives the drawing vehicle a licence with what a limit asks of it.
func drawn(drive uint8, s wim.Suspension) func(*wim.Facts) {
	return func(f *wim.Facts) {
		f.Units[0].Registration = &wim.Registration{Plate: f.Units[0].Plate, Kind: wim.Goods, DriveAxles: drive, Suspension: s}
	}
}

func onRoadOf(class string) func(*wim.Facts) { return func(f *wim.Facts) { f.Road.Class = class } }

// sized gives the vehicle sizes by an instrument whose error is 1 mm; the sizes are what is left of them after it.
func sized(length, width, height wim.Mm) func(*wim.Facts) {
	return func(f *wim.Facts) {
		f.Vehicle.SizeError = 1
		f.Vehicle.Length, f.Vehicle.Width, f.Vehicle.Height = length+1, width+1, height+1
	}
}

// ruling is what a law says of one vehicle by one case of a limit.
type ruling struct {
	name      string
	facts     *wim.Facts
	by        string // the case of the limit
	axle      uint8  // first axle of the subject, 0 for the vehicle
	permitted wim.Kg
	outcome   wim.Outcome
}

// rule checks that a law's findings are as a table of rulings has them.
func rule(t *testing.T, s *Set, all []ruling) {
	t.Helper()
	for _, r := range all {
		t.Run(r.name, func(t *testing.T) {
			f := findingBy(t, judge(s, r.facts), r.by, r.axle)
			if f.Outcome != r.outcome || f.Permitted != r.permitted {
				t.Errorf("by %s %s of %d kg (%d kg taken off), permitted %d; want %s, permitted %d", r.by, f.Outcome, f.Measured, f.Deducted, f.Permitted, r.outcome, r.permitted)
			}
		})
	}
}

// findingBy gives the finding by a case of a limit about a subject that begins at an axle.
func findingBy(t testing.TB, v *wim.Verdict, by string, first uint8) wim.Finding {
	t.Helper()
	for _, f := range v.Findings {
		if f.Limit == by && f.Index == first {
			return f
		}
	}
	t.Fatalf("no finding by %s at axle %d in %+v", by, first, v.Findings)
	return wim.Finding{}
}

// broken lists the cases by which something is exceeded, in order.
func broken(v *wim.Verdict) []string {
	var out []string
	for _, f := range v.Findings {
		if f.Outcome == wim.Exceeded && !f.Informs {
			out = append(out, f.Limit)
		}
	}
	return out
}
