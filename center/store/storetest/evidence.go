package storetest

import (
	"errors"
	"slices"
	"testing"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// configuration adds a record of what the site works by.
func (c *Chain) configuration(name string) wim.RecordRef {
	return c.Add(&wim.Record{Kind: wim.KindConfiguration, Configuration: &wim.SiteConfiguration{Cause: wim.ConfiguredAtStart, Changed: []wim.Change{},
		Active: []wim.Part{{Kind: wim.PartRules, Name: name, Digest: wim.DigestOf([]byte(name))}}}})
}

// rotate adds a record by which a new key takes over.
func (c *Chain) rotate(next *seal.Signer) wim.RecordRef {
	c.t.Helper()
	body, err := seal.NewRotation(c.Site, c.ID, c.Key.ID, next)
	if err != nil {
		c.t.Fatal(err)
	}
	return c.Add(&wim.Record{Kind: wim.KindRotation, Rotation: body})
}

func evidence(t *testing.T, b *bench) { b.evidence(true) }

// A key that was enrolled before its rotation has no note of it.
func evidenceOfAKnownKey(_ *testing.T, b *bench) { b.evidence(false) }

func (b *bench) evidence(noted bool) {
	t := b.t
	b.staff()
	c := NewChain(t, "north-1", 0)
	c.configuration("old")          // 2
	force := c.configuration("new") // 3
	c.Exceeded()                    // 4, another matter
	turn := c.rotate(Signer(t, 9))  // 5
	first := c.Segment(1, 5)
	der, err := Signer(t, 9).Verifier().MarshalDER()
	if err != nil {
		t.Fatal(err)
	}
	if noted {
		first.Rotation = &store.Rotation{Seq: turn.Seq, New: center.SiteKey{Site: "north-1", ID: Signer(t, 9).ID, DER: der, How: center.KeyByRotation,
			By: c.Key.ID, Chain: c.ID, Seq: turn.Seq}}
	}
	b.store(first)
	c.Key = Signer(t, 9)
	passage := c.Passage(both(wim.Exceeded, wim.Exceeded, wim.Evidence, wim.Evidence), "川A12345")                     // 6
	between := c.configuration("newer")                                                                               // 7
	late := c.Supplement(passage, both(wim.Exceeded, wim.Exceeded, wim.Evidence, wim.Evidence), "川A12345", "川A1234挂") // 8
	c.configuration("later")                                                                                          // 9
	c.Exceeded()                                                                                                      // 10, not yet contiguous
	next := NewChain(t, "north-1", 1)
	more := next.Supplement(passage, both(wim.Exceeded, wim.Exceeded, wim.Evidence, wim.Evidence), "川A12345") // 2
	b.store(c.Segment(6, 9))
	b.store(next.All())
	b.review()
	var id int64
	for _, l := range b.queue("zhao", center.Query{}).Lines {
		if l.Matter.Opening.Seq == 6 || slices.Contains(l.Matter.Plates, "川A12345") {
			id = l.Matter.ID
		}
	}
	e, err := b.s.Evidence(t.Context(), who("zhao"), id)
	if err != nil {
		t.Fatal(err)
	}
	start := wim.RecordRef{Site: "north-1", Chain: c.ID, Seq: 1, Digest: c.Records[0].Digest}
	other := wim.RecordRef{Site: "north-1", Chain: next.ID, Seq: 1, Digest: next.Records[0].Digest}
	want := []wim.RecordRef{start, force, turn, passage, between, late, other, more}
	var got []wim.RecordRef
	for i := range e.Records {
		r := &e.Records[i]
		got = append(got, r.Ref)
		seg, err := seal.PeekSegment(r.Segment)
		if err != nil || wim.DigestOf(r.Raw) != r.Ref.Digest || seg.Digests[r.Ref.Seq-seg.From] != r.Ref.Digest || !r.Whole || r.Received == 0 {
			t.Errorf("record %d: %v, %+v", r.Ref.Seq, err, seg)
		}
		if key := map[bool]string{true: Signer(t, 9).ID, false: Signer(t, 1).ID}[r.Ref.Chain == c.ID && r.Ref.Seq > 5]; r.Key != key {
			t.Errorf("record %d by %s, want %s", r.Ref.Seq, r.Key, key)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if e.Epoch != b.s.Epoch() || len(e.Accounts) != 3 {
		t.Errorf("epoch %d, %d accounts", e.Epoch, len(e.Accounts))
	}
	for _, login := range []string{"hong", "sun"} {
		if _, err := b.s.Evidence(t.Context(), who(login), id); !errors.Is(err, center.ErrNotFound) {
			t.Errorf("%s: %v", login, err)
		}
	}
	if _, err := b.s.Evidence(t.Context(), who("zhao"), id+1000); !errors.Is(err, center.ErrNotFound) {
		t.Errorf("a matter that is not there: %v", err)
	}
	if _, err := b.s.RuleSet(t.Context(), wim.DigestOf([]byte("none"))); !errors.Is(err, center.ErrNotFound) {
		t.Errorf("a rule set that is not there: %v", err)
	}
}

// A record beyond a hole is evidence too, but nobody says that its chain is whole.
func evidenceBeyondAHole(t *testing.T, b *bench) {
	b.staff()
	c := NewChain(t, "north-1", 0)
	c.configuration("a")
	c.Exceeded()
	b.store(c.Segment(3, 3))
	b.review()
	e, err := b.s.Evidence(t.Context(), who("zhao"), b.queue("zhao", center.Query{}).Lines[0].Matter.ID)
	if err != nil || len(e.Records) != 1 || e.Records[0].Whole || e.Records[0].Ref.Seq != 3 {
		t.Errorf("%v, %+v", err, e.Records)
	}
}
