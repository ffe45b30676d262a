package rules

import (
	"math"

	"github.com/axlegate/axlegate/wim"
)

// makeup is what is known of each axle and of what the set takes together.
type makeup struct {
	n       int
	spaced  bool // every distance is known
	lead    int  // axles of the drawing vehicle, 0 unknown
	word    [wim.MaxAxles]mark
	guessed [wim.MaxAxles]mark  // fields that the set presumed and no statute does
	group   [wim.MaxAxles]uint8 // of each axle, from 0
	first   [wim.MaxAxles]uint8 // first axle of each group, from 0
	groups  int
	// shifted are the groups that may begin elsewhere, doubtful those and the ones that may be larger.
	shifted, doubtful [wim.MaxAxles]bool
}

// makeUp reads the axles.
func (j *judgement) makeUp(m *makeup) {
	axles := j.f.Vehicle.Axles
	m.n = min(len(axles), wim.MaxAxles)
	m.spaced = true
	for i := 1; i < m.n; i++ {
		m.spaced = m.spaced && axles[i].Spacing > 0
	}
	m.lead = j.leadAxles(m.n)
	j.together(m)
	base := j.word &^ (markTyres | markPower | markUnit | markSteer)
	var before mark
	var beforeAt position
	for i := range m.n {
		w := base | markOfTyres(axles[i].Tyres)
		switch {
		case m.lead == 0 && i == 0, i < m.lead:
			w |= markMotor
		case m.lead == 0:
			w |= markUnit | markSuspension
		default:
			w |= markTrailer | markSuspension
		}
		switch {
		case i == 0:
			w |= markSteering
		case i == 1 && m.n > 2 && axles[1].Spacing < twinSteer:
			w |= markSteer
		default:
			w |= markFixed
		}
		switch {
		case w&markUnit == markTrailer:
			w |= markFree
		case m.lead > 0 && j.drive > 0 && i >= m.lead-int(j.drive):
			w |= markDriven
		case m.lead > 0 && j.drive > 0:
			w |= markFree
		default:
			w |= markPower
		}
		m.word[i] = w
		if len(j.set.presumes) == 0 {
			continue
		}
		// What stands alike is presumed alike: the axles of a tridem are worked out once.
		at := m.at(i)
		if i > 0 && w == before && at == beforeAt {
			m.word[i], m.guessed[i] = m.word[i-1], m.guessed[i-1]
			continue
		}
		before, beforeAt = w, at
		j.presume(m, i, at)
	}
}

// twinSteer is the distance from which the second axle is surely none that steers with the first.
const twinSteer wim.Mm = 2600

// leadAxles is how many axles are the drawing vehicle's, 0 unknown.
func (j *judgement) leadAxles(n int) int {
	switch {
	case j.config == wim.Rigid:
		return n
	case j.config == wim.ConfigurationUnknown:
		return 0
	case j.f.Vehicle.Lead > 0 && int(j.f.Vehicle.Lead) < n:
		return int(j.f.Vehicle.Lead)
	case j.lead != nil && j.lead.Axles > 0 && int(j.lead.Axles) < n && !j.f.Vehicle.Flags.Has(wim.PlateUncertain):
		return int(j.lead.Axles)
	}
	return 0
}

// together forms the groups: the longest that the set knows, from the front.
func (j *judgement) together(m *makeup) {
	doubt := false
	for i := 0; i < m.n; {
		n, larger := 1, false
		for g := range j.set.groups {
			x := &j.set.groups[g]
			if x.axles <= n || i+x.axles > m.n {
				continue
			}
			holds, may := j.holds(x, i)
			if holds {
				n = x.axles
			}
			larger = larger || may
		}
		m.first[m.groups] = uint8(i)
		for k := i; k < i+n; k++ {
			m.group[k] = uint8(m.groups)
		}
		// Behind a distance that is not known every group may begin elsewhere, until a distance that no group bridges.
		switch d := j.f.Vehicle.Axles[i].Spacing; {
		case i > 0 && d <= 0:
			doubt = true
		case int32(d) > j.set.bridges:
			doubt = false
		}
		m.shifted[m.groups] = doubt
		m.doubtful[m.groups] = doubt || larger
		m.groups++
		i += n
	}
}

// holds tells whether axles from i on are taken together; may is true where a distance that is not known decides.
func (j *judgement) holds(g *grouping, i int) (does, may bool) {
	total, open := int64(0), false
	for k := i + 1; k < i+g.axles; k++ {
		s := j.f.Vehicle.Axles[k].Spacing
		switch {
		case s <= 0:
			open = true
		case !g.spacing.has(int32(s)):
			return false, false
		}
		total += int64(max(s, 0))
	}
	if open {
		return false, mmOf(total) <= g.span.high
	}
	return g.span.has(mmOf(total)), false
}

// mmOf brings a length into the range that reaches are written in.
func mmOf(n int64) int32 { return int32(min(n, math.MaxInt32)) }

// last is the last axle of a group, from 0.
func (m *makeup) last(g int) int {
	if g+1 < m.groups {
		return int(m.first[g+1]) - 1
	}
	return m.n - 1
}

// at gives the places that an axle surely has.
func (m *makeup) at(i int) position {
	p := posAny
	if i == 0 {
		p |= posFirst
	}
	if m.lead > 0 && i+1 == m.lead {
		p |= posLastMotor
	}
	if u := m.word[i] & markUnit; u == markMotor {
		p |= posMotor
	} else if u == markTrailer {
		p |= posTrailer
	}
	switch g := int(m.group[i]); {
	case m.shifted[g]:
	case m.last(g) > int(m.first[g]):
		p |= posGrouped // also where the group may be larger
	case !m.doubtful[g]:
		p |= posAlone
	}
	return p
}

// presume closes what the facts leave open of an axle and the set presumes. One that is made for driven axles and one
// for the others close it together where that is open and both say the same.
func (j *judgement) presume(m *makeup, i int, at position) {
	var half mark // what was presumed of one kind of axle: its value and whom it is for
	halfByLaw := false
	for k := range j.set.presumes {
		p := &j.set.presumes[k]
		w := m.word[i]
		if have := w & p.field; have&(have-1) == 0 || have&p.value == 0 || at&p.where == 0 || p.need != 0 && w&p.need == 0 {
			continue
		}
		byLaw := p.byLaw
		if p.need != 0 && w&fieldOf(p.need)&^p.need != 0 {
			if half != p.value|fieldOf(p.need)&^p.need {
				half, halfByLaw = p.value|p.need, byLaw
				continue
			}
			byLaw = byLaw && halfByLaw
		}
		m.word[i] = w&^p.field | p.value
		if !byLaw {
			m.guessed[i] |= p.field
		}
	}
}

// fieldOf widens a value to its field; only axles' inputs are asked.
func fieldOf(m mark) mark {
	switch {
	case m&markPower != 0:
		return markPower
	case m&markTyres != 0:
		return markTyres
	}
	return m
}

// part is the subject of consecutive axles, first and last from 0.
func (j *judgement) part(s *subject, first, last int) {
	m := j.made
	*s = subject{word: m.word[first], axles: uint8(last - first + 1)}
	tyres, power := m.word[first]&markTyres, m.word[first]&markPower
	single, driven, steering := tyres == markSingle, power == markDriven, m.word[first]&markSteer == markSteering
	span := int64(0)
	s.spacing = reach{math.MaxInt32, 0}
	for i := first + 1; i <= last; i++ {
		w := m.word[i]
		s.word |= w
		single = single || w&markTyres == markSingle
		driven = driven || w&markPower == markDriven
		steering = steering || w&markSteer == markSteering
		d := int32(j.f.Vehicle.Axles[i].Spacing)
		s.spacing = reach{min(s.spacing.low, d), max(s.spacing.high, d)}
		span += int64(d)
	}
	if first == last {
		s.spacing = reach{}
	}
	s.span = mmOf(span)
	// One axle with single tyres makes the group a single-tyred one, one that is driven a driven one.
	if single {
		s.word = s.word&^markTyres | markSingle
	}
	if driven {
		s.word = s.word&^markPower | markDriven
	}
	if steering {
		s.word = s.word&^markSteer | markSteering
	}
}

// load is what consecutive axles weigh.
func (j *judgement) load(first, last int) (measured, taken int64) {
	for i := first; i <= last; i++ {
		measured += int64(max(j.f.Vehicle.Axles[i].Load, 0))
	}
	_, t := kg(measured).Deduct(j.axleErr)
	return measured, int64(t)
}

// presumptions is the reason that an excess has when the set presumed what its limit asks.
func (j *judgement) presumptions(l *limit, first, last uint8) wim.Reason {
	m := j.made
	asked := mark(0)
	for f := fieldTyres; f <= fieldSteer; f++ {
		if l.asks&(1<<f) != 0 {
			asked |= f.of()
		}
	}
	from, to := 0, m.n-1
	if first > 0 {
		from, to = int(first)-1, max(int(first), int(last))-1
	}
	for i := from; i <= to && asked != 0; i++ {
		if m.guessed[i]&asked != 0 {
			return wim.InputPresumed
		}
	}
	return 0
}

// axles judges each axle by the limit's rows.
func (j *judgement) axles(c *competence, l *limit, t *tally) {
	if !j.counted(t) {
		return
	}
	for i := range j.f.Vehicle.Axles {
		if j.f.Vehicle.Axles[i].Load < 0 {
			j.unknown(whyAxles, t)
			continue
		}
		var s subject
		j.part(&s, i, i)
		measured, taken := j.load(i, i)
		j.decide(c, l, &s, measured, taken, uint8(i+1), 0, t)
	}
}

// groups judges each group by the limit's rows. One that is not surely a group, or of which an axle was not weighed, is
// unknown and takes nothing from what is proven of the others.
func (j *judgement) groups(c *competence, l *limit, t *tally) {
	if !j.counted(t) {
		return
	}
	for g := range j.made.groups {
		first, last := int(j.made.first[g]), j.made.last(g)
		switch {
		case j.made.doubtful[g]:
			j.unknown(whySpacing, t)
			continue
		case !j.weighed(first, last):
			j.unknown(whyAxles, t)
			continue
		}
		var s subject
		j.part(&s, first, last)
		measured, taken := j.load(first, last)
		j.decide(c, l, &s, measured, taken, uint8(first+1), lastOf(first, last), t)
	}
}

func lastOf(first, last int) uint8 {
	if last == first {
		return 0
	}
	return uint8(last + 1)
}

// counted tells whether there are axles, and no more than can be taken account of.
func (j *judgement) counted(t *tally) bool {
	n := len(j.f.Vehicle.Axles)
	if n == 0 || n > wim.MaxAxles {
		j.unknown(whyAxles, t)
		return false
	}
	return true
}

// weighed tells whether each of consecutive axles has a load.
func (j *judgement) weighed(first, last int) bool {
	for i := first; i <= last; i++ {
		if j.f.Vehicle.Axles[i].Load < 0 {
			return false
		}
	}
	return true
}

// runs judges each run of consecutive axles. Of those that accuse nobody only the one closest to its limit is shown:
// a train of six axles has twenty-one.
func (j *judgement) runs(c *competence, l *limit, t *tally) {
	if !j.counted(t) {
		return
	}
	var closest wim.Finding
	for first := range j.made.n {
		for last := first; last < j.made.n; last++ {
			if last > first && j.f.Vehicle.Axles[last].Spacing <= 0 {
				j.unknown(whySpacing, t) // and so are all longer runs
				break
			}
			var s subject
			j.part(&s, first, last)
			whole, pair, sure := j.made.comprises(first, last)
			if sure && !whole && l.wholeGroups || !l.speaksOf(&s) {
				continue
			}
			if !j.weighed(first, last) || !sure && l.wholeGroups {
				j.unknown(whyAxles, t)
				continue
			}
			switch {
			case pair:
				s.word = s.word&^markPair | markTandems
			case sure:
				s.word &^= markTandems
			}
			measured, taken := j.load(first, last)
			n := len(j.v.Findings)
			j.decide(c, l, &s, measured, taken, uint8(first+1), lastOf(first, last), t)
			if len(j.v.Findings) != n+1 || j.v.Findings[n].Outcome != wim.Compliant || j.v.Findings[n].Permit != "" {
				continue
			}
			if f := j.v.Findings[n]; closest.Permitted == 0 ||
				int64(f.Measured)*int64(closest.Permitted) > int64(closest.Measured)*int64(f.Permitted) {
				closest = f
			}
			j.v.Findings = j.v.Findings[:n]
		}
	}
	if closest.Permitted > 0 {
		*j.slot() = closest
	}
}

// comprises tells whether a run splits no group, and whether it is two groups of two axles or more each; sure is false
// where a distance beside one of its groups is not known.
func (m *makeup) comprises(first, last int) (whole, pair, sure bool) {
	a, b := int(m.group[first]), int(m.group[last])
	sure = !m.doubtful[a] && !m.doubtful[b]
	whole = int(m.first[a]) == first && m.last(b) == last
	pair = sure && whole && b == a+1 && m.last(a) > first && last > int(m.first[b])
	return whole, pair, sure
}

// speaksOf tells whether a run is one of which the limit says anything: not every run is of a length that it limits.
func (l *limit) speaksOf(s *subject) bool {
	for i := range l.rows {
		if r := &l.rows[i]; r.axles.has(s.axles) && r.span.has(s.span) && r.spacing.meets(s.spacing) {
			return true
		}
	}
	return false
}
