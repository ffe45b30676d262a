package mqtt

import (
	"context"
	"math/rand/v2"
	"time"
)

// A broker that restarts loses all its sites at one moment. The first wait already is drawn from two seconds, so
// that a thousand sites come back at about fifty in a tenth of a second, and no handshake waits behind the others'.
const (
	defaultRetryMin = 2 * time.Second
	defaultRetryMax = 15 * time.Second
	// defaultCenterRetryMin is shorter: a centre has sixteen connections, and all sites wait for it.
	defaultCenterRetryMin = 250 * time.Millisecond
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
