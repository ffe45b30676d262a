package web

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"

	"golang.org/x/text/language"
)

// Language is a language of the pages, as an HTML lang attribute.
type Language string

// The languages. Chinese is the one for a visitor who asks for neither.
const (
	Chinese Language = "zh"
	English Language = "en"
)

// Languages lists the languages in the order of preference.
func Languages() [2]Language { return [2]Language{Chinese, English} }

// LanguageCookie and ThemeCookie hold what a visitor chose, signed in or not.
const (
	LanguageCookie = "axlegate_language"
	ThemeCookie    = "axlegate_theme"
)

// Theme is the colouring of the pages.
type Theme string

// The themes. Dark is the default: a board in an operations room stays on at night.
const (
	Dark  Theme = "dark"
	Light Theme = "light"
)

// Negotiator chooses a visitor's language. The zero value is not usable; see NewNegotiator.
type Negotiator struct{ matcher language.Matcher }

// NewNegotiator returns a Negotiator for Languages.
func NewNegotiator() Negotiator {
	return Negotiator{language.NewMatcher([]language.Tag{language.Chinese, language.English})}
}

// Language is the visitor's language: the cookie's where it names one we have, else the best match of what
// the browser accepts, else Chinese.
func (n Negotiator) Language(r *http.Request) Language {
	if c, err := r.Cookie(LanguageCookie); err == nil {
		for _, l := range Languages() {
			if c.Value == string(l) {
				return l
			}
		}
	}
	tags, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil {
		return Chinese
	}
	_, i, _ := n.matcher.Match(tags...)
	return Languages()[i]
}

// ThemeOf is the visitor's theme.
func ThemeOf(r *http.Request) Theme {
	if c, err := r.Cookie(ThemeCookie); err == nil && c.Value == string(Light) {
		return Light
	}
	return Dark
}

//go:embed texts/*.json
var ownTexts embed.FS

// Catalogue holds every text of the pages in every language. It is immutable after NewCatalogue.
type Catalogue struct {
	texts map[Language]map[string]string
}

// NewCatalogue reads zh.json and en.json, flat objects from key to text, of this package and of each folder
// given. A key that one language lacks, an empty text, and a key defined twice are errors.
func NewCatalogue(folders ...fs.FS) (*Catalogue, error) {
	own, err := fs.Sub(ownTexts, "texts")
	if err != nil {
		return nil, fmt.Errorf("own texts: %w", err)
	}
	c := &Catalogue{texts: map[Language]map[string]string{}}
	for _, l := range Languages() {
		c.texts[l] = map[string]string{}
		for _, folder := range append([]fs.FS{own}, folders...) {
			if err := c.read(folder, l); err != nil {
				return nil, err
			}
		}
	}
	return c, c.complete()
}

func (c *Catalogue) read(folder fs.FS, l Language) error {
	name := string(l) + ".json"
	b, err := fs.ReadFile(folder, name)
	if err != nil {
		return fmt.Errorf("texts: %w", err)
	}
	var m map[string]string
	if err := json.Unmarshal(b, &m); err != nil {
		return fmt.Errorf("texts %s: %w", name, err)
	}
	for k, v := range m {
		if _, twice := c.texts[l][k]; twice {
			return fmt.Errorf("texts %s: key %q is defined twice", name, k)
		}
		if strings.TrimSpace(v) == "" {
			return fmt.Errorf("texts %s: key %q has no text", name, k)
		}
		c.texts[l][k] = v
	}
	return nil
}

func (c *Catalogue) complete() error {
	var errs []error
	for _, l := range Languages() {
		for _, other := range Languages() {
			for k := range c.texts[other] {
				if _, ok := c.texts[l][k]; !ok {
					errs = append(errs, fmt.Errorf("texts %s.json: key %q is missing", l, k))
				}
			}
		}
	}
	return errors.Join(errs...)
}

// Has tells whether a key exists.
func (c *Catalogue) Has(key string) bool {
	_, ok := c.texts[Chinese][key]
	return ok
}
