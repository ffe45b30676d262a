package mqtt

import (
	"context"
	"errors"
	"slices"
)

// SetSlots says which slots a leased Center serves from now on, and confirms those that it serves already. A
// slot that is new is connected; one that is not named any more finishes the batch in work, acknowledges it and
// disconnects, and its session stays at the broker for whoever takes the slot over. left is closed when those
// have ended. It may be called before Run, and does nothing after it.
func (c *Center) SetSlots(slots []int) (left <-chan struct{}, err error) {
	if !c.cfg.Leased {
		return nil, errors.New("uplink of a centre: its slots are configured, not leased")
	}
	if err := checkSlots(slots); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var gone []*slot
	for n, s := range c.slots {
		if !slices.Contains(slots, n) {
			s.giveUp()
			delete(c.slots, n)
			if c.start == nil {
				continue // it never ran, or Run waits for it
			}
			c.leaving[n] = s
			gone = append(gone, s)
		}
	}
	for _, n := range slots {
		if s := c.slots[n]; s != nil {
			s.confirm()
			continue
		}
		s := newSlot(c, n)
		s.before = c.leaving[n] // the two would throw each other out
		delete(c.leaving, n)
		c.slots[n] = s
		if c.start != nil {
			c.start(s)
		}
	}
	c.given = true
	c.becomeReady()
	ended := make(chan struct{})
	if len(gone) == 0 {
		close(ended)
		return ended, nil
	}
	go func() { // ends with the slots, for which Run waits
		for _, s := range gone {
			<-s.ended
		}
		close(ended)
	}()
	return ended, nil
}

// Lost gets a token when the connection of a leased slot has ended. Another centre may have taken the slot over:
// ask for the leases again and set the slots, or the connection stays closed.
func (c *Center) Lost() <-chan struct{} { return c.lost }

// giveUp ends a slot after the batch that it works on.
func (s *slot) giveUp() { s.stop() }

// confirm lets a slot whose connection has ended connect again.
func (s *slot) confirm() {
	select {
	case s.confirmed <- struct{}{}:
	default:
	}
}

// ask says that the connection has ended, and waits until the slot is confirmed; false when it was given up.
func (s *slot) ask(ctx context.Context) bool {
	if !s.center.cfg.Leased {
		return true
	}
	select {
	case <-s.confirmed: // of before
	default:
	}
	select {
	case s.center.lost <- struct{}{}:
	default:
	}
	select {
	case <-s.confirmed:
		return true
	case <-ctx.Done():
		return false
	}
}
