package rules

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/axlegate/axlegate/internal/conf"
	"github.com/axlegate/axlegate/wim"
)

// Load compiles a rule set. It is strict: a key it does not know, a limit without article, source, status
// or date, two cases that could both be one vehicle's, or a hole between them refuses the whole set with file
// and line. name stands in errors.
func Load(name string, yaml []byte) (*Set, error) {
	c := compiler{name: name, data: yaml}
	var s *Set
	switch n := formatOf(yaml); {
	case n != format1 && n != format2:
		return nil, fmt.Errorf("rule set: %w", conf.Fault(name, yaml, "$.format", fmt.Sprintf("format %d", n), fmt.Sprintf("this build reads the formats %d and %d", format1, format2)))
	case n == format1:
		var f file1
		if err := conf.Decode(name, yaml, &f); err != nil {
			return nil, fmt.Errorf("rule set: %w", err)
		}
		s = c.compile1(&f)
	default:
		var f File
		if err := conf.Decode(name, yaml, &f); err != nil {
			return nil, fmt.Errorf("rule set: %w", err)
		}
		s = c.compile(&f)
	}
	if c.err != nil {
		return nil, fmt.Errorf("rule set: %w", c.err)
	}
	s.digest = wim.DigestOf(yaml)
	s.plans = planned(s)
	return s, nil
}

// formatOf reads the line that says the format, before anything else of the file can be understood.
func formatOf(yaml []byte) int {
	for line := range strings.Lines(string(yaml)) {
		if v, ok := strings.CutPrefix(line, "format:"); ok {
			v, _, _ = strings.Cut(v, "#")
			n, _ := strconv.Atoi(strings.TrimSpace(v))
			return n
		}
	}
	return format2
}

// compiler keeps the first mistake it meets.
type compiler struct {
	name string
	data []byte
	zone *time.Location
	err  error
}

func (c *compiler) fail(path, hint, msg string, args ...any) {
	if c.err == nil {
		c.err = conf.Fault(c.name, c.data, path, fmt.Sprintf(msg, args...), hint)
	}
}

// oneOf returns the index of v in words, and refuses what is not there.
func (c *compiler) oneOf(path, v string, words ...string) int {
	for i, w := range words {
		if v == w && v != "" {
			return i
		}
	}
	c.fail(path, "", "%q: want one of %s", v, strings.TrimPrefix(strings.Join(words, ", "), ", "))
	return 0
}

func (c *compiler) required(path, what, v string) {
	if strings.TrimSpace(v) == "" {
		c.fail(path, "every limit says where it comes from", "%s is missing", what)
	}
}

func (c *compiler) permille(path string, v int) wim.Permille {
	if v < 0 || v > 1000 {
		c.fail(path, "", "%d permille: want 0 to 1000", v)
	}
	return wim.Permille(v)
}

// identity checks what both formats begin with.
func (c *compiler) identity(id string, crew int, zone, mode string) {
	if id == "" || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" {
		c.fail("$.id", "", "id %q: want a-z, 0-9, '-' and '.'", id)
	}
	if crew < 0 || crew > 1000 {
		c.fail("$.crew_kg", "", "%d kg of crew: want 0 to 1000", crew)
	}
	c.zoneOf(zone)
	c.oneOf("$.deduction.mode", mode, "reduce_measured")
}

func (c *compiler) assumptions(all []AssumptionFile) {
	for i, a := range all {
		path := fmt.Sprintf("$.assumptions[%d]", i)
		c.required(path, "what is assumed", a.What)
		c.source(path+".source", a.Source)
		c.status(path+".status", a.Status)
	}
}

func (c *compiler) zoneOf(z string) {
	t, err := time.Parse("-07:00", z)
	if err != nil {
		c.fail("$.zone", "", "zone %q: want an offset from UTC such as +08:00", z)
		c.zone = time.UTC
		return
	}
	c.zone = t.Location()
}

// ladders compiles those of either format.
func (c *compiler) ladders(all []LadderFile, units ...string) []ladder {
	var out []ladder
	seen := map[string]bool{}
	for i := range all {
		l := &all[i]
		path := fmt.Sprintf("$.ladders[%d]", i)
		if l.ID == "" || seen[l.ID] {
			c.fail(path+".id", "", "ladder id %q is missing or given twice", l.ID)
		}
		seen[l.ID] = true
		x := ladder{id: l.ID, unit: unit(c.oneOf(path+".unit", l.Unit, units...))} //nolint:gosec // an index of three
		if len(l.Steps) == 0 {
			c.fail(path, "", "ladder %q has no steps", l.ID)
		}
		for k, st := range l.Steps {
			sp := fmt.Sprintf("%s.steps[%d]", path, k)
			c.oneOf(sp+".edge", st.Edge, "ge", "gt")
			if st.Band == "" {
				c.fail(sp, "", "a step without a band")
			}
			if st.At < 0 || k > 0 && st.At <= l.Steps[k-1].At {
				c.fail(sp+".at", "", "step %d: want steps in rising order from 0", st.At)
			}
			c.provision(sp+".provides", st.Provides)
			x.steps = append(x.steps, step{band: st.Band, article: st.Article, at: int64(st.At), gt: st.Edge == "gt", provides: st.Provides})
		}
		if len(l.Steps) > 0 && (l.Steps[0].At != 0 || l.Steps[0].Edge != "gt") {
			c.fail(path+".steps[0]", "", "the first step must begin at 0 with edge gt, so that every excess has a band")
		}
		out = append(out, x)
	}
	return out
}

// ladderOf finds a ladder by its id.
func (c *compiler) ladderOf(path, id string, all []ladder) *ladder {
	if id == "" {
		return nil
	}
	for i := range all {
		if all[i].id == id {
			return &all[i]
		}
	}
	c.fail(path, "", "no ladder %q", id)
	return nil
}

// kinds compiles the kinds of vehicle that a competence does not cover.
func (c *compiler) kinds(path string, all []string) (out kinds) {
	for k, n := range all {
		c.oneOf(fmt.Sprintf("%s.not_for[%d]", path, k), n, string(wim.Bus), string(wim.Car), string(wim.Military), string(wim.SpecialWork), string(wim.Farm))
		out |= kindOf(wim.VehicleKind(n))
	}
	return out
}

// dates compiles when a case holds: until is the first instant at which it no longer does, 0 while in force.
func (c *compiler) dates(path, id, from, to string) (start, until wim.Time) {
	start = c.date(path+".effective_from", from)
	if to != "" {
		if last := c.date(path+".effective_to", to); last < start {
			c.fail(path+".effective_to", "", "limit %q ends on %s, before it begins on %s", id, to, from)
		} else {
			until = wim.TimeOf(last.Std().In(c.zone).AddDate(0, 0, 1))
		}
	}
	return start, until
}

func (c *compiler) source(path, v string) {
	c.required(path, "source", v)
	rest, ok := strings.CutPrefix(v, "https://")
	if !ok {
		rest, ok = strings.CutPrefix(v, "http://")
	}
	if host, _, _ := strings.Cut(rest, "/"); !ok || !strings.Contains(host, ".") || strings.ContainsAny(v, " \t\n") {
		c.fail(path, "give the address where the text was read", "source %q is no address", v)
	}
}

// status gives the reason that a limit of this status adds to a finding that rests on it.
func (c *compiler) status(path, v string) wim.Reason {
	c.required(path, "status", v)
	return []wim.Reason{0, wim.LimitRecalled, wim.LimitInferred}[c.oneOf(path, v, "verified", "recalled", "inferred")]
}

func (c *compiler) date(path, v string) wim.Time {
	t, err := time.ParseInLocation("2006-01-02", v, c.zone)
	if err != nil || t.Year() < 1970 || t.Year() > 2200 {
		c.fail(path, "", "date %q: want a day such as 2016-09-21, from 1970 to 2200", v)
		return 0
	}
	return wim.TimeOf(t)
}

// count reads "4", "2-3" or "6+".
func (c *compiler) count(path, v string, least uint8) span {
	low, high, ranged := strings.Cut(v, "-")
	open := false
	if !ranged {
		low, open = strings.CutSuffix(v, "+")
		high = low
	}
	a, err1 := strconv.ParseUint(low, 10, 8)
	b, err2 := strconv.ParseUint(high, 10, 8)
	if err1 != nil || err2 != nil || uint8(a) < least || b < a {
		c.fail(path, "", "count %q: want a number from %d, a range such as 2-3, or 6+", v, least)
		return span{}
	}
	if open {
		b = math.MaxUint8
	}
	return span{uint8(a), uint8(b)}
}
