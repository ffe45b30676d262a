package edge

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// signTimeout bounds one Show: a later answer would come after the vehicle.
const signTimeout = 3 * time.Second

type direction struct {
	order wim.Order
	plate string
}

// director keeps a slow or dead sign away from the lane: the lane leaves the newest order in a box of one and
// goes on. An order that was not fetched before the next vehicle's is replaced by it.
type director struct {
	sign Sign
	hold time.Duration
	log  *slog.Logger
	m    *laneMetrics
	box  chan direction
	// answering tells that the last order was read back. A sign starts with the benefit of the doubt.
	answering atomic.Bool
}

func newDirector(cfg *LaneConfig, log *slog.Logger, m *laneMetrics) *director {
	d := &director{sign: cfg.Sign, hold: cfg.Hold, log: log.With("lane", cfg.Lane, "device", cfg.SignDevice), m: m, box: make(chan direction, 1)}
	d.answering.Store(true)
	return d
}

// give is called by the lane only. It returns whether the sign answered last time.
func (d *director) give(x direction) bool {
	select {
	case d.box <- x:
	default:
		select {
		case old := <-d.box:
			d.m.orders.WithLabelValues(string(old.order), "superseded").Inc()
		default:
		}
		d.box <- x // only the lane fills the box, so there is room
	}
	return d.answering.Load()
}

// run shows orders until ctx ends.
func (d *director) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case x := <-d.box:
			d.show(ctx, x)
		}
	}
}

func (d *director) show(ctx context.Context, x direction) {
	sctx, cancel := context.WithTimeout(ctx, signTimeout)
	defer cancel()
	began := time.Now()
	err := d.sign.Show(sctx, x.order, x.plate, d.hold)
	switch {
	case err == nil:
		d.m.shown.Observe(time.Since(began).Seconds())
		d.m.orders.WithLabelValues(string(x.order), "shown").Inc()
		if !d.answering.Swap(true) {
			d.log.Info("the sign answers again")
		}
	case ctx.Err() != nil && errors.Is(err, ctx.Err()): // shutting down
	default:
		d.m.orders.WithLabelValues(string(x.order), "failed").Inc()
		if d.answering.Swap(false) {
			d.log.Warn("the sign did not confirm its order; passages are recorded as not directed until it does; check its line", "order", x.order, "err", err)
		}
	}
}
