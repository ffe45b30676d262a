package console

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// matters raises n matters with an alert for each authority, a minute apart, and gives their numbers.
func (s *stand) matters(n int) (ids []int64) {
	begin := s.store.now().Add(-time.Duration(n) * time.Minute)
	for i := range n {
		at := begin.Add(time.Duration(i) * time.Minute)
		id := int64(1000 + i)
		for _, k := range []wim.Competence{wim.RoadAdministration, wim.TrafficPolice} {
			e := sample(k, at, s.jpeg)
			e.Matter.ID = id
			s.store.raise(e)
		}
		ids = append(ids, id)
	}
	return ids
}

// numbers are the matters that a queue shows, from the top.
func (a answer) numbers() (out []string) {
	for _, n := range a.all("#queue .line") {
		out = append(out, attribute(n, "data-matter"))
	}
	return out
}

func TestTheQueueShowsAllThatAnOfficerNeedsToChoose(t *testing.T) {
	s := newStand(t)
	ids := s.matters(1)
	s.store.change(ids[0], func(d *center.Docket) { d.Matter.Region = "51/5101" })
	a := s.as("road").get("/matters").wants(http.StatusOK)
	for _, want := range []string{
		"1000", "豫A·7K882", "豫A·K352挂", "g107-north", "lane 1", "Chengdu", "58.42 t", "6 axles", "Alerted",
		"Road Administration Over limit +6.499 t · 13.2 %", "Traffic Police Suspected overload", "Acknowledge for 1 min",
	} {
		a.says("#queue .line", want)
	}
	a.says("h1", "Matters")
	if !s.store.looked("road", "queue") {
		t.Error("the look at the queue is not traced")
	}
}

func TestTheQueueIsPagedDownAndUpAgain(t *testing.T) {
	s := newStand(t)
	s.matters(2*queueLines + 20)
	b := s.as("road")
	first := b.get("/matters?standing=evidence").wants(http.StatusOK)
	if len(first.all("[rel=prev]")) != 0 || len(first.numbers()) != queueLines {
		t.Fatal("the first page is not the newest")
	}
	second := b.get(attribute(first.one("[rel=next]"), "href")).wants(http.StatusOK)
	third := b.get(attribute(second.one("[rel=next]"), "href")).wants(http.StatusOK)
	if len(third.all("[rel=next]")) != 0 || len(third.numbers()) != 20 {
		t.Errorf("the last page has %d lines and a next one: %v", len(third.numbers()), third.all("[rel=next]"))
	}
	all := slices.Concat(first.numbers(), second.numbers(), third.numbers())
	if slices.Sort(all); len(slices.Compact(all)) != 2*queueLines+20 {
		t.Error("paging loses or repeats matters")
	}
	back := b.get(attribute(third.one("[rel=prev]"), "href")).wants(http.StatusOK)
	if !slices.Equal(back.numbers(), second.numbers()) {
		t.Error("newer does not lead back to the second page")
	}
	top := b.get(attribute(back.one("[rel=prev]"), "href")).wants(http.StatusOK)
	if !slices.Equal(top.numbers(), first.numbers()) || len(top.all("option[selected]")) == 0 {
		t.Error("newer does not lead back to the first page of the same query")
	}
}

func TestTheQueueAsksForWhatItsAddressSays(t *testing.T) {
	s := newStand(t)
	ids := s.matters(4)
	s.store.change(ids[0], func(d *center.Docket) { d.Matter.Plates = []string{"川B99821"} })
	s.store.change(ids[1], func(d *center.Docket) { d.Matter.Region = "51/5101" })
	s.store.change(ids[2], func(d *center.Docket) { d.Matter.State = center.Dispatched })
	s.store.change(ids[3], func(d *center.Docket) { d.Alerts[0].Ended = center.Concluded })
	b := s.as("road")
	passed := s.store.docket(ids[2]).Matter.Passed.Std().In(s.console.words["en"].Zone())
	for name, c := range map[string]struct {
		query string
		want  []string
	}{
		"the beginning of a plate, in small letters, with a space and full-width": {"plate=" + url.QueryEscape(" 川ｂ 998"), []string{"1000"}},
		"a plate with its dot":            {"plate=" + url.QueryEscape("川B·99821"), []string{"1000"}},
		"a region":                        {"region=51%2F5101", []string{"1001"}},
		"a region above it":               {"region=51", []string{"1001"}},
		"two states":                      {"state=dispatched&state=closed", []string{"1002"}},
		"what is ours to do":              {"todo=1", []string{"1002", "1001", "1000"}},
		"a time range in the local time":  {"from=" + passed.Format("2006-01-02T15:04") + "&to=" + passed.Add(time.Minute).Format("2006-01-02T15:04"), []string{"1002"}},
		"a site":                          {"site=g107-north", []string{"1003", "1002", "1001", "1000"}},
		"a standing":                      {"standing=void", nil},
		"empty fields, as the form sends": {"plate=&site=&region=&from=&to=&standing=", []string{"1003", "1002", "1001", "1000"}},
	} {
		if a := b.get("/matters?" + c.query).wants(http.StatusOK); !slices.Equal(a.numbers(), c.want) {
			t.Errorf("%s: %v, want %v", name, a.numbers(), c.want)
		}
	}
	a := b.get("/matters?standing=void")
	a.says(".none", "No matter fits")
	a.says(".none", "Try fewer characters")
}

func TestAQueryThatCannotBeReadIsShownAtItsFieldWithNothingLost(t *testing.T) {
	s := newStand(t)
	s.matters(1)
	b := s.as("road")
	for field, c := range map[string]struct{ query, id, typed, says string }{
		"from":   {"from=yesterday", "f-from", "yesterday", "2026-03-01 08:00"},
		"to":     {"from=2026-03-02T00:00&to=2026-03-01T00:00", "f-to", "2026-03-01T00:00", "later than the beginning"},
		"site":   {"site=no-such", "f-site", "no-such", "choose one of the list"},
		"plate":  {"plate=" + strings.Repeat("9", 33), "f-plate", strings.Repeat("9", 33), "at most 16"},
		"region": {"region=99", "f-region", "", "region of your own"},
		"state":  {"state=sold", "", "", "not one of the choices"},
		"before": {"before=x", "", "", "go back to the first"},
	} {
		a := b.get("/matters?plate2=x&" + c.query).wants(http.StatusBadRequest)
		if got := textOf(a.one(".filters")); !strings.Contains(got, c.says) {
			t.Errorf("%s: nothing says %q: %s", field, c.says, got)
		}
		if c.id == "" {
			continue
		}
		n := a.one("#" + c.id)
		if attribute(n, "aria-invalid") != "true" || attribute(n, "aria-describedby") == "" {
			t.Errorf("%s: its field is not marked as wrong", field)
		}
		if c.typed != "" && attribute(n, "value") != c.typed {
			t.Errorf("%s: %q is shown, %q was typed", field, attribute(n, "value"), c.typed)
		}
	}
	b.get("/matters?" + strings.Repeat("a", 9000)).wants(http.StatusBadRequest)
	b.get("/matters?plate=%zz").wants(http.StatusBadRequest)
}

func TestTextInAQueryOrAPlateStaysText(t *testing.T) {
	s := newStand(t)
	ids := s.matters(1)
	evil := `"><script>alert(1)</script>`
	s.store.change(ids[0], func(d *center.Docket) {
		d.Matter.Plates, d.Matter.Site, d.Matter.Region = []string{evil}, wim.SiteID(evil), center.Region(evil)
	})
	b := s.as("road")
	for _, path := range []string{"/matters", "/matters?plate=" + url.QueryEscape(evil), "/matters?back=" + url.QueryEscape(evil) + "&before=" + url.QueryEscape(evil), "/matters/1000"} {
		a := b.get(path)
		for _, n := range a.all("script") {
			if attribute(n, "src") == "" {
				t.Errorf("%s: a script of somebody else's stands in the page", path)
			}
		}
		if strings.Contains(a.body, "<script>alert") {
			t.Errorf("%s: the text became markup", path)
		}
	}
	if a := b.get("/matters?plate=%0d%0aSet-Cookie:%20x=y"); a.header.Get("Set-Cookie") != "" {
		t.Error("a query set a header")
	}
}

func TestWhoeverSawAMatterIsFoundUnderItsNumber(t *testing.T) {
	for name, path := range map[string]string{
		"the board": "/", "an alert on the board": "/alerts/1", "an alert alone": "/alerts/1/fragment", "the matter's page": "/matters/1000", "a picture": "/pictures/%s?alert=1",
	} {
		s := newStand(t)
		s.matters(1)
		b := s.as("road")
		b.get(strings.ReplaceAll(path, "%s", s.jpeg.String())).wants(http.StatusOK)
		if !s.store.looked("road", "matter 1000") {
			t.Errorf("%s leaves no line under the matter's number", name)
		}
	}
}

func TestNothingIsShownWhenTheLookCannotBeTraced(t *testing.T) {
	s := newStand(t)
	s.matters(1)
	b := s.as("road")
	s.store.mu.Lock()
	s.store.unseen = errBroken
	s.store.mu.Unlock()
	for _, path := range []string{"/", "/alerts/1", "/alerts/1/fragment", "/matters", "/matters/1000", "/pictures/" + s.jpeg.String() + "?alert=1", "/events"} {
		a := b.get(path).wants(http.StatusInternalServerError)
		if strings.Contains(a.body, "7K882") {
			t.Errorf("%s shows a plate that nobody is known to have seen", path)
		}
	}
}

func TestALightStreamTellsWhichMatterChangedAndNoMore(t *testing.T) {
	s := newStand(t)
	f := s.as("road").listen("?light", "")
	ids := s.matters(1)
	m := f.until("entry", anyOf)
	if want := fmt.Sprintf(`{"kind":"alert-raised","alert":1,"matter":%d,"open":false}`, ids[0]); m.data != want {
		t.Errorf("data %s, want %s", m.data, want)
	}
}

func TestARoleOrRegionThatChangesEndsAnOpenStream(t *testing.T) {
	for name, change := range map[string]func(*center.Officer){
		"another region":                    func(o *center.Officer) { o.Region = "51" },
		"another role":                      func(o *center.Officer) { o.Role, o.Competence = center.Auditor, "" },
		"a password that has to be changed": func(o *center.Officer) { o.MustChange = true },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t)
			f := s.as("road").listen("?light", "")
			f.until("status", anyOf)
			o, err := s.store.Officer(t.Context(), "road")
			if err != nil {
				t.Fatal(err)
			}
			change(&o)
			s.store.put(o)
			s.matters(1)
			f.until("reload", anyOf)
		})
	}
}

func TestADisabledOfficersOpenStreamEnds(t *testing.T) {
	s := newStand(t)
	f := s.as("road").listen("?light", "")
	f.until("status", anyOf)
	o, err := s.store.Officer(t.Context(), "road")
	if err != nil {
		t.Fatal(err)
	}
	o.Disabled = true
	s.store.put(o)
	s.matters(1)
	f.until("ended", anyOf)
}
