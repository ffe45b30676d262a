package console

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/internal/web"
)

const (
	trailLines = 100
	trailMost  = 100_000 // lines of a download
)

// trailView is the audit trail.
type trailView struct {
	*frame
	Form     *form
	Lines    []traceView
	Older    string // address of the next page
	Newest   string // address of the first page; empty on it
	CSV      string // address of the download
	Filtered bool
	Most     int // lines of a download
}

// traceView is one line of the trail.
type traceView struct {
	center.Trace
	words *web.Words
}

// Name says what was done.
func (t *traceView) Name() string { return t.words.Or("action", t.Action) }

// Who is the officer's login; the program itself acts from its configuration.
func (t *traceView) Who() string {
	if t.Login == "" {
		return t.words.T("trail.configuration")
	}
	return t.Login
}

// Path leads to the matter, if it is one.
func (t *traceView) Path() string {
	if id, ok := center.MatterNamed(t.Subject); ok {
		return "/matters/" + strconv.FormatInt(id, 10)
	}
	return ""
}

// readTrail makes a query of an address; ok is false when the address cannot be read at all.
func (c *Console) readTrail(v visit, r *http.Request) (q center.TrailQuery, f *form, ok bool) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || len(r.URL.RawQuery) > 8<<10 {
		return q, nil, false
	}
	f = newForm(v.words, values)
	q = center.TrailQuery{Login: f.Get("login"), Action: f.Get("action"), Subject: f.Get("subject"), Limit: trailLines}
	if _, err := strconv.ParseUint(q.Subject, 10, 63); err == nil {
		q.Subject = "matter " + q.Subject // the number alone is what people know
	}
	q.From, q.To = f.time("from", v.words.Zone()), f.time("to", v.words.Zone())
	if s := f.Get("before"); s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 0 {
			f.Fail("before", "problem.before.outside")
		}
		q.Before = max(n, 0)
	}
	if err := q.Validate(); err != nil && !f.Bad() {
		f.Take(err)
	}
	return q, f, true
}

// trailAddress is an address that asks for the same, from before on.
func trailAddress(path string, f *form, before int64) string {
	u := url.Values{}
	for _, k := range []string{"login", "action", "subject", "from", "to"} {
		if s := f.Get(k); s != "" {
			u.Set(k, s)
		}
	}
	if before != 0 {
		u.Set("before", strconv.FormatInt(before, 10))
	}
	if len(u) == 0 {
		return path
	}
	return path + "?" + u.Encode()
}

// trail answers GET /trail. That it was read stands in it.
func (c *Console) trail(w http.ResponseWriter, r *http.Request, v visit) {
	q, f, ok := c.readTrail(v, r)
	if !ok {
		c.fail(w, r, http.StatusBadRequest, nil)
		return
	}
	view := &trailView{
		frame: c.newFrame(w, r, v, v.words.T("trail.title")), Form: f, CSV: trailAddress("/trail.csv", f, 0), Most: trailMost,
		Filtered: trailAddress("/trail", f, 0) != "/trail",
	}
	if f.Bad() {
		c.page(w, r, http.StatusBadRequest, "trail", view)
		return
	}
	if err := c.look(r.Context(), v, "trail", r.URL.RawQuery); err != nil {
		c.fail(w, r, http.StatusInternalServerError, err)
		return
	}
	lines, err := c.cfg.Store.Trail(r.Context(), v.viewer(), q)
	if err != nil {
		c.wrong(w, r, fmt.Errorf("audit trail: %w", err))
		return
	}
	for _, t := range lines {
		view.Lines = append(view.Lines, traceView{t, v.words})
	}
	if len(lines) == q.Limit {
		view.Older = trailAddress("/trail", f, lines[len(lines)-1].ID)
	}
	if q.Before != 0 {
		view.Newest = trailAddress("/trail", f, 0)
	}
	c.page(w, r, http.StatusOK, "trail", view)
}

// Actions are the choices of the action.
func (t *trailView) Actions() []choice {
	out := []choice{{Name: t.Words.T("queue.any")}}
	known := false
	for _, a := range []string{
		"look", "acknowledge", "dispatch", "intercept", "weigh", "open-case", "conclude", "dismiss", "remark", "look-into-alarm",
		"put-officer", "remove-officer", "change-password", "put-token", "revoke-token", "retention",
	} {
		out = append(out, choice{Value: a, Name: t.Words.T("action." + a)})
		known = known || a == t.Form.Get("action")
	}
	if a := t.Form.Get("action"); a != "" && !known {
		out = append(out, choice{Value: a, Name: a})
	}
	return out
}

// trailCSV answers GET /trail.csv: what the page's filters ask for, as a table for spreadsheets, streamed.
func (c *Console) trailCSV(w http.ResponseWriter, r *http.Request, v visit) {
	q, f, ok := c.readTrail(v, r)
	if !ok || f.Bad() {
		c.fail(w, r, http.StatusBadRequest, nil)
		return
	}
	if err := c.look(r.Context(), v, "trail", "csv "+r.URL.RawQuery); err != nil {
		c.fail(w, r, http.StatusInternalServerError, err)
		return
	}
	q.Limit = center.MaxTrail
	first, err := c.cfg.Store.Trail(r.Context(), v.viewer(), q)
	if err != nil { // before the first byte an error can still be told
		c.wrong(w, r, fmt.Errorf("audit trail: %w", err))
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="audit-trail-`+c.now().In(v.words.Zone()).Format("20060102-150405")+`.csv"`)
	if err := c.streamTrail(w, r, v, q, first); err != nil {
		c.log.ErrorContext(r.Context(), "audit trail was cut off", "login", v.officer.Login, "error", err)
		panic(http.ErrAbortHandler) // the browser must not take half of it for the whole
	}
}

func (c *Console) streamTrail(w http.ResponseWriter, r *http.Request, v visit, q center.TrailQuery, lines []center.Trace) error {
	control := http.NewResponseController(w)
	if _, err := io.WriteString(w, "\ufeff"); err != nil { // spreadsheets take it for UTF-8 then
		return err
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	row := func(cells ...string) error {
		for i := range cells {
			cells[i] = harmless(cells[i])
		}
		return out.Write(cells)
	}
	words := v.words
	if err := row("id", words.T("trail.at"), words.T("trail.login"), words.T("trail.action"), words.T("trail.subject"), words.T("trail.detail")); err != nil {
		return err
	}
	for n := 0; ; {
		for i := range lines {
			t := &lines[i]
			if err := row(strconv.FormatInt(t.ID, 10), words.Machine(t.At), t.Login, t.Action, t.Subject, t.Detail); err != nil {
				return err
			}
		}
		out.Flush()
		if err := out.Error(); err != nil {
			return err
		}
		n += len(lines)
		switch {
		case len(lines) < q.Limit:
			return nil
		case n >= trailMost:
			if err := row("", "", "", "", "", words.T("trail.more", n)); err != nil {
				return err
			}
			out.Flush()
			return out.Error()
		}
		if err := control.SetWriteDeadline(time.Now().Add(time.Minute)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
		q.Before = lines[len(lines)-1].ID
		var err error
		if lines, err = c.cfg.Store.Trail(r.Context(), v.viewer(), q); err != nil {
			return err
		}
	}
}

// harmless keeps a spreadsheet from taking a cell for a formula.
func harmless(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(s)[0]) {
		return "'" + s
	}
	return s
}
