package peers

import (
	"math/rand/v2"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// vehicles is how many are judged, the same by everybody.
const vehicles = 10_000

// Input is one vehicle as the peers get it: plain numbers, already looked up and added up, which favours them. Net is what
// is left of a figure after its deduction, Taken what was taken off.
type Input struct {
	Goods, Train                 bool
	Axles, Drive                 int
	Gross, Taken, Net            int
	Loads, LoadsTaken, LoadsNet  []int
	Posted, PostedAxle           int
	Height, Width, Length        int
	HeightNet, WidthNet          int
	LengthNet, SizeTaken         int
	Cargo, CargoNet, Rated       int
	LicenceGross                 int
	Towed, TowedNet, TowedAtMost int
	Kind                         wim.VehicleKind
	Row, Weigh, Found            func(a, b int) bool // of expr's host: see answer
}

// fleet makes vehicles of every configuration around the limits, all inputs known.
func fleet() ([]*wim.Facts, []Input) {
	r := rand.New(rand.NewPCG(7, 11)) //nolint:gosec // repeatable traffic
	facts, inputs := make([]*wim.Facts, vehicles), make([]Input, vehicles)
	at := wim.TimeOf(time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC))
	for i := range facts {
		n := []int{2, 3, 3, 4, 4, 5, 6, 6, 6, 6}[r.IntN(10)]
		train := n > 4 || n > 2 && r.IntN(2) == 0
		limit := map[int]int{2: 18000, 3: 26000, 4: 33000, 5: 43000, 6: 48000}[n]
		gross := wim.Kg(limit + r.IntN(limit/3) - limit/6)
		drive := 1 + r.IntN(2)
		f := &wim.Facts{
			Time: at, Clock: wim.ClockSynchronised, Purpose: wim.Enforcement, Road: wim.Road{Name: "G5", Class: "class-1"},
			Instrument: wim.Instrument{ID: "1", Certificate: &wim.Certificate{
				Number: "1", Scheme: "JJG 907", Class: "5", MassError: 50, AxleError: 80, ValidFrom: at - 1, ValidUntil: at + 1e15, Lanes: []wim.LaneID{1}, SpeedMin: 1, SpeedMax: 1000, Max: 200000,
			}},
			Vehicle: wim.Vehicle{
				Lane: 1, Speed: 500, Gross: gross, Configuration: wim.Rigid, Sure: true,
				Height: wim.Mm(3700 + r.IntN(600)), Width: wim.Mm(2400 + r.IntN(200) + r.IntN(8)/7*500), Length: wim.Mm(9000 + r.IntN(12000)), SizeError: 20,
			},
		}
		if r.IntN(5) == 0 {
			f.Road.Posted.Gross = wim.Kg(limit - 3000)
		}
		if r.IntN(5) == 0 {
			f.Road.Posted.Axle = wim.Kg(limit / n)
		}
		for k := range n {
			f.Vehicle.Axles = append(f.Vehicle.Axles, wim.Axle{Index: uint8(k + 1), Load: gross/wim.Kg(n) + wim.Kg(r.IntN(2000)-1000), Spacing: wim.Mm(k) * 1000})
		}
		kind := wim.Goods
		if r.IntN(20) == 0 {
			kind = wim.Bus
		}
		lead := &wim.Registration{Plate: "A", Kind: kind, Kerb: wim.Kg(limit / 4), DriveAxles: uint8(drive), Axles: uint8(n)}
		f.Units = []wim.Unit{{Plate: "A", Kind: kind, Registration: lead}}
		if train {
			f.Vehicle.Configuration = wim.Train
			lead.Towed, lead.Axles = wim.Kg(limit*3/4), 2
			trailer := &wim.Registration{Plate: "B", Kind: wim.Goods, Kerb: wim.Kg(limit / 8), Rated: wim.Kg(limit * 5 / 8)}
			f.Units = append(f.Units, wim.Unit{Plate: "B", Kind: wim.Goods, Registration: trailer})
		} else {
			lead.Rated, lead.Gross = wim.Kg(limit*3/4), wim.Kg(limit)
		}
		if r.IntN(8) == 0 { // licensed for little
			last := f.Units[len(f.Units)-1].Registration
			last.Rated = last.Rated * 2 / 3
		}
		facts[i], inputs[i] = f, plain(f)
	}
	return facts, inputs
}

// plain gives a vehicle's figures.
func plain(f *wim.Facts) Input {
	v, lead := &f.Vehicle, f.Units[0].Registration
	left, taken := v.Gross.Deduct(f.Instrument.Certificate.MassError)
	in := Input{
		Goods: lead.Kind == wim.Goods, Kind: lead.Kind, Train: v.Configuration == wim.Train, Axles: len(v.Axles), Drive: int(lead.DriveAxles),
		Gross: int(v.Gross), Taken: int(taken), Net: int(left), Posted: int(f.Road.Posted.Gross), PostedAxle: int(f.Road.Posted.Axle),
		Height: int(v.Height), Width: int(v.Width), Length: int(v.Length), SizeTaken: int(v.SizeError), LicenceGross: int(lead.Gross),
		Cargo: int(v.Gross), Towed: int(v.Gross - lead.Kerb), TowedAtMost: int(lead.Towed),
	}
	for _, u := range f.Units {
		in.Cargo -= int(u.Registration.Kerb)
		in.Rated += int(u.Registration.Rated)
	}
	in.CargoNet, in.TowedNet = in.Cargo-in.Taken, in.Towed-in.Taken
	in.HeightNet, in.WidthNet, in.LengthNet = in.Height-in.SizeTaken, in.Width-in.SizeTaken, in.Length-in.SizeTaken
	for i := range v.Axles {
		left, taken := v.Axles[i].Load.Deduct(f.Instrument.Certificate.AxleError)
		in.Loads, in.LoadsTaken, in.LoadsNet = append(in.Loads, int(v.Axles[i].Load)), append(in.LoadsTaken, int(taken)), append(in.LoadsNet, int(left))
	}
	return in
}
