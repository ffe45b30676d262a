package console

import (
	"context"
	"io/fs"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/internal/web"
	"github.com/axlegate/axlegate/wim"
)

func TestTheBoardShowsAllThatWasFoundOnTheNewestAlert(t *testing.T) {
	s := newStand(t)
	road, _ := s.raise()
	a := s.as("road").get("/").wants(http.StatusOK)
	a.says("h1", "Road Administration")
	a.says("#entry .entry-kind", "Over limit")
	a.says("#entry .entry-mass", "58.42 t")
	a.says("#entry .entry-over", "+6.499 t 13.2 %")
	a.says("#entry .proof", "Enter the station")
	a.says("#entry .proof", "ed25519:4f1c9a22")
	a.says("#entry .proof", "g107-north/ 7a31c04e /18243")
	a.says("#entry .proof", "same result")
	own := a.one("tbody.own")
	if attribute(own, "data-competence") != string(wim.RoadAdministration) || !strings.Contains(textOf(own), "58 420 −2 921 49 000 +6 499 13.2 % Exceeded fine step Order 62 Art. 3(8)") {
		t.Errorf("own findings: %s", textOf(own))
	}
	a.says("tbody.other", "Traffic Police other authority Suspected overload Suspicion how the limit applies is inferred")
	if plates := a.all("#entry .entry-plates .plate-yellow"); len(plates) != 2 {
		t.Errorf("%d plates, want the tractor's and the trailer's", len(plates))
	}
	if src := attribute(a.one("#entry img"), "src"); src != "/pictures/"+s.jpeg.String()+"?alert="+strconv.FormatInt(road, 10) {
		t.Errorf("picture %q", src)
	}
	if attribute(a.one("body"), "data-last") != "2" {
		t.Errorf("the page does not start its stream at the last event it includes: %s", attribute(a.one("body"), "data-last"))
	}
	a.says("#status .total-open", "1")
	a.says(".site", "g107-north")
}

func TestEveryPageIsWholeInEveryLanguage(t *testing.T) {
	s := newStand(t)
	road, _ := s.raise()
	b := s.as("road")
	id := strconv.FormatInt(road, 10)
	for _, lang := range web.Languages() {
		for _, path := range []string{"/", "/alerts/" + id, "/alerts/" + id + "/fragment", "/nowhere", "/alerts/999", "/events?after=x"} {
			r := b.request(http.MethodGet, path, nil)
			r.Header.Set("Accept-Language", string(lang))
			a := b.do(r)
			if strings.Contains(a.body, "⟦") {
				t.Errorf("%s in %s lacks a text: %s", path, lang, a.body[strings.Index(a.body, "⟦"):][:60])
			}
			if strings.Contains(a.body, "%!") {
				t.Errorf("%s in %s has a text whose verbs do not fit: %s", path, lang, a.body[strings.Index(a.body, "%!"):][:60])
			}
			if strings.Contains(a.body, " style=") || strings.Contains(a.body, " onclick=") {
				t.Errorf("%s has what the content security policy forbids", path)
			}
			if !strings.HasSuffix(path, "/fragment") && attribute(a.one("html"), "lang") != string(lang) {
				t.Errorf("%s is in %s, want %s", path, attribute(a.one("html"), "lang"), lang)
			}
		}
	}
	s.store.entries[0].Reads, s.store.entries[0].Records, s.store.entries[0].Facts.Units, s.store.entries[0].Verdict = nil, nil, nil, wim.Verdict{}
	b.get("/").wants(http.StatusOK) // an entry that lacks almost everything is shown, not an error
}

func TestAnAlertOfAnotherAuthorityDoesNotExist(t *testing.T) {
	s := newStand(t)
	_, police := s.raise()
	id := strconv.FormatInt(police, 10)
	b := s.as("road")
	b.get("/alerts/" + id).wants(http.StatusNotFound)
	b.get("/alerts/" + id + "/fragment").wants(http.StatusNotFound)
	b.post("/alerts/"+id+"/acknowledge", nil).wants(http.StatusNotFound)
	b.get("/pictures/" + s.jpeg.String() + "?alert=" + id).wants(http.StatusNotFound)
	if rows := b.get("/").all(".row"); len(rows) != 1 {
		t.Errorf("the road's board has %d rows, want its own one", len(rows))
	}
	s.as("police").get("/alerts/" + id).wants(http.StatusOK)
}

func TestAnOfficerWhoseAuthorityChangesSeesTheNewOnesAtOnce(t *testing.T) {
	s := newStand(t)
	s.raise()
	b := s.as("road")
	s.store.put(center.Officer{Login: "road", Role: center.Enforcer, Competence: wim.TrafficPolice, Hash: cheapHash(password)})
	b.get("/").wants(http.StatusOK).says("h1", "Traffic Police")
	s.store.remove("road")
	if a := b.get("/").wants(http.StatusSeeOther); a.header.Get("Location") != "/sign-in" {
		t.Error("an officer who was removed is still let in")
	}
}

func TestTheSecondAcknowledgementIsToldWhoWasFirst(t *testing.T) {
	s := newStand(t)
	road, _ := s.raise()
	path := "/alerts/" + strconv.FormatInt(road, 10) + "/acknowledge"
	b := s.as("road")
	if a := b.post(path, nil).wants(http.StatusSeeOther); a.header.Get("Location") != "/alerts/1" {
		t.Errorf("leads to %q", a.header.Get("Location"))
	}
	s.store.put(center.Officer{Login: "other", Role: center.Enforcer, Competence: wim.RoadAdministration, Hash: cheapHash(password)})
	other := s.as("other")
	other.post(path, nil).wants(http.StatusConflict).says(".notice", "Already acknowledged by road at")
	a := other.post(path+"?fragment", nil).wants(http.StatusConflict)
	a.says("article .notice", "Already acknowledged by road at")
	if e, err := s.store.Entry(t.Context(), center.Viewer{Role: center.Enforcer, Competence: wim.RoadAdministration}, road); err != nil || e.Alert.AcknowledgedBy != "road" {
		t.Errorf("acknowledged by %q, %v", e.Alert.AcknowledgedBy, err)
	}
	a = other.get("/")
	if len(a.all("#open .row")) != 0 || len(a.all("#done .row-done")) != 1 {
		t.Error("an acknowledged alert does not stand below")
	}
}

func TestWithoutASessionNothingIsShown(t *testing.T) {
	s := newStand(t)
	s.raise()
	b := s.browser()
	for _, path := range []string{"/", "/alerts/1"} {
		if a := b.get(path).wants(http.StatusSeeOther); a.header.Get("Location") != "/sign-in" {
			t.Errorf("%s leads to %q", path, a.header.Get("Location"))
		}
	}
	for _, path := range []string{"/events", "/alerts/1/fragment", "/session", "/pictures/" + s.jpeg.String() + "?alert=1"} {
		r := b.request(http.MethodGet, path, nil)
		r.Header.Set("Accept", "*/*")
		b.do(r).wants(http.StatusUnauthorized)
	}
	b.post("/alerts/1/acknowledge", nil).wants(http.StatusUnauthorized)
}

func TestARequestFromAnotherSiteIsRefused(t *testing.T) {
	s := newStand(t)
	road, _ := s.raise()
	b := s.as("road")
	for _, path := range []string{"/alerts/1/acknowledge", "/sign-in", "/sign-out", "/preferences"} {
		r := b.request(http.MethodPost, path, nil)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		b.do(r).wants(http.StatusForbidden).says("h1", "Request refused")
	}
	if e, err := s.store.Entry(t.Context(), center.Viewer{Role: center.Enforcer, Competence: wim.RoadAdministration}, road); err != nil || e.Alert.AcknowledgedAt != 0 {
		t.Error("a request from another site acknowledged an alert")
	}
}

func TestEveryAnswerCarriesTheSecurityHeaders(t *testing.T) {
	s := newStand(t)
	b := s.browser()
	for _, path := range []string{"/", "/sign-in", "/nowhere", "/assets/none"} {
		h := b.get(path).header
		csp := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "form-action 'self'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: policy %q lacks %s", path, csp, want)
			}
		}
		if strings.Contains(csp, "unsafe") || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") == "" {
			t.Errorf("%s: headers %v", path, h)
		}
	}
}

func TestAPictureIsGivenOnlyWithAnAlertThatShowsIt(t *testing.T) {
	s := newStand(t)
	s.raise()
	other := s.pictures.put(t, append(testJPEG(t), 0))
	fake := s.pictures.put(t, []byte("<script>alert(1)</script>"))
	s.store.raise(sample(wim.RoadAdministration, s.store.now(), fake))
	s.store.raise(sample(wim.RoadAdministration, s.store.now(), wim.DigestOf([]byte("on its way"))))
	b := s.as("road")
	a := b.get("/pictures/" + s.jpeg.String() + "?alert=1").wants(http.StatusOK)
	if a.header.Get("Content-Type") != "image/jpeg" || !strings.HasPrefix(a.header.Get("Cache-Control"), "private") || wim.DigestOf([]byte(a.body)) != s.jpeg {
		t.Errorf("picture: %v", a.header)
	}
	again := b.request(http.MethodGet, "/pictures/"+s.jpeg.String()+"?alert=1", nil)
	again.Header.Set("If-None-Match", a.header.Get("ETag"))
	b.do(again).wants(http.StatusNotModified)
	for name, path := range map[string]string{
		"a picture of no alert":          s.jpeg.String(),
		"another picture than its own":   other.String() + "?alert=1",
		"what is no JPEG":                fake.String() + "?alert=3",
		"a picture that is on its way":   wim.DigestOf([]byte("on its way")).String() + "?alert=4",
		"what is no digest":              "..%2f..%2fetc%2fpasswd?alert=1",
		"the zero digest":                wim.Digest{}.String() + "?alert=1",
		"an alert that does not exist":   s.jpeg.String() + "?alert=99",
		"an alert with a strange number": s.jpeg.String() + "?alert=1%20or%201",
	} {
		if a := b.get("/pictures/" + path); a.status != http.StatusNotFound {
			t.Errorf("%s: status %d, want 404", name, a.status)
		}
	}
	if a := b.get("/alerts/4"); len(a.all("#entry .picture-none")) != 1 || len(a.all("[data-pending]")) != 1 {
		t.Error("a picture that is on its way is not said to be")
	}
}

func TestLanguageAndThemeAreChosenBeforeSignIn(t *testing.T) {
	s := newStand(t)
	b := s.browser()
	a := b.get("/sign-in").wants(http.StatusOK)
	if attribute(a.one("html"), "lang") != "en" || attribute(a.one("html"), "data-theme") != "dark" {
		t.Error("not the language asked for, or not the dark theme")
	}
	a = b.post("/preferences", url.Values{"language": {"zh"}, "theme": {"light"}, "back": {"/sign-in"}}).wants(http.StatusSeeOther)
	if a.header.Get("Location") != "/sign-in" {
		t.Errorf("leads to %q", a.header.Get("Location"))
	}
	a = b.get("/sign-in")
	if attribute(a.one("html"), "lang") != "zh" || attribute(a.one("html"), "data-theme") != "light" {
		t.Error("the choice is not kept")
	}
	for _, back := range []string{"//evil.example", "https://evil.example", "/\\evil.example", ""} {
		if a := b.post("/preferences", url.Values{"back": {back}}); a.header.Get("Location") != "/" {
			t.Errorf("back %q leads to %q", back, a.header.Get("Location"))
		}
	}
}

func TestAStoreThatFailsIsAFriendlyErrorAndSaysNothingOfTheCause(t *testing.T) {
	s := newStand(t)
	s.raise()
	b := s.as("road")
	s.store.mu.Lock()
	s.store.broken = errBroken
	s.store.mu.Unlock()
	a := b.get("/").wants(http.StatusInternalServerError)
	a.says("h1", "Something failed")
	if strings.Contains(a.body, "fire") {
		t.Error("the cause is shown to the visitor")
	}
}

// panicking is a store whose totals are not to be had.
type panicking struct{ *fakeStore }

func (panicking) Totals(context.Context, center.Viewer, wim.Time) (center.Totals, error) {
	panic("totals")
}

// changed is a store that finds the officer to be another one than a moment ago.
type changed struct{ *fakeStore }

func (changed) Acknowledge(context.Context, center.Viewer, int64) error { return center.ErrNotYours }

func (changed) Do(context.Context, center.Viewer, int64, center.ActKind, center.Details, int64) (center.Docket, error) {
	return center.Docket{}, center.ErrNotYours
}

func TestAnOfficerWhoChangesWhileActingIsRefused(t *testing.T) {
	s := newStand(t)
	s.matters(1)
	b := s.as("road")
	s.console.cfg.Store = changed{s.store}
	b.post("/alerts/1/acknowledge", nil).wants(http.StatusForbidden).says("h1", "Not for you")
	b.send(1000, center.ActAcknowledge, 0).wants(http.StatusForbidden).says("h1", "Not for you")
}

func TestAPanicIsAnErrorPageAndTheNextRequestIsServed(t *testing.T) {
	s := newStand(t)
	b := s.as("road")
	s.console.cfg.Store = panicking{s.store}
	b.get("/").wants(http.StatusInternalServerError)
	b.get("/session").wants(http.StatusNoContent)
}

func TestNewNamesWhatIsMissing(t *testing.T) {
	if _, err := New(Config{}); err == nil || !strings.Contains(err.Error(), "Store") {
		t.Errorf("error %v", err)
	}
}

func TestEveryKeyThatPagesNameExists(t *testing.T) {
	texts, err := fs.Sub(textFiles, "texts")
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := web.NewCatalogue(texts)
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	files, err := fs.Glob(pageFiles, "pages/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := fs.ReadFile(pageFiles, f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\.T "([^"]+)"`).FindAllStringSubmatch(string(b), -1) {
			named++
			if !catalogue.Has(m[1]) {
				t.Errorf("%s names %q, which no language has", f, m[1])
			}
		}
	}
	if named < 40 {
		t.Errorf("only %d keys were found: the pages are written otherwise than this test reads them", named)
	}
	for _, status := range []int{400, 401, 403, 404, 500, 503} {
		if key := "failure." + strconv.Itoa(status); !catalogue.Has(key) || !catalogue.Has(key+".advice") {
			t.Errorf("no words for status %d", status)
		}
	}
}
