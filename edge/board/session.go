package board

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/axlegate/axlegate/internal/web"
)

// A session ends after a shift, so that what is keyed bears the name of who sits there.
const (
	idleTime     = 8 * time.Hour
	lifeTime     = 12 * time.Hour
	sessionLogin = "login"
)

// newSessions keeps sessions in memory: one site, a few people.
func newSessions(secure bool) *scs.SessionManager {
	m := scs.New()
	m.IdleTimeout, m.Lifetime = idleTime, lifeTime
	m.HashTokenInStore = true
	m.Cookie.Name, m.Cookie.Secure = "axlegate_site", secure
	if secure {
		m.Cookie.Name = "__Host-axlegate-site"
	}
	m.Cookie.HttpOnly, m.Cookie.SameSite, m.Cookie.Path = true, http.SameSiteLaxMode, "/"
	return m
}

// visit is one request of somebody who is signed in.
type visit struct {
	person Person
	words  *web.Words
}

// who is signed in with a request; ok is false for nobody.
func (b *Board) who(r *http.Request) (Person, bool) {
	k, err := r.Cookie(b.sessions.Cookie.Name)
	if err != nil {
		return Person{}, false
	}
	ctx, err := b.sessions.Load(r.Context(), k.Value)
	if err != nil {
		return Person{}, false
	}
	p, ok := b.staff[b.sessions.GetString(ctx, sessionLogin)]
	return p, ok
}

// signed lets only staff through. Pages lead to the sign-in; what a script fetches answers 401.
func (b *Board) signed(next func(http.ResponseWriter, *http.Request, visit)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p, ok := b.who(r)
		switch {
		case ok:
			next(w, r, visit{person: p, words: b.wordsOf(r)})
		case r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), "text/html"):
			http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
		default:
			b.fail(w, r, http.StatusUnauthorized, nil)
		}
	}
}

func (b *Board) signInPage(w http.ResponseWriter, r *http.Request) {
	if _, ok := b.who(r); ok {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	b.signInAnswer(w, r, http.StatusOK, "", "")
}

func (b *Board) signInAnswer(w http.ResponseWriter, r *http.Request, status int, login, notice string) {
	words := b.wordsOf(r)
	b.page(w, r, status, "sign-in", web.SignIn{
		Shell: b.shell(r, words.T("sign-in.title")+" · "+b.title(words)), Title: b.title(words), Note: b.cfg.Road, Login: login, Notice: notice,
	})
}

func (b *Board) signIn(w http.ResponseWriter, r *http.Request) {
	words := b.wordsOf(r)
	r.Body = http.MaxBytesReader(w, r.Body, 8<<10)
	if err := r.ParseForm(); err != nil {
		b.signInAnswer(w, r, http.StatusBadRequest, "", words.T("sign-in.wrong"))
		return
	}
	login, password := strings.TrimSpace(r.PostForm.Get("login")), r.PostForm.Get("password")
	try, wait := b.door.Begin(b.now(), r.RemoteAddr, login)
	if wait > 0 {
		b.log.WarnContext(r.Context(), "sign-in refused: too many wrong attempts", "remote", r.RemoteAddr, "login", login)
		seconds := int(math.Ceil(wait.Seconds()))
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
		b.signInAnswer(w, r, http.StatusTooManyRequests, login, words.T("sign-in.limited", seconds))
		return
	}
	right, err := b.door.Check(r.Context(), b.staff[login].Hash, password)
	switch {
	case err != nil:
		try.Forgive()
		b.fail(w, r, http.StatusInternalServerError, fmt.Errorf("sign in %q: %w", login, err))
		return
	case !right:
		b.log.WarnContext(r.Context(), "sign-in failed", "remote", r.RemoteAddr, "login", login)
		b.signInAnswer(w, r, http.StatusUnauthorized, login, words.T("sign-in.wrong"))
		return
	}
	try.Forgive()
	ctx, err := b.sessions.Load(r.Context(), "") // a new token, whatever the browser came with
	if err == nil {
		b.sessions.Put(ctx, sessionLogin, login)
		var token string
		var expiry time.Time
		if token, expiry, err = b.sessions.Commit(ctx); err == nil {
			b.cookie(w, func() { b.sessions.WriteSessionCookie(ctx, w, token, expiry) })
		}
	}
	if err != nil {
		b.fail(w, r, http.StatusInternalServerError, fmt.Errorf("session: %w", err))
		return
	}
	b.log.InfoContext(r.Context(), "signed in", "login", login, "remote", r.RemoteAddr)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// cookie keeps the strict Cache-Control that every answer has: the session cookie would add its own.
func (b *Board) cookie(w http.ResponseWriter, write func()) {
	cache := w.Header().Get("Cache-Control")
	write()
	w.Header().Set("Cache-Control", cache)
}

func (b *Board) signOut(w http.ResponseWriter, r *http.Request) {
	if k, err := r.Cookie(b.sessions.Cookie.Name); err == nil {
		ctx, err := b.sessions.Load(r.Context(), k.Value)
		if err == nil {
			err = b.sessions.Destroy(ctx)
		}
		if err != nil {
			b.fail(w, r, http.StatusInternalServerError, fmt.Errorf("sign out: %w", err))
			return
		}
		b.cookie(w, func() { b.sessions.WriteSessionCookie(ctx, w, "", time.Time{}) })
	}
	http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
}
