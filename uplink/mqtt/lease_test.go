package mqtt_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/uplink"
	"github.com/axlegate/axlegate/uplink/mqtt"
)

// leased is a centre without slots yet.
func leased(tb testing.TB, addr string, in *inbox) *mqtt.Center {
	tb.Helper()
	cfg := centerConfig(tb, addr, in)
	cfg.Leased = true
	c := mqtt.NewCenter(cfg)
	run(tb, "leased centre", c.Run)
	return c
}

func setSlots(tb testing.TB, c *mqtt.Center, slots ...int) <-chan struct{} {
	tb.Helper()
	left, err := c.SetSlots(slots)
	if err != nil {
		tb.Fatal(err)
	}
	return left
}

func connected(tb testing.TB, c *mqtt.Center, n int) {
	tb.Helper()
	until(tb, "connections of the slots", func() bool { return c.Stats().Connected == n })
}

func TestASlotMovesToAnotherCentreWithAllThatTheBrokerHeldForIt(t *testing.T) {
	b, _ := startBroker(t, "127.0.0.1:0", t.TempDir(), "north-1")
	slot := uplink.Slot("north-1")
	var first, second inbox
	a, z := leased(t, b.Addr(), &first), leased(t, b.Addr(), &second)
	setSlots(t, a, slot)
	receive(t, "readiness", a.Ready())
	s, _ := startSite(t, siteConfig(t, b.Addr(), "north-1"))
	want := numbered(30)
	deliver(t, s, want[:10], nil)
	until(t, "the first ten", func() bool { return first.has("north-1", want[:10]) })

	receive(t, "end of the slot", setSlots(t, a))
	if a.Stats().Connected != 0 {
		t.Error("connected for a slot that was given up")
	}
	if err := a.SendReceipt(t.Context(), "north-1", []byte("r")); err == nil || !strings.Contains(err.Error(), "not served here") {
		t.Errorf("a receipt for another's slot: %v", err)
	}
	deliver(t, s, want[10:20], nil) // nobody is there: the broker keeps them

	setSlots(t, z, slot)
	receive(t, "readiness", z.Ready())
	deliver(t, s, want[20:], nil)
	until(t, "the rest", func() bool { return second.has("north-1", want[10:]) })
	if got := first.payloads("north-1"); len(got) != 10 {
		t.Errorf("the first took %d", len(got))
	}
}

func TestASlotThatIsGivenUpFinishesTheBatchInWork(t *testing.T) {
	b, _ := startBroker(t, "127.0.0.1:0", t.TempDir(), "north-1")
	in := &inbox{}
	working, release := make(chan struct{}), make(chan struct{})
	cfg := centerConfig(t, b.Addr(), in)
	cfg.Leased = true
	cfg.OnMessages = each(func(ctx context.Context, site string, payload []byte) error {
		close(working)
		<-release
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return in.message(ctx, site, payload)
	})
	c := mqtt.NewCenter(cfg)
	run(t, "leased centre", c.Run)
	slot := uplink.Slot("north-1")
	setSlots(t, c, slot)
	receive(t, "readiness", c.Ready())
	s, _ := startSite(t, siteConfig(t, b.Addr(), "north-1"))
	deliver(t, s, []string{"in work"}, nil)
	receive(t, "work", working)
	left := setSlots(t, c)
	select {
	case <-left:
		t.Error("left in the middle of its work")
	default:
	}
	setSlots(t, c, slot) // and taken again meanwhile: its connection waits for the one before
	close(release)
	receive(t, "end", left)
	if got := in.payloads("north-1"); len(got) != 1 || c.Stats().Messages != 1 {
		t.Errorf("taken %q, %+v", got, c.Stats())
	}
	connected(t, c, 1)
}

func TestACentreThatIsThrownOutDoesNotFightForItsSlot(t *testing.T) {
	b, _ := startBroker(t, "127.0.0.1:0", t.TempDir(), "north-1")
	slot := uplink.Slot("north-1")
	var first, second inbox
	a, z := leased(t, b.Addr(), &first), leased(t, b.Addr(), &second)
	setSlots(t, a, slot)
	receive(t, "readiness", a.Ready())
	setSlots(t, z, slot) // the lease of the first has run out without its knowledge
	receive(t, "readiness", z.Ready())
	receive(t, "question for the lease", a.Lost())
	connected(t, a, 0)
	was := a.Stats()
	s, _ := startSite(t, siteConfig(t, b.Addr(), "north-1"))
	want := numbered(20)
	deliver(t, s, want, nil)
	until(t, "all at the second", func() bool { return second.has("north-1", want) })
	if now := a.Stats(); now.Connections != was.Connections || now.ConnectFailed != was.ConnectFailed {
		t.Errorf("the first came back: %+v", now)
	}
	if z.Stats().Lost != 0 {
		t.Error("the second was thrown out")
	}
	setSlots(t, z) // and back
	setSlots(t, a, slot)
	connected(t, a, 1)
}

func TestALeasedCentreComesBackOnceItsSlotsAreConfirmed(t *testing.T) {
	b, _ := startBroker(t, "127.0.0.1:0", t.TempDir(), "north-1")
	link := startProxy(t, b.Addr())
	c := leased(t, link.Addr(), &inbox{})
	slots := []int{1, 2, 3}
	setSlots(t, c, slots...)
	receive(t, "readiness", c.Ready())
	for range 3 {
		link.Drop()
		receive(t, "question for the leases", c.Lost())
		until(t, "all back", func() bool { setSlots(t, c, slots...); return c.Stats().Connected == 3 })
	}
}

func TestALeasedCentreIsReadyWhenAllThatItHasIsSubscribed(t *testing.T) {
	b, _ := startBroker(t, "127.0.0.1:0", t.TempDir())
	c := leased(t, b.Addr(), &inbox{})
	select {
	case <-c.Ready():
		t.Fatal("ready before it knows its slots")
	default:
	}
	setSlots(t, c)
	receive(t, "readiness without slots", c.Ready())
	setSlots(t, c, 0, 15)
	connected(t, c, 2)
}

func TestSlotsThatCannotBeAreRefused(t *testing.T) {
	for name, slots := range map[string][]int{"one too many": {uplink.Slots}, "a negative one": {-1}, "one twice": {2, 2}} {
		cfg := centerConfig(t, "127.0.0.1:1", &inbox{})
		cfg.Leased = true
		if _, err := mqtt.NewCenter(cfg).SetSlots(slots); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if _, err := mqtt.NewCenter(centerConfig(t, "127.0.0.1:1", &inbox{}, "north-1")).SetSlots([]int{1}); err == nil {
		t.Error("configured slots can be set")
	}
	cfg := centerConfig(t, "127.0.0.1:1", &inbox{}, "north-1")
	cfg.Leased = true
	if err := cfg.Validate(); err == nil {
		t.Error("slots that are configured and leased")
	}
}

func TestSlotsThatComeAndGoLeaveNothingBehind(t *testing.T) {
	b, _ := startBroker(t, "127.0.0.1:0", t.TempDir())
	cfg := centerConfig(t, b.Addr(), &inbox{})
	cfg.Leased = true
	c := mqtt.NewCenter(cfg)
	r := run(t, "leased centre", c.Run)
	for round := range 30 {
		setSlots(t, c, round%16, (round+1)%16, (round+5)%16)
	}
	connected(t, c, 3)
	r.halt("leased centre")
	setSlots(t, c, 1)
	noneLeft(t)
}

func TestABatchHoldsWhatWaitsInOrderAndWithinItsBounds(t *testing.T) {
	b, _ := startBroker(t, "127.0.0.1:0", t.TempDir(), "north-1")
	cfg := centerConfig(t, b.Addr(), &inbox{}, "north-1")
	first, release := make(chan struct{}), make(chan struct{})
	batches := make(chan []string, 64)
	cfg.OnMessages = func(_ context.Context, batch []uplink.Message) error {
		var got []string
		for _, m := range batch {
			got = append(got, string(m.Payload))
		}
		batches <- got
		if got[0] == "message 0000" {
			close(first)
			<-release
		}
		return nil
	}
	c, _ := startCenter(t, cfg)
	s, _ := startSite(t, siteConfig(t, b.Addr(), "north-1"))
	want := numbered(30)
	deliver(t, s, want[:1], nil)
	receive(t, "first batch", first)
	deliver(t, s, want[1:], nil)
	close(release)
	until(t, "all", func() bool { return c.Stats().Messages == 30 })
	var got []string
	n := len(batches)
	for range n {
		got = append(got, <-batches...)
	}
	if !slices.Equal(got, want) || n >= 30 || c.Stats().Batches != uint64(n) {
		t.Errorf("%d batches: %q", n, got)
	}
}

func TestABatchThatIsNotTakenComesAgainWhole(t *testing.T) {
	b, _ := startImpatientBroker(t, "127.0.0.1:0", t.TempDir(), "north-1")
	in := &inbox{}
	cfg := centerConfig(t, b.Addr(), in, "north-1")
	refused := make(chan struct{}, 1)
	cfg.OnMessages = func(ctx context.Context, batch []uplink.Message) error {
		select {
		case refused <- struct{}{}:
			return errors.New("the store is down")
		default:
		}
		return each(in.message)(ctx, batch)
	}
	c, _ := startCenter(t, cfg)
	s, _ := startSite(t, siteConfig(t, b.Addr(), "north-1"))
	want := numbered(12)
	deliver(t, s, want, nil)
	until(t, "all", func() bool { return in.has("north-1", want) })
	if st := c.Stats(); st.Failed != 1 || st.Connections < 2 {
		t.Errorf("%+v", st)
	}
}
