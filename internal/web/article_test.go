package web

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// A finding is only as good as the article it names: an officer reads it in the page's language.
func TestEveryArticleOfTheShippedRulesHasItsChineseName(t *testing.T) {
	files, err := filepath.Glob("../../configs/rules/cn*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	c, err := NewCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	zh := c.Words(Chinese, time.UTC)
	// At the end of a line, quoted, or within braces.
	article := regexp.MustCompile(`(?m)^\s*article: ([^"\n]+)$|article: "([^"]+)"|\{[^}\n]*article: ([^,}"\n]+)[,}]`)
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range article.FindAllStringSubmatch(string(b), -1) {
			name := m[1] + m[2] + m[3]
			if zh.Article(name) == name {
				t.Errorf("%s: article %q has no text in texts/zh.json", f, name)
			}
		}
	}
	if got := zh.Article("Some Act s. 1"); got != "Some Act s. 1" {
		t.Errorf("an article that is not known becomes %q", got)
	}
}
