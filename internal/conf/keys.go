package conf

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"
)

// Keys lists the keys at the top of a file, to tell what it configures before it is read strictly.
func Keys(path string) (map[string]bool, error) {
	raw, err := readBounded(path, MaxFile)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	file, err := parse(path, raw)
	if err != nil {
		return nil, err
	}
	doc, err := onlyDocument(path, file)
	if err != nil {
		return nil, err
	}
	var pairs []*ast.MappingValueNode
	switch n := doc.(type) {
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{n}
	}
	keys := map[string]bool{}
	for _, p := range pairs {
		keys[p.Key.GetToken().Value] = true
	}
	return keys, nil
}
