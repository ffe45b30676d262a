package rules

// The versions of the rule set file that this build reads. docs/rules.md tells what the newer one means.
const (
	format1 = 1
	format2 = 2
)

// Text is what a person reads, in both languages.
type Text struct {
	Zh string `yaml:"zh" json:"zh"`
	En string `yaml:"en" json:"en"`
}

// In gives the text in a language, "zh" or "en".
func (t Text) In(lang string) string {
	if lang == "zh" && t.Zh != "" {
		return t.Zh
	}
	return t.En
}

// Origin says where a figure comes from and when it holds.
type Origin struct {
	Article       string `yaml:"article" json:"article,omitempty"`
	Source        string `yaml:"source" json:"source,omitempty"` // the address where the text was read
	Status        string `yaml:"status" json:"status,omitempty"` // verified, recalled, inferred
	EffectiveFrom string `yaml:"effective_from" json:"effective_from,omitempty"`
	EffectiveTo   string `yaml:"effective_to" json:"effective_to,omitempty"` // the last day; absent while in force
	Note          string `yaml:"note" json:"note,omitempty"`
}

// File is a rule set of format 2 as written: what a person reads of it and tools compare. Load compiles it.
type File struct {
	Format      int               `yaml:"format" json:"format"`
	ID          string            `yaml:"id" json:"id"`
	Version     string            `yaml:"version" json:"version"`
	Title       Text              `yaml:"title" json:"title"`
	Zone        string            `yaml:"zone" json:"zone"` // the jurisdiction's offset from UTC, "+08:00": its dates begin there
	Deduction   DeductionFile     `yaml:"deduction" json:"deduction"`
	CrewKg      int               `yaml:"crew_kg" json:"crew_kg"` // taken off the gross with the kerb masses
	Assumptions []AssumptionFile  `yaml:"assumptions" json:"assumptions,omitempty"`
	Omits       []Text            `yaml:"omits" json:"omits,omitempty"`
	Presumes    []PresumptionFile `yaml:"presumes" json:"presumes,omitempty"`
	Groups      []GroupFile       `yaml:"groups" json:"groups,omitempty"`
	Tolerances  []ToleranceFile   `yaml:"tolerances" json:"tolerances,omitempty"`
	Ladders     []LadderFile      `yaml:"ladders" json:"ladders,omitempty"`
	Competences []CompetenceFile  `yaml:"competences" json:"competences"`
	Penalties   *PenaltiesFile    `yaml:"penalties" json:"penalties,omitempty"`
}

// DeductionFile says how the instrument's error is taken off before any finding.
type DeductionFile struct {
	Mode string `yaml:"mode" json:"mode"` // reduce_measured is the one mode there is
	// What is taken off where the instrument has no certificate that states its error.
	UncertifiedMass int    `yaml:"uncertified_mass_permille" json:"uncertified_mass_permille"`
	UncertifiedAxle int    `yaml:"uncertified_axle_permille" json:"uncertified_axle_permille"`
	UncertifiedSize int    `yaml:"uncertified_size_mm" json:"uncertified_size_mm"`
	Note            string `yaml:"note" json:"note,omitempty"`
}

// PresumptionFile takes an input as known where the facts leave it open.
type PresumptionFile struct {
	Input  string `yaml:"input" json:"input"` // tyres, driven, suspension, drive_axles
	Where  Words  `yaml:"where" json:"where"` // positions of an axle; any of them will do
	Driven string `yaml:"driven" json:"driven,omitempty"`
	Value  string `yaml:"value" json:"value"`
	Basis  string `yaml:"basis" json:"basis"` // statute or set
	Origin `yaml:",inline"`
}

// GroupFile says when so many consecutive axles are taken together.
type GroupFile struct {
	Axles   int    `yaml:"axles" json:"axles"`
	Spacing string `yaml:"spacing" json:"spacing,omitempty"` // of every two neighbours
	Span    string `yaml:"span" json:"span,omitempty"`       // of the first and the last
}

// ToleranceFile is what the law itself lets pass.
type ToleranceFile struct {
	ID           string `yaml:"id" json:"id"`
	Mode         string `yaml:"mode" json:"mode"` // raise_limit, reduce_measured
	Permille     int    `yaml:"permille" json:"permille"`
	Station      Words  `yaml:"station" json:"station,omitempty"`         // modes of station; absent: all
	ExcessFrom   string `yaml:"excess_from" json:"excess_from,omitempty"` // limit or tolerated
	UnlessExcess string `yaml:"unless_excess" json:"unless_excess,omitempty"`
	Origin       `yaml:",inline"`
}

// LadderFile is a ladder of severity bands; a finding that exceeds stands on the highest step it reaches.
type LadderFile struct {
	ID    string     `yaml:"id" json:"id"`
	Unit  string     `yaml:"unit" json:"unit"` // kg, permille: of the excess; mm: of the size itself
	Note  string     `yaml:"note" json:"note,omitempty"`
	Steps []StepFile `yaml:"steps" json:"steps"`
}

// StepFile is one step of a ladder.
type StepFile struct {
	Band     string         `yaml:"band" json:"band"`
	At       int            `yaml:"at" json:"at"`
	Edge     string         `yaml:"edge" json:"edge"`                 // ge: exactly at the step counts; gt: it does not
	Article  string         `yaml:"article" json:"article,omitempty"` // replaces the limit's in the finding, where given
	Provides *ProvisionFile `yaml:"provides" json:"provides,omitempty"`
}

// ProvisionFile is what the law provides for an excess, as information for an officer.
type ProvisionFile struct {
	Fine    *FineFile `yaml:"fine" json:"fine,omitempty"`
	Points  int       `yaml:"points" json:"points,omitempty"`
	Detain  bool      `yaml:"detain" json:"detain,omitempty"` // the vehicle is held until the violation is removed
	Unload  bool      `yaml:"unload" json:"unload,omitempty"`
	Revoke  bool      `yaml:"revoke" json:"revoke,omitempty"` // a repeated act may cost a permit or licence
	Text    Text      `yaml:"text" json:"text,omitzero"`
	Article string    `yaml:"article" json:"article,omitempty"`
}

// FineFile is a range, or an amount for every so much of the excess. Amounts are whole units of the currency, or
// hundredths of it where the file says so.
type FineFile struct {
	Currency   string `yaml:"currency" json:"currency"`
	Hundredths bool   `yaml:"hundredths" json:"hundredths,omitempty"`
	From       int    `yaml:"from" json:"from,omitempty"`
	To         int    `yaml:"to" json:"to,omitempty"`
	Each       int    `yaml:"each" json:"each,omitempty"`
	Per        string `yaml:"per" json:"per,omitempty"`
	Rounding   string `yaml:"rounding" json:"rounding,omitempty"` // floor, ceil
	Base       int    `yaml:"base" json:"base,omitempty"`         // added once
	Most       int    `yaml:"most" json:"most,omitempty"`
}

// CompetenceFile is one authority's limits.
type CompetenceFile struct {
	Competence string      `yaml:"competence" json:"competence"`
	Name       Text        `yaml:"name" json:"name,omitzero"`
	NotFor     []string    `yaml:"not_for" json:"not_for,omitempty"` // kinds of vehicle that its limits do not cover
	NeedsPlate bool        `yaml:"needs_plate" json:"needs_plate,omitempty"`
	Limits     []LimitFile `yaml:"limits" json:"limits"`
}

// LimitFile is one thing that a law limits; its rows are the cases that the law tells apart.
type LimitFile struct {
	ID                string       `yaml:"id" json:"id"`
	On                string       `yaml:"on" json:"on"`
	Name              Text         `yaml:"name" json:"name,omitzero"`
	Permit            bool         `yaml:"permit" json:"permit,omitempty"`
	Informs           bool         `yaml:"informs" json:"informs,omitempty"`
	Only              bool         `yaml:"only" json:"only,omitempty"`
	WholeGroups       bool         `yaml:"whole_groups" json:"whole_groups,omitempty"`
	Tolerance         Words        `yaml:"tolerance" json:"tolerance,omitempty"`
	Of                string       `yaml:"of" json:"of,omitempty"` // the group limit whose values axle-sum adds up
	UnlessGrossWithin string       `yaml:"unless_gross_within" json:"unless_gross_within,omitempty"`
	Adjust            []AdjustFile `yaml:"adjust" json:"adjust,omitempty"`
	Ladder            string       `yaml:"ladder" json:"ladder,omitempty"`
	Rows              []RowFile    `yaml:"rows" json:"rows,omitempty"`
	CaseFile          `yaml:",inline"`
	Origin            `yaml:",inline"`
}

// RowFile is one case of a limit. What it does not say of its origin is the limit's.
type RowFile struct {
	ID       string `yaml:"id" json:"id"`
	Ladder   string `yaml:"ladder" json:"ladder,omitempty"`
	CaseFile `yaml:",inline"`
	Origin   `yaml:",inline"`
}

// CaseFile is when a row applies and what is then permitted.
type CaseFile struct {
	Axles         string `yaml:"axles" json:"axles,omitempty"`
	Configuration Words  `yaml:"configuration" json:"configuration,omitempty"`
	DriveAxles    string `yaml:"drive_axles" json:"drive_axles,omitempty"`
	Suspension    string `yaml:"suspension" json:"suspension,omitempty"`
	Tyres         Words  `yaml:"tyres" json:"tyres,omitempty"`
	Driven        string `yaml:"driven" json:"driven,omitempty"`
	Unit          string `yaml:"unit" json:"unit,omitempty"`
	Steering      string `yaml:"steering" json:"steering,omitempty"`
	Spacing       string `yaml:"spacing" json:"spacing,omitempty"`
	Span          string `yaml:"span" json:"span,omitempty"`
	Tandems       string `yaml:"tandems" json:"tandems,omitempty"`
	Road          Words  `yaml:"road" json:"road,omitempty"`
	Value         string `yaml:"value" json:"value,omitempty"`
	Cap           string `yaml:"cap" json:"cap,omitempty"` // licence-gross
	Formula       string `yaml:"formula" json:"formula,omitempty"`
	Tie           string `yaml:"tie" json:"tie,omitempty"`             // bridge-b: down, up
	PerMetre      string `yaml:"per_metre" json:"per_metre,omitempty"` // linear
	Plus          string `yaml:"plus" json:"plus,omitempty"`
	RoundUp       string `yaml:"round_up" json:"round_up,omitempty"`
	Most          string `yaml:"most" json:"most,omitempty"`
	Each          string `yaml:"each" json:"each,omitempty"` // at most so much for every axle
}

// AdjustFile adds to a gross limit for each axle that fits.
type AdjustFile struct {
	ID     string `yaml:"id" json:"id"`
	Tyres  string `yaml:"tyres" json:"tyres"`
	Driven string `yaml:"driven" json:"driven,omitempty"`
	Where  Words  `yaml:"where" json:"where"`
	By     string `yaml:"by" json:"by"`
	Origin `yaml:",inline"`
}

// PenaltiesFile says whose fine it is, and that one act has one fine.
type PenaltiesFile struct {
	OneAct struct {
		Rule   string `yaml:"rule" json:"rule"` // higher
		Origin `yaml:",inline"`
	} `yaml:"one_act" json:"one_act"`
	Decides []struct {
		Station    string `yaml:"station" json:"station"`
		Competence string `yaml:"competence" json:"competence"`
		Origin     `yaml:",inline"`
	} `yaml:"decides" json:"decides,omitempty"`
	CaseOpening *struct {
		Competence string `yaml:"competence" json:"competence"`
		Excess     string `yaml:"excess" json:"excess"`
		Note       string `yaml:"note" json:"note,omitempty"`
	} `yaml:"case_opening" json:"case_opening,omitempty"`
}

// Words is a list that may be written as one word.
type Words []string

// UnmarshalYAML reads a word or a list of words.
func (w *Words) UnmarshalYAML(read func(any) error) error {
	var list []string
	if err := read(&list); err == nil {
		*w = list
		return nil
	}
	var one string
	if err := read(&one); err != nil {
		return err
	}
	*w = Words{one}
	return nil
}
