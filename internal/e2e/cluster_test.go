package e2e

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/axlegate/axlegate/internal/stand"
	"github.com/axlegate/axlegate/internal/testenv"
)

// TestTwoCentresOnOneDatabase runs a pilot as a province would: PostgreSQL, a broker of its own and two centres
// that share the sites' slots. While the sites send, one centre is killed, the broker loses everything that it
// kept, and the database crashes; then the truth is held against what the store has.
func TestTwoCentresOnOneDatabase(t *testing.T) {
	t.Parallel()
	bin := binaries(t)
	pg, broker := testenv.NewPostgres(t), testenv.NewMosquitto(t)
	r := newRun(t, stand.Config{Postgres: pg.Database(t), Broker: broker.URL(), Second: true}, 40)
	first := start(t, bin, "axlegate-center", r.stand.Center)
	second := start(t, bin, "axlegate-center", r.stand.Second.Config)
	until(t, "both centres to have their share of the slots", time.Minute, func() (bool, string) {
		a, _ := metric(t, r.stand.Metrics, "axlegate_center_link_slots_connected")
		b, _ := metric(t, r.stand.Second.Metrics, "axlegate_center_link_slots_connected")
		return a == 8 && b == 8, fmt.Sprint(a, " and ", b)
	})
	edges := r.sites(t, bin)
	north, river := r.stand.Sites[0], r.stand.Sites[1]

	r.passed(t, north, 14)
	t.Log("the first centre is killed")
	first.kill(t)
	until(t, "the second centre to take over", time.Minute, func() (bool, string) {
		b, _ := metric(t, r.stand.Second.Metrics, "axlegate_center_link_slots_connected")
		return b == 16, fmt.Sprint(b)
	})

	r.passed(t, river, 30)
	t.Log("the broker loses everything that it kept")
	broker.Wipe(t)

	r.passed(t, north, 44)
	t.Log("the database crashes")
	pg.Kill(t)
	r.passed(t, north, 50)
	pg.Start(t)
	first = start(t, bin, "axlegate-center", r.stand.Center)

	r.finish(t, edges)
	r.checkBoards(t, r.stand.Web)
	r.checkBoards(t, r.stand.Second.Web)
	first.stop(t)
	second.stop(t)
	r.check(t, nil)
}

// TestADatabaseRestoredFromADumpGetsBackWhatItLost is the restore of a backup on PostgreSQL, with the tools that
// an operator uses.
func TestADatabaseRestoredFromADumpGetsBackWhatItLost(t *testing.T) {
	t.Parallel()
	bin := binaries(t)
	pg := testenv.NewPostgres(t)
	r := newRun(t, stand.Config{Postgres: pg.Database(t)}, 20)
	centre := start(t, bin, "axlegate-center", r.stand.Center)
	edges := r.sites(t, bin)
	north := r.stand.Sites[0]

	r.passed(t, north, 10)
	dump := filepath.Join(t.TempDir(), "dump")
	pg.Dump(t, r.stand.Store, dump) // while it runs
	r.passed(t, north, 24)
	receipted(t, north)
	centre.kill(t)
	lost := heads(t, r.stand.Store)

	restored := pg.Database(t)
	pg.Restore(t, dump, restored)
	if now := heads(t, restored); now[north.Site] >= lost[north.Site] {
		t.Fatalf("the backup holds %v, the lost store held %v: the run proves nothing", now, lost)
	}
	r.use(t, restored)
	centre = start(t, bin, "axlegate-center", r.stand.Center)
	r.finish(t, edges)
	centre.stop(t)
	if now := heads(t, restored); now[north.Site] < lost[north.Site] {
		t.Errorf("the centre has %v again, it had %v", now, lost)
	}
	r.check(t, nil)
}
