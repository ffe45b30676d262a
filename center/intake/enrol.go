package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/time/rate"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// EnrolConfig says what an Enroller works with. All but Now and Logger are needed.
type EnrolConfig struct {
	Store  KeyStore
	Keys   *Keyring
	Signer *seal.Signer // the centre's key, which the site pins
	Now    func() time.Time
	Logger *slog.Logger
}

// Enroller takes requests of sites that their key be believed.
type Enroller struct {
	cfg   EnrolConfig
	limit *rate.Limiter // of all requests together: nobody enrols often
}

// maxEnrolment bounds a request in bytes.
const maxEnrolment = 8 << 10

// NewEnroller makes an Enroller.
func NewEnroller(cfg EnrolConfig) *Enroller {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Enroller{cfg: cfg, limit: rate.NewLimiter(1, 10)}
}

// ServeHTTP answers POST with a signed request (seal.Enrolment) in the body: 200 with the centre's signed answer
// (seal.Enrolled), 400 for what is no request, 403 for a code that does not hold, 409 for a key that was ended, 429 when
// too many ask. It tells nobody whether a site or a code exists.
func (e *Enroller) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "a key is enrolled by POST; run: axlegate enrol", http.StatusMethodNotAllowed)
		return
	}
	if !e.limit.AllowN(e.cfg.Now(), 1) {
		w.Header().Set("Retry-After", "5")
		http.Error(w, "too many enrolments at once; try again in a few seconds", http.StatusTooManyRequests)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxEnrolment))
	if err != nil {
		http.Error(w, "the request is too large or broke off", http.StatusBadRequest)
		return
	}
	answer, err := e.enrol(r.Context(), string(body))
	switch {
	case err == nil:
		w.Header().Set("Content-Type", "application/jose")
		w.Header().Set("Cache-Control", "no-store")
		fmt.Fprint(w, answer) //nolint:errcheck // the caller has gone
		return
	case errors.Is(err, seal.ErrMalformed), errors.Is(err, seal.ErrSignature):
		http.Error(w, "the request is not signed by the key that it carries, or cannot be read", http.StatusBadRequest)
	case errors.Is(err, center.ErrCode):
		http.Error(w, "the enrolment code does not hold for this site: it is wrong, used or older than a day; have a new one made at the centre", http.StatusForbidden)
	case errors.Is(err, store.ErrRefused):
		http.Error(w, "this key was ended and does not come back; make a new one", http.StatusConflict)
	default:
		e.cfg.Logger.Error("a key could not be enrolled", "error", err)
		http.Error(w, "the key could not be enrolled now; try again later", http.StatusServiceUnavailable)
		return
	}
	e.cfg.Logger.Warn("an enrolment was refused", "remote", r.RemoteAddr, "error", err)
}

func (e *Enroller) enrol(ctx context.Context, jws string) (answer string, err error) {
	req, key, err := seal.VerifyEnrolment(jws)
	if err != nil {
		return "", err
	}
	if err := e.cfg.Keys.Refresh(ctx); err != nil {
		return "", err
	}
	now, known := e.cfg.Keys.Now(req.Site)
	if !known {
		return "", center.ErrCode
	}
	der, err := key.MarshalDER()
	if err != nil {
		return "", err
	}
	before := make([]string, len(now))
	for i, v := range now {
		before[i] = v.ID
	}
	if err := e.cfg.Store.Enrol(ctx, center.CodeDigest(req.Site, req.Code), center.SiteKey{Site: req.Site, ID: key.ID, DER: der}, before); err != nil {
		return "", err
	}
	if err := e.cfg.Keys.Refresh(ctx); err != nil {
		e.cfg.Logger.Warn("a key was enrolled and is believed within seconds", "error", err)
	}
	e.cfg.Logger.Info("a key was enrolled", "site", string(req.Site), "key", key.ID)
	own, err := e.cfg.Signer.Verifier().MarshalDER()
	if err != nil {
		return "", err
	}
	return seal.SignEnrolled(e.cfg.Signer, seal.Enrolled{Site: req.Site, Key: key.ID, CenterKeys: [][]byte{own}, Time: wim.TimeOf(e.cfg.Now())})
}
