package broker_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/uplink/broker"
)

const patience = 60 * time.Second

func config(t *testing.T) broker.Config {
	t.Helper()
	return broker.Config{Listen: "127.0.0.1:0", StoreDir: t.TempDir(), Users: []broker.User{
		{Name: "intake", Password: "secret of the intake"}, {Name: "north", Password: "secret of the north", Site: "north-1"},
	}}
}

// start runs a broker until the test ends; stop ends it before.
func start(t *testing.T, cfg broker.Config) (b *broker.Broker, stop func()) {
	t.Helper()
	b, err := broker.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("broker ended with: %v", err)
			}
		case <-time.After(patience):
			t.Error("broker does not stop")
		}
	}
	t.Cleanup(stop)
	wait, cancelWait := context.WithTimeout(t.Context(), patience)
	defer cancelWait()
	if err := b.WaitReady(wait); err != nil {
		t.Fatal(err)
	}
	return b, stop
}

// connect sends a CONNECT by hand and returns the return code of the CONNACK, or 255 where none came.
func connect(t *testing.T, addr, clientID, user, password string) byte {
	t.Helper()
	var body bytes.Buffer
	text := func(s string) {
		body.Write(binary.BigEndian.AppendUint16(nil, uint16(len(s))))
		body.WriteString(s)
	}
	text("MQTT")
	body.Write([]byte{4, 0xc2, 0, 30}) // level 3.1.1; user, password, clean session; keep-alive 30 s
	text(clientID)
	text(user)
	text(password)
	if body.Len() > 127 {
		t.Fatal("too long for one length byte")
	}
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // all was said
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(append([]byte{0x10, byte(body.Len())}, body.Bytes()...)); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 4)
	if _, err := io.ReadFull(conn, answer); err != nil {
		return 255
	}
	if answer[0] != 0x20 {
		t.Fatalf("answer % x", answer)
	}
	return answer[3]
}

func TestOnlyKnownUsersComeInAndOnlyByTheirOwnClientIDs(t *testing.T) {
	b, _ := start(t, config(t))
	for name, tc := range map[string]struct {
		clientID, user, password string
		welcome                  bool
	}{
		"the intake by a slot":             {"intake-0", "intake", "secret of the intake", true},
		"a site by its own id":             {"north-1:c0ffee", "north", "secret of the north", true},
		"a wrong password":                 {"north-1:c0ffee", "north", "secret of the south", false},
		"no password":                      {"north-1:c0ffee", "north", "", false},
		"an unknown user":                  {"north-1:c0ffee", "nobody", "secret of the north", false},
		"an unknown user without password": {"north-1:c0ffee", "nobody", "", false},
		"a site by another's id":           {"north-11:c0ffee", "north", "secret of the north", false},
		"a site as the intake":             {"intake-0", "north", "secret of the north", false},
		"the intake as a site":             {"north-1:c0ffee", "intake", "secret of the intake", false},
		"the intake by no slot":            {"intake-16", "intake", "secret of the intake", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := connect(t, b.Addr(), tc.clientID, tc.user, tc.password); (got == 0) != tc.welcome {
				t.Fatalf("answer %d", got)
			}
		})
	}
	if n := b.Stats().Refused; n != 8 {
		t.Fatalf("%d refusals counted", n)
	}
}

func TestAConfigurationThatWouldBeUnsafeOrUselessIsRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*broker.Config)
		want   string
	}{
		"every address in clear":    {func(c *broker.Config) { c.Listen = "0.0.0.0:1883" }, "without TLS"},
		"every address unsaid":      {func(c *broker.Config) { c.Listen = ":1883" }, "without TLS"},
		"a far address in clear":    {func(c *broker.Config) { c.Listen = "192.0.2.1:1883" }, "give a certificate"},
		"a name in clear":           {func(c *broker.Config) { c.Listen = "centre.example:1883" }, "without TLS"},
		"no port":                   {func(c *broker.Config) { c.Listen = "127.0.0.1" }, "not host:port"},
		"a port that is none":       {func(c *broker.Config) { c.Listen = "127.0.0.1:mqtt" }, "port"},
		"no folder":                 {func(c *broker.Config) { c.StoreDir = "" }, "no folder"},
		"a negative wait":           {func(c *broker.Config) { c.AckWait = -1 }, "below zero"},
		"a negative limit":          {func(c *broker.Config) { c.StoreLimit = -1 }, "below zero"},
		"a user without a password": {func(c *broker.Config) { c.Users[1].Password = "" }, "user north has no password"},
		"a user without a name":     {func(c *broker.Config) { c.Users[1].Name = "" }, "without a name"},
		"a user twice":              {func(c *broker.Config) { c.Users[1].Name = "intake" }, "configured twice"},
		"a site that is a wildcard": {func(c *broker.Config) { c.Users[1].Site = "+" }, "cannot stand in a topic"},
		"a site with a dot":         {func(c *broker.Config) { c.Users[1].Site = "a.b" }, "cannot stand in a topic"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(t)
			tc.change(&cfg)
			if _, err := broker.New(cfg); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("got %v, want something about %q", err, tc.want)
			}
		})
	}
	for _, listen := range []string{"127.0.0.1:0", "localhost:0", "[::1]:0", "127.9.9.9:1883"} {
		cfg := config(t)
		cfg.Listen = listen
		if _, err := broker.New(cfg); err != nil {
			t.Errorf("%s: %v", listen, err)
		}
	}
}

func TestTheAddressForThisMachineCanBeDialled(t *testing.T) {
	for listen, want := range map[string]string{
		"0.0.0.0:8883": "tls://127.0.0.1:8883", ":8883": "tls://127.0.0.1:8883", "[::]:8883": "tls://[::1]:8883", "192.0.2.1:1": "tls://192.0.2.1:1",
	} {
		cfg := config(t)
		cfg.Listen, cfg.TLS = listen, &tls.Config{MinVersion: tls.VersionTLS12}
		b, err := broker.New(cfg)
		if err != nil {
			t.Errorf("%s with TLS: %v", listen, err)
			continue
		}
		if got := b.URL(); got != want {
			t.Errorf("%s: %s, want %s", listen, got, want)
		}
	}
}

func TestAPortThatIsTakenIsAnErrorOfRunAndOfWaitReady(t *testing.T) {
	first, _ := start(t, config(t))
	cfg := config(t)
	cfg.Listen = first.Addr()
	b, err := broker.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Fatalf("run: %v", err)
	}
	if err := b.WaitReady(t.Context()); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Fatalf("wait: %v", err)
	}
	if err := b.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Fatalf("run again: %v", err)
	}
}

func TestAFolderThatCannotBeMadeIsAnError(t *testing.T) {
	cfg := config(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("not a folder"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.StoreDir = filepath.Join(file, "store")
	b, err := broker.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "folder of the store") {
		t.Fatalf("run: %v", err)
	}
}

func TestWaitReadyEndsWithItsContext(t *testing.T) {
	b, err := broker.New(config(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.WaitReady(ctx); err == nil {
		t.Fatal("ready without Run")
	}
}

func TestNothingListensButTheMQTTPort(t *testing.T) {
	b, _ := start(t, config(t))
	if got := b.URL(); got != "tcp://"+b.Addr() || strings.HasSuffix(got, ":0") {
		t.Fatalf("address %s", got)
	}
	// The ports that the server would take by default for its own protocol and its monitor.
	for _, addr := range []string{"127.0.0.1:4222", "127.0.0.1:8222"} {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
		if err != nil {
			continue
		}
		line := make([]byte, 5)
		_ = conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond)) // somebody else's port may stay silent
		if n, _ := io.ReadFull(conn, line); string(line[:n]) == "INFO " {
			t.Errorf("%s speaks the server's own protocol", addr)
		}
		_ = conn.Close() // it was only looked at
	}
}

func TestABrokerStartsAgainOnItsFolder(t *testing.T) {
	cfg := config(t)
	for range 3 {
		b, stop := start(t, cfg)
		if got := connect(t, b.Addr(), "intake-3", "intake", "secret of the intake"); got != 0 {
			t.Fatalf("answer %d", got)
		}
		cfg.Listen = b.Addr() // the same port too
		stop()
	}
}

func TestPasswordsAreDrawnAnew(t *testing.T) {
	if a, b := broker.NewPassword(), broker.NewPassword(); a == b || len(a) < 20 {
		t.Fatalf("%q and %q", a, b)
	}
}
