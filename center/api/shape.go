package api

import (
	"errors"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

func asField(err error) (*center.FieldError, bool) {
	var f *center.FieldError
	ok := errors.As(err, &f)
	return f, ok
}

// since is nil for an instant that is not known.
func since(t wim.Time) *time.Time {
	if t == 0 {
		return nil
	}
	s := t.Std()
	return &s
}

func words[S ~string](in []S) []string {
	out := make([]string, 0, len(in))
	for _, s := range in {
		out = append(out, string(s))
	}
	return out
}

// list is s, never nil: an empty list is [] to whoever reads it.
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

func matterOf(d *center.Docket, v center.Viewer) Matter {
	m := &d.Matter
	out := Matter{
		ID: m.ID, Version: m.Version, State: string(m.State), Suspicion: m.Suspicion, Site: m.Site, Region: m.Region, Lane: m.Lane,
		Passed: m.Passed.Std(), Opened: m.Opened.Std(), Plates: list(m.Plates), Gross: m.Gross, Axles: m.Axles,
		Alerts: make([]Alert, 0, len(d.Alerts)), Cases: make([]Case, 0, len(d.Cases)), Owed: []Duty{}, Allowed: words(d.Allowed(v)),
	}
	if m.Opening.Seq != 0 {
		ref := m.Opening
		out.Opening = &ref
	}
	for _, a := range d.Alerts {
		out.Alerts = append(out.Alerts, Alert{
			ID: a.ID, Competence: a.Competence, Outcome: a.Outcome, Standing: a.Standing, Excess: a.Excess, Ratio: a.Ratio, Raised: a.Raised.Std(),
			AcknowledgedAt: since(a.AcknowledgedAt), AcknowledgedBy: a.AcknowledgedBy,
			End: string(a.Ended), EndedAt: since(a.EndedAt), EndedBy: a.EndedBy, EndReason: string(a.EndReason),
		})
	}
	for _, c := range d.Cases {
		out.Cases = append(out.Cases, Case{Competence: c.Competence, Number: c.Number, Opened: c.Opened.Std(), Login: c.Login})
	}
	for _, o := range d.Owed() {
		out.Owed = append(out.Owed, Duty{Competence: o.Competence, Acts: words(o.Acts), Since: o.Since.Std()})
	}
	return out
}

func fileOf(f *center.File, v center.Viewer) File {
	out := File{
		Matter: matterOf(&f.Docket, v), Pruned: f.Pruned, Order: string(f.Order),
		Accounts: make([]Account, 0, len(f.Accounts)), Acts: make([]Act, 0, len(f.Acts)),
	}
	if !f.Pruned {
		out.Facts, out.Verdict = &f.Facts, &f.Verdict
		f.Facts.Units = list(f.Facts.Units)
		f.Verdict.Opinions, f.Verdict.Findings = list(f.Verdict.Opinions), list(f.Verdict.Findings)
	}
	for _, a := range f.Accounts {
		out.Accounts = append(out.Accounts, Account{
			Record: a.Ref, Time: a.Time.Std(), Received: a.Received.Std(), Key: a.Key, Rejudged: string(a.Rejudged), Reads: list(a.Reads),
		})
	}
	out.Linked = make([]Linked, 0, len(f.Linked))
	for _, l := range f.Linked {
		out.Linked = append(out.Linked, Linked{Record: l.Ref, Time: l.Time.Std(), Received: l.Received.Std(), Key: l.Key, Transaction: l.Transaction})
	}
	for _, a := range f.Acts {
		out.Acts = append(out.Acts, Act{
			ID: a.ID, Version: a.Version, At: a.At.Std(), Login: a.Login, Competence: a.Competence, Kind: string(a.Kind), Details: detailsOut(&a.Details),
		})
	}
	return out
}

func detailsIn(d *Details) center.Details {
	out := center.Details{Who: d.Who, Place: d.Place, Number: d.Number, Reason: center.Reason(d.Reason), Remark: d.Remark}
	if w := d.Weighing; w != nil {
		out.Weighing = &center.StaticWeighing{Gross: w.Gross, Axles: w.Axles, Ticket: w.Ticket, Instrument: w.Instrument}
		if w.At != nil {
			out.Weighing.At = wim.TimeOf(*w.At)
		}
	}
	return out
}

func detailsOut(d *center.Details) Details {
	out := Details{Who: d.Who, Place: d.Place, Number: d.Number, Reason: string(d.Reason), Remark: d.Remark}
	if w := d.Weighing; w != nil {
		out.Weighing = &Weighing{Gross: w.Gross, Axles: w.Axles, Ticket: w.Ticket, Instrument: w.Instrument, At: since(w.At)}
	}
	return out
}
