package arch

import (
	"fmt"
	"sort"
	"strings"
)

// Room says what one folder may import. What is not named is refused; what is named and not used is refused
// too, so that the table is the picture of the tree and not of an intention.
type Room struct {
	Path    string
	Ours    []string // rooms of this module
	Foreign []string // third-party modules; packages below them are included
	// Tests are rooms and modules that its test files need beyond Ours and Foreign. Test files have a laxer
	// table on purpose: a test may lean on the far end of a wire to prove the near one.
	Tests []string
	// Proves marks a room that has only tests and proves the whole: its tests may import anything, and a list
	// of arrows would protect nothing.
	Proves bool
	// Why gives the reason for an arrow that a reader would not expect.
	Why string
}

// Power is something that few rooms may do.
type Power struct {
	Name    string
	Imports []string // packages or modules that give it
	Rooms   []string // who has it, outside tests; all of them must use it
}

// Table is all that Check holds the sources against.
type Table struct {
	Rooms  []Room
	Powers []Power
	// AnyTest are modules that any test may import.
	AnyTest []string
	// Timeless are rooms, with all below them, that may not ask the clock.
	Timeless []string
}

// Check lists every place in which tree and table differ, in order of path.
func (t *Table) Check(tree *Tree) []string {
	c := checker{table: t, tree: tree, rooms: map[string]*Room{}}
	for i := range t.Rooms {
		r := &t.Rooms[i]
		if c.rooms[r.Path] != nil {
			c.say("%s: stands in the import table twice", r.Path)
		}
		c.rooms[r.Path] = r
	}
	seen := map[string]bool{}
	for _, s := range tree.Rooms {
		seen[s.Path] = true
		r := c.rooms[s.Path]
		if r == nil {
			c.say("%s: is not in the import table; add it to internal/arch/table.go with the arrows it needs", s.Path)
			continue
		}
		c.comments(s)
		c.arrows(s, r)
		c.clock(s)
	}
	for p := range c.rooms {
		if !seen[p] {
			c.say("%s: is in the import table, but has no Go files", p)
		}
	}
	for i := range t.Powers {
		c.power(&t.Powers[i])
	}
	sort.Strings(c.found)
	return c.found
}

type checker struct {
	table *Table
	tree  *Tree
	rooms map[string]*Room
	found []string
}

func (c *checker) say(format string, args ...any) {
	c.found = append(c.found, fmt.Sprintf(format, args...))
}

func (c *checker) comments(s *Source) {
	switch {
	case s.Name == "": // test files only
	case len(s.Comments) == 0:
		c.say("%s: has no package comment; say what it is for, what it promises and what it never does", s.Path)
		return
	case len(s.Comments) > 1:
		c.say("%s: has package comments in %s; keep one", s.Path, strings.Join(s.Comments, " and "))
		return
	case s.Name == "main":
		want := "Command " + last(s.Path) + " "
		if !strings.HasPrefix(s.Opening, want) {
			c.say("%s: its comment must begin with %q", s.Path, want)
		}
	default:
		want := "Package " + s.Name + " "
		if !strings.HasPrefix(s.Opening, want) {
			c.say("%s: its comment must begin with %q", s.Path, want)
		}
	}
}

func (c *checker) arrows(s *Source, r *Room) {
	used := map[string]bool{}
	c.files(s.Imports, used, append(append([]string{}, r.Ours...), r.Foreign...), s.Path, "")
	for _, p := range append(append([]string{}, r.Ours...), r.Foreign...) {
		if !used[p] {
			c.say("%s: the table allows %s, which it no longer imports; take the arrow out", s.Path, p)
		}
	}
	if r.Proves {
		return
	}
	used = map[string]bool{}
	all := append(append(append([]string{}, r.Ours...), r.Foreign...), r.Tests...)
	c.files(s.Tests, used, append(append(all, s.Path), c.table.AnyTest...), s.Path, "a test of ")
	for _, p := range r.Tests {
		if !used[p] {
			c.say("%s: the table allows its tests %s, which they no longer import; take the arrow out", s.Path, p)
		}
	}
}

// files compares imports with what is allowed and notes in used which allowances were needed.
func (c *checker) files(imports map[string][]string, used map[string]bool, allowed []string, room, what string) {
	for imp, files := range imports {
		name, ours := c.ours(imp)
		if !ours && !foreign(imp) {
			continue
		}
		ok := false
		for _, a := range allowed {
			if ours && name == a || !ours && within(imp, a) {
				used[a], ok = true, true
			}
		}
		if !ok {
			c.say("%s: %s%s imports %s (%s), an arrow that is not in internal/arch/table.go", room, what, room, name, strings.Join(files, ", "))
		}
	}
}

func (c *checker) clock(s *Source) {
	for _, t := range c.table.Timeless {
		if !within(s.Path, t) {
			continue
		}
		for _, place := range s.Clock {
			c.say("%s: %s: this room is given the time and never asks for it", s.Path, place)
		}
	}
}

func (c *checker) power(p *Power) {
	has := map[string]bool{}
	for _, r := range p.Rooms {
		has[r] = false
	}
	for _, s := range c.tree.Rooms {
		for imp, files := range s.Imports {
			for _, banned := range p.Imports {
				if !within(imp, banned) {
					continue
				}
				if _, ok := has[s.Path]; !ok {
					c.say("%s: imports %s (%s): %s belongs to %s only", s.Path, imp, strings.Join(files, ", "), p.Name, strings.Join(p.Rooms, ", "))
				}
				has[s.Path] = true
			}
		}
	}
	for r, uses := range has {
		if !uses {
			c.say("%s: the table gives it %s, which it does not use", r, p.Name)
		}
	}
}

// ours gives the path inside this module, or the import path itself.
func (c *checker) ours(imp string) (string, bool) {
	if imp == c.tree.Module {
		return ".", true
	}
	if rest, ok := strings.CutPrefix(imp, c.tree.Module+"/"); ok {
		return rest, true
	}
	return imp, false
}

// foreign tells third-party imports from the standard library: their first element is a host name. "C" is
// neither ours nor allowed anywhere.
func foreign(imp string) bool {
	first, _, _ := strings.Cut(imp, "/")
	return strings.Contains(first, ".") || imp == "C"
}

func within(p, prefix string) bool { return p == prefix || strings.HasPrefix(p, prefix+"/") }

func last(p string) string { return p[strings.LastIndexByte(p, '/')+1:] }
