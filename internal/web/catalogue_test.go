package web

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

func TestTextsOfSeveralFilesAreOneCatalogueAndFaultsInThemAreNamed(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	for name, c := range map[string]struct {
		files fs.FS
		want  string // in the error; empty for none
	}{
		"one file a language": {fstest.MapFS{"zh.json": file(`{"x.a":"甲"}`), "en.json": file(`{"x.a":"a"}`)}, ""},
		"several files a language": {fstest.MapFS{
			"zh/a.json": file(`{"x.a":"甲"}`), "zh/b.json": file(`{"x.b":"乙"}`), "en/a.json": file(`{"x.a":"a","x.b":"b"}`),
		}, ""},
		"a key twice in one file":     {fstest.MapFS{"zh.json": file(`{"x.a":"甲","x.a":"乙"}`), "en.json": file(`{"x.a":"a"}`)}, `zh.json: key "x.a" is defined twice`},
		"a key in two files":          {fstest.MapFS{"zh/a.json": file(`{"x.a":"甲"}`), "zh/b.json": file(`{"x.a":"乙"}`), "en.json": file(`{"x.a":"a"}`)}, `zh/b.json: key "x.a" is defined twice`},
		"a number for a text":         {fstest.MapFS{"zh.json": file(`{"x.a":1}`), "en.json": file(`{"x.a":"a"}`)}, `key "x.a"`},
		"a list instead of an object": {fstest.MapFS{"zh.json": file(`["x"]`), "en.json": file(`{}`)}, "not an object"},
		"a file that ends too early":  {fstest.MapFS{"zh.json": file(`{"x.a":"甲"`), "en.json": file(`{"x.a":"a"}`)}, "zh.json"},
		"a language without a file":   {fstest.MapFS{"zh.json": file(`{}`)}, "neither en.json nor en/*.json"},
	} {
		_, err := NewCatalogue(c.files)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: error %v, want %q in it", name, err, c.want)
		}
	}
}
