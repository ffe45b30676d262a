package intake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/axlegate/axlegate/center/store"
)

// weight is what is bounded in a transaction.
type weight struct{ segments, records, bytes int }

// groupMost bounds one transaction. A batch with more is stored in several, one after another; batches that wait
// are stored together while they fit.
func groupMost() weight { return weight{segments: 1 << 10, records: 8 << 10, bytes: 8 << 20} }

func weigh(s *store.Segment) weight {
	w := weight{1, len(s.Records), len(s.JWS)}
	for i := range s.Records {
		w.bytes += len(s.Records[i].Raw)
	}
	return w
}

func (w weight) and(o weight) weight {
	return weight{w.segments + o.segments, w.records + o.records, w.bytes + o.bytes}
}

func (w weight) within(most weight) bool {
	return w.segments <= most.segments && w.records <= most.records && w.bytes <= most.bytes
}

// fitting tells how many segments from the front one transaction takes, at least one.
func (g *gate) fitting(good []*piece) int {
	var sum weight
	for i, p := range good {
		if sum = sum.and(weigh(&p.seg)); !sum.within(g.most) && i > 0 {
			return i
		}
	}
	return len(good)
}

// outcome is what became of one segment: held, or refused by the store for good.
type outcome struct {
	store.Result
	refused error
}

// writers is how many transactions run at once: while one is synced to the disk the next is copied in.
const writers = 2

// gate lets few transactions into the store at a time. Who comes while they run waits, and the next takes all who
// wait together: the store's sync is paid once for them. One of those who wait does the work for the others. Two
// that meet in one chain are put in order by the store, which closes holes whoever comes first.
type gate struct {
	into Store
	most weight
	took func(segments int)
	turn chan struct{}

	mu      sync.Mutex
	waiting []*job // guarded by mu
}

// job is what one caller wants stored.
type job struct {
	ctx    context.Context
	segs   []store.Segment
	weight weight
	done   chan struct{}
	// Set before done is closed.
	results []outcome
	err     error
}

func newGate(into Store, took func(int)) *gate {
	return &gate{into: into, most: groupMost(), took: took, turn: make(chan struct{}, writers)}
}

// store stores segments that have been checked and fit one transaction. An error means that none of them may be
// held; so does the end of ctx, after which they may yet come to be.
func (g *gate) store(ctx context.Context, segs []store.Segment) ([]outcome, error) {
	j := &job{ctx: ctx, segs: segs, done: make(chan struct{})}
	for i := range segs {
		j.weight = j.weight.and(weigh(&segs[i]))
	}
	g.mu.Lock()
	g.waiting = append(g.waiting, j)
	g.mu.Unlock()
	for {
		select {
		case <-j.done:
			return j.results, j.err
		case <-ctx.Done():
			g.withdraw(j)
			return nil, ctx.Err()
		case g.turn <- struct{}{}:
			g.run(g.together())
			<-g.turn
		}
	}
}

func (g *gate) withdraw(j *job) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = slices.DeleteFunc(g.waiting, func(x *job) bool { return x == j })
}

// together takes from those who wait, first come first, as many as fit.
func (g *gate) together() []*job {
	g.mu.Lock()
	defer g.mu.Unlock()
	var sum weight
	n := 0
	for ; n < len(g.waiting); n++ {
		if sum = sum.and(g.waiting[n].weight); !sum.within(g.most) && n > 0 {
			break
		}
	}
	group := slices.Clone(g.waiting[:n])
	g.waiting = slices.Delete(g.waiting, 0, n)
	return group
}

// run stores a group. It is given up only when everybody in it has left.
func (g *gate) run(group []*job) {
	if len(group) == 0 {
		return
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(group[0].ctx))
	defer cancel()
	var left atomic.Int64
	var segs []store.Segment
	for _, j := range group {
		segs = append(segs, j.segs...)
		defer context.AfterFunc(j.ctx, func() {
			if left.Add(1) == int64(len(group)) {
				cancel()
			}
		})()
	}
	results, err := g.commit(ctx, segs)
	for _, j := range group {
		if j.err = err; err == nil {
			j.results, results = results[:len(j.segs):len(j.segs)], results[len(j.segs):]
		}
		close(j.done)
	}
}

// commit stores all at once, or where the store refuses one of them each alone: what is refused must not take the
// others with it.
func (g *gate) commit(ctx context.Context, segs []store.Segment) ([]outcome, error) {
	out := make([]outcome, len(segs))
	results, err := g.into.StoreSegments(ctx, segs)
	if err == nil {
		g.took(len(segs))
		for i := range results {
			out[i].Result = results[i]
		}
		return out, nil
	}
	if !errors.Is(err, store.ErrRefused) {
		return nil, err
	}
	for i := range segs {
		res, err := g.into.StoreSegments(ctx, segs[i:i+1])
		switch {
		case errors.Is(err, store.ErrRefused):
			out[i].refused = err
		case err != nil:
			return nil, fmt.Errorf("one by one, because one is refused: %w", err)
		default:
			g.took(1)
			out[i].Result = res[0]
		}
	}
	return out, nil
}
