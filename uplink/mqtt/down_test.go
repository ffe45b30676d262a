package mqtt_test

import (
	"testing"
	"time"

	"github.com/axlegate/axlegate/internal/testenv"
	"github.com/axlegate/axlegate/uplink"
	"github.com/axlegate/axlegate/uplink/mqtt"
)

// exchange checks what goes down and what is asked on one broker: connect fills in how it is reached.
func exchange(t *testing.T, site func() mqtt.SiteConfig, center mqtt.CenterConfig) {
	t.Helper()
	asked := make(chan string, 16)
	center.OnAsk = func(site string, jws []byte) { asked <- site + ": " + string(jws) }
	c, _ := startCenter(t, center)
	down, answers := make(chan []byte, 16), make(chan []byte, 16)
	cfg := site()
	cfg.OnDown = func(jws []byte) { down <- jws }
	cfg.OnAnswer = func(jws []byte) { answers <- jws }
	s, running := startSite(t, cfg)
	until(t, "a question arrives", func() bool {
		if err := s.Ask(t.Context(), []byte("whose is it?")); err != nil {
			return false
		}
		select {
		case got := <-asked:
			return got == cfg.Site+": whose is it?"
		case <-time.After(50 * time.Millisecond): // QoS 0 at the centre: one may be lost while it subscribes
			return false
		}
	})
	if err := c.PublishAnswer(t.Context(), cfg.Site, []byte("nobody's")); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, "the answer", answers); string(got) != "nobody's" {
		t.Errorf("answer %q", got)
	}
	if err := c.PublishDown(t.Context(), cfg.Site, []byte("first")); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, "the manifest", down); string(got) != "first" {
		t.Errorf("manifest %q", got)
	}
	running.halt("site")
	if err := c.PublishDown(t.Context(), cfg.Site, []byte("second")); err != nil {
		t.Fatal(err)
	}
	startSite(t, cfg)
	until(t, "a site that was away is given the newest manifest", func() bool { return string(receive(t, "the manifest", down)) == "second" })
	if err := c.PublishDown(t.Context(), cfg.Site, nil); err == nil {
		t.Error("an empty manifest, which would erase the retained one, was published")
	}
}

func TestWhatIsSentDownAndAskedGoesThroughEveryBroker(t *testing.T) {
	t.Run("embedded", func(t *testing.T) {
		b, _ := startBroker(t, "127.0.0.1:0", t.TempDir(), "north-1")
		exchange(t, func() mqtt.SiteConfig { return siteConfig(t, b.Addr(), "north-1") }, centerConfig(t, b.Addr(), &inbox{}, "north-1"))
	})
	for name, serve := range others() {
		t.Run(name, func(t *testing.T) {
			p := certify(t, time.Now().AddDate(0, 1, 0))
			b := serve(t, p)
			tls := func(broker *string) { *broker = "tls://" + b.Addr() }
			center := centerConfig(t, b.Addr(), &inbox{}, "north-1", "south-2")
			tls(&center.Broker)
			center.TLS = p.trust
			exchange(t, func() mqtt.SiteConfig {
				cfg := siteConfig(t, b.Addr(), "north-1")
				tls(&cfg.Broker)
				cfg.TLS = p.trust
				return cfg
			}, center)
		})
	}
}

// A broker whose rights are of an earlier version still carries records.
func TestASiteWithoutTheRightToBeSentAnythingStillSends(t *testing.T) {
	p := certify(t, time.Now().AddDate(0, 1, 0))
	b := testenv.MosquittoFrom(t, map[string]string{
		"mosquitto.conf": sample(t, "mosquitto.conf", "listener 8883", "listener {{port}} 127.0.0.1", "/etc/mosquitto/axlegate/", "{{dir}}/", "/var/lib/mosquitto/", "{{dir}}/"),
		"mosquitto.acl": sample(t, "mosquitto.acl", "topic read axlegate/v1/+/+/asks\n", "", "topic write axlegate/v1/+/+/down\n", "",
			"pattern read axlegate/v1/+/%u/down\n", "", "pattern read axlegate/v1/+/%u/answers\n", ""),
		"ca.crt": p.ca, "server.crt": p.cert, "server.key": p.key,
	}, map[string]string{"intake": password("intake"), "north-1": password("north-1")})
	in := &inbox{}
	center := centerConfig(t, b.Addr(), in, "north-1")
	center.Broker, center.TLS = "tls://"+b.Addr(), p.trust
	center.OnAsk = func(string, []byte) {}
	startCenter(t, center)
	cfg := siteConfig(t, b.Addr(), "north-1")
	cfg.Broker, cfg.TLS = "tls://"+b.Addr(), p.trust
	cfg.OnDown, cfg.OnAnswer = func([]byte) {}, func([]byte) {}
	s, _ := startSite(t, cfg)
	deliver(t, s, []string{"a"}, nil)
	until(t, "the message", func() bool { return in.has("north-1", []string{"a"}) })
}

func TestASiteReadsNoManifestAndNoAnswerOfAnother(t *testing.T) {
	mine, other := neighbours()
	b, _ := startBroker(t, "127.0.0.1:0", t.TempDir(), mine, other)
	asked := make(chan string, 16)
	center := centerConfig(t, b.Addr(), &inbox{}, mine, other)
	center.OnAsk = func(site string, jws []byte) { asked <- site + ": " + string(jws) }
	startCenter(t, center)
	down := make(chan []byte, 16)
	cfg := siteConfig(t, b.Addr(), other)
	cfg.OnDown = func(jws []byte) { down <- jws }
	startSite(t, cfg)
	bad, err := intruder(t, b.Addr(), mine, mine+":bad")
	if err != nil {
		t.Fatal(err)
	}
	send(t, bad, uplink.Topic(other, uplink.Asks), false, "forged question")
	send(t, bad, uplink.Topic(other, uplink.Down), true, "forged manifest")
	send(t, bad, uplink.Topic(mine, uplink.Down), true, "forged manifest for myself")
	send(t, bad, uplink.Topic(mine, uplink.Asks), false, "marker")
	until(t, "the marker", func() bool {
		if got := receive(t, "a question", asked); got != mine+": marker" {
			t.Fatalf("%q arrived", got)
		}
		return true
	})
	if len(down) != 0 {
		t.Errorf("a forged manifest arrived: %q", <-down)
	}
	for _, filter := range []string{uplink.Topic(other, uplink.Down), uplink.Topic(other, uplink.Answers), uplink.Topic(mine, uplink.Asks)} {
		granted(t, bad, filter, false)
	}
	granted(t, bad, uplink.Topic(mine, uplink.Down), true)
}
