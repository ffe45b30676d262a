package arch

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What no test reads goes stale: these hold the pages against the tree.

func pages(t *testing.T) (root string, text map[string]string) {
	t.Helper()
	root, err := FindRoot(".")
	if err != nil {
		t.Fatal(err)
	}
	text = map[string]string{}
	walk(t, root, ".md", func(rel string, b []byte) { text[rel] = string(b) })
	if len(text) < 10 {
		t.Fatalf("only %d pages found below %s: the walk is broken", len(text), root)
	}
	return root, text
}

func walk(t *testing.T, root, suffix string, each func(rel string, b []byte)) {
	t.Helper()
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if p != root && (skipped(p, d.Name()) || strings.HasPrefix(d.Name(), "axlegate-demo")) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(d.Name(), suffix) {
			return nil
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		each(filepath.ToSlash(rel), b)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEveryLinkBetweenPagesLeadsSomewhere(t *testing.T) {
	root, text := pages(t)
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for page, s := range text {
		for _, m := range link.FindAllStringSubmatch(s, -1) {
			target, _, _ := strings.Cut(m[1], "#")
			if target == "" || strings.Contains(target, "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(root, filepath.Dir(page), target)); err != nil {
				t.Errorf("%s links to %s, which is not there", page, target)
			}
		}
	}
}

func TestEveryTestThatAPageNamesExists(t *testing.T) {
	root, text := pages(t)
	exists := map[string]bool{}
	define := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`)
	walk(t, root, "_test.go", func(_ string, b []byte) {
		for _, m := range define.FindAllSubmatch(b, -1) {
			exists[string(m[1])] = true
		}
	})
	name := regexp.MustCompile(`\b(?:Test|Fuzz|Benchmark)[A-Z]\w+`)
	for page, s := range text {
		for _, n := range name.FindAllString(s, -1) {
			if !exists[n] {
				t.Errorf("%s names %s, which no test file has", page, n)
			}
		}
	}
}

func TestEveryTargetThatAPageNamesExists(t *testing.T) {
	root, text := pages(t)
	b, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	makefile := string(b)
	target := regexp.MustCompile("(?:`|    )make ([a-z0-9]+)")
	for page, s := range text {
		for _, m := range target.FindAllStringSubmatch(s, -1) {
			if !strings.Contains(makefile, "\n"+m[1]+":") {
				t.Errorf("%s says make %s, a target that the Makefile does not have", page, m[1])
			}
		}
	}
}

func TestEveryRoomIsIntroduced(t *testing.T) {
	_, text := pages(t)
	page := text["docs/architecture.md"]
	house := House()
	for _, r := range house.Rooms {
		if !strings.Contains(page, "`"+r.Path+"`") && !strings.HasPrefix(r.Path, "cmd/") {
			t.Errorf("docs/architecture.md does not introduce %s", r.Path)
		}
	}
}

func TestDecisionsAreNumberedWithoutHolesAndListed(t *testing.T) {
	_, text := pages(t)
	var files []string
	for page := range text {
		if rest, ok := strings.CutPrefix(page, "docs/adr/"); ok && rest != "README.md" {
			files = append(files, rest)
		}
	}
	slices.Sort(files)
	for i, f := range files {
		if want := fmt.Sprintf("%04d", i+1); !strings.HasPrefix(f, want+"-") {
			t.Errorf("docs/adr/%s: the next decision has number %s", f, want)
		}
		if !strings.Contains(text["docs/adr/README.md"], "("+f+")") {
			t.Errorf("docs/adr/README.md does not list %s", f)
		}
	}
}
