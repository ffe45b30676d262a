package console

import (
	"html/template"
	"strings"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/internal/web"
	"github.com/axlegate/axlegate/wim"
)

// linkedView is what a toll or checkpoint system said of the matter's vehicle.
type linkedView struct {
	center.Linked
	words  *web.Words
	passed wim.Time
}

func (m *matterView) linked() (out []linkedView) {
	for _, x := range m.File.Linked {
		out = append(out, linkedView{x, m.Words, m.Docket.Matter.Passed})
	}
	return out
}

// Name says what the system did with the vehicle.
func (l *linkedView) Name() string { return l.words.Or("transaction", string(l.Transaction.Type)) }

// Where is the system with its own names of the place.
func (l *linkedView) Where() string {
	t := l.Transaction
	return joined(t.System, t.Station, t.Lane)
}

func joined(parts ...string) string {
	var there []string
	for _, p := range parts {
		if p != "" {
			there = append(there, p)
		}
	}
	return strings.Join(there, " · ")
}

// Apart says how long before or after the passage it was.
func (l *linkedView) Apart() string {
	d := l.Transaction.Time.Sub(l.passed)
	key := "linked.after"
	if d < 0 {
		d, key = -d, "linked.before"
	}
	if d < time.Minute {
		return l.words.T("linked.same-time")
	}
	if d < time.Hour {
		return l.words.T(key, l.words.T("linked.minutes", int(d.Minutes())))
	}
	return l.words.T(key, l.words.T("linked.hours", int(d.Hours()), int(d.Minutes())%60))
}

// Plates are as the system told them.
func (l *linkedView) Plates() (out []template.HTML) {
	t := l.Transaction
	if t.Plate != "" {
		out = append(out, l.words.Plate(t.Plate, t.Color))
	}
	if t.Trailer != "" {
		out = append(out, l.words.Plate(t.Trailer, ""))
	}
	return out
}

// More is what else the system told, a line each.
func (l *linkedView) More() (out []string) {
	w, t := l.words, l.Transaction
	add := func(key, text string) {
		if text != "" {
			out = append(out, w.T(key)+w.T("colon")+text)
		}
	}
	if t.Permitted > 0 {
		add("linked.permitted", w.Kg(t.Permitted))
	}
	add("linked.axle-type", t.AxleType)
	if t.Payment != "" {
		add("linked.payment", w.Or("payment", string(t.Payment)))
	}
	if e := t.Entry; e != nil {
		at, gross, axles := "", "", ""
		if e.Time != 0 {
			at = w.DateTime(e.Time)
		}
		if e.Gross > 0 {
			gross = w.Kg(e.Gross)
		}
		if e.Axles > 0 {
			axles = w.T("queue.axles", e.Axles)
		}
		add("linked.entry", joined(e.Station, at, gross, axles))
	}
	add("field.weighing.ticket", t.Ticket)
	add("field.weighing.instrument", t.Scale)
	add("linked.journey", t.Journey)
	if t.TimeUnsure {
		out = append(out, w.T("linked.time-unsure"))
	}
	return out
}

// Differences says in what it differs from the passage, or from itself, a line each.
func (l *linkedView) Differences() (out []string) {
	w := l.words
	for _, d := range l.Transaction.Link.Differences {
		key := "difference." + string(d.Kind)
		switch d.Kind {
		case wim.GrossDiffers, wim.EntryGrossDiffers:
			out = append(out, w.T(key, w.Kg(wim.Kg(d.One)), w.Kg(wim.Kg(d.Other)), w.SignedKg(wim.Kg(d.Other-d.One)), w.Percent(d.Share)))
		case wim.AxlesDiffer, wim.EntryAxlesDiffer:
			out = append(out, w.T(key, d.One, d.Other))
		case wim.PlateDiffers, wim.ColorDiffers:
			out = append(out, w.T(key))
		default:
			out = append(out, string(d.Kind))
		}
	}
	return out
}

// Grounds says why the site linked it.
func (l *linkedView) Grounds() string {
	var out []string
	for _, g := range l.Transaction.Link.Grounds {
		out = append(out, l.words.Or("ground", string(g)))
	}
	return strings.Join(out, " · ")
}

// ShortKey is the beginning of the key's id.
func (l *linkedView) ShortKey() string { return shortKey(l.Key) }

// Chain is the beginning of the record's chain id.
func (l *linkedView) Chain() string { return l.Ref.Chain.String()[:8] }
