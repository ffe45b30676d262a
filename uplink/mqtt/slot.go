package mqtt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/axlegate/axlegate/uplink"
)

// Bounds of what waits between the connection and the worker of a slot. Brokers bound the unacknowledged messages
// well below the first (nats-server here 64, Mosquitto 20, more where it is told so), but Mosquitto has been seen
// to send more than it was told.
const (
	queueMessages = 16 << 10
	queueBytes    = 64 << 20
)

// Bounds of what OnMessages is given at once.
const (
	MaxBatch      = 256     // messages
	MaxBatchBytes = 8 << 20 // of payload, together
)

// slot is one connection of a centre and the one worker that takes its messages.
type slot struct {
	center *Center
	number int
	log    *slog.Logger
	board  *board

	over      context.Context // ends when the slot is given up
	stop      context.CancelFunc
	confirmed chan struct{} // gets a token each time that the slot is set again
	ended     chan struct{} // closed when run has returned
	before    *slot         // an earlier tenure whose connection must have ended; nil for none

	mu    sync.Mutex
	epoch *epoch // guarded by mu; nil while not connected

	once bool // has subscribed; guarded by the centre's mu
}

func newSlot(c *Center, number int) *slot {
	s := &slot{
		center: c, number: number, log: c.log.With("slot", number), board: newBoard(),
		confirmed: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	s.over, s.stop = context.WithCancel(context.Background())
	return s
}

// queue is what waits in one epoch.
type queue struct {
	hint chan struct{} // gets a token when something waits

	mu      sync.Mutex
	waiting []paho.Message  // guarded by mu
	bytes   int             // guarded by mu; of their payloads
	inside  map[uint16]bool // packet ids that wait or are being worked on; guarded by mu
}

func newQueue() *queue {
	return &queue{hint: make(chan struct{}, 1), inside: map[uint16]bool{}}
}

// put appends a message; false when it does not fit.
func (q *queue) put(m paho.Message) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) >= queueMessages || q.bytes+len(m.Payload()) > queueBytes {
		return false
	}
	q.waiting = append(q.waiting, m)
	q.bytes += len(m.Payload())
	q.tell()
	return true
}

func (q *queue) tell() {
	select {
	case q.hint <- struct{}{}:
	default:
	}
}

// gather takes what waits, in its order and within the bounds of a batch.
func (q *queue) gather() []paho.Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, size := 0, 0
	for ; n < min(len(q.waiting), MaxBatch); n++ {
		if size += len(q.waiting[n].Payload()); size > MaxBatchBytes && n > 0 {
			size -= len(q.waiting[n].Payload())
			break
		}
	}
	batch := slices.Clone(q.waiting[:n])
	q.waiting = slices.Delete(q.waiting, 0, n)
	q.bytes -= size
	if len(q.waiting) > 0 {
		q.tell()
	}
	return batch
}

// run keeps the slot's connection until ctx ends or the slot is given up. What is in work is worked on under
// outer alone: who gives a slot up lets it finish.
func (s *slot) run(outer context.Context, a address) {
	defer close(s.ended)
	defer s.stop()
	ctx, cancel := context.WithCancel(outer)
	defer cancel()
	defer context.AfterFunc(s.over, cancel)()
	if s.before != nil {
		<-s.before.ended
		s.before = nil
	}
	pause := newBackoff(s.center.cfg.RetryMin, s.center.cfg.RetryMax)
	told := false // of the present trouble
	for {
		q := newQueue()
		e, err := s.connect(ctx, a, q)
		connected := err == nil
		if connected {
			s.center.n.connections.Add(1)
			s.log.Debug("intake is connected", "broker", a.host)
			err = s.serve(ctx, outer, e, q)
			if e.fruitful.Load() {
				told = false
			}
			e.slow(pause)
		} else if ctx.Err() == nil {
			s.center.n.connectFailed.Add(1)
		}
		if ctx.Err() != nil {
			return
		}
		d := pause.next()
		if !told {
			s.log.Warn("intake is disconnected; the broker keeps what sites send", "broker", a.host, "err", err, "next", d.Round(time.Millisecond))
			told = true
		} else {
			s.log.Debug("intake is still disconnected", "err", err, "next", d.Round(time.Millisecond))
		}
		if !wait(ctx, d) || connected && !s.ask(ctx) {
			return
		}
	}
}

func (s *slot) connect(ctx context.Context, a address, q *queue) (*epoch, error) {
	cfg := &s.center.cfg
	e, err := open(ctx, session{
		address: a, clientID: "intake-" + strconv.Itoa(s.number), username: cfg.Username, password: cfg.Password,
		manualAck: true, handle: func(e *epoch, m paho.Message) { s.enqueue(e, q, m) },
	})
	if err != nil {
		return nil, err
	}
	// Each time, because a broker that lost its store has no session of ours any more. Segments alone are asked
	// for with QoS 1: nats-server counts what a session has unacknowledged over all its subscriptions, but hands
	// out messages to each by itself, and what is over the count it drops and sends again only after AckWait, out
	// of order. A status is retained and only its last value counts, so QoS 0 loses nothing.
	if err := e.subscribe(ctx, map[string]byte{uplink.SlotFilter(s.number, uplink.Segments): 1, uplink.SlotFilter(s.number, uplink.Status): 0}); err != nil {
		e.close()
		return nil, err
	}
	if cfg.OnAsk != nil {
		if err := e.subscribe(ctx, map[string]byte{uplink.SlotFilter(s.number, uplink.Asks): 0}); err != nil && ctx.Err() == nil {
			s.log.Warn("the broker does not hand on what sites ask; give the centre's user the right to read it", "err", err)
		}
	}
	s.center.subscribed(s)
	return e, nil
}

// enqueue runs in the library's goroutine, which also reads acknowledgements: it must never wait.
func (s *slot) enqueue(e *epoch, q *queue, m paho.Message) {
	n := &s.center.n
	site, channel, err := uplink.SiteOf(m.Topic())
	switch {
	case err != nil, channel != uplink.Segments && channel != uplink.Status && (channel != uplink.Asks || s.center.cfg.OnAsk == nil):
		n.malformed.Add(1)
		s.log.Warn("a message on a topic that is not of this protocol was dropped", "topic", m.Topic())
		m.Ack()
	case channel == uplink.Status:
		s.status(site, m.Payload())
		m.Ack()
	case channel == uplink.Asks:
		s.center.cfg.OnAsk(site, m.Payload())
		m.Ack()
	case m.Qos() == 0: // promises nothing, and is bounded by nothing
		n.malformed.Add(1)
		s.log.Warn("segments without acknowledgement were dropped; publish them with QoS 1", "site", site)
	case !q.enter(m):
		n.repeated.Add(1) // the first copy's acknowledgement covers it
	case !q.put(m):
		n.overflows.Add(1)
		e.end(errOverflow)
	}
}

func (s *slot) status(site string, payload []byte) {
	n := &s.center.n
	switch err := s.board.put(site, payload); {
	case errors.Is(err, errStale):
		n.stale.Add(1)
	case err != nil:
		n.malformed.Add(1)
		s.log.Warn("a status that is none was dropped", "site", site, "err", err)
	default:
		n.statuses.Add(1)
	}
}

// enter notes a packet id as waiting. A broker may send a message again while the first copy still waits;
// taking both would make a slow intake slower.
func (q *queue) enter(m paho.Message) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if m.Duplicate() && q.inside[m.MessageID()] {
		return false
	}
	q.inside[m.MessageID()] = true
	return true
}

func (q *queue) leave(m paho.Message) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.inside, m.MessageID())
}

// serve takes messages until the epoch or ctx ends, or a batch is not taken. What still waits then has not been
// acknowledged and comes again.
func (s *slot) serve(ctx, outer context.Context, e *epoch, q *queue) error {
	s.set(e)
	var err error
	batch := make([]uplink.Message, 0, 16)
	for err == nil {
		if err = ctx.Err(); err != nil {
			break // select would choose by lot
		}
		select {
		case <-ctx.Done():
		case <-e.lost:
			err = e.reason()
		case <-s.board.hint:
			s.tell()
		case <-q.hint:
			waiting := q.gather()
			if batch, err = s.take(outer, waiting, batch[:0]); err == nil {
				for _, m := range waiting {
					q.leave(m) // before the acknowledgement, after which the broker may use the id anew
					m.Ack()
				}
				if len(waiting) > 0 {
					e.fruitful.Store(true)
				}
			}
			clear(batch) // payloads are not held on to
		}
	}
	if ctx.Err() == nil {
		s.center.n.lost.Add(1)
	}
	s.set(nil)
	e.close()
	return err
}

// take hands a batch over, made in the room of into.
func (s *slot) take(ctx context.Context, waiting []paho.Message, into []uplink.Message) ([]uplink.Message, error) {
	if len(waiting) == 0 {
		return into, nil // the batch before took what the token was for
	}
	for _, m := range waiting {
		site, _, err := uplink.SiteOf(m.Topic())
		if err != nil {
			return into, err
		}
		into = append(into, uplink.Message{Site: site, Payload: m.Payload()})
	}
	if err := s.center.cfg.OnMessages(ctx, into); err != nil {
		if ctx.Err() == nil {
			s.center.n.failed.Add(1)
		}
		return into, fmt.Errorf("%d messages not taken, the first of %s: %w", len(into), into[0].Site, err)
	}
	s.center.n.messages.Add(uint64(len(into)))
	s.center.n.batches.Add(1)
	return into, nil
}

// tell passes on what is new of the sites.
func (s *slot) tell() {
	for _, n := range s.board.take() {
		if s.center.cfg.OnStatus != nil {
			s.center.cfg.OnStatus(n.site, n.payload)
		}
	}
}

func (s *slot) current() *epoch {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.epoch
}

func (s *slot) set(e *epoch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch = e
}
