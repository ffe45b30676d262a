package conf

import (
	"encoding"
	"fmt"
	"reflect"
	"sort"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// maxDepth bounds nesting; no configuration of ours goes deeper than eight levels.
const maxDepth = 64

// checkNesting refuses a document before the parser sees it when its brackets or dashes nest deeper than any
// file of ours: the parser recurses, and its time grows faster than the depth.
func checkNesting(name string, tokens token.Tokens) error {
	flow, dashes, line := 0, 0, 0
	for _, t := range tokens {
		if t.Position != nil && t.Position.Line != line {
			dashes, line = 0, t.Position.Line
		}
		switch t.Type { //nolint:exhaustive // only these nest within a line
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow--
		case token.SequenceEntryType, token.MappingKeyType:
			dashes++
		}
		if flow > maxDepth || dashes > maxDepth {
			return at(name, t, "nested too deep", "")
		}
	}
	return nil
}

// checkNode walks the document beside the type it is for and refuses the first key that has no field. The
// library would refuse it too, but cannot name the nearest key that exists.
func checkNode(name string, doc ast.Node, into any) error {
	t := reflect.TypeOf(into)
	if t == nil || t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct {
		return fmt.Errorf("conf: decode into %T, want a pointer to a struct", into)
	}
	if doc.Type() != ast.MappingType && doc.Type() != ast.MappingValueType {
		return at(name, doc.GetToken(), "want keys and values at the top", "")
	}
	return walk(name, doc, t, 0)
}

func walk(name string, n ast.Node, t reflect.Type, depth int) error {
	if depth > maxDepth {
		return at(name, n.GetToken(), "nested too deep", "")
	}
	switch n := n.(type) {
	case *ast.AnchorNode:
		return at(name, n.GetToken(), "anchors are not allowed", "write the value out; a reader must see it where it stands")
	case *ast.AliasNode:
		return at(name, n.GetToken(), "aliases are not allowed", "write the value out; a reader must see it where it stands")
	case *ast.TagNode:
		return at(name, n.GetToken(), "tags are not allowed", "")
	case *ast.MappingValueNode:
		return walkKeys(name, []*ast.MappingValueNode{n}, t, depth)
	case *ast.MappingNode:
		return walkKeys(name, n.Values, t, depth)
	case *ast.SequenceNode:
		elem := elemOf(t)
		for _, v := range n.Values {
			if err := walk(name, v, elem, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

func walkKeys(name string, pairs []*ast.MappingValueNode, t reflect.Type, depth int) error {
	t = strip(t)
	var fields map[string]reflect.Type
	if t != nil && t.Kind() == reflect.Struct && !decodesItself(t) {
		fields = map[string]reflect.Type{}
		collect(t, fields)
	}
	for _, p := range pairs {
		if p.Key.IsMergeKey() {
			return at(name, p.Key.GetToken(), "merge keys are not allowed", "write the values out")
		}
		key := p.Key.GetToken().Value
		next := elemOf(t)
		if fields != nil {
			ft, ok := fields[key]
			if !ok {
				return at(name, p.Key.GetToken(), fmt.Sprintf("unknown key %q", key), hint(key, fields))
			}
			next = ft
		}
		if err := walk(name, p.Value, next, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// collect lists the keys of a struct as the library names them: the yaml tag, or the lower-case name.
func collect(t reflect.Type, into map[string]reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag, opts, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case tag == "-":
		case f.Anonymous && strings.Contains(opts, "inline"), f.Anonymous && tag == "" && strip(f.Type).Kind() == reflect.Struct:
			collect(strip(f.Type), into)
		case !f.IsExported():
		case tag == "":
			into[strings.ToLower(f.Name)] = f.Type
		default:
			into[tag] = f.Type
		}
	}
}

func strip(t reflect.Type) reflect.Type {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

func elemOf(t reflect.Type) reflect.Type {
	t = strip(t)
	if t == nil {
		return nil
	}
	switch t.Kind() { //nolint:exhaustive // only containers have elements
	case reflect.Slice, reflect.Array, reflect.Map:
		return t.Elem()
	}
	return nil
}

// decodesItself tells whether a type reads its own text, so that its fields are no keys.
func decodesItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	for _, i := range []reflect.Type{
		reflect.TypeFor[encoding.TextUnmarshaler](), reflect.TypeFor[yaml.BytesUnmarshaler](), reflect.TypeFor[yaml.InterfaceUnmarshaler](),
	} {
		if p.Implements(i) {
			return true
		}
	}
	return false
}

func hint(key string, fields map[string]reflect.Type) string {
	known := make([]string, 0, len(fields))
	for k := range fields {
		known = append(known, k)
	}
	sort.Strings(known)
	best, dist := "", len(key)/2+2
	for _, k := range known {
		if d := distance(key, k); d < dist {
			best, dist = k, d
		}
	}
	all := "known here: " + strings.Join(known, ", ")
	if best != "" {
		return fmt.Sprintf("did you mean %q? %s", best, all)
	}
	return all
}

// distance is the number of single-character edits between a and b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diag := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diag
			if a[i] != b[j] {
				cost = 1 + min(diag, row[j], row[j+1])
			}
			diag, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
