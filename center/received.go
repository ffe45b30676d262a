package center

import "github.com/axlegate/axlegate/wim"

// Received is a record as the intake stored it, in its order of intake.
type Received struct {
	Intake int64 // from 1, without holes, in the order in which records were stored
	Ref    wim.RecordRef
	Raw    []byte
}

// Reviewed is what the review made of a received record.
type Reviewed struct {
	Received
	// Record is the decoded record. One that this build cannot read has only its header.
	Record *wim.Record
	// Rejudged is empty for a record that carries no verdict.
	Rejudged Rejudged
	// Opaque says that the record is of a kind or format that only a later build reads.
	Opaque bool
	// Detail says how a verdict differs, or why the record could not be read; it goes into the alarm.
	Detail string
}

// Judging names what a verdict was made with. Only the same rule set and the same judge version can be held
// to the same verdict.
type Judging struct {
	Rules wim.Digest
	Judge string
}

// Effect counts what a review has changed.
type Effect struct {
	Reviewed int // records taken note of for the first time
	Opened   int // matters
	Raised   int // alerts
	Extended int // matters that a supplement changed
	Waiting  int // supplements put aside because their passage is not here yet
	Settled  int // verdicts that could be judged again at last
}

// AlarmKind says what an alarm is about.
type AlarmKind string

// The kinds of alarm.
const (
	AlarmFork       AlarmKind = "fork"                // two records under one name
	AlarmLink       AlarmKind = "broken-link"         // a record does not link to the one before it
	AlarmQuarantine AlarmKind = "quarantine"          // input of a site that could not be believed or read
	AlarmVerdict    AlarmKind = "verdict-differs"     // the same set and judge gave another verdict here
	AlarmSupplement AlarmKind = "supplement-mismatch" // a supplement names a record by a digest it does not have
	AlarmUnreadable AlarmKind = "unreadable"          // a stored record that this build cannot decode
	AlarmMissing    AlarmKind = "record-missing"      // a tombstone: the site could not send a record
	AlarmVersion    AlarmKind = "version"             // a segment of a version that this build does not read
	AlarmTwins      AlarmKind = "twins"               // two daemons take turns under one name
	AlarmRotation   AlarmKind = "rotation-refused"    // a key rotation that the new key did not countersign
)

// Alarm is something about a site that a person should look into. The same thing again only raises Count.
type Alarm struct {
	Kind    AlarmKind
	Site    wim.SiteID
	Subject string // what exactly: a record, a reason
	Detail  string
	First   wim.Time
	Last    wim.Time
	Count   int
}

// Trace is one line of the audit trail: what a person did.
type Trace struct {
	ID      int64
	At      wim.Time
	Login   string
	Action  string
	Subject string
	Detail  string
}
