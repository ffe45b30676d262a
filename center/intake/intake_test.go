package intake

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/center/store/storetest"
	"github.com/axlegate/axlegate/uplink"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

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
			handOut(t.Context(), r.Intake)
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
		handOut(t.Context(), r.Intake)
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
	if err := r.HandleMessage(t.Context(), known, bytes.Repeat([]byte("garbage"), 120_000)); !errors.Is(err, store.ErrFull) {
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
	last := uint64(0)
	for _, x := range r.sent.all() { // one of 5 may have been on its way when the line came back
		if x.Seq < last {
			t.Errorf("an older receipt behind a newer one: %+v", x)
		}
		last = x.Seq
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
		r.desk.receipt(held(seq))
		handOut(t.Context(), r.Intake)
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
				handOut(t.Context(), r.Intake)
			}
		})
	}
	all.Wait()
	handOut(t.Context(), r.Intake)
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
