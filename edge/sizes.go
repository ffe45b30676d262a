package edge

import (
	"context"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// maxSizes is how many sizes wait for their vehicles; more were of no vehicle.
const maxSizes = 16

// sizes joins what a laser unit measures to the vehicles on the scale. The unit knows no vehicle and the scale no size: they are joined
// by time, in the order of the road, and only where one size and one vehicle can mean each other.
type sizes struct {
	cfg     *SizerConfig // nil: none
	waiting []wim.Dimensions
	last    *passed // the vehicle that passed last, while it has no size
}

// fits tells whether a size can be of a vehicle whose length the scale has estimated: that differs by less than 2 m and a quarter.
func fits(d *wim.Dimensions, scale wim.Mm) bool {
	if d.Length == 0 || scale == 0 {
		return true
	}
	apart := max(d.Length-scale, scale-d.Length)
	return apart < 2000+scale/4
}

// of takes the size of a vehicle that has passed; ok is false where none or several may be its own. dropped counts those that are of no
// vehicle any more.
func (s *sizes) of(start, end wim.Time, length wim.Mm) (d wim.Dimensions, ok bool, dropped int) {
	from, to := start-wim.Time(s.cfg.Before), end+wim.Time(s.cfg.After)
	old, found, at := 0, 0, 0
	for i := range s.waiting {
		w := &s.waiting[i]
		switch {
		case w.Arrival < from:
			old = i + 1
		case w.Arrival <= to && fits(w, length):
			if found++; found == 1 {
				at = i
			}
		}
	}
	if found != 1 {
		s.waiting = append(s.waiting[:0], s.waiting[old:]...)
		return d, false, old
	}
	d = s.waiting[at]
	s.waiting = append(s.waiting[:0], s.waiting[at+1:]...) // what came before it was of vehicles before
	return d, true, at
}

// arrived takes in a size; late is true where it belongs to the vehicle that has just passed.
func (s *sizes) arrived(d wim.Dimensions, open bool) (to *passed, late bool, dropped int) {
	if p := s.last; p != nil && !open && d.Arrival >= p.end && d.Arrival <= p.end+wim.Time(s.cfg.After) && fits(&d, p.facts.Vehicle.Length) {
		s.last = nil
		return p, true, 0
	}
	if len(s.waiting) == maxSizes {
		s.waiting, dropped = append(s.waiting[:0], s.waiting[1:]...), 1
	}
	s.waiting = append(s.waiting, d)
	return nil, false, dropped
}

// put writes a size into a vehicle. The certificate's error counts only where the unit measured the length too: an error beside the
// scale's own length would be taken for its.
func (c *SizerConfig) put(d *wim.Dimensions, v *wim.Vehicle) {
	v.Sizer = &wim.Sizer{Device: c.Device, Event: d.Event}
	v.SizeError = 0
	for _, x := range []struct {
		from wim.Mm
		to   *wim.Mm
	}{{d.Length, &v.Length}, {d.Width, &v.Width}, {d.Height, &v.Height}} {
		if x.from != 0 {
			*x.to = x.from
		}
	}
	if c.Certificate != "" && d.Length != 0 && c.From <= v.End && v.End < c.Until {
		v.SizeError, v.Sizer.Certificate = c.Error, c.Certificate
	}
}

// emitSize is what the laser unit's driver calls. One that finds the queue full is dropped and counted: a size is no weighing.
func (l *lane) emitSize(d wim.Dimensions) {
	select {
	case l.measured <- d:
	default:
		l.m.sizes.WithLabelValues("queue-full").Inc()
	}
}

// size takes in what the unit measured.
func (l *lane) size(d wim.Dimensions) {
	to, late, dropped := l.sizes.arrived(d, l.asm.Open())
	l.m.sizes.WithLabelValues("unmatched").Add(float64(dropped))
	if !late {
		return
	}
	to.facts.Vehicle = to.facts.Vehicle.Clone()
	l.cfg.Sizer.put(&d, &to.facts.Vehicle)
	l.m.sizes.WithLabelValues("late").Inc()
	l.supply(to, wim.Supplement{Cause: wim.SupplementSize, Reads: []wim.PlateRead{}}, along{})
}

// sized gives a vehicle that has just passed its size, before it is judged.
func (l *lane) sized(p *passed, v *wim.Vehicle) {
	if l.cfg.Sizer == nil {
		return
	}
	for { // what came while the vehicle's end was taken in
		select {
		case d := <-l.measured:
			_, _, dropped := l.sizes.arrived(d, true)
			l.m.sizes.WithLabelValues("unmatched").Add(float64(dropped))
			continue
		default:
		}
		break
	}
	d, ok, dropped := l.sizes.of(p.start, p.end, v.Length)
	l.m.sizes.WithLabelValues("unmatched").Add(float64(dropped))
	if l.sizes.last = p; ok {
		l.sizes.last = nil
		l.cfg.Sizer.put(&d, v)
		l.m.sizes.WithLabelValues("matched").Inc()
	}
}

// shift moves what waits along when the clock was set.
func (s *sizes) shift(by wim.Time) {
	for i := range s.waiting {
		s.waiting[i].Arrival += by
	}
}

// runSizer runs a lane's laser unit.
func (l *lane) runSizer(ctx context.Context) error { return l.cfg.Sizer.Sizer.Run(ctx, l.emitSize) }

// check fills in defaults and says what is wrong, empty for nothing.
func (c *SizerConfig) check() string {
	const most = 30 * time.Second
	switch {
	case c.Sizer == nil || c.Device == "":
		return "a laser unit needs a device name"
	case c.Before < 0 || c.After < 0 || c.Before > most || c.After > most:
		return "a size may come 0 to 30s before and after its vehicle"
	case c.Error < 0 || (c.Error > 0) != (c.Certificate != ""):
		return "a laser unit's error goes with the certificate that states it"
	}
	fallback(&c.Before, 3*time.Second)
	fallback(&c.After, 3*time.Second)
	return ""
}
