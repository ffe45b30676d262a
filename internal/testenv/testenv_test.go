package testenv

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func gone(t *testing.T, what string, there func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); there(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s is still there", what)
		}
	}
}

func TestADatabaseComesBackAfterItsServerWasKilled(t *testing.T) {
	p := NewPostgres(t)
	url := p.Database(t)
	ctx := t.Context()
	name := strings.TrimSuffix(url[strings.LastIndex(url, "/")+1:], "?sslmode=disable")
	if err := p.psql(ctx, name, "CREATE TABLE t AS SELECT 7 AS x"); err != nil {
		t.Fatal(err)
	}
	p.Kill(t)
	if err := listens(ctx, p.Port); err == nil {
		t.Error("it still listens")
	}
	p.Start(t)
	if err := p.psql(ctx, name, "SELECT 1/(x-6) FROM t"); err != nil {
		t.Error(err)
	}
	file := filepath.Join(t.TempDir(), "dump")
	p.Dump(t, url, file)
	other := p.Database(t)
	p.Restore(t, file, other)
	p.Stop(t)
	if err := p.psql(ctx, name, "SELECT 1"); err == nil {
		t.Error("a stopped server answers")
	}
}

func TestEveryDatabaseIsANewOne(t *testing.T) {
	if a, b := Postgres(t), Postgres(t); a == b {
		t.Error(a)
	}
}

func TestABrokerIsWiped(t *testing.T) {
	m := NewMosquitto(t)
	for _, do := range []func(testing.TB){m.Stop, m.Start, m.Wipe, m.Kill, m.Start} {
		do(t)
	}
	if err := listens(t.Context(), m.Port); err != nil {
		t.Error(err)
	}
}

// A test process that is killed leaves no server and no folder: its watchdog reads the end of the pipe.
func TestServersAndFoldersAreGoneWithTheProcess(t *testing.T) {
	dir, w := folder(t, nil)
	p, err := start(w, nil, "sleep", "600")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.in.Close(); err != nil { // as the kernel does
		t.Fatal(err)
	}
	gone(t, "the server", func() bool {
		select {
		case <-p.done:
			return false
		default:
			return true
		}
	})
	gone(t, "the folder", func() bool { _, err := os.Stat(dir); return !errors.Is(err, fs.ErrNotExist) })
}

func TestProgramsRun(t *testing.T) {
	for _, p := range []string{Promtool(t), Chromium(t)} {
		if out, err := exec.CommandContext(t.Context(), p, "--version").CombinedOutput(); err != nil || len(out) == 0 {
			t.Errorf("%s: %v %s", p, err, out)
		}
	}
}

func TestWhatCannotBeInstalledIsNamed(t *testing.T) {
	var out bytes.Buffer
	t.Setenv("PATH", t.TempDir())
	err := install(t.Context(), &out, tool{name: "no-such-program", pack: "no-such-package"})
	if err == nil || !strings.Contains(err.Error(), "apt-get install no-such-package") || out.Len() != 0 {
		t.Errorf("%v %s", err, &out)
	}
}
