package rules

import (
	"github.com/axlegate/axlegate/wim"
)

// Version names the judging code. It changes whenever the same set and facts could give another verdict.
const Version = "2"

// Set is a compiled rule set. What it says is immutable: any number of goroutines may judge with it. Inside, it keeps what it
// has worked out for vehicles that are made up alike.
type Set struct {
	id      string
	version string
	title   Text
	digest  wim.Digest
	file    *File // one of format 1 in the words of format 2

	uncertifiedMass wim.Permille
	uncertifiedAxle wim.Permille
	uncertifiedSize int64
	crew            wim.Kg

	roads       []string // classes that limits tell apart; bit i of a road word is the i-th
	presumes    []presumption
	groups      []grouping
	bridges     int32 // the largest distance of neighbours that some group bridges
	competences []competence
	ladders     []ladder
	perAxle     bool // some limit asks what its axles are

	plans *planner // nil for a set whose vehicles are all judged at length
}

// ID is the set's name, such as "cn".
func (s *Set) ID() string { return s.id }

// Version is the set's own, as its makers count; empty for one of format 1.
func (s *Set) Version() string { return s.version }

// Title is the set's name for people, in English.
func (s *Set) Title() string { return s.title.In("en") }

// TitleIn is the set's name for people in a language, "zh" or "en".
func (s *Set) TitleIn(lang string) string { return s.title.In(lang) }

// Digest is the SHA-256 digest of the bytes that the set was loaded from.
func (s *Set) Digest() wim.Digest { return s.digest }

// File is the set as it was written, one of format 1 in the words of format 2. It must not be changed.
func (s *Set) File() *File { return s.file }

// competence is one authority's limits, in the order of the file.
type competence struct {
	name       wim.Competence
	spares     kinds // of vehicles that it is not for
	needsPlate bool  // its findings rest on a registration, so a doubtful plate makes them doubtful
	limits     []limit
}

// basis says which quantity a limit is about and where the permitted value comes from.
type basis uint8

const (
	onGross basis = iota + 1
	onAxle
	onGroup
	onRun
	onAxleSum
	onLength
	onWidth
	onHeight
	postedGross
	postedAxle
	postedLength
	postedWidth
	postedHeight
	ratedLoad    // cargo against the rated loads of all units
	licenceGross // gross of a truck alone against its licence
	towedMass    // gross less the tractor's kerb mass against what it may tow
)

// bases is the one list of names; its index is the basis.
func bases() []string {
	return []string{
		"", "gross", "axle", "group", "run", "axle-sum", "length", "width", "height",
		"posted-gross", "posted-axle", "posted-length", "posted-width", "posted-height", "rated-load", "licence-gross", "towed-mass",
	}
}

// cases tells whether the permitted value stands in the limit's rows.
func (b basis) cases() bool { return b <= onRun || b >= onLength && b <= onHeight }

// sized tells whether the limit is about a length.
func (b basis) sized() bool {
	return b >= onLength && b <= onHeight || b >= postedLength && b <= postedHeight
}

func (b basis) scope() wim.ScopeKind {
	switch b {
	case onAxle, postedAxle:
		return wim.ScopeAxle
	case onGroup:
		return wim.ScopeGroup
	case onRun:
		return wim.ScopeRun
	case onAxleSum:
		return wim.ScopeAxleSum
	case onLength, postedLength:
		return wim.ScopeLength
	case onWidth, postedWidth:
		return wim.ScopeWidth
	case onHeight, postedHeight:
		return wim.ScopeHeight
	case ratedLoad:
		return wim.ScopeCargo
	case licenceGross:
		return wim.ScopeLicence
	case towedMass:
		return wim.ScopeTowed
	case onGross, postedGross:
	}
	return wim.ScopeGross
}

// span is a closed range of counts.
type span struct{ low, high uint8 }

func (s span) has(n uint8) bool     { return n >= s.low && n <= s.high }
func (s span) overlaps(o span) bool { return s.low <= o.high && o.low <= s.high }

// reach is a closed range of millimetres.
type reach struct{ low, high int32 }

func (r reach) has(n int32) bool      { return n >= r.low && n <= r.high }
func (r reach) meets(o reach) bool    { return r.low <= o.high && o.low <= r.high }
func (r reach) contains(o reach) bool { return r.low <= o.low && o.high <= r.high }

// most is the number of axles from which a law's cases are looked for among all that hold for so many and more.
const most = 8

// limit is one thing that a law limits.
type limit struct {
	id            string
	basis         basis
	scope         wim.ScopeKind // the basis's
	sized         bool          // the limit is about a length
	rows          []row
	permit        bool
	permitArticle string // by which a permit raises it
	informs       bool
	only          bool  // it limits some vehicles only and is silent of others
	wholeGroups   bool  // of runs that split a group it says nothing
	within        int64 // unless_gross_within in kilograms, 0 for none
	of            int   // index of the limit whose values axle-sum adds up
	adjusts       []adjustment
	tolerances    []tolerance
	asks          uint16           // fields that a row tells apart
	by            [most + 1][]*row // the rows for so many axles; the last for more too
	always        bool             // all rows hold from one day on
	plain         bool             // one case for every vehicle
	someRoads     bool             // it is about some classes of road and says nothing of others
}

// row is one case of a limit.
type row struct {
	id      string
	article string
	from    wim.Time
	until   wim.Time // first instant at which it is no longer in force; 0 while in force
	reason  wim.Reason
	deny    mark   // values with which it does not apply
	roads   uint32 // classes of road with which it applies
	axles   span
	spacing reach
	span    reach
	value   int64 // kilograms or millimetres
	capped  bool  // by the licence where that is known
	formula formula
	ladder  *ladder
	assumes []string // what a finding supposes, by which of asks are told apart: see supposed
	asks    []field
}

func (r *row) inForce(t wim.Time) bool { return t >= r.from && (r.until == 0 || t < r.until) }

// anyInForce tells whether a limit holds on a day.
func (l *limit) anyInForce(t wim.Time) bool {
	if l.always {
		return t >= l.rows[0].from
	}
	for i := range l.rows {
		if l.rows[i].inForce(t) {
			return true
		}
	}
	return false
}

// supposed names what a row supposes of the inputs told, a set of fields.
func (r *row) supposed(told uint16) string {
	if told == 0 {
		return ""
	}
	at := 0
	for i, f := range r.asks {
		if told&(1<<f) != 0 {
			at |= 1 << i
		}
	}
	return r.assumes[at]
}

// formulaKind says how a value comes from a span.
type formulaKind uint8

const (
	noFormula formulaKind = iota
	bridgeB
	linear
)

type formula struct {
	kind     formulaKind
	tieUp    bool
	perMetre int64 // kg
	plus     int64 // kg
	roundUp  int64 // mm, 0 for none
	most     int64 // grains, 0 for none
	each     int64 // grains an axle, 0 for none
}

type ladder struct {
	id    string
	unit  unit
	steps []step
}

// unit is what a ladder counts.
type unit uint8

const (
	unitKg       unit = iota // of the excess
	unitPermille             // of the excess against the limit
	unitMm                   // the size itself
)

type step struct {
	band     string
	article  string
	at       int64
	gt       bool
	provides *ProvisionFile
}

// position is a set of places that an axle may have.
type position uint8

const (
	posFirst position = 1 << iota
	posLastMotor
	posMotor
	posTrailer
	posGrouped
	posAlone
	posAny
)

// presumption closes a field of an axle that is open.
type presumption struct {
	field mark
	value mark
	where position
	need  mark // the axle surely has one of these; 0 for whatever
	byLaw bool
}

// adjustment adds to a gross limit for each axle that fits.
type adjustment struct {
	where position
	tyres mark
	need  mark
	by    int64
}

// grouping says when so many consecutive axles are taken together.
type grouping struct {
	axles   int
	spacing reach
	span    reach
}

// tolerance is what the law itself lets pass.
type tolerance struct {
	id        string
	from      wim.Time
	until     wim.Time
	stations  []wim.StationMode
	share     int64 // permille
	reduces   bool  // what is measured instead of raising the limit
	tolerated bool  // the excess counts from what is tolerated
	unless    int64 // kg of excess from which there is none; 0 for none
	reason    wim.Reason
}
