package edge

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/axlegate/axlegate/wim"
)

// testClock is a machine's clock that a test sets. Time passes for both hands alike; only set moves one.
type testClock struct {
	mu    sync.Mutex
	wall  time.Time
	up    time.Duration
	state wim.ClockState
}

func newTestClock(at time.Time, state wim.ClockState) *testClock {
	return &testClock{wall: at, up: time.Hour, state: state}
}

func (c *testClock) config(path string) TimekeeperConfig {
	return TimekeeperConfig{
		Path:    path,
		System:  func() wim.ClockState { c.mu.Lock(); defer c.mu.Unlock(); return c.state },
		Now:     func() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.wall },
		Elapsed: func() time.Duration { c.mu.Lock(); defer c.mu.Unlock(); return c.up },
	}
}

func (c *testClock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wall, c.up = c.wall.Add(d), c.up+d
}

func (c *testClock) set(t time.Time, state wim.ClockState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wall, c.state = t, state
}

// summer is a moment at which all clocks of these tests were right.
var summer = time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant that Go cannot write

const year = 365 * 24 * time.Hour

func TestWhatAWallClockIsWorth(t *testing.T) {
	for name, tc := range map[string]struct {
		upset          func(c *testClock, k *Timekeeper)
		state          wim.ClockState
		latest, proven time.Time
	}{
		"a clock that a time service keeps": {func(c *testClock, _ *Timekeeper) { c.pass(time.Hour) },
			wim.ClockSynchronised, summer.Add(time.Hour), summer.Add(time.Hour)},
		"set back a year": {func(c *testClock, _ *Timekeeper) { c.set(summer.Add(-year), wim.ClockUnsynchronised) },
			wim.ClockStepped, summer, summer},
		"set back a year, an hour ago": {func(c *testClock, k *Timekeeper) {
			c.set(summer.Add(-year), wim.ClockUnsynchronised)
			k.State()
			c.pass(time.Hour)
		}, wim.ClockUnsynchronised, summer.Add(time.Hour), summer.Add(time.Hour)},
		"set back a year and called synchronised all the same": {func(c *testClock, k *Timekeeper) {
			c.set(summer.Add(-year), wim.ClockSynchronised)
			k.State()
			c.pass(time.Hour)
		}, wim.ClockUnsynchronised, summer.Add(time.Hour), summer.Add(time.Hour)},
		"set forward a year": {func(c *testClock, _ *Timekeeper) { c.set(summer.Add(year), wim.ClockUnsynchronised) },
			wim.ClockStepped, summer.Add(year), summer},
		"set forward a year and unsynchronised for days": {func(c *testClock, k *Timekeeper) {
			c.set(summer.Add(year), wim.ClockUnsynchronised)
			k.State()
			c.pass(5 * 24 * time.Hour)
		}, wim.ClockUnsynchronised, summer.Add(year + 5*24*time.Hour), summer.Add(5 * 24 * time.Hour)},
		"set forward a year, then back to what is right": {func(c *testClock, k *Timekeeper) {
			c.set(summer.Add(year), wim.ClockUnsynchronised)
			k.State()
			c.set(summer, wim.ClockSynchronised)
			k.State()
			c.pass(time.Hour)
		}, wim.ClockSynchronised, summer.Add(time.Hour), summer.Add(time.Hour)},
		"unsynchronised for days": {func(c *testClock, k *Timekeeper) {
			c.set(summer, wim.ClockUnsynchronised)
			k.State()
			c.pass(5 * 24 * time.Hour)
		}, wim.ClockUnsynchronised, summer.Add(5 * 24 * time.Hour), summer.Add(5 * 24 * time.Hour)},
		"slewed by a time service": {func(c *testClock, k *Timekeeper) {
			for range 1000 {
				c.pass(time.Second)
				c.set(c.config("").Now().Add(time.Millisecond/2), wim.ClockSynchronised)
				if got := k.State(); got != wim.ClockSynchronised {
					t.Errorf("a clock that is slewed is %s", got)
				}
			}
		}, wim.ClockSynchronised, summer.Add(1000*time.Second + time.Second/2), summer.Add(1000*time.Second + time.Second/2)},
		"set while the machine slept": {func(c *testClock, _ *Timekeeper) { c.pass(year) },
			wim.ClockSynchronised, summer.Add(year), summer.Add(year)},
	} {
		t.Run(name, func(t *testing.T) {
			c := newTestClock(summer, wim.ClockSynchronised)
			k := OpenTimekeeper(c.config(""))
			tc.upset(c, k)
			if got := k.State(); got != tc.state {
				t.Errorf("records say %s, want %s", got, tc.state)
			}
			if got := k.Latest(); !got.Equal(tc.latest) {
				t.Errorf("certificates are checked against %s, want %s", got, tc.latest)
			}
			if got := k.Proven(); !got.Equal(tc.proven) {
				t.Errorf("proven is %s, want %s", got, tc.proven)
			}
		})
	}
}

func TestADeadClockAtBootIsOutvotedByWhatWasProvenBefore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "proven-time")
	c := newTestClock(summer, wim.ClockSynchronised)
	k := OpenTimekeeper(c.config(path))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c.pass(time.Hour)
	k.Run(ctx)

	c = newTestClock(time.Unix(0, 0), wim.ClockUnsynchronised)
	k = OpenTimekeeper(c.config(path))
	if got := k.Latest(); !got.Equal(summer.Add(time.Hour)) {
		t.Errorf("after a restart in 1970 the latest known time is %s", got)
	}
	c.pass(time.Minute)
	now := summer.Add(3 * 24 * time.Hour)
	k.Learn(wim.TimeOf(now)) // the site was without power for three days; the centre says so
	if got := k.Proven(); !got.Equal(now) {
		t.Errorf("proven is %s", got)
	}
	k.Learn(wim.TimeOf(summer)) // the broker's retained receipt is old
	if got := k.Latest(); !got.Equal(now) {
		t.Errorf("an old receipt took the time back to %s", got)
	}
	if got := k.State(); got != wim.ClockUnsynchronised {
		t.Errorf("records say %s", got)
	}
	if k.Behind() < 50*year {
		t.Errorf("behind by %s", k.Behind())
	}
}

func TestTheFirstStartWithADeadClockKnowsAtLeastTheBuild(t *testing.T) {
	cfg := newTestClock(time.Unix(0, 0), wim.ClockUnsynchronised).config("")
	cfg.Floor = summer
	if got := OpenTimekeeper(cfg).Latest(); !got.Equal(summer) {
		t.Errorf("%s", got)
	}
}

func TestACentreWhoseClockRunsAheadDoesNotCarryASynchronisedSiteAlong(t *testing.T) {
	c := newTestClock(summer, wim.ClockSynchronised)
	k := OpenTimekeeper(c.config(""))
	k.Learn(wim.TimeOf(summer.Add(year)))
	if got := k.Latest(); !got.Equal(summer) {
		t.Errorf("%s", got)
	}
}

func TestAFileOfTheProvenTimeThatMakesNoSenseIsSaidAndDoneWithout(t *testing.T) {
	for name, text := range map[string]string{"nothing": "", "words": "yesterday", "half": "2026-06-01T", "binary": "\x00\xff"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "proven-time")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			k := OpenTimekeeper(newTestClock(summer, wim.ClockUnsynchronised).config(path))
			if got := k.Latest(); !got.Equal(summer) {
				t.Errorf("%s", got)
			}
			k.save(0) // nothing has moved
			k.Learn(wim.TimeOf(summer.Add(time.Hour)))
			k.save(0)
			if b, err := os.ReadFile(path); err != nil || strings.TrimSpace(string(b)) != "2026-06-01T09:00:00Z" {
				t.Errorf("%q, %v", b, err)
			}
		})
	}
	t.Run("a folder that cannot be written", func(t *testing.T) {
		k := OpenTimekeeper(newTestClock(summer, wim.ClockUnsynchronised).config(filepath.Join(t.TempDir(), "none", "proven-time")))
		k.Learn(wim.TimeOf(summer.Add(time.Hour)))
		k.save(0)
		if got := k.Latest(); !got.Equal(summer.Add(time.Hour)) {
			t.Errorf("%s", got)
		}
	})
}

// Whatever is done to the clocks: proven time never goes back, never runs faster than time passes but by what a
// time service or the centre says, and certificates are never checked against less than it.
func TestProvenTimeOnlyGoesForward(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newTestClock(summer, rapid.SampledFrom([]wim.ClockState{wim.ClockSynchronised, wim.ClockUnsynchronised}).Draw(t, "state"))
		k := OpenTimekeeper(c.config(""))
		steps := uint64(0)
		for range rapid.IntRange(1, 40).Draw(t, "n") {
			before := k.Proven()
			d := time.Duration(rapid.Int64Range(-int64(2*year), int64(2*year)).Draw(t, "by"))
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				c.pass(d.Abs())
				if got := k.Proven(); got.Sub(before) != d.Abs() {
					t.Fatalf("proven moved by %s in %s", got.Sub(before), d.Abs())
				}
			case 1:
				c.set(c.config("").Now().Add(d), wim.ClockUnsynchronised)
				if d.Abs() >= stepped {
					steps++
				}
				if k.Proven() != before {
					t.Fatalf("an unsynchronised clock that was set by %s moved the proven time by %s", d, k.Proven().Sub(before))
				}
			case 2:
				c.set(c.config("").Now(), wim.ClockSynchronised)
				k.State()
			case 3:
				k.Learn(wim.TimeOf(before.Add(d)))
			}
			if now := k.Proven(); now.Before(before) {
				t.Fatalf("proven time went back by %s", before.Sub(now))
			}
			if k.Latest().Before(k.Proven()) || k.Latest().Before(c.config("").Now()) {
				t.Fatal("certificates are checked against less than what is known")
			}
			if k.Steps() != steps {
				t.Fatalf("%d steps, want %d", k.Steps(), steps)
			}
		}
	})
}

// authority makes a server certificate that is valid from noon to noon.
func authority(t *testing.T, from, until time.Time) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "centre"}, NotBefore: from, NotAfter: until,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: cert}, pool
}

func TestCertificatesAreCheckedAgainstTheLaterOfClockAndProvenTime(t *testing.T) {
	for name, tc := range map[string]struct {
		from, until, proven, clock time.Time
		taken                      bool
	}{
		"a clock that is right":                          {summer.Add(-year), summer.Add(year), summer, summer, true},
		"a dead clock does not refuse the centre":        {summer.Add(-year), summer.Add(year), summer, time.Unix(0, 0), true},
		"a clock set back does not revive a certificate": {summer.Add(-3 * year), summer.Add(-year), summer, summer.Add(-2 * year), false},
		"a clock that is right after a long outage":      {summer.Add(-year), summer.Add(year), summer.Add(-2 * year), summer, true},
		"a certificate that lapsed during the outage":    {summer.Add(-year), summer.Add(year), summer, summer.Add(2 * year), false},
	} {
		t.Run(name, func(t *testing.T) {
			cert, pool := authority(t, tc.from, tc.until)
			web := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "centre") }))
			web.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
			web.Config.ErrorLog = log.New(io.Discard, "", 0)
			web.StartTLS()
			defer web.Close()
			cfg := newTestClock(tc.clock, wim.ClockUnsynchronised).config("")
			cfg.Floor = tc.proven
			k := OpenTimekeeper(cfg)
			client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, Time: k.Latest, MinVersion: tls.VersionTLS12}}}
			defer client.CloseIdleConnections()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, web.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := client.Do(req)
			if err == nil {
				err = resp.Body.Close()
			}
			if (err == nil) != tc.taken {
				t.Errorf("taken %v, want %v: %v", err == nil, tc.taken, err)
			}
		})
	}
}
