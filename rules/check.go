package rules

import "github.com/axlegate/axlegate/wim"

// found is an outcome as a small number, in rising order of weight: words are slow to compare.
type found uint8

const (
	nothing found = iota
	notApplicable
	compliant
	withinTolerance
	unknown
	exceeded
)

func (f found) outcome() wim.Outcome { return outcomes[f] }

var outcomes = [...]wim.Outcome{"", wim.NotApplicable, wim.Compliant, wim.WithinTolerance, wim.Unknown, wim.Exceeded} //nolint:gochecknoglobals // a table that is never written

// weighed is what comes of comparing one quantity with one permitted value.
type weighed struct {
	excess    int64
	tolerance int64
	reasons   wim.Reason // of a tolerance that is not verified
	found     found
}

// weigh compares. measured and permitted are what the law compares, in kilograms or millimetres; taken is what the
// error of the instrument takes off measured, before any tolerance of the law.
func (j *judgement) weigh(l *limit, measured, taken, permitted int64) weighed {
	over := measured - taken - permitted
	if over > 0 {
		if len(l.tolerances) > 0 {
			return j.tolerate(l, measured-taken, over, permitted)
		}
		return weighed{found: exceeded, excess: over}
	}
	if measured > permitted {
		return weighed{found: withinTolerance}
	}
	return weighed{found: compliant}
}

// tolerate weighs an excess against what the law itself lets pass.
func (j *judgement) tolerate(l *limit, net, over, permitted int64) weighed {
	if x := l.tolerance(j.f); x != nil {
		return x.weigh(net, over, permitted)
	}
	return weighed{found: exceeded, excess: over}
}

// tolerance gives the one that a limit has that day at that site, nil for none.
func (l *limit) tolerance(f *wim.Facts) *tolerance {
	for i := range l.tolerances {
		if x := &l.tolerances[i]; x.applies(f) {
			return x
		}
	}
	return nil
}

// weigh weighs an excess against the tolerance.
func (t *tolerance) weigh(net, over, permitted int64) weighed {
	w := weighed{found: exceeded, excess: over, reasons: t.reason}
	if t.unless > 0 && over >= t.unless {
		return w
	}
	if t.reduces {
		w.tolerance = net * t.share / 1000 // masses are whole: above this is above the fraction too
	} else {
		w.tolerance = permitted * t.share / 1000
	}
	if over <= w.tolerance {
		w.found, w.excess = withinTolerance, 0
	} else if t.tolerated {
		w.excess -= w.tolerance
	}
	return w
}

func (t *tolerance) applies(f *wim.Facts) bool {
	if f.Time < t.from || t.until != 0 && f.Time >= t.until {
		return false
	}
	if len(t.stations) == 0 {
		return true
	}
	for _, s := range t.stations {
		if s == f.Station {
			return true
		}
	}
	return false
}

// check compares one quantity with one row of a limit and shows the finding.
func (j *judgement) check(c *competence, l *limit, r *row, measured, taken, permitted int64) *wim.Finding {
	measured = max(measured, 0)
	w := j.weigh(l, measured, taken, permitted)
	return j.show(c, l, r, measured, taken, permitted, w)
}

// show adds to the verdict what was weighed.
func (j *judgement) show(c *competence, l *limit, r *row, measured, taken, permitted int64, w weighed) *wim.Finding {
	f := j.slot()
	// Every field is written, and each by itself: a literal would be made aside and copied, a fifth of a judgement.
	f.Competence, f.Limit, f.Article, f.Scope, f.Outcome = c.name, r.id, r.article, l.scope, w.found.outcome()
	f.Band, f.Assumes, f.Permit, f.Breach = "", "", "", ""
	f.Index, f.Last, f.Reasons, f.Informs, f.Ratio = 0, 0, r.reason|w.reasons, j.quiet, 0
	if l.sized {
		f.Measured, f.Deducted, f.Permitted, f.Excess, f.Tolerance = 0, 0, 0, 0, 0
		f.Size = wim.Size{Measured: mm(measured), Deducted: mm(taken), Permitted: mm(permitted), Excess: mm(w.excess)}
	} else {
		f.Measured, f.Deducted, f.Permitted, f.Excess, f.Tolerance = kg(measured), kg(taken), kg(permitted), kg(w.excess), kg(w.tolerance)
		f.Size = wim.Size{}
	}
	if w.found == exceeded {
		f.Ratio = kg(w.excess).Of(kg(permitted))
		f.Reasons |= j.weak | j.doubtful
		if r.ladder != nil {
			r.ladder.grade(f, measured-taken, w.excess, permitted)
		}
	}
	return f
}

// grade puts an excess on the highest step that it reaches. It compares whole numbers, not the rounded ratio.
func (l *ladder) grade(f *wim.Finding, net, over, permitted int64) {
	l.mark(f, l.reached(net, over, permitted))
}

// reached counts the steps that an excess reaches, none without a ladder.
func (l *ladder) reached(net, over, permitted int64) int {
	if l == nil {
		return 0
	}
	have, each := over, int64(1)
	switch l.unit {
	case unitPermille:
		have, each = over*1000, permitted
	case unitMm:
		have = net
	case unitKg:
	}
	for i := range l.steps {
		s := &l.steps[i]
		if need := s.at * each; have < need || s.gt && have == need {
			return i
		}
	}
	return len(l.steps)
}

// mark names the last of the first n steps.
func (l *ladder) mark(f *wim.Finding, n int) {
	for i := range l.steps[:n] {
		f.Band = l.steps[i].band
		if a := l.steps[i].article; a != "" {
			f.Article = a
		}
	}
}

// mm brings a length back into its type.
func mm(n int64) wim.Mm { return wim.Mm(kg(n)) }
