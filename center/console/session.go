package console

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/internal/web"
)

// A session ends after a shift without use and in any case after a day, so that what is acknowledged bears
// the name of who sits there.
const (
	idleTime     = 12 * time.Hour
	lifeTime     = 24 * time.Hour
	touchAfter   = 10 * time.Minute // how old the last use may be before it is written again
	sessionLogin = "login"
	sessionMark  = "mark"
	sessionUsed  = "used"
)

func newSessions(store scs.Store, secure bool) *scs.SessionManager {
	m := scs.New()
	m.Store = store
	m.IdleTimeout, m.Lifetime = idleTime, lifeTime
	m.HashTokenInStore = true // a copy of the store signs nobody in
	m.Cookie.Name, m.Cookie.Secure = "axlegate", secure
	if secure {
		m.Cookie.Name = "__Host-axlegate"
	}
	m.Cookie.HttpOnly, m.Cookie.SameSite, m.Cookie.Path = true, http.SameSiteLaxMode, "/"
	return m
}

// visit is one request of a signed-in officer.
type visit struct {
	officer center.Officer
	words   *web.Words
	token   string
}

// errSignedOut says that a session is not, or no longer, good.
var errSignedOut = errors.New("signed out")

// mark ties a session to the password it was opened with, so that a new password ends it.
func mark(o center.Officer) string {
	sum := sha256.Sum256([]byte(o.Hash))
	return hex.EncodeToString(sum[:8])
}

func (c *Console) token(r *http.Request) string {
	k, err := r.Cookie(c.sessions.Cookie.Name)
	if err != nil {
		return ""
	}
	return k.Value
}

// officer asks the store again who a session belongs to and which authority that officer is of now. The
// context must not carry session data. It returns the session's context for who wants to change it.
func (c *Console) officer(ctx context.Context, token string) (center.Officer, context.Context, error) {
	if token == "" {
		return center.Officer{}, nil, errSignedOut
	}
	sctx, err := c.sessions.Load(ctx, token)
	if err != nil {
		return center.Officer{}, nil, fmt.Errorf("session: %w", err)
	}
	login := c.sessions.GetString(sctx, sessionLogin)
	if login == "" {
		return center.Officer{}, nil, errSignedOut
	}
	o, err := c.cfg.Store.Officer(ctx, login)
	switch {
	case errors.Is(err, center.ErrNotFound):
		return center.Officer{}, nil, errSignedOut
	case err != nil:
		return center.Officer{}, nil, fmt.Errorf("officer: %w", err)
	case o.Disabled, mark(o) != c.sessions.GetString(sctx, sessionMark):
		return center.Officer{}, nil, errSignedOut
	}
	return o, sctx, nil
}

// signed lets only signed-in officers through. Pages lead to the sign-in; what a script fetches answers 401.
func (c *Console) signed(next func(http.ResponseWriter, *http.Request, visit)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token := c.token(r)
		o, sctx, err := c.officer(r.Context(), token)
		switch {
		case errors.Is(err, errSignedOut):
			if asksForPage(r) {
				http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
				return
			}
			c.fail(w, r, http.StatusUnauthorized, nil)
			return
		case err != nil:
			c.fail(w, r, http.StatusInternalServerError, err)
			return
		}
		if err := c.touch(sctx, w); err != nil {
			c.fail(w, r, http.StatusInternalServerError, err)
			return
		}
		next(w, r, visit{officer: o, words: c.wordsOf(r), token: token})
	}
}

// touch moves the idle limit on. It writes at most every ten minutes: a board fetches all day long.
func (c *Console) touch(sctx context.Context, w http.ResponseWriter) error {
	now := time.Now() // the session store counts by the system's clock, so this does too
	if now.Sub(time.Unix(c.sessions.GetInt64(sctx, sessionUsed), 0)) < touchAfter {
		return nil
	}
	c.sessions.Put(sctx, sessionUsed, now.Unix())
	return c.keep(sctx, w)
}

func (c *Console) keep(sctx context.Context, w http.ResponseWriter) error {
	token, expiry, err := c.sessions.Commit(sctx)
	if err != nil {
		return fmt.Errorf("session: %w", err)
	}
	// WriteSessionCookie adds its own Cache-Control beside the stricter one that every answer has.
	cache := w.Header().Get("Cache-Control")
	c.sessions.WriteSessionCookie(sctx, w, token, expiry)
	w.Header().Set("Cache-Control", cache)
	return nil
}

func (c *Console) wordsOf(r *http.Request) *web.Words { return c.words[c.chooser.Language(r)] }

func (c *Console) shell(r *http.Request, title string) *web.Shell {
	w := c.wordsOf(r)
	return &web.Shell{Title: title, Words: w, Theme: web.ThemeOf(r), Assets: c.assets, Back: web.LocalPath(r.URL.Path)}
}

func (c *Console) signInPage(w http.ResponseWriter, r *http.Request) {
	if _, _, err := c.officer(r.Context(), c.token(r)); err == nil {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	c.signInAnswer(w, r, http.StatusOK, "", "")
}

func (c *Console) signInAnswer(w http.ResponseWriter, r *http.Request, status int, login, notice string) {
	words := c.wordsOf(r)
	c.page(w, r, status, "sign-in", web.SignIn{
		Shell: c.shell(r, words.T("sign-in.title")+" · "+c.title(words)), Title: c.title(words), Note: words.T("sign-in.note"), Login: login, Notice: notice,
	})
}

func (c *Console) signIn(w http.ResponseWriter, r *http.Request) {
	words := c.wordsOf(r)
	r.Body = http.MaxBytesReader(w, r.Body, 8<<10)
	if err := r.ParseForm(); err != nil {
		c.signInAnswer(w, r, http.StatusBadRequest, "", words.T("sign-in.wrong"))
		return
	}
	login, password := strings.TrimSpace(r.PostForm.Get("login")), r.PostForm.Get("password")
	try, wait := c.door.Begin(c.now(), r.RemoteAddr, login)
	if wait > 0 {
		c.log.WarnContext(r.Context(), "sign-in refused: too many wrong attempts", "remote", r.RemoteAddr, "login", login)
		c.m.signIn(signInLimited)
		seconds := int(math.Ceil(wait.Seconds()))
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
		c.signInAnswer(w, r, http.StatusTooManyRequests, login, words.T("sign-in.limited", seconds))
		return
	}
	o, err := c.verify(r.Context(), login, password)
	switch {
	case errors.Is(err, errSignedOut):
		c.m.signIn(signInWrong)
		c.log.WarnContext(r.Context(), "sign-in failed", "remote", r.RemoteAddr, "login", login)
		c.signInAnswer(w, r, http.StatusUnauthorized, login, words.T("sign-in.wrong"))
		return
	case err != nil:
		try.Forgive()
		c.fail(w, r, http.StatusInternalServerError, err)
		return
	}
	try.Forgive()
	if err := c.open(w, r, o); err != nil {
		c.fail(w, r, http.StatusInternalServerError, err)
		return
	}
	c.m.signIn(signInRight)
	c.log.InfoContext(r.Context(), "signed in", "login", o.Login, "competence", o.Competence, "remote", r.RemoteAddr)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// verify returns the officer whose password it is, or errSignedOut after the same work.
func (c *Console) verify(ctx context.Context, login, password string) (center.Officer, error) {
	o, err := c.cfg.Store.Officer(ctx, login)
	if err != nil && !errors.Is(err, center.ErrNotFound) {
		return o, fmt.Errorf("officer: %w", err)
	}
	stored := o.Hash
	if err != nil || o.Disabled {
		stored = ""
	}
	ok, err := c.door.Check(ctx, stored, password)
	switch {
	case err != nil:
		return o, fmt.Errorf("officer %q: %w", login, err)
	case !ok:
		return o, errSignedOut
	}
	return o, nil
}

// open begins a session under a new token, whatever token the browser came with.
func (c *Console) open(w http.ResponseWriter, r *http.Request, o center.Officer) error {
	sctx, err := c.sessions.Load(r.Context(), c.token(r))
	if err != nil {
		return fmt.Errorf("session: %w", err)
	}
	if err := c.sessions.Clear(sctx); err != nil {
		return fmt.Errorf("session: %w", err)
	}
	if err := c.sessions.RenewToken(sctx); err != nil {
		return fmt.Errorf("session: %w", err)
	}
	c.sessions.Put(sctx, sessionLogin, o.Login)
	c.sessions.Put(sctx, sessionMark, mark(o))
	c.sessions.Put(sctx, sessionUsed, time.Now().Unix())
	return c.keep(sctx, w)
}

func (c *Console) signOut(w http.ResponseWriter, r *http.Request) {
	sctx, err := c.sessions.Load(r.Context(), c.token(r))
	if err == nil {
		err = c.sessions.Destroy(sctx)
	}
	if err != nil {
		c.fail(w, r, http.StatusInternalServerError, fmt.Errorf("sign out: %w", err))
		return
	}
	c.sessions.WriteSessionCookie(sctx, w, "", time.Time{})
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
}

// session answers 204 while the visitor is signed in; a page asks after its stream was refused.
func (c *Console) session(w http.ResponseWriter, _ *http.Request, _ visit) {
	w.WriteHeader(http.StatusNoContent)
}
