package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/internal/audit"
	"github.com/axlegate/axlegate/internal/stand"
	"github.com/axlegate/axlegate/uplink/linktest"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// perLane is how many vehicles each of the four lanes sees; the faults below are spread over them.
const perLane = 45

// TestEndToEnd drives real traffic through the real binaries while the link is cut, an edge and the centre
// are killed and devices fail, and then holds the truth against the centre's store, record by record.
func TestEndToEnd(t *testing.T) {
	bin := binaries(t)
	r := newRun(t, stand.Config{}, perLane)
	centre := start(t, bin, "axlegate-center", r.stand.Center)
	edges := r.sites(t, bin)
	north, river := r.stand.Sites[0], r.stand.Sites[1]

	t.Log("the link of north is cut")
	r.passed(t, north, 15)
	r.proxy.Cut()

	t.Log("the edge of north is killed with a vehicle or two on its scales")
	r.passed(t, north, 30)
	edges[0].kill(t)
	recorded := r.recorded(t, north)
	if len(recorded) == 0 {
		t.Fatal("nothing was recorded before the kill")
	}
	r.passed(t, north, 36)
	edges[0] = start(t, bin, "axlegate-edge", north.Edge)

	t.Log("the centre is killed while river sends")
	r.passed(t, river, 40)
	centre.kill(t)
	r.passed(t, river, 48)
	centre = start(t, bin, "axlegate-center", r.stand.Center)

	t.Log("the link of north heals")
	r.passed(t, north, 55)
	r.proxy.Heal()

	r.finish(t, edges)
	r.checkBoards(t, r.stand.Web)
	centre.stop(t)
	r.check(t, recorded)
}

// run is one laid out stand.
type run struct {
	stand *stand.Stand
	proxy *linktest.Proxy
	lane  int // vehicles on each lane
}

// newRun lays out two sites, the link of north-1 through a proxy that can be cut.
func newRun(t *testing.T, c stand.Config, lane int) *run {
	t.Helper()
	r := &run{lane: lane}
	site := func(name string, seed uint64) stand.SiteConfig {
		return stand.SiteConfig{Site: wim.SiteID(name), Road: "G5", Seed: seed, PerMinute: 75, Vehicles: lane, Overloaded: 300, Fleet: 60, Speedup: 8, Faults: true, Checkpoint: 300}
	}
	c.Dir, c.Sites = t.TempDir(), []stand.SiteConfig{site("north-1", 5), site("river-2", 6)}
	c.Sites[1].Ring = 1 // both kinds of scale in every run
	c.BrokerFor = func(id wim.SiteID, broker string) string {
		if id != "north-1" {
			return broker
		}
		p, err := linktest.Start(strings.TrimPrefix(broker, "tcp://"))
		if err != nil {
			t.Fatal(err)
		}
		r.proxy = p
		return "tcp://" + p.Addr()
	}
	s, err := stand.Create(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.proxy.Close() }) //nolint:errcheck // the test is over
	r.stand = s
	return r
}

// sites starts the simulated hardware and the edge of every site and waits for their first receipts.
func (r *run) sites(t *testing.T, bin string) (edges []*process) {
	t.Helper()
	for i := range r.stand.Sites {
		site := &r.stand.Sites[i]
		start(t, bin, "axlegate-sim", site.Scenario, "--truth", site.Truth, "--registrations", site.Registrations)
		until(t, "the registration table of "+string(site.Site), time.Minute, func() (bool, string) {
			_, err := get(t, "http://"+site.Control+"/state")
			return err == nil, fmt.Sprint(err)
		})
		edges = append(edges, start(t, bin, "axlegate-edge", site.Edge))
	}
	for _, site := range r.stand.Sites {
		until(t, "the first receipt at "+string(site.Site), time.Minute, func() (bool, string) {
			n, _ := metric(t, site.Listen, "axlegate_edge_receipts_total")
			return n > 0, fmt.Sprint(n)
		})
	}
	return edges
}

// finish waits until all traffic is over and receipted, then stops the edges.
func (r *run) finish(t *testing.T, edges []*process) {
	t.Helper()
	for _, site := range r.stand.Sites {
		until(t, "the traffic of "+string(site.Site)+" to end", 3*time.Minute, func() (bool, string) {
			s := r.state(t, site)
			return s.Done, fmt.Sprint(s)
		})
	}
	for i, site := range r.stand.Sites {
		r.settled(t, site)
		edges[i].stop(t)
	}
}

type simState struct {
	Vehicles int  `json:"vehicles"`
	Done     bool `json:"done"`
}

func (r *run) state(t *testing.T, s stand.Site) (st simState) {
	t.Helper()
	body, err := get(t, "http://"+s.Control+"/state")
	if err != nil {
		t.Fatalf("the simulator of %s does not answer: %v", s.Site, err)
	}
	if err := json.Unmarshal([]byte(body), &st); err != nil {
		t.Fatal(err)
	}
	return st
}

// passed waits until so many vehicles of a site have passed.
func (r *run) passed(t *testing.T, s stand.Site, n int) {
	t.Helper()
	until(t, fmt.Sprintf("vehicle %d of %s", n, s.Site), 2*time.Minute, func() (bool, string) {
		st := r.state(t, s)
		return st.Vehicles >= n, fmt.Sprint(st)
	})
}

// settled waits until everything of a site is receipted and no picture waits, two readings of the cursor
// apart: the scale's heartbeat a second later still reveals what was lost at the very end.
func (r *run) settled(t *testing.T, s stand.Site) {
	t.Helper()
	quiet, last := 0, -1.0
	until(t, "everything of "+string(s.Site)+" to be receipted", 2*time.Minute, func() (bool, string) {
		open, ok := metric(t, s.Listen, "axlegate_edge_unreceipted_records")
		beats, _ := metric(t, s.Listen, "axlegate_edge_device_messages_total", `device="scale-`, `result="good"`)
		waiting, _ := metric(t, s.Listen, "axlegate_edge_pictures_waiting")
		if !ok || open > 0 || waiting > 0 {
			quiet, last = 0, beats
		} else if beats > last {
			quiet, last = quiet+1, beats
		}
		return quiet >= 4, fmt.Sprintf("unreceipted %v (known %v), pictures waiting %v", open, ok, waiting)
	})
}

// recorded lists the passages that a journal holds, whoever else has it open.
func (r *run) recorded(t *testing.T, s stand.Site) map[wim.DeviceCursor]bool {
	t.Helper()
	out := map[wim.DeviceCursor]bool{}
	rep, err := journal.Audit(t.Context(), s.Journal, func(rec *wim.Record, _ []byte) error {
		if rec.Passage != nil {
			out[rec.Passage.Source] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range rep.Chains {
		if c.Err != nil {
			t.Errorf("chain %s of %s after the kill: %v", c.Chain, s.Site, c.Err)
		}
	}
	return out
}

// checkBoards signs in at both boards and looks for an alert on each.
func (r *run) checkBoards(t *testing.T, web string) {
	t.Helper()
	for _, o := range r.stand.Officers {
		if o.Role != center.Enforcer {
			continue
		}
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		c := &http.Client{Jar: jar, Timeout: 20 * time.Second}
		form := url.Values{"login": {o.Login}, "password": {o.Password}}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+web+"/sign-in", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		page := readAll(t, resp)
		if resp.StatusCode != http.StatusOK || !strings.Contains(page, `data-alert="`) {
			t.Errorf("the board of %s shows no alert: %s\n%.2000s", o.Login, resp.Status, page)
		}
	}
}

// check is the audit: truth = records + gaps, every chain whole, every exceeded passage alerted once to each
// authority that is concerned.
func (r *run) check(t *testing.T, recorded map[wim.DeviceCursor]bool) {
	t.Helper()
	var truth []audit.Vehicle
	for _, s := range r.stand.Sites {
		f, err := os.Open(s.Truth)
		if err != nil {
			t.Fatal(err)
		}
		v, err := audit.ReadTruth(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if len(v) != 2*r.lane {
			t.Errorf("%s: %d vehicles in the truth, want %d", s.Site, len(v), 2*r.lane)
		}
		truth = append(truth, v...)
	}
	var records []*wim.Record
	raws := map[wim.SiteID]map[uint64][]byte{}
	chains := map[wim.SiteID]wim.ChainID{}
	passages := map[wim.DeviceCursor]bool{}
	rep, err := store.Audit(t.Context(), r.stand.Store, func(rec *wim.Record, raw []byte) error {
		records = append(records, rec)
		if raws[rec.Site] == nil {
			raws[rec.Site] = map[uint64][]byte{}
			chains[rec.Site] = rec.Chain
		}
		if chains[rec.Site] != rec.Chain {
			t.Errorf("%s has a second chain %s; nothing forked", rec.Site, rec.Chain)
		}
		raws[rec.Site][rec.Seq] = raw
		if rec.Passage != nil && rec.Site == "north-1" {
			passages[rec.Passage.Source] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(rep.Problems) > 0 {
		t.Errorf("the store's own audit: %s", strings.Join(rep.Problems, "; "))
	}
	found := audit.Compare(truth, records)
	t.Log(found)
	if !found.Good() {
		t.Error("truth is not records + gaps")
	}
	if found.Gaps == 0 || found.Covered == 0 || found.Supplements == 0 {
		t.Error("the run had no gap or no late plate: it proved less than it should")
	}
	for src := range recorded {
		if !passages[src] {
			t.Errorf("%+v was recorded before the kill and is no passage at the centre", src)
		}
	}
	r.checkTold(t, truth, records)
	for site, list := range raws {
		a := seal.NewAuditor(site, chains[site])
		for seq := uint64(1); seq <= uint64(len(list)); seq++ {
			if _, err := a.Next(list[seq]); err != nil {
				t.Errorf("the chain of %s at the centre: %v", site, err)
				break
			}
		}
	}
	cfg := store.Config{Path: r.stand.Store}
	if r.stand.Postgres {
		cfg = store.Config{URL: r.stand.Store}
	}
	st, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close() //nolint:errcheck // only read
	r.checkAlerts(t, st, records)
}

func (r *run) checkAlerts(t *testing.T, st *store.Store, records []*wim.Record) {
	t.Helper()
	type key struct {
		site wim.SiteID
		seq  uint64
		c    wim.Competence
	}
	want := map[key]bool{}
	add := func(site wim.SiteID, seq uint64, v *wim.Verdict) {
		for _, o := range v.Opinions {
			if o.Outcome == wim.Exceeded && o.Standing != wim.Void {
				want[key{site, seq, o.Competence}] = true
			}
		}
	}
	for _, rec := range records {
		if rec.Passage != nil {
			add(rec.Site, rec.Seq, &rec.Passage.Verdict)
		}
		if rec.Supplement != nil {
			add(rec.Site, rec.Supplement.Of.Seq, &rec.Supplement.Verdict)
		}
	}
	got := map[key]bool{}
	for _, c := range []wim.Competence{wim.RoadAdministration, wim.TrafficPolice} {
		entries, _, err := st.Board(t.Context(), center.Viewer{Role: center.Enforcer, Competence: c}, 10000)
		if err != nil {
			t.Fatal(err)
		}
		for i := range entries {
			e := &entries[i]
			k := key{e.Matter.Opening.Site, e.Matter.Opening.Seq, e.Alert.Competence}
			if got[k] {
				t.Errorf("alerted twice: %+v", k)
			}
			got[k] = true
			if e.Rejudged != "same" {
				t.Errorf("%+v was judged again as %q", k, e.Rejudged)
			}
		}
	}
	for k := range want {
		if !got[k] {
			t.Errorf("exceeded and never alerted: %+v", k)
		}
	}
	for k := range got {
		if !want[k] {
			t.Errorf("alerted without an excess: %+v", k)
		}
	}
	t.Logf("%d alerts, each once", len(got))
	if len(got) == 0 {
		t.Error("nothing was alerted: the run proved less than it should")
	}
}
