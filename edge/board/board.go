package board

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/axlegate/axlegate/edge"
	"github.com/axlegate/axlegate/internal/signin"
	"github.com/axlegate/axlegate/internal/web"
	"github.com/axlegate/axlegate/wim"
)

// Site is what the pages show and do.
type Site interface {
	Health(ctx context.Context) edge.Health
	// Head grows with every account.
	Head() uint64
	Accounts(ctx context.Context, limit int) ([]*edge.Account, error)
	Account(ctx context.Context, chain wim.ChainID, seq uint64) (*edge.Account, error)
	// Key records what staff keyed. Its errors are edge.ErrKeyed, edge.ErrNoPassage and edge.ErrNotWritten.
	Key(ctx context.Context, k edge.Keyed) error
	// Picture opens a picture; the caller closes it.
	Picture(d wim.Digest) (*os.File, error)
}

// Person is somebody of the staff.
type Person struct {
	Login, Name string
	Hash        string // argon2id, in PHC form
}

// Config says what the pages stand on. Site is needed.
type Config struct {
	Site  Site
	Name  string // of the site
	Road  string
	Staff []Person
	// Bridges are the site's static scales; may be empty.
	Bridges []Bridge
	// Location is the time zone of every time shown; nil means UTC.
	Location *time.Location
	// Secure says that the pages are reached over TLS: cookies are then kept from plain HTTP.
	Secure bool
	Now    func() time.Time // nil means time.Now
	Logger *slog.Logger     // nil means none
}

//go:embed pages/*.html
var pageFiles embed.FS

//go:embed texts/*.json
var textFiles embed.FS

//go:embed assets/board.css
var style []byte

//go:embed assets/board.js
var script []byte

const (
	shown      = 60 // passages on the page; the newest ones
	viewersMax = 32 // live pages at once
	look       = time.Second
	slow       = 10 * time.Second // that one write to a live page may take
)

// Board answers the requests of a site's staff.
type Board struct {
	cfg      Config
	log      *slog.Logger
	now      func() time.Time
	staff    map[string]Person
	sessions *scs.SessionManager
	words    map[web.Language]*web.Words
	chooser  web.Negotiator
	assets   *web.Assets
	pages    *template.Template
	door     *signin.Door
	viewers  chan struct{}
	handler  http.Handler

	mu       sync.Mutex // owns what follows
	head     uint64
	accounts []*edge.Account // as of head, nil at first
}

// New returns the pages' handler. It parses every page and text, so what is forgotten fails here.
func New(cfg Config) (*Board, error) {
	if cfg.Site == nil {
		return nil, errors.New("board: Site is missing")
	}
	b := &Board{cfg: cfg, log: cfg.Logger, now: cfg.Now, staff: map[string]Person{}, chooser: web.NewNegotiator(), door: signin.NewDoor(),
		viewers: make(chan struct{}, viewersMax)}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	if b.now == nil {
		b.now = time.Now
	}
	for _, p := range cfg.Staff {
		if _, twice := b.staff[p.Login]; twice || p.Login == "" {
			return nil, fmt.Errorf("board: login %q is empty or there twice", p.Login)
		}
		b.staff[p.Login] = p
		if err := b.door.Like(p.Hash); err != nil {
			return nil, fmt.Errorf("board: password of %s: %w; make one with: axlegate keys password", p.Login, err)
		}
	}
	b.sessions = newSessions(cfg.Secure)
	if err := b.load(); err != nil {
		return nil, fmt.Errorf("board: %w", err)
	}
	b.handler = b.routes()
	return b, nil
}

func (b *Board) load() error {
	texts, err := fs.Sub(textFiles, "texts")
	if err != nil {
		return err
	}
	catalogue, err := web.NewCatalogue(texts)
	if err != nil {
		return err
	}
	b.words = map[web.Language]*web.Words{}
	for _, l := range web.Languages() {
		b.words[l] = catalogue.Words(l, b.cfg.Location)
	}
	if b.assets, err = web.NewAssets(style, script); err != nil {
		return err
	}
	pages, err := fs.Sub(pageFiles, "pages")
	if err != nil {
		return err
	}
	b.pages, err = web.Templates(pages)
	return err
}

func (b *Board) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /assets/{name}", b.assets)
	mux.Handle("POST /preferences", web.Preferences(b.cfg.Secure))
	mux.HandleFunc("GET /sign-in", b.signInPage)
	mux.HandleFunc("POST /sign-in", b.signIn)
	mux.HandleFunc("POST /sign-out", b.signOut)
	mux.HandleFunc("GET /{$}", b.signed(b.home))
	mux.HandleFunc("GET /events", b.signed(b.events))
	mux.HandleFunc("GET /passages/{chain}/{seq}", b.signed(b.passage))
	mux.HandleFunc("POST /passages/{chain}/{seq}/licences", b.signed(b.key))
	mux.HandleFunc("GET /bridges/{name}", b.signed(b.bridgePage))
	mux.HandleFunc("POST /bridges/{name}/weighings", b.signed(b.weigh))
	mux.HandleFunc("GET /pictures/{digest}", b.signed(b.picture))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { b.fail(w, r, http.StatusNotFound, nil) })
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { b.fail(w, r, http.StatusForbidden, nil) }))
	return web.Headers(b.cfg.Secure, origin.Handler(mux))
}

// ServeHTTP answers one request. A handler that panics answers 500 and is logged; the next is served.
func (b *Board) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			panic(p)
		}
		b.fail(w, r, http.StatusInternalServerError, fmt.Errorf("panic: %v", p))
	}()
	b.handler.ServeHTTP(w, r)
}

// newest are the newest accounts. They are read anew when the journal has grown.
func (b *Board) newest(ctx context.Context) ([]*edge.Account, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	head := b.cfg.Site.Head()
	if b.accounts != nil && head == b.head {
		return b.accounts, nil
	}
	accounts, err := b.cfg.Site.Accounts(ctx, shown)
	if err != nil {
		return nil, err
	}
	if accounts == nil {
		accounts = []*edge.Account{}
	}
	b.head, b.accounts = head, accounts
	return accounts, nil
}

func (b *Board) wordsOf(r *http.Request) *web.Words { return b.words[b.chooser.Language(r)] }

func (b *Board) title(w *web.Words) string { return w.T("board.of", b.cfg.Name) }

func (b *Board) shell(r *http.Request, title string) *web.Shell {
	s := &web.Shell{Title: title, Words: b.wordsOf(r), Theme: web.ThemeOf(r), Assets: b.assets, Back: "/"}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		s.Back = web.LocalPath(r.URL.RequestURI())
	}
	return s
}

// fail answers with a status and a page in the visitor's language. A cause is logged, never shown.
func (b *Board) fail(w http.ResponseWriter, r *http.Request, status int, cause error) {
	if cause != nil {
		b.log.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "status", status, "error", cause)
	}
	words, key := b.wordsOf(r), "failure."+strconv.Itoa(status)
	s := b.shell(r, words.T(key)+" · "+b.title(words))
	s.Back = "/"
	b.page(w, r, status, "failure", web.Failure{Shell: s, Status: status, Heading: words.T(key), Advice: words.T(key + ".advice"), Back: words.T("failure.back")})
}

// page renders into memory first, so that a page that fails half way answers 500 and not half a page.
func (b *Board) page(w http.ResponseWriter, r *http.Request, status int, name string, view any) {
	html, err := b.render(name, view)
	if err != nil {
		b.log.ErrorContext(r.Context(), "page failed", "error", err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if _, err := w.Write([]byte(html)); err != nil {
		b.log.DebugContext(r.Context(), "visitor left", "error", err)
	}
}

func (b *Board) render(name string, view any) (string, error) {
	var out bytes.Buffer
	if err := b.pages.ExecuteTemplate(&out, name, view); err != nil {
		return "", fmt.Errorf("page %s: %w", name, err)
	}
	return out.String(), nil
}
