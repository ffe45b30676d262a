package storetest

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// Open opens the store of one place; called again it opens the same store again, with what it held. The
// store is closed when the test ends, if it is not before.
type Open func(cfg store.Config) *store.Store

// Run tries the whole contract. place makes a new empty place for a store.
func Run(t *testing.T, place func(t *testing.T) Open) {
	for _, c := range []struct {
		name string
		try  func(t *testing.T, b *bench)
	}{
		{"the same segment three times is stored once", sameSegment},
		{"a segment that overlaps what is held adds the rest", overlapping},
		{"an overtaking segment waits for the backlog, then the head jumps", overtaking},
		{"two records under one name are both kept and alarmed once", fork},
		{"a link that does not hold stops the head", brokenLink},
		{"a hole that closes with the wrong record stops the head", wrongRecordInHole},
		{"heads survive a restart and the epoch rises", restart},
		{"a segment that cannot be one is refused", refused},
		{"a record of a kind that nobody knows is held opaque", opaque},
		{"an exceeded passage opens one matter and alerts", opensMatter},
		{"a supplement waits for its passage and holds up nothing", waits},
		{"a supplement raises the other authority's alert and doubles none", supplements},
		{"a supplement of another record than is held is alarmed", mismatch},
		{"a supplement of a record that was lost is alarmed and waits no longer", supplementOfLost},
		{"a supplement may name a record of an earlier chain", acrossChains},
		{"what a toll or checkpoint system said is shown with the matter that it was linked to", linked},
		{"what was linked waits for its passage", linkedBefore},
		{"reviewing again changes nothing", reviewedAgain},
		{"a review out of order is refused", reviewOutOfOrder},
		{"a void passage is counted and raises nothing", void},
		{"a verdict that was pending is settled later", settled},
		{"a verdict that differs is an alarm", differs},
		{"a record that cannot be read is alarmed and passed over", unreadable},
		{"an authority sees its own alerts only", ownAlerts},
		{"an alert is acknowledged once, by its own authority", acknowledge},
		{"totals count what they say", totals},
		{"events after an id miss nothing while others write", concurrentEvents},
		{"the overview counts what those who run a centre watch", overview},
		{"sites show their current chain, status and alarms", sites},
		{"quarantine keeps the newest within its bounds", quarantine},
		{"alarms stay until somebody looks into them", alarms},
		{"officers are put, changed and removed, and that is traced", officers},
		{"sessions are found until they expire", sessions},
		{"nobody sees or does what is another's", sight},
		{"a matter goes its way and keeps its history", history},
		{"of officers who act at once one is written and the others are told", stale},
		{"a case number is taken once by each authority", caseNumbers},
		{"a late alert opens a matter again", reopened},
		{"pages of the queue leave nothing out and show nothing twice", pages},
		{"looks are noted, and read by auditors of the region", looks},
		{"tokens are good until they expire, are revoked or their officer is", tokens},
		{"officers whom an administrator adds stay, those of the configuration are its own", addedOfficers},
		{"what proves a matter is given out whole, and nothing else", evidence},
		{"what proves a matter has the rotation to a key that was known before", evidenceOfAKnownKey},
		{"a record beyond a hole is given out as that", evidenceBeyondAHole},
		{"one centre alone works on all slots", leaseAlone},
		{"two centres share the slots, and who leaves gives them back", leaseShared},
		{"what a centre that died had is taken over", leaseTakenOver},
		{"no slot has two centres at once", leaseOnce},
		{"a manifest is what was assigned, and its serial rises with each change", manifests},
		{"parcels are sent by who manages the region, and that is traced", whoMaySend},
		{"what a site has sealed says how far a parcel has come", sealedAnswers},
		{"keys are enrolled, handed over and ended once", keys},
		{"a late will shows no living site dead, and two daemons with one name are alarmed", status},
		{"a period is accounted for by passages, gaps and what is missing", coverage},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &bench{t: t, open: place(t)}
			b.clock.Store(int64(Start))
			b.s = b.open(b.config())
			c.try(t, b)
		})
	}
}

// bench is one store under trial, with a clock of its own.
type bench struct {
	t     *testing.T
	s     *store.Store
	open  Open
	clock atomic.Int64
}

func (b *bench) now() time.Time { return time.Unix(0, b.clock.Load()).UTC() }

func (b *bench) config() store.Config { return store.Config{Now: b.now} }

func (b *bench) reopen() {
	b.t.Helper()
	if err := b.s.Close(); err != nil {
		b.t.Fatal(err)
	}
	b.s = b.open(b.config())
}

func (b *bench) store(seg store.Segment) store.Result {
	b.t.Helper()
	r, err := b.s.StoreSegment(b.t.Context(), seg)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

// review reviews everything that is there, as a centre without any rule set would.
func (b *bench) review() (sum center.Effect) {
	b.t.Helper()
	sum, err := Review(b.t, b.s, center.RejudgedSame)
	if err != nil {
		b.t.Fatal(err)
	}
	return sum
}

// Review reviews everything that is there, with one result of judging again.
func Review(t testing.TB, s *store.Store, re center.Rejudged) (sum center.Effect, err error) {
	t.Helper()
	for {
		list, err := s.Unreviewed(t.Context(), 7)
		if err != nil || len(list) == 0 {
			return sum, err
		}
		e, err := s.Review(t.Context(), Reviewed(t, list, re))
		if err != nil {
			return sum, err
		}
		sum.Reviewed += e.Reviewed
		sum.Opened += e.Opened
		sum.Raised += e.Raised
		sum.Extended += e.Extended
		sum.Waiting += e.Waiting
		sum.Settled += e.Settled
	}
}

// Reviewed decodes what was received and gives everything with a verdict one result.
func Reviewed(t testing.TB, list []center.Received, re center.Rejudged) []center.Reviewed {
	t.Helper()
	out := make([]center.Reviewed, len(list))
	for i, r := range list {
		if seal.IsTombstone(r.Raw) {
			out[i] = center.Reviewed{Received: r, Record: &wim.Record{Site: r.Ref.Site, Chain: r.Ref.Chain, Seq: r.Ref.Seq, Kind: wim.KindTombstone}, Detail: "lost"}
			continue
		}
		rec, err := seal.Open(r.Raw)
		if err != nil {
			t.Fatal(err)
		}
		out[i] = center.Reviewed{Received: r, Record: rec, Opaque: seal.Opaque(rec)}
		if _, ok := center.AccountOf(r.Ref, rec); ok {
			out[i].Rejudged = re
		}
	}
	return out
}

func (b *bench) alarms(site wim.SiteID) []center.Alarm {
	b.t.Helper()
	a, err := b.s.Alarms(b.t.Context(), Overseer(), site)
	if err != nil {
		b.t.Fatal(err)
	}
	return a
}

func (b *bench) state(site wim.SiteID) center.SiteState {
	b.t.Helper()
	all, err := b.s.Sites(b.t.Context(), Overseer())
	if err != nil {
		b.t.Fatal(err)
	}
	for _, x := range all {
		if x.Site == site {
			return x
		}
	}
	b.t.Fatalf("no site %s in %+v", site, all)
	return center.SiteState{}
}

func (b *bench) board(c wim.Competence) []center.Entry {
	b.t.Helper()
	e, _, err := b.s.Board(b.t.Context(), Viewer(c), 100)
	if err != nil {
		b.t.Fatal(err)
	}
	return e
}

// events lists kinds of a competence's events, checking that ids rise.
func (b *bench) events(c wim.Competence) (kinds []center.EventKind) {
	b.t.Helper()
	all, err := b.s.EventsAfter(b.t.Context(), Viewer(c), 0, 1000)
	if err != nil {
		b.t.Fatal(err)
	}
	last := int64(0)
	for _, e := range all {
		if e.ID <= last || e.Competence != c {
			b.t.Errorf("event %+v after %d", e, last)
		}
		last = e.ID
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

func sameSegment(t *testing.T, b *bench) {
	c := NewChain(t, "north-1", 0).Quiet(9)
	for i := range 3 {
		r := b.store(c.All())
		want := store.Result{Seq: 10, Digest: c.Records[9].Digest, Epoch: b.s.Epoch(), Fresh: 10}
		if i > 0 {
			want.Fresh, want.Duplicates = 0, 10
		}
		if r != want {
			t.Errorf("time %d: %+v, want %+v", i+1, r, want)
		}
	}
	if e := b.review(); e.Reviewed != 10 {
		t.Errorf("%+v", e)
	}
}

func overlapping(t *testing.T, b *bench) {
	c := NewChain(t, "north-1", 0).Quiet(9)
	b.store(c.Segment(1, 6))
	if r := b.store(c.Segment(4, 10)); r.Fresh != 4 || r.Duplicates != 3 || r.Seq != 10 {
		t.Errorf("%+v", r)
	}
}

func overtaking(t *testing.T, b *bench) {
	c := NewChain(t, "north-1", 0).Quiet(9)
	if r := b.store(c.Segment(10, 10)); r.Seq != 0 || !r.Digest.IsZero() || r.Fresh != 1 || r.Fork != nil {
		t.Errorf("alone: %+v", r)
	}
	b.store(c.Segment(6, 7))
	if s := b.state("north-1"); s.Seq != 0 || s.Behind != 3 {
		t.Errorf("%+v", s)
	}
	if r := b.store(c.Segment(1, 5)); r.Seq != 7 || r.Digest != c.Records[6].Digest {
		t.Errorf("first hole closed: %+v", r)
	}
	b.reopen()
	if r := b.store(c.Segment(8, 9)); r.Seq != 10 || r.Digest != c.Records[9].Digest {
		t.Errorf("all closed: %+v", r)
	}
	if s := b.state("north-1"); s.Seq != 10 || s.Behind != 0 || s.LastTime != c.Time(10) || s.Alarms != 0 {
		t.Errorf("%+v", s)
	}
}

func fork(t *testing.T, b *bench) {
	a := NewChain(t, "north-1", 0).Quiet(9)
	other := a.Split(6).Quiet(6)
	b.store(a.Segment(1, 8))
	want := store.Fork{Seq: 7, Held: a.Records[6].Digest, Sent: other.Records[6].Digest}
	for range 2 {
		r := b.store(other.Segment(5, 9))
		if r.Fork == nil || *r.Fork != want || r.Seq != 8 {
			t.Fatalf("%+v", r)
		}
	}
	if got := b.alarms("north-1"); len(got) != 1 || got[0].Kind != center.AlarmFork || got[0].Count != 1 {
		t.Errorf("alarms %+v", got)
	}
	b.reopen()
	if r := b.store(a.Segment(1, 3)); r.Fork == nil || *r.Fork != want || r.Duplicates != 3 {
		t.Errorf("a forked chain is told so whatever it sends: %+v", r)
	}
	heads, err := b.s.Heads(t.Context())
	if err != nil || len(heads) != 1 || heads[0].Fork == nil || heads[0].Seq != 8 {
		t.Errorf("%+v %v", heads, err)
	}
}

func brokenLink(t *testing.T, b *bench) {
	a := NewChain(t, "north-1", 0).Quiet(5)
	other := a.Split(4).Quiet(6)
	b.store(a.All())
	r := b.store(other.Segment(7, 10))
	if r.Fork == nil || r.Fork.Seq != 6 || r.Fork.Held != a.Records[5].Digest || r.Fork.Sent != other.Records[5].Digest || r.Seq != 6 || r.Fresh != 4 {
		t.Errorf("%+v", r)
	}
	if got := b.alarms("north-1"); len(got) != 1 || got[0].Kind != center.AlarmLink {
		t.Errorf("alarms %+v", got)
	}
}

func wrongRecordInHole(t *testing.T, b *bench) {
	a := NewChain(t, "north-1", 0).Quiet(9)
	other := a.Split(4).Quiet(2)
	b.store(a.Segment(1, 4))
	b.store(a.Segment(7, 10))
	r := b.store(other.Segment(5, 6))
	if r.Seq != 6 || r.Fork == nil || r.Fork.Seq != 6 {
		t.Errorf("%+v %+v", r, r.Fork)
	}
	if got := b.alarms("north-1"); len(got) != 1 || got[0].Kind != center.AlarmLink {
		t.Errorf("alarms %+v", got)
	}
}

func restart(t *testing.T, b *bench) {
	c := NewChain(t, "north-1", 0).Quiet(4)
	before := b.store(c.All())
	first := b.s.Epoch()
	b.clock.Add(-int64(time.Hour)) // even with the clock set back
	b.reopen()
	if b.s.Epoch() <= first || before.Epoch != first {
		t.Errorf("epoch %d, then %d", first, b.s.Epoch())
	}
	heads, err := b.s.Heads(t.Context())
	if err != nil || len(heads) != 1 || heads[0].Seq != 5 || heads[0].Digest != before.Digest || heads[0].Epoch != b.s.Epoch() {
		t.Errorf("%+v %v", heads, err)
	}
}

func refused(t *testing.T, b *bench) {
	c := NewChain(t, "north-1", 0).Quiet(3)
	for _, x := range []struct {
		name   string
		change func(s *store.Segment)
	}{
		{"without records", func(s *store.Segment) { s.Records = nil }},
		{"with a hole inside", func(s *store.Segment) { s.Records = slices.Delete(s.Records, 1, 2) }},
		{"with sequence zero", func(s *store.Segment) { s.Records[0].Seq = 0 }},
		{"beyond what can be numbered", func(s *store.Segment) { s.Records = s.Records[:1]; s.Records[0].Seq = 1 << 63 }},
	} {
		s := c.All()
		x.change(&s)
		if _, err := b.s.StoreSegment(t.Context(), s); !errors.Is(err, store.ErrRefused) {
			t.Errorf("%s: %v", x.name, err)
		}
	}
	if heads, err := b.s.Heads(t.Context()); err != nil || len(heads) != 0 {
		t.Errorf("left behind: %+v %v", heads, err)
	}
}

func opaque(t *testing.T, b *bench) {
	c := NewChain(t, "north-1", 0).Quiet(1)
	raw := []byte(strings.Replace(string(c.Records[1].Raw), `"kind":"passage"`, `"kind":"turn-back"`, 1))
	c.Records[1].Raw, c.Records[1].Kind, c.Records[1].Digest = raw, "turn-back", wim.DigestOf(raw)
	c.prev = wim.DigestOf(raw)
	c.Quiet(1)
	if r := b.store(c.All()); r.Seq != 3 || r.Fork != nil {
		t.Errorf("%+v", r)
	}
	if e := b.review(); e.Reviewed != 3 {
		t.Errorf("%+v", e)
	}
	unread := func(known bool) []center.Received {
		t.Helper()
		list, err := b.s.Unread(t.Context(), func(k wim.RecordKind, format int) bool {
			return known && k == "turn-back" && format == wim.RecordFormat
		}, 5)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	b.reopen()
	if list, err := b.s.Sites(t.Context(), who("sun")); err != nil || len(list) != 1 || list[0].Unread != 1 || list[0].Alarms != 0 {
		t.Errorf("%+v, %v", list, err)
	}
	if got := unread(false); len(got) != 0 {
		t.Errorf("read without being known: %+v", got)
	}
	later := unread(true)
	if len(later) != 1 || later[0].Ref.Seq != 2 || string(later[0].Raw) != string(raw) {
		t.Fatalf("after an upgrade: %+v", later)
	}
	// An upgraded build knows the kind: here it is a passage after all.
	p := NewChain(t, "north-1", 0).Quiet(1)
	rec, err := seal.Open(p.Records[1].Raw)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // a commit whose answer was lost comes again
		if _, err := b.s.Review(t.Context(), []center.Reviewed{{Received: later[0], Record: rec, Rejudged: center.RejudgedSame}}); err != nil {
			t.Fatal(err)
		}
	}
	if got := unread(true); len(got) != 0 {
		t.Errorf("still unread: %+v", got)
	}
	if n, err := b.s.Totals(t.Context(), Viewer(wim.RoadAdministration), 0); err != nil || n.Passages != 2 {
		t.Errorf("%+v, %v", n, err)
	}
}

func status(t *testing.T, b *bench) {
	at := func(s int) string {
		return time.Unix(0, int64(Start)).Add(time.Duration(s) * time.Second).UTC().Format(time.RFC3339Nano)
	}
	for _, x := range []struct {
		what, payload string
		online        bool
		alarms        int
	}{
		{"a site comes", `{"state":"online","boot":"a","connection":1,"time":"` + at(0) + `"}`, true, 0},
		{"it loses its link", `{"state":"offline","boot":"a","connection":1,"time":"` + at(0) + `"}`, false, 0},
		{"it is back", `{"state":"online","boot":"a","connection":2,"time":"` + at(5) + `"}`, true, 0},
		{"the will of its first connection is late", `{"state":"offline","boot":"a","connection":1,"time":"` + at(0) + `"}`, true, 0},
		{"it starts anew", `{"state":"online","boot":"b","connection":1,"time":"` + at(9) + `"}`, true, 0},
		{"the will of the run before is late", `{"state":"offline","boot":"a","connection":2,"time":"` + at(5) + `"}`, true, 0},
		{"the will of a run that nobody heard of is late", `{"state":"offline","boot":"o","connection":7,"time":"` + at(3) + `"}`, true, 0},
		{"it stops", `{"state":"offline","boot":"b","connection":1,"time":"` + at(12) + `"}`, false, 0},
		{"it starts for the third time", `{"state":"online","boot":"c","connection":1,"time":"` + at(20) + `"}`, true, 0},
		{"it started while the centre was away, and died", `{"state":"offline","boot":"d","connection":1,"time":"` + at(30) + `"}`, false, 0},
		{"it starts again", `{"state":"online","boot":"e","connection":1,"time":"` + at(40) + `"}`, true, 0},
		{"a second daemon has its name", `{"state":"online","boot":"f","connection":1,"time":"` + at(50) + `"}`, true, 0},
		{"the first is still there", `{"state":"online","boot":"e","connection":2,"time":"` + at(51) + `"}`, true, 1},
		{"and the second", `{"state":"online","boot":"f","connection":2,"time":"` + at(52) + `"}`, true, 2},
	} {
		if err := b.s.SetStatus(t.Context(), "north-1", []byte(x.payload)); err != nil {
			t.Fatal(err)
		}
		b.reopen() // what was retained comes again at a centre that has started anew
		if err := b.s.SetStatus(t.Context(), "north-1", []byte(x.payload)); err != nil {
			t.Fatal(err)
		}
		list, err := b.s.Sites(t.Context(), who("sun"))
		if err != nil || len(list) != 1 || list[0].Online != x.online || list[0].Alarms != x.alarms {
			t.Errorf("%s: %+v, %v", x.what, list, err)
		}
	}
	a, err := b.s.Alarms(t.Context(), who("sun"), "north-1")
	if err != nil || len(a) != 1 || a[0].Kind != center.AlarmTwins || !strings.Contains(a[0].Subject, "e and f") {
		t.Errorf("%+v, %v", a, err)
	}
}

func restOf(t *testing.T, s *store.Store) int {
	t.Helper()
	list, err := s.Unreviewed(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}
