package center

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/axlegate/axlegate/wim"
)

// Query says which matters of those that a viewer may see a queue shows. The zero value asks for all, newest
// first.
type Query struct {
	Plate    string // the beginning of a plate of any of the train's units, in capitals; empty for any
	Site     wim.SiteID
	Region   Region        // only in it
	From, To wim.Time      // passed at or after From and before To; 0 for no bound
	States   []MatterState // any of them; nil for all
	Standing wim.Standing  // of the viewer's alert, or for an auditor of any; empty for all
	Owed     bool          // only those in which the viewer's authority has not ended its part
	Before   int64         // only ids below, to go on where a page ended; 0 from the newest
	Limit    int           // 1 to MaxPage
}

// MaxPage bounds how many matters one page has.
const MaxPage = 200

const maxPlate = 16

// Validate tells what is wrong with a query: a *FieldError.
func (q *Query) Validate() error {
	switch {
	case utf8.RuneCountInString(q.Plate) > maxPlate:
		return &FieldError{"plate", FieldTooLong}
	case !utf8.ValidString(q.Plate):
		return &FieldError{"plate", FieldControl}
	case q.Site != "" && q.Site.Valid() != nil:
		return &FieldError{"site", FieldOutside}
	case q.Region.Valid() != nil:
		return &FieldError{"region", FieldOutside}
	case q.From < 0 || q.To < 0 || q.To != 0 && q.To <= q.From:
		return &FieldError{"to", FieldOutside}
	case q.Before < 0:
		return &FieldError{"before", FieldOutside}
	case q.Limit < 1 || q.Limit > MaxPage:
		return &FieldError{"limit", FieldOutside}
	case q.Standing != "" && q.Standing != wim.Evidence && q.Standing != wim.Screening && q.Standing != wim.Void:
		return &FieldError{"standing", FieldOutside}
	}
	for _, s := range q.States {
		if !slices.Contains(MatterStates(), s) {
			return &FieldError{"state", FieldOutside}
		}
	}
	return nil
}

// Page is a part of a queue, newest matter first.
type Page struct {
	Lines []Line
	Next  int64 // Before of the next page; 0 when there is none
	Last  int64 // id of the last event that the page includes
}

// Line is one matter of a queue.
type Line struct{ Docket }

// File is all that the page of one matter shows.
type File struct {
	Docket
	Entry // as the viewer's authority sees it; an auditor sees the first alert's
	// Accounts are the sealed records in the order in which the site wrote them, the passage first.
	Accounts []AccountHead
	Acts     []Act // in order
	// Linked are what toll and checkpoint systems said of the vehicle, in order of arrival.
	Linked []Linked
	// Pruned says that retention has removed the records' bytes: Facts, Verdict and Reads are empty.
	Pruned bool
}

// AccountHead names one sealed record of a matter and what the centre knows of it.
type AccountHead struct {
	Ref      wim.RecordRef
	Time     wim.Time // the site's clock when it was written
	Received wim.Time
	Key      string // under which its segment's signature held
	Rejudged Rejudged
	Reads    []wim.PlateRead
}

// Linked is what a toll or checkpoint system said of a matter's vehicle. No verdict rests on it.
type Linked struct {
	Ref      wim.RecordRef // the record that says so, with the site's reasons to link it
	Time     wim.Time      // the site's clock when it was written
	Received wim.Time
	Key      string // under which its segment's signature held
	// Transaction has its Link; nil where retention has removed the record's bytes.
	Transaction *wim.Transaction
}

// String names a matter in logs and in the audit trail.
func (m *Matter) String() string { return fmt.Sprintf("matter %d", m.ID) }

// MatterNamed is the id of the matter that a subject of the audit trail names as String does.
func MatterNamed(subject string) (id int64, ok bool) {
	s, ok := strings.CutPrefix(subject, "matter ")
	if !ok {
		return 0, false
	}
	id, err := strconv.ParseInt(s, 10, 64)
	return id, err == nil && id > 0
}
