package rules

import (
	"math"

	"github.com/axlegate/axlegate/wim"
)

// An opinion of Unknown accuses nobody, and its standing is the measurement's: with the missing input known
// the same facts may ground a decision. So a missing input is a reason of the branches' findings only.

// What an opinion of Unknown or NotApplicable names as its cause. A kind of vehicle names itself.
const (
	whyTime          = "time"               // when the vehicle passed is not known
	whyLaw           = "no-law-in-force"    // the set has no limit for that day
	whyGross         = "gross"              // the instrument indicated no gross mass
	whyAxles         = "axles"              // no limit covers this number of axles, or an axle has no load
	whyConfiguration = "configuration"      // truck or train decides and is not known
	whyDriveAxles    = "drive-axles"        // the tractor's drive axles decide and are not known
	whySuspension    = "suspension"         // air suspension decides and is not known
	whyTyres         = "tyres"              // an axle's tyres decide and are not known
	whyDriven        = "driven"             // whether an axle is driven decides and is not known
	whyUnit          = "unit"               // whose axle it is, truck's or trailer's, decides and is not known
	whySteering      = "steering"           // whether an axle steers decides and is not known
	whyTandems       = "tandems"            // never open: what a run is made of is known from the distances
	whyRoad          = "road"               // the class of the road decides and the set does not know it
	whySpacing       = "spacing"            // a distance of axles decides and is not known, or lies in two bands
	whyPermit        = "permit"             // there is a permit of which it is not known whether it is kept
	whyRegistration  = "registration"       // a unit's licence is not known, or does not say what is needed
	whyNoLimit       = "no-limit"           // nothing limits this vehicle: a tractor alone has no rated load
	assumesRigid     = string(wim.Rigid)    // the finding supposes a truck alone
	assumesTrain     = string(wim.Train)    // the finding supposes a train
	assumesNoTrailer = "trailer-weightless" // the trailer's licence is not known, and even without its kerb mass and rated load this stands
)

// Judge fills v with the verdict on f. It reuses v's slices: with enough capacity nothing is allocated.
// Opinions come in the set's order of competences, findings in its order of limits, so equal facts give
// equal verdicts.
func (s *Set) Judge(f *wim.Facts, v *wim.Verdict) {
	v.RuleSet, v.Rules, v.Judge = s.id, s.digest, Version
	v.Opinions, v.Findings = v.Opinions[:0], v.Findings[:0]
	var j judgement
	j.set, j.f, j.v, j.common = s, f, v, commonReasons(f)
	j.read()
	if p := j.plan(); p != nil {
		j.made = &p.made
		for i := range s.competences {
			j.opine(&s.competences[i], &p.parts[i])
		}
		return
	}
	j.atLength()
}

// atLength judges without a plan.
func (j *judgement) atLength() {
	var made makeup
	k := *j // so that what points to made stays here
	k.made = &made
	if k.set.perAxle {
		k.makeUp(&made)
	}
	for i := range k.set.competences {
		k.opine(&k.set.competences[i], nil)
	}
}

// judgement is what all competences share. All masses are int64, so that no fact can overflow them.
type judgement struct {
	set    *Set
	f      *wim.Facts
	v      *wim.Verdict
	tell   *Explanation // nil unless somebody asks why
	common wim.Reason   // what weakens every opinion

	kind     wim.VehicleKind
	kinds    kinds             // that kind, 0 for one that is not known
	doubtful wim.Reason        // what an excess of a vehicle that is presumed to carry goods has for a reason
	config   wim.Configuration // ConfigurationUnknown where both branches must be judged
	drive    uint8             // drive axles of the drawing vehicle, 0 unknown
	gross    int64             // as indicated, 0 unknown
	taken    int64             // of gross, for the instrument's error
	axleErr  wim.Permille
	lead     *wim.Registration // of the drawing vehicle, nil unknown
	word     mark              // what is known of the vehicle as a whole
	road     uint32            // its class, all bits where the set does not know it

	made *makeup // of the axles, where the set asks for it; n is 0 where it does not

	before  [planAxles + 1]wim.Kg // what the axles in front of each weigh together, where there is a plan
	choice  choice                // of the subject that is judged
	byGross grossed
	waiver  string // why it is not known whether the limit that is judged is waived, empty where it is known

	quiet bool       // the limit that is judged has no part in the opinion
	weak  wim.Reason // why an excess of what is judged now is no evidence
}

// commonReasons are those that no limit has a part in.
func commonReasons(f *wim.Facts) wim.Reason {
	var r wim.Reason
	w := &f.Vehicle
	if c := f.Instrument.Certificate; c == nil || !wim.Verification(c.Scheme) {
		r |= wim.NoCertificate
	} else {
		r |= c.Beyond(w)
		if a := f.Instrument.Calibration; a != nil && a.Applied >= c.ValidFrom {
			r |= wim.CalibratedSince
		}
		if !c.InForce(f.Time) {
			r |= wim.CertificateLapsed
		}
		if !c.CoversLane(w.Lane) {
			r |= wim.LaneNotCertified
		}
		// A certificate without a speed range is a static scale's.
		if c.SpeedMax > 0 && (w.Speed < c.SpeedMin || w.Speed > c.SpeedMax) {
			r |= wim.SpeedNotCertified
		}
		if w.Gross < c.Min || c.Max > 0 && w.Gross > c.Max {
			r |= wim.MassNotCertified
		}
	}
	if w.Flags.Any(wim.Voiding) {
		r |= wim.MeasurementVoid
	}
	if w.Flags.Any(wim.Doubting) {
		r |= wim.WeightDoubtful
	}
	if f.Purpose != wim.Enforcement {
		r |= wim.PurposeNotEnforcing
	}
	if f.Clock != wim.ClockSynchronised {
		r |= wim.ClockNotSynchronised
	}
	return r
}

// read settles what the facts say once for all limits.
func (j *judgement) read() {
	f := j.f
	massErr := j.set.uncertifiedMass
	j.axleErr = j.set.uncertifiedAxle
	if c := f.Instrument.Certificate; c != nil {
		massErr, j.axleErr = share(c.MassError), share(c.AxleError)
	}
	if f.Vehicle.Gross > 0 {
		_, taken := f.Vehicle.Gross.Deduct(massErr)
		j.gross, j.taken = int64(f.Vehicle.Gross), int64(taken)
	}
	if len(f.Units) > 0 {
		j.lead = f.Units[0].Registration
		j.kind = f.Units[0].Kind
	}
	if j.lead != nil && j.lead.Kind != wim.KindUnknown {
		j.kind = j.lead.Kind
	}
	j.kinds = kindOf(j.kind)
	if j.kinds == 0 {
		j.doubtful = wim.KindPresumed
	}
	j.config, _ = configuration(f, j.lead)
	j.word = markAll &^ markConfig
	// A plate that may be another vehicle's must not choose the limit.
	if j.lead != nil && !f.Vehicle.Flags.Has(wim.PlateUncertain) {
		j.drive = j.lead.DriveAxles
		j.word &^= markDrive | markSuspension
		j.word |= markOfDrive(j.drive) | markOfSuspension(j.lead.Suspension)
	}
	switch j.config {
	case wim.Rigid:
		j.word |= markRigid
	case wim.Train:
		j.word |= markOfCombination(f.Vehicle.Combination)
	case wim.ConfigurationUnknown:
		j.word |= markConfig
	}
	j.road = j.set.roadWord(f.Road.Class)
}

// kinds is a set of kinds of vehicle, a bit for each: words are slow to compare.
type kinds uint8

// kindOf gives a kind's bit, 0 for one that is not known.
func kindOf(k wim.VehicleKind) kinds {
	switch k {
	case wim.Goods:
		return 1 << 0
	case wim.Bus:
		return 1 << 1
	case wim.Car:
		return 1 << 2
	case wim.Military:
		return 1 << 3
	case wim.SpecialWork:
		return 1 << 4
	case wim.Farm:
		return 1 << 5
	case wim.KindUnknown:
	}
	return 0
}

// roadWord gives the bit of a class of road, all bits for one that the set does not know.
func (s *Set) roadWord(class string) uint32 {
	for i, r := range s.roads {
		if r == class {
			return 1 << i
		}
	}
	return math.MaxUint32
}

// share keeps a certificate's error between nothing and all of a mass.
func share(p wim.Permille) wim.Permille { return min(max(p, 0), 1000) }

// configuration tells truck from train: by the spacings where they are sure, else by the plates and the
// licence. A truck that also shows a trailer's plate is a contradiction, so not known.
func configuration(f *wim.Facts, lead *wim.Registration) (wim.Configuration, Evidence) {
	w := &f.Vehicle
	if w.Sure && (w.Configuration == wim.Train || w.Configuration == wim.Rigid && len(f.Units) < 2) {
		return w.Configuration, BySpacings
	}
	if w.Sure && w.Configuration == wim.Rigid || w.Flags.Has(wim.PlateUncertain) {
		return wim.ConfigurationUnknown, ByNothing
	}
	switch {
	case len(f.Units) > 1:
		return wim.Train, ByPlates
	case lead == nil || lead.Axles == 0 || int(lead.Axles) > len(w.Axles):
		return wim.ConfigurationUnknown, ByNothing
	case int(lead.Axles) == len(w.Axles):
		return wim.Rigid, ByLicence
	}
	return wim.Train, ByLicence
}

// opine judges one competence: applicability first, then every limit in force, by its part of a plan where there is one.
func (j *judgement) opine(c *competence, p *part) {
	var t tally
	if c.spares&j.kinds != 0 {
		why := wim.Reason(0)
		if j.lead != nil && j.f.Vehicle.Flags.Has(wim.PlateUncertain) {
			why = wim.PlateDoubtful // the kind may be another vehicle's
		}
		t.add(notApplicable, why, string(j.kind))
		j.opinion(c, &t)
		return
	}
	if j.f.Time == 0 {
		t.add(unknown, 0, whyTime)
		j.opinion(c, &t)
		return
	}
	j.byGross = grossed{low: math.MaxInt64, high: math.MaxInt64}
	if p != nil {
		j.follow(c, p, &t)
		j.opinion(c, &t)
		return
	}
	inForce := false
	for i := range c.limits {
		l := &c.limits[i]
		if !l.anyInForce(j.f.Time) {
			continue
		}
		inForce = inForce || !l.informs // what only informs is no law
		j.limit(c, l, &t)
	}
	t.close(inForce)
	j.opinion(c, &t)
}

// grossed is what the gross limits of the competence come to that is judged, for limits that are waived within them.
type grossed struct {
	low, high int64 // the least of them, as strict and as lenient as may be
	over      bool  // one is exceeded
	open      bool  // one is not known
	pending   bool  // one is being judged and has not said anything yet
}

// limited notes what a gross limit may be.
func (j *judgement) limited(low, high int64) {
	g := &j.byGross
	g.low, g.high, g.pending = min(g.low, low), min(g.high, high), false
}

// settled ends a gross limit: one that said nothing is not known.
func (g *grossed) settled() {
	g.open, g.pending = g.open || g.pending, false
}

// within tells whether the gross mass is within limits that are at most so much, and whether that is known.
func (g *grossed) within(most int64) (is, known bool) {
	switch {
	case g.over, g.low > most && !g.open:
		return false, true
	case g.high <= most:
		return true, true
	}
	return false, false
}

// limit judges one limit that is in force.
func (j *judgement) limit(c *competence, l *limit, t *tally) {
	j.quiet, j.waiver = l.informs, ""
	if l.within > 0 {
		waived, known := j.byGross.within(l.within)
		j.quiet = j.quiet || known && waived
		if !known {
			j.waiver = whyAxles
		}
	}
	switch l.basis {
	case onGross:
		j.byGross.pending = true
		j.byAxles(c, l, t)
		j.byGross.settled()
	case onAxle:
		j.axles(c, l, t)
	case onGroup:
		j.groups(c, l, t)
	case onRun:
		j.runs(c, l, t)
	case onAxleSum:
		j.byGross.pending = true
		j.axleSum(c, l, t)
		j.byGross.settled()
	case onLength, onWidth, onHeight, postedLength, postedWidth, postedHeight:
		j.size(c, l, t)
	case postedGross:
		j.postedGross(c, l, t)
	case postedAxle:
		j.postedAxles(c, l, t)
	case ratedLoad:
		j.cargo(c, l, t)
	case licenceGross:
		j.licence(c, l, t)
	case towedMass:
		j.towed(c, l, t)
	}
}

// opinion writes what a competence's limits come to.
func (j *judgement) opinion(c *competence, t *tally) {
	r := t.reasons | j.common
	if c.needsPlate && j.f.Vehicle.Flags.Has(wim.PlateUncertain) {
		r |= wim.PlateDoubtful
	}
	v := j.v
	n := len(v.Opinions)
	if n == cap(v.Opinions) {
		v.Opinions = append(v.Opinions, wim.Opinion{})
	} else {
		v.Opinions = v.Opinions[:n+1]
	}
	o := &v.Opinions[n]
	o.Competence, o.Outcome, o.Standing, o.Reasons, o.Why = c.name, t.found.outcome(), wim.StandingOf(r), r, t.why
}

// slot makes room for one more finding; what an earlier judgement left there is still in it. Findings are written where they stay: they are large.
func (j *judgement) slot() *wim.Finding {
	v := j.v
	n := len(v.Findings)
	if n == cap(v.Findings) {
		v.Findings = append(v.Findings, wim.Finding{})
	} else {
		v.Findings = v.Findings[:n+1]
	}
	return &v.Findings[n]
}

// settle counts a finding that stands alone.
func (j *judgement) settle(o found, f *wim.Finding, t *tally) {
	if !j.quiet {
		t.add(o, f.Reasons, "")
	}
}

// kg brings a mass back into its type.
func kg(m int64) wim.Kg { return wim.Kg(min(max(m, math.MinInt32), math.MaxInt32)) }
