package api

import (
	"context"
	"errors"
	"hash/maphash"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/time/rate"

	"github.com/axlegate/axlegate/center"
)

// How many requests with a token that is none are let through from one network.
const (
	wrongBurst = 20
	wrongEvery = 3 * time.Second
	wrongSlots = 4096
)

// gate limits requests with wrong tokens. Its memory is fixed: networks share slots by a keyed hash.
type gate struct {
	seed  maphash.Seed
	wrong [wrongSlots]*rate.Limiter
}

func newGate() *gate {
	g := &gate{seed: maphash.MakeSeed()}
	for i := range g.wrong {
		g.wrong[i] = rate.NewLimiter(rate.Every(wrongEvery), wrongBurst)
	}
	return g
}

func (g *gate) of(remote string) *rate.Limiter {
	key := remote
	if ap, err := netip.ParseAddrPort(remote); err == nil {
		a := ap.Addr().Unmap().WithZone("")
		bits := 32
		if a.Is6() {
			bits = 64
		}
		if p, err := a.Prefix(bits); err == nil {
			key = p.String()
		}
	}
	return g.wrong[maphash.String(g.seed, key)%wrongSlots]
}

// caller is who a request is for.
type caller struct {
	token   center.Token
	officer center.Officer
}

type callerKey struct{}

func of(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

func (c caller) viewer() center.Viewer { return c.officer.Viewer() }

// authenticate lets a request through whose token has the scopes that the operation names.
func (a *api) authenticate(h huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		fail := func(status int, detail string) {
			if err := huma.WriteErr(h, ctx, status, detail); err != nil {
				a.log.DebugContext(ctx.Context(), "caller left", "error", err)
			}
		}
		limit := a.gate.of(ctx.RemoteAddr())
		now := a.now()
		// One is taken now and given back when the token is right, so that many at once cannot slip through.
		r := limit.ReserveN(now, 1)
		if wait := r.DelayFrom(now); wait > 0 {
			r.CancelAt(now)
			ctx.SetHeader("Retry-After", strconv.Itoa(int(wait.Seconds())+1))
			fail(http.StatusTooManyRequests, "too many requests with wrong tokens from this network; wait and check the token")
			return
		}
		secret, ok := strings.CutPrefix(ctx.Header("Authorization"), "Bearer ")
		if !ok {
			r.CancelAt(now) // none at all is a mistake, not a guess
			ctx.SetHeader("WWW-Authenticate", `Bearer realm="axlegate"`)
			fail(http.StatusUnauthorized, "send a token: Authorization: Bearer axg_…; an administrator makes one on the console")
			return
		}
		c, err := a.identify(ctx.Context(), secret)
		switch {
		case errors.Is(err, center.ErrNotFound):
			a.log.WarnContext(ctx.Context(), "a request with a token that is not good", "remote", ctx.RemoteAddr())
			ctx.SetHeader("WWW-Authenticate", `Bearer realm="axlegate", error="invalid_token"`)
			fail(http.StatusUnauthorized, "the token is not known, has expired or was revoked, or its officer may not sign in")
			return
		case err != nil:
			r.CancelAt(now)
			a.log.ErrorContext(ctx.Context(), "a token was not looked up", "error", err)
			fail(http.StatusServiceUnavailable, "the centre cannot look up tokens now; try again later")
			return
		}
		r.CancelAt(now)
		for _, need := range ctx.Operation().Security {
			for _, s := range need[tokenScheme] {
				if !slices.Contains(c.token.Scopes, center.Scope(s)) {
					fail(http.StatusForbidden, "the token lacks the scope "+s)
					return
				}
			}
		}
		next(huma.WithValue(ctx, callerKey{}, c))
	}
}

func (a *api) identify(ctx context.Context, secret string) (caller, error) {
	digest, err := center.SecretDigest(secret)
	if err != nil {
		return caller{}, center.ErrNotFound
	}
	t, o, err := a.cfg.Store.TokenOf(ctx, digest)
	if err != nil {
		return caller{}, err
	}
	if o.Disabled || o.MustChange {
		return caller{}, center.ErrNotFound
	}
	return caller{token: t, officer: o}, nil
}

// looked notes a look before it is answered; what cannot be noted is not shown.
func (a *api) looked(ctx context.Context, subject, detail string) error {
	c := of(ctx)
	d := "token " + c.token.Name
	if detail != "" {
		d += ", " + detail
	}
	if err := a.cfg.Store.Looked(ctx, c.viewer(), subject, d); err != nil {
		return a.internal(ctx, "audit trail", err)
	}
	return nil
}

// internal logs a cause and answers without it.
func (a *api) internal(ctx context.Context, what string, err error) error {
	if ctx.Err() == nil {
		a.log.ErrorContext(ctx, "request failed", "at", what, "error", err)
	}
	return huma.Error500InternalServerError("the centre could not do it; nothing was changed, try again later")
}

// failure turns an error of the store into an answer.
func (a *api) failure(ctx context.Context, what string, err error) error {
	var field *center.FieldError
	switch {
	case errors.As(err, &field):
		return huma.Error422UnprocessableEntity("what was entered is not accepted", &huma.ErrorDetail{Location: "body.details." + field.Field, Message: string(field.Problem)})
	case errors.Is(err, center.ErrNotFound):
		return huma.Error404NotFound("there is none that this token's officer may see")
	case errors.Is(err, center.ErrStale):
		return huma.Error409Conflict("the matter has changed since that version; nothing was written: read it again and decide again")
	case errors.Is(err, center.ErrNotNow):
		return huma.Error409Conflict("the matter's state does not allow that act; \"allowed\" in the matter lists those that it does")
	case errors.Is(err, center.ErrNumberTaken):
		return huma.Error409Conflict("the authority has another case under that number")
	case errors.Is(err, center.ErrNotYours):
		return huma.Error403Forbidden("the token's officer may not do that")
	}
	return a.internal(ctx, what, err)
}
