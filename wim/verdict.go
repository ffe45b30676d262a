package wim

import "slices"

// Competence names the authority whose law a finding rests on. The two below exist everywhere; a rule set
// may name further ones.
type Competence string

// The two authorities.
const (
	RoadAdministration Competence = "road-administration" // over-limit (超限): too much for this road
	TrafficPolice      Competence = "traffic-police"      // overloaded (超载): too much for this vehicle
)

// Outcome is what was found.
type Outcome string

// The outcomes, in rising order of weight.
const (
	NotApplicable   Outcome = "not-applicable"   // the law does not cover this vehicle
	Compliant       Outcome = "compliant"        // at or below the limit as indicated
	WithinTolerance Outcome = "within-tolerance" // above as indicated, not above after the deduction
	Unknown         Outcome = "unknown"          // a deciding input is missing; the branches are in the findings
	Exceeded        Outcome = "exceeded"         // above the limit after the deduction
)

// Weight orders the outcomes as they rise, from 1; a word that is no outcome weighs 0. They are words, and
// words do not compare.
func (o Outcome) Weight() int {
	switch o {
	case NotApplicable:
		return 1
	case Compliant:
		return 2
	case WithinTolerance:
		return 3
	case Unknown:
		return 4
	case Exceeded:
		return 5
	}
	return 0
}

// Standing is what an outcome may be used for. It never changes the outcome.
type Standing string

// The standings.
const (
	Evidence  Standing = "evidence"  // may ground a decision
	Screening Standing = "screening" // a suspicion (嫌疑): directs to the static scale, grounds nothing
	Void      Standing = "void"      // stored, shown and counted; identifies a vehicle
)

// StandingOf tells the standing that a set of reasons leaves.
func StandingOf(r Reason) Standing {
	switch {
	case r.Any(VoidReasons):
		return Void
	case r != 0:
		return Screening
	}
	return Evidence
}

// ScopeKind says what a limit is about.
type ScopeKind string

// The scopes.
const (
	ScopeGross   ScopeKind = "gross"        // the whole vehicle or train
	ScopeAxle    ScopeKind = "axle"         // one axle, Index from 1
	ScopeGroup   ScopeKind = "axle-group"   // axles Index to Last, which the set takes together
	ScopeCargo   ScopeKind = "cargo"        // gross less all kerb masses
	ScopeTowed   ScopeKind = "towed"        // gross less the drawing vehicle's kerb mass
	ScopeLicence ScopeKind = "licence-mass" // gross against the licence's maximum
	ScopeAxleSum ScopeKind = "axle-sum"     // gross against the sum of what its axles may carry
	ScopeRun     ScopeKind = "axle-run"     // consecutive axles Index to Last, whatever groups they are in
	ScopeLength  ScopeKind = "length"       // in millimetres: see Finding.Size
	ScopeWidth   ScopeKind = "width"
	ScopeHeight  ScopeKind = "height"
)

// Finding is one limit checked against one measured quantity.
type Finding struct {
	Competence Competence `json:"competence"`
	Limit      string     `json:"limit"` // id of the limit in the rule set
	Article    string     `json:"article"`
	Scope      ScopeKind  `json:"scope"`
	Index      uint8      `json:"index,omitempty"` // first axle, from 1
	Last       uint8      `json:"last,omitempty"`  // last axle of a group or run
	Outcome    Outcome    `json:"outcome"`
	Measured   Kg         `json:"measured_kg"`
	Deducted   Kg         `json:"deducted_kg"` // taken off Measured for the instrument's error
	Permitted  Kg         `json:"permitted_kg"`
	Tolerance  Kg         `json:"tolerance_kg,omitempty"` // what the law itself lets pass, apart from Deducted
	Excess     Kg         `json:"excess_kg"`              // Measured − Deducted − Permitted where exceeded (less Tolerance, where the set says so), else 0
	Ratio      Permille   `json:"ratio_permille"`         // Excess : Permitted
	Band       string     `json:"band,omitempty"`         // severity band of the rule set
	Reasons    Reason     `json:"reasons"`                // why this finding alone is not evidence
	Assumes    string     `json:"assumes,omitempty"`      // the branch of a missing input this finding belongs to
	// Size has the figures of a limit on length, width or height; the masses above are then 0.
	Size Size `json:"size,omitzero"`
	// Permit is the number of the permit that the permitted value comes from or that does not cover the vehicle,
	// and Breach what it is not kept in: "time", "route", "axles", "trailer", "gross", "axle-load", "length", "width",
	// "height". A permit with a breach raises nothing.
	Permit string `json:"permit,omitempty"`
	Breach string `json:"breach,omitempty"`
	// Informs marks a finding that is shown and has no part in the opinion.
	Informs bool `json:"informs,omitempty"`
}

// Size is a length, width or height against its limit.
type Size struct {
	Measured  Mm `json:"measured_mm"`
	Deducted  Mm `json:"deducted_mm"` // taken off Measured for the error of what measured it
	Permitted Mm `json:"permitted_mm"`
	Excess    Mm `json:"excess_mm"` // Measured − Deducted − Permitted where positive, else 0
}

// Opinion is one competence's result: outcome and standing side by side, never mixed.
type Opinion struct {
	Competence Competence `json:"competence"`
	Outcome    Outcome    `json:"outcome"`
	Standing   Standing   `json:"standing"`
	Reasons    Reason     `json:"reasons"` // why the standing is not evidence
	// Why explains NotApplicable and Unknown in the rule set's terms ("bus", "registration", "drive-axles").
	Why string `json:"why,omitempty"`
}

// Verdict is what Judge found for one set of facts. Slices are reused by Judge; keep a Clone.
type Verdict struct {
	RuleSet  string    `json:"rule_set"`
	Rules    Digest    `json:"rules_digest"`
	Judge    string    `json:"judge"` // version of the judging code
	Opinions []Opinion `json:"opinions"`
	Findings []Finding `json:"findings"`
}

// Of returns the opinion of a competence; ok is false when the rule set has none.
func (v *Verdict) Of(c Competence) (o Opinion, ok bool) {
	for i := range v.Opinions {
		if v.Opinions[i].Competence == c {
			return v.Opinions[i], true
		}
	}
	return Opinion{}, false
}

// Exceeded tells whether any competence found a limit exceeded, whatever the standing.
func (v *Verdict) Exceeded() bool {
	for i := range v.Opinions {
		if v.Opinions[i].Outcome == Exceeded {
			return true
		}
	}
	return false
}

// Alerts tells whether any competence must be told: exceeded, and not void.
func (v *Verdict) Alerts() bool {
	for i := range v.Opinions {
		if v.Opinions[i].Outcome == Exceeded && v.Opinions[i].Standing != Void {
			return true
		}
	}
	return false
}

// Equal tells whether two verdicts say the same. A list that is nil equals one that is empty: a verdict that
// was written and read again may differ in that.
func (v *Verdict) Equal(o *Verdict) bool {
	return v.RuleSet == o.RuleSet && v.Rules == o.Rules && v.Judge == o.Judge &&
		slices.Equal(v.Opinions, o.Opinions) && slices.Equal(v.Findings, o.Findings)
}

// Clone returns a copy that shares no memory with v.
func (v *Verdict) Clone() Verdict {
	c := *v
	c.Opinions = append([]Opinion(nil), v.Opinions...)
	c.Findings = append([]Finding(nil), v.Findings...)
	return c
}
