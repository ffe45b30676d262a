package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/internal/daemon"
	"github.com/axlegate/axlegate/wim"
)

// written makes a journal of five gap records behind its chain start.
func written(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "journal.db")
	j, err := journal.Open(t.Context(), journal.Config{Path: path, Site: "north-1", Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	for n := uint32(1); n <= 5; n++ {
		src := wim.DeviceCursor{Device: "scale-1", Boot: 7, Seq: n}
		_, err := j.Append(t.Context(), []journal.Draft{{Kind: wim.KindGap, Lane: 1, Clock: wim.ClockUnknown, Cursors: []wim.DeviceCursor{src},
			Gap: &wim.Gap{Lane: 1, Device: "scale-1", Cause: wim.GapSequence, Boot: 7, From: n, To: n}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestVerifyNamesTheFirstBadRecord(t *testing.T) {
	path := written(t)
	export := filepath.Join(t.TempDir(), "export.ndjson")
	if err := (verifyCommand{File: path, Out: export}).Run(); err != nil {
		t.Fatalf("a good journal: %v", err)
	}
	if err := (verifyCommand{File: export}).Run(); err != nil {
		t.Fatalf("its export: %v", err)
	}
	good, err := os.ReadFile(export)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(good, []byte("\n"))
	join := func(l ...[]byte) string { return string(bytes.Join(l, nil)) }
	for _, c := range []struct{ name, text, want string }{
		{"a record that was edited", strings.Replace(string(good), `"from":3,"to":3`, `"from":3,"to":2`, 1), ":5: first bad record"},
		{"a record that is missing", join(lines[0], lines[1], lines[3], lines[4], lines[5]), "record after 2 has sequence 4"},
		{"records in another order", join(lines[0], lines[2], lines[1]), "record after 1 has sequence 3"},
		{"a line that is no record", join(lines[0], []byte("hello\n")), ":2: malformed record"},
		{"a line that was cut off", string(good[:len(good)-40]), ":6: malformed record"},
		{"nothing", "\n", "holds no record"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.text == string(good) {
				t.Fatal("the case changes nothing")
			}
			file := filepath.Join(t.TempDir(), "x.ndjson")
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := (verifyCommand{File: file}).Run(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	if err := (verifyCommand{File: path, Out: export}).Run(); err == nil {
		t.Error("an export was overwritten")
	}
}

func TestAPartOfAChainIsProvenFromItsFirstRecord(t *testing.T) {
	export := filepath.Join(t.TempDir(), "export.ndjson")
	if err := (verifyCommand{File: written(t), Out: export}).Run(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(export)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := bytes.Cut(b, []byte("\n"))
	part := filepath.Join(t.TempDir(), "part.ndjson")
	if err := os.WriteFile(part, rest, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (verifyCommand{File: part}).Run(); err != nil {
		t.Error(err)
	}
}

func TestKeysAreMadeOnceAndShown(t *testing.T) {
	path := filepath.Join(t.TempDir(), "site.pem")
	if err := (keysNew{Path: path, Algorithm: "EdDSA"}).Run(); err != nil {
		t.Fatal(err)
	}
	if err := (keysNew{Path: path, Algorithm: "EdDSA"}).Run(); err == nil {
		t.Error("a key was overwritten")
	}
	for _, p := range []string{path, path + ".pub"} {
		if err := (keysShow{Path: p}).Run(); err != nil {
			t.Error(err)
		}
	}
	if err := (keysShow{Path: written(t)}).Run(); err == nil {
		t.Error("a journal was shown as a key")
	}
}

func TestAPasswordIsReadFromAPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.WriteString("correct horse battery\nsecond line\n"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if p, err := readPassword(r); err != nil || p != "correct horse battery" {
		t.Errorf("%q, %v", p, err)
	}
}

// Every command's help says more than its name.
func TestEveryHelpTeaches(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"demo", "--help"}, {"verify", "--help"}, {"export", "--help"}, {"check", "--help"}, {"keys", "new", "--help"}, {"keys", "show", "--help"}, {"keys", "password", "--help"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			var out bytes.Buffer
			var tb toolbox
			k, err := kong.New(&tb, kong.Name("axlegate"), kong.Description(about), kong.Vars{"version": daemon.Version}, kong.Writers(&out, &out), kong.Exit(func(int) {}))
			if err != nil {
				t.Fatal(err)
			}
			k.Parse(args) //nolint:errcheck // help ends parsing early
			if text := out.String(); strings.Count(text, "\n") < 12 || !strings.Contains(text, "Usage: axlegate") {
				t.Errorf("help of %v:\n%s", args, text)
			}
		})
	}
}
