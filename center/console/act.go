package console

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// act answers POST /matters/{id}/acts. What is written leads back to the matter's page; what is refused is
// answered with the page as it is now, and with all that was typed.
func (c *Console) act(w http.ResponseWriter, r *http.Request, v visit) {
	id, ok := matterID(r)
	if !ok {
		c.fail(w, r, http.StatusNotFound, nil)
		return
	}
	f, err := readForm(w, r, v.words)
	if err != nil {
		c.fail(w, r, http.StatusBadRequest, nil)
		return
	}
	kind := center.ActKind(f.Get("kind"))
	seen, err := strconv.ParseInt(f.Get("seen"), 10, 64)
	if err != nil || !slices.Contains(center.ActKinds(), kind) {
		c.fail(w, r, http.StatusBadRequest, nil)
		return
	}
	in := f.details(kind, v.words.Zone(), wim.TimeOf(c.now()))
	not := &refused{kind: kind, form: f, seen: seen, status: http.StatusUnprocessableEntity}
	if f.Bad() {
		c.showMatter(w, r, v, id, not)
		return
	}
	switch _, err = c.cfg.Store.Do(r.Context(), v.viewer(), id, kind, in, seen); {
	case err == nil:
		c.log.InfoContext(r.Context(), "act", "matter", id, "act", kind, "competence", v.officer.Competence, "login", v.officer.Login)
		c.flash(w, "act."+string(kind))
		http.Redirect(w, r, "/matters/"+strconv.FormatInt(id, 10), http.StatusSeeOther)
	case errors.Is(err, center.ErrNotFound):
		c.fail(w, r, http.StatusNotFound, nil)
	case errors.Is(err, center.ErrNotYours):
		c.refuse(w, r)
	case f.Take(err):
		c.showMatter(w, r, v, id, not)
	case errors.Is(err, center.ErrNumberTaken):
		f.Fail("number", "problem.number.taken")
		not.status = http.StatusConflict
		c.showMatter(w, r, v, id, not)
	case errors.Is(err, center.ErrStale), errors.Is(err, center.ErrNotNow):
		not.status, not.cause = http.StatusConflict, err
		c.showMatter(w, r, v, id, not)
	default:
		c.fail(w, r, http.StatusInternalServerError, fmt.Errorf("matter %d: %s: %w", id, kind, err))
	}
}

// details reads the fields that an act takes. What cannot be read is noted at its field.
func (f *form) details(k center.ActKind, zone *time.Location, now wim.Time) center.Details {
	in := center.Details{Remark: f.Get("remark")}
	switch k {
	case center.ActDispatch:
		in.Who, in.Place = f.Get("who"), f.Get("place")
	case center.ActIntercept:
		in.Place = f.Get("place")
	case center.ActOpenCase:
		in.Number = f.Get("number")
	case center.ActConclude, center.ActDismiss:
		in.Reason = center.Reason(f.Get("reason"))
	case center.ActWeigh:
		s := &center.StaticWeighing{Ticket: f.Get("weighing.ticket"), Instrument: f.Get("weighing.instrument"), At: f.time("weighing.at", zone)}
		if s.At > now.Add(5*time.Minute) {
			f.Fail("weighing.at", "problem.weighing.at.future")
		}
		var ok bool
		if f.Get("weighing.gross_kg") == "" {
			f.Fail("weighing.gross_kg", "problem.missing")
		} else if s.Gross, ok = kilograms(f.Get("weighing.gross_kg")); !ok {
			f.Fail("weighing.gross_kg", "problem.weighing.gross_kg.outside")
		}
		if s.Axles, ok = axleLoads(f.Get("weighing.axles_kg")); !ok {
			f.Fail("weighing.axles_kg", "problem.weighing.axles_kg.outside")
		}
		in.Weighing = s
	case center.ActAcknowledge, center.ActRemark:
	}
	return in
}

// kilograms reads a mass in whole kilograms, with or without separators between thousands and the unit.
func kilograms(s string) (wim.Kg, bool) {
	s = strings.TrimSpace(strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(strings.TrimSpace(s)), "kg"), "千克"))
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' || r == '，' || r == '\u00a0' || r == '\u202f' })
	for i, p := range parts {
		if i > 0 && len(p) != 3 {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(strings.Join(parts, ""), 10, 31)
	return wim.Kg(n), err == nil && wim.Kg(n) <= center.MaxGross
}

// axleLoads reads the axles' loads in whole kilograms, front first, between spaces, commas, plus signs or lines.
func axleLoads(s string) (out []wim.Kg, ok bool) {
	for _, p := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" \t\n,，、;；+/", r) }) {
		n, err := strconv.ParseUint(p, 10, 31)
		if err != nil || wim.Kg(n) > center.MaxGross || len(out) == center.MaxAxles {
			return nil, false
		}
		out = append(out, wim.Kg(n))
	}
	return out, true
}

// actForm is the form of one act.
type actForm struct {
	Kind     center.ActKind
	Name     string
	Hint     string
	Path     string
	Seen     int64
	Fields   []*field
	Next     bool // what is owed
	Open     bool
	Possible bool // false only for one that was entered and that the matter's state no longer allows
	Refused  bool
}

// actForms are the forms of what the officer may do now, and of what was refused.
func (c *Console) actForms(v visit, d *center.Docket, not *refused) (out []*actForm) {
	allowed := d.Allowed(v.viewer())
	var owed []center.ActKind
	for _, o := range d.Owed() {
		if o.Competence == v.officer.Competence && v.officer.Role == center.Enforcer {
			owed = o.Acts
		}
	}
	if len(owed) > 2 { // where almost everything is a next step none is marked
		owed = nil
	}
	for _, k := range center.ActKinds() {
		possible := slices.Contains(allowed, k)
		if !possible && (not == nil || not.kind != k) {
			continue
		}
		a := &actForm{
			Kind: k, Name: v.words.T("act." + string(k)), Hint: v.words.T("act." + string(k) + ".hint"),
			Path: "/matters/" + strconv.FormatInt(d.Matter.ID, 10) + "/acts", Seen: d.Matter.Version,
			Next: slices.Contains(owed, k), Possible: possible,
		}
		f := newForm(v.words, url.Values{})
		if not != nil && not.kind == k {
			f, a.Open, a.Refused = not.form, true, true
		}
		a.Fields = c.actFields(v, d, k, f)
		for _, fl := range a.Fields {
			fl.As(string(k))
		}
		out = append(out, a)
	}
	return out
}

func (c *Console) actFields(v visit, d *center.Docket, k center.ActKind, f *form) []*field {
	text := func(name string) *field { return f.Field(name, "field."+name).Max(center.MaxWord).Auto("off") }
	remark := f.Field("remark", "field.remark").Area().Max(center.MaxRemark)
	switch k {
	case center.ActDispatch:
		return []*field{text("who").Must(), text("place"), remark}
	case center.ActIntercept:
		return []*field{text("place").Must(), remark}
	case center.ActOpenCase:
		return []*field{text("number").Must(), remark}
	case center.ActWeigh:
		return []*field{
			text("weighing.gross_kg").Must().Keys("numeric").Sample("48 260"), text("weighing.axles_kg").Max(400).Sample("6480 10210 9870"),
			text("weighing.ticket").Must(), text("weighing.instrument").Must(), f.Time("weighing.at", "field.weighing.at"), remark,
		}
	case center.ActConclude, center.ActDismiss:
		choices := []choice{{Name: v.words.T("field.reason.choose")}}
		for _, r := range center.ReasonsFor(k) {
			if bears(d, v.viewer(), k, r, wim.TimeOf(c.now())) || f.Get("reason") == string(r) {
				choices = append(choices, choice{Value: string(r), Name: v.words.T("reason-to-end." + string(r))})
			}
		}
		return []*field{f.Field("reason", "field.reason").Of(choices).Must(), remark}
	case center.ActRemark:
		return []*field{remark.Must()}
	case center.ActAcknowledge:
	}
	return nil
}

// bears tells whether what has happened bears a reason: the rules themselves are asked.
func bears(d *center.Docket, v center.Viewer, k center.ActKind, r center.Reason, now wim.Time) bool {
	_, _, err := d.Do(v, k, center.Details{Reason: r, Remark: "-"}, d.Matter.Version, now)
	return err == nil
}

// refuse says why an act was not written, and what others did meanwhile.
func (m *matterView) refuse(not *refused) {
	w := m.Words
	name := w.T("act." + string(not.kind))
	switch {
	case errors.Is(not.cause, center.ErrStale):
		m.Notice = w.T("refused.stale", name)
	case errors.Is(not.cause, center.ErrNotNow):
		m.Notice = w.T("refused.not-now", name)
	default:
		m.Notice = w.T("refused.fields", name)
	}
	for i := range m.Timeline {
		if t := &m.Timeline[i]; not.cause != nil && t.Version > not.seen {
			m.Changed = append(m.Changed, *t)
		}
	}
	for _, a := range m.Acts {
		for _, f := range a.Fields {
			if a.Refused && f.Problem != "" {
				m.Wrong = append(m.Wrong, f)
			}
		}
	}
}
