package intake

import (
	"context"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/center/store/storetest"
	"github.com/axlegate/axlegate/uplink"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// sent is what the link was given; it can be cut.
type sent struct {
	mu       sync.Mutex
	cut      error
	receipts []seal.Receipt
	tries    int
	news     chan struct{} // one token per try, dropped when nobody waits
	key      *seal.Verifier
	t        testing.TB
}

func (s *sent) send(_ context.Context, site string, jws []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() {
		select {
		case s.news <- struct{}{}:
		default:
		}
	}()
	s.tries++
	if s.cut != nil {
		return s.cut
	}
	r, err := seal.VerifyReceipt(string(jws), s.key)
	if err != nil || string(r.Site) != site {
		s.t.Errorf("receipt for %s on the topic of %s: %v", r.Site, site, err)
	}
	s.receipts = append(s.receipts, r)
	return nil
}

func (s *sent) setCut(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cut = err
}

func (s *sent) all() []seal.Receipt {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.receipts)
}

func (s *sent) last() seal.Receipt {
	all := s.all()
	if len(all) == 0 {
		return seal.Receipt{}
	}
	return all[len(all)-1]
}

// until waits for a try after which cond holds.
func (s *sent) until(what string, cond func() bool) {
	s.t.Helper()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	for !cond() {
		select {
		case <-s.news:
		case <-limit.C:
			s.t.Fatalf("waited for %s; receipts %+v", what, s.all())
		}
	}
}

// rig is an intake on a real store.
type rig struct {
	*Intake
	t     testing.TB
	store *store.Store
	path  string
	sent  *sent
	cfg   Config
}

const known, stranger = "north-1", "nowhere-9"

func newRig(t testing.TB, change ...func(*store.Config)) *rig {
	t.Helper()
	r := &rig{t: t, path: filepath.Join(t.TempDir(), "center.db")}
	center := storetest.Signer(t, 9)
	r.sent = &sent{t: t, key: center.Verifier(), news: make(chan struct{}, 1)}
	sc := store.Config{Path: r.path}
	for _, c := range change {
		c(&sc)
	}
	s, err := store.OpenSQLite(t.Context(), sc)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	r.store = s
	keys := map[wim.SiteID][]*seal.Verifier{known: {storetest.Signer(t, 1).Verifier()}, "south-2": {storetest.Signer(t, 1).Verifier()}}
	r.cfg = Config{
		Store: s, Signer: center, SendReceipt: r.sent.send, Retry: time.Millisecond,
		Sites: func(site wim.SiteID) ([]*seal.Verifier, bool) { k, ok := keys[site]; return k, ok },
	}
	if r.Intake, err = New(r.cfg); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) message(bundles ...[]byte) []byte {
	r.t.Helper()
	p, n, err := uplink.Pack(bundles)
	if err != nil || n != len(bundles) {
		r.t.Fatalf("packed %d of %d: %v", n, len(bundles), err)
	}
	return p
}

// take hands a message in and sends what is due then, as Run would.
func (r *rig) take(site string, bundles ...[]byte) {
	r.t.Helper()
	if err := r.HandleMessage(r.t.Context(), site, r.message(bundles...)); err != nil {
		r.t.Fatal(err)
	}
	handOut(r.t.Context(), r.Intake)
}

// handOut sends every receipt that is due, once, one after another.
func handOut(ctx context.Context, in *Intake) {
	for c := in.desk.next(); c != nil; c = in.desk.next() {
		in.desk.serve(ctx, c)
	}
}

func (r *rig) records() int {
	r.t.Helper()
	rep, err := store.Audit(r.t.Context(), r.path, nil)
	if err != nil || len(rep.Problems) != 0 {
		r.t.Fatalf("audit: %v %v", rep.Problems, err)
	}
	return rep.Records
}

func (r *rig) quarantined() int {
	r.t.Helper()
	n, _, _, err := r.store.Quarantined(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return n
}

// count reads a counter by its name and, where not empty, the value of its label.
func (r *rig) count(name, label string) float64 {
	r.t.Helper()
	reg := prometheus.NewPedanticRegistry()
	if err := reg.Register(r); err != nil {
		r.t.Fatal(err)
	}
	all, err := reg.Gather()
	if err != nil {
		r.t.Fatal(err)
	}
	for _, f := range all {
		if f.GetName() != "axlegate_center_intake_"+name {
			continue
		}
		for _, m := range f.GetMetric() {
			if label == "" || m.GetLabel()[0].GetValue() == label {
				return m.GetCounter().GetValue()
			}
		}
	}
	r.t.Fatalf("no metric %s of %q", name, label)
	return 0
}
