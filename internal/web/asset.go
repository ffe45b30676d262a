package web

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
	"time"
)

//go:embed assets/base.css
var baseCSS []byte

//go:embed assets/icon.svg
var icon []byte

// Assets are the few files that pages load. Each is served under a name that holds its digest, so a browser
// may keep it for ever and an upgrade is seen at once.
type Assets struct {
	files map[string]asset  // by served name
	names map[string]string // from own name to address
}

type asset struct {
	mime string
	data []byte
}

// NewAssets serves a room's style sheet, appended to the shared one, and its script.
func NewAssets(css, script []byte) (*Assets, error) {
	a := &Assets{files: map[string]asset{}, names: map[string]string{}}
	for name, data := range map[string][]byte{
		"page.css": bytes.Join([][]byte{baseCSS, css}, []byte("\n")),
		"page.js":  script,
		"icon.svg": icon,
	} {
		mime, ok := map[string]string{
			".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
		}[path.Ext(name)]
		if !ok {
			return nil, fmt.Errorf("asset %s: no media type is known for it", name)
		}
		sum := sha256.Sum256(data)
		served := hex.EncodeToString(sum[:6]) + "-" + name
		a.files[served] = asset{mime: mime, data: data}
		a.names[name] = "/assets/" + served
	}
	return a, nil
}

// URL is the address of page.css, page.js or icon.svg.
func (a *Assets) URL(name string) string { return a.names[name] }

// ServeHTTP answers GET /assets/{name}.
func (a *Assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, ok := a.files[r.PathValue("name")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", f.mime)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.data))
}
