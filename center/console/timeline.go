package console

import (
	"slices"
	"strings"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/internal/web"
	"github.com/axlegate/axlegate/wim"
)

// happening is one thing that happened to a matter.
type happening struct {
	words   *web.Words
	At      wim.Time
	Site    bool   // told by the site's clock, not the centre's
	Kind    string // for its mark
	Title   string
	Who     string
	Notes   []string
	Remark  string
	Version int64 // of the matter, for acts
}

// Words says things in the officer's language.
func (m *happening) Words() *web.Words { return m.words }

// timeline is what happened, by time, the passage first. Two clocks tell it, and each happening says which.
func (c *Console) timeline(v visit, f *center.File) []happening {
	w, d := v.words, &f.Docket
	out := []happening{{words: w, At: d.Matter.Passed, Site: true, Kind: "passed", Title: w.T("event.passed"), Notes: []string{
		string(d.Matter.Site) + " · " + w.T("lane", d.Matter.Lane) + " · " + w.Tonnes(d.Matter.Gross),
	}}}
	if f.Order != wim.OrderNone {
		out = append(out, happening{words: w, At: d.Matter.Passed, Site: true, Kind: "order", Title: w.T("event.order"), Notes: []string{w.Order(f.Order)}})
	}
	for i := range f.Accounts {
		a := &f.Accounts[i]
		m := happening{words: w, At: a.Time, Site: true, Kind: "sealed", Title: w.T("event.sealed")}
		if i > 0 {
			m.Kind, m.Title = "supplement", w.T("event.supplement")
			for _, r := range a.Reads {
				if r.Text != "" {
					m.Notes = append(m.Notes, w.T("event.read."+string(r.End), web.PlateText(r.Text)))
				}
			}
		}
		m.Notes = append(m.Notes, w.T("event.received", w.Clock(a.Received), w.Lag(a.Received.Sub(a.Time))))
		out = append(out, m)
	}
	for i := range f.Linked {
		if t := f.Linked[i].Transaction; t != nil {
			out = append(out, happening{words: w, At: t.Arrival, Site: true, Kind: "linked", Title: w.T("event.linked", joined(t.System, t.Station)),
				Notes: []string{w.Or("transaction", string(t.Type)) + " · " + w.T("event.linked.own-time", w.DateTime(t.Time))}})
		}
	}
	for i := range d.Alerts {
		a := &d.Alerts[i]
		out = append(out, happening{
			words: w, At: a.Raised, Kind: "raised", Title: w.T("event.raised", c.authority(w, a.Competence)),
			Notes: []string{w.Headline(a.Competence, a.Outcome, a.Standing) + " · " + w.Standing(a.Standing)},
		})
	}
	for i := range f.Acts {
		out = append(out, c.actMoment(w, &f.Acts[i]))
	}
	slices.SortStableFunc(out[1:], func(a, b happening) int {
		switch {
		case a.At < b.At:
			return -1
		case a.At > b.At:
			return 1
		}
		return 0
	})
	return out
}

// actMoment tells of an act: who did what, and with which words.
func (c *Console) actMoment(w *web.Words, a *center.Act) happening {
	m := happening{
		words: w, At: a.At, Kind: string(a.Kind), Title: w.T("act." + string(a.Kind) + ".done"), Who: c.authority(w, a.Competence) + " · " + a.Login,
		Remark: a.Details.Remark, Version: a.Version,
	}
	note := func(key, s string) {
		if strings.TrimSpace(s) != "" {
			m.Notes = append(m.Notes, w.T(key)+w.T("colon")+s)
		}
	}
	note("field.who", a.Details.Who)
	note("field.place", a.Details.Place)
	note("field.number", a.Details.Number)
	if a.Details.Reason != "" {
		note("field.reason", w.Or("reason-to-end", string(a.Details.Reason)))
	}
	if s := a.Details.Weighing; s != nil {
		note("field.weighing.gross_kg.short", w.Kg(s.Gross))
		note("field.weighing.ticket", s.Ticket)
		note("field.weighing.instrument", s.Instrument)
		if s.At != a.At {
			note("field.weighing.at.short", w.DateTime(s.At))
		}
	}
	return m
}
