package intake

import (
	"context"
	"errors"
	"io"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/axlegate/axlegate/center/picture"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

const (
	// grantAge is how long a grant is good for.
	grantAge = 5 * time.Minute
	// clockApart is how far a site's clock and the centre's may be apart.
	clockApart = time.Hour
	// uploadTime bounds the reading of one picture.
	uploadTime = 60 * time.Second
)

// Pictures keeps pictures.
type Pictures interface {
	// Put keeps a picture of at most limit bytes whose digest must be d. Its errors are those of package picture.
	Put(ctx context.Context, d wim.Digest, r io.Reader, limit int64) error
}

// PictureHandler takes PUT …/{digest} with a grant signed by a site's key in the header Authorization
// ("Axlegate <JWS>"). It answers 204 when the picture is kept, also when it was before; 400 for a request that
// makes no sense, 401 for a grant that does not hold, 413, 415 and 422 for a picture that is too large, no
// JPEG or another one than its digest says: sending those again is useless. 500 and above: later.
func (in *Intake) PictureHandler(p Pictures) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, text := in.putPicture(w, r, p)
		switch {
		case status == http.StatusNoContent:
			in.m.pictures.WithLabelValues("stored").Inc()
			w.WriteHeader(status)
			return
		case status == http.StatusUnauthorized:
			in.m.pictures.WithLabelValues("unauthorised").Inc()
			w.Header().Set("WWW-Authenticate", "Axlegate")
		case status >= http.StatusInternalServerError:
			in.m.pictures.WithLabelValues("failed").Inc()
		default:
			in.m.pictures.WithLabelValues("refused").Inc()
		}
		http.Error(w, text, status)
	})
}

func (in *Intake) putPicture(w http.ResponseWriter, r *http.Request, p Pictures) (status int, text string) {
	if r.Method != http.MethodPut {
		w.Header().Set("Allow", http.MethodPut)
		return http.StatusMethodNotAllowed, "pictures are handed in by PUT"
	}
	d, err := wim.ParseDigest(path.Base(r.URL.Path))
	if err != nil {
		return http.StatusBadRequest, "the path must end in the picture's SHA-256 digest, 64 hexadecimal digits"
	}
	g, err := in.grant(r, d)
	if err != nil {
		in.log.Warn("a picture was handed in without a good grant", "remote", r.RemoteAddr, "digest", d.Short(), "error", err)
		return http.StatusUnauthorized, "the grant does not hold: " + err.Error()
	}
	if r.ContentLength > picture.MaxSize {
		return http.StatusRequestEntityTooLarge, "a picture has at most 8 MiB"
	}
	// A listener that cannot bound the reading still has its own limits.
	if err := http.NewResponseController(w).SetReadDeadline(time.Now().Add(uploadTime)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return http.StatusInternalServerError, "the connection has gone"
	}
	switch err := p.Put(r.Context(), d, r.Body, picture.MaxSize); {
	case err == nil:
		return http.StatusNoContent, ""
	case errors.Is(err, picture.ErrTooLarge):
		return http.StatusRequestEntityTooLarge, "a picture has at most 8 MiB"
	case errors.Is(err, picture.ErrNotJPEG):
		return http.StatusUnsupportedMediaType, "not a JPEG picture"
	case errors.Is(err, picture.ErrDigest):
		return http.StatusUnprocessableEntity, "the picture has another digest than the path says"
	default:
		in.log.Error("a picture could not be kept; its site sends it again", "site", string(g.Site), "digest", d.Short(), "error", err)
		return http.StatusServiceUnavailable, "the picture could not be kept; try again later"
	}
}

// holding are the keys that hold now.
func (in *Intake) holding(site wim.SiteID) ([]*seal.Verifier, bool) {
	if in.cfg.Keys != nil {
		return in.cfg.Keys.Now(site)
	}
	return in.cfg.Sites(site)
}

// grant verifies the header under the keys of the site that it names.
func (in *Intake) grant(r *http.Request, d wim.Digest) (seal.PictureGrant, error) {
	jws, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Axlegate ")
	if !ok || len(jws) > 4<<10 {
		return seal.PictureGrant{}, errors.New("the header Authorization must be: Axlegate <signed grant>")
	}
	claimed, err := seal.PeekPicture(jws)
	if err != nil {
		return seal.PictureGrant{}, errors.New("it cannot be read")
	}
	keys, ok := in.holding(claimed.Site)
	if !ok {
		return seal.PictureGrant{}, errors.New("its site is not known here")
	}
	g, err := seal.VerifyPicture(jws, keys...)
	if err != nil {
		return seal.PictureGrant{}, errors.New("its signature does not hold under the site's keys")
	}
	if g.Site != claimed.Site || g.Digest != d {
		return seal.PictureGrant{}, errors.New("it is for another picture")
	}
	if age := in.cfg.Now().Sub(g.Time.Std()); age > grantAge+clockApart || age < -clockApart {
		return seal.PictureGrant{}, errors.New("it is too old, or the site's clock is more than an hour off")
	}
	return g, nil
}
