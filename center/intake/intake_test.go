package intake

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
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

func (r *rig) take(site string, bundles ...[]byte) {
	r.t.Helper()
	if err := r.HandleMessage(r.t.Context(), site, r.message(bundles...)); err != nil {
		r.t.Fatal(err)
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

func TestTheSameSegmentThreeTimesIsStoredOnceAndReceiptedEachTime(t *testing.T) {
	r := newRig(t)
	c := storetest.NewChain(t, known, 0).Quiet(9)
	for range 3 {
		r.take(known, c.Bundle(1, 10))
	}
	if n := r.records(); n != 10 {
		t.Errorf("%d records", n)
	}
	got := r.sent.all()
	if len(got) != 3 {
		t.Fatalf("%d receipts", len(got))
	}
	for _, x := range got {
		if x.Seq != 10 || x.Digest != c.Records[9].Digest || x.Epoch != r.store.Epoch() || x.Fork || x.Chain != c.ID || x.Time == 0 {
			t.Errorf("%+v", x)
		}
	}
	if n := r.count("records_total", "fresh"); n != 10 {
		t.Errorf("counted %v fresh records", n)
	}
}

func TestAMessageOfManySegmentsGetsOneReceiptForItsChain(t *testing.T) {
	r := newRig(t)
	c, next := storetest.NewChain(t, known, 0).Quiet(9), storetest.NewChain(t, known, 1)
	r.take(known, c.Bundle(1, 4), c.Bundle(5, 5), c.Bundle(6, 10), next.Bundle(1, 1))
	got := r.sent.all()
	if len(got) != 2 || got[0].Seq != 10 || got[1].Chain != next.ID || got[1].Seq != 1 {
		t.Errorf("%+v", got)
	}
}

func TestAReceiptNamesOnlyWhatIsContiguous(t *testing.T) {
	r := newRig(t)
	c := storetest.NewChain(t, known, 0).Quiet(8)
	c.Exceeded("川A12345")
	r.take(known, c.Bundle(1, 3))
	r.take(known, c.Bundle(10, 10)) // urgent, it overtakes
	if x := r.sent.last(); x.Seq != 3 || x.Digest != c.Records[2].Digest {
		t.Errorf("with a hole: %+v", x)
	}
	r.take(known, c.Bundle(4, 9))
	if x := r.sent.last(); x.Seq != 10 || x.Digest != c.Records[9].Digest {
		t.Errorf("hole closed: %+v", x)
	}
}

func TestAForkIsToldByASignedReceipt(t *testing.T) {
	r := newRig(t)
	c := storetest.NewChain(t, known, 0).Quiet(9)
	other := c.Split(6).Quiet(3)
	r.take(known, c.Bundle(1, 10))
	r.take(known, other.Bundle(7, 9))
	want := seal.Receipt{Version: 1, Site: known, Chain: c.ID, Seq: 7, Digest: c.Records[6].Digest, Epoch: r.store.Epoch(), Fork: true}
	got := r.sent.last()
	if got.Time = 0; got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if n := r.records(); n != 10 {
		t.Errorf("%d records", n)
	}
	next := storetest.NewChain(t, known, 1)
	r.take(known, next.Bundle(1, 1))
	if x := r.sent.last(); x.Fork || x.Chain != next.ID || x.Seq != 1 {
		t.Errorf("the new chain goes on: %+v", x)
	}
}

func TestWhatIsNotBelievedIsSetAsideAndNeverReceipted(t *testing.T) {
	c := storetest.NewChain(t, known, 0).Quiet(3)
	other := storetest.NewChain(t, "south-2", 0).Quiet(1)
	thief := storetest.NewChain(t, known, 0).Quiet(3)
	thief.Key = storetest.Signer(t, 7)
	jws, raws := c.Sign(1, 4)
	tampered := slices.Clone(raws)
	tampered[2] = bytes.Replace(raws[2], []byte(`"gross_kg":50000`), []byte(`"gross_kg":30000`), 1)
	if bytes.Equal(tampered[2], raws[2]) {
		t.Fatal("nothing was tampered with")
	}
	pack := func(b []byte) []byte {
		p, _, err := uplink.Pack([][]byte{b})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	head, _, _ := strings.Cut(jws, ".")
	for _, x := range []struct {
		name, site string
		payload    []byte
		reason     string
	}{
		{"an unknown site", stranger, pack(c.Bundle(1, 4)), reasonSite},
		{"a site whose name cannot be", "No Site", pack(c.Bundle(1, 4)), reasonSite},
		{"nothing", known, nil, reasonMessage},
		{"garbage", known, []byte("hello, world"), reasonMessage},
		{"a message of a later version", known, append([]byte{2}, pack(c.Bundle(1, 4))[1:]...), reasonMessage},
		{"a bundle that is cut off", known, pack(c.Bundle(1, 4)[:100]), reasonBundle},
		{"a bundle without a signature", known, pack(seal.AppendBundle(nil, "", raws)), reasonSignature},
		{"a signature by a key that is not enrolled", known, pack(thief.Bundle(1, 4)), reasonSignature},
		{"a signature that was cut", known, pack(seal.AppendBundle(nil, jws[:len(jws)-8], raws)), reasonSignature},
		{"a header that says no algorithm is needed", known, pack(seal.AppendBundle(nil, "eyJhbGciOiJub25lIiwidHlwIjoiYXhsZWdhdGUtc2VnbWVudCJ9"+jws[len(head):], raws)), reasonSignature},
		{"a receipt instead of a segment", known, pack(seal.AppendBundle(nil, receiptFor(t, c), raws)), reasonSignature},
		{"one byte of a record tampered with", known, pack(seal.AppendBundle(nil, jws, tampered)), reasonRecords},
		{"a record too few", known, pack(seal.AppendBundle(nil, jws, raws[:3])), reasonRecords},
		{"records in another order", known, pack(seal.AppendBundle(nil, jws, [][]byte{raws[0], raws[2], raws[1], raws[3]})), reasonRecords},
		{"a segment of another site", known, pack(other.Bundle(1, 2)), reasonOther},
	} {
		t.Run(x.name, func(t *testing.T) {
			r := newRig(t)
			if err := r.HandleMessage(t.Context(), x.site, x.payload); err != nil {
				t.Fatalf("the broker is not to keep it: %v", err)
			}
			if len(r.sent.all()) != 0 || r.sent.tries != 0 {
				t.Error("it was receipted")
			}
			if n := r.records(); n != 0 {
				t.Errorf("%d records were stored", n)
			}
			if n := r.quarantined(); n != 1 {
				t.Errorf("%d items set aside", n)
			}
			if n := r.count("quarantined_total", x.reason); n != 1 {
				t.Errorf("counted %v for %s", n, x.reason)
			}
		})
	}
}

// receiptFor is a JWS of another type under the site's own key.
func receiptFor(t *testing.T, c *storetest.Chain) string {
	t.Helper()
	s, err := seal.SignReceipt(c.Key, seal.Receipt{Site: c.Site, Chain: c.ID, Seq: 1})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestABadSegmentDoesNotBlockTheGoodOnesAroundIt(t *testing.T) {
	r := newRig(t)
	c := storetest.NewChain(t, known, 0).Quiet(5)
	r.take(known, c.Bundle(1, 2), []byte("garbage"), c.Bundle(3, 6))
	if x := r.sent.last(); x.Seq != 6 || r.records() != 6 || r.quarantined() != 1 {
		t.Errorf("%+v", x)
	}
}

func TestWhatIsSetAsideStaysWithinItsBounds(t *testing.T) {
	r := newRig(t, func(c *store.Config) { c.QuarantineItems = 5 })
	for i := range 20 {
		if err := r.HandleMessage(t.Context(), stranger, []byte{byte(i)}); err != nil {
			t.Fatal(err)
		}
	}
	n, _, dropped, err := r.store.Quarantined(t.Context())
	if n != 5 || dropped != 15 || err != nil {
		t.Errorf("%d kept, %d dropped, %v", n, dropped, err)
	}
}

func TestAFullDiskIsAnErrorAndNothingIsReceipted(t *testing.T) {
	r := newRig(t, func(c *store.Config) { c.MaxBytes = 800 << 10 })
	c := storetest.NewChain(t, known, 0).Quiet(639)
	var failed error
	from := 1
	for ; from <= 640 && failed == nil; from += 64 {
		failed = r.HandleMessage(t.Context(), known, r.message(c.Bundle(from, from+63)))
	}
	if !errors.Is(failed, store.ErrFull) {
		t.Fatalf("the disk never filled: %v", failed)
	}
	held := uint64(from - 1 - 64)
	if x := r.sent.last(); x.Seq != held {
		t.Errorf("receipted %d, held %d", x.Seq, held)
	}
	if n := r.records(); uint64(n) != held {
		t.Errorf("%d records, want %d", n, held)
	}
	if err := r.HandleMessage(t.Context(), known, bytes.Repeat([]byte("garbage"), 30_000)); !errors.Is(err, store.ErrFull) {
		t.Errorf("what cannot be set aside either must come again: %v", err)
	}
	if n := r.count("store_failures_total", ""); n != 2 {
		t.Errorf("counted %v failures", n)
	}
}

func TestAClosedStoreIsAnError(t *testing.T) {
	r := newRig(t)
	if err := r.store.Close(); err != nil {
		t.Fatal(err)
	}
	c := storetest.NewChain(t, known, 0)
	if err := r.HandleMessage(t.Context(), known, r.message(c.Bundle(1, 1))); err == nil {
		t.Error("nothing was stored and the message is forgotten")
	}
	if err := r.Run(t.Context()); err == nil {
		t.Error("heads of a closed store")
	}
	if r.sent.tries != 0 {
		t.Error("a receipt was tried")
	}
}

func TestAReceiptThatDoesNotGetThroughIsSentAgain(t *testing.T) {
	r := newRig(t)
	cut := errors.New("link is down")
	r.sent.setCut(cut)
	c := storetest.NewChain(t, known, 0).Quiet(9)
	r.take(known, c.Bundle(1, 5)) // no error for the message
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	tries := r.sent.tries
	r.sent.until("more tries", func() bool { r.sent.mu.Lock(); defer r.sent.mu.Unlock(); return r.sent.tries > tries+2 })
	r.take(known, c.Bundle(6, 10))
	r.sent.setCut(nil)
	r.sent.until("the receipt", func() bool { return r.sent.last().Seq == 10 })
	for _, x := range r.sent.all() {
		if x.Seq != 10 {
			t.Errorf("an older receipt behind a newer one: %+v", x)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestAtStartEveryChainIsReceiptedAndTheCurrentOneLast(t *testing.T) {
	r := newRig(t)
	chains := []*storetest.Chain{storetest.NewChain(t, known, 0).Quiet(2), storetest.NewChain(t, known, 1).Quiet(4)}
	for _, c := range chains {
		r.take(known, c.Bundle(1, len(c.Records)))
	}
	again, err := New(r.cfg)
	if err != nil {
		t.Fatal(err)
	}
	before := len(r.sent.all())
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- again.Run(ctx) }()
	r.sent.until("two more receipts", func() bool { return len(r.sent.all()) == before+2 })
	got := r.sent.all()[before:]
	if got[0].Chain != chains[0].ID || got[0].Seq != 3 || got[1].Chain != chains[1].ID || got[1].Seq != 5 {
		t.Errorf("%+v", got)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestAnOlderReceiptNeverFollowsANewerOne(t *testing.T) {
	r := newRig(t)
	c := storetest.NewChain(t, known, 0).Quiet(9)
	held := func(seq uint64) store.Head {
		return store.Head{Site: known, Chain: c.ID, Result: store.Result{Seq: seq, Digest: c.Records[seq-1].Digest, Epoch: 1}}
	}
	for _, seq := range []uint64{4, 10, 6} { // the timer may bring what it read before a message came
		r.desk.receipt(t.Context(), held(seq))
	}
	if got := r.sent.all(); len(got) != 3 || got[1].Seq != 10 || got[2].Seq != 10 || got[2].Digest != c.Records[9].Digest {
		t.Errorf("%+v", got)
	}
}

func TestSitesSendAtOnce(t *testing.T) {
	r := newRig(t)
	var all sync.WaitGroup
	for _, site := range []wim.SiteID{known, "south-2"} {
		c := storetest.NewChain(t, site, 0).Quiet(29)
		var messages [][]byte
		for i := 1; i <= 30; i += 3 {
			messages = append(messages, r.message(c.Bundle(i, i+2)))
		}
		all.Go(func() {
			for _, m := range messages {
				if err := r.HandleMessage(t.Context(), string(site), m); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := r.records(); n != 60 {
		t.Errorf("%d records", n)
	}
	last := map[wim.SiteID]uint64{}
	for _, x := range r.sent.all() {
		if x.Seq < last[x.Site] {
			t.Errorf("the receipts of %s go back from %d to %d", x.Site, last[x.Site], x.Seq)
		}
		last[x.Site] = x.Seq
	}
	if last[known] != 30 || last["south-2"] != 30 {
		t.Errorf("%v", last)
	}
}

func TestConfigThatCannotWork(t *testing.T) {
	good := newRig(t).cfg
	for _, c := range []struct {
		name   string
		change func(*Config)
	}{
		{"no store", func(c *Config) { c.Store = nil }},
		{"no keys", func(c *Config) { c.Sites = nil }},
		{"no signer", func(c *Config) { c.Signer = nil }},
		{"no way to send", func(c *Config) { c.SendReceipt = nil }},
		{"a negative pause", func(c *Config) { c.Retry = -1 }},
	} {
		cfg := good
		c.change(&cfg)
		if _, err := New(cfg); err == nil {
			t.Errorf("%s is accepted", c.name)
		}
	}
}

// FuzzHandleMessage feeds anything a site's topic may carry. Nothing that the fuzzer makes up is signed, so
// nothing may be stored but the one signed record of the seeds, bit for bit, and nothing else be receipted. (The
// text of a signature has other forms that hold as well: the last digit of its base64 has bits to spare.)
func FuzzHandleMessage(f *testing.F) {
	c := storetest.NewChain(f, known, 0) // small, or the fuzzer spends its time making it smaller
	jws, raws := c.Sign(1, 1)
	good, _, err := uplink.Pack([][]byte{c.Bundle(1, 1)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add(append(slices.Clone(good), good[1:]...))
	f.Add([]byte{1, 0, 0, 0, 1, 1})
	f.Add(seal.AppendBundle([]byte{1, 0, 0, 0, 0}, jws, raws))
	store := &memory{}
	center := storetest.Signer(f, 9)
	receipts := 0
	in, err := New(Config{
		Store: store, Signer: center, Logger: slog.New(slog.DiscardHandler),
		SendReceipt: func(context.Context, string, []byte) error { receipts++; return nil },
		Sites:       func(wim.SiteID) ([]*seal.Verifier, bool) { return []*seal.Verifier{c.Key.Verifier()}, true },
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		store.segments, receipts = nil, 0
		if err := in.HandleMessage(t.Context(), known, payload); err != nil {
			t.Errorf("it would come again for ever: %v", err)
		}
		for _, s := range store.segments {
			if s.Site != known || s.Key != c.Key.ID || len(s.Records) != 1 || !bytes.Equal(s.Records[0].Raw, raws[0]) {
				t.Errorf("stored: %+v", s)
			}
		}
		if receipts != min(1, len(store.segments)) {
			t.Errorf("%d segments stored, %d receipts", len(store.segments), receipts)
		}
	})
}

// memory is a store that only remembers what it was given.
type memory struct{ segments []store.Segment }

func (m *memory) StoreSegment(_ context.Context, s store.Segment) (store.Result, error) {
	m.segments = append(m.segments, s)
	return store.Result{Seq: s.Records[len(s.Records)-1].Seq, Epoch: 1}, nil
}
func (m *memory) Quarantine(context.Context, store.Item) error { return nil }
func (m *memory) Heads(context.Context) ([]store.Head, error)  { return nil, nil }

// BenchmarkHandleMessage is one urgent record from the broker's bytes to its signed receipt, durable.
func BenchmarkHandleMessage(b *testing.B) {
	r := newRig(b)
	c := storetest.NewChain(b, known, 0)
	for b.Loop() {
		b.StopTimer()
		n := len(c.Records)
		m := r.message(c.Bundle(n, n))
		c.Exceeded("川A12345")
		b.StartTimer()
		if err := r.HandleMessage(b.Context(), known, m); err != nil {
			b.Fatal(err)
		}
	}
}
