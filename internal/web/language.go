package web

import (
	"bytes"
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

// NewCatalogue reads the texts of this package and of each folder given: zh.json and en.json, or any number
// of files zh/*.json and en/*.json, so that several people may add texts; each is a flat object from key to
// text. A key that one language lacks, an empty text, and a key defined twice are errors.
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
	names, err := fs.Glob(folder, string(l)+".json")
	if err != nil {
		return fmt.Errorf("texts: %w", err)
	}
	more, err := fs.Glob(folder, string(l)+"/*.json")
	if err != nil {
		return fmt.Errorf("texts: %w", err)
	}
	if names = append(names, more...); len(names) == 0 {
		return fmt.Errorf("texts: neither %s.json nor %s/*.json: %w", l, l, fs.ErrNotExist)
	}
	for _, name := range names {
		if err := c.readFile(folder, name, l); err != nil {
			return fmt.Errorf("texts %s: %w", name, err)
		}
	}
	return nil
}

func (c *Catalogue) readFile(folder fs.FS, name string, l Language) error {
	b, err := fs.ReadFile(folder, name)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	t, err := d.Token()
	if err != nil {
		return err
	}
	if t != json.Delim('{') {
		return errors.New("not an object from key to text")
	}
	for d.More() { // token by token: a key that a file has twice would be lost in a map
		if t, err = d.Token(); err != nil {
			return err
		}
		k, _ := t.(string)
		var v string
		if err := d.Decode(&v); err != nil {
			return fmt.Errorf("key %q: %w", k, err)
		}
		if _, twice := c.texts[l][k]; twice {
			return fmt.Errorf("key %q is defined twice", k)
		}
		if strings.TrimSpace(v) == "" {
			return fmt.Errorf("key %q has no text", k)
		}
		c.texts[l][k] = v
	}
	_, err = d.Token()
	return err
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
