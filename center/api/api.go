package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// Prefix is where the interface lies; a change that would break a program gets another number.
const Prefix = "/api/v1"

// Store is what the interface reads and writes. Every call names for whom.
type Store interface {
	// TokenOf returns the token with that SHA-256 of its secret and its officer, or center.ErrNotFound.
	TokenOf(ctx context.Context, secret [32]byte) (center.Token, center.Officer, error)
	Queue(ctx context.Context, v center.Viewer, q center.Query) (center.Page, error)
	File(ctx context.Context, v center.Viewer, matter int64) (center.File, error)
	// Do returns errors of center.Docket.Do, center.ErrNotFound and center.ErrNumberTaken; then nothing was written.
	Do(ctx context.Context, v center.Viewer, matter int64, k center.ActKind, in center.Details, seen int64) (center.Docket, error)
	EventsAfter(ctx context.Context, v center.Viewer, after int64, limit int) ([]center.Event, error)
	// Changed gives a hint that events may have been written; the table is the truth.
	Changed() (hint <-chan struct{}, cancel func())
	Sites(ctx context.Context, v center.Viewer) ([]center.SiteState, error)
	Coverage(ctx context.Context, v center.Viewer, q center.CoverageQuery) (center.Coverage, error)
	Trail(ctx context.Context, v center.Viewer, q center.TrailQuery) ([]center.Trace, error)
	// Looked notes a look in the audit trail.
	Looked(ctx context.Context, v center.Viewer, subject, detail string) error
}

// Pictures gives the pictures that the centre holds. One that it does not have is fs.ErrNotExist or
// center.ErrNotFound. The caller closes the file.
type Pictures interface {
	Get(d wim.Digest) (*os.File, error)
}

// Dossiers makes a matter's evidence one archive. Errors are center.ErrNotFound and center.ErrPruned.
type Dossiers interface {
	Dossier(ctx context.Context, v center.Viewer, matter int64) ([]byte, error)
}

// Config says what the interface stands on. Store and Pictures are needed.
type Config struct {
	Store    Store
	Pictures Pictures
	Dossiers Dossiers // nil makes none
	// Regions are those that may be asked for.
	Regions center.Map
	// Version is this program's, for the description.
	Version string
	// Server is the address that the description names, such as https://centre.example; empty names none.
	Server string
	Now    func() time.Time // nil means time.Now
	Logger *slog.Logger     // nil discards
}

// Validate tells what is missing.
func (c *Config) Validate() error {
	switch {
	case c.Store == nil:
		return errors.New("api: Store is missing")
	case c.Pictures == nil:
		return errors.New("api: Pictures is missing")
	}
	return nil
}

// maxBody bounds what a request may carry.
const maxBody = 64 << 10

// api answers requests of programs.
type api struct {
	cfg  Config
	log  *slog.Logger
	now  func() time.Time
	gate *gate
}

// New returns the handler of everything under Prefix.
func New(cfg Config) (http.Handler, error) {
	h, _, err := build(cfg)
	return h, err
}

// Describe returns the OpenAPI 3.1 document as YAML, as New's handler serves it.
func Describe(cfg Config) ([]byte, error) {
	_, h, err := build(cfg)
	if err != nil {
		return nil, err
	}
	return h.OpenAPI().YAML()
}

func build(cfg Config) (http.Handler, huma.API, error) {
	if err := cfg.Validate(); err != nil {
		return nil, nil, err
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Version == "" {
		cfg.Version = "0"
	}
	a := &api{cfg: cfg, log: cfg.Logger.With("part", "api"), now: cfg.Now, gate: newGate()}
	mux := http.NewServeMux()
	h := humago.NewWithPrefix(mux, Prefix, a.description())
	h.UseMiddleware(a.authenticate(h))
	a.addMatters(h)
	a.addEvents(h)
	a.addSites(h)
	a.addCoverage(h)
	a.addTrail(h)
	a.addPictures(h)
	a.addDossiers(h)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusNotFound)
		w.Write([]byte(`{"title":"Not Found","status":404,"detail":"no such path; GET ` + Prefix + `/openapi.yaml describes all that are"}` + "\n")) //nolint:errcheck // the caller has gone
	})
	return bounded(mux), h, nil
}

// bounded keeps answers with plates out of caches and bodies within bounds.
func bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}
