package rules

import (
	"fmt"
	"math"
	"slices"

	"github.com/axlegate/axlegate/wim"
)

// compile compiles a set of format 2.
func (c *compiler) compile(f *File) *Set {
	c.identity(f.ID, f.CrewKg, f.Zone, f.Deduction.Mode)
	if f.Version == "" {
		c.fail("$.id", "it rises with every change", "a set without a version")
	}
	c.text("$.title", "the title", f.Title)
	for i, t := range f.Omits {
		c.text(fmt.Sprintf("$.omits[%d]", i), "what is omitted", t)
	}
	if f.Deduction.UncertifiedSize < 0 || f.Deduction.UncertifiedSize > 10_000 {
		c.fail("$.deduction.uncertified_size_mm", "", "%d mm: want 0 to 10000", f.Deduction.UncertifiedSize)
	}
	s := &Set{
		id: f.ID, version: f.Version, title: f.Title, file: f, crew: wim.Kg(f.CrewKg),
		uncertifiedMass: c.permille("$.deduction.uncertified_mass_permille", f.Deduction.UncertifiedMass),
		uncertifiedAxle: c.permille("$.deduction.uncertified_axle_permille", f.Deduction.UncertifiedAxle),
		uncertifiedSize: int64(f.Deduction.UncertifiedSize),
	}
	c.assumptions(f.Assumptions)
	s.ladders = c.ladders(f.Ladders, "kg", "permille", "mm")
	together := c.groupings(f.Groups, s)
	c.presumptions(f.Presumes, s)
	tolerances := c.tolerances(f.Tolerances)
	c.penalties(f)
	if len(f.Competences) == 0 {
		c.fail("$.competences", "", "no competence")
	}
	names, ids := map[string]bool{}, map[string]bool{}
	for i := range f.Competences {
		s.competences = append(s.competences, c.competence(i, &f.Competences[i], s, tolerances, together, names, ids))
	}
	return s
}

func (c *compiler) text(path, what string, t Text) {
	if t.Zh == "" || t.En == "" {
		c.fail(path, "write it as {zh: …, en: …}", "%s is missing in Chinese or in English", what)
	}
}

// groupings gives, by the number of axles, the distances that a group of so many may have between neighbours.
func (c *compiler) groupings(all []GroupFile, s *Set) map[int]reach {
	together := map[int]reach{}
	for i, g := range all {
		path := fmt.Sprintf("$.groups[%d]", i)
		if g.Axles < 2 || g.Axles > wim.MaxAxles {
			c.fail(path+".axles", "", "a group of %d axles: want 2 to %d", g.Axles, wim.MaxAxles)
		}
		if g.Spacing == "" && g.Span == "" {
			c.fail(path, "", "a group needs a spacing or a span")
		}
		x := grouping{axles: g.Axles, spacing: c.reach(path+".spacing", g.Spacing), span: c.reach(path+".span", g.Span)}
		s.groups = append(s.groups, x)
		s.bridges = max(s.bridges, min(x.spacing.high, x.span.high))
		if g.Spacing != "" {
			r := reach{max(x.spacing.low, 1), x.spacing.high}
			if old, ok := together[g.Axles]; ok {
				r = reach{min(old.low, r.low), max(old.high, r.high)}
			}
			together[g.Axles] = r
		}
	}
	return together
}

func (c *compiler) reach(path, v string) reach {
	r, err := within(v)
	if err != nil {
		c.fail(path, `write it as ">= 1000 mm, < 1300 mm"`, "range %v", err)
	}
	return r
}

func (c *compiler) kilograms(path, v string) int64 {
	g, err := grains(v)
	if err != nil {
		c.fail(path, "write it as 49000 kg, 49 t or 80000 lb", "mass %v", err)
	}
	return floorDiv(g, grain)
}

// floorDiv rounds down, also below zero.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// positions are the places that an axle may have, in the order of their bits.
func positions() []string {
	return []string{"first", "last-motor", "motor", "trailer", "grouped", "alone", "any"}
}

func (c *compiler) where(path string, all []string) position {
	var p position
	for i, w := range all {
		p |= 1 << c.oneOf(fmt.Sprintf("%s[%d]", path, i), w, positions()...)
	}
	if p == 0 {
		c.fail(path, "", "where is missing")
	}
	return p
}

func (c *compiler) yesNo(path, v string) mark {
	if v == "" {
		return 0
	}
	return []mark{markDriven, markFree}[c.oneOf(path, v, "yes", "no")]
}

func (c *compiler) tyres(path, v string) mark {
	return []mark{markSingle, markDual, markWide}[c.oneOf(path, v, string(wim.SingleTyres), string(wim.DualTyres), string(wim.WideTyres))]
}

func (c *compiler) suspension(path, v string) mark {
	return []mark{markAir, markOtherSuspension}[c.oneOf(path, v, string(wim.AirSuspension), string(wim.OtherSuspension))]
}

// origin checks what everything that is law must say.
func (c *compiler) origin(path string, o *Origin) wim.Reason {
	c.source(path+".source", o.Source)
	return c.status(path+".status", o.Status)
}

func (c *compiler) presumptions(all []PresumptionFile, s *Set) {
	for i := range all {
		f := &all[i]
		path := fmt.Sprintf("$.presumes[%d]", i)
		c.origin(path, &f.Origin)
		p := presumption{where: c.where(path+".where", f.Where), need: c.yesNo(path+".driven", f.Driven)}
		switch c.oneOf(path+".input", f.Input, "tyres", "driven", "suspension") {
		case 0:
			p.field, p.value = markTyres, c.tyres(path+".value", f.Value)
		case 1:
			p.field, p.value = markPower, c.yesNo(path+".value", f.Value)
		case 2:
			p.field, p.value = markSuspension, c.suspension(path+".value", f.Value)
		}
		if p.byLaw = c.oneOf(path+".basis", f.Basis, "statute", "set") == 0; p.byLaw {
			c.required(path, "article", f.Article)
		}
		if p.value == 0 {
			c.fail(path+".value", "", "value is missing")
		}
		s.presumes = append(s.presumes, p)
	}
}

func (c *compiler) stations(path string, all []string) []wim.StationMode {
	var out []wim.StationMode
	for i, n := range all {
		c.oneOf(fmt.Sprintf("%s[%d]", path, i), n, string(wim.JointStation), string(wim.OffSite), string(wim.MotorwayEntrance), string(wim.TollExit))
		out = append(out, wim.StationMode(n))
	}
	return out
}

func (c *compiler) tolerances(all []ToleranceFile) map[string]tolerance {
	out := map[string]tolerance{}
	for i := range all {
		f := &all[i]
		path := fmt.Sprintf("$.tolerances[%d]", i)
		if _, twice := out[f.ID]; f.ID == "" || twice {
			c.fail(path+".id", "", "tolerance id %q is missing or given twice", f.ID)
		}
		c.required(path, "article", f.Article)
		t := tolerance{
			id: f.ID, reason: c.origin(path, &f.Origin), stations: c.stations(path+".station", f.Station),
			share: int64(c.permille(path+".permille", f.Permille)), reduces: c.oneOf(path+".mode", f.Mode, "raise_limit", "reduce_measured") == 1,
		}
		if f.ExcessFrom != "" {
			t.tolerated = c.oneOf(path+".excess_from", f.ExcessFrom, "limit", "tolerated") == 1
		}
		if f.UnlessExcess != "" {
			t.unless = c.kilograms(path+".unless_excess", f.UnlessExcess)
		}
		t.from, t.until = c.dates(path, f.ID, f.EffectiveFrom, f.EffectiveTo)
		out[f.ID] = t
	}
	return out
}

func (c *compiler) penalties(f *File) {
	p := f.Penalties
	if p == nil {
		return
	}
	if p.OneAct.Rule != "" {
		c.oneOf("$.penalties.one_act.rule", p.OneAct.Rule, "higher")
		c.origin("$.penalties.one_act", &p.OneAct.Origin)
	}
	named := func(name string) bool {
		return slices.ContainsFunc(f.Competences, func(x CompetenceFile) bool { return x.Competence == name })
	}
	stations := map[string]bool{}
	for i := range p.Decides {
		path := fmt.Sprintf("$.penalties.decides[%d]", i)
		if stations[p.Decides[i].Station] {
			c.fail(path+".station", "", "station %q is given twice", p.Decides[i].Station)
		}
		stations[p.Decides[i].Station] = true
		c.stations(path+".station", []string{p.Decides[i].Station})
		c.origin(path, &p.Decides[i].Origin)
		if !named(p.Decides[i].Competence) {
			c.fail(path+".competence", "", "no competence %q", p.Decides[i].Competence)
		}
	}
	if o := p.CaseOpening; o != nil {
		c.kilograms("$.penalties.case_opening.excess", o.Excess)
		if !named(o.Competence) {
			c.fail("$.penalties.case_opening.competence", "", "no competence %q", o.Competence)
		}
	}
}

func (c *compiler) provision(path string, p *ProvisionFile) {
	if p == nil || p.Fine == nil {
		return
	}
	f := p.Fine
	path += ".fine"
	if len(f.Currency) != 3 {
		c.fail(path+".currency", "three letters by ISO 4217", "currency %q", f.Currency)
	}
	if f.From < 0 || f.To < f.From && f.To != 0 || f.Each < 0 || f.Most < 0 || f.Base < 0 {
		c.fail(path, "", "a fine that is negative or ends below its beginning")
	}
	if f.Each > 0 {
		if c.kilograms(path+".per", f.Per) <= 0 {
			c.fail(path+".per", "write it as 1000 kg", "each needs a mass that it is for")
		}
		c.oneOf(path+".rounding", f.Rounding, "floor", "ceil")
	}
}

func (c *compiler) competence(i int, f *CompetenceFile, s *Set, tolerances map[string]tolerance, together map[int]reach, names, ids map[string]bool) competence {
	path := fmt.Sprintf("$.competences[%d]", i)
	if f.Competence == "" || names[f.Competence] {
		c.fail(path+".competence", "", "competence %q is missing or given twice", f.Competence)
	}
	names[f.Competence] = true
	out := competence{name: wim.Competence(f.Competence), needsPlate: f.NeedsPlate, spares: c.kinds(path, f.NotFor)}
	if len(f.Limits) == 0 {
		c.fail(path, "", "competence %q has no limits", f.Competence)
	}
	for k := range f.Limits {
		out.limits = append(out.limits, c.limit(fmt.Sprintf("%s.limits[%d]", path, k), &f.Limits[k], s, tolerances, together, ids))
	}
	for k := range out.limits {
		l := &out.limits[k]
		lp := fmt.Sprintf("%s.limits[%d]", path, k)
		l.someRoads = l.ofSomeRoads(s)
		if l.basis != onAxleSum {
			continue
		}
		l.of = slices.IndexFunc(out.limits, func(o limit) bool { return o.id == f.Limits[k].Of })
		if l.of < 0 || out.limits[l.of].basis != onGroup {
			c.fail(lp+".of", "name a limit on group of the same competence", "no group limit %q", f.Limits[k].Of)
			l.of = 0
		}
	}
	return out
}

// ofSomeRoads tells whether a limit names classes of road and not all that its set knows, so that a road of a class that is
// not known may be none of them. A set that knows one class only does not tell what the others are.
func (l *limit) ofSomeRoads(s *Set) bool {
	named := uint32(0)
	for i := range l.rows {
		if l.rows[i].roads == math.MaxUint32 {
			return false
		}
		named |= l.rows[i].roads
	}
	return len(s.roads) < 2 || named != 1<<len(s.roads)-1
}

func (c *compiler) limit(path string, f *LimitFile, s *Set, tolerances map[string]tolerance, together map[int]reach, ids map[string]bool) limit {
	if f.ID == "" {
		c.fail(path, "", "a limit without id")
	} else if ids[f.ID] {
		c.fail(path+".id", "", "limit %q is given twice", f.ID)
	}
	ids[f.ID] = true
	l := limit{id: f.ID, basis: basis(c.oneOf(path+".on", f.On, bases()...)), permit: f.Permit, informs: f.Informs, permitArticle: f.Article, only: f.Only, wholeGroups: f.WholeGroups} //nolint:gosec // an index of sixteen
	l.scope, l.sized = l.basis.scope(), l.basis.sized()
	if l.informs && l.basis >= ratedLoad {
		c.fail(path+".informs", "", "a limit by the licence always counts")
	}
	s.perAxle = s.perAxle || l.basis >= onAxle && l.basis <= onAxleSum || len(f.Adjust) > 0
	if l.permit && !l.basis.cases() && l.basis != onAxleSum {
		c.fail(path+".permit", "a sign and a licence hold for it too", "no permit raises a limit on %s", f.On)
	}
	for i, id := range f.Tolerance {
		if slices.Contains(f.Tolerance[:i], id) {
			c.fail(fmt.Sprintf("%s.tolerance[%d]", path, i), "", "tolerance %q is given twice", id)
		}
		t, ok := tolerances[id]
		if !ok {
			c.fail(fmt.Sprintf("%s.tolerance[%d]", path, i), "", "no tolerance %q", id)
		}
		l.tolerances = append(l.tolerances, t)
	}
	if f.UnlessGrossWithin != "" {
		l.within = c.kilograms(path+".unless_gross_within", f.UnlessGrossWithin)
	}
	for i := range f.Adjust {
		l.adjusts = append(l.adjusts, c.adjustment(fmt.Sprintf("%s.adjust[%d]", path, i), &f.Adjust[i]))
	}
	if len(f.Rows) == 0 {
		l.rows = append(l.rows, c.row(path, f, &RowFile{ID: f.ID}, l.basis, s))
	}
	for i := range f.Rows {
		rp := fmt.Sprintf("%s.rows[%d]", path, i)
		if f.Rows[i].ID == "" || ids[f.Rows[i].ID] {
			c.fail(rp+".id", "", "row id %q is missing or given twice", f.Rows[i].ID)
		}
		ids[f.Rows[i].ID] = true
		r := c.row(rp, f, &f.Rows[i], l.basis, s)
		c.clash(rp, l.rows, &r)
		l.rows = append(l.rows, r)
	}
	c.supposals(&l, s.roads)
	c.whole(path, &l, together)
	return l
}

// whole refuses a limit with holes, as far as its basis says what must be covered.
func (c *compiler) whole(path string, l *limit, together map[int]reach) {
	if c.err != nil || l.only {
		return
	}
	switch l.basis { //nolint:exhaustive // of the others nothing must be covered
	case onGross:
		c.holes(path, l, 2, math.MaxUint8, nil)
	case onAxle:
		c.holes(path, l, 1, 1, nil)
	case onGroup:
		most := 1
		for n := range together {
			most = max(most, n)
		}
		c.holes(path, l, 1, most, together)
	}
}

func (c *compiler) adjustment(path string, f *AdjustFile) adjustment {
	c.required(path, "article", f.Article)
	c.origin(path, &f.Origin)
	return adjustment{
		where: c.where(path+".where", f.Where), tyres: c.tyres(path+".tyres", f.Tyres), need: c.yesNo(path+".driven", f.Driven),
		by: c.kilograms(path+".by", f.By),
	}
}

// or takes the limit's word where the row has none.
func or(row, limit string) string {
	if row != "" {
		return row
	}
	return limit
}

func (c *compiler) row(path string, l *LimitFile, f *RowFile, b basis, s *Set) row {
	article := or(f.Article, l.Article)
	c.required(path, "article", article)
	c.source(path+".source", or(f.Source, l.Source))
	r := row{id: f.ID, article: article, reason: c.status(path+".status", or(f.Status, l.Status))}
	r.everything()
	r.from, r.until = c.dates(path, f.ID, or(f.EffectiveFrom, l.EffectiveFrom), or(f.EffectiveTo, l.EffectiveTo))
	ladder := or(f.Ladder, l.Ladder)
	r.ladder = c.ladderOf(path+".ladder", ladder, s.ladders)
	if r.ladder != nil && (r.ladder.unit == unitMm) != b.sized() && r.ladder.unit != unitPermille {
		c.fail(path+".ladder", "", "ladder %q counts in another unit than the limit", ladder)
	}
	x := f.CaseFile
	if len(l.Rows) == 0 {
		x = l.CaseFile
	}
	c.conditions(path, &x, &l.CaseFile, b, s, &r)
	c.permits(path, &x, b, &r)
	return r
}

// conditions narrows a row; what it does not say is the limit's.
func (c *compiler) conditions(path string, x, l *CaseFile, b basis, s *Set, r *row) {
	if v := or(x.Axles, l.Axles); v != "" {
		least := uint8(1)
		if b == onGross {
			least = 2
		}
		r.axles = c.count(path+".axles", v, least)
	}
	if v := words(x.Configuration, l.Configuration); len(v) > 0 {
		r.deny |= markConfig &^ c.configuration(path+".configuration", v)
	}
	if v := or(x.DriveAxles, l.DriveAxles); v != "" {
		r.deny |= c.driveAxles(path+".drive_axles", v)
	}
	if v := or(x.Suspension, l.Suspension); v != "" {
		r.deny |= markSuspension &^ c.suspension(path+".suspension", v)
	}
	if v := words(x.Tyres, l.Tyres); len(v) > 0 {
		have := mark(0)
		for i, w := range v {
			have |= c.tyres(fmt.Sprintf("%s.tyres[%d]", path, i), w)
		}
		r.deny |= markTyres &^ have
	}
	if v := or(x.Driven, l.Driven); v != "" {
		r.deny |= markPower &^ c.yesNo(path+".driven", v)
	}
	if v := or(x.Unit, l.Unit); v != "" {
		r.deny |= markUnit &^ []mark{markMotor, markTrailer}[c.oneOf(path+".unit", v, "motor", "trailer")]
	}
	if v := or(x.Steering, l.Steering); v != "" {
		r.deny |= markSteer &^ []mark{markSteering, markFixed}[c.oneOf(path+".steering", v, "yes", "no")]
	}
	if v := or(x.Tandems, l.Tandems); v != "" {
		r.deny |= markPair &^ []mark{markTandems, markNoTandems}[c.oneOf(path+".tandems", v, "yes", "no")]
	}
	r.spacing = c.reach(path+".spacing", or(x.Spacing, l.Spacing))
	r.span = c.reach(path+".span", or(x.Span, l.Span))
	if v := words(x.Road, l.Road); len(v) > 0 {
		r.roads = c.classes(path+".road", v, s)
	}
	perAxle := markTyres | markPower | markUnit | markSteer | markPair
	if r.deny&perAxle != 0 && (b < onAxle || b > onRun) {
		c.fail(path, "they are inputs of axles, groups and runs", "tyres, driven, unit and steering say nothing of %s", bases()[b])
	}
	if whole := (reach{0, math.MaxInt32}); b.sized() && (r.axles != span{0, math.MaxUint8} || r.spacing != whole || r.span != whole) {
		c.fail(path, "", "a limit on %s asks no axles, spacing or span", bases()[b])
	}
	if r.deny == markAll {
		c.fail(path, "", "a case that never applies")
	}
}

func words(row, limit Words) Words {
	if len(row) > 0 {
		return row
	}
	return limit
}

func (c *compiler) configuration(path string, all []string) mark {
	var out mark
	for i, w := range all {
		k := c.oneOf(fmt.Sprintf("%s[%d]", path, i), w, string(wim.Rigid), string(wim.Train), string(wim.Articulated), string(wim.Drawbar), string(wim.CentreAxle), string(wim.RoadTrain))
		out |= []mark{markRigid, markTrain, markArticulated, markDrawbar, markCentreAxle, markRoadTrain}[k]
	}
	return out
}

// driveAxles gives the bits that a count of drive axles denies.
func (c *compiler) driveAxles(path, v string) mark {
	s := c.count(path, v, 1)
	deny := markDrive
	for n := uint8(1); n <= 8; n++ {
		if s.has(n) {
			deny &^= markOfDrive(n)
		}
	}
	return deny
}

func (c *compiler) classes(path string, all []string, s *Set) uint32 {
	var out uint32
	for _, w := range all {
		i := slices.Index(s.roads, w)
		if i < 0 {
			i = len(s.roads)
			s.roads = append(s.roads, w)
		}
		if i > 30 {
			c.fail(path, "", "more than 31 classes of road")
			return out
		}
		out |= 1 << i
	}
	return out
}

// permits compiles what a row permits.
func (c *compiler) permits(path string, x *CaseFile, b basis, r *row) {
	switch {
	case !b.cases():
		if x.Value != "" || x.Formula != "" {
			c.fail(path, "its permitted value comes from elsewhere", "basis %s takes no value", bases()[b])
		}
		return
	case x.Formula != "":
		c.formula(path, x, b, r)
	case b.sized():
		v, err := millimetres(x.Value)
		if err != nil || v < 1 {
			c.fail(path+".value", "write it as 2550 mm or 2.55 m", "length %q", x.Value)
		}
		r.value = v
	default:
		if r.value = c.kilograms(path+".value", x.Value); r.value < 1 {
			c.fail(path+".value", "write it as 49000 kg, 49 t or 80000 lb", "mass %q permits nothing", x.Value)
		}
	}
	if x.Cap != "" {
		c.oneOf(path+".cap", x.Cap, "licence-gross")
		r.capped = true
	}
}

func (c *compiler) formula(path string, x *CaseFile, b basis, r *row) {
	if b.sized() || x.Value != "" {
		c.fail(path, "", "a formula stands in the place of a mass")
	}
	f := &r.formula
	switch c.oneOf(path+".formula", x.Formula, "bridge-b", "linear") {
	case 0:
		f.kind = bridgeB
		f.tieUp = c.oneOf(path+".tie", x.Tie, "down", "up") == 1
		if r.axles.low < 2 {
			c.fail(path+".axles", "write 2+", "the bridge formula begins at two axles")
		}
	case 1:
		f.kind = linear
		f.perMetre = c.kilograms(path+".per_metre", x.PerMetre)
		if x.Plus != "" {
			f.plus = c.kilograms(path+".plus", x.Plus)
		}
		if x.RoundUp != "" {
			n, err := millimetres(x.RoundUp)
			if err != nil || n < 1 {
				c.fail(path+".round_up", "write it as 100 mm", "length %q", x.RoundUp)
			}
			f.roundUp = n
		}
	}
	for _, k := range []struct {
		key, v string
		into   *int64
	}{{"most", x.Most, &f.most}, {"each", x.Each, &f.each}} {
		if k.v == "" {
			continue
		}
		g, err := grains(k.v)
		if err != nil || g < grain {
			c.fail(path+"."+k.key, "write it as 49000 kg or 80000 lb", "mass %q", k.v)
		}
		*k.into = g
	}
}
