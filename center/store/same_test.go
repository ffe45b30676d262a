package store_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/center/store/storetest"
	"github.com/axlegate/axlegate/wim"
)

// Whatever sites send, forks and holes and repetitions: both forms hold the same, and a batch comes to the
// same as its segments one by one.
func TestBothFormsComeToTheSame(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.db")
	p := newPostgres(t)
	together, single := p.open(), newPlace(t, store.Config{Path: path}, "sqlite", path).open()
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		// Two sites, each with a chain and a second one under its name that parted from it.
		var chains []*storetest.Chain
		for k := range 2 {
			c := storetest.NewChain(t, wim.SiteID(fmt.Sprintf("site-%d-%d", run, k)), 0).Quiet(10)
			chains = append(chains, c, c.Split(rapid.IntRange(1, 10).Draw(rt, "parted after")).Quiet(4))
		}
		for range rapid.IntRange(1, 6).Draw(rt, "batches") {
			var batch []store.Segment
			for range rapid.IntRange(1, 5).Draw(rt, "segments") {
				c := chains[rapid.SampledFrom([]int{0, 0, 0, 1, 2, 2, 2, 3}).Draw(rt, "chain")]
				from := rapid.IntRange(1, len(c.Records)).Draw(rt, "from")
				batch = append(batch, c.Segment(from, min(from+rapid.IntRange(0, 5).Draw(rt, "more"), len(c.Records))))
			}
			got := put(t, together, batch...)
			for i := range batch {
				want := put(t, single, batch[i])[0]
				if a, b := told(got[i]), told(want); a != b {
					rt.Fatalf("segment %d of %s from %d: together %s, one by one %s", i, batch[i].Site, batch[i].Records[0].Seq, a, b)
				}
			}
		}
		for k := range 2 {
			site := wim.SiteID(fmt.Sprintf("site-%d-%d", run, k))
			a, b := alarms(t, together, site), alarms(t, single, site)
			if len(a) != len(b) || len(a) > 0 && (a[0].Kind != b[0].Kind || a[0].Subject != b[0].Subject || a[0].Count != b[0].Count) {
				rt.Fatalf("alarms %+v and %+v", a, b)
			}
		}
	})
	x, y := p.audit(), newPlace(t, store.Config{Path: path}, "sqlite", path).audit()
	if x.Records != y.Records || len(x.Chains) != len(y.Chains) {
		t.Errorf("%d records in %d chains, and %d in %d", x.Records, len(x.Chains), y.Records, len(y.Chains))
	}
}

// told is a result without its epoch, which is each store's own.
func told(r store.Result) string {
	r.Epoch = 0
	fork := "no fork"
	if r.Fork != nil {
		fork = fmt.Sprintf("fork at %d, held %s, sent %s", r.Fork.Seq, r.Fork.Held.Short(), r.Fork.Sent.Short())
	}
	return fmt.Sprintf("%d %s, %d fresh, %d held, %s", r.Seq, r.Digest.Short(), r.Fresh, r.Duplicates, fork)
}
