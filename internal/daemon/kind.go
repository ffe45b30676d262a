package daemon

import (
	"errors"
	"fmt"
	"os"

	"github.com/goccy/go-yaml"
)

// KindOf tells by its keys what a configuration file is for: "edge", "center" or "scenario".
func KindOf(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	var keys map[string]any
	if err := yaml.Unmarshal(b, &keys); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	has := func(k string) bool { _, ok := keys[k]; return ok }
	switch {
	case has("seed") || has("traffic"):
		return "scenario", nil
	case has("officers") || has("sites"):
		return "center", nil
	case has("lanes"):
		return "edge", nil
	}
	return "", errors.New("cannot tell what the file configures; say --kind edge, center or scenario")
}
