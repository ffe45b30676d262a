package console

import (
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/internal/web"
	"github.com/axlegate/axlegate/wim"
)

const (
	queueLines = 50
	queueBack  = 40 // pages that a link back remembers; from farther down it leads to the newest
)

// timeLayouts are the forms in which a local time may be entered.
func timeLayouts() []string {
	return []string{"2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02"}
}

// queueView is the queue of matters.
type queueView struct {
	*frame
	Form     *form
	Lines    []lineView
	Filtered bool   // something is asked for
	Newer    string // address of the page before; empty on the first
	Older    string // address of the next page
	Newest   string // address of the first page of the same query
	Self     string
	Sites    []string
	Regions  []choice
	States   []stateChoice
	Mine     bool
	CanOwe   bool // the viewer's authority may owe something
	First    bool // the newest page, which new matters belong to
	Summary  string
}

type stateChoice struct {
	Value, Name string
	On          bool
}

// queue answers GET /matters: a page of the matters that the officer may see, as the address asks.
func (c *Console) queue(w http.ResponseWriter, r *http.Request, v visit) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || len(r.URL.RawQuery) > 8<<10 {
		c.fail(w, r, http.StatusBadRequest, nil)
		return
	}
	sites, err := c.siteNames(r, v)
	if err != nil {
		c.fail(w, r, http.StatusInternalServerError, err)
		return
	}
	q, f := c.readQuery(v, values, sites)
	view := &queueView{
		frame: c.newFrame(w, r, v, v.words.T("queue.title")), Form: f, Sites: sites, Mine: q.Owed, CanOwe: v.officer.Role == center.Enforcer,
		Self: "/matters", First: q.Before == 0, Regions: c.regionChoices(v), Filtered: filtered(&q),
	}
	for _, s := range center.MatterStates() {
		view.States = append(view.States, stateChoice{string(s), v.words.T("state." + string(s)), slices.Contains(q.States, s)})
	}
	view.Live = true
	if f.Bad() {
		view.Live = false
		c.page(w, r, http.StatusBadRequest, "queue", view)
		return
	}
	asked := kept(values)
	if err := c.look(r.Context(), v, "queue", asked.Encode()); err != nil {
		c.fail(w, r, http.StatusInternalServerError, err)
		return
	}
	page, err := c.cfg.Store.Queue(r.Context(), v.viewer(), q)
	if err != nil {
		c.fail(w, r, http.StatusInternalServerError, fmt.Errorf("queue: %w", err))
		return
	}
	view.Last = page.Last
	for i := range page.Lines {
		view.Lines = append(view.Lines, c.line(v, &page.Lines[i].Docket, view.Now))
	}
	view.link(values, asked, page.Next)
	view.Summary = view.summary()
	c.page(w, r, http.StatusOK, "queue", view)
}

func (c *Console) siteNames(r *http.Request, v visit) ([]string, error) {
	sites, err := c.sites(r.Context(), v)
	if err != nil {
		return nil, fmt.Errorf("sites: %w", err)
	}
	var names []string
	for i := range sites {
		names = append(names, string(sites[i].Site))
	}
	return names, nil
}

// readQuery makes a query of an address; what is wrong with it stands at the form's fields.
func (c *Console) readQuery(v visit, values url.Values, sites []string) (center.Query, *form) {
	f := newForm(v.words, values)
	q := center.Query{
		Plate: plateQuery(f.Get("plate")), Site: wim.SiteID(f.Get("site")), Region: center.Region(f.Get("region")),
		Standing: wim.Standing(f.Get("standing")), Owed: f.Get("todo") != "", Limit: queueLines,
	}
	for _, s := range values["state"] {
		if s != "" && !slices.Contains(q.States, center.MatterState(s)) {
			q.States = append(q.States, center.MatterState(s))
		}
	}
	q.From, q.To = f.time("from", v.words.Zone()), f.time("to", v.words.Zone())
	if q.From != 0 && q.To != 0 && q.To <= q.From {
		f.Fail("to", "problem.to.before-from")
	}
	if q.Site != "" && !slices.Contains(sites, string(q.Site)) {
		f.Fail("site", "problem.site.outside")
	}
	if q.Region != "" && (!v.officer.Region.Holds(q.Region) || !c.cfg.Regions.Knows(q.Region)) {
		f.Fail("region", "problem.region.outside")
	}
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
	return q, f
}

// plateQuery is a plate as the store keeps it: capitals, without spaces, dots and hyphens.
func plateQuery(s string) string {
	return strings.ToUpper(strings.Map(func(r rune) rune {
		if r >= '！' && r <= '～' { // full width, as a Chinese keyboard gives them
			r += '!' - '！'
		}
		if unicode.IsSpace(r) || strings.ContainsRune("·•.-・", r) {
			return -1
		}
		return r
	}, s))
}

// time reads a local time, 0 when the field is empty or wrong.
func (f *form) time(name string, zone *time.Location) wim.Time {
	s := f.Get(name)
	if s == "" {
		return 0
	}
	for _, l := range timeLayouts() {
		if t, err := time.ParseInLocation(l, s, zone); err == nil && t.Year() >= 1970 && t.Year() < 2200 {
			return wim.TimeOf(t)
		}
	}
	f.Fail(name, "problem.time")
	return 0
}

// Time is a field for a local time. A value that is wrong is shown as it was typed, which a date field would
// not do.
func (f *form) Time(name, key string) *field {
	d := f.Field(name, key)
	if d.Problem == "" {
		d.Type = "datetime-local"
		if t := f.time(name, f.words.Zone()); t != 0 {
			d.Value = t.Std().In(f.words.Zone()).Format("2006-01-02T15:04")
		}
		return d
	}
	return d.Sample("2026-03-01 08:00")
}

func filtered(q *center.Query) bool {
	return q.Plate != "" || q.Site != "" || q.Region != "" || q.From != 0 || q.To != 0 || len(q.States) > 0 || q.Standing != "" || q.Owed
}

// kept is what an address asks for, without where in it a page stands.
func kept(values url.Values) url.Values {
	out := url.Values{}
	for _, k := range []string{"plate", "site", "region", "from", "to", "state", "standing", "todo"} {
		for _, s := range values[k] {
			if strings.TrimSpace(s) != "" {
				out.Add(k, s)
			}
		}
	}
	return out
}

// link sets the addresses of the pages around. The store pages downwards only; the way back is remembered in
// the address itself.
func (q *queueView) link(values, asked url.Values, next int64) {
	at := func(before string, back []string) string {
		u := url.Values{}
		for k, s := range asked {
			u[k] = s
		}
		if before != "" && before != "0" {
			u.Set("before", before)
		}
		if len(back) > 0 {
			u.Set("back", strings.Join(back, "."))
		}
		if len(u) == 0 {
			return "/matters"
		}
		return "/matters?" + u.Encode()
	}
	var back []string
	for _, s := range strings.Split(values.Get("back"), ".") {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil && n >= 0 && len(back) < queueBack {
			back = append(back, strconv.FormatInt(n, 10))
		}
	}
	before := "0"
	if n, err := strconv.ParseInt(values.Get("before"), 10, 64); err == nil && n > 0 {
		before = strconv.FormatInt(n, 10)
	}
	q.Self, q.Newest = at(before, back), at("", nil)
	if before != "0" {
		q.Newer = q.Newest
		if n := len(back); n > 0 {
			q.Newer = at(back[n-1], back[:n-1])
		}
	}
	if next != 0 {
		more := append(back, before)
		q.Older = at(strconv.FormatInt(next, 10), more[max(0, len(more)-queueBack):])
	}
}

// summary says in one line what is asked for, above a printed page.
func (q *queueView) summary() string {
	var parts []string
	add := func(key, s string) {
		if s != "" {
			parts = append(parts, q.Words.T(key)+": "+s)
		}
	}
	add("queue.plate", q.Form.Get("plate"))
	add("queue.site", q.Form.Get("site"))
	add("queue.region", q.Form.Get("region"))
	add("queue.from", q.Form.Get("from"))
	add("queue.to", q.Form.Get("to"))
	var on []string
	for _, s := range q.States {
		if s.On {
			on = append(on, s.Name)
		}
	}
	add("queue.state", strings.Join(on, ", "))
	if s := q.Form.Get("standing"); s != "" {
		add("queue.standing", q.Words.Standing(wim.Standing(s)))
	}
	if q.Mine {
		parts = append(parts, q.Words.T("queue.todo"))
	}
	return strings.Join(parts, " · ")
}

// Standings are the choices of the standing.
func (q *queueView) Standings() []choice {
	out := []choice{{Name: q.Words.T("queue.any")}}
	for _, s := range []wim.Standing{wim.Evidence, wim.Screening, wim.Void} {
		out = append(out, choice{Value: string(s), Name: q.Words.Standing(s)})
	}
	return out
}

// regionChoices is the tree of the regions that an officer may ask for.
func (c *Console) regionChoices(v visit) []choice {
	places := c.cfg.Regions.Within(v.officer.Region)
	if len(places) < 2 {
		return nil
	}
	out := []choice{{Name: v.words.T("queue.any-region")}}
	top := strings.Count(string(places[0].Region), "/")
	for _, p := range places {
		out = append(out, choice{
			Value: string(p.Region), Name: Name{Zh: p.Zh, En: p.En}.In(v.words.Language()), Indent: max(0, strings.Count(string(p.Region), "/")-top),
		})
	}
	return out
}

// lineView is one matter of the queue.
type lineView struct {
	*center.Docket
	words *web.Words
	Now   wim.Time
	Place string // name of the region
	Parts []partView
}

// Words says things in the officer's language.
func (l *lineView) Words() *web.Words { return l.words }

// Path is the matter's page.
func (l *lineView) Path() string { return "/matters/" + strconv.FormatInt(l.Matter.ID, 10) }

// Plates are the plates without their colours, which a queue does not know.
func (l *lineView) Plates() []template.HTML { return plateChips(l.words, l.Matter.Plates) }

func plateChips(w *web.Words, plates []string) (out []template.HTML) {
	for _, p := range plates {
		out = append(out, w.PlainPlate(p))
	}
	if len(out) == 0 {
		out = append(out, w.Plate("", ""))
	}
	return out
}

// State names how far the matter has come.
func (l *lineView) State() string { return l.words.T("state." + string(l.Matter.State)) }

// Overdue tells whether any authority owes something for too long.
func (l *lineView) Overdue() bool {
	return slices.ContainsFunc(l.Parts, func(p partView) bool { return p.Overdue })
}

func (c *Console) line(v visit, d *center.Docket, now wim.Time) lineView {
	return lineView{Docket: d, words: v.words, Now: now, Place: c.region(v.words, d.Matter.Region), Parts: c.parts(v, d, now)}
}

// partView is one authority's part in a matter.
type partView struct {
	center.Alert
	words     *web.Words
	now       wim.Time
	Own       bool
	Authority string
	Headline  string
	Case      *center.Case
	Owes      string // what is owed, in words; empty when nothing is
	Since     wim.Time
	Overdue   bool
}

// Age is how long something has been owed.
func (p *partView) Age() string { return p.words.Age(p.now, p.Since) }

// SinceWords is when it began to be owed.
func (p *partView) SinceWords() string { return p.words.Moment(p.Since, p.now) }

func (c *Console) parts(v visit, d *center.Docket, now wim.Time) []partView {
	var out []partView
	owed := d.Owed()
	for i := range d.Alerts {
		a := d.Alerts[i]
		p := partView{
			Alert: a, words: v.words, now: now, Own: v.officer.Role == center.Enforcer && a.Competence == v.officer.Competence,
			Authority: c.authority(v.words, a.Competence), Headline: v.words.Headline(a.Competence, a.Outcome, a.Standing),
		}
		p.Case, _ = d.Case(a.Competence)
		if k := slices.IndexFunc(owed, func(o center.Duty) bool { return o.Competence == a.Competence }); k >= 0 {
			var names []string
			for _, act := range owed[k].Acts {
				names = append(names, v.words.T("act."+string(act)))
			}
			p.Owes, p.Since = strings.Join(names, v.words.T("list.or")), owed[k].Since
			late := c.cfg.Overdue
			if a.AcknowledgedAt != 0 {
				late = c.cfg.Unfinished
			}
			p.Overdue = now.Sub(p.Since) > late
		}
		out = append(out, p)
	}
	slices.SortStableFunc(out, func(a, b partView) int {
		switch {
		case a.Own == b.Own:
			return 0
		case a.Own:
			return -1
		}
		return 1
	})
	return out
}
