package center

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/axlegate/axlegate/wim"
)

const (
	road   = wim.RoadAdministration
	police = wim.TrafficPolice
)

func opinion(c wim.Competence, o wim.Outcome, s wim.Standing) wim.Opinion {
	return wim.Opinion{Competence: c, Outcome: o, Standing: s}
}

func account(seq uint64, plate string, opinions ...wim.Opinion) Account {
	f := &wim.Facts{Time: 100, Vehicle: wim.Vehicle{Lane: 2}}
	if plate != "" {
		f.Units = []wim.Unit{{Plate: plate}, {Plate: plate}, {}}
	}
	return Account{
		Ref: wim.RecordRef{Site: "north-1", Chain: wim.ChainID{1}, Seq: seq}, Time: wim.Time(seq), Facts: f,
		Verdict: &wim.Verdict{Opinions: opinions},
	}
}

// play lets accounts join a journey one after another, as the store does, and gives ids.
func play(passage Account, supplements ...Account) (*Journey, []Decision) {
	j := &Journey{Passage: passage}
	var all []Decision
	join := func() {
		d := Decide(j, 500)
		all = append(all, d)
		if !d.Open && !d.Extend {
			return
		}
		d.Matter.ID = 7
		j.Matter = &d.Matter
		j.Alerts = slices.Clone(d.Update)
		for _, a := range d.Raise {
			a.ID = int64(len(j.Alerts) + 1)
			j.Alerts = append(j.Alerts, a)
		}
	}
	join()
	for _, s := range supplements {
		j.Supplements = append(j.Supplements, s)
		join()
	}
	return j, all
}

func TestWhatAPassageCallsFor(t *testing.T) {
	for _, c := range []struct {
		name      string
		opinions  []wim.Opinion
		raised    []wim.Competence
		suspicion bool
	}{
		{"a compliant passage calls for nothing", []wim.Opinion{opinion(road, wim.Compliant, wim.Evidence), opinion(police, wim.Compliant, wim.Evidence)}, nil, false},
		{"a passage within tolerance calls for nothing", []wim.Opinion{opinion(road, wim.WithinTolerance, wim.Evidence)}, nil, false},
		{"an unknown outcome calls for nothing", []wim.Opinion{opinion(police, wim.Unknown, wim.Screening)}, nil, false},
		{"a void excess calls for nothing", []wim.Opinion{opinion(road, wim.Exceeded, wim.Void), opinion(police, wim.Exceeded, wim.Void)}, nil, false},
		{"a passage without any opinion calls for nothing", nil, nil, false},
		{"an excess for one authority alerts that authority only", []wim.Opinion{opinion(road, wim.Exceeded, wim.Evidence), opinion(police, wim.Unknown, wim.Screening)}, []wim.Competence{road}, false},
		{"an excess for both alerts both", []wim.Opinion{opinion(road, wim.Exceeded, wim.Evidence), opinion(police, wim.Exceeded, wim.Evidence)}, []wim.Competence{road, police}, false},
		{"screening alone is a suspicion", []wim.Opinion{opinion(road, wim.Exceeded, wim.Screening), opinion(police, wim.Compliant, wim.Evidence)}, []wim.Competence{road}, true},
		{"screening beside evidence is none", []wim.Opinion{opinion(road, wim.Exceeded, wim.Evidence), opinion(police, wim.Exceeded, wim.Screening)}, []wim.Competence{road, police}, false},
		{"a void excess beside a suspicion alerts for the suspicion only", []wim.Opinion{opinion(road, wim.Exceeded, wim.Void), opinion(police, wim.Exceeded, wim.Screening)}, []wim.Competence{police}, true},
		{"a third authority of a rule set is alerted like the two", []wim.Opinion{opinion("bridge-authority", wim.Exceeded, wim.Evidence)}, []wim.Competence{"bridge-authority"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := Decide(&Journey{Passage: account(5, "川A12345", c.opinions...)}, 500)
			if d.Open != (len(c.raised) > 0) || d.Extend || len(d.Update) != 0 {
				t.Fatalf("%+v", d)
			}
			var raised []wim.Competence
			for _, a := range d.Raise {
				raised = append(raised, a.Competence)
				if a.Raised != 500 || a.Outcome != wim.Exceeded {
					t.Errorf("alert %+v", a)
				}
			}
			if !slices.Equal(raised, c.raised) {
				t.Errorf("alerts for %v, want %v", raised, c.raised)
			}
			if !d.Open {
				return
			}
			m := d.Matter
			if m.Suspicion != c.suspicion || m.State != Alerted || m.Opening.Seq != 5 || m.Lane != 2 || m.Passed != 100 || m.Opened != 500 {
				t.Errorf("matter %+v", m)
			}
			if !slices.Equal(m.Plates, []string{"川A12345"}) {
				t.Errorf("plates %v: each once, none empty", m.Plates)
			}
		})
	}
}

func TestWhatASupplementAdds(t *testing.T) {
	roadEvidence, roadScreening := opinion(road, wim.Exceeded, wim.Evidence), opinion(road, wim.Exceeded, wim.Screening)
	policeUnknown, policeEvidence := opinion(police, wim.Unknown, wim.Screening), opinion(police, wim.Exceeded, wim.Evidence)
	for _, c := range []struct {
		name        string
		passage     Account
		supplements []Account
		check       func(t *testing.T, j *Journey, last Decision)
	}{
		{
			"a late plate raises the police's alert beside the road's", account(5, "", roadEvidence, policeUnknown),
			[]Account{account(6, "川A12345", roadEvidence, policeEvidence)},
			func(t *testing.T, j *Journey, last Decision) {
				if !last.Extend || last.Open || len(last.Raise) != 1 || last.Raise[0].Competence != police || last.Raise[0].Matter != 7 {
					t.Errorf("%+v", last)
				}
				if len(last.Update) != 1 || last.Update[0].Competence != road || !slices.Equal(j.Matter.Plates, []string{"川A12345"}) {
					t.Errorf("%+v", last)
				}
			},
		},
		{
			"an alert is never doubled", account(5, "", roadEvidence), []Account{account(6, "a", roadEvidence), account(7, "b", roadEvidence)},
			func(t *testing.T, j *Journey, last Decision) {
				if len(j.Alerts) != 1 || len(last.Raise) != 0 || len(last.Update) != 1 {
					t.Errorf("%+v", j.Alerts)
				}
			},
		},
		{
			"a supplement opens the matter of a passage that called for none, and the passage is its opening",
			account(5, "", policeUnknown), []Account{account(9, "a", policeEvidence)},
			func(t *testing.T, j *Journey, last Decision) {
				if !last.Open || j.Matter.Opening.Seq != 5 || len(j.Alerts) != 1 {
					t.Errorf("%+v", last)
				}
			},
		},
		{
			"a suspicion becomes evidence", account(5, "", roadScreening), []Account{account(6, "a", roadEvidence)},
			func(t *testing.T, j *Journey, last Decision) {
				if j.Matter.Suspicion || j.Alerts[0].Standing != wim.Evidence || len(last.Update) != 1 {
					t.Errorf("%+v", j.Alerts)
				}
			},
		},
		{
			"a supplement that clears the vehicle shows so and takes no alert back", account(5, "", roadEvidence),
			[]Account{account(6, "a", opinion(road, wim.NotApplicable, wim.Evidence))},
			func(t *testing.T, j *Journey, last Decision) {
				if len(j.Alerts) != 1 || j.Alerts[0].Outcome != wim.NotApplicable || !j.Matter.Suspicion || !last.Extend {
					t.Errorf("%+v %+v", j.Alerts, j.Matter)
				}
			},
		},
		{
			"a verdict that no longer speaks of a competence leaves its alert as it was", account(5, "", roadEvidence),
			[]Account{account(6, "a", opinion(police, wim.Compliant, wim.Evidence))},
			func(t *testing.T, j *Journey, _ Decision) {
				if j.Alerts[0].Outcome != wim.Exceeded || j.Alerts[0].Standing != wim.Evidence {
					t.Errorf("%+v", j.Alerts)
				}
			},
		},
		{
			"a void supplement opens nothing", account(5, "", policeUnknown), []Account{account(6, "a", opinion(police, wim.Exceeded, wim.Void))},
			func(t *testing.T, j *Journey, last Decision) {
				if j.Matter != nil || last.Open || last.Extend {
					t.Errorf("%+v", last)
				}
			},
		},
		{
			"an earlier supplement that comes later does not overrule the later one", account(5, "", roadScreening),
			[]Account{account(8, "late", roadEvidence), account(6, "early", roadScreening)},
			func(t *testing.T, j *Journey, _ Decision) {
				if j.Matter.Suspicion || j.Alerts[0].Standing != wim.Evidence || j.Matter.Plates[0] != "late" {
					t.Errorf("%+v %+v", j.Matter, j.Alerts)
				}
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			j, all := play(c.passage, c.supplements...)
			c.check(t, j, all[len(all)-1])
		})
	}
}

func TestAnAcknowledgedMatterIsAlertedAgainByANewAlert(t *testing.T) {
	j, _ := play(account(5, "", opinion(road, wim.Exceeded, wim.Evidence)))
	j.Matter.State = Acknowledged
	if d := Decide(j, 600); d.Matter.State != Acknowledged {
		t.Errorf("an extension alone: %s", d.Matter.State)
	}
	j.Supplements = append(j.Supplements, account(6, "a", opinion(police, wim.Exceeded, wim.Evidence)))
	if d := Decide(j, 600); d.Matter.State != Alerted || d.Matter.Opened != 500 {
		t.Errorf("%+v", d.Matter)
	}
}

func TestSupplementsOfALaterChainComeLast(t *testing.T) {
	late, own := account(2, "new chain"), account(9, "own chain")
	late.Ref.Chain = wim.ChainID{2}
	late2 := account(3, "newest chain")
	late2.Ref.Chain, late2.Time = wim.ChainID{0, 1}, 900
	j := &Journey{Passage: account(5, ""), Supplements: []Account{late2, late, own}}
	var got []string
	for _, a := range j.Ordered()[1:] {
		got = append(got, a.Facts.Units[0].Plate)
	}
	if !slices.Equal(got, []string{"own chain", "new chain", "newest chain"}) {
		t.Error(got)
	}
}

func TestVoidVerdict(t *testing.T) {
	for _, c := range []struct {
		name     string
		opinions []wim.Opinion
		want     bool
	}{
		{"every opinion is void", []wim.Opinion{opinion(road, wim.Exceeded, wim.Void), opinion(police, wim.Unknown, wim.Void)}, true},
		{"one opinion may be used", []wim.Opinion{opinion(road, wim.Exceeded, wim.Void), opinion(police, wim.Unknown, wim.Screening)}, false},
		{"no opinion is not a void one", nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Void(&wim.Verdict{Opinions: c.opinions}); got != c.want {
				t.Error(got)
			}
		})
	}
}

func TestPropertyTheOrderOfArrivalDoesNotChangeAMatter(t *testing.T) {
	outcomes := []wim.Outcome{wim.NotApplicable, wim.Compliant, wim.WithinTolerance, wim.Unknown, wim.Exceeded}
	standings := []wim.Standing{wim.Evidence, wim.Screening, wim.Void}
	draw := func(t *rapid.T, seq uint64) Account {
		var o []wim.Opinion
		for _, c := range []wim.Competence{road, police} {
			if rapid.Bool().Draw(t, "has opinion") {
				o = append(o, opinion(c, rapid.SampledFrom(outcomes).Draw(t, "outcome"), rapid.SampledFrom(standings).Draw(t, "standing")))
			}
		}
		return account(seq, rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "plate"), o...)
	}
	rapid.Check(t, func(t *rapid.T) {
		passage := draw(t, 1)
		var s []Account
		for i := range rapid.IntRange(0, 4).Draw(t, "supplements") {
			s = append(s, draw(t, uint64(i+2)))
		}
		a, _ := play(passage, s...)
		b, _ := play(passage, rapid.Permutation(s).Draw(t, "order")...)
		if (a.Matter == nil) != (b.Matter == nil) {
			t.Fatalf("matters %v and %v", a.Matter, b.Matter)
		}
		if a.Matter != nil && (a.Matter.Suspicion != b.Matter.Suspicion || !slices.Equal(a.Matter.Plates, b.Matter.Plates)) {
			t.Fatalf("%+v and %+v", a.Matter, b.Matter)
		}
		byCompetence := func(list []Alert) map[wim.Competence]wim.Opinion {
			m := map[wim.Competence]wim.Opinion{}
			for _, x := range list {
				if _, twice := m[x.Competence]; twice {
					t.Fatalf("two alerts for %s", x.Competence)
				}
				m[x.Competence] = opinion(x.Competence, x.Outcome, x.Standing)
			}
			return m
		}
		x, y := byCompetence(a.Alerts), byCompetence(b.Alerts)
		if len(x) != len(y) {
			t.Fatalf("%v and %v", x, y)
		}
		for c := range x {
			if x[c] != y[c] {
				t.Fatalf("%v and %v", x, y)
			}
		}
	})
}
