package console

import (
	"net/http"
	"slices"
	"strings"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/internal/web"
	"github.com/axlegate/axlegate/wim"
)

// place is a page that the navigation leads to.
type place struct {
	path  string // what lies under it belongs to it
	key   string // of its name
	roles []center.Role
}

// places lists the navigation in order. A page is added here and in routes.
func places() []place {
	return []place{
		{"/", "nav.board", []center.Role{center.Enforcer}},
		{"/matters", "nav.matters", []center.Role{center.Enforcer, center.Auditor}},
		{"/sites", "nav.sites", []center.Role{center.Auditor, center.Administrator}},
		{"/sent", "nav.sent", []center.Role{center.Administrator}},
		{"/gaps", "nav.gaps", center.Roles()},
		{"/trail", "nav.trail", []center.Role{center.Auditor}},
		{"/officers", "nav.officers", []center.Role{center.Administrator}},
		{"/tokens", "nav.tokens", []center.Role{center.Administrator}},
		{"/account", "nav.account", center.Roles()},
	}
}

// home is where an officer's work begins.
func home(role center.Role) string {
	for _, p := range places() {
		if slices.Contains(p.roles, role) {
			return p.path
		}
	}
	return "/account"
}

// navItem is one way in the navigation.
type navItem struct {
	Path string
	Name string
	Here bool // the page shown, or one under it
}

// frame is what every page after sign-in has around its content. Page views embed a *frame, and their
// templates stand between {{template "frame" .}} and {{template "frame-end" .}}.
type frame struct {
	Shell   *web.Shell
	Words   *web.Words
	Officer center.Officer
	Heading string // the page's h1
	Centre  string // the centre's title
	// Authority is the enforcer's authority; for others the name of their role.
	Authority string
	Region    string
	Nav       []navItem
	Flash     string // what came of the form before
	Now       wim.Time
	Live      bool // the page follows the event stream from event Last on
	Last      int64
}

// newFrame frames a page. It takes the flash, so it is called once for an answer and before anything is written.
func (c *Console) newFrame(w http.ResponseWriter, r *http.Request, v visit, heading string) *frame {
	f := &frame{
		Words: v.words, Officer: v.officer, Heading: heading, Centre: c.title(v.words), Now: wim.TimeOf(c.now()),
		Authority: c.office(v.words, &v.officer), Region: c.region(v.words, v.officer.Region), Flash: c.takeFlash(w, r, v.words),
	}
	f.Shell = c.shell(r, heading+" · "+f.Authority)
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		f.Shell.Back = web.LocalPath(r.URL.RequestURI())
	}
	here := navPath(r.URL.Path)
	for _, p := range places() {
		if slices.Contains(p.roles, v.officer.Role) {
			f.Nav = append(f.Nav, navItem{Path: p.path, Name: v.words.T(p.key), Here: p.path == here})
		}
	}
	return f
}

// navPath is the place that a path belongs to; alerts belong to the board.
func navPath(path string) string {
	if strings.HasPrefix(path, "/alerts/") {
		return "/"
	}
	for _, p := range places() {
		if path == p.path || p.path != "/" && strings.HasPrefix(path, p.path+"/") {
			return p.path
		}
	}
	return ""
}

// Role names the officer's role.
func (f *frame) Role() string { return f.Words.Or("role", string(f.Officer.Role)) }

// Name is the officer's name, or the login where there is none.
func (f *frame) Name() string {
	if f.Officer.Name == "" {
		return f.Officer.Login
	}
	return f.Officer.Name
}

// office names an enforcer's authority, another officer's role.
func (c *Console) office(w *web.Words, o *center.Officer) string {
	if o.Role == center.Enforcer {
		return c.authority(w, o.Competence)
	}
	return w.Or("role", string(o.Role))
}

// region names a region in the words' language; the empty one is everything.
func (c *Console) region(w *web.Words, r center.Region) string {
	if r == "" {
		return w.T("region.all")
	}
	p := c.cfg.Regions.Place(r)
	return Name{Zh: p.Zh, En: p.En}.In(w.Language())
}

// flashCookie carries the key of one text to the page that a form leads to. It can only name texts, so a
// cookie that somebody else has set says nothing of his own.
const flashCookie = "axlegate_flash"

// flash has the next page say the text "flash." + name.
func (c *Console) flash(w http.ResponseWriter, name string) {
	http.SetCookie(w, &http.Cookie{
		Name: flashCookie, Value: name, Path: "/", MaxAge: 60, HttpOnly: true, Secure: c.cfg.Secure, SameSite: http.SameSiteLaxMode,
	})
}

func (c *Console) takeFlash(w http.ResponseWriter, r *http.Request, words *web.Words) string {
	k, err := r.Cookie(flashCookie)
	if err != nil {
		return ""
	}
	http.SetCookie(w, &http.Cookie{
		Name: flashCookie, Path: "/", MaxAge: -1, HttpOnly: true, Secure: c.cfg.Secure, SameSite: http.SameSiteLaxMode,
	})
	if text := words.Or("flash", k.Value); text != k.Value {
		return text
	}
	return ""
}

// signedAs lets only officers of the given roles through; all who are signed in when none is given. Others
// are told that the page is not for them. Who has to change a password that somebody else has set is led
// to that page first.
func (c *Console) signedAs(next func(http.ResponseWriter, *http.Request, visit), roles ...center.Role) http.HandlerFunc {
	return c.signed(func(w http.ResponseWriter, r *http.Request, v visit) {
		switch {
		case v.officer.MustChange && navPath(r.URL.Path) != "/account":
			if asksForPage(r) {
				http.Redirect(w, r, "/account", http.StatusSeeOther)
				return
			}
			c.refuse(w, r)
		case len(roles) > 0 && !slices.Contains(roles, v.officer.Role):
			c.refuse(w, r)
		default:
			next(w, r, v)
		}
	})
}

// asksForPage tells a browser that goes to a page from a script that fetches.
func asksForPage(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html") && r.Method == http.MethodGet
}

// refuse answers that the page exists, but not for this officer.
func (c *Console) refuse(w http.ResponseWriter, r *http.Request) {
	c.failAs(w, r, http.StatusForbidden, "failure.not-yours", nil)
}
