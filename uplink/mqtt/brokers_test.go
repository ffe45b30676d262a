package mqtt_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/axlegate/axlegate/internal/testenv"
	"github.com/axlegate/axlegate/uplink"
	"github.com/axlegate/axlegate/uplink/mqtt"
)

// papers are a server's certificate and who vouches for it.
type papers struct {
	ca, cert, key string // PEM
	trust         *tls.Config
}

// certify makes an authority and a certificate of it for 127.0.0.1 that ends at a time.
func certify(t *testing.T, until time.Time) papers {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().AddDate(-1, 0, 0), NotAfter: time.Now().AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	must(err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "broker"}, NotBefore: time.Now().AddDate(-1, 0, 0), NotAfter: until,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, caKey)
	must(err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	must(err)
	block := func(kind string, b []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}))
	}
	roots := x509.NewCertPool()
	p := papers{ca: block("CERTIFICATE", caDER), cert: block("CERTIFICATE", der), key: block("PRIVATE KEY", keyDER), trust: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}}
	roots.AppendCertsFromPEM([]byte(p.ca))
	return p
}

// sample is a shipped configuration with its paths put into the test's folder. Each replacement must occur.
func sample(t *testing.T, name string, replace ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "configs", "samples", name))
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(text, replace[i]) {
			t.Fatalf("%s does not say %q any more", name, replace[i])
		}
		text = strings.ReplaceAll(text, replace[i], replace[i+1])
	}
	return text
}

// others are the brokers that are not in this process, started from the configurations that ship.
func others() map[string]func(t *testing.T, p papers) *testenv.Broker {
	return map[string]func(t *testing.T, p papers) *testenv.Broker{
		"Mosquitto": func(t *testing.T, p papers) *testenv.Broker {
			return testenv.MosquittoFrom(t, map[string]string{
				"mosquitto.conf": sample(t, "mosquitto.conf", "listener 8883", "listener {{port}} 127.0.0.1", "/etc/mosquitto/axlegate/", "{{dir}}/", "/var/lib/mosquitto/", "{{dir}}/",
					"autosave_interval 60", "autosave_interval 1"),
				"mosquitto.acl": sample(t, "mosquitto.acl"), "ca.crt": p.ca, "server.crt": p.cert, "server.key": p.key,
			}, map[string]string{"intake": password("intake"), "north-1": password("north-1"), "south-2": password("south-2")})
		},
		"nats-server": func(t *testing.T, p papers) *testenv.Broker {
			text := sample(t, "nats-server.conf", "0.0.0.0:8883", "127.0.0.1:{{port}}", "/etc/nats/", "{{dir}}/", "/var/lib/nats", "{{dir}}/store", "ack_wait: 10s", "ack_wait: 2s",
				"$INTAKE_PASSWORD", `"`+password("intake")+`"`, "$NORTH_1_PASSWORD", `"`+password("north-1")+`"`)
			// A second site, written as the first.
			head, site, ok := strings.Cut(text, "    {\n      # One for each site")
			site, tail, ok2 := strings.Cut(site, "\n  ]")
			if !ok || !ok2 {
				t.Fatal("nats-server.conf has another shape")
			}
			site = "    {\n      # One for each site" + site
			text = head + site + "\n" + strings.ReplaceAll(strings.ReplaceAll(site, password("north-1"), password("south-2")), "north-1", "south-2") + "\n  ]" + tail
			return testenv.NATSFrom(t, map[string]string{"nats-server.conf": text, "server.crt": p.cert, "server.key": p.key})
		},
	}
}

// stage is a broker with a centre and two sites over TLS.
type stage struct {
	b       *testenv.Broker
	p       papers
	in      *inbox
	center  *mqtt.Center
	serving *running
	sites   map[string]*mqtt.Site
	got     map[string]chan []byte // receipts
}

func (s *stage) siteConfig(t *testing.T, site string) mqtt.SiteConfig {
	cfg := siteConfig(t, s.b.Addr(), site)
	cfg.Broker, cfg.TLS = "tls://"+s.b.Addr(), s.p.trust
	return cfg
}

func (s *stage) centerConfig(t *testing.T) mqtt.CenterConfig {
	cfg := centerConfig(t, s.b.Addr(), s.in, "north-1", "south-2")
	cfg.Broker, cfg.TLS = "tls://"+s.b.Addr(), s.p.trust
	return cfg
}

func newStage(t *testing.T, serve func(*testing.T, papers) *testenv.Broker) *stage {
	t.Helper()
	s := &stage{p: certify(t, time.Now().AddDate(0, 1, 0)), in: &inbox{}, sites: map[string]*mqtt.Site{}, got: map[string]chan []byte{}}
	s.b = serve(t, s.p)
	s.center, s.serving = startCenter(t, s.centerConfig(t))
	for _, name := range []string{"north-1", "south-2"} {
		ch := make(chan []byte, 16)
		cfg := s.siteConfig(t, name)
		cfg.OnReceipt = func(jws []byte) { ch <- jws }
		s.sites[name], _ = startSite(t, cfg)
		s.got[name] = ch
	}
	return s
}

// insist publishes until the broker has acknowledged in one connection, as a site's sender does.
func (s *stage) insist(t *testing.T, site, payload string) {
	t.Helper()
	until(t, payload+" acknowledged", func() bool {
		err := s.sites[site].Publish(t.Context(), []byte(payload))
		if err != nil && !errors.Is(err, mqtt.ErrLost) {
			t.Fatal(err)
		}
		return err == nil
	})
}

// The same promises on every broker: order within a site, receipts back, rights kept, a crash survived, and a
// broker that has forgotten everything stops nobody.
func TestEveryBrokerCarriesTheLink(t *testing.T) {
	for name, serve := range others() {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, serve)
			sent := numbered(200)
			for _, site := range []string{"north-1", "south-2"} {
				for _, p := range sent {
					s.insist(t, site, p)
				}
			}
			for _, site := range []string{"north-1", "south-2"} {
				until(t, "all messages of "+site, func() bool { return s.in.has(site, sent) })
				if got := s.in.payloads(site); strings.Join(got, "|") != strings.Join(sent, "|") {
					t.Errorf("%s: in another order, or twice: %d messages", site, len(got))
				}
				if err := s.center.SendReceipt(t.Context(), site, []byte("receipt of "+site)); err != nil {
					t.Fatal(err)
				}
				if r := receive(t, "a receipt", s.got[site]); string(r) != "receipt of "+site {
					t.Errorf("%s got %q", site, r)
				}
			}

			s.b.Kill(t)
			s.b.Start(t)
			until(t, "a message after the crash", func() bool {
				s.insist(t, "north-1", "after the crash")
				return s.in.has("north-1", []string{"after the crash"})
			})
			s.b.Wipe(t)
			for _, site := range []string{"north-1", "south-2"} {
				// Until the intake has subscribed anew a message may be acknowledged and not kept: it has no receipt and
				// is sent again.
				until(t, "a message of "+site+" after all was forgotten", func() bool {
					s.insist(t, site, "after all was forgotten")
					return s.in.has(site, []string{"after all was forgotten"})
				})
				if err := s.center.SendReceipt(t.Context(), site, []byte("a new receipt")); err != nil {
					t.Fatal(err)
				}
				until(t, "the new receipt", func() bool { return string(receive(t, "a receipt", s.got[site])) == "a new receipt" })
			}
		})
	}
}

// pretend connects as a site with bad manners, over TLS.
func (s *stage) pretend(t *testing.T, user, pass, id string) (paho.Client, error) {
	t.Helper()
	c := paho.NewClient(paho.NewClientOptions().AddBroker("ssl://" + s.b.Addr()).SetTLSConfig(s.p.trust).SetClientID(id).
		SetUsername(user).SetPassword(pass).SetProtocolVersion(4).SetAutoReconnect(false))
	token := c.Connect()
	if !token.WaitTimeout(patience) {
		t.Fatal("no answer to CONNECT")
	}
	if token.Error() == nil {
		t.Cleanup(func() { c.Disconnect(100) })
	}
	return c, token.Error()
}

func TestOnEveryBrokerASiteReachesOnlyItsOwnTopics(t *testing.T) {
	for name, serve := range others() {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, serve)
			for user, pass := range map[string]string{"north-1": "guessed", "nobody": "x", "": ""} {
				if _, err := s.pretend(t, user, pass, "x"); err == nil {
					t.Errorf("%q came in with the password %q", user, pass)
				}
			}
			bad, err := s.pretend(t, "north-1", password("north-1"), "north-1:bad")
			if err != nil {
				t.Fatal(err)
			}
			publish := func(topic, payload string, retained bool) {
				t.Helper()
				// Brokers acknowledge what they refuse; only what arrives tells.
				if token := bad.Publish(topic, 1, retained, payload); !token.WaitTimeout(patience) {
					t.Fatalf("publish to %s: no answer", topic)
				}
			}
			publish(uplink.Topic("south-2", uplink.Segments), "forged", false)
			publish(uplink.Topic("south-2", uplink.Status), string(uplink.SiteStatus{State: uplink.Offline, Boot: "boot-1", Connection: 99}.Encode()), true)
			publish(uplink.Topic("south-2", uplink.Receipts), "forged receipt", true)
			publish(uplink.Topic("north-1", uplink.Receipts), "forged receipt for myself", true)
			heard := make(chan string, 16)
			for _, topic := range []string{uplink.Topic("south-2", uplink.Receipts), uplink.Topic("south-2", uplink.Segments), "axlegate/#", "#"} {
				if token := bad.Subscribe(topic, 1, func(_ paho.Client, m paho.Message) { heard <- m.Topic() }); !token.WaitTimeout(patience) {
					t.Fatalf("subscribe %s: no answer", topic)
				}
				if !bad.IsConnected() {
					break // thrown out is refused as well
				}
			}
			s.insist(t, "south-2", "true")
			until(t, "the true message", func() bool { return s.in.has("south-2", []string{"true"}) })
			if err := s.center.SendReceipt(t.Context(), "south-2", []byte("true receipt")); err != nil {
				t.Fatal(err)
			}
			if r := receive(t, "a receipt", s.got["south-2"]); string(r) != "true receipt" {
				t.Errorf("a forged receipt arrived: %q", r)
			}
			if got := s.in.payloads("south-2"); len(got) != 1 {
				t.Errorf("forged segments arrived: %q", got)
			}
			if st := s.in.lastStatus(); st.Connection == 99 {
				t.Errorf("a forged status arrived: %+v", st)
			}
			for {
				select {
				case topic := <-heard:
					if !strings.Contains(topic, "/north-1/") {
						t.Errorf("north-1 heard %s", topic)
					}
					continue
				default:
				}
				break
			}
		})
	}
}

func TestOnEveryBrokerACertificateThatDoesNotHoldIsRefusedAndSaysWhy(t *testing.T) {
	for name, serve := range others() {
		for _, c := range []struct {
			name string
			ends time.Time
			host string
			own  bool // trusts the authority that signed it
			want string
		}{
			{"that has expired", time.Now().AddDate(0, 0, -1), "127.0.0.1", true, "expired"},
			{"of an authority that nobody named", time.Now().AddDate(0, 1, 0), "127.0.0.1", false, "unknown authority"},
			{"for another name", time.Now().AddDate(0, 1, 0), "localhost", true, "match localhost"},
		} {
			t.Run(name+", one "+c.name, func(t *testing.T) {
				p := certify(t, c.ends)
				s := &stage{b: serve(t, p), p: p, in: &inbox{}}
				if !c.own {
					s.p = certify(t, c.ends)
				}
				address := "tls://" + strings.Replace(s.b.Addr(), "127.0.0.1", c.host, 1)
				var log, other lines
				cfg := s.siteConfig(t, "north-1")
				cfg.Broker, cfg.Logger = address, log.logger()
				site := mqtt.NewSite(cfg)
				run(t, "site", site.Run)
				until(t, "the reason", func() bool { return strings.Contains(log.String(), c.want) })
				center := s.centerConfig(t)
				center.Broker, center.Logger = address, other.logger()
				run(t, "centre", mqtt.NewCenter(center).Run)
				until(t, "the reason at the centre", func() bool { return strings.Contains(other.String(), c.want) })
				if site.Stats().Connections != 0 {
					t.Error("connected")
				}
			})
		}
	}
}

// Two daemons that were started from one disk image have one client id: each throws the other out. Neither may
// stop for good, and they must not fill the broker with their fight. That they send two records under one name is
// found by the centre's store.
func TestTwoDaemonsUnderOneNameBothGetThroughAndDoNotFloodTheBroker(t *testing.T) {
	b, _ := startBroker(t, "127.0.0.1:0", t.TempDir(), "north-1")
	in := &inbox{}
	startCenter(t, centerConfig(t, b.Addr(), in, "north-1"))
	var twins []*mqtt.Site
	var forked atomic.Bool // the second was told to start a new chain
	for i := range 2 {
		cfg := siteConfig(t, b.Addr(), "north-1")
		cfg.Chain = func() string {
			if i == 1 && forked.Load() {
				return "ffffffffffffffffffffffffffffffff"
			}
			return chain
		}
		s := mqtt.NewSite(cfg)
		run(t, "twin", s.Run)
		twins = append(twins, s)
	}
	until(t, "a message of each", func() bool {
		for i, s := range twins {
			payload := fmt.Sprintf("twin %d", i)
			if in.has("north-1", []string{payload}) {
				continue
			}
			if err := s.Publish(t.Context(), []byte(payload)); err != nil && !errors.Is(err, mqtt.ErrLost) {
				t.Fatal(err)
			}
		}
		return in.has("north-1", []string{"twin 0", "twin 1"})
	})
	// Waits between connections grow while nothing is achieved; the pace is counted over what they have done.
	began := time.Now()
	before := twins[0].Stats().Connections + twins[1].Stats().Connections
	until(t, "some more of their fight, or none", func() bool {
		return time.Since(began) > 3*time.Second
	})
	if n := twins[0].Stats().Connections + twins[1].Stats().Connections - before; n > 300 {
		t.Errorf("%d connections in three seconds with waits of at least 20 ms", n)
	}
	for _, s := range twins {
		if s.Stats().Lost == 0 && s.Stats().ConnectFailed == 0 {
			t.Error("a daemon that was thrown out does not say so")
		}
	}
	forked.Store(true)
	until(t, "peace, once they have chains of their own", func() bool {
		before := twins[0].Stats().Connections + twins[1].Stats().Connections
		for _, s := range twins {
			if !s.Stats().Connected {
				return false
			}
		}
		time.Sleep(500 * time.Millisecond)
		return twins[0].Stats().Connections+twins[1].Stats().Connections == before
	})
}
