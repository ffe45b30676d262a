package edge

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

const (
	askQueue = 64
	// askAgain is how long a plate that was asked for is not asked for again, and how long an answer counts.
	askAgain = time.Hour
	// askLate is how long an answer is waited for; a later one is for nobody.
	askLate = 5 * time.Minute
	// askKept bounds the plates that are remembered.
	askKept = 4096
	askTime = 10 * time.Second // bounds one question
)

// lookup finds what a vehicle is registered for: in the tables, or by what the centre has told.
type lookup struct {
	table *Registrations
	told  *inquiry       // nil where nobody is asked
	keyed *keyedLicences // nil where nobody keys
}

// Find returns the licence of a normalised plate, or nil: a table's before the centre's answer, and that before what staff
// keyed.
func (l lookup) Find(plate string) *wim.Registration {
	r := l.table.Find(plate)
	if r == nil && l.told != nil {
		r = l.told.find(plate)
	}
	if r == nil && l.keyed != nil {
		r = l.keyed.find(plate, time.Now())
	}
	return r
}

// inquiry asks the centre what vehicles are registered for that no table here knows. Nothing waits for it: a vehicle is
// judged by what is known, and an answer becomes a supplement.
type inquiry struct {
	site  wim.SiteID
	keys  []*seal.Verifier
	ring  *keyring
	ask   func(ctx context.Context, jws []byte) error
	log   *slog.Logger
	m     *metrics
	now   func() time.Time
	lanes []*lane // that are told of answers

	queue    chan wim.PlateRead
	incoming chan []byte

	mu      sync.Mutex
	asked   map[string]time.Time // by plate
	pending map[wim.Nonce]pendingAsk
	told    map[string]toldLicence
}

type pendingAsk struct {
	plate string
	at    time.Time
}

type toldLicence struct {
	licence *wim.Registration
	at      time.Time
}

func newInquiry(c *Config, ring *keyring, m *metrics) *inquiry {
	if c.Ask == nil {
		return nil
	}
	return &inquiry{site: c.Site, keys: c.CenterKeys, ring: ring, ask: c.Ask, log: c.Logger, m: m, now: c.Now,
		queue: make(chan wim.PlateRead, askQueue), incoming: make(chan []byte, askQueue),
		asked: map[string]time.Time{}, pending: map[wim.Nonce]pendingAsk{}, told: map[string]toldLicence{}}
}

func (q *inquiry) find(plate string) *wim.Registration {
	q.mu.Lock()
	defer q.mu.Unlock()
	t := q.told[plate]
	if t.licence == nil || time.Since(t.at) > askAgain {
		return nil
	}
	return t.licence
}

// want asks for the units of a vehicle that no licence is known of. It never blocks.
func (q *inquiry) want(units []wim.Unit) {
	if q == nil {
		return
	}
	for i := range units {
		u := &units[i]
		if u.Plate == "" || u.Registration != nil {
			continue
		}
		q.mu.Lock()
		recent := time.Since(q.asked[u.Plate]) < askAgain
		if !recent && len(q.asked) < askKept {
			q.asked[u.Plate] = time.Now()
		}
		full := len(q.asked) >= askKept
		q.mu.Unlock()
		if recent || full {
			continue
		}
		select {
		case q.queue <- wim.PlateRead{Text: u.Plate, Color: u.Color}:
		default:
			q.m.asks.WithLabelValues("dropped").Inc()
		}
	}
}

// HandleAnswer takes in an answer of the centre as the link received it. It only enqueues.
func (s *Site) HandleAnswer(jws []byte) {
	if s.inquiry == nil {
		return
	}
	select {
	case s.inquiry.incoming <- jws:
	default:
		s.m.asks.WithLabelValues("dropped").Inc()
	}
}

// run asks and takes answers until ctx ends.
func (q *inquiry) run(ctx context.Context) {
	tidy := time.NewTicker(time.Minute)
	defer tidy.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case r := <-q.queue:
			q.send(ctx, r)
		case jws := <-q.incoming:
			q.take(jws)
		case <-tidy.C:
			q.tidy()
		}
	}
}

func (q *inquiry) send(ctx context.Context, r wim.PlateRead) {
	id := wim.NewNonce()
	jws, err := seal.SignAsk(q.ring.signer(), seal.Ask{Site: q.site, ID: id, Plate: r.Text, Color: r.Color, Time: wim.TimeOf(q.now())})
	if err == nil {
		q.mu.Lock()
		q.pending[id] = pendingAsk{r.Text, time.Now()}
		q.mu.Unlock()
		actx, cancel := context.WithTimeout(ctx, askTime)
		err = q.ask(actx, []byte(jws))
		cancel()
	}
	if err == nil {
		q.m.asks.WithLabelValues("asked").Inc()
		return
	}
	q.mu.Lock()
	delete(q.pending, id)
	delete(q.asked, r.Text) // the next vehicle asks again
	q.mu.Unlock()
	q.m.asks.WithLabelValues("failed").Inc()
}

// take believes an answer that was asked for, and tells the lanes.
func (q *inquiry) take(jws []byte) {
	a, err := seal.VerifyAnswer(string(jws), q.keys...)
	if err != nil || a.Site != q.site {
		q.m.asks.WithLabelValues("refused").Inc()
		q.log.Warn("an answer of the centre was refused", "err", err, "site", a.Site)
		return
	}
	q.mu.Lock()
	p, known := q.pending[a.ID]
	delete(q.pending, a.ID)
	if known = known && p.plate == a.Plate && time.Since(p.at) < askLate; known && a.Registration != nil {
		q.told[a.Plate] = toldLicence{a.Registration, time.Now()}
	}
	q.mu.Unlock()
	switch {
	case !known:
		q.m.asks.WithLabelValues("unasked").Inc()
	case a.Registration == nil:
		q.m.asks.WithLabelValues("unknown").Inc()
	default:
		q.m.asks.WithLabelValues("answered").Inc()
		for _, l := range q.lanes {
			l.answered(a.Plate)
		}
	}
}

// tidy forgets what counts no longer.
func (q *inquiry) tidy() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for plate, at := range q.asked {
		if time.Since(at) >= askAgain {
			delete(q.asked, plate)
		}
	}
	for plate, t := range q.told {
		if time.Since(t.at) >= askAgain {
			delete(q.told, plate)
		}
	}
	for id, p := range q.pending {
		if time.Since(p.at) >= askLate {
			delete(q.pending, id)
		}
	}
}

// answered tells the lane that the centre has told a licence. It never blocks: the answer is remembered, and the next
// record of the vehicle has it.
func (l *lane) answered(plate string) {
	select {
	case l.answers <- plate:
	default:
	}
}

// licensed records what an answer changes: for each vehicle that passed lately under the plate and whose licence was
// not known, a supplement with a verdict of its own.
func (l *lane) licensed(plate string) {
	for _, p := range l.match.passed {
		for i := range p.facts.Units {
			if u := &p.facts.Units[i]; u.Plate == plate && u.Registration == nil {
				l.supplement(matched{to: p}, wim.SupplementRegistration)
				break
			}
		}
	}
}
