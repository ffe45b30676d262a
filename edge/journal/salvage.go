package journal

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// salvaged is what could be read of a damaged journal.
type salvaged struct {
	chains   []*salvagedChain // in the order in which they were started
	cursors  map[string]wim.DeviceCursor
	untold   []wim.Gap // messages that were accounted for in records that are lost
	pictures map[wim.Digest]savedPicture
	// configuration and rotations are the rows of the table meta.
	configuration, rotations string
}

type savedPicture struct {
	size, added, uploaded, found int64
	refused                      string
}

// salvagedChain is one chain's part. Every record of it has the digest that the journal, or the record behind it,
// gives for its bytes.
type salvagedChain struct {
	id          wim.ChainID
	ordinal     int64
	cause       string
	started     wim.Time
	predecessor []byte
	records     map[uint64]savedRecord
	head        uint64
	headDigest  wim.Digest
	pruned      uint64
	prunedLink  wim.Digest
	receipted   uint64
	receipt     wim.Digest
	epoch       uint64
}

// savedRecord is what is kept in memory of a record: its bytes are read again when they are written.
type savedRecord struct {
	seq          uint64
	digest, prev wim.Digest
	kind         wim.RecordKind
	time         wim.Time
	urgent       bool
	lane         wim.LaneID
	source       wim.DeviceCursor // by the record's own account; no device where it rests on no message
	knownBy      string           // whose name known is
	known        string           // what its device or system calls it; empty for none
	start        *wim.ChainStart
}

func saved(r *wim.Record, digest wim.Digest) savedRecord {
	s := savedRecord{seq: r.Seq, digest: digest, prev: r.Prev, kind: r.Kind, time: r.Time, urgent: r.Urgent(), start: r.Start}
	s.knownBy, s.known = knownOf(r)
	switch {
	case r.Passage != nil:
		s.lane, s.source = r.Passage.Facts.Vehicle.Lane, r.Passage.Source
	case r.Supplement != nil:
		s.lane = r.Supplement.Facts.Vehicle.Lane
	case r.Gap != nil:
		s.lane, s.source = r.Gap.Lane, wim.DeviceCursor{Device: r.Gap.Device, Boot: r.Gap.Boot, Seq: r.Gap.To}
	}
	return s
}

// proven tells whether a row holds a record's bytes and their digest.
func proven(r tableRow) bool {
	raw, ok := rawOf(r)
	if !ok {
		return false
	}
	d := wim.DigestOf(raw)
	return slices.ContainsFunc(r.columns, func(c any) bool {
		b, ok := c.([]byte)
		return ok && len(b) == wim.DigestSize && wim.Digest(b) == d
	})
}

func rawOf(r tableRow) ([]byte, bool) {
	if len(r.columns) < 6 {
		return nil, false
	}
	b, ok := r.columns[len(r.columns)-1].([]byte)
	return b, ok && len(b) > wim.DigestSize
}

// candidate is a record that was found in some page.
type candidate struct {
	savedRecord
	filed bool // under its digest
}

// gathering collects rows by their shape.
type gathering struct {
	site     wim.SiteID
	found    map[wim.ChainID]map[uint64][]candidate
	ordinals map[wim.ChainID]int64
	rows     map[wim.ChainID][]savedChainRow
	cursors  map[string]savedCursor
	pictures map[wim.Digest]savedPicture
	works    *wim.Record
	worksRaw string
	rotated  []Rotated
}

type savedChainRow struct {
	ordinal, started               int64
	cause                          string
	head, receipted, epoch, pruned uint64
	headDigest, receipt, link      wim.Digest
}

type savedCursor struct {
	cursor wim.DeviceCursor
	time   int64
}

// salvage reads what can be read and proven of the damaged journal at path. It writes nothing.
func salvage(path string, site wim.SiteID) (s *salvaged, err error) {
	p, err := openPages(path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if cerr := p.close(); err == nil {
			err = cerr
		}
	}()
	g := &gathering{
		site: site, found: map[wim.ChainID]map[uint64][]candidate{}, ordinals: map[wim.ChainID]int64{},
		rows: map[wim.ChainID][]savedChainRow{}, cursors: map[string]savedCursor{}, pictures: map[wim.Digest]savedPicture{},
	}
	p.each(g.take)
	return g.sort(), nil
}

// take files a row under what its columns look like.
func (g *gathering) take(r tableRow) {
	c := r.columns
	switch {
	case len(c) == 12:
		g.takeChain(r)
	case len(c) == 5, len(c) == 6 && isDigest(c[0]):
		g.takePicture(c)
	case len(c) == 4:
		device, ok := c[0].(string)
		boot, ok1 := c[1].(int64)
		seq, ok2 := c[2].(int64)
		at, ok3 := c[3].(int64)
		if ok && ok1 && ok2 && ok3 && at >= g.cursors[device].time && boot == int64(uint32(boot)) && seq == int64(uint32(seq)) { //nolint:gosec // that it fits is what is checked
			g.cursors[device] = savedCursor{wim.DeviceCursor{Device: device, Boot: uint32(boot), Seq: uint32(seq)}, at} //nolint:gosec // checked above
		}
	case len(c) == 2:
		key, ok := c[0].(string)
		text, ok1 := c[1].(string)
		if ok && ok1 {
			g.takeMeta(key, text)
		}
	default:
		g.takeRecord(r)
	}
}

func isDigest(c any) bool {
	b, ok := c.([]byte)
	return ok && len(b) == wim.DigestSize
}

// takePicture takes a row of the table picture: digest, size, added, uploaded, refused and, in some, found.
func (g *gathering) takePicture(c []any) {
	size, ok := c[1].(int64)
	added, ok1 := c[2].(int64)
	uploaded, ok2 := c[3].(int64)
	refused, ok3 := c[4].(string)
	if !isDigest(c[0]) || !ok || !ok1 || !ok2 || !ok3 {
		return
	}
	p := savedPicture{size: size, added: added, uploaded: uploaded, refused: refused}
	if len(c) == 6 {
		p.found, _ = c[5].(int64)
	}
	g.pictures[wim.Digest(c[0].([]byte))] = p
}

func (g *gathering) takeMeta(key, text string) {
	switch key {
	case "configuration":
		r, err := seal.Open([]byte(text))
		if err == nil && r.Configuration != nil && r.Site == g.site && (g.works == nil || r.Time >= g.works.Time) {
			g.works, g.worksRaw = r, text
		}
	case "rotations":
		var all []Rotated
		if json.Unmarshal([]byte(text), &all) == nil && len(all) >= len(g.rotated) {
			g.rotated = all
		}
	}
}

func (g *gathering) takeChain(r tableRow) {
	c := r.columns
	id, ok := c[1].([]byte)
	cause, ok1 := c[3].(string)
	if !ok || !ok1 || len(id) != len(wim.ChainID{}) {
		return
	}
	row := savedChainRow{ordinal: r.id, cause: cause}
	for i, into := range map[int]*wim.Digest{6: &row.headDigest, 8: &row.receipt, 11: &row.link} {
		d, ok := c[i].([]byte)
		if !ok || len(d) != wim.DigestSize {
			return
		}
		*into = wim.Digest(d)
	}
	for i, into := range map[int]*uint64{5: &row.head, 7: &row.receipted, 9: &row.epoch, 10: &row.pruned} {
		n, ok := c[i].(int64)
		if !ok || n < 0 {
			return
		}
		*into = uint64(n)
	}
	if row.started, ok = c[4].(int64); ok {
		g.rows[wim.ChainID(id)] = append(g.rows[wim.ChainID(id)], row)
	}
}

func (g *gathering) takeRecord(r tableRow) {
	raw, ok := rawOf(r)
	if !ok {
		return
	}
	rec, err := seal.Open(raw)
	if err != nil || rec.Site != g.site {
		return
	}
	d := wim.DigestOf(raw)
	of := g.found[rec.Chain]
	if of == nil {
		of = map[uint64][]candidate{}
		g.found[rec.Chain] = of
	}
	for _, c := range of[rec.Seq] {
		if c.digest == d {
			return
		}
	}
	of[rec.Seq] = append(of[rec.Seq], candidate{filed: proven(r), savedRecord: saved(rec, d)})
	if n := r.id >> seqBits; n > 0 && seqOf(r.id) == rec.Seq {
		g.ordinals[rec.Chain] = n
	}
}

// sort makes chains of what was gathered.
func (g *gathering) sort() *salvaged {
	s := &salvaged{cursors: map[string]wim.DeviceCursor{}, pictures: g.pictures, configuration: g.worksRaw}
	if g.rotated != nil {
		text, err := json.Marshal(g.rotated)
		if err == nil {
			s.rotations = string(text)
		}
	}
	for id, found := range g.found {
		if c := g.chain(id, found); c != nil {
			s.chains = append(s.chains, c)
		}
	}
	slices.SortFunc(s.chains, func(a, b *salvagedChain) int {
		switch {
		case a.ordinal != b.ordinal && a.ordinal > 0 && b.ordinal > 0:
			return int(a.ordinal - b.ordinal)
		default:
			return int(min(max(a.started-b.started, -1), 1))
		}
	})
	for i, c := range s.chains {
		c.ordinal = int64(i + 1)
		for _, seq := range c.seqs() {
			if at := c.records[seq].source; at.Device != "" {
				s.cursors[at.Device] = at
			}
		}
	}
	for device, f := range g.cursors {
		at, ok := s.cursors[device]
		switch {
		case !ok:
		case at.Boot == f.cursor.Boot && f.cursor.Seq > at.Seq:
			s.untold = append(s.untold, wim.Gap{Lane: s.laneOf(device), Device: device, Cause: wim.GapDisk, Boot: at.Boot, From: at.Seq + 1, To: f.cursor.Seq,
				Detail: "their records were lost with a damaged journal"})
		default:
			continue
		}
		s.cursors[device] = f.cursor
	}
	return s
}

// chain picks, from the newest record down, the records that link to each other.
func (g *gathering) chain(id wim.ChainID, found map[uint64][]candidate) *salvagedChain {
	c := &salvagedChain{id: id, ordinal: g.ordinals[id], records: map[uint64]savedRecord{}}
	var row *savedChainRow
	for i := range g.rows[id] {
		r := &g.rows[id][i]
		if row == nil || r.head > row.head || r.head == row.head && (r.epoch > row.epoch || r.epoch == row.epoch && r.receipted >= row.receipted) {
			row = r
		}
	}
	seqs := make([]uint64, 0, len(found))
	for seq := range found {
		seqs = append(seqs, seq)
	}
	slices.SortFunc(seqs, func(a, b uint64) int { return int(min(max(int64(b)-int64(a), -1), 1)) }) //nolint:gosec // a sequence has 40 bits
	var below uint64                                                                                // the record of which want is the digest
	var want wim.Digest
	for _, seq := range seqs {
		for _, f := range slices.Backward(found[seq]) { // what was found last is the newest
			linked := below == seq && want == f.digest
			if below == seq && !linked || below != seq && !f.filed {
				continue
			}
			c.records[seq] = f.savedRecord
			below, want = seq-1, f.prev
			break
		}
	}
	if len(c.records) == 0 {
		return nil
	}
	held := c.seqs()
	first, last := c.records[held[0]], c.records[held[len(held)-1]]
	c.head, c.headDigest = last.seq, last.digest
	c.started, c.cause = first.time, causeUnknown
	c.pruned, c.prunedLink = first.seq-1, first.prev
	if st := c.records[1].start; st != nil {
		c.cause = st.Cause
		if st.Predecessor != nil {
			c.predecessor = st.Predecessor[:]
		}
	}
	if row == nil {
		return c
	}
	c.cause, c.started = row.cause, wim.Time(row.started)
	if c.ordinal == 0 {
		c.ordinal = row.ordinal
	}
	// Pages of deleted rows give up records that were pruned, and pruned records are not held.
	if row.pruned > c.pruned && row.pruned < c.head {
		if next, ok := c.records[row.pruned+1]; !ok || next.prev == row.link {
			for seq := range c.records {
				if seq <= row.pruned {
					delete(c.records, seq)
				}
			}
			c.pruned, c.prunedLink = row.pruned, row.link
		}
	}
	// A mark is believed where it names the digest that the record has.
	at, ok := c.records[row.receipted]
	if row.receipted == c.pruned && row.receipt == c.prunedLink || ok && row.receipt == at.digest {
		c.receipted, c.receipt, c.epoch = row.receipted, row.receipt, row.epoch
	} else {
		c.receipted, c.receipt = c.pruned, c.prunedLink
	}
	if row.head > c.head { // records behind the last that was found are lost
		c.head, c.headDigest = row.head, row.headDigest
	}
	return c
}

// seqs are the sequences of the records that were saved, in order.
func (c *salvagedChain) seqs() []uint64 {
	out := make([]uint64, 0, len(c.records))
	for seq := range c.records {
		out = append(out, seq)
	}
	slices.Sort(out)
	return out
}

// missing names the ranges of records that are neither pruned nor saved.
func (c *salvagedChain) missing() []Range {
	var out []Range
	next := c.pruned + 1
	for _, seq := range c.seqs() {
		if seq > next {
			out = append(out, Range{Chain: c.id, From: next, To: seq - 1})
		}
		next = seq + 1
	}
	if next <= c.head {
		out = append(out, Range{Chain: c.id, From: next, To: c.head})
	}
	return out
}

func (s *salvaged) laneOf(device string) wim.LaneID {
	lane, at := wim.LaneID(1), wim.Time(0)
	for _, c := range s.chains {
		for _, r := range c.records {
			if r.source.Device == device && r.time >= at {
				lane, at = r.lane, r.time
			}
		}
	}
	return lane
}

// stamp names a file that is set aside.
func stamp(t time.Time) string { return t.UTC().Format("20060102T150405.000Z") }
