package daemon

import (
	"fmt"
	"os"
	"strings"

	"github.com/axlegate/axlegate/configs"
	"github.com/axlegate/axlegate/rules"
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
