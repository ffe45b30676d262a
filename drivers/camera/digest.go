package camera

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Auth says how a camera shows its name and password, beside its secret path.
type Auth string

// The ways. Basic shows the password to whoever is on the line unless there is TLS; Digest (RFC 7616, with MD5 because
// cameras know nothing else) does not, and protects nothing of what follows.
const (
	NoAuth Auth = ""
	Basic  Auth = "basic"
	Digest Auth = "digest"
)

const (
	realm     = "axlegate"
	nonceLife = 5 * time.Minute
	usedKept  = 4096 // answers that are remembered to know a replay
)

// nonces makes challenges and knows its own again without remembering them; it remembers answers, so that each
// counts once.
type nonces struct {
	key [32]byte
	now func() time.Time

	mu    sync.Mutex // owns what follows
	used  map[string]bool
	order []string // of used, oldest first
}

func newNonces(now func() time.Time) *nonces {
	n := &nonces{now: now, used: map[string]bool{}}
	rand.Read(n.key[:]) // it never fails
	return n
}

func (n *nonces) make() string {
	b := binary.BigEndian.AppendUint64(nil, uint64(n.now().Unix()))
	return base64.RawURLEncoding.EncodeToString(append(b, n.seal(b)...))
}

func (n *nonces) seal(b []byte) []byte {
	m := hmac.New(sha256.New, n.key[:])
	m.Write(b)
	return m.Sum(nil)[:16]
}

// fresh tells whether a nonce is ours and not too old.
func (n *nonces) fresh(s string) bool {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) != 24 || !hmac.Equal(b[8:], n.seal(b[:8])) {
		return false
	}
	age := n.now().Unix() - int64(binary.BigEndian.Uint64(b))
	return age >= -1 && age <= int64(nonceLife/time.Second)
}

// first tells whether an answer was never given before, and remembers it.
func (n *nonces) first(answer string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.used[answer] {
		return false
	}
	n.used[answer] = true
	if n.order = append(n.order, answer); len(n.order) > usedKept {
		delete(n.used, n.order[0])
		n.order = slices.Delete(n.order, 0, 1)
	}
	return true
}

// challenge asks for credentials. stale says that only the nonce was no good.
func (n *nonces) challenge(a Auth, stale bool) string {
	if a == Basic {
		return `Basic realm="` + realm + `", charset="UTF-8"`
	}
	s := fmt.Sprintf(`Digest realm=%q, qop="auth", algorithm=MD5, nonce=%q`, realm, n.make())
	if stale {
		s += ", stale=true"
	}
	return s
}

// admitted tells whether a request shows the credentials; where it does not, challenge asks for them.
func (n *nonces) admitted(r *http.Request, a Auth, username, password string) (ok bool, challenge string) {
	switch a {
	case NoAuth:
		return true, ""
	case Basic:
		u, p, _ := r.BasicAuth()
		if equal(u, username)&equal(p, password) == 1 {
			return true, ""
		}
		return false, n.challenge(a, false)
	case Digest:
	}
	d := digestOf(r)
	if d == nil || d["username"] != username || d["realm"] != realm || d["uri"] != r.RequestURI {
		return false, n.challenge(a, false)
	}
	if d["qop"] != "" && d["qop"] != "auth" || d["algorithm"] != "" && !strings.EqualFold(d["algorithm"], "MD5") {
		return false, n.challenge(a, false)
	}
	want := answer(md5.New, username, password, r.Method, d)
	if equal(strings.ToLower(d["response"]), want) == 0 {
		return false, n.challenge(a, false)
	}
	if !n.fresh(d["nonce"]) || !n.first(d["nonce"]+d["nc"]+d["cnonce"]) {
		return false, n.challenge(a, true)
	}
	return true, ""
}

// equal compares in a time that does not tell how far the two agree.
func equal(a, b string) int {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:])
}

// userOf is the name that a request shows, by either way.
func userOf(r *http.Request) string {
	if u, _, ok := r.BasicAuth(); ok {
		return u
	}
	return digestOf(r)["username"]
}

// digestOf is the fields of a request's Digest credentials, nil for none.
func digestOf(r *http.Request) map[string]string {
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Digest") {
		return nil
	}
	return fields(rest)
}

// fields reads k=v, k="v", … of a challenge or of credentials.
func fields(s string) map[string]string {
	m := map[string]string{}
	for len(m) < 32 {
		s = strings.TrimLeft(s, " \t,")
		k, rest, ok := strings.Cut(s, "=")
		if !ok {
			return m
		}
		var v strings.Builder
		if rest, ok = strings.CutPrefix(strings.TrimLeft(rest, " "), `"`); ok {
			i := 0
			for ; i < len(rest) && rest[i] != '"'; i++ {
				if rest[i] == '\\' && i+1 < len(rest) {
					i++
				}
				v.WriteByte(rest[i])
			}
			s = rest[min(i+1, len(rest)):]
		} else {
			i := strings.IndexAny(rest+",", ", ")
			v.WriteString(rest[:i])
			s = rest[i:]
		}
		m[strings.ToLower(strings.TrimSpace(k))] = v.String()
	}
	return m
}

// answer is the response of RFC 7616, section 3.4.1; without qop that of RFC 2069.
func answer(h func() hash.Hash, username, password, method string, d map[string]string) string {
	sum := func(parts ...string) string {
		f := h()
		f.Write([]byte(strings.Join(parts, ":")))
		return hex.EncodeToString(f.Sum(nil))
	}
	a1, a2 := sum(username, d["realm"], password), sum(method, d["uri"])
	if d["qop"] == "" {
		return sum(a1, d["nonce"], a2)
	}
	return sum(a1, d["nonce"], d["nc"], d["cnonce"], d["qop"], a2)
}

// credentials answers the challenges of a camera that is asked; empty when there is none that can be answered. Basic
// is answered only where private says that nobody else listens: whoever stands in the camera's place on an open
// line would ask for nothing else.
func credentials(challenges []string, private bool, username, password, method, uri string) string {
	best, sha := map[string]string(nil), false
	for _, c := range challenges {
		scheme, rest, _ := strings.Cut(c, " ")
		switch {
		case strings.EqualFold(scheme, "Basic") && best == nil && private:
			best = map[string]string{}
		case strings.EqualFold(scheme, "Digest"):
			f := fields(rest)
			switch alg := strings.ToUpper(f["algorithm"]); {
			case alg == "SHA-256":
				best, sha = f, true
			case (alg == "" || alg == "MD5") && !sha:
				best = f
			}
		}
	}
	switch {
	case best == nil:
		return ""
	case len(best) == 0:
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(username+":"+password))
	}
	d := map[string]string{"realm": best["realm"], "nonce": best["nonce"], "uri": uri}
	for q := range strings.SplitSeq(best["qop"], ",") {
		if strings.TrimSpace(q) == "auth" {
			d["qop"], d["nc"], d["cnonce"] = "auth", "00000001", rand.Text()
		}
	}
	h := md5.New
	if sha {
		h = sha256.New
	}
	s := fmt.Sprintf(`Digest username=%q, realm=%q, nonce=%q, uri=%q, response=%q`, username, d["realm"], d["nonce"], uri, answer(h, username, password, method, d))
	if d["qop"] != "" {
		s += fmt.Sprintf(`, qop=auth, nc=%s, cnonce=%q`, d["nc"], d["cnonce"])
	}
	if best["algorithm"] != "" {
		s += ", algorithm=" + best["algorithm"]
	}
	if o, ok := best["opaque"]; ok {
		s += fmt.Sprintf(", opaque=%q", o)
	}
	return s
}
