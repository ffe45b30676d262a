package conf

import (
	"github.com/goccy/go-yaml"
)

// Fault is a mistake that only the file's owner can see, at the place of a YAML path such as
// "$.limits[3].value". Where the path does not exist, the nearest part of it that does gives the place.
func Fault(name string, data []byte, path, msg, hint string) *Error {
	e := &Error{File: name, Msg: msg, Hint: hint}
	file, err := parse(name, data)
	if err != nil {
		return e
	}
	for ; len(path) > 1; path = parent(path) {
		p, err := yaml.PathString(path)
		if err != nil {
			continue
		}
		n, err := p.FilterFile(file)
		if err != nil || n == nil {
			continue
		}
		return at(name, n.GetToken(), msg, hint)
	}
	return e
}

// parent cuts the last key or index off a YAML path.
func parent(path string) string {
	for i := len(path) - 1; i > 0; i-- {
		if path[i] == '.' || path[i] == '[' {
			return path[:i]
		}
	}
	return "$"
}
