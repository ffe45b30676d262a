package mqtt_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/axlegate/axlegate/uplink"
	"github.com/axlegate/axlegate/uplink/mqtt"
)

// neighbours are sites of one slot, so that one intake connection sees both in order.
func neighbours() (a, b string) {
	a = "north-1"
	for i := 2; ; i++ {
		if b = fmt.Sprintf("north-%d", i); uplink.Slot(a) == uplink.Slot(b) {
			return a, b
		}
	}
}

// intruder is a plain client with a site's password and bad manners.
func intruder(t *testing.T, addr, user, clientID string) (paho.Client, error) {
	t.Helper()
	c := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + addr).SetClientID(clientID).
		SetUsername(user).SetPassword(password(user)).SetProtocolVersion(4).SetAutoReconnect(false))
	token := c.Connect()
	if !token.WaitTimeout(patience) {
		t.Fatal("no answer to CONNECT")
	}
	if token.Error() == nil {
		t.Cleanup(func() { c.Disconnect(100) })
	}
	return c, token.Error()
}

func send(t *testing.T, c paho.Client, topic string, retained bool, payload string) {
	t.Helper()
	token := c.Publish(topic, 1, retained, payload)
	if !token.WaitTimeout(patience) || token.Error() != nil {
		t.Fatalf("publish to %s: %v", topic, token.Error())
	}
}

// granted checks whether the broker lets a client read a topic.
func granted(t *testing.T, c paho.Client, filter string, want bool) {
	t.Helper()
	token := c.Subscribe(filter, 1, nil)
	if !token.WaitTimeout(patience) {
		t.Fatalf("subscribe %s: no answer", filter)
	}
	answer, ok := token.(*paho.SubscribeToken)
	if !ok || (answer.Result()[filter] != 0x80) != want {
		t.Errorf("subscribe %s: answer %v, granted should be %v", filter, answer.Result(), want)
	}
}

func TestASiteReachesOnlyItsOwnTopics(t *testing.T) {
	mine, other := neighbours()
	b, _ := startBroker(t, "127.0.0.1:0", t.TempDir(), mine, other)
	in := &inbox{}
	c, _ := startCenter(t, centerConfig(t, b.Addr(), in, mine, other))
	receipts := make(chan []byte, 8)
	cfg := siteConfig(t, b.Addr(), other)
	cfg.OnReceipt = func(jws []byte) { receipts <- jws }
	startSite(t, cfg)
	until(t, "online of the other", func() bool { return in.lastStatus().State == uplink.Online })

	bad, err := intruder(t, b.Addr(), mine, mine+":bad")
	if err != nil {
		t.Fatal(err)
	}
	// All are acknowledged: only what arrives tells.
	send(t, bad, uplink.Topic(other, uplink.Segments), false, "forged segment")
	send(t, bad, uplink.Topic(other, uplink.Segments), true, "forged retained segment")
	send(t, bad, uplink.Topic(other, uplink.Status), true, string(uplink.SiteStatus{State: uplink.Offline, Boot: "boot-1", Connection: 9}.Encode()))
	send(t, bad, uplink.Topic(other, uplink.Receipts), true, "forged receipt")
	send(t, bad, uplink.Topic(mine, uplink.Receipts), true, "forged receipt for myself")
	send(t, bad, "$MQTT/msgs/"+strings.ReplaceAll(uplink.Topic(other, uplink.Segments), "/", "."), false, "through the cellar")
	send(t, bad, uplink.Topic(mine, uplink.Segments), false, "marker")

	until(t, "the marker", func() bool { return in.has(mine, []string{"marker"}) })
	if got := in.payloads(other); len(got) != 0 {
		t.Fatalf("forged messages arrived: %q", got)
	}
	if st := in.lastStatus(); st.State != uplink.Online {
		t.Fatalf("a forged status arrived: %+v", st)
	}
	if err := c.SendReceipt(t.Context(), other, []byte("true receipt")); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, "receipt", receipts); string(got) != "true receipt" {
		t.Fatalf("a forged receipt arrived: %q", got)
	}

	for _, filter := range []string{
		uplink.Topic(other, uplink.Receipts), uplink.Topic(other, uplink.Segments), uplink.Topic(mine, uplink.Segments),
		uplink.SlotFilter(uplink.Slot(mine), uplink.Receipts), "#", "axlegate/#", "$MQTT/#", "$SYS/#", "$JS/#",
	} {
		granted(t, bad, filter, false)
	}
	if token := bad.Subscribe(uplink.Topic(mine, uplink.Receipts), 1, nil); !token.WaitTimeout(patience) || token.Error() != nil {
		t.Fatalf("own receipts: %v", token.Error())
	}
}

func TestASiteCannotTakeOverAnothersSession(t *testing.T) {
	mine, other := neighbours()
	b, _ := startBroker(t, "127.0.0.1:0", t.TempDir(), mine, other)
	in := &inbox{}
	c, _ := startCenter(t, centerConfig(t, b.Addr(), in, mine, other))
	for _, id := range []string{fmt.Sprintf("intake-%d", uplink.Slot(mine)), other + ":" + chain, mine, mine + "-x:" + chain, ""} {
		if _, err := intruder(t, b.Addr(), mine, id); err == nil {
			t.Errorf("client id %q was accepted from %s", id, mine)
		}
	}
	for _, id := range []string{mine + ":" + chain, "intake-16", "intake-", "intake--1", "intake"} {
		if _, err := intruder(t, b.Addr(), "intake", id); err == nil {
			t.Errorf("client id %q was accepted from the intake", id)
		}
	}
	s, _ := startSite(t, siteConfig(t, b.Addr(), mine))
	deliver(t, s, []string{"a"}, nil)
	until(t, "a message", func() bool { return in.has(mine, []string{"a"}) })
	if st := c.Stats(); st.Lost != 0 {
		t.Fatalf("the intake was thrown out: %+v", st)
	}
}

func TestAnIntakeWithoutTheRightIsTold(t *testing.T) {
	b, _ := startBroker(t, "127.0.0.1:0", t.TempDir(), "north-1")
	cfg := siteConfig(t, b.Addr(), "north-1")
	var text lines
	cfg.Logger = text.logger()
	cfg.Username, cfg.Password = "intake", password("intake") // the password file of the wrong side
	run(t, "site", mqtt.NewSite(cfg).Run)
	until(t, "the refusal", func() bool { return strings.Contains(text.String(), "refuses user") })
}

// authority signs one certificate for 127.0.0.1.
func authority(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	server = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	return server, &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
}

func TestBothEndsSpeakTLSAndTrustOnlyTheirAuthority(t *testing.T) {
	server, client := authority(t)
	cfg := brokerConfig(t, "127.0.0.1:0", t.TempDir(), "north-1")
	cfg.TLS = server
	b, _ := startBrokerAs(t, cfg)
	if !strings.HasPrefix(b.URL(), "tls://") {
		t.Fatalf("address %s", b.URL())
	}
	in := &inbox{}
	center := centerConfig(t, b.Addr(), in, "north-1")
	center.Broker, center.TLS = b.URL(), client
	startCenter(t, center)
	site := siteConfig(t, b.Addr(), "north-1")
	site.Broker, site.TLS = b.URL(), client
	s, _ := startSite(t, site)
	deliver(t, s, []string{"sealed"}, nil)
	until(t, "a message", func() bool { return in.has("north-1", []string{"sealed"}) })

	_, stranger := authority(t)
	for name, trust := range map[string]*tls.Config{"another authority": stranger, "the system's authorities": nil} {
		site.TLS, site.Chain = trust, func() string { return "other" }
		wary := mqtt.NewSite(site)
		r := run(t, "site", wary.Run)
		until(t, name, func() bool { return wary.Stats().ConnectFailed > 0 })
		if wary.Stats().Connections != 0 {
			t.Fatalf("%s: connected", name)
		}
		r.halt("site")
	}
	if _, err := intruder(t, b.Addr(), "north-1", "north-1:clear"); err == nil {
		t.Fatal("the broker spoke in clear")
	}
}

func TestWhatWasAcknowledgedIsThereAfterTheProcessWasKilled(t *testing.T) {
	dir := t.TempDir()
	b, _ := startImpatientBroker(t, "127.0.0.1:0", dir, "north-1")
	in := &inbox{refuse: func(delivery) error { return fmt.Errorf("the store is down") }}
	c, stopCenter := startCenter(t, centerConfig(t, b.Addr(), in, "north-1"))
	if err := c.SendReceipt(t.Context(), "north-1", []byte("kept receipt")); err != nil {
		t.Fatal(err)
	}
	s, stopSite := startSite(t, siteConfig(t, b.Addr(), "north-1"))
	want := numbered(20)
	deliver(t, s, want, nil)
	stopCenter.halt("centre")
	// What the folder holds while the server still runs is what a killed process leaves behind.
	after := t.TempDir()
	if err := os.CopyFS(after, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	stopSite.halt("site")

	b2, _ := startImpatientBroker(t, "127.0.0.1:0", after, "north-1")
	in2 := &inbox{}
	startCenter(t, centerConfig(t, b2.Addr(), in2, "north-1"))
	until(t, "what was acknowledged before", func() bool { return in2.has("north-1", want) })
	receipts := make(chan []byte, 8)
	cfg := siteConfig(t, b2.Addr(), "north-1")
	cfg.OnReceipt = func(jws []byte) { receipts <- jws }
	startSite(t, cfg)
	if got := receive(t, "retained receipt", receipts); string(got) != "kept receipt" {
		t.Fatalf("receipt %q", got)
	}
}

func TestSitesAreSentAwayWhileTooMuchWaitsForTheIntake(t *testing.T) {
	cfg := brokerConfig(t, "127.0.0.1:0", t.TempDir(), "north-1")
	cfg.StoreLimit, cfg.AckWait = 1<<20, time.Second
	b, _ := startBrokerAs(t, cfg)
	in := &inbox{refuse: func(delivery) error { return fmt.Errorf("the store is down") }}
	startCenter(t, centerConfig(t, b.Addr(), in, "north-1"))
	s, _ := startSite(t, siteConfig(t, b.Addr(), "north-1"))
	var given []string
	for i := range 8 { // twice the limit
		given = append(given, strings.Repeat(string(rune('a'+i)), uplink.MaxMessage))
	}
	deliver(t, s, given, nil)
	until(t, "a full store", func() bool { return b.Stats().Full })
	until(t, "the site to be sent away", func() bool { return s.Stats().ConnectFailed > 0 })
	if err := s.Publish(t.Context(), []byte("x")); err == nil {
		t.Fatal("taken while full")
	}
	in.mu.Lock()
	in.refuse = nil
	in.mu.Unlock()
	until(t, "the backlog", func() bool { return in.has("north-1", given) })
	until(t, "the open door", func() bool { return !b.Stats().Full && s.Stats().Connected })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.Publish(ctx, []byte("y")); err != nil {
		t.Fatal(err)
	}
}
