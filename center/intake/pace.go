package intake

import (
	"context"
	"time"

	"github.com/axlegate/axlegate/center/store"
)

const (
	// paceFrom is how many records may lie before the review: twice what it takes at once.
	paceFrom = 256
	// paceMost is how long a batch waits at most, so that a review that stands still slows the intake and does not
	// stop it: what is not receipted fills the sites' disks.
	paceMost = 100 * time.Millisecond
	paceLook = 5 * time.Millisecond
	// bulk is from how many records on a segment is taken for a backlog's.
	bulk = 16
)

// pace keeps the intake of a backlog to what the review can follow. Records are reviewed in the order in which
// they were stored: what is taken in faster than it is reviewed is a queue in which the next alert waits.
// Segments that are not nearly full are not held up: they are the present, or what somebody waits for.
func (in *Intake) pace(ctx context.Context, segs []store.Segment) {
	if in.cfg.Unreviewed == nil {
		return
	}
	for i := range segs {
		if len(segs[i].Records) < bulk {
			return
		}
	}
	tick := time.NewTicker(paceLook)
	defer tick.Stop()
	for began := time.Now(); time.Since(began) < paceMost; {
		n, err := in.cfg.Unreviewed(ctx)
		if err != nil || n < paceFrom {
			return // the store says itself what is wrong with it
		}
		in.m.paced.Inc()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
