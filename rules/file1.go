package rules

// file1 is a rule set of format 1 as written. Sets of that format are judged for ever: sealed records name them.
type file1 struct {
	Format      int               `yaml:"format"`
	ID          string            `yaml:"id"`
	Title       string            `yaml:"title"`
	Zone        string            `yaml:"zone"` // the jurisdiction's offset from UTC, "+08:00": its dates begin there
	Deduction   deductionFile1    `yaml:"deduction"`
	CrewKg      int               `yaml:"crew_kg"` // taken off the gross with the kerb masses
	Assumptions []AssumptionFile  `yaml:"assumptions"`
	Ladders     []ladderFile1     `yaml:"ladders"`
	Competences []competenceFile1 `yaml:"competences"`
}

// deductionFile1 says how the instrument's error is taken off before any finding.
type deductionFile1 struct {
	Mode string `yaml:"mode"` // reduce_measured is the one mode there is
	// What is taken off where the instrument has no certificate that states its error.
	UncertifiedMass int    `yaml:"uncertified_mass_permille"`
	UncertifiedAxle int    `yaml:"uncertified_axle_permille"`
	Note            string `yaml:"note"`
}

// AssumptionFile is a presumption that the law makes, or that the set makes for want of a measurement. It
// changes no computation; it stands in the file so that a reader sees it.
type AssumptionFile struct {
	What   string `yaml:"what"`
	Source string `yaml:"source"`
	Status string `yaml:"status"`
}

// ladderFile1 is a ladder of severity bands; a finding that exceeds stands on the highest step it reaches.
type ladderFile1 struct {
	ID    string      `yaml:"id"`
	Unit  string      `yaml:"unit"` // kg: the excess; permille: the excess against the limit
	Note  string      `yaml:"note"`
	Steps []stepFile1 `yaml:"steps"`
}

type stepFile1 struct {
	Band    string `yaml:"band"`
	At      int    `yaml:"at"`
	Edge    string `yaml:"edge"`    // ge: exactly at the step counts; gt: it does not
	Article string `yaml:"article"` // replaces the limit's in the finding, where given
}

type competenceFile1 struct {
	Competence string       `yaml:"competence"`
	NotFor     []string     `yaml:"not_for"` // kinds of vehicle that this competence's limits do not cover
	NeedsPlate bool         `yaml:"needs_plate"`
	Limits     []limitFile1 `yaml:"limits"`
}

type limitFile1 struct {
	ID            string `yaml:"id"`
	Basis         string `yaml:"basis"`
	Axles         string `yaml:"axles"`         // "4", "6+", "2-3"; basis gross-by-axles
	Configuration string `yaml:"configuration"` // rigid or train; basis gross-by-axles
	DriveAxles    string `yaml:"drive_axles"`   // "1", "2+"; absent: whatever they are
	Value         string `yaml:"value"`         // "49000 kg"; basis gross-by-axles
	Article       string `yaml:"article"`
	Source        string `yaml:"source"` // the address where the text was read
	Status        string `yaml:"status"` // verified, recalled, inferred
	EffectiveFrom string `yaml:"effective_from"`
	EffectiveTo   string `yaml:"effective_to"` // the last day; absent while in force
	Ladder        string `yaml:"ladder"`
	Note          string `yaml:"note"`
}
