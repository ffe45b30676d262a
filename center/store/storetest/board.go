package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/wim"
)

func (b *bench) officer(login string, c wim.Competence) {
	b.t.Helper()
	if err := b.s.PutOfficer(b.t.Context(), "", center.Officer{Login: login, Name: "Officer " + login, Role: center.Enforcer, Competence: c, Hash: "$argon2id$" + login, Configured: true}); err != nil {
		b.t.Fatal(err)
	}
}

func ownAlerts(t *testing.T, b *bench) {
	c := NewChain(t, "north-1", 0)
	for range 3 {
		c.Exceeded("川A12345")
	}
	b.store(c.All())
	b.review()
	got, last, err := b.s.Board(t.Context(), Viewer(road), 2)
	if err != nil || len(got) != 2 || got[0].Alert.ID <= got[1].Alert.ID || last != 3 {
		t.Errorf("the road's board: %d entries, last event %d, %v", len(got), last, err)
	}
	if none, last, err := b.s.Board(t.Context(), Viewer(police), 10); err != nil || len(none) != 0 || last != 3 {
		t.Errorf("the police's board: %d %d %v", len(none), last, err)
	}
	id := got[0].Alert.ID
	if e, err := b.s.Entry(t.Context(), Viewer(road), id); err != nil || e.Alert.ID != id {
		t.Errorf("%+v %v", e.Alert, err)
	}
	if _, err := b.s.Entry(t.Context(), Viewer(police), id); !errors.Is(err, center.ErrNotFound) {
		t.Errorf("the police sees the road's alert: %v", err)
	}
	if ev, err := b.s.EventsAfter(t.Context(), Viewer(police), 0, 10); err != nil || len(ev) != 0 {
		t.Errorf("the police sees the road's events: %v %v", ev, err)
	}
	if ev, err := b.s.EventsAfter(t.Context(), Viewer(road), 1, 1); err != nil || len(ev) != 1 || ev[0].ID != 2 {
		t.Errorf("%v %v", ev, err)
	}
}

func acknowledge(t *testing.T, b *bench) {
	b.officer("wang", road)
	b.officer("li", police)
	c := NewChain(t, "north-1", 0)
	c.Passage(both(wim.Exceeded, wim.Exceeded, wim.Evidence, wim.Evidence), "川A12345")
	b.store(c.All())
	b.review()
	r, p := b.board(road)[0].Alert.ID, b.board(police)[0].Alert.ID
	hint, cancel := b.s.Changed()
	defer cancel()
	for _, x := range []struct {
		name  string
		c     wim.Competence
		alert int64
		login string
		want  error
	}{
		{"an alert of the other authority does not exist", police, r, "li", center.ErrNotFound},
		{"an alert that was never raised does not exist", road, 99, "wang", center.ErrNotFound},
		{"an officer of the other authority may not", road, r, "li", center.ErrNotYours},
		{"somebody unknown may not", road, r, "nobody", center.ErrNotYours},
		{"an own officer may", road, r, "wang", nil},
		{"but only once", road, r, "wang", center.ErrAlreadyAcknowledged},
	} {
		if err := b.s.Acknowledge(t.Context(), center.Viewer{Login: x.login, Role: center.Enforcer, Competence: x.c}, x.alert); !errors.Is(err, x.want) || err == nil != (x.want == nil) {
			t.Errorf("%s: %v", x.name, err)
		}
	}
	select {
	case <-hint:
	default:
		t.Error("no hint of the change")
	}
	e := b.board(road)[0]
	if e.Alert.AcknowledgedBy != "wang" || e.Alert.AcknowledgedAt != wim.TimeOf(b.now()) || e.Matter.State != center.Alerted {
		t.Errorf("%+v %s: the other authority has not yet", e.Alert, e.Matter.State)
	}
	if err := b.s.Acknowledge(t.Context(), center.Viewer{Login: "li", Role: center.Enforcer, Competence: police}, p); err != nil {
		t.Fatal(err)
	}
	if m := b.board(road)[0].Matter; m.State != center.Acknowledged {
		t.Errorf("%s", m.State)
	}
	if k := b.events(road); !slices.Equal(k, []center.EventKind{center.AlertRaised, center.AlertAcknowledged, center.MatterActed}) {
		t.Errorf("events %v", k)
	}
	trail := b.trail()[2:] // after the two officers
	if len(trail) != 2 || trail[0].Login != "wang" || trail[0].Action != "acknowledge" || trail[1].Login != "li" {
		t.Errorf("trail %+v", trail)
	}
}

func totals(t *testing.T, b *bench) {
	c := NewChain(t, "north-1", 0).Quiet(3)                                                // 2..4
	c.Exceeded("a")                                                                        // 5
	ref := c.Passage(both(wim.Exceeded, wim.Unknown, wim.Screening, wim.Screening))        // 6
	c.Passage(both(wim.Exceeded, wim.Exceeded, wim.Void, wim.Void))                        // 7
	c.Gap()                                                                                // 8
	c.Supplement(ref, both(wim.Exceeded, wim.Exceeded, wim.Screening, wim.Evidence), "川A") // 9
	b.store(c.All())
	b.review()
	for _, x := range []struct {
		name  string
		c     wim.Competence
		since wim.Time
		want  center.Totals
	}{
		{"the road's since ever", road, 0, center.Totals{Passages: 6, Exceeded: 1, Suspicions: 1, Void: 1, Gaps: 1, Open: 2}},
		{"the police's since ever", police, 0, center.Totals{Passages: 6, Exceeded: 1, Void: 1, Gaps: 1, Open: 1}},
		{"the road's since the sixth record, that one included; open ones of any age", road, c.Time(6), center.Totals{Passages: 2, Suspicions: 1, Void: 1, Gaps: 1, Open: 2}},
		{"after everything", road, c.Time(10), center.Totals{Open: 2}},
	} {
		if got, err := b.s.Totals(t.Context(), Viewer(x.c), x.since); err != nil || got != x.want {
			t.Errorf("%s: %+v %v, want %+v", x.name, got, err, x.want)
		}
	}
}

// concurrentEvents lets two sites, the review and officers write while readers follow. What each reader has
// seen by following "after id" must be all there is.
func concurrentEvents(t *testing.T, b *bench) {
	const perSite = 40
	b.officer("wang", road)
	chains := []*Chain{NewChain(t, "north-1", 0), NewChain(t, "south-2", 0)}
	for _, c := range chains {
		for range perSite {
			c.Passage(both(wim.Exceeded, wim.Exceeded, wim.Evidence, wim.Screening), "川A12345")
		}
	}
	ctx := t.Context()
	written := make(chan struct{})
	var followers, writers, reviewers sync.WaitGroup
	seen := map[wim.Competence][]int64{}
	var mu sync.Mutex
	for _, c := range []wim.Competence{road, police} {
		followers.Go(func() {
			hint, cancel := b.s.Changed()
			defer cancel()
			var ids []int64
			last, ended := int64(0), false
			for {
				ev, err := b.s.EventsAfter(ctx, Viewer(c), last, 3)
				if err != nil {
					t.Error(err)
					return
				}
				for _, e := range ev {
					ids, last = append(ids, e.ID), e.ID
				}
				if len(ev) > 0 {
					continue
				}
				if ended {
					break
				}
				select {
				case <-hint:
				case <-written:
					ended = true // once more, for what came between
				}
			}
			mu.Lock()
			seen[c] = ids
			mu.Unlock()
		})
	}
	for _, c := range chains {
		segments := make([]store.Segment, 0, perSite+1)
		for i := range c.Records {
			segments = append(segments, c.Segment(i+1, i+1))
		}
		writers.Go(func() {
			for _, s := range segments {
				if _, err := b.s.StoreSegment(ctx, s); err != nil {
					t.Error(err)
				}
			}
		})
	}
	stored := make(chan struct{})
	reviewers.Go(func() {
		hint, cancel := b.s.StoredHint()
		defer cancel()
		for ended := false; ; {
			if _, err := Review(t, b.s, center.RejudgedSame); err != nil {
				t.Error(err)
				return
			}
			if ended {
				return
			}
			select {
			case <-hint:
			case <-stored:
				ended = true
			}
		}
	})
	writers.Go(func() {
		hint, cancel := b.s.Changed()
		defer cancel()
		for id := int64(1); id <= 20; { // the road's alerts in turn, as soon as they are there
			switch err := b.s.Acknowledge(ctx, center.Viewer{Login: "wang", Role: center.Enforcer, Competence: road}, id); {
			case err == nil:
				id += 2
			case errors.Is(err, center.ErrNotFound):
				<-hint
			default:
				t.Error(err)
				return
			}
		}
	})
	writers.Wait()
	close(stored)
	reviewers.Wait()
	close(written)
	followers.Wait()
	for _, c := range []wim.Competence{road, police} {
		all, err := b.s.EventsAfter(ctx, Viewer(c), 0, 10_000)
		if err != nil {
			t.Fatal(err)
		}
		var ids []int64
		for _, e := range all {
			ids = append(ids, e.ID)
		}
		if !slices.Equal(ids, seen[c]) || len(ids) < 2*perSite {
			t.Errorf("%s: followed %d events, there are %d", c, len(seen[c]), len(ids))
		}
	}
}

func sites(t *testing.T, b *bench) {
	old, cur := NewChain(t, "north-1", 0).Quiet(4), NewChain(t, "north-1", 1).Quiet(2)
	b.store(old.All())
	b.clock.Add(9e9)
	b.store(cur.Segment(1, 1))
	b.store(cur.Segment(3, 3))
	for _, x := range []struct{ site, payload string }{
		{"north-1", `{"state":"online","boot":"x"}`}, {"south-2", `{"state":"online","boot":"x"}`}, {"south-2", `{"state":"offline","boot":"x"}`},
	} {
		if err := b.s.SetStatus(t.Context(), wim.SiteID(x.site), []byte(x.payload)); err != nil {
			t.Fatal(err)
		}
	}
	for _, bad := range []string{"", "{}", "hello"} {
		if err := b.s.SetStatus(t.Context(), "north-1", []byte(bad)); !errors.Is(err, store.ErrRefused) {
			t.Errorf("status %q: %v", bad, err)
		}
	}
	if err := b.s.SetStatus(t.Context(), "No Site", []byte(`{"state":"online"}`)); !errors.Is(err, store.ErrRefused) {
		t.Errorf("a site that cannot be: %v", err)
	}
	got, err := b.s.Sites(t.Context(), Overseer())
	want := []center.SiteState{
		{Site: "north-1", Chain: cur.ID, Seq: 1, Behind: 1, LastTime: cur.Time(1), Heard: wim.TimeOf(b.now()), Online: true},
		{Site: "south-2"},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%+v %v, want %+v", got, err, want)
	}
}

func quarantine(t *testing.T, b *bench) {
	if err := b.s.Close(); err != nil {
		t.Fatal(err)
	}
	cfg := b.config()
	cfg.QuarantineItems, cfg.QuarantineBytes = 10, 1000
	b.s = b.open(cfg)
	put := func(n, size int) {
		t.Helper()
		it := store.Item{Site: "north-1", Reason: "signature", Detail: fmt.Sprint("item ", n), Bytes: bytes.Repeat([]byte{byte(n)}, size)}
		for range 2 { // the same again is one
			if err := b.s.Quarantine(t.Context(), it); err != nil {
				t.Fatal(err)
			}
		}
	}
	check := func(items int, size, dropped int64) {
		t.Helper()
		i, s, d, err := b.s.Quarantined(t.Context())
		if err != nil || i != items || s != size || d != dropped {
			t.Errorf("%d items of %d bytes, %d dropped, %v; want %d, %d, %d", i, s, d, err, items, size, dropped)
		}
	}
	for n := range 15 {
		put(n, 50)
	}
	check(10, 500, 5)
	put(100, 900)
	check(3, 1000, 13)
	put(101, 5000) // cut to what fits at all
	check(1, 1000, 16)
	if err := b.s.Quarantine(t.Context(), store.Item{Site: "", Reason: "unknown-site", Detail: strings.Repeat("长", 1000)}); err != nil {
		t.Errorf("an empty item: %v", err)
	}
	if a := b.alarms("north-1"); len(a) != 1 || a[0].Count != 17 || b.s.Epoch() == 0 {
		t.Errorf("alarms %+v", a)
	}
}

func alarms(t *testing.T, b *bench) {
	a := NewChain(t, "north-1", 0).Quiet(3)
	b.store(a.All())
	b.store(a.Split(2).Quiet(2).All())
	if err := b.s.Quarantine(t.Context(), store.Item{Site: "north-1", Reason: "signature", Detail: "d", Bytes: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	if n := b.state("north-1").Alarms; n != 2 {
		t.Errorf("%d alarms", n)
	}
	if err := b.s.SetRegions(t.Context(), map[wim.SiteID]center.Region{"north-1": "51"}); err != nil {
		t.Fatal(err)
	}
	if err := b.s.LookedInto(t.Context(), Overseer(), "north-1"); err != nil {
		t.Fatal(err)
	}
	if n := b.state("north-1").Alarms; n != 0 || len(b.alarms("north-1")) != 0 {
		t.Errorf("%d alarms left", n)
	}
	trail := b.trail()
	if len(trail) != 2 || trail[0].Login != Overseer().Login || trail[0].Action != "look-into-alarm" {
		t.Errorf("%+v", trail)
	}
	local := center.Viewer{Login: "qian", Role: center.Auditor, Region: "51"}
	if got, err := b.s.Trail(t.Context(), local, center.TrailQuery{Limit: 10}); err != nil || len(got) != 2 {
		t.Errorf("the auditor of the site's region reads %+v %v", got, err)
	}
}

func officers(t *testing.T, b *bench) {
	if _, err := b.s.Officer(t.Context(), "wang"); !errors.Is(err, center.ErrNotFound) {
		t.Errorf("nobody yet: %v", err)
	}
	b.officer("wang", road)
	b.officer("wang", road) // the same again is no change
	b.officer("li", police)
	o, err := b.s.Officer(t.Context(), "wang")
	if err != nil || o.Competence != road || o.Hash != "$argon2id$wang" {
		t.Errorf("%+v %v", o, err)
	}
	o.Hash = "$argon2id$new"
	if err := b.s.PutOfficer(t.Context(), "", o); err != nil {
		t.Fatal(err)
	}
	if err := b.s.PutOfficer(t.Context(), "", center.Officer{Login: "x"}); !errors.Is(err, store.ErrRefused) {
		t.Errorf("an officer of no authority: %v", err)
	}
	if err := b.s.KeepOfficers(t.Context(), []string{"wang"}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.s.Officer(t.Context(), "li"); !errors.Is(err, center.ErrNotFound) {
		t.Errorf("a removed officer: %v", err)
	}
	trail := b.trail()
	var actions []string
	for _, x := range trail {
		actions = append(actions, x.Action+" "+x.Subject)
		if strings.Contains(x.Detail, "argon2id") {
			t.Errorf("a hash in the trail: %s", x.Detail)
		}
	}
	if !slices.Equal(actions, []string{"put-officer wang", "put-officer li", "put-officer wang", "remove-officer li"}) {
		t.Errorf("%v", actions)
	}
}

func sessions(t *testing.T, b *bench) {
	x := b.s.Sessions()
	expiry := b.now().Add(time.Hour)
	if _, found, err := x.Find("none"); found || err != nil {
		t.Errorf("%v %v", found, err)
	}
	for _, data := range []string{"first", "second"} {
		if err := x.Commit("token", []byte(data), expiry); err != nil {
			t.Fatal(err)
		}
		if got, found, err := x.Find("token"); err != nil || !found || string(got) != data {
			t.Errorf("%q %v %v", got, found, err)
		}
	}
	if err := x.Commit("short", nil, b.now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	b.clock.Add(int64(time.Minute))
	if _, found, err := x.Find("short"); found || err != nil {
		t.Errorf("an expired session: %v %v", found, err)
	}
	for range 2 {
		if err := x.Delete("token"); err != nil {
			t.Fatal(err)
		}
	}
	if _, found, err := x.FindCtx(t.Context(), "token"); found || err != nil {
		t.Errorf("a deleted session: %v %v", found, err)
	}
}
