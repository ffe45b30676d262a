package dossier

import (
	"fmt"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// Version is the version of Contents that this build writes and reads.
const Version = 1

// The files that every dossier has.
const (
	manifestName = "manifest.jws" // the centre's signature over the list of all other files
	contentsName = "dossier.json"
	sumsName     = "SHA256SUMS"
	readmeZh     = "README.zh.md"
	readmeEn     = "README.en.md"
)

// Contents is dossier.json: what is in a dossier and what the centre says of it. Names of files are from the root.
type Contents struct {
	Version  int       `json:"v"`
	Made     wim.Time  `json:"made"`    // the centre's clock
	By       string    `json:"made_by"` // login of the officer who asked for it
	Software string    `json:"software"`
	Epoch    uint64    `json:"epoch"` // of the centre's store, as the receipts name it
	Center   string    `json:"centre_key"`
	Matter   Matter    `json:"matter"`
	Alerts   []Alert   `json:"alerts"`
	Cases    []Case    `json:"cases"`
	Acts     []Act     `json:"acts"`
	Records  []Record  `json:"records"`
	Pictures []Picture `json:"pictures"`
	Rules    []RuleSet `json:"rule_sets"`
	Keys     []Key     `json:"keys"`
	Missing  []Missing `json:"missing"` // what belongs here and the centre does not have
}

// Matter is what the centre opened.
type Matter struct {
	ID        int64              `json:"id"`
	Site      wim.SiteID         `json:"site"`
	Region    center.Region      `json:"region"`
	Lane      wim.LaneID         `json:"lane"`
	Passed    wim.Time           `json:"passed"`
	Opened    wim.Time           `json:"opened"`
	Plates    []string           `json:"plates"`
	Suspicion bool               `json:"suspicion"`
	State     center.MatterState `json:"state"`
}

// Alert is what one authority was told, and how it ended its part.
type Alert struct {
	Competence   wim.Competence `json:"competence"`
	Outcome      wim.Outcome    `json:"outcome"`
	Standing     wim.Standing   `json:"standing"`
	Raised       wim.Time       `json:"raised"`
	Acknowledged wim.Time       `json:"acknowledged"`
	By           string         `json:"acknowledged_by"`
	End          center.End     `json:"end"`
	Ended        wim.Time       `json:"ended"`
	EndedBy      string         `json:"ended_by"`
	Reason       center.Reason  `json:"end_reason"`
}

// Case is what an officer opened under the authority's own number.
type Case struct {
	Competence wim.Competence `json:"competence"`
	Number     string         `json:"number"`
	Opened     wim.Time       `json:"opened"`
	Login      string         `json:"login"`
}

// Act is what an officer did.
type Act struct {
	Version    int64          `json:"version"` // of the matter once it was done
	At         wim.Time       `json:"at"`
	Login      string         `json:"login"`
	Competence wim.Competence `json:"competence"`
	Kind       center.ActKind `json:"kind"`
	Details    center.Details `json:"details"`
}

// Record is one sealed record with what signs it.
type Record struct {
	Ref      wim.RecordRef  `json:"ref"`
	Kind     wim.RecordKind `json:"kind"`
	File     string         `json:"file"`    // the record's bytes, or a tombstone's JWS
	Segment  string         `json:"segment"` // file of the JWS that signs it
	Key      string         `json:"key"`     // id of the key under which the segment holds
	Receipt  string         `json:"receipt,omitempty"`
	Received wim.Time       `json:"received"` // the centre's clock when it was stored
}

// Picture is one picture that a record names.
type Picture struct {
	Digest wim.Digest `json:"sha256"`
	File   string     `json:"file,omitempty"` // empty when the centre does not have it
}

// RuleSet is the law, as data, by which a record was judged.
type RuleSet struct {
	Digest wim.Digest `json:"sha256"`
	File   string     `json:"file,omitempty"` // empty when the centre does not have it
}

// Whose a key is.
const (
	OfSite   = "site"
	OfCenter = "centre"
)

// Key is a public key and what the centre knows of how it came to be believed.
type Key struct {
	ID        string     `json:"id"` // RFC 7638 thumbprint
	Algorithm string     `json:"alg"`
	File      string     `json:"file"` // PKIX, PEM
	Of        string     `json:"of"`   // "site" or "centre"
	Site      wim.SiteID `json:"site,omitempty"`
	Source    string     `json:"source"`          // SourceConfigured, SourceCode or SourceRotation
	By        string     `json:"by,omitempty"`    // who enrolled it, where that is known
	Since     wim.Time   `json:"since,omitempty"` // from when the centre believed it, 0 unknown
	Until     wim.Time   `json:"until,omitempty"` // until when, 0 still
}

// Missing is one thing that belongs into a dossier and that the centre does not have.
type Missing struct {
	What string `json:"what"` // one of the words below
	Name string `json:"name"` // its digest, id, chain, or chain and sequence
}

// What may be missing.
const (
	MissingReceipt = "receipt"  // of a record: some before it have not arrived
	MissingStart   = "start"    // the first record of a chain
	MissingPicture = "picture"  // it has not arrived, or was removed
	MissingRules   = "rule-set" // this centre does not have it
	MissingKey     = "key"      // the centre no longer has it
)

func recordFile(r wim.RecordRef) string {
	return fmt.Sprintf("records/%s-%d.json", r.Chain, r.Seq)
}

func segmentFile(c wim.ChainID, from uint64) string {
	return fmt.Sprintf("segments/%s-%d.jws", c, from)
}

func receiptFile(r wim.RecordRef) string {
	return fmt.Sprintf("receipts/%s-%d.jws", r.Chain, r.Seq)
}

func pictureFile(d wim.Digest) string { return "pictures/" + d.String() + ".jpg" }

func rulesFile(d wim.Digest) string { return "rules/" + d.String() + ".yaml" }

func keyFile(id string) string { return "keys/" + id + ".pem" }
