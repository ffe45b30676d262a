package dossier

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"github.com/axlegate/axlegate/wim"
)

// Lang is a language of reports and of the files that explain a dossier.
type Lang string

// The languages.
const (
	zh Lang = "zh"
	en Lang = "en"
)

// ParseLang reads "zh" or "en".
func ParseLang(s string) (Lang, error) {
	if l := Lang(s); l == zh || l == en {
		return l, nil
	}
	return "", fmt.Errorf("language %q: want zh or en", s)
}

// Statement is one sentence of a report. Code names its kind for machines and never changes.
type Statement struct {
	Code  string `json:"code"`
	About string `json:"about,omitempty"` // the file that it is about
	Zh    string `json:"zh"`
	En    string `json:"en"`
}

// In gives the sentence in a language.
func (s *Statement) In(l Lang) string {
	if l == zh {
		return s.Zh
	}
	return s.En
}

// Report is what came of verifying a dossier.
type Report struct {
	// OK says that nothing is wrong; what is not proven stands in NotProven all the same.
	OK        bool        `json:"ok"`
	Matter    int64       `json:"matter,omitempty"`
	Made      wim.Time    `json:"made,omitempty"`
	CenterKey string      `json:"centre_key,omitempty"`
	SiteKeys  []string    `json:"site_keys,omitempty"` // that signed the segments
	Wrong     []Statement `json:"wrong"`
	Proven    []Statement `json:"proven"`
	// Stated is what the records and the centre say: their signatures bind whoever said it, and prove no more.
	Stated    []Statement `json:"stated"`
	NotProven []Statement `json:"not_proven"`
}

// statement makes a sentence out of a code; args fill both languages alike.
func statement(code, about string, args ...any) Statement {
	t, ok := sentences()[code]
	if !ok {
		panic("dossier: no sentence for " + code) // a mistake of this package, which its tests find
	}
	return Statement{Code: code, About: plain(about), Zh: plain(fmt.Sprintf(t.zh, in(zh, args)...)), En: plain(fmt.Sprintf(t.en, in(en, args)...))}
}

// plain keeps what a dossier says from writing lines of its own, or over those of the report: control characters and
// those that turn the direction of text are replaced.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// in gives each term among args its word in a language.
func in(l Lang, args []any) []any {
	out := slices.Clone(args)
	for i, a := range out {
		if t, ok := a.(term); ok {
			out[i] = t.in(l)
		}
	}
	return out
}

func (r *Report) wrong(code, about string, args ...any) {
	r.Wrong = append(r.Wrong, statement(code, about, args...))
}

func (r *Report) proven(code, about string, args ...any) {
	r.Proven = append(r.Proven, statement(code, about, args...))
}

func (r *Report) stated(code, about string, args ...any) {
	r.Stated = append(r.Stated, statement(code, about, args...))
}

func (r *Report) open(code, about string, args ...any) {
	s := statement(code, about, args...)
	if !slices.Contains(r.NotProven, s) {
		r.NotProven = append(r.NotProven, s)
	}
}

// Write prints the report for people.
func (r *Report) Write(w io.Writer, l Lang) error {
	head := "verdict-good"
	if !r.OK {
		head = "verdict-bad"
	}
	s := statement(head, "")
	text := s.In(l) + "\n"
	for _, p := range []struct {
		title string
		of    []Statement
	}{{"title-wrong", r.Wrong}, {"title-proven", r.Proven}, {"title-stated", r.Stated}, {"title-open", r.NotProven}} {
		if len(p.of) == 0 {
			continue
		}
		t := statement(p.title, "")
		text += "\n" + t.In(l) + "\n"
		for i := range p.of {
			text += "  - " + p.of[i].In(l)
			if p.of[i].About != "" {
				text += "  [" + p.of[i].About + "]"
			}
			text += "\n"
		}
	}
	_, err := io.WriteString(w, text)
	return err
}
