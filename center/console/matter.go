package console

import (
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// matterView is the page of one matter.
type matterView struct {
	*frame
	File      *center.File
	Docket    *center.Docket
	Entry     *entryView
	Place     string // name of the region
	Parts     []partView
	Steps     []stepView
	Timeline  []happening
	Weighings []weighingView
	Linked    []linkedView
	Accounts  []recordView
	Acts      []*actForm
	Changed   []happening // what others did since the officer saw the matter, on a page that refuses an act
	Notice    string
	Wrong     []*field // of the form that was refused
	dossiers  bool     // are made here
}

// matterID reads the matter's number out of a path.
func matterID(r *http.Request) (int64, bool) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	return id, err == nil && id > 0
}

// matter answers GET /matters/{id}.
func (c *Console) matter(w http.ResponseWriter, r *http.Request, v visit) {
	id, ok := matterID(r)
	if !ok {
		c.fail(w, r, http.StatusNotFound, nil)
		return
	}
	c.showMatter(w, r, v, id, nil)
}

// refused is an act that was not written, as it was entered.
type refused struct {
	kind   center.ActKind
	form   *form
	seen   int64
	status int
	cause  error // ErrStale or ErrNotNow, nil when a field is wrong
}

func (c *Console) showMatter(w http.ResponseWriter, r *http.Request, v visit, id int64, not *refused) {
	ctx := r.Context()
	last, err := c.newest(ctx, v) // before the matter: what happens between the two is told by the stream
	if err != nil {
		c.fail(w, r, http.StatusInternalServerError, err)
		return
	}
	file, err := c.cfg.Store.File(ctx, v.viewer(), id)
	switch {
	case errors.Is(err, center.ErrNotFound):
		c.fail(w, r, http.StatusNotFound, nil)
		return
	case err != nil:
		c.fail(w, r, http.StatusInternalServerError, fmt.Errorf("matter %d: %w", id, err))
		return
	}
	if err := c.look(ctx, v, file.Docket.Matter.String(), ""); err != nil {
		c.fail(w, r, http.StatusInternalServerError, err)
		return
	}
	view := c.readMatter(w, r, v, &file)
	view.Last = last
	status := http.StatusOK
	view.Acts = c.actForms(v, view.Docket, not)
	if not != nil {
		status = not.status
		view.refuse(not)
	}
	c.page(w, r, status, "matter", view)
}

func (c *Console) readMatter(w http.ResponseWriter, r *http.Request, v visit, file *center.File) *matterView {
	d := &file.Docket
	m := &matterView{
		frame: c.newFrame(w, r, v, v.words.T("matter.title", d.Matter.ID)), File: file, Docket: d, Place: c.region(v.words, d.Matter.Region),
		dossiers: c.cfg.Dossiers != nil,
	}
	m.Live, m.Shell.Back = true, m.Path()
	m.Parts = c.parts(v, d, m.Now)
	m.Entry = c.view(v, &file.Entry, m.Now)
	m.Entry.Matter = d.Matter
	m.Steps, m.Timeline = m.steps(), c.timeline(v, file)
	m.Weighings, m.Linked, m.Accounts = m.weighings(), m.linked(), m.accounts()
	return m
}

// Path is the matter's page.
func (m *matterView) Path() string { return "/matters/" + strconv.FormatInt(m.Docket.Matter.ID, 10) }

// BoardPath is the own alert on the board; empty for who has none.
func (m *matterView) BoardPath() string {
	if m.Officer.Role != center.Enforcer {
		return ""
	}
	return m.Entry.Path()
}

// TrailPath leads an auditor to what was done and looked at.
func (m *matterView) TrailPath() string {
	if m.Officer.Role != center.Auditor {
		return ""
	}
	return "/trail?" + url.Values{"subject": {m.Docket.Matter.String()}}.Encode()
}

// DossierPath gives the matter's evidence as one archive; empty where there is none to give.
func (m *matterView) DossierPath() string {
	if !m.dossiers || m.File.Pruned {
		return ""
	}
	return m.Path() + "/dossier"
}

// Plates are the plates, in their colours where the records still tell them.
func (m *matterView) Plates() (out []template.HTML) {
	if m.File.Pruned {
		return plateChips(m.Words, m.Docket.Matter.Plates)
	}
	return m.Entry.Plates()
}

// PlateNames are the plates as text.
func (m *matterView) PlateNames() []string { return m.Docket.Matter.Plates }

// Ended tells whether nobody has to do anything any more.
func (m *matterView) Ended() bool { return !m.Docket.Matter.State.Open() }

// OwnEnded tells whether the officer's own authority has ended its part.
func (m *matterView) OwnEnded() bool {
	own, ok := m.Docket.Own(m.Officer.Competence)
	return ok && own.Ended != ""
}

// Enforcer tells whether the officer may act at all.
func (m *matterView) Enforcer() bool { return m.Officer.Role == center.Enforcer }

// SiteClock tells how the site's clock stood when the vehicle passed.
func (m *matterView) SiteClock() string { return m.Words.T("clock." + string(m.Entry.Facts.Clock)) }

// stepView is one step of the way that a matter takes.
type stepView struct {
	Name string
	Mark string // done, part, next, open or skipped
	Note string // who and when
}

// steps is the way from alert to close with how far the matter has come on it.
func (m *matterView) steps() []stepView {
	d, w := m.Docket, m.Words
	did := map[center.ActKind]*center.Act{}
	for i := range m.File.Acts {
		did[m.File.Acts[i].Kind] = &m.File.Acts[i] // the last of its kind
	}
	acknowledged, ended := 0, 0
	var byWhom, endedBy string
	for i := range d.Alerts {
		a := &d.Alerts[i]
		if a.AcknowledgedAt != 0 {
			acknowledged++
			byWhom = w.Moment(a.AcknowledgedAt, m.Now)
		}
		if a.Ended != "" {
			ended++
			endedBy = w.Moment(a.EndedAt, m.Now)
		}
	}
	all := len(d.Alerts)
	out := []stepView{
		{Name: w.T("state.alerted"), Mark: "done", Note: w.Moment(d.Matter.Opened, m.Now)},
		{Name: w.T("state.acknowledged"), Mark: mark3(acknowledged, all), Note: share(acknowledged, all, byWhom)},
		{Name: w.T("step.under-way"), Mark: "open"},
		{Name: w.T("state.weighed"), Mark: "open"},
		{Name: w.T("state.closed"), Mark: mark3(ended, all), Note: share(ended, all, endedBy)},
	}
	for _, k := range []center.ActKind{center.ActDispatch, center.ActIntercept} {
		if a := did[k]; a != nil {
			out[2] = stepView{Name: w.T("act." + string(k) + ".done"), Mark: "done", Note: w.Moment(a.At, m.Now)}
		}
	}
	if a := did[center.ActWeigh]; a != nil {
		out[3].Mark, out[3].Note = "done", w.Moment(a.At, m.Now)
		if did[center.ActDispatch] == nil && did[center.ActIntercept] == nil {
			out[2].Mark = "skipped"
		}
	}
	if d.Matter.State == center.Dismissed {
		out[4].Name = w.T("state.dismissed")
	}
	next := true
	for i := range out {
		switch {
		case out[i].Mark != "open":
		case m.Ended():
			out[i].Mark = "skipped"
		case next:
			out[i].Mark, next = "next", false
		}
		if out[i].Mark == "part" {
			next = false
		}
	}
	return out
}

func mark3(n, all int) string {
	switch {
	case n == 0:
		return "open"
	case n < all:
		return "part"
	}
	return "done"
}

func share(n, all int, when string) string {
	switch {
	case n == 0:
		return ""
	case n < all:
		return strconv.Itoa(n) + "/" + strconv.Itoa(all)
	}
	return when
}

// Mark says a step's mark in words, for who does not see it.
func (m *matterView) Mark(s stepView) string { return m.Words.T("step." + s.Mark) }

// weighingView is a static weighing beside the dynamic one.
type weighingView struct {
	center.Act
	*center.StaticWeighing
	Authority string
	Dynamic   wim.Kg
	Diff      wim.Kg // dynamic less static
	Ratio     wim.Permille
	Axles     []axlePair
	Latest    bool
}

type axlePair struct {
	Index           int
	Static, Dynamic wim.Kg
	Diff            wim.Kg
}

// weighings are all static weighings, the latest first. None replaces another, nor the dynamic one.
func (m *matterView) weighings() (out []weighingView) {
	for i := range slices.Backward(m.File.Acts) {
		a := &m.File.Acts[i]
		if a.Details.Weighing == nil {
			continue
		}
		s := a.Details.Weighing
		v := weighingView{Act: *a, StaticWeighing: s, Dynamic: m.Docket.Matter.Gross, Latest: len(out) == 0}
		for _, p := range m.Parts {
			if p.Competence == a.Competence {
				v.Authority = p.Authority
			}
		}
		v.Diff = v.Dynamic - s.Gross
		v.Ratio = ratio(v.Diff, s.Gross)
		axles := m.Entry.Facts.Vehicle.Axles
		if len(axles) == len(s.Axles) {
			for k := range axles {
				v.Axles = append(v.Axles, axlePair{k + 1, s.Axles[k], axles[k].Load, axles[k].Load - s.Axles[k]})
			}
		}
		out = append(out, v)
	}
	return out
}

// ratio is diff in thousandths of whole with its sign.
func ratio(diff, whole wim.Kg) wim.Permille {
	if diff < 0 {
		return -(-diff).Of(whole)
	}
	return diff.Of(whole)
}

// recordView is one sealed record of the matter.
type recordView struct {
	center.AccountHead
	First bool
	Lag   string
}

// ShortKey is the beginning of the key's id.
func (a *recordView) ShortKey() string { return shortKey(a.Key) }

// Chain is the beginning of the record's chain id.
func (a *recordView) Chain() string { return a.Ref.Chain.String()[:8] }

func (m *matterView) accounts() (out []recordView) {
	for i := range m.File.Accounts {
		a := &m.File.Accounts[i]
		out = append(out, recordView{AccountHead: *a, First: i == 0, Lag: m.Words.Lag(a.Received.Sub(a.Time))})
	}
	return out
}
