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
	if strings.HasSuffix(name, ".yaml") {
		path := rel(dir, name)
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("rule set: %w", err)
		}
		return rules.Load(path, b)
	}
	b, err := configs.Rules(name)
	if err != nil {
		return nil, err
	}
	return rules.Load(name, b)
}
