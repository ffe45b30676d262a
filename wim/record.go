package wim

// RecordFormat is the version of Record's fields that this build writes. It reads this one and all before it.
// Format 2 names the software and its legally relevant part by digest, and brought configuration and key
// rotation records.
const RecordFormat = 2

// RecordKind says what a record is an account of.
type RecordKind string

// The kinds of record this build knows. A centre holds a kind it does not know opaque.
const (
	KindStart      RecordKind = "chain-start" // the first record of every chain
	KindPassage    RecordKind = "passage"
	KindSupplement RecordKind = "supplement" // adds to an earlier record; never edits it
	KindGap        RecordKind = "gap"        // what could not be weighed or written
	// KindConfiguration says by what the site works from here on: since format 2.
	KindConfiguration RecordKind = "configuration"
	// KindRotation replaces the key that signs the chain's segments: since format 2.
	KindRotation RecordKind = "key-rotation"
	// KindTransaction is what a toll or checkpoint system said of a vehicle: since format 2.
	KindTransaction RecordKind = "transaction"
	// KindEvent is a change around the scales that a contact told: since format 2.
	KindEvent RecordKind = "event"
	// KindTombstone is never written to a chain. It is what a signed tombstone opens as, which stands for a
	// record whose bytes are lost or can never be sent.
	KindTombstone RecordKind = "tombstone"
)

// Record is one account, linked to the one before it. Once sealed its bytes never change. Exactly one of
// the bodies is set, as Kind says.
type Record struct {
	Format   int        `json:"format"`
	Site     SiteID     `json:"site"`
	Chain    ChainID    `json:"chain"`
	Seq      uint64     `json:"seq"`  // from 1 in every chain
	Prev     Digest     `json:"prev"` // digest of record Seq-1; zero for the first
	Nonce    Nonce      `json:"nonce"`
	Kind     RecordKind `json:"kind"`
	Time     Time       `json:"time"` // the site's clock when the account was written
	Clock    ClockState `json:"clock"`
	Software Software   `json:"software"`

	Start      *ChainStart `json:"chain_start,omitempty"`
	Passage    *Passage    `json:"passage,omitempty"`
	Supplement *Supplement `json:"supplement,omitempty"`
	Gap        *Gap        `json:"gap,omitempty"`

	Configuration *SiteConfiguration `json:"configuration,omitempty"`
	Rotation      *Rotation          `json:"key_rotation,omitempty"`
	Transaction   *Transaction       `json:"transaction,omitempty"`
	Event         *Event             `json:"event,omitempty"`
}

// Urgent tells whether someone waits for the record: it is sealed and sent at once.
func (r *Record) Urgent() bool {
	switch {
	case r.Passage != nil:
		return r.Passage.Verdict.Alerts()
	case r.Supplement != nil:
		return r.Supplement.Verdict.Alerts()
	case r.Transaction != nil:
		// At the static scale and at a gate officers stand and wait for it.
		switch r.Transaction.Type {
		case TransactionWeighing, TransactionTurnBack, TransactionNoShow:
			return true
		case TransactionEntry, TransactionExit, TransactionGantry:
		}
	}
	return false
}

// Software names what wrote a record: the whole program, and apart from it the legally relevant packages, which
// a certificate names, so that a new page or driver voids none. What follows Config is zero in format 1.
type Software struct {
	Build  string `json:"build"`  // version of the whole program
	Config Digest `json:"config"` // digest of the active configuration file
	// BuildDigest is the SHA-256 of the program's file.
	BuildDigest Digest `json:"build_digest,omitzero"`
	// Legal is the version of the legally relevant packages and LegalDigest what their sources come to.
	Legal       string `json:"legal,omitempty"`
	LegalDigest Digest `json:"legal_digest,omitzero"`
	// Calibration is the digest of the instruments' data: certificates, limits of use, factors.
	Calibration Digest `json:"calibration,omitzero"`
}

// RecordRef names a record for ever.
type RecordRef struct {
	Site   SiteID  `json:"site"`
	Chain  ChainID `json:"chain"`
	Seq    uint64  `json:"seq"`
	Digest Digest  `json:"digest"`
}

// ChainStart opens a chain. A chain that follows another names the predecessor's last receipted record.
type ChainStart struct {
	Cause       string   `json:"cause"` // "new-journal", "fork", "damaged-journal", "restored", "key-lost"
	Key         string   `json:"key"`   // id of the key that signs the chain's segments until it is rotated
	Predecessor *ChainID `json:"predecessor,omitempty"`
	Receipted   uint64   `json:"receipted,omitempty"` // predecessor's last receipted sequence
	Digest      Digest   `json:"receipted_digest"`
}

// Order is what the driver was shown.
type Order string

// The orders.
const (
	OrderNone    Order = ""              // nothing was shown; no sign, or it did not answer
	OrderProceed Order = "proceed"       // the sign stays clear
	OrderEnter   Order = "enter-station" // leave the road for the static scale (引导进站精检)
)

// Passage is the account of one vehicle's way over the scale.
type Passage struct {
	Source  DeviceCursor `json:"source"` // the vehicle-end message it rests on
	Facts   Facts        `json:"facts"`
	Verdict Verdict      `json:"verdict"`
	Reads   []PlateRead  `json:"reads"`
	Order   Order        `json:"order,omitempty"`
}

// The causes of a supplement.
const (
	SupplementPlate        = "late-plate"   // a plate was read, or delivered, after the passage was recorded
	SupplementRegistration = "registration" // the centre told what a vehicle is registered for: since format 2
	SupplementKeyed        = "keyed"        // staff of the site keyed plates or licences: since format 2
	SupplementSize         = "size"         // a laser unit's dimensions came after the vehicle's end: since format 2
	SupplementRetraction   = "retraction"   // the controller took the vehicle back, which makes its weighing void: since format 2
)

// Supplement adds to a passage what came later, with complete facts and a verdict of its own.
type Supplement struct {
	Of      RecordRef   `json:"of"`
	Cause   string      `json:"cause"`        // one of those above
	By      string      `json:"by,omitempty"` // the login of who keyed it, for SupplementKeyed: since format 2
	Facts   Facts       `json:"facts"`
	Verdict Verdict     `json:"verdict"`
	Reads   []PlateRead `json:"reads"` // the new reads
}

// GapCause says why there is a gap.
type GapCause string

// The causes of a gap.
const (
	GapFirstContact GapCause = "first-contact"  // the device had sent messages before the site knew it
	GapSequence     GapCause = "sequence"       // messages of one boot are missing
	GapRestart      GapCause = "device-restart" // the device started anew; what it sent at the end of the old boot is unknown
	GapDisk         GapCause = "disk"           // the site could not write
	GapEndless      GapCause = "no-vehicle-end" // axles came, their vehicle end did not
)

// Gap accounts for device messages that reached no passage: of boot Boot, sequences From to To inclusive.
// In GapRestart the old boot's messages after its last known one are lost too, in unknown number.
type Gap struct {
	Lane   LaneID   `json:"lane"`
	Device string   `json:"device"`
	Cause  GapCause `json:"cause"`
	Boot   uint32   `json:"boot"`
	From   uint32   `json:"from"`
	To     uint32   `json:"to"`
	Since  Time     `json:"since"` // last message before the gap, 0 unknown
	Until  Time     `json:"until"` // first message after it
	Detail string   `json:"detail,omitempty"`
	// LastBoot and LastSeq are the last known message of the boot before, for GapRestart.
	LastBoot uint32 `json:"last_boot,omitempty"`
	LastSeq  uint32 `json:"last_seq,omitempty"`
}
