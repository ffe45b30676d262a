package rules_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/axlegate/axlegate/wim"
)

// This is the oracle of Chinese law: Order 62 Art. 3 with the sum of the axle loads of GB 1589, the posted signs and
// permits for the road administration; rated load, licence and towed mass for the traffic police.

// truth is a world: one vehicle of which everything is known.
type truth struct {
	train      bool
	lead       int // axles of the drawing vehicle
	driveAxles int
	driven     []bool
	tyres      []wim.Tyres
	air        bool
	distances  []int64
	groups     [][2]int // first axle and count
	inGroup    []bool   // by axle: it stands in a group of two or three
}

// chineseGross is Art. 3 (4) to (8), with one tonne more for the trucks of the identification table's note 4; 0 where
// the order knows no such vehicle.
func (w *truth) gross(n int) int64 {
	if !w.train {
		switch {
		case n == 2:
			return 18000
		case n == 3 && w.air:
			return 26000
		case n == 3:
			return 25000
		case n == 4 && w.air:
			return 32000
		case n == 4:
			return 31000
		}
		return 0
	}
	switch {
	case n == 3:
		return 27000
	case n == 4:
		return 36000
	case n == 5:
		return 43000
	case n >= 6 && w.driveAxles == 1:
		return 46000
	case n >= 6:
		return 49000
	}
	return 0
}

// grouped enters the groups: axles that stand closer than 1.8 m to their neighbours, at most three together.
func (w *truth) grouped() {
	n := len(w.distances) + 1
	w.inGroup = make([]bool, n)
	for i := 0; i < n; {
		size := 1
		for size < 3 && i+size < n && w.distances[i+size-1] < 1800 {
			size++
		}
		w.groups = append(w.groups, [2]int{i, size})
		for k := i; k < i+size; k++ {
			w.inGroup[k] = size > 1
		}
		i += size
	}
}

// lowered counts the axles that take 3,000 kg off: not driven, of a group or of a trailer, on single tyres.
func (w *truth) lowered() int64 {
	out := int64(0)
	for i := range w.tyres {
		if w.tyres[i] == wim.SingleTyres && !w.driven[i] && (i >= w.lead || w.inGroup[i]) {
			out++
		}
	}
	return out
}

// may lists what a group may carry by GB 1589 table 2: more than one figure where its distances lie in several bands,
// where it stands across two units, and where it is a trailer's, whose licence does not say how it is sprung.
func (w *truth) may(first, count int) []int64 {
	if count == 1 {
		switch {
		case w.tyres[first] == wim.SingleTyres:
			return []int64{7000}
		case w.driven[first]:
			return []int64{11500}
		case w.tyres[first] == wim.DualTyres && first >= w.lead:
			return []int64{10000, 11500}
		case w.tyres[first] == wim.DualTyres && w.air:
			return []int64{11500}
		}
		return []int64{10000}
	}
	if count == 3 {
		var out []int64
		for _, d := range w.distances[first : first+2] {
			if d <= 1300 {
				out = append(out, 21000)
			} else {
				out = append(out, 24000)
			}
		}
		return out
	}
	d := w.distances[first]
	motor, trailer := []int64{18000}, []int64{18000}
	switch {
	case d < 1000:
		motor, trailer = []int64{11500}, []int64{11000}
	case d < 1300:
		motor, trailer = []int64{16000}, []int64{16000}
	case w.air:
		motor = []int64{19000}
	}
	switch {
	case first+1 < w.lead:
		return motor
	case first >= w.lead:
		return trailer
	}
	if d >= 1300 {
		return []int64{18000, 19000} // nobody's
	}
	return append(motor, trailer...)
}

// sums are what all groups may carry together.
func (w *truth) sums() []int64 {
	out := []int64{0}
	for _, g := range w.groups {
		var next []int64
		for _, s := range out {
			for _, m := range w.may(g[0], g[1]) {
				next = append(next, s+m)
			}
		}
		slices.Sort(next)
		out = slices.Compact(next)
	}
	return out
}

// made tells the configurations that a vehicle may have: truck alone, train. Spacings tell it where they are sure, else
// a trailer's plate, else the number of axles on the licence.
func made(f *wim.Facts) (rigid, train bool) {
	v := &f.Vehicle
	trailer := len(f.Units) > 1
	switch {
	case v.Sure && v.Configuration == wim.Rigid && trailer:
		return true, true // a contradiction
	case v.Sure && v.Configuration == wim.Rigid:
		return true, false
	case v.Sure && v.Configuration == wim.Train, trailer:
		return false, true
	}
	if l := licence(f); l != nil && l.Axles > 0 {
		switch n := len(v.Axles); {
		case int(l.Axles) == n:
			return true, false
		case int(l.Axles) < n:
			return false, true
		}
	}
	return true, true
}

// licence is the drawing vehicle's where its plate was read without doubt.
func licence(f *wim.Facts) *wim.Registration {
	if len(f.Units) == 0 || f.Vehicle.Flags.Any(wim.PlateUncertain) {
		return nil
	}
	return f.Units[0].Registration
}

// worlds are all that the vehicle may be. Without presuming, which axles drive is known from a licence or not at all.
func worlds(f *wim.Facts, presuming bool) []truth {
	v := &f.Vehicle
	n := len(v.Axles)
	l := licence(f)
	rigid, train := made(f)
	if rigid && train && !v.Sure { // what the order does not know at all is not presumed
		rigid, train = n < 5, n > 2
	}
	var out []truth
	add := func(train bool, lead int) {
		for _, d := range distances(v.Axles, 900, 1100, 1300, 1350, 1799, 1800, 5000) {
			for _, air := range suspensions(l) {
				for _, count := range drives(l, lead, n) {
					w := truth{train: train, lead: lead, driveAxles: count, air: air, distances: d}
					w.grouped()
					out = append(out, w.shod(v, l, presuming, leadKnown(f))...)
				}
			}
		}
	}
	if rigid {
		add(false, n)
	}
	if train {
		switch {
		case v.Sure && v.Configuration == wim.Train && v.Lead > 0:
			add(true, int(v.Lead))
		case l != nil && l.Axles > 0 && int(l.Axles) < n:
			add(true, int(l.Axles))
		default:
			for lead := min(2, n); lead < max(n, 3); lead++ {
				add(true, lead)
			}
		}
	}
	return out
}

func suspensions(l *wim.Registration) []bool {
	switch {
	case l == nil || l.Suspension == wim.SuspensionUnknown:
		return []bool{false, true}
	case l.Suspension == wim.AirSuspension:
		return []bool{true}
	}
	return []bool{false}
}

// drives are the numbers of drive axles that the vehicle may have, as far as the law asks: of six axles and more.
func drives(l *wim.Registration, lead, axles int) []int {
	if l != nil && l.DriveAxles > 0 {
		return []int{int(l.DriveAxles)}
	}
	if axles < 6 || lead < 1 {
		return []int{1}
	}
	return []int{1, 2}
}

// shod enters which axles drive and what tyres they have. Where no licence says how many drive, the last of the drawing
// vehicle does, the first does not, and any between them may.
func (w truth) shod(v *wim.Vehicle, l *wim.Registration, presuming, sure bool) []truth {
	n, lead := len(v.Axles), w.lead
	w.driven, w.tyres = make([]bool, n), make([]wim.Tyres, n)
	all := []truth{w}
	for i := range n {
		all = split(all, func(w *truth) []truth {
			switch {
			case i >= lead:
				return w.driving(i, false)
			case l != nil && l.DriveAxles > 0 && (i > 0 || sure):
				return w.driving(i, i >= lead-int(l.DriveAxles))
			case i == lead-1 && presuming:
				return w.driving(i, true)
			case i == 0 && presuming:
				return w.driving(i, false)
			}
			return w.driving(i, false, true)
		})
		all = split(all, func(w *truth) []truth {
			t := v.Axles[i].Tyres
			switch {
			case t != wim.TyresUnknown:
				return w.on(i, t)
			case (i >= lead || w.inGroup[i]) && !w.driven[i]:
				return w.on(i, wim.DualTyres) // the order presumes it
			// What the set presumes of tyres bears on the sum of the axle loads only.
			case i == 0:
				return w.on(i, wim.SingleTyres)
			case w.driven[i]:
				return w.on(i, wim.DualTyres)
			}
			return w.on(i, wim.SingleTyres, wim.DualTyres, wim.WideTyres)
		})
	}
	return all
}

func split(all []truth, into func(*truth) []truth) []truth {
	var out []truth
	for i := range all {
		out = append(out, into(&all[i])...)
	}
	return out
}

func (w *truth) driving(i int, could ...bool) []truth {
	var out []truth
	for _, c := range could {
		x := *w
		x.driven = slices.Clone(w.driven)
		x.driven[i] = c
		out = append(out, x)
	}
	return out
}

func (w *truth) on(i int, could ...wim.Tyres) []truth {
	var out []truth
	for _, c := range could {
		x := *w
		x.tyres = slices.Clone(w.tyres)
		x.tyres[i] = c
		out = append(out, x)
	}
	return out
}

// sizes are length, width and height, what the law lets them be, what a sign does, and a permit.
func sizes(f *wim.Facts) []struct {
	name                string
	measured, law, sign wim.Mm
	of                  func(*wim.Permit) wim.Mm
} {
	return []struct {
		name                string
		measured, law, sign wim.Mm
		of                  func(*wim.Permit) wim.Mm
	}{
		{"height", f.Vehicle.Height, 4000, f.Road.Posted.Height, func(p *wim.Permit) wim.Mm { return p.Height }},
		{"width", f.Vehicle.Width, 2550, f.Road.Posted.Width, func(p *wim.Permit) wim.Mm { return p.Width }},
		{"length", f.Vehicle.Length, 18100, f.Road.Posted.Length, func(p *wim.Permit) wim.Mm { return p.Length }},
	}
}

// sizeLeft is a size without the error of what measured it.
func sizeLeft(f *wim.Facts, m wim.Mm) int64 {
	e := f.Vehicle.SizeError
	if e <= 0 {
		e = 500
	}
	return max(0, int64(m)-int64(e))
}

// keeps tells whether the vehicle keeps to a permit in everything that it states; may is true where that is not known: a
// train's trailer was not read, or an axle not weighed.
func keeps(f *wim.Facts, p *wim.Permit) (does, may bool) {
	mass, axle := massErrors(f)
	if len(f.Units) == 0 || p.Plate != f.Units[0].Plate || f.Time < p.ValidFrom || f.Time >= p.ValidUntil || !slices.Contains(p.Roads, f.Road.Name) || int(p.Axles) != len(f.Vehicle.Axles) {
		return false, false
	}
	if _, train := made(f); p.Trailer != "" && (!train || len(f.Units) > 1 && f.Units[1].Plate != p.Trailer) {
		return false, false
	}
	open := p.Trailer != "" && len(f.Units) < 2 || p.Gross > 0 && f.Vehicle.Gross <= 0
	if p.Gross > 0 && without(f.Vehicle.Gross, mass) > int64(p.Gross) {
		return false, false
	}
	for _, a := range f.Vehicle.Axles {
		open = open || p.Axle > 0 && a.Load < 0
		if p.Axle > 0 && without(a.Load, axle) > int64(p.Axle) {
			return false, false
		}
	}
	for _, s := range sizes(f) {
		if m := s.of(p); m > 0 && sizeLeft(f, s.measured) > int64(m) {
			return false, false
		}
	}
	return !open, open
}

// permitted weighs a limit of several worlds as a question does. Where the vehicle as indicated is above one of them, the
// figure of a permit that raises it and is kept stands in its place.
func permitted(q *question, f *wim.Facts, indicated, left int64, limits []int64, permille int64, of func(*wim.Permit) int64) {
	for _, limit := range limits {
		if indicated <= limit {
			continue
		}
		for i := range f.Permits {
			p := &f.Permits[i]
			does, may := keeps(f, p)
			if of(p) > limit && (does || may) {
				q.weigh(indicated, left, of(p), 0)
			}
			if of(p) > limit && does {
				return
			}
		}
	}
	for _, limit := range limits {
		q.weigh(indicated, left, limit, permille)
	}
}

func chinese(f *wim.Facts) []belief { return chineseBy(f, true) }

func chineseBy(f *wim.Facts, presuming bool) []belief {
	out := []belief{{competence: wim.RoadAdministration}, {competence: wim.TrafficPolice}}
	switch kindOf(f) {
	case wim.Bus, wim.Car, wim.Military, wim.SpecialWork, wim.Farm:
		for i := range out {
			out[i].barred, out[i].outcome = true, wim.NotApplicable
		}
		return out
	case wim.KindUnknown, wim.Goods:
	}
	chineseRoad(f, &out[0], presuming)
	chinesePolice(f, &out[1])
	return out
}

func chineseRoad(f *wim.Facts, b *belief, presuming bool) {
	if f.Time < day(2016, 9, 21) {
		b.barred, b.outcome = true, wim.Unknown
		return
	}
	v := &f.Vehicle
	n := len(v.Axles)
	mass, axle := massErrors(f)
	left := without(v.Gross, mass)
	entrance := int64(0)
	if f.Station == wim.MotorwayEntrance && f.Time >= day(2021, 1, 1) {
		entrance = 50
	}
	gross, sum, capped := b.ask("gross"), b.ask("axle-sum"), b.ask("licence-mass")
	byGross := func(p *wim.Permit) int64 { return int64(p.Gross) }
	var limits, sums []int64
	for _, w := range worlds(f, presuming) {
		if v.Gross <= 0 {
			gross.answer(open, 0)
			continue
		}
		if limit := w.gross(n); limit == 0 {
			gross.answer(open, 0)
		} else {
			limits = append(limits, limit-3000*w.lowered())
		}
		sums = append(sums, w.sums()...)
		// Note 1 of the table: a two-axle truck never above its licence, where that is known.
		if l := f.Units; n == 2 && !w.train && len(l) > 0 && l[0].Registration != nil && l[0].Registration.Gross > 0 {
			capped.weigh(int64(v.Gross), left, int64(l[0].Registration.Gross), entrance)
		} else {
			capped.answer(silent, 0)
		}
	}
	permitted(gross, f, int64(v.Gross), left, limits, entrance, byGross)
	if spaced(f) {
		permitted(sum, f, int64(v.Gross), left, sums, entrance, byGross)
	} else {
		sum.answer(open, 0) // what a group may carry hangs on its distances: nothing is decided
	}
	if s := f.Road.Posted.Gross; s > 0 {
		b.ask("posted gross").weigh(int64(v.Gross), left, int64(s), 0)
	}
	if s := f.Road.Posted.Axle; s > 0 {
		for i, a := range v.Axles {
			q := b.ask(fmt.Sprintf("posted axle %d", i+1))
			if a.Load < 0 {
				q.answer(open, 0)
			} else {
				q.weigh(int64(a.Load), without(a.Load, axle), int64(s), 0)
			}
		}
	}
	for _, s := range sizes(f) {
		if s.measured > 0 {
			permitted(b.ask(s.name), f, int64(s.measured), sizeLeft(f, s.measured), []int64{int64(s.law)}, 0, func(p *wim.Permit) int64 { return int64(s.of(p)) })
		}
		if s.sign > 0 && s.measured > 0 {
			b.ask("posted "+s.name).weigh(int64(s.measured), sizeLeft(f, s.measured), int64(s.sign), 0)
		}
	}
}

func chinesePolice(f *wim.Facts, b *belief) {
	if f.Time < day(2021, 4, 29) {
		b.barred, b.outcome = true, wim.Unknown
		return
	}
	v := &f.Vehicle
	if len(f.Units) == 0 || f.Units[0].Plate == "" || f.Units[0].Registration == nil || v.Gross <= 0 {
		b.barred, b.outcome = true, wim.Unknown
		return
	}
	mass, _ := massErrors(f)
	left := without(v.Gross, mass)
	l := f.Units[0].Registration
	cargo, own, towed := b.ask("cargo"), b.ask("licence-mass"), b.ask("towed")
	tractor := l.Rated == 0 && l.Towed > 0
	rigid, train := made(f)
	less := func(m int64) (int64, int64) { return max(0, int64(v.Gross)-m), max(0, left-m) }
	if rigid {
		alone(f, l, left, cargo, own, tractor, less)
		towed.answer(silent, 0)
	}
	if train {
		own.answer(silent, 0)
		together(f, l, cargo, less)
		switch {
		case !tractor:
			towed.answer(silent, 0)
		case l.Kerb <= 0:
			towed.answer(open, 0)
		default:
			indicated, left := less(int64(l.Kerb))
			towed.weigh(indicated, left, int64(l.Towed), 0)
		}
	}
}

// alone is the world in which nothing is towed.
func alone(f *wim.Facts, l *wim.Registration, left int64, cargo, own *question, tractor bool, less func(int64) (int64, int64)) {
	switch {
	case tractor:
		cargo.answer(silent, 0)
	case l.Kerb <= 0 || l.Rated <= 0:
		cargo.answer(open, 0)
	default:
		indicated, left := less(int64(l.Kerb))
		cargo.weigh(indicated, left, int64(l.Rated), 0)
	}
	if l.Gross > 0 && f.Time >= day(2022, 4, 1) {
		own.weigh(int64(f.Vehicle.Gross), left, int64(l.Gross), 0)
	} else {
		own.answer(silent, 0)
	}
}

// together is the world in which something is: the kerb masses and rated loads of all units count. Of a trailer whose
// licence is not known only this is certain, that it weighs something and carries something: what the drawing vehicle
// alone may carry accuses nobody.
func together(f *wim.Facts, l *wim.Registration, cargo *question, less func(int64) (int64, int64)) {
	kerb, rated := int64(l.Kerb), int64(l.Rated)
	known := len(f.Units) > 1 && (rated > 0 || l.Towed > 0)
	for _, u := range f.Units[1:] {
		if u.Registration == nil || u.Registration.Kerb <= 0 || u.Registration.Rated <= 0 {
			known = false
			continue
		}
		kerb += int64(u.Registration.Kerb)
		rated += int64(u.Registration.Rated)
	}
	indicated, left := less(kerb)
	switch {
	case l.Kerb <= 0:
		cargo.answer(open, 0)
	case known:
		cargo.weigh(indicated, left, rated, 0)
	default:
		if indicated, left = less(int64(l.Kerb)); (l.Rated > 0 || l.Towed > 0) && left <= int64(l.Rated) {
			cargo.weigh(indicated, left, int64(l.Rated), 0)
		} else {
			cargo.answer(open, 0)
		}
	}
}

// settled tells whether the facts leave nothing open that the engine bounds and does not enumerate.
func settled(f *wim.Facts) bool { return spaced(f) && leadKnown(f) }

// leadKnown tells whether of a train it is known how many axles are the drawing vehicle's.
func leadKnown(f *wim.Facts) bool {
	if _, train := made(f); !train || f.Vehicle.Sure && f.Vehicle.Configuration == wim.Train && f.Vehicle.Lead > 0 {
		return true
	}
	l := licence(f)
	return l != nil && l.Axles > 0 && int(l.Axles) < len(f.Vehicle.Axles)
}

func TestTheEngineAgreesWithASlowReadingOfChineseLaw(t *testing.T) {
	road, police := string(wim.RoadAdministration)+" ", string(wim.TrafficPolice)+" "
	compare(t, "cn", vehicles(10_000), drawChinese, settled, chinese, []string{
		road + string(wim.Exceeded), road + string(wim.WithinTolerance), road + string(wim.Compliant), road + string(wim.Unknown), road + string(wim.NotApplicable),
		police + string(wim.Exceeded), police + string(wim.WithinTolerance), police + string(wim.Compliant), police + string(wim.Unknown), police + string(wim.NotApplicable),
	})
}
