package center

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/axlegate/axlegate/wim"
)

var (
	roadOfficer   = Viewer{Login: "li", Role: Enforcer, Competence: road}
	policeOfficer = Viewer{Login: "wang", Role: Enforcer, Competence: police}
)

func docket(competences ...wim.Competence) Docket {
	d := Docket{Matter: Matter{ID: 7, State: Alerted, Region: "51"}}
	for i, c := range competences {
		d.Alerts = append(d.Alerts, Alert{ID: int64(i + 1), Matter: 7, Competence: c, Raised: 100})
	}
	return d
}

// good are details that every act of a kind takes, whatever the state.
func good(k ActKind) Details {
	switch k {
	case ActDispatch:
		return Details{Who: "patrol 2", Place: "K12"}
	case ActIntercept:
		return Details{Place: "K12"}
	case ActWeigh:
		return Details{Weighing: &StaticWeighing{Gross: 51000, Ticket: "T-1", Instrument: "S-1"}}
	case ActOpenCase:
		return Details{Number: "2026-1"}
	case ActConclude, ActDismiss:
		return Details{Reason: ReasonOther, Remark: "because"}
	case ActRemark:
		return Details{Remark: "note"}
	case ActAcknowledge:
	}
	return Details{}
}

// step is an act on what is there, which must succeed.
func step(t *testing.T, d *Docket, v Viewer, k ActKind, in ...Details) {
	t.Helper()
	details := good(k)
	if len(in) > 0 {
		details = in[0]
	}
	next, _, err := d.Do(v, k, details, d.Matter.Version, 500)
	if err != nil {
		t.Fatalf("%s by %s: %v", k, v.Login, err)
	}
	*d = next
}

func TestAMatterGoesItsWay(t *testing.T) {
	d := docket(road, police)
	step(t, &d, roadOfficer, ActAcknowledge)
	if d.Matter.State != Alerted {
		t.Errorf("%s: the police have not acknowledged", d.Matter.State)
	}
	step(t, &d, policeOfficer, ActAcknowledge)
	if d.Matter.State != Acknowledged {
		t.Error(d.Matter.State)
	}
	for _, x := range []struct {
		k ActKind
		s MatterState
	}{{ActDispatch, Dispatched}, {ActIntercept, Intercepted}, {ActWeigh, Weighed}, {ActWeigh, Weighed}, {ActOpenCase, Weighed}, {ActRemark, Weighed}} {
		step(t, &d, roadOfficer, x.k)
		if d.Matter.State != x.s {
			t.Errorf("after %s: %s", x.k, d.Matter.State)
		}
	}
	step(t, &d, roadOfficer, ActConclude, Details{Reason: ReasonCaseOpened})
	if d.Matter.State != Weighed {
		t.Errorf("%s: the police have not ended their part", d.Matter.State)
	}
	step(t, &d, policeOfficer, ActDismiss, Details{Reason: ReasonPermit})
	if d.Matter.State != Closed || d.Matter.Version != 10 || len(d.Owed()) != 0 {
		t.Errorf("%+v", d.Matter)
	}
	if got := d.Allowed(roadOfficer); !slices.Equal(got, []ActKind{ActRemark}) {
		t.Errorf("a closed matter allows %v", got)
	}
}

func TestAMatterThatAllDismissIsDismissed(t *testing.T) {
	d := docket(road, police)
	for _, v := range []Viewer{roadOfficer, policeOfficer} {
		step(t, &d, v, ActAcknowledge)
		step(t, &d, v, ActDismiss, Details{Reason: ReasonMeasurement})
	}
	if d.Matter.State != Dismissed || d.Matter.State.Open() {
		t.Error(d.Matter.State)
	}
}

func TestActsThatAreRefused(t *testing.T) {
	acknowledged := docket(road, police)
	step(t, &acknowledged, roadOfficer, ActAcknowledge)
	dispatched := acknowledged
	step(t, &dispatched, roadOfficer, ActDispatch)
	withCase := acknowledged
	step(t, &withCase, roadOfficer, ActOpenCase)
	field := func(name string) func(error) bool {
		return func(err error) bool {
			var f *FieldError
			return errors.As(err, &f) && f.Field == name
		}
	}
	is := func(want error) func(error) bool { return func(err error) bool { return errors.Is(err, want) } }
	for _, c := range []struct {
		name string
		d    Docket
		v    Viewer
		k    ActKind
		in   Details
		seen int64
		want func(error) bool
	}{
		{"on an older version", acknowledged, roadOfficer, ActRemark, good(ActRemark), 0, is(ErrStale)},
		{"on a version that never was", acknowledged, roadOfficer, ActRemark, good(ActRemark), 99, is(ErrStale)},
		{"by an auditor", acknowledged, Viewer{Login: "zhao", Role: Auditor}, ActRemark, good(ActRemark), 1, is(ErrNotYours)},
		{"by an administrator", acknowledged, Viewer{Login: "sun", Role: Administrator}, ActRemark, good(ActRemark), 1, is(ErrNotYours)},
		{"from another region", acknowledged, Viewer{Login: "he", Role: Enforcer, Competence: road, Region: "52"}, ActRemark, good(ActRemark), 1, is(ErrNotYours)},
		{"by an authority that was not alerted", docket(road), policeOfficer, ActAcknowledge, Details{}, 0, is(ErrNotYours)},
		{"acknowledged twice", acknowledged, roadOfficer, ActAcknowledge, Details{}, 1, is(ErrNotNow)},
		{"before the own acknowledgement", acknowledged, policeOfficer, ActDispatch, good(ActDispatch), 1, is(ErrNotNow)},
		{"dispatched twice", dispatched, roadOfficer, ActDispatch, good(ActDispatch), 2, is(ErrNotNow)},
		{"a second case of one authority", withCase, roadOfficer, ActOpenCase, good(ActOpenCase), 2, is(ErrNotNow)},
		{"dismissed with a case open", withCase, roadOfficer, ActDismiss, good(ActDismiss), 2, is(ErrNotNow)},
		{"concluded before anything was done", acknowledged, roadOfficer, ActConclude, good(ActConclude), 1, is(ErrNotNow)},
		{"concluded as weighed without a weighing", dispatched, roadOfficer, ActConclude, Details{Reason: ReasonCompliant}, 2, field("reason")},
		{"concluded with a case that there is not", dispatched, roadOfficer, ActConclude, Details{Reason: ReasonCaseOpened}, 2, field("reason")},
		{"a driver warned who was not stopped", dispatched, roadOfficer, ActConclude, Details{Reason: ReasonWarned}, 2, field("reason")},
		{"a reason of the other end", dispatched, roadOfficer, ActConclude, Details{Reason: ReasonPermit}, 2, field("reason")},
		{"another reason without a remark", acknowledged, roadOfficer, ActDismiss, Details{Reason: ReasonOther}, 1, field("remark")},
		{"a remark of spaces", acknowledged, roadOfficer, ActRemark, Details{Remark: " \n "}, 1, field("remark")},
		{"a remark beyond its bound", acknowledged, roadOfficer, ActRemark, Details{Remark: strings.Repeat("超", MaxRemark+1)}, 1, field("remark")},
		{"a remark with a header in it", acknowledged, roadOfficer, ActRemark, Details{Remark: "a\r\nSet-Cookie: b"}, 1, field("remark")},
		{"a remark that is no text", acknowledged, roadOfficer, ActRemark, Details{Remark: "\xff"}, 1, field("remark")},
		{"a case without a number", acknowledged, roadOfficer, ActOpenCase, Details{}, 1, field("number")},
		{"a case number of two lines", acknowledged, roadOfficer, ActOpenCase, Details{Number: "1\n2"}, 1, field("number")},
		{"a field of another act", acknowledged, roadOfficer, ActRemark, Details{Remark: "x", Number: "1"}, 1, field("number")},
		{"nobody sent", acknowledged, roadOfficer, ActDispatch, Details{Place: "K12"}, 1, field("who")},
		{"no weighing", acknowledged, roadOfficer, ActWeigh, Details{}, 1, field("weighing")},
		{"a weighing with another act", acknowledged, roadOfficer, ActRemark, Details{Remark: "x", Weighing: &StaticWeighing{}}, 1, field("weighing")},
		{"nothing weighed", acknowledged, roadOfficer, ActWeigh, Details{Weighing: &StaticWeighing{Ticket: "1", Instrument: "2"}}, 1, field("weighing.gross_kg")},
		{"beyond all scales", acknowledged, roadOfficer, ActWeigh, Details{Weighing: &StaticWeighing{Gross: MaxGross + 1, Ticket: "1", Instrument: "2"}}, 1, field("weighing.gross_kg")},
		{"an axle below nothing", acknowledged, roadOfficer, ActWeigh, Details{Weighing: &StaticWeighing{Gross: 1, Axles: []wim.Kg{-1}, Ticket: "1", Instrument: "2"}}, 1, field("weighing.axles_kg")},
		{"a weighing that is yet to come", acknowledged, roadOfficer, ActWeigh, Details{Weighing: &StaticWeighing{Gross: 1, Ticket: "1", Instrument: "2", At: 500 + wim.Time(time.Hour)}}, 1, field("weighing.at")},
		{"a weighing before all time", acknowledged, roadOfficer, ActWeigh, Details{Weighing: &StaticWeighing{Gross: 1, Ticket: "1", Instrument: "2", At: -1}}, 1, field("weighing.at")},
		{"a weighing without its ticket", acknowledged, roadOfficer, ActWeigh, Details{Weighing: &StaticWeighing{Gross: 1, Instrument: "2"}}, 1, field("weighing.ticket")},
		{"an act that there is not", acknowledged, roadOfficer, "explode", Details{}, 1, field("kind")},
	} {
		before := c.d
		before.Alerts = slices.Clone(c.d.Alerts)
		if _, _, err := c.d.Do(c.v, c.k, c.in, c.seen, 500); err == nil || !c.want(err) {
			t.Errorf("%s: %v", c.name, err)
		}
		if !slices.Equal(before.Alerts, c.d.Alerts) || before.Matter.Version != c.d.Matter.Version {
			t.Errorf("%s: the docket was changed", c.name)
		}
	}
}

func TestACaseNumberIsKeptWithoutSpacesAround(t *testing.T) {
	d := docket(road)
	step(t, &d, roadOfficer, ActAcknowledge)
	step(t, &d, roadOfficer, ActOpenCase, Details{Number: "　2026-1 "})
	if d.Cases[0].Number != "2026-1" {
		t.Errorf("%q", d.Cases[0].Number)
	}
}

func TestWhoOwesWhat(t *testing.T) {
	d := docket(road, police)
	owed := func() map[wim.Competence][]ActKind {
		out := map[wim.Competence][]ActKind{}
		for _, o := range d.Owed() {
			out[o.Competence] = o.Acts
		}
		return out
	}
	if o := owed(); !slices.Equal(o[road], []ActKind{ActAcknowledge}) || !slices.Equal(o[police], []ActKind{ActAcknowledge}) {
		t.Errorf("%v", o)
	}
	step(t, &d, roadOfficer, ActAcknowledge)
	step(t, &d, roadOfficer, ActDispatch)
	if o := owed(); !slices.Contains(o[road], ActIntercept) || !slices.Equal(o[police], []ActKind{ActAcknowledge}) {
		t.Errorf("%v", o)
	}
	step(t, &d, roadOfficer, ActIntercept)
	if o := owed(); !slices.Equal(o[road], []ActKind{ActWeigh}) {
		t.Errorf("%v", o)
	}
	step(t, &d, roadOfficer, ActWeigh)
	step(t, &d, roadOfficer, ActOpenCase)
	if o := owed(); !slices.Equal(o[road], []ActKind{ActConclude}) {
		t.Errorf("%v", o)
	}
	step(t, &d, roadOfficer, ActConclude)
	if o := owed(); len(o) != 1 {
		t.Errorf("%v", o)
	}
}

// Whatever officers try in whatever order: what is allowed can be done, what is not cannot, versions rise by one,
// what has ended stays ended, and a matter is closed exactly when everybody has ended the own part.
func TestPropertyActsKeepTheRulesInWhateverOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := docket(road, police)
		if rapid.Bool().Draw(t, "one authority") {
			d = docket(road)
		}
		for range rapid.IntRange(1, 25).Draw(t, "acts") {
			v := rapid.SampledFrom([]Viewer{roadOfficer, policeOfficer, {Login: "zhao", Role: Auditor}, {Login: "he", Role: Enforcer, Competence: road, Region: "52"}}).Draw(t, "who")
			k := rapid.SampledFrom(ActKinds()).Draw(t, "act")
			allowed := slices.Contains(d.Allowed(v), k)
			next, act, err := d.Do(v, k, good(k), d.Matter.Version, 500)
			if allowed != (err == nil) {
				t.Fatalf("%s by %s in %s: allowed %v, %v", k, v.Login, d.Matter.State, allowed, err)
			}
			if _, _, err := d.Do(v, k, good(k), d.Matter.Version+1, 500); err == nil {
				t.Fatal("an act on a version that is not there")
			}
			if err != nil {
				continue
			}
			if next.Matter.Version != d.Matter.Version+1 || act.Version != next.Matter.Version || act.Login != v.Login {
				t.Fatalf("%+v", act)
			}
			ended, dismissed := true, true
			for i := range next.Alerts {
				was, is := d.Alerts[i], next.Alerts[i]
				if was.Ended != "" && is != was || was.AcknowledgedAt != 0 && is.AcknowledgedAt != was.AcknowledgedAt || is.Competence != v.Competence && is != was {
					t.Fatalf("%+v became %+v by %s of %s", was, is, k, v.Login)
				}
				if was.Ended != "" && was.Competence == v.Competence && k != ActRemark {
					t.Fatalf("%s after the own end", k)
				}
				ended = ended && is.Ended != ""
				dismissed = dismissed && is.Ended == DismissedEnd
			}
			if next.Matter.State.Open() == ended || (next.Matter.State == Dismissed) != (ended && dismissed) {
				t.Fatalf("%s with %+v", next.Matter.State, next.Alerts)
			}
			if len(next.Owed()) == 0 != ended {
				t.Fatalf("owed %+v in %s", next.Owed(), next.Matter.State)
			}
			if len(next.Cases) != len(d.Cases) && k != ActOpenCase {
				t.Fatal("a case that no officer opened")
			}
			d = next
		}
	})
}

func TestQueriesThatAreRefused(t *testing.T) {
	ok := Query{Limit: 50}
	if err := ok.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func(*Query)
		field  string
	}{
		{"a page of nothing", func(q *Query) { q.Limit = 0 }, "limit"},
		{"a page of everything", func(q *Query) { q.Limit = MaxPage + 1 }, "limit"},
		{"a plate beyond all plates", func(q *Query) { q.Plate = strings.Repeat("川", maxPlate+1) }, "plate"},
		{"a plate that is no text", func(q *Query) { q.Plate = "\xff" }, "plate"},
		{"a site that cannot be", func(q *Query) { q.Site = "../x" }, "site"},
		{"a region that cannot be", func(q *Query) { q.Region = "5 1" }, "region"},
		{"an end before its beginning", func(q *Query) { q.From, q.To = 5, 5 }, "to"},
		{"a state that there is not", func(q *Query) { q.States = []MatterState{"eaten"} }, "state"},
		{"a standing that there is not", func(q *Query) { q.Standing = "sitting" }, "standing"},
		{"before nothing", func(q *Query) { q.Before = -1 }, "before"},
	} {
		q := ok
		c.change(&q)
		var f *FieldError
		if err := q.Validate(); !errors.As(err, &f) || f.Field != c.field {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, q := range []TrailQuery{{Limit: 0}, {Limit: MaxTrail + 1}, {Limit: 1, Before: -1}, {Limit: 1, From: 2, To: 1}, {Limit: 1, Login: "\xff"}, {Limit: 1, Subject: strings.Repeat("x", 2*MaxWord+1)}} {
		if err := q.Validate(); err == nil {
			t.Errorf("%+v", q)
		}
	}
}

func TestTokensThatAreRefused(t *testing.T) {
	ok := Token{Name: "report", Login: "li", Scopes: []Scope{ScopeMattersRead}, Created: 1, Expires: 2}
	if err := ok.Valid(); err != nil {
		t.Fatal(err)
	}
	for _, change := range []func(*Token){
		func(k *Token) { k.Name = "" }, func(k *Token) { k.Name = strings.Repeat("x", 101) }, func(k *Token) { k.Login = "" },
		func(k *Token) { k.Scopes = nil }, func(k *Token) { k.Scopes = []Scope{"all"} }, func(k *Token) { k.Expires = 1 },
	} {
		k := ok
		change(&k)
		if err := k.Valid(); err == nil {
			t.Errorf("%+v", k)
		}
	}
	if !ok.Has(ScopeMattersRead) || ok.Has(ScopeMattersAct) {
		t.Error("scopes")
	}
}
