package edge

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/uplink"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// bulk appends n passages to the journal's file while the site is down.
func (r *rig) bulk(n int, alertAt ...int) {
	r.t.Helper()
	j, err := journal.Open(context.Background(), journal.Config{Path: r.path(), Site: testSite, Key: r.signer.ID})
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() {
		if err := j.Close(); err != nil {
			r.t.Error(err)
		}
	}()
	var batch []journal.Draft
	for i := range n {
		r.scale.seq++
		d := journal.Draft{Kind: wim.KindPassage, Lane: 1, Time: at(float64(i)), Passage: &wim.Passage{
			Source: wim.DeviceCursor{Device: "scale-1", Boot: r.scale.boot, Seq: r.scale.seq}, Facts: wim.Facts{Vehicle: wim.Vehicle{Lane: 1, Gross: 9000}}}}
		d.Cursors = []wim.DeviceCursor{d.Passage.Source}
		for _, a := range alertAt {
			if a == i {
				d.Passage.Verdict.Opinions = []wim.Opinion{{Competence: wim.RoadAdministration, Outcome: wim.Exceeded, Standing: wim.Evidence}}
			}
		}
		batch = append(batch, d)
	}
	if _, err := j.Append(context.Background(), batch); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) allReceipted() {
	r.t.Helper()
	eventually(r.t, "the centre has receipted all", func() bool {
		head, _ := r.journal.Head()
		got, _ := r.journal.Receipted()
		return got == head
	})
}

func TestALinkThatWasDownIsGivenExactlyWhatHasNoReceipt(t *testing.T) {
	r := newRig(t)
	r.start()
	for range 3 {
		r.push(r.scale.vehicle(2, 9000)...)
	}
	r.tells(3)
	r.allReceipted()
	marked, _ := r.journal.Receipted()
	r.center.set(func() { r.center.down = true })
	for range 4 {
		r.push(r.scale.vehicle(2, 9000)...)
	}
	r.tells(7)
	before := len(r.center.spans())
	r.center.set(func() { r.center.down = false })
	r.center.connect()
	r.allReceipted()
	spans := r.center.spans()[before:]
	next := marked + 1
	for _, s := range spans {
		if s.from != next {
			t.Fatalf("after receipt %d the segments were %v", marked, spans)
		}
		next = s.to + 1
	}
	if next != 9 {
		t.Errorf("sent up to %d: %v", next-1, spans)
	}
}

func TestABacklogGoesOldestFirstWithinTheWindowAndAnAlertOvertakesIt(t *testing.T) {
	r := newRig(t)
	r.bulk(6000, 5990)
	r.center.mute = true
	r.change = func(c *Config) { c.Sender.Resend = time.Hour }
	r.start()
	eventually(t, "the window is full", func() bool {
		r.center.mu.Lock()
		defer r.center.mu.Unlock()
		return r.center.messages == uplink.Window-overtaking
	})
	spans := r.center.spans()
	alert := uint64(5992) // after the chain start
	if spans[0] != (span{r.journal.Chain(), alert, alert}) {
		t.Errorf("the alert was not sent first: %v", spans[0])
	}
	next := uint64(1)
	for _, s := range spans[1:] {
		if s.from != next || s.to-s.from >= seal.MaxSegmentRecords {
			t.Fatalf("segment %d to %d, want from %d", s.from, s.to, next)
		}
		next = s.to + 1
	}
	r.push(r.scale.vehicle(6, 58000)...) // someone waits for this one too
	eventually(t, "it overtakes", func() bool { s := r.center.spans(); return s[len(s)-1].from == 6002 })
	r.center.set(func() {
		r.center.mute = false
		r.center.receipt(r.journal.Chain())
	})
	r.allReceipted()
}

func TestWithoutReceiptsTheSameIsSentAgain(t *testing.T) {
	r := newRig(t)
	r.center.mute = true
	r.start()
	r.push(r.scale.vehicle(2, 9000)...)
	eventually(t, "the first record comes a third time", func() bool {
		n := 0
		for _, s := range r.center.spans() {
			if s.from == 1 {
				n++
			}
		}
		return n >= 3
	})
	if got, _ := r.journal.Receipted(); got != 0 {
		t.Errorf("marked %d as held without any receipt", got)
	}
	r.center.set(func() { r.center.mute = false })
	r.allReceipted()
}

func TestOnlyTheCentresOwnFittingReceiptIsBelieved(t *testing.T) {
	forger := newKey(t)
	for name, tc := range map[string]struct {
		rewrite func(*seal.Receipt)
		key     *seal.Signer
		result  string
	}{
		"signed by another key":       {nil, forger, "refused"},
		"for another digest":          {func(r *seal.Receipt) { r.Digest = wim.DigestOf([]byte("x")) }, nil, "refused"},
		"for another site":            {func(r *seal.Receipt) { r.Site = "south-2" }, nil, "refused"},
		"for another journal's chain": {func(r *seal.Receipt) { r.Chain = wim.NewChainID() }, nil, "other-chain"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			honest := r.center.key
			r.start()
			r.center.set(func() {
				r.center.rewrite = tc.rewrite
				if tc.key != nil {
					r.center.key = tc.key
				}
			})
			head := func() uint64 { n, _ := r.journal.Head(); return n }
			before, _ := r.journal.Receipted()
			r.push(r.scale.vehicle(2, 9000)...)
			eventually(t, "a receipt that is not believed", func() bool { return receipts(t, r.site, tc.result) > 0 })
			if got, _ := r.journal.Receipted(); got > before && got == head() {
				t.Errorf("marked %d of %d", got, head())
			}
			r.center.set(func() { r.center.rewrite, r.center.key = nil, honest })
			r.allReceipted()
		})
	}
	t.Run("no receipt at all", func(t *testing.T) {
		r := newRig(t)
		r.start()
		r.site.HandleReceipt([]byte("this is a letter"))
		eventually(t, "it is refused", func() bool { return receipts(t, r.site, "refused") == 1 })
	})
}

func receipts(t testing.TB, s *Site, result string) float64 {
	t.Helper()
	families, err := s.m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "axlegate_edge_receipts_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			if m.GetLabel()[0].GetValue() == result {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

func TestACentreRestoredFromABackupIsSentAgainWhatItLost(t *testing.T) {
	r := newRig(t)
	r.start()
	for range 5 {
		r.push(r.scale.vehicle(2, 9000)...)
	}
	r.tells(5)
	r.allReceipted()
	chain := r.journal.Chain()
	r.center.set(func() {
		for seq := range r.center.records[chain] {
			if seq > 2 {
				delete(r.center.records[chain], seq)
			}
		}
		r.center.receipt(chain) // of the old epoch: stale, changes nothing
		r.center.epoch = 2
		r.center.receipt(chain)
	})
	eventually(t, "the centre holds all again", func() bool { return r.center.count(chain) == 6 })
	r.allReceipted()
	r.center.set(func() { r.center.epoch = 1; r.center.receipt(chain) })
	eventually(t, "a receipt of the older epoch is refused", func() bool { return receipts(t, r.site, "old-epoch") == 1 })
}

func TestAForkStartsANewChainAndGoesOn(t *testing.T) {
	r := newRig(t)
	r.start()
	r.push(r.scale.vehicle(2, 9000)...)
	r.tells(1)
	r.allReceipted()
	old := r.journal.Chain()
	r.center.set(func() {
		r.center.rewrite = func(x *seal.Receipt) { x.Fork = true }
		r.center.receipt(old)
		r.center.rewrite = nil
	})
	eventually(t, "a new chain", func() bool { return r.journal.Chain() != old })
	r.push(r.scale.vehicle(2, 8000)...)
	eventually(t, "the new chain arrives", func() bool { return r.center.count(r.journal.Chain()) == 2 })
	r.allReceipted()
	r.stop()
	recs := r.records()
	if s := recs[2].Start; s == nil || s.Cause != "fork" || *s.Predecessor != old || s.Receipted != 2 {
		t.Errorf("%+v", s)
	}
}

func TestShutdownWaitsForTheLastReceiptsButNotForEver(t *testing.T) {
	r := newRig(t)
	r.change = func(c *Config) { c.Sender.Linger, c.Drain = time.Hour, time.Minute }
	r.start()
	r.push(r.scale.vehicle(2, 9000)...)
	r.tells(1)
	r.stop() // the open segment is closed, sent and receipted on the way out
	if spans := r.center.spans(); len(spans) == 0 || spans[len(spans)-1].to != 2 {
		t.Errorf("%v", spans)
	}
	r.center.set(func() { r.center.mute = true })
	r.change = func(c *Config) { c.Drain = time.Millisecond }
	r.start()
	r.push(r.scale.vehicle(2, 9000)...)
	r.stop()
}

// pictureServer answers PUTs as the test says and keeps what it took.
type pictureServer struct {
	t      *testing.T
	site   *seal.Verifier
	mu     sync.Mutex
	answer func(n int) int // status of the n-th request, from 0
	n      int
	got    map[wim.Digest]string
}

func (p *pictureServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	jws, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Axlegate ")
	g, err := seal.VerifyPicture(jws, p.site)
	if !ok || err != nil || r.Method != http.MethodPut || r.URL.Path != "/base/pictures/"+g.Digest.String() || g.Site != testSite || g.Time == 0 {
		p.t.Errorf("%s %s: %+v, %v", r.Method, r.URL.Path, g, err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || wim.DigestOf(body) != g.Digest {
		p.t.Errorf("the body is not the granted picture: %v", err)
	}
	status := p.answer(p.n)
	p.n++
	if status < 300 {
		p.got[g.Digest] = string(body)
	}
	w.WriteHeader(status)
}

func TestPicturesAreHandedInUnderASignedGrant(t *testing.T) {
	for name, tc := range map[string]struct {
		answer           func(n int) int
		uploaded, put    int
		refused, waiting int
	}{
		"taken":                              {func(int) int { return 201 }, 1, 1, 0, 0},
		"known already":                      {func(int) int { return 409 }, 1, 0, 0, 0},
		"trouble at the centre first":        {func(n int) int { return []int{503, 429, 200}[n] }, 1, 1, 0, 0},
		"refused every time, then set aside": {func(int) int { return 422 }, 0, 0, 1, 0},
		"a key that is not enrolled yet":     {func(n int) int { return 403 }, 0, 0, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			srv := &pictureServer{t: t, site: r.signer.Verifier(), answer: tc.answer, got: map[wim.Digest]string{}}
			web := httptest.NewServer(srv)
			defer web.Close()
			r.change = func(c *Config) { c.Pictures.Base = web.URL + "/base/" }
			r.built = func(s *Site) { s.uploader.pause = time.Millisecond }
			r.start()
			r.push(r.scale.vehicle(2, 9000)...)
			r.tells(1)
			r.camera.read(front("川A12345", "e1"), []byte("a picture"))
			r.tells(2)
			eventually(t, "the picture's fate", func() bool {
				waiting, refused, err := r.journal.PicturesWaiting(t.Context())
				srv.mu.Lock()
				defer srv.mu.Unlock()
				return err == nil && waiting == tc.waiting && refused == tc.refused && srv.n >= tc.uploaded+tc.refused+5*tc.waiting
			})
			r.stop()
			srv.mu.Lock()
			defer srv.mu.Unlock()
			if len(srv.got) != tc.put {
				t.Errorf("%d pictures arrived", len(srv.got))
			}
		})
	}
}

func TestAPictureFileThatIsGoneIsSetAsideAndFilesOfNoRecordAreSwept(t *testing.T) {
	r := newRig(t)
	r.start()
	r.push(r.scale.vehicle(2, 9000)...)
	r.tells(1)
	r.camera.read(front("川A12345", "e1"), []byte("one"))
	r.camera.read(rear("川A12345", "e2"), []byte("two"))
	r.tells(3)
	if err := r.site.store.put([]byte("written, but its record never was")); err != nil {
		t.Fatal(err)
	}
	if err := r.site.store.remove(wim.DigestOf([]byte("one"))); err != nil {
		t.Fatal(err)
	}
	r.stop()
	srv := &pictureServer{t: t, site: r.signer.Verifier(), answer: func(int) int { return 200 }, got: map[wim.Digest]string{}}
	web := httptest.NewServer(srv)
	defer web.Close()
	r.change = func(c *Config) { c.Pictures.Base = web.URL + "/base" }
	r.start()
	eventually(t, "both are settled", func() bool {
		waiting, refused, err := r.journal.PicturesWaiting(t.Context())
		return err == nil && waiting == 0 && refused == 1
	})
	r.stop()
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if len(srv.got) != 1 || srv.got[wim.DigestOf([]byte("two"))] != "two" {
		t.Errorf("%v", srv.got)
	}
	if f, err := r.site.store.open(wim.DigestOf([]byte("written, but its record never was"))); err == nil {
		f.Close() //nolint:errcheck // the test has failed already
		t.Error("a picture that no record names was kept")
	}
}
