package mqtt_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/axlegate/axlegate/uplink"
	"github.com/axlegate/axlegate/uplink/linktest"
	"github.com/axlegate/axlegate/uplink/mqtt"
)

func TestMessagesArriveInOrderAndReceiptsComeBack(t *testing.T) {
	b, _ := startBroker(t, "127.0.0.1:0", t.TempDir(), "north-1")
	in := &inbox{}
	c, _ := startCenter(t, centerConfig(t, b.Addr(), in, "north-1"))
	receipts := make(chan []byte, 8)
	cfg := siteConfig(t, b.Addr(), "north-1")
	cfg.OnReceipt = func(jws []byte) { receipts <- jws }
	s, stop := startSite(t, cfg)

	want := numbered(200)
	for _, p := range want {
		if err := s.Publish(t.Context(), []byte(p)); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "all messages", func() bool { return len(in.payloads("north-1")) >= len(want) })
	if got := in.payloads("north-1"); !slices.Equal(got, want) {
		t.Fatalf("got %d messages out of order or twice: %q", len(got), got)
	}
	if err := c.SendReceipt(t.Context(), "north-1", []byte("receipt 1")); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, "receipt", receipts); string(got) != "receipt 1" {
		t.Fatalf("receipt %q", got)
	}
	until(t, "online", func() bool { return in.lastStatus().State == uplink.Online })
	stop.halt("site")
	until(t, "offline", func() bool { return in.lastStatus().State == uplink.Offline })

	again, _ := startSite(t, cfg) // an absent site learns the receipt as soon as it is back
	if got := receive(t, "retained receipt", receipts); string(got) != "receipt 1" {
		t.Fatalf("receipt %q", got)
	}
	if st := again.Stats(); !st.Connected || st.Connections != 1 {
		t.Fatalf("stats %+v", st)
	}
	if st := c.Stats(); st.Messages != 200 || st.Failed != 0 || st.Receipts != 1 || st.Connected != 1 {
		t.Fatalf("stats %+v", st)
	}
}

// nats-server drops what is over a session's count of unacknowledged messages and sends it again much later: that must
// never happen, however slowly the messages are taken and however many statuses come in between.
func TestASlowHandlerKeepsTheOrder(t *testing.T) {
	a, c := neighbours()
	b, _ := startBroker(t, "127.0.0.1:0", t.TempDir(), a, c)
	gate := make(chan struct{})
	in := &inbox{refuse: func(delivery) error { <-gate; return nil }}
	startCenter(t, centerConfig(t, b.Addr(), in, a, c))
	s, _ := startSite(t, siteConfig(t, b.Addr(), a))
	want := numbered(200)
	for i, p := range want { // acknowledged by the broker, waiting for the handler
		deliver(t, s, []string{p}, nil)
		if i%20 == 0 {
			_, other := startSite(t, siteConfig(t, b.Addr(), c)) // a retained status each time
			other.halt("site")
		}
	}
	close(gate)
	until(t, "all messages", func() bool { return len(in.payloads(a)) >= len(want) })
	if got := in.payloads(a); !slices.Equal(got, want) {
		t.Fatalf("out of order or twice: %q", got)
	}
}

// deliver publishes like a journal: the oldest that was not acknowledged first, again after each failure.
func deliver(t *testing.T, s *mqtt.Site, messages []string, at func(i int)) {
	t.Helper()
	end := time.Now().Add(patience)
	for i := 0; i < len(messages); {
		if at != nil {
			at(i)
		}
		err := s.Publish(t.Context(), []byte(messages[i]))
		switch {
		case err == nil:
			i++
		case !errors.Is(err, mqtt.ErrLost):
			t.Fatalf("message %d: %v", i, err)
		case time.Now().After(end):
			t.Fatalf("message %d: %v until the end", i, err)
		default:
			until(t, "connection", func() bool { return s.Stats().Connected })
		}
	}
}

func TestALinkThatIsCutMidwayLosesNothing(t *testing.T) {
	b, _ := startBroker(t, "127.0.0.1:0", t.TempDir(), "north-1")
	in := &inbox{}
	startCenter(t, centerConfig(t, b.Addr(), in, "north-1"))
	link := startProxy(t, b.Addr())
	s, _ := startSite(t, siteConfig(t, link.Addr(), "north-1"))

	want := numbered(120)
	cuts := map[int]func(){
		20: link.Drop,
		40: func() { link.Cut(); go link.Heal() },
		60: func() { link.Swallow(linktest.Down); go link.Heal() },
		80: link.Drop,
	}
	deliver(t, s, want, func(i int) {
		if cut := cuts[i]; cut != nil {
			delete(cuts, i)
			cut()
		}
	})
	until(t, "every message", func() bool { return in.has("north-1", want) })
	if st := s.Stats(); st.Lost == 0 || st.Connections < 2 {
		t.Fatalf("the link was never cut: %+v", st)
	}
	// A repeat is a step back to what was not acknowledged; without one, each follows the one before.
	got := in.payloads("north-1")
	for i := 1; i < len(got); i++ {
		before, now := slices.Index(want, got[i-1]), slices.Index(want, got[i])
		if now > before+1 {
			t.Fatalf("%q came before what stands between it and %q", got[i], got[i-1])
		}
	}
}

func TestManyAtOnceOverASlowLinkAllArriveOnce(t *testing.T) {
	b, _ := startBroker(t, "127.0.0.1:0", t.TempDir(), "north-1")
	in := &inbox{}
	startCenter(t, centerConfig(t, b.Addr(), in, "north-1"))
	link := startProxy(t, b.Addr())
	s, _ := startSite(t, siteConfig(t, link.Addr(), "north-1"))
	link.Delay(time.Millisecond) // so that acknowledgements lag behind

	want := numbered(100)
	var calls sync.WaitGroup
	for _, p := range want {
		calls.Go(func() {
			if err := s.Publish(t.Context(), []byte(p)); err != nil {
				t.Error(err)
			}
		})
	}
	calls.Wait()
	until(t, "all messages", func() bool { return len(in.payloads("north-1")) >= len(want) })
	got := in.payloads("north-1")
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Fatalf("got %d messages: %q", len(got), got)
	}
}

func TestAMessageThatTheHandlerRefusesComesAgain(t *testing.T) {
	b, _ := startImpatientBroker(t, "127.0.0.1:0", t.TempDir(), "north-1")
	var refused atomic.Int64
	in := &inbox{refuse: func(d delivery) error {
		if d.payload == "message 0002" && refused.Add(1) <= 2 {
			return errors.New("the store is down")
		}
		return nil
	}}
	c, _ := startCenter(t, centerConfig(t, b.Addr(), in, "north-1"))
	s, _ := startSite(t, siteConfig(t, b.Addr(), "north-1"))
	want := numbered(5)
	deliver(t, s, want, nil)
	until(t, "every message", func() bool { return in.has("north-1", want) })
	if st := c.Stats(); st.Failed != 2 || st.Lost != 2 || st.Connections < 3 {
		t.Fatalf("stats %+v", st)
	}
}

func TestTheHandlerMaySendTheReceiptItself(t *testing.T) {
	b, _ := startBroker(t, "127.0.0.1:0", t.TempDir(), "north-1")
	in := &inbox{}
	cfg := centerConfig(t, b.Addr(), in, "north-1")
	var c *mqtt.Center
	cfg.OnMessages = each(func(ctx context.Context, site string, payload []byte) error {
		return c.SendReceipt(ctx, site, append([]byte("receipt for "), payload...))
	})
	c = mqtt.NewCenter(cfg)
	run(t, "centre", c.Run)
	receive(t, "subscription", c.Ready())
	receipts := make(chan []byte, 8)
	site := siteConfig(t, b.Addr(), "north-1")
	site.OnReceipt = func(jws []byte) { receipts <- jws }
	s, _ := startSite(t, site)
	deliver(t, s, []string{"a"}, nil)
	if got := receive(t, "receipt", receipts); string(got) != "receipt for a" {
		t.Fatalf("receipt %q", got)
	}
}

func TestWhatTheBrokerSendsAgainWhileItIsWorkedOnIsTakenOnce(t *testing.T) {
	// What is repeated while its acknowledgement is under way is taken twice, as MQTT allows. So the broker waits for
	// longer than any stall of a busy machine, and the second message is sent once the first is acknowledged.
	bc := brokerConfig(t, "127.0.0.1:0", t.TempDir(), "north-1")
	bc.AckWait = 4 * time.Second
	b, _ := startBrokerAs(t, bc)
	in := &inbox{}
	cfg := centerConfig(t, b.Addr(), in, "north-1")
	var c *mqtt.Center
	cfg.OnMessages = each(func(ctx context.Context, site string, payload []byte) error {
		until(t, "repetition by the broker", func() bool { return c.Stats().Repeated > 0 })
		return in.message(ctx, site, payload)
	})
	c = mqtt.NewCenter(cfg)
	run(t, "centre", c.Run)
	receive(t, "subscription", c.Ready())
	s, _ := startSite(t, siteConfig(t, b.Addr(), "north-1"))
	deliver(t, s, []string{"slow"}, nil)
	until(t, "the first", func() bool { return in.has("north-1", []string{"slow"}) })
	deliver(t, s, []string{"next"}, nil)
	until(t, "both", func() bool { return in.has("north-1", []string{"slow", "next"}) })
	if got := in.payloads("north-1"); len(got) != 2 {
		t.Fatalf("taken %q", got)
	}
}

func TestABrokerThatComesBackWithItsStoreDeliversWhatItHeld(t *testing.T) {
	dir := t.TempDir()
	b, stop := startImpatientBroker(t, "127.0.0.1:0", dir, "north-1")
	down := errors.New("the store is down")
	in := &inbox{refuse: func(delivery) error { return down }}
	c, _ := startCenter(t, centerConfig(t, b.Addr(), in, "north-1"))
	s, _ := startSite(t, siteConfig(t, b.Addr(), "north-1"))
	held := numbered(10)
	deliver(t, s, held, nil)
	until(t, "a refusal", func() bool { return c.Stats().Failed > 0 })
	stop.halt("broker")
	until(t, "loss at both ends", func() bool { return !s.Stats().Connected && c.Stats().Connected == 0 })
	if err := s.Publish(t.Context(), []byte("x")); !errors.Is(err, mqtt.ErrLost) {
		t.Fatalf("publish without a broker: %v", err)
	}
	in.mu.Lock()
	in.refuse = nil
	in.mu.Unlock()

	startImpatientBroker(t, b.Addr(), dir, "north-1")
	until(t, "what the broker held", func() bool { return in.has("north-1", held) })
	deliver(t, s, []string{"after"}, nil)
	until(t, "a new message", func() bool { return in.has("north-1", []string{"after"}) })
}

func TestABrokerThatLostItsStoreStopsNobody(t *testing.T) {
	sites := []string{"north-1", "south-2"}
	b, stop := startBroker(t, "127.0.0.1:0", t.TempDir(), sites...)
	in := &inbox{}
	startCenter(t, centerConfig(t, b.Addr(), in, sites...))
	var ends []*mqtt.Site
	for _, name := range sites {
		s, _ := startSite(t, siteConfig(t, b.Addr(), name))
		deliver(t, s, []string{"before"}, nil)
		ends = append(ends, s)
	}
	stop.halt("broker")
	startBroker(t, b.Addr(), t.TempDir(), sites...) // everything forgotten
	for i, name := range sites {
		// Until the intake has subscribed anew, the broker acknowledges and keeps nothing: a site sends what
		// has no receipt again, and so does this test.
		until(t, "a message through the new broker", func() bool {
			until(t, "connection", func() bool { return ends[i].Stats().Connected })
			if err := ends[i].Publish(t.Context(), []byte("after")); err != nil && !errors.Is(err, mqtt.ErrLost) {
				t.Fatal(err)
			}
			return in.has(name, []string{"after"})
		})
	}
}

func TestASiteThatIsCutOffIsShownOffline(t *testing.T) {
	b, _ := startBroker(t, "127.0.0.1:0", t.TempDir(), "north-1")
	in := &inbox{}
	startCenter(t, centerConfig(t, b.Addr(), in, "north-1"))
	link := startProxy(t, b.Addr())
	startSite(t, siteConfig(t, link.Addr(), "north-1"))
	until(t, "online", func() bool { return in.lastStatus().State == uplink.Online })
	link.Cut()
	until(t, "offline", func() bool { return in.lastStatus().State == uplink.Offline })
	if st := in.lastStatus(); st.Boot != "boot-1" || st.Connection != 1 || st.Time.IsZero() {
		t.Fatalf("will %+v", st)
	}
	link.Heal()
	until(t, "online again", func() bool { return in.lastStatus().State == uplink.Online })
	if st := in.lastStatus(); st.Connection < 2 {
		t.Fatalf("online %+v", st)
	}
}

func TestAnAcknowledgementThatIsSwallowedIsNotSuccess(t *testing.T) {
	b, _ := startBroker(t, "127.0.0.1:0", t.TempDir(), "north-1")
	in := &inbox{}
	startCenter(t, centerConfig(t, b.Addr(), in, "north-1"))
	link := startProxy(t, b.Addr())
	s, _ := startSite(t, siteConfig(t, link.Addr(), "north-1"))

	link.Swallow(linktest.Down)
	results := make(chan error, 3*uplink.Window)
	for i := range 3 * uplink.Window {
		go func() { results <- s.Publish(t.Context(), fmt.Appendf(nil, "m%d", i)) }()
	}
	until(t, "a full window at the intake", func() bool { return len(in.payloads("north-1")) >= uplink.Window })
	short, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Publish(short, []byte("late")); !errors.Is(err, context.Canceled) {
		t.Fatalf("beyond the window: %v", err)
	}
	if n := len(in.payloads("north-1")); n != uplink.Window {
		t.Fatalf("%d messages on the way at once, the window is %d", n, uplink.Window)
	}
	link.Heal() // breaks what has a hole
	for range cap(results) {
		if err := receive(t, "result", results); !errors.Is(err, mqtt.ErrLost) {
			t.Fatalf("an unacknowledged message: %v", err)
		}
	}
	if n := s.Stats().Published; n != 0 {
		t.Fatalf("%d counted as published", n)
	}
	until(t, "connection", func() bool { return s.Stats().Connections >= 2 && s.Stats().Connected })
	deliver(t, s, []string{"again"}, nil)
	until(t, "the next message", func() bool { return in.has("north-1", []string{"again"}) })
}

func TestSizeIsBounded(t *testing.T) {
	b, _ := startBroker(t, "127.0.0.1:0", t.TempDir(), "north-1")
	in := &inbox{}
	startCenter(t, centerConfig(t, b.Addr(), in, "north-1"))
	s, _ := startSite(t, siteConfig(t, b.Addr(), "north-1"))
	large := bytes.Repeat([]byte("x"), uplink.MaxMessage+1)
	if err := s.Publish(t.Context(), large); !errors.Is(err, mqtt.ErrTooLarge) {
		t.Fatalf("%d bytes: %v", len(large), err)
	}
	if err := s.Publish(t.Context(), large[:uplink.MaxMessage]); err != nil {
		t.Fatalf("%d bytes: %v", uplink.MaxMessage, err)
	}
	until(t, "the largest message", func() bool { return in.has("north-1", []string{string(large[:uplink.MaxMessage])}) })
	if st := s.Stats(); st.Lost != 0 {
		t.Fatalf("stats %+v", st)
	}
	idle := mqtt.NewSite(siteConfig(t, b.Addr(), "north-1"))
	if err := idle.Publish(t.Context(), large); !errors.Is(err, mqtt.ErrTooLarge) {
		t.Fatalf("not connected: %v", err)
	}
}

func TestAWrongPasswordIsToldAndTriedAgain(t *testing.T) {
	b, _ := startBroker(t, "127.0.0.1:0", t.TempDir(), "north-1")
	cfg := siteConfig(t, b.Addr(), "north-1")
	cfg.Password = "wrong"
	var text lines
	cfg.Logger = text.logger()
	s := mqtt.NewSite(cfg)
	run(t, "site", s.Run)
	until(t, "two attempts", func() bool { return s.Stats().ConnectFailed >= 2 })
	if err := s.Publish(t.Context(), []byte("x")); !errors.Is(err, mqtt.ErrLost) {
		t.Fatalf("publish: %v", err)
	}
	if got := text.String(); !strings.Contains(got, `refuses user`) || strings.Contains(got, "wrong") {
		t.Fatalf("log: %s", got)
	}
	if n := strings.Count(text.String(), "uplink is down"); n != 1 {
		t.Fatalf("told %d times", n)
	}
	if n := b.Stats().Refused; n < 2 {
		t.Fatalf("broker counted %d refusals", n)
	}
}

func TestReceiptsThatCannotBeSentAreErrors(t *testing.T) {
	c := mqtt.NewCenter(centerConfig(t, "127.0.0.1:1", &inbox{}, "north-1"))
	other := "south-1"
	for i := 2; uplink.Slot(other) == uplink.Slot("north-1"); i++ {
		other = fmt.Sprintf("south-%d", i)
	}
	if err := c.SendReceipt(t.Context(), "north-1", []byte("r")); !errors.Is(err, mqtt.ErrLost) {
		t.Fatalf("not connected: %v", err)
	}
	if err := c.SendReceipt(t.Context(), "north-1", nil); err == nil || errors.Is(err, mqtt.ErrLost) {
		t.Fatalf("empty: %v", err)
	}
	if err := c.SendReceipt(t.Context(), other, []byte("r")); err == nil || errors.Is(err, mqtt.ErrLost) {
		t.Fatalf("another slot: %v", err)
	}
	if st := c.Stats(); st.ReceiptsFailed != 3 || st.Receipts != 0 {
		t.Fatalf("stats %+v", st)
	}
}

func TestAllSlotsAreServed(t *testing.T) {
	var sites []string
	seen := map[int]bool{}
	for i := 0; len(seen) < uplink.Slots; i++ {
		if s := fmt.Sprintf("site-%d", i); !seen[uplink.Slot(s)] {
			seen[uplink.Slot(s)] = true
			sites = append(sites, s)
		}
	}
	b, _ := startBroker(t, "127.0.0.1:0", t.TempDir(), sites...)
	in := &inbox{}
	c, _ := startCenter(t, centerConfig(t, b.Addr(), in, sites...))
	if st := c.Stats(); st.Connections != uplink.Slots {
		t.Fatalf("stats %+v", st)
	}
	for _, name := range sites {
		s, _ := startSite(t, siteConfig(t, b.Addr(), name))
		deliver(t, s, []string{"from " + name}, nil)
	}
	for _, name := range sites {
		until(t, name, func() bool { return in.has(name, []string{"from " + name}) })
	}
}

// A broker that keeps retained messages in the background can miss to give one to an intake that subscribes at
// the same moment; the site must not stand as offline for it.
func TestASiteSaysAgainThatItIsOnline(t *testing.T) {
	b, _ := startBroker(t, "127.0.0.1:0", t.TempDir(), "north-1")
	cfg := siteConfig(t, b.Addr(), "north-1")
	cfg.StatusEvery = 20 * time.Millisecond
	s, stop := startSite(t, cfg)
	in := &inbox{}
	startCenter(t, centerConfig(t, b.Addr(), in, "north-1"))
	count := func() int {
		in.mu.Lock()
		defer in.mu.Unlock()
		return len(in.statuses)
	}
	until(t, "the status to come again and again", func() bool { return count() >= 5 && in.lastStatus().State == uplink.Online })
	if st := s.Stats(); st.Connections != 1 {
		t.Errorf("it took %d connections", st.Connections)
	}
	stop.halt("site")
	until(t, "offline", func() bool { return in.lastStatus().State == uplink.Offline })
}
