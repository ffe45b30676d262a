package mqtt_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/axlegate/axlegate/internal/freeport"
	"github.com/axlegate/axlegate/uplink"
	"github.com/axlegate/axlegate/uplink/broker"
	"github.com/axlegate/axlegate/uplink/linktest"
	"github.com/axlegate/axlegate/uplink/mqtt"
)

// patience is how long a test waits for what must happen. It asserts no timing.
const patience = 60 * time.Second

// until polls a condition that nothing announces.
func until(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	end := time.Now().Add(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(end) {
			tb.Fatalf("%s: did not happen", what)
		}
		select {
		case <-tick.C:
		case <-tb.Context().Done():
			tb.Fatalf("%s: the test ended first", what)
		}
	}
}

// receive takes the next value that something announces.
func receive[T any](tb testing.TB, what string, ch <-chan T) T {
	tb.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		tb.Fatalf("%s: did not come", what)
	}
	panic("not reached")
}

// testLog writes to the test's log and nowhere after its end.
func testLog(tb testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(tb.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// running is something with a Run, started.
type running struct {
	tb   testing.TB
	stop context.CancelFunc
	done chan error
	once sync.Once
}

func run(tb testing.TB, what string, f func(context.Context) error) *running {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(tb.Context()))
	r := &running{tb: tb, stop: cancel, done: make(chan error, 1)}
	go func() { r.done <- f(ctx) }()
	tb.Cleanup(func() { r.halt(what) })
	return r
}

// halt stops in order and waits.
func (r *running) halt(what string) {
	r.once.Do(func() {
		r.stop()
		if err := receive(r.tb, "end of "+what, r.done); err != nil {
			r.tb.Errorf("%s ended with: %v", what, err)
		}
	})
}

func password(user string) string { return "password of " + user }

const chain = "c0ffee"

// startBroker runs a broker with the users of some sites.
func startBroker(tb testing.TB, listen, dir string, sites ...string) (*broker.Broker, *running) {
	tb.Helper()
	return startBrokerAs(tb, brokerConfig(tb, listen, dir, sites...))
}

func brokerConfig(tb testing.TB, listen, dir string, sites ...string) broker.Config {
	tb.Helper()
	if listen == "127.0.0.1:0" { // one that it finds free again when it is started again
		var err error
		if listen, err = freeport.Address(tb.Context()); err != nil {
			tb.Fatal(err)
		}
	}
	cfg := broker.Config{Listen: listen, StoreDir: dir, Users: []broker.User{{Name: "intake", Password: password("intake")}}, Logger: testLog(tb)}
	for _, s := range sites {
		cfg.Users = append(cfg.Users, broker.User{Name: s, Password: password(s), Site: s})
	}
	return cfg
}

// startImpatientBroker sends again soon what is not acknowledged.
func startImpatientBroker(tb testing.TB, listen, dir string, sites ...string) (*broker.Broker, *running) {
	tb.Helper()
	cfg := brokerConfig(tb, listen, dir, sites...)
	cfg.AckWait = time.Second
	return startBrokerAs(tb, cfg)
}

func startBrokerAs(tb testing.TB, cfg broker.Config) (*broker.Broker, *running) {
	tb.Helper()
	b, err := broker.New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	r := run(tb, "broker", b.Run)
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	if err := b.WaitReady(ctx); err != nil {
		tb.Fatal(err)
	}
	return b, r
}

func startProxy(tb testing.TB, target string) *linktest.Proxy {
	tb.Helper()
	p, err := linktest.Start(target)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := p.Close(); err != nil {
			tb.Error(err)
		}
	})
	return p
}

func siteConfig(tb testing.TB, addr, site string) mqtt.SiteConfig {
	return mqtt.SiteConfig{
		Broker: "tcp://" + addr, Site: site, Chain: func() string { return chain }, Username: site, Password: password(site), BootID: "boot-1",
		Logger: testLog(tb), RetryMin: 20 * time.Millisecond, RetryMax: 300 * time.Millisecond,
	}
}

// startSite runs a site and waits until it is up.
func startSite(tb testing.TB, cfg mqtt.SiteConfig) (*mqtt.Site, *running) {
	tb.Helper()
	s := mqtt.NewSite(cfg)
	r := run(tb, "site "+cfg.Site, s.Run)
	receive(tb, "connection of "+cfg.Site, s.Up())
	return s, r
}

// delivery is what came out at the intake.
type delivery struct{ site, payload string }

// inbox is an intake that keeps what it took.
type inbox struct {
	mu       sync.Mutex
	got      []delivery
	statuses []uplink.SiteStatus
	last     map[string]uplink.SiteStatus // by site
	refuse   func(delivery) error         // guarded by mu
}

func (in *inbox) message(_ context.Context, site string, payload []byte) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	d := delivery{site, string(payload)}
	if in.refuse != nil {
		if err := in.refuse(d); err != nil {
			return err
		}
	}
	in.got = append(in.got, d)
	return nil
}

// each takes the messages of a batch one by one.
func each(take func(ctx context.Context, site string, payload []byte) error) func(context.Context, []uplink.Message) error {
	return func(ctx context.Context, batch []uplink.Message) error {
		for _, m := range batch {
			if err := take(ctx, m.Site, m.Payload); err != nil {
				return err
			}
		}
		return nil
	}
}

func (in *inbox) status(site string, payload []byte) {
	st, err := uplink.DecodeStatus(payload)
	if err != nil {
		st.Boot = err.Error()
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.statuses = append(in.statuses, st)
	if in.last == nil {
		in.last = map[string]uplink.SiteStatus{}
	}
	in.last[site] = st
}

// lastOf is what was last told of a site.
func (in *inbox) lastOf(site string) uplink.SiteStatus {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.last[site]
}

func (in *inbox) lastStatus() (st uplink.SiteStatus) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.statuses) > 0 {
		st = in.statuses[len(in.statuses)-1]
	}
	return st
}

// payloads are those of a site in order of arrival.
func (in *inbox) payloads(site string) []string {
	in.mu.Lock()
	defer in.mu.Unlock()
	var out []string
	for _, d := range in.got {
		if d.site == site {
			out = append(out, d.payload)
		}
	}
	return out
}

// has tells whether every payload of a site has come at least once.
func (in *inbox) has(site string, want []string) bool {
	seen := map[string]bool{}
	for _, p := range in.payloads(site) {
		seen[p] = true
	}
	for _, w := range want {
		if !seen[w] {
			return false
		}
	}
	return true
}

func centerConfig(tb testing.TB, addr string, in *inbox, sites ...string) mqtt.CenterConfig {
	cfg := mqtt.CenterConfig{
		Broker: "tcp://" + addr, Username: "intake", Password: password("intake"), Logger: testLog(tb),
		OnMessages: each(in.message), OnStatus: in.status, RetryMin: 20 * time.Millisecond, RetryMax: 300 * time.Millisecond,
	}
	seen := map[int]bool{}
	for _, s := range sites {
		if n := uplink.Slot(s); !seen[n] {
			seen[n] = true
			cfg.Slots = append(cfg.Slots, n)
		}
	}
	return cfg
}

func startCenter(tb testing.TB, cfg mqtt.CenterConfig) (*mqtt.Center, *running) {
	tb.Helper()
	c := mqtt.NewCenter(cfg)
	r := run(tb, "centre", c.Run)
	receive(tb, "subscription of all slots", c.Ready())
	return c, r
}

// numbered are payloads that tell their order.
func numbered(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("message %04d", i)
	}
	return out
}

// lines keeps what was logged.
type lines struct {
	mu  sync.Mutex
	buf strings.Builder
}

func (l *lines) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelInfo}))
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
