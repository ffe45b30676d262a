package intake

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/axlegate/axlegate/center/store"
)

func TestABacklogIsTakenInNoFasterThanItIsReviewed(t *testing.T) {
	full := store.Segment{Records: make([]store.Stored, bulk)}
	for name, tc := range map[string]struct {
		segs       []store.Segment
		unreviewed []int64 // one look after the other; the last stays
		err        error
		looks      int
	}{
		"nothing lies before the review":             {[]store.Segment{full}, []int64{0}, nil, 1},
		"the review catches up":                      {[]store.Segment{full}, []int64{1000, 500, paceFrom - 1}, nil, 3},
		"a segment of the present is not held up":    {[]store.Segment{full, {Records: make([]store.Stored, 1)}}, []int64{1000}, nil, 0},
		"a store that does not answer is not waited": {[]store.Segment{full}, []int64{1000}, errors.New("no database"), 1},
	} {
		t.Run(name, func(t *testing.T) {
			looks := 0
			in := &Intake{m: newMetrics(), cfg: Config{Unreviewed: func(context.Context) (int64, error) {
				n := tc.unreviewed[min(looks, len(tc.unreviewed)-1)]
				looks++
				return n, tc.err
			}}}
			in.pace(t.Context(), tc.segs)
			if looks != tc.looks {
				t.Errorf("looked %d times, want %d", looks, tc.looks)
			}
		})
	}
	t.Run("a review that stands still slows it and does not stop it", func(t *testing.T) {
		in := &Intake{m: newMetrics(), cfg: Config{Unreviewed: func(context.Context) (int64, error) { return 1 << 40, nil }}}
		began := time.Now()
		in.pace(t.Context(), []store.Segment{full})
		if time.Since(began) < paceMost {
			t.Error("it did not wait")
		}
	})
	t.Run("whoever stops does not wait", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		in := &Intake{m: newMetrics(), cfg: Config{Unreviewed: func(context.Context) (int64, error) { return 1 << 40, nil }}}
		in.pace(ctx, []store.Segment{full}) // returns
	})
}
