package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/wim/seal"
)

const fixture = "../../center/dossier/testdata/dossier-v1.zip"

// keyPair writes a key pair and returns the private file; the public one has .pub behind it.
func keyPair(t *testing.T) string {
	t.Helper()
	k, err := seal.GenerateSigner()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "site.pem")
	if err := k.WriteFiles(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestASignedExportTellsAnEditOfItsLastRecordAndOfAllThatNamesIt(t *testing.T) {
	key, out := keyPair(t), filepath.Join(t.TempDir(), "export.ndjson")
	if err := (exportCommand{Journal: written(t), Key: key, Out: out}).Run(); err != nil {
		t.Fatal(err)
	}
	pub := []string{key + ".pub"}
	if err := (verifyCommand{File: out, SiteKey: pub}).Run(); err != nil {
		t.Fatalf("as exported: %v", err)
	}
	if err := (verifyCommand{File: out}).Run(); err != nil {
		t.Fatalf("without a key: %v", err)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(bytes.TrimSuffix(b, []byte("\n")), []byte("\n"))
	if len(lines) != 7 {
		t.Fatalf("%d lines", len(lines))
	}
	join := func(l ...[]byte) string { return string(bytes.Join(l, nil)) }
	edited := bytes.Replace(lines[5], []byte(`"from":5,"to":5`), []byte(`"from":5,"to":4`), 1)
	for _, c := range []struct {
		name, text, want string
		keys             []string
	}{
		{"the last record edited", join(lines[0], lines[1], lines[2], lines[3], lines[4], edited, lines[6]), "the signature is over other records", pub},
		{"the last record edited and nobody has a key", join(lines[0], lines[1], lines[2], lines[3], lines[4], edited, lines[6]), "the signature is over other records", nil},
		{"the signature cut off", join(lines[:6]...), "stand under no signature", pub},
		{"the last record removed", join(lines[0], lines[1], lines[2], lines[3], lines[4], lines[6]), "the signature is over other records", pub},
		{"a signature without its records", join(lines[6]), "of which none is here", pub},
		{"another site's key", string(b), "signature does not hold", []string{keyPair(t) + ".pub"}},
		{"more in the line of the signature", strings.Replace(string(b), `{"segment":`, `{"segment":"","more":`, 1), "not a signature", pub},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := verifyCommand{File: write(t, "x.ndjson", c.text), SiteKey: c.keys}.Run()
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestADossierIsVerifiedAsAnArchiveAndAsAFolder(t *testing.T) {
	for _, lang := range []string{"zh", "en"} {
		if err := (verifyCommand{File: fixture, Lang: lang}).Run(); err != nil {
			t.Errorf("%s: %v", lang, err)
		}
	}
	if err := (verifyCommand{File: fixture, Lang: "en", JSON: true}).Run(); err != nil {
		t.Error(err)
	}
	b, err := os.ReadFile(fixture)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	for _, name := range []string{"x.zip", "no-suffix"} {
		if err := (verifyCommand{File: write(t, name, string(b)), Lang: "zh"}).Run(); err == nil || !strings.Contains(err.Error(), "does not hold") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := (verifyCommand{File: t.TempDir(), Lang: "en"}).Run(); err == nil {
		t.Error("an empty folder holds")
	}
	key := keyPair(t) + ".pub"
	if err := (verifyCommand{File: fixture, Lang: "en", CenterKey: []string{key}}).Run(); err == nil {
		t.Error("under another centre's key it holds")
	}
}

func TestADossierIsFetchedVerifiedAndWrittenOnce(t *testing.T) {
	archive, err := os.ReadFile(fixture)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") != "Bearer axg_secret":
			http.Error(w, `{"detail":"send a token"}`, http.StatusUnauthorized)
		case r.URL.Path == "/api/v1/matters/13/dossier":
			w.Write(archive[:len(archive)-1]) //nolint:errcheck // of a test
		case r.URL.Path == "/api/v1/matters/12/dossier":
			w.Write(archive) //nolint:errcheck // of a test
		default:
			http.Redirect(w, r, "https://elsewhere.example/", http.StatusFound)
		}
	}))
	defer srv.Close()
	token, out := write(t, "token", "axg_secret\n"), filepath.Join(t.TempDir(), "dossier.zip")
	if err := (exportCommand{Center: srv.URL, TokenFile: token, Matter: 12, Out: out}).Run(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(out); err != nil || !bytes.Equal(got, archive) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	other := filepath.Join(t.TempDir(), "other.zip")
	for _, c := range []struct {
		name, want string
		cmd        exportCommand
	}{
		{"it is there already", "file exists", exportCommand{Center: srv.URL, TokenFile: token, Matter: 12, Out: out}},
		{"it was damaged on its way", "nothing was written", exportCommand{Center: srv.URL, TokenFile: token, Matter: 13, Out: other}},
		{"a redirect", "302", exportCommand{Center: srv.URL, TokenFile: token, Matter: 14, Out: other}},
		{"another token", "send a token", exportCommand{Center: srv.URL, TokenFile: write(t, "token", "axg_other"), Matter: 12, Out: other}},
		{"a token in the clear", "https only", exportCommand{Center: "http://centre.example", TokenFile: token, Matter: 12, Out: other}},
		{"no address", "want an address", exportCommand{Center: "centre", TokenFile: token, Matter: 12, Out: other}},
		{"no matter", "are needed", exportCommand{Center: srv.URL, TokenFile: token, Out: other}},
		{"a journal without a key", "needs --key", exportCommand{Journal: token, Out: other}},
		{"a configuration without an officer", "needs --officer", exportCommand{Config: token, Matter: 12, Out: other}},
		{"two centres", "not both", exportCommand{Config: token, Center: srv.URL, Out: other}},
		{"a journal and a centre", "not both", exportCommand{Journal: token, Center: srv.URL, Out: other}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.cmd.Run(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if _, err := os.Stat(other); err == nil {
				t.Error("a file was left")
			}
		})
	}
}
