package browsertest

import (
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// One matter of two authorities, from the alert to its close, in two browsers at once: the road administration
// works in English, the traffic police in Chinese. Nobody loads a page anew to see what the other has done.
func TestTwoAuthoritiesCarryAMatterFromAlertToCloseInTwoBrowsers(t *testing.T) {
	c := newCentre(t)
	b := newBrowser(t, c.url)
	road, police := b.window("road").sign("road", password), b.window("police").sign("police", password).inChinese()
	for _, w := range []*window{road, police} {
		w.live()
		w.stay()
	}
	c.passes(5)
	road.sees("#open .row", "12345")
	police.sees("#open .row", "12345")
	road.sees("#open .row .badge", "Over limit")
	police.sees("#open .row .badge", "超载")
	c.passes(6)
	for _, w := range []*window{road, police} {
		w.wait("the second alert on top of the first", `document.querySelectorAll("#open .row").length === 2 && document.querySelector("#open .row").innerText.includes("12346")`)
		w.stayed()
		w.accessible()
	}

	// The police take the first matter over; the road administration's queue says quietly that it changed.
	road.goTo("/matters")
	road.live()
	road.stay()
	road.wait("two matters", `document.querySelectorAll("#queue .line").length === 2`)
	police.goTo("/matters/1")
	police.live()
	police.press("#act-acknowledge")
	police.sees(".flash", "已签收")
	police.press("#act-dispatch summary")
	police.fill("#dispatch-f-who", "一大队 3 组")
	police.fill("#dispatch-f-place", "G5 K15 收费站")
	police.press("#act-dispatch form button")
	police.sees(".flash", "派遣")
	road.wait("word of the change", `!document.getElementById("fresh-matters").hidden`)
	c.passes(7)
	road.sees("#fresh-matters", "1 ")
	road.wait("the lines where they were", `document.querySelectorAll("#queue .line").length === 2`)
	road.stayed()
	road.press("#fresh-matters a")
	road.wait("three matters", `document.querySelectorAll("#queue .line").length === 3`)
	road.accessible()

	// Two forms at once: the police are faster, the road administration's is refused with all that was typed.
	road.goTo("/matters/1")
	road.press("#act-acknowledge")
	road.sees(".flash", "Acknowledged")
	road.live()
	road.stay()
	road.press("#act-intercept summary")
	road.fill("#intercept-f-place", "K15 toll plaza, lane 3")
	police.press("#act-intercept summary")
	police.fill("#intercept-f-place", "收费站外侧")
	police.press("#act-intercept form button")
	police.sees(".flash", "拦截")
	road.sees("[data-part=timeline]", "收费站外侧") // arrived by itself
	road.wait("a word that something changed", `!document.getElementById("acts-changed").hidden`)
	road.stayed()
	road.wait("what was typed", `document.getElementById("intercept-f-place").value === "K15 toll plaza, lane 3"`)
	road.press("#act-intercept form button")
	road.sees("#refused", "not written")
	road.sees("#refused", "收费站外侧")
	road.wait("what was typed, after the refusal", `document.getElementById("intercept-f-place").value === "K15 toll plaza, lane 3"`)
	road.accessible()
	if d, err := c.store.File(t.Context(), viewer("road"), 1); err != nil || d.Docket.Matter.Version != 4 {
		t.Fatalf("the stale form wrote something: version %d, %v", d.Docket.Matter.Version, err)
	}

	// The road administration weighs, opens its case and concludes; the police conclude their part.
	road.goTo("/matters/1")
	road.press("#act-weigh summary")
	road.fill("#weigh-f-weighing-gross_kg", "60 480")
	road.fill("#weigh-f-weighing-ticket", "T-20260921-17")
	road.fill("#weigh-f-weighing-instrument", "SCS-100 no. 4")
	road.press("#act-weigh form button")
	road.sees("[data-part=weighings]", "60 480")
	road.accessible()
	police.sees("[data-part=weighings]", "60 480")
	road.press("#act-open-case summary")
	road.fill("#open-case-f-number", "LZ-2026-0417")
	road.press("#act-open-case form button")
	road.sees(".case-number", "LZ-2026-0417")
	road.press("#act-conclude summary")
	road.choose("#conclude-f-reason", "case-opened")
	road.press("#act-conclude form button")
	road.sees(".flash", "concluded")
	police.press("#act-conclude summary")
	police.choose("#conclude-f-reason", "warned")
	police.fill("#conclude-f-remark", "当场教育，驾驶人签字")
	police.press("#act-conclude form button")
	police.sees(".flash", "办结")
	police.accessible()
	road.sees("[data-part=timeline]", "当场教育")
	f, err := c.store.File(t.Context(), viewer("road"), 1)
	if err != nil || f.Docket.Matter.State.Open() {
		t.Fatalf("state %s, %v", f.Docket.Matter.State, err)
	}

	// An auditor reads who did what.
	audit := b.window("audit").sign("audit", password)
	audit.goTo("/trail?subject=1")
	for _, act := range []string{"acknowledged", "dispatched", "intercepted", "weighed", "opened a case", "concluded", "looked"} {
		audit.sees(".trail", act)
	}
	audit.sees(".trail", "police")
	audit.accessible()
	audit.press(".trail tbody a[href='/matters/1']")
	audit.wait("the matter", `location.pathname === "/matters/1"`)
	audit.wait("nothing to do", `document.querySelectorAll("#acts form").length === 0`)
	audit.accessible()
}

// Without a mouse: from the sign-in to an acknowledgement and through the queue, by keys alone.
func TestAnOfficerWorksWithTheKeyboardAlone(t *testing.T) {
	c := newCentre(t)
	c.passes(1)
	c.passes(2)
	b := newBrowser(t, c.url)
	w := b.window("road")
	w.value(`document.getElementById("login").focus()`)
	w.keys("road" + kb.Tab + password + kb.Enter)
	w.wait("the board", `location.pathname === "/" && document.readyState === "complete"`)
	w.live()
	w.keys(kb.Tab)
	w.wait("the skip link first", `document.activeElement.className === "skip"`)
	w.keys("j")
	w.wait("a row in focus", `document.activeElement.closest(".row") !== null`)
	w.keys("a")
	w.wait("one alert acknowledged", `document.querySelectorAll("#done .row").length === 1 && document.querySelectorAll("#open .row").length === 1`)
	w.goTo("/matters")
	w.live()
	w.keys("?")
	w.wait("the keys", `document.getElementById("help").open`)
	w.keys(kb.Escape)
	w.wait("the page again", `!document.getElementById("help").open`)
	w.keys("/")
	w.wait("the search", `document.activeElement.id === "f-plate"`)
	w.keys(kb.Backspace + "a12341" + kb.Enter) // the driver types the slash too, which a keyboard does not
	w.wait("what was asked for", `location.search.includes("plate=a12341")`)
	w.goTo("/matters?plate=" + "川a12341")
	w.wait("one line", `document.querySelectorAll("#queue .line").length === 1`)
	w.keys("j" + kb.Enter)
	w.wait("the matter", `location.pathname.startsWith("/matters/")`)
	focusable := w.value(`getComputedStyle(document.querySelector("a")).outlineStyle`)
	w.keys(kb.Tab + kb.Tab)
	w.wait("a focus that can be seen, not "+focusable, `getComputedStyle(document.activeElement).outlineStyle !== "none" && parseFloat(getComputedStyle(document.activeElement).outlineWidth) >= 2`)
}

// The pages of every role, in both languages and themes, wide and on a phone.
func TestEveryPageCanBeUsedInBothLanguagesAndThemesAndOnAPhone(t *testing.T) {
	c := newCentre(t)
	c.passes(1)
	b := newBrowser(t, c.url)
	for login, paths := range map[string][]string{
		"road":  {"/", "/matters", "/matters/1", "/matters?from=never", "/account", "/tokens", "/gaps", "/gaps?site=" + site},
		"admin": {"/sites", "/sites/" + site, "/officers", "/tokens"},
		"audit": {"/matters/1", "/trail", "/trail?to=never", "/sites"},
	} {
		w := b.window(login).sign(login, password)
		for _, theme := range []string{"dark", "light"} {
			for _, path := range paths {
				w.goTo(path)
				if n := w.brightness(); theme == "dark" && n > 80 || theme == "light" && n < 175 {
					t.Errorf("%s in the %s theme has a ground of brightness %d", path, theme, n)
				}
				w.accessible()
			}
			w.press(`button[name=theme]`)
			w.wait("the other theme", `document.readyState === "complete" && document.documentElement.dataset.theme !== `+quoted(theme))
			w.inChineseOnce(theme)
			w.size(map[string]int64{"dark": 380, "light": 1440}[theme])
		}
	}
}
