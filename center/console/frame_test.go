package console

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

func TestEachRoleIsLedToItsOwnWorkAndRefusedTheOthers(t *testing.T) {
	s := newStand(t)
	s.store.put(center.Officer{Login: "auditor", Role: center.Auditor, Region: "51", Hash: cheapHash(password)})
	s.store.put(center.Officer{Login: "admin", Role: center.Administrator, Hash: cheapHash(password)})
	for login, first := range map[string]string{"auditor": "/matters", "admin": "/sites"} {
		b := s.as(login)
		if a := b.get("/").wants(http.StatusSeeOther); a.header.Get("Location") != first {
			t.Errorf("%s begins at %q, want %q", login, a.header.Get("Location"), first)
		}
		a := b.get("/alerts/1").wants(http.StatusForbidden)
		a.says("h1", "Not for you")
	}
	a := s.as("road").get("/").wants(http.StatusOK)
	var names []string
	for _, n := range a.all(".nav a") {
		names = append(names, textOf(n))
	}
	if want := []string{"Live alerts", "Matters", "Gaps", "Account"}; !slices.Equal(names, want) {
		t.Errorf("an enforcer's ways: %q, want %q", names, want)
	}
	a.says(".nav [aria-current=page]", "Live alerts")
}

func TestWhoHasToChangeThePasswordIsLedThereFromEverywhere(t *testing.T) {
	s := newStand(t)
	s.store.put(center.Officer{
		Login: "new", Role: center.Enforcer, Competence: wim.RoadAdministration, Hash: cheapHash(password), MustChange: true,
	})
	b := s.as("new")
	if a := b.get("/alerts/1").wants(http.StatusSeeOther); a.header.Get("Location") != "/account" {
		t.Errorf("leads to %q", a.header.Get("Location"))
	}
	b.post("/alerts/1/acknowledge", nil).wants(http.StatusForbidden)
}

func TestADisabledOfficerIsSignedOutAtTheNextRequestAndStaysOut(t *testing.T) {
	s := newStand(t)
	b := s.as("road")
	b.get("/").wants(http.StatusOK)
	o, err := s.store.Officer(t.Context(), "road")
	if err != nil {
		t.Fatal(err)
	}
	o.Disabled = true
	s.store.put(o)
	b.get("/").wants(http.StatusSeeOther)
	a := s.browser().post("/sign-in", map[string][]string{"login": {"road"}, "password": {password}})
	a.wants(http.StatusUnauthorized)
}

func TestAFlashSaysOnlyTextsOfOurs(t *testing.T) {
	s := newStand(t)
	b := s.as("road")
	r := b.request(http.MethodGet, "/", nil)
	r.AddCookie(&http.Cookie{Name: flashCookie, Value: "<b>you have won</b>"})
	if a := b.do(r); len(a.all(".flash")) != 0 || strings.Contains(a.body, "you have won") {
		t.Error("a cookie speaks in the centre's name")
	}
}
