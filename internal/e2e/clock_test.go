package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/internal/stand"
	"github.com/axlegate/axlegate/wim"
)

// A site's clock is set back a year, is dead at the next boot, then a year ahead and right again, while vehicles
// pass, the centre is away for a while and the edge is killed. Truth = records + gaps all the same, and the
// records say what the clock was worth.
func TestASiteWhoseClockIsSetLosesNothingAndSaysSo(t *testing.T) {
	t.Parallel()
	bin := binaries(t)
	r := newRun(t, stand.Config{}, 40)
	north := r.stand.Sites[0]
	text, err := os.ReadFile(north.Edge)
	if err != nil {
		t.Fatal(err)
	}
	clock := filepath.Join(r.stand.Dir, "clock")
	simulated := bytes.Replace(text, []byte("clock: host"), fmt.Appendf(nil, "clock: simulated\nclock_file: %s", clock), 1)
	if bytes.Equal(simulated, text) {
		t.Fatal("the stand does not say who keeps its clock any more")
	}
	if err := os.WriteFile(north.Edge, simulated, 0o600); err != nil {
		t.Fatal(err)
	}
	set := func(by string) {
		t.Helper()
		if err := os.WriteFile(clock, []byte(by), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	recorded := func(when string) { // what passes is weighed under the clock of the moment
		t.Helper()
		before, _ := metric(t, north.Listen, "axlegate_edge_passages_total")
		until(t, "two more passages "+when, time.Minute, func() (bool, string) {
			n, ok := metric(t, north.Listen, "axlegate_edge_passages_total")
			return ok && n >= before+2, fmt.Sprintf("%v, %v before", n, before)
		})
	}
	centre := start(t, bin, "axlegate-center", r.stand.Center)
	edges := r.sites(t, bin)
	recorded("under a clock that is right")
	set("-8760h")
	until(t, "the step to be noticed", time.Minute, func() (bool, string) {
		n, ok := metric(t, north.Listen, "axlegate_edge_clock_steps_total")
		return ok && n > 0, fmt.Sprint(n)
	})
	recorded("a year ago")
	centre.kill(t)
	edges[0].kill(t)
	set((-time.Since(time.Unix(0, 0)) - 24*time.Hour).String()) // 1970
	edges[0] = start(t, bin, "axlegate-edge", north.Edge)
	recorded("in 1969")
	centre = start(t, bin, "axlegate-center", r.stand.Center)
	set("8760h")
	recorded("a year ahead")
	set("0s")
	r.finish(t, edges)
	centre.stop(t)
	r.check(t, nil)

	states := map[wim.ClockState]int{}
	years := map[int]int{}
	if _, err := store.Audit(t.Context(), r.stand.Store, func(rec *wim.Record, _ []byte) error {
		if rec.Site != north.Site || rec.Passage == nil {
			return nil
		}
		states[rec.Clock]++
		years[rec.Time.Std().Year()]++
		for _, o := range rec.Passage.Verdict.Opinions {
			if rec.Clock != wim.ClockSynchronised && o.Standing == wim.Evidence {
				t.Errorf("record %d is evidence under a clock that is %s", rec.Seq, rec.Clock)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	t.Logf("clocks %v, years %v", states, years)
	if states[wim.ClockStepped] == 0 || states[wim.ClockSynchronised] == 0 || len(years) < 3 {
		t.Errorf("the records say %v, in the years %v", states, years)
	}
}
