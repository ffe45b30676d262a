package accuracy

import (
	"cmp"
	"slices"

	"github.com/axlegate/axlegate/wim"
)

// Config says by what is scored.
type Config struct {
	Plan        TestPlan    // empty means FullTraffic
	Environment Environment // empty means EnvironmentI
	Initial     bool        // an initial verification: COST 323 allows 0.8 of its tolerances
	Division    wim.Kg      // scale division d, for the smallest limits of OIML R 134; 0 means none
}

// maxKinds bounds the kinds of vehicle that are told apart; further ones are "other".
const maxKinds = 64

// Scorer takes in passages and gives the report. One goroutine owns it.
type Scorer struct {
	cfg    Config
	counts Counts
	errors [criteria]Series
	shape  [criteria]Histogram
	kinds  map[string]*Series // of gross mass
	speeds map[int]*Series    // of gross mass, by tens of km/h
	mass   hard
	axle   hard
	worst  float64
	astm   conform
	flags  map[wim.Flag]*FlagScore
	accuse map[accusationKey]*Accusation
}

// New returns a Scorer that has seen nothing.
func New(cfg Config) (*Scorer, error) {
	cfg.Plan, cfg.Environment = cmp.Or(cfg.Plan, FullTraffic), cmp.Or(cfg.Environment, EnvironmentI)
	if err := errorsOf(cfg.Plan.Valid(), cfg.Environment.Valid()); err != nil {
		return nil, err
	}
	return &Scorer{
		cfg: cfg, kinds: map[string]*Series{}, speeds: map[int]*Series{}, mass: newHard(massClasses()), axle: newHard(axleClasses()),
		astm: newConform(), flags: map[wim.Flag]*FlagScore{}, accuse: map[accusationKey]*Accusation{},
	}, nil
}

// Counts says how many vehicles and axles passed and were recorded.
type Counts struct {
	Vehicles  int `json:"vehicles"`       // that truly passed
	Recorded  int `json:"recorded"`       // of them have a record
	Missed    int `json:"missed"`         // of them have none
	False     int `json:"false_vehicles"` // records that rest on no vehicle, or on one that has a record already
	Void      int `json:"void"`           // of the recorded ones: flagged as no weighing
	Unweighed int `json:"no_gross"`       // of the recorded ones that are not void: no gross mass was indicated

	Axles       int `json:"axles"`        // of the vehicles that were recorded
	MissedAxles int `json:"missed_axles"` // fewer than truly there, vehicle by vehicle
	FalseAxles  int `json:"false_axles"`  // more than truly there
	Miscounted  int `json:"vehicles_with_another_axle_count"`
}

// FlagScore is how one flag stands to what the vehicles truly did.
type FlagScore struct {
	Flag   string `json:"flag"`
	Right  int    `json:"right"`  // raised, and it was so
	False  int    `json:"false"`  // raised, and it was not so
	Missed int    `json:"missed"` // not raised, and it was so
	// Precision and Recall are right of all raised and right of all that were so, in percent; absent where there is none.
	Precision *float64 `json:"precision_percent,omitempty"`
	Recall    *float64 `json:"recall_percent,omitempty"`
}

// unweighed are flags that say nothing of the weighing and are not scored.
const unweighed = wim.PlateUncertain | wim.TrailerUnread

// Missed takes in a vehicle that has no record, with its cases.
func (s *Scorer) Missed(t *Truth, cases []Case) {
	s.counts.Vehicles++
	s.counts.Missed++
	s.judge(t, cases)
}

// False takes in a record that rests on no vehicle, or on one that has a record already.
func (s *Scorer) False() { s.counts.False++ }

// Passage takes in a vehicle and what was recorded of it, with its cases. Errors are taken of weighings only that no flag
// makes void, and of axles only where as many were recorded as there are.
func (s *Scorer) Passage(t *Truth, measured *wim.Vehicle, cases []Case) {
	s.counts.Vehicles++
	s.counts.Recorded++
	s.count(len(t.Axles), len(measured.Axles))
	s.flag(t.Expected(), measured.Flags)
	s.judge(t, cases)
	switch {
	case measured.Flags.Any(wim.Voiding):
		s.counts.Void++
		return
	case measured.Gross <= 0:
		s.counts.Unweighed++
		return
	}
	s.weigh(t, measured)
}

func (s *Scorer) count(truly, recorded int) {
	s.counts.Axles += truly
	s.counts.MissedAxles += max(0, truly-recorded)
	s.counts.FalseAxles += max(0, recorded-truly)
	if truly != recorded {
		s.counts.Miscounted++
	}
}

func (s *Scorer) weigh(t *Truth, m *wim.Vehicle) {
	truth := t.Vehicle()
	gross := percent(m.Gross, t.Gross)
	s.take(Gross, gross)
	kind := t.Kind
	if _, ok := s.kinds[kind]; !ok && len(s.kinds) >= maxKinds {
		kind = "other"
	}
	series(s.kinds, kind).add(gross)
	if t.Speed > 0 {
		series(s.speeds, int(t.Speed)/100*10).add(gross)
		if m.Speed > 0 {
			s.astm.speed(m.Speed, t.Speed)
		}
	}
	s.worst = max(s.worst, gross, -gross)
	d := int64(s.cfg.Division)
	s.mass.add(m.Gross, t.Gross, d*int64(len(t.Axles)), 2*d)
	s.astm.load(grossMass, m.Gross, t.Gross)
	if len(m.Axles) != len(t.Axles) {
		return
	}
	for _, g := range truth.Groups {
		first, last := int(g.First)-1, int(g.First+g.Count)-1
		if g.Count == 1 {
			s.axleLoad(SingleAxle, m, t, first)
			continue
		}
		var load wim.Kg
		whole := true
		for i := first; i < last; i++ {
			s.axleLoad(AxleOfGroup, m, t, i)
			load += max(0, m.Axles[i].Load)
			whole = whole && m.Axles[i].Load > 0
		}
		if whole {
			s.take(Group, percent(load, g.Load))
			s.astm.load(groupLoad, load, g.Load)
		}
	}
	for i := range m.Axles {
		s.details(&m.Axles[i], &t.Axles[i], i)
	}
}

func (s *Scorer) axleLoad(c Criterion, m *wim.Vehicle, t *Truth, i int) {
	load, truly := m.Axles[i].Load, t.Axles[i].Load
	if load <= 0 {
		return
	}
	s.take(c, percent(load, truly))
	s.astm.load(axleLoad, load, truly)
	if len(t.Axles) == 2 && t.Configuration == wim.Rigid {
		d := int64(s.cfg.Division)
		s.axle.add(load, truly, d, 2*d)
	}
}

func (s *Scorer) details(m *wim.Axle, t *TrueAxle, i int) {
	if t.Left > 0 && t.Right > 0 && m.Left > 0 && m.Right > 0 {
		s.astm.load(wheelLoad, m.Left, t.Left)
		s.astm.load(wheelLoad, m.Right, t.Right)
	}
	if i > 0 && m.Spacing > 0 {
		s.astm.spacing(m.Spacing, t.Spacing)
	}
}

func (s *Scorer) take(c Criterion, percent float64) {
	s.errors[c].add(percent)
	s.shape[c].add(percent)
}

func percent(measured, static wim.Kg) float64 {
	return 100 * float64(measured-static) / float64(static)
}

func series[K comparable](m map[K]*Series, k K) *Series {
	if m[k] == nil {
		m[k] = &Series{}
	}
	return m[k]
}

// flag counts. What follows from a fault that was expected is no false alarm: a lost message leaves axles and sums wrong and may be the
// vehicle's end, and of a vehicle on the line between two lanes one side is missing.
func (s *Scorer) flag(expected, raised wim.Flag) {
	expected, raised = expected&^unweighed, raised&^unweighed
	if expected.Has(wim.DeviceGap) {
		if raised.Has(wim.TimedOut) {
			raised |= wim.DeviceGap
		}
		raised &^= (wim.MissedAxle | wim.SumMismatch | wim.TimedOut) &^ expected
	}
	if expected.Has(wim.Straddling) {
		raised &^= (wim.Imbalance | wim.OffScale | wim.SumMismatch) &^ expected
	}
	for all := expected | raised; all != 0; all &= all - 1 {
		f := all & -all
		x := s.flags[f]
		if x == nil {
			x = &FlagScore{}
			s.flags[f] = x
		}
		switch {
		case !raised.Has(f):
			x.Missed++
		case expected.Has(f):
			x.Right++
		default:
			x.False++
		}
	}
}

func (s *Scorer) judge(t *Truth, cases []Case) {
	kind := t.Kind
	if _, known := s.kinds[kind]; !known && len(s.kinds) >= maxKinds {
		kind = "other"
	}
	for i := range cases {
		c := &cases[i]
		s.accused(accusationKey{c.Competence, c.Gross, ""}).add(c)
		if kind != "" {
			s.accused(accusationKey{c.Competence, c.Gross, kind}).add(c)
		}
	}
}

func (s *Scorer) accused(k accusationKey) *Accusation {
	a := s.accuse[k]
	if a == nil {
		if k.kind != "" && len(s.accuse) >= 8*maxKinds {
			k.kind = "other"
			if a = s.accuse[k]; a != nil {
				return a
			}
		}
		a = newAccusation(k)
		s.accuse[k] = a
	}
	return a
}

// Named is a Series under a name.
type Named struct {
	Name      string  `json:"name"`
	N         int     `json:"n"`
	Mean      float64 `json:"mean_percent"`
	Deviation float64 `json:"deviation_percent"`
	Low       float64 `json:"lowest_percent"`
	High      float64 `json:"highest_percent"`
}

func named(name string, s *Series) Named {
	return Named{name, s.N, s.Mean, s.Deviation, s.Low, s.High}
}

// SpeedBand is the error of the gross mass in a band of speeds ten km/h wide.
type SpeedBand struct {
	From int `json:"from_kmh"`
	Named
}

// Report is all that scoring found.
type Report struct {
	Counts Counts `json:"counts"`
	// Detection is the share of vehicles that have a record, Valid the share whose record is a weighing, in percent.
	Detection float64 `json:"detection_percent"`
	Valid     float64 `json:"valid_percent"`

	COST323 COST323 `json:"cost_323"`
	OIML    OIML    `json:"oiml_r134"`
	ASTM    ASTM    `json:"astm_e1318"`

	Kinds  []Named     `json:"gross_error_by_kind"`
	Speeds []SpeedBand `json:"gross_error_by_speed"`
	// Shapes are the errors' histograms, in the order of Criteria.
	Shapes [criteria]Histogram `json:"histograms"`

	Flags       []FlagScore   `json:"flags"`
	Accusations []*Accusation `json:"accusations"`
}

// Of is an authority's accusations over all kinds of vehicle; nil where it judged none.
func (r *Report) Of(c wim.Competence, gross bool) *Accusation {
	for _, a := range r.Accusations {
		if a.Competence == c && a.Gross == gross && a.Kind == "" {
			return a
		}
	}
	return nil
}

// Report gives what was found so far; the Scorer may go on.
func (s *Scorer) Report() (*Report, error) {
	r := &Report{Counts: s.counts, Shapes: s.shape, Kinds: []Named{}, Speeds: []SpeedBand{}, Flags: []FlagScore{}, Accusations: []*Accusation{}}
	c := &s.counts
	r.Detection = Share(c.Recorded, c.Vehicles)
	r.Valid = Share(c.Recorded-c.Void-c.Unweighed, c.Vehicles)
	var err error
	if r.COST323, err = Assess(s.cfg.Plan, s.cfg.Environment, s.cfg.Initial, &s.errors); err != nil {
		return nil, err
	}
	r.OIML = OIML{N: s.mass.n, Worst: s.worst, Division: s.cfg.Division, Axles: s.axle.n}
	r.OIML.Limits, r.OIML.Class = s.mass.limits()
	r.OIML.AxleLimit, r.OIML.AxleClass = s.axle.limits()
	r.ASTM = s.astm.report()
	for name, k := range s.kinds {
		r.Kinds = append(r.Kinds, named(name, k))
	}
	slices.SortFunc(r.Kinds, func(a, b Named) int { return cmp.Compare(a.Name, b.Name) })
	for from, k := range s.speeds {
		r.Speeds = append(r.Speeds, SpeedBand{from, named("", k)})
	}
	slices.SortFunc(r.Speeds, func(a, b SpeedBand) int { return a.From - b.From })
	bits := make([]wim.Flag, 0, len(s.flags))
	for f := range s.flags {
		bits = append(bits, f)
	}
	slices.Sort(bits)
	for _, f := range bits {
		x := *s.flags[f]
		x.Flag = f.Names()[0]
		x.Precision, x.Recall = ratio(x.Right, x.Right+x.False), ratio(x.Right, x.Right+x.Missed)
		r.Flags = append(r.Flags, x)
	}
	for _, a := range s.accuse {
		copied := *a
		copied.KeepBands, copied.ExcessBands = slices.Clone(a.KeepBands), slices.Clone(a.ExcessBands)
		r.Accusations = append(r.Accusations, &copied)
	}
	slices.SortFunc(r.Accusations, compareAccusation)
	return r, nil
}

func ratio(a, n int) *float64 {
	if n == 0 {
		return nil
	}
	p := Share(a, n)
	return &p
}

func (c *conform) report() ASTM {
	out := ASTM{Recalled: true}
	for i, t := range c.types {
		x := ASTMType{Type: t.name, Kept: c.counts[i][grossMass].n > 0}
		for q := range quantities {
			n := c.counts[i][q]
			if n.n == 0 {
				continue
			}
			v := ASTMQuantity{Quantity: quantityName(q), Tolerance: t.tolerance(q), N: n.n, Share: n.percent()}
			v.Kept = v.Share >= conformity
			x.Kept = x.Kept && v.Kept
			x.Quantities = append(x.Quantities, v)
		}
		out.Types = append(out.Types, x)
	}
	return out
}
