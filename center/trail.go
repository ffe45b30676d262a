package center

import (
	"unicode/utf8"

	"github.com/axlegate/axlegate/wim"
)

// TrailQuery says which lines of the audit trail are asked for, newest first. Empty fields ask for any.
type TrailQuery struct {
	Login    string // exactly
	Action   string // exactly
	Subject  string // exactly, such as "matter 12"
	From, To wim.Time
	Before   int64 // only ids below; 0 from the newest
	Limit    int   // 1 to MaxTrail
}

// MaxTrail bounds how many lines are read at once.
const MaxTrail = 1000

// Validate tells what is wrong with a query: a *FieldError.
func (q *TrailQuery) Validate() error {
	for _, f := range []struct{ name, value string }{{"login", q.Login}, {"action", q.Action}, {"subject", q.Subject}} {
		switch {
		case utf8.RuneCountInString(f.value) > 2*MaxWord:
			return &FieldError{f.name, FieldTooLong}
		case !utf8.ValidString(f.value):
			return &FieldError{f.name, FieldControl}
		}
	}
	switch {
	case q.From < 0 || q.To < 0 || q.To != 0 && q.To <= q.From:
		return &FieldError{"to", FieldOutside}
	case q.Before < 0:
		return &FieldError{"before", FieldOutside}
	case q.Limit < 1 || q.Limit > MaxTrail:
		return &FieldError{"limit", FieldOutside}
	}
	return nil
}
