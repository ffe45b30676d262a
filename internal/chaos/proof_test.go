package chaos

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var proofFlag = flag.Bool("proof", false, "build the daemons with each planted bug and want a run to find it")

// bug is one that a run must find: a few words of a source, and what stands there instead.
type bug struct {
	name   string
	file   string
	words  string
	become string
	run    []string // flags of the run
}

func bugs() []bug {
	return []bug{
		{
			name: "a site does not send again what a restored centre has lost",
			file: "edge/journal/receipt.go", words: "if r.Epoch == c.epoch && r.Seq <= c.receipted {", become: "if r.Seq <= c.receipted {",
			run: []string{"-seed=2", "-minutes=1", "-form=single", "-patience=20s"},
		},
		{
			name: "a site that was down does not say which messages it missed",
			file: "edge/sequence.go", words: "case upto <= s.last:", become: "case upto <= s.last || s.known:",
			run: []string{"-seed=2", "-minutes=0.5", "-form=single", "-patience=20s"},
		},
	}
}

// TestChaosProof plants each bug in a build of its own, by an overlay that leaves the tree alone, and wants the run
// to fail with a loss that it names. Among all other tests it makes sure that the bugs can still be planted.
func TestChaosProof(t *testing.T) {
	named := regexp.MustCompile(`in no passage and in no gap; passed at .*, while or just after: `)
	for _, b := range bugs() {
		t.Run(b.name, func(t *testing.T) {
			overlay := b.plant(t)
			if !*proofFlag {
				return
			}
			bin := buildDaemons(t, "-overlay="+overlay)
			var out bytes.Buffer
			err := inNamespaces(t, bin, io.MultiWriter(os.Stdout, &out), b.run)
			if err == nil {
				t.Fatal("the run did not find the bug")
			}
			if !named.Match(out.Bytes()) {
				t.Errorf("the run failed and named no loss: %v", err)
			}
			say("chaos: the planted bug was found: %s", b.name)
		})
	}
}

// plant writes the changed source beside the tree and gives the overlay that puts it in place.
func (b *bug) plant(t *testing.T) (overlay string) {
	t.Helper()
	file, err := filepath.Abs(filepath.Join("..", "..", b.file))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), b.words); n != 1 {
		t.Fatalf("%q stands in %s %d times, want once: plant the bug anew", b.words, b.file, n)
	}
	dir := t.TempDir()
	changed := filepath.Join(dir, "changed.go")
	if err := os.WriteFile(changed, []byte(strings.Replace(string(text), b.words, b.become, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := json.Marshal(map[string]map[string]string{"Replace": {file: changed}})
	if err != nil {
		t.Fatal(err)
	}
	overlay = filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlay, list, 0o600); err != nil {
		t.Fatal(err)
	}
	return overlay
}
