package rules

import (
	"github.com/axlegate/axlegate/wim"
)

// Version names the judging code. It changes whenever the same set and facts could give another verdict.
const Version = "1"

// Set is a compiled rule set. It is immutable: any number of goroutines may judge with it.
type Set struct {
	id     string
	title  string
	digest wim.Digest

	uncertifiedMass wim.Permille
	uncertifiedAxle wim.Permille
	crew            wim.Kg

	competences []competence
}

// ID is the set's name, such as "cn-2016-62".
func (s *Set) ID() string { return s.id }

// Title is the set's name for people.
func (s *Set) Title() string { return s.title }

// Digest is the SHA-256 digest of the bytes that the set was loaded from.
func (s *Set) Digest() wim.Digest { return s.digest }

// competence is one authority's limits, in the order of the file.
type competence struct {
	name       wim.Competence
	notFor     []wim.VehicleKind
	needsPlate bool // its findings rest on a registration, so a doubtful plate makes them doubtful
	limits     []limit
}

// basis says which quantity a limit is about and where the permitted value comes from.
type basis uint8

const (
	grossByAxles basis = iota + 1 // gross against the set's value for the axle count and configuration
	postedGross                   // gross against the sign at the road
	postedAxle                    // each axle against the sign at the road
	ratedLoad                     // cargo against the rated loads of all units
	licenceGross                  // gross of a truck alone against its licence
	towedMass                     // gross less the tractor's kerb mass against what it may tow
)

// bases is the one list of names; its index is the basis.
func bases() []string {
	return []string{"", "gross-by-axles", "posted-gross", "posted-axle", "rated-load", "licence-gross", "towed-mass"}
}

func (b basis) scope() wim.ScopeKind {
	switch b {
	case postedAxle:
		return wim.ScopeAxle
	case ratedLoad:
		return wim.ScopeCargo
	case licenceGross:
		return wim.ScopeLicence
	case towedMass:
		return wim.ScopeTowed
	case grossByAxles, postedGross:
	}
	return wim.ScopeGross
}

// span is a closed range of counts.
type span struct{ low, high uint8 }

func (s span) has(n uint8) bool     { return n >= s.low && n <= s.high }
func (s span) overlaps(o span) bool { return s.low <= o.high && o.low <= s.high }

type limit struct {
	id       string
	article  string
	basis    basis
	from     wim.Time
	until    wim.Time // first instant at which it is no longer in force; 0 while in force
	reason   wim.Reason
	axles    span
	config   wim.Configuration
	drive    span // of drive axles; 0 to 255 where they do not matter
	value    wim.Kg
	ladder   []step
	byPermil bool // the ladder counts permille, not kilograms

	// What a finding says it assumes when the configuration, the drive axles or both are not known.
	assumesConfig, assumesDrive, assumesBoth string
}

func (l *limit) inForce(t wim.Time) bool { return t >= l.from && (l.until == 0 || t < l.until) }

type step struct {
	band    string
	article string
	at      int64
	gt      bool
}
