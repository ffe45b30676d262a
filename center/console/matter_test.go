package console

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// send posts an act with what is entered as pairs of field and value.
func (b *browser) send(matter int64, k center.ActKind, seen int64, pairs ...string) answer {
	b.Helper()
	form := url.Values{"kind": {string(k)}, "seen": {strconv.FormatInt(seen, 10)}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return b.post(fmt.Sprintf("/matters/%d/acts", matter), form)
}

func (b *browser) matter(id int64) answer {
	b.Helper()
	return b.get(fmt.Sprintf("/matters/%d", id)).wants(http.StatusOK)
}

func TestTheMatterPageShowsWhatWasFoundWhoOwesWhatAndWhatProvesIt(t *testing.T) {
	s := newStand(t)
	id := s.matters(1)[0]
	a := s.as("road").matter(id)
	a.says("h1", "Matter 1000")
	a.says(".matter-head", "豫A·7K882")
	a.says(".step-done", "Alerted")
	a.says(".step-next", "Acknowledged")
	a.says(".part.own", "Road Administration yours Over limit +6.499 t")
	a.says(".part.own .owed", "Acknowledge")
	a.says(".findings", "Order 62 Art. 3(8)")
	a.says(".findings", "Traffic Police other authority Suspected overload Suspicion")
	a.says(".proof", "豫计检 2026-0418")
	a.says(".accounts", "Passage g107-north/7a31c04e / 18243")
	a.says(".accounts", "✓ verified ed25519:4f1c9a22")
	a.says(".accounts", "+1.4 s")
	a.says(".moment-passed", "site")
	a.says(".moment-order", "Enter the station")
	if got := len(a.all(".moment-raised")); got != 2 {
		t.Errorf("%d alerts in the timeline, want both", got)
	}
	if len(a.all("svg.axles")) != 1 || len(a.all(".entry-pictures img")) != 1 {
		t.Error("diagram or picture is missing")
	}
	if href := attribute(a.all(".matter-links a")[0], "href"); href != "/alerts/1" {
		t.Errorf("the way back to the board leads to %q", href)
	}
	if !s.store.looked("road", "matter 1000") {
		t.Error("the look at the matter is not traced")
	}
}

func TestTwoAuthoritiesCarryAMatterFromAlertToClose(t *testing.T) {
	s := newStand(t)
	id := s.matters(1)[0]
	road, police := s.as("road"), s.as("police")
	type step struct {
		who   *browser
		kind  center.ActKind
		in    []string
		flash string
		state string
	}
	for _, st := range []step{
		{road, center.ActAcknowledge, nil, "Acknowledged.", "Acknowledged partly done 1/2"},
		{police, center.ActAcknowledge, nil, "Acknowledged.", ""},
		{road, center.ActDispatch, []string{"who", "patrol 2", "place", "K745"}, "dispatch is noted", ""},
		{police, center.ActIntercept, []string{"place", "toll gate"}, "interception is noted", ""},
		{road, center.ActWeigh, []string{"weighing.gross_kg", "57 880 kg", "weighing.axles_kg", "6400 10100, 9800 10700 10500 10380", "weighing.ticket", "T-7", "weighing.instrument", "ZS-100"}, "weighing is kept", ""},
		{road, center.ActOpenCase, []string{"number", "豫路超案〔2026〕7号"}, "case is open", ""},
		{road, center.ActConclude, []string{"reason", "case-opened"}, "concluded", ""},
		{police, center.ActDismiss, []string{"reason", "other", "remark", "permit shown\r\nand checked"}, "dismissed", ""},
		{police, center.ActRemark, []string{"remark", "file copied"}, "remark is kept", ""},
	} {
		d := s.store.docket(id)
		r := st.who.send(id, st.kind, d.Matter.Version, st.in...).wants(http.StatusSeeOther)
		if r.header.Get("Location") != "/matters/1000" {
			t.Fatalf("%s leads to %q", st.kind, r.header.Get("Location"))
		}
		a := st.who.matter(id)
		a.says(".flash", st.flash)
		if st.state != "" {
			a.says(".steps", st.state)
		}
		if again := st.who.matter(id); len(again.all(".flash")) != 0 {
			t.Errorf("%s: the flash is shown twice", st.kind)
		}
	}
	a := road.matter(id)
	a.says(".steps", "Closed")
	a.says(".case-number", "豫路超案〔2026〕7号")
	a.says(".compare", "Dynamic − static +540 kg · +0.9 %")
	a.says(".compare", "+110 kg")
	a.says(".moment-dismiss .moment-said", "permit shown and checked")
	a.says("#acts", "Your authority has ended its part")
	if n := len(a.all("#acts form")); n != 1 || len(a.all("#act-remark")) != 1 {
		t.Errorf("%d forms on an ended part, want the remark alone", n)
	}
	if v := s.store.docket(id); v.Matter.State != center.Closed {
		t.Errorf("state %s", v.Matter.State)
	}
}

func TestOnlyTheActsThatAreAllowedNowHaveForms(t *testing.T) {
	s := newStand(t)
	id := s.matters(1)[0]
	s.store.put(center.Officer{Login: "auditor", Role: center.Auditor, Hash: cheapHash(password)})
	check := func(login string) {
		t.Helper()
		o, err := s.store.Officer(t.Context(), login)
		if err != nil {
			t.Fatal(err)
		}
		d := s.store.docket(id)
		a := s.as(login).matter(id)
		var got, want []string
		for _, n := range a.all("#acts input[name=kind]") {
			got = append(got, attribute(n, "value"))
		}
		for _, k := range d.Allowed(o.Viewer()) {
			want = append(want, string(k))
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%s in state %s may %v, the page offers %v", login, d.Matter.State, want, got)
		}
	}
	for _, login := range []string{"road", "police", "auditor"} {
		check(login)
	}
	s.as("road").send(id, center.ActAcknowledge, 0).wants(http.StatusSeeOther)
	for _, login := range []string{"road", "police", "auditor"} {
		check(login)
	}
	s.as("auditor").matter(id).says("#acts", "Auditors look")
	s.as("auditor").send(id, center.ActRemark, 1, "remark", "x").wants(http.StatusForbidden)
}

func TestAStaleFormWritesNothingAndShowsWhatChangedWithAllThatWasTyped(t *testing.T) {
	s := newStand(t)
	id := s.matters(1)[0]
	road, police := s.as("road"), s.as("police")
	road.send(id, center.ActAcknowledge, 0).wants(http.StatusSeeOther)
	police.send(id, center.ActAcknowledge, 1).wants(http.StatusSeeOther)
	police.send(id, center.ActIntercept, 2, "place", "toll gate <3>").wants(http.StatusSeeOther)
	a := road.send(id, center.ActDispatch, 1, "who", "patrol 9", "remark", "two lines\nof it").wants(http.StatusConflict)
	a.says(".refused", "“Dispatch” was not written")
	a.says(".refused", "Intercepted Traffic Police · police · Place: toll gate <3>")
	a.says("#act-dispatch", "no longer possible")
	if attribute(a.one("#dispatch-f-who"), "value") != "patrol 9" || textOf(a.one("#dispatch-f-remark")) != "two lines of it" {
		t.Error("what was typed is lost")
	}
	if d := s.store.docket(id); d.Matter.Version != 3 || d.Matter.State != center.Intercepted {
		t.Errorf("a stale form wrote: version %d, state %s", d.Matter.Version, d.Matter.State)
	}
	// What is still possible needs only a second look: the form carries the version that is shown.
	a = road.send(id, center.ActWeigh, 1, "weighing.gross_kg", "57880", "weighing.ticket", "T", "weighing.instrument", "I").wants(http.StatusConflict)
	seen := ""
	for _, n := range a.all("#act-weigh input[name=seen]") {
		seen = attribute(n, "value")
	}
	if seen != "3" || attribute(a.one("#weigh-f-weighing-gross_kg"), "value") != "57880" {
		t.Errorf("the form to send again carries version %q", seen)
	}
	road.send(id, center.ActWeigh, 3, "weighing.gross_kg", "57880", "weighing.ticket", "T", "weighing.instrument", "I").wants(http.StatusSeeOther)
}

func TestOfTwoOfficersAtOnceOneIsWrittenAndTheOtherTold(t *testing.T) {
	s := newStand(t)
	id := s.matters(1)[0]
	s.store.put(center.Officer{Login: "road2", Role: center.Enforcer, Competence: wim.RoadAdministration, Hash: cheapHash(password)})
	officers := []*browser{s.as("road"), s.as("road2")}
	got := make([]int, len(officers))
	var wg sync.WaitGroup
	for i, b := range officers {
		wg.Go(func() { got[i] = b.send(id, center.ActAcknowledge, 0).status })
	}
	wg.Wait()
	if got[0]+got[1] != http.StatusSeeOther+http.StatusConflict {
		t.Errorf("answers %v, want one written and one refused", got)
	}
	if d := s.store.docket(id); d.Matter.Version != 1 {
		t.Errorf("version %d, want 1", d.Matter.Version)
	}
}

func TestWhatIsWrongWithAnActStandsAtItsField(t *testing.T) {
	s := newStand(t)
	ids := s.matters(2)
	road := s.as("road")
	for _, id := range ids {
		road.send(id, center.ActAcknowledge, 0).wants(http.StatusSeeOther)
	}
	road.send(ids[0], center.ActOpenCase, 1, "number", "7/2026").wants(http.StatusSeeOther)
	tomorrow := time.Now().Add(24 * time.Hour).Format("2006-01-02T15:04")
	for name, c := range map[string]struct {
		kind   center.ActKind
		in     []string
		status int
		field  string
		says   string
	}{
		"nobody is sent":                   {center.ActDispatch, nil, 422, "dispatch-f-who", "Fill this in"},
		"a place of blanks":                {center.ActIntercept, []string{"place", "   "}, 422, "intercept-f-place", "Fill this in"},
		"a name too long":                  {center.ActDispatch, []string{"who", strings.Repeat("长", 101)}, 422, "dispatch-f-who", "shorten"},
		"a bell in a remark":               {center.ActRemark, []string{"remark", "ding\a"}, 422, "remark-f-remark", "cannot be shown"},
		"an empty remark":                  {center.ActRemark, nil, 422, "remark-f-remark", "Write a remark"},
		"tonnes for kilograms":             {center.ActWeigh, []string{"weighing.gross_kg", "57.88"}, 422, "weigh-f-weighing-gross_kg", "Whole kilograms"},
		"no mass":                          {center.ActWeigh, nil, 422, "weigh-f-weighing-gross_kg", "Fill this in"},
		"a mass of nothing":                {center.ActWeigh, []string{"weighing.gross_kg", "0"}, 422, "weigh-f-weighing-gross_kg", "Whole kilograms"},
		"no ticket":                        {center.ActWeigh, []string{"weighing.gross_kg", "57880", "weighing.instrument", "I"}, 422, "weigh-f-weighing-ticket", "Fill this in"},
		"axles that are no numbers":        {center.ActWeigh, []string{"weighing.gross_kg", "57880", "weighing.axles_kg", "6400 ten"}, 422, "weigh-f-weighing-axles_kg", "separated by spaces"},
		"a weighing in the future":         {center.ActWeigh, []string{"weighing.gross_kg", "57880", "weighing.at", tomorrow}, 422, "weigh-f-weighing-at", "future"},
		"a time that is none":              {center.ActWeigh, []string{"weighing.gross_kg", "57880", "weighing.at", "noon"}, 422, "weigh-f-weighing-at", "2026-03-01 08:00"},
		"no reason":                        {center.ActDismiss, nil, 422, "dismiss-f-reason", "Choose a reason"},
		"another reason without a remark":  {center.ActDismiss, []string{"reason", "other"}, 422, "dismiss-f-remark", "Write a remark"},
		"a reason of another act":          {center.ActDismiss, []string{"reason", "warned"}, 422, "dismiss-f-reason", "choose another"},
		"a number that another case bears": {center.ActOpenCase, []string{"number", "7/2026"}, 409, "open-case-f-number", "already has a case"},
	} {
		t.Run(name, func(t *testing.T) {
			a := road.send(ids[1], c.kind, 1, append(c.in, "remark2", "x")...)
			a.t = t
			a.wants(c.status).says(".refused", "was not written")
			a.says("#"+c.field+"-problem", c.says)
			n := a.one("#" + c.field)
			if attribute(n, "aria-invalid") != "true" || !strings.Contains(attribute(n, "aria-describedby"), c.field+"-problem") {
				t.Error("the field is not marked as wrong")
			}
			if attribute(a.one(".refused a"), "href") != "#"+c.field {
				t.Error("nothing leads to the field")
			}
		})
	}
	if d := s.store.docket(ids[1]); d.Matter.Version != 1 {
		t.Errorf("version %d: something wrong was written", d.Matter.Version)
	}
	for name, form := range map[string]url.Values{
		"no such act":       {"kind": {"burn"}, "seen": {"1"}},
		"no version":        {"kind": {"remark"}},
		"a strange version": {"kind": {"remark"}, "seen": {"1 or 1"}},
		"far too much":      {"kind": {"remark"}, "seen": {"1"}, "remark": {strings.Repeat("x", maxForm)}},
	} {
		if a := road.post("/matters/1001/acts", form); a.status != http.StatusBadRequest {
			t.Errorf("%s: status %d, want 400", name, a.status)
		}
	}
}

func TestAMatterOfOthersIsNotThere(t *testing.T) {
	s := newStand(t)
	id := s.matters(1)[0]
	s.store.change(id, func(d *center.Docket) { d.Matter.Region = "51/5107" })
	s.store.put(center.Officer{Login: "far", Role: center.Enforcer, Competence: wim.RoadAdministration, Region: "51/5101", Hash: cheapHash(password)})
	s.store.put(center.Officer{Login: "admin", Role: center.Administrator, Hash: cheapHash(password)})
	far := s.as("far")
	far.get("/matters/1000").wants(http.StatusNotFound)
	far.send(id, center.ActAcknowledge, 0).wants(http.StatusNotFound)
	if a := far.get("/matters").wants(http.StatusOK); len(a.numbers()) != 0 {
		t.Error("the queue shows a matter of another region")
	}
	admin := s.as("admin")
	admin.get("/matters").wants(http.StatusForbidden)
	admin.get("/matters/1000").wants(http.StatusForbidden)
	admin.send(id, center.ActRemark, 0, "remark", "x").wants(http.StatusForbidden)
	for _, path := range []string{"/matters/0", "/matters/-1", "/matters/x", "/matters/99999999999999999999", "/matters/4711"} {
		s.as("road").get(path).wants(http.StatusNotFound)
	}
	r := far.request(http.MethodPost, "/matters/1000/acts", url.Values{"kind": {"acknowledge"}, "seen": {"0"}})
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	s.as("road").do(r).wants(http.StatusForbidden)
}

func TestAMatterWhoseRecordsAreGoneSaysSoAndStillTellsWhatWasDone(t *testing.T) {
	s := newStand(t)
	id := s.matters(1)[0]
	road := s.as("road")
	road.send(id, center.ActAcknowledge, 0).wants(http.StatusSeeOther)
	s.store.mu.Lock()
	s.store.pruned[id] = true
	s.store.mu.Unlock()
	a := road.matter(id)
	a.says(".pruned", "retention time is over")
	a.says(".matter-head", "58.42 t")
	a.says(".moment-acknowledge", "Acknowledged Road Administration · road")
	a.says(".accounts", "18243")
	if len(a.all("svg.axles"))+len(a.all(".findings"))+len(a.all(".entry-pictures")) != 0 {
		t.Error("parts of a record that is gone are shown")
	}
}

func TestRemarksStayText(t *testing.T) {
	s := newStand(t)
	id := s.matters(1)[0]
	evil := "</p><img src=x onerror=alert(1)>'; DROP TABLE act;--\nSet-Cookie: a=b"
	road := s.as("road")
	r := road.send(id, center.ActRemark, 0, "remark", evil).wants(http.StatusSeeOther)
	if len(r.header.Values("Set-Cookie")) != 1 {
		t.Errorf("cookies %v", r.header.Values("Set-Cookie"))
	}
	a := road.matter(id)
	a.says(".moment-said", "</p><img src=x onerror=alert(1)>'; DROP TABLE act;-- Set-Cookie: a=b")
	if len(a.all(".moment-said img")) != 0 {
		t.Error("a remark became markup")
	}
}

func TestThePagesSpeakBothLanguagesWithoutAGap(t *testing.T) {
	s := newStand(t)
	ids := s.matters(3)
	s.store.put(center.Officer{Login: "auditor", Role: center.Auditor, Hash: cheapHash(password)})
	road, police := s.as("road"), s.as("police")
	road.send(ids[0], center.ActAcknowledge, 0)
	police.send(ids[0], center.ActAcknowledge, 1)
	road.send(ids[0], center.ActDispatch, 2, "who", "x", "place", "y")
	road.send(ids[0], center.ActIntercept, 3, "place", "y")
	road.send(ids[0], center.ActWeigh, 4, "weighing.gross_kg", "50000", "weighing.ticket", "T", "weighing.instrument", "I")
	road.send(ids[0], center.ActOpenCase, 5, "number", "1")
	road.send(ids[0], center.ActConclude, 6, "reason", "case-opened")
	for _, who := range []string{"road", "police", "auditor"} {
		b := s.as(who)
		for _, path := range []string{"/matters", "/matters?plate=zzz", "/matters?from=x&before=y&site=z", "/matters/1000", "/matters/1001", "/matters/4711"} {
			for _, language := range []string{"zh", "en"} {
				r := b.request(http.MethodGet, path, nil)
				r.Header.Set("Accept-Language", language)
				a := b.do(r)
				if strings.Contains(a.body, "⟦") || strings.Contains(a.body, "%!") || strings.Contains(a.body, "ZgotmplZ") {
					t.Errorf("%s in %s lacks a text, or has one with wrong verbs: %s", path, language, gap(a.body))
				}
				if attribute(a.one("html"), "lang") != language {
					t.Errorf("%s is not in %s", path, language)
				}
			}
		}
	}
	for _, language := range []string{"zh", "en"} { // a page that refuses has words of its own
		r := road.request(http.MethodPost, "/matters/1001/acts", url.Values{"kind": {"dispatch"}, "seen": {"9"}, "who": {"x"}})
		r.Header.Set("Accept-Language", language)
		if a := road.do(r).wants(http.StatusConflict); strings.Contains(a.body, "⟦") || strings.Contains(a.body, "%!") {
			t.Errorf("%s: %s", language, gap(a.body))
		}
	}
}

// gap is the text around the first gap.
func gap(body string) string {
	i := max(strings.Index(body, "⟦"), strings.Index(body, "%!"), strings.Index(body, "ZgotmplZ"))
	return body[max(0, i-80):min(len(body), i+80)]
}

func TestEveryFieldHasALabelAndEveryPageOneHeading(t *testing.T) {
	s := newStand(t)
	s.matters(1)
	b := s.as("road")
	b.send(1000, center.ActAcknowledge, 0).wants(http.StatusSeeOther)
	for _, path := range []string{"/matters", "/matters/1000"} {
		a := b.get(path).wants(http.StatusOK)
		a.one("h1")
		a.one("main")
		labelled := map[string]bool{}
		for _, l := range a.all("label") {
			labelled[attribute(l, "for")] = true
		}
		ids := map[string]int{}
		for _, n := range a.all("[id]") {
			ids[attribute(n, "id")]++
		}
		for id, n := range ids {
			if n > 1 {
				t.Errorf("%s: %d elements have the id %q", path, n, id)
			}
		}
		for _, tag := range []string{"input", "select", "textarea"} {
			for _, n := range a.all(tag) {
				if typ := attribute(n, "type"); typ != "hidden" && typ != "checkbox" && !labelled[attribute(n, "id")] {
					t.Errorf("%s: the field %q has no label", path, attribute(n, "name"))
				}
			}
		}
		if strings.Contains(a.body, " style=") || strings.Contains(a.body, " onclick=") {
			t.Errorf("%s: the policy forbids what stands inline", path)
		}
	}
}
