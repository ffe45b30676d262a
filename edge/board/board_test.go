package board

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/axlegate/axlegate/edge"
	"github.com/axlegate/axlegate/internal/signin"
	"github.com/axlegate/axlegate/wim"
)

// fakeSite is a site that holds one passage.
type fakeSite struct {
	bridge *fakeBridge

	mu      sync.Mutex
	head    uint64
	account *edge.Account
	health  edge.Health
	keyed   []edge.Keyed
	err     error // of Key
	picture string
}

func (s *fakeSite) Health(context.Context) edge.Health {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.health
}

func (s *fakeSite) Head() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.head
}

func (s *fakeSite) Accounts(context.Context, int) ([]*edge.Account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.account == nil {
		return nil, nil
	}
	return []*edge.Account{s.account}, nil
}

func (s *fakeSite) Account(_ context.Context, chain wim.ChainID, seq uint64) (*edge.Account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.account == nil || s.account.Ref.Chain != chain || s.account.Ref.Seq != seq {
		return nil, edge.ErrNoPassage
	}
	return s.account, nil
}

func (s *fakeSite) Key(_ context.Context, k edge.Keyed) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := k.Validate(); err != nil {
		return err
	}
	if s.err != nil {
		return s.err
	}
	s.keyed = append(s.keyed, k)
	s.head++
	next := *s.account
	next.Supplements = append(next.Supplements, edge.Addition{Supplement: &wim.Supplement{Cause: wim.SupplementKeyed, By: k.By}, Recorded: 1})
	s.account = &next
	return nil
}

func (s *fakeSite) Picture(d wim.Digest) (*os.File, error) {
	if d != wim.DigestOf([]byte("jpeg")) {
		return nil, fs.ErrNotExist
	}
	return os.Open(s.picture)
}

// hostile is a text that would be markup if it were not escaped.
const hostile = `<b onmouseover="x()">川</b>`

type visitor struct {
	testing.TB

	site *fakeSite
	url  string
	http *http.Client
}

func newVisitor(t *testing.T) *visitor {
	t.Helper()
	hash, err := signin.HashPasswordAt("long enough", signin.Costs{Memory: 64, Time: 1, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	s := &fakeSite{bridge: &fakeBridge{}, head: 7, picture: filepath.Join(t.TempDir(), "p.jpg"), health: edge.Health{State: edge.StateDegraded, Devices: []edge.DeviceStatus{
		{Device: "scale-1", Lane: 1, Up: true, State: edge.DeviceLive}, {Device: "camera-2", Lane: 2, State: edge.DeviceFailed, Reason: "connection refused " + hostile}, {Device: "uplink", State: edge.DeviceConnecting}}}}
	if err := os.WriteFile(s.picture, []byte("jpeg"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := wim.Facts{Time: 1_800_000_000_000_000_000, Vehicle: wim.Vehicle{Lane: 1, Gross: 52340, Speed: 400, Class: "train-6 (3S3)", Configuration: wim.Train, Sure: true,
		Axles: []wim.Axle{{Index: 1, Load: 6000}, {Index: 2, Load: 9000, Spacing: 3500}, {Index: 3, Load: 9000, Spacing: 1350}}, Flags: wim.PlateUncertain},
		Units: []wim.Unit{{Plate: hostile, Color: wim.Yellow}, {Plate: "川A1234挂", Color: wim.Yellow}}}
	v := wim.Verdict{Opinions: []wim.Opinion{
		{Competence: wim.RoadAdministration, Outcome: wim.Exceeded, Standing: wim.Screening, Reasons: wim.LimitRecalled},
		{Competence: wim.TrafficPolice, Outcome: wim.Unknown, Standing: wim.Evidence, Why: "registration"}},
		Findings: []wim.Finding{{Competence: wim.RoadAdministration, Limit: "gross", Scope: wim.ScopeGross, Outcome: wim.Exceeded, Measured: 52340, Permitted: 49000, Excess: 3340, Ratio: 68}}}
	s.account = &edge.Account{Ref: wim.RecordRef{Site: "north-1", Chain: wim.ChainID{1}, Seq: 7}, Passage: &wim.Passage{Order: wim.OrderEnter},
		Facts: f, Verdict: v, Reads: []wim.PlateRead{{Text: hostile, End: wim.Front, Picture: wim.DigestOf([]byte("jpeg"))}}}
	b, err := New(Config{Site: s, Name: "north-1", Road: "G5", Staff: []Person{{Login: "chen", Name: "Chen", Hash: hash}}, Bridges: []Bridge{s.bridge}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{TB: t, site: s, url: server.URL, http: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// ask sends a request and wants a status; it returns the body.
func (v *visitor) ask(method, path string, form url.Values, want int, header ...string) string {
	v.Helper()
	req, err := http.NewRequestWithContext(v.Context(), method, v.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		v.Fatal(err)
	}
	req.Header.Set("Accept", "text/html")
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	a, err := v.http.Do(req)
	if err != nil {
		v.Fatal(err)
	}
	defer a.Body.Close() //nolint:errcheck // it was read
	body, err := io.ReadAll(a.Body)
	if err != nil {
		v.Fatal(err)
	}
	if a.StatusCode != want {
		v.Errorf("%s %s: status %d, want %d", method, path, a.StatusCode, want)
	}
	if strings.Contains(string(body), hostile) {
		v.Errorf("%s %s: what a device sent became markup", method, path)
	}
	return string(body)
}

func (v *visitor) signIn() {
	v.Helper()
	v.ask(http.MethodPost, "/sign-in", url.Values{"login": {"chen"}, "password": {"long enough"}}, http.StatusSeeOther)
}

const passage = "/passages/01000000000000000000000000000000/7"

func TestOnlyStaffSeeThePages(t *testing.T) {
	v := newVisitor(t)
	for _, path := range []string{"/", "/events", passage, "/pictures/" + wim.DigestOf([]byte("jpeg")).String()} {
		v.ask(http.MethodGet, path, nil, http.StatusSeeOther)
		v.ask(http.MethodGet, path, nil, http.StatusUnauthorized, "Accept", "text/event-stream")
	}
	v.ask(http.MethodPost, passage+"/licences", url.Values{"plate-1": {"川A12345"}}, http.StatusUnauthorized)
	v.ask(http.MethodPost, "/sign-in", url.Values{"login": {"chen"}, "password": {"wrong one"}}, http.StatusUnauthorized)
	v.ask(http.MethodPost, "/sign-in", url.Values{"login": {"nobody"}, "password": {"long enough"}}, http.StatusUnauthorized)
	v.signIn()
	v.ask(http.MethodGet, "/", nil, http.StatusOK)
	v.ask(http.MethodGet, "/pictures/"+wim.DigestOf([]byte("jpeg")).String(), nil, http.StatusOK)
	v.ask(http.MethodGet, "/pictures/"+wim.DigestOf([]byte("other")).String(), nil, http.StatusNotFound)
	v.ask(http.MethodGet, "/passages/01000000000000000000000000000000/8", nil, http.StatusNotFound)
	v.ask(http.MethodPost, passage+"/licences", url.Values{"plate-1": {"川A12345"}}, http.StatusForbidden, "Sec-Fetch-Site", "cross-site")
	v.ask(http.MethodPost, "/sign-out", url.Values{}, http.StatusSeeOther)
	v.ask(http.MethodGet, "/", nil, http.StatusSeeOther)
	if len(v.site.keyed) != 0 {
		t.Error("something was keyed")
	}
}

func TestPagesSpeakBothLanguages(t *testing.T) {
	v := newVisitor(t)
	v.signIn()
	for _, c := range []struct{ language, down, suspected string }{
		{"zh", "故障", "嫌疑"}, {"en", "failed", "Suspected"},
	} {
		home := v.ask(http.MethodGet, "/", nil, http.StatusOK, "Accept-Language", c.language)
		for _, want := range []string{c.down, c.suspected, "camera-2", "lane-down", "52.34", "connection refused"} {
			if !strings.Contains(home, want) {
				t.Errorf("%s: the first page lacks %q", c.language, want)
			}
		}
		page := v.ask(http.MethodGet, passage, nil, http.StatusOK, "Accept-Language", c.language)
		for _, want := range []string{`lang="` + c.language + `"`, "<svg", "49", `name="plate-2" value="川A1234挂"`, `name="kerb-1"`} {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the passage's page lacks %q", c.language, want)
			}
		}
	}
}

func TestLicencesAreKeyedUnderTheNameOfWhoIsSignedIn(t *testing.T) {
	v := newVisitor(t)
	v.signIn()
	v.ask(http.MethodPost, passage+"/licences", url.Values{
		"plate-1": {" 川A12345 "}, "color-1": {"yellow"}, "kind-1": {"goods"}, "kerb-1": {"8 800 kg"}, "towed-1": {"40000"}, "axles-1": {"3"}, "drive-1": {"2"}, "air-1": {"air"},
		"plate-2": {"川A1234挂"},
	}, http.StatusSeeOther)
	if len(v.site.keyed) != 1 {
		t.Fatal("nothing was keyed")
	}
	k := v.site.keyed[0]
	if k.By != "chen" || k.Of != v.site.account.Ref || len(k.Units) != 2 || k.Units[1].Registration != nil {
		t.Errorf("keyed %+v", k)
	}
	want := wim.Registration{Kind: wim.Goods, Kerb: 8800, Towed: 40000, Axles: 3, DriveAxles: 2, Suspension: wim.AirSuspension}
	if u := k.Units[0]; u.Plate != "川A12345" || u.Color != wim.Yellow || u.Registration == nil || *u.Registration != want {
		t.Errorf("unit %+v, licence %+v", u, u.Registration)
	}
	if page := v.ask(http.MethodGet, passage+"?saved", nil, http.StatusOK); !strings.Contains(page, "chen") || !strings.Contains(page, "notice-good") {
		t.Error("the page does not say that it was saved, and by whom")
	}
}

func TestWhatCannotBeReadIsShownAtItsFieldWithNothingLost(t *testing.T) {
	for _, c := range []struct {
		name   string
		form   url.Values
		err    error
		status int
		kept   string // what stands in the form again
		marks  int    // fields that say what is wrong
	}{
		{"no plate", url.Values{"kerb-1": {"8800"}}, nil, 422, `value="8800"`, 1},
		{"a mass that is no number", url.Values{"plate-1": {"川A12345"}, "kerb-1": {"8,8"}, "gross-1": {"-1"}}, nil, 422, `value="8,8"`, 2},
		{"more axles than there are", url.Values{"plate-1": {"川A12345"}, "axles-1": {"33"}, "kerb-1": {"1"}}, nil, 422, `value="33"`, 1},
		{"a trailer's licence without its plate", url.Values{"plate-1": {"川A12345"}, "rated-2": {"30000"}}, nil, 422, `value="30000"`, 1},
		{"one plate twice", url.Values{"plate-1": {"川A12345"}, "plate-2": {"川a12345"}}, nil, 422, `value="川a12345"`, 0},
		{"a disk that takes nothing", url.Values{"plate-1": {"川A12345"}}, edge.ErrNotWritten, 503, `value="川A12345"`, 0},
		{"a passage that has gone meanwhile", url.Values{"plate-1": {"川A12345"}}, edge.ErrNoPassage, 404, "", 0},
		{"another fault", url.Values{"plate-1": {"川A12345"}}, errors.New("secret"), 500, "", 0},
		{"a form that is too large", url.Values{"plate-1": {strings.Repeat("x", 20<<10)}}, nil, 400, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := newVisitor(t)
			v.signIn()
			v.site.err = c.err
			page := v.ask(http.MethodPost, passage+"/licences", c.form, c.status)
			if !strings.Contains(page, c.kept) {
				t.Errorf("%s is lost", c.kept)
			}
			if n := strings.Count(page, `aria-invalid="true"`); n != c.marks {
				t.Errorf("%d fields are marked, want %d", n, c.marks)
			}
			if len(v.site.keyed) != 0 || strings.Contains(page, "secret") {
				t.Error("it was keyed, or the cause is shown")
			}
		})
	}
}

func TestALivePageIsToldWhatChanges(t *testing.T) {
	v := newVisitor(t)
	v.signIn()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, v.url+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := v.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close() //nolint:errcheck // the test is over
	lines := bufio.NewReader(a.Body)
	next := func() (event, data string) {
		t.Helper()
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if e, ok := strings.CutPrefix(line, "event: "); ok {
				event = strings.TrimSpace(e)
			}
			if data, ok := strings.CutPrefix(line, "data: "); ok {
				return event, data
			}
		}
	}
	if _, first := next(); !strings.Contains(first, "connection refused") {
		t.Fatalf("the first view is %s", first)
	}
	v.site.mu.Lock()
	v.site.health.Devices = []edge.DeviceStatus{{Device: "camera-2", Lane: 2, Up: true, State: edge.DeviceLive}}
	v.site.mu.Unlock()
	for {
		if _, now := next(); strings.Contains(now, "camera-2") && !strings.Contains(now, "connection refused") {
			break
		}
	}
	v.ask(http.MethodPost, "/sign-out", url.Values{}, http.StatusSeeOther)
	for {
		if event, _ := next(); event == "ended" {
			break
		}
	}
	v.signIn()
	v.ask(http.MethodGet, "/events?of=/passages/nonsense", nil, http.StatusBadRequest)
}
