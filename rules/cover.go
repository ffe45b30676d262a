package rules

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/axlegate/axlegate/wim"
)

// clash refuses a row that could be one vehicle's on one day together with one of the others.
func (c *compiler) clash(path string, others []row, b *row) {
	for i := range others {
		a := &others[i]
		if a.until != 0 && a.until <= b.from || b.until != 0 && b.until <= a.from || !a.axles.overlaps(b.axles) ||
			!a.spacing.meets(b.spacing) || !a.span.meets(b.span) || a.roads&b.roads == 0 || !possible(^a.deny&markAll, b.deny) {
			continue
		}
		c.fail(path+".id", "end the older one with effective_to", "limits %q and %q overlap: both would apply to one vehicle on one day", a.id, b.id)
	}
}

// holes refuses a limit that, on a day when it is in force, has no case for some number of axles from low to high, or
// none for some value of an input that its cases tell apart. together bounds the distances that a group may have, by
// the number of its axles.
func (c *compiler) holes(path string, l *limit, low, high int, together map[int]reach) {
	var days []wim.Time
	for i := range l.rows {
		days = append(days, l.rows[i].from)
		if u := l.rows[i].until; u != 0 {
			days = append(days, u)
		}
	}
	slices.Sort(days)
	for _, day := range slices.Compact(days) {
		var inForce []*row
		for i := range l.rows {
			if l.rows[i].inForce(day) {
				inForce = append(inForce, &l.rows[i])
			}
		}
		for n := low; n <= high && len(inForce) > 0; n++ {
			if !c.holesIn(path, day, l, inForce, n, together) {
				return
			}
		}
	}
}

// holesIn looks at one number of axles on one day.
func (c *compiler) holesIn(path string, day wim.Time, l *limit, inForce []*row, n int, together map[int]reach) bool {
	rows := slices.DeleteFunc(slices.Clone(inForce), func(r *row) bool { return !r.axles.has(uint8(n)) }) //nolint:gosec // at most 255
	if len(rows) == 0 {
		c.fail(path, `let the last row say "6+" or the like`, "on %s no limit covers %d axles", c.day(day), n)
		return false
	}
	// Of configurations and units a law may leave some out; of every other input that it tells apart it may not.
	values := []mark{0}
	for f := fieldConfig; f < fieldRoad; f++ {
		if l.asks&(1<<f) == 0 {
			continue
		}
		var next []mark
		for bit := mark(1); bit <= markAll; bit <<= 1 {
			if f.of()&bit == 0 || (f == fieldConfig || f == fieldUnit) && !slices.ContainsFunc(rows, func(r *row) bool { return r.deny&bit == 0 }) {
				continue
			}
			for _, v := range values {
				next = append(next, v|bit)
			}
		}
		values = next
	}
	spacings, spans := edges(l, rows, func(r *row) reach { return r.spacing }, together, n), edges(l, rows, func(r *row) reach { return r.span }, nil, n)
	named := uint32(0)
	for i := range l.rows {
		if l.rows[i].roads != math.MaxUint32 {
			named |= l.rows[i].roads
		}
	}
	roads := []uint32{math.MaxUint32 &^ named} // a class that no row names, where some row is for every class
	if named != 0 && !slices.ContainsFunc(rows, func(r *row) bool { return r.roads == math.MaxUint32 }) {
		roads = nil
	}
	for bit := uint32(1); bit != 0 && bit <= named; bit <<= 1 {
		if named&bit != 0 {
			roads = append(roads, bit)
		}
	}
	for _, v := range values {
		if !slices.ContainsFunc(rows, func(r *row) bool { return v&(markConfig|markUnit)&r.deny == 0 }) {
			continue // no case for this configuration and unit together
		}
		for _, road := range roads {
			for _, s := range spacings {
				for _, x := range spans {
					if slices.ContainsFunc(rows, func(r *row) bool { return v&r.deny == 0 && r.roads&road != 0 && r.spacing.has(s) && r.span.has(x) }) {
						continue
					}
					c.fail(path, "", "on %s %s", c.day(day), missing(l, v, n, s, x))
					return false
				}
			}
		}
	}
	return true
}

// edges are the distances at which the cases change, within what is to be covered.
func edges(l *limit, rows []*row, of func(*row) reach, together map[int]reach, n int) []int32 {
	all := reach{math.MaxInt32, 0}
	var out []int32
	for _, r := range rows {
		x := of(r)
		all = reach{min(all.low, x.low), max(all.high, x.high)}
		out = append(out, x.low)
		if x.high < math.MaxInt32 {
			out = append(out, x.high, x.high+1)
		}
		if x.low > 0 {
			out = append(out, x.low-1)
		}
	}
	if t, ok := together[n]; ok {
		all = t
		out = append(out, t.low, t.high)
	} else if l.basis == onGross {
		all = reach{0, math.MaxInt32} // a vehicle may be of any length
		out = append(out, 0, math.MaxInt32)
	}
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(x int32) bool { return !all.has(x) })
}

// missing says which vehicle no case covers.
func missing(l *limit, v mark, n int, spacing, span int32) string {
	what := "a vehicle"
	if l.basis == onGroup {
		what = "a group"
	}
	names := markNames()
	extra := ""
	for b, name := range names {
		bit := mark(1) << b
		switch {
		case v&bit == 0:
		case bit == markRigid:
			what = "a rigid"
		case bit&markTrain != 0:
			what = "a train"
		case bit&markDrive != 0:
			extra = fmt.Sprintf(" for %d drive axles", place(bit)-place(markDrive1)+1)
		default:
			extra += " with " + name
		}
	}
	if l.asks&(1<<fieldSpacing) != 0 {
		extra += fmt.Sprintf(" (spacing %d mm, span %d mm)", spacing, span)
	}
	return fmt.Sprintf("%s of %d axles has no limit%s", what, n, extra)
}

func place(m mark) int {
	n := 0
	for m > 1 {
		m >>= 1
		n++
	}
	return n
}

func (c *compiler) day(t wim.Time) string { return t.Std().In(c.zone).Format("2006-01-02") }

// everything lets a row apply to every vehicle; conditions then narrow it.
func (r *row) everything() {
	r.roads = math.MaxUint32
	r.axles = span{0, math.MaxUint8}
	r.spacing, r.span = reach{0, math.MaxInt32}, reach{0, math.MaxInt32}
}

// supposals settles which inputs the rows tell apart and the words for each combination of them.
func (c *compiler) supposals(l *limit, roads []string) {
	whole := reach{0, math.MaxInt32}
	for i := range l.rows {
		r := &l.rows[i]
		for f := fieldConfig; f < fieldRoad; f++ {
			if r.deny&f.of() != 0 {
				l.asks |= 1 << f
			}
		}
		if r.roads != math.MaxUint32 {
			l.asks |= 1 << fieldRoad
		}
		if r.spacing != whole || r.span != whole || r.formula.kind != noFormula {
			l.asks |= 1 << fieldSpacing
		}
	}
	l.always = true
	l.plain = len(l.rows) == 1 && l.asks == 0 && l.rows[0].axles == (span{0, math.MaxUint8}) && !l.rows[0].capped && len(l.adjusts) == 0
	for i := range l.rows {
		r := &l.rows[i]
		l.always = l.always && r.from == l.rows[0].from && r.until == 0
		for n := range l.by {
			if r.axles.has(uint8(n)) || n == most && r.axles.high >= most { //nolint:gosec // at most eight
				l.by[n] = append(l.by[n], r)
			}
		}
		var words []string
		for f := fieldConfig; f < fields; f++ {
			if l.asks&(1<<f) == 0 {
				continue
			}
			r.asks = append(r.asks, f)
			words = append(words, r.word(f, roads))
		}
		r.assumes = make([]string, 1<<len(words))
		for set := range r.assumes {
			for k, w := range words {
				if set&(1<<k) == 0 || w == "" {
					continue
				}
				if r.assumes[set] != "" {
					r.assumes[set] += ","
				}
				r.assumes[set] += w
			}
		}
	}
}

// word says what a row supposes of one input, empty for whatever it is.
func (r *row) word(f field, roads []string) string {
	switch f { //nolint:exhaustive // the rest is alike
	case fieldRoad:
		for i, name := range roads {
			if r.roads != math.MaxUint32 && r.roads&(1<<i) != 0 {
				return "road=" + name
			}
		}
		return ""
	case fieldSpacing:
		switch {
		case r.spacing.low > 0:
			return "spacing>=" + strconv.Itoa(int(r.spacing.low))
		case r.spacing.high < math.MaxInt32:
			return "spacing<=" + strconv.Itoa(int(r.spacing.high))
		}
		return ""
	}
	have := f.of() &^ r.deny
	if have == f.of() {
		return ""
	}
	switch {
	case f == fieldConfig && have == markRigid:
		return string(wim.Rigid)
	case f == fieldConfig && have == markTrain:
		return string(wim.Train)
	}
	names := markNames()
	out := ""
	for b, name := range names {
		if have&(1<<b) == 0 {
			continue
		}
		if f == fieldConfig {
			name = name[len("configuration="):]
		}
		if out == "" {
			out = name
		}
	}
	return out // the first of several stands for them, as one drive axle more does for all
}
