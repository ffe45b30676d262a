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

// The first states of a matter.
const (
	Alerted      MatterState = "alerted"
	Acknowledged MatterState = "acknowledged"
)

// Matter (线索) is what one vehicle journey raised. Suspicion (嫌疑) says that nothing in it may ground a
// decision yet: every exceeded opinion has the standing screening.
type Matter struct {
	ID        int64
	Opening   wim.RecordRef
	Lane      wim.LaneID
	Passed    wim.Time
	Opened    wim.Time
	Plates    []string
	Suspicion bool
	State     MatterState
}

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
)

// Event is one change that live views show. Ids are assigned under one lock inside the committing
// transaction, so a reader that asks for "after id" misses nothing.
type Event struct {
	ID         int64
	At         wim.Time
	Kind       EventKind
	Competence wim.Competence
	Alert      int64
	Matter     int64
}

// Officer is a person of one authority. Hash is an argon2id hash in PHC form.
type Officer struct {
	Login      string
	Name       string
	Competence wim.Competence
	Hash       string
}

// SiteState is what the centre last heard of a site.
type SiteState struct {
	Site     wim.SiteID
	Chain    wim.ChainID
	Seq      uint64   // highest contiguous sequence held
	Behind   uint64   // records held beyond a hole, not yet contiguous
	LastTime wim.Time // time in the last contiguous record
	Heard    wim.Time // when the centre last stored something of it
	Online   bool     // from the retained status message
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
