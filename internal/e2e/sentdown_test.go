package e2e

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/configs"
	"github.com/axlegate/axlegate/internal/stand"
	"github.com/axlegate/axlegate/wim"
)

// An administrator sends a new rule set down while two sites weigh, one of them cut off and killed: no vehicle is lost
// or judged twice, each record is judged by the set that its site had sealed, and the centre judges all of them again.
func TestARuleSetIsSentDownWhileSitesWeigh(t *testing.T) {
	t.Parallel()
	bin := binaries(t)
	r := newRun(t, stand.Config{}, 20)
	north, river := r.stand.Sites[0], r.stand.Sites[1]
	// river-2 has no table of licences: it asks the centre.
	forget(t, river.Edge, "registrations:", "# registrations:")
	centre := start(t, bin, "axlegate-center", r.stand.Center)
	edges := r.sites(t, bin)
	admin := r.signIn(t, center.Administrator)
	register, err := os.ReadFile(river.Registrations)
	if err != nil {
		t.Fatal(err)
	}
	r.upload(t, admin, "registrations", "register", register)
	r.passed(t, north, 4)

	text, err := configs.Rules("cn-2016-62")
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, []byte("\n# sent down\n")...)
	r.upload(t, admin, "rules", "cn-2016-62", text)
	r.proxy.Cut() // north-1 hears of it late
	r.post(t, admin, "/sent/assign", url.Values{"parcel": {wim.DigestOf(text).String()}, "to": {"region "}})
	r.passed(t, north, 8)
	edges[0].kill(t)
	edges[0] = start(t, bin, "axlegate-edge", north.Edge)
	r.proxy.Heal()
	for _, s := range r.stand.Sites {
		until(t, "the new rule set at "+string(s.Site), time.Minute, func() (bool, string) {
			n, _ := metric(t, s.Listen, "axlegate_edge_activations_total")
			return n > 0, fmt.Sprint(n)
		})
	}
	r.finish(t, edges)
	centre.stop(t)
	r.check(t, nil)

	by := map[wim.SiteID]wim.Digest{} // as sealed
	judged := map[wim.SiteID]int{}    // by the new set
	told := 0                         // licences that the centre told river-2
	if _, err := store.Audit(t.Context(), r.stand.Store, func(rec *wim.Record, _ []byte) error {
		switch {
		case rec.Configuration != nil:
			for _, p := range rec.Configuration.Active {
				if p.Kind == wim.PartRules {
					by[rec.Site] = p.Digest
				}
			}
		case rec.Supplement != nil:
			if rec.Supplement.Cause == wim.SupplementRegistration && rec.Site == river.Site {
				told++
			}
		case rec.Passage != nil:
			if rec.Passage.Verdict.Rules != by[rec.Site] {
				t.Errorf("record %d of %s is judged by %s, sealed is %s", rec.Seq, rec.Site, rec.Passage.Verdict.Rules.Short(), by[rec.Site].Short())
			}
			if by[rec.Site] == wim.DigestOf(text) {
				judged[rec.Site]++
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if told == 0 {
		t.Error("no vehicle's licence was told by the centre")
	}
	for _, s := range r.stand.Sites {
		if judged[s.Site] == 0 || judged[s.Site] == 2*r.lane {
			t.Errorf("%s judged %d of %d vehicles by the new set: the run proves nothing", s.Site, judged[s.Site], 2*r.lane)
		}
	}
}

// upload keeps a file at the centre.
func (r *run) upload(t *testing.T, c *http.Client, kind, name string, text []byte) {
	t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for k, v := range map[string]string{"kind": kind, "name": name} {
		if err := m.WriteField(k, v); err != nil {
			t.Fatal(err)
		}
	}
	f, err := m.CreateFormFile("file", name)
	if err == nil {
		_, err = f.Write(text)
	}
	if err == nil {
		err = m.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+r.stand.Web+"/sent/parcels", &body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", m.FormDataContentType())
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if page := readAll(t, resp); resp.StatusCode != http.StatusOK {
		t.Fatalf("upload: %s\n%.2000s", resp.Status, page)
	}
}
