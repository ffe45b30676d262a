package console

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/internal/signin"
	"github.com/axlegate/axlegate/internal/web"
	"github.com/axlegate/axlegate/wim"
)

// Store is what the pages read and write. Every read names for whom it is: what is not for that viewer does
// not exist for it (center.ErrNotFound).
type Store interface {
	Matters
	Administration
	Accounts
	Officer(ctx context.Context, login string) (center.Officer, error)
	// Board returns the newest entries, newest first, and the id of the last event they include.
	Board(ctx context.Context, v center.Viewer, limit int) (entries []center.Entry, last int64, err error)
	Entry(ctx context.Context, v center.Viewer, alert int64) (center.Entry, error)
	EventsAfter(ctx context.Context, v center.Viewer, after int64, limit int) ([]center.Event, error)
	// Changed gives a hint that events may have been written; the table is the truth.
	Changed() (hint <-chan struct{}, cancel func())
	// Acknowledge returns center.ErrAlreadyAcknowledged when somebody was faster.
	Acknowledge(ctx context.Context, v center.Viewer, alert int64) error
	Totals(ctx context.Context, v center.Viewer, since wim.Time) (center.Totals, error)
	Sites(ctx context.Context, v center.Viewer) ([]center.SiteState, error)
}

// Pictures gives the pictures that the centre holds. A picture that it does not have is fs.ErrNotExist or
// center.ErrNotFound. The caller closes the file.
type Pictures interface {
	Get(d wim.Digest) (*os.File, error)
}

// Name is an authority's name in both languages.
type Name struct{ Zh, En string }

// In returns the name in a language, or the other one where it is empty.
func (n Name) In(l web.Language) string {
	if l == web.English && n.En != "" || n.Zh == "" {
		return n.En
	}
	return n.Zh
}

// Dossiers makes a matter's evidence one archive. Errors are center.ErrNotFound and center.ErrPruned.
type Dossiers interface {
	Dossier(ctx context.Context, v center.Viewer, matter int64) ([]byte, error)
}

// Config says what the boards stand on. Store, Sessions and Pictures are needed.
type Config struct {
	Store    Store
	Sessions scs.Store
	Pictures Pictures
	Dossiers Dossiers // nil makes none
	// Title names the centre on every page; empty means the product's name.
	Title string
	// Authorities names the authorities by competence; one that is missing is named by its competence.
	Authorities map[wim.Competence]Name
	// Regions names the regions; those of officers and sites that it does not know are named by their codes.
	Regions center.Map
	// Overdue is after how long an alert that nobody has acknowledged looks overdue; 0 means half an hour.
	// Unfinished is the same for what comes after the acknowledgement; 0 means a day.
	Overdue, Unfinished time.Duration
	// Location is the time zone of every time shown and of "today"; nil means UTC.
	Location *time.Location
	// Secure says that the boards are reached over TLS: cookies are then kept from plain HTTP.
	Secure bool
	Now    func() time.Time // nil means time.Now
	Logger *slog.Logger     // nil means none
	// Metrics is where the console's figures are registered; nil means nowhere.
	Metrics prometheus.Registerer
	// CheckParcel tells what is wrong with what is to be sent down, by loading it; nil checks nothing.
	CheckParcel func(p center.Parcel, bytes []byte) error
}

// Validate tells what is missing.
func (c *Config) Validate() error {
	switch {
	case c.Store == nil:
		return errors.New("console: Store is missing")
	case c.Sessions == nil:
		return errors.New("console: Sessions is missing")
	case c.Pictures == nil:
		return errors.New("console: Pictures is missing")
	}
	return nil
}

//go:embed pages/*.html
var pageFiles embed.FS

//go:embed texts/*/*.json
var textFiles embed.FS

//go:embed assets/*.css assets/*.js
var assetFiles embed.FS

// Console answers the requests of both authorities' officers.
type Console struct {
	cfg      Config
	staff    sync.Mutex // held while officers are changed
	log      *slog.Logger
	now      func() time.Time
	sessions *scs.SessionManager
	words    map[web.Language]*web.Words
	chooser  web.Negotiator
	assets   *web.Assets
	pages    *template.Template
	door     *signin.Door
	viewers  *viewers
	m        *metrics
	handler  http.Handler

	beat  time.Duration // between two status messages of a stream
	slow  time.Duration // that one write of a stream may take
	batch int           // events read at once
	catch int           // events after which a viewer that is behind is told to load anew
}

// New returns the boards' handler. It parses every page and text, so what is forgotten fails here.
func New(cfg Config) (http.Handler, error) {
	return newConsole(cfg)
}

func newConsole(cfg Config) (*Console, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	c := &Console{
		cfg: cfg, log: cfg.Logger, now: cfg.Now, chooser: web.NewNegotiator(), door: signin.NewDoor(), viewers: newViewers(256, 16),
		beat: 10 * time.Second, slow: 10 * time.Second, batch: 64, catch: 1000,
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.cfg.Overdue <= 0 {
		c.cfg.Overdue = 30 * time.Minute
	}
	if c.cfg.Unfinished <= 0 {
		c.cfg.Unfinished = 24 * time.Hour
	}
	c.m = newMetrics(c.viewers)
	if err := c.m.register(cfg.Metrics); err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	if c.now == nil {
		c.now = time.Now
	}
	c.sessions = newSessions(cfg.Sessions, cfg.Secure)
	if err := c.load(); err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	c.handler = c.routes()
	return c, nil
}

func (c *Console) load() error {
	texts, err := fs.Sub(textFiles, "texts")
	if err != nil {
		return err
	}
	catalogue, err := web.NewCatalogue(texts)
	if err != nil {
		return err
	}
	c.words = map[web.Language]*web.Words{}
	for _, l := range web.Languages() {
		c.words[l] = catalogue.Words(l, c.cfg.Location)
	}
	css, err := join("assets/*.css")
	if err != nil {
		return err
	}
	script, err := join("assets/*.js")
	if err != nil {
		return err
	}
	if c.assets, err = web.NewAssets(css, script); err != nil {
		return err
	}
	pages, err := fs.Sub(pageFiles, "pages")
	if err != nil {
		return err
	}
	c.pages, err = web.Templates(pages)
	return err
}

// join puts the asset files of a pattern behind each other, by name.
func join(pattern string) (all []byte, err error) {
	names, err := fs.Glob(assetFiles, pattern)
	if err != nil {
		return nil, err
	}
	for _, n := range names {
		b, err := fs.ReadFile(assetFiles, n)
		if err != nil {
			return nil, err
		}
		all = append(append(all, b...), '\n')
	}
	return all, nil
}

func (c *Console) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /assets/{name}", c.assets)
	mux.Handle("POST /preferences", web.Preferences(c.cfg.Secure))
	mux.HandleFunc("GET /sign-in", c.signInPage)
	mux.HandleFunc("POST /sign-in", c.signIn)
	mux.HandleFunc("POST /sign-out", c.signOut)
	mux.HandleFunc("GET /session", c.signed(c.session))
	mux.HandleFunc("GET /{$}", c.signedAs(c.board))
	mux.HandleFunc("GET /events", c.signedAs(c.events))
	mux.HandleFunc("GET /alerts/{id}", c.signedAs(c.board, center.Enforcer))
	mux.HandleFunc("GET /alerts/{id}/fragment", c.signedAs(c.fragment, center.Enforcer))
	mux.HandleFunc("POST /alerts/{id}/acknowledge", c.signedAs(c.acknowledge, center.Enforcer))
	mux.HandleFunc("GET /matters", c.signedAs(c.queue, center.Enforcer, center.Auditor))
	mux.HandleFunc("GET /matters/{id}", c.signedAs(c.matter, center.Enforcer, center.Auditor))
	mux.HandleFunc("GET /matters/{id}/dossier", c.signedAs(c.dossier, center.Enforcer, center.Auditor))
	mux.HandleFunc("POST /matters/{id}/acts", c.signedAs(c.act, center.Enforcer))
	mux.HandleFunc("GET /pictures/{digest}", c.signedAs(c.picture, center.Enforcer, center.Auditor))
	mux.HandleFunc("GET /gaps", c.signedAs(c.gaps))
	mux.HandleFunc("GET /gaps.csv", c.signedAs(c.gapsCSV))
	c.routeAdministration(mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { c.fail(w, r, http.StatusNotFound, nil) })

	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.fail(w, r, http.StatusForbidden, nil)
	}))
	return web.Headers(c.cfg.Secure, origin.Handler(mux))
}

// ServeHTTP answers one request. A handler that panics answers 500 and is logged; the next is served.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			panic(p)
		}
		c.fail(w, r, http.StatusInternalServerError, fmt.Errorf("panic: %v", p))
	}()
	c.handler.ServeHTTP(w, r)
}

// authority is an authority's name in the words' language.
func (c *Console) authority(w *web.Words, competence wim.Competence) string {
	if n, ok := c.cfg.Authorities[competence]; ok && n != (Name{}) {
		return n.In(w.Language())
	}
	return w.Or("competence", string(competence))
}

func (c *Console) title(w *web.Words) string {
	if c.cfg.Title != "" {
		return c.cfg.Title
	}
	return w.T("product")
}
