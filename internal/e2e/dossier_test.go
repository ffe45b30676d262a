package e2e

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/center/dossier"
	"github.com/axlegate/axlegate/wim/seal"
)

// checkDossiers exports the dossiers of the newest matters as the road administration's officer and verifies them under
// the keys that the stand began with. It returns what they prove, by code.
func (r *run) checkDossiers(t *testing.T, siteKeys ...string) (proven []string) {
	t.Helper()
	key := func(name string) *seal.Verifier {
		k, err := seal.ReadVerifier(filepath.Join(r.stand.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	trust := dossier.Trust{CenterKeys: []*seal.Verifier{key("center.pem.pub")}}
	for _, name := range siteKeys {
		trust.SiteKeys = append(trust.SiteKeys, key(name))
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar, Timeout: 20 * time.Second}
	ask := func(method, path, form string) (string, int) {
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+r.stand.Web+path, strings.NewReader(form))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close() //nolint:errcheck // of a test
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(b), resp.StatusCode
	}
	for _, o := range r.stand.Officers {
		if o.Role == center.Enforcer {
			ask("POST", "/sign-in", url.Values{"login": {o.Login}, "password": {o.Password}}.Encode())
			break
		}
	}
	page, _ := ask("GET", "/matters", "")
	var ids []string
	for _, m := range regexp.MustCompile(`href="(/matters/\d+)"`).FindAllStringSubmatch(page, -1) {
		if !slices.Contains(ids, m[1]) {
			ids = append(ids, m[1])
		}
	}
	if len(ids) == 0 {
		t.Fatalf("no matters: %.2000s", page)
	}
	for _, path := range ids {
		b, code := ask("GET", path+"/dossier", "")
		if code != http.StatusOK {
			t.Fatalf("%s/dossier: %d %.400s", path, code, b)
		}
		rep := dossier.Verify([]byte(b), trust)
		if !rep.OK {
			t.Errorf("%s: %+v", path, rep.Wrong)
		}
		for _, s := range rep.Proven {
			if !slices.Contains(proven, s.Code) {
				proven = append(proven, s.Code)
			}
		}
	}
	t.Logf("%d dossiers hold, and prove: %s", len(ids), strings.Join(proven, ", "))
	return proven
}
