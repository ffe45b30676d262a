package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/internal/stand"
	"github.com/axlegate/axlegate/wim"
)

// TestACentreRestoredFromAnOlderBackupGetsBackWhatItLost rehearses the worst day of a centre: its store is
// gone, the backup is old, and the sites have long been told by receipts that everything after it is held.
func TestACentreRestoredFromAnOlderBackupGetsBackWhatItLost(t *testing.T) {
	t.Parallel()
	bin := binaries(t)
	r := newRun(t, stand.Config{}, 20)
	centre := start(t, bin, "axlegate-center", r.stand.Center)
	edges := r.sites(t, bin)
	north := r.stand.Sites[0]

	r.passed(t, north, 10)
	centre.stop(t)
	backup, err := os.ReadFile(r.stand.Store)
	if err != nil {
		t.Fatal(err)
	}

	centre = start(t, bin, "axlegate-center", r.stand.Center)
	r.passed(t, north, 26)
	receipted(t, north)
	centre.kill(t)
	lost := heads(t, r.stand.Store)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(r.stand.Store + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(r.stand.Store, backup, 0o600); err != nil {
		t.Fatal(err)
	}
	if now := heads(t, r.stand.Store); now[north.Site] >= lost[north.Site] {
		t.Fatalf("the backup holds %v, the lost store held %v: the run proves nothing", now, lost)
	}

	centre = start(t, bin, "axlegate-center", r.stand.Center)
	r.finish(t, edges)
	centre.stop(t)
	if now := heads(t, r.stand.Store); now[north.Site] < lost[north.Site] {
		t.Errorf("the centre has %v again, it had %v", now, lost)
	}
	r.check(t, nil)
}

// receipted waits until the centre has told a site that it holds everything.
func receipted(t *testing.T, s stand.Site) {
	t.Helper()
	until(t, "receipts for all of "+string(s.Site), time.Minute, func() (bool, string) {
		open, ok := metric(t, s.Listen, "axlegate_edge_unreceipted_records")
		return ok && open == 0, fmt.Sprint(open, " unreceipted")
	})
}

// use has the centre work on another database from its next start on.
func (r *run) use(t *testing.T, url string) {
	t.Helper()
	r.stand.Store = url
	if err := os.WriteFile(filepath.Join(r.stand.Dir, "store.url"), []byte(url+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// heads tells how far the store holds the chain of each site.
func heads(t *testing.T, place string) map[wim.SiteID]uint64 {
	t.Helper()
	rep, err := store.Audit(t.Context(), place, nil)
	if err != nil {
		t.Fatal(err)
	}
	out := map[wim.SiteID]uint64{}
	for _, c := range rep.Chains {
		out[c.Site] = c.Seq
	}
	return out
}
