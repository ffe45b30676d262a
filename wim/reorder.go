package wim

import "time"

// reorderHeld is how many readings a Reorder holds back at most.
const reorderHeld = 32

// Reorder puts numbered readings of one device into order that a network delivered out of order. A reading behind a hole in the
// sequence waits until the hole is filled, at most for Window by the readings' arrival, or until 32 wait; then what waits goes on,
// and the hole shows. What comes later than that is handed on as it comes, and whoever takes it finds a repeat.
//
// It is a pure state machine and allocates nothing; one goroutine owns it. Only a device whose link can reorder needs one: a
// serial line or a TCP connection cannot, and behind a lost frame it would only wait.
type Reorder struct {
	Window time.Duration

	known     bool
	boot, seq uint32
	held      [reorderHeld]Reading // by sequence
	n         int
}

// Push takes the next reading that came, and hands on what is now in order.
func (o *Reorder) Push(r Reading, emit func(Reading)) {
	if r.Kind == LinkUp || r.Kind == LinkDown || r.Seq == 0 || !o.known || r.Boot != o.boot || r.Kind == Heartbeat {
		// A heartbeat says what was sent before it, so nothing that waits for less comes any more.
		o.flush(emit)
		o.pass(r, emit)
		return
	}
	o.Expire(r.Arrival, emit)
	switch {
	case r.Seq <= o.seq || r.Seq == o.seq+1:
		o.pass(r, emit)
	default:
		o.hold(r)
		if o.n == reorderHeld {
			o.flush(emit)
		}
	}
	for o.n > 0 && o.held[0].Seq <= o.seq+1 {
		o.first(emit)
	}
}

// Expire hands on what has waited longer than Window at now.
func (o *Reorder) Expire(now Time, emit func(Reading)) {
	for i := range o.n {
		if w := now.Sub(o.held[i].Arrival); w >= o.Window || w < 0 {
			o.flush(emit)
			return
		}
	}
}

// Waiting tells whether something is held back.
func (o *Reorder) Waiting() bool { return o.n > 0 }

// Flush hands on all that is held back, as at a shutdown.
func (o *Reorder) Flush(emit func(Reading)) { o.flush(emit) }

func (o *Reorder) flush(emit func(Reading)) {
	for o.n > 0 {
		o.first(emit)
	}
}

func (o *Reorder) first(emit func(Reading)) {
	r := o.held[0]
	copy(o.held[:], o.held[1:o.n])
	o.n--
	o.held[o.n] = Reading{}
	o.pass(r, emit)
}

func (o *Reorder) pass(r Reading, emit func(Reading)) {
	if r.Seq != 0 && r.Kind != LinkUp && r.Kind != LinkDown {
		if !o.known || r.Boot != o.boot || r.Seq > o.seq {
			o.known, o.boot, o.seq = true, r.Boot, r.Seq
		}
	}
	emit(r)
}

// hold keeps r among what waits, in order; one that waits already is dropped.
func (o *Reorder) hold(r Reading) {
	i := o.n
	for i > 0 && o.held[i-1].Seq >= r.Seq {
		if o.held[i-1].Seq == r.Seq {
			return
		}
		i--
	}
	copy(o.held[i+1:o.n+1], o.held[i:o.n])
	o.held[i] = r
	o.n++
}
