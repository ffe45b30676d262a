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

// asFile gives the set in the words of format 2, for whoever reads or compares it.
func (f *file1) asFile() *File {
	out := &File{
		Format: f.Format, ID: f.ID, Title: Text{En: f.Title}, Zone: f.Zone, CrewKg: f.CrewKg, Assumptions: f.Assumptions, Ladders: f.ladders(),
		Deduction: DeductionFile{Mode: f.Deduction.Mode, UncertifiedMass: f.Deduction.UncertifiedMass, UncertifiedAxle: f.Deduction.UncertifiedAxle, Note: f.Deduction.Note},
	}
	for _, c := range f.Competences {
		x := CompetenceFile{Competence: c.Competence, NotFor: c.NotFor, NeedsPlate: c.NeedsPlate}
		table := -1
		for _, l := range c.Limits {
			origin := Origin{Article: l.Article, Source: l.Source, Status: l.Status, EffectiveFrom: l.EffectiveFrom, EffectiveTo: l.EffectiveTo, Note: l.Note}
			if l.Basis != "gross-by-axles" {
				x.Limits = append(x.Limits, LimitFile{ID: l.ID, On: l.Basis, Ladder: l.Ladder, Origin: origin})
				continue
			}
			if table < 0 {
				table = len(x.Limits)
				x.Limits = append(x.Limits, LimitFile{ID: l.Basis, On: "gross"})
			}
			x.Limits[table].Rows = append(x.Limits[table].Rows, RowFile{
				ID: l.ID, Ladder: l.Ladder, Origin: origin,
				CaseFile: CaseFile{Axles: l.Axles, Configuration: Words{l.Configuration}, DriveAxles: l.DriveAxles, Value: l.Value},
			})
		}
		out.Competences = append(out.Competences, x)
	}
	return out
}

// Cases gives the cases of a limit with all that they have of it: one for a limit that is a case itself.
func (l *LimitFile) Cases() []RowFile {
	if len(l.Rows) == 0 {
		return []RowFile{{ID: l.ID, Ladder: l.Ladder, CaseFile: l.CaseFile, Origin: l.Origin}}
	}
	out := make([]RowFile, len(l.Rows))
	for i, r := range l.Rows {
		r.Ladder = or(r.Ladder, l.Ladder)
		r.Article, r.Source, r.Status = or(r.Article, l.Article), or(r.Source, l.Source), or(r.Status, l.Status)
		r.EffectiveFrom, r.EffectiveTo = or(r.EffectiveFrom, l.EffectiveFrom), or(r.EffectiveTo, l.EffectiveTo)
		r.Axles, r.DriveAxles, r.Suspension = or(r.Axles, l.Axles), or(r.DriveAxles, l.DriveAxles), or(r.Suspension, l.Suspension)
		r.Driven, r.Unit, r.Steering, r.Tandems = or(r.Driven, l.Driven), or(r.Unit, l.Unit), or(r.Steering, l.Steering), or(r.Tandems, l.Tandems)
		r.Spacing, r.Span = or(r.Spacing, l.Spacing), or(r.Span, l.Span)
		r.Configuration, r.Tyres, r.Road = words(r.Configuration, l.Configuration), words(r.Tyres, l.Tyres), words(r.Road, l.Road)
		out[i] = r
	}
	return out
}
