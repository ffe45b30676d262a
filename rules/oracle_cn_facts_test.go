package rules_test

import (
	"math/rand/v2"

	"github.com/axlegate/axlegate/wim"
)

// permitsDrawn is the most that a vehicle is given.
const permitsDrawn = 2

// drawChinese draws a vehicle of which now this and now that is not known, near one of the figures that it is held
// against.
func drawChinese(r *rand.Rand) *wim.Facts {
	f := weighed(r)
	n := one(r, 2, 2, 3, 3, 4, 4, 5, 6, 6, 6, 7)
	d := make([]wim.Mm, n-1)
	for i := range d {
		d[i] = one(r, 1300, 1310, 1350, about[wim.Mm](r, 1000), about[wim.Mm](r, 1300), about[wim.Mm](r, 1800), 3300, 3300, 4500, 6500)
	}
	axles(r, f, 30000, d)
	v := &f.Vehicle
	train := n > 4 || n > 2 && rare(r, 2)
	lead := n
	v.Configuration = wim.Rigid
	if train {
		lead = 2 + r.IntN(min(2, n-2))
		v.Configuration, v.Combination = wim.Train, one(r, wim.Articulated, wim.Drawbar, wim.CentreAxle, wim.CombinationUnknown)
	}
	if v.Sure = !rare(r, 3); v.Sure {
		v.Lead = uint8(lead) //nolint:gosec // an axle of the vehicle
	} else {
		v.Configuration, v.Combination = wim.ConfigurationUnknown, wim.CombinationUnknown
	}
	for i := range v.Axles {
		v.Axles[i].Tyres = one(r, wim.TyresUnknown, wim.TyresUnknown, wim.TyresUnknown, wim.SingleTyres, wim.DualTyres, wim.WideTyres)
		if i == 0 {
			v.Axles[i].Tyres = one(r, wim.TyresUnknown, wim.SingleTyres)
		}
	}
	chineseUnits(r, f, train, lead)
	if rare(r, 40) {
		v.Axles[r.IntN(n)].Load = wim.NotMeasured
	}
	if rare(r, 40) {
		v.Axles[1+r.IntN(n-1)].Spacing = 0
	}
	if rare(r, 20) {
		v.Flags |= wim.PlateUncertain
	}
	f.Time = one(r, f.Time, f.Time, f.Time, f.Time, f.Time, day(2016, 7, 26)-1, day(2016, 9, 21)-1, day(2016, 9, 21), day(2020, 12, 31), day(2021, 1, 1), day(2021, 4, 28), day(2021, 4, 29), day(2022, 3, 31), day(2022, 4, 1))
	f.Station = one(r, wim.StationUnset, wim.JointStation, wim.OffSite, wim.TollExit, wim.MotorwayEntrance)
	chineseSizes(r, f)
	if rare(r, 3) {
		for range 1 + r.IntN(permitsDrawn) {
			f.Permits = append(f.Permits, permit(r, f))
		}
	}
	weighDown(r, f)
	return f
}

// chineseUnits gives the vehicle licences that say more or less.
func chineseUnits(r *rand.Rand, f *wim.Facts, train bool, lead int) {
	n := len(f.Vehicle.Axles)
	kind := wim.Goods
	if rare(r, 15) {
		kind = one(r, wim.Bus, wim.Car, wim.Military, wim.SpecialWork, wim.Farm, wim.KindUnknown)
	}
	u := wim.Unit{Plate: "川A00001", Kind: kind}
	if !rare(r, 6) {
		l := &wim.Registration{
			Plate: u.Plate, Kind: kind, Kerb: wim.Kg(4000 + 1500*n), Rated: wim.Kg(one(r, 3000, 6000, 9000) * n), Gross: wim.Kg(5000*n + r.IntN(5000*n)),
			DriveAxles: one[uint8](r, 0, 0, 1, 2), Suspension: one(r, wim.SuspensionUnknown, wim.OtherSuspension, wim.AirSuspension),
		}
		if train && !rare(r, 4) {
			l.Rated, l.Towed, l.Gross = 0, wim.Kg(15000+r.IntN(30000)), 0
		}
		if rare(r, 3) {
			l.Axles = uint8(lead) //nolint:gosec // an axle of the vehicle
		}
		if rare(r, 20) {
			l.Kerb = 0
		}
		if rare(r, 20) {
			l.Rated = 0
		}
		if rare(r, 10) {
			l.Gross = 0
		}
		u.Registration = l
	}
	f.Units = []wim.Unit{u}
	if train && !rare(r, 3) || n > 2 && rare(r, 50) {
		t := wim.Unit{Plate: "川A0003挂", Kind: wim.Goods}
		if !rare(r, 5) {
			t.Registration = &wim.Registration{Plate: t.Plate, Kind: wim.Goods, Kerb: wim.Kg(1500 * n), Rated: wim.Kg(one(r, 3000, 5000) * n)}
		}
		f.Units = append(f.Units, t)
	}
	if rare(r, 60) {
		f.Units = nil
	}
}

func chineseSizes(r *rand.Rand, f *wim.Facts) {
	v := &f.Vehicle
	v.SizeError = one[wim.Mm](r, 0, 1, 20)
	e := v.SizeError
	if e == 0 {
		e = 500
	}
	if rare(r, 4) {
		v.Height = about[wim.Mm](r, 4000+e)
		if rare(r, 2) {
			f.Road.Posted.Height = about(r, v.Height-e)
		}
	}
	if rare(r, 4) {
		v.Width = about[wim.Mm](r, 2550+e)
		if rare(r, 2) {
			f.Road.Posted.Width = about(r, v.Width-e)
		}
	}
	if rare(r, 4) {
		v.Length = about[wim.Mm](r, 18100+e)
		if rare(r, 2) {
			f.Road.Posted.Length = about(r, v.Length-e)
		}
	}
	if rare(r, 10) {
		f.Road.Posted.Gross = wim.Kg(10000 + r.IntN(40000))
	}
	if rare(r, 10) {
		f.Road.Posted.Axle = about[wim.Kg](r, 30000/wim.Kg(len(v.Axles)))
	}
}

// permit draws one that the vehicle keeps, or that it does not in one thing.
func permit(r *rand.Rand, f *wim.Facts) wim.Permit {
	p := wim.Permit{
		Number: one(r, "P1", "P2", "P3"), Plate: "川A00001", ValidFrom: f.Time - 1000, ValidUntil: f.Time + 1000, Roads: []string{"G42", "G5"},
		Axles: uint8(len(f.Vehicle.Axles)), Gross: one[wim.Kg](r, 0, 50000, 60000, 80000), Axle: one[wim.Kg](r, 0, 0, 20000, 30000), //nolint:gosec // a vehicle's axles
		Width: one[wim.Mm](r, 0, 3750, 4000), Height: one[wim.Mm](r, 0, 4500, 5000), Length: one[wim.Mm](r, 0, 28000),
	}
	switch r.IntN(14) {
	case 0:
		p.ValidUntil = f.Time
	case 1:
		p.ValidFrom = f.Time + 1
	case 2:
		p.ValidFrom = f.Time
	case 3:
		p.Roads = []string{"S101"}
	case 4:
		p.Axles++
	case 5:
		p.Trailer = one(r, "川A0003挂", "川B9挂")
	case 6:
		p.Plate = "川A00009"
	case 7:
		p.Width = 2600
	}
	return p
}

// weighDown gives the vehicle a gross at one of the figures that it is held against.
func weighDown(r *rand.Rand, f *wim.Facts) {
	v := &f.Vehicle
	mass, axle := massErrors(f)
	offset := map[string]wim.Kg{}
	if len(f.Units) > 0 && f.Units[0].Registration != nil {
		offset["towed"] = f.Units[0].Registration.Kerb
		offset["cargo"] = f.Units[0].Registration.Kerb
		if len(f.Units) > 1 && f.Units[1].Registration != nil {
			offset["cargo"] += f.Units[1].Registration.Kerb
		}
	}
	var edges []wim.Kg
	v.Gross = 200000 // above all, so that permits are looked at
	for _, b := range chinese(f) {
		for _, q := range b.questions {
			switch q.about {
			case "gross", "axle-sum", "licence-mass", "posted gross", "cargo", "towed":
				for _, e := range q.edges {
					e := wim.Kg(e) + offset[q.about]
					edges = append(edges, e)
					if f.Station == wim.MotorwayEntrance {
						edges = append(edges, e*105/100)
					}
				}
			}
		}
	}
	for i := range f.Permits {
		if g := f.Permits[i].Gross; g > 0 {
			edges = append(edges, g)
		}
	}
	v.Gross = 30000
	if len(edges) > 0 {
		v.Gross = grown(edges[r.IntN(len(edges))], one(r, 0, mass))
		v.Gross = about(r, v.Gross)
	}
	if rare(r, 100) {
		v.Gross = 0
	}
	v.AxleSum = 0
	for i := range v.Axles {
		if v.Axles[i].Load < 0 {
			continue
		}
		v.Axles[i].Load = v.Gross / wim.Kg(len(v.Axles))
		if p := f.Road.Posted.Axle; p > 0 && rare(r, 2) {
			v.Axles[i].Load = about(r, grown(p, one(r, 0, axle)))
		}
		v.AxleSum += v.Axles[i].Load
	}
}
