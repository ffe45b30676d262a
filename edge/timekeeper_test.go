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
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/axlegate/axlegate/edge/journal"
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
var summer = time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)

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

// A clock that is set while the site works: the chain goes on in order, the records around it say so, a plate
// that is late still finds its vehicle, nothing waits for a day that has been already and nothing is pruned early.
func TestASiteGoesOnWhenItsClockIsSet(t *testing.T) {
	for name, by := range map[string]time.Duration{
		"back a year": -year, "forward a year": year, "to 1970": time.Until(time.Unix(0, 0)), "back an hour": -time.Hour, "forward a minute": time.Minute,
	} {
		t.Run(name, func(t *testing.T) {
			var offset atomic.Int64
			now := func() time.Time { return time.Now().Add(time.Duration(offset.Load())) }
			began := time.Now()
			r := newRig(t)
			r.change = func(c *Config) {
				c.Now = now
				c.Timekeeper = OpenTimekeeper(TimekeeperConfig{Logger: c.Logger, Now: now, Elapsed: func() time.Duration { return time.Since(began) },
					System: func() wim.ClockState { return wim.ClockSynchronised }})
			}
			r.jchange = func(c *journal.Config) { c.Keep = 24 * time.Hour }
			r.start()
			push := func(readings []wim.Reading) {
				for _, x := range readings {
					x.Arrival = wim.TimeOf(now())
					r.push(x)
				}
			}
			push(r.scale.vehicle(2, 9000))
			r.tells(1)
			offset.Add(int64(by))
			r.camera.read(wim.PlateRead{Event: "late", End: wim.Rear, Text: "川A12345", Arrival: wim.TimeOf(now())}, nil)
			r.tells(2)
			push(r.scale.vehicle(2, 8000))
			r.tells(3)
			r.allReceipted()
			if n, err := r.journal.Prune(t.Context(), r.site.cfg.Timekeeper.Proven()); n != 0 || err != nil {
				t.Errorf("pruned %d records early: %v", n, err)
			}
			if got := counter(t, r.site, "axlegate_edge_clock_steps_total", ""); got != 1 {
				t.Errorf("%v steps were counted", got)
			}
			r.stop()
			recs := r.records() // proves the chain
			for i, want := range []wim.ClockState{wim.ClockSynchronised, wim.ClockStepped, wim.ClockStepped} {
				if got := recs[i+1].Clock; got != want {
					t.Errorf("record %d says its clock is %s, want %s", i+2, got, want)
				}
			}
			if s := recs[2].Supplement; s == nil || s.Of.Seq != 2 {
				t.Errorf("the late plate became %+v", recs[2])
			}
		})
	}
}

func TestAPlateThatIsNobodysDoesNotWaitForADayThatHasBeenAlready(t *testing.T) {
	back := at(0) - wim.TimeOf(at(0).Std().Add(-year))
	for name, shift := range map[string]wim.Time{"taken in before the clock was set": -back, "stamped before and taken in after": 0} {
		t.Run(name, func(t *testing.T) {
			m := newMatcher(PlateConfig{Before: 3 * time.Second, After: 3 * time.Second, Late: time.Minute, Sure: 800})
			m.arrived(arrivedPlate{read: wim.PlateRead{Camera: "c", Event: "1", End: wim.Front, Text: "A", Arrival: at(10)}})
			m.shift(shift)
			if _, dropped := m.settle(at(11)-back, 0, false); dropped != 0 {
				t.Error("forgotten before a vehicle could come")
			}
			if _, dropped := m.settle(at(15)-back, 0, false); dropped != 1 {
				t.Error("it waits")
			}
		})
	}
}

// counter reads one series of a site; label "" is the one without labels, else any label must have that value.
func counter(t testing.TB, s *Site, name, label string) float64 {
	t.Helper()
	families, err := s.m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			fits := label == ""
			for _, l := range m.GetLabel() {
				fits = fits || l.GetValue() == label
			}
			if fits {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

func TestAVehicleOnTheScaleWhileTheClockIsSetIsRecordedOnce(t *testing.T) {
	c := newTestClock(summer, wim.ClockSynchronised)
	k := OpenTimekeeper(c.config(""))
	out := make(chan group, 4)
	cfg := &Config{Timekeeper: k, Clock: k.State, Now: c.config("").Now, Logger: slog.New(slog.DiscardHandler), Journal: openJournal(t)}
	cfg.Plates = PlateConfig{Before: 3 * time.Second, After: 3 * time.Second, Late: time.Minute, Sure: 800, MaxPicture: 1 << 20}
	m := newMetrics()
	by := &works{}
	by.now.Store(&Works{Rules: testJudge{}})
	l := newLane(cfg, LaneConfig{Lane: 1, Device: "scale-1", Assembler: wim.AssemblerConfig{Lane: 1}}, by, m.lane(1), out, func() bool { return false })
	scale := &fakeScale{boot: 7}
	take := func(r wim.Reading) {
		c.pass(100 * time.Millisecond)
		r.Arrival = wim.TimeOf(c.config("").Now())
		l.mindClock()
		l.reading(&r)
	}
	take(scale.axle(1, 4000))
	c.set(summer.Add(-year), wim.ClockUnsynchronised)
	l.mindClock()
	l.plate(arrivedPlate{read: wim.PlateRead{Camera: "cam-1", Event: "e", End: wim.Front, Text: "川A12345", Confidence: 950, Arrival: wim.TimeOf(c.config("").Now())}})
	take(scale.axle(2, 5000))
	take(scale.end(2, 9000))
	g := <-out
	p := g.drafts[len(g.drafts)-1].Passage
	if p == nil || len(p.Reads) != 1 || g.drafts[len(g.drafts)-1].Clock != wim.ClockStepped || p.Facts.Clock != wim.ClockStepped {
		t.Fatalf("%+v", g.drafts)
	}
	if len(out) != 0 || l.asm.Open() {
		t.Error("the vehicle was recorded twice or stands there still")
	}
}

func openJournal(t testing.TB) *journal.Journal {
	t.Helper()
	j, err := journal.Open(t.Context(), journal.Config{Path: filepath.Join(t.TempDir(), "journal.db"), Site: testSite, Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return j
}
