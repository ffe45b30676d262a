package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/internal/signin"
	"github.com/axlegate/axlegate/wim"
)

func TestWrongUserAndWrongPasswordAnswerAlike(t *testing.T) {
	s := newStand(t)
	b := s.browser()
	wrong := b.post("/sign-in", url.Values{"login": {"road"}, "password": {"not this one"}}).wants(http.StatusUnauthorized)
	nobody := b.post("/sign-in", url.Values{"login": {"roaf"}, "password": {"not this one"}}).wants(http.StatusUnauthorized)
	if strings.ReplaceAll(wrong.body, "road", "roaf") != nobody.body {
		t.Error("the answers tell which logins exist")
	}
}

func TestTooManyWrongPasswordsAreHeldUp(t *testing.T) {
	s := newStand(t)
	now := time.Now()
	s.console.now = func() time.Time { return now }
	b := s.browser()
	form := url.Values{"login": {"road"}, "password": {"not this one"}}
	for range signin.LoginBurst {
		b.post("/sign-in", form).wants(http.StatusUnauthorized)
	}
	a := b.post("/sign-in", url.Values{"login": {"road"}, "password": {password}}).wants(http.StatusTooManyRequests)
	if a.header.Get("Retry-After") == "" {
		t.Error("it is not said when to come back")
	}
	a.says(".notice", "Try again in")
	// Another login from the same address is not touched, until the address has its own limit.
	b.post("/sign-in", url.Values{"login": {"police"}, "password": {password}}).wants(http.StatusSeeOther)
	now = now.Add(signin.LoginEvery)
	b.post("/sign-in", url.Values{"login": {"road"}, "password": {password}}).wants(http.StatusSeeOther)
}

func sessionCookie(t *testing.T, b *browser) string {
	t.Helper()
	u, err := url.Parse(b.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range b.http.Jar.Cookies(u) {
		if c.Name == "axlegate" {
			return c.Value
		}
	}
	return ""
}

func TestSigningInChangesTheToken(t *testing.T) {
	s := newStand(t)
	mallory := s.as("police")
	planted := sessionCookie(t, mallory)
	victim := s.browser()
	u, err := url.Parse(s.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	victim.http.Jar.SetCookies(u, []*http.Cookie{{Name: "axlegate", Value: planted, Path: "/"}})
	victim.post("/sign-in", url.Values{"login": {"road"}, "password": {password}}).wants(http.StatusSeeOther)
	if got := sessionCookie(t, victim); got == planted || got == "" {
		t.Fatal("the token that was planted is in use")
	}
	victim.get("/").says("h1", "Road Administration")
	mallory.get("/").wants(http.StatusSeeOther) // the planted session is gone
}

func TestASessionCookieIsKeptFromScriptsAndOtherSites(t *testing.T) {
	s := newStand(t)
	a := s.browser().post("/sign-in", url.Values{"login": {"road"}, "password": {password}})
	c := a.header.Get("Set-Cookie")
	if !strings.Contains(c, "HttpOnly") || !strings.Contains(c, "SameSite=Lax") || strings.Contains(c, "Secure") {
		t.Errorf("cookie %q", c)
	}
	if m := newSessions(nil, true); !m.Cookie.Secure || !strings.HasPrefix(m.Cookie.Name, "__Host-") {
		t.Error("over TLS the cookie is not kept from plain HTTP")
	}
}

func TestSigningOutEndsTheSessionAtTheServer(t *testing.T) {
	s := newStand(t)
	b := s.as("road")
	token := sessionCookie(t, b)
	b.post("/sign-out", nil).wants(http.StatusSeeOther)
	if sessionCookie(t, b) != "" {
		t.Error("the cookie is kept")
	}
	if _, _, err := s.console.officer(t.Context(), token); err == nil {
		t.Error("the token still signs in")
	}
}

func TestANewPasswordEndsOpenSessions(t *testing.T) {
	s := newStand(t)
	b := s.as("road")
	b.get("/session").wants(http.StatusNoContent)
	s.store.put(center.Officer{Login: "road", Role: center.Enforcer, Competence: wim.RoadAdministration, Hash: cheapHash("another password")})
	b.get("/").wants(http.StatusSeeOther)
}
