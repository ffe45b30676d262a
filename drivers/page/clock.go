package page

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// Clock says how a record tells when the vehicle passed.
type Clock struct {
	At     string `yaml:"at"`
	Layout string `yaml:"layout"` // rfc3339, unix, unix-ms, or a pattern of yyyy, MM, dd, HH, mm, ss and SSS
	Zone   string `yaml:"zone"`   // of a pattern: as Asia/Shanghai, or UTC
}

// Mistake tells what is wrong with a clock that stands at path of its page, nil for nothing. A nil clock is one that the page has not.
func (c *Clock) Mistake(path string) *Mistake {
	if c == nil {
		return nil
	}
	switch c.Layout {
	case "":
		return Wrong(path+".layout", "is missing; there is: rfc3339, unix, unix-ms, or a pattern such as yyyy-MM-dd HH:mm:ss")
	case "rfc3339", "unix", "unix-ms":
		if c.Zone != "" {
			return Wrong(path+".zone", "has no meaning for %s, which tells the zone itself", c.Layout)
		}
		return nil
	}
	if _, err := layoutOf(c.Layout); err != nil {
		return Wrong(path+".layout", "%s", err)
	}
	if c.Zone == "" {
		return &Mistake{path + ".zone", "is missing", "write it as Asia/Shanghai, or UTC"}
	}
	if _, err := time.LoadLocation(c.Zone); err != nil || c.Zone == "Local" {
		return &Mistake{path + ".zone", fmt.Sprintf("%q is not known", c.Zone), "write it as Asia/Shanghai, or UTC"}
	}
	return nil
}

// layoutOf turns a pattern into a layout of package time. Letters that are no part of a date are refused.
func layoutOf(pattern string) (string, error) {
	parts := []struct{ ours, theirs string }{{"yyyy", "2006"}, {"SSS", "000"}, {"MM", "01"}, {"dd", "02"}, {"HH", "15"}, {"mm", "04"}, {"ss", "05"}}
	out, rest := "", pattern
	seen := map[string]bool{}
next:
	for rest != "" {
		for _, p := range parts {
			if strings.HasPrefix(rest, p.ours) {
				if seen[p.ours] {
					return "", fmt.Errorf("%q has %s twice", pattern, p.ours)
				}
				seen[p.ours] = true
				out, rest = out+p.theirs, rest[len(p.ours):]
				continue next
			}
		}
		c := rest[0]
		if c != 'T' && !strings.ContainsRune(" -/.:,", rune(c)) {
			return "", fmt.Errorf("%q: %q is none of yyyy, MM, dd, HH, mm, ss, SSS, T and - / . : ,", pattern, c)
		}
		out, rest = out+rest[:1], rest[1:]
	}
	for _, p := range parts {
		if !seen[p.ours] && p.ours != "SSS" {
			return "", fmt.Errorf("%q has no %s: a time to the second is needed", pattern, p.ours)
		}
	}
	if i := strings.Index(out, "000"); i >= 0 && (i == 0 || out[i-1] != '.' && out[i-1] != ',') {
		return "", fmt.Errorf("%q: SSS stands behind a point or a comma", pattern)
	}
	return out, nil
}

// Read gives the instant that a text tells. unsure says that the clock passes there twice, as at the end of summer time.
func (c *Clock) Read(text string) (at wim.Time, unsure bool, err error) {
	switch c.Layout {
	case "rfc3339":
		t, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return 0, false, fmt.Errorf("%q is no time such as 2026-02-03T04:05:06Z", text)
		}
		return wim.TimeOf(t), false, nil
	case "unix", "unix-ms":
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 || n > 1<<44 {
			return 0, false, fmt.Errorf("%q is no count of time since 1970", text)
		}
		if c.Layout == "unix" {
			return wim.TimeOf(time.Unix(n, 0)), false, nil
		}
		return wim.TimeOf(time.UnixMilli(n)), false, nil
	}
	layout, err := layoutOf(c.Layout)
	if err != nil {
		return 0, false, err
	}
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		return 0, false, err
	}
	t, err := time.ParseInLocation(layout, text, zone)
	if err != nil || t.Format(layout) != text {
		return 0, false, fmt.Errorf("%q is no time of the form %s, or the clock never shows it in %s", text, c.Layout, c.Zone)
	}
	if y := t.Year(); y < 2000 || y > 2200 {
		return 0, false, errors.New("the device's clock is not set: it says " + text)
	}
	for _, d := range []time.Duration{-time.Hour, time.Hour} {
		unsure = unsure || t.Add(d).Format(layout) == text
	}
	return wim.TimeOf(t), unsure, nil
}
