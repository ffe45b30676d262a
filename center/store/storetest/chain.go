package storetest

import (
	"crypto/ed25519"
	"encoding/binary"
	"testing"

	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// Start is the time of the first record of every chain here.
const Start wim.Time = 1_790_000_000_000_000_000

// Second is one second of a record's time.
const Second wim.Time = 1_000_000_000

// Signer makes the key of a seed.
func Signer(t testing.TB, seed byte) *seal.Signer {
	t.Helper()
	s := make([]byte, ed25519.SeedSize)
	for i := range s {
		s[i] = seed
	}
	k, err := seal.NewSigner(ed25519.NewKeyFromSeed(s))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// Chain writes sealed records as a site's journal does, one second apart. The same calls write the same
// bytes. Its first record is the chain start.
type Chain struct {
	Site    wim.SiteID
	ID      wim.ChainID
	Key     *seal.Signer
	Records []seal.Sealed

	t    testing.TB
	prev wim.Digest
	salt byte
}

// NewChain starts a chain. n tells chains of one site apart.
func NewChain(t testing.TB, site wim.SiteID, n uint16) *Chain {
	t.Helper()
	c := &Chain{Site: site, Key: Signer(t, 1), t: t}
	copy(c.ID[2:], site)
	binary.BigEndian.PutUint16(c.ID[:], n+1)
	c.Add(&wim.Record{Kind: wim.KindStart, Start: &wim.ChainStart{Cause: "new-journal", Key: c.Key.ID}})
	return c
}

// Split returns a second chain under the same name that has only the first n records in common with c: a
// restored disk.
func (c *Chain) Split(n int) *Chain {
	s := *c
	s.Records = append([]seal.Sealed(nil), c.Records[:n]...)
	s.prev, s.salt = c.Records[n-1].Digest, c.salt+1
	return &s
}

// Add seals a record whose kind and body are set and returns its name.
func (c *Chain) Add(r *wim.Record) wim.RecordRef {
	c.t.Helper()
	r.Format, r.Site, r.Chain, r.Seq, r.Prev = wim.RecordFormat, c.Site, c.ID, uint64(len(c.Records)+1), c.prev
	r.Nonce = wim.Nonce{c.salt, byte(r.Seq >> 8), byte(r.Seq)}
	r.Time, r.Clock, r.Software = Start+wim.Time(len(c.Records))*Second, wim.ClockSynchronised, wim.Software{Build: "test"}
	s, err := seal.Record(r)
	if err != nil {
		c.t.Fatal(err)
	}
	c.Records, c.prev = append(c.Records, s), s.Digest
	return wim.RecordRef{Site: c.Site, Chain: c.ID, Seq: s.Seq, Digest: s.Digest}
}

// Time is the time of the record with a sequence.
func (c *Chain) Time(seq uint64) wim.Time { return Start + wim.Time(seq-1)*Second }

// Rewrite changes the bytes of the last record, as another release might have written them.
func (c *Chain) Rewrite(change func(raw string) string) {
	c.t.Helper()
	r := &c.Records[len(c.Records)-1]
	r.Raw = []byte(change(string(r.Raw)))
	h, err := seal.Header(r.Raw)
	if err != nil {
		c.t.Fatal(err)
	}
	r.Kind, r.Digest = h.Kind, wim.DigestOf(r.Raw)
	c.prev = r.Digest
}

// Facts are those of a four-axle truck on lane 1 that passed when the next record is written.
func (c *Chain) Facts(gross wim.Kg, plates ...string) wim.Facts {
	f := wim.Facts{
		Time: Start + wim.Time(len(c.Records))*Second, Clock: wim.ClockSynchronised, Purpose: wim.Enforcement,
		Road: wim.Road{Name: "G107", Class: "class-1"},
		Instrument: wim.Instrument{ID: "scale-1", Certificate: &wim.Certificate{
			Number: "T-1", Scheme: "JJG 907", Class: "5", MassError: 50, AxleError: 80, ValidFrom: Start - 1000*Second, ValidUntil: Start + 1_000_000*Second,
			Lanes: []wim.LaneID{1}, SpeedMin: 50, SpeedMax: 1000, Min: 1000, Max: 100_000, Division: 20,
		}},
		Vehicle: wim.Vehicle{
			Lane: 1, Start: Start, End: Start + Second, Speed: 612, Gross: gross, AxleSum: gross, Scheme: wim.Scheme, Class: "truck-4",
			Configuration: wim.Rigid, Sure: true, Groups: []wim.AxleGroup{},
		},
		Units: []wim.Unit{},
	}
	for i := range 4 {
		f.Vehicle.Axles = append(f.Vehicle.Axles, wim.Axle{Index: uint8(i + 1), Load: gross / 4, Left: gross / 8, Right: gross / 8, Speed: 612, Spacing: wim.Mm(min(i, 1) * 2400)})
	}
	for _, p := range plates {
		f.Units = append(f.Units, wim.Unit{Plate: p, Confidence: 960, Kind: wim.Goods})
	}
	return f
}

// Verdict has the given opinions, under a rule set that no centre has.
func Verdict(opinions ...wim.Opinion) wim.Verdict {
	return wim.Verdict{RuleSet: "test-set", Rules: wim.DigestOf([]byte("test-set")), Judge: "1", Opinions: opinions, Findings: []wim.Finding{}}
}

// Opinion is one competence's.
func Opinion(c wim.Competence, o wim.Outcome, s wim.Standing) wim.Opinion {
	x := wim.Opinion{Competence: c, Outcome: o, Standing: s}
	switch s {
	case wim.Screening:
		x.Reasons = wim.PlateDoubtful
	case wim.Void:
		x.Reasons = wim.MeasurementVoid
	case wim.Evidence:
	}
	return x
}

// Passage adds a passage of that verdict.
func (c *Chain) Passage(v wim.Verdict, plates ...string) wim.RecordRef {
	c.t.Helper()
	f := c.Facts(50_000, plates...)
	return c.Add(&wim.Record{Kind: wim.KindPassage, Passage: &wim.Passage{
		Source: wim.DeviceCursor{Device: "scale-1", Boot: 1, Seq: uint32(len(c.Records))}, Facts: f, Verdict: v, Order: wim.OrderEnter,
		Reads: c.reads(plates),
	}})
}

// Supplement adds a late plate to a passage.
func (c *Chain) Supplement(of wim.RecordRef, v wim.Verdict, plates ...string) wim.RecordRef {
	c.t.Helper()
	f := c.Facts(50_000, plates...)
	return c.Add(&wim.Record{Kind: wim.KindSupplement, Supplement: &wim.Supplement{Of: of, Cause: "late-plate", Facts: f, Verdict: v, Reads: c.reads(plates)}})
}

func (c *Chain) reads(plates []string) []wim.PlateRead {
	out := []wim.PlateRead{}
	for _, p := range plates {
		out = append(out, wim.PlateRead{Camera: "cam-1", Event: p, Lane: 1, End: wim.Front, Text: p, Confidence: 960, Picture: wim.DigestOf([]byte(p))})
	}
	return out
}

// Transaction adds what a system said, linked to a passage where of is not nil.
func (c *Chain) Transaction(id string, of *wim.RecordRef) wim.RecordRef {
	c.t.Helper()
	x := &wim.Transaction{System: "static", ID: id, Type: wim.TransactionWeighing, Time: Start, Arrival: Start + Second, Plate: "川A12345", Gross: 49_000, Axles: 4}
	if of != nil {
		x.Link = &wim.Link{Of: *of, Grounds: []wim.LinkGround{wim.SamePlate}}
	}
	return c.Add(&wim.Record{Kind: wim.KindTransaction, Transaction: x})
}

// Gap adds a gap.
func (c *Chain) Gap() wim.RecordRef {
	c.t.Helper()
	n := uint32(len(c.Records))
	return c.Add(&wim.Record{Kind: wim.KindGap, Gap: &wim.Gap{Lane: 1, Device: "scale-1", Cause: wim.GapSequence, Boot: 1, From: n, To: n}})
}

// Quiet adds n passages that call for nothing.
func (c *Chain) Quiet(n int) *Chain {
	c.t.Helper()
	for range n {
		c.Passage(Verdict(Opinion(wim.RoadAdministration, wim.Compliant, wim.Evidence), Opinion(wim.TrafficPolice, wim.Unknown, wim.Screening)))
	}
	return c
}

// Exceeded adds a passage that exceeds a limit for the road administration, as evidence.
func (c *Chain) Exceeded(plates ...string) wim.RecordRef {
	c.t.Helper()
	return c.Passage(Verdict(Opinion(wim.RoadAdministration, wim.Exceeded, wim.Evidence), Opinion(wim.TrafficPolice, wim.Unknown, wim.Screening)), plates...)
}

// Segment signs the records from one sequence to another, inclusive.
func (c *Chain) Segment(from, to int) store.Segment {
	c.t.Helper()
	jws, _ := c.Sign(from, to)
	s := store.Segment{Site: c.Site, Chain: c.ID, Key: c.Key.ID, JWS: jws}
	for i := from; i <= to; i++ {
		r := &c.Records[i-1]
		h, err := seal.Header(r.Raw)
		if err != nil {
			c.t.Fatal(err)
		}
		s.Records = append(s.Records, store.Stored{Seq: r.Seq, Digest: r.Digest, Prev: h.Prev, Kind: r.Kind, Time: h.Time, Raw: r.Raw})
	}
	return s
}

// All is the segment of all records; there may be more than a site may sign at once.
func (c *Chain) All() store.Segment {
	c.t.Helper()
	s := c.Segment(1, min(len(c.Records), seal.MaxSegmentRecords))
	for from := seal.MaxSegmentRecords + 1; from <= len(c.Records); from += seal.MaxSegmentRecords {
		s.Records = append(s.Records, c.Segment(from, min(len(c.Records), from+seal.MaxSegmentRecords-1)).Records...)
	}
	return s
}

// Sign signs the records from one sequence to another and returns their bytes too.
func (c *Chain) Sign(from, to int) (jws string, raws [][]byte) {
	c.t.Helper()
	s := seal.Segment{Site: c.Site, Chain: c.ID, From: uint64(from)}
	for _, r := range c.Records[from-1 : to] {
		s.Digests = append(s.Digests, r.Digest)
		raws = append(raws, r.Raw)
	}
	jws, err := seal.SignSegment(c.Key, s)
	if err != nil {
		c.t.Fatal(err)
	}
	return jws, raws
}

// Bundle is the wire form of the records from one sequence to another.
func (c *Chain) Bundle(from, to int) []byte {
	c.t.Helper()
	jws, raws := c.Sign(from, to)
	return seal.AppendBundle(nil, jws, raws)
}
