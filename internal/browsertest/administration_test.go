package browsertest

import (
	"strings"
	"testing"

	"github.com/axlegate/axlegate/center"
)

func TestAnAdministratorAddsAnOfficerWhoMustChangeThePassword(t *testing.T) {
	c := newCentre(t)
	b := newBrowser(t, c.url)
	admin := b.window("admin").sign("admin", password)
	admin.goTo("/officers")
	admin.fill("#f-login", "chen.jing")
	admin.fill("#f-name", "陈静 <script>")
	admin.choose("#f-role", "enforcer")
	admin.choose("#f-region", "51/5101")
	admin.press("form[action='/officers'] button")
	admin.sees("#f-competence-problem", "belongs to an authority")
	admin.wait("what was typed", `document.getElementById("f-name").value === "陈静 <script>"`)
	admin.accessible()
	admin.choose("#f-competence", "traffic-police")
	admin.press("form[action='/officers'] button")
	admin.sees("tr[data-officer='chen.jing']", "password to be changed")
	secret := admin.value(`document.getElementById("once-secret").innerText`)
	admin.accessible()

	w := b.window("chen").sign("chen.jing", secret)
	w.wait("being led to the password", `location.pathname === "/account"`)
	w.goTo("/matters")
	w.wait("being led there again", `location.pathname === "/account"`)
	w.accessible()
	w.fill("#f-old", secret)
	w.fill("#f-new", "Password2026!!")
	w.fill("#f-again", "Password2026!!")
	w.press("form[action='/account/password'] button")
	w.sees("#f-new-problem", "easily guessed")
	w.wait("no password in the page", `document.getElementById("f-old").value === ""`)
	const own = "seven herons over cold slate"
	w.fill("#f-old", secret)
	w.fill("#f-new", own)
	w.fill("#f-again", own)
	w.press("form[action='/account/password'] button")
	w.sees(".flash", "The password is changed")
	w.goTo("/")
	w.wait("the own board", `document.querySelector(".board h1") !== null`)

	// Disabled, the officer's open page says so by itself.
	w.live()
	admin.press("tr[data-officer='chen.jing'] button[value=disable]")
	admin.sees(".flash", "signed out")
	c.passes(1) // at the next event at the latest
	w.wait("the end of the session", `location.pathname === "/sign-in" || document.getElementById("live").dataset.state === "ended"`)

	o, err := c.store.Officer(t.Context(), "chen.jing")
	if err != nil || !o.Disabled || o.MustChange || o.Region != "51/5101" {
		t.Errorf("officer %+v, %v", o, err)
	}
	lines, err := c.store.Trail(t.Context(), viewer("audit"), center.TrailQuery{Subject: "chen.jing", Limit: 100})
	if err != nil || len(lines) != 3 {
		t.Errorf("%d lines in the trail, %v", len(lines), err)
	}
	for _, l := range lines {
		if strings.Contains(l.Detail, secret) || strings.Contains(l.Detail, "argon2") {
			t.Errorf("the trail tells a secret: %s", l.Detail)
		}
	}
}

func TestATokenIsMadeShownOnceUsedAndRevoked(t *testing.T) {
	c := newCentre(t)
	b := newBrowser(t, c.url)
	w := b.window("road").sign("road", password)
	w.goTo("/tokens")
	w.fill("#f-name", "case system")
	w.press("input[name=scope][value='matters:read']")
	w.press("form[action='/tokens'] button")
	w.there("#once-secret")
	digest, err := center.SecretDigest(w.value(`document.getElementById("once-secret").innerText`))
	if err != nil {
		t.Fatal(err)
	}
	if k, o, err := c.store.TokenOf(t.Context(), digest); err != nil || o.Login != "road" || !k.Has(center.ScopeMattersRead) || k.Has(center.ScopeMattersAct) {
		t.Errorf("token %+v of %s: %v", k, o.Login, err)
	}
	w.press("form[action='/tokens/revoke'] button")
	w.sees(".flash", "revoked")
	if _, _, err := c.store.TokenOf(t.Context(), digest); err == nil {
		t.Error("a revoked token is good")
	}
	w.wait("no secret any more", `document.getElementById("once-secret") === null`)
}

// A site's trouble appears on its page by itself, and an administrator clears it.
func TestASitesAlarmArrivesByItselfAndIsLookedInto(t *testing.T) {
	c := newCentre(t)
	b := newBrowser(t, c.url)
	admin := b.window("admin").sign("admin", password)
	admin.wait("the sites", `location.pathname === "/sites"`)
	admin.live()
	admin.stay()
	if err := c.in.HandleMessage(t.Context(), site, []byte("nothing that a site would send")); err != nil {
		t.Fatal(err)
	}
	c.passes(1) // an event, so that nobody waits for a heartbeat
	admin.wait("the alarm in the list", `document.querySelector("tr[data-site='`+site+`'] .health").innerText.includes("alarms")`)
	admin.stayed()
	admin.press("tr[data-site='" + site + "'] a")
	admin.there("li[data-kind=quarantine]")
	admin.accessible()
	admin.press("form[action$='/looked-into'] button")
	admin.sees(".flash", "looked into")
	admin.wait("no alarm", `document.querySelector(".alarm") === null`)
}
