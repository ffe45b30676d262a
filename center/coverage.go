package center

import (
	"slices"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// CoverageQuery asks what a site's records account for in a period: From up to, not including, To.
type CoverageQuery struct {
	Site     wim.SiteID
	Lane     wim.LaneID // 0 for all
	From, To wim.Time
}

// MaxCoverage bounds the period of one question, MaxGaps what is listed one by one.
const (
	MaxCoverage = 31 * 24 * time.Hour
	MaxGaps     = 1000
)

// Slots is into how many stretches of equal length a period is cut for its bars.
const Slots = 96

// Validate tells what is wrong with a question: a *FieldError.
func (q *CoverageQuery) Validate() error {
	switch {
	case q.Site.Valid() != nil:
		return &FieldError{"site", FieldOutside}
	case q.From <= 0:
		return &FieldError{"from", FieldOutside}
	case q.To <= q.From || q.To.Sub(q.From) > MaxCoverage:
		return &FieldError{"to", FieldOutside}
	}
	return nil
}

// Slot is the number of the stretch that a time lies in; below 0 or from Slots on it lies outside.
func (q *CoverageQuery) Slot(t wim.Time) int {
	if t < q.From {
		return -1
	}
	return int(t.Sub(q.From) / q.step())
}

// step is the length of a stretch; the last may be a little shorter.
func (q *CoverageQuery) step() time.Duration {
	return max((q.To.Sub(q.From)+Slots-1)/Slots, 1)
}

// Bounds are the times between which a stretch lies.
func (q *CoverageQuery) Bounds(slot int) (from, to wim.Time) {
	from = q.From.Add(time.Duration(slot) * q.step())
	return min(from, q.To), min(from.Add(q.step()), q.To)
}

// Cover says what is known of a stretch of time on a lane.
type Cover string

// The kinds of stretches, gravest last.
const (
	CoverPassages Cover = "passages" // vehicles were recorded
	CoverQuiet    Cover = "quiet"    // nothing was recorded, and the chain goes on behind it without a hole
	CoverGap      Cover = "gap"      // a sealed gap says that something is missing
	CoverUnknown  Cover = "unknown"  // the centre does not hold what the site wrote then, or the site did not run yet
)

// Covers lists all kinds.
func Covers() []Cover { return []Cover{CoverPassages, CoverQuiet, CoverGap, CoverUnknown} }

// Coverage is what a site's records account for: what passed is in a record or inside a sealed gap, up to Until.
type Coverage struct {
	CoverageQuery
	Region Region
	// Began is the time of the site's first record, 0 where retention has removed it. Until is the time of the last
	// record of the current chain before any hole: beyond it nothing is known yet.
	Began, Until wim.Time
	Lanes        []LaneCover // by number
	Gaps         []SealedGap // by the end of the gap, at most MaxGaps
	Missing      []Missing   // by sequence, at most MaxGaps
	Holes        []Hole      // of all chains of the site, not only in the period
	More         bool        // there are more gaps or missing records than are listed
	Pruned       bool        // retention has removed records of the period, which are then not counted
}

// LaneCover is one lane's part.
type LaneCover struct {
	Lane     wim.LaneID // 0 for passages that were counted before lanes were noted
	Passages int
	Void     int // of which could not be measured
	Gaps     int
	Messages uint64 // of the device that the gaps name as missing
	Slots    [Slots]Cover
}

// SealedGap is a gap that a site sealed, with the record that says so.
type SealedGap struct {
	wim.Gap
	Ref    wim.RecordRef
	Sealed wim.Time
}

// Missing is a record whose bytes a site could not send: a tombstone keeps its place in the chain.
type Missing struct {
	Ref    wim.RecordRef
	Kind   wim.RecordKind // of the lost record; empty where it is unknown
	Time   wim.Time       // of the lost record; when the tombstone came where that is unknown
	Reason string
}

// Hole is a part of a chain that has not come yet although what follows it has.
type Hole struct {
	Chain wim.ChainID
	// From and To are the first and the last missing sequence of the first hole; Held is how many records are held
	// behind it, 10000 for that many or more.
	From, To uint64
	Held     int
	Since    wim.Time // time of the last record before the hole
}

// Messages is how many messages of the device a gap names as missing.
func (g *SealedGap) Messages() uint64 {
	if g.To < g.From {
		return 0
	}
	return uint64(g.To) - uint64(g.From) + 1
}

// Span is between which times something is missing. Where the gap does not say its end it is when it was sealed, and
// where it does not say its beginning, it is its end.
func (g *SealedGap) Span() (since, until wim.Time) {
	until = g.Until
	if until == 0 {
		until = g.Sealed
	}
	if since = g.Since; since == 0 || since > until {
		since = until
	}
	return since, until
}

// meets tells whether a gap touches a stretch of time.
func (g *SealedGap) meets(from, to wim.Time) bool {
	since, until := g.Span()
	return since < to && until >= from
}

// NewCoverage puts together what a period looks like. passed counts passages and void ones by lane and slot.
func NewCoverage(c Coverage, passed map[wim.LaneID]*[Slots][2]int) Coverage {
	lanes := map[wim.LaneID]*LaneCover{}
	var numbers []wim.LaneID
	lane := func(n wim.LaneID) *LaneCover {
		if lanes[n] == nil {
			lanes[n] = &LaneCover{Lane: n}
			numbers = append(numbers, n)
		}
		return lanes[n]
	}
	for n, slots := range passed {
		l := lane(n)
		for i, s := range slots {
			l.Passages, l.Void = l.Passages+s[0], l.Void+s[1]
			if s[0] > 0 {
				l.Slots[i] = CoverPassages
			}
		}
	}
	for i := range c.Gaps {
		l := lane(c.Gaps[i].Lane)
		l.Gaps, l.Messages = l.Gaps+1, l.Messages+c.Gaps[i].Messages()
	}
	slices.Sort(numbers)
	for _, n := range numbers {
		l := lanes[n]
		for i := range l.Slots {
			l.Slots[i] = c.cover(n, i, l.Slots[i])
		}
		c.Lanes = append(c.Lanes, *l)
	}
	return c
}

// cover judges one stretch: a gap is shown although vehicles were recorded beside it.
func (c *Coverage) cover(lane wim.LaneID, slot int, counted Cover) Cover {
	from, to := c.Bounds(slot)
	for i := range c.Gaps {
		if c.Gaps[i].Lane == lane && c.Gaps[i].meets(from, to) {
			return CoverGap
		}
	}
	switch {
	case counted != "":
		return counted
	case to <= c.Until && from >= c.Began && !c.Pruned && !c.holed(from, to):
		return CoverQuiet
	}
	return CoverUnknown
}

// holed tells whether a record that is missing, and may be a passage, lies in a stretch of time.
func (c *Coverage) holed(from, to wim.Time) bool {
	for _, m := range c.Missing {
		if m.Time >= from && m.Time < to {
			return true
		}
	}
	return false
}
