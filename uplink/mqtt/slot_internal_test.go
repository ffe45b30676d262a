package mqtt

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/axlegate/axlegate/uplink"
)

// letter is a message as the library hands it over.
type letter struct {
	topic   string
	payload []byte
	id      uint16
	qos     byte
	dup     bool
	acked   bool
}

func (l *letter) Duplicate() bool   { return l.dup }
func (l *letter) Qos() byte         { return l.qos }
func (l *letter) Retained() bool    { return false }
func (l *letter) Topic() string     { return l.topic }
func (l *letter) MessageID() uint16 { return l.id }
func (l *letter) Payload() []byte   { return l.payload }
func (l *letter) Ack()              { l.acked = true }

func testSlot(onMessages func(context.Context, []uplink.Message) error, onStatus func(string, []byte)) *slot {
	n := uplink.Slot("north-1")
	c := NewCenter(CenterConfig{Broker: "tcp://127.0.0.1:1", Username: "u", Slots: []int{n}, OnMessages: onMessages, OnStatus: onStatus})
	return c.slots[n]
}

// testEpoch is open and has no connection.
func testEpoch() *epoch { return &epoch{lost: make(chan struct{})} }

func TestWhatIsNotOfThisProtocolIsDroppedAndCounted(t *testing.T) {
	s, e, q := testSlot(nil, nil), testEpoch(), newQueue()
	for _, l := range []*letter{
		{topic: "other/topic", qos: 1}, {topic: "axlegate/v1/99/north-1/segments", qos: 1},
		{topic: uplink.Topic("north-1", "gossip"), qos: 1}, {topic: uplink.Topic("north-1", uplink.Receipts), qos: 1},
		{topic: uplink.Topic("north-1", uplink.Status), payload: []byte("{}"), qos: 1},
	} {
		if s.enqueue(e, q, l); !l.acked {
			t.Errorf("%s is not acknowledged and comes for ever", l.topic)
		}
	}
	s.enqueue(e, q, &letter{topic: uplink.Topic("north-1", uplink.Segments)}) // QoS 0
	if n := s.center.Stats().Malformed; n != 6 || len(q.waiting) != 0 || e.reason() != nil {
		t.Fatalf("counted %d, %d wait, ended with %v", n, len(q.waiting), e.reason())
	}
}

func TestALateWillDoesNotHideANewerOnline(t *testing.T) {
	var seen []string
	s := testSlot(nil, func(_ string, p []byte) { seen = append(seen, string(p)) })
	say := func(state uplink.State, boot string, n uint64) {
		t.Helper()
		p := uplink.SiteStatus{State: state, Boot: boot, Connection: n}.Encode()
		s.enqueue(testEpoch(), newQueue(), &letter{topic: uplink.Topic("north-1", uplink.Status), payload: p})
		s.tell()
	}
	say(uplink.Online, "a", 1)
	say(uplink.Online, "a", 2)
	say(uplink.Offline, "a", 1) // late
	say(uplink.Online, "b", 1)
	say(uplink.Offline, "a", 2) // late
	say(uplink.Offline, "b", 1)
	if st := s.center.Stats(); st.StaleStatuses != 2 || st.Statuses != 4 || len(seen) != 4 {
		t.Fatalf("%+v, seen %q", st, seen)
	}
	if !strings.Contains(seen[3], `"offline","boot":"b"`) {
		t.Fatalf("last %s", seen[3])
	}
}

func TestStatusesNeverFillTheQueueHoweverManySitesThereAre(t *testing.T) {
	last := map[string]string{}
	s := testSlot(nil, func(site string, p []byte) { last[site] = string(p) })
	e, q := testEpoch(), newQueue()
	sites := 0
	for i := 0; sites < 512; i++ {
		site := "site-" + strconv.Itoa(i)
		if uplink.Slot(site) != s.number {
			continue
		}
		sites++
		for n := uint64(1); n <= 2; n++ {
			p := uplink.SiteStatus{State: uplink.Online, Boot: site, Connection: n}.Encode()
			s.enqueue(e, q, &letter{topic: uplink.Topic(site, uplink.Status), payload: p})
		}
	}
	<-s.board.hint
	s.tell()
	if e.reason() != nil || len(last) != sites {
		t.Fatalf("%d of %d told, ended with %v", len(last), sites, e.reason())
	}
	for site, p := range last {
		if !strings.Contains(p, `"connection":2`) {
			t.Fatalf("%s: told %s", site, p)
		}
	}
}

func TestMoreThanFitsEndsTheConnectionInsteadOfWaiting(t *testing.T) {
	s, e, q := testSlot(nil, nil), testEpoch(), newQueue()
	topic := uplink.Topic("north-1", uplink.Segments)
	for i := range uint16(queueMessages) {
		s.enqueue(e, q, &letter{topic: topic, id: i + 1, qos: 1})
	}
	s.enqueue(e, q, &letter{topic: topic, id: 7, qos: 1, dup: true}) // the first copy waits
	if e.reason() != nil || s.center.Stats().Repeated != 1 {
		t.Fatalf("ended with %v, %+v", e.reason(), s.center.Stats())
	}
	s.enqueue(e, q, &letter{topic: topic, id: queueMessages + 1, qos: 1})
	if !errors.Is(e.reason(), errOverflow) || s.center.Stats().Overflows != 1 {
		t.Fatalf("ended with %v, %+v", e.reason(), s.center.Stats())
	}
	q.leave(&letter{id: 7})
	if !q.enter(&letter{id: 7, qos: 1, dup: true}) {
		t.Fatal("an id is still held after its message was done")
	}
}

func TestWhatWaitsIsBoundedInBytesAsWell(t *testing.T) {
	s, e, q := testSlot(nil, nil), testEpoch(), newQueue()
	topic, large := uplink.Topic("north-1", uplink.Segments), make([]byte, uplink.MaxMessage)
	n := uint16(0)
	for ; e.reason() == nil; n++ {
		s.enqueue(e, q, &letter{topic: topic, payload: large, id: n + 1, qos: 1})
	}
	if got := int(n-1) * len(large); got > queueBytes || got < queueBytes-len(large) || !errors.Is(e.reason(), errOverflow) {
		t.Fatalf("%d bytes wait, ended with %v", got, e.reason())
	}
	taken := 0
	for len(q.waiting) > 0 {
		batch := q.gather()
		size := 0
		for _, m := range batch {
			if taken++; int(m.MessageID()) != taken {
				t.Fatalf("message %d where %d was next", m.MessageID(), taken)
			}
			size += len(m.Payload())
		}
		if size > MaxBatchBytes || len(batch) == 0 {
			t.Fatalf("a batch of %d messages, %d bytes", len(batch), size)
		}
	}
	if q.bytes != 0 || taken != int(n-1) {
		t.Fatalf("%d bytes left, %d taken", q.bytes, taken)
	}
}

// A token may be left over from a message that the batch before took along.
func TestAnEmptyBatchIsHandedToNobody(t *testing.T) {
	s := testSlot(nil, nil)
	s.center.cfg.OnMessages = func(context.Context, []uplink.Message) error { t.Error("an empty batch"); return nil }
	if batch, err := s.take(t.Context(), newQueue().gather(), nil); err != nil || len(batch) != 0 || s.center.Stats().Batches != 0 {
		t.Errorf("%v %v %+v", batch, err, s.center.Stats())
	}
}

func TestAnEpochEndsOnceAndKeepsItsFirstReason(t *testing.T) {
	e := testEpoch()
	first := errors.New("first")
	e.end(first)
	e.end(errors.New("second"))
	if !errors.Is(e.reason(), first) {
		t.Fatalf("reason %v", e.reason())
	}
	<-e.lost
}

func TestWaitsAreSpreadAndBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		least := time.Duration(rapid.Int64Range(1, int64(time.Minute)).Draw(t, "least"))
		most := time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "most"))
		b := newBackoff(least, most)
		bound := least
		for range rapid.IntRange(1, 80).Draw(t, "tries") {
			if d := b.next(); d <= 0 || d > bound {
				t.Fatalf("a wait of %v where at most %v may be", d, bound)
			}
			bound = min(2*bound, max(least, most))
		}
		b.reset()
		if d := b.next(); d > least {
			t.Fatalf("a wait of %v after a success", d)
		}
	})
}

func TestTheDefaultWaitsAreThoseOfTheProtocol(t *testing.T) {
	b := newBackoff(0, 0)
	if b.least != 2*time.Second || b.most != 15*time.Second {
		t.Fatalf("%v to %v", b.least, b.most)
	}
}

func TestComingBackIsSlowedOnlyWhileNothingIsAchieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackoff(time.Second, time.Minute)
		for range 10 {
			b.next()
		}
		e := &epoch{began: time.Now()}
		if e.slow(b); b.bound != time.Minute {
			t.Fatal("a connection that did nothing resets the wait")
		}
		time.Sleep(time.Minute) // of the bubble
		if e.slow(b); b.bound != 0 {
			t.Fatal("a connection that lasted does not reset the wait")
		}
		b.next()
		e = &epoch{began: time.Now()}
		e.fruitful.Store(true)
		if e.slow(b); b.bound != 0 {
			t.Fatal("a connection that carried something does not reset the wait")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if wait(ctx, time.Hour) {
			t.Fatal("waited beyond the end")
		}
		if !wait(t.Context(), time.Hour) {
			t.Fatal("did not wait")
		}
	})
}

func TestAddressesAreCheckedBeforeAPasswordIsSent(t *testing.T) {
	for name, tc := range map[string]struct {
		broker, host, wrong string
		tls                 bool
	}{
		"loopback in clear":             {broker: "tcp://127.0.0.1:1883", host: "127.0.0.1:1883"},
		"loopback by name":              {broker: "mqtt://localhost", host: "localhost:1883"},
		"loopback of the newer address": {broker: "tcp://[::1]:99", host: "[::1]:99"},
		"TLS":                           {broker: "tls://centre.example", host: "centre.example:8883", tls: true},
		"TLS by its other name":         {broker: "mqtts://192.0.2.1:1", host: "192.0.2.1:1", tls: true},
		"far in clear":                  {broker: "tcp://192.0.2.1:1883", wrong: "tls://192.0.2.1:1883"},
		"far in clear by name":          {broker: "mqtt://centre.example:1883", wrong: "in clear"},
		"a password in the address":     {broker: "tls://u:secret@centre.example", wrong: "password file"},
		"another scheme":                {broker: "ws://127.0.0.1:80", wrong: "not known"},
		"no scheme":                     {broker: "127.0.0.1:1883", wrong: "is no address"},
		"nothing":                       {broker: "", wrong: "is no address"},
		"a path":                        {broker: "tls://centre.example/mqtt", wrong: "nothing may follow"},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := parseAddress(tc.broker, nil)
			if tc.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), tc.wrong) || strings.Contains(err.Error(), "secret") {
					t.Fatalf("got %v, want something about %q", err, tc.wrong)
				}
				return
			}
			if err != nil || a.host != tc.host || (a.tls != nil) != tc.tls {
				t.Fatalf("got %+v, %v", a, err)
			}
		})
	}
}
