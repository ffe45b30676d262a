package downlink

import (
	"bytes"
	"errors"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

const (
	// grantAge is how long a grant is good for, and clockApart how far a site's clock and the centre's may be apart.
	grantAge   = 5 * time.Minute
	clockApart = time.Hour
	// sendTime bounds the sending of one parcel: the largest at some 110 kB/s.
	sendTime = 5 * time.Minute
)

// Handler answers GET …/{digest} with a grant signed by a site's key in the header Authorization ("Axlegate <JWS>"): 200
// or 206 with the parcel's bytes, 400 for a request that makes no sense, 401 for a grant that does not hold, 404 for
// a parcel that this site's manifest does not name. 500 and above: later. Ranges are served, so that a line that
// breaks costs only what was under way.
func (d *Downlink) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		result := d.give(w, r)
		d.m.parcels.WithLabelValues(result).Inc()
	})
}

func (d *Downlink) give(w http.ResponseWriter, r *http.Request) (result string) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "parcels are fetched by GET", http.StatusMethodNotAllowed)
		return "refused"
	}
	digest, err := wim.ParseDigest(path.Base(r.URL.Path))
	if err != nil {
		http.Error(w, "the path must end in the parcel's SHA-256 digest, 64 hexadecimal digits", http.StatusBadRequest)
		return "refused"
	}
	site, err := d.grant(r, digest)
	if err != nil {
		d.log.Warn("a parcel was asked for without a good grant", "remote", r.RemoteAddr, "digest", digest.Short(), "error", err)
		w.Header().Set("WWW-Authenticate", "Axlegate")
		http.Error(w, "the grant does not hold: "+err.Error(), http.StatusUnauthorized)
		return "unauthorised"
	}
	b, err := d.cfg.Store.ParcelFor(r.Context(), site, digest)
	switch {
	case errors.Is(err, center.ErrNotFound):
		http.Error(w, "the manifest of this site does not name this parcel", http.StatusNotFound)
		return "unknown"
	case err != nil:
		d.log.Error("a parcel could not be read; its site asks again", "site", string(site), "digest", digest.Short(), "error", err)
		http.Error(w, "the parcel could not be read; try again later", http.StatusServiceUnavailable)
		return "failed"
	}
	if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(sendTime)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return "failed"
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("ETag", `"`+digest.String()+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
	return "given"
}

// grant verifies the header under the keys of the site that it names.
func (d *Downlink) grant(r *http.Request, digest wim.Digest) (wim.SiteID, error) {
	jws, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Axlegate ")
	if !ok || len(jws) > 4<<10 {
		return "", errors.New("the header Authorization must be: Axlegate <signed grant>")
	}
	claimed, err := seal.PeekFetch(jws)
	if err != nil {
		return "", errors.New("it cannot be read")
	}
	keys, ok := d.cfg.Keys(claimed.Site)
	if !ok {
		return "", errors.New("its site is not known here")
	}
	f, err := seal.VerifyFetch(jws, keys...)
	switch {
	case err != nil:
		return "", errors.New("its signature does not hold under the site's keys")
	case f.Site != claimed.Site || f.Digest != digest:
		return "", errors.New("it is for another parcel")
	}
	if age := d.cfg.Now().Sub(f.Time.Std()); age > grantAge+clockApart || age < -clockApart {
		return "", errors.New("it is too old, or the site's clock is more than an hour off")
	}
	return f.Site, nil
}
