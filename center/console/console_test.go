package console

import (
	"context"
	"io"
	"io/fs"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2/memstore"
	"golang.org/x/net/html"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/internal/web"
	"github.com/axlegate/axlegate/wim"
)

const password = "a long password"

// stand is a console over a fake store, served on a real socket.
type stand struct {
	*testing.T
	store    *fakeStore
	pictures fakePictures
	console  *Console
	server   *httptest.Server
	jpeg     wim.Digest
}

func newStand(t *testing.T) *stand {
	t.Helper()
	hash := cheapHash(password)
	s := &stand{T: t, store: newFakeStore(), pictures: fakePictures{t.TempDir()}}
	s.jpeg = s.pictures.put(t, testJPEG(t))
	s.store.put(center.Officer{Login: "road", Name: "王建国", Competence: wim.RoadAdministration, Hash: hash})
	s.store.put(center.Officer{Login: "police", Name: "李卫东", Competence: wim.TrafficPolice, Hash: hash})
	s.store.sites = []center.SiteState{{Site: "g107-north", Seq: 7, Online: true, Heard: s.store.now()}}
	zone := time.FixedZone("CST", 8*3600)
	c, err := newConsole(Config{
		Store: s.store, Sessions: memstore.NewWithCleanupInterval(0), Pictures: s.pictures, Title: "Centre", Location: zone,
		Authorities: map[wim.Competence]Name{
			wim.RoadAdministration: {Zh: "公路支队", En: "Road Administration"}, wim.TrafficPolice: {Zh: "交警支队", En: "Traffic Police"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.console = c
	s.server = httptest.NewServer(c)
	t.Cleanup(s.server.Close)
	return s
}

// cheapHash is a right hash that costs little: the costs of real ones have a test of their own.
func cheapHash(password string) string {
	h := hash{memory: 64, time: 1, threads: 1, salt: []byte("0123456789abcdef")}
	h.key = h.of(password, 32)
	return h.String()
}

// raise adds an alert for each authority and returns the ids.
func (s *stand) raise() (road, police int64) {
	at := s.store.now()
	return s.store.raise(sample(wim.RoadAdministration, at, s.jpeg)), s.store.raise(sample(wim.TrafficPolice, at, s.jpeg))
}

// browser is a client with a cookie jar that does not follow redirects.
type browser struct {
	*stand
	http *http.Client
}

func (s *stand) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.Fatal(err)
	}
	return &browser{s, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// as is a browser signed in as an officer.
func (s *stand) as(login string) *browser {
	s.Helper()
	b := s.browser()
	if r := b.post("/sign-in", url.Values{"login": {login}, "password": {password}}); r.status != http.StatusSeeOther {
		s.Fatalf("sign-in as %s: %d", login, r.status)
	}
	return b
}

// answer is a response that was read to its end.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	body   string
}

func (b *browser) do(r *http.Request) answer {
	b.Helper()
	res, err := b.http.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := res.Body.Close(); err != nil {
			b.Error(err)
		}
	}()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.Fatal(err)
	}
	return answer{b.T, res.StatusCode, res.Header, string(body)}
}

func (b *browser) request(method, path string, form url.Values) *http.Request {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), method, b.server.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Accept-Language", "en")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

func (b *browser) get(path string) answer { return b.do(b.request(http.MethodGet, path, nil)) }

func (b *browser) post(path string, form url.Values) answer {
	return b.do(b.request(http.MethodPost, path, form))
}

// all finds the elements that a simple selector names: "tag", ".class", "#id", "tag.class", "[attribute]" or
// "[attribute=value]", and descendants by spaces.
func (a answer) all(selector string) []*html.Node {
	a.t.Helper()
	root, err := html.Parse(strings.NewReader(a.body))
	if err != nil {
		a.t.Fatal(err)
	}
	found := []*html.Node{root}
	for _, part := range strings.Fields(selector) {
		var next []*html.Node
		for _, n := range found {
			for d := range n.Descendants() {
				if matches(d, part) {
					next = append(next, d)
				}
			}
		}
		found = next
	}
	return found
}

func (a answer) one(selector string) *html.Node {
	a.t.Helper()
	all := a.all(selector)
	if len(all) != 1 {
		a.t.Fatalf("%d elements match %q, want one, in\n%s", len(all), selector, a.body)
	}
	return all[0]
}

func matches(n *html.Node, part string) bool {
	if n.Type != html.ElementNode {
		return false
	}
	name := part
	if i := strings.IndexAny(part, ".#["); i >= 0 {
		name, part = part[:i], part[i:]
	} else {
		part = ""
	}
	if name != "" && n.Data != name {
		return false
	}
	switch {
	case part == "":
		return true
	case part[0] == '#':
		return attribute(n, "id") == part[1:]
	case part[0] == '.':
		for _, c := range strings.Fields(attribute(n, "class")) {
			if c == part[1:] {
				return true
			}
		}
		return false
	}
	key, value, exact := strings.Cut(strings.Trim(part, "[]"), "=")
	for _, at := range n.Attr {
		if at.Key == key && (!exact || at.Val == value) {
			return true
		}
	}
	return false
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(strings.ReplaceAll(b.String(), "\u202f", " ")), " ")
}

func (a answer) says(selector, want string) {
	a.t.Helper()
	if got := textOf(a.one(selector)); !strings.Contains(got, want) {
		a.t.Errorf("%s says %q, want %q in it", selector, got, want)
	}
}

func (a answer) wants(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status %d, want %d; %s", a.status, status, a.body)
	}
	return a
}

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
	s.store.put(center.Officer{Login: "road", Competence: wim.TrafficPolice, Hash: cheapHash(password)})
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
	s.store.put(center.Officer{Login: "other", Competence: wim.RoadAdministration, Hash: cheapHash(password)})
	other := s.as("other")
	other.post(path, nil).wants(http.StatusConflict).says(".notice", "Already acknowledged by road at")
	a := other.post(path+"?fragment", nil).wants(http.StatusConflict)
	a.says("article .notice", "Already acknowledged by road at")
	if e, err := s.store.Entry(t.Context(), wim.RoadAdministration, road); err != nil || e.Alert.AcknowledgedBy != "road" {
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
	if e, err := s.store.Entry(t.Context(), wim.RoadAdministration, road); err != nil || e.Alert.AcknowledgedAt != 0 {
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

func (panicking) Totals(context.Context, wim.Competence, wim.Time) (center.Totals, error) {
	panic("totals")
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
