package edge

import (
	"slices"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// Bounds of a matcher. What overflows is the oldest, and it is counted.
const (
	maxWaiting = 64  // reads without a vehicle yet
	maxPassed  = 64  // vehicles that a late plate may still find
	maxEvents  = 512 // camera events remembered to know repeats
)

// passed is a recorded vehicle that a late plate may belong to.
type passed struct {
	// name is filled in by the recorder; the lane only hands the pointer on.
	name       *wim.RecordRef
	start, end wim.Time
	facts      wim.Facts
	rules      Judge           // by which it was judged: what comes later is judged by the law of the passage, whatever is active then
	reads      []wim.PlateRead // all that were matched, in order of arrival
	order      wim.Order
	doubt      bool // a read was matched by a clock that is not settled
	// source names the vehicle at its scale, and keyed are its units as staff keyed them, nil where nobody did.
	source wim.DeviceCursor
	keyed  []wim.Unit
}

// free tells whether the vehicle has no plate of that end yet.
func (p *passed) free(r *wim.PlateRead) bool {
	for i := range p.reads {
		if p.reads[i].End == r.End && (p.reads[i].Text != "" || r.Text == "") {
			return false
		}
	}
	return true
}

// waiting is a read that no vehicle has claimed.
type waiting struct {
	read     wim.PlateRead
	jpeg     []byte
	captured wim.Time // when the plate was seen, by the site's clock
	arrived  wim.Time // as read.Arrival, moved along when the clock is set
	doubt    bool
}

// matched is a read that belongs to a vehicle already recorded.
type matched struct {
	to   *passed
	read wim.PlateRead
	jpeg []byte
}

type eventKey struct{ camera, event string }

// matcher decides which plate belongs to which vehicle of one lane. Its lane's goroutine owns it.
//
// A read belongs to the vehicle on the lane whose time on the scale it is nearest to, within Before and After,
// and which has no plate of that end yet. A rear plate is never read before its vehicle's start. Between a
// vehicle that has passed and one still to come, it waits until it is clear. What belongs to none is
// forgotten with its picture: a plate without a weighing is nobody's business.
type matcher struct {
	cfg     PlateConfig
	waiting []waiting
	passed  []*passed // oldest first
	clocks  map[string]*cameraClock
	events  map[eventKey]*passed // nil value: still waiting, or forgotten
	order   []eventKey           // of events, oldest first
	surplus int
}

func newMatcher(cfg PlateConfig) *matcher {
	return &matcher{cfg: cfg, clocks: map[string]*cameraClock{}, events: map[eventKey]*passed{}}
}

type readState uint8

const (
	readWaits    readState = iota // it waits for its vehicle
	readRepeated                  // the same event again: nothing new
	readAmends                    // an event of a recorded vehicle again, with something new
)

// arrived takes in a read. A repeated event amends what it said before and never becomes a second read.
func (m *matcher) arrived(p arrivedPlate) (readState, matched) {
	c := m.clocks[p.read.Camera]
	if c == nil {
		c = &cameraClock{}
		m.clocks[p.read.Camera] = c
	}
	captured, doubt := c.captured(&p.read, m.cfg.Late)
	w := waiting{read: p.read, jpeg: p.jpeg, captured: captured, arrived: p.read.Arrival, doubt: doubt}
	key := eventKey{p.read.Camera, p.read.Event}
	if key.event != "" {
		to, known := m.events[key]
		if known {
			return m.again(key, to, w)
		}
		m.remember(key, nil)
	}
	m.waiting = append(m.waiting, w)
	if len(m.waiting) > maxWaiting {
		m.waiting = slices.Delete(m.waiting, 0, 1)
		m.surplus++
	}
	return readWaits, matched{}
}

func (m *matcher) again(key eventKey, to *passed, w waiting) (readState, matched) {
	if to == nil {
		for i := range m.waiting {
			if old := &m.waiting[i]; old.read.Camera == key.camera && old.read.Event == key.event {
				if r, jpeg, news := amend(old.read, old.jpeg, w.read, w.jpeg); news {
					old.read, old.jpeg = r, jpeg
				}
				break
			}
		}
		return readRepeated, matched{}
	}
	for i := range to.reads {
		if old := to.reads[i]; old.Camera == key.camera && old.Event == key.event {
			r, jpeg, news := amend(old, nil, w.read, w.jpeg)
			if !news {
				return readRepeated, matched{}
			}
			to.reads = slices.Clone(to.reads)
			to.reads[i] = r
			return readAmends, matched{to, r, jpeg}
		}
	}
	return readRepeated, matched{}
}

// amend joins two accounts of one camera event: the surer plate and the picture that is there.
func amend(old wim.PlateRead, oldJPEG []byte, now wim.PlateRead, jpeg []byte) (r wim.PlateRead, picture []byte, news bool) {
	r, picture = old, oldJPEG
	if now.Text != "" && (old.Text == "" || now.Text != old.Text && now.Confidence > old.Confidence) {
		news = true
		d := r.Picture
		r = now
		r.Picture, r.Arrival = d, old.Arrival
	}
	if old.Picture.IsZero() && !now.Picture.IsZero() {
		news = true
		r.Picture, picture = now.Picture, jpeg
	}
	return r, picture, news
}

func (m *matcher) remember(key eventKey, to *passed) {
	if key.event == "" {
		return
	}
	if _, known := m.events[key]; !known {
		m.order = append(m.order, key)
		if len(m.order) > maxEvents {
			delete(m.events, m.order[0])
			m.order = slices.Delete(m.order, 0, 1)
		}
	}
	m.events[key] = to
}

// overflow tells how many waiting reads were pushed out since the last call.
func (m *matcher) overflow() int {
	n := m.surplus
	m.surplus = 0
	return n
}

// distance is how far a plate seen at t lies from a vehicle's time on the scale; ok is false where it cannot
// be the vehicle's.
func (m *matcher) distance(start, end wim.Time, side wim.End, t wim.Time) (d time.Duration, ok bool) {
	switch {
	case t < start:
		d = time.Duration(start - t)
		return d, side != wim.Rear && d <= m.cfg.Before
	case t > end:
		d = time.Duration(t - end)
		return d, d <= m.cfg.After
	}
	return 0, true
}

// nearest is the recorded vehicle that w belongs to before any other.
func (m *matcher) nearest(w *waiting) (best *passed, d time.Duration) {
	for _, p := range m.passed {
		if pd, ok := m.distance(p.start, p.end, w.read.End, w.captured); ok && p.free(&w.read) && (best == nil || pd < d) {
			best, d = p, pd
		}
	}
	return best, d
}

// closed gives p, whose end has just been read, the waiting reads that are its own, and keeps it for late
// ones. The reads returned are the caller's.
func (m *matcher) closed(p *passed) (reads []wim.PlateRead, jpegs [][]byte) {
	take := func(i int) {
		w := m.waiting[i]
		p.reads = append(p.reads, w.read)
		p.doubt = p.doubt || w.doubt
		if w.jpeg != nil {
			jpegs = append(jpegs, w.jpeg)
		}
		m.remember(eventKey{w.read.Camera, w.read.Event}, p)
		m.waiting = slices.Delete(m.waiting, i, i+1)
	}
	for {
		best, bestD := -1, time.Duration(0)
		for i := range m.waiting {
			w := &m.waiting[i]
			d, ok := m.distance(p.start, p.end, w.read.End, w.captured)
			if !ok || !p.free(&w.read) {
				continue
			}
			if other, od := m.nearest(w); other != nil && od < d {
				continue
			}
			if best < 0 || d < bestD {
				best, bestD = i, d
			}
		}
		if best < 0 {
			break
		}
		take(best)
	}
	for i := 0; i < len(m.waiting); { // a second camera that read the same plate
		w := &m.waiting[i]
		_, ok := m.distance(p.start, p.end, w.read.End, w.captured)
		if ok && w.read.Text != "" && slices.ContainsFunc(p.reads, func(r wim.PlateRead) bool { return r.End == w.read.End && wim.AlikePlates(r.Text, w.read.Text) }) {
			take(i)
			continue
		}
		i++
	}
	m.keep(p)
	return slices.Clone(p.reads), jpegs
}

func (m *matcher) keep(p *passed) {
	m.passed = append(m.passed, p)
	if len(m.passed) > maxPassed {
		m.passed = slices.Delete(m.passed, 0, 1)
	}
}

// settle looks at the waiting reads again. begun is the start of the vehicle on the scale, 0 for none; final
// says that nothing more will come.
func (m *matcher) settle(now, begun wim.Time, final bool) (out []matched, dropped int) {
	m.passed = slices.DeleteFunc(m.passed, func(p *passed) bool { return time.Duration(now-p.end) > m.cfg.Late })
	for i := 0; i < len(m.waiting); {
		w := &m.waiting[i]
		if ahead := w.arrived - now; time.Duration(ahead) > m.cfg.Late { // stamped before the clock was set back, taken in after it
			w.captured, w.arrived = w.captured-ahead, now
		}
		to, d := m.nearest(w)
		switch {
		case to != nil && m.decided(w, d, now, begun, final):
			to.reads = append(slices.Clone(to.reads), w.read)
			to.doubt = to.doubt || w.doubt
			m.remember(eventKey{w.read.Camera, w.read.Event}, to)
			out = append(out, matched{to, w.read, w.jpeg})
		case to == nil && (final || m.hopeless(w, now, begun)):
			dropped++
		default:
			i++
			continue
		}
		m.waiting = slices.Delete(m.waiting, i, i+1)
	}
	return out, dropped
}

// decided tells that no vehicle on the scale or to come can be nearer to w than d.
func (m *matcher) decided(w *waiting, d time.Duration, now, begun wim.Time, final bool) bool {
	if d == 0 || final {
		return true
	}
	if begun != 0 {
		if bd, ok := m.distance(begun, max(begun, now), w.read.End, w.captured); ok && bd <= d {
			return false
		}
	}
	return w.read.End == wim.Rear || now > w.captured+wim.Time(d)
}

// hopeless tells that no vehicle can come that w belongs to.
func (m *matcher) hopeless(w *waiting, now, begun wim.Time) bool {
	if begun != 0 {
		if _, ok := m.distance(begun, max(begun, now), w.read.End, w.captured); ok {
			return false
		}
	}
	return now > w.captured+wim.Time(m.cfg.Before) && now > w.arrived
}

// shift moves what is remembered along with a clock that was set by so much: vehicles and plates lie as far
// apart as before, and nothing waits for a day that has been already. What the records say is not touched.
func (m *matcher) shift(by wim.Time) {
	for i := range m.waiting {
		m.waiting[i].captured += by
		m.waiting[i].arrived += by
	}
	for _, p := range m.passed {
		p.start += by
		p.end += by
	}
	for _, c := range m.clocks {
		c.shift(time.Duration(by))
	}
}

// recall takes in a vehicle that was recorded before a restart.
func (m *matcher) recall(p *passed) {
	p.reads = slices.Clone(p.reads)
	for i := range p.reads {
		m.remember(eventKey{p.reads[i].Camera, p.reads[i].Event}, p)
	}
	m.keep(p)
}

// recallRead takes in a supplement that was recorded before a restart.
func (m *matcher) recallRead(s *wim.Supplement) {
	for _, p := range m.passed {
		if *p.name != s.Of {
			continue
		}
		for _, r := range s.Reads {
			i := slices.IndexFunc(p.reads, func(o wim.PlateRead) bool { return o.Camera == r.Camera && o.Event == r.Event && r.Event != "" })
			if i >= 0 {
				p.reads[i] = r
			} else {
				p.reads = append(p.reads, r)
			}
			m.remember(eventKey{r.Camera, r.Event}, p)
		}
		p.facts = s.Facts
		if s.Cause == wim.SupplementKeyed {
			p.keyed = s.Facts.Units
		}
	}
}
