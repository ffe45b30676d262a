package store

import (
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// dialect names the database under a store.
type dialect string

const (
	sqliteDialect   dialect = "sqlite"
	postgresDialect dialect = "postgres"
)

// text gives a statement of this package the form that its database takes.
func (d dialect) text(q string) string {
	if d == postgresDialect {
		return numbered(q)
	}
	return strings.TrimSuffix(q, forUpdate)
}

// forUpdate ends a statement that holds the rows it reads until the transaction ends. SQLite has one writer
// at a time and does not know the words.
const forUpdate = " FOR UPDATE"

// numbered turns each ? outside of quotes into $1, $2 and so on.
func numbered(q string) string {
	var b strings.Builder
	b.Grow(len(q) + 16)
	quoted, n := false, 0
	for i := range len(q) {
		switch c := q[i]; {
		case c == '\'':
			quoted = !quoted
			b.WriteByte(c)
		case c == '?' && !quoted:
			n++
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// bind gives values the form in which both databases hold them: truth as 0 or 1. Text that PostgreSQL could
// not hold is refused by both, so that neither knows what the other does not; text that may quote what
// somebody sent goes through clean first.
func bind(args []any) ([]any, error) {
	for i, a := range args {
		switch v := a.(type) {
		case bool:
			args[i] = int64(0)
			if v {
				args[i] = int64(1)
			}
		case string:
			if strings.IndexByte(v, 0) >= 0 || !utf8.ValidString(v) {
				return nil, fmt.Errorf("%w: text that is not UTF-8 or has a NUL in it: %q", ErrRefused, clip(v, 64))
			}
		}
	}
	return args, nil
}

// clean makes text that quotes what somebody sent fit to be stored: a NUL and what is not UTF-8 become the
// replacement character.
func clean(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\ufffd"), "\ufffd")
}

// clip shortens text to so many bytes without leaving half a character.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

// failed is a row of a statement that was not sent.
type failed struct{ err error }

// Scan returns why.
func (f failed) Scan(...any) error { return f.err }

// scanner is one row, as (*sql.Row) is.
type scanner interface{ Scan(dest ...any) error }

var _ scanner = (*sql.Row)(nil)
