package edge

import (
	"log/slog"
	"math"
	"sync/atomic"
	"time"

	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/calibration"
)

const (
	readingQueue = 1024
	plateQueue   = 32
	besideQueue  = 64
	laneTick     = 250 * time.Millisecond
)

// arrivedPlate is a read on its way from a camera to its lane.
type arrivedPlate struct {
	read wim.PlateRead
	jpeg []byte
}

// group is what one step of a lane wants committed together: all of it or nothing.
type group struct {
	drafts []journal.Draft
	// committed, where not nil, is closed when all is on the disk.
	committed chan<- struct{}
	jpegs     [][]byte // pictures that the drafts name, not yet on disk
}

// lane turns one scale's readings into passages. Its Run goroutine owns every field below the channels.
type lane struct {
	cfg    LaneConfig
	site   *Config
	works  *works
	log    *slog.Logger
	m      *laneMetrics
	groups chan<- group // to the recorder, which outlives the lane

	readings chan wim.Reading
	plates   chan arrivedPlate
	answers  chan string         // plates whose licences the centre has told
	keyed    chan keyedPassage   // what staff keyed
	measured chan wim.Dimensions // by the laser unit
	stop     chan struct{}       // closed when the sensors are silent: drain and end
	beside   chan wim.Reading    // axles on neighbouring lanes; one that finds it full is dropped
	// neighbours are the channels of the lanes beside this one.
	neighbours []chan<- wim.Reading
	// failSafe tells that the journal cannot be written: no order is given that could not be recorded.
	failSafe func() bool
	director *director             // nil for a lane without a sign
	inquiry  *inquiry              // nil where the centre is not asked
	licences *keyedLicences        // that staff keyed
	covered  func(wim.LaneID) bool // something lies on the scale; nil for a lane that stands alone

	seq   sequence
	asm   *wim.Assembler
	order wim.Reorder
	watch *calibration.Watch
	match *matcher
	// offsets is how far the cameras' clocks trail the site's, nil while that is not known. The map is only read.
	offsets map[string]*atomic.Pointer[time.Duration]
	begun   wim.Time // start of the vehicle on the scale, 0 for none
	pending []*wim.Gap
	sizes   sizes
	heard   time.Time // when the last reading was taken, for the span since
	heardAt wim.Time
	stepped time.Duration // how far the clock had been set at the last look
	shifted time.Duration // how far it was set since the vehicle on the scale began
	last    *passed       // the vehicle that passed last
	verdict wim.Verdict   // Judge's slices, reused

	passed, seen atomic.Uint64 // vehicles recorded, and plate reads taken
}

func newLane(site *Config, cfg LaneConfig, by *works, m *laneMetrics, groups chan<- group, failSafe func() bool) *lane {
	l := &lane{
		cfg: cfg, site: site, works: by, m: m, groups: groups, failSafe: failSafe,
		log:      site.Logger.With("lane", cfg.Lane),
		readings: make(chan wim.Reading, readingQueue),
		plates:   make(chan arrivedPlate, plateQueue),
		answers:  make(chan string, plateQueue),
		keyed:    make(chan keyedPassage), // who keyed waits
		measured: make(chan wim.Dimensions, maxSizes),
		sizes:    sizes{cfg: cfg.Sizer},
		beside:   make(chan wim.Reading, besideQueue),
		order:    wim.Reorder{Window: cfg.Reorder},
		watch:    calibration.NewWatch(calibration.WatchConfig{}),
		stop:     make(chan struct{}),
		seq:      sequence{lane: cfg.Lane, device: cfg.Device},
		asm:      wim.NewAssembler(cfg.Assembler),
		match:    newMatcher(site.Plates),
		offsets:  map[string]*atomic.Pointer[time.Duration]{},
	}
	for i := range cfg.Cameras {
		l.offsets[cfg.Cameras[i].Device] = new(atomic.Pointer[time.Duration])
	}
	if c, ok := site.Journal.Cursor(cfg.Device); ok {
		l.seq.known, l.seq.boot, l.seq.last = true, c.Boot, c.Seq
	}
	return l
}

// emitReading is what the scale's driver calls. A reading that finds the queue full is dropped and counted:
// the hole it leaves in the sequence becomes a sealed gap.
func (l *lane) emitReading(r wim.Reading) {
	select {
	case l.readings <- r:
	default:
		l.m.dropped.WithLabelValues("queue-full").Inc()
	}
}

// emitPlate is what a camera's driver calls; false asks the camera to send the read again.
func (l *lane) emitPlate(device string, r wim.PlateRead, jpeg []byte) bool {
	r.Lane, r.Picture = l.cfg.Lane, wim.Digest{}
	if r.Camera == "" {
		r.Camera = device
	}
	if len(jpeg) > l.site.Plates.MaxPicture {
		l.m.plates.WithLabelValues("picture-too-large").Inc()
		jpeg = nil
	}
	if len(jpeg) > 0 && l.site.Pictures.Dir != "" {
		r.Picture = wim.DigestOf(jpeg)
	} else {
		jpeg = nil
	}
	select {
	case <-l.stop:
		return false
	default:
	}
	select {
	case l.plates <- arrivedPlate{r, jpeg}:
		l.seen.Add(1)
		return true
	default:
		l.m.plates.WithLabelValues("refused").Inc()
		return false
	}
}

// run works until stop is closed and what had arrived by then is taken in.
func (l *lane) run() {
	tick := time.NewTicker(laneTick)
	defer tick.Stop()
	for {
		select {
		case r := <-l.readings:
			l.mindClock()
			l.reading(&r)
		case p := <-l.plates:
			l.mindClock()
			l.plate(p)
		case plate := <-l.answers:
			l.mindClock()
			l.licensed(plate)
		case k := <-l.keyed:
			l.mindClock()
			l.key(&k)
		case d := <-l.measured:
			l.mindClock()
			l.size(d)
		case <-tick.C:
			l.mindClock()
			l.tick()
		case <-l.stop:
			l.drain()
			return
		}
	}
}

func (l *lane) drain() {
	for {
		select {
		case p := <-l.plates:
			l.plate(p)
			continue
		default:
		}
		select {
		case r := <-l.readings:
			l.reading(&r)
			continue
		default:
		}
		break
	}
	l.order.Flush(l.inOrder)
	l.settle(true)
	if l.asm.Open() {
		l.log.Info("a vehicle is on the scale at shutdown; the next start records it as a gap")
	}
}

// mindClock moves what lies in memory along when the system clock was set, so that a plate still finds its
// vehicle and nothing waits for an hour that has been already. What is recorded is what the clock said.
func (l *lane) mindClock() {
	now := l.site.Timekeeper.Stepped()
	by := now - l.stepped
	if by == 0 {
		return
	}
	l.stepped = now
	l.match.shift(wim.Time(by))
	l.sizes.shift(wim.Time(by))
	if l.asm.Open() {
		l.shifted += by
	}
	if l.begun != 0 {
		l.begun += wim.Time(by)
	}
}

func (l *lane) now() wim.Time { return wim.TimeOf(l.site.Now()) }

// reading takes what the scale sent, in the device's order where its link may change that.
func (l *lane) reading(r *wim.Reading) {
	l.lookBeside()
	l.heard, l.heardAt = time.Now(), r.Arrival
	if l.order.Window > 0 {
		l.order.Push(*r, l.inOrder)
		return
	}
	l.take(r)
}

func (l *lane) inOrder(r wim.Reading) { l.take(&r) }

// lookBeside takes in what the neighbouring lanes saw by now.
func (l *lane) lookBeside() {
	for {
		select {
		case r := <-l.beside:
			l.asm.Neighbour(&r)
			continue
		default:
		}
		return
	}
}

func (l *lane) take(r *wim.Reading) {
	switch r.Kind {
	case wim.LinkUp, wim.LinkDown:
		l.asm.Push(*r) // marks an open vehicle; completes none
		return
	case wim.AxleReading, wim.VehicleEnd, wim.Heartbeat, wim.Retraction:
	case wim.LoopOn, wim.LoopOff:
		if r.Seq == 0 { // a loop outside of the scale's numbering leaves no hole
			l.asm.Push(*r)
			return
		}
	default:
		l.m.dropped.WithLabelValues("unknown-kind").Inc()
		return
	}
	if r.Boot == 0 || r.Seq == 0 && r.Kind != wim.Heartbeat {
		l.m.dropped.WithLabelValues("unnumbered").Inc()
		return
	}
	st, gap := l.seq.look(r)
	switch st {
	case stepRepeated:
		l.m.dropped.WithLabelValues("repeated").Inc()
		return
	case stepRestart:
		if v, done := l.asm.Expire(math.MaxInt64); done { // its end belongs to the boot that is gone
			l.passage(v)
		}
	case stepNext:
	}
	if gap != nil {
		l.pending = append(l.pending, gap)
	}
	if r.Kind == wim.Retraction {
		l.flushGaps()
		l.retract(r)
		l.seq.take(r)
		l.flushGaps()
		return
	}
	if r.Kind == wim.AxleReading {
		for _, n := range l.neighbours {
			select {
			case n <- *r:
			default: // the neighbour is behind: it goes without
			}
		}
	}
	open := l.asm.Open()
	v, done := l.asm.Push(*r)
	if done {
		l.passage(v)
	}
	l.seq.take(r)
	switch {
	case !l.asm.Open():
		l.begun = 0
	case done || !open:
		l.begun = r.Arrival
	}
	if r.Kind == wim.VehicleEnd && !done {
		l.pending = append(l.pending, &wim.Gap{Lane: l.cfg.Lane, Device: l.cfg.Device, Cause: wim.GapSequence, Boot: r.Boot, From: r.Seq, To: r.Seq,
			Since: r.Arrival, Until: r.Arrival, Detail: "a vehicle end that completed no vehicle"})
	}
	if !l.asm.Open() || done || !open {
		l.flushGaps()
	}
}

// flushGaps hands over the gaps that lie before the messages of the vehicle on the scale, if there is one. A
// gap inside it waits for its end: the cursor must not pass axles that are only in memory, and without the
// cursor a gap recorded now would be recorded again after a crash.
func (l *lane) flushGaps() {
	if len(l.pending) == 0 {
		return
	}
	var g group
	for _, gap := range l.pending {
		g.drafts = append(g.drafts, l.gapDraft(gap, true))
	}
	l.pending = l.pending[:0]
	l.send(g)
}

func (l *lane) gapDraft(g *wim.Gap, cursor bool) journal.Draft {
	l.m.gaps.WithLabelValues(string(g.Cause)).Inc()
	l.log.Warn("messages of the scale are missing", "device", g.Device, "cause", g.Cause, "boot", g.Boot, "from", g.From, "to", g.To)
	d := journal.Draft{Kind: wim.KindGap, Lane: l.cfg.Lane, Time: l.now(), Clock: l.site.Clock(), Gap: g}
	if cursor {
		d.Cursors = []wim.DeviceCursor{{Device: g.Device, Boot: g.Boot, Seq: g.To}}
	}
	return d
}

// passage judges, directs and records a vehicle that has passed.
func (l *lane) passage(assembled wim.Vehicle) {
	l.works.between.RLock()
	defer l.works.between.RUnlock()
	by := l.works.now.Load()
	boot, rest := l.asm.Rest()
	v := assembled.Clone() // Classify writes to Groups, and the record keeps the vehicle
	wim.Classify(&v)
	if v.Temperature == 0 && l.cfg.Thermometer != nil {
		v.Temperature = l.cfg.Thermometer.Temperature()
	}
	if l.covered != nil && l.covered(l.cfg.Lane) {
		v.Flags |= wim.RoadSurface
	}
	l.watchDrift(&v)
	src := wim.DeviceCursor{Device: l.cfg.Device, Boot: boot, Seq: rest}
	p := &passed{name: new(wim.RecordRef), source: src, start: min(v.Start+wim.Time(l.shifted), v.End), end: v.End}
	l.shifted = 0
	reads, jpegs := l.match.closed(p)
	l.sized(p, &v)
	f := &wim.Facts{Time: v.End, Clock: l.site.Clock(), Purpose: by.purpose(&l.cfg), Road: by.Road, Instrument: l.cfg.Instrument, Vehicle: v}
	identify(f, p.reads, l.lookup(by), l.site.Plates.Sure, p.doubt)
	by.mark(f)
	p.facts = *f
	p.rules = by.Rules
	verdict := l.judge(p.rules, f)
	if l.inReach(p) {
		p.order = l.direct(p, &verdict, v.End)
	}
	l.last = p

	g := group{jpegs: jpegs}
	kept := l.pending[:0]
	for _, gap := range l.pending {
		if gap.Boot == boot && gap.From < rest {
			g.drafts = append(g.drafts, l.gapDraft(gap, false))
		} else {
			kept = append(kept, gap)
		}
	}
	l.pending = kept
	g.drafts = append(g.drafts, journal.Draft{
		Kind: wim.KindPassage, Lane: l.cfg.Lane, Time: l.now(), Clock: f.Clock,
		Passage: &wim.Passage{Source: src, Facts: *f, Verdict: verdict, Reads: reads, Order: p.order},
		Cursors: []wim.DeviceCursor{src}, Pictures: pictureRows(reads, jpegs, verdict.Alerts()), Name: p.name,
		Key: keyOf(&f.Vehicle),
	})
	l.send(g)
	l.inquiry.want(f.Units)
	outcome, standing := summary(&verdict)
	l.m.passages.WithLabelValues(string(outcome), string(standing)).Inc()
	l.passed.Add(1)
	l.m.plates.WithLabelValues("matched").Add(float64(len(reads)))
}

// watchDrift tells when the scale seems to drift. Nothing follows by itself: a person has it calibrated, and verified anew.
func (l *lane) watchDrift(v *wim.Vehicle) {
	for _, d := range l.watch.Take(v, v.End) {
		kind := string(d.Kind)
		l.m.drift.WithLabelValues(kind).Set(float64(d.Off) / float64(calibration.One))
		if !d.Alarm {
			continue
		}
		l.m.drifts.WithLabelValues(kind).Inc()
		l.log.Warn("the scale seems to drift; have it looked at, calibrated and verified anew", "kind", kind, "off_ppm", d.Off, "uncertainty_ppm", d.Uncertainty,
			"vehicles", d.N, "proposed_factor_ppm", d.Proposed)
	}
}

func (l *lane) judge(by Judge, f *wim.Facts) wim.Verdict {
	began := time.Now()
	by.Judge(f, &l.verdict)
	l.m.judge.Observe(time.Since(began).Seconds())
	return l.verdict.Clone()
}

// direct hands an order to the sign and returns what is recorded as shown: nothing where there is no sign,
// the last order was not confirmed, or the journal cannot be written. Whoever exceeds a limit, as evidence or
// as suspicion, is led to the static scale; whoever cannot be judged, or only with a void weighing, proceeds.
func (l *lane) direct(p *passed, v *wim.Verdict, since wim.Time) wim.Order {
	if l.director == nil || l.failSafe() {
		return wim.OrderNone
	}
	d := direction{order: wim.OrderProceed}
	if v.Alerts() {
		d.order = wim.OrderEnter
		if len(p.facts.Units) > 0 {
			d.plate = p.facts.Units[0].Plate
		}
	}
	answering := l.director.give(d)
	if since != 0 {
		l.m.order.Observe(time.Duration(l.now() - since).Seconds())
	}
	if !answering {
		return wim.OrderNone
	}
	return d.order
}

// signReach is how long after its end a vehicle can still read the sign. A later order would be read by the
// next one.
const signReach = 6 * time.Second

// inReach tells whether a vehicle can still read the sign. One that waited in a scale's memory while its line
// was out cannot.
func (l *lane) inReach(p *passed) bool { return time.Duration(l.now()-p.end) < signReach }

func (l *lane) plate(p arrivedPlate) {
	s, amended := l.match.arrived(p)
	l.clockOf(p.read.Camera)
	switch s {
	case readRepeated:
		l.m.plates.WithLabelValues("repeated").Inc()
	case readAmends:
		l.supplement(amended, wim.SupplementPlate)
	case readWaits:
		if n := l.match.overflow(); n > 0 {
			l.m.plates.WithLabelValues("overflow").Add(float64(n))
		}
		l.settle(false)
	}
}

// settle gives waiting reads to vehicles that have passed, and drops those that belong to none.
func (l *lane) settle(final bool) {
	matches, dropped := l.match.settle(l.now(), l.begun, final)
	for _, m := range matches {
		l.supplement(m, wim.SupplementPlate)
	}
	if dropped > 0 {
		l.m.plates.WithLabelValues("unmatched").Add(float64(dropped))
		l.log.Debug("plates belong to no vehicle and are forgotten with their pictures", "count", dropped)
	}
}

// lookup finds licences by what the site judges by now.
func (l *lane) lookup(by *Works) lookup { return lookup{by.Registrations, l.inquiry, l.licences} }

// supplement records what came after a passage: a plate, or the licence of one.
func (l *lane) supplement(m matched, cause string) {
	reads := []wim.PlateRead{}
	if cause == wim.SupplementPlate {
		reads = append(reads, m.read)
	}
	l.supply(m.to, wim.Supplement{Cause: cause, Reads: reads}, along{jpeg: m.jpeg})
	if cause == wim.SupplementPlate {
		l.m.plates.WithLabelValues("late").Inc()
		l.inquiry.want(m.to.facts.Units)
	}
}

// along is what is committed with a supplement.
type along struct {
	jpeg      []byte          // the picture of its read, or nil
	committed chan<- struct{} // where not nil, closed when the record is on the disk
	cursors   []wim.DeviceCursor
	key       string // of the device's message, as in journal.Draft
}

// supply judges a passage anew by all that is known of it now and records that as s, whose cause and reads are given.
func (l *lane) supply(p *passed, s wim.Supplement, with along) {
	l.works.between.RLock()
	defer l.works.between.RUnlock()
	by := l.works.now.Load()
	f := p.facts
	f.Vehicle = p.facts.Vehicle.Clone()
	identify(&f, p.reads, l.lookup(by), l.site.Plates.Sure, p.doubt)
	overrule(&f, p.keyed, l.lookup(by))
	by.mark(&f)
	p.facts = f
	if p.rules == nil {
		p.rules = by.Rules
	}
	verdict := l.judge(p.rules, &f)
	if p == l.last && l.begun == 0 && l.inReach(p) && l.now() >= p.end && verdict.Alerts() {
		p.order = l.direct(p, &verdict, 0)
	}
	var jpegs [][]byte
	picture := wim.Digest{}
	if with.jpeg != nil {
		jpegs, picture = [][]byte{with.jpeg}, wim.DigestOf(with.jpeg)
	}
	var found []wim.Digest // the pictures of before show what is found now
	for i := range p.reads {
		if d := p.reads[i].Picture; verdict.Alerts() && !d.IsZero() && d != picture {
			found = append(found, d)
		}
	}
	s.Facts, s.Verdict = f, verdict
	l.send(group{jpegs: jpegs, committed: with.committed, drafts: []journal.Draft{{
		Kind: wim.KindSupplement, Lane: l.cfg.Lane, Time: l.now(), Clock: l.site.Clock(), Of: p.name, Cursors: with.cursors, Key: with.key,
		Supplement: &s, Pictures: pictureRows(s.Reads, jpegs, verdict.Alerts()), Found: found,
	}}})
	l.m.supplements.Inc()
}

func (l *lane) tick() {
	if l.order.Waiting() {
		l.order.Expire(l.heardAt+wim.Time(time.Since(l.heard)), l.inOrder)
	}
	if l.asm.Open() {
		// The span since the last reading is taken from the monotonic clock, so that a clock that is set
		// does not close a vehicle that stands on the scale.
		if v, done := l.asm.Expire(l.heardAt + wim.Time(time.Since(l.heard))); done {
			l.begun = 0
			l.passage(v)
			l.flushGaps()
		}
	}
	l.settle(false)
}

// send waits while the recorder is behind: nothing that was weighed is thrown away here. Meanwhile readings
// queue, and overflow as emitReading says.
func (l *lane) send(g group) { l.groups <- g }

// recall loads the vehicles that passed shortly before a restart, so that a late plate still finds them.
func (l *lane) recall(kept []journal.Kept) {
	for i := range kept {
		r := kept[i].Record
		switch {
		case r.Passage != nil:
			ref := kept[i].Ref
			f := r.Passage.Facts
			l.match.recall(&passed{name: &ref, source: r.Passage.Source, start: f.Vehicle.Start, end: f.Vehicle.End, facts: f, reads: r.Passage.Reads, order: r.Passage.Order,
				doubt: f.Vehicle.Flags.Has(wim.PlateUncertain)})
		case r.Supplement != nil:
			l.match.recallRead(r.Supplement)
		}
	}
}

func pictureRows(reads []wim.PlateRead, jpegs [][]byte, found bool) []journal.Picture {
	var out []journal.Picture
	for _, j := range jpegs {
		d := wim.DigestOf(j)
		for i := range reads {
			if reads[i].Picture == d {
				out = append(out, journal.Picture{Digest: d, Size: int64(len(j)), Found: found})
				break
			}
		}
	}
	return out
}

// summary is the weightiest outcome of a verdict with its standing, for counting.
func summary(v *wim.Verdict) (wim.Outcome, wim.Standing) {
	best := wim.Opinion{Outcome: wim.NotApplicable, Standing: wim.Void}
	for i, o := range v.Opinions {
		if i == 0 || o.Outcome.Weight() > best.Outcome.Weight() {
			best = o
		}
	}
	return best.Outcome, best.Standing
}
