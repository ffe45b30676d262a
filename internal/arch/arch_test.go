package arch

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestTheSourcesKeepToTheImportTable(t *testing.T) {
	root, err := FindRoot(".")
	if err != nil {
		t.Fatal(err)
	}
	tree, err := Scan(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(tree.Rooms) < 20 {
		t.Fatalf("only %d rooms found below %s: the walk is broken", len(tree.Rooms), root)
	}
	table := House()
	for _, wrong := range table.Check(tree) {
		t.Error(wrong)
	}
}

// plant writes a small tree and checks it against a small table.
func plant(t *testing.T, files map[string]string) []string {
	t.Helper()
	root := t.TempDir()
	base := map[string]string{
		"go.mod":         "module example.org/m\n\ngo 1.26\n",
		"word/word.go":   "// Package word is the vocabulary.\npackage word\n",
		"store/store.go": "// Package store keeps words.\npackage store\n\nimport (\n\t_ \"database/sql\"\n\n\t_ \"example.org/m/word\"\n\t_ \"foreign.org/sqlite/lib\"\n)\n",
		"cmd/m/main.go":  "// Command m runs.\npackage main\n\nimport _ \"example.org/m/store\"\n\nfunc main() {}\n",
	}
	for name, text := range files {
		base[name] = text
	}
	for name, text := range base {
		if text == "" {
			continue
		}
		p := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := Scan(root)
	if err != nil {
		t.Fatal(err)
	}
	table := Table{
		Rooms: []Room{
			{Path: "word"},
			{Path: "store", Ours: []string{"word"}, Foreign: []string{"foreign.org/sqlite"}},
			{Path: "cmd/m", Ours: []string{"store"}},
		},
		Powers:   []Power{{Name: "SQL", Imports: []string{"database/sql", "foreign.org/sqlite"}, Rooms: []string{"store"}}},
		AnyTest:  []string{"foreign.org/rapid"},
		Timeless: []string{"word"},
	}
	return table.Check(tree)
}

func TestAPlantedFaultIsFound(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		want  []string // one for each finding, in order
	}{
		{"a clean tree has nothing to say", nil, nil},
		{
			"an arrow against the grain",
			map[string]string{"word/bad.go": "package word\n\nimport _ \"example.org/m/store\"\n"},
			[]string{"word: word imports store (word/bad.go), an arrow that is not in"},
		},
		{
			"an arrow behind a build constraint",
			map[string]string{"word/bad_plan9.go": "//go:build plan9\n\npackage word\n\nimport _ \"example.org/m/store\"\n"},
			[]string{"word: word imports store (word/bad_plan9.go)"},
		},
		{
			"a third-party module that nobody allowed",
			map[string]string{"word/bad.go": "package word\n\nimport _ \"foreign.org/queue\"\n"},
			[]string{"word: word imports foreign.org/queue"},
		},
		{
			"a module whose name only begins like an allowed one",
			map[string]string{"store/bad.go": "package store\n\nimport _ \"foreign.org/sqlite3\"\n"},
			[]string{"store: store imports foreign.org/sqlite3"},
		},
		{
			"C code",
			map[string]string{"word/bad.go": "package word\n\nimport \"C\"\n"},
			[]string{"word: word imports C"},
		},
		{
			"a test may use what tests may use and its own package",
			map[string]string{"word/word_test.go": "package word_test\n\nimport (\n\t_ \"example.org/m/word\"\n\t_ \"foreign.org/rapid\"\n)\n"},
			nil,
		},
		{
			"a test that reaches too far",
			map[string]string{"word/word_test.go": "package word\n\nimport _ \"example.org/m/store\"\n"},
			[]string{"word: a test of word imports store"},
		},
		{
			"a room that is not in the table",
			map[string]string{"attic/attic.go": "// Package attic is new.\npackage attic\n"},
			[]string{"attic: is not in the import table"},
		},
		{
			"a room that is gone",
			map[string]string{"cmd/m/main.go": ""},
			[]string{"cmd/m: is in the import table, but has no Go files"},
		},
		{
			"an arrow that is gone",
			map[string]string{"cmd/m/main.go": "// Command m runs.\npackage main\n\nfunc main() {}\n"},
			[]string{"cmd/m: the table allows store, which it no longer imports"},
		},
		{
			"a power in the wrong room, from the standard library",
			map[string]string{"word/bad.go": "package word\n\nimport _ \"database/sql\"\n"},
			[]string{"word: imports database/sql (word/bad.go): SQL belongs to store only"},
		},
		{
			"no package comment",
			map[string]string{"word/word.go": "package word\n"},
			[]string{"word: has no package comment"},
		},
		{
			"two package comments",
			map[string]string{"word/more.go": "// Package word again.\npackage word\n"},
			[]string{"word: has package comments in word/more.go and word/word.go"},
		},
		{
			"a comment that does not name its package",
			map[string]string{"word/word.go": "// Words.\npackage word\n"},
			[]string{`word: its comment must begin with "Package word "`},
		},
		{
			"the clock asked in a timeless room",
			map[string]string{"word/bad.go": "package word\n\nimport \"time\"\n\nvar T = time.Now()\n"},
			[]string{"word: word/bad.go:5: time.Now: this room is given the time"},
		},
		{
			"the clock under another name, as a value, below a timeless room",
			map[string]string{"word/bad.go": "package word\n\nimport clock \"time\"\n\nvar T = clock.Now\n"},
			[]string{"word: word/bad.go:5: time.Now"},
		},
		{
			"the clock imported with a dot",
			map[string]string{"word/bad.go": "package word\n\nimport . \"time\"\n\nvar T = Second\n"},
			[]string{"word: word/bad.go: time is imported with a dot"},
		},
		{
			"time as a word is no clock",
			map[string]string{"word/fine.go": "package word\n\nimport \"time\"\n\nvar T = time.Second\n"},
			nil,
		},
		{
			"testdata, hidden folders and other modules are not ours",
			map[string]string{
				"word/testdata/x.go": "package broken ((",
				".cache/x.go":        "package broken ((",
				"other/go.mod":       "module other\n",
				"other/x.go":         "package other\n",
			},
			nil,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := plant(t, c.files)
			ok := slices.EqualFunc(got, c.want, strings.HasPrefix)
			if !ok {
				t.Errorf("found:\n%s\nwant, each with more behind it:\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func TestARoomInTheTableTwiceIsFound(t *testing.T) {
	table := Table{Rooms: []Room{{Path: "a"}, {Path: "a"}}}
	tree := &Tree{Module: "m", Rooms: []*Source{{Path: "a", Name: "a", Comments: []string{"a/a.go"}, Opening: "Package a is."}}}
	if got := table.Check(tree); len(got) != 1 || !strings.Contains(got[0], "twice") {
		t.Errorf("found %q", got)
	}
}

func TestARoomThatProvesTheWholeMayLeanOnAllInTestsOnly(t *testing.T) {
	table := Table{Rooms: []Room{{Path: "a", Proves: true}}}
	source := &Source{Path: "a", Name: "a", Comments: []string{"a/a.go"}, Opening: "Package a is.", Tests: map[string][]string{"m/b": {"a/a_test.go"}}}
	tree := &Tree{Module: "m", Rooms: []*Source{source}}
	if got := table.Check(tree); len(got) != 0 {
		t.Errorf("found %q", got)
	}
	source.Imports = source.Tests
	if got := table.Check(tree); len(got) != 1 || !strings.Contains(got[0], "a imports b") {
		t.Errorf("found %q", got)
	}
}

func TestAFileThatDoesNotParseIsAnError(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module m\n", "x.go": "package ((\n"} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Scan(root); err == nil || !strings.Contains(err.Error(), "x.go") {
		t.Errorf("error %v, want one that names x.go", err)
	}
}
