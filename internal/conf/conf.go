// Package conf reads configuration files strictly: an unknown key, a wrong type, a key given twice, an
// anchor or an alias is refused with file, line, column and the nearest known key.
//
// It promises that what it accepts was understood whole. It sets no defaults and opens no file but the one
// it is given; each room owns and validates its own configuration.
package conf

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// MaxFile bounds a configuration file in bytes.
const MaxFile = 1 << 20

// maxSecret bounds a secret file in bytes.
const maxSecret = 4 << 10

// Error is a mistake in a configuration file. It prints as "file:line:column: message; hint".
type Error struct {
	File   string
	Line   int // from 1; 0 when the mistake has no place
	Column int
	Msg    string
	Hint   string
	Err    error // the cause, when there is one
}

// Error gives file, place, message and hint on one line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", e.Line, e.Column)
	}
	b.WriteString(": ")
	b.WriteString(e.Msg)
	if e.Hint != "" {
		b.WriteString("; ")
		b.WriteString(e.Hint)
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Decode reads one YAML document into a pointer to a struct whose fields carry yaml tags. name stands in
// errors. When into has a method Validate() error, it is called last.
func Decode(name string, data []byte, into any) error {
	if len(data) > MaxFile {
		return &Error{File: name, Msg: fmt.Sprintf("%d bytes, at most %d are allowed", len(data), MaxFile)}
	}
	file, err := parse(name, data)
	if err != nil {
		return err
	}
	doc, err := onlyDocument(name, file)
	if err != nil {
		return err
	}
	if err := checkNode(name, doc, into); err != nil {
		return err
	}
	if err := fill(name, doc, into); err != nil {
		return err
	}
	v, ok := into.(interface{ Validate() error })
	if !ok {
		return nil
	}
	err = v.Validate()
	var placed *Error
	if err == nil || errors.As(err, &placed) && placed.File == name {
		return err
	}
	return &Error{File: name, Msg: err.Error(), Err: err}
}

// fill puts the document's values into into. The library's panics are errors here, as in parse.
func fill(name string, doc ast.Node, into any) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &Error{File: name, Msg: fmt.Sprintf("cannot be read as YAML: %v", p)}
		}
	}()
	if err := yaml.NodeToValue(doc, into, yaml.Strict()); err != nil {
		return placed(name, err)
	}
	return nil
}

// Load reads a file as Decode does and returns its bytes too, for a digest of the active configuration.
func Load(path string, into any) ([]byte, error) {
	raw, err := readBounded(path, MaxFile)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return raw, Decode(path, raw, into)
}

// Secret reads a secret from a file that only its owner may read: a password, a token. A newline at the
// end is not part of it.
func Secret(path string) (string, error) {
	st, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("secret: %w; create it with mode 0600", err)
	}
	if st.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("secret %s has mode %04o: others may read it; run: chmod 600 %s", path, st.Mode().Perm(), path)
	}
	b, err := readBounded(path, maxSecret)
	if err != nil {
		return "", fmt.Errorf("secret: %w", err)
	}
	s := strings.TrimRight(string(b), "\r\n")
	if s == "" {
		return "", fmt.Errorf("secret %s is empty", path)
	}
	return s, nil
}

func readBounded(path string, limit int64) (b []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	b, err = io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%s has more than %d bytes", path, limit)
	}
	return b, nil
}

func parse(name string, data []byte) (f *ast.File, err error) {
	// The parser is fed files that people edit; a panic in it must not take a daemon down.
	defer func() {
		if p := recover(); p != nil {
			f, err = nil, &Error{File: name, Msg: fmt.Sprintf("cannot be read as YAML: %v", p)}
		}
	}()
	tokens := lexer.Tokenize(string(data))
	if err := checkNesting(name, tokens); err != nil {
		return nil, err
	}
	f, err = parser.Parse(tokens, 0)
	if err != nil {
		return nil, placed(name, err)
	}
	return f, nil
}

func onlyDocument(name string, f *ast.File) (ast.Node, error) {
	var doc ast.Node
	for _, d := range f.Docs {
		if d.Body == nil {
			continue
		}
		if doc != nil {
			return nil, at(name, d.Body.GetToken(), "a second document", "keep one document in a file")
		}
		doc = d.Body
	}
	if doc == nil {
		return nil, &Error{File: name, Msg: "the file is empty", Hint: "see configs/samples for one to start from"}
	}
	return doc, nil
}

func at(name string, t *token.Token, msg, hint string) *Error {
	e := &Error{File: name, Msg: msg, Hint: hint}
	if t != nil && t.Position != nil {
		e.Line, e.Column = t.Position.Line, t.Position.Column
	}
	return e
}

// placed turns an error of the YAML library into ours, with its place.
func placed(name string, err error) error {
	var ye yaml.Error
	if errors.As(err, &ye) {
		e := at(name, ye.GetToken(), ye.GetMessage(), "")
		e.Err = err
		return e
	}
	return &Error{File: name, Msg: err.Error(), Err: err}
}
