package store

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/axlegate/axlegate/wim"
)

func TestAStatementTakesTheFormOfItsDatabase(t *testing.T) {
	for _, c := range []struct{ name, text, sqlite, postgres string }{
		{"parameters are numbered", `INSERT INTO x VALUES (?, ?)`, `INSERT INTO x VALUES (?, ?)`, `INSERT INTO x VALUES ($1, $2)`},
		{"more than nine of them", strings.Repeat("?", 11), strings.Repeat("?", 11), `$1$2$3$4$5$6$7$8$9$10$11`},
		{"a mark within quotes is text", `SELECT '?', ?, 'it''s ?'`, `SELECT '?', ?, 'it''s ?'`, `SELECT '?', $1, 'it''s ?'`},
		{"rows are held where two may write", `SELECT a FROM b WHERE c = ? FOR UPDATE`, `SELECT a FROM b WHERE c = ?`, `SELECT a FROM b WHERE c = $1 FOR UPDATE`},
	} {
		if got := sqliteDialect.text(c.text); got != c.sqlite {
			t.Errorf("%s: SQLite: %s", c.name, got)
		}
		if got := postgresDialect.text(c.text); got != c.postgres {
			t.Errorf("%s: PostgreSQL: %s", c.name, got)
		}
	}
}

func TestPropertyTextThatWasCleanedIsNeverRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
		_, err := bind([]any{s})
		if holds := utf8.ValidString(s) && !strings.Contains(s, "\x00"); holds != (err == nil) || err != nil && !errors.Is(err, ErrRefused) {
			t.Fatalf("%q: %v", s, err)
		} else if holds && clean(s) != s {
			t.Fatalf("%q became %q", s, clean(s))
		}
		most := rapid.IntRange(0, 40).Draw(t, "most")
		cut := clip(clean(s), most)
		if _, err := bind([]any{cut}); err != nil || len(cut) > most || !strings.HasPrefix(clean(s), cut) {
			t.Fatalf("%q of %q: %v", cut, s, err)
		}
	})
}

func TestPropertyMonthsAndIntakeNumbersFitEachOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := month(rapid.IntRange(0, 12*200).Draw(t, "month"))
		n := rapid.Int64Range(1, 1<<monthBits-1).Draw(t, "number")
		if inMonth(firstOf(m)+n) != m || firstOf(m)+n >= firstOf(m+1) {
			t.Fatalf("month %d, number %d", m, n)
		}
		begin := m.begin()
		if begin.Day() != 1 || monthOf(wim.TimeOf(begin)) != m || monthOf(wim.TimeOf(begin.AddDate(0, 1, 0).Add(-1))) != m {
			t.Fatalf("month %d begins %s", m, begin)
		}
	})
}
