package center

import (
	"errors"
	"fmt"
	"slices"

	"github.com/axlegate/axlegate/wim"
)

// Scope is what a token may do, within what its officer may.
type Scope string

// The scopes.
const (
	ScopeMattersRead Scope = "matters:read"
	ScopeMattersAct  Scope = "matters:act"
	ScopeSitesRead   Scope = "sites:read"
	ScopeTrailRead   Scope = "trail:read"
)

// Scopes lists all scopes.
func Scopes() []Scope {
	return []Scope{ScopeMattersRead, ScopeMattersAct, ScopeSitesRead, ScopeTrailRead}
}

// Token lets a program act for an officer. The secret itself is shown once and never stored.
type Token struct {
	ID      int64
	Name    string // what it is for
	Login   string
	Scopes  []Scope
	Created wim.Time
	Expires wim.Time
	Used    wim.Time // about when it was last used, 0 for never
	Revoked wim.Time // 0 while it is good
}

// maxTokenName bounds the name of a token.
const maxTokenName = 100

// Valid tells what is wrong with a token that is to be made.
func (t *Token) Valid() error {
	if t.Name == "" || len(t.Name) > maxTokenName {
		return fmt.Errorf("token: a name of 1 to %d bytes says what it is for", maxTokenName)
	}
	if t.Login == "" {
		return errors.New("token: whom it acts for is missing")
	}
	if len(t.Scopes) == 0 {
		return errors.New("token: it has no scope")
	}
	for _, s := range t.Scopes {
		if !slices.Contains(Scopes(), s) {
			return fmt.Errorf("token: scope %q is not known", s)
		}
	}
	if t.Expires <= t.Created {
		return errors.New("token: it expires before it begins")
	}
	return nil
}

// Has tells whether the token has a scope.
func (t *Token) Has(s Scope) bool { return slices.Contains(t.Scopes, s) }
