package daemon

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/axlegate/axlegate/configs"
	"github.com/axlegate/axlegate/rules"
	"github.com/axlegate/axlegate/wim"
)

// RuleSet loads an embedded rule set by name, or a file when the name ends in .yaml.
func RuleSet(name string) (*rules.Set, error) { return ruleSet("", name) }

// ruleSet is RuleSet for a file named from a folder.
func ruleSet(dir, name string) (*rules.Set, error) {
	name, b, err := ruleText(dir, name)
	if err != nil {
		return nil, err
	}
	return rules.Load(name, b)
}

// ruleText gives the bytes of a rule set, and the name that stands in errors.
func ruleText(dir, name string) (string, []byte, error) {
	if !strings.HasSuffix(name, ".yaml") {
		b, err := configs.Rules(name)
		return name, b, err
	}
	path := rel(dir, name)
	b, err := os.ReadFile(path)
	if err != nil {
		return path, nil, fmt.Errorf("rule set: %w", err)
	}
	return path, b, nil
}

// shelf is the rule sets by which a centre judges again: those of its configuration, and those that were sent down.
type shelf struct {
	configured map[wim.Digest]*rules.Set
	kept       func(ctx context.Context, d wim.Digest) ([]byte, error) // center.ErrNotFound for one that is not

	mu   sync.Mutex
	sent map[wim.Digest]*rules.Set
}

// find gives a rule set by its digest; ok is false for one that is not here, or not now.
func (s *shelf) find(d wim.Digest) (set *rules.Set, ok bool) {
	if set, ok := s.configured[d]; ok {
		return set, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if set, ok := s.sent[d]; ok {
		return set, true
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	b, err := s.kept(ctx, d)
	if err != nil {
		return nil, false // it is asked for again
	}
	if set, err = rules.Load("sent down", b); err != nil {
		return nil, false
	}
	if s.sent == nil {
		s.sent = map[wim.Digest]*rules.Set{}
	}
	s.sent[d] = set
	return set, true
}
