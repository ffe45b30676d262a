package mqtt_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/axlegate/axlegate/uplink/linktest"
	"github.com/axlegate/axlegate/uplink/mqtt"
)

// ourGoroutines are those of this package and of the MQTT library that are not the test itself.
func ourGoroutines() (n int, stacks string) {
	buf := make([]byte, 4<<20)
	buf = buf[:runtime.Stack(buf, true)]
	var left []string
	for g := range strings.SplitSeq(string(buf), "\n\n") {
		ours := strings.Contains(g, "axlegate/uplink/mqtt.") || strings.Contains(g, "paho.mqtt.golang.")
		if ours && !strings.Contains(g, "ourGoroutines") {
			left = append(left, g)
		}
	}
	return len(left), strings.Join(left, "\n\n")
}

func noneLeft(t *testing.T) {
	t.Helper()
	var stacks string
	defer func() {
		if t.Failed() {
			t.Log(stacks)
		}
	}()
	until(t, "end of every goroutine", func() bool {
		var n int
		n, stacks = ourGoroutines()
		return n == 0
	})
}

func TestStartingAndStoppingLeavesNothingBehind(t *testing.T) {
	b, _ := startBroker(t, "127.0.0.1:0", t.TempDir(), "north-1")
	in := &inbox{}
	link := startProxy(t, b.Addr())
	for round := range 50 {
		site := mqtt.NewSite(siteConfig(t, link.Addr(), "north-1"))
		center := mqtt.NewCenter(centerConfig(t, link.Addr(), in, "north-1"))
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			if err := site.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		all.Go(func() {
			if err := center.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		all.Go(func() {
			for ctx.Err() == nil {
				err := site.Publish(ctx, []byte("x"))
				if err != nil && !errors.Is(err, mqtt.ErrLost) && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
				runtime.Gosched()
			}
		})
		// Stop at a different moment each time: before anything, while connecting, when up, after a break.
		switch round % 5 {
		case 1:
			until(t, "first connection", func() bool { return link.Connections() > 0 })
		case 2:
			receive(t, "connection", site.Up())
		case 3:
			receive(t, "subscription", center.Ready())
		case 4:
			receive(t, "connection", site.Up())
			link.Drop()
		}
		cancel()
		all.Wait()
		if site.Stats().Connected || center.Stats().Connected != 0 {
			t.Fatal("connected after the end")
		}
	}
	noneLeft(t)
}

func TestStoppingWithoutABrokerIsQuick(t *testing.T) {
	link := startProxy(t, "127.0.0.1:1")
	site := mqtt.NewSite(siteConfig(t, link.Addr(), "north-1"))
	center := mqtt.NewCenter(centerConfig(t, link.Addr(), &inbox{}, "north-1"))
	a, b := run(t, "site", site.Run), run(t, "centre", center.Run)
	until(t, "attempts", func() bool { return site.Stats().ConnectFailed > 0 && center.Stats().ConnectFailed > 0 })
	a.halt("site")
	b.halt("centre")
	noneLeft(t)
}

func TestABrokerThatSaysNothingDoesNotHoldAStop(t *testing.T) {
	b, _ := startBroker(t, "127.0.0.1:0", t.TempDir(), "north-1")
	link := startProxy(t, b.Addr())
	link.Swallow(linktest.Down) // it accepts and never answers
	site := mqtt.NewSite(siteConfig(t, link.Addr(), "north-1"))
	r := run(t, "site", site.Run)
	until(t, "connection attempt", func() bool { return link.Connections() > 0 })
	r.halt("site")
	noneLeft(t)
}

func TestRunningTwiceIsRefused(t *testing.T) {
	site := mqtt.NewSite(siteConfig(t, "127.0.0.1:1", "north-1"))
	center := mqtt.NewCenter(centerConfig(t, "127.0.0.1:1", &inbox{}, "north-1"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, f := range []func(context.Context) error{site.Run, center.Run} {
		if err := f(ctx); err != nil {
			t.Fatal(err)
		}
		if err := f(ctx); err == nil {
			t.Fatal("ran twice")
		}
	}
}

func TestConfigurationsThatCanNeverWorkAreTold(t *testing.T) {
	site := func(change func(*mqtt.SiteConfig)) error {
		c := siteConfig(t, "127.0.0.1:1", "north-1")
		change(&c)
		return mqtt.NewSite(c).Run(t.Context())
	}
	center := func(change func(*mqtt.CenterConfig)) error {
		c := centerConfig(t, "127.0.0.1:1", &inbox{}, "north-1")
		change(&c)
		return mqtt.NewCenter(c).Run(t.Context())
	}
	for name, tc := range map[string]struct {
		err  error
		want string
	}{
		"a site without a name":            {site(func(c *mqtt.SiteConfig) { c.Site = "" }), "no site"},
		"a site without a chain":           {site(func(c *mqtt.SiteConfig) { c.Chain = func() string { return "" } }), "no chain"},
		"a site without a boot id":         {site(func(c *mqtt.SiteConfig) { c.BootID = "" }), "no boot id"},
		"a site without a user":            {site(func(c *mqtt.SiteConfig) { c.Username = "" }), "no user name"},
		"a site that breaks the topic":     {site(func(c *mqtt.SiteConfig) { c.Site = "a/b" }), "letters, digits"},
		"a site that breaks the client id": {site(func(c *mqtt.SiteConfig) { c.Site = "a:b" }), "letters, digits"},
		"a site with a clear far broker":   {site(func(c *mqtt.SiteConfig) { c.Broker = "tcp://192.0.2.1:1883" }), "write tls://"},
		"a centre with nobody inside":      {center(func(c *mqtt.CenterConfig) { c.OnMessages = nil }), "nobody takes"},
		"a centre without a user":          {center(func(c *mqtt.CenterConfig) { c.Username = "" }), "no user name"},
		"a centre without slots":           {center(func(c *mqtt.CenterConfig) { c.Slots = nil }), "no slots"},
		"a centre with a slot twice":       {center(func(c *mqtt.CenterConfig) { c.Slots = []int{3, 3} }), "slot 3"},
		"a centre with a slot too many":    {center(func(c *mqtt.CenterConfig) { c.Slots = []int{16} }), "slot 16"},
		"a centre with a clear far broker": {center(func(c *mqtt.CenterConfig) { c.Broker = "tcp://192.0.2.1:1883" }), "write tls://"},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.err == nil || !strings.Contains(tc.err.Error(), tc.want) {
				t.Fatalf("got %v, want something about %q", tc.err, tc.want)
			}
		})
	}
}
