package edge

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestHoweverOftenTheDiskFillsEveryVehicleEndIsAccountedForOnce(t *testing.T) {
	lost := 0.0
	for seed := range uint64(6) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 18))
			r := newRig(t)
			keeper := &faultyKeeper{}
			r.built = func(s *Site) {
				keeper.Journal = s.cfg.Journal
				s.recorder.journal, s.recorder.room, s.recorder.pause = keeper, 3, time.Millisecond
			}
			r.start()
			var ends [][2]uint32
			for step := range 150 {
				switch rng.IntN(8) {
				case 0:
					keeper.full.Store(!keeper.full.Load())
				case 1:
					r.camera.read(front("川A12345", fmt.Sprint("e", step)), []byte("a picture"))
				case 2: // the device starts again
					r.scale.boot++
					r.scale.seq = uint32(rng.IntN(4))
				case 3:
					v := r.scale.vehicle(2+rng.IntN(5), 20000)
					at := rng.IntN(len(v))
					r.push(slices.Delete(v, at, at+1)...) // a message is lost on the wire
					if at < len(v)-1 {
						ends = append(ends, [2]uint32{r.scale.boot, r.scale.seq})
					}
				default:
					r.push(r.scale.vehicle(2+rng.IntN(5), 20000)...)
					ends = append(ends, [2]uint32{r.scale.boot, r.scale.seq})
				}
				if rng.IntN(3) == 0 {
					eventually(t, "the lane has taken it in", func() bool { return len(r.site.lanes[0].readings) == 0 })
				}
			}
			keeper.full.Store(false)
			r.push(r.scale.vehicle(2, 9000)...)
			ends = append(ends, [2]uint32{r.scale.boot, r.scale.seq})
			eventually(t, "all is taken in", func() bool {
				c, _ := r.journal.Cursor("scale-1")
				return c.Boot == r.scale.boot && c.Seq == r.scale.seq && !r.site.recorder.failSafe.Load()
			})
			lost += counted(t, r.site, "axlegate_edge_lost_total")
			r.stop()
			r.covered(ends)
		})
	}
	if lost == 0 {
		t.Error("memory held everything: this proved nothing")
	}
}
