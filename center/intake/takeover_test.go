package intake

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/center/store/storetest"
	"github.com/axlegate/axlegate/uplink"
	"github.com/axlegate/axlegate/uplink/broker"
	"github.com/axlegate/axlegate/uplink/linktest"
	"github.com/axlegate/axlegate/uplink/mqtt"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// deathbed are leases of a centre that gives nothing back when it ends.
type deathbed struct{ Leases }

func (deathbed) Release(context.Context, string) error { return errors.New("it is dead") }

// office of a real store, many sites on a real broker.
type town struct {
	t      *testing.T
	rig    *rig
	broker *broker.Broker
	sites  []string
	chains []*storetest.Chain
}

func newTown(t *testing.T) *town {
	w := &town{t: t, rig: newRig(t)}
	cfg := broker.Config{Listen: "127.0.0.1:0", StoreDir: t.TempDir(), AckWait: time.Second, Users: []broker.User{{Name: "intake", Password: "i"}}}
	seen := map[int]bool{}
	keys := map[wim.SiteID][]*seal.Verifier{}
	for i := 0; len(w.sites) < 6; i++ { // each in a slot of its own
		if s := fmt.Sprintf("town-%d", i); !seen[uplink.Slot(s)] {
			seen[uplink.Slot(s)] = true
			w.sites = append(w.sites, s)
			c := storetest.NewChain(t, wim.SiteID(s), uint16(i))
			w.chains = append(w.chains, c)
			keys[wim.SiteID(s)] = []*seal.Verifier{c.Key.Verifier()}
			cfg.Users = append(cfg.Users, broker.User{Name: s, Password: "s", Site: s})
		}
	}
	w.rig.cfg.Sites = func(s wim.SiteID) ([]*seal.Verifier, bool) { k, ok := keys[s]; return k, ok }
	b, err := broker.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.broker = b
	w.run("broker", b.Run)
	if err := b.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

// run runs something until the test ends, or stop is called.
func (w *town) run(what string, f func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := f(ctx); err != nil {
			w.t.Errorf("%s: %v", what, err)
		}
	}()
	var once sync.Once
	stop = func() { once.Do(func() { cancel(); <-done }) }
	w.t.Cleanup(stop)
	return stop
}

// center starts a centre on the town's store and broker.
func (w *town) center(name, address string, leases Leases, ttl time.Duration) (duty *Duty, link *mqtt.Center, stop func()) {
	w.t.Helper()
	cfg := w.rig.cfg
	cfg.SendReceipt = func(ctx context.Context, site string, jws []byte) error { return link.SendReceipt(ctx, site, jws) }
	in, err := New(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	link = mqtt.NewCenter(mqtt.CenterConfig{
		Broker: "tcp://" + address, Username: "intake", Password: "i", Leased: true, OnMessages: in.HandleMessages,
		RetryMin: 10 * time.Millisecond, RetryMax: 200 * time.Millisecond,
	})
	if duty, err = NewDuty(DutyConfig{Leases: leases, Link: link, Intake: in, Holder: name, TTL: ttl}); err != nil {
		w.t.Fatal(err)
	}
	ends := []func(){w.run("link of "+name, link.Run), w.run("intake of "+name, in.Run), w.run("duty of "+name, duty.Run)}
	return duty, link, func() {
		for _, end := range ends {
			end()
		}
	}
}

func (w *town) until(what string, ok func() bool) {
	w.t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("%s: did not happen", what)
		}
	}
}

// subscribed waits until the broker has a session for every slot: before that it keeps nothing for anybody, and
// these sites, unlike an edge, do not send again what is not receipted.
func (w *town) subscribed(link *mqtt.Center) {
	w.t.Helper()
	w.until("all slots are subscribed", func() bool { return link.Stats().Connected == uplink.Slots })
}

// send publishes a chain's records one by one until all are there, as a site does, and returns the receipts.
func (w *town) send(i, n int, half func()) {
	w.t.Helper()
	site, c := w.sites[i], w.chains[i]
	c.Quiet(n - 1)
	s := mqtt.NewSite(mqtt.SiteConfig{
		Broker: "tcp://" + w.broker.Addr(), Site: site, Chain: c.ID.String, Username: site, Password: "s", BootID: "b",
		OnReceipt: func(jws []byte) {
			r, err := seal.VerifyReceipt(string(jws), w.rig.cfg.Signer.Verifier())
			if err != nil {
				w.t.Error(err)
			}
			w.rig.sent.mu.Lock()
			w.rig.sent.receipts = append(w.rig.sent.receipts, r)
			w.rig.sent.mu.Unlock()
		},
		RetryMin: 10 * time.Millisecond, RetryMax: 200 * time.Millisecond,
	})
	w.run("site "+site, s.Run)
	<-s.Up()
	for k := 1; k <= n; k++ {
		if k == n/2 {
			half()
		}
		m := w.rig.message(c.Bundle(k, k))
		for s.Publish(w.t.Context(), m) != nil {
			w.until("connection of "+site, func() bool { return s.Stats().Connected })
		}
	}
}

func (w *town) receipted(c *storetest.Chain) uint64 {
	var seq uint64
	for _, r := range w.rig.sent.all() {
		if r.Chain == c.ID {
			seq = max(seq, r.Seq)
		}
	}
	return seq
}

func TestACentreThatDiesDuringIngestIsFollowedByAnotherAndNothingIsLostOrDoubled(t *testing.T) {
	w := newTown(t)
	line, err := linktest.Start(w.broker.Addr())
	if err != nil {
		t.Fatal(err)
	}
	const ttl = 2 * time.Second
	first, link, die := w.center("first", line.Addr(), deathbed{w.rig.store}, ttl)
	w.subscribed(link)
	second, _, _ := w.center("second", w.broker.Addr(), w.rig.store, ttl)
	w.until("they share", func() bool { return len(first.Held()) == 8 && len(second.Held()) == 8 })

	const n = 60
	var all, halfway sync.WaitGroup
	halfway.Add(len(w.sites))
	for i := range w.sites {
		all.Go(func() { w.send(i, n, halfway.Done) })
	}
	halfway.Wait()
	if err := line.Close(); err != nil { // without a word to the broker
		t.Error(err)
	}
	die()
	all.Wait()
	w.until("the second has all slots", func() bool { return len(second.Held()) == uplink.Slots })
	for _, c := range w.chains {
		w.until("receipt of the last record", func() bool { return w.receipted(c) == n })
	}
	rep, err := store.Audit(t.Context(), w.rig.path, nil)
	if err != nil || len(rep.Problems) != 0 || rep.Records != n*len(w.sites) {
		t.Errorf("%d records, want %d: %v, %v", rep.Records, n*len(w.sites), rep.Problems, err)
	}
}

func TestACentreThatLeavesInOrderHandsItsSlotsOverAtOnce(t *testing.T) {
	w := newTown(t)
	const ttl = time.Hour // nobody waits for its end
	_, link, leave := w.center("first", w.broker.Addr(), w.rig.store, ttl)
	w.subscribed(link)
	w.send(0, 4, func() {})
	w.until("receipt", func() bool { return w.receipted(w.chains[0]) == 4 })
	leave()
	second, _, _ := w.center("second", w.broker.Addr(), w.rig.store, ttl)
	w.until("the second has all slots", func() bool { return len(second.Held()) == uplink.Slots })
	w.send(1, 4, func() {})
	w.until("receipt", func() bool { return w.receipted(w.chains[1]) == 4 })
}
