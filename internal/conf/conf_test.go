package conf

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

type inner struct {
	Path string   `yaml:"path"`
	Baud int      `yaml:"baud"`
	Wait Duration `yaml:"wait"`
}

type outer struct {
	Site   string           `yaml:"site"`
	Scale  inner            `yaml:"scale"`
	Sign   *inner           `yaml:"sign"`
	Lanes  []inner          `yaml:"lanes"`
	ByName map[string]inner `yaml:"by_name"`

	hidden string
}

func (o *outer) Validate() error {
	if o.Site == "bad" {
		return errors.New("site is bad")
	}
	o.hidden = o.Site
	return nil
}

func TestAMistakeIsNamedWithItsPlace(t *testing.T) {
	for _, c := range []struct{ name, yaml, want string }{
		{"a typo at the top", "site: a\nscael: {}\n", `f.yaml:2:1: unknown key "scael"; did you mean "scale"? known here: by_name, lanes, scale, sign, site`},
		{"a typo inside", "scale:\n  path: x\n  buad: 9600\n", `f.yaml:3:3: unknown key "buad"; did you mean "baud"?`},
		{"a typo behind a pointer", "sign:\n  pth: x\n", `did you mean "path"?`},
		{"a typo in a list", "lanes:\n  - path: x\n  - paths: x\n", `f.yaml:3:5: unknown key "paths"`},
		{"a typo in a map", "by_name:\n  one:\n    pfad: x\n", `f.yaml:3:5: unknown key "pfad"`},
		{"a typo in flow style", "scale: {path: x, bad: 1}\n", `unknown key "bad"; did you mean "baud"?`},
		{"nothing like it", "zzzzzzzzzz: 1\n", "known here: by_name, lanes, scale, sign, site"},
		{"a word where a number belongs", "scale:\n  baud: fast\n", "f.yaml:2:9:"},
		{"a duration without a unit", "scale:\n  wait: 5\n", "write it as 500ms"},
		{"a negative duration", "scale:\n  wait: -5s\n", "cannot be negative"},
		{"a key given twice", "site: a\nsite: b\n", "f.yaml:2:1:"},
		{"an alias", "scale: &x {path: a}\nsign: *x\n", "anchors are not allowed"},
		{"a list at the top", "- a\n", "want keys and values"},
		{"an empty file", "# nothing\n", "the file is empty"},
		{"two documents", "site: a\n---\nsite: b\n", "second document"},
		{"broken YAML", "site: [a\n", "f.yaml:"},
		{"a value that does not make sense", "site: bad\n", "f.yaml: site is bad"},
		{"brackets without end", "site: " + strings.Repeat("[", 1<<19), "f.yaml:1:71: nested too deep"},
		{"maps in maps without end", "site: " + strings.Repeat("{a: ", 1<<17), "nested too deep"},
		{"dashes without end", "lanes:\n  " + strings.Repeat("- ", 1<<18), "f.yaml:2:131: nested too deep"},
		{"too large", "site: " + strings.Repeat("x", MaxFile), "at most"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var o outer
			err := Decode("f.yaml", []byte(c.yaml), &o)
			var ce *Error
			if err == nil || !errors.As(err, &ce) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestAGoodFileIsReadWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "good.yaml")
	text := "site: a\nscale: {path: /dev/x, baud: 9600, wait: 1.5s}\nlanes:\n  - path: y\nby_name:\n  one: {baud: 1}\n"
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	var o outer
	raw, err := Load(path, &o)
	if err != nil || string(raw) != text {
		t.Fatal(err)
	}
	if o.Scale.Wait.Std() != 1500*time.Millisecond || o.Lanes[0].Path != "y" || o.ByName["one"].Baud != 1 || o.hidden != "a" {
		t.Errorf("have %+v", o)
	}
	if o.Lanes[0].Wait.Or(time.Second) != time.Second {
		t.Error("a span that was not written has no default")
	}
}

func TestASecretMustBeSecret(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	if err := os.WriteFile(path, []byte("word\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := Secret(path); err != nil || s != "word" {
		t.Errorf("%q, %v", s, err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Secret(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a secret that others may read: %v", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, text, want string }{{"empty", "\n", "is empty"}, {"endless", strings.Repeat("x", maxSecret+1), "more than"}} {
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Secret(path); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("site: a\nscale: {path: x}\n"))
	f.Add([]byte("lanes:\n  - &a {path: x}\n  - *a\n"))
	f.Add([]byte("? [a]\n: b\n<<: {x: y}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var o outer
		if err := Decode("f.yaml", b, &o); err != nil {
			var ce *Error
			if !errors.As(err, &ce) {
				t.Errorf("an error without a place: %v", err)
			}
		}
	})
}
