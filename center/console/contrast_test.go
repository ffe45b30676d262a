package console

import (
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// colours reads the custom properties of a theme: the dark one is the root's, the light one overrides it.
func colours(t *testing.T, css string, theme string) map[string]string {
	t.Helper()
	out := map[string]string{}
	selectors := []string{":root"}
	if theme == "light" {
		selectors = append(selectors, `:root[data-theme="light"]`)
	}
	for _, s := range selectors {
		i := strings.Index(css, "\n"+s+" {")
		if i < 0 {
			t.Fatalf("no rule %s", s)
		}
		body := css[i:]
		body = body[:strings.Index(body, "}")]
		for _, m := range regexp.MustCompile(`--([a-z-]+):\s*(#[0-9a-fA-F]+)`).FindAllStringSubmatch(body, -1) {
			out[m[1]] = m[2]
		}
	}
	return out
}

// luminance is the relative luminance of a colour as WCAG defines it.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	h := strings.TrimPrefix(hex, "#")
	if len(h) == 3 {
		h = string([]byte{h[0], h[0], h[1], h[1], h[2], h[2]})
	}
	n, err := strconv.ParseUint(h, 16, 32)
	if err != nil || len(h) != 6 {
		t.Fatalf("colour %q is not one of three or six digits", hex)
	}
	part := func(shift int) float64 {
		c := float64(n>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*part(16) + 0.7152*part(8) + 0.0722*part(0)
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// sheet is the style sheet as it is served, without comments.
func sheet(s *stand) string {
	b := s.browser()
	a := b.get("/sign-in").wants(http.StatusOK)
	css := b.get(attribute(a.one("link[rel=stylesheet]"), "href")).wants(http.StatusOK).body
	return "\n" + regexp.MustCompile(`(?s)/\*.*?\*/`).ReplaceAllString(css, "")
}

// Each text colour is held against the ground of its own rule, or, where the rule sets none, against every
// ground that pages have. Text needs 4.5:1 (WCAG 2.2 AA, 1.4.3), what is no text but means something 3:1 (1.4.11).
func TestEveryTextCanBeReadOnItsGroundInBothThemes(t *testing.T) {
	css := sheet(newStand(t))
	rule := regexp.MustCompile(`([^{}]+)\{([^{}]*)\}`)
	ink := regexp.MustCompile(`(?:^|[;\s])color:\s*(?:var\(--([a-z-]+)\)|(#[0-9a-fA-F]{3,6}))`)
	ground := regexp.MustCompile(`(?:^|[;\s])background(?:-color)?:\s*(?:var\(--([a-z-]+)\)|(#[0-9a-fA-F]{3,6}))\s*(?:;|$)`)
	faint := regexp.MustCompile(`(?:^|[;\s])opacity:\s*(?:0?\.\d+)`)
	pairs := 0
	for _, theme := range []string{"dark", "light"} {
		vars := colours(t, css, theme)
		resolve := func(m []string) string {
			if m[2] != "" {
				return m[2]
			}
			if vars[m[1]] == "" {
				t.Fatalf("no colour --%s in the %s theme", m[1], theme)
			}
			return vars[m[1]]
		}
		hold := func(what, a, b string, least float64) {
			pairs++
			if r := contrast(t, a, b); r < least {
				t.Errorf("%s theme: %s: %s on %s has %.2f:1, want %.1f:1", theme, what, a, b, r, least)
			}
		}
		surfaces := []string{"bg", "panel", "raised"}
		for _, m := range rule.FindAllStringSubmatch(css, -1) {
			selector, body := strings.TrimSpace(m[1]), m[2]
			if i := ink.FindStringSubmatch(body); i != nil {
				if g := ground.FindStringSubmatch(body); g != nil {
					hold(selector, resolve(i), resolve(g), 4.5)
				} else {
					for _, s := range surfaces {
						if i[1] != "bg" && i[2] == "" { // the ground's own colour is only used on an inverted ground
							hold(selector+" on "+s, resolve(i), vars[s], 4.5)
						}
					}
				}
			}
			if theme == "dark" && faint.MatchString(body) && !strings.Contains(selector, "axles") {
				t.Errorf("%s: opacity takes contrast that no test sees: %s", selector, strings.TrimSpace(body))
			}
		}
		for _, s := range surfaces {
			hold("text on "+s, vars["text"], vars[s], 7)
			hold("a field's edge on "+s, vars["steel"], vars[s], 3)
			hold("the focus ring on "+s, vars["focus"], vars[s], 3)
		}
	}
	if pairs < 100 {
		t.Errorf("only %d pairs were found: the style sheet is written otherwise than this test reads it", pairs)
	}
}
