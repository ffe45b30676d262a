package wim

import "fmt"

// PartKind is a kind of thing that a site works by.
type PartKind string

// The kinds of part.
const (
	PartSiteFile      PartKind = "site-file"     // the site's configuration file
	PartRules         PartKind = "rules"         // a rule set
	PartRegistrations PartKind = "registrations" // a table of vehicle licences
	PartPermits       PartKind = "permits"       // a table of permits for oversize transport (超限运输车辆通行证)
	PartHotList       PartKind = "hot-list"      // a table of plates that somebody looks for (布控)
	PartSite          PartKind = "site"          // settings from the centre: posted limits, lane purposes
	PartCalibration   PartKind = "calibration"   // the instruments' data of one lane
	PartSoftware      PartKind = "software"      // the program
	PartLegal         PartKind = "legal"         // the legally relevant packages
)

// Valid tells whether the kind is one of the known ones.
func (k PartKind) Valid() error {
	switch k {
	case PartSiteFile, PartRules, PartRegistrations, PartPermits, PartHotList, PartSite, PartCalibration, PartSoftware, PartLegal:
		return nil
	}
	return fmt.Errorf("part %q: want site-file, rules, registrations, permits, hot-list, site, calibration, software or legal", string(k))
}

// Part is one thing that a site works by, named by the digest of its bytes.
type Part struct {
	Kind    PartKind `json:"kind"`
	Name    string   `json:"name"`              // of a rule set, a table, or "lane 2"
	Version string   `json:"version,omitempty"` // as its maker counts, empty where it has none
	Digest  Digest   `json:"digest"`
}

// ConfigurationCause says why a site works by something else, or was asked to.
type ConfigurationCause string

// The causes of a configuration record.
const (
	ConfiguredAtStart    ConfigurationCause = "start"    // found at the start, other than in the last record
	ConfiguredByManifest ConfigurationCause = "manifest" // sent down by the centre
	ConfiguredByHealth   ConfigurationCause = "health"   // what was activated did not do well
	ConfiguredByOperator ConfigurationCause = "operator" // at the site, by hand
)

// ChangeOutcome is what came of a change.
type ChangeOutcome string

// The outcomes of a change.
const (
	ChangeScheduled  ChangeOutcome = "scheduled" // staged, waits for its time
	ChangeActivated  ChangeOutcome = "activated"
	ChangeRefused    ChangeOutcome = "refused"     // it does not hold; what was active stays
	ChangeRolledBack ChangeOutcome = "rolled-back" // it was active and is so no more
)

// Change is what came of one part's change.
type Change struct {
	Kind    PartKind      `json:"kind"`
	Name    string        `json:"name"`
	From    Digest        `json:"from"` // zero for a part that was not there
	To      Digest        `json:"to"`   // zero for a part that is taken away
	Outcome ChangeOutcome `json:"outcome"`
	Reason  string        `json:"reason,omitempty"` // in words, where it was refused or rolled back
}

// SiteConfiguration accounts for what a site works by from this record on. It is also the site's answer to a
// manifest of the centre: sealed, in order with the passages judged by it.
type SiteConfiguration struct {
	Cause ConfigurationCause `json:"cause"`
	// Serial is the number of the centre's manifest that asked for the change, 0 for none.
	Serial  uint64   `json:"serial,omitempty"`
	Active  []Part   `json:"active"` // all that is active, by kind and name
	Changed []Change `json:"changed"`
}

// Rotation replaces the chain's signing key. The segment that carries it is signed by the old key; the new one
// countersigns in it, so that neither can be had without the other.
type Rotation struct {
	Old string `json:"old"` // id of the key so far
	New string `json:"new"` // id of the key from here on
	Key []byte `json:"key"` // the new public key, PKIX DER, base64 in JSON
	// Countersignature is a JWS of the new key over site, chain and both ids.
	Countersignature string `json:"countersignature"`
}
