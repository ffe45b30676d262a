package daemon

import (
	"fmt"
	"os"
	"strings"

	"github.com/axlegate/axlegate/configs"
	"github.com/axlegate/axlegate/rules"
)

// ruleSet loads an embedded rule set by name, or a file when the name ends in .yaml.
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
