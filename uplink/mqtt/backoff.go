package mqtt

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	defaultRetryMin = 250 * time.Millisecond
	defaultRetryMax = 15 * time.Second
)

// backoff spreads the returns of many clients: each wait is drawn evenly from nothing up to a bound that
// doubles from least to most.
type backoff struct {
	least, most time.Duration
	bound       time.Duration
}

func newBackoff(least, most time.Duration) *backoff {
	if least <= 0 {
		least = defaultRetryMin
	}
	if most <= 0 {
		most = defaultRetryMax
	}
	return &backoff{least: least, most: max(least, most)}
}

// next draws the next wait.
func (b *backoff) next() time.Duration {
	switch {
	case b.bound == 0:
		b.bound = b.least
	case b.bound > b.most/2:
		b.bound = b.most
	default:
		b.bound *= 2
	}
	return 1 + rand.N(b.bound)
}

// reset begins from the least bound again.
func (b *backoff) reset() { b.bound = 0 }

// wait sleeps for d; false when ctx ended first.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
