package rules

import (
	"math"
	"slices"

	"github.com/axlegate/axlegate/wim"
)

// clash refuses two limits of one competence that could both be the limit of one vehicle at one time.
func (c *compiler) clash(path string, a, b *limit) {
	if a.basis != b.basis || a.until != 0 && a.until <= b.from || b.until != 0 && b.until <= a.from {
		return
	}
	if a.basis == grossByAxles && (a.config != b.config || !a.axles.overlaps(b.axles) || !a.drive.overlaps(b.drive)) {
		return
	}
	c.fail(path+".id", "end the older one with effective_to", "limits %q and %q overlap: both would apply to one vehicle on one day", a.id, b.id)
}

// holes refuses a table that, on a day when it is in force, has no limit for some axle count from two up or
// for some number of drive axles.
func (c *compiler) holes(path string, all []limit) {
	var table []*limit
	var days []wim.Time
	for i := range all {
		if l := &all[i]; l.basis == grossByAxles {
			table = append(table, l)
			days = append(days, l.from)
			if l.until != 0 {
				days = append(days, l.until)
			}
		}
	}
	slices.Sort(days)
	for _, day := range slices.Compact(days) {
		c.holesOn(path, day, table)
	}
}

func (c *compiler) holesOn(path string, day wim.Time, table []*limit) {
	inForce := slices.DeleteFunc(slices.Clone(table), func(l *limit) bool { return !l.inForce(day) })
	if len(inForce) == 0 {
		return
	}
	for n := 2; n <= math.MaxUint8; n++ {
		covered := false
		for _, cfg := range []wim.Configuration{wim.Rigid, wim.Train} {
			var drive []span
			for _, l := range inForce {
				if l.config == cfg && l.axles.has(uint8(n)) {
					drive = append(drive, l.drive)
				}
			}
			if len(drive) == 0 {
				continue
			}
			covered = true
			for d := 1; d <= math.MaxUint8; d++ {
				if !slices.ContainsFunc(drive, func(s span) bool { return s.has(uint8(d)) }) {
					c.fail(path+".limits", "", "on %s a %s of %d axles has no limit for %d drive axles", c.day(day), cfg, n, d)
					return
				}
			}
		}
		if !covered {
			c.fail(path+".limits", `let the last row say "6+" or the like`, "on %s no limit covers %d axles", c.day(day), n)
			return
		}
	}
}

func (c *compiler) day(t wim.Time) string { return t.Std().In(c.zone).Format("2006-01-02") }
