package legal_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/internal/legal"
	"github.com/axlegate/axlegate/wim"
)

var update = flag.Bool("update", false, "rewrite legal.sum; in a release raise legal.Version with it")

// Every source file of the legally relevant packages, and every module that they are built with, is what
// legal.sum says. Whoever changes one of them on purpose writes the list anew and, before a release, raises
// the version: a certificate names both.
func TestTheLegallyRelevantSourcesAreThoseThatAreListed(t *testing.T) {
	root := filepath.Join("..", "..")
	var want bytes.Buffer
	fmt.Fprintf(&want, "# Legally relevant software of Axlegate, version %s. Lines with # name the modules that it is built with.\n", legal.Version)
	for _, l := range modules(t, root) {
		fmt.Fprintf(&want, "# %s\n", l)
	}
	for _, dir := range legal.Packages() {
		files, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(files)
		n := 0
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&want, "%x  %s\n", sha256.Sum256(b), filepath.ToSlash(filepath.Join(dir, filepath.Base(f))))
			n++
		}
		if n == 0 {
			t.Errorf("%s: no sources", dir)
		}
	}
	if *update {
		if err := os.WriteFile("legal.sum", want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile("legal.sum")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want.Bytes()) {
		t.Errorf("legally relevant sources are not those in legal.sum: %s\nif the change is meant, run: go test ./internal/legal -update; and raise legal.Version before the release",
			firstDifference(have, want.Bytes()))
	}
	if !*update && legal.Digest() != wim.DigestOf(have) {
		t.Error("the digest is not that of the list")
	}
}

func firstDifference(have, want []byte) string {
	h, w := strings.Split(string(have), "\n"), strings.Split(string(want), "\n")
	for i := range w {
		if i >= len(h) || h[i] != w[i] {
			return w[i]
		}
	}
	return "a line too many"
}

// modules are the modules that the packages are built with, as go.sum names them.
func modules(t *testing.T, root string) []string {
	t.Helper()
	args := []string{"list", "-deps", "-json=Standard,Module"}
	for _, p := range legal.Packages() {
		args = append(args, "./"+p)
	}
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64") // one list for whoever looks
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			Standard bool
			Module   *struct {
				Path, Version string
				Main          bool
			}
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if p.Standard || p.Module == nil || p.Module.Main {
			continue
		}
		head := p.Module.Path + " " + p.Module.Version + " "
		for l := range strings.SplitSeq(string(sums), "\n") {
			if strings.HasPrefix(l, head) {
				found = append(found, l)
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}
