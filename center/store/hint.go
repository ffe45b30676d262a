package store

import "sync"

// hints tells any number of waiters that something may have happened. Its zero value is ready.
type hints struct {
	mu      sync.Mutex
	waiting map[chan struct{}]struct{}
}

func (h *hints) subscribe() (hint <-chan struct{}, cancel func()) {
	c := make(chan struct{}, 1)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.waiting == nil {
		h.waiting = map[chan struct{}]struct{}{}
	}
	h.waiting[c] = struct{}{}
	return c, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.waiting, c)
	}
}

func (h *hints) give() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.waiting {
		select {
		case c <- struct{}{}:
		default: // one hint not yet taken says it all
		}
	}
}
