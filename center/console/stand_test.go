package console

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2/memstore"
	"golang.org/x/net/html"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/internal/signin"
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
	s.store.put(center.Officer{Login: "road", Name: "王建国", Role: center.Enforcer, Competence: wim.RoadAdministration, Hash: hash})
	s.store.put(center.Officer{Login: "police", Name: "李卫东", Role: center.Enforcer, Competence: wim.TrafficPolice, Hash: hash})
	s.store.sites = []center.SiteState{{Site: "g107-north", Seq: 7, Online: true, Heard: s.store.now()}}
	zone := time.FixedZone("CST", 8*3600)
	regions, err := center.NewMap([]center.Place{{Region: "51", Zh: "四川省", En: "Sichuan"}, {Region: "51/5101", Zh: "成都市", En: "Chengdu"}, {Region: "51/5107", Zh: "绵阳市", En: "Mianyang"}})
	if err != nil {
		t.Fatal(err)
	}
	c, err := newConsole(Config{
		CheckParcel: checkParcel,
		Store:       s.store, Sessions: memstore.NewWithCleanupInterval(0), Pictures: s.pictures, Title: "Centre", Location: zone, Regions: regions,
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
// cheapHashes has the hash of each password: the same one each time, as a store has it.
var cheapHashes sync.Map

func cheapHash(password string) string {
	if h, ok := cheapHashes.Load(password); ok {
		return h.(string)
	}
	h, err := signin.HashPasswordAt(password, signin.Costs{Memory: 64, Time: 1, Threads: 1})
	if err != nil {
		panic(err)
	}
	same, _ := cheapHashes.LoadOrStore(password, h)
	return same.(string)
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

// all finds the elements that a simple selector names: "tag", ".class", "#id", "[attribute]" or
// "[attribute=value]", these behind each other, and descendants by spaces.
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
	if i := strings.IndexAny(part, ".#["); i != 0 {
		name := part
		if i > 0 {
			name, part = part[:i], part[i:]
		} else {
			part = ""
		}
		if n.Data != name {
			return false
		}
	}
	for part != "" {
		end := len(part)
		if i := strings.IndexAny(part[1:], ".#["); i >= 0 && part[0] != '[' {
			end = i + 1
		} else if part[0] == '[' {
			end = strings.IndexByte(part, ']') + 1
		}
		if !one(n, part[:end]) {
			return false
		}
		part = part[end:]
	}
	return true
}

// one tells whether an element has a class, an id or an attribute.
func one(n *html.Node, part string) bool {
	switch part[0] {
	case '#':
		return attribute(n, "id") == part[1:]
	case '.':
		return slices.Contains(strings.Fields(attribute(n, "class")), part[1:])
	}
	key, value, exact := strings.Cut(strings.Trim(part, "[]"), "=")
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key && (!exact || a.Val == value) })
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
