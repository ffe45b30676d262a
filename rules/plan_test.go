package rules

import (
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

// weighedAgain gives a vehicle of the same make other masses, sizes, licences, papers and instruments.
func weighedAgain(r *rand.Rand, f *wim.Facts) {
	v := &f.Vehicle
	gross := wim.Kg(0)
	for i := range v.Axles {
		v.Axles[i].Load = wim.Kg(r.IntN(15000))
		gross += v.Axles[i].Load
	}
	v.Gross = max(gross+wim.Kg(r.IntN(3000)-1500), 1)
	v.SizeError = wim.Mm(r.IntN(3) * 50)
	for _, size := range []*wim.Mm{&v.Length, &v.Width, &v.Height} {
		if *size > 0 {
			*size = among(r, *size, 2500, 2551, 2650, 4001, 4100, 4400, 18101, 18300, 20100)
		}
	}
	if p := &f.Road.Posted; p.Gross > 0 {
		p.Gross = wim.Kg(1 + r.IntN(50000))
	}
	if p := &f.Road.Posted; p.Axle > 0 {
		p.Axle = wim.Kg(1 + r.IntN(15000))
	}
	for i := range f.Units {
		if reg := f.Units[i].Registration; reg != nil {
			x := *reg
			x.Kerb, x.Rated, x.Gross, x.Towed = among[wim.Kg](r, 0, -1, 7000, 9000), among[wim.Kg](r, 0, 8000, 33000), among[wim.Kg](r, 0, 18000, 25000), among[wim.Kg](r, 0, 30000, 40000)
			f.Units[i].Registration = &x
		}
	}
	f.Station = among(r, wim.StationUnset, wim.MotorwayEntrance, wim.OffSite)
	f.Permits = nil
	if r.IntN(4) == 0 && len(f.Units) > 0 {
		f.Permits = []wim.Permit{{Number: "P", Plate: f.Units[0].Plate, ValidUntil: among[wim.Time](r, 0, 1<<62), Gross: among[wim.Kg](r, 0, 70000), Axle: among[wim.Kg](r, 0, 13000), Height: among[wim.Mm](r, 0, 4300)}}
	}
	if c := f.Instrument.Certificate; c != nil {
		x := *c
		x.MassError, x.AxleError = among[wim.Permille](r, 0, 50), among[wim.Permille](r, 0, 80)
		f.Instrument.Certificate = &x
	}
	f.Units[0].Kind = among(r, wim.Goods, wim.Goods, wim.KindUnknown, wim.Bus)
	v.Flags = among(r, 0, 0, wim.Imbalance, wim.OffScale, wim.TrailerUnread, wim.PlateUncertain)
	v.Lane, v.Speed, v.Class, v.Scheme = wim.LaneID(1+r.IntN(2)), wim.DeciKmh(r.IntN(1200)), among(r, "", "6"), among(r, "", "x")
	f.Clock, f.Purpose = among(r, wim.ClockSynchronised, wim.ClockState("")), among(r, wim.Enforcement, wim.Testing)
}

// madeUpOtherwise changes one thing that may be part of a vehicle's shape.
func madeUpOtherwise(r *rand.Rand, f *wim.Facts) {
	v := &f.Vehicle
	a := &v.Axles[r.IntN(len(v.Axles))]
	reg := &wim.Registration{}
	if f.Units[0].Registration != nil {
		x := *f.Units[0].Registration
		f.Units[0].Registration, reg = &x, &x
	}
	switch r.IntN(14) {
	case 0:
		a.Tyres = among(r, wim.TyresUnknown, wim.SingleTyres, wim.DualTyres, wim.WideTyres)
	case 1:
		a.Spacing += among[wim.Mm](r, -1, 1)
	case 2:
		a.Spacing = among[wim.Mm](r, 0, 1000, 1300, 1800, 2599, 2600, 9000)
	case 3:
		v.Lead = uint8(r.IntN(5))
	case 4:
		v.Sure = !v.Sure
	case 5:
		v.Combination = among(r, wim.CombinationUnknown, wim.Articulated, wim.Drawbar, wim.CentreAxle, wim.RoadTrain)
	case 6:
		reg.DriveAxles = uint8(r.IntN(4))
	case 7:
		reg.Axles = uint8(r.IntN(7))
	case 8:
		reg.Suspension = among(r, wim.SuspensionUnknown, wim.AirSuspension, wim.OtherSuspension)
	case 9:
		f.Road.Class = among(r, "expressway", "axle-6", "axle-10", "axle-11.5", "?")
	case 10:
		f.Time = among(r, on("2016-07-26 00:00:00")-1, on("2016-09-21 00:00:00")-1, on("2020-12-31 23:59:59"), on("2021-04-29 00:00:00"), on("2022-03-31 00:00:00"), on("2026-03-01 10:00:00"))
	case 11:
		f.Road.Posted.Width, v.Width = among[wim.Mm](r, 0, 2400), among[wim.Mm](r, 0, 2500)
	case 12:
		v.Axles = v.Axles[:max(2, len(v.Axles)-1)]
	case 13:
		v.Axles = append(v.Axles, *a)
	}
}

func TestManyMayJudgeByOneSetAtOnce(t *testing.T) {
	s := load(t, "..", "configs", "rules", "cn.yaml")
	r := rand.New(rand.NewPCG(4, 4))
	all := make([]*wim.Facts, 100)
	want := make([]wim.Verdict, len(all))
	for i := range all {
		all[i] = passing(r)
		want[i] = s.Explain(all[i]).Verdict
	}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			var v wim.Verdict
			for i := range all {
				k := (i + g%2*len(all)/2) % len(all)
				s.Judge(all[k], &v)
				if !v.Equal(&want[k]) {
					t.Errorf("vehicle %d: %+v, want %+v", k, v, want[k])
				}
			}
		})
	}
	wg.Wait()
}

func TestWhatIsMadeUpAlikeIsJudgedByAPlanAsAtLength(t *testing.T) {
	all := everySet(t)
	r := rand.New(rand.NewPCG(9, 9))
	var used wim.Verdict // has been through other judgements
	reused := map[string]int{}
	const makes, each = 60, 40
	for range makes {
		f := passing(r)
		f.Vehicle.Length, f.Vehicle.Width, f.Vehicle.Height = among[wim.Mm](r, 0, 1), among[wim.Mm](r, 0, 1), among[wim.Mm](r, 0, 1)
		f.Road.Posted = wim.PostedLimit{Gross: among[wim.Kg](r, 0, 1), Axle: among[wim.Kg](r, 0, 1), Height: among[wim.Mm](r, 0, 4000), Width: among[wim.Mm](r, 0, 2500), Length: among[wim.Mm](r, 0, 12000)}
		for _, s := range all {
			var before *plan
			for range each {
				weighedAgain(r, f)
				if r.IntN(10) == 0 {
					madeUpOtherwise(r, f)
				}
				s.Judge(f, &used)
				if e := s.Explain(f); !e.Verdict.Equal(&used) {
					t.Fatalf("%s: by the plan %+v\nat length %+v", s.id, used, e.Verdict)
				}
				j := judgement{set: s, f: f}
				j.read()
				p := j.plan()
				if p != nil && p == before {
					reused[s.id]++
				}
				before = p
			}
		}
	}
	for _, s := range all {
		if s.plans != nil && reused[s.id] < makes*each/8 {
			t.Errorf("%s: a plan was followed again %d times only", s.id, reused[s.id])
		}
	}
	for _, id := range []string{"cn", "cn-2016-62", "br"} {
		if reused[id] == 0 {
			t.Errorf("%s has no plans", id)
		}
	}
	t.Log(reused)
}

func TestASetThatKeepsNoFurtherPlansJudgesTheSame(t *testing.T) {
	s := load(t, "..", "configs", "rules", "cn.yaml")
	f := road6(52000)
	var want, got wim.Verdict
	s.Judge(f, &want)
	full := load(t, "..", "configs", "rules", "cn.yaml")
	for i := range full.plans.slots {
		full.plans.slots[i].Store(&plan{})
	}
	full.Judge(f, &got)
	if !got.Equal(&want) {
		t.Fatalf("%+v, want %+v", got, want)
	}
}
