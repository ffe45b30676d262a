package intake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/center/store/storetest"
	"github.com/axlegate/axlegate/uplink"
	"github.com/axlegate/axlegate/wim"
)

// balky is a store with faults.
type balky struct {
	Store
	mu     sync.Mutex
	calls  [][]store.Segment
	before func(ctx context.Context, call int, segs []store.Segment) error // nothing is stored where it is an error
	after  func(call int) error                                            // it is stored, and the answer is an error
}

func (b *balky) StoreSegments(ctx context.Context, segs []store.Segment) ([]store.Result, error) {
	b.mu.Lock()
	b.calls = append(b.calls, slices.Clone(segs))
	call := len(b.calls)
	b.mu.Unlock()
	if b.before != nil {
		if err := b.before(ctx, call, segs); err != nil {
			return nil, err
		}
	}
	res, err := b.Store.StoreSegments(ctx, segs)
	if err == nil && b.after != nil {
		err = b.after(call)
	}
	return res, err
}

func (b *balky) all() [][]store.Segment {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.calls)
}

// balk puts a balky store between a rig and its own.
func (r *rig) balk() *balky {
	r.t.Helper()
	b := &balky{Store: r.store}
	r.cfg.Store = b
	var err error
	if r.Intake, err = New(r.cfg); err != nil {
		r.t.Fatal(err)
	}
	return b
}

func (r *rig) mail(site string, bundles ...[]byte) uplink.Message {
	r.t.Helper()
	return uplink.Message{Site: site, Payload: r.message(bundles...)}
}

func TestABatchIsStoredByOneTransactionInItsOrder(t *testing.T) {
	r := newRig(t)
	b := r.balk()
	north, south := storetest.NewChain(t, known, 0).Quiet(19), storetest.NewChain(t, "south-2", 0).Quiet(9)
	var batch []uplink.Message
	for i := 1; i <= 20; i += 2 {
		batch = append(batch, r.mail(known, north.Bundle(i, i), north.Bundle(i+1, i+1)), r.mail("south-2", south.Bundle((i+1)/2, (i+1)/2)))
	}
	if err := r.HandleMessages(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	if r.sent.tries != 0 {
		t.Error("a receipt was sent while the messages were held up")
	}
	handOut(t.Context(), r.Intake)
	calls := b.all()
	if len(calls) != 1 || len(calls[0]) != 30 {
		t.Fatalf("%d transactions", len(calls))
	}
	last := map[wim.SiteID]uint64{}
	for _, s := range calls[0] {
		if s.Records[0].Seq != last[s.Site]+1 {
			t.Errorf("%s: %d after %d", s.Site, s.Records[0].Seq, last[s.Site])
		}
		last[s.Site] = s.Records[0].Seq
	}
	got := r.sent.all()
	if len(got) != 2 || got[0].Seq+got[1].Seq != 30 || r.records() != 30 {
		t.Errorf("one receipt for each chain, the latest: %+v", got)
	}
}

func TestPoisonInABatchIsSetAsideAndTheRestIsStoredAndReceipted(t *testing.T) {
	r := newRig(t)
	c := storetest.NewChain(t, known, 0).Quiet(5)
	thief := storetest.NewChain(t, known, 0).Quiet(5)
	thief.Key = storetest.Signer(t, 7)
	err := r.HandleMessages(t.Context(), []uplink.Message{
		r.mail(known, c.Bundle(1, 2)), {Site: known, Payload: []byte("garbage")}, r.mail(known, thief.Bundle(3, 4), c.Bundle(3, 4)),
		r.mail(stranger, c.Bundle(1, 2)), r.mail(known, []byte("no bundle"), c.Bundle(5, 6)),
	})
	if err != nil {
		t.Fatal(err)
	}
	handOut(t.Context(), r.Intake)
	if got := r.sent.all(); len(got) != 1 || got[0].Seq != 6 || r.records() != 6 || r.quarantined() != 4 {
		t.Errorf("%+v, %d set aside", got, r.quarantined())
	}
}

func TestWhatTheStoreAloneRefusesIsSetAsideAndTheRestIsStored(t *testing.T) {
	r := newRig(t)
	c := storetest.NewChain(t, known, 0).Quiet(5)
	r.balk().before = func(_ context.Context, _ int, segs []store.Segment) error {
		for _, s := range segs {
			if s.Records[0].Seq == 3 {
				return fmt.Errorf("it does not like it: %w", store.ErrRefused)
			}
		}
		return nil
	}
	if err := r.HandleMessages(t.Context(), []uplink.Message{r.mail(known, c.Bundle(1, 2), c.Bundle(3, 4), c.Bundle(5, 6))}); err != nil {
		t.Fatal(err)
	}
	handOut(t.Context(), r.Intake)
	if got := r.sent.all(); len(got) != 1 || got[0].Seq != 2 || r.quarantined() != 1 || r.records() != 4 {
		t.Errorf("%+v, %d set aside", got, r.quarantined())
	}
	if n := r.count("quarantined_total", reasonRecords); n != 1 {
		t.Errorf("counted %v", n)
	}
}

func TestAStoreThatIsDownMidwayTakesTheSameBatchLater(t *testing.T) {
	r := newRig(t)
	c := storetest.NewChain(t, known, 0).Quiet(49)
	down := errors.New("the store is down")
	b := r.balk()
	r.gate.most.segments = 20 // so three transactions
	b.before = func(_ context.Context, call int, _ []store.Segment) error {
		if call == 2 {
			return down
		}
		return nil
	}
	batch := r.singles(c)
	if err := r.HandleMessages(t.Context(), batch); !errors.Is(err, down) {
		t.Fatalf("the messages must come again: %v", err)
	}
	handOut(t.Context(), r.Intake)
	if x := r.sent.last(); x.Seq != 20 {
		t.Errorf("what was stored before is held and receipted: %+v", x)
	}
	if err := r.HandleMessages(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	handOut(t.Context(), r.Intake)
	if x := r.sent.last(); int(x.Seq) != len(c.Records) || r.records() != len(c.Records) {
		t.Errorf("%+v", x)
	}
	if n := r.count("records_total", "fresh"); int(n) != len(c.Records) {
		t.Errorf("counted %v fresh records", n)
	}
}

// singles are all records of a chain, each in a segment of its own, as few messages as can be.
func (r *rig) singles(c *storetest.Chain) (batch []uplink.Message) {
	r.t.Helper()
	var rest [][]byte
	for i := range c.Records {
		rest = append(rest, c.Bundle(i+1, i+1))
	}
	for len(rest) > 0 {
		p, n, err := uplink.Pack(rest)
		if err != nil {
			r.t.Fatal(err)
		}
		batch, rest = append(batch, uplink.Message{Site: string(c.Site), Payload: p}), rest[n:]
	}
	return batch
}

func TestAHugeBatchIsSplitWithinTheBoundsOfATransaction(t *testing.T) {
	r := newRig(t)
	b := r.balk()
	c := storetest.NewChain(t, known, 0).Quiet(99)
	one := weigh(new(c.Segment(50, 50)))
	r.gate.most = weight{segments: 40, records: 30, bytes: 20 * one.bytes}
	if err := r.HandleMessages(t.Context(), r.singles(c)); err != nil {
		t.Fatal(err)
	}
	handOut(t.Context(), r.Intake)
	for _, segs := range b.all() {
		var sum weight
		for i := range segs {
			sum = sum.and(weigh(&segs[i]))
		}
		if !sum.within(r.gate.most) {
			t.Errorf("a transaction of %+v", sum)
		}
	}
	if n := len(b.all()); n < 5 || n > 8 || r.records() != len(c.Records) {
		t.Errorf("%d transactions", n)
	}
	if got := r.sent.all(); len(got) != 1 || int(got[0].Seq) != len(c.Records) {
		t.Errorf("one receipt: %+v", got)
	}
}

func TestOneSegmentOverTheBoundsIsStoredAlone(t *testing.T) {
	r := newRig(t)
	b := r.balk()
	c := storetest.NewChain(t, known, 0).Quiet(5)
	r.gate.most = weight{segments: 1, records: 1, bytes: 1}
	if err := r.HandleMessage(t.Context(), known, r.message(c.Bundle(1, 3), c.Bundle(4, 6))); err != nil {
		t.Fatal(err)
	}
	if n := len(b.all()); n != 2 || r.records() != 6 {
		t.Errorf("%d transactions", n)
	}
}

func TestACommitWhoseAnswerIsLostIsNeitherReceiptedNorDoubled(t *testing.T) {
	r := newRig(t)
	c := storetest.NewChain(t, known, 0).Quiet(5)
	lost := errors.New("the answer is lost")
	r.balk().after = func(call int) error {
		if call == 1 {
			return lost
		}
		return nil
	}
	batch := []uplink.Message{r.mail(known, c.Bundle(1, 3)), r.mail(known, c.Bundle(4, 6))}
	if err := r.HandleMessages(t.Context(), batch); !errors.Is(err, lost) {
		t.Fatal(err)
	}
	handOut(t.Context(), r.Intake)
	if r.sent.tries != 0 {
		t.Error("receipted without knowing")
	}
	if err := r.HandleMessages(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	handOut(t.Context(), r.Intake)
	if x := r.sent.last(); x.Seq != 6 || r.records() != 6 || r.count("records_total", "duplicate") != 6 {
		t.Errorf("%+v", x)
	}
}

func TestABatchOfAnEndedContextIsAnErrorAndNothingIsStored(t *testing.T) {
	r := newRig(t)
	c := storetest.NewChain(t, known, 0).Quiet(5)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := r.HandleMessages(ctx, []uplink.Message{r.mail(known, c.Bundle(1, 3)), r.mail(known, []byte("garbage"))})
	if !errors.Is(err, context.Canceled) || r.records() != 0 || r.quarantined() != 0 {
		t.Errorf("%v, %d records", err, r.records())
	}
	if n := r.count("store_failures_total", ""); n != 0 {
		t.Error("the store is blamed for a caller who left")
	}
}

// held is a store that waits with its first transaction.
func (b *balky) hold() (began <-chan struct{}, release chan<- error) {
	start, end := make(chan struct{}), make(chan error, 1)
	b.before = func(ctx context.Context, call int, _ []store.Segment) error {
		if call != 1 {
			return nil
		}
		close(start)
		select {
		case err := <-end:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return start, end
}

func (r *rig) waiting(n int) {
	r.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		r.gate.mu.Lock()
		have := len(r.gate.waiting)
		r.gate.mu.Unlock()
		if have == n {
			return
		}
		if time.Now().After(end) {
			r.t.Fatalf("%d wait, want %d", have, n)
		}
	}
}

func TestBatchesThatArriveDuringACommitShareTheNextOne(t *testing.T) {
	r := newRig(t)
	b := r.balk()
	began, release := b.hold()
	r.gate.turn = make(chan struct{}, 1)
	c := storetest.NewChain(t, known, 0).Quiet(9)
	done := make(chan error, 10)
	hand := func(i int) { go func() { done <- r.HandleMessage(t.Context(), known, r.message(c.Bundle(i, i))) }() }
	hand(1)
	<-began
	for i := 2; i <= 10; i++ {
		hand(i)
	}
	r.waiting(9)
	release <- nil
	for range 10 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if calls := b.all(); len(calls) != 2 || len(calls[1]) != 9 {
		t.Errorf("%d transactions", len(calls))
	}
	handOut(t.Context(), r.Intake)
	if x := r.sent.last(); x.Seq != 10 {
		t.Errorf("%+v", x)
	}
}

func TestWhoLeavesDuringACommitDoesNotEndItForOthers(t *testing.T) {
	r := newRig(t)
	b := r.balk()
	began, release := b.hold()
	c := storetest.NewChain(t, known, 0).Quiet(9)
	r.gate.turn = make(chan struct{}, 1)
	r.gate.turn <- struct{}{} // so that two join
	ctx, leave := context.WithCancel(t.Context())
	gone, stays := make(chan error, 1), make(chan error, 1)
	go func() { gone <- r.HandleMessage(ctx, known, r.message(c.Bundle(1, 5))) }()
	r.waiting(1)
	go func() { stays <- r.HandleMessage(t.Context(), known, r.message(c.Bundle(6, 10))) }()
	r.waiting(2)
	<-r.gate.turn
	<-began
	leave()
	release <- nil
	if err := <-stays; err != nil {
		t.Error(err)
	}
	if err := <-gone; err != nil && !errors.Is(err, context.Canceled) { // who does the work stays to its end
		t.Error(err)
	}
	if n := r.records(); n != 10 {
		t.Errorf("%d records", n)
	}
}

func TestWhoComesWhileACommitHangsIsStoredBesideIt(t *testing.T) {
	r := newRig(t)
	b := r.balk()
	began, release := b.hold()
	c := storetest.NewChain(t, known, 0).Quiet(9)
	first := make(chan error, 1)
	go func() { first <- r.HandleMessage(t.Context(), known, r.message(c.Bundle(1, 5))) }()
	<-began
	r.take(known, c.Bundle(6, 10)) // it overtakes: nothing is contiguous yet
	if x := r.sent.last(); x.Seq != 0 {
		t.Errorf("receipted what has a hole before it: %+v", x)
	}
	release <- nil
	if err := <-first; err != nil {
		t.Error(err)
	}
	handOut(t.Context(), r.Intake)
	if x := r.sent.last(); x.Seq != 10 || r.records() != 10 {
		t.Errorf("%+v", x)
	}
}

func TestACommitEndsWhenAllHaveLeft(t *testing.T) {
	r := newRig(t)
	b := r.balk()
	began, _ := b.hold()
	c := storetest.NewChain(t, known, 0)
	ctx, leave := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() { gone <- r.HandleMessage(ctx, known, r.message(c.Bundle(1, 1))) }()
	<-began
	leave()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	r.take(known, c.Bundle(1, 1)) // the gate is free
}

// TestPropertyHoweverMessagesAreBatchedEveryRecordIsHeldOnce cuts a chain's messages into any batches, lets any
// transaction fail before or after it was kept, hands in again what failed, and looks at what is held.
func TestPropertyHoweverMessagesAreBatchedEveryRecordIsHeldOnce(t *testing.T) {
	r := newRig(t)
	b := r.balk()
	round := uint16(0)
	rapid.Check(t, func(rt *rapid.T) {
		round++
		c := storetest.NewChain(t, known, round).Quiet(rapid.IntRange(0, 20).Draw(rt, "records"))
		var mail []uplink.Message
		for from := 1; from <= len(c.Records); {
			to := min(len(c.Records), from+rapid.IntRange(0, 5).Draw(rt, "more"))
			mail = append(mail, r.mail(known, c.Bundle(from, to)))
			from = to + 1
		}
		faults := rapid.SliceOfN(rapid.IntRange(0, 2), 4, 4).Draw(rt, "faults")
		calls, broken := 0, errors.New("broken")
		fault := func(kind int) error {
			if calls < len(faults) && faults[calls] == kind {
				return broken
			}
			return nil
		}
		b.before = func(context.Context, int, []store.Segment) error {
			if err := fault(1); err != nil {
				calls++
				return err
			}
			return nil
		}
		b.after = func(int) error { defer func() { calls++ }(); return fault(2) }
		for len(mail) > 0 {
			n := rapid.IntRange(1, len(mail)).Draw(rt, "batch")
			switch err := r.HandleMessages(t.Context(), mail[:n]); {
			case err == nil:
				mail = mail[n:]
			case !errors.Is(err, broken):
				rt.Fatal(err)
			}
			handOut(t.Context(), r.Intake)
		}
		if x := r.sent.last(); x.Chain != c.ID || int(x.Seq) != len(c.Records) || x.Digest != c.Records[len(c.Records)-1].Digest {
			rt.Fatalf("%+v", x)
		}
	})
	if rep, err := store.Audit(t.Context(), r.path, nil); err != nil || len(rep.Problems) != 0 {
		t.Errorf("%v, %v", rep.Problems, err)
	}
}
