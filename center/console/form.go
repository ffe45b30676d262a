package console

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/internal/web"
)

// maxForm bounds what a form may send, in bytes: the longest remark in UTF-8 and its fields, with room.
const maxForm = 64 << 10

// form is what an officer entered, with what is wrong with each field. A form that was refused is shown
// again with everything that was typed.
type form struct {
	Values url.Values
	Notice string // what is wrong with the whole
	words  *web.Words
	wrong  map[string]string
}

func newForm(words *web.Words, values url.Values) *form {
	return &form{Values: values, words: words, wrong: map[string]string{}}
}

// readForm reads a posted form within its bounds. Line ends become "\n"; passwords excepted, spaces around
// a value are the reader's business.
func readForm(w http.ResponseWriter, r *http.Request, words *web.Words) (*form, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return nil, err
	}
	for _, vs := range r.PostForm {
		for i := range vs {
			vs[i] = strings.ReplaceAll(vs[i], "\r\n", "\n")
		}
	}
	return newForm(words, r.PostForm), nil
}

// Get is a field as it was typed, without spaces around.
func (f *form) Get(name string) string { return strings.TrimSpace(f.Values.Get(name)) }

// Fail says what is wrong with a field, by the key of a text. The first word on a field stands.
func (f *form) Fail(name, key string, args ...any) {
	if _, ok := f.wrong[name]; !ok {
		f.wrong[name] = f.words.T(key, args...)
	}
}

// Problem says what is wrong with a field that is no *field; empty when nothing is.
func (f *form) Problem(name string) string { return f.wrong[name] }

// Bad tells whether any field is wrong.
func (f *form) Bad() bool { return len(f.wrong) > 0 }

// Take notes a *center.FieldError at its field; ok is false for any other error.
func (f *form) Take(err error) (ok bool) {
	var fe *center.FieldError
	if !errors.As(err, &fe) {
		return false
	}
	key := "problem." + fe.Field + "." + string(fe.Problem)
	if f.words.Or("problem", fe.Field+"."+string(fe.Problem)) == fe.Field+"."+string(fe.Problem) {
		key = "problem." + string(fe.Problem)
	}
	f.Fail(fe.Field, key)
	return true
}

// Field is a field for the template "field"; its label is the text of key, its hint that of key.hint where
// there is one.
func (f *form) Field(name, key string) *field {
	return &field{Name: name, ID: "f-" + strings.ReplaceAll(name, ".", "-"), Label: f.words.T(key), Hint: f.hint(key), Value: f.Values.Get(name), Problem: f.wrong[name], Type: "text"}
}

func (f *form) hint(key string) string {
	if h := f.words.Or(key, "hint"); h != "hint" {
		return h
	}
	return ""
}

// field is one labelled field. The methods return it changed, for use inside a template.
type field struct {
	Name, ID, Label, Hint, Value, Problem string

	Type         string // of an input; "area" for a text of several lines, "choice" for a select
	Most         int    // characters; 0 for no bound
	Needed       bool
	Autocomplete string
	Mode         string // inputmode
	Choices      []choice
	Placeholder  string
}

// choice is one option of a select.
type choice struct {
	Value, Name string
	Indent      int // levels that it stands to the right
}

// Levels has one element for each level that the option stands to the right.
func (c choice) Levels() []struct{} { return make([]struct{}, c.Indent) }

// Chosen tells whether it is the value.
func (f *field) Chosen(c choice) bool { return f.Value == c.Value }

// DescribedBy names the elements that describe the field.
func (f *field) DescribedBy() string {
	var ids []string
	if f.Hint != "" {
		ids = append(ids, f.ID+"-hint")
	}
	if f.Problem != "" {
		ids = append(ids, f.ID+"-problem")
	}
	return strings.Join(ids, " ")
}

// As gives the field an id of its own where a page has two of its name.
func (f *field) As(prefix string) *field { f.ID = prefix + "-" + f.ID; return f }

// Area makes it a text of several lines.
func (f *field) Area() *field { f.Type = "area"; return f }

// Is sets an input's type.
func (f *field) Is(t string) *field { f.Type = t; return f }

// Max bounds its length in characters.
func (f *field) Max(n int) *field { f.Most = n; return f }

// Must marks it as needed.
func (f *field) Must() *field { f.Needed = true; return f }

// Auto sets what a password manager or browser may fill in.
func (f *field) Auto(s string) *field { f.Autocomplete = s; return f }

// Keys sets the keyboard that a phone offers.
func (f *field) Keys(s string) *field { f.Mode = s; return f }

// Of makes it a choice.
func (f *field) Of(c []choice) *field { f.Type, f.Choices = "choice", c; return f }

// Sample sets an example shown in the empty field.
func (f *field) Sample(s string) *field { f.Placeholder = s; return f }
