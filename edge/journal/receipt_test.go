package journal

import (
	"errors"
	"testing"
	"time"

	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

func filled(t *testing.T, n int) *Journal {
	t.Helper()
	j := fresh(t)
	for i := range n {
		mustAppend(t, j, passageDraft(7, uint32(i+1)))
	}
	return j
}

func TestTheReceiptedMarkOnlyGoesForwardWithinAnEpoch(t *testing.T) {
	j := filled(t, 5)
	apply := func(seq, epoch uint64) (Applied, error) {
		return j.ApplyReceipt(t.Context(), receiptFor(t, j, seq, epoch))
	}
	if a, err := apply(4, 3); err != nil || !a.Moved || a.Receipted != 4 {
		t.Fatalf("%+v %v", a, err)
	}
	if a, err := apply(2, 3); err != nil || a.Moved || a.Rewound || a.Receipted != 4 {
		t.Errorf("an older receipt: %+v %v", a, err)
	}
	if a, err := apply(5, 2); !errors.Is(err, ErrOldEpoch) || a.Receipted != 4 {
		t.Errorf("a receipt of an older epoch: %+v %v", a, err)
	}
	if a, err := apply(2, 4); err != nil || !a.Rewound || a.Receipted != 2 {
		t.Errorf("a restored centre: %+v %v", a, err)
	}
	if a, err := apply(0, 5); err != nil || !a.Rewound || a.Receipted != 0 {
		t.Errorf("a centre that never saw the chain: %+v %v", a, err)
	}
	j = reopen(t, j)
	if seq, epoch := j.Receipted(); seq != 0 || epoch != 5 {
		t.Errorf("after reopening: %d in epoch %d", seq, epoch)
	}
}

func TestAReceiptThatDoesNotFitChangesNothing(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*seal.Receipt)
		want   error
	}{
		"another digest":                {func(r *seal.Receipt) { r.Digest = wim.DigestOf([]byte("other")) }, ErrReceipt},
		"no digest":                     {func(r *seal.Receipt) { r.Digest = wim.Digest{} }, ErrReceipt},
		"another site":                  {func(r *seal.Receipt) { r.Site = "south-2" }, ErrSite},
		"another chain":                 {func(r *seal.Receipt) { r.Chain = wim.NewChainID() }, ErrOtherChain},
		"another chain, said to fork":   {func(r *seal.Receipt) { r.Chain, r.Fork = wim.NewChainID(), true }, ErrOtherChain},
		"sequence 0 and still a digest": {func(r *seal.Receipt) { r.Seq, r.Epoch = 0, 2 }, ErrReceipt},
	} {
		t.Run(name, func(t *testing.T) {
			j := filled(t, 3)
			if _, err := j.ApplyReceipt(t.Context(), receiptFor(t, j, 2, 1)); err != nil {
				t.Fatal(err)
			}
			chain := j.Chain()
			r := receiptFor(t, j, 3, 1)
			tc.change(&r)
			if _, err := j.ApplyReceipt(t.Context(), r); !errors.Is(err, tc.want) {
				t.Errorf("want %v, have %v", tc.want, err)
			}
			if seq, _ := j.Receipted(); seq != 2 || j.Chain() != chain {
				t.Errorf("receipted %d, chain changed: %v", seq, j.Chain() != chain)
			}
		})
	}
}

func TestAForkStartsAChainThatNamesItsPredecessor(t *testing.T) {
	for name, tc := range map[string]struct {
		change    func(*seal.Receipt)
		cause     string
		receipted uint64
	}{
		"told by the centre": {func(r *seal.Receipt) { r.Fork = true }, "fork", 3},
		// The disk was restored: what the receipt says is what is known of the lost end.
		"told by a receipt beyond our own head": {func(r *seal.Receipt) { r.Seq = 40 }, "restored", 40},
	} {
		t.Run(name, func(t *testing.T) {
			j := filled(t, 5)
			old := j.Chain()
			first := receiptFor(t, j, 3, 1)
			if _, err := j.ApplyReceipt(t.Context(), first); err != nil {
				t.Fatal(err)
			}
			r := receiptFor(t, j, 4, 1)
			tc.change(&r)
			a, err := j.ApplyReceipt(t.Context(), r)
			if err != nil || a.NewChain.IsZero() || j.Chain() != a.NewChain || a.NewChain == old {
				t.Fatalf("%+v %v", a, err)
			}
			if a, err := j.ApplyReceipt(t.Context(), r); err != nil || !a.NewChain.IsZero() && name == "told by the centre" {
				t.Errorf("the retained receipt again: %+v %v", a, err)
			}
			mustAppend(t, j, passageDraft(7, 9))
			got, err := j.After(t.Context(), j.Chain(), 0, 10, 1<<20)
			if err != nil || len(got) != 2 {
				t.Fatalf("%d records, %v", len(got), err)
			}
			start, err := seal.Open(got[0].Raw)
			if err != nil {
				t.Fatal(err)
			}
			if s := start.Start; s.Cause != tc.cause || s.Predecessor == nil || *s.Predecessor != old || s.Receipted != tc.receipted ||
				s.Receipted == 3 && s.Digest != first.Digest || s.Receipted == 40 && s.Digest != r.Digest {
				t.Errorf("%+v", s)
			}
			if j.Stranded() != 3 {
				t.Errorf("%d stranded, want records 4 to 6 of the old chain", j.Stranded())
			}
			if _, err := j.Prune(t.Context(), time.Now().Add(100*24*time.Hour)); err != nil {
				t.Fatal(err)
			}
			j = reopen(t, j)
			if rep := audit(t, j); len(rep.Chains) != 2 || rep.Chains[0].Pruned > 3 || j.Stranded() != 3 {
				t.Errorf("after pruning: %+v", rep)
			}
		})
	}
}

func TestARecordLeavesOnlyWhenKeepHasPassedSinceItsReceipt(t *testing.T) {
	cfg := testConfig(t.TempDir() + "/journal.db")
	now := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	cfg.Now = func() time.Time { return now }
	cfg.Keep = 24 * time.Hour
	j := open(t, cfg)
	for i := range 600 {
		mustAppend(t, j, passageDraft(7, uint32(i+1)))
	}
	prune := func(after time.Duration, want int) {
		t.Helper()
		n, err := j.Prune(t.Context(), now.Add(after))
		if err != nil || n != want {
			t.Errorf("after %s: pruned %d, want %d, %v", after, n, want, err)
		}
	}
	prune(1000*24*time.Hour, 0) // nothing is receipted
	if _, err := j.ApplyReceipt(t.Context(), receiptFor(t, j, 590, 1)); err != nil {
		t.Fatal(err)
	}
	prune(23*time.Hour, 0)
	prune(25*time.Hour, 590)
	if _, err := j.ApplyReceipt(t.Context(), receiptFor(t, j, 601, 1)); err != nil {
		t.Fatal(err)
	}
	prune(100*time.Hour, 0) // this run only notes what is receipted by now
	prune(200*time.Hour, 10)
	if got, err := j.After(t.Context(), j.Chain(), 0, 1000, 1<<30); err != nil || len(got) != 1 || got[0].Seq != 601 {
		t.Fatalf("%d records left, %v", len(got), err)
	}
	audit(t, j)
	j = reopen(t, j)
	a, err := j.ApplyReceipt(t.Context(), seal.Receipt{Site: testSite, Chain: j.Chain(), Seq: 100, Digest: wim.DigestOf(nil), Epoch: 2})
	if err != nil || a.Receipted != 600 || a.Lost != 500 || !a.Rewound {
		t.Errorf("a centre restored further back than is kept: %+v %v", a, err)
	}
}

func TestUrgentAndWaitingRecordsAreFound(t *testing.T) {
	j := fresh(t)
	if n, oldest, err := j.Waiting(t.Context()); err != nil || n != 1 || oldest == 0 {
		t.Errorf("a new journal waits with its chain start: %d %v %v", n, oldest, err)
	}
	mustAppend(t, j, passageDraft(7, 1), urgent(passageDraft(7, 2)), passageDraft(7, 3), urgent(passageDraft(7, 4)))
	got, err := j.Urgent(t.Context(), j.Chain(), 0, 10)
	if err != nil || len(got) != 2 || got[0] != 3 || got[1] != 5 {
		t.Errorf("%v %v", got, err)
	}
	if _, err := j.ApplyReceipt(t.Context(), receiptFor(t, j, 5, 1)); err != nil {
		t.Fatal(err)
	}
	if n, oldest, err := j.Waiting(t.Context()); err != nil || n != 0 || oldest != 0 {
		t.Errorf("all receipted: %d %v %v", n, oldest, err)
	}
	all, err := j.After(t.Context(), j.Chain(), 1, 64, 1)
	if err != nil || len(all) != 1 {
		t.Errorf("one record is returned whatever its size: %d %v", len(all), err)
	}
}

func TestPicturesWaitUntilTheyAreHandedInOrRefused(t *testing.T) {
	j := fresh(t)
	d := passageDraft(7, 1)
	one, two := Picture{Digest: wim.DigestOf([]byte("1")), Size: 10}, Picture{Digest: wim.DigestOf([]byte("2")), Size: 20}
	d.Pictures = []Picture{one, two}
	again := passageDraft(7, 2)
	again.Pictures = []Picture{one}
	mustAppend(t, j, d, again)
	if got, err := j.WaitingPictures(t.Context(), 10); err != nil || len(got) != 2 {
		t.Fatalf("%v %v", got, err)
	}
	if err := j.PictureUploaded(t.Context(), one.Digest); err != nil {
		t.Fatal(err)
	}
	if err := j.PictureRefused(t.Context(), two.Digest, "400"); err != nil {
		t.Fatal(err)
	}
	if w, r, err := j.PicturesWaiting(t.Context()); err != nil || w != 0 || r != 1 {
		t.Errorf("%d waiting, %d refused, %v", w, r, err)
	}
	if gone, err := j.PrunePictures(t.Context(), time.Now()); err != nil || len(gone) != 0 {
		t.Errorf("pruned too early: %v %v", gone, err)
	}
	gone, err := j.PrunePictures(t.Context(), time.Now().Add(8*24*time.Hour))
	if err != nil || len(gone) != 1 || gone[0] != one.Digest {
		t.Errorf("%v %v", gone, err)
	}
}
