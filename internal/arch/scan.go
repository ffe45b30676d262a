// Package arch holds the import table of the tree and checks the sources against it: which room may lean on
// which, and which room alone has a power such as SQL, signing or HTML.
//
// It reads the source files themselves and never asks the go command, whose answers a test cache may serve
// stale. Files that a build constraint switches off are read like all others. It has no part in any program;
// its test is what runs.
package arch

import (
	"bufio"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
)

// Tree is what Scan found.
type Tree struct {
	Module string // as go.mod names it
	Rooms  []*Source
}

// Source is one folder with Go files.
type Source struct {
	Path     string              // from the module's root, "wim/seal"; "." is the root itself
	Imports  map[string][]string // import path → files, tests left out
	Tests    map[string][]string // likewise, of the test files only
	Comments []string            // files, tests left out, that carry a package comment
	Opening  string              // the first line of the last package comment found
	Name     string              // the package's name
	Clock    []string            // places outside tests that ask the time or wait: "wim/x.go:12: time.Now"
}

// FindRoot gives the folder of the go.mod at or above dir.
func FindRoot(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find go.mod: %w", err)
	}
	for {
		_, err := os.Stat(filepath.Join(dir, "go.mod"))
		if err == nil {
			return dir, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("find go.mod: %w", err)
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("find go.mod: there is none at or above this folder")
		}
		dir = up
	}
}

// Scan reads every Go file below root, except in folders that the go command skips too.
func Scan(root string) (*Tree, error) {
	module, err := moduleOf(filepath.Join(root, "go.mod"))
	if err != nil {
		return nil, err
	}
	rooms := map[string]*Source{}
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if p != root && skipped(p, d.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(d.Name(), ".go") || strings.HasPrefix(d.Name(), "_") || strings.HasPrefix(d.Name(), ".") {
			return nil
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		dir := path.Dir(rel)
		s := rooms[dir]
		if s == nil {
			s = &Source{Path: dir, Imports: map[string][]string{}, Tests: map[string][]string{}}
			rooms[dir] = s
		}
		return s.add(p, rel)
	})
	if err != nil {
		return nil, fmt.Errorf("read sources: %w", err)
	}
	t := &Tree{Module: module}
	for _, s := range rooms {
		t.Rooms = append(t.Rooms, s)
	}
	sort.Slice(t.Rooms, func(i, j int) bool { return t.Rooms[i].Path < t.Rooms[j].Path })
	return t, nil
}

func skipped(p, name string) bool {
	if name == "testdata" || name == "vendor" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
		return true
	}
	_, err := os.Stat(filepath.Join(p, "go.mod")) // a module of its own is not ours
	return err == nil
}

func moduleOf(gomod string) (name string, err error) {
	f, err := os.Open(gomod)
	if err != nil {
		return "", fmt.Errorf("read module name: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	s := bufio.NewScanner(f)
	for s.Scan() {
		if rest, ok := strings.CutPrefix(s.Text(), "module "); ok {
			return strings.TrimSpace(rest), nil
		}
	}
	if err := s.Err(); err != nil {
		return "", fmt.Errorf("read module name: %w", err)
	}
	return "", fmt.Errorf("%s names no module", gomod)
}

func (s *Source) add(file, rel string) error {
	fset := token.NewFileSet()
	// Imports alone would be enough for the arrows; the clock is found in the bodies.
	f, err := parser.ParseFile(fset, file, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	test := strings.HasSuffix(rel, "_test.go")
	into := s.Imports
	if test {
		into = s.Tests
	}
	for _, i := range f.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return fmt.Errorf("%s: import %s: %w", rel, i.Path.Value, err)
		}
		into[p] = append(into[p], rel)
	}
	if test {
		return nil
	}
	s.Name = f.Name.Name
	if f.Doc != nil {
		s.Comments = append(s.Comments, rel)
		s.Opening, _, _ = strings.Cut(f.Doc.Text(), "\n")
	}
	for _, place := range clock(fset, f) {
		s.Clock = append(s.Clock, rel+place)
	}
	return nil
}

// clock lists the places in which a file asks the time or waits for it, under whatever name it imports time.
func clock(fset *token.FileSet, f *ast.File) []string {
	name := ""
	for _, i := range f.Imports {
		if i.Path.Value != `"time"` {
			continue
		}
		name = "time"
		if i.Name != nil {
			name = i.Name.Name
		}
	}
	switch name {
	case "", "_":
		return nil
	case ".":
		return []string{": time is imported with a dot, which hides what asks the clock"}
	}
	var places []string
	ast.Inspect(f, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, ok := sel.X.(*ast.Ident)
		if !ok || x.Name != name {
			return true
		}
		switch sel.Sel.Name {
		case "Now", "Since", "Until", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick", "Sleep":
			places = append(places, fmt.Sprintf(":%d: time.%s", fset.Position(sel.Pos()).Line, sel.Sel.Name))
		}
		return true
	})
	return places
}
