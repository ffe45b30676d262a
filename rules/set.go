package rules

import (
	"errors"

	"github.com/axlegate/axlegate/wim"
)

// Version names the judging code. It changes whenever the same set and facts could give another verdict.
const Version = "1"

// Set is a compiled rule set. It is immutable: any number of goroutines may judge with it.
type Set struct {
	id     string
	digest wim.Digest
}

// Load compiles a rule set.
func Load(name string, yaml []byte) (*Set, error) {
	return nil, errors.New(name + ": the compiler of rule sets is not there yet")
}

// ID is the set's name, such as "cn-2016-62".
func (s *Set) ID() string { return s.id }

// Digest is the SHA-256 digest of the bytes that the set was loaded from.
func (s *Set) Digest() wim.Digest { return s.digest }

// Judge fills v with the verdict on f.
func (s *Set) Judge(f *wim.Facts, v *wim.Verdict) {
	v.RuleSet, v.Rules, v.Judge = s.id, s.digest, Version
	v.Opinions, v.Findings = v.Opinions[:0], v.Findings[:0]
}
