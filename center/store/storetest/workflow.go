package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/wim"
)

// office is the staff that the cases below act as.
var office = map[string]center.Officer{ //nolint:gochecknoglobals // a table that nobody changes
	"li":    {Login: "li", Role: center.Enforcer, Competence: wim.RoadAdministration, Region: "51"},
	"liu":   {Login: "liu", Role: center.Enforcer, Competence: wim.RoadAdministration, Region: "51/5101"},
	"wang":  {Login: "wang", Role: center.Enforcer, Competence: wim.TrafficPolice},
	"he":    {Login: "he", Role: center.Enforcer, Competence: wim.RoadAdministration, Region: "52"},
	"zhao":  {Login: "zhao", Role: center.Auditor},
	"qian":  {Login: "qian", Role: center.Auditor, Region: "52"},
	"sun":   {Login: "sun", Role: center.Administrator},
	"hong":  {Login: "hong", Role: center.Administrator, Region: "52"},
	"gone":  {Login: "gone", Role: center.Enforcer, Competence: wim.RoadAdministration, Disabled: true},
	"chief": {Login: "chief", Role: center.Enforcer, Competence: wim.RoadAdministration},
}

// staff puts everybody into the store and the sites into their regions.
func (b *bench) staff() {
	b.t.Helper()
	for _, o := range office {
		o.Hash, o.Configured = "h", true
		if err := b.s.PutOfficer(b.t.Context(), "", o); err != nil {
			b.t.Fatal(err)
		}
	}
	if err := b.s.SetRegions(b.t.Context(), map[wim.SiteID]center.Region{"north-1": "51/5101", "south-2": "52"}); err != nil {
		b.t.Fatal(err)
	}
}

func who(login string) center.Viewer { o := office[login]; return o.Viewer() }

func (b *bench) queue(login string, q center.Query) center.Page {
	b.t.Helper()
	if q.Limit == 0 {
		q.Limit = 100
	}
	p, err := b.s.Queue(b.t.Context(), who(login), q)
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

func ids(p center.Page) (out []int64) {
	for i := range p.Lines {
		out = append(out, p.Lines[i].Matter.ID)
	}
	return out
}

func (b *bench) file(login string, matter int64) center.File {
	b.t.Helper()
	f, err := b.s.File(b.t.Context(), who(login), matter)
	if err != nil {
		b.t.Fatal(err)
	}
	return f
}

func (b *bench) do(login string, matter int64, k center.ActKind, in center.Details, seen int64) center.Docket {
	b.t.Helper()
	d, err := b.s.Do(b.t.Context(), who(login), matter, k, in, seen)
	if err != nil {
		b.t.Fatalf("%s by %s: %v", k, login, err)
	}
	return d
}

// matter opens one at north-1 for both authorities and gives its id.
func (b *bench) matter(plates ...string) int64 {
	b.t.Helper()
	b.staff()
	c := NewChain(b.t, "north-1", 0)
	c.Passage(both(wim.Exceeded, wim.Exceeded, wim.Evidence, wim.Screening), plates...)
	b.store(c.All())
	b.review()
	p := b.queue("zhao", center.Query{})
	if len(p.Lines) != 1 {
		b.t.Fatalf("%d matters", len(p.Lines))
	}
	return p.Lines[0].Matter.ID
}

func sight(t *testing.T, b *bench) {
	id := b.matter("川A12345")
	ctx := t.Context()
	for _, c := range []struct {
		login string
		sees  bool
	}{{"li", true}, {"liu", true}, {"wang", true}, {"zhao", true}, {"he", false}, {"qian", false}, {"sun", false}} {
		v := who(c.login)
		if got := len(b.queue(c.login, center.Query{}).Lines) == 1; got != c.sees {
			t.Errorf("%s: queue %v", c.login, got)
		}
		if f, err := b.s.File(ctx, v, id); (err == nil) != c.sees || err != nil && !errors.Is(err, center.ErrNotFound) || c.sees && f.Docket.Matter.ID != id {
			t.Errorf("%s: file %v", c.login, err)
		}
		if e, _, err := b.s.Board(ctx, v, 10); err != nil || (len(e) > 0) != c.sees {
			t.Errorf("%s: board %d %v", c.login, len(e), err)
		}
		seen := 0
		for alert := range int64(3) {
			if _, err := b.s.Entry(ctx, v, alert); err == nil {
				seen++
			} else if !errors.Is(err, center.ErrNotFound) {
				t.Errorf("%s: entry %v", c.login, err)
			}
		}
		if want := map[bool]int{true: 1, false: 0}[c.sees]; seen != want && (c.login != "zhao" || seen != 2) {
			t.Errorf("%s: %d alerts", c.login, seen)
		}
		if ev, err := b.s.EventsAfter(ctx, v, 0, 10); err != nil || (len(ev) > 0) != c.sees {
			t.Errorf("%s: events %d %v", c.login, len(ev), err)
		}
		if n, err := b.s.Totals(ctx, v, 0); err != nil || (n.Open > 0) != c.sees || (n.Exceeded+n.Suspicions > 0) != c.sees {
			t.Errorf("%s: totals %+v %v", c.login, n, err)
		}
		s, err := b.s.Sites(ctx, v)
		elsewhere := slices.ContainsFunc(s, func(x center.SiteState) bool { return !v.Region.Holds(x.Region) })
		own := slices.ContainsFunc(s, func(x center.SiteState) bool { return x.Region == "51/5101" })
		if err != nil || elsewhere || own != v.Region.Holds("51/5101") {
			t.Errorf("%s: sites %+v %v", c.login, s, err)
		}
		_, err = b.s.Do(ctx, v, id, center.ActRemark, center.Details{Remark: "x"}, b.file("zhao", id).Docket.Matter.Version)
		if may := c.sees && v.Role == center.Enforcer; (err == nil) != may || !may && !errors.Is(err, center.ErrNotFound) && !errors.Is(err, center.ErrNotYours) {
			t.Errorf("%s: act %v", c.login, err)
		}
	}
	// A matter keeps the region of its opening, wherever the site goes.
	if err := b.s.SetRegions(ctx, map[wim.SiteID]center.Region{"north-1": "52"}); err != nil {
		t.Fatal(err)
	}
	if len(b.queue("li", center.Query{}).Lines) != 1 || len(b.queue("he", center.Query{}).Lines) != 0 {
		t.Error("a matter moved with its site")
	}
	// Who the store knows otherwise by now does nothing.
	for _, v := range []center.Viewer{who("gone"), {Login: "nobody", Role: center.Enforcer, Competence: wim.RoadAdministration}, {Login: "wang", Role: center.Enforcer, Competence: wim.RoadAdministration}} {
		if _, err := b.s.Do(ctx, v, id, center.ActRemark, center.Details{Remark: "x"}, 3); !errors.Is(err, center.ErrNotYours) {
			t.Errorf("%+v acts: %v", v, err)
		}
	}
}

func history(t *testing.T, b *bench) {
	id := b.matter("川A12345", "川A1234挂")
	weighing := &center.StaticWeighing{Gross: 48900, Axles: []wim.Kg{1, 2}, Ticket: "T-'1", Instrument: "S\"1"}
	var version int64
	for _, c := range []struct {
		login string
		k     center.ActKind
		in    center.Details
		state center.MatterState
	}{
		{"li", center.ActAcknowledge, center.Details{}, center.Alerted},
		{"wang", center.ActAcknowledge, center.Details{}, center.Acknowledged},
		{"li", center.ActDispatch, center.Details{Who: "<b>巡逻二组</b>", Place: "%_'\"--"}, center.Dispatched},
		{"li", center.ActIntercept, center.Details{Place: "K12"}, center.Intercepted},
		{"wang", center.ActWeigh, center.Details{Weighing: weighing}, center.Weighed},
		{"wang", center.ActOpenCase, center.Details{Number: "川公交〔2026〕1号"}, center.Weighed},
		{"wang", center.ActConclude, center.Details{Reason: center.ReasonCaseOpened}, center.Weighed},
		{"li", center.ActRemark, center.Details{Remark: "two\nlines '; DROP TABLE act; --"}, center.Weighed},
		{"li", center.ActDismiss, center.Details{Reason: center.ReasonOther, Remark: "done by the police"}, center.Closed},
	} {
		b.clock.Add(int64(time.Second))
		d := b.do(c.login, id, c.k, c.in, version)
		if version++; d.Matter.Version != version || d.Matter.State != c.state {
			t.Fatalf("after %s: %+v", c.k, d.Matter)
		}
	}
	b.reopen()
	f := b.file("zhao", id)
	if len(f.Acts) != 9 || f.Docket.Matter.State != center.Closed || len(f.Cases) != 1 || f.Cases[0].Number != "川公交〔2026〕1号" || f.Cases[0].Login != "wang" {
		t.Fatalf("%+v", f.Docket)
	}
	for i, a := range f.Acts {
		if a.Version != int64(i+1) || i > 0 && a.At <= f.Acts[i-1].At {
			t.Errorf("act %d: %+v", i, a)
		}
	}
	if w := f.Acts[4].Details.Weighing; w == nil || w.Gross != 48900 || w.Ticket != weighing.Ticket || !slices.Equal(w.Axles, weighing.Axles) || w.At != f.Acts[4].At {
		t.Errorf("%+v", w)
	}
	if f.Acts[2].Details.Who != "<b>巡逻二组</b>" || f.Acts[2].Details.Place != "%_'\"--" || f.Acts[7].Details.Remark != "two\nlines '; DROP TABLE act; --" {
		t.Errorf("%+v", f.Acts)
	}
	own, _ := f.Own(wim.RoadAdministration)
	if own.Ended != center.DismissedEnd || own.EndedBy != "li" || own.EndReason != center.ReasonOther || own.AcknowledgedBy != "li" {
		t.Errorf("%+v", own)
	}
	if len(f.Accounts) != 1 || f.Accounts[0].Key == "" || f.Accounts[0].Rejudged != center.RejudgedSame || f.Accounts[0].Received == 0 || len(f.Accounts[0].Reads) != 2 || f.Pruned ||
		f.Docket.Matter.Opening != f.Accounts[0].Ref || f.Facts.Vehicle.Gross != 50_000 {
		t.Errorf("%+v", f.Accounts)
	}
	// Each authority's stream has an event for each act, in order and once.
	for _, login := range []string{"li", "wang"} {
		ev, err := b.s.EventsAfter(t.Context(), who(login), 0, 100)
		if err != nil || len(ev) != 10 || ev[0].Kind != center.AlertRaised {
			t.Errorf("%s: %+v %v", login, ev, err)
		}
	}
	acts := 0
	for _, x := range b.trail() {
		if x.Subject == "matter "+strconv.FormatInt(id, 10) {
			acts++
		}
	}
	if acts != 9 {
		t.Errorf("%d lines in the audit trail", acts)
	}
}

func stale(t *testing.T, b *bench) {
	id := b.matter()
	ctx := t.Context()
	const rounds, rivals = 12, 6
	for round := range int64(rounds) {
		var wg sync.WaitGroup
		results := make([]error, rivals)
		for i := range rivals {
			login := []string{"li", "wang", "chief"}[i%3]
			wg.Go(func() {
				_, results[i] = b.s.Do(ctx, who(login), id, center.ActRemark, center.Details{Remark: fmt.Sprint(round, login, i)}, round)
			})
		}
		wg.Wait()
		won := 0
		for _, err := range results {
			switch {
			case err == nil:
				won++
			case !errors.Is(err, center.ErrStale):
				t.Errorf("%v", err)
			}
		}
		if won != 1 {
			t.Errorf("round %d: %d acts on one version", round, won)
		}
	}
	if f := b.file("zhao", id); len(f.Acts) != rounds || f.Docket.Matter.Version != rounds {
		t.Errorf("%d acts, version %d", len(f.Acts), f.Docket.Matter.Version)
	}
	// A refused act leaves nothing behind.
	before := len(b.trail())
	for _, c := range []struct {
		k    center.ActKind
		in   center.Details
		want error
	}{
		{center.ActConclude, center.Details{Reason: center.ReasonOther, Remark: "x"}, center.ErrNotNow},
		{center.ActRemark, center.Details{}, nil},
		{center.ActRemark, center.Details{Remark: "x\x00"}, nil},
	} {
		_, err := b.s.Do(ctx, who("li"), id, c.k, c.in, rounds)
		var field *center.FieldError
		if err == nil || c.want != nil && !errors.Is(err, c.want) || c.want == nil && !errors.As(err, &field) {
			t.Errorf("%s: %v", c.k, err)
		}
	}
	if _, err := b.s.Do(ctx, who("li"), 99, center.ActRemark, center.Details{Remark: "x"}, 0); !errors.Is(err, center.ErrNotFound) {
		t.Errorf("a matter that is not there: %v", err)
	}
	if after := len(b.trail()); after != before {
		t.Errorf("%d lines of refused acts", after-before)
	}
}

func caseNumbers(t *testing.T, b *bench) {
	b.staff()
	c := NewChain(t, "north-1", 0)
	for range 3 {
		c.Passage(both(wim.Exceeded, wim.Exceeded, wim.Evidence, wim.Evidence))
	}
	b.store(c.All())
	b.review()
	all := ids(b.queue("zhao", center.Query{}))
	for _, id := range all {
		b.do("li", id, center.ActAcknowledge, center.Details{}, 0)
		b.do("wang", id, center.ActAcknowledge, center.Details{}, 1)
	}
	number := center.Details{Number: "2026-1"}
	var wg sync.WaitGroup
	results := make([]error, len(all))
	for i, id := range all {
		wg.Go(func() { _, results[i] = b.s.Do(t.Context(), who("li"), id, center.ActOpenCase, number, 2) })
	}
	wg.Wait()
	won := -1
	for i, err := range results {
		switch {
		case err == nil && won < 0:
			won = i
		case !errors.Is(err, center.ErrNumberTaken):
			t.Errorf("%v", err)
		}
	}
	if won < 0 {
		t.Fatalf("nobody got the number: %v", results)
	}
	// The other authority counts by itself.
	b.do("wang", all[won], center.ActOpenCase, number, 3)
	if f := b.file("wang", all[won]); len(f.Cases) != 2 {
		t.Errorf("%+v", f.Cases)
	}
}

func reopened(t *testing.T, b *bench) {
	b.staff()
	c := NewChain(t, "north-1", 0)
	ref := c.Passage(both(wim.Exceeded, wim.Unknown, wim.Evidence, wim.Screening))
	b.store(c.All())
	b.review()
	id := ids(b.queue("li", center.Query{}))[0]
	b.do("li", id, center.ActAcknowledge, center.Details{}, 0)
	b.do("li", id, center.ActDismiss, center.Details{Reason: center.ReasonPermit}, 1)
	if len(b.queue("wang", center.Query{}).Lines) != 0 {
		t.Error("the police see a matter that they were not alerted to")
	}
	c.Supplement(ref, both(wim.Exceeded, wim.Exceeded, wim.Evidence, wim.Evidence), "川A12345")
	b.store(c.Segment(3, 3))
	b.review()
	f := b.file("wang", id)
	if f.Docket.Matter.State != center.Alerted || len(f.Alerts) != 2 || !slices.Equal(f.Allowed(who("wang")), []center.ActKind{center.ActAcknowledge, center.ActRemark}) || len(f.Accounts) != 2 {
		t.Errorf("%+v", f.Docket)
	}
	if got := ids(b.queue("wang", center.Query{Plate: "川A1", Owed: true})); !slices.Equal(got, []int64{id}) {
		t.Errorf("by the late plate: %v", got)
	}
	b.do("wang", id, center.ActAcknowledge, center.Details{}, 2)
	b.do("wang", id, center.ActDismiss, center.Details{Reason: center.ReasonPlate}, 3)
	if s := b.file("li", id).Docket.Matter.State; s != center.Dismissed {
		t.Error(s)
	}
}

func pages(t *testing.T, b *bench) {
	b.staff()
	north, south := NewChain(t, "north-1", 0), NewChain(t, "south-2", 1)
	plates := []string{"川A00001", "川A00002", "川B%_'\"--", `<script>`, "川B1"}
	for i := range 25 {
		north.Passage(both(wim.Exceeded, wim.Exceeded, wim.Evidence, wim.Screening), plates[i%len(plates)])
		if i%5 == 0 {
			south.Passage(both(wim.Exceeded, wim.Unknown, wim.Screening, wim.Screening), "贵A1", "贵A2挂")
		}
	}
	b.store(north.All())
	b.store(south.All())
	b.review()
	all := ids(b.queue("zhao", center.Query{}))
	if len(all) != 30 || !slices.IsSortedFunc(all, func(a, b int64) int { return int(b - a) }) {
		t.Fatalf("%v", all)
	}
	// However small the pages, together they are the whole, each matter once, also while others are opened.
	for _, limit := range []int{1, 7, 29, 30, 31} {
		var got []int64
		q := center.Query{Limit: limit}
		for {
			p := b.queue("zhao", q)
			got = append(got, ids(p)...)
			if p.Next == 0 {
				break
			}
			q.Before = p.Next
		}
		if !slices.Equal(got, all) {
			t.Errorf("in pages of %d: %v", limit, got)
		}
	}
	first := b.queue("li", center.Query{Limit: 10})
	if first.Last == 0 || len(first.Lines[0].Alerts) != 2 || first.Lines[0].Matter.Site != "north-1" || first.Lines[0].Matter.Gross != 50_000 || len(first.Lines[0].Matter.Plates) != 1 {
		t.Errorf("%+v", first.Lines[0])
	}
	b.do("li", ids(first)[0], center.ActAcknowledge, center.Details{}, 0)
	b.do("li", ids(first)[0], center.ActDismiss, center.Details{Reason: center.ReasonPermit}, 1)
	for _, c := range []struct {
		name  string
		login string
		q     center.Query
		want  int
	}{
		{"all of a province", "li", center.Query{}, 25},
		{"of the police", "wang", center.Query{}, 25},
		{"of a region", "zhao", center.Query{Region: "52"}, 5},
		{"of a region in the own one", "li", center.Query{Region: "51/5101"}, 25},
		{"of a region outside of the own one", "li", center.Query{Region: "52"}, 0},
		{"of a site", "zhao", center.Query{Site: "south-2"}, 5},
		{"by the beginning of a plate", "zhao", center.Query{Plate: "川A"}, 10},
		{"by a whole plate", "zhao", center.Query{Plate: "川A00002"}, 5},
		{"by a trailer's plate", "zhao", center.Query{Plate: "贵A2"}, 5},
		{"by signs that mean something to a database", "zhao", center.Query{Plate: "川B%"}, 5},
		{"by one that stands for any", "zhao", center.Query{Plate: "_"}, 0},
		{"by a quote", "zhao", center.Query{Plate: "'"}, 0},
		{"by markup", "zhao", center.Query{Plate: "<script>"}, 5},
		{"with the standing of the own alert", "wang", center.Query{Standing: wim.Evidence}, 0},
		{"with the standing of any alert", "zhao", center.Query{Standing: wim.Evidence}, 25},
		{"in which something is owed", "li", center.Query{Owed: true}, 24},
		{"by state", "li", center.Query{States: []center.MatterState{center.Alerted}}, 25},
		{"by several states", "zhao", center.Query{States: []center.MatterState{center.Closed, center.Dismissed}}, 0},
		{"that passed in a time", "zhao", center.Query{From: Start, To: Start + 10*Second}, 9 + 5},
		{"that passed at another", "zhao", center.Query{From: Start + 1_000_000*Second}, 0},
	} {
		if got := len(b.queue(c.login, c.q).Lines); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	if _, err := b.s.Queue(t.Context(), who("li"), center.Query{Limit: 5000}); err == nil {
		t.Error("a page of everything")
	}
}

func looks(t *testing.T, b *bench) {
	b.staff()
	for _, x := range []struct{ login, subject, detail string }{{"li", "matter 1", ""}, {"he", "matter 2", "=cmd|x"}, {"zhao", "trail", "\x00"}, {"li", "search", `plate "'; --"`}} {
		if err := b.s.Looked(t.Context(), who(x.login), x.subject, x.detail); err != nil {
			t.Fatal(err)
		}
	}
	read := func(login string, q center.TrailQuery) (out []string) {
		t.Helper()
		if q.Limit == 0 {
			q.Limit = 100
		}
		q.Action = "look"
		all, err := b.s.Trail(t.Context(), who(login), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range all {
			out = append(out, x.Login+" "+x.Subject)
		}
		return out
	}
	if got := read("zhao", center.TrailQuery{}); !slices.Equal(got, []string{"li search", "zhao trail", "he matter 2", "li matter 1"}) {
		t.Errorf("%v", got)
	}
	if got := read("qian", center.TrailQuery{}); !slices.Equal(got, []string{"he matter 2"}) {
		t.Errorf("an auditor of a region reads %v", got)
	}
	if got := read("zhao", center.TrailQuery{Login: "li", Limit: 1}); !slices.Equal(got, []string{"li search"}) {
		t.Errorf("%v", got)
	}
	if got := read("zhao", center.TrailQuery{Subject: "matter 2"}); len(got) != 1 {
		t.Errorf("%v", got)
	}
	// Whoever saw a matter is found by the auditor of its region, from however far above.
	c := NewChain(t, "south-2", 1)
	c.Exceeded("川B1")
	b.store(c.All())
	b.review()
	if err := b.s.Looked(t.Context(), who("chief"), "matter 1", ""); err != nil {
		t.Fatal(err)
	}
	if got := read("qian", center.TrailQuery{Subject: "matter 1"}); !slices.Equal(got, []string{"chief matter 1"}) {
		t.Errorf("the auditor of the matter's region reads %v", got)
	}
	if got := read("zhao", center.TrailQuery{Login: "chief"}); !slices.Equal(got, []string{"chief matter 1"}) {
		t.Errorf("the auditor of everything reads %v", got)
	}
	for _, login := range []string{"li", "sun"} {
		if _, err := b.s.Trail(t.Context(), who(login), center.TrailQuery{Limit: 1}); !errors.Is(err, center.ErrNotYours) {
			t.Errorf("%s reads the audit trail: %v", login, err)
		}
	}
}

func tokens(t *testing.T, b *bench) {
	b.staff()
	ctx := t.Context()
	put := func(login string, secret byte) center.Token {
		t.Helper()
		k, err := b.s.PutToken(ctx, "sun", center.Token{Name: "report '\"", Login: login, Scopes: []center.Scope{center.ScopeMattersRead, center.ScopeSitesRead}, Expires: wim.TimeOf(b.now()) + 3600*Second}, [32]byte{secret})
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	li, he := put("li", 1), put("he", 2)
	k, o, err := b.s.TokenOf(ctx, [32]byte{1})
	if err != nil || k.ID != li.ID || o.Login != "li" || o.Region != "51" || !k.Has(center.ScopeSitesRead) || k.Has(center.ScopeMattersAct) || k.Used == 0 {
		t.Errorf("%+v %+v %v", k, o, err)
	}
	none := func(name string, secret byte) {
		t.Helper()
		if _, _, err := b.s.TokenOf(ctx, [32]byte{secret}); !errors.Is(err, center.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	none("a token that nobody made", 9)
	for login, want := range map[string]int{"sun": 2, "hong": 1, "li": 1, "wang": 0} {
		if all, err := b.s.Tokens(ctx, who(login)); err != nil || len(all) != want {
			t.Errorf("%s sees %d tokens, %v", login, len(all), err)
		}
	}
	if err := b.s.RevokeToken(ctx, who("wang"), li.ID); !errors.Is(err, center.ErrNotFound) {
		t.Errorf("somebody else's token: %v", err)
	}
	if err := b.s.RevokeToken(ctx, who("hong"), he.ID); err != nil {
		t.Error(err)
	}
	none("a revoked token", 2)
	// What the officer may is asked anew each time.
	changed := office["li"]
	changed.Hash, changed.Configured, changed.Region = "h", true, "52"
	if err := b.s.PutOfficer(ctx, "", changed); err != nil {
		t.Fatal(err)
	}
	if _, o, err := b.s.TokenOf(ctx, [32]byte{1}); err != nil || o.Region != "52" {
		t.Errorf("%+v %v", o, err)
	}
	changed.Disabled = true
	if err := b.s.PutOfficer(ctx, "", changed); err != nil {
		t.Fatal(err)
	}
	none("a token of a disabled officer", 1)
	put("chief", 4)
	if err := b.s.KeepOfficers(ctx, []string{"li", "wang", "sun"}); err != nil {
		t.Fatal(err)
	}
	none("a token of an officer who was removed", 4)
	b.staff()
	none("a token of somebody who had the login before", 4)
	put("wang", 3)
	b.clock.Add(int64(time.Hour))
	none("an expired token", 3)
	for _, bad := range []center.Token{{Name: "x", Login: "nobody", Scopes: center.Scopes(), Expires: 1 << 62}, {Name: "x", Login: "wang", Scopes: []center.Scope{"all"}, Expires: 1 << 62}, {Name: "x", Login: "wang", Scopes: center.Scopes(), Expires: 1}} {
		if _, err := b.s.PutToken(ctx, "sun", bad, [32]byte{7}); !errors.Is(err, center.ErrNotFound) && !errors.Is(err, store.ErrRefused) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func addedOfficers(t *testing.T, b *bench) {
	b.staff()
	ctx := t.Context()
	o := center.Officer{Login: "new", Name: "'\"<b>", Role: center.Enforcer, Competence: wim.TrafficPolice, Region: "52", Hash: "h1", MustChange: true}
	if err := b.s.PutOfficer(ctx, "sun", o); err != nil {
		t.Fatal(err)
	}
	elsewhere := o
	elsewhere.Region = "51"
	for name, x := range map[string]struct {
		by string
		o  center.Officer
	}{
		"an enforcer":                       {"li", o},
		"nobody":                            {"nobody", o},
		"an administrator, who fetches one": {"hong", center.Officer{Login: "liu", Role: center.Enforcer, Competence: wim.RoadAdministration, Region: "52", Hash: "h"}},
		"an administrator, who puts one elsewhere": {"hong", elsewhere},
	} {
		x.o.Name = "changed"
		if err := b.s.PutOfficer(ctx, x.by, x.o); !errors.Is(err, center.ErrNotYours) {
			t.Errorf("%s: %v", name, err)
		}
		k := center.Token{Name: "x", Login: "zhao", Scopes: []center.Scope{center.ScopeTrailRead}, Expires: 1 << 62}
		if _, err := b.s.PutToken(ctx, x.by, k, [32]byte{8}); !errors.Is(err, center.ErrNotYours) {
			t.Errorf("%s makes a token: %v", name, err)
		}
	}
	if got, err := b.s.Officer(ctx, "new"); err != nil || got != o {
		t.Errorf("%+v %v", got, err)
	}
	if err := b.s.ChangePassword(ctx, "new", "h2"); err != nil {
		t.Fatal(err)
	}
	if got, err := b.s.Officer(ctx, "new"); err != nil || got.Hash != "h2" || got.MustChange {
		t.Errorf("%+v %v", got, err)
	}
	o.Hash, o.Disabled, o.MustChange = "", true, false
	if err := b.s.PutOfficer(ctx, "sun", o); err != nil {
		t.Fatal(err)
	}
	if got, err := b.s.Officer(ctx, "new"); err != nil || got.Hash != "h2" || !got.Disabled {
		t.Errorf("disabled: %+v %v", got, err)
	}
	configured := office["li"]
	for _, bad := range []center.Officer{{Login: "li", Role: center.Administrator, Hash: "x"}, configured, {Login: "x", Role: center.Auditor}, {Login: "x", Role: "emperor", Hash: "x"}} {
		if err := b.s.PutOfficer(ctx, "sun", bad); !errors.Is(err, store.ErrRefused) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if err := b.s.ChangePassword(ctx, "li", "x"); !errors.Is(err, store.ErrRefused) {
		t.Errorf("a password of the configuration: %v", err)
	}
	if err := b.s.ChangePassword(ctx, "nobody", "x"); !errors.Is(err, center.ErrNotFound) {
		t.Error(err)
	}
	if err := b.s.KeepOfficers(ctx, nil); err != nil {
		t.Fatal(err)
	}
	left, err := b.s.Officers(ctx, who("sun"))
	if err != nil || len(left) != 1 || left[0].Login != "new" || left[0].Hash != "" {
		t.Errorf("%+v %v", left, err)
	}
	if _, err := b.s.Officers(ctx, who("li")); !errors.Is(err, center.ErrNotYours) {
		t.Errorf("an enforcer lists officers: %v", err)
	}
}
