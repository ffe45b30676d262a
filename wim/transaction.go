package wim

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// TransactionType says what a system beside the road did with a vehicle.
type TransactionType string

// The types of transaction.
const (
	TransactionWeighing TransactionType = "static-weighing" // weighed at rest at a checkpoint
	TransactionEntry    TransactionType = "toll-entry"      // let in at a toll entrance, weighed there or not (入口称重)
	TransactionTurnBack TransactionType = "turn-back"       // turned away at a toll entrance (劝返)
	TransactionExit     TransactionType = "toll-exit"       // left at a toll exit
	TransactionGantry   TransactionType = "gantry"          // passed a toll gantry (门架)
	// TransactionNoShow is the site's own account: a vehicle was directed to the system's scale, and no weighing of it came in time
	// (未进站). Its ID is NoShowOf the passage, its Time when the time was over.
	TransactionNoShow TransactionType = "no-show"
)

// TransactionTypes lists all types.
func TransactionTypes() []TransactionType {
	return []TransactionType{TransactionWeighing, TransactionEntry, TransactionTurnBack, TransactionExit, TransactionGantry, TransactionNoShow}
}

// NoShowOf names the account that a passage's vehicle did not come.
func NoShowOf(passage RecordRef) string {
	return "no-show of " + passage.Chain.String() + "/" + strconv.FormatUint(passage.Seq, 10)
}

// Payment is how a toll was settled; empty where nobody said.
type Payment string

// The ways.
const (
	PaidETC    Payment = "etc" // without a stop
	PaidManual Payment = "manual"
)

// Transaction is what a toll or checkpoint system said of one vehicle, as it said it: the site has measured none of it. What the
// system did not say is zero or empty.
//
// A transaction is told once, when it comes. Where it was not known then which passage it belongs to, and is later, a second record
// tells it again with its Link, and names the First.
type Transaction struct {
	System string          `json:"system"` // as the site's configuration names it
	ID     string          `json:"id"`     // the system's own, unique within System
	Type   TransactionType `json:"type"`
	Time   Time            `json:"time"` // by the system's clock
	// TimeUnsure says that the system's clock passed that time twice, as at the end of summer time.
	TimeUnsure bool `json:"time_unsure,omitempty"`
	Arrival    Time `json:"arrival"` // the site's clock
	// Station and Lane are the system's own names of where it was.
	Station string     `json:"station,omitempty"`
	Lane    string     `json:"station_lane,omitempty"`
	Plate   string     `json:"plate,omitempty"`   // normalised; the drawing vehicle's
	Trailer string     `json:"trailer,omitempty"` // normalised
	Color   PlateColor `json:"color,omitempty"`
	Gross   Kg         `json:"gross_kg,omitempty"`
	// Permitted is the gross mass that the system took for permitted.
	Permitted Kg     `json:"permitted_kg,omitempty"`
	Axles     uint8  `json:"axles,omitempty"`
	AxleType  string `json:"axle_type,omitempty"` // in the system's own scheme
	// Ticket names a weighing's slip, Scale the instrument, Journey a toll passage from its entry on (passId).
	Ticket  string     `json:"ticket,omitempty"`
	Scale   string     `json:"scale,omitempty"`
	By      string     `json:"by,omitempty"` // login of the person who said which vehicle it is; empty for a system's own word
	Journey string     `json:"journey,omitempty"`
	Payment Payment    `json:"payment,omitempty"`
	Entry   *TollPlace `json:"entry,omitempty"` // what an exit says of the entry

	Link *Link `json:"link,omitempty"`
}

// TollPlace is what a toll exit says of the vehicle's entry.
type TollPlace struct {
	Station string `json:"station,omitempty"`
	Time    Time   `json:"time,omitempty"`
	Gross   Kg     `json:"gross_kg,omitempty"`
	Axles   uint8  `json:"axles,omitempty"`
}

// LinkGround is why a transaction is taken for one of a passage's vehicle.
type LinkGround string

// The grounds. One of the first two is always among them, for without a plate nothing is linked; but for a no-show, which has Directed
// alone.
const (
	SamePlate      LinkGround = "same-plate"
	LookAlikePlate LinkGround = "look-alike-plate" // one may be the other misread, and it is the only vehicle of which that can be said
	SameColor      LinkGround = "same-color"
	SameAxles      LinkGround = "same-axle-count"
	Directed       LinkGround = "directed" // the passage's driver was shown to enter
)

// Link says which passage of the site a transaction belongs to, and how the two differ. It is the site's conclusion, not the
// system's word, and no verdict rests on it.
type Link struct {
	Of RecordRef `json:"of"` // the passage
	// First is the record that told the transaction without a Link; nil where this one is the first.
	First       *RecordRef   `json:"first,omitempty"`
	Grounds     []LinkGround `json:"grounds"`
	Differences []Difference `json:"differences,omitempty"`
}

// DifferenceKind says what two accounts of one vehicle differ in.
type DifferenceKind string

// The kinds. Masses are in kilograms, axles are counts, plates and colours stand in the records.
const (
	GrossDiffers      DifferenceKind = "gross"       // the passage's and the transaction's
	AxlesDiffer       DifferenceKind = "axle-count"  // likewise
	PlateDiffers      DifferenceKind = "plate"       // likewise
	ColorDiffers      DifferenceKind = "plate-color" // likewise
	EntryGrossDiffers DifferenceKind = "entry-gross" // the entry's and the exit's, or the passage's where the exit has none
	EntryAxlesDiffer  DifferenceKind = "entry-axle-count"
)

// Difference is one thing in which two accounts of a vehicle differ: it was One there and is Other here, by Share of One.
type Difference struct {
	Kind  DifferenceKind `json:"kind"`
	One   int32          `json:"one,omitempty"`
	Other int32          `json:"other,omitempty"`
	Share Permille       `json:"share_permille,omitempty"` // |Other − One| ÷ One, rounded down, at most a million
}

// Compare lists how a transaction differs from a passage that it was linked to. A mass is a difference where it lies further
// than tolerance of the first one off; of what either side does not say nothing is told. plate and color are those of the passage
// that the transaction's were found alike to, gross and axles what the site weighed and counted.
func (t *Transaction) Compare(gross Kg, axles int, plate string, color PlateColor, tolerance Permille) []Difference {
	var out []Difference
	mass := func(k DifferenceKind, one, other Kg) {
		if one <= 0 || other <= 0 {
			return
		}
		d := int64(other) - int64(one)
		if d < 0 {
			d = -d
		}
		share := d * 1000 / int64(one)
		if d*1000 > int64(tolerance)*int64(one) {
			out = append(out, Difference{k, int32(one), int32(other), Permille(min(share, 1_000_000))})
		}
	}
	count := func(k DifferenceKind, one, other int) {
		if one > 0 && other > 0 && one != other {
			out = append(out, Difference{Kind: k, One: int32(one), Other: int32(other)})
		}
	}
	mass(GrossDiffers, gross, t.Gross)
	count(AxlesDiffer, axles, int(t.Axles))
	if t.Plate != "" && plate != "" && t.Plate != plate {
		out = append(out, Difference{Kind: PlateDiffers})
	}
	if t.Color != "" && color != "" && t.Color != color {
		out = append(out, Difference{Kind: ColorDiffers})
	}
	if e := t.Entry; e != nil {
		if t.Gross > 0 {
			mass(EntryGrossDiffers, e.Gross, t.Gross)
		} else {
			mass(EntryGrossDiffers, e.Gross, gross)
		}
		if t.Axles > 0 {
			count(EntryAxlesDiffer, int(e.Axles), int(t.Axles))
		} else {
			count(EntryAxlesDiffer, int(e.Axles), axles)
		}
	}
	return out
}

// maxTold bounds what a system says in words, in bytes.
const maxTold = 128

// Valid tells what a site does not take in.
func (t *Transaction) Valid() error {
	if t.System == "" || t.ID == "" {
		return errors.New("a transaction without a system or a name of its own")
	}
	if !slices.Contains(TransactionTypes(), t.Type) {
		return fmt.Errorf("a transaction of type %q", string(t.Type))
	}
	if t.Time <= 0 {
		return errors.New("a transaction without a time")
	}
	texts := []string{t.ID, t.Station, t.Lane, t.Plate, t.Trailer, t.AxleType, t.Ticket, t.Scale, t.Journey, string(t.Color), string(t.Payment), t.By}
	entry := TollPlace{}
	if t.Entry != nil {
		entry = *t.Entry
	}
	for _, text := range append(texts, entry.Station) {
		if len(text) > maxTold {
			return fmt.Errorf("a transaction with a text of %d bytes, at most %d are taken", len(text), maxTold)
		}
	}
	for _, m := range []Kg{t.Gross, t.Permitted, entry.Gross} {
		if m < 0 || m > 1_000_000 {
			return fmt.Errorf("a transaction with a mass of %d kg", m)
		}
	}
	return nil
}
