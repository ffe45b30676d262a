package mqtt_test

import (
	"context"
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/axlegate/axlegate/uplink/mqtt"
)

// storm is how many sites come back at once; make chaos takes a thousand.
var storm = flag.Int("storm", 400, "sites that come back when their broker restarts")

// A broker that restarts under hundreds of sites has all of them back, each once, without a crowd at its door: how
// they are spread is shown by TestAThousandSitesComeBackSpreadOut in a time of its own; here it is printed.
func TestHundredsOfSitesComeBackAfterTheBrokerRestarts(t *testing.T) {
	many := *storm // three consumers each: with 400 more than a thousand, where a server that is not told otherwise stops
	names := make([]string, many)
	for i := range names {
		names[i] = fmt.Sprintf("site-%04d", i)
	}
	dir := t.TempDir()
	b, running := startBroker(t, "127.0.0.1:0", dir, names...)
	door := startProxy(t, b.Addr())
	in := &inbox{}
	startCenter(t, centerConfig(t, b.Addr(), in, names...))
	sites := make([]*mqtt.Site, many)
	for i, n := range names {
		cfg := siteConfig(t, door.Addr(), n)
		cfg.RetryMin, cfg.RetryMax, cfg.StatusEvery = 0, 0, time.Hour
		sites[i] = mqtt.NewSite(cfg)
		run(t, "site "+n, sites[i].Run)
	}
	connected := func() (n int) {
		for _, s := range sites {
			if s.Stats().Connected {
				n++
			}
		}
		return n
	}
	until(t, "all sites are connected", func() bool { return connected() == many })
	before := door.Connections()
	running.halt("broker")
	until(t, "no site is connected", func() bool { return connected() == 0 })
	began := time.Now()
	startBroker(t, b.Addr(), dir, names...)
	until(t, "all sites are back", func() bool { return connected() == many })
	took := time.Since(began)
	n, _ := door.Busiest(100 * time.Millisecond)
	t.Logf("%d sites were back after %s with %d connections; at most %d came in a tenth of a second, the first time included, when all begin at once",
		many, took.Round(time.Millisecond), door.Connections()-before, n)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, s := range []*mqtt.Site{sites[0], sites[many-1]} {
		if err := s.Publish(ctx, []byte("after the storm")); err != nil {
			t.Error(err)
		}
	}
	for _, s := range sites {
		if got := s.Stats(); got.Connections < 2 {
			t.Errorf("%+v", got)
		}
	}
}
