package mqtt_test

import (
	"testing"
	"time"

	"github.com/axlegate/axlegate/uplink"
)

// The daemon of a site starts again while the broker still believes in its old connection, over a line that swallows
// everything. When the broker gives that one up it publishes its will, after the new run has said that it is
// online, and keeps it as the last word. On no broker does that show the site as dead: not to a centre that was
// there, and not for longer than the status is not repeated to one that comes later.
func TestOnEveryBrokerALateWillDoesNotShowALivingSiteAsDead(t *testing.T) {
	for name, serve := range others() {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, serve)
			line := startProxy(t, s.b.Addr())
			old := s.siteConfig(t, "north-1")
			old.Broker, old.BootID, old.RetryMin, old.RetryMax = "tls://"+line.Addr(), "boot-old", time.Hour, time.Hour
			old.Chain = func() string { return "c0ffee01" }
			startSite(t, old)
			is := func(in *inbox, state uplink.State, boot string) func() bool {
				return func() bool { st := in.lastOf("north-1"); return st.State == state && st.Boot == boot }
			}
			until(t, "the old run is online", is(s.in, uplink.Online, "boot-old"))

			next := s.siteConfig(t, "north-1")
			next.BootID, next.StatusEvery = "boot-new", 200*time.Millisecond
			next.Chain = func() string { return "c0ffee02" }
			_, running := startSite(t, next)
			until(t, "the new run is online", is(s.in, uplink.Online, "boot-new"))
			stale := s.center.Stats().StaleStatuses
			line.Cut() // the broker sees a reset and publishes the old run's will
			until(t, "the late will has come", func() bool { return s.center.Stats().StaleStatuses > stale })
			if st := s.in.lastOf("north-1"); st.State != uplink.Online { // of whichever run
				t.Errorf("the centre says %+v", st)
			}

			s.serving.halt("the centre")
			later := &inbox{}
			cfg := s.centerConfig(t)
			cfg.OnMessages, cfg.OnStatus = each(later.message), later.status
			startCenter(t, cfg)
			until(t, "a centre that comes later sees it online", is(later, uplink.Online, "boot-new"))

			running.halt("the new run")
			until(t, "it is offline when it stops", is(later, uplink.Offline, "boot-new"))
		})
	}
}
