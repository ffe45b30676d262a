package browsertest

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/axlegate/axlegate/internal/testenv"
)

// patience is how long a page may take for what is promised at once; a loaded machine under the race detector
// is slow.
const patience = 20 * time.Second

// browser is one Chromium for a test; every window of it has cookies of its own.
type browser struct {
	t   *testing.T
	ctx context.Context
	url string
}

func newBrowser(t *testing.T, url string) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(testenv.Chromium(t)), chromedp.Headless, chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.Flag("disable-dev-shm-usage", true), chromedp.WindowSize(1440, 1000))
	ctx, stop := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	t.Cleanup(stop)
	ctx, closeAll := chromedp.NewContext(ctx)
	t.Cleanup(closeAll)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	return &browser{t, ctx, url}
}

// window is what one officer looks at.
type window struct {
	t    *testing.T
	ctx  context.Context
	name string
	url  string
}

// window opens one with cookies of its own, at the sign-in, in English.
func (b *browser) window(name string) *window {
	b.t.Helper()
	ctx, stop := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	b.t.Cleanup(stop)
	if err := chromedp.Do(ctx); err != nil {
		b.t.Fatalf("open a window: %v", err)
	}
	w := &window{b.t, ctx, name, b.url}
	b.t.Cleanup(func() {
		if b.t.Failed() {
			w.picture()
		}
	})
	w.goTo("/sign-in")
	if w.value(`document.documentElement.lang`) != "en" {
		w.press(`button[name=language]`)
		w.wait("the page in English", `document.documentElement.lang === "en"`)
	}
	return w
}

// picture keeps what the window shows.
func (w *window) picture() {
	ctx, stop := context.WithTimeout(w.ctx, patience)
	defer stop()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		w.t.Logf("picture of %s: %v", w.name, err)
		return
	}
	path := filepath.Join(w.t.ArtifactDir(), w.name+".png")
	if err := os.WriteFile(path, png, 0o600); err != nil {
		w.t.Log(err)
	}
	w.t.Logf("%s is shown in %s", w.name, path)
}

func (w *window) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	ctx, stop := context.WithTimeout(w.ctx, patience)
	defer stop()
	if err := chromedp.Do(ctx, steps...); err != nil {
		w.t.Fatalf("%s: %s: %v", w.name, what, err)
	}
}

func (w *window) goTo(path string) {
	w.t.Helper()
	w.do("go to "+path, chromedp.Navigate(w.url+path))
}

// value is a JavaScript expression's value as text; empty while the page is on its way.
func (w *window) value(expression string) string {
	ctx, stop := context.WithTimeout(w.ctx, patience)
	defer stop()
	s, err := chromedp.Run(ctx, chromedp.Evaluate[string](`(() => { try { return String(`+expression+`) } catch { return "" } })()`))
	if err != nil {
		return ""
	}
	return s
}

// wait waits until a JavaScript expression is true.
func (w *window) wait(what, expression string) {
	w.t.Helper()
	ctx, stop := context.WithTimeout(w.ctx, patience)
	defer stop()
	if !until(ctx, func() bool { return w.value(expression) == "true" }) {
		w.t.Fatalf("%s at %s: waited for %s: %s; the page says %.1500s", w.name, w.value("location.href"), what, expression, w.value("document.body.innerText"))
	}
}

func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string can always be encoded
	}
	return string(b)
}

// sees waits until an element has a text in it.
func (w *window) sees(selector, text string) {
	w.t.Helper()
	w.wait(text+" in "+selector, `document.querySelector(`+quoted(selector)+`).innerText.replace(/\s/g, " ").includes(`+quoted(text)+`)`)
}

// there waits until at least one element is there.
func (w *window) there(selector string) {
	w.t.Helper()
	w.wait(selector, `document.querySelector(`+quoted(selector)+`) !== null`)
}

// press clicks with the mouse where the element is.
func (w *window) press(selector string) {
	w.t.Helper()
	w.there(selector)
	w.do("press "+selector, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// fill types into an empty field.
func (w *window) fill(selector, text string) {
	w.t.Helper()
	w.there(selector)
	w.do("fill "+selector, chromedp.SendKeys(chromedp.CSS(selector), text, chromedp.NodeVisible))
	w.wait("what was typed", `document.querySelector(`+quoted(selector)+`).value === `+quoted(text))
}

// choose chooses an option of a select.
func (w *window) choose(selector, value string) {
	w.t.Helper()
	w.there(selector)
	w.do("choose "+value, chromedp.SetValue(chromedp.CSS(selector), value))
}

// keys presses keys on whatever has the focus.
func (w *window) keys(keys string) {
	w.t.Helper()
	w.do("press keys", chromedp.KeyEvent(keys))
}

// sign signs in with the form.
func (w *window) sign(login, password string) *window {
	w.t.Helper()
	w.fill("#login", login)
	w.fill("#password", password)
	w.press("form[action='/sign-in'] button")
	w.wait("being signed in", `location.pathname !== "/sign-in" && document.readyState === "complete"`)
	return w
}

// inChinese changes the language with the page's own button.
func (w *window) inChinese() *window {
	w.t.Helper()
	w.press(`button[name=language]`)
	w.wait("the page in Chinese", `document.documentElement.lang === "zh"`)
	return w
}

// live waits until the page follows the event stream.
func (w *window) live() {
	w.t.Helper()
	w.wait("the live line", `document.getElementById("live").dataset.state === "live"`)
}

// stay marks the page, so that stayed can tell whether it was loaded again.
func (w *window) stay() { w.value(`window.neverLoadedAgain = "here"`) }

func (w *window) stayed() {
	w.t.Helper()
	if w.value(`window.neverLoadedAgain`) != "here" {
		w.t.Errorf("%s: the page was loaded again", w.name)
	}
}

// faults are what a person who cannot see the page, or has no mouse, would stumble over.
const faults = `(() => {
  const out = [], say = (what, e) => out.push(what + ": " + e.outerHTML.slice(0, 120));
  const named = (e) => (e.getAttribute("aria-label") || e.innerText || e.textContent || e.title || "").trim() !== "" || e.getAttribute("aria-labelledby") || e.querySelector("img[alt]");
  if (!document.documentElement.lang) out.push("the page has no language");
  if (!document.title.trim()) out.push("the page has no title");
  if (document.querySelectorAll("h1").length !== 1) out.push(document.querySelectorAll("h1").length + " headings of the first order");
  if (!document.querySelector("main")) out.push("no main part");
  let level = 0;
  for (const h of document.querySelectorAll("h1, h2, h3, h4")) {
    if (h.closest("dialog")) continue;
    const n = Number(h.tagName[1]);
    if (n > level + 1 && level) say("a level of headings is left out", h);
    level = n;
  }
  const ids = new Set();
  for (const e of document.querySelectorAll("[id]")) { if (ids.has(e.id)) say("an id twice", e); ids.add(e.id); }
  for (const e of document.querySelectorAll("input:not([type=hidden]), select, textarea")) if (!e.labels.length && !e.getAttribute("aria-label")) say("a field without a label", e);
  for (const e of document.querySelectorAll("button, a[href]")) if (!named(e)) say("no name", e);
  for (const e of document.querySelectorAll("img")) if (!e.hasAttribute("alt")) say("no alternative text", e);
  for (const e of document.querySelectorAll("svg")) if (!e.getAttribute("aria-label") && !e.getAttribute("aria-labelledby") && e.getAttribute("aria-hidden") !== "true" && !e.querySelector("title")) say("a drawing without a name", e);
  for (const e of document.querySelectorAll("[aria-describedby], [aria-labelledby]")) for (const id of ((e.getAttribute("aria-describedby") || "") + " " + (e.getAttribute("aria-labelledby") || "")).trim().split(/\s+/)) if (!document.getElementById(id)) say("names an id that is not there", e);
  for (const e of document.querySelectorAll("table")) if (!e.querySelector("th") || !e.querySelector("caption")) say("a table without headings or caption", e);
  for (const e of document.querySelectorAll("fieldset")) if (!e.querySelector("legend")) say("a group without a name", e);
  for (const e of document.querySelectorAll("[tabindex]")) if (e.tabIndex > 0) say("an order of its own", e);
  if (document.documentElement.scrollWidth > document.documentElement.clientWidth + 1) {
    const wide = (e) => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1;
    for (const e of document.querySelectorAll("body *")) if (wide(e) && !e.closest(".wide, .unseen") && ![...e.children].some(wide)) say("wider than the window of " + document.documentElement.clientWidth, e);
  }
  return out.join("\n");
})()`

// accessible reports what is wrong with the page shown.
func (w *window) accessible() {
	w.t.Helper()
	for _, f := range strings.Split(w.value(faults), "\n") {
		if f != "" {
			w.t.Errorf("%s at %s: %s", w.name, w.value("location.pathname"), f)
		}
	}
}

// brightness of the page's ground, from 0 for black to 255.
func (w *window) brightness() int {
	w.t.Helper()
	n, err := strconv.Atoi(w.value(`Math.round(getComputedStyle(document.documentElement).backgroundColor.match(/\d+/g).slice(0, 3).map(Number).reduce((a, b) => a + b) / 3)`))
	if err != nil {
		w.t.Fatalf("%s: ground of the page: %v", w.name, err)
	}
	return n
}

// size makes the window as wide as a phone or a desk's screen.
func (w *window) size(width int64) {
	w.t.Helper()
	w.do("size", chromedp.EmulateViewport(width, 900))
}

// inChineseOnce changes the language after the dark theme: English pages are dark, Chinese ones light.
func (w *window) inChineseOnce(theme string) {
	w.t.Helper()
	if theme == "dark" {
		w.inChinese()
	}
}
