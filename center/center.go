// Package center is what the centre knows: matters, alerts, officers and events, and the pure rules by
// which a verdict becomes a matter. It never reads a clock, a store or a network.
//
// A program opens a matter (线索) and alerts both authorities; only an officer opens a case (立案). What
// was found (outcome) and what it may be used for (standing) stay side by side everywhere.
package center

import (
	"errors"

	"github.com/axlegate/axlegate/wim"
)

// Errors that callers decide on.
var (
	ErrNotFound            = errors.New("not found")
	ErrAlreadyAcknowledged = errors.New("already acknowledged")
)

// MatterState is how far a matter has come.
type MatterState string

// The states of a matter. It is closed when every alerted authority has ended its part, dismissed when all of
// them have dismissed it.
const (
	Alerted      MatterState = "alerted"
	Acknowledged MatterState = "acknowledged" // by every alerted authority
	Dispatched   MatterState = "dispatched"
	Intercepted  MatterState = "intercepted"
	Weighed      MatterState = "weighed" // on a static scale
	Closed       MatterState = "closed"
	Dismissed    MatterState = "dismissed"
)

// MatterStates lists all states in their usual order.
func MatterStates() []MatterState {
	return []MatterState{Alerted, Acknowledged, Dispatched, Intercepted, Weighed, Closed, Dismissed}
}

// Open tells whether anybody still has to do something.
func (s MatterState) Open() bool { return s != Closed && s != Dismissed }

// Matter (线索) is what one vehicle journey raised. Suspicion (嫌疑) says that nothing in it may ground a
// decision yet: every exceeded opinion has the standing screening.
//
// Version counts what officers did to it: a form that was filled in on an older one is refused (ErrStale).
// Gross and Axles sum up the latest account for lists.
type Matter struct {
	ID        int64
	Version   int64
	Opening   wim.RecordRef
	Site      wim.SiteID
	Region    Region // of the site when the matter was opened
	Lane      wim.LaneID
	Passed    wim.Time
	Opened    wim.Time
	Plates    []string
	Gross     wim.Kg
	Axles     int
	Suspicion bool
	State     MatterState
}

// End is how an authority ended its part in a matter.
type End string

// The ends; the empty one says that it has not.
const (
	Concluded    End = "concluded"
	DismissedEnd End = "dismissed"
)

// Alert tells one authority of a matter.
type Alert struct {
	ID             int64
	Matter         int64
	Competence     wim.Competence
	Outcome        wim.Outcome
	Standing       wim.Standing
	Raised         wim.Time
	AcknowledgedAt wim.Time
	AcknowledgedBy string // an officer's login

	// What the latest account's finding that weighs most in this competence exceeds; 0 where none does.
	Excess wim.Kg
	Ratio  wim.Permille

	Ended     End
	EndedAt   wim.Time
	EndedBy   string
	EndReason Reason
}

// Rejudged is what came of judging a record again at the centre.
type Rejudged string

// The results of re-judging. Differs, with the same rule set and the same judge version, is an alarm.
const (
	RejudgedSame    Rejudged = "same"
	RejudgedDiffers Rejudged = "differs"
	RejudgedPending Rejudged = "pending" // the centre does not have the rule set or judge version
)

// Entry is all a board shows of one alert: the passage with everything that supplements have added.
type Entry struct {
	Alert    Alert
	Matter   Matter
	Facts    wim.Facts   // the latest: of the passage or its last supplement
	Verdict  wim.Verdict // likewise
	Reads    []wim.PlateRead
	Order    wim.Order
	Key      string // id of the key under which the signature was verified
	Rejudged Rejudged
	Records  []wim.RecordRef // passage first, then its supplements
}

// EventKind says what happened.
type EventKind string

// The kinds of event.
const (
	AlertRaised       EventKind = "alert-raised"
	AlertAcknowledged EventKind = "alert-acknowledged"
	MatterExtended    EventKind = "matter-extended" // a supplement arrived
	MatterActed       EventKind = "matter-acted"    // an officer did something else to it
)

// Event is one change that live views show. Ids are assigned under one lock inside the committing
// transaction, so a reader that asks for "after id" misses nothing.
type Event struct {
	ID         int64
	At         wim.Time
	Kind       EventKind
	Competence wim.Competence
	Region     Region
	Alert      int64
	Matter     int64
}

// SiteState is what the centre last heard of a site.
type SiteState struct {
	Site     wim.SiteID
	Region   Region
	Chain    wim.ChainID
	Seq      uint64   // highest contiguous sequence held
	Behind   uint64   // records held beyond a hole, not yet contiguous; 10000 stands for that many or more
	LastTime wim.Time // time in the last contiguous record
	Heard    wim.Time // when the centre last stored something of it
	Online   bool     // from the retained status message
	Unread   int      // records of a kind or format that only a later build of the centre reads
	Alarms   int      // forks, quarantined segments and verdicts that differ, not yet looked into
}

// Totals counts what the centre holds since a given instant.
type Totals struct {
	Passages   int // passages whose vehicle passed since then
	Exceeded   int // by the asking competence, standing evidence
	Suspicions int // by the asking competence, standing screening
	Void       int
	Gaps       int
	Open       int // alerts of the asking competence not acknowledged, of any age
}
