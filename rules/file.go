package rules

// format is the version of the rule set file that this build reads.
const format = 1

// file is a rule set as written. docs of each key stand in configs/rules.
type file struct {
	Format      int              `yaml:"format"`
	ID          string           `yaml:"id"`
	Title       string           `yaml:"title"`
	Zone        string           `yaml:"zone"` // the jurisdiction's offset from UTC, "+08:00": its dates begin there
	Deduction   deductionFile    `yaml:"deduction"`
	CrewKg      int              `yaml:"crew_kg"` // taken off the gross with the kerb masses
	Assumptions []assumptionFile `yaml:"assumptions"`
	Ladders     []ladderFile     `yaml:"ladders"`
	Competences []competenceFile `yaml:"competences"`
}

// deductionFile says how the instrument's error is taken off before any finding.
type deductionFile struct {
	Mode string `yaml:"mode"` // reduce_measured is the one mode there is
	// What is taken off where the instrument has no certificate that states its error.
	UncertifiedMass int    `yaml:"uncertified_mass_permille"`
	UncertifiedAxle int    `yaml:"uncertified_axle_permille"`
	Note            string `yaml:"note"`
}

// assumptionFile is a presumption that the law makes, or that the set makes for want of a measurement. It
// changes no computation; it stands in the file so that a reader sees it.
type assumptionFile struct {
	What   string `yaml:"what"`
	Source string `yaml:"source"`
	Status string `yaml:"status"`
}

// ladderFile is a ladder of severity bands; a finding that exceeds stands on the highest step it reaches.
type ladderFile struct {
	ID    string     `yaml:"id"`
	Unit  string     `yaml:"unit"` // kg: the excess; permille: the excess against the limit
	Note  string     `yaml:"note"`
	Steps []stepFile `yaml:"steps"`
}

type stepFile struct {
	Band    string `yaml:"band"`
	At      int    `yaml:"at"`
	Edge    string `yaml:"edge"`    // ge: exactly at the step counts; gt: it does not
	Article string `yaml:"article"` // replaces the limit's in the finding, where given
}

type competenceFile struct {
	Competence string      `yaml:"competence"`
	NotFor     []string    `yaml:"not_for"` // kinds of vehicle that this competence's limits do not cover
	NeedsPlate bool        `yaml:"needs_plate"`
	Limits     []limitFile `yaml:"limits"`
}

type limitFile struct {
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
