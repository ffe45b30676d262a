package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/axlegate/axlegate/internal/stand"
)

// A site changes its key while it weighs and is killed on the way; the centre needs to be told nothing, and believes
// the new key once the site's records say so under both.
func TestASiteChangesItsKeyAndIsKilledOnTheWay(t *testing.T) {
	t.Parallel()
	bin := binaries(t)
	r := newRun(t, stand.Config{}, 20)
	ownCopy(t, r.stand)
	centre := start(t, bin, "axlegate-center", r.stand.Center)
	edges := r.sites(t, bin)
	north := r.stand.Sites[0]
	key := filepath.Join(r.stand.Dir, string(north.Site)+".pem")
	r.passed(t, north, 5)

	out, err := exec.CommandContext(t.Context(), filepath.Join(bin, "axlegate"), "keys", "rotate", "--algorithm", "ES256", key).CombinedOutput()
	if err != nil {
		t.Fatalf("keys rotate: %v\n%s", err, out)
	}
	centre.kill(t) // the rotation cannot be receipted yet
	edges[0].kill(t)
	edges[0] = start(t, bin, "axlegate-edge", north.Edge)
	r.passed(t, north, 10)
	edges[0].kill(t)
	edges[0] = start(t, bin, "axlegate-edge", north.Edge)
	centre = start(t, bin, "axlegate-center", r.stand.Center)
	until(t, "the new key in the old one's place", time.Minute, func() (bool, string) {
		former, err := filepath.Glob(key + ".former-*")
		return err == nil && len(former) > 0, fmt.Sprint(former, err)
	})
	r.passed(t, north, 18)
	r.finish(t, edges)
	// Whoever knows the first keys only can follow the change in each dossier.
	proven := r.checkDossiers(t, "first-north-1.pem.pub", "first-river-2.pem.pub")
	for _, want := range []string{"sealed", "receipted", "judged", "rotated", "site-anchor", "centre-trust"} {
		if !slices.Contains(proven, want) {
			t.Errorf("no dossier proves %q", want)
		}
	}
	centre.stop(t)
	r.check(t, nil)
}

// ownCopy gives the centre copies of the sites' public keys, as it has in the field: those beside the private ones
// change hands with them.
func ownCopy(t *testing.T, s *stand.Stand) {
	t.Helper()
	text, err := os.ReadFile(s.Center)
	if err != nil {
		t.Fatal(err)
	}
	for _, site := range s.Sites {
		name := string(site.Site) + ".pem.pub"
		b, err := os.ReadFile(filepath.Join(s.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(s.Dir, "first-"+name), b, 0o600); err != nil {
			t.Fatal(err)
		}
		text = bytes.ReplaceAll(text, []byte(name), []byte("first-"+name))
	}
	if err := os.WriteFile(s.Center, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
