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
// or date, two limits that could both apply to one vehicle, or an axle count without a limit refuses the
// whole set with file and line. name stands in errors.
func Load(name string, yaml []byte) (*Set, error) {
	var f file
	if err := conf.Decode(name, yaml, &f); err != nil {
		return nil, fmt.Errorf("rule set: %w", err)
	}
	c := compiler{name: name, data: yaml, file: &f}
	s := c.compile()
	if c.err != nil {
		return nil, fmt.Errorf("rule set: %w", c.err)
	}
	s.digest = wim.DigestOf(yaml)
	return s, nil
}

// compiler keeps the first mistake it meets.
type compiler struct {
	name string
	data []byte
	file *file
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

func (c *compiler) compile() *Set {
	f := c.file
	if f.Format != format {
		c.fail("$.format", "this build reads format "+strconv.Itoa(format), "format %d", f.Format)
	}
	if f.ID == "" || strings.Trim(f.ID, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" {
		c.fail("$.id", "", "id %q: want a-z, 0-9, '-' and '.'", f.ID)
	}
	if f.CrewKg < 0 || f.CrewKg > 1000 {
		c.fail("$.crew_kg", "", "%d kg of crew: want 0 to 1000", f.CrewKg)
	}
	c.zoneOf(f.Zone)
	c.oneOf("$.deduction.mode", f.Deduction.Mode, "reduce_measured")
	s := &Set{
		id: f.ID, title: f.Title, crew: wim.Kg(f.CrewKg),
		uncertifiedMass: c.permille("$.deduction.uncertified_mass_permille", f.Deduction.UncertifiedMass),
		uncertifiedAxle: c.permille("$.deduction.uncertified_axle_permille", f.Deduction.UncertifiedAxle),
	}
	for i, a := range f.Assumptions {
		path := fmt.Sprintf("$.assumptions[%d]", i)
		c.required(path, "what is assumed", a.What)
		c.source(path+".source", a.Source)
		c.status(path+".status", a.Status)
	}
	ladders := c.ladders()
	if len(f.Competences) == 0 {
		c.fail("$.competences", "", "no competence")
	}
	names, ids := map[string]bool{}, map[string]bool{}
	for i := range f.Competences {
		s.competences = append(s.competences, c.competence(i, ladders, names, ids))
	}
	return s
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

func (c *compiler) ladders() map[string]*ladderFile {
	out := map[string]*ladderFile{}
	for i := range c.file.Ladders {
		l := &c.file.Ladders[i]
		path := fmt.Sprintf("$.ladders[%d]", i)
		if l.ID == "" || out[l.ID] != nil {
			c.fail(path+".id", "", "ladder id %q is missing or given twice", l.ID)
		}
		c.oneOf(path+".unit", l.Unit, "kg", "permille")
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
		}
		if len(l.Steps) > 0 && (l.Steps[0].At != 0 || l.Steps[0].Edge != "gt") {
			c.fail(path+".steps[0]", "", "the first step must begin at 0 with edge gt, so that every excess has a band")
		}
		out[l.ID] = l
	}
	return out
}

func (c *compiler) competence(i int, ladders map[string]*ladderFile, names, ids map[string]bool) competence {
	f := &c.file.Competences[i]
	path := fmt.Sprintf("$.competences[%d]", i)
	if f.Competence == "" || names[f.Competence] {
		c.fail(path+".competence", "", "competence %q is missing or given twice", f.Competence)
	}
	names[f.Competence] = true
	out := competence{name: wim.Competence(f.Competence), needsPlate: f.NeedsPlate}
	for k, n := range f.NotFor {
		c.oneOf(fmt.Sprintf("%s.not_for[%d]", path, k), n, string(wim.Bus), string(wim.Car), string(wim.Military), string(wim.SpecialWork), string(wim.Farm))
		out.notFor = append(out.notFor, wim.VehicleKind(n))
	}
	if len(f.Limits) == 0 {
		c.fail(path, "", "competence %q has no limits", f.Competence)
	}
	for k := range f.Limits {
		lp := fmt.Sprintf("%s.limits[%d]", path, k)
		lf := &f.Limits[k]
		if lf.ID == "" {
			c.fail(lp, "", "a limit without id")
		} else if ids[lf.ID] {
			c.fail(lp+".id", "", "limit %q is given twice", lf.ID)
		}
		ids[lf.ID] = true
		l := c.limit(lp, lf, ladders)
		for o := range out.limits {
			c.clash(lp, &out.limits[o], &l)
		}
		out.limits = append(out.limits, l)
	}
	c.holes(path, out.limits)
	return out
}

func (c *compiler) limit(path string, f *limitFile, ladders map[string]*ladderFile) limit {
	c.required(path, "article", f.Article)
	c.source(path+".source", f.Source)
	l := limit{
		id: f.ID, article: f.Article, reason: c.status(path+".status", f.Status),
		basis: basis(c.oneOf(path+".basis", f.Basis, bases()...)),
		from:  c.date(path+".effective_from", f.EffectiveFrom),
		drive: span{0, math.MaxUint8},
	}
	if f.EffectiveTo != "" {
		if last := c.date(path+".effective_to", f.EffectiveTo); last < l.from {
			c.fail(path+".effective_to", "", "limit %q ends on %s, before it begins on %s", f.ID, f.EffectiveTo, f.EffectiveFrom)
		} else {
			l.until = wim.TimeOf(last.Std().In(c.zone).AddDate(0, 0, 1))
		}
	}
	if l.basis == grossByAxles {
		c.table(path, f, &l)
	} else if f.Axles != "" || f.Configuration != "" || f.DriveAxles != "" || f.Value != "" {
		c.fail(path, "its permitted value comes from the sign or the licence", "limit %q: basis %s takes no axles, configuration, drive_axles or value", f.ID, f.Basis)
	}
	if f.Ladder != "" {
		lad := ladders[f.Ladder]
		if lad == nil {
			c.fail(path+".ladder", "", "no ladder %q", f.Ladder)
			return l
		}
		l.byPermil = lad.Unit == "permille"
		for _, st := range lad.Steps {
			l.ladder = append(l.ladder, step{band: st.Band, article: st.Article, at: int64(st.At), gt: st.Edge == "gt"})
		}
	}
	return l
}

// table compiles what only a limit by axle count has.
func (c *compiler) table(path string, f *limitFile, l *limit) {
	l.axles = c.count(path+".axles", f.Axles, 2)
	l.config = []wim.Configuration{wim.Rigid, wim.Train}[c.oneOf(path+".configuration", f.Configuration, string(wim.Rigid), string(wim.Train))]
	l.assumesConfig = string(l.config)
	l.assumesBoth = l.assumesConfig
	if f.DriveAxles != "" {
		l.drive = c.count(path+".drive_axles", f.DriveAxles, 1)
		l.assumesDrive = "drive-axles=" + strconv.Itoa(int(l.drive.low))
		l.assumesBoth += "," + l.assumesDrive
	}
	l.value = c.mass(path+".value", f.Value)
}

func (c *compiler) source(path, v string) {
	c.required(path, "source", v)
	if !strings.HasPrefix(v, "https://") && !strings.HasPrefix(v, "http://") {
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

// mass reads "49000 kg" or "49 t".
func (c *compiler) mass(path, v string) wim.Kg {
	num, unit, _ := strings.Cut(v, " ")
	n, err := strconv.ParseInt(num, 10, 32)
	switch unit {
	case "kg":
	case "t":
		n *= 1000
	default:
		c.fail(path, "write it as 49000 kg or 49 t", "value %q has no known unit", v)
	}
	if err != nil || n < 1 || n > 1_000_000 {
		c.fail(path, "write it as 49000 kg or 49 t", "value %q: want a whole number, at most 1000000 kg", v)
		return 0
	}
	return wim.Kg(n)
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
