package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/internal/stand"
	"github.com/axlegate/axlegate/wim"
)

// A site that the centre's configuration gives no key enrols its first with a code that an administrator made, loses
// it, and enrols another: it goes on in a new chain, the old key signs nothing any more, and the centre holds both.
func TestASiteEnrolsItsKeyLosesItAndEnrolsAnother(t *testing.T) {
	t.Parallel()
	bin := binaries(t)
	r := newRun(t, stand.Config{}, 12)
	north := r.stand.Sites[0]
	key, pin := filepath.Join(r.stand.Dir, "north-1.pem"), filepath.Join(r.stand.Dir, "center.pem.pub")
	forget(t, r.stand.Center, "keys: [north-1.pem.pub]", "keys: []")
	for _, f := range []string{key, key + ".pub", pin} {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
	centre := start(t, bin, "axlegate-center", r.stand.Center)
	until(t, "the centre", time.Minute, func() (bool, string) {
		_, err := get(t, "http://"+r.stand.Metrics+"/readyz")
		return err == nil, fmt.Sprint(err)
	})
	admin := r.signIn(t, center.Administrator)
	enrol := func(code string) (string, error) {
		out, err := exec.CommandContext(t.Context(), filepath.Join(bin, "axlegate"), "enrol", "--center", "http://"+r.stand.Web, "--site", "north-1",
			"--code", code, "--key", key, "--pin", pin).CombinedOutput()
		return string(out), err
	}
	if out, err := enrol("0000-0000-0000"); err == nil || !strings.Contains(out, "does not hold") {
		t.Fatalf("enrolled with a code that nobody made: %v\n%s", err, out)
	}
	if out, err := enrol(r.makeCode(t, admin, "north-1", false)); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if _, err := os.Stat(pin); err != nil {
		t.Error(err)
	}
	edges := r.sites(t, bin)
	r.passed(t, north, 4)
	receipted(t, north)
	r.proxy.Cut() // what passes from here on has no receipt when the key is lost
	r.passed(t, north, 7)
	edges[0].kill(t)

	for _, f := range []string{key, key + ".pub"} {
		if err := os.Remove(f); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	if out, err := enrol(r.makeCode(t, admin, "north-1", true)); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	r.proxy.Heal()
	edges[0] = start(t, bin, "axlegate-edge", north.Edge)
	until(t, "receipts for what the lost key left", time.Minute, func() (bool, string) {
		rep, err := journal.Audit(t.Context(), north.Journal, nil)
		return err == nil && len(rep.Chains) == 2 && rep.Chains[0].Receipted == rep.Chains[0].Head, fmt.Sprint(rep, err)
	})
	r.finish(t, edges)
	centre.stop(t)
	var last *wim.ChainStart
	rep, err := journal.Audit(t.Context(), north.Journal, func(rec *wim.Record, _ []byte) error {
		if rec.Start != nil {
			last = rec.Start
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(rep.Chains) != 2 || last.Cause != "key-lost" || last.Predecessor == nil || *last.Predecessor != rep.Chains[0].Chain {
		t.Errorf("chains %+v, the last begins %+v", rep.Chains, last)
	}
	held := heads(t, r.stand.Store)
	for _, c := range rep.Chains {
		if c.Err != nil || c.Receipted != c.Head {
			t.Errorf("chain %s: head %d, receipted %d, %v; the centre has %v", c.Chain, c.Head, c.Receipted, c.Err, held)
		}
	}
}

// forget replaces a text that must be there.
func forget(t *testing.T, path, old, with string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(b, []byte(old)) {
		t.Fatalf("%s does not say %q", path, old)
	}
	if err := os.WriteFile(path, bytes.Replace(b, []byte(old), []byte(with), 1), 0o600); err != nil {
		t.Fatal(err)
	}
}

// signIn signs an officer of a role in.
func (r *run) signIn(t *testing.T, role center.Role) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar, Timeout: 20 * time.Second}
	for _, o := range r.stand.Officers {
		if o.Role == role {
			if page := r.post(t, c, "/sign-in", url.Values{"login": {o.Login}, "password": {o.Password}}); page == "" {
				t.Fatalf("%s cannot sign in", o.Login)
			}
			return c
		}
	}
	t.Fatalf("nobody is %s", role)
	return nil
}

// post sends a form as a page would and returns the page that answers.
func (r *run) post(t *testing.T, c *http.Client, path string, form url.Values) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+r.stand.Web+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	page := readAll(t, resp)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s\n%.1000s", path, resp.Status, page)
	}
	return page
}

// makeCode has an administrator make an enrolment code on a site's page.
func (r *run) makeCode(t *testing.T, admin *http.Client, site string, lost bool) string {
	t.Helper()
	form := url.Values{}
	if lost {
		form.Set("lost", "1")
	}
	page := r.post(t, admin, "/sites/"+site+"/code", form)
	code := regexp.MustCompile(`[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}`).FindString(page)
	if code == "" {
		t.Fatalf("no code on the page:\n%.2000s", page)
	}
	return code
}
