package bench

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/center/console"
	"github.com/axlegate/axlegate/center/intake"
	"github.com/axlegate/axlegate/center/picture"
	"github.com/axlegate/axlegate/center/review"
	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/internal/signin"
	"github.com/axlegate/axlegate/rules"
	"github.com/axlegate/axlegate/uplink"
	"github.com/axlegate/axlegate/uplink/broker"
	"github.com/axlegate/axlegate/uplink/mqtt"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// centre is a whole centre in this process, with a second site whose messages go nowhere: the bare peer.
type centre struct {
	b     *testing.B
	url   string
	sites []*mqtt.Site
	bare  *mqtt.Site
	taken chan time.Time // when a bare message reached its subscriber
	key   *seal.Signer
	stop  func()

	broker   string       // its address
	receipts *seal.Signer // what the centre signs with
	// unreviewed is how many records the review has before it.
	unreviewed func() int64
	// receipted, where not nil, is given each receipt of the sites above.
	receipted atomic.Pointer[func(site string, jws []byte)]
}

func newCentre(b *testing.B, set *rules.Set, sites int) *centre {
	b.Helper()
	c := &centre{b: b, taken: make(chan time.Time, 16)}
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	dir := b.TempDir()
	var err error
	c.key, err = seal.GenerateSigner()
	must(err)
	own, err := seal.GenerateSigner()
	must(err)
	st, err := store.OpenSQLite(b.Context(), store.Config{Path: filepath.Join(dir, "center.db")})
	must(err)
	hash, err := signin.HashPassword("a long password")
	must(err)
	for login, c := range map[string]wim.Competence{"road": wim.RoadAdministration, "police": wim.TrafficPolice} {
		must(st.PutOfficer(b.Context(), "", center.Officer{Login: login, Name: login, Role: center.Enforcer, Competence: c, Hash: hash}))
	}
	pics, err := picture.Open(filepath.Join(dir, "pictures"))
	must(err)
	users := []broker.User{{Name: "intake", Password: "i"}, {Name: "bare-1", Password: "s", Site: "bare-1"}}
	for n := range sites {
		users = append(users, broker.User{Name: siteName(n), Password: "s", Site: siteName(n)})
	}
	br, err := broker.New(broker.Config{Listen: "127.0.0.1:0", StoreDir: filepath.Join(dir, "broker"), Users: users})
	must(err)
	var link *mqtt.Center
	in, err := intake.New(intake.Config{Store: st, Signer: own,
		Sites:       func(wim.SiteID) ([]*seal.Verifier, bool) { return []*seal.Verifier{c.key.Verifier()}, true },
		SendReceipt: func(ctx context.Context, s string, j []byte) error { return link.SendReceipt(ctx, s, j) },
		Unreviewed: func(ctx context.Context) (int64, error) {
			_, n, err := st.Waiting(ctx)
			return n, err
		}})
	c.unreviewed = func() int64 {
		_, n, err := st.Waiting(b.Context())
		must(err)
		return n
	}
	must(err)
	rev, err := review.New(review.Config{Store: st, Rules: func(wim.Digest) (*rules.Set, bool) { return set, true }})
	must(err)
	pages, err := console.New(console.Config{Store: st, Sessions: st.Sessions(), Pictures: pics})
	must(err)
	srv := httptest.NewServer(pages)
	c.url = srv.URL

	ctx, cancel := context.WithCancel(b.Context())
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return br.Run(ctx) })
	must(br.WaitReady(ctx))
	slots := make([]int, uplink.Slots)
	for i := range slots {
		slots[i] = i
	}
	c.broker, c.receipts = br.URL(), own
	link = mqtt.NewCenter(mqtt.CenterConfig{Broker: br.URL(), Username: "intake", Password: "i", Slots: slots,
		OnMessages: func(ctx context.Context, batch []uplink.Message) error {
			ours := batch[:0]
			for _, m := range batch {
				if m.Site == "bare-1" {
					c.taken <- time.Now()
					continue
				}
				ours = append(ours, m)
			}
			return in.HandleMessages(ctx, ours)
		}, OnStatus: func(string, []byte) {}})
	end := func(name string) *mqtt.Site {
		return mqtt.NewSite(mqtt.SiteConfig{Broker: br.URL(), Site: name, Chain: func() string { return "0" }, Username: name, Password: "s", BootID: "1", OnReceipt: func(jws []byte) {
			if f := c.receipted.Load(); f != nil {
				(*f)(name, jws)
			}
		}})
	}
	c.bare = end("bare-1")
	for n := range sites {
		c.sites = append(c.sites, end(siteName(n)))
	}
	for _, run := range []func(context.Context) error{link.Run, in.Run, rev.Run} {
		g.Go(func() error { return run(ctx) })
	}
	<-link.Ready()
	for _, s := range append([]*mqtt.Site{c.bare}, c.sites...) {
		g.Go(func() error { return s.Run(ctx) })
		<-s.Up()
	}
	c.stop = func() {
		srv.CloseClientConnections()
		srv.Close()
		cancel()
		if err := g.Wait(); err != nil {
			b.Error(err)
		}
		if err := st.Close(); err != nil {
			b.Error(err)
		}
	}
	return c
}

func siteName(n int) string { return "bench-" + strconv.Itoa(n+1) }

// seen is an alert's arrival on a live stream.
type seen struct {
	at   time.Time
	text string // the message
}

// board signs in and gives the alerts as they arrive on the live stream.
func (c *centre) board(login string) <-chan seen {
	c.b.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		c.b.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	do := func(method, path string, body io.Reader) *http.Response {
		req, err := http.NewRequestWithContext(c.b.Context(), method, c.url+path, body)
		if err != nil {
			c.b.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := client.Do(req)
		if err != nil {
			c.b.Fatal(err)
		}
		if resp.StatusCode != http.StatusOK {
			c.b.Fatalf("%s %s: %s", method, path, resp.Status)
		}
		return resp
	}
	if err := do(http.MethodPost, "/sign-in", strings.NewReader(url.Values{"login": {login}, "password": {"a long password"}}.Encode())).Body.Close(); err != nil {
		c.b.Fatal(err)
	}
	stream := do(http.MethodGet, "/events?after=0", nil) //nolint:bodyclose // closed with the server's connections
	out := make(chan seen, 1024)
	go func() {
		s := bufio.NewScanner(stream.Body)
		s.Buffer(make([]byte, 64<<10), 4<<20)
		numbered := false
		for s.Scan() {
			switch line := s.Text(); {
			case strings.HasPrefix(line, "id:"): // only events of the table carry one; the state that the page shows does not
				numbered = true
			case numbered && strings.HasPrefix(line, "data:"):
				out <- seen{time.Now(), line}
				numbered = false
			}
		}
	}()
	return out
}

// BenchmarkEdgeToBoard measures from handing a signed segment with an exceeded passage to the link, until the
// alert arrives on an officer's live stream over HTTP: broker, signature, digests, synced store, receipt, judging
// again, matter and alert synced, event. The peer is a bare publish of as many bytes to a subscriber, through
// the same broker and the same MQTT library.
func BenchmarkEdgeToBoard(b *testing.B) {
	set, f := ruleSet(b), sixAxles()
	c := newCentre(b, set, 1)
	defer c.stop()
	events := c.board("road")
	var v wim.Verdict
	set.Judge(f, &v)
	w := newWriter(b, c.key, siteName(0))
	publish := func(s *mqtt.Site, p []byte) time.Time {
		at := time.Now()
		if err := s.Publish(b.Context(), p); err != nil {
			b.Fatal(err)
		}
		return at
	}
	publish(c.sites[0], w.segment(w.start()))
	var ours, peer spread
	for b.Loop() {
		p := w.segment(w.passage(f, &v))
		at := publish(c.sites[0], p)
		e := <-events
		ours.add(e.at.Sub(at))
		at = publish(c.bare, p)
		peer.add((<-c.taken).Sub(at))
	}
	b.StopTimer()
	report(b, ours, peer)
}
