package camera

import (
	"crypto/md5"
	"crypto/sha256"
	"hash"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// The example of RFC 7616, section 3.9.1.
func TestAnswersAreThoseOfTheStandard(t *testing.T) {
	challenge := `realm="http-auth@example.org", qop="auth, auth-int", algorithm=%, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`
	for _, c := range []struct {
		algorithm string
		hash      func() hash.Hash
		want      string
	}{
		{"MD5", md5.New, "8ca523f5e9506fed4657c9700eebdbec"},
		{"SHA-256", sha256.New, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"},
	} {
		d := fields(strings.ReplaceAll(challenge, "%", c.algorithm))
		d["uri"], d["qop"], d["nc"], d["cnonce"] = "/dir/index.html", "auth", "00000001", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
		if got := answer(c.hash, "Mufasa", "Circle of Life", http.MethodGet, d); got != c.want {
			t.Errorf("%s: %s, want %s", c.algorithm, got, c.want)
		}
	}
}

func TestChallengesOfCameras(t *testing.T) {
	for _, c := range []struct {
		name, want string
		challenges []string
	}{
		{"the stronger of two", "algorithm=SHA-256", []string{`Digest realm="r", nonce="n", algorithm=MD5`, `Digest realm="r", nonce="n", algorithm=SHA-256, qop="auth"`}},
		{"digest before basic", "Digest ", []string{`Basic realm="r"`, `Digest realm="r", nonce="n"`}},
		{"an old one without qop", `response="` + answer(md5.New, "u", "p", "GET", map[string]string{"realm": "r", "nonce": "n", "uri": "/x"}), []string{`Digest realm="r",nonce="n"`}},
		{"opaque is given back", `opaque="o"`, []string{`Digest realm="r", nonce="n", opaque="o"`}},
		{"basic alone", "Basic dTpw", []string{`Basic realm="r"`}},
		{"basic where others listen", "", []string{`Basic realm="r"`}},
		{"none that is known", "", []string{`Negotiate`}},
		{"an algorithm that is not known", "", []string{`Digest realm="r", nonce="n", algorithm=MD5-sess`}},
	} {
		if got := credentials(c.challenges, c.want != "", "u", "p", http.MethodGet, "/x"); !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: %q, want %q in it", c.name, got, c.want)
		}
	}
}

// guarded is a Dahua camera that must show a name and a password.
func guarded(t *testing.T, a Auth) *rig {
	t.Helper()
	return rigFor(t, Config{Format: Dahua, Auth: a, Username: "north", Password: "open sesame"})
}

// knock pushes to a path with credentials, empty for none.
func (r *rig) knock(t *testing.T, path, auth string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(payload(t, "dahua")))
	req.Header.Set("Content-Type", "application/json")
	if auth != "" {
		req.Header.Set("Authorization", auth)
	}
	w := httptest.NewRecorder()
	r.list.ServeHTTP(w, req)
	return w
}

func TestACameraThatMustShowAPassword(t *testing.T) {
	for _, path := range []string{"/camera/" + secret, "/camera/" + secret + "/NotificationInfo/TollgateInfo", "/NotificationInfo/TollgateInfo"} {
		for _, a := range []Auth{Basic, Digest} {
			t.Run(string(a)+" on "+path, func(t *testing.T) {
				r := guarded(t, a)
				w := r.knock(t, path, "")
				challenge := w.Header().Values("WWW-Authenticate")
				if w.Code != http.StatusUnauthorized || len(challenge) != 1 {
					t.Fatalf("without: status %d, %q", w.Code, challenge)
				}
				for _, wrong := range []string{
					credentials(challenge, true, "north", "open", http.MethodPost, path), credentials(challenge, true, "south", "open sesame", http.MethodPost, path),
					"Digest", "Basic !", "Bearer north", credentials([]string{`Digest realm="axlegate", nonce="made up", qop="auth"`}, true, "north", "open sesame", http.MethodPost, path),
				} {
					if w := r.knock(t, path, wrong); w.Code != http.StatusUnauthorized {
						t.Errorf("%s: status %d", wrong, w.Code)
					}
				}
				if len(r.got) != 0 {
					t.Fatalf("%d reads of nobody", len(r.got))
				}
				auth := credentials(challenge, true, "north", "open sesame", http.MethodPost, path)
				if w := r.knock(t, path, auth); w.Code != http.StatusOK || len(r.got) != 1 {
					t.Errorf("status %d, %d reads", w.Code, len(r.got))
				}
				if a == Basic {
					return
				}
				if w := r.knock(t, path, auth); w.Code != http.StatusUnauthorized || !strings.Contains(w.Header().Get("WWW-Authenticate"), "stale=true") {
					t.Errorf("the same answer again: status %d", w.Code)
				}
				if w := r.knock(t, path+"?", auth); w.Code != http.StatusUnauthorized {
					t.Errorf("the answer for another path: status %d", w.Code)
				}
			})
		}
	}
	r := guarded(t, Digest)
	if w := r.knock(t, "/lpringestion/Reads", ""); w.Code != http.StatusNotFound {
		t.Errorf("another maker's path: status %d", w.Code)
	}
}

func TestAChallengeDoesNotStandForEver(t *testing.T) {
	now := time.Unix(1e9, 0)
	n := newNonces(func() time.Time { return now })
	s := n.make()
	if !n.fresh(s) || n.fresh(s[:len(s)-1]+"A") || n.fresh("") || newNonces(func() time.Time { return now }).fresh(s) {
		t.Error("a nonce is known by its seal alone")
	}
	if now = now.Add(nonceLife + time.Second); n.fresh(s) {
		t.Error("an old nonce is taken")
	}
	for i := range usedKept + 10 {
		n.first(strings.Repeat("x", i%7) + time.Duration(i).String())
	}
	if len(n.used) != usedKept || len(n.order) != usedKept {
		t.Errorf("%d answers are remembered", len(n.used))
	}
}

func TestAccessThatDoesNotFitIsRefused(t *testing.T) {
	base := Config{Device: "c", Lane: 1, End: wim.Front}
	for name, change := range map[string]func(*Config){
		"auth without a password":           func(c *Config) { c.Secret, c.Auth, c.Username = secret, Digest, "u" },
		"a password that nobody asks for":   func(c *Config) { c.Secret, c.Username, c.Password = secret, "u", "p" },
		"an auth that there is not":         func(c *Config) { c.Secret, c.Auth, c.Username, c.Password = secret, "ntlm", "u", "p" },
		"another format that is asked":      func(c *Config) { c.Address, c.Format = "http://192.0.2.31", Dahua },
		"an address that is none":           func(c *Config) { c.Address = "192.0.2.31" },
		"a password within the address":     func(c *Config) { c.Address = "http://u:p@192.0.2.31" },
		"one that is asked and also pushes": func(c *Config) { c.Address, c.Secret = "http://192.0.2.31", secret },
	} {
		c := base
		change(&c)
		if _, err := New(c); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func FuzzFields(f *testing.F) {
	f.Add(`realm="a\"b", qop=auth, nonce="x"`)
	f.Add(`a="`)
	f.Fuzz(func(t *testing.T, s string) {
		if m := fields(s); len(m) > 32 {
			t.Errorf("%d fields", len(m))
		}
	})
}
