package rules

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/axlegate/axlegate/wim"
)

// compile1 compiles a set of format 1.
func (c *compiler) compile1(f *file1) *Set {
	c.identity(f.ID, f.CrewKg, f.Zone, f.Deduction.Mode)
	s := &Set{
		id: f.ID, title: Text{En: f.Title}, file: f.asFile(), crew: wim.Kg(f.CrewKg),
		uncertifiedMass: c.permille("$.deduction.uncertified_mass_permille", f.Deduction.UncertifiedMass),
		uncertifiedAxle: c.permille("$.deduction.uncertified_axle_permille", f.Deduction.UncertifiedAxle),
	}
	c.assumptions(f.Assumptions)
	s.ladders = c.ladders(f.ladders(), "kg", "permille")
	if len(f.Competences) == 0 {
		c.fail("$.competences", "", "no competence")
	}
	names, ids := map[string]bool{}, map[string]bool{}
	for i := range f.Competences {
		s.competences = append(s.competences, c.competence1(i, &f.Competences[i], s.ladders, names, ids))
	}
	return s
}

// ladders gives them in the words of format 2.
func (f *file1) ladders() []LadderFile {
	out := make([]LadderFile, len(f.Ladders))
	for i, l := range f.Ladders {
		out[i] = LadderFile{ID: l.ID, Unit: l.Unit, Note: l.Note}
		for _, st := range l.Steps {
			out[i].Steps = append(out[i].Steps, StepFile{Band: st.Band, At: st.At, Edge: st.Edge, Article: st.Article})
		}
	}
	return out
}

func (c *compiler) competence1(i int, f *competenceFile1, ladders []ladder, names, ids map[string]bool) competence {
	path := fmt.Sprintf("$.competences[%d]", i)
	if f.Competence == "" || names[f.Competence] {
		c.fail(path+".competence", "", "competence %q is missing or given twice", f.Competence)
	}
	names[f.Competence] = true
	out := competence{name: wim.Competence(f.Competence), needsPlate: f.NeedsPlate, spares: c.kinds(path, f.NotFor)}
	if len(f.Limits) == 0 {
		c.fail(path, "", "competence %q has no limits", f.Competence)
	}
	table := -1 // all rows by axle count are one limit
	for k := range f.Limits {
		lp := fmt.Sprintf("%s.limits[%d]", path, k)
		lf := &f.Limits[k]
		if lf.ID == "" {
			c.fail(lp, "", "a limit without id")
		} else if ids[lf.ID] {
			c.fail(lp+".id", "", "limit %q is given twice", lf.ID)
		}
		ids[lf.ID] = true
		b := bases1()[c.oneOf(lp+".basis", lf.Basis, names1()...)]
		r := c.row1(lp, lf, b, ladders)
		if b == onGross && table >= 0 {
			c.clash(lp, out.limits[table].rows, &r)
			out.limits[table].rows = append(out.limits[table].rows, r)
			continue
		}
		for o := range out.limits {
			if out.limits[o].basis == b {
				c.clash(lp, out.limits[o].rows, &r)
			}
		}
		if b == onGross {
			table = len(out.limits)
		}
		out.limits = append(out.limits, limit{id: lf.ID, basis: b, scope: b.scope(), rows: []row{r}})
	}
	for k := range out.limits {
		l := &out.limits[k]
		c.supposals(l, nil)
		if l.basis == onGross {
			c.holes(path+".limits", l, 2, math.MaxUint8, nil)
		}
	}
	return out
}

func names1() []string {
	return []string{"", "gross-by-axles", "posted-gross", "posted-axle", "rated-load", "licence-gross", "towed-mass"}
}

func bases1() []basis {
	return []basis{0, onGross, postedGross, postedAxle, ratedLoad, licenceGross, towedMass}
}

func (c *compiler) row1(path string, f *limitFile1, b basis, ladders []ladder) row {
	c.required(path, "article", f.Article)
	c.source(path+".source", f.Source)
	r := row{id: f.ID, article: f.Article, reason: c.status(path+".status", f.Status)}
	r.everything()
	r.from, r.until = c.dates(path, f.ID, f.EffectiveFrom, f.EffectiveTo)
	if b == onGross {
		r.axles = c.count(path+".axles", f.Axles, 2)
		r.deny |= markConfig &^ []mark{markRigid, markTrain}[c.oneOf(path+".configuration", f.Configuration, string(wim.Rigid), string(wim.Train))]
		if f.DriveAxles != "" {
			r.deny |= c.driveAxles(path+".drive_axles", f.DriveAxles)
		}
		r.value = c.mass(path+".value", f.Value)
	} else if f.Axles != "" || f.Configuration != "" || f.DriveAxles != "" || f.Value != "" {
		c.fail(path, "its permitted value comes from the sign or the licence", "limit %q: basis %s takes no axles, configuration, drive_axles or value", f.ID, f.Basis)
	}
	r.ladder = c.ladderOf(path+".ladder", f.Ladder, ladders)
	return r
}

// mass reads "49000 kg" or "49 t".
func (c *compiler) mass(path, v string) int64 {
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
	return n
}
