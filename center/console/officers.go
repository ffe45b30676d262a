package console

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// loginSet are the characters of the logins that a page gives out.
const (
	loginSet = "abcdefghijklmnopqrstuvwxyz0123456789._-"
	loginMax = 32
)

// oncePasswordSet has no characters that are taken for each other when they are read out.
const oncePasswordSet = "abcdefghjkmnpqrstuvwxyz23456789"

// oncePassword is a password of 98 random bits for somebody else, who has to change it at the first sign-in.
func oncePassword() string {
	var out []byte
	for len(out) < 20+3 {
		if (len(out)+1)%6 == 0 {
			out = append(out, '-')
			continue
		}
		var b [1]byte
		rand.Read(b[:]) // never fails since Go 1.24
		// What would make some characters likelier than others is drawn again.
		if n := len(oncePasswordSet); int(b[0]) < 256/n*n {
			out = append(out, oncePasswordSet[int(b[0])%n])
		}
	}
	return string(out)
}

// officerLine is one officer of the list.
type officerLine struct {
	center.Officer
	Authority string
	Place     string
	Role      string
	Self      bool
}

// Fixed tells whether a page can change the officer.
func (o *officerLine) Fixed() bool { return o.Configured || o.Self }

// once is a secret that is shown this one time.
type once struct {
	Heading, Note, Secret string
}

// officersView is the list of officers with the form for a new one.
type officersView struct {
	*frame
	Form        *form
	Lines       []officerLine
	Competences []choice
	Places      []choice
	Notice      string
	Once        *once
}

// Roles are the choices of the role.
func (o *officersView) Roles() []choice {
	out := []choice{{Name: o.Words.T("choose")}}
	for _, r := range center.Roles() {
		out = append(out, choice{Value: string(r), Name: o.Words.T("role." + string(r))})
	}
	return out
}

// officersPage answers GET /officers.
func (c *Console) officersPage(w http.ResponseWriter, r *http.Request, v visit) {
	c.showOfficers(w, r, v, http.StatusOK, &officersView{Form: newForm(v.words, url.Values{})})
}

func (c *Console) showOfficers(w http.ResponseWriter, r *http.Request, v visit, status int, view *officersView) {
	all, err := c.cfg.Store.Officers(r.Context(), v.viewer())
	if err != nil {
		c.wrong(w, r, fmt.Errorf("officers: %w", err))
		return
	}
	view.frame = c.newFrame(w, r, v, v.words.T("officers.title"))
	for _, o := range all {
		l := officerLine{Officer: o, Place: c.region(v.words, o.Region), Role: v.words.Or("role", string(o.Role)), Self: o.Login == v.officer.Login}
		if o.Role == center.Enforcer {
			l.Authority = c.authority(v.words, o.Competence)
		}
		view.Lines = append(view.Lines, l)
	}
	view.Competences = []choice{{Name: v.words.T("officer.competence.none")}}
	for _, k := range c.competences() {
		view.Competences = append(view.Competences, choice{Value: string(k), Name: c.authority(v.words, k)})
	}
	view.Places = c.placeChoices(v)
	c.page(w, r, status, "officers", view)
}

// competences are the authorities that an enforcer may belong to.
func (c *Console) competences() []wim.Competence {
	out := []wim.Competence{wim.RoadAdministration, wim.TrafficPolice}
	for k := range c.cfg.Authorities {
		if !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}

// placeChoices are the regions that the administrator may put an officer into, the own one first.
func (c *Console) placeChoices(v visit) []choice {
	own := v.officer.Region
	out := []choice{{Value: string(own), Name: c.region(v.words, own)}}
	top := strings.Count(string(own), "/")
	if own == "" {
		top = -1
	}
	for _, p := range c.cfg.Regions.Within(own) {
		if p.Region != own {
			out = append(out, choice{
				Value: string(p.Region), Name: Name{Zh: p.Zh, En: p.En}.In(v.words.Language()), Indent: strings.Count(string(p.Region), "/") - top,
			})
		}
	}
	return out
}

// newOfficer reads the form of a new officer. What is wrong stands at its field.
func (c *Console) newOfficer(v visit, f *form) center.Officer {
	o := center.Officer{
		Login: f.Get("login"), Name: f.Get("name"), Role: center.Role(f.Get("role")), Competence: wim.Competence(f.Get("competence")),
		Region: center.Region(f.Get("region")), MustChange: true,
	}
	switch {
	case o.Login == "":
		f.Fail("login", "problem.missing")
	case len(o.Login) > loginMax || strings.Trim(o.Login, loginSet) != "" || strings.Trim(o.Login[:1], "._-") == "":
		f.Fail("login", "problem.login.outside")
	}
	switch {
	case o.Name == "":
		f.Fail("name", "problem.missing")
	default:
		if err := checkWord("name", o.Name); err != nil {
			f.Take(err)
		}
	}
	switch {
	case !slices.Contains(center.Roles(), o.Role):
		f.Fail("role", "problem.role.missing")
	case o.Role == center.Enforcer && !slices.Contains(c.competences(), o.Competence):
		f.Fail("competence", "problem.competence.missing")
	case o.Role != center.Enforcer && o.Competence != "":
		f.Fail("competence", "problem.competence.not-taken")
	}
	if o.Region.Valid() != nil || !v.officer.Region.Holds(o.Region) || !c.cfg.Regions.Knows(o.Region) {
		f.Fail("region", "problem.region.outside")
	}
	return o
}

// addOfficer answers POST /officers. The password is shown on the page that answers, and never again.
func (c *Console) addOfficer(w http.ResponseWriter, r *http.Request, v visit) {
	f, err := readForm(w, r, v.words)
	if err != nil {
		c.fail(w, r, http.StatusBadRequest, nil)
		return
	}
	o := c.newOfficer(v, f)
	if f.Bad() {
		c.showOfficers(w, r, v, http.StatusUnprocessableEntity, &officersView{Form: f})
		return
	}
	switch secret, err := c.hire(r, v, o); {
	case errors.Is(err, errTaken):
		f.Fail("login", "problem.login.taken")
		c.showOfficers(w, r, v, http.StatusConflict, &officersView{Form: f})
	case err != nil:
		c.wrong(w, r, err)
	default:
		c.showOfficers(w, r, v, http.StatusOK, &officersView{Form: newForm(v.words, url.Values{}), Once: c.onceFor(v, &o, secret)})
	}
}

// Why an officer is not added or changed.
var (
	errTaken      = errors.New("the login is taken")
	errOneself    = errors.New("nobody disables or resets oneself")
	errConfigured = errors.New("the officer stands in the configuration")
	errChange     = errors.New("no such change")
)

// hire adds an officer under a free login.
func (c *Console) hire(r *http.Request, v visit, o center.Officer) (secret string, err error) {
	c.staff.Lock() // between the look whether the login is free and its taking
	defer c.staff.Unlock()
	switch _, err := c.cfg.Store.Officer(r.Context(), o.Login); {
	case err == nil:
		return "", errTaken
	case !errors.Is(err, center.ErrNotFound):
		return "", fmt.Errorf("officer %q: %w", o.Login, err)
	}
	return c.putWithNewPassword(r, v, o)
}

func (c *Console) onceFor(v visit, o *center.Officer, secret string) *once {
	return &once{Heading: v.words.T("once.password", o.Login), Note: v.words.T("once.password.note"), Secret: secret}
}

func (c *Console) putWithNewPassword(r *http.Request, v visit, o center.Officer) (secret string, err error) {
	secret = oncePassword()
	if o.Hash, err = c.hashed(r, secret); err != nil {
		return "", fmt.Errorf("hash: %w", err)
	}
	o.MustChange = true
	if err := c.cfg.Store.PutOfficer(r.Context(), v.officer.Login, o); err != nil {
		return "", fmt.Errorf("put officer %q: %w", o.Login, err)
	}
	c.log.InfoContext(r.Context(), "officer has a new password", "officer", o.Login, "login", v.officer.Login)
	return secret, nil
}

// changeOfficer answers POST /officers/change: disables, enables or resets one officer. Nobody does that to
// oneself, so at least the administrator who is at it stays; configured officers are changed in the
// configuration.
func (c *Console) changeOfficer(w http.ResponseWriter, r *http.Request, v visit) {
	f, err := readForm(w, r, v.words)
	if err != nil {
		c.fail(w, r, http.StatusBadRequest, nil)
		return
	}
	do := f.Get("do")
	o, secret, err := c.change(r, v, f.Values.Get("login"), do)
	refused := map[error]string{errOneself: "officers.not-oneself", errConfigured: "officers.configured"}
	switch {
	case err == nil && secret != "":
		c.showOfficers(w, r, v, http.StatusOK, &officersView{Form: newForm(v.words, url.Values{}), Once: c.onceFor(v, &o, secret)})
	case err == nil:
		c.flash(w, "officer."+do)
		http.Redirect(w, r, "/officers", http.StatusSeeOther)
	case refused[err] != "":
		c.showOfficers(w, r, v, http.StatusConflict, &officersView{Form: newForm(v.words, url.Values{}), Notice: v.words.T(refused[err])})
	case errors.Is(err, errChange):
		c.fail(w, r, http.StatusBadRequest, nil)
	default:
		c.wrong(w, r, err)
	}
}

// change disables, enables or resets an officer; only a reset has a secret.
func (c *Console) change(r *http.Request, v visit, login, do string) (o center.Officer, secret string, err error) {
	c.staff.Lock()
	defer c.staff.Unlock()
	// While this request waited somebody may have disabled the one who sent it.
	by, err := c.cfg.Store.Officer(r.Context(), v.officer.Login)
	if err != nil {
		return o, "", fmt.Errorf("officer %q: %w", v.officer.Login, err)
	}
	if by.Disabled || by.Role != center.Administrator {
		return o, "", center.ErrNotYours
	}
	if o, err = c.subordinate(r.Context(), v, login); err != nil {
		return o, "", err
	}
	switch {
	case o.Login == v.officer.Login:
		return o, "", errOneself
	case o.Configured:
		return o, "", errConfigured
	}
	switch do {
	case "disable", "enable":
		o.Disabled = do == "disable"
		o.Hash = "" // stays as it is, whoever changes it meanwhile
		if err := c.cfg.Store.PutOfficer(r.Context(), v.officer.Login, o); err != nil {
			return o, "", fmt.Errorf("%s officer %q: %w", do, o.Login, err)
		}
		c.log.InfoContext(r.Context(), "officer changed", "officer", o.Login, "change", do, "login", v.officer.Login)
		return o, "", nil
	case "reset":
		secret, err = c.putWithNewPassword(r, v, o)
		return o, secret, err
	}
	return o, "", errChange
}

// subordinate is an officer of the administrator's region as the store has it; any other is center.ErrNotFound.
func (c *Console) subordinate(ctx context.Context, v visit, login string) (center.Officer, error) {
	o, err := c.cfg.Store.Officer(ctx, login)
	if err != nil {
		return o, fmt.Errorf("officer %q: %w", login, err)
	}
	if !v.officer.Region.Holds(o.Region) {
		return o, fmt.Errorf("officer %q: %w", login, center.ErrNotFound)
	}
	return o, nil
}
