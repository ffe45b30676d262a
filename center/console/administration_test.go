package console

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/internal/signin"
	"github.com/axlegate/axlegate/wim"
)

// hostile is what somebody would enter to be taken for something else.
const hostile = `<script>alert(1)</script>"'; DROP TABLE officer;--`

// newOffice is a stand with an officer of every role: administrators of everything and of a city, an auditor.
func newOffice(t *testing.T) *stand {
	t.Helper()
	s := newStand(t)
	stored := cheapHash(password)
	s.store.put(center.Officer{Login: "road", Name: "Wang", Role: center.Enforcer, Competence: wim.RoadAdministration, Hash: stored})
	s.store.put(center.Officer{Login: "police", Name: "Li", Role: center.Enforcer, Competence: wim.TrafficPolice, Hash: stored})
	s.store.put(center.Officer{Login: "admin", Name: "Ma Li", Role: center.Administrator, Hash: stored})
	s.store.put(center.Officer{Login: "city", Role: center.Administrator, Region: "51/5101", Hash: stored})
	s.store.put(center.Officer{Login: "auditor", Role: center.Auditor, Hash: stored})
	s.store.put(center.Officer{Login: "fixed", Role: center.Auditor, Region: "51/5101", Hash: stored, Configured: true})
	s.store.put(center.Officer{Login: "chengdu", Role: center.Enforcer, Competence: wim.TrafficPolice, Region: "51/5101", Hash: stored})
	s.store.put(center.Officer{Login: "mianyang", Role: center.Enforcer, Competence: wim.TrafficPolice, Region: "51/5107", Hash: stored})
	s.store.sites = []center.SiteState{
		{Site: "well", Region: "51/5101", Seq: 7, Online: true, Heard: s.store.now()},
		{Site: "alarmed", Region: "51/5107", Seq: 900, Online: true, Heard: s.store.now(), Alarms: 2},
		{Site: "gone", Seq: 12, Heard: s.store.now().Add(-72 * time.Hour)},
		{Site: "behind", Seq: 12, Behind: 4, Online: true, Heard: s.store.now()},
		{Site: "silent", Seq: 12, Online: true, Heard: s.store.now().Add(-time.Hour)},
	}
	if err := s.console.door.Like(stored); err != nil { // as cheap as theirs
		t.Fatal(err)
	}
	s.store.office.alarms = map[wim.SiteID][]center.Alarm{"alarmed": {
		{Kind: center.AlarmFork, Site: "alarmed", Subject: "record 17", Detail: hostile, First: s.store.now(), Last: s.store.now(), Count: 3},
		{Kind: center.AlarmQuarantine, Site: "alarmed", Subject: "signature", First: s.store.now(), Last: s.store.now(), Count: 1},
	}}
	return s
}

func (s *stand) officer(login string) center.Officer {
	s.Helper()
	o, err := s.store.Officer(s.Context(), login)
	if err != nil {
		s.Fatal(err)
	}
	return o
}

func TestWhoMaySeeAndDoWhat(t *testing.T) {
	s := newOffice(t)
	s.store.put(center.Officer{Login: "new", Role: center.Administrator, Hash: cheapHash(password), MustChange: true})
	const ok, no, away, bad, gone = http.StatusOK, http.StatusForbidden, http.StatusSeeOther, http.StatusUnprocessableEntity, http.StatusNotFound
	roles := []string{"", "road", "auditor", "admin", "new"}
	for _, c := range []struct {
		method, path string
		want         [5]int // by role, in the order above
	}{
		{"GET", "/account", [5]int{away, ok, ok, ok, ok}},
		{"GET", "/sites", [5]int{away, no, ok, ok, away}},
		{"GET", "/sites/alarmed", [5]int{away, no, ok, ok, away}},
		{"GET", "/gaps", [5]int{away, ok, ok, ok, away}},
		{"GET", "/gaps.csv?site=well", [5]int{away, ok, ok, ok, away}},
		{"GET", "/sent", [5]int{away, no, no, ok, away}},
		{"POST", "/sent/parcels", [5]int{401, no, no, http.StatusBadRequest, no}},
		{"POST", "/sent/assign", [5]int{401, no, no, http.StatusBadRequest, no}},
		{"GET", "/trail", [5]int{away, no, ok, no, away}},
		{"GET", "/trail.csv", [5]int{away, no, ok, no, away}},
		{"GET", "/officers", [5]int{away, no, no, ok, away}},
		{"GET", "/tokens", [5]int{away, ok, ok, ok, away}},
		{"GET", "/matters", [5]int{away, ok, ok, no, away}},
		{"POST", "/account/password", [5]int{401, bad, bad, bad, bad}},
		{"POST", "/sites/alarmed/looked-into", [5]int{401, no, no, http.StatusConflict, no}},
		{"POST", "/officers", [5]int{401, no, no, bad, no}},
		{"POST", "/officers/change", [5]int{401, no, no, gone, no}},
		{"POST", "/tokens", [5]int{401, bad, bad, bad, no}},
		{"POST", "/tokens/revoke", [5]int{401, 400, 400, 400, no}},
	} {
		for i, login := range roles {
			b := s.browser()
			if login != "" {
				b = s.as(login)
			}
			if a := b.do(b.request(c.method, c.path, url.Values{})); a.status != c.want[i] {
				t.Errorf("%s %s as %q: %d, want %d", c.method, c.path, login, a.status, c.want[i])
			}
		}
	}
}

func TestAFormOfAnotherSiteIsRefused(t *testing.T) {
	s := newOffice(t)
	for _, path := range []string{"/account/password", "/sites/alarmed/looked-into", "/officers", "/officers/change", "/tokens", "/tokens/revoke", "/sent/assign", "/sent/parcels"} {
		b := s.as("admin")
		r := b.request(http.MethodPost, path, url.Values{"login": {"city"}, "do": {"disable"}})
		r.Header.Set("Origin", "https://elsewhere.example")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		b.do(r).wants(http.StatusForbidden)
	}
	if s.officer("city").Disabled {
		t.Error("another site disabled an officer")
	}
}

func TestEveryPageOfAdministrationIsWholeInBothLanguagesAndHasItsLabels(t *testing.T) {
	s := newOffice(t)
	s.store.office.trail = []center.Trace{{ID: 1, Login: "x", Action: "look", Subject: "matter 12", Detail: "d"}}
	for _, c := range []struct{ login, path string }{
		{"admin", "/account"}, {"fixed", "/account"}, {"admin", "/sites"}, {"admin", "/sites/alarmed"}, {"auditor", "/trail"}, {"auditor", "/trail?from=never"},
		{"admin", "/officers"}, {"admin", "/tokens"}, {"road", "/tokens"}, {"admin", "/sent"},
	} {
		b := s.as(c.login)
		for _, l := range []string{"en", "zh"} {
			r := b.request(http.MethodGet, c.path, nil)
			r.Header.Set("Accept-Language", l)
			a := b.do(r)
			if a.status != http.StatusOK && a.status != http.StatusBadRequest {
				t.Fatalf("%s: %d", c.path, a.status)
			}
			if strings.Contains(a.body, "%!") || strings.Contains(a.body, "!(") {
				t.Errorf("%s in %s: a text and its values do not fit", c.path, l)
			}
			if n := len(a.all("h1")); n != 1 {
				t.Errorf("%s: %d headings of the first order", c.path, n)
			}
			labels := map[string]bool{}
			for _, n := range a.all("label[for]") {
				labels[attribute(n, "for")] = true
			}
			for _, tag := range []string{"main input[id]", "main select", "main textarea"} {
				for _, n := range a.all(tag) {
					if !labels[attribute(n, "id")] {
						t.Errorf("%s: field %q has no label", c.path, attribute(n, "name"))
					}
				}
			}
			for _, n := range a.all("main *[lang]") {
				t.Errorf("unexpected %v", n.Data)
			}
			if l == "en" {
				for _, r := range textOf(a.one("main")) {
					if r >= 0x4e00 && r <= 0x9fff {
						t.Errorf("%s in English has Chinese text: %s", c.path, textOf(a.one("main")))
						break
					}
				}
			}
		}
	}
}

func passwords(old, fresh, again string) url.Values {
	return url.Values{"old": {old}, "new": {fresh}, "again": {again}}
}

func TestChangingThePassword(t *testing.T) {
	const good = "kettle bramble ninety fox"
	for _, c := range []struct{ name, old, fresh, again, field, want string }{
		{"asks for the old one", "not mine at all", good, good, "old", "not your present password"},
		{"asks for twelve characters", password, "kettle fox", "kettle fox", "new", "at least 12"},
		{"refuses what everybody tries", password, "Password2026!!", "Password2026!!", "new", "easily guessed"},
		{"refuses the own login", password, "road-road-road", "road-road-road", "new", "your login or name"},
		{"refuses the same again", password, password, password, "new", "same as the present"},
		{"asks for the new one twice", password, good, good + "x", "again", "not the same"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newOffice(t)
			before := s.officer("road").Hash
			a := s.as("road").post("/account/password", passwords(c.old, c.fresh, c.again)).wants(http.StatusUnprocessableEntity)
			a.says("#f-"+c.field+"-problem", c.want)
			if attribute(a.one("#f-"+c.field), "aria-invalid") != "true" {
				t.Error("the field is not marked")
			}
			for _, secret := range []string{c.old, c.fresh} {
				if strings.Contains(a.body, `value="`+secret) {
					t.Error("a password comes back in the page")
				}
			}
			if s.officer("road").Hash != before {
				t.Error("the password was changed")
			}
		})
	}
}

func TestANewPasswordEndsEverySessionButTheOneThatSetIt(t *testing.T) {
	s := newOffice(t)
	here, there := s.as("road"), s.as("road")
	token := sessionCookie(t, here)
	here.post("/account/password", passwords(password, "kettle bramble ninety fox", "kettle bramble ninety fox")).wants(http.StatusSeeOther)
	here.get("/account").wants(http.StatusOK).says(".flash", "signed out everywhere else")
	if sessionCookie(t, here) == token {
		t.Error("the session goes on under its old token")
	}
	there.get("/account").wants(http.StatusSeeOther)
	s.browser().post("/sign-in", url.Values{"login": {"road"}, "password": {password}}).wants(http.StatusUnauthorized)
	s.browser().post("/sign-in", url.Values{"login": {"road"}, "password": {"kettle bramble ninety fox"}}).wants(http.StatusSeeOther)
}

func TestWhoMustChangeThePasswordWorksOnceItIsChanged(t *testing.T) {
	s := newOffice(t)
	o := s.officer("road")
	o.MustChange = true
	s.store.put(o)
	b := s.as("road")
	b.get("/").wants(http.StatusSeeOther)
	b.get("/account").wants(http.StatusOK).says("main", "set by somebody else")
	b.post("/account/password", passwords(password, "kettle bramble ninety fox", "kettle bramble ninety fox")).wants(http.StatusSeeOther)
	b.get("/").wants(http.StatusOK)
}

func TestAConfiguredOfficerIsToldWhereThePasswordStands(t *testing.T) {
	s := newOffice(t)
	b := s.as("fixed")
	a := b.get("/account").wants(http.StatusOK)
	a.says("main", "configuration")
	if len(a.all("main form")) != 0 {
		t.Error("there is a form")
	}
	b.post("/account/password", passwords(password, "kettle bramble ninety fox", "kettle bramble ninety fox")).wants(http.StatusForbidden)
}

func TestOldPasswordsCannotBeTriedFasterThanAtTheDoor(t *testing.T) {
	s := newOffice(t)
	now := time.Now()
	s.console.now = func() time.Time { return now }
	b := s.as("road")
	for i := range signin.LoginBurst {
		b.post("/account/password", passwords(fmt.Sprint("guess ", i), "kettle bramble ninety fox", "x")).wants(http.StatusUnprocessableEntity)
	}
	const good = "kettle bramble ninety fox"
	a := b.post("/account/password", passwords(password, good, good)).wants(http.StatusTooManyRequests)
	if a.header.Get("Retry-After") == "" {
		t.Error("it is not said when to come back")
	}
	now = now.Add(signin.LoginEvery)
	b.post("/account/password", passwords(password, good, good)).wants(http.StatusSeeOther)
}

// A list of common passwords is tried against one login and then against many: only the promised few are
// looked at, unknown logins are held up the same, and the right one works after the promised time.
func TestAListOfPasswordsIsStoppedAndTheRightOneWorksAfterThePromisedTime(t *testing.T) {
	for _, login := range []string{"road", "nobody-at-all"} {
		s := newOffice(t)
		now := time.Now()
		s.console.now = func() time.Time { return now }
		b := s.browser()
		looked := 0
		for i := range 60 {
			a := b.post("/sign-in", url.Values{"login": {login}, "password": {fmt.Sprint("password", i)}})
			switch a.status {
			case http.StatusUnauthorized:
				looked++
			case http.StatusTooManyRequests:
			default:
				t.Fatalf("status %d", a.status)
			}
		}
		if looked != signin.LoginBurst {
			t.Errorf("%d passwords for %q were looked at, want %d", looked, login, signin.LoginBurst)
		}
		now = now.Add(signin.LoginEvery)
		want := map[string]int{"road": http.StatusSeeOther}[login]
		if want == 0 {
			want = http.StatusUnauthorized
		}
		b.post("/sign-in", url.Values{"login": {login}, "password": {password}}).wants(want)
	}
	s := newOffice(t)
	now := time.Now()
	s.console.now = func() time.Time { return now }
	b := s.browser()
	looked := 0
	for i := range 3 * signin.AddressBurst {
		if a := b.post("/sign-in", url.Values{"login": {fmt.Sprint("login ", i)}, "password": {"password1"}}); a.status == http.StatusUnauthorized {
			looked++
		}
	}
	if looked > signin.AddressBurst {
		t.Errorf("%d logins were tried from one address, want at most %d", looked, signin.AddressBurst)
	}
	now = now.Add(signin.AddressEvery)
	b.post("/sign-in", url.Values{"login": {"police"}, "password": {password}}).wants(http.StatusSeeOther)
}

func TestSitesInTroubleComeFirst(t *testing.T) {
	s := newOffice(t)
	a := s.as("admin").get("/sites").wants(http.StatusOK)
	var order []string
	for _, n := range a.all("tbody tr") {
		order = append(order, attribute(n, "data-site"))
	}
	if got := strings.Join(order, " "); got != "alarmed gone behind silent well" {
		t.Errorf("order %q", got)
	}
	a.says(".sites-sum", "4 of 5")
}

func TestAnAlarmSaysWhatHappenedAndWhatToDo(t *testing.T) {
	s := newOffice(t)
	for _, l := range []string{"en", "zh"} {
		for _, k := range []center.AlarmKind{center.AlarmFork, center.AlarmLink, center.AlarmQuarantine, center.AlarmVerdict, center.AlarmSupplement, center.AlarmUnreadable, center.AlarmRotation, center.AlarmMissing, center.AlarmVersion, center.AlarmTwins} {
			for _, w := range s.console.words {
				v := alarmView{center.Alarm{Kind: k}, w}
				if v.Name() == string(k) || v.Advice() == string(k) {
					t.Errorf("%s: no words for %s", l, k)
				}
			}
		}
	}
	a := s.as("auditor").get("/sites/alarmed").wants(http.StatusOK)
	a.says("li[data-kind=fork]", "Two records under one name")
	a.says("li[data-kind=fork]", "×3")
	if len(a.all("main form")) != 0 || len(a.all("main script")) != 0 {
		t.Error("an auditor is offered to clear the list, or an alarm's text became part of the page")
	}
	s.as("admin").get("/sites/" + url.PathEscape(hostile)).wants(http.StatusNotFound)
}

func TestAlarmsThatWereLookedIntoLeaveTheListUnlessNewOnesCame(t *testing.T) {
	s := newOffice(t)
	b := s.as("admin")
	seen := attribute(b.get("/sites/alarmed").one("input[name=seen]"), "value")
	s.store.mu.Lock()
	s.store.office.alarms["alarmed"][1].Count++
	s.store.mu.Unlock()
	a := b.post("/sites/alarmed/looked-into", url.Values{"seen": {seen}}).wants(http.StatusConflict)
	a.says(".notice", "nothing was cleared")
	if len(s.store.office.alarms["alarmed"]) != 2 {
		t.Fatal("alarms that nobody has seen are gone")
	}
	seen = attribute(a.one("input[name=seen]"), "value")
	b.post("/sites/alarmed/looked-into", url.Values{"seen": {seen}}).wants(http.StatusSeeOther)
	b.get("/sites/alarmed").wants(http.StatusOK).says("main", "No alarm waits")
	if n := len(s.store.office.trail); n != 2 || s.store.office.trail[0].Login != "admin" {
		t.Errorf("%d lines in the trail", n)
	}
}

func TestTheTrailIsFilteredAndPagedAndReadingItStandsInIt(t *testing.T) {
	s := newOffice(t)
	for i := range 250 {
		s.store.trace([]string{"road", "police"}[i%2], "look", fmt.Sprint("matter ", i), hostile)
	}
	b := s.as("auditor")
	a := b.get("/trail").wants(http.StatusOK)
	if n := len(a.all("tbody tr")); n != trailLines {
		t.Errorf("%d lines on a page", n)
	}
	if len(a.all("main script")) != 0 {
		t.Error("a detail became part of the page")
	}
	second := b.get(attribute(a.one("a[rel=next]"), "href")).wants(http.StatusOK)
	if got := textOf(second.all("tbody td")[0]); got != "150" {
		t.Errorf("the second page begins with line %s", got)
	}
	third := b.get(attribute(second.one("a[rel=next]"), "href")).wants(http.StatusOK)
	if n := len(third.all("tbody tr")); n != 50 || len(third.all("a[rel=next]")) != 0 {
		t.Errorf("%d lines on the last page", n)
	}
	b.get("/trail?login=road&action=look&subject=12&from=2020-01-01&to=2199-01-01").wants(http.StatusOK)
	q := s.store.office.asked[len(s.store.office.asked)-1]
	if q.Login != "road" || q.Action != "look" || q.Subject != "matter 12" || q.From == 0 || q.To == 0 {
		t.Errorf("asked for %+v", q)
	}
	s.store.mu.Lock()
	looks := len(s.store.looks)
	s.store.mu.Unlock()
	if looks != 4 {
		t.Errorf("%d looks at the trail are noted, want 4", looks)
	}
	bad := b.get("/trail?from=never&login=" + url.QueryEscape(hostile)).wants(http.StatusBadRequest)
	if attribute(bad.one("#f-login"), "value") != hostile || attribute(bad.one("#f-from"), "value") != "never" {
		t.Error("what was entered is lost")
	}
	bad.says("#f-from-problem", "date and time")
	b.get("/trail?before=-1").wants(http.StatusBadRequest)
	b.get("/trail?login=" + strings.Repeat("x", 9000)).wants(http.StatusBadRequest)
	s.store.unseen = errBroken
	if a := b.get("/trail").wants(http.StatusInternalServerError); strings.Contains(a.body, "matter 1") {
		t.Error("a look without a trace")
	}
	b.get("/trail.csv").wants(http.StatusInternalServerError)
}

func TestTheTrailComesAsATableThatRunsNothing(t *testing.T) {
	s := newOffice(t)
	for i := range 2500 {
		s.store.trace("road", "look", fmt.Sprint("matter ", i), `plain, "quoted"`)
	}
	for _, evil := range []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"} {
		s.store.trace(evil, evil, evil, evil)
	}
	a := s.as("auditor").get("/trail.csv").wants(http.StatusOK)
	if !strings.HasPrefix(a.header.Get("Content-Disposition"), "attachment;") || !strings.HasPrefix(a.body, "\ufeff") {
		t.Errorf("header %v", a.header)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(a.body, "\ufeff"))).ReadAll()
	if err != nil || len(rows) != 1+2507 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, row := range rows {
		for _, cell := range row {
			if strings.HasPrefix(cell, "=") || strings.HasPrefix(cell, "+") || strings.HasPrefix(cell, "-") || strings.HasPrefix(cell, "@") || strings.HasPrefix(cell, "\t") {
				t.Fatalf("cell %q is taken for a formula", cell)
			}
		}
	}
	if rows[8][5] != `plain, "quoted"` {
		t.Errorf("cell %q", rows[8][5])
	}
}

func TestATrailThatBreaksOffIsNotTakenForTheWhole(t *testing.T) {
	s := newOffice(t)
	for i := range 2500 {
		s.store.trace("road", "look", fmt.Sprint("matter ", i), "")
	}
	s.store.office.fails = 2
	b := s.as("auditor")
	res, err := b.http.Do(b.request(http.MethodGet, "/trail.csv", nil))
	if err != nil {
		return // cut off before the header was sent
	}
	defer func() { _ = res.Body.Close() }()
	if _, err := csv.NewReader(res.Body).ReadAll(); err == nil {
		t.Error("half a trail ended like a whole one")
	}
}

func person(login string) url.Values {
	return url.Values{"login": {login}, "name": {"Chen Jing"}, "role": {"enforcer"}, "competence": {string(wim.TrafficPolice)}, "region": {"51/5101"}}
}

func TestANewOfficerSignsInOnceWithThePasswordShownAndChangesIt(t *testing.T) {
	s := newOffice(t)
	b := s.as("admin")
	a := b.post("/officers", person("chen.jing")).wants(http.StatusOK)
	secret := textOf(a.one("#once-secret"))
	o := s.officer("chen.jing")
	if !o.MustChange || o.Disabled || o.Configured || o.Region != "51/5101" || strings.Contains(o.Hash, secret) {
		t.Errorf("officer %+v", o)
	}
	if again := b.get("/officers").wants(http.StatusOK); strings.Contains(again.body, secret) {
		t.Error("the password is shown twice")
	}
	if a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("a page with a secret may be kept: %q", a.header.Get("Cache-Control"))
	}
	n := s.browser()
	n.post("/sign-in", url.Values{"login": {"chen.jing"}, "password": {secret}}).wants(http.StatusSeeOther)
	if to := n.get("/").wants(http.StatusSeeOther).header.Get("Location"); to != "/account" {
		t.Errorf("led to %s", to)
	}
	n.post("/account/password", passwords(secret, "kettle bramble ninety fox", "kettle bramble ninety fox")).wants(http.StatusSeeOther)
	n.get("/").wants(http.StatusOK)
	if got := s.store.office.trail; len(got) != 2 || got[0].Login != "admin" || got[0].Subject != "chen.jing" {
		t.Errorf("trail %+v", got)
	}
}

func TestWhatIsWrongWithANewOfficerStandsAtItsField(t *testing.T) {
	for _, c := range []struct{ name, by, field, value, want string }{
		{"no login", "admin", "login", "", "Fill this in"},
		{"a login with other characters", "admin", "login", hostile, "small letters"},
		{"a login that is taken", "admin", "login", "police", "taken"},
		{"no name", "admin", "name", "", "Fill this in"},
		{"a name with control characters", "admin", "name", "a\x00b", "cannot be shown"},
		{"a name beyond its length", "admin", "name", strings.Repeat("长", 101), "Too long"},
		{"no role", "admin", "role", "", "Choose a role"},
		{"a role of one's own", "admin", "role", "emperor", "Choose a role"},
		{"an enforcer of no authority", "admin", "competence", "", "belongs to an authority"},
		{"an authority that there is not", "admin", "competence", "navy", "belongs to an authority"},
		{"a region that there is not", "admin", "region", "99", "region of your own"},
		{"a region above one's own", "city", "region", "51", "region of your own"},
		{"everything, for who has a city", "city", "region", "", "region of your own"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newOffice(t)
			f := person("chen.jing")
			f.Set(c.field, c.value)
			a := s.as(c.by).post("/officers", f)
			if a.status != http.StatusUnprocessableEntity && a.status != http.StatusConflict {
				t.Fatalf("status %d", a.status)
			}
			a.says("#f-"+c.field+"-problem", c.want)
			if c.field != "login" && attribute(a.one("#f-login"), "value") != "chen.jing" {
				t.Error("what was entered is lost")
			}
			if len(s.store.office.trail) != 0 || len(a.all("main script")) != 0 {
				t.Error("something was written")
			}
		})
	}
	s := newOffice(t)
	f := person("chen.jing")
	f.Set("role", "auditor")
	s.as("admin").post("/officers", f).wants(http.StatusUnprocessableEntity).says("#f-competence-problem", "Only enforcers")
}

func TestOfficersAreDisabledEnabledAndReset(t *testing.T) {
	s := newOffice(t)
	b, victim := s.as("admin"), s.as("road")
	b.post("/officers/change", url.Values{"login": {"road"}, "do": {"disable"}}).wants(http.StatusSeeOther)
	victim.get("/").wants(http.StatusSeeOther)
	b.post("/officers/change", url.Values{"login": {"road"}, "do": {"enable"}}).wants(http.StatusSeeOther)
	victim = s.as("road")
	secret := textOf(b.post("/officers/change", url.Values{"login": {"road"}, "do": {"reset"}}).wants(http.StatusOK).one("#once-secret"))
	victim.get("/").wants(http.StatusSeeOther)
	if o := s.officer("road"); !o.MustChange || o.Name != "Wang" || o.Competence != wim.RoadAdministration {
		t.Errorf("officer %+v", o)
	}
	s.browser().post("/sign-in", url.Values{"login": {"road"}, "password": {secret}}).wants(http.StatusSeeOther)
	b.post("/officers/change", url.Values{"login": {"road"}, "do": {"promote"}}).wants(http.StatusBadRequest)
}

func TestNobodyLocksOutOneselfTheLastAdministratorAConfiguredOfficerOrAnotherRegions(t *testing.T) {
	s := newOffice(t)
	for _, do := range []string{"disable", "reset"} {
		for by, others := range map[string]map[string]int{
			"admin": {"admin": http.StatusConflict, "fixed": http.StatusConflict, "nobody": http.StatusNotFound, "": http.StatusNotFound},
			"city":  {"city": http.StatusConflict, "admin": http.StatusNotFound, "mianyang": http.StatusNotFound, "road": http.StatusNotFound},
		} {
			b := s.as(by)
			for login, want := range others {
				b.post("/officers/change", url.Values{"login": {login}, "do": {do}}).wants(want)
			}
		}
	}
	if len(s.store.office.trail) != 0 {
		t.Errorf("something was changed: %+v", s.store.office.trail)
	}
	a := s.as("city").get("/officers").wants(http.StatusOK)
	if len(a.all("tr[data-officer=admin]")) != 0 || len(a.all("tr[data-officer=mianyang]")) != 0 || len(a.all("tr[data-officer=chengdu] form")) != 1 || len(a.all("tr[data-officer=fixed] form")) != 0 {
		t.Error("the list shows others than those of the region, or offers what cannot be done")
	}
}

// Two administrators who disable each other at the same time: at least one of them stays.
func TestTwoAdministratorsCannotDisableEachOther(t *testing.T) {
	s := newOffice(t)
	o := s.officer("city")
	o.Region = ""
	s.store.put(o)
	one, other := s.as("admin"), s.as("city")
	done := make(chan struct{})
	go func() {
		defer close(done)
		one.post("/officers/change", url.Values{"login": {"city"}, "do": {"disable"}})
	}()
	other.post("/officers/change", url.Values{"login": {"admin"}, "do": {"disable"}})
	<-done
	if s.officer("admin").Disabled && s.officer("city").Disabled {
		t.Error("nobody is left to look after the centre")
	}
}

func token(name, officer, days string, scopes ...string) url.Values {
	return url.Values{"name": {name}, "officer": {officer}, "days": {days}, "scope": scopes}
}

func TestATokenIsShownOnceKeptAsADigestAndRevoked(t *testing.T) {
	s := newOffice(t)
	b := s.as("road")
	a := b.post("/tokens", token("case system "+hostile, "", "90", "matters:read", "matters:act")).wants(http.StatusOK)
	secret := textOf(a.one("#once-secret"))
	digest, err := center.SecretDigest(secret)
	if err != nil || s.store.office.digests[0] != digest {
		t.Fatalf("secret %q: %v", secret, err)
	}
	k := s.store.office.tokens[0]
	if k.Login != "road" || k.Expires.Sub(k.Created) != 90*24*time.Hour || len(k.Scopes) != 2 {
		t.Errorf("token %+v", k)
	}
	list := b.get("/tokens").wants(http.StatusOK)
	if strings.Contains(list.body, secret) || len(list.all("main script")) != 0 {
		t.Error("the secret is shown twice, or a name became part of the page")
	}
	list.says("tr[data-token=1]", "never")
	s.as("police").post("/tokens/revoke", url.Values{"id": {"1"}}).wants(http.StatusNotFound)
	b.post("/tokens/revoke", url.Values{"id": {"1"}}).wants(http.StatusSeeOther)
	b.get("/tokens").wants(http.StatusOK).says("tr[data-token=1]", "revoked")
}

func TestWhatIsWrongWithANewTokenStandsAtItsField(t *testing.T) {
	for _, c := range []struct {
		name, by string
		form     url.Values
		at, want string
	}{
		{"no name", "road", token("", "", "90", "matters:read"), "#f-name-problem", "what the token is for"},
		{"a name beyond its length", "road", token(strings.Repeat("x", 101), "", "90", "matters:read"), "#f-name-problem", "Too long"},
		{"no scope", "road", token("a", "", "90"), "#scope-problem", "at least one"},
		{"a scope that the role has not", "road", token("a", "", "90", "trail:read"), "#scope-problem", "Enforcer may not"},
		{"a scope that there is not", "road", token("a", "", "90", "everything"), "#scope-problem", "may not"},
		{"acting, for an auditor", "auditor", token("a", "", "90", "matters:act"), "#scope-problem", "may not"},
		{"more than a year", "road", token("a", "", "366", "matters:read"), "#f-days-problem", "at most a year"},
		{"for ever", "road", token("a", "", "", "matters:read"), "#f-days-problem", "at most a year"},
		{"for an officer of another region", "city", token("a", "mianyang", "90", "matters:read"), "#f-officer-problem", "of your region"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newOffice(t)
			a := s.as(c.by).post("/tokens", c.form).wants(http.StatusUnprocessableEntity)
			a.says(c.at, c.want)
			if len(s.store.office.tokens) != 0 {
				t.Error("a token was made")
			}
		})
	}
	s := newOffice(t)
	s.as("road").post("/tokens", token("a", "police", "90", "matters:read")).wants(http.StatusForbidden)
	s.as("city").post("/tokens", token("a", "chengdu", "365", "matters:read")).wants(http.StatusOK)
	if k := s.store.office.tokens[0]; k.Login != "chengdu" {
		t.Errorf("token %+v", k)
	}
	s.as("admin").post("/tokens/revoke", url.Values{"id": {"1"}}).wants(http.StatusSeeOther)
}

func TestAStoreThatFailsIsToldWithoutItsError(t *testing.T) {
	s := newOffice(t)
	for login, paths := range map[string][]string{"admin": {"/sites", "/sites/alarmed", "/officers", "/tokens"}, "auditor": {"/trail", "/trail.csv"}} {
		b := s.as(login)
		s.store.broken = errBroken
		for _, p := range paths {
			if a := b.get(p).wants(http.StatusInternalServerError); strings.Contains(a.body, "on fire") {
				t.Errorf("%s tells what only the log should", p)
			}
		}
		s.store.broken = nil
	}
}

func TestAnEnrolmentCodeIsShownOnceToWhoManagesTheSite(t *testing.T) {
	s := newOffice(t)
	s.store.mu.Lock()
	s.store.office.keys = []center.SiteKey{
		{Site: "alarmed", ID: "key-of-the-past", How: center.KeyConfigured, Ended: s.store.now()},
		{Site: "alarmed", ID: "key-of-today", How: center.KeyByCode, By: "admin", Since: s.store.now()},
		{Site: "elsewhere", ID: "another-key", How: center.KeyByRotation, By: "x"},
	}
	s.store.mu.Unlock()
	b := s.as("admin")
	before := b.get("/sites/alarmed").wants(http.StatusOK)
	before.says("main", "key-of-the-past")
	before.says("main", "key-of-today")
	if strings.Contains(textOf(before.one("main")), "another-key") || len(before.all("#code")) != 0 {
		t.Error("the page shows another site's key, or a code that nobody made")
	}
	after := b.post("/sites/alarmed/code", url.Values{"lost": {"1"}}).wants(http.StatusOK)
	found := regexp.MustCompile(`[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}`).FindString(textOf(after.one("#code")))
	if found == "" || center.CodeDigest("alarmed", found) != s.store.office.codes["alarmed"] || !s.store.office.lost {
		t.Errorf("code %q, lost %v", found, s.store.office.lost)
	}
	if len(b.get("/sites/alarmed").wants(http.StatusOK).all("#code")) != 0 {
		t.Error("the code is shown again")
	}
	s.as("auditor").post("/sites/alarmed/code", url.Values{}).wants(http.StatusForbidden)
	b.post("/sites/nowhere/code", url.Values{}).wants(http.StatusNotFound)
}
