package web

import (
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
	"time"
)

//go:embed pages/*.html
var shellPages embed.FS

// Shell is what every page needs around its content.
type Shell struct {
	Title   string
	Words   *Words
	Theme   Theme
	Assets  *Assets
	Back    string // where the language and theme buttons lead back to
	Refresh int    // seconds after which a browser without script loads the page again; 0 never
}

// SignIn is what the template "sign-in" shows: the page before all others. Its form posts login and password to /sign-in.
type SignIn struct {
	Shell  *Shell
	Title  string
	Note   string // what one signs in to
	Login  string // as it was typed
	Notice string // why it did not work
}

// Failure is what the template "failure" shows: what went wrong and what to do.
type Failure struct {
	Shell   *Shell
	Status  int // of HTTP
	Heading string
	Advice  string
	Back    string // the name of the way back to /
}

// OtherTheme is the theme that the visitor may switch to.
func (s *Shell) OtherTheme() Theme {
	if s.Theme == Light {
		return Dark
	}
	return Light
}

// OtherThemeName names it.
func (s *Shell) OtherThemeName() string { return s.Words.T("theme." + string(s.OtherTheme())) }

// OtherLanguage is the language that the visitor may switch to.
func (s *Shell) OtherLanguage() Language {
	if s.Words.Language() == English {
		return Chinese
	}
	return English
}

// OtherLanguageName names it in its own words.
func (s *Shell) OtherLanguageName() string {
	return s.Words.T("language." + string(s.OtherLanguage()))
}

// Templates parses a room's pages (*.html in folder) together with "findings", "sign-in", "failure" and the shell's "head"
// and "preferences",
// which expect a value with a field Shell and a *Shell.
func Templates(folder fs.FS) (*template.Template, error) {
	t, err := template.New("pages").ParseFS(shellPages, "pages/*.html")
	if err != nil {
		return nil, fmt.Errorf("page shell: %w", err)
	}
	if t, err = t.ParseFS(folder, "*.html"); err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	return t.Option("missingkey=error"), nil
}

// Preferences answers POST /preferences: it keeps the language or theme chosen in a cookie for a year and
// leads back to where the visitor came from, on this host only.
func Preferences(secure bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
		if err := r.ParseForm(); err != nil {
			http.Error(w, http.StatusText(http.StatusBadRequest), http.StatusBadRequest)
			return
		}
		keep := func(name, value string) {
			http.SetCookie(w, &http.Cookie{
				Name: name, Value: value, Path: "/", MaxAge: int((365 * 24 * time.Hour).Seconds()), HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
			})
		}
		for _, l := range Languages() {
			if r.PostForm.Get("language") == string(l) {
				keep(LanguageCookie, string(l))
			}
		}
		for _, t := range []Theme{Dark, Light} {
			if r.PostForm.Get("theme") == string(t) {
				keep(ThemeCookie, string(t))
			}
		}
		http.Redirect(w, r, LocalPath(r.PostForm.Get("back")), http.StatusSeeOther)
	})
}

// LocalPath returns p where it is a path on this host, and "/" for everything else, so that no form leads a
// visitor away.
func LocalPath(p string) string {
	if !strings.HasPrefix(p, "/") || strings.HasPrefix(p, "//") || strings.ContainsAny(p, "\\\r\n\t") {
		return "/"
	}
	return p
}
