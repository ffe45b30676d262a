package console

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/internal/web"
	"github.com/axlegate/axlegate/wim"
)

// siteSilent is after how long without data a site that says it is online looks silent.
const siteSilent = 15 * time.Minute

// siteLine is one site with what is the matter with it.
type siteLine struct {
	center.SiteState
	words *web.Words
	Now   wim.Time
	Place string
}

// Path is the site's page.
func (s *siteLine) Path() string { return "/sites/" + url.PathEscape(string(s.Site)) }

// Troubles names everything that is the matter, gravest first: "alarms", "offline", "behind" and "silent"; "well"
// alone when nothing is. A site that is offline is not called silent as well.
func (s *siteLine) Troubles() []string {
	var out []string
	for _, t := range []struct {
		name string
		is   bool
	}{{"alarms", s.Alarms > 0}, {"offline", !s.Online}, {"behind", s.Behind > 0}, {"silent", s.Online && s.Silent()}} {
		if t.is {
			out = append(out, t.name)
		}
	}
	if out == nil {
		out = []string{"well"}
	}
	return out
}

// Trouble names the gravest.
func (s *siteLine) Trouble() string { return s.Troubles()[0] }

// Silent tells whether nothing has come for long although the site is online: perhaps no traffic, perhaps a
// dead scale.
func (s *siteLine) Silent() bool { return s.Now.Sub(s.Heard) > siteSilent }

// Age is how long ago the site was heard of.
func (s *siteLine) Age() string { return s.words.Age(s.Now, s.Heard) }

func (s *siteLine) rank() int {
	return slices.Index([]string{"alarms", "offline", "behind", "silent", "well"}, s.Trouble())
}

// sitesView is the list of sites.
type sitesView struct {
	*frame
	Lines   []siteLine
	Trouble int // sites that are not well
}

// sitesPage answers GET /sites: every site of the region, those in trouble first.
func (c *Console) sitesPage(w http.ResponseWriter, r *http.Request, v visit) {
	lines, err := c.siteLines(r, v)
	if err != nil {
		c.fail(w, r, http.StatusInternalServerError, err)
		return
	}
	view := &sitesView{frame: c.newFrame(w, r, v, v.words.T("sites.title")), Lines: lines}
	for i := range lines {
		if lines[i].Trouble() != "well" {
			view.Trouble++
		}
	}
	if !c.follow(w, r, v, view.frame) {
		return
	}
	c.page(w, r, http.StatusOK, "sites", view)
}

// follow has a page follow the event stream; it answers itself where that fails.
func (c *Console) follow(w http.ResponseWriter, r *http.Request, v visit, f *frame) bool {
	last, err := c.newest(r.Context(), v)
	if err != nil {
		c.fail(w, r, http.StatusInternalServerError, err)
		return false
	}
	f.Live, f.Last = true, last
	return true
}

func (c *Console) siteLines(r *http.Request, v visit) ([]siteLine, error) {
	sites, err := c.sites(r.Context(), v)
	if err != nil {
		return nil, fmt.Errorf("sites: %w", err)
	}
	now := wim.TimeOf(c.now())
	lines := make([]siteLine, 0, len(sites))
	for _, s := range sites {
		lines = append(lines, siteLine{SiteState: s, words: v.words, Now: now, Place: c.region(v.words, s.Region)})
	}
	slices.SortStableFunc(lines, func(a, b siteLine) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(b.Alarms, a.Alarms), cmp.Compare(a.Heard, b.Heard), strings.Compare(string(a.Site), string(b.Site)))
	})
	return lines, nil
}

// alarmView is an alarm in words.
type alarmView struct {
	center.Alarm
	words *web.Words
}

// Name says what has happened, Advice what to do.
func (a *alarmView) Name() string   { return a.words.Or("alarm", string(a.Kind)) }
func (a *alarmView) Advice() string { return a.words.Or("alarm-advice", string(a.Kind)) }

// sitePageView is the page of one site.
type sitePageView struct {
	*frame
	Line    siteLine
	Alarms  []alarmView
	Seen    string // names the alarms shown
	CanLook bool
	Notice  string
	Keys    []keyLine
	Code    string // a code that was just made, shown once
}

// keyLine is one key of a site.
type keyLine struct {
	center.SiteKey
	words *web.Words
}

// Way says how the key came to be believed.
func (k *keyLine) Way() string {
	switch k.How {
	case center.KeyByCode, center.KeyByRotation:
		return k.words.T("site.keys.how."+string(k.How), k.By)
	case center.KeyConfigured:
	}
	return k.words.T("site.keys.how.configured")
}

// sitePage answers GET /sites/{site}.
func (c *Console) sitePage(w http.ResponseWriter, r *http.Request, v visit) {
	c.showSite(w, r, v, http.StatusOK, "", "")
}

func (c *Console) showSite(w http.ResponseWriter, r *http.Request, v visit, status int, notice, code string) {
	line, alarms, err := c.site(r, v)
	if err != nil {
		c.wrong(w, r, err)
		return
	}
	view := &sitePageView{
		frame: c.newFrame(w, r, v, string(line.Site)), Line: line, Seen: alarmsDigest(alarms), CanLook: v.officer.Role == center.Administrator, Notice: notice, Code: code,
	}
	keys, err := c.cfg.Store.SiteKeys(r.Context())
	if err != nil {
		c.fail(w, r, http.StatusInternalServerError, fmt.Errorf("keys of %s: %w", line.Site, err))
		return
	}
	for _, k := range keys {
		if k.Site == line.Site {
			view.Keys = append(view.Keys, keyLine{k, v.words})
		}
	}
	for _, a := range alarms {
		view.Alarms = append(view.Alarms, alarmView{a, v.words})
	}
	if !c.follow(w, r, v, view.frame) {
		return
	}
	c.page(w, r, status, "site", view)
}

// site is a site of the officer's region with its alarms; another one is center.ErrNotFound.
func (c *Console) site(r *http.Request, v visit) (siteLine, []center.Alarm, error) {
	lines, err := c.siteLines(r, v)
	if err != nil {
		return siteLine{}, nil, err
	}
	i := slices.IndexFunc(lines, func(l siteLine) bool { return string(l.Site) == r.PathValue("site") })
	if i < 0 {
		return siteLine{}, nil, center.ErrNotFound
	}
	alarms, err := c.cfg.Store.Alarms(r.Context(), v.viewer(), lines[i].Site)
	if err != nil {
		return siteLine{}, nil, fmt.Errorf("alarms of %s: %w", lines[i].Site, err)
	}
	return lines[i], alarms, nil
}

// alarmsDigest names a list of alarms, so that nobody clears one that came after the page was seen.
func alarmsDigest(alarms []center.Alarm) string {
	var all []byte
	for i := range alarms {
		all = fmt.Appendf(all, "%q %q %d\n", alarms[i].Kind, alarms[i].Subject, alarms[i].Count)
	}
	sum := sha256.Sum256(all)
	return hex.EncodeToString(sum[:16])
}

// lookedInto answers POST /sites/{site}/looked-into: an administrator has looked into the alarms shown.
func (c *Console) lookedInto(w http.ResponseWriter, r *http.Request, v visit) {
	f, err := readForm(w, r, v.words)
	if err != nil {
		c.fail(w, r, http.StatusBadRequest, nil)
		return
	}
	line, alarms, err := c.site(r, v)
	if err != nil {
		c.wrong(w, r, err)
		return
	}
	if f.Get("seen") != alarmsDigest(alarms) {
		c.showSite(w, r, v, http.StatusConflict, v.words.T("site.alarms-changed"), "")
		return
	}
	if err := c.cfg.Store.LookedInto(r.Context(), v.viewer(), line.Site); err != nil {
		c.wrong(w, r, fmt.Errorf("look into alarms of %s: %w", line.Site, err))
		return
	}
	c.flash(w, "looked-into")
	http.Redirect(w, r, line.Path(), http.StatusSeeOther)
}

// makeCode answers POST /sites/{site}/code: an administrator lets the site enrol a key. The code is shown on the page
// that answers and nowhere else; loading that page anew asks before it makes another.
func (c *Console) makeCode(w http.ResponseWriter, r *http.Request, v visit) {
	f, err := readForm(w, r, v.words)
	if err != nil {
		c.fail(w, r, http.StatusBadRequest, nil)
		return
	}
	line, _, err := c.site(r, v)
	if err != nil {
		c.wrong(w, r, err)
		return
	}
	code := center.NewCode()
	if err := c.cfg.Store.PutCode(r.Context(), v.viewer(), line.Site, center.CodeDigest(line.Site, code), f.Get("lost") != ""); err != nil {
		c.wrong(w, r, fmt.Errorf("enrolment code of %s: %w", line.Site, err))
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	c.showSite(w, r, v, http.StatusOK, "", code)
}
