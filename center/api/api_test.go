package api

import (
	"encoding/json"
	"errors"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

var update = flag.Bool("update", false, "write the golden files anew")

// rig is the interface over a fake store, with a token for each kind of officer.
type rig struct {
	*fake
	h                                           http.Handler
	roadToken, policeToken, readOnly, elsewhere string
	auditor, manager                            string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	f := newFake(t)
	regions, err := center.NewMap([]center.Place{{Region: "51", Zh: "四川省", En: "Sichuan"}, {Region: "51/5101", Zh: "成都市", En: "Chengdu"}})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{fake: f}
	if r.h, err = New(Config{Store: f, Pictures: f, Regions: regions}); err != nil {
		t.Fatal(err)
	}
	all := center.Scopes()
	r.roadToken = f.officer(t, center.Officer{Login: "li", Role: center.Enforcer, Competence: road, Region: "51"}, all...)
	r.policeToken = f.officer(t, center.Officer{Login: "wang", Role: center.Enforcer, Competence: police}, all...)
	r.readOnly = f.officer(t, center.Officer{Login: "li", Role: center.Enforcer, Competence: road, Region: "51"}, center.ScopeMattersRead)
	r.elsewhere = f.officer(t, center.Officer{Login: "he", Role: center.Enforcer, Competence: road, Region: "52"}, all...)
	r.auditor = f.officer(t, center.Officer{Login: "zhao", Role: center.Auditor}, all...)
	r.manager = f.officer(t, center.Officer{Login: "sun", Role: center.Administrator}, all...)
	return r
}

func (r *rig) ask(t *testing.T, method, path, token, body string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	r.h.ServeHTTP(w, req)
	return w
}

func decode[T any](t *testing.T, w *httptest.ResponseRecorder) (out T) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	return out
}

func TestWhoMayDoWhat(t *testing.T) {
	const ack = `{"kind":"acknowledge","seen_version":0}`
	for _, c := range []struct {
		name         string
		token        func(*rig) string
		method, path string
		body         string
		want         int
	}{
		{"without a token nothing is answered", func(*rig) string { return "" }, "GET", "/matters", "", 401},
		{"a token that is no token is refused", func(*rig) string { return "axg_x" }, "GET", "/matters", "", 401},
		{"a token nobody made is refused", func(*rig) string { return center.TokenSecret([32]byte{99}) }, "GET", "/matters", "", 401},
		{"an enforcer reads the queue", func(r *rig) string { return r.roadToken }, "GET", "/matters", "", 200},
		{"an enforcer reads a matter", func(r *rig) string { return r.roadToken }, "GET", "/matters/7", "", 200},
		{"a matter that is not there is not found", func(r *rig) string { return r.roadToken }, "GET", "/matters/8", "", 404},
		{"an enforcer of another region finds nothing", func(r *rig) string { return r.elsewhere }, "GET", "/matters/7", "", 404},
		{"an administrator sees no matter", func(r *rig) string { return r.manager }, "GET", "/matters/7", "", 404},
		{"an auditor reads a matter", func(r *rig) string { return r.auditor }, "GET", "/matters/7", "", 200},
		{"an auditor does nothing to it", func(r *rig) string { return r.auditor }, "POST", "/matters/7/acts", ack, 403},
		{"a token without the scope to act only reads", func(r *rig) string { return r.readOnly }, "POST", "/matters/7/acts", ack, 403},
		{"an enforcer acts", func(r *rig) string { return r.roadToken }, "POST", "/matters/7/acts", ack, 200},
		{"an enforcer of another region cannot act", func(r *rig) string { return r.elsewhere }, "POST", "/matters/7/acts", ack, 404},
		{"an auditor reads the trail", func(r *rig) string { return r.auditor }, "GET", "/trail", "", 200},
		{"an enforcer does not", func(r *rig) string { return r.roadToken }, "GET", "/trail", "", 403},
		{"sites need their scope", func(r *rig) string { return r.readOnly }, "GET", "/sites", "", 403},
		{"sites are listed", func(r *rig) string { return r.manager }, "GET", "/sites", "", 200},
		{"a period of a site needs the same", func(r *rig) string { return r.readOnly }, "GET", "/sites/north-1/coverage?from=2026-05-04T00:00:00Z&to=2026-05-05T00:00:00Z", "", 403},
		{"a period of a site is accounted for", func(r *rig) string { return r.manager }, "GET", "/sites/north-1/coverage?from=2026-05-04T00:00:00Z&to=2026-05-05T00:00:00Z", "", 200},
		{"a site that is not there is not found", func(r *rig) string { return r.manager }, "GET", "/sites/nowhere/coverage?from=2026-05-04T00:00:00Z&to=2026-05-05T00:00:00Z", "", 404},
		{"a period is not longer than 31 days", func(r *rig) string { return r.manager }, "GET", "/sites/north-1/coverage?from=2026-05-04T00:00:00Z&to=2026-07-05T00:00:00Z", "", 422},
		{"a path that is not there says where the description is", func(*rig) string { return "" }, "GET", "/nothing", "", 404},
		{"the description needs no token", func(*rig) string { return "" }, "GET", "/openapi.json", "", 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			w := r.ask(t, c.method, Prefix+c.path, c.token(r), c.body)
			if w.Code != c.want {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("it may be cached: %v", w.Header())
			}
			if w.Code >= 400 && !strings.Contains(w.Header().Get("Content-Type"), "problem+json") {
				t.Errorf("%v %s", w.Header(), w.Body)
			}
		})
	}
}

func TestAnActIsDoneOnceAndOnWhatWasSeen(t *testing.T) {
	r := newRig(t)
	act := func(token, body string) *httptest.ResponseRecorder {
		return r.ask(t, "POST", Prefix+"/matters/7/acts", token, body)
	}
	m := decode[Matter](t, act(r.roadToken, `{"kind":"acknowledge","seen_version":0}`))
	if m.Version != 1 || m.Alerts[0].AcknowledgedBy != "li" || m.State != "alerted" {
		t.Fatalf("%+v", m)
	}
	if w := act(r.policeToken, `{"kind":"acknowledge","seen_version":0}`); w.Code != 409 || !strings.Contains(w.Body.String(), "read it again") {
		t.Errorf("on an older version: %d %s", w.Code, w.Body)
	}
	if m = decode[Matter](t, act(r.policeToken, `{"kind":"acknowledge","seen_version":1}`)); m.State != "acknowledged" {
		t.Errorf("%+v", m)
	}
	for _, c := range []struct {
		name, body, want string
		status           int
	}{
		{"an act of another kind", `{"kind":"explode","seen_version":2}`, "kind", 422},
		{"an act without the version", `{"kind":"remark","details":{"remark":"x"}}`, "seen_version", 422},
		{"a case without its number", `{"kind":"open-case","seen_version":2}`, "body.details.number", 422},
		{"a number that is taken", `{"kind":"open-case","seen_version":2,"details":{"number":"taken"}}`, "another case", 409},
		{"a field that does not belong", `{"kind":"intercept","seen_version":2,"details":{"place":"x","number":"1"}}`, "body.details.number", 422},
		{"a field that nobody knows", `{"kind":"remark","seen_version":2,"details":{"remark":"x","weight":1}}`, "weight", 422},
		{"control characters in a remark", `{"kind":"remark","seen_version":2,"details":{"remark":"a\r\nSet-Cookie: x"}}`, "body.details.remark", 422},
		{"a weighing beyond all trucks", `{"kind":"weigh","seen_version":2,"details":{"weighing":{"gross_kg":9999999,"ticket":"1","instrument":"2"}}}`, "gross_kg", 422},
		{"a weighing in the far future", `{"kind":"weigh","seen_version":2,"details":{"weighing":{"gross_kg":1,"ticket":"1","instrument":"2","at":"2900-01-01T00:00:00Z"}}}`, "weighing.at", 422},
		{"half a request", `{"kind":"remark"`, "", 400},
		{"a request beyond all bounds", `{"kind":"remark","seen_version":2,"details":{"remark":"` + strings.Repeat("x", maxBody) + `"}}`, "", 413},
		{"an act that the state does not allow", `{"kind":"acknowledge","seen_version":2}`, "state", 409},
	} {
		if w := act(r.roadToken, c.body); w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
	}
	if r.docket.Matter.Version != 2 || len(r.acts) != 2 {
		t.Errorf("something was written: %+v", r.docket)
	}
	m = decode[Matter](t, act(r.roadToken, `{"kind":"weigh","seen_version":2,"details":{"weighing":{"gross_kg":51980,"ticket":"T-1","instrument":"S-9","at":"2026-11-23T08:00:00+08:00"}}}`))
	f := decode[File](t, r.ask(t, "GET", Prefix+"/matters/7", r.auditor, ""))
	w := f.Acts[2].Details.Weighing
	if m.State != "weighed" || w == nil || w.Gross != 51980 || w.At.UTC().Format(time.RFC3339) != "2026-11-23T00:00:00Z" || f.Gross != 52340 {
		t.Errorf("%+v %+v", m, f.Acts)
	}
}

func TestAQueryIsPassedOnOrRefused(t *testing.T) {
	r := newRig(t)
	w := r.ask(t, "GET", Prefix+"/matters?plate=%E5%B7%9Da-12&region=51/5101&state=alerted&state=weighed&standing=evidence&owed=true&from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00%2B08:00&before=90&limit=3", r.roadToken, "")
	if w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	q := r.query
	if q.Plate != "川A12" || q.Region != "51/5101" || len(q.States) != 2 || q.Standing != wim.Evidence || !q.Owed || q.Before != 90 || q.Limit != 3 ||
		q.From.Std().Format(time.DateOnly) != "2026-11-01" || q.To.Std().Format(time.DateTime) != "2026-11-01 16:00:00" {
		t.Errorf("%+v", q)
	}
	if len(r.trail) != 1 || r.trail[0].Login != "li" || r.trail[0].Subject != "queue" || !strings.Contains(r.trail[0].Detail, "川A12") || !strings.Contains(r.trail[0].Detail, "token report") {
		t.Errorf("a search by plate was not noted: %+v", r.trail)
	}
	for _, c := range []struct{ name, query, want string }{
		{"a region that does not exist", "region=99", "query.region"},
		{"a region that cannot be one", "region=51/'%20OR%201", "query.region"},
		{"an end before the beginning", "from=2026-11-02T00:00:00Z&to=2026-11-01T00:00:00Z", "query.to"},
		{"a time that is none", "from=yesterday", "query.from"},
		{"a state that is none", "state=eaten", "query.state"},
		{"a page beyond the bound", "limit=100000", "query.limit"},
		{"a site that cannot be one", "site=../../etc", "query.site"},
		{"a parameter that nobody knows", "sql=1", "sql"},
		{"a plate beyond all plates", "plate=" + strings.Repeat("A", 17), "plate"},
	} {
		if w := r.ask(t, "GET", Prefix+"/matters?"+c.query, r.roadToken, ""); w.Code != 422 || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
	}
}

func TestALookThatCannotBeNotedIsNotAnswered(t *testing.T) {
	r := newRig(t)
	r.mute = errors.New("disk full")
	for _, path := range []string{"/matters", "/matters/7", "/matters?plate=A", "/trail"} {
		if w := r.ask(t, "GET", Prefix+path, r.auditor, ""); w.Code != 500 || strings.Contains(w.Body.String(), "disk") || strings.Contains(w.Body.String(), "52340") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	r.mute = nil
	r.ask(t, "GET", Prefix+"/matters/7", r.auditor, "")
	if len(r.trail) != 1 || r.trail[0].Subject != "matter 7" || r.trail[0].Login != "zhao" {
		t.Errorf("%+v", r.trail)
	}
}

func TestAStoreThatIsDownIsSaidWithoutItsSecrets(t *testing.T) {
	r := newRig(t)
	r.broken = errors.New("dial postgres://user:secret@db")
	for _, path := range []string{"/matters", "/matters/7", "/events", "/sites", "/trail"} {
		if w := r.ask(t, "GET", Prefix+path, r.auditor, ""); w.Code != 500 || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestEventsWaitForTheNext(t *testing.T) {
	r := newRig(t)
	type page struct{ Events []Event }
	if p := decode[page](t, r.ask(t, "GET", Prefix+"/events", r.roadToken, "")); len(p.Events) != 0 {
		t.Errorf("%+v", p)
	}
	got := make(chan page, 1)
	go func() { got <- decode[page](t, r.ask(t, "GET", Prefix+"/events?wait_s=60", r.roadToken, "")) }()
	r.ask(t, "POST", Prefix+"/matters/7/acts", r.policeToken, `{"kind":"acknowledge","seen_version":0}`)
	select {
	case p := <-got:
		if len(p.Events) != 1 || p.Events[0].ID != 1 || p.Events[0].Matter != 7 {
			t.Errorf("%+v", p)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it goes on waiting")
	}
	if p := decode[page](t, r.ask(t, "GET", Prefix+"/events?after=1", r.roadToken, "")); len(p.Events) != 0 {
		t.Errorf("again: %+v", p)
	}
}

func TestGuessingTokensIsSlowedDownAndRightOnesAreNot(t *testing.T) {
	r := newRig(t)
	var refused int
	for i := range 60 {
		if w := r.ask(t, "GET", Prefix+"/sites", center.TokenSecret([32]byte{31: byte(i + 1)}), ""); w.Code == 429 {
			refused++
			if w.Header().Get("Retry-After") == "" {
				t.Fatal("without saying when to come back")
			}
		}
	}
	if refused < 30 {
		t.Errorf("%d of 60 refused", refused)
	}
	other := newRig(t)
	for range 200 {
		if w := other.ask(t, "GET", Prefix+"/sites", other.manager, ""); w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
}

func TestAPictureIsShownWithItsMatterOnly(t *testing.T) {
	r := newRig(t)
	jpeg := append([]byte{0xff, 0xd8, 0xff}, "picture"...)
	for d, b := range map[wim.Digest][]byte{{1}: jpeg, {2}: jpeg} {
		if err := os.WriteFile(filepath.Join(r.dir, d.String()), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := Prefix + "/pictures/" + wim.Digest{1}.String()
	if w := r.ask(t, "GET", path+"?matter=7", r.roadToken, ""); w.Code != 200 || w.Body.String() != string(jpeg) || w.Header().Get("Content-Type") != "image/jpeg" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	for name, p := range map[string]string{
		"of another matter":       path + "?matter=8",
		"that it does not show":   Prefix + "/pictures/" + wim.Digest{2}.String() + "?matter=7",
		"of an officer elsewhere": path + "?matter=7&",
	} {
		token := r.roadToken
		if strings.Contains(name, "elsewhere") {
			token = r.elsewhere
		}
		if w := r.ask(t, "GET", p, token, ""); w.Code != 404 {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	if err := os.WriteFile(filepath.Join(r.dir, wim.Digest{1}.String()), []byte("<script>"), 0o600); err != nil {
		t.Fatal(err)
	}
	if w := r.ask(t, "GET", path+"?matter=7", r.roadToken, ""); w.Code != 404 {
		t.Errorf("what is no JPEG was handed out: %d", w.Code)
	}
}

func TestTheDescriptionIsTheOneInTheDocs(t *testing.T) {
	f := newFake(t)
	got, err := Describe(Config{Store: f, Pictures: f, Version: "1"})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(got), "components:") || !strings.Contains(string(got), "openapi: 3.1.0") {
		t.Errorf("%.200s", got)
	}
	golden := filepath.Join("..", "..", "docs", "openapi.yaml")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Error("docs/openapi.yaml differs from what the program serves; run: make golden, and look at the diff")
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	f := newFake(t)
	for _, c := range []Config{{Pictures: f}, {Store: f}} {
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), "missing") {
			t.Error(err)
		}
		if _, err := Describe(c); err == nil {
			t.Error("described")
		}
	}
}
