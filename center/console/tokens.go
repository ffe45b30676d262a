package console

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/internal/web"
	"github.com/axlegate/axlegate/wim"
)

const tokenDays = 90 // that a token lasts unless another time is chosen

// tokenTerms are the days that a token may last.
func tokenTerms() []int { return []int{7, 30, tokenDays, 180, 365} }

// scopesOf are the scopes that mean anything for a role: a token may do no more than its officer.
func scopesOf(r center.Role) []center.Scope {
	switch r {
	case center.Enforcer:
		return []center.Scope{center.ScopeMattersRead, center.ScopeMattersAct, center.ScopeSitesRead}
	case center.Auditor:
		return []center.Scope{center.ScopeMattersRead, center.ScopeSitesRead, center.ScopeTrailRead}
	case center.Administrator:
		return []center.Scope{center.ScopeSitesRead}
	}
	return nil
}

// tokenLine is one token of the list.
type tokenLine struct {
	center.Token
	words *web.Words
	now   wim.Time
}

// State is "good", "expired" or "revoked".
func (t *tokenLine) State() string {
	switch {
	case t.Revoked != 0:
		return "revoked"
	case t.Expires <= t.now:
		return "expired"
	}
	return "good"
}

// LastUse is about when it was last used.
func (t *tokenLine) LastUse() string {
	if t.Used == 0 {
		return t.words.T("token.never")
	}
	return t.words.Moment(t.Used, t.now)
}

// ScopeNames lists what the token may do.
func (t *tokenLine) ScopeNames() string {
	var out []string
	for _, s := range t.Scopes {
		out = append(out, t.words.Or("scope", string(s)))
	}
	return strings.Join(out, ", ")
}

// scopeChoice is one scope with its explanation.
type scopeChoice struct {
	Value, Name, Note string
	On                bool
}

// tokensView is the list of tokens with the form for a new one.
type tokensView struct {
	*frame
	Form     *form
	Lines    []tokenLine
	Scopes   []scopeChoice
	Officers []choice // whom a token may act for; nil when only for oneself
	Notice   string
	Once     *once
}

// Terms are the choices of how long a token lasts.
func (t *tokensView) Terms() (out []choice) {
	for _, d := range tokenTerms() {
		out = append(out, choice{Value: strconv.Itoa(d), Name: t.Words.T("token.days", d)})
	}
	return out
}

// tokensPage answers GET /tokens.
func (c *Console) tokensPage(w http.ResponseWriter, r *http.Request, v visit) {
	c.showTokens(w, r, v, http.StatusOK, &tokensView{Form: blankToken(v)})
}

func blankToken(v visit) *form {
	return newForm(v.words, url.Values{"days": {strconv.Itoa(tokenDays)}, "officer": {v.officer.Login}})
}

func (c *Console) showTokens(w http.ResponseWriter, r *http.Request, v visit, status int, view *tokensView) {
	all, err := c.cfg.Store.Tokens(r.Context(), v.viewer())
	if err != nil {
		c.wrong(w, r, fmt.Errorf("tokens: %w", err))
		return
	}
	scopes := scopesOf(v.officer.Role)
	if v.officer.Role == center.Administrator {
		scopes = center.Scopes()
		officers, err := c.cfg.Store.Officers(r.Context(), v.viewer())
		if err != nil {
			c.wrong(w, r, fmt.Errorf("officers: %w", err))
			return
		}
		for _, o := range officers {
			if !o.Disabled {
				name := o.Login + " · " + c.office(v.words, &o)
				if o.Name != "" {
					name = o.Name + " · " + name
				}
				view.Officers = append(view.Officers, choice{Value: o.Login, Name: name})
			}
		}
	}
	view.frame = c.newFrame(w, r, v, v.words.T("tokens.title"))
	for _, t := range all {
		view.Lines = append(view.Lines, tokenLine{t, v.words, view.Now})
	}
	for _, s := range scopes {
		view.Scopes = append(view.Scopes, scopeChoice{
			string(s), v.words.T("scope." + string(s)), v.words.T("scope." + string(s) + ".note"), slices.Contains(view.Form.Values["scope"], string(s)),
		})
	}
	c.page(w, r, status, "tokens", view)
}

// newToken reads the form of a new token. What is wrong stands at its field.
func (c *Console) newToken(r *http.Request, v visit, f *form) (center.Token, error) {
	now := wim.TimeOf(c.now())
	t := center.Token{Name: f.Get("name"), Login: v.officer.Login, Created: now}
	if t.Name == "" {
		f.Fail("name", "problem.token-name.missing")
	} else if len(t.Name) > center.MaxWord {
		f.Fail("name", "problem.too-long")
	} else if err := checkWord("name", t.Name); err != nil {
		f.Take(err)
	}
	days, err := strconv.Atoi(f.Get("days"))
	if err != nil || !slices.Contains(tokenTerms(), days) {
		f.Fail("days", "problem.days.outside")
	}
	t.Expires = now.Add(time.Duration(days) * 24 * time.Hour)
	o := v.officer
	if login := f.Get("officer"); login != "" && login != o.Login {
		if v.officer.Role != center.Administrator {
			return t, center.ErrNotYours
		}
		other, err := c.subordinate(r.Context(), v, login)
		switch {
		case errors.Is(err, center.ErrNotFound) || err == nil && other.Disabled:
			f.Fail("officer", "problem.officer.outside")
			return t, nil
		case err != nil:
			return t, err
		}
		o, t.Login = other, other.Login
	}
	for _, s := range f.Values["scope"] {
		scope := center.Scope(s)
		if !slices.Contains(scopesOf(o.Role), scope) {
			f.Fail("scope", "problem.scope.outside", v.words.Or("role", string(o.Role)))
		} else if !slices.Contains(t.Scopes, scope) {
			t.Scopes = append(t.Scopes, scope)
		}
	}
	if len(f.Values["scope"]) == 0 {
		f.Fail("scope", "problem.scope.missing")
	}
	return t, nil
}

// addToken answers POST /tokens. The secret is shown on the page that answers, and never again.
func (c *Console) addToken(w http.ResponseWriter, r *http.Request, v visit) {
	f, err := readForm(w, r, v.words)
	if err != nil {
		c.fail(w, r, http.StatusBadRequest, nil)
		return
	}
	t, err := c.newToken(r, v, f)
	if err != nil {
		c.wrong(w, r, err)
		return
	}
	if f.Bad() {
		c.showTokens(w, r, v, http.StatusUnprocessableEntity, &tokensView{Form: f})
		return
	}
	var random [32]byte
	rand.Read(random[:]) // never fails since Go 1.24
	secret := center.TokenSecret(random)
	digest, err := center.SecretDigest(secret)
	if err == nil {
		t, err = c.cfg.Store.PutToken(r.Context(), v.officer.Login, t, digest)
	}
	if err != nil {
		c.wrong(w, r, fmt.Errorf("put token: %w", err))
		return
	}
	c.log.InfoContext(r.Context(), "token made", "token", t.ID, "for", t.Login, "login", v.officer.Login)
	c.showTokens(w, r, v, http.StatusOK, &tokensView{Form: blankToken(v), Once: &once{
		Heading: v.words.T("once.token", t.Name), Note: v.words.T("once.token.note"), Secret: secret,
	}})
}

// revokeToken answers POST /tokens/revoke.
func (c *Console) revokeToken(w http.ResponseWriter, r *http.Request, v visit) {
	f, err := readForm(w, r, v.words)
	if err != nil {
		c.fail(w, r, http.StatusBadRequest, nil)
		return
	}
	id, err := strconv.ParseInt(f.Get("id"), 10, 64)
	if err != nil {
		c.fail(w, r, http.StatusBadRequest, nil)
		return
	}
	if err := c.cfg.Store.RevokeToken(r.Context(), v.viewer(), id); err != nil {
		c.wrong(w, r, fmt.Errorf("revoke token %d: %w", id, err))
		return
	}
	c.flash(w, "token.revoked")
	http.Redirect(w, r, "/tokens", http.StatusSeeOther)
}
