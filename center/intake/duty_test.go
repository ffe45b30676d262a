package intake

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/center/store/storetest"
	"github.com/axlegate/axlegate/uplink"
)

// office is leases that a test gives out.
type office struct {
	mu       sync.Mutex
	give     []int
	err      error
	hang     bool
	asked    int
	released []string
}

func (o *office) Lease(ctx context.Context, _ string, _ int, _ time.Duration) ([]int, error) {
	o.mu.Lock()
	o.asked++
	give, err, hang := slices.Clone(o.give), o.err, o.hang
	o.mu.Unlock()
	if hang {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return give, err
}

func (o *office) Release(_ context.Context, holder string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.released = append(o.released, holder)
	return nil
}

func (o *office) change(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f()
}

// bridge is a link that only remembers.
type bridge struct {
	mu   sync.Mutex
	sets [][]int
	lost chan struct{}
	left chan struct{} // nil: what is given up has left at once
}

func (b *bridge) SetSlots(slots []int) (<-chan struct{}, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sets = append(b.sets, slices.Clone(slots))
	if b.left != nil {
		return b.left, nil
	}
	done := make(chan struct{})
	close(done)
	return done, nil
}

func (b *bridge) Lost() <-chan struct{} { return b.lost }

func (b *bridge) now() []int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.sets) == 0 {
		return []int{-1}
	}
	return b.sets[len(b.sets)-1]
}

// onDuty runs a Duty with a time to live of a minute in a bubble of its own time.
func onDuty(t *testing.T, f func(t *testing.T, o *office, b *bridge, d *Duty, stop func())) {
	synctest.Test(t, func(t *testing.T) {
		o, b := &office{give: []int{5, 3}}, &bridge{lost: make(chan struct{}, 1)}
		d, err := NewDuty(DutyConfig{Leases: o, Link: b, Holder: "a", TTL: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := make(chan error, 1)
		go func() { done <- d.Run(ctx) }()
		synctest.Wait()
		stopped := false
		stop := func() {
			if stopped {
				return
			}
			stopped = true
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		defer stop()
		f(t, o, b, d, stop)
	})
}

func TestSlotsAreHeldByRenewingWellBeforeTheirEnd(t *testing.T) {
	onDuty(t, func(t *testing.T, o *office, b *bridge, d *Duty, _ func()) {
		if !slices.Equal(b.now(), []int{3, 5}) || !slices.Equal(d.Held(), []int{3, 5}) {
			t.Fatalf("serves %v", b.now())
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if o.asked < 30 || o.asked > 31 {
			t.Errorf("asked %d times in ten times to live", o.asked)
		}
		o.change(func() { o.give = []int{7} })
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if !slices.Equal(b.now(), []int{7}) || !slices.Equal(d.Held(), []int{7}) {
			t.Errorf("serves %v", b.now())
		}
	})
}

func TestWhoCannotRenewGivesAllUpBeforeAnotherMayHaveThem(t *testing.T) {
	for name, fail := range map[string]func(*office){
		"the database refuses":         func(o *office) { o.err = errors.New("down") },
		"the database does not answer": func(o *office) { o.hang = true },
	} {
		t.Run(name, func(t *testing.T) {
			onDuty(t, func(t *testing.T, o *office, b *bridge, d *Duty, _ func()) {
				o.change(func() { fail(o) })
				time.Sleep(time.Minute - time.Second)
				synctest.Wait()
				if len(d.Held()) != 2 {
					t.Error("given up while they were still held")
				}
				time.Sleep(time.Second)
				synctest.Wait()
				if len(d.Held()) != 0 || len(b.now()) != 0 {
					t.Errorf("after a time to live it serves %v", b.now())
				}
				o.change(func() { o.err, o.hang = nil, false })
				time.Sleep(30 * time.Second)
				synctest.Wait()
				if !slices.Equal(b.now(), []int{3, 5}) {
					t.Errorf("the database is back, and it serves %v", b.now())
				}
			})
		})
	}
}

func TestALostConnectionAsksForTheLeasesAtOnce(t *testing.T) {
	onDuty(t, func(t *testing.T, o *office, b *bridge, _ *Duty, _ func()) {
		o.change(func() { o.give = []int{3} })
		b.lost <- struct{}{}
		synctest.Wait()
		if o.asked != 2 || !slices.Equal(b.now(), []int{3}) {
			t.Errorf("asked %d times, serves %v", o.asked, b.now())
		}
	})
}

func TestLeasesAreGivenBackOnlyWhenTheWorkHasEnded(t *testing.T) {
	onDuty(t, func(t *testing.T, o *office, b *bridge, _ *Duty, stop func()) {
		b.mu.Lock()
		b.left = make(chan struct{})
		b.mu.Unlock()
		go func() {
			time.Sleep(2 * time.Second)
			o.mu.Lock()
			defer o.mu.Unlock()
			if len(o.released) != 0 {
				t.Error("given back while at work")
			}
			close(b.left)
		}()
		stop()
		if !slices.Equal(o.released, []string{"a"}) || len(b.now()) != 0 {
			t.Errorf("released %v, serves %v", o.released, b.now())
		}
	})
}

func TestADutyThatLacksSomethingIsRefused(t *testing.T) {
	good := DutyConfig{Leases: &office{}, Link: &bridge{}, Holder: "a"}
	for name, change := range map[string]func(*DutyConfig){
		"no leases":               func(c *DutyConfig) { c.Leases = nil },
		"no link":                 func(c *DutyConfig) { c.Link = nil },
		"no name":                 func(c *DutyConfig) { c.Holder = "" },
		"a negative time to live": func(c *DutyConfig) { c.TTL = -1 },
	} {
		c := good
		change(&c)
		if _, err := NewDuty(c); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestReceiptsOfASlotThatIsNotServedAreLeftToOthersAndSentWhenItIsTakenOver(t *testing.T) {
	r := newRig(t)
	c := storetest.NewChain(t, known, 0).Quiet(2)
	slot := uplink.Slot(known)
	r.SetSlots([]int{(slot + 1) % uplink.Slots})
	r.take(known, c.Bundle(1, 3))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	if len(r.sent.all()) != 0 {
		t.Error("a receipt of another's slot")
	}
	// Another centre stores more, and dies before it sends the receipt.
	if _, err := r.store.StoreSegments(t.Context(), []store.Segment{storedOf(c, 4)}); err != nil {
		t.Fatal(err)
	}
	r.SetSlots([]int{slot})
	r.sent.until("the receipt", func() bool { return r.sent.last().Seq == 4 })
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// storedOf adds a record to a chain and gives its segment.
func storedOf(c *storetest.Chain, seq int) store.Segment {
	c.Quiet(seq - len(c.Records))
	return c.Segment(seq, seq)
}

func TestReceiptsThatAreDueAreForgottenWithTheirSlot(t *testing.T) {
	r := newRig(t)
	r.sent.setCut(errors.New("link is down"))
	c := storetest.NewChain(t, known, 0).Quiet(2)
	r.take(known, c.Bundle(1, 3))
	r.SetSlots(nil)
	r.sent.setCut(nil)
	tries := r.sent.tries
	r.desk.queue()
	handOut(t.Context(), r.Intake)
	if r.sent.tries != tries {
		t.Error("sent for a slot that another serves")
	}
}
