package console

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// newAccounts is an office whose site "well" has a morning with a gap, a lost record and a hole.
func newAccounts(t *testing.T) (s *stand, query string) {
	s = newOffice(t)
	from := wim.TimeOf(time.Date(2026, 5, 4, 0, 0, 0, 0, s.console.words["en"].Zone()))
	at := func(h int) wim.Time { return from.Add(time.Duration(h) * time.Hour) }
	s.store.cover = center.Coverage{
		Region: "51/5101", Began: at(-100), Until: at(18),
		Gaps: []center.SealedGap{{
			Gap: wim.Gap{Lane: 2, Device: hostile, Cause: wim.GapDisk, Boot: 1, From: 10, To: 14, Since: at(6), Until: at(7), Detail: "=1+1" + hostile},
			Ref: wim.RecordRef{Site: "well", Chain: wim.ChainID{1}, Seq: 77}, Sealed: at(8),
		}},
		Missing: []center.Missing{{Ref: wim.RecordRef{Site: "well", Chain: wim.ChainID{1}, Seq: 80}, Kind: wim.KindPassage, Time: at(9), Reason: "page 12 is torn"}},
		Holes:   []center.Hole{{Chain: wim.ChainID{1}, From: 91, To: 95, Held: 12, Since: at(18)}},
	}
	s.store.passed = map[wim.LaneID]*[center.Slots][2]int{1: {}}
	for i := range 80 {
		s.store.passed[1][i] = [2]int{3, 1}
	}
	return s, "?site=well&from=2026-05-04T00:00&to=2026-05-05T00:00"
}

func TestTheGapReportNamesEverythingThatIsMissing(t *testing.T) {
	s, query := newAccounts(t)
	for _, login := range []string{"road", "auditor", "admin", "city"} {
		a := s.as(login).get("/gaps" + query).wants(http.StatusOK)
		a.says("tr[data-lane=1]", "240")
		a.says("tr[data-lane=2]", "5")
		a.says("tr[data-gap=77]", "could not write")
		a.says("tr[data-missing=80]", "page 12 is torn")
		a.says("tr[data-hole=91]", "91–95")
		a.says(".sites-sum", "gaps 1, records that could not be sent 1, holes not closed yet 1")
		if len(a.all("main script")) != 0 || strings.Contains(a.body, "⟦") {
			t.Error("a device's name became part of the page, or a text is missing")
		}
		bar := a.one("tr[data-lane=2] svg")
		if label := attribute(bar, "aria-label"); !strings.Contains(label, "gap 5%") || !strings.Contains(label, "not known 26%") {
			t.Errorf("the bar says %q", label)
		}
		if n := len(a.all("tr[data-lane=2] rect.cover-gap")); n != 1 {
			t.Errorf("%d gaps are drawn, want one stretch", n)
		}
	}
	zh := s.as("road")
	zh.post("/preferences", map[string][]string{"language": {"zh"}, "back": {"/gaps"}})
	zh.get("/gaps"+query).wants(http.StatusOK).says("tr[data-gap=77]", "站点无法写入")
}

func TestASiteWhoseRecordsAreWholeIsSaidToBe(t *testing.T) {
	s, query := newAccounts(t)
	s.store.cover.Gaps, s.store.cover.Missing, s.store.cover.Holes = nil, nil, nil
	s.as("road").get("/gaps"+query).wants(http.StatusOK).says(".sites-sum", "Nothing is missing")
	for q, want := range map[string]string{
		"?site=well&from=2026-05-06T00:00&to=2026-05-07T00:00": "ends before it",
		"?site=well&from=2026-04-01T00:00&to=2026-04-02T00:00": "not begun",
	} {
		s.as("road").get("/gaps"+q).wants(http.StatusOK).says(".sites-sum", want)
	}
	s.store.cover.Pruned = true
	a := s.as("road").get("/gaps" + query).wants(http.StatusOK)
	if strings.Contains(textOf(a.one(".sites-sum")), "Nothing is missing") {
		t.Error("records that retention has removed count as if nothing were missing")
	}
}

func TestAGapReportThatCannotBeMadeSaysWhy(t *testing.T) {
	s, query := newAccounts(t)
	s.as("road").get("/gaps").wants(http.StatusOK).says(".none", "Choose a site")
	s.as("city").get("/gaps?site=alarmed").wants(http.StatusNotFound) // another region's
	for _, c := range []struct{ query, at, want string }{
		{"?site=well&lane=x", "#f-lane-problem", "from 1"},
		{"?site=well&from=2026-05-04&to=2026-07-04", "#f-to-problem", ""},
		{"?site=well&from=yesterday", "#f-from-problem", "2026-03-01"},
	} {
		s.as("road").get("/gaps"+c.query).wants(http.StatusBadRequest).says(c.at, c.want)
		s.as("road").get("/gaps.csv" + c.query).wants(http.StatusBadRequest)
	}
	b := s.as("road")
	s.store.broken = errBroken
	b.get("/gaps" + query).wants(http.StatusInternalServerError)
}

func TestTheGapReportIsATableForSpreadsheetsToo(t *testing.T) {
	s, query := newAccounts(t)
	a := s.as("road").get("/gaps.csv" + query).wants(http.StatusOK)
	lines := strings.Split(strings.TrimSuffix(a.body, "\r\n"), "\r\n")
	if len(lines) != 1+2+1+1+1 || !strings.HasPrefix(lines[0], "\ufeff") {
		t.Fatalf("%d lines:\n%s", len(lines), a.body)
	}
	for i, want := range []string{"", "240", "5", "'=1+1", "page 12 is torn", "91–95"} {
		if !strings.Contains(lines[i], want) {
			t.Errorf("line %d lacks %q: %s", i, want, lines[i])
		}
	}
	if strings.Contains(a.body, ",=") {
		t.Error("a cell would be taken for a formula")
	}
}
