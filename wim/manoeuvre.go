package wim

import "time"

// Every manoeuvre that spoils a weighing has a flag and a test for it, here or in the Assembler. A device that says so itself
// is believed; docs/measurement.md lists them all.

// moment is when an axle passed, and how fast.
type moment struct {
	known   bool
	boot    uint32
	device  int64
	arrival Time
	speed   DeciKmh
}

// since is the time from m to a reading: by the device's clock where both have one of the same boot, else by arrival.
func (m *moment) since(r *Reading) time.Duration {
	if m.device > 0 && r.DeviceTime > 0 && m.boot == r.Boot {
		return time.Duration(r.DeviceTime - m.device)
	}
	return r.Arrival.Sub(m.arrival)
}

// crawl is the speed at which an axle is taken to come whose speed is not known.
const crawl DeciKmh = 50

// move tests an axle's speed, and what lies between it and the axle before.
func (a *Assembler) move(r *Reading, first bool) {
	x, m := &r.Axle, &a.before
	if x.Speed > 0 && (x.Speed < a.cfg.SpeedMin || a.cfg.SpeedMax > 0 && x.Speed > a.cfg.SpeedMax) {
		a.flags |= SpeedOutOfRange
	}
	if m.known {
		if m.boot == r.Boot && m.device > 0 && r.DeviceTime > 0 && r.DeviceTime < m.device {
			a.flags |= DeviceClock
		}
		took := m.since(r)
		switch {
		case !first:
			if x.Spacing > 0 && took > 2*due(x.Spacing, slower(m.speed, x.Speed))+a.cfg.Pause {
				a.flags |= StopAndGo
			}
		case a.cfg.Tailgate > 0 && x.Speed > 0 && took >= 0 && took < due(a.cfg.Tailgate, x.Speed):
			a.flags |= Tailgating
		}
	}
	*m = moment{known: true, boot: r.Boot, device: r.DeviceTime, arrival: r.Arrival, speed: x.Speed}
}

// due is how long a distance takes at a speed. A tenth of km/h is a millimetre in 36 ms.
func due(d Mm, v DeciKmh) time.Duration {
	return time.Duration(int64(d) * 36 * int64(time.Millisecond) / int64(max(v, 1)))
}

// slower is the lower of two speeds; one that is not known does not count, and crawl stands for both.
func slower(a, b DeciKmh) DeciKmh {
	switch {
	case a <= 0 && b <= 0:
		return crawl
	case a <= 0:
		return b
	case b <= 0:
		return a
	}
	return min(a, b)
}

// loop follows the loops. Who comes over the exit loop first, with the entry loop and the scale free, drives against the
// lane's direction. An entry loop that a new vehicle does not leave free between it and the one before is no test: trailers
// with a high bed leave loops free, and long ones cover both.
func (a *Assembler) loop(r *Reading) {
	if r.Loop != EntryLoop && r.Loop != ExitLoop {
		return
	}
	repeat, hole, _ := a.follow(r)
	if repeat {
		return
	}
	if hole {
		a.Lost()
	}
	if r.Seq != 0 {
		a.known, a.boot, a.seq = true, r.Boot, r.Seq
	}
	if a.open {
		a.touched = r.Arrival
	}
	on := r.Kind == LoopOn
	switch {
	case r.Loop == ExitLoop && on && !a.open && !a.loops[EntryLoop]:
		a.reversed = true
	case r.Loop == EntryLoop && on:
		a.reversed = false
	}
	a.loops[r.Loop] = on
}

// The neighbours' axles are kept for so long and in such a number; they are compared with an axle of this lane within
// abreast.
const (
	besideKept = 32
	abreast    = Time(150 * time.Millisecond)
)

// glimpse is an axle on a neighbouring lane.
type glimpse struct {
	at          Time
	left, right bool // which wheels ran over that lane's sensor
}

// beside is what was last seen on the neighbouring lanes.
type beside struct {
	seen [besideKept]glimpse
	next int
	n    int
}

// Neighbour tells of an axle on a neighbouring lane, whatever vehicle it belongs to. It must be told before this lane's
// vehicle ends to have a part in it: both scales stand side by side, so it comes in time, or the vehicle goes
// without. Repeats do no harm.
func (a *Assembler) Neighbour(r *Reading) {
	if r.Kind != AxleReading {
		return
	}
	b := &a.beside
	g := glimpse{at: r.Arrival, left: r.Axle.Left > 0, right: r.Axle.Right > 0}
	if r.Axle.Left < 0 && r.Axle.Right < 0 { // a scale that does not tell wheels apart
		g.left, g.right = true, true
	}
	b.seen[b.next] = g
	b.next = (b.next + 1) % besideKept
	b.n = min(b.n+1, besideKept)
}

// flags holds a vehicle against the neighbours. Straddling: an axle of which one wheel alone ran over this lane's sensor, while
// one wheel alone, the other one, ran over a neighbour's. SideBySide: a whole axle on a neighbouring lane while this
// vehicle was on the scale.
func (b *beside) flags(axles []Axle, start, last Time) (f Flag) {
	for i := range b.n {
		g := &b.seen[i]
		if g.at < start-abreast || g.at > last+abreast {
			continue
		}
		if g.left && g.right {
			f |= SideBySide
			continue
		}
		for j := range axles {
			left, right := axles[j].Left > 0, axles[j].Right > 0
			if left != right && g.left != g.right && left == g.right {
				f |= Straddling
			}
		}
	}
	return f
}
