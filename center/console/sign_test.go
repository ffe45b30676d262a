package console

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

func TestAHashedPasswordIsVerifiedAndNoOther(t *testing.T) {
	stored, err := HashPassword("correct horse 电池")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(stored, "$argon2id$v=19$m=65536,t=3,p=4$") {
		t.Errorf("form %q", stored)
	}
	k := newChecker()
	for _, c := range []struct {
		name, stored, password string
		want                   bool
	}{
		{"the right password", stored, "correct horse 电池", true},
		{"the right password from a file with a line's end", stored + "\n", "correct horse 电池", true},
		{"another password", stored, "correct horse 电", false},
		{"an empty password", stored, "", false},
		{"an officer that does not exist", "", "correct horse 电池", false},
		{"a password beyond the limit", stored, strings.Repeat("x", passwordMax+1), false},
	} {
		if got, err := k.check(t.Context(), c.stored, c.password); got != c.want || err != nil {
			t.Errorf("%s: %v, %v, want %v", c.name, got, err, c.want)
		}
	}
	if ok, err := k.check(t.Context(), "plain text", "plain text"); ok || err == nil {
		t.Error("a stored password in the clear was taken for a hash")
	}
}

func TestAPasswordThatIsTooShortOrTooLongIsRefused(t *testing.T) {
	for _, p := range []string{"", "short", "七个字的密码呀", strings.Repeat("x", passwordMax+1)} {
		if _, err := HashPassword(p); err == nil {
			t.Errorf("%d bytes were accepted", len(p))
		}
	}
}

func TestAHashSurvivesItsTextForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := hash{
			threads: uint8(rapid.IntRange(1, 8).Draw(t, "p")), time: uint32(rapid.IntRange(1, 16).Draw(t, "t")),
			salt: rapid.SliceOfN(rapid.Byte(), 8, 64).Draw(t, "salt"), key: rapid.SliceOfN(rapid.Byte(), 16, 64).Draw(t, "key"),
		}
		h.memory = uint32(h.threads) * uint32(rapid.IntRange(8, 100).Draw(t, "m"))
		back, err := parseHash(h.String())
		if err != nil || back.String() != h.String() {
			t.Fatalf("%s came back as %s, %v", h.String(), back.String(), err)
		}
	})
}

func FuzzParseHash(f *testing.F) {
	f.Add(cheapHash("password"))
	f.Add("$argon2id$v=19$m=4294967295,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA")
	f.Add("$argon2i$v=19$m=64,t=1,p=1$$")
	f.Fuzz(func(t *testing.T, s string) {
		h, err := parseHash(s)
		if err == nil && (h.memory > hashMemoryMax || h.time > hashTimeMax || h.time == 0 || h.threads == 0) {
			t.Errorf("%q asks for too much", s)
		}
	})
}

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
	for range loginBurst {
		b.post("/sign-in", form).wants(http.StatusUnauthorized)
	}
	a := b.post("/sign-in", url.Values{"login": {"road"}, "password": {password}}).wants(http.StatusTooManyRequests)
	if a.header.Get("Retry-After") == "" {
		t.Error("it is not said when to come back")
	}
	a.says(".notice", "Try again in")
	// Another login from the same address is not touched, until the address has its own limit.
	b.post("/sign-in", url.Values{"login": {"police"}, "password": {password}}).wants(http.StatusSeeOther)
	now = now.Add(loginEvery)
	b.post("/sign-in", url.Values{"login": {"road"}, "password": {password}}).wants(http.StatusSeeOther)
}

func TestOneAddressCannotTryManyLogins(t *testing.T) {
	d := newDoor()
	now := time.Now()
	through := 0
	for i := range 4 * addressBurst {
		if _, wait := d.begin(now, fmt.Sprintf("[2001:db8:1:2::%x]:4711", i), fmt.Sprint("login ", i)); wait == 0 {
			through++
		}
	}
	if through > addressBurst {
		t.Errorf("%d attempts of one network were let through at one instant, want at most %d", through, addressBurst)
	}
}

func TestRightPasswordsAreNeverHeldUp(t *testing.T) {
	d := newDoor()
	now := time.Now()
	for i := range 10 * addressBurst {
		try, wait := d.begin(now, "192.0.2.7:1", "road")
		if wait != 0 {
			t.Fatalf("attempt %d is held up", i)
		}
		try.forgive()
	}
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
